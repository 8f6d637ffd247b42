//! Sessions as an operator sees them.

use crate::command::{ConnectionId, ConsumerId, SessionId, SessionKind};
use crate::output::Event;
use crate::permission::Right;
use crate::record::AddressId;
use crate::shard::Shard;
use crate::time::Timestamp;
use std::ops::Bound;
use std::sync::Arc;

/// A session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionView {
    /// Its number.
    pub id: SessionId,
    /// The virtual host.
    pub host: String,
    /// Whose it is.
    pub user: String,
    /// The origin of the page that opened it.
    pub origin: Option<String>,
    /// Whether it outlives its connection.
    pub is_recoverable: bool,
    /// Its connection, if it has one.
    pub connection: Option<ConnectionId>,
    /// Until when a client may take it up again, while it has no connection.
    pub expires: Option<Timestamp>,
    /// Deliveries that are not settled.
    pub deliveries_unsettled: u64,
    /// Their bodies, in bytes.
    pub deliveries_unsettled_bytes: u64,
    /// Consumers.
    pub consumers: u64,
    /// Messages taken from it.
    pub messages_taken: u64,
    /// Deliveries made to it, settled or not.
    pub deliveries: u64,
}

impl Shard {
    /// Sessions in the order in which they were opened, behind `after`.
    pub fn sessions_after(&self, after: SessionId) -> impl Iterator<Item = SessionView> + '_ {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        self.state.sessions.range(behind).filter_map(|(id, _)| self.session_view(*id))
    }

    /// One session.
    #[must_use]
    pub fn session_view(&self, id: SessionId) -> Option<SessionView> {
        let session = self.state.sessions.get(&id)?;
        Some(SessionView {
            id,
            host: session.key.host.clone(),
            user: session.key.user.clone(),
            origin: session.key.origin.clone(),
            is_recoverable: session.kind == SessionKind::Recoverable,
            connection: self.attachments.connection_of(id),
            expires: self.attachments.expiry_of(id),
            deliveries_unsettled: session.unsettled() as u64,
            deliveries_unsettled_bytes: session.unsettled_bytes(),
            consumers: session.consumers().len() as u64,
            messages_taken: session.taken,
            deliveries: session.sent(),
        })
    }

    /// Ends a session: its client, if it is here, is told that it is over, and what it has not
    /// settled goes back. Tells whether there was one.
    pub fn revoke_session(&mut self, id: SessionId) -> bool {
        let known = self.state.sessions.contains_key(&id);
        if known {
            if let Some(connection) = self.attachments.connection_of(id) {
                self.outbox.push_now(connection, Event::Revoked);
            }
            self.end_session(id);
        }
        known
    }

    /// After a user's permissions have changed: what it may consume no more ends.
    pub(in crate::shard) fn enforce_permissions(&mut self, user: &str) {
        let of_user = self.state.sessions.iter().filter(|(_, session)| session.key.user == user);
        let sessions: Vec<SessionId> = of_user.map(|(id, _)| *id).collect();
        for session in sessions {
            for (consumer, address) in self.forbidden(session) {
                self.end_consumer(session, consumer, address);
            }
        }
    }

    /// Consumers and browsers of a session whose address it may not receive from.
    fn forbidden(&self, session: SessionId) -> Vec<(ConsumerId, AddressId)> {
        let known = self.state.sessions.get(&session);
        let consumed = known.into_iter().flat_map(|it| it.consumers()).filter_map(|consumer| {
            Some((consumer.name, self.state.queues.get(&consumer.queue)?.address))
        });
        let all = consumed.chain(self.links.of_session(session));
        let is_forbidden = |(_, id): &(ConsumerId, AddressId)| {
            // What is a person's, its service gives and takes.
            let address = self.state.addresses.get(id).filter(|address| !address.is_mailbox());
            address.is_some_and(|it| !self.permits(session, Right::Receive, &it.name))
        };
        all.filter(is_forbidden).collect()
    }

    fn end_consumer(&mut self, session: SessionId, consumer: ConsumerId, address: AddressId) {
        let Some(name) = self.state.addresses.get(&address).map(|it| Arc::clone(&it.name)) else {
            return;
        };
        let mut ended = self.feeds.remove_browser(session, consumer);
        let known = self.state.sessions.get(&session);
        let consumed = known.into_iter().flat_map(|it| it.consumers()).filter(|known| {
            let queue = self.state.queues.get(&known.queue);
            known.name == consumer && queue.is_some_and(|queue| queue.address == address)
        });
        let queues: Vec<_> = consumed.map(|known| known.queue).collect();
        for queue in queues {
            ended = true;
            self.stop(session, queue, consumer);
        }
        // A sender stays: what it sends is looked at message by message.
        if ended && let Some(connection) = self.attachments.connection_of(session) {
            self.tell(connection, Event::Gone { consumer, address: name });
        }
    }
}
