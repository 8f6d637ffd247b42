//! Bearer tokens: those that the broker itself has made, and those of an issuer (JWT).
//!
//! Of a token of our own only a hash is kept. It names its entry, so that finding it takes no search
//! and says nothing about others.

use super::issuers::Known;
use super::jwt::{Claims, NotValid};
use blake2::{Blake2s256, Digest};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What a token of our own begins with.
const PREFIX: &str = "wharf_";

/// What is kept of a token of our own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Kept {
    pub(crate) user: String,
    pub(crate) expires_at_ms: u64,
    pub(crate) hash: [u8; 32],
}

/// Whom a token lets in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Bearer {
    pub(super) user: String,
    pub(super) expires_at_ms: u64,
    /// Number of a token of our own.
    pub(super) id: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Tokens {
    ours: RwLock<HashMap<String, Kept>>,
    issuers: RwLock<Vec<Arc<Known>>>,
}

impl Tokens {
    pub(super) fn set_ours(&self, tokens: HashMap<String, Kept>) {
        *self.ours.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    pub(super) fn set_issuers(&self, mut issuers: Vec<Known>) {
        issuers.iter_mut().for_each(Known::begin);
        let issuers = issuers.into_iter().map(Arc::new).collect();
        *self.issuers.write().unwrap_or_else(PoisonError::into_inner) = issuers;
    }

    pub(super) fn issuers(&self) -> Vec<Arc<Known>> {
        self.issuers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether any token could be right.
    pub(super) fn are_taken(&self) -> bool {
        let issuers = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        !issuers.is_empty() || !self.ours.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whom a token lets in at this time.
    pub(super) fn check(&self, token: &str, now_ms: u64) -> Result<Bearer, NotValid> {
        if let Some(rest) = token.strip_prefix(PREFIX) {
            return self.check_ours(token, rest, now_ms).ok_or(NotValid("unknown or over"));
        }
        let issuers = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        let mut checked = Err(NotValid("tokens of an issuer are not taken"));
        for known in issuers.iter() {
            checked = checked.or_else(|_| known.issuer.check(token, now_ms));
        }
        let Claims { user, expires_at_ms } = checked?;
        Ok(Bearer { user, expires_at_ms, id: None })
    }

    fn check_ours(&self, token: &str, rest: &str, now_ms: u64) -> Option<Bearer> {
        let (id, _) = rest.split_once('_')?;
        let ours = self.ours.read().unwrap_or_else(PoisonError::into_inner);
        let kept = ours.get(id)?;
        // Hashes are compared: how long that takes says nothing about the token.
        let right = kept.hash == hash_of(token) && now_ms < kept.expires_at_ms;
        let Kept { user, expires_at_ms, .. } = kept.clone();
        right.then(|| Bearer { user, expires_at_ms, id: Some(id.to_owned()) })
    }
}

/// A new token of our own: its number, and the token itself.
pub(crate) fn mint() -> (String, String) {
    let name = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let (id, secret): ([u8; 32], [u8; 32]) = (crate::entropy::bytes(), crate::entropy::bytes());
    let id = name(&id[..8]);
    let token = format!("{PREFIX}{id}_{}", name(&secret));
    (id, token)
}

/// What is kept of a token.
pub(crate) fn hash_of(token: &str) -> [u8; 32] {
    let mut hash = Blake2s256::new_with_prefix(b"a token of the broker\0");
    hash.update(token);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{Kept, Tokens, hash_of, mint};

    #[test]
    fn a_token_of_our_own_is_right_until_it_is_over() {
        let (id, token) = mint();
        let tokens = Tokens::default();
        assert!(!tokens.are_taken());
        let kept = Kept { user: "ada".to_owned(), expires_at_ms: 10, hash: hash_of(&token) };
        tokens.set_ours([(id.clone(), kept)].into());
        assert!(tokens.are_taken());
        let bearer = tokens.check(&token, 9).unwrap();
        assert_eq!((bearer.user.as_str(), bearer.id), ("ada", Some(id.clone())));
        assert!(tokens.check(&token, 10).is_err());
        let other = format!("wharf_{id}_0");
        for wrong in ["", "wharf_", "wharf_x_y", &other, "a.b.c"] {
            assert!(tokens.check(wrong, 9).is_err(), "{wrong}");
        }
    }
}
