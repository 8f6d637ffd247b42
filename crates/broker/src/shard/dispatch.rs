//! Messages out: which consumer gets the next message of a queue, and what browsers see of it.

use super::Shard;
use super::feeds::Link;
use crate::limits::{SESSION_UNSETTLED_MAX, SESSION_UNSETTLED_MAX_BYTES};
use crate::output::{Delivery, Event};
use crate::record::{QueueId, Record};
use crate::state::session::Session;
use bytes::Bytes;
use std::sync::Arc;

impl Shard {
    /// Hands out what is ready to whoever has room, queue by queue.
    pub(super) fn dispatch_dirty(&mut self) {
        for queue in self.feeds.take_dirty() {
            self.browse(queue);
            while !self.failed && self.dispatch_one(queue) {}
            self.tell_drained(queue);
        }
    }

    fn dispatch_one(&mut self, id: QueueId) -> bool {
        let Some(queue) = self.state.queues.get(&id).filter(|queue| queue.has_ready()) else {
            return false;
        };
        let sessions = &self.state.sessions;
        let has_room = |link: Link| {
            sessions.get(&link.session).is_some_and(|session| {
                let consumer = session.consumer(id, link.consumer);
                has_room(session) && consumer.is_some_and(|consumer| consumer.has_room())
            })
        };
        let Some((link, entry)) = self.feeds.pick(id, queue, has_room) else {
            return false;
        };
        let Link { session, consumer, .. } = link;
        self.record(&Record::Dispatch { session, queue: id, entry, consumer });
        let seq = self.state.sessions.get(&session).map_or(0, Session::sent);
        self.deliver(link, seq, id, entry);
        true
    }

    /// Shows browsers what they have not seen. Nothing is recorded.
    fn browse(&mut self, id: QueueId) {
        let mut browsers = self.feeds.take_browsers(id);
        for browser in &mut browsers {
            while let Some(queue) = self.state.queues.get(&id)
                && let Some(entry) = browser.next(queue)
            {
                let message =
                    queue.entry(entry).and_then(|view| self.state.bodies.get(view.message));
                browser.pass(entry, message.map_or(0, |message| message.place.len_bytes));
                self.deliver(browser.link, 0, id, entry);
            }
        }
        self.feeds.put_browsers(id, browsers);
    }

    fn tell_drained(&mut self, id: QueueId) {
        let Some(queue) = self.state.queues.get(&id) else {
            return;
        };
        for (link, delivered) in self.feeds.take_drained(id, queue) {
            let consumer = link.consumer;
            self.tell(link.connection, Event::Drained { consumer, delivered });
        }
    }

    /// Tells a connection of a delivery that is in its session's ledger, or of a copy.
    pub(super) fn deliver(&mut self, link: Link, seq: u64, queue: QueueId, entry: u64) {
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
            consumer: link.consumer,
            address: Arc::clone(&address.name),
            format: message.format,
            body: message.cached.clone().unwrap_or_else(Bytes::new),
            count: view.count,
            death: message.death.clone(),
            annotations: slot.annotations(entry).cloned(),
        };
        self.statistics.delivered = self.statistics.delivered.saturating_add(1);
        if view.count > 0 {
            self.statistics.redelivered = self.statistics.redelivered.saturating_add(1);
        }
        if message.cached.is_some() || message.place.len_bytes == 0 {
            return self.tell(link.connection, Event::Deliver(delivery));
        }
        // Bodies leave memory only after their frame is stored, so there is a place to read.
        let Some(slice) = self.state.bodies.slice(message.place) else {
            return;
        };
        let answer = self.fetch(slice);
        self.outbox.push_waiting(self.log.barrier(), link.connection, delivery, answer);
    }

    /// Queues a session consumes may go on: it has room again.
    pub(super) fn mark_sources(&mut self, session: crate::command::SessionId) {
        let Some(session) = self.state.sessions.get(&session) else {
            return;
        };
        for consumer in session.consumers() {
            let queue = self.state.queues.get(&consumer.queue);
            if queue.is_some_and(|queue| queue.has_ready()) {
                self.feeds.mark(consumer.queue);
            }
        }
    }
}

/// Whether the session's own bounds let one more delivery pass.
fn has_room(session: &Session) -> bool {
    session.unsettled() < SESSION_UNSETTLED_MAX
        && session.unsettled_bytes() < SESSION_UNSETTLED_MAX_BYTES
}
