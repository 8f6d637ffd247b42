//! Nothing lost, nothing twice, in order: checked message by message. A protocol that delivers at
//! least once may bring a message twice, if one of the two says that it may be a repetition.
//!
//! Each producer numbers its messages from 1. A message's body begins with the producer and the
//! number.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// Names one message of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    /// Which producer.
    pub(super) producer: u32,
    /// Its how many-th message, from 1.
    pub(super) number: u64,
}

impl Mark {
    /// The mark at the beginning of a body, and what follows it.
    pub(super) fn split(body: &str) -> Option<(Self, &str)> {
        let mut parts = body.splitn(3, ' ');
        let producer = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        Some((Self { producer, number }, parts.next().unwrap_or_default()))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.producer, self.number)
    }
}

/// What the consumers have seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    producers: HashMap<u32, Seen>,
    /// The last number that a consumer got of a producer.
    last: HashMap<(u32, u32), u64>,
    /// Messages that came more than once, or that said that they may.
    repeats: BTreeMap<(u32, u64), Repeat>,
    pub(super) received: u64,
    pub(super) reordered: u64,
    /// Bodies that are no message of this run.
    pub(super) foreign: u64,
}

/// One message that came more than once, or may have.
#[derive(Clone, Copy, Debug, Default)]
struct Repeat {
    /// How often it came beyond the first time.
    extra: u64,
    /// One of them said so. Which of them comes first is nobody's doing.
    said: bool,
}

/// The numbers seen of one producer, a bit each.
#[derive(Debug, Default)]
struct Seen(Vec<u64>);

impl Seen {
    /// Whether it was not seen before.
    fn insert(&mut self, number: u64) -> bool {
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

impl Tally {
    /// Counts what `consumer` has received; `may_be_repeated` is what the delivery says of itself.
    pub(super) fn receive(&mut self, consumer: u32, mark: Mark, may_be_repeated: bool) {
        self.received += 1;
        let new = self.producers.entry(mark.producer).or_default().insert(mark.number);
        if !new || may_be_repeated {
            let repeat = self.repeats.entry((mark.producer, mark.number)).or_default();
            repeat.extra += u64::from(!new);
            repeat.said |= may_be_repeated;
            // What is delivered again has lost its place.
            return;
        }
        let last = self.last.entry((consumer, mark.producer)).or_default();
        if mark.number < *last {
            self.reordered += 1;
        }
        *last = mark.number;
    }

    /// Messages that came again without saying so.
    pub(super) fn duplicated(&self) -> u64 {
        self.repeats.values().filter(|repeat| !repeat.said).map(|repeat| repeat.extra).sum()
    }

    /// Messages that came again, and said that they may.
    pub(super) fn repeated(&self) -> u64 {
        self.repeats.values().filter(|repeat| repeat.said).map(|repeat| repeat.extra).sum()
    }

    /// Messages received at least once.
    pub(super) fn distinct(&self) -> u64 {
        self.producers.values().map(Seen::count).sum()
    }

    /// Of so many messages, those that never came.
    pub(super) fn lost(&self, sent: u64) -> u64 {
        sent.saturating_sub(self.distinct())
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Tally};

    #[test]
    fn every_fault_is_seen() {
        let mut tally = Tally::default();
        for number in [1, 2, 2, 4, 3, 6] {
            tally.receive(1, Mark { producer: 7, number }, false);
        }
        // Another consumer has an order of its own.
        tally.receive(2, Mark { producer: 7, number: 5 }, false);
        assert_eq!((tally.received, tally.duplicated(), tally.reordered), (7, 1, 1));
        assert_eq!((tally.lost(6), tally.lost(8), tally.repeated()), (0, 2, 0));
    }

    #[test]
    fn a_repetition_that_says_so_is_none() {
        let mut tally = Tally::default();
        // 3 comes twice, and only the second time says nothing; 2 comes late, and says why.
        for (number, said) in [(1, false), (3, true), (2, true), (3, false), (4, false), (4, false)]
        {
            tally.receive(1, Mark { producer: 7, number }, said);
        }
        assert_eq!((tally.received, tally.duplicated(), tally.repeated()), (6, 1, 1));
        assert_eq!((tally.reordered, tally.lost(4)), (0, 0));
    }

    #[test]
    fn marks_are_read_back() {
        let mark = Mark { producer: 3, number: 14 };
        assert_eq!(Mark::split(&format!("{mark} the line")), Some((mark, "the line")));
        assert_eq!(Mark::split(&format!("{mark}")), Some((mark, "")));
        assert_eq!(Mark::split("no mark"), None);
    }
}
