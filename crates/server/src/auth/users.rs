//! Who there is, and what is stored of their passwords.

use super::verifier;
use blake2::{Blake2s256, Digest};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use wharf_api::shapes::Limits;
use wharf_broker::Permission;
use wharf_sasl::{Hash, ScramKeys};

pub(super) struct Users(RwLock<Table>);

/// One user.
#[derive(Clone)]
struct User {
    verifier: Arc<str>,
    /// Read once, so that finding them takes as long as finding no one.
    keys: Arc<[ScramKeys]>,
    permissions: Arc<[Permission]>,
}

struct Table {
    by_name: HashMap<String, User>,
    /// Of those who have any.
    limits: HashMap<String, Limits>,
    /// Hashes that some user has keys for.
    hashes: BTreeSet<Hash>,
    /// The first user by name.
    first: Option<String>,
    decoy_key: [u8; 32],
}

impl Users {
    pub(super) fn new() -> Self {
        Self(RwLock::new(Table {
            by_name: HashMap::new(),
            limits: HashMap::new(),
            hashes: BTreeSet::new(),
            first: None,
            decoy_key: crate::entropy::bytes(),
        }))
    }

    pub(super) fn put(&self, name: &str, verifier: &str, permissions: &[Permission]) {
        let keys: Arc<[ScramKeys]> = verifier::scram_keys(verifier).into();
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.hashes.extend(keys.iter().map(ScramKeys::hash));
        if !verifier.is_empty() && table.first.as_deref().is_none_or(|first| name <= first) {
            table.first = Some(name.to_owned());
            table.decoy_key = decoy_key_of(verifier);
        }
        let user = User { verifier: Arc::from(verifier), keys, permissions: permissions.into() };
        table.by_name.insert(name.to_owned(), user);
    }

    pub(super) fn permissions_of(&self, name: &str) -> Option<Arc<[Permission]>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.by_name.get(name).map(|user| Arc::clone(&user.permissions))
    }

    pub(super) fn set_limits(&self, limits: HashMap<String, Limits>) -> bool {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = table.limits != limits;
        table.limits = limits;
        differs
    }

    pub(super) fn limits_of(&self, name: &str) -> Limits {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.limits.get(name).copied().unwrap_or_default()
    }

    pub(super) fn remove(&self, name: &str) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.by_name.remove(name);
        if table.first.as_deref() == Some(name) {
            // Unknown users are made of the next one from now on.
            let first = table.by_name.iter().min_by_key(|(name, _)| name.as_str());
            let next = first.map(|(name, user)| (name.clone(), decoy_key_of(&user.verifier)));
            match next {
                Some((name, decoy_key)) => (table.first, table.decoy_key) = (Some(name), decoy_key),
                None => table.first = None,
            }
        }
    }

    pub(super) fn verifier_of(&self, name: &str) -> Option<Arc<str>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.by_name.get(name).map(|user| Arc::clone(&user.verifier))
    }

    pub(super) fn scram_keys_of(&self, name: &str, hash: Hash) -> Option<ScramKeys> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let user = table.by_name.get(name).cloned();
        drop(table);
        user?.keys.iter().find(|keys| keys.hash() == hash).cloned()
    }

    /// Hashes that some user has keys for, weakest first. They never become fewer.
    pub(super) fn hashes(&self) -> Vec<Hash> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.hashes.iter().copied().collect()
    }

    /// What the keys of unknown users are made of.
    pub(super) fn decoy_key(&self) -> [u8; 32] {
        self.0.read().unwrap_or_else(PoisonError::into_inner).decoy_key
    }
}

/// A secret that outlives a restart without being stored anew: a salt that changed with each start
/// would show that there is no such user. It changes when the first user's password does.
fn decoy_key_of(verifier: &str) -> [u8; 32] {
    let mut hash = Blake2s256::new_with_prefix(b"SCRAM keys of unknown users\0");
    hash.update(verifier);
    hash.finalize().into()
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}
