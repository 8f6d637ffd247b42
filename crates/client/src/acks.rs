//! Acknowledgements come from the application in any order and leave cumulatively.

use std::collections::BTreeSet;

/// What the application has taken of one connection's deliveries.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    /// Everything up to here is taken.
    up_to: u64,
    /// Taken ahead of others; never more than were delivered.
    ahead: BTreeSet<u64>,
}

impl Acks {
    /// One more is taken.
    pub(crate) fn take(&mut self, seq: u64) {
        if seq > self.up_to {
            self.ahead.insert(seq);
        }
        while self.ahead.remove(&self.up_to.saturating_add(1)) {
            self.up_to = self.up_to.saturating_add(1);
        }
    }

    /// The end of the unbroken beginning.
    // MBWS-033: cumulative, so never beyond a delivery that the application still holds.
    pub(crate) fn up_to(&self) -> u64 {
        self.up_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unbroken_beginning_is_acknowledged() {
        let mut acks = Acks::default();
        for (seq, up_to) in [(3, 0), (1, 1), (1, 1), (5, 1), (2, 3), (2, 3), (4, 5)] {
            acks.take(seq);
            assert_eq!(acks.up_to(), up_to);
        }
        assert!(acks.ahead.is_empty());
    }
}
