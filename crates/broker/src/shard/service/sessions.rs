//! Sessions of services. The name of such a session's key has a `/`, which no other has; so the
//! service finds its own again after a restart.

use crate::command::{ConnectionId, ConsumerId, Outcome, SessionId, SessionKey, SessionKind};
use crate::output::{Event, Ledger, Refusal};
use crate::record::Record;
use crate::shard::Shard;
use crate::shard::feeds::Link;
use crate::state::session::Outbound;
use crate::time::Timestamp;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;

/// A client acknowledges more than it was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ahead;

impl fmt::Display for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more is acknowledged than was sent")
    }
}

impl std::error::Error for Ahead {}

/// Sessions of services that have ended, users that were removed, and sessions that were recovered.
#[derive(Debug, Default)]
pub(in crate::shard) struct Endings {
    ended: VecDeque<(SessionId, SessionKey)>,
    removed: BTreeSet<String>,
    /// From the journal, and not resumed since: the newest of their numbers may be unknown here.
    recovered: BTreeSet<SessionId>,
}

impl Endings {
    pub(in crate::shard) fn note_ended(&mut self, session: SessionId, key: &SessionKey) {
        self.recovered.remove(&session);
        if is_of_service(key) {
            self.ended.push_back((session, key.clone()));
        }
    }

    pub(in crate::shard) fn note_removed(&mut self, user: String) {
        self.removed.insert(user);
    }

    pub(in crate::shard) fn note_recovered(&mut self, session: SessionId) {
        self.recovered.insert(session);
    }
}

fn is_of_service(key: &SessionKey) -> bool {
    key.name.contains('/')
}

impl Shard {
    /// Opens a session and attaches it; `Event::Opened` is told when it is durable. A session that
    /// the connection had is detached, and one of the same key ended, first.
    pub fn open_session(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        key: SessionKey,
        kind: SessionKind,
    ) -> SessionId {
        self.open(now, connection, key, kind);
        self.attachments.session_of(connection).unwrap_or_default()
    }

    /// Takes over a session, and tells nobody but the connection that had it. Nothing flows
    /// before `resume_session`.
    pub fn attach_session(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        key: &SessionKey,
    ) -> Option<(SessionId, Ledger)> {
        let session = self.take_over(now, connection, key)?;
        Some((session, self.state.sessions.get(&session)?.ledger()))
    }

    /// The client has everything up to `received`. `Event::Attached` tells the ledger as it is
    /// now, when that is durable; what is not settled comes behind it, numbered from
    /// `received + 1` in its old order.
    ///
    /// # Errors
    /// So much was never sent; the session has no connection then. After a restart the newest
    /// transients may be unknown here, so that more than is known is no error once.
    pub fn resume_session(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        received: u64,
    ) -> Result<(), Ahead> {
        let sent = self.ledger_of(session).map_or(0, |ledger| ledger.sent);
        let recovered = self.endings.recovered.remove(&session);
        if received > sent && !recovered {
            return Err(Ahead);
        }
        self.settle(session, 0, received, &Outcome::Accepted);
        self.transients.settle(session, received);
        self.forget_broken(session);
        self.close_gaps(session, received);
        self.statistics.sessions_resumed = self.statistics.sessions_resumed.saturating_add(1);
        let Some(resumed) = self.state.sessions.get(&session) else {
            return Ok(());
        };
        let ledger = Ledger { taken: resumed.taken, settled: received, sent: received };
        let again: Vec<(u64, Outbound)> = resumed.outbound().collect();
        for consumer in resumed.consumers() {
            let link = Link { session, consumer: consumer.name, connection };
            self.feeds.add(consumer.queue, link, consumer.window.is_none());
        }
        self.tell(connection, Event::Attached(ledger));
        self.send_again(connection, session, again);
        self.send_waiting(session);
        Ok(())
    }

    /// Numbers whose stanzas are gone are taken out. Where all are still at hand nothing changes.
    fn close_gaps(&mut self, session: SessionId, received: u64) {
        let Some(resumed) = self.state.sessions.get(&session) else { return };
        let unsettled = resumed.unsettled() as u64;
        let kept = self.transients.kept(session) as u64;
        if received.checked_add(unsettled).and_then(|sum| sum.checked_add(kept))
            == Some(resumed.sent())
        {
            return;
        }
        self.record(&Record::Compact { session, at: received });
        self.transients.renumber(session);
    }

    /// Deliveries and transients in the order of their numbers.
    fn send_again(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        deliveries: Vec<(u64, Outbound)>,
    ) {
        let mut transients = self.transients.all(session).into_iter().peekable();
        for (seq, Outbound { queue, entry, consumer, .. }) in deliveries {
            while let Some((seq, transient)) = transients.next_if(|(other, _)| *other < seq) {
                self.tell_transient(connection, seq, transient);
            }
            self.deliver(Link { session, consumer, connection }, seq, queue, entry);
        }
        for (seq, transient) in transients {
            self.tell_transient(connection, seq, transient);
        }
    }

    /// Ends a session; what is out goes back to where it came from.
    pub fn close_session(&mut self, session: SessionId) {
        let sent = self.ledger_of(session).map_or(0, |ledger| ledger.sent);
        self.record_taking_of(session);
        self.settle(session, 0, sent, &Outcome::Released);
        self.end_session(session);
    }

    /// The connection is gone. A volatile session ends, a recoverable one waits for another
    /// connection as long as the retention says.
    pub fn detach_connection(&mut self, now: Timestamp, connection: ConnectionId) {
        self.detach(now, connection);
    }

    /// The session of a connection.
    #[must_use]
    pub fn session_of(&self, connection: ConnectionId) -> Option<SessionId> {
        self.attachments.session_of(connection)
    }

    /// The connection of a session.
    #[must_use]
    pub fn connection_of(&self, session: SessionId) -> Option<ConnectionId> {
        self.attachments.connection_of(session)
    }

    /// What a session is found by.
    #[must_use]
    pub fn session_key(&self, session: SessionId) -> Option<&SessionKey> {
        self.state.sessions.get(&session).map(|session| &session.key)
    }

    /// Whether a session outlives its connection.
    #[must_use]
    pub fn session_kind(&self, session: SessionId) -> Option<SessionKind> {
        self.state.sessions.get(&session).map(|session| session.kind)
    }

    /// The session of a key.
    #[must_use]
    pub fn session_named(&self, key: &SessionKey) -> Option<SessionId> {
        self.state.keys.get(key).copied()
    }

    /// How far a session is.
    #[must_use]
    pub fn ledger_of(&self, session: SessionId) -> Option<Ledger> {
        self.state.sessions.get(&session).map(|session| session.ledger())
    }

    /// Every session of a service.
    pub fn service_sessions(&self) -> impl Iterator<Item = (SessionId, &SessionKey)> + '_ {
        let sessions = self.state.sessions.iter().map(|(id, session)| (*id, &session.key));
        sessions.filter(|(_, key)| is_of_service(key))
    }

    /// A session of a service that has ended, however that came. To be asked until `None` before
    /// every `flush`, so that what follows is in the frame of the end.
    pub fn poll_ended(&mut self) -> Option<(SessionId, SessionKey)> {
        self.endings.ended.pop_front()
    }

    /// A user that was removed, after the ends of its sessions. To be asked like them.
    pub fn poll_removed(&mut self) -> Option<String> {
        self.endings.removed.pop_first()
    }

    /// Tells a connection that it does not get what it asked for.
    pub fn tell_refused(&mut self, connection: ConnectionId, refusal: Refusal) {
        let (consumer, address) = (ConsumerId::default(), String::new());
        self.tell(connection, Event::Refused { consumer, address, refusal });
    }

    /// Tells a connection that there is no such session.
    pub fn tell_unknown(&mut self, connection: ConnectionId) {
        self.tell(connection, Event::Unknown);
    }

    /// Tells a connection that another has its place.
    pub fn tell_taken_over(&mut self, connection: ConnectionId) {
        self.outbox.forget(connection);
        self.outbox.push_now(connection, Event::TakenOver);
    }
}
