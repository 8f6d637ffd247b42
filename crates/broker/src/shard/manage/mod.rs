//! What an operator does with a shard: look at everything in it, and change it. Permissions are
//! not asked here: who may manage is decided above. Like a service, it works on the shard between
//! `handle` and `flush`.
//!
//! | module | what it owns |
//! |---|---|
//! | `addresses` | addresses as an operator sees them; declaring and deleting them |
//! | `queues` | purging, moving, redriving; subscriptions |
//! | `sessions` | who is here, and sending somebody away |

mod addresses;
mod queues;
mod sessions;

pub use addresses::{AddressCounts, AddressView};
pub use queues::{Moved, QueueView};
pub use sessions::SessionView;

use super::Shard;
use crate::journal::Lsn;
use crate::policy::{Policies, Policy};
use crate::time::Timestamp;
use std::collections::BTreeMap;

impl Shard {
    /// The frame that must be durable before anything decided so far may be told.
    #[must_use]
    pub fn barrier(&self) -> Lsn {
        self.log.barrier()
    }

    /// Settings of addresses by pattern, instead of those before: the first match applies.
    pub fn set_policies(&mut self, now: Timestamp, policies: Vec<Policy>) {
        self.policies = Policies::new(policies);
        self.state.routes_version = self.state.routes_version.wrapping_add(1);
        self.watch_all(now);
    }

    /// How many sessions users may have, by name, instead of before; who is not named may have any
    /// number. One more is refused by `Event::Revoked`.
    pub fn set_sessions_max(&mut self, sessions_max: BTreeMap<String, usize>) {
        self.sessions_max = sessions_max;
    }

    /// Whether a session more is one too many for a user.
    pub(super) fn has_sessions_enough(&self, user: &str) -> bool {
        self.sessions_max.get(user).is_some_and(|max| {
            let of_user = self.state.keys.keys().filter(|key| key.user == user);
            of_user.take(*max).count() >= *max
        })
    }

    /// How long sessions wait for their client, from the next one on that loses its connection.
    pub fn set_session_retention_ms(&mut self, retention_ms: u64) {
        self.config.session_retention_ms = retention_ms;
    }
}
