//! How much a user may send: tokens that come back with time, shared by all of its connections. Who
//! has used them up is read later, so that its own buffers fill and TCP slows it down.

use super::registry::Login;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use wharf_api::shapes::Limits;

/// Octets of a read, at least: less costs more than it slows.
const READ_MIN_BYTES: usize = 1024;

/// Octets of a read for each message a second that may come, so that one read is no long debt.
const BYTES_PER_MESSAGE: usize = 64;

/// What one user may still send.
#[derive(Debug)]
pub(crate) struct Allowance(Mutex<State>);

#[derive(Debug)]
struct State {
    messages: Bucket,
    bytes: Bucket,
    filled_at: Instant,
}

/// So many a second, and no more than a second's worth at once. Below zero it is in debt.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    per_second: f64,
    left: f64,
}

impl Bucket {
    fn new(per_second: f64) -> Self {
        Self { per_second, left: per_second }
    }

    fn is_limited(self) -> bool {
        self.per_second > 0.0
    }

    fn fill(&mut self, elapsed: Duration) {
        self.left = (self.left + self.per_second * elapsed.as_secs_f64()).min(self.per_second);
    }

    /// Time until there is something left.
    fn wait(self) -> Duration {
        if !self.is_limited() || self.left > 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64((-self.left / self.per_second + 0.001).min(3600.0))
    }
}

impl Allowance {
    fn new(limits: Limits, now: Instant) -> Self {
        Self(Mutex::new(State {
            messages: Bucket::new(f64::from(limits.messages_per_second_max)),
            bytes: Bucket::new(limits.bytes_per_second_max as f64),
            filled_at: now,
        }))
    }

    fn change<T>(&self, now: Instant, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = now.saturating_duration_since(state.filled_at);
        state.filled_at = state.filled_at.max(now);
        state.messages.fill(elapsed);
        state.bytes.fill(elapsed);
        change(&mut state)
    }

    /// How long to wait before the next read, or how many octets it may take.
    pub(super) fn next_read(&self, now: Instant, max: usize) -> Result<usize, Duration> {
        self.change(now, |state| {
            let wait = state.messages.wait().max(state.bytes.wait());
            if !wait.is_zero() {
                return Err(wait);
            }
            let mut len = max;
            if state.bytes.is_limited() {
                len = len.min(state.bytes.left as usize);
            }
            if state.messages.is_limited() {
                len = len.min((state.messages.left as usize).saturating_mul(BYTES_PER_MESSAGE));
            }
            Ok(len.max(READ_MIN_BYTES).min(max))
        })
    }

    /// So much was read.
    pub(super) fn spend(&self, now: Instant, bytes: usize, messages: usize) {
        self.change(now, |state| {
            state.bytes.left -= bytes as f64;
            state.messages.left -= messages as f64;
        });
    }

    fn set(&self, limits: Limits, now: Instant) {
        self.change(now, |state| {
            for (bucket, per_second) in [
                (&mut state.messages, f64::from(limits.messages_per_second_max)),
                (&mut state.bytes, limits.bytes_per_second_max as f64),
            ] {
                bucket.per_second = per_second;
                bucket.left = bucket.left.min(per_second);
            }
        });
    }
}

/// The allowances of users who have a connection.
#[derive(Debug, Default)]
pub(crate) struct Allowances(Mutex<HashMap<String, Weak<Allowance>>>);

impl Allowances {
    /// The allowance of a user, if it has limits.
    pub(crate) fn of(&self, user: &str, limits: Limits) -> Option<Arc<Allowance>> {
        let is_limited = limits.messages_per_second_max > 0 || limits.bytes_per_second_max > 0;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowance) = known.get(user).and_then(Weak::upgrade) {
            return Some(allowance);
        }
        if !is_limited {
            return None;
        }
        known.retain(|_, allowance| allowance.strong_count() > 0);
        let allowance = Arc::new(Allowance::new(limits, Instant::now()));
        known.insert(user.to_owned(), Arc::downgrade(&allowance));
        Some(allowance)
    }

    /// Limits have changed: those who are here keep to the new ones.
    pub(crate) fn set(&self, limits_of: impl Fn(&str) -> Limits) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut all: Vec<_> = known.iter().collect();
        all.sort_unstable_by_key(|(user, _)| user.as_str());
        for (user, allowance) in all {
            if let Some(allowance) = allowance.upgrade() {
                allowance.set(limits_of(user), now);
            }
        }
    }
}

/// The allowance of whoever has logged in on a connection; most have none, which costs one look.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    is_limited: AtomicBool,
    allowance: Mutex<Option<Arc<Allowance>>>,
}

impl Slot {
    pub(crate) fn put(&self, allowance: Option<Arc<Allowance>>) {
        let is_limited = allowance.is_some();
        *self.allowance.lock().unwrap_or_else(PoisonError::into_inner) = allowance;
        self.is_limited.store(is_limited, Ordering::Release);
    }

    pub(super) fn get(&self) -> Option<Arc<Allowance>> {
        if !self.is_limited.load(Ordering::Acquire) {
            return None;
        }
        self.allowance.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Puts the allowance of a login where its connection finds it.
pub(crate) fn allow(slot: &Slot, allowances: &Allowances, login: &Login, limits: Limits) {
    slot.put(allowances.of(&login.user, limits));
}

#[cfg(test)]
mod tests {
    use super::Allowance;
    use std::time::{Duration, Instant};
    use wharf_api::shapes::Limits;

    fn limits(messages_per_second_max: u32, bytes_per_second_max: u64) -> Limits {
        Limits { messages_per_second_max, bytes_per_second_max, ..Limits::default() }
    }

    #[test]
    fn a_second_gives_a_seconds_worth() {
        let now = Instant::now();
        let allowance = Allowance::new(limits(0, 10_000), now);
        assert_eq!(allowance.next_read(now, 1 << 20), Ok(10_000));
        allowance.spend(now, 15_000, 1);
        let wait = allowance.next_read(now, 1 << 20).unwrap_err();
        assert!((500..510).contains(&wait.as_millis()), "{wait:?}");
        let later = now + Duration::from_millis(700);
        assert_eq!(allowance.next_read(later, 1 << 20), Ok(2000));
        // What is not used is not kept.
        let later = later + Duration::from_secs(60);
        assert_eq!(allowance.next_read(later, 1 << 20), Ok(10_000));
    }

    #[test]
    fn messages_count_too_and_limits_change() {
        let now = Instant::now();
        let allowance = Allowance::new(limits(10, 0), now);
        allowance.spend(now, 1 << 20, 20);
        assert!(allowance.next_read(now, 4096).is_err());
        assert!(allowance.next_read(now + Duration::from_millis(1100), 4096).is_ok());
        allowance.spend(now, 0, 1000);
        allowance.set(limits(0, 0), now);
        assert_eq!(allowance.next_read(now, 4096), Ok(4096));
    }
}
