//! Who is asking: HTTP Basic, before any upgrade, and SASL after one, with one user database.
//!
//! Checking a password is slow on purpose, so it is done on few threads, remembered when it was
//! right, and rationed per IP address when it was wrong. Nothing here can be used to lock out
//! someone else: a ration belongs to an address, and a remembered password needs none.

mod basic;
mod cache;
pub(crate) mod issuers;
pub(crate) mod jwt;
pub(crate) mod sasl;
mod throttle;
pub(crate) mod tokens;
mod users;
pub(crate) mod verifier;

use crate::config;
use crate::log::event;
use crate::net::registry::Login;
use cache::Cache;
use issuers::Known;
use jwt::{NotValid, UNKNOWN_KEY};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use throttle::Throttle;
use tokens::{Bearer, Kept, Tokens};
use tokio::sync::Semaphore;
use users::Users;
use wharf_api::shapes::Limits;
use wharf_broker::Permission;

/// Requests that may wait for a check. More are told to come back: waiting longer than this many
/// checks helps no one.
const WAITING_MAX: usize = 128;

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Denied {
    /// No credentials, or wrong ones: 401.
    Challenge,
    /// Too many wrong passwords from this address: 429.
    Throttled {
        /// When to try again.
        retry_after_s: u64,
    },
    /// Too many checks are waiting: 503.
    Busy,
}

/// Decides who a request is from.
#[derive(Debug)]
pub(crate) struct Authenticator {
    users: Users,
    tokens: Tokens,
    anonymous_user: Option<String>,
    cache: Cache,
    throttle: Throttle,
    checks: Semaphore,
    waiting: AtomicUsize,
}

impl Authenticator {
    pub(crate) fn new(config: &config::Auth) -> Self {
        let anonymous = &config.anonymous_user;
        Self {
            users: Users::new(),
            tokens: Tokens::default(),
            anonymous_user: (!anonymous.is_empty()).then(|| anonymous.clone()),
            cache: Cache::new(Duration::from_millis(config.cache_ttl_ms)),
            throttle: Throttle::new(config.failures_per_minute_max),
            checks: Semaphore::new(config.verifications_concurrent_max as usize),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Adds a user, or changes it.
    pub(crate) fn put_user(&self, name: &str, verifier: &str, permissions: &[Permission]) {
        self.users.put(name, verifier, permissions);
    }

    /// What a user may do; `None` if there is no such user.
    pub(crate) fn permissions_of(&self, user: &str) -> Option<Arc<[Permission]>> {
        self.users.permissions_of(user)
    }

    /// What users may use, by name; who is not named has no limits.
    /// Tells whether anything has changed.
    pub(crate) fn set_limits(&self, limits: HashMap<String, Limits>) -> bool {
        self.users.set_limits(limits)
    }

    pub(crate) fn limits_of(&self, user: &str) -> Limits {
        self.users.limits_of(user)
    }

    /// The tokens of the broker's own, by number, instead of those before.
    pub(crate) fn set_tokens(&self, tokens: HashMap<String, Kept>) {
        self.tokens.set_ours(tokens);
    }

    /// Whose tokens are taken besides.
    pub(crate) fn set_issuers(&self, issuers: Vec<Known>) {
        self.tokens.set_issuers(issuers);
    }

    /// Whose tokens are taken.
    pub(crate) fn issuers(&self) -> Vec<Arc<Known>> {
        self.tokens.issuers()
    }

    /// How many wrong passwords an address may send in a minute, from now on.
    pub(crate) fn set_failures_per_minute_max(&self, max: u32) {
        self.throttle.set_max(max);
    }

    /// Removes a user, who cannot log in any more.
    pub(crate) fn remove_user(&self, name: &str) {
        self.users.remove(name);
    }

    /// Makes the verifier of a password, in the same queue as passwords that are checked: it takes
    /// as long.
    ///
    /// # Errors
    /// Too many wait, or the system gave no randomness.
    pub(crate) async fn verifier_of(&self, password: String) -> Result<String, String> {
        let waiting = Waiting::enter(&self.waiting).ok_or("too many wait")?;
        let permit = self.checks.acquire().await.map_err(|error| error.to_string())?;
        drop(waiting);
        let made = tokio::task::spawn_blocking(move || verifier::of_password(&password)).await;
        drop(permit);
        made.map_err(|error| error.to_string())?
    }

    /// Whether requests without credentials are let in.
    pub(crate) fn has_anonymous(&self) -> bool {
        self.anonymous_user.is_some()
    }

    /// Whom `header`, the value of `Authorization`, lets in.
    pub(crate) async fn authenticate(
        &self,
        header: Option<&[u8]>,
        from: IpAddr,
        now: Instant,
    ) -> Result<Login, Denied> {
        let Some(header) = header else {
            let user = self.anonymous_user.clone().ok_or(Denied::Challenge)?;
            return Ok(Login { user, ..Login::default() });
        };
        if let Some(token) = basic::bearer(header) {
            return self.check_token(token, from, now);
        }
        let credentials = basic::parse(header).ok_or(Denied::Challenge)?;
        let user = self.check_credentials(credentials, from, now).await?;
        Ok(Login { user, ..Login::default() })
    }

    /// Checks a bearer token. Whom it names must be a user.
    pub(crate) fn check_token(
        &self,
        token: &str,
        from: IpAddr,
        now: Instant,
    ) -> Result<Login, Denied> {
        self.take_try(from, now)?;
        let checked = self.tokens.check(token, crate::node::now_ms());
        let known = checked.and_then(|bearer| match self.permissions_of(&bearer.user) {
            Some(_) => Ok(bearer),
            None => Err(NotValid("of nobody known here")),
        });
        match known {
            Ok(Bearer { user, expires_at_ms, id }) => {
                self.throttle.give_back(from);
                Ok(Login { user, expires_at_ms: Some(expires_at_ms), token: id })
            }
            Err(NotValid(reason)) => {
                if reason == UNKNOWN_KEY {
                    // Nothing can be guessed by it, and the issuer may be late with the key.
                    self.throttle.give_back(from);
                }
                tracing::info!(event = event::LOGIN_FAILED, %from, reason, "wrong token");
                Err(Denied::Challenge)
            }
        }
    }

    async fn check_credentials(
        &self,
        credentials: basic::Credentials,
        from: IpAddr,
        now: Instant,
    ) -> Result<String, Denied> {
        let verifier = self.users.verifier_of(&credentials.user);
        let proof = self.cache.proof(&credentials, verifier.as_deref());
        if self.cache.knows(&proof, now) {
            return Ok(credentials.user);
        }
        self.take_try(from, now)?;
        let user = credentials.user.clone();
        if self.check(credentials, verifier).await? {
            self.throttle.give_back(from);
            self.cache.remember(proof, now);
            return Ok(user);
        }
        tracing::info!(event = event::LOGIN_FAILED, %from, "wrong user name or password");
        Err(Denied::Challenge)
    }

    /// Takes one of the wrong passwords that an address may send, before it is known to be wrong.
    fn take_try(&self, from: IpAddr, now: Instant) -> Result<(), Denied> {
        self.throttle.take(from, now).map_err(|retry_after_s| {
            tracing::warn!(event = event::LOGIN_THROTTLED, %from, "too many wrong passwords");
            Denied::Throttled { retry_after_s }
        })
    }

    /// Checks a password. A user that does not exist costs as much as one that does.
    async fn check(
        &self,
        credentials: basic::Credentials,
        verifier: Option<Arc<str>>,
    ) -> Result<bool, Denied> {
        let waiting = Waiting::enter(&self.waiting).ok_or(Denied::Busy)?;
        let permit = self.checks.acquire().await.map_err(|_| Denied::Busy)?;
        drop(waiting);
        let checked = tokio::task::spawn_blocking(move || {
            let exists = verifier.is_some();
            let against = verifier.as_deref().unwrap_or_else(|| verifier::of_nobody());
            verifier::verify(&credentials.password, against) && exists
        });
        let right = checked.await.unwrap_or(false);
        drop(permit);
        Ok(right)
    }
}

/// Counts one waiting request, however it stops waiting.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Option<Self> {
        if count.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
