//! Messages out: which session gets the next message of a queue, and what comes back.

use super::Shard;
use crate::command::{ConnectionId, ConsumerId, Outcome, SessionId};
use crate::limits::{SESSION_UNSETTLED_MAX, SESSION_UNSETTLED_MAX_BYTES};
use crate::output::{DeathReason, Delivery, Event};
use crate::record::{QueueId, Record};
use crate::state::queue::Queue;
use crate::state::session::Outbound;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which attached sessions consume which queue, and which queues may have work.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    by_queue: BTreeMap<QueueId, Feed>,
    dirty: BTreeSet<QueueId>,
}

#[derive(Debug, Default)]
struct Feed {
    sessions: Vec<SessionId>,
    /// Whose turn it is.
    turn: usize,
}

impl Feeds {
    /// The queue may have something for somebody.
    pub(super) fn mark(&mut self, queue: QueueId) {
        if self.by_queue.contains_key(&queue) {
            self.dirty.insert(queue);
        }
    }

    pub(super) fn add(&mut self, queue: QueueId, session: SessionId) {
        let feed = self.by_queue.entry(queue).or_default();
        if !feed.sessions.contains(&session) {
            feed.sessions.push(session);
        }
        self.dirty.insert(queue);
    }

    pub(super) fn remove(&mut self, queue: QueueId, session: SessionId) {
        if let Some(feed) = self.by_queue.get_mut(&queue) {
            feed.sessions.retain(|other| *other != session);
            if feed.sessions.is_empty() {
                self.by_queue.remove(&queue);
            }
        }
    }

    /// The next session in turn that has room.
    fn pick(&mut self, queue: QueueId, has_room: impl Fn(SessionId) -> bool) -> Option<SessionId> {
        let feed = self.by_queue.get_mut(&queue)?;
        let turn = feed.turn.checked_rem(feed.sessions.len()).unwrap_or(0);
        let (before, after) = feed.sessions.split_at_checked(turn)?;
        let in_turn = (turn..).zip(after).chain((0..).zip(before));
        let (at, session) = in_turn.into_iter().find(|(_, session)| has_room(**session))?;
        let session = *session;
        feed.turn = at.saturating_add(1);
        Some(session)
    }
}

impl Shard {
    /// Hands out what is ready to whoever has room, queue by queue.
    pub(super) fn dispatch_dirty(&mut self) {
        for queue in std::mem::take(&mut self.feeds.dirty) {
            while !self.failed && self.dispatch_one(queue) {}
        }
    }

    fn dispatch_one(&mut self, queue: QueueId) -> bool {
        let Some(entry) = self.state.queues.get(&queue).and_then(|slot| slot.next_ready()) else {
            return false;
        };
        let sessions = &self.state.sessions;
        let has_room = |id| {
            sessions.get(&id).is_some_and(|session| {
                let consumer = session.consumer(queue);
                consumer.is_some_and(|consumer| consumer.unsettled < consumer.credit)
                    && session.unsettled() < SESSION_UNSETTLED_MAX
                    && session.unsettled_bytes() < SESSION_UNSETTLED_MAX_BYTES
            })
        };
        let Some(session) = self.feeds.pick(queue, has_room) else {
            return false;
        };
        let Some(connection) = self.attachments.connection_of(session) else {
            return false;
        };
        self.record(&Record::Dispatch { session, queue, entry });
        let seq = self.state.sessions.get(&session).map_or(0, |session| session.sent());
        self.deliver(connection, seq, queue, entry);
        true
    }

    /// Tells a connection of a delivery that is in its session's ledger.
    pub(super) fn deliver(
        &mut self,
        connection: ConnectionId,
        seq: u64,
        queue: QueueId,
        entry: u64,
    ) {
        let Some(slot) = self.state.queues.get(&queue) else {
            return;
        };
        let Some(view) = slot.entry(entry) else {
            return;
        };
        let Some(message) = self.state.bodies.get(view.message) else {
            return;
        };
        let Some(address) = self.state.addresses.get(&slot.address) else {
            return;
        };
        let delivery = Delivery {
            seq,
            consumer: ConsumerId(0),
            address: Arc::clone(&address.name),
            format: message.format,
            body: message.cached.clone().unwrap_or_else(Bytes::new),
            count: view.count,
            death: message.death.clone(),
            annotations: None,
        };
        self.statistics.delivered = self.statistics.delivered.saturating_add(1);
        if view.count > 0 {
            self.statistics.redelivered = self.statistics.redelivered.saturating_add(1);
        }
        if message.cached.is_some() || message.place.len_bytes == 0 {
            return self.tell(connection, Event::Deliver(delivery));
        }
        // Bodies leave memory only after their frame is stored, so there is a place to read.
        let Some(slice) = self.state.bodies.slice(message.place) else {
            return;
        };
        let answer = self.fetch(slice);
        self.outbox.push_waiting(self.log.barrier(), connection, delivery, answer);
    }

    pub(super) fn settle(&mut self, session: SessionId, first: u64, last: u64, outcome: &Outcome) {
        let Some(ledger) = self.state.sessions.get(&session).map(|session| session.ledger()) else {
            return;
        };
        let first = first.max(ledger.settled.saturating_add(1));
        let last = last.min(ledger.sent);
        if first > last {
            return;
        }
        self.statistics.settled =
            self.statistics.settled.saturating_add(last.saturating_sub(first).saturating_add(1));
        match outcome {
            Outcome::Accepted => {
                self.record(&Record::Accept { session, first, last });
            }
            Outcome::Released | Outcome::Failed | Outcome::Modified { .. } => {
                let counted = *outcome == Outcome::Failed;
                let returned = self.unsettled_in(session, first, last);
                self.record(&Record::Return { session, first, last, counted });
                self.bury_or_mark(&returned);
            }
            Outcome::Rejected { .. } => {
                let returned = self.unsettled_in(session, first, last);
                self.record(&Record::Return { session, first, last, counted: false });
                for outbound in returned {
                    self.dead_letter(outbound, DeathReason::Rejected);
                }
            }
        }
        self.mark_sources(session);
    }

    /// Queues a session consumes may go on: it has room again.
    pub(super) fn mark_sources(&mut self, session: SessionId) {
        let Some(session) = self.state.sessions.get(&session) else {
            return;
        };
        for consumer in &session.consumers {
            let queue = self.state.queues.get(&consumer.queue);
            if queue.is_some_and(Queue::has_ready) {
                self.feeds.mark(consumer.queue);
            }
        }
    }

    fn unsettled_in(&self, session: SessionId, first: u64, last: u64) -> Vec<Outbound> {
        let Some(session) = self.state.sessions.get(&session) else {
            return Vec::new();
        };
        (first..=last).filter_map(|seq| session.unsettled_delivery(seq)).collect()
    }

    /// After deliveries came back: those delivered too often die, the rest is handed out again.
    pub(super) fn bury_or_mark(&mut self, returned: &[Outbound]) {
        for outbound in returned {
            let Some(queue) = self.state.queues.get(&outbound.queue) else {
                continue;
            };
            let Some(view) = queue.entry(outbound.entry) else {
                continue;
            };
            let address = self.state.addresses.get(&queue.address);
            let max = address.map_or(0, |address| self.policies.of(&address.name).deliveries_max);
            if max > 0 && view.count >= max {
                self.dead_letter(*outbound, DeathReason::DeliveriesMax);
            } else {
                self.feeds.mark(outbound.queue);
            }
        }
    }

    fn dead_letter(&mut self, outbound: Outbound, reason: DeathReason) {
        let Outbound { queue, entry, .. } = outbound;
        let Some(slot) = self.state.queues.get(&queue) else {
            return;
        };
        let Some(address) = self.state.addresses.get(&slot.address) else {
            return;
        };
        let (host, name) = (address.host.clone(), Arc::clone(&address.name));
        let to = self.dead_letter_queue_of(host, &name);
        if to == queue {
            // A dead letter that cannot be delivered stays where dead letters are.
            return self.feeds.mark(queue);
        }
        self.statistics.dead_lettered = self.statistics.dead_lettered.saturating_add(1);
        self.record(&Record::DeadLetter { queue, entry, to, reason });
        self.feeds.mark(to);
    }
}
