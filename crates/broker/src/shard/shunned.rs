//! Entries that a consumer has sent back for others (AMQP 3.4.5, undeliverable-here).

use crate::command::{ConsumerId, SessionId};
use crate::record::QueueId;
use crate::state::queue::Queue;
use std::collections::{BTreeMap, BTreeSet};

/// By queue and consumer. Not durable; outlives the connection.
#[derive(Debug, Default)]
pub(super) struct Shunned {
    by_consumer: BTreeMap<(QueueId, SessionId, ConsumerId), Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    entries: BTreeSet<u64>,
    /// Every entry below that is in the queue and not out is in `entries`: so a queue of shunned
    /// entries is not searched again for each delivery.
    from: u64,
    /// How many there may be before those that have left the queue are looked for.
    sweep_at: usize,
}

impl Shunned {
    /// The oldest entry of the queue that this consumer may be given.
    pub(super) fn next_for(
        &mut self,
        id: QueueId,
        session: SessionId,
        consumer: ConsumerId,
        queue: &Queue,
    ) -> Option<u64> {
        if self.by_consumer.is_empty() {
            return queue.next_ready();
        }
        let Some(shunned) = self.by_consumer.get_mut(&(id, session, consumer)) else {
            return queue.next_ready();
        };
        while let Some(entry) = queue.next_returned(shunned.from) {
            if !shunned.entries.contains(&entry) {
                return Some(entry);
            }
            shunned.from = entry.saturating_add(1);
        }
        queue.first_fresh()
    }

    /// The consumer is not given this entry any more.
    pub(super) fn add(
        &mut self,
        id: QueueId,
        session: SessionId,
        consumer: ConsumerId,
        entry: u64,
        queue: &Queue,
    ) {
        let shunned = self.by_consumer.entry((id, session, consumer)).or_default();
        shunned.entries.insert(entry);
        if shunned.entries.len() >= shunned.sweep_at.max(64) {
            shunned.entries.retain(|entry| queue.entry(*entry).is_some());
            shunned.sweep_at = shunned.entries.len().saturating_mul(2);
        }
    }

    /// The entry came back; whoever does not shun it may be given it.
    pub(super) fn came_back(&mut self, queue: QueueId, entry: u64) {
        for (_, shunned) in self.by_consumer.range_mut(of(queue)) {
            shunned.from = shunned.from.min(entry);
        }
    }

    /// The consumer is over.
    pub(super) fn forget(&mut self, queue: QueueId, session: SessionId, consumer: ConsumerId) {
        self.by_consumer.remove(&(queue, session, consumer));
    }

    /// The queue is over.
    pub(super) fn forget_queue(&mut self, queue: QueueId) {
        self.by_consumer.extract_if(of(queue), |_, _| true).for_each(drop);
    }
}

/// Everything of one queue.
fn of(queue: QueueId) -> std::ops::RangeInclusive<(QueueId, SessionId, ConsumerId)> {
    let last = (queue, SessionId(u64::MAX), ConsumerId(u32::MAX));
    (queue, SessionId(0), ConsumerId(0))..=last
}
