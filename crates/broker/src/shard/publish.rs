//! Messages in, and the inbound half of the ledger.

use super::Shard;
use crate::command::{ConnectionId, Message, SessionId, Unroutable};
use crate::limits::FRAME_TARGET_BYTES;
use crate::output::{Death, DeathReason, Event};
use crate::record::Record;
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Inbound sequences taken since the last seal: one record and one answer for each session and
/// frame, however many messages it holds.
#[derive(Debug, Default)]
pub(super) struct Taking {
    by_session: BTreeMap<SessionId, Taken>,
}

#[derive(Debug)]
struct Taken {
    connection: ConnectionId,
    seq: u64,
    /// Which of them were declined: told with the answer.
    declined: Vec<(u64, DeathReason)>,
}

impl Taking {
    /// The session is gone.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.by_session.remove(&session);
    }
}

/// What a sender asks.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) seq: u64,
    pub(super) to: Arc<[String]>,
    pub(super) message: Message,
    pub(super) unroutable: Unroutable,
}

impl Shard {
    pub(super) fn publish(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        publication: Publication,
    ) {
        let Publication { seq, to, message, unroutable } = publication;
        if !self.is_next(session, seq) {
            return self.answer_repeat(connection, session, seq, &to, unroutable);
        }
        let route = self.route(session, &to);
        let route = self.refuse_full(route, message.body.len(), unroutable);
        let Message { format, body } = message;
        if !route.queues.is_empty() {
            self.note_time();
            let queues = Cow::Borrowed(&*route.queues);
            let record = Record::Publish { queues, death: None, format, body: &body };
            self.record_body(&record, Some(&body));
            route.queues.iter().for_each(|queue| self.feeds.mark(*queue));
            self.keep_bounds(&route.queues);
        }
        self.take(connection, session, Some(seq));
        match unroutable {
            Unroutable::DeadLetter => {
                for (reason, address) in route.dead {
                    self.bury(session, reason, address, format, &body);
                }
            }
            Unroutable::Decline => {
                if let Some((reason, _)) = route.dead.first() {
                    self.note_declined(session, seq, *reason);
                }
            }
        }
        self.statistics.published = self.statistics.published.saturating_add(1);
        if self.log.open_len_bytes() >= FRAME_TARGET_BYTES {
            self.dispatch_dirty();
            self.seal();
        }
    }

    /// Whether inbound `seq` is new. If it is a repeat, its effect is there already.
    fn is_next(&mut self, session: SessionId, seq: u64) -> bool {
        let is_next = self.taken(session).checked_add(1) == Some(seq);
        if !is_next {
            self.statistics.duplicates_suppressed =
                self.statistics.duplicates_suppressed.saturating_add(1);
        }
        is_next
    }

    /// Takes inbound `seq` if it is new, and answers it if it is not.
    pub(super) fn take_next(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        seq: u64,
    ) -> bool {
        let is_next = self.is_next(session, seq);
        if is_next {
            self.take(connection, session, Some(seq));
        } else {
            self.answer_repeat(connection, session, seq, &[], Unroutable::DeadLetter);
        }
        is_next
    }

    /// Inbound `seq`, which was just taken, could not be served.
    pub(super) fn note_declined(&mut self, session: SessionId, seq: u64, reason: DeathReason) {
        if let Some(taken) = self.taking.by_session.get_mut(&session) {
            taken.declined.push((seq, reason));
        }
    }

    /// A message goes to dead letters unheard.
    fn bury(
        &mut self,
        session: SessionId,
        reason: DeathReason,
        address: String,
        format: u8,
        body: &Bytes,
    ) {
        let host = self.host_of(session).to_owned();
        self.statistics.note_death(reason);
        let Some(to) = self.dead_letter_queue(&host, &address) else { return };
        self.note_time();
        let queues = Cow::Owned(vec![to]);
        let death = Some(Death { reason, address, detail: None });
        self.record_body(&Record::Publish { queues, death, format, body }, Some(body));
        self.feeds.mark(to);
        self.keep_bounds(&[to]);
    }

    /// Notes that inbound `seq` is handled; it is recorded in the frame of its effect.
    pub(super) fn take(&mut self, connection: ConnectionId, session: SessionId, seq: Option<u64>) {
        let Some(seq) = seq else { return };
        self.prove(session);
        let taken = Taken { connection, seq, declined: Vec::new() };
        let taken = self.taking.by_session.entry(session).or_insert(taken);
        (taken.connection, taken.seq) = (connection, seq);
    }

    /// Highest inbound sequence handled, recorded or not.
    pub(super) fn taken(&self, session: SessionId) -> u64 {
        match self.taking.by_session.get(&session) {
            Some(taken) => taken.seq,
            None => self.recorded(session),
        }
    }

    /// Highest inbound sequence recorded.
    fn recorded(&self, session: SessionId) -> u64 {
        self.state.sessions.get(&session).map_or(0, |session| session.taken)
    }

    fn answer_repeat(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        seq: u64,
        to: &[String],
        unroutable: Unroutable,
    ) {
        let up_to = self.recorded(session);
        if seq > up_to {
            // The answer comes with its frame, or the number is none that can be answered.
            return;
        }
        // That it was declined is not recorded, but what declined it still does.
        if unroutable == Unroutable::Decline
            && let Some(reason) = self.first_unroutable(session, to)
        {
            self.tell(connection, Event::Declined { seq, reason });
        }
        if !self.taking.by_session.contains_key(&session) {
            self.tell(connection, Event::Taken { up_to });
        }
    }

    /// Puts the inbound half of every ledger into the frame that is about to be sealed.
    pub(super) fn record_takings(&mut self) {
        for (session, taken) in std::mem::take(&mut self.taking.by_session) {
            self.record_taken(session, taken);
        }
    }

    /// Records what one session has taken, before its ledger is told to anybody.
    pub(super) fn record_taking_of(&mut self, session: SessionId) {
        if let Some(taken) = self.taking.by_session.remove(&session) {
            self.record_taken(session, taken);
        }
    }

    fn record_taken(&mut self, session: SessionId, taken: Taken) {
        let Taken { connection, seq, declined } = taken;
        self.record(&Record::Taken { session, seq });
        for (seq, reason) in declined {
            self.tell(connection, Event::Declined { seq, reason });
        }
        self.tell(connection, Event::Taken { up_to: seq });
    }
}
