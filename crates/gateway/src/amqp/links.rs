//! The links of a connection, by the engine's name and by the broker's.

use super::receiving::Producer;
use super::sending::Consumer;
use std::collections::BTreeMap;
use wharf_amqp::engine::{LinkId, SessionId};
use wharf_amqp::performative::Attach;
use wharf_broker::ConsumerId;

/// One link.
#[derive(Debug)]
pub(super) struct Link {
    /// Its name at the broker, never used twice on a connection.
    pub(super) name: ConsumerId,
    /// What was asked for, until it is answered.
    pub(super) asked: Option<Box<Attach>>,
    pub(super) end: End,
}

/// Which end of the link is here.
#[derive(Debug)]
pub(super) enum End {
    Producer(Producer),
    Consumer(Consumer),
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Boxed: a map makes room for eleven, and most connections have one or two.
    by_id: BTreeMap<LinkId, Box<Link>>,
    by_name: BTreeMap<ConsumerId, LinkId>,
    named: u32,
}

impl Links {
    /// The name of the next link.
    pub(super) fn next_name(&mut self) -> ConsumerId {
        self.named = self.named.wrapping_add(1);
        ConsumerId(self.named)
    }

    pub(super) fn insert(&mut self, id: LinkId, link: Link) {
        self.by_name.insert(link.name, id);
        self.by_id.insert(id, Box::new(link));
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Box<Link>> {
        let link = self.by_id.remove(&id)?;
        self.by_name.remove(&link.name);
        Some(link)
    }

    pub(super) fn named(&self, name: ConsumerId) -> Option<LinkId> {
        self.by_name.get(&name).copied()
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.by_id.get_mut(&id).map(Box::as_mut)
    }

    pub(super) fn producer(&mut self, id: LinkId) -> Option<&mut Producer> {
        match &mut self.by_id.get_mut(&id)?.end {
            End::Producer(producer) => Some(producer),
            End::Consumer(_) => None,
        }
    }

    pub(super) fn consumer(&mut self, id: LinkId) -> Option<(ConsumerId, &mut Consumer)> {
        let link = self.by_id.get_mut(&id)?;
        match &mut link.end {
            End::Consumer(consumer) => Some((link.name, consumer)),
            End::Producer(_) => None,
        }
    }

    pub(super) fn consumers(&mut self) -> impl Iterator<Item = (ConsumerId, &mut Consumer)> {
        self.by_id.values_mut().filter_map(|link| match &mut link.end {
            End::Consumer(consumer) => Some((link.name, consumer)),
            End::Producer(_) => None,
        })
    }

    pub(super) fn of_session(&self, session: SessionId) -> Vec<LinkId> {
        self.by_id.keys().filter(|id| id.session == session).copied().collect()
    }
}
