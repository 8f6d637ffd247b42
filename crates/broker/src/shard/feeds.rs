//! Who waits for the messages of which queue, and how far deliveries flow to them. Nothing of it
//! is durable: it is known of sessions with a connection, as long as they have it.

use super::shunned::Shunned;
use crate::command::{ConnectionId, ConsumerId, SessionId};
use crate::limits::BROWSED_MAX_BYTES;
use crate::record::QueueId;
use crate::state::queue::Queue;
use std::collections::{BTreeMap, BTreeSet};

/// Whom a consumer or browser serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Link {
    pub(super) session: SessionId,
    pub(super) consumer: ConsumerId,
    pub(super) connection: ConnectionId,
}

impl Link {
    fn name(&self) -> (SessionId, ConsumerId) {
        (self.session, self.consumer)
    }
}

/// How far deliveries flow where no window says so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    delivered: u64,
    limit: u64,
    draining: bool,
}

impl Flow {
    fn is_open(&self) -> bool {
        self.delivered < self.limit
    }
}

/// Which consumers have which queue, and which queues may have work.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    by_queue: BTreeMap<QueueId, Feed>,
    dirty: BTreeSet<QueueId>,
    /// Where to find whom a `Flow` is for.
    limited: BTreeMap<(SessionId, ConsumerId), QueueId>,
    shunned: Shunned,
}

#[derive(Debug, Default)]
struct Feed {
    members: Vec<Member>,
    /// Whose turn it is.
    turn: usize,
    browsers: Vec<Browser>,
    /// Somebody waits to be told that it is drained.
    draining: bool,
}

/// A consumer. Without a flow it is its window that says how far deliveries go.
#[derive(Clone, Copy, Debug)]
struct Member {
    link: Link,
    flow: Option<Flow>,
}

/// Who looks at a queue and leaves everything there.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) link: Link,
    flow: Flow,
    /// The first entry not seen.
    next: u64,
    /// Handed out since the last `Flow`.
    handed_bytes: u64,
}

impl Browser {
    pub(super) fn new(link: Link) -> Self {
        Self { link, flow: Flow::default(), next: 0, handed_bytes: 0 }
    }

    /// The entry to show next, if there is one and it may be.
    pub(super) fn next(&self, queue: &Queue) -> Option<u64> {
        let may = self.flow.is_open() && self.handed_bytes < BROWSED_MAX_BYTES;
        may.then(|| queue.next_in(self.next)).flatten()
    }

    /// An entry was shown.
    pub(super) fn pass(&mut self, entry: u64, len_bytes: u32) {
        self.next = entry.saturating_add(1);
        self.flow.delivered = self.flow.delivered.saturating_add(1);
        // An event costs memory, however small the message.
        self.handed_bytes =
            self.handed_bytes.saturating_add(u64::from(len_bytes)).saturating_add(256);
    }
}

impl Feeds {
    /// The queue may have something for somebody.
    pub(super) fn mark(&mut self, queue: QueueId) {
        if self.by_queue.contains_key(&queue) {
            self.dirty.insert(queue);
        }
    }

    /// An entry came back to its queue.
    pub(super) fn mark_returned(&mut self, queue: QueueId, entry: u64) {
        self.shunned.came_back(queue, entry);
        self.mark(queue);
    }

    /// The queues that may have work, to be looked at now.
    pub(super) fn take_dirty(&mut self) -> BTreeSet<QueueId> {
        std::mem::take(&mut self.dirty)
    }

    /// Adds a consumer, or begins the count of one anew.
    pub(super) fn add(&mut self, queue: QueueId, link: Link, is_limited: bool) {
        let flow = is_limited.then(Flow::default);
        if is_limited {
            self.name(queue, link);
        }
        let feed = self.by_queue.entry(queue).or_default();
        match feed.members.iter_mut().find(|other| other.link.name() == link.name()) {
            Some(known) => *known = Member { link, flow },
            None => {
                if feed.members.is_empty() {
                    // Most queues of people have one.
                    feed.members.reserve_exact(1);
                }
                feed.members.push(Member { link, flow });
            }
        }
        self.dirty.insert(queue);
    }

    /// Adds a browser, which begins with the oldest message.
    pub(super) fn add_browser(&mut self, queue: QueueId, link: Link) {
        self.name(queue, link);
        self.by_queue.entry(queue).or_default().browsers.push(Browser::new(link));
    }

    /// A `Flow` for this name is for this queue from now on. A browser that had the name is over.
    fn name(&mut self, queue: QueueId, link: Link) {
        self.remove_browser(link.session, link.consumer);
        self.limited.insert(link.name(), queue);
    }

    pub(super) fn remove(&mut self, queue: QueueId, session: SessionId, consumer: ConsumerId) {
        let name = (session, consumer);
        if self.limited.get(&name) == Some(&queue) {
            self.limited.remove(&name);
        }
        if let Some(feed) = self.by_queue.get_mut(&queue) {
            feed.members.retain(|member| member.link.name() != name);
            self.drop_if_idle(queue);
        }
    }

    /// Whether there was such a browser.
    pub(super) fn remove_browser(&mut self, session: SessionId, consumer: ConsumerId) -> bool {
        let name = (session, consumer);
        let Some(queue) = self.limited.get(&name).copied() else {
            return false;
        };
        let Some(feed) = self.by_queue.get_mut(&queue) else {
            return false;
        };
        let before = feed.browsers.len();
        feed.browsers.retain(|browser| browser.link.name() != name);
        let found = feed.browsers.len() < before;
        if found {
            self.limited.remove(&name);
            self.drop_if_idle(queue);
        }
        found
    }

    /// The session has lost its connection: its browsers end.
    pub(super) fn remove_browsers_of(&mut self, session: SessionId) {
        let names = (session, ConsumerId(0))..=(session, ConsumerId(u32::MAX));
        let limited: Vec<ConsumerId> = self.limited.range(names).map(|((_, it), _)| *it).collect();
        for consumer in limited {
            self.remove_browser(session, consumer);
        }
    }

    fn drop_if_idle(&mut self, queue: QueueId) {
        let is_idle = |feed: &Feed| feed.members.is_empty() && feed.browsers.is_empty();
        if self.by_queue.get(&queue).is_some_and(is_idle) {
            self.by_queue.remove(&queue);
        }
    }

    /// The queue is closed. Tells whom it served.
    pub(super) fn close(&mut self, queue: QueueId) -> Vec<Link> {
        self.shunned.forget_queue(queue);
        let feed = self.by_queue.remove(&queue).unwrap_or_default();
        let links: Vec<Link> = feed
            .members
            .iter()
            .map(|member| member.link)
            .chain(feed.browsers.iter().map(|browser| browser.link))
            .collect();
        for link in &links {
            if self.limited.get(&link.name()) == Some(&queue) {
                self.limited.remove(&link.name());
            }
        }
        links
    }

    /// Sets how far deliveries flow.
    pub(super) fn set_flow(
        &mut self,
        session: SessionId,
        consumer: ConsumerId,
        limit: u64,
        drain: bool,
    ) {
        let name = (session, consumer);
        let Some(queue) = self.limited.get(&name).copied() else { return };
        let Some(feed) = self.by_queue.get_mut(&queue) else { return };
        for member in feed.members.iter_mut().filter(|member| member.link.name() == name) {
            if let Some(flow) = &mut member.flow {
                (flow.limit, flow.draining) = (limit, drain);
            }
        }
        for browser in feed.browsers.iter_mut().filter(|browser| browser.link.name() == name) {
            (browser.flow.limit, browser.flow.draining) = (limit, drain);
            browser.handed_bytes = 0;
        }
        feed.draining |= drain;
        self.dirty.insert(queue);
    }

    /// The next consumer in turn that has room, and the oldest entry that it may be given.
    pub(super) fn pick(
        &mut self,
        id: QueueId,
        queue: &Queue,
        has_room: impl Fn(Link) -> bool,
    ) -> Option<(Link, u64)> {
        let feed = self.by_queue.get_mut(&id)?;
        let turn = feed.turn.checked_rem(feed.members.len()).unwrap_or(0);
        let (before, after) = feed.members.split_at_mut_checked(turn)?;
        let in_turn = (turn..).zip(after).chain((0..).zip(before));
        for (at, member) in in_turn {
            let is_open = member.flow.is_none_or(|flow| flow.is_open());
            if !is_open || !has_room(member.link) {
                continue;
            }
            let (session, consumer) = member.link.name();
            let Some(entry) = self.shunned.next_for(id, session, consumer, queue) else {
                continue;
            };
            if let Some(flow) = &mut member.flow {
                flow.delivered = flow.delivered.saturating_add(1);
            }
            let link = member.link;
            feed.turn = at.saturating_add(1);
            return Some((link, entry));
        }
        None
    }

    /// Those who asked for a drain and have been given everything, with their counts.
    pub(super) fn take_drained(&mut self, id: QueueId, queue: &Queue) -> Vec<(Link, u64)> {
        let mut drained = Vec::new();
        let Some(feed) = self.by_queue.get_mut(&id).filter(|feed| feed.draining) else {
            return drained;
        };
        feed.draining = false;
        let mut end = |link: Link, flow: &mut Flow| {
            if flow.draining {
                (flow.limit, flow.draining) = (flow.delivered, false);
                drained.push((link, flow.delivered));
            }
        };
        for member in &mut feed.members {
            if let Some(flow) = &mut member.flow {
                end(member.link, flow);
            }
        }
        for browser in &mut feed.browsers {
            // One that was stopped by its bytes is not at the end.
            if browser.flow.is_open() && queue.next_in(browser.next).is_some() {
                feed.draining |= browser.flow.draining;
            } else {
                end(browser.link, &mut browser.flow);
            }
        }
        drained
    }

    pub(super) fn take_browsers(&mut self, queue: QueueId) -> Vec<Browser> {
        let feed = self.by_queue.get_mut(&queue);
        feed.map(|feed| std::mem::take(&mut feed.browsers)).unwrap_or_default()
    }

    pub(super) fn put_browsers(&mut self, queue: QueueId, browsers: Vec<Browser>) {
        if let Some(feed) = self.by_queue.get_mut(&queue) {
            feed.browsers = browsers;
        }
    }

    /// Which consumer shall not be given which entry again.
    pub(super) fn shunned(&mut self) -> &mut Shunned {
        &mut self.shunned
    }
}
