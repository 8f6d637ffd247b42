//! What services above the broker do with its shard: a person's mailboxes, stanzas that are not
//! kept, small durable documents. A service works on the shard between `handle` and `flush`, so
//! that what it does is in the frame of what it follows from.
//!
//! | module | what it owns |
//! |---|---|
//! | `sessions` | sessions of a service, by method instead of by command, and who has ended |
//! | `mailboxes` | queues that a service fills by itself |
//! | `transients` | what is sent in the order of deliveries and is not journaled |
//! | `documents` | durable values by key |
//! | `system` | topics of the broker's own |

mod documents;
mod mailboxes;
mod sessions;
mod system;
mod transients;

pub use mailboxes::Entry;
pub use sessions::Ahead;
pub(super) use sessions::Endings;
pub use system::Audience;
pub(super) use transients::Transients;
pub use transients::{Stored, Transient};

use super::Shard;
use crate::command::ConnectionId;
use crate::limits::FRAME_TARGET_BYTES;
use crate::output::DeathReason;
use crate::permission::{Permission, Right, allows};

impl Shard {
    /// Takes inbound message `seq` of a connection's session. True: it is the next one, its
    /// effect may be made now, and `Event::Taken` is told when the frame with both is durable.
    /// False: its effect is there already, which is told again, or it is out of order.
    pub fn take_in(&mut self, connection: ConnectionId, seq: u64) -> bool {
        // Not in the midst of an effect: what follows is in one frame.
        if self.log.open_len_bytes() >= FRAME_TARGET_BYTES {
            self.dispatch_dirty();
            self.seal();
        }
        let Some(session) = self.attachments.session_of(connection) else {
            return false;
        };
        self.take_next(connection, session, seq)
    }

    /// Whether inbound `seq` is the next of a connection's session.
    #[must_use]
    pub fn is_next_in(&self, connection: ConnectionId, seq: u64) -> bool {
        let session = self.attachments.session_of(connection);
        session.is_some_and(|session| self.taken(session).checked_add(1) == Some(seq))
    }

    /// Why a message of a connection's session cannot go to one of these addresses, if so.
    #[must_use]
    pub fn unroutable(&self, connection: ConnectionId, to: &[String]) -> Option<DeathReason> {
        self.first_unroutable(self.attachments.session_of(connection)?, to)
    }

    /// A message that was just taken could not be served.
    pub fn decline(&mut self, connection: ConnectionId, seq: u64, reason: DeathReason) {
        if let Some(session) = self.attachments.session_of(connection) {
            self.note_declined(session, seq, reason);
        }
    }

    /// Whether there is such a user.
    #[must_use]
    pub fn has_user(&self, name: &str) -> bool {
        self.state.users.contains_key(name)
    }

    /// What is kept instead of a user's password; empty if there is none.
    #[must_use]
    pub fn user_verifier(&self, name: &str) -> Option<&str> {
        self.state.users.get(name).map(|user| user.verifier.as_str())
    }

    /// Every user's name.
    pub fn user_names(&self) -> impl Iterator<Item = &str> + '_ {
        self.state.users.keys().map(String::as_str)
    }

    /// What a user may do; nothing if there is no such user.
    #[must_use]
    pub fn user_permissions(&self, name: &str) -> &[Permission] {
        self.state.users.get(name).map(|user| &*user.permissions).unwrap_or_default()
    }

    /// Whether a user may do this with an address of a host.
    #[must_use]
    pub fn user_permits(&self, user: &str, right: Right, host: &str, address: &str) -> bool {
        let user = self.state.users.get(user);
        user.is_some_and(|user| allows(&user.permissions, right, host, address))
    }
}
