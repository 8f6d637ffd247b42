//! Mailboxes: queues of a person's address, filled by a service alone. They are subscriptions of a
//! topic of a reserved name, so that consuming, numbering and settling are those of any queue.

use crate::command::{ConsumerId, Message, SessionId};
use crate::limits::CREDIT_MAX;
use crate::policy::AddressKind;
use crate::record::{AddressId, QueueId, Record};
use crate::shard::Shard;
use crate::shard::feeds::Link;
use crate::state::queue::EntryView;
use bytes::Bytes;
use std::borrow::Cow;

/// An entry of a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its number.
    pub entry: u64,
    /// Encoding of the message.
    pub format: u8,
    /// Length of the message in bytes.
    pub len_bytes: u32,
    /// Whether it is out to a session.
    pub out: bool,
    /// What was posted with it.
    pub note: Option<&'a Bytes>,
}

impl Shard {
    /// The mailbox of this name at an address, which is made if it is new.
    pub fn make_mailbox(&mut self, host: &str, address: &str, name: &str) -> QueueId {
        if let Some(known) = self.find_mailbox(host, address, name) {
            return known;
        }
        let address = self.state.find_address(host, address).unwrap_or_else(|| {
            let (host, name, kind) = (host.to_owned(), address.to_owned(), AddressKind::Topic);
            let record = Record::Address { host, name, kind, dynamic: None };
            self.record(&record).address.unwrap_or_default()
        });
        let record = Record::Subscribe { address, name: Some(name.to_owned()), owner: None };
        self.record(&record).queue.unwrap_or_default()
    }

    /// The mailbox of this name at an address.
    #[must_use]
    pub fn find_mailbox(&self, host: &str, address: &str, name: &str) -> Option<QueueId> {
        let address = self.state.find_address(host, address)?;
        self.named_queues(address).find(|(other, _)| *other == name).map(|(_, queue)| queue)
    }

    /// Every mailbox of an address.
    #[must_use]
    pub fn mailboxes(&self, host: &str, address: &str) -> Vec<(String, QueueId)> {
        let address = self.state.find_address(host, address);
        let queues = address.into_iter().flat_map(|address| self.named_queues(address));
        queues.map(|(name, queue)| (name.to_owned(), queue)).collect()
    }

    /// Every mailbox there is: host, address, name, queue.
    pub fn all_mailboxes(&self) -> impl Iterator<Item = (&str, &str, &str, QueueId)> + '_ {
        let addresses = self.state.addresses.iter().filter(|(_, address)| address.is_mailbox());
        addresses.flat_map(move |(id, address)| {
            let named = self.named_queues(*id);
            named.map(move |(name, queue)| (address.host.as_str(), &*address.name, name, queue))
        })
    }

    fn named_queues(&self, address: AddressId) -> impl Iterator<Item = (&str, QueueId)> + '_ {
        let address = self.state.addresses.get(&address);
        address.into_iter().flat_map(|address| &address.queues).filter_map(|id| {
            let queue = self.state.queues.get(id).filter(|queue| !queue.closed)?;
            Some((queue.subscription.as_deref()?, *id))
        })
    }

    /// Ends a mailbox with everything in it that is not out, and with the last one its address.
    pub fn close_mailbox(&mut self, queue: QueueId) {
        let Some(address) = self.state.queues.get(&queue).map(|queue| queue.address) else {
            return;
        };
        self.feeds.close(queue);
        self.record(&Record::Unsubscribe { queue });
        let known = self.state.addresses.get(&address);
        if known.is_some_and(|known| known.queues.is_empty() && !known.is_deleted()) {
            self.record(&Record::Delete { address });
        }
    }

    /// Lets a session consume a mailbox, as far as the session's bounds allow. A session without
    /// a connection does so when it has one again.
    pub fn feed(&mut self, session: SessionId, queue: QueueId, consumer: ConsumerId) {
        let Some(known) = self.state.sessions.get(&session) else { return };
        if known.consumer(queue, consumer).is_none() {
            let window = Some(CREDIT_MAX);
            self.record(&Record::Consume { session, queue, consumer, window });
        }
        if let Some(connection) = self.attachments.connection_of(session) {
            self.feeds.add(queue, Link { session, consumer, connection }, false);
        }
    }

    /// Ends that; what is out stays out.
    pub fn starve(&mut self, session: SessionId, queue: QueueId, consumer: ConsumerId) {
        self.stop(session, queue, consumer);
    }

    /// Puts a message into mailboxes, each with a note of its own. All in the frame that is open.
    pub fn post(&mut self, to: &[(QueueId, Option<Bytes>)], message: &Message) {
        let is_open = |id: &QueueId| self.state.queues.get(id).is_some_and(|queue| !queue.closed);
        let queues: Vec<QueueId> = to.iter().map(|(id, _)| *id).filter(is_open).collect();
        if queues.is_empty() {
            return;
        }
        let notes: Vec<(QueueId, u64, &Bytes)> = to
            .iter()
            .filter_map(|(id, note)| Some((*id, self.next_entry(*id), note.as_ref()?)))
            .collect();
        for queue in &queues {
            self.feeds.mark(*queue);
        }
        self.note_time();
        let Message { format, body } = message;
        let queues = Cow::Owned(queues);
        let record = Record::Publish { queues, death: None, format: *format, body };
        self.record_body(&record, Some(body));
        for (queue, entry, note) in notes {
            self.record(&Record::Note { queue, entry, note: note.clone() });
        }
        self.statistics.published = self.statistics.published.saturating_add(1);
    }

    /// What is in a mailbox, the oldest first.
    pub fn entries(&self, queue: QueueId) -> Vec<Entry<'_>> {
        let Some(slot) = self.state.queues.get(&queue) else {
            return Vec::new();
        };
        let numbers = slot.dispatched().map(|(entry, _)| entry);
        let fresh = slot.fresh_from()..self.next_entry(queue);
        numbers.chain(fresh).filter_map(|entry| self.entry(queue, entry)).collect()
    }

    /// One entry of a mailbox.
    #[must_use]
    pub fn entry(&self, queue: QueueId, entry: u64) -> Option<Entry<'_>> {
        let slot = self.state.queues.get(&queue)?;
        let EntryView { message, out, .. } = slot.entry(entry)?;
        let message = self.state.bodies.get(message)?;
        let len_bytes = message.place.len_bytes;
        let note = slot.annotations(entry);
        Some(Entry { entry, format: message.format, len_bytes, out, note })
    }

    /// The number of the next message that is posted there.
    #[must_use]
    pub fn next_entry(&self, queue: QueueId) -> u64 {
        self.state
            .queues
            .get(&queue)
            .map_or(0, |queue| queue.fresh_from().saturating_add(queue.fresh().len() as u64))
    }

    /// How many messages a mailbox holds, those that are out among them.
    #[must_use]
    pub fn queue_len(&self, queue: QueueId) -> usize {
        let queue = self.state.queues.get(&queue);
        queue.map_or(0, |queue| queue.dispatched().len().saturating_add(queue.fresh().len()))
    }

    /// Moves an entry to other mailboxes, without its note; to none, it is dropped. False: it is
    /// out, or behind others that were never out.
    pub fn move_entry(&mut self, from: QueueId, entry: u64, to: &[QueueId]) -> bool {
        let movable = self.state.queues.get(&from).is_some_and(|queue| queue.can_take(entry));
        if movable {
            for queue in to {
                self.feeds.mark(*queue);
            }
            self.record(&Record::Move { queue: from, entry, to: to.to_vec() });
        }
        movable
    }

    /// Drops what was never out, up to but not with entry `below`.
    pub fn trim(&mut self, queue: QueueId, below: u64) {
        let first = self.state.queues.get(&queue).and_then(|queue| queue.first_fresh());
        if first.is_some_and(|first| first < below) {
            self.record(&Record::Trim { queue, below });
        }
    }
}
