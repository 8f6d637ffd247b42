//! Messages come in, go out to consumers, and are settled.

use super::bodies::{MessageKey, NewMessage};
use super::queue::Attempt;
use super::session::Outbound;
use super::{BodyAt, Inconsistent, NO_QUEUE, NO_SESSION, State};
use crate::command::{ConsumerId, SessionId};
use crate::limits::BLAMED_MAX;
use crate::output::{Death, DeathReason};
use crate::record::QueueId;
use bytes::Bytes;
use std::sync::Arc;

impl State {
    pub(super) fn publish(
        &mut self,
        queues: &[QueueId],
        death: Option<&Death>,
        format: u8,
        body: BodyAt,
    ) -> Result<Option<MessageKey>, Inconsistent> {
        let death = death.map(|death| Arc::new(death.clone()));
        let key = self
            .bodies
            .insert(NewMessage {
                place: body.place,
                format,
                death,
                cached: body.cached,
                at_ms: self.clock_ms,
            })
            .ok_or(Inconsistent { what: "too many messages" })?;
        for queue in queues {
            let queue = self.queues.get_mut(queue).ok_or(NO_QUEUE)?;
            queue.push(key);
            queue.grow(body.place.len_bytes);
            self.bodies.refer(key);
        }
        if queues.is_empty() {
            self.bodies.discard_unreferenced(key);
            return Ok(None);
        }
        Ok(Some(key))
    }

    pub(super) fn consume(
        &mut self,
        session: SessionId,
        queue: QueueId,
        consumer: ConsumerId,
        window: Option<u32>,
    ) -> Result<(), Inconsistent> {
        self.session_mut(session)?.consume(queue, consumer, window);
        let slot = self.queues.get_mut(&queue).filter(|slot| !slot.closed).ok_or(NO_QUEUE)?;
        slot.add_consumer((session, consumer));
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        session: SessionId,
        queue: QueueId,
        consumer: ConsumerId,
    ) -> Result<(), Inconsistent> {
        self.session_mut(session)?.cancel(queue, consumer);
        let slot = self.queues.get_mut(&queue).ok_or(NO_QUEUE)?;
        slot.remove_consumer((session, consumer));
        if slot.owner == Some((session, consumer)) && !slot.closed {
            self.close_queue(queue)?;
        }
        Ok(())
    }

    pub(super) fn dispatch(
        &mut self,
        session: SessionId,
        queue: QueueId,
        entry: u64,
        consumer: ConsumerId,
    ) -> Result<(), Inconsistent> {
        let slot = self.queues.get_mut(&queue).ok_or(NO_QUEUE)?;
        let message = slot
            .dispatch(entry)
            .ok_or(Inconsistent { what: "dispatch of an entry that is not next" })?;
        let message = self.bodies.get(message);
        let len_bytes = message.map_or(0, |message| message.place.len_bytes);
        self.session_mut(session)?.dispatch(Outbound { queue, entry, consumer, len_bytes });
        Ok(())
    }

    pub(super) fn accept(
        &mut self,
        session: SessionId,
        first: u64,
        last: u64,
    ) -> Result<(), Inconsistent> {
        let Self { sessions, queues, bodies, .. } = self;
        let ledger = sessions.get_mut(&session).ok_or(NO_SESSION)?;
        let mut emptied = Vec::new();
        for seq in first.max(ledger.first_unsettled())..=last.min(ledger.sent()) {
            let Some(Outbound { queue, entry, .. }) = ledger.settle(seq) else {
                continue;
            };
            let Some(slot) = queues.get_mut(&queue) else {
                continue;
            };
            if let Some(message) = slot.remove(entry) {
                slot.shrink(bodies.len_bytes(message));
                bodies.release(message);
            }
            if (slot.closed || slot.dynamic) && slot.is_empty() {
                emptied.push(queue);
            }
        }
        emptied.into_iter().for_each(|queue| self.look_at(queue));
        Ok(())
    }

    pub(super) fn give_back(
        &mut self,
        session: SessionId,
        first: u64,
        last: u64,
        counted: bool,
        annotations: Option<&Bytes>,
    ) -> Result<(), Inconsistent> {
        let ledger = self.session_mut(session)?;
        for seq in first.max(ledger.first_unsettled())..=last.min(ledger.sent()) {
            let ledger = self.sessions.get_mut(&session).ok_or(NO_SESSION)?;
            if let Some(outbound) = ledger.settle(seq) {
                let attempt = if counted { Attempt::Failed } else { Attempt::None };
                self.put_back(outbound, attempt, annotations);
            }
        }
        Ok(())
    }

    fn put_back(&mut self, outbound: Outbound, attempt: Attempt, annotations: Option<&Bytes>) {
        let Outbound { queue, entry, .. } = outbound;
        let Some(slot) = self.queues.get_mut(&queue) else {
            return;
        };
        if !slot.closed {
            slot.give_back(entry, attempt, annotations);
            return;
        }
        if let Some(message) = slot.remove(entry) {
            self.bodies.release(message);
        }
        self.look_at(queue);
    }

    pub(super) fn end_session(&mut self, id: SessionId) -> Result<(), Inconsistent> {
        let session = self.sessions.remove(&id).ok_or(NO_SESSION)?;
        if self.keys.get(&session.key) == Some(&id) {
            self.keys.remove(&session.key);
        }
        for consumer in session.consumers() {
            if let Some(queue) = self.queues.get_mut(&consumer.queue) {
                queue.remove_consumer((id, consumer.name));
            }
        }
        for (at, (_, outbound)) in session.outbound().enumerate() {
            let blamed = at < BLAMED_MAX;
            let attempt = if blamed { Attempt::Failed } else { Attempt::Made };
            self.put_back(outbound, attempt, None);
        }
        for owned in session.owned {
            if self.queues.get(&owned).is_some_and(|queue| !queue.closed) {
                self.close_queue(owned)?;
            }
        }
        Ok(())
    }

    /// An entry that is not out goes to other queues, or away.
    pub(super) fn move_entry(
        &mut self,
        from: QueueId,
        entry: u64,
        to: &[QueueId],
    ) -> Result<(), Inconsistent> {
        let slot = self.queues.get_mut(&from).ok_or(NO_QUEUE)?;
        let message =
            slot.take(entry).ok_or(Inconsistent { what: "an entry moves that cannot" })?;
        let len_bytes = self.bodies.len_bytes(message);
        slot.shrink(len_bytes);
        for queue in to {
            let queue = self.queues.get_mut(queue).ok_or(NO_QUEUE)?;
            queue.push(message);
            queue.grow(len_bytes);
            self.bodies.refer(message);
        }
        self.bodies.release(message);
        self.look_at(from);
        Ok(())
    }

    /// A dead letter goes to other queues as the message that it was.
    pub(super) fn revive(
        &mut self,
        from: QueueId,
        entry: u64,
        to: &[QueueId],
    ) -> Result<(), Inconsistent> {
        let slot = self.queues.get_mut(&from).ok_or(NO_QUEUE)?;
        let dead = slot.take(entry).ok_or(Inconsistent { what: "an entry revives that cannot" })?;
        let len_bytes = self.bodies.len_bytes(dead);
        slot.shrink(len_bytes);
        let message = self.bodies.copy(dead, None, self.clock_ms);
        let message = message.ok_or(Inconsistent { what: "too many messages" })?;
        self.bodies.release(dead);
        for queue in to {
            let queue = self.queues.get_mut(queue).ok_or(NO_QUEUE)?;
            queue.push(message);
            queue.grow(len_bytes);
            self.bodies.refer(message);
        }
        if to.is_empty() {
            self.bodies.discard_unreferenced(message);
        }
        self.look_at(from);
        Ok(())
    }

    /// Entries that were never out go away, up to but not with `below`.
    pub(super) fn trim(&mut self, id: QueueId, below: u64) -> Result<(), Inconsistent> {
        let queue = self.queues.get_mut(&id).ok_or(NO_QUEUE)?;
        let mut dropped = Vec::new();
        while let Some(first) = queue.first_fresh().filter(|first| *first < below) {
            let message = queue.take(first);
            queue.shrink(message.map_or(0, |message| self.bodies.len_bytes(message)));
            dropped.extend(message);
        }
        dropped.into_iter().for_each(|message| self.bodies.release(message));
        self.look_at(id);
        Ok(())
    }

    pub(super) fn dead_letter(
        &mut self,
        queue: QueueId,
        entry: u64,
        to: QueueId,
        reason: DeathReason,
        detail: Option<String>,
    ) -> Result<(), Inconsistent> {
        let from = self.queues.get_mut(&queue).ok_or(NO_QUEUE)?;
        let address = self.addresses.get(&from.address);
        let address = address.map(|address| address.name.to_string()).unwrap_or_default();
        let annotations = from.take_annotations(entry);
        let message = if from.can_take(entry) { from.take(entry) } else { from.remove(entry) };
        let message = message.ok_or(Inconsistent { what: "dead letter without an entry" })?;
        let len_bytes = self.bodies.len_bytes(message);
        from.shrink(len_bytes);
        let death = Death { reason, address, detail };
        let dead = self.bodies.copy(message, Some(Arc::new(death)), self.clock_ms);
        self.bodies.release(message);
        let dead = dead.ok_or(Inconsistent { what: "too many messages" })?;
        let slot = self.queues.get_mut(&to).ok_or(NO_QUEUE)?;
        let dead_entry = slot.push(dead);
        slot.grow(len_bytes);
        if let Some(annotations) = annotations {
            slot.annotate(dead_entry, annotations);
        }
        self.bodies.refer(dead);
        self.look_at(queue);
        Ok(())
    }
}
