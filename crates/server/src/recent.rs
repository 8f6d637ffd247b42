//! The latest of what happened, in memory: to look at, and to tell those who listen.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries that are kept.
const ENTRIES_MAX: usize = 1000;

/// The latest entries, each with a number; the first has 0.
#[derive(Debug)]
pub(crate) struct Recent<T>(Mutex<Entries<T>>);

#[derive(Debug)]
struct Entries<T> {
    /// The oldest first.
    kept: VecDeque<T>,
    /// How many there were before them.
    dropped: u64,
}

/// What was added behind a number.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct News<T> {
    /// The oldest first.
    pub(crate) entries: Vec<T>,
    /// Entries that were added before them, and are gone.
    pub(crate) missed: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Recent<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Entries { kept: VecDeque::new(), dropped: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, entry: T) {
        self.add_with(|_| entry);
    }

    /// Adds what is made with its number.
    pub(crate) fn add_with(&self, make: impl FnOnce(u64) -> T) {
        let mut entries = self.lock();
        let entry = make(entries.dropped + entries.kept.len() as u64);
        if entries.kept.len() >= ENTRIES_MAX {
            entries.kept.pop_front();
            entries.dropped += 1;
        }
        entries.kept.push_back(entry);
    }

    /// The number that the next entry will have.
    pub(crate) fn end(&self) -> u64 {
        let entries = self.lock();
        entries.dropped + entries.kept.len() as u64
    }
}

impl<T: Clone> Recent<T> {
    /// Those that are wanted, the latest first.
    pub(crate) fn latest(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.lock().kept.iter().rev().filter(|entry| wanted(entry)).cloned().collect()
    }

    /// What was added from number `from` on, which is moved behind it.
    pub(crate) fn take_from(&self, from: &mut u64) -> News<T> {
        let entries = self.lock();
        let missed = entries.dropped.saturating_sub(*from);
        let passed = usize::try_from(from.saturating_sub(entries.dropped)).unwrap_or(usize::MAX);
        *from = entries.dropped + entries.kept.len() as u64;
        News { entries: entries.kept.iter().skip(passed).cloned().collect(), missed }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENTRIES_MAX, News, Recent};

    #[test]
    fn the_latest_come_first_and_the_oldest_go() {
        let recent = Recent::new();
        (0..=ENTRIES_MAX).for_each(|number| recent.add(number));
        let latest = recent.latest(|number| number % 2 == 0);
        assert_eq!((latest.len(), latest.first(), latest.last()), (500, Some(&1000), Some(&2)));
    }

    #[test]
    fn news_are_told_once_and_what_is_missed_is_counted() {
        let recent = Recent::new();
        let mut from = recent.end();
        recent.add(1);
        recent.add(2);
        assert_eq!(recent.take_from(&mut from), News { entries: vec![1, 2], missed: 0 });
        assert_eq!(recent.take_from(&mut from), News { entries: vec![], missed: 0 });
        (0..ENTRIES_MAX + 7).for_each(|number| recent.add(number));
        let news = recent.take_from(&mut from);
        assert_eq!((news.entries.len(), news.entries.first(), news.missed), (1000, Some(&7), 7));
        assert_eq!(from, recent.end());
    }
}
