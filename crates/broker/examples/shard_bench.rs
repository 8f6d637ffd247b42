//! What a message costs the shard itself: routing, the ledgers, records and events, with a
//! journal that stores at once.
//!
//!     cargo run --release -p wharf-broker --example shard_bench -- [MESSAGES [ROUNDS [ONLY]]]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;
use wharf_broker::journal::{Completion, Extent, Location, Recovery};
use wharf_broker::{
    Command, Config, ConnectionId, ConsumerId, Credit, Definition, Event, Input, Message, Mode,
    Outcome, Output, Permission, SessionKey, SessionKind, Shard, Timestamp, Unroutable,
};

const NOW: Timestamp = Timestamp(1_000_000);
const SENDER: u64 = 1;
const RECEIVER: u64 = 2;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let messages = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    let rounds = arguments.next().map_or(5, |count| count.parse().unwrap());
    let only = arguments.next().unwrap_or_default();
    let exact = vec![rule("orders/eu/42")];
    let patterns = vec![rule("invoices/*"), rule("audit/**"), rule("orders/*/*")];
    for (rules, named) in [(exact, "one exact rule"), (patterns, "three patterns")] {
        for batch in [1, 16, 256] {
            let name = format!("{named}, batches of {batch}");
            if !name.contains(&only) {
                continue;
            }
            // The best one: what else the machine does only makes it slower.
            let times = (0..rounds).map(|_| run(rules.clone(), batch, messages));
            let best = times.fold(f64::MAX, f64::min);
            println!("{name}: {best:.0} ns for each message, in and out");
        }
    }
}

fn rule(pattern: &str) -> Permission {
    let host = String::new();
    Permission { host, pattern: pattern.to_owned(), send: true, receive: true, manage: false }
}

/// Nanoseconds a message.
fn run(permissions: Vec<Permission>, batch: u64, messages: u64) -> f64 {
    let mut bench = Bench::new(permissions);
    let to: Arc<[String]> = Arc::from(["orders/eu/42".to_owned()]);
    let body = Bytes::from(vec![b'x'; 128]);
    let began = Instant::now();
    let mut seq = 0;
    while seq < messages {
        for _ in 0..batch {
            seq += 1;
            let message = Message { format: 1, body: body.clone() };
            let (to, unroutable) = (Arc::clone(&to), Unroutable::DeadLetter);
            bench.handle(SENDER, Command::Publish { seq, to, message, unroutable });
        }
        bench.flush();
        let (last, outcome) = (bench.received, Outcome::Accepted);
        bench.handle(RECEIVER, Command::Settle { first: 0, last, outcome, confirm: false });
    }
    let elapsed = began.elapsed();
    assert_eq!(bench.received, seq, "every message was delivered");
    elapsed.as_nanos() as f64 / seq as f64
}

struct Bench {
    shard: Shard,
    received: u64,
}

impl Bench {
    fn new(permissions: Vec<Permission>) -> Self {
        let recovery = Recovery { snapshot: None, frames: Box::new(std::iter::empty()) };
        let config = Config { snapshot_every_bytes: u64::MAX, ..Config::default() };
        let shard = Shard::recover(config, recovery, NOW).unwrap();
        let mut bench = Self { shard, received: 0 };
        let (name, verifier) = ("alice".to_owned(), String::new());
        let definition = Definition::PutUser { name, verifier, permissions };
        bench.shard.handle(NOW, Input::Define(definition));
        for connection in [SENDER, RECEIVER] {
            let key = SessionKey {
                host: "localhost".to_owned(),
                user: "alice".to_owned(),
                origin: None,
                name: connection.to_string(),
            };
            bench.handle(connection, Command::Open { key, kind: SessionKind::Recoverable });
        }
        let consume = Command::Consume {
            seq: None,
            consumer: ConsumerId(0),
            address: "orders/eu/42".to_owned(),
            subscription: None,
            kind: None,
            credit: Credit::Window(10_000),
            mode: Mode::Move,
        };
        bench.handle(RECEIVER, consume);
        bench.flush();
        bench
    }

    fn handle(&mut self, connection: u64, command: Command) {
        self.shard.handle(NOW, Input::Command(ConnectionId(connection), command));
    }

    /// Ends a batch and stores what comes of it.
    fn flush(&mut self) {
        self.shard.flush();
        while let Some(output) = self.shard.poll() {
            match output {
                Output::Persist(frame) => {
                    let location = Location { extent: Extent(0), position: frame.lsn.0 };
                    let stored = Completion::Stored { lsn: frame.lsn, location };
                    self.shard.handle(NOW, Input::Completion(stored));
                }
                Output::Event(_, Event::Deliver(delivery)) => self.received = delivery.seq,
                _ => {}
            }
        }
    }
}
