//! The queues of an address: the one of a queue address, or the subscriptions of a topic.

use crate::command::{ConnectionId, ConsumerId};
use crate::policy::AddressKind;
use crate::record::{QueueId, Record};
use crate::shard::Shard;
use crate::shard::feeds::Link;
use std::sync::Arc;

/// A queue and what is in it now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QueueView {
    /// Name of a durable subscription; `None` for the queue of a queue address, and for a
    /// subscription that ends with its consumer.
    pub subscription: Option<String>,
    /// Number of the session that a subscription ends with.
    pub owner: Option<u64>,
    /// Messages that wait for a consumer.
    pub messages_ready: u64,
    /// Messages that are out to a session.
    pub messages_out: u64,
    /// Bodies of both, in bytes.
    pub messages_bytes: u64,
    /// Consumers.
    pub consumers: u64,
    /// How long the oldest message that was never out has waited, in milliseconds of the clock
    /// that [`Shard::tell_time`] told; `None` without one.
    pub oldest_age_ms: Option<u64>,
}

/// What a move has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Moved {
    /// Messages that are elsewhere now.
    pub messages: u64,
    /// Messages that stay, because they are out to somebody or had nowhere to go.
    pub remaining: u64,
}

impl Shard {
    pub(super) fn queue_view(&self, id: QueueId) -> Option<QueueView> {
        let queue = self.state.queues.get(&id)?;
        let oldest = queue.first_fresh().and_then(|entry| queue.entry(entry));
        let oldest = oldest.and_then(|view| self.state.bodies.get(view.message));
        let out = queue.out_len() as u64;
        Some(QueueView {
            subscription: queue.subscription.clone(),
            owner: queue.owner.map(|(session, _)| session.0),
            messages_ready: (queue.len() as u64).saturating_sub(out),
            messages_out: out,
            messages_bytes: queue.bytes(),
            consumers: queue.consumers().len() as u64,
            oldest_age_ms: oldest
                .filter(|message| message.at_ms > 0)
                .map(|message| self.now.0.saturating_sub(message.at_ms)),
        })
    }

    /// The queues of an address, in the order in which they were made.
    #[must_use]
    pub fn queue_views(&self, host: &str, name: &str) -> Option<Vec<(QueueId, QueueView)>> {
        let (_, address) = self.known_address(host, name)?;
        let views = address.queues.iter().filter_map(|id| Some((*id, self.queue_view(*id)?)));
        Some(views.collect())
    }

    /// Lets a connection's session look at a queue without taking anything, as far as
    /// `Command::Flow` says, whatever other names lead elsewhere.
    pub fn look_into(&mut self, connection: ConnectionId, consumer: ConsumerId, queue: QueueId) {
        let address = self.state.queues.get(&queue).filter(|it| !it.closed).map(|it| it.address);
        if let (Some(session), Some(address)) = (self.attachments.session_of(connection), address) {
            self.feeds.add_browser(queue, Link { session, consumer, connection });
            self.join(session, consumer, address);
        }
    }

    /// Drops every message of a queue that is not out; tells how many there were.
    pub fn purge(&mut self, id: QueueId) -> u64 {
        let Some(queue) = self.state.queues.get(&id) else { return 0 };
        let ready = (queue.len() as u64).saturating_sub(queue.out_len() as u64);
        while let Some(entry) = self.state.queues.get(&id).and_then(|it| it.next_returned(0)) {
            self.record(&Record::Move { queue: id, entry, to: Vec::new() });
            if self.failed {
                return 0;
            }
        }
        let below = self.next_entry(id);
        self.trim(id, below);
        ready
    }

    /// Moves up to `max` messages that are not out, oldest first, to the queues of another address,
    /// which begin with a delivery count of 0. `None`: there is no such address, or it is a topic
    /// without a subscription, or the queue's own.
    pub fn move_messages(
        &mut self,
        from: QueueId,
        host: &str,
        to: &str,
        max: u64,
    ) -> Option<Moved> {
        let queues = self.known_address(host, to)?.1.queues.clone();
        if queues.is_empty() || queues.contains(&from) {
            return None;
        }
        let mut moved = Moved::default();
        while moved.messages < max && self.move_next(from, &queues) {
            moved.messages = moved.messages.saturating_add(1);
        }
        moved.remaining = self.queue_len(from) as u64;
        Some(moved)
    }

    fn move_next(&mut self, from: QueueId, to: &[QueueId]) -> bool {
        let next = self.state.queues.get(&from).and_then(|queue| queue.next_ready());
        !self.failed && next.is_some_and(|entry| self.move_entry(from, entry, to))
    }

    /// Sends up to `max` dead letters of a queue back to the addresses they died at, oldest first,
    /// as far as these still exist. Those without such an address go to the end of the queue they
    /// are in, and are counted as remaining.
    pub fn redrive(&mut self, from: QueueId, host: &str, max: u64) -> Moved {
        let mut moved = Moved::default();
        let len = self.queue_len(from) as u64;
        for _ in 0..len.min(max) {
            let Some(entry) = self.state.queues.get(&from).and_then(|it| it.next_ready()) else {
                break;
            };
            let home = self.home_of(from, entry, host);
            let has_home = home.is_some();
            let gone = match home {
                Some(to) => self.revive(from, entry, to),
                None => self.move_entry(from, entry, &[from]),
            };
            if self.failed || !gone {
                break;
            }
            moved.messages = moved.messages.saturating_add(u64::from(has_home));
        }
        moved.remaining = self.queue_len(from) as u64;
        moved
    }

    /// A dead letter is a message again, without a word of its death.
    fn revive(&mut self, queue: QueueId, entry: u64, to: Vec<QueueId>) -> bool {
        let movable = self.state.queues.get(&queue).is_some_and(|it| it.can_take(entry));
        if movable {
            to.iter().for_each(|queue| self.feeds.mark(*queue));
            self.note_time();
            self.record(&Record::Revive { queue, entry, to: to.clone() });
            self.keep_bounds(&to);
        }
        movable
    }

    /// The queues of the address where a dead letter died.
    fn home_of(&self, queue: QueueId, entry: u64, host: &str) -> Option<Vec<QueueId>> {
        let message = self.state.queues.get(&queue)?.entry(entry)?.message;
        let death = self.state.bodies.get(message)?.death.as_ref()?;
        let (_, address) = self.known_address(host, &death.address)?;
        let is_home = !address.queues.is_empty() && !address.queues.contains(&queue);
        is_home.then(|| address.queues.clone())
    }

    /// Ends a durable subscription with what is in it; its consumers are told. Tells whether there
    /// was one.
    pub fn delete_subscription(&mut self, host: &str, name: &str, subscription: &str) -> bool {
        let Some((_, address)) = self.known_address(host, name) else { return false };
        if address.kind != AddressKind::Topic {
            return false;
        }
        let name = Arc::clone(&address.name);
        let is_it = |id: &&QueueId| {
            let queue = self.state.queues.get(id);
            queue.is_some_and(|it| it.subscription.as_deref() == Some(subscription))
        };
        let Some(queue) = address.queues.iter().find(is_it).copied() else { return false };
        self.record(&Record::Unsubscribe { queue });
        self.close_feed(queue, &name);
        true
    }
}
