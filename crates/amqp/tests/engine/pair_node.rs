//! One of two engines that talk to each other, with its caller's books.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use wharf_amqp::engine::{
    Closed, Config, Connection, LinkId, Outcome, OutgoingDelivery, SessionId,
};
use wharf_amqp::performative::Attach;
use wharf_amqp::tag::Tag;

/// One side's link, as its caller sees it.
#[derive(Debug)]
pub(crate) struct Link {
    /// Which of all links this is, at both ends.
    pub(crate) number: u32,
    pub(crate) sends: bool,
    /// Deliveries given to the engine.
    pub(crate) given: u32,
    pub(crate) limit: u64,
    /// Last message received.
    pub(crate) received: Option<u32>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Given,
    Unsent,
    Settled,
}

#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) link: u32,
    pub(crate) message: u32,
    pub(crate) fate: Fate,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) us: Connection,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) sessions: Vec<SessionId>,
    pub(crate) asked: Vec<(LinkId, Attach)>,
    pub(crate) drains: Vec<LinkId>,
    /// Deliveries received and not settled here, by session.
    pub(crate) open: BTreeMap<SessionId, BTreeSet<u32>>,
    /// Outcomes that wait for our settling.
    pub(crate) decided: Vec<Outcome>,
    pub(crate) given: BTreeMap<u64, Given>,
    /// On its way to the other: headers, and everything behind them.
    pub(crate) headers: VecDeque<Vec<u8>>,
    pub(crate) wire: VecDeque<u8>,
    pub(crate) closed: Option<Closed>,
}

impl Node {
    pub(crate) fn new(config: Config) -> Self {
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

    pub(crate) fn session(&self, which: usize) -> Option<SessionId> {
        self.sessions.get(which % self.sessions.len().max(1)).copied()
    }

    pub(crate) fn link(&self, which: usize, sends: bool) -> Option<LinkId> {
        let links: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| link.sends == sends).map(|(id, _)| *id).collect();
        links.get(which % links.len().max(1)).copied()
    }

    pub(crate) fn gone(&mut self, id: LinkId) {
        self.links.remove(&id);
        self.asked.retain(|(asked, _)| *asked != id);
        self.drains.retain(|drain| *drain != id);
    }

    pub(crate) fn end(&mut self, session: SessionId) {
        self.sessions.retain(|of| *of != session);
        self.open.remove(&session);
        self.decided.retain(|outcome| outcome.link.session != session);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        links.into_iter().filter(|id| id.session == session).for_each(|id| self.gone(id));
        self.asked.retain(|(id, _)| id.session != session);
    }

    pub(crate) fn fate(&mut self, cookie: u64, fate: Fate) {
        let given = self.given.get_mut(&cookie).expect("given before");
        assert_eq!(given.fate, Fate::Given, "{cookie} is told twice");
        given.fate = fate;
    }

    pub(crate) fn outcome(&mut self, outcome: Outcome) {
        for cookie in outcome.first..=outcome.last {
            if outcome.settled {
                self.fate(cookie, Fate::Settled);
            }
        }
        if !outcome.settled {
            self.decided.push(outcome);
        }
    }

    pub(crate) fn deliver(&mut self, id: LinkId, len: usize, settled: bool) {
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
