//! Who does what next, and the account at the end.

use crate::client::{Client, Work};
use crate::node::Node;
use crate::random::Random;
use crate::wire::some_of;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wharf_broker::{Config, ConnectionId, Timestamp};
use wharf_mbws::Kind;

/// How large and how rough a history is.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Queues; each has its senders and receivers.
    pub queues: usize,
    /// Senders of each queue.
    pub senders: usize,
    /// Receivers of each queue.
    pub receivers: usize,
    /// Messages of each sender.
    pub messages: u64,
    /// Whether receivers ask on the URL, not by a message. A connection that is cut before its
    /// Connect answer has arrived then leaves a session with messages behind, which come back
    /// when it expires: after younger ones.
    pub by_url: bool,
    /// A connection is cut once in so many turns.
    pub cut_one_in: usize,
    /// The node is killed once in so many turns.
    pub kill_one_in: usize,
}

/// What came of a history.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Account {
    /// Messages handed over by senders.
    pub sent: usize,
    /// Messages received.
    pub received: usize,
    /// Received more than once.
    pub duplicated: usize,
    /// Never received.
    pub lost: usize,
    /// Received after a later one of the same sender, by the same receiver.
    pub reordered: usize,
    /// Connections cut.
    pub cuts: usize,
    /// Times the node was killed.
    pub kills: usize,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    random: Random,
    scenario: Scenario,
    node: Node,
    clients: Vec<Client>,
    connections: u64,
    start: Instant,
    elapsed: Duration,
    account: Account,
}

/// The wall clock when a history begins.
const EPOCH: Timestamp = Timestamp(1_000_000_000);
/// Turns after which a history that has not ended is taken for stuck.
const TURNS_MAX: usize = 2_000_000;

impl World {
    /// The beginning of a history.
    #[must_use]
    pub fn new(seed: u64, scenario: Scenario) -> Self {
        let mut random = Random::new(seed);
        let start = Instant::now();
        let config = Config {
            bodies_in_memory_max_bytes: if random.one_in(2) { 0 } else { 1 << 20 },
            snapshot_every_bytes: 500 << random.below(6),
            ..Config::default()
        };
        let mut clients = Vec::new();
        for queue in 0..scenario.queues {
            let queue = format!("queue-{queue}");
            for _ in 0..scenario.senders {
                let messages = scenario.messages;
                clients.push(Work::Send { queue: queue.clone(), messages });
            }
            for _ in 0..scenario.receivers {
                let by_url = scenario.by_url;
                clients.push(Work::Receive { queue: queue.clone(), by_url });
            }
        }
        let kind = |random: &mut Random| if random.one_in(2) { Kind::Text } else { Kind::Binary };
        let clients = (0..).zip(clients);
        let clients = clients.map(|(name, work)| Client::new(name, work, kind(&mut random)));
        let clients = clients.collect();
        Self {
            random,
            scenario,
            node: Node::new(config, start, EPOCH),
            clients,
            connections: 0,
            start,
            elapsed: Duration::ZERO,
            account: Account::default(),
        }
    }

    /// Lives until everything sent is received and settled, and accounts for it.
    ///
    /// # Panics
    /// If a client is told something that cannot be, or nothing moves any more.
    pub fn run(mut self) -> Account {
        for turn in 0..TURNS_MAX {
            let calm = self.is_sent();
            self.turn(calm);
            if calm && turn % 64 == 0 && self.is_settled() {
                return self.settle_account();
            }
        }
        panic!("stuck with {} messages at the broker: {:?}", self.node.messages(), self.account);
    }

    fn now(&self) -> (Instant, Timestamp) {
        let ms = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        (self.start + self.elapsed, EPOCH.plus_ms(ms))
    }

    /// One thing happens. In calm nothing breaks any more, and what is under way arrives.
    fn turn(&mut self, calm: bool) {
        let (now, at) = self.now();
        if !calm && self.random.one_in(self.scenario.kill_one_in) {
            self.account.kills += 1;
            self.node.restart(&mut self.random, at);
            self.clients.iter_mut().filter(|c| c.socket.is_some()).for_each(Client::lose_socket);
        }
        let chosen = self.random.below(self.clients.len());
        match self.random.below(8) {
            0 => self.connect(chosen),
            1 => self.clients[chosen].act(&mut self.random),
            2 | 3 => self.carry_to_node(chosen),
            4 | 5 => self.carry_to_client(chosen),
            6 => self.node.turn(now, at),
            _ => {
                self.node.journal_step();
            }
        }
        if !calm && self.random.one_in(self.scenario.cut_one_in) {
            self.cut(chosen);
        }
        if self.random.one_in(50) {
            self.elapsed += Duration::from_millis(self.random.number() % 500);
            self.node.pass(now, at);
        }
    }

    fn connect(&mut self, chosen: usize) {
        let client = &mut self.clients[chosen];
        if client.socket.is_some() {
            return;
        }
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let (now, _) = self.now();
        let client = &mut self.clients[chosen];
        self.node.accept(connection, client.query(), self.random.bytes(), now);
        client.connect(connection, self.random.bytes());
    }

    fn carry_to_node(&mut self, chosen: usize) {
        let (now, _) = self.now();
        let Some(socket) = &mut self.clients[chosen].socket else { return };
        if self.node.wants_input(socket.connection) {
            let mut bytes = some_of(&mut socket.wire.to_node, &mut self.random);
            self.node.read(socket.connection, &mut bytes, now);
        }
    }

    fn carry_to_client(&mut self, chosen: usize) {
        let client = &mut self.clients[chosen];
        let Some(socket) = &mut client.socket else { return };
        let budget = 1 + self.random.below(5000);
        let written = self.node.write(socket.connection, budget);
        socket.wire.to_client.extend(written);
        let bytes = some_of(&mut socket.wire.to_client, &mut self.random);
        let ended = socket.wire.to_client.is_empty() && self.node.is_finished(socket.connection);
        if !client.read(bytes) || ended {
            self.cut(chosen);
        }
    }

    /// Both ends lose the connection; what was under way is gone, or part of it arrives first.
    fn cut(&mut self, chosen: usize) {
        let (now, at) = self.now();
        let client = &mut self.clients[chosen];
        let Some(socket) = &mut client.socket else { return };
        let connection = socket.connection;
        self.account.cuts += 1;
        if self.random.one_in(2) {
            let mut bytes = some_of(&mut socket.wire.to_node, &mut self.random);
            self.node.read(connection, &mut bytes, now);
        }
        if self.random.one_in(2) {
            let bytes = some_of(&mut socket.wire.to_client, &mut self.random);
            client.read(bytes);
        }
        client.lose_socket();
        // Half of the time the node does not notice: the next connection takes over.
        if self.random.one_in(2) {
            self.node.lose(connection, now, at);
        }
    }

    fn is_sent(&self) -> bool {
        self.clients.iter().all(|client| match &client.work {
            Work::Send { messages, .. } => client.sent == *messages,
            Work::Receive { .. } => true,
        })
    }

    fn is_settled(&self) -> bool {
        self.node.messages() == 0 && self.clients.iter().all(|c| c.unacknowledged() == 0)
    }

    fn settle_account(mut self) -> Account {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for client in &self.clients {
            self.account.sent += usize::try_from(client.sent).unwrap_or(usize::MAX);
            let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
            for body in &client.received {
                *seen.entry(body).or_default() += 1;
                let mut parts = body.split(':');
                let sender = parts.next().unwrap_or_default();
                let number = parts.next().and_then(|number| number.parse().ok()).unwrap_or(0);
                let newest = newest.entry(sender).or_default();
                self.account.reordered += usize::from(number <= *newest);
                *newest = number.max(*newest);
            }
        }
        self.account.received = seen.values().sum();
        self.account.duplicated = seen.values().filter(|times| **times > 1).count();
        self.account.lost = self.account.sent - seen.len().min(self.account.sent);
        self.account
    }
}
