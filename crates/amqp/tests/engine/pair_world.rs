//! Two engines and the wire between them.

use crate::pair_node::{Fate, Link, Node};
use crate::trace::config;
use std::collections::BTreeMap;
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{
    AttachAnswer, AttachRequest, Config, Event, Framing, Input, LinkId, Misuse, Outcome,
    Role as Side, SessionId, Transferred,
};
use wharf_amqp::frame::PROTOCOL_HEADER_BYTES;
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Attach, Open, ReceiverSettleMode, Role};
use wharf_amqp::tag::Tag;
use wharf_amqp::value::Value;

/// What a caller does, or the network; numbers choose among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Act {
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

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) nodes: [Node; 2],
    pub(crate) framing: Framing,
    pub(crate) links: u32,
    /// Messages received, by link.
    pub(crate) received: BTreeMap<u32, Vec<u32>>,
}

pub(crate) const NAMES: usize = 3;

impl World {
    pub(crate) fn new(framing: Framing, windows: [u32; 2]) -> Self {
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

    pub(crate) fn act(&mut self, at: usize, act: Act) {
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

    pub(crate) fn attach(
        &mut self,
        at: usize,
        session: SessionId,
        name: usize,
        sends: bool,
        second: bool,
    ) {
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

    pub(crate) fn answer(&mut self, at: usize, id: LinkId, attach: &Attach, refuse: bool) {
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
    pub(crate) fn dispose(
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

    pub(crate) fn settle(&mut self, at: usize, decided: &Outcome) {
        let node = &mut self.nodes[at];
        let Outcome { link, first, last, ref state, .. } = *decided;
        node.us.settle_sent(link, first, last, state.as_ref()).expect("it is there");
        for cookie in first..=last {
            if node.given[&cookie].fate == Fate::Given {
                node.fate(cookie, Fate::Settled);
            }
        }
    }

    pub(crate) fn transmit(&mut self, at: usize, budget: usize) -> bool {
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
    pub(crate) fn hear(&mut self, at: usize, len: usize) -> bool {
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

    pub(crate) fn events(&mut self, at: usize) {
        while let Some(event) = self.nodes[at].us.poll_event(&mut Input::empty()) {
            self.on_event(at, event);
        }
    }

    pub(crate) fn on_event(&mut self, at: usize, event: Event<'_>) {
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

    pub(crate) fn on_message(&mut self, at: usize, message: &Transferred<'_>) {
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
    pub(crate) fn flush(&mut self) {
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
    pub(crate) fn finish(&mut self) {
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
    pub(crate) fn check_credit(&self) {
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
    pub(crate) fn check_messages(&self) {
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
    pub(crate) fn end_sessions(&mut self) {
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
