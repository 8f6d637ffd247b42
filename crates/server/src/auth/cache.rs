//! Passwords known to be right, as hashes under a key that never leaves the process.

use super::basic::Credentials;
use blake2::{Blake2s256, Digest};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most credentials remembered. At the limit the expired go first, then all.
const ENTRIES_MAX: usize = 65_536;

/// Names one user, password and verifier. A changed verifier is another proof.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(super) struct Proof([u8; 32]);

pub(super) struct Cache {
    key: [u8; 32],
    ttl: Duration,
    known_until: Mutex<HashMap<Proof, Instant>>,
}

impl Cache {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { key: crate::entropy::bytes(), ttl, known_until: Mutex::default() }
    }

    pub(super) fn proof(&self, credentials: &Credentials, verifier: Option<&str>) -> Proof {
        let verifier = verifier.unwrap_or_default();
        let mut hash = Blake2s256::new_with_prefix(self.key);
        for part in [credentials.user.as_bytes(), &credentials.password, verifier.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Proof(hash.finalize().into())
    }

    pub(super) fn knows(&self, proof: &Proof, now: Instant) -> bool {
        let known = self.known_until.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(proof).is_some_and(|&until| now < until)
    }

    pub(super) fn remember(&self, proof: Proof, now: Instant) {
        if self.ttl.is_zero() {
            return;
        }
        let mut known = self.known_until.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ENTRIES_MAX {
            known.retain(|_, until| now < *until);
        }
        if known.len() >= ENTRIES_MAX {
            known.clear();
        }
        known.insert(proof, now + self.ttl);
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}
