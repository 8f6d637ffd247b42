//! When to try again, and when to stop.

use std::time::Duration;

use tokio::time::Instant;

use crate::Retry;

/// A time without a session that is worth the name.
#[derive(Debug)]
pub(crate) struct Outage {
    retry: Retry,
    /// Attempts since it began.
    attempts: u32,
    since: Option<Instant>,
}

impl Outage {
    pub(crate) fn new(retry: Retry) -> Self {
        Outage { retry, attempts: 0, since: None }
    }

    /// A session of this age was lost. It ends the outage if something was received or
    /// acknowledged on it, or if it lasted longer than the pause before the next could be: a
    /// broker that accepts and drops is no better than one that is away.
    // WS-HC-24
    pub(crate) fn session_lost(&mut self, age: Duration, useful: bool, now: Instant) {
        if useful || age > self.retry.bound(self.attempts) {
            (self.attempts, self.since) = (0, None);
        }
        self.since.get_or_insert(now);
    }

    /// Attempts that did not help.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The pause before the next attempt; `dice` is random. `None` if it is time to give up.
    pub(crate) fn next_pause(&mut self, dice: u32, now: Instant) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) >= self.retry.give_up_after {
            return None;
        }
        let bound = self.retry.bound(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        Some(bound.mul_f64(f64::from(dice) / f64::from(u32::MAX)))
    }
}

/// A random number. A system without entropy gets the whole pause.
pub(crate) fn dice() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u32 = u32::MAX;

    fn seconds(pause: Option<Duration>) -> Option<u64> {
        pause.map(|pause| pause.as_secs())
    }

    /// WS-HC-24: random, growing, bounded.
    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_their_bound() {
        let now = Instant::now();
        let mut outage = Outage::new(Retry::default());
        outage.session_lost(Duration::from_secs(3600), false, now);
        for expected in [5, 10, 20, 40, 60, 60] {
            assert_eq!(seconds(outage.next_pause(ALL, now)), Some(expected));
        }
        assert_eq!(outage.next_pause(0, now), Some(Duration::ZERO));
        assert_eq!(seconds(outage.next_pause(ALL / 2, now)), Some(29));
        let late = now + Retry::default().give_up_after;
        assert_eq!(outage.next_pause(ALL, late), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_ends_at_once_does_not_end_the_outage() {
        let now = Instant::now();
        let mut outage = Outage::new(Retry::default());
        outage.session_lost(Duration::from_secs(3600), false, now);
        assert_eq!(seconds(outage.next_pause(ALL, now)), Some(5));
        outage.session_lost(Duration::from_secs(1), false, now);
        assert_eq!(seconds(outage.next_pause(ALL, now)), Some(10));
        outage.session_lost(Duration::from_secs(21), false, now);
        assert_eq!(seconds(outage.next_pause(ALL, now)), Some(5));
    }

    /// However short the sessions are: as long as each gets something done, there is no outage.
    #[tokio::test(start_paused = true)]
    async fn progress_ends_the_outage() {
        let now = Instant::now();
        let mut outage = Outage::new(Retry::default());
        outage.session_lost(Duration::ZERO, false, now);
        let late = now + Retry::default().give_up_after;
        assert_eq!(seconds(outage.next_pause(ALL, now)), Some(5));
        outage.session_lost(Duration::ZERO, true, late);
        assert_eq!(seconds(outage.next_pause(ALL, late)), Some(5));
    }
}
