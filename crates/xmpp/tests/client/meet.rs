//! A client and a server, over messages that may be lost with their WebSocket at any moment. What
//! each keeps for the other is kept as a ledger keeps it; after any number of cuts everything has
//! arrived once and in order.

use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use wharf_sasl::client::{Credentials, Settings};
use wharf_sasl::server::{Answer, Question, Settings as ServerSettings};
use wharf_sasl::{Mechanism, Nonce, Password};
use wharf_xmpp::client::{self, Resumption};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::server::{self, Enabled, Offer};
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::stream::{Input, Ledger};

/// What one side remembers while there is no WebSocket.
#[derive(Debug, Default)]
struct Memory {
    ledger: Ledger,
    /// Sent and not acknowledged, by number.
    kept: BTreeMap<u64, String>,
    /// Received, in order.
    received: Vec<String>,
    resumable: Option<String>,
}

impl Memory {
    fn acked(&mut self, up_to: u64) {
        self.ledger.acked = self.ledger.acked.max(up_to);
        self.kept.retain(|&seq, _| seq > up_to);
    }

    fn sent(&mut self, seq: u64, stanza: &str) {
        self.ledger.sent = self.ledger.sent.max(seq);
        self.kept.insert(seq, stanza.to_owned());
    }

    fn took(&mut self, seq: u64, id: &str) {
        assert_eq!(seq, self.ledger.taken + 1);
        self.ledger.taken = seq;
        self.received.push(id.to_owned());
    }
}

struct World {
    client: client::Connection,
    server: server::Connection,
    to_server: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    client_memory: Memory,
    server_memory: Memory,
    online: bool,
    sasl2: bool,
    seed: u8,
}

fn stanza(id: &str) -> String {
    format!("<message xmlns='jabber:client' id='{id}'/>")
}

impl World {
    fn new(sasl2: bool) -> Self {
        let (client, server) = Self::ends(sasl2, 1, None);
        Self {
            client,
            server,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            client_memory: Memory::default(),
            server_memory: Memory::default(),
            online: false,
            sasl2,
            seed: 1,
        }
    }

    fn ends(
        sasl2: bool,
        seed: u8,
        resume: Option<Resumption>,
    ) -> (client::Connection, server::Connection) {
        let (user, password) = ("tim".to_owned(), Password::new("secret"));
        let mut login =
            Settings::new(Credentials::Password { user, password }, Nonce::from_seed(&[seed; 32]));
        login.weakest = Mechanism::Plain;
        let config =
            client::Config { resume, sasl2, ..client::Config::new("a.example", true, login) };
        let client = client::Connection::new(config, [seed; 32]);
        let config = Arc::new(server::Config::new("a.example"));
        (client, server::Connection::new(config, true, [seed.wrapping_add(100); 32]))
    }

    /// The WebSocket is lost, with all that was on it, and there is a new one.
    fn cut(&mut self) {
        self.client.handle_transport_closed();
        self.server.handle_transport_closed();
        self.poll_client(None);
        self.poll_server(None);
        self.to_server.clear();
        self.to_client.clear();
        self.seed = self.seed.wrapping_add(1);
        let memory = &self.client_memory;
        let resume = memory.resumable.clone().map(|id| Resumption {
            id,
            jid: Jid::parse("tim@a.example/r").unwrap(),
            ledger: memory.ledger,
        });
        (self.client, self.server) = Self::ends(self.sasl2, self.seed, resume);
        self.online = false;
    }

    fn transmit(&mut self) {
        let mut out = Vec::new();
        while self.client.poll_transmit(&mut out) > 0 {
            self.to_server.push_back(std::mem::take(&mut out));
        }
        while self.server.poll_transmit(&mut out) > 0 {
            self.to_client.push_back(std::mem::take(&mut out));
        }
    }

    /// One message arrives, on one of the sides.
    fn step(&mut self, at_server: bool) -> bool {
        self.transmit();
        let queue = if at_server { &mut self.to_server } else { &mut self.to_client };
        let Some(message) = queue.pop_front() else { return false };
        if at_server {
            self.poll_server(Some(&message));
        } else {
            self.poll_client(Some(&message));
        }
        self.transmit();
        true
    }

    fn settle(&mut self) {
        while self.step(true) || self.step(false) {}
    }

    fn poll_server(&mut self, message: Option<&[u8]>) {
        use server::Event;
        let mut input = message.map_or(Input::empty(), Input::text);
        while let Some(event) = self.server.poll_event(&mut input) {
            match event {
                Event::Opening(_) => {
                    let settings = ServerSettings::new(Nonce::from_seed(&[0; 32]), [0; 32]);
                    let offer = Offer {
                        mechanisms: vec![Mechanism::Plain],
                        settings,
                        sasl2: self.sasl2,
                        registration: false,
                    };
                    self.server.accept("a.example", offer).unwrap();
                }
                Event::Question(Question::Password { user, .. }) => {
                    self.server.answer(Answer::Is { user }).unwrap();
                }
                Event::Bind(_) => {
                    self.server.bind("r", b"").unwrap();
                }
                Event::Enable(_) => {
                    self.server_memory = Memory {
                        received: std::mem::take(&mut self.server_memory.received),
                        resumable: Some("s1".to_owned()),
                        ..Memory::default()
                    };
                    let enabled = Enabled { id: Some("s1"), ..Enabled::default() };
                    self.server.enable(enabled).unwrap();
                }
                Event::Resume(resume) => {
                    let memory = &mut self.server_memory;
                    match memory.ledger.acknowledged(resume.handled) {
                        Some(acked) if memory.resumable.is_some() => {
                            memory.acked(acked);
                            let jid = Jid::parse("tim@a.example/r").unwrap();
                            let mut ledger = memory.ledger;
                            ledger.acked = acked;
                            self.server.resume(&jid, &ledger).unwrap();
                            for (seq, kept) in memory.kept.clone() {
                                let sent = self.server.send(&[kept.as_bytes()]).unwrap();
                                assert_eq!(sent, Some(seq));
                            }
                        }
                        _ => {
                            let gone = StanzaCondition::ItemNotFound;
                            self.server.refuse_resume(gone, None).unwrap();
                        }
                    }
                }
                Event::Stanza(received) => {
                    let seq = received.seq.unwrap();
                    self.server_memory.took(seq, &received.stanza.id().unwrap());
                    self.server.acknowledge(seq).unwrap();
                }
                Event::Handled { up_to } => self.server_memory.acked(up_to),
                Event::Closed(closed) => assert_eq!(closed.violation, None),
                Event::LoginFailed { .. } | Event::Register(_) => panic!("{event:?}"),
                _ => {}
            }
        }
        assert!(input.is_empty());
    }

    fn poll_client(&mut self, message: Option<&[u8]>) {
        use client::Event;
        let mut input = message.map_or(Input::empty(), Input::text);
        while let Some(event) = self.client.poll_event(&mut input) {
            match event {
                Event::Online(online) => {
                    self.online = true;
                    let memory = &mut self.client_memory;
                    memory.resumable = online.managed.unwrap().id;
                    if let Some(acked) = online.resumed {
                        memory.acked(acked);
                        for (seq, kept) in memory.kept.clone() {
                            let sent = self.client.send(&[kept.as_bytes()]).unwrap();
                            assert_eq!(sent, Some(seq));
                        }
                    }
                }
                Event::Stanza(received) => {
                    let seq = received.seq.unwrap();
                    self.client_memory.took(seq, &received.stanza.id().unwrap());
                    self.client.acknowledge(seq).unwrap();
                }
                Event::Handled { up_to } => self.client_memory.acked(up_to),
                Event::Closed(closed) => assert_eq!(closed.violation, None),
                Event::NotResumed { .. } | Event::LoginFailed(_) => panic!("{event:?}"),
            }
        }
    }

    fn send(&mut self, from_server: bool, id: &str) -> bool {
        let stanza = stanza(id);
        let managed = self.server.ledger().is_some();
        if from_server && self.server.is_bound() && managed {
            let seq = self.server.send(&[stanza.as_bytes()]).unwrap().unwrap();
            self.server_memory.sent(seq, &stanza);
            return true;
        }
        if !from_server && self.client.is_online() {
            let seq = self.client.send(&[stanza.as_bytes()]).unwrap().unwrap();
            self.client_memory.sent(seq, &stanza);
            return true;
        }
        false
    }
}

#[derive(Clone, Debug)]
enum Act {
    Step(bool),
    Send(bool),
    Request,
    Cut,
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<bool>().prop_map(Act::Step),
        4 => any::<bool>().prop_map(Act::Send),
        1 => Just(Act::Request),
        1 => Just(Act::Cut),
        1 => Just(Act::Settle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(
        sasl2 in any::<bool>(),
        acts in proptest::collection::vec(act(), 1..60),
    ) {
        let mut world = World::new(sasl2);
        world.settle();
        prop_assert!(world.online);
        let (mut by_client, mut by_server) = (Vec::new(), Vec::new());
        for (n, act) in acts.into_iter().enumerate() {
            match act {
                Act::Step(at_server) => {
                    world.step(at_server);
                }
                Act::Send(from_server) => {
                    let id = n.to_string();
                    if world.send(from_server, &id) {
                        if from_server { by_server.push(id) } else { by_client.push(id) }
                    }
                }
                Act::Request => {
                    let _ = world.client.request();
                }
                Act::Cut => world.cut(),
                Act::Settle => world.settle(),
            }
        }
        world.cut();
        world.settle();
        prop_assert!(world.online);
        prop_assert_eq!(&world.server_memory.received, &by_client);
        prop_assert_eq!(&world.client_memory.received, &by_server);
        // A last word of both: everything is acknowledged.
        world.client.close(None).unwrap();
        world.settle();
        prop_assert!(world.client.is_over() && world.server.is_over());
    }
}
