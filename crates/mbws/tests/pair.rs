//! Both engines against each other over a transport that is cut at random, with a broker that
//! keeps a ledger and an application that keeps its saved state. Either side is killed and
//! restarted at random. MBWS-020, MBWS-022, MBWS-024, MBWS-026, MBWS-047, MBWS-048: nothing is
//! lost, nothing comes twice, order is kept.

mod support;

use std::collections::VecDeque;

use support::Wire;
use wharf_mbws::encode_content;
use wharf_mbws::recovery::{LedgerView, Verdict, judge};
use wharf_mbws::{Flavour, Kind, LengthUnit, Limits, WindowLimits, client, server};

const SEEDS: u64 = 300;
const STEPS: usize = 400;

/// A small generator: the seed is all that a failure needs.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    }

    fn kind(&mut self) -> Kind {
        [Kind::Text, Kind::Binary][self.below(2)]
    }
}

/// What survives the server's death.
#[derive(Default)]
struct Ledger {
    name: String,
    names_given: usize,
    taken: u64,
    acked: u64,
    /// Numbers acked + 1 and on.
    outbound: VecDeque<(Kind, String)>,
    /// Not dispatched yet.
    backlog: VecDeque<(Kind, String)>,
    inbox: Vec<String>,
}

impl Ledger {
    fn view(&self) -> LedgerView {
        let sent = self.acked + self.outbound.len() as u64;
        LedgerView { taken: self.taken, acked: self.acked, sent }
    }

    fn acknowledge(&mut self, up_to: u64) {
        for _ in self.acked..up_to {
            self.outbound.pop_front().expect("acknowledged what was sent");
        }
        self.acked = up_to;
    }

    /// A new connection: what an earlier one did not bring goes back.
    fn start(&mut self) {
        while let Some(message) = self.outbound.pop_back() {
            self.backlog.push_front(message);
        }
        self.names_given += 1;
        self.name = format!("urn:pair:{}", self.names_given);
        (self.taken, self.acked) = (0, 0);
    }
}

struct World {
    dice: Dice,
    options: client::Options,
    ledger: Ledger,
    server: Option<server::Connection>,
    client: client::Connection,
    connected: bool,
    up: Wire,
    down: Wire,
    /// The application's memory: received and not yet taken.
    hand: VecDeque<(u64, String)>,
    /// The application's disk.
    saved: Vec<u8>,
    taken: Vec<String>,
    sent: usize,
    produced: usize,
    resumed: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let unit = [LengthUnit::CodePoints, LengthUnit::Octets, LengthUnit::Utf16][dice.below(3)];
        let window = WindowLimits { messages_max: 1 + dice.below(12), size_max_bytes: 400 };
        let kind = dice.kind();
        let options = client::Options { kind, unit, window, ..client::Options::default() };
        let client = client::Connection::new(options);
        let mut saved = Vec::new();
        client.save(&mut saved);
        World {
            dice,
            options,
            ledger: Ledger::default(),
            server: None,
            client,
            connected: false,
            up: Wire::default(),
            down: Wire::default(),
            hand: VecDeque::new(),
            saved,
            taken: Vec::new(),
            sent: 0,
            produced: 0,
            resumed: 0,
        }
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..3 => self.cut(),
            3..4 => self.kill_client(),
            4..24 => self.send(),
            24..34 => self.produce(),
            34..44 => self.take(),
            44..50 => self.server_acknowledges(),
            50..60 => self.dispatch(),
            60..80 => self.serve_one(),
            _ => self.receive_one(),
        }
        if !self.connected {
            self.connect();
        }
    }

    fn connect(&mut self) {
        let (flavour, unit) = (Flavour::Full, self.options.unit);
        self.server = Some(server::Connection::new(flavour, unit, Limits::default()));
        let asked = match self.client.name() {
            None => self.client.connect(&mut self.up),
            Some(_) => self.client.reconnect(&mut self.up),
        };
        asked.expect("a fresh session");
        self.connected = true;
    }

    /// Some of what is under way still arrives, on either side; the rest is lost.
    fn cut(&mut self) {
        for _ in 0..self.dice.below(self.up.0.len() + 1) {
            self.serve_one();
        }
        for _ in 0..self.dice.below(self.down.0.len() + 1) {
            self.receive_one();
        }
        self.up.take();
        self.down.take();
        self.server = None;
        self.client.session_lost();
        self.connected = false;
    }

    /// The application dies with what it had in memory, and starts from its disk.
    fn kill_client(&mut self) {
        self.hand.clear();
        self.client = client::Connection::restore(self.options, &self.saved).expect("as saved");
        self.up.0.truncate(self.dice.below(self.up.0.len() + 1));
        while !self.up.0.is_empty() {
            self.serve_one();
        }
        self.down.take();
        self.server = None;
        self.connected = false;
    }

    fn save(&mut self) {
        self.saved.clear();
        self.client.save(&mut self.saved);
    }

    fn send(&mut self) {
        let kind = self.dice.kind();
        let body = format!("up \u{e9}\u{1f600} {}", self.sent);
        let properties = [("k \u{20ac}", "1 2 3")].into_iter();
        let addresses = ["", "orders \u{1f600}"];
        let (body, wire) = (body.as_bytes(), &mut self.up);
        match self.client.send(kind, &addresses, "text/plain", properties, body, wire) {
            Ok(_) => self.sent += 1,
            Err(client::SendRefused::WindowFull) => {}
            Err(other) => panic!("{other}"),
        }
        self.save();
    }

    fn produce(&mut self) {
        let message = (self.dice.kind(), format!("down {}", self.produced));
        self.ledger.backlog.push_back(message);
        self.produced += 1;
    }

    /// The application takes some of what it received; effect, acknowledgement and saved state
    /// are one step.
    fn take(&mut self) {
        for _ in 0..self.dice.below(self.hand.len() + 1) {
            let (seq, body) = self.hand.pop_front().expect("counted");
            self.taken.push(body);
            self.client.acknowledge(seq, &mut self.up).expect("received");
        }
        self.save();
    }

    fn server_acknowledges(&mut self) {
        if let Some(server) = self.server.as_mut().filter(|server| server.is_open()) {
            server.acknowledge(self.ledger.taken, &mut self.down).expect("received");
        }
    }

    fn dispatch(&mut self) {
        let Some(server) = self.server.as_mut().filter(|server| server.is_open()) else { return };
        if self.ledger.outbound.len() < 8
            && let Some((kind, body)) = self.ledger.backlog.pop_front()
        {
            let seq = deliver(server, kind, &body, &mut self.down);
            self.ledger.outbound.push_back((kind, body));
            assert_eq!(seq, self.ledger.view().sent);
        }
    }

    fn serve_one(&mut self) {
        if self.up.0.is_empty() {
            return;
        }
        let (kind, payload) = self.up.0.remove(0);
        let Some(server) = self.server.as_mut() else { return };
        match server.handle_message(kind, &payload) {
            server::Event::Open => {
                self.ledger.start();
                server.accept_open(&self.ledger.name, &mut self.down).expect("asked");
            }
            server::Event::Reopen { name, claim } => {
                assert_eq!(name, self.ledger.name);
                let verdict = judge(&claim, &self.ledger.view());
                assert!(matches!(verdict, Verdict::Resume { .. }), "{claim:?} {verdict:?}");
                server.accept_reopen(&self.ledger.view(), &mut self.down).expect("judged");
                self.ledger.acknowledge(claim.cslr);
                for (kind, body) in &self.ledger.outbound {
                    deliver(server, *kind, body, &mut self.down);
                }
                self.resumed += 1;
            }
            server::Event::Message { seq, message, .. } => {
                assert_eq!(seq, self.ledger.taken + 1);
                self.ledger.taken = seq;
                assert_eq!(message.addresses.destinations().count(), 1);
                let body = String::from_utf8(message.content.body().to_vec());
                self.ledger.inbox.push(body.expect("bodies are text"));
            }
            server::Event::Acknowledged { up_to } => self.ledger.acknowledge(up_to),
            server::Event::Ignored => {}
            server::Event::Violated(violation) => panic!("{violation}"),
        }
    }

    fn receive_one(&mut self) {
        if self.down.0.is_empty() {
            return;
        }
        let (kind, payload) = self.down.0.remove(0);
        match self.client.handle_message(kind, &payload, &mut self.up) {
            client::Event::Delivered { seq, message, .. } => {
                let body = String::from_utf8(message.content.body().to_vec());
                self.hand.push_back((seq, body.expect("bodies are text")));
            }
            client::Event::Opened { .. }
            | client::Event::Resumed { .. }
            | client::Event::Repeated { .. }
            | client::Event::Acknowledged { .. }
            | client::Event::Ignored => {}
            other => panic!("{other:?}"),
        }
        self.save();
    }

    /// No more accidents: everything under way arrives.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.server_acknowledges();
            self.dispatch();
            self.serve_one();
            self.receive_one();
            self.take();
        }
    }
}

fn deliver(server: &mut server::Connection, kind: Kind, body: &str, wire: &mut Wire) -> u64 {
    let unit = server.unit();
    let mut stored = Vec::new();
    encode_content(kind, unit, "", [].into_iter(), body.as_bytes(), &mut stored).expect("text");
    server.deliver(kind, "news", &stored, wire).expect("open")
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice() {
    let mut resumed = 0;
    for seed in 0..SEEDS {
        // Shown only if the test fails.
        println!("seed {seed}");
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
        let up: Vec<_> = (0..world.sent).map(|n| format!("up \u{e9}\u{1f600} {n}")).collect();
        let down: Vec<_> = (0..world.produced).map(|n| format!("down {n}")).collect();
        assert_eq!(world.ledger.inbox, up, "client to broker");
        assert_eq!(world.taken, down, "broker to client");
        assert_eq!(world.client.unacknowledged(), 0);
        assert!(world.ledger.outbound.is_empty());
        resumed += world.resumed;
    }
    assert!(resumed as u64 > SEEDS, "the wire was cut too seldom to prove anything");
}
