//! Two engines that talk to each other, whatever their callers do: neither ever breaks the rules
//! in the other's eyes, and every message arrives once and in order, or comes back.

use crate::trace::config;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{
    AttachAnswer, AttachRequest, Closed, Config, Connection, Event, Framing, Input, LinkId, Misuse,
    Outcome, OutgoingDelivery, Role as Side, SessionId, Transferred,
};
use wharf_amqp::frame::PROTOCOL_HEADER_BYTES;
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Attach, Open, ReceiverSettleMode, Role};
use wharf_amqp::tag::Tag;
use wharf_amqp::value::Value;

/// What a caller does, or the network; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Act {
    Begin,
    End(usize),
    Attach { session: usize, name: usize, sends: bool, second: bool },
    Answer { which: usize, refuse: bool },
    Grant { link: usize, credit: u32, drain: bool },
    Deliver { link: usize, len: usize, settled: bool, times: usize },
    Drained(usize),
    Dispose { session: usize, many: usize, settled: bool, state: DeliveryState },
    SettleSent(usize),
    Detach { link: usize, closed: bool },
    Transmit(usize),
    Hear(usize),
}

/// One side's link, as its caller sees it.
#[derive(Debug)]
struct Link {
    /// Which of all links this is, at both ends.
    number: u32,
    sends: bool,
    /// Deliveries given to the engine.
    given: u32,
    limit: u64,
    /// Last message received.
    received: Option<u32>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Given,
    Unsent,
    Settled,
}

#[derive(Debug)]
struct Given {
    link: u32,
    message: u32,
    fate: Fate,
}

#[derive(Debug)]
struct Node {
    us: Connection,
    links: BTreeMap<LinkId, Link>,
    sessions: Vec<SessionId>,
    asked: Vec<(LinkId, Attach)>,
    drains: Vec<LinkId>,
    /// Deliveries received and not settled here, by session.
    open: BTreeMap<SessionId, BTreeSet<u32>>,
    /// Outcomes that wait for our settling.
    decided: Vec<Outcome>,
    given: BTreeMap<u64, Given>,
    /// On its way to the other: headers, and everything behind them.
    headers: VecDeque<Vec<u8>>,
    wire: VecDeque<u8>,
    closed: Option<Closed>,
}

#[derive(Debug)]
struct World {
    nodes: [Node; 2],
    framing: Framing,
    links: u32,
    /// Messages received, by link.
    received: BTreeMap<u32, Vec<u32>>,
}

const NAMES: usize = 3;

impl Node {
    fn new(config: Config) -> Self {
        Self {
            us: Connection::new(Arc::new(config)),
            links: BTreeMap::new(),
            sessions: Vec::new(),
            asked: Vec::new(),
            drains: Vec::new(),
            open: BTreeMap::new(),
            decided: Vec::new(),
            given: BTreeMap::new(),
            headers: VecDeque::new(),
            wire: VecDeque::new(),
            closed: None,
        }
    }

    fn session(&self, which: usize) -> Option<SessionId> {
        self.sessions.get(which % self.sessions.len().max(1)).copied()
    }

    fn link(&self, which: usize, sends: bool) -> Option<LinkId> {
        let links: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| link.sends == sends).map(|(id, _)| *id).collect();
        links.get(which % links.len().max(1)).copied()
    }

    fn gone(&mut self, id: LinkId) {
        self.links.remove(&id);
        self.asked.retain(|(asked, _)| *asked != id);
        self.drains.retain(|drain| *drain != id);
    }

    fn end(&mut self, session: SessionId) {
        self.sessions.retain(|of| *of != session);
        self.open.remove(&session);
        self.decided.retain(|outcome| outcome.link.session != session);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        links.into_iter().filter(|id| id.session == session).for_each(|id| self.gone(id));
        self.asked.retain(|(id, _)| id.session != session);
    }

    fn fate(&mut self, cookie: u64, fate: Fate) {
        let given = self.given.get_mut(&cookie).expect("given before");
        assert_eq!(given.fate, Fate::Given, "{cookie} is told twice");
        given.fate = fate;
    }

    fn outcome(&mut self, outcome: Outcome) {
        for cookie in outcome.first..=outcome.last {
            if outcome.settled {
                self.fate(cookie, Fate::Settled);
            }
        }
        if !outcome.settled {
            self.decided.push(outcome);
        }
    }

    fn deliver(&mut self, id: LinkId, len: usize, settled: bool) {
        let link = self.links.get_mut(&id).expect("ours");
        let (cookie, message) = (self.given.len() as u64, link.given);
        let head = [link.number.to_be_bytes(), message.to_be_bytes()].concat();
        let delivery = OutgoingDelivery {
            cookie,
            tag: Tag::from(message),
            message_format: 0,
            settled,
            payload: [head.into(), vec![message as u8; len].into()],
        };
        link.given += 1;
        let given = Given { link: link.number, message, fate: Fate::Given };
        self.given.insert(cookie, given);
        self.us.deliver(id, delivery).expect("the link is there");
    }
}

impl World {
    fn new(framing: Framing, windows: [u32; 2]) -> Self {
        let node = |side, window| {
            let config = Config {
                incoming_window_frames: window,
                max_frame_size_bytes: 512,
                ..config(side, framing)
            };
            Node::new(config)
        };
        let [one, two] = windows;
        let mut nodes = [node(Side::Initiator, one), node(Side::Acceptor, two)];
        nodes[0].us.open(Open::new("initiator")).unwrap();
        let mut world = Self { nodes, framing, links: 0, received: BTreeMap::new() };
        world.flush();
        // Something to begin with: two sessions, and a link of each kind.
        for (at, name) in [(0, 0), (1, 1)] {
            world.act(at, Act::Begin);
            world.flush();
            for sends in [true, false] {
                world.act(at, Act::Attach { session: at, name, sends, second: sends });
            }
            world.flush();
            for which in [0, 0] {
                world.act(1 - at, Act::Answer { which, refuse: false });
            }
        }
        world.flush();
        world
    }

    fn act(&mut self, at: usize, act: Act) {
        let node = &mut self.nodes[at];
        match act {
            Act::Begin if node.sessions.len() < 3 => node.sessions.extend(node.us.begin()),
            Act::Begin => {}
            Act::End(which) => {
                if let Some(session) = node.session(which) {
                    node.us.end_session(session, None).expect("it is there");
                    self.events(at);
                    self.nodes[at].end(session);
                }
            }
            Act::Attach { session, name, sends, second } => {
                if let Some(session) = node.session(session) {
                    self.attach(at, session, name, sends, second);
                }
            }
            Act::Answer { which, refuse } => {
                if !node.asked.is_empty() {
                    let (id, attach) = node.asked.remove(which % node.asked.len());
                    self.answer(at, id, &attach, refuse);
                }
            }
            Act::Grant { link, credit, drain } => {
                if let Some(id) = node.link(link, false) {
                    node.us.grant(id, credit, drain).expect("it is there");
                }
            }
            Act::Deliver { link, len, settled, times } => {
                if let Some(id) = node.link(link, true) {
                    (0..times).for_each(|_| node.deliver(id, len, settled));
                }
            }
            Act::Drained(which) => {
                if !node.drains.is_empty() {
                    let id = node.drains.remove(which % node.drains.len());
                    node.us.drained(id).expect("it is there");
                }
            }
            Act::Dispose { session, many, settled, state } => {
                if let Some(session) = node.session(session) {
                    self.dispose(at, session, many, settled, state);
                }
            }
            Act::SettleSent(which) => {
                if !node.decided.is_empty() {
                    let decided = node.decided.remove(which % node.decided.len());
                    self.settle(at, &decided);
                }
            }
            Act::Detach { link, closed } => {
                let links: Vec<LinkId> = node.links.keys().copied().collect();
                if let Some(id) = links.get(link % links.len().max(1)) {
                    node.us.detach(*id, closed, None).expect("it is there");
                    self.events(at);
                    self.nodes[at].gone(*id);
                }
            }
            Act::Transmit(budget) => {
                self.transmit(at, budget);
            }
            Act::Hear(len) => {
                self.hear(at, len);
            }
        }
    }

    fn attach(&mut self, at: usize, session: SessionId, name: usize, sends: bool, second: bool) {
        let node = &mut self.nodes[at];
        let number = self.links;
        let mode = if second { ReceiverSettleMode::Second } else { ReceiverSettleMode::First };
        let request = AttachRequest {
            name: format!("{at}{}", name % NAMES),
            role: if sends { Role::Sender } else { Role::Receiver },
            terms: AttachAnswer {
                rcv_settle_mode: Some(mode),
                properties: vec![("number".to_owned(), Value::Uint(number))],
                ..AttachAnswer::default()
            },
        };
        match node.us.attach(session, request) {
            Ok(id) => {
                self.links += 1;
                node.links.insert(id, Link { number, sends, given: 0, limit: 0, received: None });
            }
            Err(misuse) => assert_eq!(misuse, Misuse::Exhausted),
        }
    }

    fn answer(&mut self, at: usize, id: LinkId, attach: &Attach, refuse: bool) {
        let node = &mut self.nodes[at];
        if refuse {
            node.us.refuse_attach(id, attach, Condition::NotAllowed.into()).expect("asked");
            return;
        }
        node.us.accept_attach(id, AttachAnswer::default()).expect("asked");
        let number = match attach.properties.first() {
            Some((_, Value::Uint(number))) => *number,
            other => panic!("{other:?}"),
        };
        let sends = attach.role == Role::Receiver;
        node.links.insert(id, Link { number, sends, given: 0, limit: 0, received: None });
    }

    /// Decides on the oldest of a session, as far as their ids follow each other.
    fn dispose(
        &mut self,
        at: usize,
        session: SessionId,
        many: usize,
        settled: bool,
        state: DeliveryState,
    ) {
        let node = &mut self.nodes[at];
        let Some(open) = node.open.get_mut(&session) else { return };
        let Some(first) = open.first().copied() else { return };
        let run = (first..).take(many).take_while(|id| open.contains(id));
        let last = run.last().unwrap_or(first);
        node.us.dispose(session, first, last, settled, state).expect("it is there");
        if settled {
            open.retain(|id| *id > last);
        }
    }

    fn settle(&mut self, at: usize, decided: &Outcome) {
        let node = &mut self.nodes[at];
        let Outcome { link, first, last, ref state, .. } = *decided;
        node.us.settle_sent(link, first, last, state.as_ref()).expect("it is there");
        for cookie in first..=last {
            if node.given[&cookie].fate == Fate::Given {
                node.fate(cookie, Fate::Settled);
            }
        }
    }

    fn transmit(&mut self, at: usize, budget: usize) -> bool {
        let node = &mut self.nodes[at];
        let mut out = Vec::new();
        let len = node.us.poll_transmit(&mut out, budget);
        assert_eq!(len, out.len());
        if out.starts_with(b"AMQP") {
            assert_eq!(len, PROTOCOL_HEADER_BYTES);
            node.headers.push_back(out);
        } else {
            node.wire.extend(out);
        }
        self.events(at);
        len > 0
    }

    /// Some octets arrive.
    fn hear(&mut self, at: usize, len: usize) -> bool {
        let other = &mut self.nodes[1 - at];
        let octets: Vec<u8> = match other.headers.pop_front() {
            Some(header) => header,
            None => other.wire.drain(..len.min(other.wire.len())).collect(),
        };
        let mut input = match self.framing {
            Framing::Stream => Input::stream(&octets),
            Framing::Messages if octets.is_empty() => Input::empty(),
            Framing::Messages => Input::message(&octets),
        };
        while let Some(event) = self.nodes[at].us.poll_event(&mut input) {
            self.on_event(at, event);
        }
        !octets.is_empty()
    }

    fn events(&mut self, at: usize) {
        while let Some(event) = self.nodes[at].us.poll_event(&mut Input::empty()) {
            self.on_event(at, event);
        }
    }

    fn on_event(&mut self, at: usize, event: Event<'_>) {
        let node = &mut self.nodes[at];
        match event {
            Event::Opened(_) => {
                if at == 1 {
                    node.us.open(Open::new("acceptor")).unwrap();
                }
            }
            Event::Begun(session, _) => {
                if !node.sessions.contains(&session) {
                    node.sessions.push(session);
                }
            }
            Event::Attaching(id, attach) => node.asked.push((id, *attach)),
            Event::Attached(id, _) => assert!(node.links.contains_key(&id)),
            Event::Transferred(message) => self.on_message(at, &message),
            Event::Credit(id, view) => {
                // A link that is not answered has its credit already.
                if let Some(link) = node.links.get_mut(&id) {
                    link.limit = view.limit;
                    if view.drain {
                        node.drains.push(id);
                    }
                }
            }
            Event::Drained(id) => assert_eq!(node.us.credit(id), 0),
            Event::Outcome(outcome) => node.outcome(outcome),
            Event::Unsent { cookie, .. } => node.fate(cookie, Fate::Unsent),
            Event::Detached { link, error, .. } => {
                let refused =
                    error.is_some_and(|(_, error)| error.condition == Condition::NotAllowed);
                let unused = node.links.get(&link).is_none_or(|link| link.received.is_none());
                assert!(!refused || unused);
                node.gone(link);
            }
            Event::Ended { session, error } => {
                assert_eq!(error, None);
                node.end(session);
            }
            Event::Closed(closed) => {
                assert_eq!(closed.violation, None);
                node.closed = Some(closed);
            }
            other => panic!("{other:?}"),
        }
    }

    fn on_message(&mut self, at: usize, message: &Transferred<'_>) {
        let node = &mut self.nodes[at];
        let link = node.links.get_mut(&message.link).expect("a link with credit");
        let (head, rest) = message.payload.split_at(8);
        let [number, message_number] =
            [&head[..4], &head[4..]].map(|four| u32::from_be_bytes(four.try_into().unwrap()));
        assert_eq!((number, message.tag), (link.number, Tag::from(message_number)));
        assert!(rest.iter().all(|octet| *octet == message_number as u8));
        assert_eq!(message_number, link.received.map_or(0, |last| last + 1), "once, and in order");
        link.received = Some(message_number);
        self.received.entry(number).or_default().push(message_number);
        if !message.settled {
            node.open.entry(message.link.session).or_default().insert(message.delivery_id);
        }
    }

    /// Everything on its way arrives.
    fn flush(&mut self) {
        loop {
            let mut moved = false;
            for at in [0, 1] {
                moved |= self.transmit(at, 1000);
                moved |= self.hear(1 - at, 777);
            }
            if !moved {
                break;
            }
        }
    }

    /// Everybody does what is left to do.
    fn finish(&mut self) {
        self.flush();
        for at in [0, 1] {
            for (id, attach) in std::mem::take(&mut self.nodes[at].asked) {
                self.answer(at, id, &attach, false);
            }
            for id in std::mem::take(&mut self.nodes[at].drains) {
                self.nodes[at].us.drained(id).expect("it is there");
            }
        }
        self.flush();
        for at in [0, 1] {
            let node = &mut self.nodes[at];
            for (id, _) in node.links.iter().filter(|(_, link)| !link.sends) {
                node.us.grant(*id, 1000, false).expect("it is there");
            }
        }
        self.flush();
        self.check_credit();
        for at in [0, 1] {
            for session in self.nodes[at].sessions.clone() {
                while self.nodes[at].open.get(&session).is_some_and(|open| !open.is_empty()) {
                    self.dispose(at, session, usize::MAX, true, DeliveryState::Accepted);
                }
            }
        }
        self.flush();
        self.check_messages();
    }

    /// Both ends of a link mean the same credit.
    fn check_credit(&self) {
        for (at, node) in self.nodes.iter().enumerate() {
            for (id, link) in node.links.iter().filter(|(_, link)| link.sends) {
                let other = &self.nodes[1 - at];
                let there = other.links.iter().find(|(_, there)| there.number == link.number);
                let (there, _) = there.expect("both ends are attached");
                let here = link.limit - u64::from(link.given);
                assert_eq!(u64::from(other.us.credit(*there)), here, "{id:?} {link:?}");
            }
        }
    }

    /// Every message has arrived, or has come back, or its link is gone.
    fn check_messages(&self) {
        for node in &self.nodes {
            let live = |number| node.links.values().any(|link| link.number == number);
            for (cookie, given) in &node.given {
                let received = self.received.get(&given.link);
                let received = received.is_some_and(|all| all.contains(&given.message));
                assert!(!(received && given.fate == Fate::Unsent), "{cookie} {given:?}");
                if live(given.link) {
                    assert!(received && given.fate == Fate::Settled, "{cookie} {given:?}");
                }
            }
        }
    }

    /// With its session, nothing of a link is left to hear of.
    fn end_sessions(&mut self) {
        for session in self.nodes[0].sessions.clone() {
            self.act(
                0,
                Act::End(self.nodes[0].sessions.iter().position(|s| *s == session).unwrap()),
            );
        }
        self.flush();
        for node in &self.nodes {
            assert!(node.links.is_empty() && node.sessions.is_empty());
            for (cookie, given) in &node.given {
                assert!(given.fate != Fate::Given, "nobody knows of {cookie} {given:?}");
            }
        }
    }
}

fn state() -> impl Strategy<Value = DeliveryState> {
    prop_oneof![
        Just(DeliveryState::Accepted),
        Just(DeliveryState::Released),
        Just(DeliveryState::Rejected(None)),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let which = 0usize..12;
    let attach = (which.clone(), 0usize..NAMES, any::<(bool, bool)>());
    let grant = (which.clone(), 0u32..12, prop::bool::weighted(0.3));
    let len = prop_oneof![4 => 0usize..40, 1 => 400usize..2500];
    let deliver = (which.clone(), len, prop::bool::weighted(0.2), 1usize..6);
    let dispose = (which.clone(), 1usize..20, prop::bool::weighted(0.8), state());
    prop_oneof![
        1 => Just(Act::Begin),
        1 => which.clone().prop_map(Act::End),
        5 => attach.prop_map(|(session, name, (sends, second))| {
            Act::Attach { session, name, sends, second }
        }),
        6 => (which.clone(), prop::bool::weighted(0.1))
            .prop_map(|(which, refuse)| Act::Answer { which, refuse }),
        12 => grant.prop_map(|(link, credit, drain)| Act::Grant { link, credit, drain }),
        10 => deliver.prop_map(|(link, len, settled, times)| {
            Act::Deliver { link, len, settled, times }
        }),
        3 => which.clone().prop_map(Act::Drained),
        6 => dispose.prop_map(|(session, many, settled, state)| {
            Act::Dispose { session, many, settled, state }
        }),
        3 => which.clone().prop_map(Act::SettleSent),
        1 => (which, any::<bool>()).prop_map(|(link, closed)| Act::Detach { link, closed }),
        20 => prop_oneof![1usize..100, 100usize..3000].prop_map(Act::Transmit),
        24 => prop_oneof![1usize..20, 20usize..3000].prop_map(Act::Hear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_engines_never_quarrel(
        messages in any::<bool>(),
        windows in [1u32..6, 1u32..40],
        acts in vec((0usize..2, act()), 0..200),
    ) {
        let framing = if messages { Framing::Messages } else { Framing::Stream };
        let mut world = World::new(framing, windows);
        for (at, act) in acts {
            world.act(at, act);
        }
        world.finish();
        world.end_sessions();
        world.nodes[0].us.close(None).unwrap();
        world.flush();
        for node in &world.nodes {
            prop_assert!(node.closed.as_ref().is_some_and(|closed| closed.clean));
        }
    }
}
