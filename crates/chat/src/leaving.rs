//! What a session leaves behind when it ends: messages that nobody has acknowledged find another
//! resource, or wait until one comes; all in the frame of the end.

use crate::binding::{INBOX_PREFIX, address, inbox_name};
use crate::chat::{Chat, Turn};
use crate::stored::XMPP;
use wharf_broker::{QueueId, SessionId, SessionKey};
use wharf_xmpp::jid::Jid;

/// Name of the mailbox of an account that is away.
pub(crate) const OFFLINE_NAME: &str = "offline";

impl Chat {
    /// The session has ended, however that came.
    pub(crate) fn leave(&mut self, turn: &mut Turn<'_>, session: SessionId, key: &SessionKey) {
        Self::forget(turn, key);
        let resource = self.people.remove(session);
        self.services.held.forget(session);
        self.recovered.remove(&session);
        let Ok(bare) = Jid::of_user(&key.user, &key.host) else { return };
        let inbox =
            turn.shard.find_mailbox(&key.host, &address(bare.as_str()), &inbox_name(&key.name));
        if let Some(inbox) = inbox {
            self.rehome(turn, bare.as_str(), &key.host, inbox);
        }
        // What it was handed of what had waited is for another that is here.
        let others: Vec<SessionId> =
            self.people.of(bare.as_str()).map(|other| other.session).collect();
        others.into_iter().for_each(|other| self.feed_offline(turn, other));
        // RFC 6121 4.5.3: whoever saw it available is told.
        if let Some(resource) = resource {
            self.tell_left(turn, resource);
        }
    }

    /// Moves what is in an inbox to where it would go now, and closes it.
    // XEP-0198 5, RFC 6121 8.5.2: as if it had come for the account.
    fn rehome(&mut self, turn: &mut Turn<'_>, bare: &str, host: &str, inbox: QueueId) {
        let left: Vec<(u64, u8)> =
            turn.shard.entries(inbox).iter().map(|entry| (entry.entry, entry.format)).collect();
        if left.iter().any(|(_, format)| *format == XMPP) {
            let mut to = self.receiving_inboxes(bare);
            if to.is_empty() {
                to.push(turn.shard.make_mailbox(host, &address(bare), OFFLINE_NAME));
            }
            for (entry, format) in left {
                let to: &[QueueId] = if format == XMPP { &to } else { &[] };
                turn.shard.move_entry(inbox, entry, to);
            }
        }
        turn.shard.close_mailbox(inbox);
    }

    /// Inboxes whose sessions did not survive.
    pub(crate) fn adopt_orphans(&mut self, turn: &mut Turn<'_>) {
        let inboxes = turn.shard.all_mailboxes();
        let inboxes = inboxes.filter(|(_, _, name, _)| name.starts_with(INBOX_PREFIX));
        let orphans: Vec<(String, String, QueueId)> = inboxes
            .filter(|(_, _, _, queue)| self.people.session_of(*queue).is_none())
            .map(|(host, address, _, queue)| (host.to_owned(), address.to_owned(), queue))
            .collect();
        for (host, address, queue) in orphans {
            let bare = address.strip_prefix(wharf_broker::PERSON_PREFIX).unwrap_or_default();
            self.rehome(turn, bare, &host, queue);
        }
    }
}
