//! Sessions and the connections under them.

use super::Shard;
use super::feeds::Link;
use crate::command::{ConnectionId, Outcome, SessionId, SessionKey, SessionKind};
use crate::output::Event;
use crate::record::{AddressId, Record};
use crate::state::session::Outbound;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Which connection has which session, and when those without one end. Not durable: a restart
/// finds every session without a connection.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    sessions: BTreeMap<ConnectionId, SessionId>,
    connections: BTreeMap<SessionId, ConnectionId>,
    absences: BTreeMap<SessionId, Absence>,
    expiries: BTreeSet<(Timestamp, SessionId)>,
}

/// A session is without a connection.
#[derive(Clone, Copy, Debug)]
struct Absence {
    /// It has been so since then, as far as this process knows.
    since: Timestamp,
    /// It ends then.
    until: Timestamp,
}

impl Attachments {
    pub(super) fn session_of(&self, connection: ConnectionId) -> Option<SessionId> {
        self.sessions.get(&connection).copied()
    }

    pub(super) fn connection_of(&self, session: SessionId) -> Option<ConnectionId> {
        self.connections.get(&session).copied()
    }

    /// Sessions with a connection.
    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Binds both; gives back the connection that had the session.
    fn bind(&mut self, connection: ConnectionId, session: SessionId) -> Option<ConnectionId> {
        self.return_of(session);
        self.sessions.insert(connection, session);
        let before = self.connections.insert(session, connection)?;
        self.sessions.remove(&before);
        Some(before)
    }

    fn unbind(&mut self, connection: ConnectionId) -> Option<SessionId> {
        let session = self.sessions.remove(&connection)?;
        self.connections.remove(&session);
        Some(session)
    }

    /// The session is gone.
    fn forget(&mut self, session: SessionId) -> Option<ConnectionId> {
        self.return_of(session);
        let connection = self.connections.remove(&session)?;
        self.sessions.remove(&connection);
        Some(connection)
    }

    /// It is to end no more; since when it was without a connection.
    fn return_of(&mut self, session: SessionId) -> Option<Timestamp> {
        let Absence { since, until } = self.absences.remove(&session)?;
        self.expiries.remove(&(until, session));
        Some(since)
    }

    fn leave(&mut self, session: SessionId, absence: Absence) {
        self.return_of(session);
        self.absences.insert(session, absence);
        self.expiries.insert((absence.until, session));
    }

    pub(super) fn expiry_of(&self, session: SessionId) -> Option<Timestamp> {
        self.absences.get(&session).map(|absence| absence.until)
    }

    fn pop_expired(&mut self, now: Timestamp) -> Option<SessionId> {
        let (at, session) = *self.expiries.first().filter(|(at, _)| *at <= now)?;
        self.expiries.remove(&(at, session));
        self.absences.remove(&session);
        Some(session)
    }
}

impl Shard {
    pub(super) fn open(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        key: SessionKey,
        kind: SessionKind,
    ) {
        self.detach(now, connection);
        if let Some(existing) = self.state.keys.get(&key).copied() {
            self.end_session(existing);
        }
        if self.has_sessions_enough(&key.user) {
            return self.outbox.push_now(connection, Event::Revoked);
        }
        let opened = self.record(&Record::OpenSession { key, kind }).session;
        let Some(session) = opened else { return };
        self.attachments.bind(connection, session);
        self.statistics.sessions_opened = self.statistics.sessions_opened.saturating_add(1);
        self.tell(connection, Event::Opened);
    }

    pub(super) fn attach(&mut self, now: Timestamp, connection: ConnectionId, key: &SessionKey) {
        let Some(session) = self.take_over(now, connection, key) else {
            self.statistics.sessions_unknown = self.statistics.sessions_unknown.saturating_add(1);
            return self.outbox.push_now(connection, Event::Unknown);
        };
        let Some(ledger) = self.state.sessions.get(&session).map(|session| session.ledger()) else {
            return;
        };
        self.tell(connection, Event::Attached(ledger));
    }

    /// Attaches to the session of `key`, from which nothing flows yet.
    pub(super) fn take_over(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        key: &SessionKey,
    ) -> Option<SessionId> {
        let session = self.state.keys.get(key).copied()?;
        if let Some(since) = self.attachments.return_of(session) {
            self.statistics.session_gaps.note(now.since(since));
        }
        // MBWS-A14: a resume while the old socket still looks alive takes over.
        if let Some(before) = self.attachments.bind(connection, session) {
            self.outbox.forget(before);
            self.outbox.push_now(before, Event::TakenOver);
        }
        self.prove(session);
        self.disconnect(session);
        // The ledger told must hold everything handled, and be durable when it is told.
        self.record_taking_of(session);
        Some(session)
    }

    // MBWS-048, MBWS-A23: what the client has is settled, the rest is sent again.
    pub(super) fn resume(&mut self, connection: ConnectionId, session: SessionId, received: u64) {
        self.settle(session, 0, received, &Outcome::Accepted);
        let Some(resumed) = self.state.sessions.get(&session) else {
            return;
        };
        self.statistics.sessions_resumed = self.statistics.sessions_resumed.saturating_add(1);
        let again: Vec<(u64, Outbound)> = resumed.outbound().collect();
        for consumer in resumed.consumers() {
            let link = Link { session, consumer: consumer.name, connection };
            self.feeds.add(consumer.queue, link, consumer.window.is_none());
        }
        for (seq, Outbound { queue, entry, consumer, .. }) in again {
            self.deliver(Link { session, consumer, connection }, seq, queue, entry);
        }
    }

    pub(super) fn detach(&mut self, now: Timestamp, connection: ConnectionId) {
        self.outbox.forget(connection);
        let Some(session) = self.attachments.unbind(connection) else {
            return;
        };
        let kind = self.state.sessions.get(&session).map(|session| session.kind);
        if kind == Some(SessionKind::Volatile) {
            return self.end_session(session);
        }
        self.disconnect(session);
        // The numbers that were used are known after a restart too.
        self.log.hurry();
        self.retain(session, now);
    }

    /// The client shows that it knows its session: our answer was not lost on the way.
    pub(super) fn prove(&mut self, session: SessionId) {
        if self.state.sessions.get(&session).is_some_and(|session| !session.proven) {
            self.record(&Record::Prove { session });
        }
    }

    /// Begins the retention of a session without a connection. One that nobody may know of
    /// cannot hold messages for long.
    pub(super) fn retain(&mut self, session: SessionId, now: Timestamp) {
        let Some(retained) = self.state.sessions.get(&session) else { return };
        let retention_ms = if retained.proven {
            self.config.session_retention_ms
        } else {
            self.config.session_unproven_retention_ms
        };
        let absence = Absence { since: now, until: now.plus_ms(retention_ms) };
        self.attachments.leave(session, absence);
    }

    pub(super) fn end(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        unsettled: &Outcome,
    ) {
        self.record_taking_of(session);
        let sent = self.state.sessions.get(&session).map_or(0, |session| session.sent());
        self.settle(session, 0, sent, unsettled);
        self.end_session(session);
        self.tell(connection, Event::Ended);
    }

    /// Ends a session; what it had not settled goes back.
    pub(super) fn end_session(&mut self, session: SessionId) {
        self.stop_feeding(session);
        self.taking.forget(session);
        self.attachments.forget(session);
        let Some(ending) = self.state.sessions.get(&session) else {
            return;
        };
        self.endings.note_ended(session, &ending.key);
        self.transients.forget(session);
        let returned: Vec<Outbound> = ending.outbound().map(|(_, outbound)| outbound).collect();
        for consumer in ending.consumers() {
            self.feeds.shunned().forget(consumer.queue, session, consumer.name);
        }
        let linked = self.addresses_linked(session);
        self.record(&Record::EndSession { session });
        self.bury_or_mark(returned.iter());
        self.links.forget(session);
        linked.into_iter().for_each(|address| self.collect(address));
    }

    /// What a session has links of: dynamic addresses may end with it.
    fn addresses_linked(&self, session: SessionId) -> BTreeSet<AddressId> {
        let consumers = self.state.sessions.get(&session).map(|session| session.consumers());
        let consumed = consumers.into_iter().flatten().filter_map(|consumer| {
            let queue = self.state.queues.get(&consumer.queue).filter(|queue| queue.dynamic);
            queue.map(|queue| queue.address)
        });
        let linked = self.links.of_session(session).map(|(_, address)| address);
        consumed.chain(linked).collect()
    }

    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some(session) = self.attachments.pop_expired(now) {
            self.statistics.sessions_expired = self.statistics.sessions_expired.saturating_add(1);
            self.end_session(session);
        }
    }

    /// A session loses its connection and stays.
    fn disconnect(&mut self, session: SessionId) {
        self.stop_feeding(session);
        self.leave_all_but_created(session);
    }

    fn stop_feeding(&mut self, session: SessionId) {
        self.routes.forget(session);
        self.feeds.remove_browsers_of(session);
        let Some(stopped) = self.state.sessions.get(&session) else {
            return;
        };
        for consumer in stopped.consumers() {
            self.feeds.remove(consumer.queue, session, consumer.name);
        }
    }
}
