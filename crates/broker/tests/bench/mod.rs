//! A shard on a bench: a journal that stores when told to, and a driver that writes down what
//! every connection is told.
#![allow(dead_code, reason = "each test binary uses a part of the bench")]

use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use wharf_broker::journal::{
    Completion, Extent, Frame, Location, Lsn, RecoveredFrame, Recovery, Slice, Ticket,
};
use wharf_broker::{
    AddressKind, Command, Config, ConnectionId, ConsumerId, Credit, Definition, Event, Input,
    Lifetime, Message, Mode, Outcome, Output, Permission, SessionKey, SessionKind, Shard,
    Timestamp, Unroutable,
};

/// Frames per extent: small, so that extents die in tests.
const FRAMES_PER_EXTENT: u64 = 4;

/// What is on the bench's disk, and what is on its way there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) stored: BTreeMap<Lsn, Bytes>,
    pub(crate) snapshot: Option<(Lsn, Vec<u8>)>,
    pub(crate) freed: Vec<Extent>,
    pub(crate) on_the_way: VecDeque<(Lsn, Bytes)>,
    fetches: VecDeque<(Ticket, Vec<Slice>)>,
    snapshots: VecDeque<(Lsn, Vec<u8>)>,
}

fn location(lsn: Lsn) -> Location {
    Location { extent: Extent(lsn.0 / FRAMES_PER_EXTENT), position: lsn.0 }
}

impl Disk {
    fn submit(&mut self, frame: Frame) {
        let payload = Bytes::from(frame.chunks.concat());
        self.on_the_way.push_back((frame.lsn, payload));
    }

    /// Stores the oldest frame on its way.
    fn store_next(&mut self) -> Option<Completion> {
        let (lsn, payload) = self.on_the_way.pop_front()?;
        self.stored.insert(lsn, payload);
        Some(Completion::Stored { lsn, location: location(lsn) })
    }

    fn read(&self, slice: &Slice) -> Bytes {
        assert!(!self.freed.contains(&slice.location.extent), "read of a freed extent");
        let frame = &self.stored[&slice.lsn];
        let from = slice.offset_bytes as usize;
        frame.slice(from..from + slice.len_bytes as usize)
    }

    /// What a restart finds.
    pub(crate) fn recovery(&self) -> Recovery {
        let from = self.snapshot.as_ref().map_or(Lsn(0), |(lsn, _)| *lsn);
        let frames: Vec<_> = self
            .stored
            .iter()
            .filter(|(lsn, _)| **lsn > from)
            .map(|(lsn, payload)| {
                let location = location(*lsn);
                assert!(!self.freed.contains(&location.extent), "a freed extent is needed");
                Ok(RecoveredFrame { lsn: *lsn, location, payload: payload.clone() })
            })
            .collect();
        Recovery { snapshot: self.snapshot.clone(), frames: Box::new(frames.into_iter()) }
    }
}

/// A shard, its disk, and the log of what connections were told.
pub(crate) struct Bench {
    pub(crate) shard: Shard,
    pub(crate) disk: Disk,
    pub(crate) config: Config,
    pub(crate) now: Timestamp,
    pub(crate) told: Vec<(u64, Event)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let disk = Disk::default();
        let now = Timestamp(1_000_000);
        let shard = Shard::recover(config.clone(), disk.recovery(), now)
            .expect("the journal fits together");
        let mut bench = Self { shard, disk, config, now, told: Vec::new() };
        bench.define_user("alice", vec![Permission::all()]);
        bench
    }

    pub(crate) fn define_user(&mut self, name: &str, permissions: Vec<Permission>) {
        let (name, verifier) = (name.to_owned(), String::new());
        let definition = Definition::PutUser { name, verifier, permissions };
        self.shard.handle(self.now, Input::Define(definition));
        self.settle();
    }

    /// One command as a batch of its own, and everything stored after it.
    pub(crate) fn run(&mut self, connection: u64, command: Command) {
        self.command(connection, command);
        self.settle();
    }

    /// One command as a batch of its own, nothing stored.
    pub(crate) fn command(&mut self, connection: u64, command: Command) {
        self.shard.handle(self.now, Input::Command(ConnectionId(connection), command));
        self.flush();
    }

    pub(crate) fn flush(&mut self) {
        self.shard.flush();
        while let Some(output) = self.shard.poll() {
            match output {
                Output::Persist(frame) => self.disk.submit(frame),
                Output::Fetch(ticket, slices) => self.disk.fetches.push_back((ticket, slices)),
                Output::Snapshot(lsn, state) => self.disk.snapshots.push_back((lsn, state)),
                Output::Free(extents) => self.disk.freed.extend(extents),
                Output::Event(connection, event) => self.told.push((connection.0, event)),
                Output::Failed(failure) => panic!("the shard failed: {failure}"),
            }
        }
    }

    /// Lets the journal do one thing. `false` if it has nothing to do.
    pub(crate) fn step(&mut self) -> bool {
        let completion = self.disk.store_next().or_else(|| {
            let (lsn, state) = self.disk.snapshots.pop_front()?;
            self.disk.snapshot = Some((lsn, state));
            Some(Completion::Snapshotted { lsn })
        });
        let completion = completion.or_else(|| {
            let (ticket, slices) = self.disk.fetches.pop_front()?;
            let bodies = slices.iter().map(|slice| self.disk.read(slice)).collect();
            Some(Completion::Fetched { ticket, bodies })
        });
        let Some(completion) = completion else {
            return false;
        };
        self.shard.handle(self.now, Input::Completion(completion));
        self.flush();
        true
    }

    /// Lets the journal catch up.
    pub(crate) fn settle(&mut self) {
        self.flush();
        while self.step() {}
        // Sums what must be so by itself, in a debug build.
        let _ = self.shard.statistics();
    }

    /// Time passes.
    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.shard.handle(self.now, Input::Timeout);
        self.settle();
    }

    /// Dies and comes back: what was not stored is lost, and so are all connections.
    pub(crate) fn crash(&mut self) {
        self.disk.on_the_way.clear();
        self.disk.fetches.clear();
        self.disk.snapshots.clear();
        self.told.clear();
        self.shard = Shard::recover(self.config.clone(), self.disk.recovery(), self.now)
            .expect("the journal fits together");
        self.settle();
    }

    /// What a connection was told since the last time, as lines.
    pub(crate) fn told_to(&mut self, connection: u64) -> Vec<String> {
        let (mine, others) =
            std::mem::take(&mut self.told).into_iter().partition(|(to, _)| *to == connection);
        self.told = others;
        let mine: Vec<(u64, Event)> = mine;
        mine.iter().map(|(_, event)| line(event)).collect()
    }
}

/// An event as a line of a trace.
pub(crate) fn line(event: &Event) -> String {
    match event {
        Event::Opened => "opened".to_owned(),
        Event::Attached(ledger) => format!(
            "attached taken={} settled={} sent={}",
            ledger.taken, ledger.settled, ledger.sent
        ),
        Event::Unknown => "unknown".to_owned(),
        Event::Taken { up_to } => format!("taken {up_to}"),
        Event::Deliver(delivery) => {
            let mut line = format!(
                "deliver {} {} {}",
                delivery.seq,
                delivery.address,
                String::from_utf8_lossy(&delivery.body)
            );
            if delivery.consumer.0 > 0 {
                line += &format!(" to={}", delivery.consumer.0);
            }
            if delivery.count > 0 {
                line += &format!(" count={}", delivery.count);
            }
            if let Some(death) = &delivery.death {
                line += &format!(" dead={} of={}", death.reason.name(), death.address);
                line += &death.detail.as_ref().map_or(String::new(), |it| format!(" said={it}"));
            }
            if let Some(annotations) = &delivery.annotations {
                line += &format!(" notes={}", String::from_utf8_lossy(annotations));
            }
            line
        }
        Event::Consuming { address, .. } => format!("consuming {address}"),
        Event::Refused { address, refusal, .. } => format!("refused {address}: {refusal}"),
        Event::Declined { seq, reason } => format!("declined {seq}: {}", reason.name()),
        Event::Drained { consumer, delivered } => format!("drained {} at {delivered}", consumer.0),
        Event::Settled { first, last } => format!("settled {first}..={last}"),
        Event::Resolved { consumer, kind } => format!("resolved {} {kind:?}", consumer.0),
        Event::Created { consumer } => format!("created {}", consumer.0),
        Event::Gone { consumer, address } => format!("gone {} {address}", consumer.0),
        Event::Transmit { seq, before, body, after } => {
            let text = [&before[..], &body[..], &after[..]].concat();
            format!("transmit {seq} {}", String::from_utf8_lossy(&text))
        }
        Event::TakenOver => "taken over".to_owned(),
        Event::Ended => "ended".to_owned(),
        Event::Revoked => "revoked".to_owned(),
    }
}

pub(crate) fn key(name: &str) -> SessionKey {
    SessionKey {
        host: "localhost".to_owned(),
        user: "alice".to_owned(),
        origin: None,
        name: name.to_owned(),
    }
}

pub(crate) fn open(name: &str) -> Command {
    Command::Open { key: key(name), kind: SessionKind::Recoverable }
}

pub(crate) fn attach(name: &str) -> Command {
    Command::Attach { key: key(name) }
}

pub(crate) fn publish(seq: u64, to: &[&str], body: &str) -> Command {
    let to: Vec<String> = to.iter().map(|address| (*address).to_owned()).collect();
    let message = Message { format: 1, body: Bytes::copy_from_slice(body.as_bytes()) };
    Command::Publish { seq, to: Arc::from(to), message, unroutable: Unroutable::DeadLetter }
}

pub(crate) fn consume(address: &str, credit: u32) -> Command {
    consume_as(0, address, None, Credit::Window(credit))
}

pub(crate) fn subscribe(address: &str, subscription: &str) -> Command {
    consume_as(0, address, Some(subscription), Credit::Window(100))
}

pub(crate) fn consume_as(
    consumer: u32,
    address: &str,
    subscription: Option<&str>,
    credit: Credit,
) -> Command {
    Command::Consume {
        seq: None,
        consumer: ConsumerId(consumer),
        address: address.to_owned(),
        subscription: subscription.map(str::to_owned),
        kind: None,
        credit,
        mode: Mode::Move,
    }
}

pub(crate) fn accept(last: u64) -> Command {
    settle(0, last, Outcome::Accepted)
}

pub(crate) fn settle(first: u64, last: u64, outcome: Outcome) -> Command {
    Command::Settle { first, last, outcome, confirm: false }
}

pub(crate) fn cancel(address: &str, subscription: Option<&str>) -> Command {
    Command::Cancel {
        seq: None,
        consumer: ConsumerId(0),
        address: address.to_owned(),
        subscription: subscription.map(str::to_owned),
        forget: false,
    }
}

/// A consumer whose deliveries flow as `flow` says.
pub(crate) fn consume_to_limit(consumer: u32, address: &str) -> Command {
    consume_as(consumer, address, None, Credit::Limit)
}

pub(crate) fn browse(consumer: u32, address: &str) -> Command {
    let mut command = consume_to_limit(consumer, address);
    if let Command::Consume { mode, .. } = &mut command {
        *mode = Mode::Copy;
    }
    command
}

pub(crate) fn flow(consumer: u32, limit: u64) -> Command {
    Command::Flow { consumer: ConsumerId(consumer), limit, drain: false }
}

pub(crate) fn drain(consumer: u32, limit: u64) -> Command {
    Command::Flow { consumer: ConsumerId(consumer), limit, drain: true }
}

pub(crate) fn cancel_as(consumer: u32, address: &str, subscription: Option<&str>) -> Command {
    let mut command = cancel(address, subscription);
    if let Command::Cancel { consumer: name, .. } = &mut command {
        *name = ConsumerId(consumer);
    }
    command
}

pub(crate) fn forget(consumer: u32, address: &str, subscription: &str) -> Command {
    let mut command = cancel_as(consumer, address, Some(subscription));
    if let Command::Cancel { forget, .. } = &mut command {
        *forget = true;
    }
    command
}

pub(crate) fn resolve(consumer: u32, address: &str, kind: Option<AddressKind>) -> Command {
    Command::Resolve { consumer: ConsumerId(consumer), address: address.to_owned(), kind }
}

pub(crate) fn create(consumer: u32, address: &str, lifetime: Lifetime) -> Command {
    let (consumer, address) = (ConsumerId(consumer), address.to_owned());
    Command::Create { consumer, address, kind: AddressKind::Queue, lifetime }
}

pub(crate) fn leave(consumer: u32) -> Command {
    Command::Leave { consumer: ConsumerId(consumer) }
}

/// A message that is declined rather than dead-lettered.
pub(crate) fn publish_or_decline(seq: u64, to: &[&str], body: &str) -> Command {
    let mut command = publish(seq, to, body);
    if let Command::Publish { unroutable, .. } = &mut command {
        *unroutable = Unroutable::Decline;
    }
    command
}

pub(crate) fn modify(
    seq: u64,
    failed: bool,
    elsewhere: bool,
    annotations: Option<&str>,
) -> Command {
    let annotations = annotations.map(|text| Bytes::copy_from_slice(text.as_bytes()));
    settle(seq, seq, Outcome::Modified { failed, elsewhere, annotations })
}

pub(crate) fn reject(seq: u64, detail: &str) -> Command {
    settle(seq, seq, Outcome::Rejected { detail: Some(Arc::from(detail)) })
}

/// A session that ends with its connection.
pub(crate) fn open_volatile(name: &str) -> Command {
    Command::Open { key: key(name), kind: SessionKind::Volatile }
}
