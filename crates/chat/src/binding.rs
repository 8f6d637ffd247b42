//! Sessions of resources: bound, managed, resumed, and found again after a restart.

use crate::chat::{Chat, Turn};
use crate::limits::RESOURCES_MAX;
use crate::people::Resource;
use crate::presence::Availability;
use crate::stored::INBOX;
use bytes::Bytes;
use std::sync::Arc;
use wharf_broker::{
    ConnectionId, Ledger, PERSON_PREFIX, QueueId, Refusal, SessionId, SessionKey, SessionKind,
};
use wharf_xmpp::jid::Jid;

/// What a resource asks for.
#[derive(Debug)]
pub(crate) struct Bind {
    pub(crate) resource: String,
    pub(crate) key: SessionKey,
    pub(crate) kind: SessionKind,
    pub(crate) replaces: Option<String>,
    pub(crate) carbons: bool,
}

/// The broker's address of an account.
pub(crate) fn address(bare: &str) -> String {
    format!("{PERSON_PREFIX}{bare}")
}

/// Name of the inbox of a session, among the mailboxes of its account.
pub(crate) fn inbox_name(session_name: &str) -> String {
    format!("{INBOX_PREFIX}{session_name}")
}

/// What names of inboxes begin with.
pub(crate) const INBOX_PREFIX: &str = "r/";

/// The document of a recoverable session.
fn session_document(key: &SessionKey) -> String {
    format!("session/{}/{}", key.host, key.name)
}

impl Chat {
    // RFC 6120 7.7.2.2: of two with the same resource the older one goes.
    pub(crate) fn bind(&mut self, turn: &mut Turn<'_>, connection: ConnectionId, bind: Bind) {
        let Bind { resource, key, kind, replaces, carbons } = bind;
        let bare = Jid::of_user(&key.user, &key.host);
        let jid = bare.and_then(|bare| bare.with_resource(&resource));
        let Ok(jid) = jid else {
            return turn.shard.tell_refused(connection, Refusal::InvalidAddress);
        };
        let same = |other: &&Resource| {
            other.jid == jid || (replaces.is_some() && other.client == replaces)
        };
        let earlier: Vec<SessionId> =
            self.people.of(jid.bare_str()).filter(same).map(|other| other.session).collect();
        for session in earlier {
            self.expel(turn, session);
        }
        if self.people.of(jid.bare_str()).count() >= RESOURCES_MAX {
            return turn.shard.tell_refused(connection, Refusal::TooManyConsumers);
        }
        let session = turn.shard.open_session(turn.now, connection, key.clone(), kind);
        // A session that the connection had before is no resource any more.
        self.settle(turn.now, turn.shard);
        let inbox = open_inbox(turn, session, jid.bare_str(), &key);
        let user = Arc::from(key.user.as_str());
        self.learn(&user, &jid);
        self.people.insert(Resource {
            jid,
            user,
            host: Arc::from(key.host.as_str()),
            session,
            inbox,
            client: replaces,
            carbons,
            interested: false,
            availability: Availability::default(),
        });
        self.remember(turn, session);
    }

    /// Ends the session of a resource for another one.
    fn expel(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        if let Some(connection) = turn.shard.connection_of(session) {
            turn.shard.tell_taken_over(connection);
        }
        turn.shard.close_session(session);
        self.settle(turn.now, turn.shard);
    }

    // XEP-0198 3.
    pub(crate) fn enable(
        &mut self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        key: SessionKey,
        kind: SessionKind,
    ) {
        let before = turn.shard.session_of(connection);
        let Some(resource) = before.and_then(|session| self.people.remove(session)) else {
            return turn.shard.tell_refused(connection, Refusal::UnknownAddress);
        };
        let session = turn.shard.open_session(turn.now, connection, key.clone(), kind);
        let inbox = open_inbox(turn, session, resource.bare(), &key);
        // What the session before had not delivered goes on in this one, and so does what it was
        // fed from.
        let left: Vec<u64> =
            turn.shard.entries(resource.inbox).iter().map(|entry| entry.entry).collect();
        for entry in left {
            turn.shard.move_entry(resource.inbox, entry, &[inbox]);
        }
        turn.shard.close_mailbox(resource.inbox);
        self.people.insert(Resource { session, inbox, ..resource });
        self.feed_offline(turn, session);
        self.remember(turn, session);
        self.settle(turn.now, turn.shard);
    }

    // XEP-0198 5.
    pub(crate) fn resume(
        &mut self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        key: &SessionKey,
        handled: u32,
    ) {
        let known = turn.shard.session_named(key);
        let known = known.filter(|session| self.people.get(*session).is_some());
        if known.is_none() {
            return turn.shard.tell_unknown(connection);
        }
        let Some((session, ledger)) = turn.shard.attach_session(turn.now, connection, key) else {
            return turn.shard.tell_unknown(connection);
        };
        let received = received(&ledger, handled);
        if turn.shard.resume_session(connection, session, received).is_err() {
            // XEP-0198 4: the client counts what it was never sent. Nothing of this session can
            // be trusted to arrive.
            turn.shard.tell_unknown(connection);
            turn.shard.close_session(session);
            self.settle(turn.now, turn.shard);
        } else {
            // XEP-0352 5: a resumed client is looked at, until it says otherwise.
            self.active(turn, connection, true);
            if self.recovered.remove(&session) {
                self.tell_gone_contacts(turn, session);
            }
        }
    }

    pub(crate) fn end(&mut self, turn: &mut Turn<'_>, connection: ConnectionId) {
        if let Some(session) = turn.shard.session_of(connection) {
            turn.shard.close_session(session);
            self.settle(turn.now, turn.shard);
        }
    }

    pub(crate) fn handled(&mut self, turn: &mut Turn<'_>, connection: ConnectionId, up_to: u64) {
        use wharf_broker::{Command, Input, Outcome};
        let outcome = Outcome::Accepted;
        let command = Command::Settle { first: 0, last: up_to, outcome, confirm: false };
        turn.shard.handle(turn.now, Input::Command(connection, command));
    }

    /// Keeps what others rely on while the client of a recoverable session is away.
    pub(crate) fn remember(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        let Some(resource) = self.people.get(session) else { return };
        if turn.shard.session_kind(session) != Some(SessionKind::Recoverable) {
            return;
        }
        let Some(key) = turn.shard.session_key(session).map(session_document) else { return };
        let mut value = Vec::new();
        value.push(u8::from(resource.carbons) | u8::from(resource.interested) << 1);
        let client = resource.client.as_deref().unwrap_or_default();
        value.push(u8::try_from(client.len()).unwrap_or(0));
        if u8::try_from(client.len()).is_ok() {
            value.extend_from_slice(client.as_bytes());
        }
        resource.availability.encode(&mut value);
        value.shrink_to_fit();
        turn.shard.put_document(&key, Some(Bytes::from(value)));
    }

    pub(crate) fn forget(turn: &mut Turn<'_>, key: &SessionKey) {
        turn.shard.put_document(&session_document(key), None);
    }

    /// Finds everybody again.
    pub(crate) fn recover(&mut self, turn: &mut Turn<'_>) {
        let sessions: Vec<(SessionId, SessionKey)> =
            turn.shard.service_sessions().map(|(id, key)| (id, key.clone())).collect();
        for (session, key) in sessions {
            if self.find_again(turn, session, &key).is_none() {
                turn.shard.close_session(session);
            } else {
                self.recovered.insert(session);
            }
        }
        self.learn_everybody(turn);
        self.recover_archives(turn);
        self.services.blockers = crate::blocking::Blockers::recover(turn.shard);
        self.settle(turn.now, turn.shard);
        self.adopt_orphans(turn);
    }

    fn find_again(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        key: &SessionKey,
    ) -> Option<()> {
        let (_, resource) = key.name.split_once('/')?;
        let jid = Jid::of_user(&key.user, &key.host).ok()?.with_resource(resource).ok()?;
        let (bare, name) = (address(jid.bare_str()), inbox_name(&key.name));
        let inbox = turn.shard.find_mailbox(&key.host, &bare, &name)?;
        let document = turn.shard.document(&session_document(key)).cloned().unwrap_or_default();
        let (flags, rest) = document.split_first().unwrap_or((&0, &[]));
        let (len, rest) = rest.split_first().unwrap_or((&0, &[]));
        let (client, rest) = rest.split_at_checked(usize::from(*len)).unwrap_or((&[], &[]));
        let client = std::str::from_utf8(client).ok().filter(|client| !client.is_empty());
        self.people.insert(Resource {
            jid,
            user: Arc::from(key.user.as_str()),
            host: Arc::from(key.host.as_str()),
            session,
            inbox,
            client: client.map(str::to_owned),
            carbons: flags & 1 != 0,
            interested: flags & 2 != 0,
            availability: Availability::decode(rest),
        });
        Some(())
    }

    fn learn_everybody(&mut self, turn: &Turn<'_>) {
        let hosts = self.config.hosts.clone();
        let users: Vec<Arc<str>> = turn.shard.user_names().map(Arc::from).collect();
        for user in users {
            let jid = hosts.first().and_then(|host| Jid::of_user(&user, host).ok());
            if let Some(jid) = jid {
                self.learn(&user, &jid);
            }
        }
    }
}

/// The inbox of a session, which it consumes from now on.
fn open_inbox(turn: &mut Turn<'_>, session: SessionId, bare: &str, key: &SessionKey) -> QueueId {
    let inbox = turn.shard.make_mailbox(&key.host, &address(bare), &inbox_name(&key.name));
    turn.shard.feed(session, inbox, INBOX);
    inbox
}

/// How many stanzas the client has received, if it says so modulo 2^32. It may be some that the
/// ledger does not know, or fewer than it takes for settled, because transients are settled there
/// from the start.
fn received(ledger: &Ledger, handled: u32) -> u64 {
    let settled = ledger.settled;
    let ahead = handled.wrapping_sub(settled as u32);
    let behind = (settled as u32).wrapping_sub(handled);
    if ahead <= behind {
        settled.saturating_add(u64::from(ahead))
    } else {
        settled.saturating_sub(u64::from(behind))
    }
}

#[cfg(test)]
mod tests {
    use super::received;
    use wharf_broker::Ledger;

    #[test]
    fn counts_wrap() {
        let of =
            |settled, handled| received(&Ledger { taken: 0, settled, sent: settled + 10 }, handled);
        assert_eq!(of(0, 0), 0);
        assert_eq!(of(5, 7), 7);
        assert_eq!(of(5, 3), 3);
        assert_eq!(of((1 << 32) + 5, 7), (1 << 32) + 7);
        assert_eq!(of((1 << 32) - 2, 3), (1 << 32) + 3);
        assert_eq!(of((1 << 32) + 1, u32::MAX), (1 << 32) - 1);
    }
}
