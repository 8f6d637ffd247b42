//! How long messages wait and how many may: what a policy says of age and length. Without a policy
//! that says so, nothing here costs anything.

use super::Shard;
use super::route::Route;
use crate::command::Unroutable;
use crate::limits::{CLOCK_RESOLUTION_MS, EXPIRED_AT_ONCE_MAX};
use crate::output::DeathReason;
use crate::policy::{Overflow, Policy, SYSTEM_PREFIX};
use crate::record::{QueueId, Record};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// When the oldest message of a queue has waited long enough. Not durable.
#[derive(Debug, Default)]
pub(super) struct Expiries {
    due: BTreeSet<(Timestamp, QueueId)>,
    by_queue: BTreeMap<QueueId, Timestamp>,
}

impl Expiries {
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    fn add(&mut self, queue: QueueId, at: Timestamp) {
        self.by_queue.insert(queue, at);
        self.due.insert((at, queue));
    }

    fn pop(&mut self, now: Timestamp) -> Option<QueueId> {
        let (at, queue) = *self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, queue));
        self.by_queue.remove(&queue);
        Some(queue)
    }

    fn clear(&mut self) {
        self.due.clear();
        self.by_queue.clear();
    }
}

impl Shard {
    /// Tells the time to what is done outside `handle`.
    pub fn tell_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// Records the time, once in a while, before a message comes.
    pub(super) fn note_time(&mut self) {
        if self.now.0 >= self.state.clock_ms.saturating_add(CLOCK_RESOLUTION_MS) {
            self.record(&Record::Clock { at_ms: self.now.0 });
        }
    }

    fn policy_of(&self, queue: QueueId) -> Option<&Policy> {
        let address = self.state.queues.get(&queue)?.address;
        // What a person keeps is bounded by its service.
        let address = self.state.addresses.get(&address).filter(|it| !it.is_mailbox())?;
        Some(self.policies.of(&address.name))
    }

    /// Takes the queues that are full and say so off a route.
    pub(super) fn refuse_full(
        &self,
        route: Route,
        len_bytes: usize,
        unroutable: Unroutable,
    ) -> Route {
        if !self.policies.has_bounds() {
            return route;
        }
        let Route { queues, mut dead } = route;
        let full = |queue: &QueueId| {
            let policy = self.policy_of(*queue)?;
            let rejects = policy.overflow == Overflow::Reject
                && self.is_full(*queue, policy, 1, len_bytes as u64);
            let address = self.state.queues.get(queue).filter(|_| rejects)?.address;
            self.state.addresses.get(&address).map(|address| address.name.to_string())
        };
        let mut open = Vec::with_capacity(queues.len());
        for queue in queues.iter() {
            match full(queue) {
                None => open.push(*queue),
                Some(name) => dead.push((DeathReason::QueueFull, name)),
            }
        }
        if open.len() == queues.len() {
            return Route { queues, dead };
        }
        // A sender who is told that it went nowhere sends it again: then it must be so.
        if unroutable == Unroutable::Decline {
            open.clear();
        }
        Route { queues: Arc::from(open), dead }
    }

    /// Whether a queue holds more than its policy says, with so much more.
    fn is_full(&self, queue: QueueId, policy: &Policy, more: u64, more_bytes: u64) -> bool {
        let Some(queue) = self.state.queues.get(&queue) else { return false };
        let over = |max: u64, is: u64| max > 0 && is > max;
        over(policy.messages_max, (queue.len() as u64).saturating_add(more))
            || over(policy.bytes_max, queue.bytes().saturating_add(more_bytes))
    }

    /// After messages have come: what is too much goes, the oldest first, and what will be too old
    /// is watched.
    pub(super) fn keep_bounds(&mut self, queues: &[QueueId]) {
        if self.policies.has_bounds() {
            self.cut_to_bounds(queues);
        }
    }

    /// The same, whatever the policies are.
    pub(super) fn cut_to_bounds(&mut self, queues: &[QueueId]) {
        for queue in queues {
            while let Some(policy) = self.policy_of(*queue)
                && policy.overflow == Overflow::DropOldest
                && self.is_full(*queue, policy, 0, 0)
                && let Some(entry) = self.state.queues.get(queue).and_then(|it| it.next_ready())
                && !self.failed
            {
                self.kill(*queue, entry, DeathReason::QueueFull);
            }
            self.watch(*queue);
        }
    }

    /// An entry that is not out dies.
    fn kill(&mut self, queue: QueueId, entry: u64, reason: DeathReason) {
        // What the broker has told is nobody's letter.
        let address = self.state.queues.get(&queue).map(|queue| queue.address);
        let address = address.and_then(|id| self.state.addresses.get(&id));
        let is_own = address.is_some_and(|address| address.name.starts_with(SYSTEM_PREFIX));
        if is_own || !self.bury_entry(queue, entry, reason, None) {
            self.record(&Record::Move { queue, entry, to: Vec::new() });
        }
    }

    /// Notes when the oldest message of a queue will be too old.
    pub(super) fn watch(&mut self, queue: QueueId) {
        if self.expiries.by_queue.contains_key(&queue) {
            return;
        }
        let Some(ttl_ms) = self.policy_of(queue).map(|policy| policy.ttl_ms).filter(|ms| *ms > 0)
        else {
            return;
        };
        let Some(slot) = self.state.queues.get(&queue) else { return };
        let oldest = slot.next_ready().and_then(|entry| slot.entry(entry));
        let oldest = oldest.and_then(|view| self.state.bodies.get(view.message));
        if let Some(at_ms) = oldest.map(|message| message.at_ms).filter(|at_ms| *at_ms > 0) {
            self.expiries.add(queue, Timestamp(at_ms).plus_ms(ttl_ms));
        }
    }

    /// Policies are others now, or the state was just recovered.
    pub(super) fn watch_all(&mut self, now: Timestamp) {
        self.tell_time(now);
        self.expiries.clear();
        if self.policies.has_bounds() {
            let queues: Vec<QueueId> = self.state.queues.keys().copied().collect();
            queues.into_iter().for_each(|queue| self.watch(queue));
        }
    }

    /// What has waited too long dies.
    pub(super) fn expire_messages(&mut self, now: Timestamp) {
        let mut left = EXPIRED_AT_ONCE_MAX;
        while left > 0
            && !self.failed
            && let Some(queue) = self.expiries.pop(now)
        {
            left = self.expire_in(queue, now, left);
            self.watch(queue);
        }
    }

    /// Gives back how many more may die now.
    fn expire_in(&mut self, queue: QueueId, now: Timestamp, mut left: usize) -> usize {
        let ttl_ms = self.policy_of(queue).map_or(0, |policy| policy.ttl_ms);
        let mut from = 0;
        while left > 0 && ttl_ms > 0 {
            let Some(slot) = self.state.queues.get(&queue) else { break };
            let Some(entry) = slot.next_returned(from).or_else(|| slot.first_fresh()) else {
                break;
            };
            let message = slot.entry(entry).and_then(|view| self.state.bodies.get(view.message));
            let at_ms = message.map_or(0, |message| message.at_ms);
            if at_ms > 0 && Timestamp(at_ms).plus_ms(ttl_ms) <= now {
                self.kill(queue, entry, DeathReason::Expired);
                left = left.saturating_sub(1);
            } else if slot.first_fresh() == Some(entry) {
                // Those behind it came later.
                break;
            }
            from = entry.saturating_add(1);
        }
        left
    }
}
