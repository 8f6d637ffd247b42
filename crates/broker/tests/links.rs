//! Consumers and senders that a connection names, as a protocol with links has them.

mod bench;

use bench::{
    Bench, accept, attach, cancel_as, consume, consume_as, consume_to_limit, drain, flow, forget,
    open, publish, publish_or_decline, resolve, settle,
};
use wharf_broker::limits::SESSION_UNSETTLED_MAX_BYTES;
use wharf_broker::{
    AddressKind, Command, Config, Credit, DEAD_LETTER_ADDRESS, Outcome, Permission,
};

/// A bench with a sender on connection 1 and a session `r` on connection 2.
fn sender_and_receiver() -> Bench {
    sender_and_receiver_with(Config::default())
}

fn sender_and_receiver_with(config: Config) -> Bench {
    let mut bench = Bench::with(config);
    bench.run(1, open("s"));
    bench.run(2, open("r"));
    bench.told.clear();
    bench
}

fn publish_all(bench: &mut Bench, seqs: std::ops::RangeInclusive<u64>, to: &str) {
    for seq in seqs {
        bench.run(1, publish(seq, &[to], &format!("m{seq}")));
    }
}

#[test]
fn consumers_of_one_session_share_a_queue_and_are_told_apart() {
    let mut bench = sender_and_receiver();
    bench.run(2, consume_as(5, "q", None, Credit::Window(10)));
    bench.run(2, consume_as(6, "q", None, Credit::Window(1)));
    publish_all(&mut bench, 1..=4, "q");
    assert_eq!(
        bench.told_to(2),
        [
            "consuming q",
            "consuming q",
            "deliver 1 q m1 to=5",
            "deliver 2 q m2 to=6",
            "deliver 3 q m3 to=5",
            "deliver 4 q m4 to=5",
        ]
    );
    bench.run(2, cancel_as(5, "q", None));
    bench.run(2, settle(2, 2, Outcome::Accepted));
    publish_all(&mut bench, 5..=6, "q");
    assert_eq!(bench.told_to(2), ["deliver 5 q m5 to=6"]);
    // What is out to a consumer that is gone stays in the ledger, and comes back when released.
    bench.run(2, settle(3, 5, Outcome::Accepted));
    bench.run(2, settle(1, 1, Outcome::Released));
    bench.run(2, settle(6, 6, Outcome::Accepted));
    assert_eq!(bench.told_to(2), ["deliver 6 q m6 to=6", "deliver 7 q m1 to=6"]);
}

#[test]
fn a_limit_is_a_count_of_deliveries() {
    let mut bench = sender_and_receiver();
    publish_all(&mut bench, 1..=6, "q");
    bench.run(2, consume_to_limit(5, "q"));
    assert_eq!(bench.told_to(2), ["consuming q"]);
    bench.run(2, flow(5, 2));
    bench.run(2, flow(5, 2));
    assert_eq!(bench.told_to(2), ["deliver 1 q m1 to=5", "deliver 2 q m2 to=5"]);
    bench.run(2, accept(2));
    assert_eq!(bench.told_to(2), [""; 0], "settling is not what lets deliveries flow");
    bench.run(2, flow(5, 3));
    bench.run(2, flow(5, 1));
    bench.run(2, flow(6, 10));
    assert_eq!(bench.told_to(2), ["deliver 3 q m3 to=5"]);
    // The count begins anew with a Consume.
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, flow(5, 1));
    assert_eq!(bench.told_to(2), ["consuming q", "deliver 4 q m4 to=5"]);
}

#[test]
fn a_limit_lasts_as_long_as_the_connection_and_repeats_do_not_count() {
    let mut bench = sender_and_receiver();
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, flow(5, 2));
    publish_all(&mut bench, 1..=4, "q");
    bench.crash();
    bench.run(3, attach("r"));
    bench.run(3, Command::Resume { received: 0 });
    assert_eq!(
        bench.told_to(3),
        ["attached taken=0 settled=0 sent=2", "deliver 1 q m1 to=5", "deliver 2 q m2 to=5"]
    );
    bench.run(3, flow(5, 1));
    assert_eq!(bench.told_to(3), ["deliver 3 q m3 to=5"]);
}

#[test]
fn a_snapshot_knows_whom_deliveries_are_for() {
    let config = Config { snapshot_every_bytes: 1, ..Config::default() };
    let mut bench = sender_and_receiver_with(config);
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, consume_as(6, "other", None, Credit::Window(3)));
    bench.run(2, flow(5, 1));
    publish_all(&mut bench, 1..=2, "q");
    publish_all(&mut bench, 3..=6, "other");
    let newest = bench.disk.stored.keys().last().copied();
    bench.run(1, publish(7, &["filler"], &"x".repeat(5000)));
    assert!(bench.disk.snapshot.as_ref().map(|(lsn, _)| *lsn) > newest, "all is in a snapshot");
    bench.crash();
    bench.run(3, attach("r"));
    bench.run(3, Command::Resume { received: 0 });
    bench.run(3, flow(5, 1));
    bench.run(3, settle(2, 2, Outcome::Accepted));
    assert_eq!(
        bench.told_to(3),
        [
            "attached taken=0 settled=0 sent=4",
            "deliver 1 q m1 to=5",
            "deliver 2 other m3 to=6",
            "deliver 3 other m4 to=6",
            "deliver 4 other m5 to=6",
            "deliver 5 q m2 to=5",
            "deliver 6 other m6 to=6",
        ]
    );
}

#[test]
fn limits_are_not_recorded() {
    let mut bench = sender_and_receiver();
    bench.run(2, consume_to_limit(5, "q"));
    let frames = bench.disk.stored.len();
    bench.run(2, flow(5, 100));
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, drain(5, 100));
    assert_eq!(bench.disk.stored.len(), frames);
    assert_eq!(bench.told_to(2), ["consuming q", "consuming q", "drained 5 at 0"]);
}

/// AMQP 2.6.7: a drain ends with the credit gone, behind the deliveries.
#[test]
fn a_drain_hands_out_what_there_is() {
    let mut bench = sender_and_receiver();
    publish_all(&mut bench, 1..=2, "q");
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, drain(5, 10));
    publish_all(&mut bench, 3..=3, "q");
    assert_eq!(
        bench.told_to(2),
        ["consuming q", "deliver 1 q m1 to=5", "deliver 2 q m2 to=5", "drained 5 at 2"]
    );
    bench.run(2, flow(5, 3));
    bench.run(2, drain(5, 3));
    assert_eq!(bench.told_to(2), ["deliver 3 q m3 to=5", "drained 5 at 3"]);
}

#[test]
fn a_drain_waits_for_bodies_that_are_read_back() {
    let config = Config { bodies_in_memory_max_bytes: 0, ..Config::default() };
    let mut bench = sender_and_receiver_with(config);
    publish_all(&mut bench, 1..=2, "q");
    bench.run(2, consume_to_limit(5, "q"));
    bench.command(2, drain(5, 10));
    assert!(bench.step(), "the dispatch is stored");
    assert_eq!(bench.told_to(2), ["consuming q"]);
    bench.settle();
    assert_eq!(bench.told_to(2), ["deliver 1 q m1 to=5", "deliver 2 q m2 to=5", "drained 5 at 2"]);
}

#[test]
fn a_session_is_bounded_whatever_its_limits() {
    let mut bench = sender_and_receiver();
    let large = "x".repeat(usize::try_from(SESSION_UNSETTLED_MAX_BYTES).expect("it fits"));
    bench.run(1, publish(1, &["q"], &large));
    bench.run(1, publish(2, &["q"], "small"));
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, flow(5, 10));
    let told = bench.told_to(2);
    assert_eq!((told.len(), told[0].as_str()), (2, "consuming q"));
    bench.run(2, accept(1));
    assert_eq!(bench.told_to(2), ["deliver 2 q small to=5"]);
}

#[test]
fn a_window_may_become_a_limit_and_back() {
    let mut bench = sender_and_receiver();
    bench.run(2, consume_to_limit(5, "q"));
    publish_all(&mut bench, 1..=3, "q");
    bench.run(2, consume_as(5, "q", None, Credit::Window(2)));
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, settle(1, 1, Outcome::Accepted));
    assert_eq!(
        bench.told_to(2),
        ["consuming q", "consuming q", "deliver 1 q m1 to=5", "deliver 2 q m2 to=5", "consuming q"]
    );
}

#[test]
fn the_one_who_makes_an_address_says_what_it_is() {
    let mut bench = sender_and_receiver();
    let wish = |consumer, address: &str, wanted| {
        let mut command = consume_to_limit(consumer, address);
        if let Command::Consume { kind, .. } = &mut command {
            *kind = Some(wanted);
        }
        command
    };
    bench.run(2, wish(1, "news", AddressKind::Topic));
    bench.run(2, wish(2, "news", AddressKind::Queue));
    bench.run(2, resolve(3, "news", None));
    bench.run(2, resolve(3, "news", Some(AddressKind::Queue)));
    bench.run(2, resolve(4, "topic/as/usual", None));
    bench.run(2, resolve(5, "work", Some(AddressKind::Queue)));
    bench.run(2, consume_as(6, "work", Some("name"), Credit::Limit));
    // Dead letters are always kept in a queue.
    bench.run(2, wish(7, DEAD_LETTER_ADDRESS, AddressKind::Topic));
    assert_eq!(
        bench.told_to(2),
        [
            "consuming news",
            "refused news: the address is of another kind",
            "resolved 3 Topic",
            "refused news: the address is of another kind",
            "resolved 4 Topic",
            "resolved 5 Queue",
            "refused work: a subscription was named, but the address is a queue",
            "refused wharf/dead-letter: the address is of another kind",
        ]
    );
}

#[test]
fn what_is_refused_makes_nothing() {
    let mut bench = sender_and_receiver();
    let addresses = bench.shard.statistics().addresses;
    bench.run(2, consume_as(6, "work", Some("name"), Credit::Limit));
    bench.run(2, resolve(5, "wharf/own", None));
    bench.run(2, resolve(5, "wharf/dynamic/gone", None));
    bench.run(2, consume_to_limit(5, "wharf/dynamic/gone"));
    assert_eq!(
        bench.told_to(2),
        [
            "refused work: a subscription was named, but the address is a queue",
            "refused wharf/own: not a valid address",
            "refused wharf/dynamic/gone: no such address",
            "refused wharf/dynamic/gone: no such address",
        ]
    );
    assert_eq!(bench.shard.statistics().addresses, addresses);
}

#[test]
fn sending_needs_permission() {
    let mut bench = sender_and_receiver();
    bench.define_user(
        "alice",
        vec![Permission { pattern: "in".to_owned(), send: true, ..Permission::default() }],
    );
    bench.run(2, resolve(1, "in", None));
    bench.run(2, resolve(2, "out", None));
    assert_eq!(bench.told_to(2), ["resolved 1 Queue", "refused out: not permitted"]);
}

#[test]
fn what_cannot_be_served_is_declined_before_it_is_taken() {
    let mut bench = sender_and_receiver();
    bench.run(1, publish_or_decline(1, &[], "none"));
    bench.run(1, publish_or_decline(2, &["wharf/own"], "reserved"));
    bench.run(1, publish_or_decline(3, &["q", "wharf/dynamic/gone"], "half"));
    bench.run(1, publish_or_decline(4, &["q"], "good"));
    // The answer was lost, and the sender asks again.
    bench.run(1, publish_or_decline(2, &["wharf/own"], "reserved"));
    assert_eq!(
        bench.told_to(1),
        [
            "declined 1: no-address",
            "taken 1",
            "declined 2: invalid-address",
            "taken 2",
            "declined 3: unknown-address",
            "taken 3",
            "taken 4",
            "declined 2: invalid-address",
            "taken 4",
        ]
    );
    bench.run(2, consume(DEAD_LETTER_ADDRESS, 10));
    bench.run(2, consume("q", 10));
    assert_eq!(
        bench.told_to(2),
        ["consuming wharf/dead-letter", "consuming q", "deliver 1 q half", "deliver 2 q good"]
    );
}

#[test]
fn a_refusal_is_told_when_the_frame_of_its_batch_is_stored() {
    let mut bench = sender_and_receiver();
    bench.command(1, publish_or_decline(1, &["wharf/own"], "x"));
    assert_eq!(bench.told_to(1), [""; 0]);
    bench.settle();
    assert_eq!(bench.told_to(1), ["declined 1: invalid-address", "taken 1"]);
}

/// The route of the message before is not taken when something on the way has changed.
#[test]
fn a_stream_of_messages_follows_every_change() {
    let mut bench = sender_and_receiver();
    let limited = vec![Permission { send: false, ..Permission::all() }];
    bench.run(1, publish(1, &["topic/t"], "before"));
    bench.run(2, consume("topic/t", 10));
    bench.run(1, publish(2, &["topic/t"], "m2"));
    bench.run(2, consume_as(7, "topic/t", None, Credit::Window(10)));
    bench.run(1, publish(3, &["topic/t"], "m3"));
    bench.run(2, cancel_as(0, "topic/t", None));
    bench.run(1, publish(4, &["topic/t"], "m4"));
    bench.define_user("alice", limited);
    bench.run(1, publish_or_decline(5, &["topic/t"], "m5"));
    bench.define_user("alice", vec![Permission::all()]);
    bench.run(2, Command::End { unsettled: Outcome::Released });
    bench.run(1, publish(6, &["topic/t"], "m6"));
    assert_eq!(
        bench.told_to(2),
        [
            "consuming topic/t",
            "deliver 1 topic/t m2",
            "consuming topic/t",
            "deliver 2 topic/t m3",
            "deliver 3 topic/t m3 to=7",
            "deliver 4 topic/t m4 to=7",
            "ended",
        ]
    );
    assert_eq!(
        bench.told_to(1),
        [
            "taken 1",
            "taken 2",
            "taken 3",
            "taken 4",
            "declined 5: not-permitted",
            "taken 5",
            "taken 6"
        ]
    );
    assert_eq!(bench.shard.statistics().messages, 0);
}

#[test]
fn a_subscription_is_forgotten_when_nobody_else_uses_it() {
    let mut bench = sender_and_receiver();
    bench.run(3, open("other"));
    let kept = |consumer| consume_as(consumer, "topic/t", Some("kept"), Credit::Window(1));
    bench.run(2, kept(5));
    bench.run(3, kept(5));
    bench.run(2, forget(5, "topic/t", "kept"));
    bench.run(1, publish(1, &["topic/t"], "m1"));
    bench.run(1, publish(2, &["topic/t"], "m2"));
    assert_eq!(bench.told_to(3), ["opened", "consuming topic/t", "deliver 1 topic/t m1 to=5"]);
    bench.run(3, forget(5, "topic/t", "kept"));
    bench.run(1, publish(3, &["topic/t"], "m3"));
    // Nothing is kept but what is out; and once it is back, it has no place to go.
    assert_eq!(bench.shard.statistics().messages, 1);
    bench.run(3, settle(1, 1, Outcome::Released));
    assert_eq!(bench.shard.statistics().messages, 0);
    bench.run(2, kept(6));
    assert_eq!(bench.told_to(2), ["consuming topic/t", "consuming topic/t"]);
}

#[test]
fn forgetting_a_subscription_needs_permission() {
    let mut bench = sender_and_receiver();
    bench.run(2, consume_as(5, "topic/t", Some("kept"), Credit::Window(1)));
    bench.run(2, cancel_as(5, "topic/t", Some("kept")));
    bench.define_user("alice", vec![Permission { receive: false, ..Permission::all() }]);
    bench.run(2, forget(5, "topic/t", "kept"));
    bench.run(1, publish(1, &["topic/t"], "m1"));
    assert_eq!(bench.shard.statistics().messages, 1);
}

#[test]
fn what_is_out_of_a_subscription_that_is_over_can_still_be_rejected() {
    let mut bench = sender_and_receiver();
    bench.run(2, consume_as(5, "topic/t", None, Credit::Window(10)));
    bench.run(1, publish(1, &["topic/t"], "m1"));
    bench.run(1, publish(2, &["topic/t"], "m2"));
    bench.run(2, cancel_as(5, "topic/t", None));
    bench.crash();
    bench.run(3, attach("r"));
    bench.run(3, Command::Resume { received: 0 });
    bench.run(3, settle(1, 2, Outcome::Rejected { detail: None }));
    bench.run(3, consume(DEAD_LETTER_ADDRESS, 10));
    assert_eq!(
        bench.told_to(3),
        [
            "attached taken=0 settled=0 sent=2",
            "deliver 1 topic/t m1 to=5",
            "deliver 2 topic/t m2 to=5",
            "consuming wharf/dead-letter",
            "deliver 3 wharf/dead-letter m1 dead=rejected of=topic/t",
            "deliver 4 wharf/dead-letter m2 dead=rejected of=topic/t",
        ]
    );
}

#[test]
fn dead_letters_whose_policy_names_a_topic_go_where_they_always_can() {
    let mut policies = wharf_broker::Policy::defaults();
    policies.iter_mut().for_each(|policy| policy.dead_letter_address = "topic/dead".to_owned());
    let mut bench = sender_and_receiver_with(Config { policies, ..Config::default() });
    bench.run(1, resolve(1, "topic/dead", None));
    bench.run(1, publish(1, &[""], "lost"));
    bench.run(2, consume(DEAD_LETTER_ADDRESS, 10));
    assert_eq!(
        bench.told_to(2),
        ["consuming wharf/dead-letter", "deliver 1 wharf/dead-letter lost dead=no-address of="]
    );
}
