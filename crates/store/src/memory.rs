//! The port without a disk, for tests and simulation: deterministic, and slow or broken exactly
//! when it is told to be.

use crate::limits::FRAME_SIZE_MAX_BYTES;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wharf_broker::journal::{
    Completion, Extent, Frame, Journal, JournalFailure, Location, Lsn, RecoveredFrame, Recovery,
    Slice, Ticket,
};

/// What a [`MemoryJournal`] works on; each kind is answered in order, and between kinds any
/// order is legal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lane {
    /// `commit` to `Stored`.
    Commit,
    /// `fetch` to `Fetched`.
    Fetch,
    /// `snapshot` to `Snapshotted`.
    Snapshot,
}

/// A journal in memory.
///
/// Nothing completes by itself: [`MemoryJournal::step`] and [`MemoryJournal::step_lane`] let
/// one thing happen, [`MemoryJournal::settle`] everything; [`MemoryJournal::immediate`] makes a
/// journal that settles whenever it is polled.
#[derive(Debug)]
pub struct MemoryJournal {
    /// Durable frames.
    stored: BTreeMap<Lsn, (Location, Bytes)>,
    last_lsn: Lsn,
    snapshot: Option<(Lsn, Vec<u8>)>,
    committing: VecDeque<Frame>,
    fetching: VecDeque<(Ticket, Vec<Slice>)>,
    snapshotting: VecDeque<(Lsn, Vec<u8>)>,
    ready: VecDeque<Completion>,
    told: Lsn,
    failed: bool,
    settles_at_poll: bool,
    /// Frames that will still be stored before the journal fails.
    frames_until_failure: Option<u64>,
    frames_per_extent: u64,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryJournal {
    /// An empty journal under the test's control.
    #[must_use]
    pub fn new() -> Self {
        Self {
            stored: BTreeMap::new(),
            last_lsn: Lsn(0),
            snapshot: None,
            committing: VecDeque::new(),
            fetching: VecDeque::new(),
            snapshotting: VecDeque::new(),
            ready: VecDeque::new(),
            told: Lsn(0),
            failed: false,
            settles_at_poll: false,
            frames_until_failure: None,
            frames_per_extent: 16,
        }
    }

    /// An empty journal that settles whenever it is polled.
    #[must_use]
    pub fn immediate() -> Self {
        Self { settles_at_poll: true, ..Self::new() }
    }

    /// The same journal with extents of `frames` frames (at least one).
    #[must_use]
    pub fn with_frames_per_extent(mut self, frames: u64) -> Self {
        self.frames_per_extent = frames.max(1);
        self
    }

    /// Lets the journal fail when it should store the frame after the next `frames`.
    pub fn fail_after(&mut self, frames: u64) {
        self.frames_until_failure = Some(frames);
    }

    /// Lets the journal fail now.
    pub fn fail(&mut self, reason: &str) {
        if !self.failed {
            self.failed = true;
            let failure = JournalFailure { reason: reason.to_owned(), fenced: false };
            self.ready.push_back(Completion::Failed(failure));
        }
    }

    /// Frames that were committed and are not yet stored.
    #[must_use]
    pub fn committing(&self) -> usize {
        self.committing.len()
    }

    /// The extents that still hold frames.
    #[must_use]
    pub fn extents(&self) -> Vec<Extent> {
        let extents: BTreeSet<_> = self.stored.values().map(|(place, _)| place.extent).collect();
        extents.into_iter().collect()
    }

    /// Lets one thing happen: a commit before a fetch before a snapshot. `false` when there was
    /// nothing to do.
    pub fn step(&mut self) -> bool {
        [Lane::Commit, Lane::Fetch, Lane::Snapshot].into_iter().any(|lane| self.step_lane(lane))
    }

    /// Lets the next thing of one kind happen. `false` when there was nothing that may.
    pub fn step_lane(&mut self, lane: Lane) -> bool {
        if self.failed {
            return false;
        }
        match lane {
            Lane::Commit => match self.committing.pop_front() {
                None => false,
                Some(frame) => {
                    self.store(&frame);
                    true
                }
            },
            Lane::Fetch => match self.fetching.pop_front() {
                None => false,
                Some((ticket, slices)) => {
                    match slices.iter().map(|slice| self.body(slice)).collect() {
                        Ok(bodies) => self.ready.push_back(Completion::Fetched { ticket, bodies }),
                        Err(reason) => self.fail(reason),
                    }
                    true
                }
            },
            Lane::Snapshot => self.keep_snapshot(),
        }
    }

    /// Lets everything happen that was asked for.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// The process dies. What was stored stays, of the rest the first `kept` commits; what was
    /// asked for otherwise is forgotten.
    #[must_use]
    pub fn crash(mut self, kept: usize) -> (Self, Recovery) {
        for frame in self.committing.drain(..).take(kept).collect::<Vec<_>>() {
            if frame.lsn == self.last_lsn.next() {
                self.append(&frame);
            }
        }
        let recovery = self.recovery();
        let survivor = Self {
            stored: self.stored,
            last_lsn: self.last_lsn,
            snapshot: self.snapshot,
            told: self.last_lsn,
            settles_at_poll: self.settles_at_poll,
            frames_per_extent: self.frames_per_extent,
            ..Self::new()
        };
        (survivor, recovery)
    }

    fn recovery(&self) -> Recovery {
        let covered = self.snapshot.as_ref().map_or(Lsn(0), |(lsn, _)| *lsn);
        let frames: Vec<_> = self
            .stored
            .range(covered.next()..)
            .map(|(lsn, (location, payload))| {
                Ok(RecoveredFrame { lsn: *lsn, location: *location, payload: payload.clone() })
            })
            .collect();
        Recovery { snapshot: self.snapshot.clone(), frames: Box::new(frames.into_iter()) }
    }

    fn store(&mut self, frame: &Frame) {
        let due = self.last_lsn.next();
        if frame.lsn != due {
            let reason = format!("frame {} was committed where frame {due} was due", frame.lsn);
            return self.fail(&reason);
        }
        if frame.len() > FRAME_SIZE_MAX_BYTES {
            return self.fail("the frame is too large");
        }
        if let Some(left) = &mut self.frames_until_failure {
            if *left == 0 {
                return self.fail("the journal was told to fail");
            }
            *left -= 1;
        }
        let location = self.append(frame);
        self.ready.push_back(Completion::Stored { lsn: frame.lsn, location });
    }

    fn append(&mut self, frame: &Frame) -> Location {
        let index = frame.lsn.0 - 1;
        let extent = Extent(index / self.frames_per_extent);
        let location = Location { extent, position: index % self.frames_per_extent };
        self.stored.insert(frame.lsn, (location, frame.chunks.concat().into()));
        self.last_lsn = frame.lsn;
        location
    }

    fn body(&self, slice: &Slice) -> Result<Bytes, &'static str> {
        let (location, payload) =
            self.stored.get(&slice.lsn).ok_or("asked for a frame in a freed extent")?;
        if *location != slice.location {
            return Err("asked for a frame at another frame's place");
        }
        let start = slice.offset_bytes as usize;
        let end = start + slice.len_bytes as usize;
        if end > payload.len() {
            return Err("asked for bytes beyond the frame");
        }
        Ok(payload.slice(start..end))
    }

    fn keep_snapshot(&mut self) -> bool {
        match self.snapshotting.front() {
            Some((lsn, _)) if *lsn <= self.last_lsn => {}
            _ => return false,
        }
        let Some((lsn, state)) = self.snapshotting.pop_front() else {
            return false;
        };
        if self.snapshot.as_ref().is_some_and(|(newest, _)| lsn < *newest) {
            self.fail("a snapshot was taken after a newer one");
            return true;
        }
        self.snapshot = Some((lsn, state));
        self.ready.push_back(Completion::Snapshotted { lsn });
        true
    }
}

impl Journal for MemoryJournal {
    fn commit(&mut self, frame: Frame) {
        self.committing.push_back(frame);
    }

    fn fetch(&mut self, ticket: Ticket, slices: Vec<Slice>) {
        self.fetching.push_back((ticket, slices));
    }

    fn snapshot(&mut self, lsn: Lsn, state: Vec<u8>) {
        self.snapshotting.push_back((lsn, state));
    }

    fn free(&mut self, extents: Vec<Extent>) {
        // Fetches asked for before still see the frames.
        while self.step_lane(Lane::Fetch) {}
        let told = self.told;
        self.stored.retain(|lsn, (location, _)| *lsn > told || !extents.contains(&location.extent));
    }

    fn poll(&mut self) -> Option<Completion> {
        if self.settles_at_poll {
            self.settle();
        }
        let completion = self.ready.pop_front()?;
        if let Completion::Stored { lsn, .. } = completion {
            self.told = lsn;
        }
        Some(completion)
    }
}
