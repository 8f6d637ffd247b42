//! What services do with a shard: mailboxes, transients, documents; and a model client that counts
//! what it receives, as stream management does, over cuts and crashes at any point.

mod bench;

use bench::{Bench, accept, key};
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeMap;
use wharf_broker::{
    Ahead, Command, ConnectionId, ConsumerId, Event, Message, QueueId, SessionKind, Stored,
    Transient,
};

const INBOX: ConsumerId = ConsumerId(0);
const ALICE: &str = "xmpp:alice@localhost";

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn message(body: &str) -> Message {
    Message { format: 4, body: text(body) }
}

/// A session `name` on `connection`, with an inbox that it is fed from.
fn bind(bench: &mut Bench, connection: u64, name: &str, kind: SessionKind) -> QueueId {
    let (now, connection) = (bench.now, ConnectionId(connection));
    let session = bench.shard.open_session(now, connection, key(name), kind);
    let inbox = bench.shard.make_mailbox("localhost", ALICE, name);
    bench.shard.feed(session, inbox, INBOX);
    bench.settle();
    inbox
}

fn transmit(bench: &mut Bench, name: &str, body: &str) {
    let session = bench.shard.session_named(&key(name)).expect("a session");
    bench.shard.transmit(session, Transient::new(text(body)));
    bench.flush();
}

fn resume(bench: &mut Bench, connection: u64, name: &str, received: u64) -> Result<(), Ahead> {
    let connection = ConnectionId(connection);
    let (session, _) =
        bench.shard.attach_session(bench.now, connection, &key(name)).expect("a session");
    let resumed = bench.shard.resume_session(connection, session, received);
    bench.flush();
    resumed
}

#[test]
fn deliveries_and_transients_are_numbered_in_one_order() {
    let mut bench = Bench::new();
    let inbox = bind(&mut bench, 1, "a/phone", SessionKind::Recoverable);
    bench.told_to(1);
    transmit(&mut bench, "a/phone", "t1");
    // Nobody waits for the disk.
    assert_eq!(bench.told_to(1), ["transmit 1 t1"]);
    bench.shard.post(&[(inbox, None)], &message("m2"));
    transmit(&mut bench, "a/phone", "t3");
    assert_eq!(bench.told_to(1), [""; 0]);
    bench.settle();
    assert_eq!(bench.told_to(1), [format!("deliver 2 {ALICE} m2"), "transmit 3 t3".to_owned()]);

    // The socket is lost, nothing else.
    bench.command(1, Command::Detach);
    transmit(&mut bench, "a/phone", "t4");
    bench.shard.post(&[(inbox, None)], &message("m5"));
    assert_eq!(resume(&mut bench, 2, "a/phone", 1), Ok(()));
    bench.settle();
    let told = bench.told_to(2);
    let fresh = format!("deliver 4 {ALICE} m5");
    assert_eq!(
        told,
        [
            "attached taken=0 settled=1 sent=1",
            &format!("deliver 2 {ALICE} m2"),
            "transmit 3 t3",
            &fresh,
            "transmit 5 t4"
        ]
    );
}

#[test]
fn after_a_crash_what_is_left_is_numbered_anew() {
    let mut bench = Bench::new();
    let inbox = bind(&mut bench, 1, "a/phone", SessionKind::Recoverable);
    transmit(&mut bench, "a/phone", "t1");
    bench.shard.post(&[(inbox, None)], &message("m2"));
    bench.settle();
    bench.shard.post(&[(inbox, None)], &message("m3"));
    bench.settle();
    transmit(&mut bench, "a/phone", "t4");
    bench.crash();
    // The client has not even the first: it is gone, and the others follow it.
    assert_eq!(resume(&mut bench, 2, "a/phone", 0), Ok(()));
    bench.settle();
    let told = bench.told_to(2);
    let [second, third] = [1, 2].map(|seq| format!("deliver {seq} {ALICE} m{}", seq + 1));
    assert_eq!(told, ["attached taken=0 settled=0 sent=0", &second, &third]);
}

#[test]
fn after_a_crash_a_client_may_have_more_than_is_known() {
    let mut bench = Bench::new();
    bind(&mut bench, 1, "a/phone", SessionKind::Recoverable);
    transmit(&mut bench, "a/phone", "t1");
    transmit(&mut bench, "a/phone", "t2");
    bench.crash();
    assert_eq!(resume(&mut bench, 2, "a/phone", 2), Ok(()));
    bench.settle();
    transmit(&mut bench, "a/phone", "t3");
    assert_eq!(bench.told_to(2), ["attached taken=0 settled=2 sent=2", "transmit 3 t3"]);
    // Once: what this process has sent it knows.
    assert_eq!(resume(&mut bench, 3, "a/phone", 4), Err(Ahead));
}

#[test]
fn a_volatile_session_has_no_numbers_of_transients() {
    let mut bench = Bench::new();
    let inbox = bind(&mut bench, 1, "a/web", SessionKind::Volatile);
    bench.told_to(1);
    transmit(&mut bench, "a/web", "t");
    bench.shard.post(&[(inbox, None)], &message("m"));
    bench.settle();
    assert_eq!(bench.told_to(1), ["transmit 0 t".to_owned(), format!("deliver 1 {ALICE} m")]);
}

/// An end tells the service, which moves what is left, in the same frame.
#[test]
fn what_a_session_leaves_is_moved_in_the_frame_of_its_end() {
    let mut bench = Bench::new();
    let inbox = bind(&mut bench, 1, "a/web", SessionKind::Volatile);
    let offline = bench.shard.make_mailbox("localhost", ALICE, "offline");
    for body in ["m1", "m2"] {
        bench.shard.post(&[(inbox, None)], &message(body));
    }
    bench.settle();
    bench.run(1, accept(1));
    bench.shard.detach_connection(bench.now, ConnectionId(1));
    let (_, ended) = bench.shard.poll_ended().expect("it ended");
    assert_eq!(ended, key("a/web"));
    assert!(bench.shard.poll_ended().is_none());
    let left: Vec<u64> = bench.shard.entries(inbox).iter().map(|entry| entry.entry).collect();
    assert_eq!(left.len(), 1);
    for entry in left {
        assert!(bench.shard.move_entry(inbox, entry, &[offline]));
    }
    bench.shard.close_mailbox(inbox);
    let frames = bench.disk.stored.len();
    bench.settle();
    assert_eq!(bench.disk.stored.len(), frames + 1, "all in one frame");
    bench.crash();
    assert_eq!(bench.shard.queue_len(offline), 1);
    let boxes = bench.shard.mailboxes("localhost", ALICE);
    assert_eq!(boxes, [("offline".to_owned(), offline)]);
}

#[test]
fn notes_are_kept_and_archives_are_trimmed() {
    let mut bench = Bench::new();
    let archive = bench.shard.make_mailbox("localhost", ALICE, "archive");
    for at in 0..5 {
        let note = Some(text(&format!("note {at}")));
        bench.shard.post(&[(archive, note)], &message(&format!("m{at}")));
    }
    bench.shard.trim(archive, 2);
    bench.settle();
    bench.crash();
    let notes = |bench: &Bench| -> Vec<(u64, Bytes)> {
        let entries = bench.shard.entries(archive);
        entries.iter().map(|entry| (entry.entry, entry.note.expect("a note").clone())).collect()
    };
    let expected: Vec<_> = (2..5).map(|at| (at, text(&format!("note {at}")))).collect();
    assert_eq!(notes(&bench), expected);

    // A message of the archive, read from the disk, in the order of what is sent.
    bind(&mut bench, 1, "a/web", SessionKind::Volatile);
    bench.told_to(1);
    let session = bench.shard.session_named(&key("a/web")).expect("a session");
    let stored = Some(Stored { queue: archive, entry: 3, skip_bytes: 1 });
    let result = Transient { before: text("<"), stored, after: text(">") };
    bench.shard.transmit(session, result);
    transmit(&mut bench, "a/web", "after");
    bench.settle();
    assert_eq!(bench.told_to(1), ["transmit 0 <3>", "transmit 0 after"]);
}

#[test]
fn documents_are_durable_and_bounded() {
    let mut bench = Bench::new();
    assert!(bench.shard.put_document("roster/a/1", Some(text("one"))));
    assert!(bench.shard.put_document("roster/a/2", Some(text("two"))));
    assert!(bench.shard.put_document("roster/b/1", Some(text("three"))));
    assert!(bench.shard.put_document("roster/a/1", None));
    assert!(!bench.shard.put_document("large", Some(Bytes::from(vec![0; (256 << 10) + 1]))));
    bench.settle();
    bench.crash();
    let found: Vec<(&str, &[u8])> =
        bench.shard.documents("roster/a/").map(|(key, value)| (key, &value[..])).collect();
    assert_eq!(found, [("roster/a/2", &b"two"[..])]);
    assert_eq!(bench.shard.document("large"), None);
}

#[test]
fn nobody_else_consumes_or_fills_a_mailbox() {
    let mut bench = Bench::new();
    bench.run(1, bench::open("plain"));
    bench.run(1, bench::consume(ALICE, 1));
    bench.run(1, bench::publish(1, &[ALICE], "m"));
    let told = bench.told_to(1);
    assert_eq!(told[1], format!("refused {ALICE}: not a valid address"));
    let resolve =
        Command::Resolve { consumer: ConsumerId(7), address: ALICE.to_owned(), kind: None };
    bench.run(1, resolve);
    assert_eq!(bench.told_to(1), ["resolved 7 Queue"]);
}

#[derive(Clone, Debug)]
enum Step {
    Post,
    Transmit,
    Journal(usize),
    Acknowledge,
    Cut,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Post),
        6 => Just(Step::Transmit),
        6 => (0..4usize).prop_map(Step::Journal),
        2 => Just(Step::Acknowledge),
        1 => Just(Step::Cut),
        1 => Just(Step::Crash),
    ]
}

/// A client that counts.
#[derive(Debug, Default)]
struct Client {
    connection: u64,
    received: u64,
    messages: Vec<u64>,
    transients: Vec<u64>,
}

impl Client {
    fn read(&mut self, bench: &mut Bench) {
        for (to, event) in std::mem::take(&mut bench.told) {
            if to != self.connection {
                continue;
            }
            let (seq, body, kind) = match event {
                Event::Deliver(delivery) => (delivery.seq, delivery.body, &mut self.messages),
                Event::Transmit { seq, before, .. } => (seq, before, &mut self.transients),
                Event::Attached(ledger) => {
                    assert_eq!(ledger.settled, self.received);
                    continue;
                }
                _ => continue,
            };
            self.received += 1;
            assert_eq!(seq, self.received, "numbers have no gaps");
            let label = std::str::from_utf8(&body).expect("text").parse().expect("a number");
            kind.push(label);
        }
    }

    fn come_back(&mut self, bench: &mut Bench) {
        self.connection += 1;
        resume(bench, self.connection, "a/phone", self.received).expect("what it received");
    }
}

proptest! {
    #[test]
    fn a_client_that_counts_gets_every_message_once(
        steps in prop::collection::vec(step(), 1..80),
        snapshot_every_bytes in prop_oneof![Just(64u64), Just(1 << 20)],
        bodies_in_memory_max_bytes in prop_oneof![Just(0u64), Just(1 << 20)],
    ) {
        let config = wharf_broker::Config {
            snapshot_every_bytes, bodies_in_memory_max_bytes, ..Default::default()
        };
        let mut bench = Bench::with(config);
        let inbox = bind(&mut bench, 1, "a/phone", SessionKind::Recoverable);
        let mut client = Client { connection: 1, ..Client::default() };
        client.read(&mut bench);
        // What was posted, and whether that is durable.
        let mut posted: BTreeMap<u64, bool> = BTreeMap::new();
        for (at, step) in steps.into_iter().enumerate() {
            let label = at as u64;
            match step {
                Step::Post => {
                    bench.shard.post(&[(inbox, None)], &message(&label.to_string()));
                    bench.flush();
                    posted.insert(label, false);
                }
                Step::Transmit => transmit(&mut bench, "a/phone", &label.to_string()),
                Step::Journal(steps) => {
                    for _ in 0..steps {
                        bench.step();
                    }
                    client.read(&mut bench);
                    if bench.disk.on_the_way.is_empty() {
                        bench.settle();
                        posted.values_mut().for_each(|stored| *stored = true);
                    }
                }
                Step::Acknowledge => {
                    client.read(&mut bench);
                    bench.command(client.connection, accept(client.received));
                }
                Step::Cut => {
                    client.read(&mut bench);
                    bench.command(client.connection, Command::Detach);
                    client.come_back(&mut bench);
                }
                Step::Crash => {
                    client.read(&mut bench);
                    bench.crash();
                    // Their sender was not told that they are stored.
                    posted.retain(|_, stored| *stored);
                    client.come_back(&mut bench);
                }
            }
            client.read(&mut bench);
        }
        bench.settle();
        client.read(&mut bench);
        // In order and once; all that were stored, and no more than were posted.
        prop_assert!(client.messages.is_sorted_by(|a, b| a < b), "{:?}", client.messages);
        prop_assert!(client.transients.is_sorted_by(|a, b| a < b), "{:?}", client.transients);
        for (label, stored) in posted {
            prop_assert!(!stored || client.messages.contains(&label), "{label} is lost");
        }
        // The end of it is what a restart finds.
        bench.command(client.connection, Command::Detach);
        bench.settle();
        let (config, now) = (bench.config.clone(), bench.now);
        let again = wharf_broker::Shard::recover(config, bench.disk.recovery(), now).unwrap();
        prop_assert!(again.same_state(&bench.shard));
    }
}
