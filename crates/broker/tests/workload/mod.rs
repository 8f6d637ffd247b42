//! Clients that do anything at any time, and notice when they are told what cannot be.

use crate::bench::{
    Bench, attach, browse, cancel_as, consume_as, create, flow, leave, open, open_volatile,
    publish, publish_or_decline, resolve,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wharf_broker::{Command, Config, ConsumerId, Credit, Event, Ledger, Lifetime, Outcome};

pub(crate) const SESSIONS: u64 = 4;

/// The session that ends with its connection.
const VOLATILE: u64 = 4;

/// Where messages go; the last one is dynamic, and the one before cannot be sent to.
pub(crate) const ADDRESSES: [&str; 6] =
    ["q1", "q2", "topic/a", "topic/b", "wharf/reserved", "wharf/dynamic/d"];

/// Addresses that can be consumed: all but the reserved one.
const CONSUMED: [usize; 5] = [0, 1, 2, 3, 5];

/// A durable subscription, shared by everybody.
const SHARED: &str = "topic/b";

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Publish { session: u64, to: usize, decline: bool },
    Consume { session: u64, consumer: Consumer, credit: u32 },
    Flow { session: u64, consumer: Consumer, more: u64, drain: bool },
    Cancel { session: u64, consumer: Consumer, forget: bool },
    Resolve { session: u64, to: usize },
    Create { session: u64, lifetime: Lifetime },
    Leave { session: u64, sender: u32 },
    Settle { session: u64, outcome: Outcome, newest: bool },
    Reconnect { session: u64 },
    End { session: u64 },
    JournalSteps(usize),
    Wait,
    Crash,
}

/// What is consumed, and how; it follows from its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consumer {
    pub(crate) from: usize,
    pub(crate) how: How,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    Window,
    Limit,
    Browse,
}

impl Consumer {
    fn name(self) -> u32 {
        self.from as u32 + 10 * self.how as u32
    }

    fn address(self) -> &'static str {
        ADDRESSES[CONSUMED[self.from % CONSUMED.len()]]
    }

    fn subscription(self) -> Option<&'static str> {
        (self.address() == SHARED).then_some("shared")
    }

    fn consume(self, credit: u32) -> Command {
        let (name, address) = (self.name(), self.address());
        match self.how {
            How::Window => consume_as(name, address, self.subscription(), Credit::Window(credit)),
            How::Limit => consume_as(name, address, self.subscription(), Credit::Limit),
            How::Browse => match browse(name, address) {
                Command::Consume { seq, consumer, address, kind, credit, mode, .. } => {
                    let subscription = self.subscription().map(str::to_owned);
                    Command::Consume { seq, consumer, address, subscription, kind, credit, mode }
                }
                other => other,
            },
        }
    }
}

/// What a client of the bench knows.
#[derive(Default)]
struct Client {
    connection: u64,
    sent: u64,
    taken: u64,
    /// The last delivery it has, and the last one that is only a repeat.
    received: u64,
    repeated: u64,
    flows: BTreeMap<u32, Flow>,
    /// By browser: what it has seen.
    seen: BTreeMap<u32, BTreeSet<(String, Vec<u8>)>>,
    /// Settlements that will be confirmed.
    confirmations: VecDeque<(u64, u64)>,
}

/// How far a consumer is.
#[derive(Debug, Default)]
struct Flow {
    /// Deliveries since `Consuming`.
    delivered: u64,
    /// The highest limit it was given.
    limit: u64,
    /// The same for every `Consume` that is not answered.
    asked: VecDeque<u64>,
}

impl Flow {
    fn give(&mut self, limit: u64) {
        let of = self.asked.back_mut().unwrap_or(&mut self.limit);
        *of = limit.max(*of);
    }
}

pub(crate) struct World {
    pub(crate) bench: Bench,
    clients: BTreeMap<u64, Client>,
    connections: u64,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let mut world =
            Self { bench: Bench::with(config), clients: BTreeMap::new(), connections: 0 };
        (1..=SESSIONS).for_each(|session| world.connect(session));
        world
    }

    fn client(&mut self, session: u64) -> &mut Client {
        self.clients.get_mut(&session).expect("every session has a client")
    }

    fn connect(&mut self, session: u64) {
        self.connections += 1;
        let connection = self.connections;
        let name = format!("s{session}");
        self.bench.run(connection, attach(&name));
        let told = self.bench.told_to(connection);
        if told == ["unknown"] {
            let volatile = session == VOLATILE;
            let open = if volatile { open_volatile(&name) } else { open(&name) };
            self.bench.run(connection, open);
            self.bench.told_to(connection);
            self.clients.insert(session, Client { connection, ..Client::default() });
            return;
        }
        let ledger = ledger_of(&told);
        let client = self.client(session);
        // A stored acknowledgement cannot be taken back, and neither can a delivery told.
        assert!(ledger.taken >= client.taken, "{ledger:?} after taken {}", client.taken);
        assert!(ledger.sent >= client.received, "{ledger:?} after {}", client.received);
        let (received, repeated) = (client.received, ledger.sent);
        let (taken, sent) = (ledger.taken, ledger.taken);
        *client = Client { connection, sent, taken, received, repeated, ..Client::default() };
        self.bench.run(connection, Command::Resume { received });
    }

    /// Every client reads what it was told.
    pub(crate) fn read(&mut self) {
        for (connection, event) in std::mem::take(&mut self.bench.told) {
            let client = self.clients.values_mut().find(|c| c.connection == connection);
            if let Some(client) = client {
                client.read(event);
            }
        }
    }

    pub(crate) fn run(&mut self, step: &Step) {
        match step {
            Step::Publish { session, to, decline } => {
                let client = self.client(*session);
                client.sent += 1;
                let (connection, seq) = (client.connection, client.sent);
                let (to, body) = ([ADDRESSES[*to]], format!("{session}/{connection}/{seq}"));
                let publish = if *decline { publish_or_decline } else { publish };
                self.bench.command(connection, publish(seq, &to, &body));
            }
            Step::Settle { session, outcome, newest } => {
                self.read();
                let client = self.client(*session);
                let last = client.received;
                let first = if *newest { last } else { 0 };
                client.confirmations.push_back((first, last));
                let connection = client.connection;
                let (outcome, confirm) = (outcome.clone(), true);
                let settle = Command::Settle { first, last, outcome, confirm };
                self.bench.command(connection, settle);
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
            _ => self.run_link(step),
        }
    }

    /// The steps of consumers and senders.
    fn run_link(&mut self, step: &Step) {
        let (session, command) = match step {
            Step::Consume { session, consumer, credit } => {
                let flow = self.client(*session).flows.entry(consumer.name()).or_default();
                flow.asked.push_back(0);
                (session, consumer.consume(*credit))
            }
            Step::Flow { session, consumer, more, drain } => {
                self.read();
                let known = self.client(*session).flows.entry(consumer.name()).or_default();
                let limit = known.delivered + more;
                known.give(limit);
                let mut command = flow(consumer.name(), limit);
                if let Command::Flow { drain: drains, .. } = &mut command {
                    *drains = *drain;
                }
                (session, command)
            }
            Step::Cancel { session, consumer, forget } => {
                let (name, address) = (consumer.name(), consumer.address());
                let mut command = cancel_as(name, address, consumer.subscription());
                if let Command::Cancel { forget: forgets, .. } = &mut command {
                    *forgets = *forget;
                }
                (session, command)
            }
            Step::Resolve { session, to } => (session, resolve(*to as u32, ADDRESSES[*to], None)),
            Step::Create { session, lifetime } => (session, create(40, ADDRESSES[5], *lifetime)),
            Step::Leave { session, sender } => (session, leave(*sender)),
            other => panic!("{other:?} is no step of a link"),
        };
        let connection = self.clients[session].connection;
        self.bench.command(connection, command);
    }

    /// Ends everything that a restart would end too.
    pub(crate) fn detach_all(&mut self) {
        self.bench.settle();
        self.read();
        for client in self.clients.values() {
            assert!(client.confirmations.is_empty(), "a settlement was not confirmed");
            self.bench.run(client.connection, Command::Detach);
        }
    }
}

impl Client {
    fn read(&mut self, event: Event) {
        match event {
            Event::Taken { up_to } => self.taken = self.taken.max(up_to),
            Event::Declined { seq, .. } => assert!(seq > self.taken, "declined after taken"),
            Event::Settled { first, last } => {
                assert_eq!(self.confirmations.pop_front(), Some((first, last)));
            }
            Event::Consuming { consumer: ConsumerId(name), .. } => {
                let flow = self.flows.entry(name).or_default();
                (flow.delivered, flow.limit) = (0, flow.asked.pop_front().unwrap_or_default());
                self.seen.remove(&name);
            }
            Event::Refused { consumer: ConsumerId(name), .. } => {
                // The one before goes on.
                let flow = self.flows.entry(name).or_default();
                flow.limit = flow.limit.max(flow.asked.pop_front().unwrap_or_default());
            }
            Event::Deliver(delivery) => {
                let ConsumerId(name) = delivery.consumer;
                if delivery.seq == 0 {
                    let seen = (delivery.address.to_string(), delivery.body.to_vec());
                    let is_new = self.seen.entry(name).or_default().insert(seen);
                    assert!(is_new, "a browser was shown {delivery:?} twice");
                } else {
                    assert_eq!(delivery.seq, self.received + 1, "a gap in the deliveries");
                    self.received = delivery.seq;
                }
                if delivery.seq == 0 || delivery.seq > self.repeated {
                    let flow = self.flows.entry(name).or_default();
                    flow.delivered += 1;
                    let within = name < 10 || flow.delivered <= flow.limit;
                    assert!(within, "{delivery:?} beyond {flow:?}");
                }
            }
            Event::Drained { consumer: ConsumerId(name), delivered } => {
                let count = self.flows.entry(name).or_default().delivered;
                assert_eq!(count, delivered, "drained, but not of what was delivered before");
            }
            _ => {}
        }
    }
}

fn ledger_of(told: &[String]) -> Ledger {
    let [line] = told else { panic!("told {told:?}") };
    let numbers: Vec<u64> = line.split(['=', ' ']).filter_map(|word| word.parse().ok()).collect();
    let [taken, settled, sent] = numbers[..] else { panic!("told {line}") };
    Ledger { taken, settled, sent }
}
