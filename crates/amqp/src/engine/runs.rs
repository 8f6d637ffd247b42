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

    /// Cookie of the last.
    pub(super) fn last_cookie(&self) -> u64 {
        self.cookie.saturating_add(self.len.saturating_sub(1))
    }

    fn end(&self) -> u64 {
        self.first.saturating_add(self.len)
    }

    /// The part of the run inside `first..=last`; empty if it does not touch it.
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

    /// What stands before and after one part of it.
    fn without(&self, part: &Self) -> (Option<Self>, Option<Self>) {
        let some = |run: Self| (run.len > 0).then_some(run);
        let before = Self { len: part.first.saturating_sub(self.first), ..*self };
        (some(before), some(self.part(part.end(), u64::MAX)))
    }
}

/// Runs in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Those that no delivery is added to any more, by their last id: it stays the same while they
    /// are settled from their front, as most are.
    closed: BTreeMap<u64, Run>,
    /// The newest.
    open: Option<Run>,
}

impl Runs {
    /// Adds one delivery; ids only grow.
    #[inline]
    pub(super) fn push(&mut self, id: u64, cookie: u64, handle: u32, link: u64) {
        if let Some(run) = &mut self.open
            && run.end() == id
            && run.cookie.saturating_add(run.len) == cookie
            && run.link == link
        {
            run.len = run.len.saturating_add(1);
            return;
        }
        if let Some(run) = self.open.replace(Run { first: id, len: 1, cookie, handle, link }) {
            self.closed.insert(run.last(), run);
        }
    }

    /// Shows the deliveries `first..=last`, and leaves them where they are.
    pub(super) fn each(&self, first: u64, last: u64, mut show: impl FnMut(Run)) {
        let runs = self.closed.range(first..).map(|(_, run)| run).chain(&self.open);
        for run in runs.take_while(|run| run.first <= last) {
            let part = run.part(first, last);
            if part.len > 0 {
                show(part);
            }
        }
    }

    /// Takes the deliveries `first..=last` out, and shows them.
    pub(super) fn take(&mut self, first: u64, last: u64, mut show: impl FnMut(Run)) {
        let mut at = first;
        while let Some((&key, run)) = self.closed.range_mut(at..).next() {
            let part = run.part(at, last);
            if part.len == 0 {
                break;
            }
            let (before, after) = run.without(&part);
            match after {
                Some(after) => *run = after,
                None => {
                    self.closed.remove(&key);
                }
            }
            if let Some(before) = before {
                self.closed.insert(before.last(), before);
            }
            show(part);
            at = part.end();
        }
        let Some(run) = self.open else { return };
        let part = run.part(at, last);
        if part.len > 0 {
            let (before, after) = run.without(&part);
            self.open = after;
            if let Some(before) = before {
                self.closed.insert(before.last(), before);
            }
            show(part);
        }
    }

    /// Takes one delivery out; false if it is not there.
    pub(super) fn remove(&mut self, id: u64) -> bool {
        let mut found = false;
        self.take(id, id, |_| found = true);
        found
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        let mut found = false;
        self.each(id, id, |_| found = true);
        found
    }

    /// The runs of one handle whose cookies are inside `first..=last`, left where they are.
    pub(super) fn with_cookies(&self, handle: u32, first: u64, last: u64) -> Vec<Run> {
        let touching =
            |run: &&Run| run.handle == handle && run.cookie <= last && run.last_cookie() >= first;
        let part = |run: &Run| {
            let skipped = first.saturating_sub(run.cookie);
            let beyond = run.last_cookie().saturating_sub(last);
            run.part(run.first.saturating_add(skipped), run.last().saturating_sub(beyond))
        };
        self.closed.values().chain(&self.open).filter(touching).map(part).collect()
    }

    /// Takes everything of one link out.
    pub(super) fn take_link(&mut self, link: u64) -> Vec<Run> {
        let closed = self.closed.extract_if(.., |_, run| run.link == link).map(|(_, run)| run);
        closed.chain(self.open.take_if(|run| run.link == link)).collect()
    }

    /// Takes everything out.
    pub(super) fn take_all(&mut self) -> Vec<Run> {
        let closed = std::mem::take(&mut self.closed);
        closed.into_values().chain(self.open.take()).collect()
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

    fn taken(runs: &mut Runs, first: u64, last: u64) -> Vec<(u64, u64, u64)> {
        let mut taken = Vec::new();
        runs.take(first, last, |run| taken.push((run.first, run.len, run.cookie)));
        taken
    }

    #[test]
    fn what_follows_is_one_run() {
        let mut runs = runs_of(&[(5, 1, 1), (6, 2, 1), (7, 3, 1), (8, 4, 2), (9, 9, 2)]);
        assert_eq!((runs.closed.len(), runs.open.map(|run| run.len)), (2, Some(1)));
        assert!(runs.contains(6) && !runs.contains(4) && !runs.contains(10));
        assert_eq!(taken(&mut runs, 6, 8), [(6, 2, 2), (8, 1, 4)]);
        assert!(!runs.contains(6));
        assert_eq!(taken(&mut runs, 0, 100), [(5, 1, 1), (9, 1, 9)]);
        assert_eq!(taken(&mut runs, 0, u64::MAX), []);
    }

    #[test]
    fn cookies_find_their_runs() {
        let runs = runs_of(&[(1, 10, 1), (2, 11, 1), (3, 12, 1), (4, 11, 2), (5, 20, 1)]);
        let found = |handle, first, last| {
            let runs = runs.with_cookies(handle, first, last);
            runs.iter().map(|run| (run.first, run.len)).collect::<Vec<_>>()
        };
        assert_eq!(found(0, 11, 11), [(2, 1), (4, 1)]);
        assert_eq!(found(0, 0, 100), [(1, 3), (4, 1), (5, 1)]);
        assert_eq!(found(0, 13, 19), []);
        assert_eq!(found(1, 0, 100), []);
    }

    proptest! {
        #[test]
        fn runs_are_a_map_of_single_deliveries(
            steps in proptest::collection::vec(
                prop_oneof![
                    (1u64..3, 1u64..4, 1u64..3).prop_map(Ok),
                    (0u64..50, 0u64..20).prop_map(Err),
                ],
                0..60,
            ),
            link in 1u64..3,
        ) {
            let mut runs = Runs::default();
            let mut model = BTreeMap::new();
            let (mut id, mut cookie) = (0, 0);
            for step in steps {
                match step {
                    Ok((ids, cookies, link)) => {
                        id += ids;
                        cookie += cookies;
                        runs.push(id, cookie, 0, link);
                        model.insert(id, (cookie, link));
                    }
                    Err((first, len)) => {
                        let (mut seen, mut taken) = (Vec::new(), Vec::new());
                        runs.each(first, first + len, |run| seen.push(run));
                        runs.take(first, first + len, |run| taken.push(run));
                        prop_assert_eq!(&seen, &taken);
                        let expected: Vec<_> =
                            model.extract_if(first..=first + len, |_, _| true).collect();
                        prop_assert_eq!(single(&taken), expected);
                    }
                }
            }
            let of_link: Vec<_> = model.extract_if(.., |_, (_, of)| *of == link).collect();
            prop_assert_eq!(single(&runs.take_link(link)), of_link);
            prop_assert_eq!(single(&runs.take_all()), Vec::from_iter(model));
            prop_assert!(runs.closed.is_empty() && runs.open.is_none());
        }
    }

    fn single(runs: &[Run]) -> Vec<(u64, (u64, u64))> {
        let each = |run: &Run| {
            let run = *run;
            (0..run.len).map(move |i| (run.first + i, (run.cookie + i, run.link)))
        };
        runs.iter().flat_map(each).collect()
    }
}
