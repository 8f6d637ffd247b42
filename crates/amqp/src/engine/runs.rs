//! Unsettled deliveries sent, as runs: a consumer that keeps up costs one entry, however many
//! deliveries it has out.

use std::collections::BTreeMap;

/// Deliveries whose ids and cookies follow each other, on one link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Run {
    /// First delivery id, counted without wrapping.
    pub(super) first: u64,
    pub(super) len: u64,
    /// Cookie of the first.
    pub(super) cookie: u64,
    /// Local handle of the link, or of the link it was sent on before a detach.
    pub(super) handle: u32,
    /// Names the link itself: a handle may be used again.
    pub(super) link: u64,
}

impl Run {
    /// Its last delivery id.
    pub(super) fn last(&self) -> u64 {
        self.end().saturating_sub(1)
    }

    fn end(&self) -> u64 {
        self.first.saturating_add(self.len)
    }

    fn last_cookie(&self) -> u64 {
        self.cookie.saturating_add(self.len.saturating_sub(1))
    }

    /// The part of the run inside `first..=last`, which must touch it.
    fn part(&self, first: u64, last: u64) -> Self {
        let from = self.first.max(first);
        let to = self.end().min(last.saturating_add(1));
        let skipped = from.saturating_sub(self.first);
        Self {
            first: from,
            len: to.saturating_sub(from),
            cookie: self.cookie.saturating_add(skipped),
            ..*self
        }
    }
}

/// Runs by their first id.
#[derive(Debug, Default)]
pub(super) struct Runs {
    by_first: BTreeMap<u64, Run>,
}

impl Runs {
    /// Adds one delivery; ids only grow.
    pub(super) fn push(&mut self, id: u64, cookie: u64, handle: u32, link: u64) {
        if let Some(mut last) = self.by_first.last_entry() {
            let run = last.get_mut();
            let next = run.end() == id && run.cookie.saturating_add(run.len) == cookie;
            if next && run.link == link {
                run.len = run.len.saturating_add(1);
                return;
            }
        }
        self.by_first.insert(id, Run { first: id, len: 1, cookie, handle, link });
    }

    /// The runs inside `first..=last`, left where they are.
    pub(super) fn within(&self, first: u64, last: u64) -> Vec<Run> {
        let start = self.by_first.range(..=first).next_back().map_or(first, |(at, _)| *at);
        if start > last {
            return Vec::new();
        }
        let touching = self.by_first.range(start..=last).map(|(_, run)| run);
        touching.filter(|run| run.end() > first).map(|run| run.part(first, last)).collect()
    }

    /// Takes the deliveries `first..=last` out.
    pub(super) fn take(&mut self, first: u64, last: u64) -> Vec<Run> {
        let taken = self.within(first, last);
        for part in &taken {
            self.cut(part);
        }
        taken
    }

    /// The runs whose cookies are inside `first..=last`, left where they are.
    pub(super) fn with_cookies(&self, first: u64, last: u64) -> Vec<Run> {
        let touching = |run: &&Run| run.cookie <= last && run.last_cookie() >= first;
        let part = |run: &Run| {
            let skipped = first.saturating_sub(run.cookie);
            let beyond = run.last_cookie().saturating_sub(last);
            run.part(run.first.saturating_add(skipped), run.last().saturating_sub(beyond))
        };
        self.by_first.values().filter(touching).map(part).collect()
    }

    /// Takes everything of one link out.
    pub(super) fn take_link(&mut self, link: u64) -> Vec<Run> {
        self.by_first.extract_if(.., |_, run| run.link == link).map(|(_, run)| run).collect()
    }

    /// Takes everything out.
    pub(super) fn take_all(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.by_first).into_values().collect()
    }

    fn cut(&mut self, part: &Run) {
        let whole = self.by_first.range(..=part.first).next_back().map(|(_, run)| *run);
        let Some(whole) = whole else { return };
        self.by_first.remove(&whole.first);
        let before = part.first.saturating_sub(whole.first);
        if before > 0 {
            self.by_first.insert(whole.first, Run { len: before, ..whole });
        }
        let after = whole.end().saturating_sub(part.end());
        if after > 0 {
            let gone = before.saturating_add(part.len);
            let first = part.end();
            let cookie = whole.cookie.saturating_add(gone);
            self.by_first.insert(first, Run { first, len: after, cookie, ..whole });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn runs_of(ids: &[(u64, u64, u64)]) -> Runs {
        let mut runs = Runs::default();
        for (id, cookie, link) in ids {
            runs.push(*id, *cookie, 0, *link);
        }
        runs
    }

    #[test]
    fn what_follows_is_one_run() {
        let mut runs = runs_of(&[(5, 1, 1), (6, 2, 1), (7, 3, 1), (8, 4, 2), (9, 9, 2)]);
        assert_eq!(runs.by_first.len(), 3);
        let taken = runs.take(6, 8);
        let view: Vec<_> = taken.iter().map(|run| (run.first, run.len, run.cookie)).collect();
        assert_eq!(view, [(6, 2, 2), (8, 1, 4)]);
        assert_eq!(runs.take(0, 100).len(), 2);
        assert!(runs.take(0, 100).is_empty());
    }

    proptest! {
        #[test]
        fn runs_are_a_map_of_single_deliveries(
            links in proptest::collection::vec((1u64..4, 1u64..3), 0..40),
            takes in proptest::collection::vec((0u64..50, 0u64..20), 0..20),
        ) {
            let mut runs = Runs::default();
            let mut model = BTreeMap::new();
            let (mut id, mut cookie) = (0, 0);
            for (step, link) in links {
                id += 1;
                cookie += step;
                runs.push(id, cookie, 0, link);
                model.insert(id, (cookie, link));
            }
            for (first, len) in takes {
                let mut taken = Vec::new();
                for run in runs.take(first, first + len) {
                    taken.extend((0..run.len).map(|i| (run.first + i, (run.cookie + i, run.link))));
                }
                let expected: Vec<_> =
                    model.extract_if(first..=first + len, |_, _| true).collect();
                prop_assert_eq!(taken, expected);
            }
        }
    }
}
