//! The contract of the port, as one suite that every journal passes: the embedded one on a
//! simulated disk and the one in memory.

mod support;

use bytes::Bytes;
use std::collections::BTreeSet;
use support::{Driver, frame, payload, whole};
use wharf_broker::journal::{Completion, Extent, Journal, Location, Lsn, Recovery, Slice, Ticket};
use wharf_store::{CrashPlan, MemoryJournal, Options, SimulatedMedium};

type Snapshot = (Lsn, Vec<u8>);
type Stored = (Lsn, Location, Bytes);

/// A journal that the suite can wait for and crash.
trait Subject: Sized {
    /// An empty one.
    fn fresh() -> Self;
    /// The port.
    fn journal(&mut self) -> &mut dyn Journal;
    /// The next completion; waits for it.
    fn next(&mut self) -> Completion;
    /// Loses everything that was not reported, and opens again.
    fn crashed(self) -> (Self, Option<Snapshot>, Vec<Stored>);

    /// Commits and waits.
    fn store(&mut self, lsns: std::ops::RangeInclusive<u64>) -> Vec<Location> {
        lsns.clone().for_each(|lsn| self.journal().commit(frame(lsn)));
        lsns.map(|lsn| match self.next() {
            Completion::Stored { lsn: stored, location } => {
                assert_eq!(stored, Lsn(lsn), "frames are reported in order");
                location
            }
            other => panic!("frame {lsn} was to be stored: {other:?}"),
        })
        .collect()
    }

    /// Takes a snapshot and waits.
    fn store_snapshot(&mut self, lsn: u64, state: &[u8]) {
        self.journal().snapshot(Lsn(lsn), state.to_vec());
        let done = self.next();
        assert!(matches!(done, Completion::Snapshotted { lsn: found } if found == Lsn(lsn)));
    }
}

struct Embedded {
    driver: Driver,
    medium: SimulatedMedium,
}

impl Embedded {
    fn open(medium: SimulatedMedium) -> Self {
        let mut options = Options::default();
        options.segment_size_bytes = 32 << 10;
        Self { driver: Driver::open_on(&medium, options), medium }
    }
}

impl Subject for Embedded {
    fn fresh() -> Self {
        Self::open(SimulatedMedium::new())
    }

    fn journal(&mut self) -> &mut dyn Journal {
        &mut self.driver.journal
    }

    fn next(&mut self) -> Completion {
        self.driver.next()
    }

    fn crashed(self) -> (Self, Option<Snapshot>, Vec<Stored>) {
        // What is reported was synced; cut before the journal can close in good order.
        let medium = self.medium.crash(CrashPlan::DropUnsynced);
        drop(self.driver);
        let mut after = Self::open(medium);
        let frames = std::mem::take(&mut after.driver.recovered);
        let frames = frames.into_iter().map(|found| (found.lsn, found.location, found.payload));
        let snapshot = after.driver.snapshot.take();
        (after, snapshot, frames.collect())
    }
}

impl Subject for MemoryJournal {
    fn fresh() -> Self {
        MemoryJournal::default().with_frames_per_extent(8)
    }

    fn journal(&mut self) -> &mut dyn Journal {
        self
    }

    fn next(&mut self) -> Completion {
        loop {
            if let Some(completion) = self.poll() {
                return completion;
            }
            assert!(self.step(), "a completion is due");
        }
    }

    fn crashed(self) -> (Self, Option<Snapshot>, Vec<Stored>) {
        let (after, Recovery { snapshot, frames }) = MemoryJournal::crash(self, 0);
        let frames = frames.map(|found| {
            let found = found.expect("memory does not rot");
            (found.lsn, found.location, found.payload)
        });
        let frames = frames.collect();
        (after, snapshot, frames)
    }
}

fn frames_are_stored_in_order_and_survive<S: Subject>() {
    let mut subject = S::fresh();
    let locations = subject.store(1..=30);
    let distinct: BTreeSet<_> = locations.iter().copied().collect();
    assert_eq!(distinct.len(), locations.len(), "no two frames share a place");
    let (mut subject, snapshot, frames) = subject.crashed();
    assert!(snapshot.is_none());
    assert_eq!(frames.len(), 30);
    for ((found, lsn), location) in frames.iter().zip(1..).zip(&locations) {
        assert_eq!(found, &(Lsn(lsn), *location, Bytes::from(payload(lsn).concat())));
    }
    subject.store(31..=33);
    assert_eq!(subject.crashed().2.len(), 33);
}

fn slices_come_back_in_the_order_asked_for<S: Subject>() {
    let mut subject = S::fresh();
    let locations = subject.store(1..=20);
    let at = |lsn: u64| locations[lsn as usize - 1];
    let part = |lsn: u64, start: usize, len: usize| Slice {
        location: at(lsn),
        lsn: Lsn(lsn),
        offset_bytes: start as u32,
        len_bytes: len as u32,
    };
    let slices =
        vec![part(20, 3, 9), whole(4, at(4)), part(20, 0, 0), part(20, 8, 100), part(1, 0, 8)];
    let expected: Vec<Bytes> = slices
        .iter()
        .map(|slice| {
            let start = slice.offset_bytes as usize;
            payload(slice.lsn.0).concat()[start..start + slice.len_bytes as usize].to_vec().into()
        })
        .collect();
    subject.journal().fetch(Ticket(7), slices);
    subject.journal().fetch(Ticket(8), vec![]);
    let Completion::Fetched { ticket: Ticket(7), bodies } = subject.next() else { panic!("7") };
    assert_eq!(bodies, expected);
    let Completion::Fetched { ticket: Ticket(8), bodies } = subject.next() else { panic!("8") };
    assert!(bodies.is_empty());
}

fn bodies_can_be_fetched_after_recovery<S: Subject>() {
    let mut subject = S::fresh();
    subject.store(1..=20);
    subject.store_snapshot(10, b"ten");
    subject.store(21..=25);
    let (mut subject, snapshot, frames) = subject.crashed();
    assert_eq!(snapshot, Some((Lsn(10), b"ten".to_vec())));
    assert_eq!(frames.first().map(|(lsn, _, _)| *lsn), Some(Lsn(11)));
    for (index, (lsn, location, expected)) in frames.into_iter().enumerate() {
        subject.journal().fetch(Ticket(index as u64), vec![whole(lsn.0, location)]);
        let Completion::Fetched { bodies, .. } = subject.next() else { panic!("frame {lsn}") };
        assert_eq!(bodies, [expected]);
    }
}

fn the_newest_snapshot_replaces_the_one_before<S: Subject>() {
    let mut subject = S::fresh();
    subject.store_snapshot(0, b"nothing");
    subject.store(1..=5);
    subject.store_snapshot(2, b"two");
    subject.store_snapshot(5, b"five");
    subject.store_snapshot(5, b"five again");
    let (mut subject, snapshot, frames) = subject.crashed();
    assert_eq!(snapshot, Some((Lsn(5), b"five again".to_vec())));
    assert!(frames.is_empty());
    subject.store(6..=6);
    assert_eq!(subject.crashed().2.len(), 1);
}

fn freeing_what_is_covered_loses_nothing_else<S: Subject>() {
    let mut subject = S::fresh();
    let mut locations = subject.store(1..=60);
    subject.store_snapshot(60, b"sixty");
    let last = locations.last().expect("sixty").extent;
    let dead: BTreeSet<Extent> = locations.iter().map(|location| location.extent).collect();
    let dead: Vec<_> = dead.into_iter().filter(|extent| *extent != last).collect();
    assert!(!dead.is_empty());
    // A fetch that was asked for before is answered; freeing twice, or what never was, is nothing.
    subject.journal().fetch(Ticket(1), vec![whole(1, locations[0])]);
    subject.journal().free(dead.clone());
    subject.journal().free(dead);
    subject.journal().free(vec![Extent(u64::MAX)]);
    assert!(matches!(subject.next(), Completion::Fetched { ticket: Ticket(1), .. }));
    locations.extend(subject.store(61..=70));
    let (mut subject, snapshot, frames) = subject.crashed();
    assert_eq!(snapshot.map(|(lsn, _)| lsn), Some(Lsn(60)));
    assert_eq!(frames.len(), 10);
    let kept = (1..).zip(&locations).filter(|(_, location)| location.extent == last);
    let slices: Vec<_> = kept.map(|(lsn, location)| whole(lsn, *location)).collect();
    subject.journal().fetch(Ticket(2), slices.clone());
    let Completion::Fetched { bodies, .. } = subject.next() else { panic!("2") };
    assert_eq!(bodies.len(), slices.len());
}

fn the_growing_extent_may_be_freed<S: Subject>() {
    let mut subject = S::fresh();
    let mut locations = subject.store(1..=3);
    subject.store_snapshot(3, b"three");
    let dead: BTreeSet<Extent> = locations.drain(..).map(|location| location.extent).collect();
    subject.journal().free(dead.into_iter().collect());
    subject.store(4..=90);
    let (_, snapshot, frames) = subject.crashed();
    assert_eq!(snapshot.map(|(lsn, _)| lsn), Some(Lsn(3)));
    assert_eq!(frames.first().map(|(lsn, _, _)| *lsn), Some(Lsn(4)));
    assert_eq!(frames.len(), 87);
}

fn a_gap_is_refused_and_is_the_last_word<S: Subject>() {
    let mut subject = S::fresh();
    subject.store(1..=2);
    subject.journal().commit(frame(3));
    subject.journal().commit(frame(5));
    assert!(matches!(subject.next(), Completion::Stored { lsn: Lsn(3), .. }));
    let Completion::Failed(failure) = subject.next() else { panic!("a failure was due") };
    assert!(!failure.fenced);
    assert!(failure.reason.contains("frame 5 was committed where frame 4 was due"));
    subject.journal().commit(frame(4));
    assert!(subject.journal().poll().is_none());
    assert_eq!(subject.crashed().2.len(), 3);
}

fn bytes_beyond_a_frame_are_refused<S: Subject>() {
    let mut subject = S::fresh();
    let location = subject.store(1..=1)[0];
    let mut slice = whole(1, location);
    slice.len_bytes += 1;
    subject.journal().fetch(Ticket(1), vec![slice]);
    assert!(matches!(subject.next(), Completion::Failed(_)));
}

fn another_frames_place_is_refused<S: Subject>() {
    let mut subject = S::fresh();
    let locations = subject.store(1..=2);
    subject.journal().fetch(Ticket(1), vec![whole(2, locations[0])]);
    assert!(matches!(subject.next(), Completion::Failed(_)));
}

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        mod embedded { $(#[test] fn $name() { super::$name::<super::Embedded>(); })* }
        mod memory { $(#[test] fn $name() { super::$name::<super::MemoryJournal>(); })* }
    };
}

suite!(
    frames_are_stored_in_order_and_survive,
    slices_come_back_in_the_order_asked_for,
    bodies_can_be_fetched_after_recovery,
    the_newest_snapshot_replaces_the_one_before,
    freeing_what_is_covered_loses_nothing_else,
    the_growing_extent_may_be_freed,
    a_gap_is_refused_and_is_the_last_word,
    bytes_beyond_a_frame_are_refused,
    another_frames_place_is_refused,
);

#[test]
fn memory_happens_only_when_told() {
    let mut journal = MemoryJournal::default();
    (1..=3).for_each(|lsn| journal.commit(frame(lsn)));
    journal.snapshot(Lsn(3), vec![]);
    assert!(journal.poll().is_none());
    assert!(!journal.step_lane(wharf_store::Lane::Snapshot), "not before frame 3");
    assert!(journal.step());
    assert!(matches!(journal.poll(), Some(Completion::Stored { lsn: Lsn(1), .. })));
    assert!(journal.poll().is_none());
    // A crash keeps what was stored and, as it happens, one more that nobody was told of.
    let (mut journal, recovery) = MemoryJournal::crash(journal, 1);
    assert_eq!(recovery.frames.count(), 2);
    journal.fail_after(1);
    journal.commit(frame(3));
    journal.commit(frame(4));
    journal.settle();
    assert!(matches!(journal.poll(), Some(Completion::Stored { lsn: Lsn(3), .. })));
    assert!(matches!(journal.poll(), Some(Completion::Failed(_))));
    assert!(journal.poll().is_none());
}
