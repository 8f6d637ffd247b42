//! A shard from a journal that holds anything: recovery says no, or gives a shard that works.
//!
//! Checksums stand before this in production, so what is tried here is not bit rot but the
//! journal of another program, or of a bug.

use crate::script::Script;
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use wharf_broker::journal::{Extent, Journal, Location, Lsn, RecoveredFrame, Recovery};
use wharf_broker::{
    AddressKind, Command, Config, ConnectionId, ConsumerId, Credit, Definition, Input, Lifetime,
    Message, Mode, Outcome, Output, Permission, SessionKey, SessionKind, Shard, Timestamp,
    Unroutable,
};
use wharf_store::MemoryJournal;

const NOW: Timestamp = Timestamp(1_000_000);

/// Reads `data` as a journal, or as changes to one that a shard wrote.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let log = match script.byte() % 3 {
        0 => {
            let mut log = Log::default();
            while !script.is_empty() {
                log.frames.push(script.piece().to_vec());
            }
            log
        }
        1 => {
            let snapshot = script.piece().to_vec();
            let frames = vec![script.rest().to_vec()];
            Log { snapshot: Some((Lsn(7), snapshot)), frames }
        }
        _ => changed(&mut script),
    };
    if let Ok(shard) = Shard::recover(config(), log.recovery(), NOW) {
        let lines = log.frames.iter().map(|frame| Shard::describe_frame(frame).len());
        assert!(lines.sum::<usize>() <= log.frames.iter().map(Vec::len).sum());
        work(shard);
    }
}

/// What a journal holds.
#[derive(Clone, Debug, Default)]
struct Log {
    snapshot: Option<(Lsn, Vec<u8>)>,
    frames: Vec<Vec<u8>>,
}

impl Log {
    fn recovery(&self) -> Recovery {
        let first = self.snapshot.as_ref().map_or(Lsn(0), |(lsn, _)| *lsn).next().0;
        let frame = |(lsn, payload): (u64, &Vec<u8>)| {
            let location = Location { extent: Extent(lsn / 4), position: lsn };
            Ok(RecoveredFrame { lsn: Lsn(lsn), location, payload: Bytes::from(payload.clone()) })
        };
        let frames: Vec<_> = (first..).zip(&self.frames).map(frame).collect();
        Recovery { snapshot: self.snapshot.clone(), frames: Box::new(frames.into_iter()) }
    }
}

/// What a shard wrote, with some bytes changed and some frames lost or doubled.
fn changed(script: &mut Script<'_>) -> Log {
    let mut log = if script.flag() { written().1.clone() } else { written().0.clone() };
    while !script.is_empty() {
        let (what, which) = (script.byte(), script.below(log.frames.len().max(1)));
        match what & 7 {
            5 if log.frames.len() < 100 => {
                let frame = log.frames.get(which).cloned().unwrap_or_default();
                log.frames.push(frame);
            }
            6 if !log.frames.is_empty() => _ = log.frames.remove(which),
            what_else => match (&mut log.snapshot, log.frames.get_mut(which)) {
                (Some((_, state)), _) if what & 0x80 != 0 => change(state, what_else, script),
                (_, Some(frame)) => change(frame, what_else, script),
                _ => {}
            },
        }
    }
    log
}

fn change(bytes: &mut Vec<u8>, what: u8, script: &mut Script<'_>) {
    let at = usize::from(script.int16()) % bytes.len().max(1);
    match what {
        0 | 1 if !bytes.is_empty() => bytes[at] = script.byte(),
        2 => bytes.insert(at, script.byte()),
        3 if !bytes.is_empty() => _ = bytes.remove(at),
        4 => bytes.truncate(at),
        _ => bytes.extend_from_slice(script.piece()),
    }
}

/// A history of sessions, topics, dead letters and settlements: all its frames, and its newest
/// snapshot with what follows.
fn written() -> &'static (Log, Log) {
    static WRITTEN: OnceLock<(Log, Log)> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let empty = Log::default().recovery();
        let shard = Shard::recover(config(), empty, NOW).expect("an empty journal");
        let mut driver = Driver { shard, journal: MemoryJournal::new(), log: Log::default() };
        let mut late = Log::default();
        for (at, input) in history().into_iter().enumerate() {
            driver.handle(input);
            driver.journal.settle();
            driver.handle(Input::Timeout);
            if let Some((lsn, state)) = driver.log.snapshot.clone().filter(|_| at < 12) {
                let frames = vec![];
                late = Log { snapshot: Some((lsn, state)), frames };
            }
        }
        let covered = late.snapshot.as_ref().map_or(0, |(lsn, _)| lsn.0 as usize);
        late.frames = driver.log.frames[covered..].to_vec();
        let all = Log { snapshot: None, frames: driver.log.frames };
        for log in [&all, &late] {
            Shard::recover(config(), log.recovery(), NOW).expect("unchanged, it is recovered");
        }
        (all, late)
    })
}

/// A shard with a journal, and everything the journal was given.
struct Driver {
    shard: Shard,
    journal: MemoryJournal,
    log: Log,
}

impl Driver {
    fn handle(&mut self, input: Input) {
        self.shard.handle(NOW, input);
        while let Some(completion) = self.journal.poll() {
            self.shard.handle(NOW, Input::Completion(completion));
        }
        self.shard.flush();
        while let Some(output) = self.shard.poll() {
            match output {
                Output::Persist(frame) => {
                    let chunks: Vec<&[u8]> = frame.chunks.iter().map(|chunk| &**chunk).collect();
                    self.log.frames.push(chunks.concat());
                    self.journal.commit(frame);
                }
                Output::Snapshot(lsn, state) => {
                    self.log.snapshot = Some((lsn, state.clone()));
                    self.journal.snapshot(lsn, state);
                }
                Output::Fetch(ticket, slices) => self.journal.fetch(ticket, slices),
                Output::Free(_) | Output::Event(..) | Output::Failed(_) => {}
            }
        }
    }
}

fn config() -> Config {
    Config { snapshot_every_bytes: 100, bodies_in_memory_max_bytes: 64, ..Config::default() }
}

fn key(name: &str) -> SessionKey {
    let (host, user) = ("h".to_owned(), "alice".to_owned());
    SessionKey { host, user, origin: None, name: name.to_owned() }
}

fn command(connection: u64, command: Command) -> Input {
    Input::Command(ConnectionId(connection), command)
}

fn publish(connection: u64, seq: u64, to: &[&str]) -> Input {
    let to: Arc<[String]> = to.iter().map(|address| (*address).to_owned()).collect();
    let body = Bytes::from(format!("body {seq}"));
    let (message, unroutable) = (Message { format: 17, body }, Unroutable::DeadLetter);
    command(connection, Command::Publish { seq, to, message, unroutable })
}

fn consume(connection: u64, address: &str, subscription: Option<&str>) -> Input {
    consume_as(connection, 0, address, subscription, Credit::Window(2), Mode::Move)
}

fn consume_as(
    connection: u64,
    consumer: u32,
    address: &str,
    subscription: Option<&str>,
    credit: Credit,
    mode: Mode,
) -> Input {
    let consume = Command::Consume {
        seq: None,
        consumer: ConsumerId(consumer),
        address: address.to_owned(),
        subscription: subscription.map(str::to_owned),
        kind: None,
        credit,
        mode,
    };
    command(connection, consume)
}

/// A consumer with a limit and a browser, dynamic addresses, and outcomes with more to them.
fn links() -> Vec<Input> {
    let (consumer, address) = (ConsumerId(5), "wharf/dynamic/1".to_owned());
    let (kind, lifetime) = (AddressKind::Queue, Lifetime::DeleteOnNoLinksOrMessages);
    let create = Command::Create { consumer, address: address.clone(), kind, lifetime };
    let resolve = Command::Resolve { consumer: ConsumerId(6), address, kind: None };
    let flow = |consumer, limit, drain| Command::Flow { consumer, limit, drain };
    let (failed, elsewhere, annotations) = (true, true, Some(Bytes::from_static(b"notes")));
    let modified = Outcome::Modified { failed, elsewhere, annotations };
    let (subscription, forget) = (Some("durable".to_owned()), true);
    let (seq, address) = (None, "topic/t".to_owned());
    vec![
        command(1, create),
        command(2, resolve),
        publish(2, 1, &["wharf/dynamic/1"]),
        consume_as(1, 5, "wharf/dynamic/1", None, Credit::Limit, Mode::Move),
        command(1, flow(ConsumerId(5), 5, true)),
        consume_as(1, 7, "q", None, Credit::Limit, Mode::Copy),
        command(1, flow(ConsumerId(7), 5, true)),
        settle(1, 1, modified),
        settle(1, 1, Outcome::Accepted),
        command(1, Command::Leave { consumer }),
        command(3, Command::Cancel { seq, consumer: ConsumerId(0), address, subscription, forget }),
    ]
}

fn settle(connection: u64, last: u64, outcome: Outcome) -> Input {
    command(connection, Command::Settle { first: last, last, outcome, confirm: false })
}

fn history() -> Vec<Input> {
    let permissions = vec![Permission::all()];
    let (name, verifier) = ("alice".to_owned(), "v".to_owned());
    let open = |name: &str, kind| Command::Open { key: key(name), kind };
    let mut history = vec![
        Input::Define(Definition::PutUser { name, verifier, permissions }),
        command(1, open("a", SessionKind::Recoverable)),
        command(2, open("b", SessionKind::Recoverable)),
        command(3, open("c", SessionKind::Volatile)),
        consume(2, "q", None),
        consume(2, "topic/t", None),
        consume(3, "topic/t", Some("durable")),
        publish(1, 1, &["q", "topic/t"]),
        publish(1, 2, &["q"]),
        publish(1, 3, &["wharf/reserved"]),
        settle(2, 1, Outcome::Accepted),
        publish(1, 4, &["q", "topic/t"]),
        settle(2, 3, Outcome::Failed),
        settle(2, 2, Outcome::Rejected { detail: None }),
        command(2, Command::Detach),
        command(4, Command::Attach { key: key("b") }),
        command(4, Command::Resume { received: 3 }),
        publish(1, 5, &["q"]),
    ];
    history.extend(links());
    history.extend([
        command(3, Command::Detach),
        consume(1, "wharf/dead-letter", None),
        command(4, Command::End { unsettled: Outcome::Released }),
    ]);
    history
}

/// Everything a shard can be asked. It may find out that its state makes no sense, and stop.
fn work(shard: Shard) {
    let mut driver = Driver { shard, journal: MemoryJournal::new(), log: Log::default() };
    for input in history() {
        driver.handle(input);
    }
    let far = Timestamp(u64::MAX);
    driver.shard.handle(far, Input::Timeout);
    driver.handle(Input::Define(Definition::RemoveUser { name: "alice".to_owned() }));
    let _ = (driver.shard.statistics(), driver.shard.users().count());
    assert!(driver.shard.same_state(&driver.shard));
}
