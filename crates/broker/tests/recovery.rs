//! Random workloads, cut off at random: what is recovered is what the shard had when its newest
//! stored frame was sealed, and no message is lost or given out twice at the same time.

mod bench;

use bench::{Bench, attach, cancel, consume, open, publish, settle, subscribe};
use proptest::prelude::*;
use std::collections::BTreeMap;
use wharf_broker::{Command, Config, Event, Outcome, Policy};

const SESSIONS: u64 = 3;

#[derive(Clone, Debug)]
enum Step {
    Publish { session: u64, to: usize },
    Consume { session: u64, from: usize, credit: u32 },
    Cancel { session: u64, from: usize },
    Settle { session: u64, outcome: Outcome },
    Reconnect { session: u64 },
    End { session: u64 },
    JournalSteps(usize),
    Wait,
    Crash,
}

const ADDRESSES: [&str; 4] = ["q1", "q2", "topic/a", "topic/b"];

fn step() -> impl Strategy<Value = Step> {
    let session = 1..=SESSIONS;
    let outcome = prop_oneof![
        6 => Just(Outcome::Accepted),
        1 => Just(Outcome::Released),
        1 => Just(Outcome::Failed),
        1 => Just(Outcome::Rejected { detail: None }),
    ];
    prop_oneof![
        8 => (session.clone(), 0..4usize).prop_map(|(session, to)| Step::Publish { session, to }),
        3 => (session.clone(), 0..4usize, 1..5u32)
            .prop_map(|(session, from, credit)| Step::Consume { session, from, credit }),
        1 => (session.clone(), 0..4usize)
            .prop_map(|(session, from)| Step::Cancel { session, from }),
        5 => (session.clone(), outcome)
            .prop_map(|(session, outcome)| Step::Settle { session, outcome }),
        2 => session.clone().prop_map(|session| Step::Reconnect { session }),
        1 => session.prop_map(|session| Step::End { session }),
        6 => (0..4usize).prop_map(Step::JournalSteps),
        1 => Just(Step::Wait),
        1 => Just(Step::Crash),
    ]
}

/// What a client of the bench knows.
#[derive(Default)]
struct Client {
    connection: u64,
    sent: u64,
    taken: u64,
    received: u64,
}

struct World {
    bench: Bench,
    clients: BTreeMap<u64, Client>,
    connections: u64,
}

impl World {
    fn new(config: Config) -> Self {
        let mut world =
            Self { bench: Bench::with(config), clients: BTreeMap::new(), connections: 0 };
        (1..=SESSIONS).for_each(|session| world.connect(session));
        world
    }

    fn connect(&mut self, session: u64) {
        self.connections += 1;
        let connection = self.connections;
        let name = format!("s{session}");
        self.bench.run(connection, attach(&name));
        let told = self.bench.told_to(connection);
        let client = self.clients.entry(session).or_default();
        client.connection = connection;
        if told == ["unknown"] {
            self.bench.run(connection, open(&name));
            self.bench.told_to(connection);
            *client = Client { connection, ..Client::default() };
            return;
        }
        let [Event::Attached(ledger)] = &self.bench_events(&told)[..] else {
            panic!("session {session} was told {told:?}")
        };
        let ledger = *ledger;
        let client = self.clients.get_mut(&session).expect("every session has a client");
        // A stored acknowledgement cannot be taken back, and neither can a delivery told.
        assert!(ledger.taken >= client.taken, "{ledger:?} after taken {}", client.taken);
        assert!(ledger.sent >= client.received, "{ledger:?} after {}", client.received);
        client.taken = ledger.taken;
        client.sent = ledger.taken;
        let received = client.received;
        self.bench.run(connection, Command::Resume { received });
    }

    fn bench_events(&self, told: &[String]) -> Vec<Event> {
        told.iter()
            .map(|line| {
                let numbers: Vec<u64> =
                    line.split(['=', ' ']).filter_map(|word| word.parse().ok()).collect();
                let [taken, settled, sent] = numbers[..] else { panic!("told {line}") };
                Event::Attached(wharf_broker::Ledger { taken, settled, sent })
            })
            .collect()
    }

    /// Every client reads what it was told: numbers without gaps.
    fn read(&mut self) {
        for (connection, event) in std::mem::take(&mut self.bench.told) {
            let client = self.clients.values_mut().find(|c| c.connection == connection);
            let Some(client) = client else { continue };
            match event {
                Event::Taken { up_to } => client.taken = client.taken.max(up_to),
                Event::Deliver(delivery) => {
                    assert_eq!(delivery.seq, client.received + 1, "a gap in the deliveries");
                    client.received = delivery.seq;
                }
                _ => {}
            }
        }
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Publish { session, to } => {
                let client = self.clients.get_mut(session).expect("every session has a client");
                client.sent += 1;
                let (connection, seq) = (client.connection, client.sent);
                let command = publish(seq, &[ADDRESSES[*to]], &format!("{session}/{seq}"));
                self.bench.command(connection, command);
            }
            Step::Consume { session, from, credit } => {
                let connection = self.clients[session].connection;
                let command = match from {
                    3 => subscribe(ADDRESSES[3], "shared"),
                    _ => consume(ADDRESSES[*from], *credit),
                };
                self.bench.command(connection, command);
            }
            Step::Cancel { session, from } => {
                let connection = self.clients[session].connection;
                self.bench.command(connection, cancel(ADDRESSES[*from], None));
            }
            Step::Settle { session, outcome } => {
                self.read();
                let client = &self.clients[session];
                let command = settle(0, client.received, outcome.clone());
                self.bench.command(client.connection, command);
            }
            Step::Reconnect { session } => {
                self.bench.settle();
                self.read();
                self.bench.run(self.clients[session].connection, Command::Detach);
                self.connect(*session);
            }
            Step::End { session } => {
                let connection = self.clients[session].connection;
                self.bench.run(connection, Command::End { unsettled: Outcome::Failed });
                self.read();
                self.connect(*session);
            }
            Step::JournalSteps(steps) => (0..*steps).for_each(|_| {
                self.bench.step();
            }),
            Step::Wait => self.bench.pass_ms(10),
            Step::Crash => {
                self.read();
                self.bench.crash();
                (1..=SESSIONS).for_each(|session| self.connect(session));
            }
        }
    }
}

proptest! {


    #[test]
    fn a_recovered_shard_is_the_shard_that_was_stored(
        steps in prop::collection::vec(step(), 1..120),
        in_memory in prop_oneof![Just(0u64), Just(1 << 20)],
        snapshot_every_bytes in prop_oneof![Just(64u64), Just(1000), Just(1 << 20)],
    ) {
        let mut policies = Policy::defaults();
        policies.iter_mut().for_each(|policy| policy.deliveries_max = 4);
        let config = Config {
            policies,
            bodies_in_memory_max_bytes: in_memory,
            snapshot_every_bytes,
            ..Config::default()
        };
        let mut world = World::new(config);
        for step in &steps {
            world.run(step);
            world.read();
        }
        world.bench.settle();
        world.read();
        // Everything is stored, so a restart must arrive at the same state.
        let (config, now) = (world.bench.config.clone(), world.bench.now);
        let recovered =
            wharf_broker::Shard::recover(config, world.bench.disk.recovery(), now).unwrap();
        prop_assert!(recovered.same_state(&world.bench.shard), "states differ");
    }
}
