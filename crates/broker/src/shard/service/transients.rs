//! Transients: what a session is sent in one order, and under one numbering, with its deliveries,
//! and what is not worth a place in the journal. That a number was used is recorded, but nothing
//! waits for it: it stands before every later delivery, so that after a crash only the newest
//! numbers can be unknown, and those were transients.

use crate::command::{ConnectionId, SessionId, SessionKind};
use crate::limits::{SESSION_TRANSIENTS_MAX, SESSION_TRANSIENTS_MAX_BYTES};
use crate::output::Event;
use crate::record::{QueueId, Record};
use crate::shard::Shard;
use crate::state::bodies::StoredMessage;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// Something to be sent to a session.
#[derive(Clone, Debug, Default)]
pub struct Transient {
    /// What comes first.
    pub before: Bytes,
    /// A message that stands in a mailbox, in the middle of it.
    pub stored: Option<Stored>,
    /// What comes last.
    pub after: Bytes,
}

/// A message that stands in a mailbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stored {
    /// The mailbox.
    pub queue: QueueId,
    /// Its entry. If it is gone meanwhile, so is the transient.
    pub entry: u64,
    /// What is left out at its head.
    pub skip_bytes: usize,
}

impl Transient {
    /// Octets and nothing else.
    #[must_use]
    pub fn new(before: Bytes) -> Self {
        Self { before, ..Self::default() }
    }

    fn len_bytes(&self) -> usize {
        self.before.len().saturating_add(self.after.len())
    }
}

/// What recoverable sessions were sent and have not acknowledged, and what waits for them. None
/// of it is durable. Beyond the bounds the oldest are forgotten; the client learns of that by
/// nothing, as after a crash.
#[derive(Debug, Default)]
pub(in crate::shard) struct Transients {
    by_session: BTreeMap<SessionId, Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sent: VecDeque<(u64, Transient)>,
    /// Without a number yet: the session has no connection.
    waiting: VecDeque<Transient>,
    bytes: usize,
}

impl Kept {
    fn add(&mut self, transient: &Transient) {
        self.bytes = self.bytes.saturating_add(transient.len_bytes());
        while self.sent.len().saturating_add(self.waiting.len()) >= SESSION_TRANSIENTS_MAX
            || self.bytes > SESSION_TRANSIENTS_MAX_BYTES
        {
            let oldest = self.sent.pop_front().map(|(_, it)| it);
            let Some(oldest) = oldest.or_else(|| self.waiting.pop_front()) else { return };
            self.bytes = self.bytes.saturating_sub(oldest.len_bytes());
        }
    }
}

impl Transients {
    /// Everything up to `received` has arrived.
    pub(in crate::shard) fn settle(&mut self, session: SessionId, received: u64) {
        let Some(kept) = self.by_session.get_mut(&session) else { return };
        while let Some((_, transient)) = kept.sent.pop_front_if(|(seq, _)| *seq <= received) {
            kept.bytes = kept.bytes.saturating_sub(transient.len_bytes());
        }
        if kept.sent.is_empty() && kept.waiting.is_empty() {
            self.by_session.remove(&session);
        }
    }

    pub(in crate::shard) fn forget(&mut self, session: SessionId) {
        self.by_session.remove(&session);
    }

    pub(super) fn kept(&self, session: SessionId) -> usize {
        self.by_session.get(&session).map_or(0, |kept| kept.sent.len())
    }

    pub(super) fn all(&self, session: SessionId) -> Vec<(u64, Transient)> {
        let kept = self.by_session.get(&session);
        kept.map(|kept| kept.sent.iter().cloned().collect()).unwrap_or_default()
    }

    /// The numbers of the ledger are new: what was sent waits for a new one too.
    pub(super) fn renumber(&mut self, session: SessionId) {
        let Some(kept) = self.by_session.get_mut(&session) else { return };
        while let Some((_, transient)) = kept.sent.pop_back() {
            kept.waiting.push_front(transient);
        }
    }

    fn take_waiting(&mut self, session: SessionId) -> VecDeque<Transient> {
        let Some(kept) = self.by_session.get_mut(&session) else {
            return VecDeque::new();
        };
        let waiting = std::mem::take(&mut kept.waiting);
        let bytes: usize = waiting.iter().map(Transient::len_bytes).sum();
        kept.bytes = kept.bytes.saturating_sub(bytes);
        waiting
    }
}

impl Shard {
    /// Sends something to a session, behind everything that it was sent before: `Event::Transmit`.
    /// A recoverable session is sent it again after a resume, as long as it is kept; without a
    /// connection it waits. Nothing happens if there is no such session.
    pub fn transmit(&mut self, session: SessionId, transient: Transient) {
        if !self.is_whole(&transient) {
            return;
        }
        // Deliveries that are due go first.
        self.dispatch_dirty();
        let Some(known) = self.state.sessions.get(&session) else { return };
        let kind = known.kind;
        let connection = self.attachments.connection_of(session);
        match (kind, connection) {
            (SessionKind::Volatile, Some(connection)) => {
                self.tell_transient(connection, 0, transient);
            }
            (SessionKind::Volatile, None) => {}
            (SessionKind::Recoverable, Some(connection)) => {
                let record = Record::Pass { session, count: 1 };
                self.record_lazily(&record);
                let seq = self.ledger_of(session).map_or(0, |ledger| ledger.sent);
                let kept = self.transients.by_session.entry(session).or_default();
                kept.add(&transient);
                kept.sent.push_back((seq, transient.clone()));
                self.tell_transient(connection, seq, transient);
            }
            (SessionKind::Recoverable, None) => {
                let kept = self.transients.by_session.entry(session).or_default();
                kept.add(&transient);
                kept.waiting.push_back(transient);
            }
        }
    }

    fn message_in(&self, queue: QueueId, entry: u64) -> Option<&StoredMessage> {
        let view = self.state.queues.get(&queue)?.entry(entry)?;
        self.state.bodies.get(view.message)
    }

    /// Whether the message in it is still there, if it has one.
    fn is_whole(&self, transient: &Transient) -> bool {
        let stored = transient.stored.as_ref();
        stored.is_none_or(|stored| self.message_in(stored.queue, stored.entry).is_some())
    }

    /// Forgets those whose message is gone, so that none has a number and no content.
    pub(super) fn forget_broken(&mut self, session: SessionId) {
        let Some(mut kept) = self.transients.by_session.remove(&session) else { return };
        kept.sent.retain(|(_, transient)| self.is_whole(transient));
        self.transients.by_session.insert(session, kept);
    }

    pub(super) fn send_waiting(&mut self, session: SessionId) {
        for transient in self.transients.take_waiting(session) {
            self.transmit(session, transient);
        }
    }

    /// Tells a connection that has no session yet, when what was decided until now is durable.
    pub fn tell_stranger(&mut self, connection: ConnectionId, stanza: Bytes) {
        self.tell_transient(connection, 0, Transient::new(stanza));
    }

    pub(super) fn tell_transient(
        &mut self,
        connection: ConnectionId,
        seq: u64,
        transient: Transient,
    ) {
        let Transient { before, stored, after } = transient;
        let Some(Stored { queue, entry, skip_bytes }) = stored else {
            let body = Bytes::new();
            return self.tell(connection, Event::Transmit { seq, before, body, after });
        };
        let Some(message) = self.message_in(queue, entry) else { return };
        if let Some(body) = &message.cached {
            let body = body.slice(skip_bytes.min(body.len())..);
            return self.tell(connection, Event::Transmit { seq, before, body, after });
        }
        let Some(slice) = self.state.bodies.slice(message.place) else { return };
        let answer = self.fetch(slice);
        let event = Event::Transmit { seq, before, body: Bytes::new(), after };
        self.outbox.push_reading(self.log.barrier(), connection, event, skip_bytes, answer);
    }
}
