//! The shard's side of the journal: the open frame, the frames in flight, what is durable, and
//! when to take a snapshot and free extents.

use crate::journal::{Extent, Frame, Location, Lsn, Ticket};
use crate::limits::{BODY_COPIED_MAX_BYTES, LAZY_MAX_BYTES};
use crate::record::Record;
use crate::state::State;
use crate::state::bodies::{MessageKey, Place};
use crate::state::snapshot::Places;
use bytes::Bytes;
use std::collections::VecDeque;

/// What the shard has told the journal and heard from it.
#[derive(Debug)]
pub(crate) struct Log {
    open: OpenFrame,
    /// The number the open frame will have.
    open_lsn: Lsn,
    stored: Lsn,
    in_flight: VecDeque<InFlight>,
    frames_in_flight_max: usize,
    /// Payload since the last snapshot was begun.
    since_snapshot_bytes: u64,
    snapshot_every_bytes: u64,
    snapshot_len_bytes: u64,
    draft: Option<Draft>,
    snapshot_in_flight: bool,
    /// Frames up to here are covered by a durable snapshot.
    covered: Lsn,
    dying: VecDeque<Dying>,
    newest_extent: Option<Extent>,
}

/// The frame that collects records.
#[derive(Debug, Default)]
struct OpenFrame {
    chunks: Vec<Bytes>,
    tail: Vec<u8>,
    len_bytes: usize,
    /// How many of them nobody waits for.
    lazy_bytes: usize,
    published: Vec<(MessageKey, Place)>,
}

#[derive(Debug)]
struct InFlight {
    lsn: Lsn,
    published: Vec<(MessageKey, Place)>,
}

/// Extents without live bodies that cannot be freed yet.
#[derive(Debug)]
struct Dying {
    extents: Vec<Extent>,
    /// The frame that records the last settlement in them: durable first.
    settled_in: Lsn,
    /// Reads begun until then may still be under way.
    reads_until: Ticket,
}

/// A snapshot that waits for its frames to be stored.
#[derive(Debug)]
struct Draft {
    lsn: Lsn,
    state: Vec<u8>,
    frames: Vec<(Lsn, Option<Location>)>,
}

impl Log {
    pub(crate) fn new(newest: Lsn, covered: Lsn, limits: LogLimits) -> Self {
        Self {
            open: OpenFrame::default(),
            open_lsn: newest.next(),
            stored: newest,
            in_flight: VecDeque::new(),
            frames_in_flight_max: limits.frames_in_flight_max.max(1),
            since_snapshot_bytes: limits.replayed_bytes,
            snapshot_every_bytes: limits.snapshot_every_bytes,
            snapshot_len_bytes: 0,
            draft: None,
            snapshot_in_flight: false,
            covered,
            dying: VecDeque::new(),
            newest_extent: limits.newest_extent,
        }
    }

    /// Appends a record to the open frame and tells where its body is.
    pub(crate) fn append(&mut self, record: &Record<'_>, body: Option<&Bytes>) -> Place {
        let before = self.open.tail.len();
        record.encode(&mut self.open.tail);
        let head = self.open.tail.len().saturating_sub(before);
        self.open.len_bytes = self.open.len_bytes.saturating_add(head);
        let Some(body) = body else {
            return Place::default();
        };
        let place = Place {
            lsn: self.open_lsn,
            offset_bytes: u32::try_from(self.open.len_bytes).unwrap_or(u32::MAX),
            len_bytes: u32::try_from(body.len()).unwrap_or(u32::MAX),
        };
        self.open.len_bytes = self.open.len_bytes.saturating_add(body.len());
        if body.len() <= BODY_COPIED_MAX_BYTES {
            self.open.tail.extend_from_slice(body);
        } else {
            self.open.close_tail();
            self.open.chunks.push(body.clone());
        }
        place
    }

    /// Remembers a message whose body may leave memory once this frame is stored.
    pub(crate) fn note_published(&mut self, key: MessageKey, place: Place) {
        self.open.published.push((key, place));
    }

    pub(crate) fn open_len_bytes(&self) -> usize {
        self.open.len_bytes
    }

    /// Whether the journal may be given another frame.
    pub(crate) fn has_room(&self) -> bool {
        self.in_flight.len() < self.frames_in_flight_max
    }

    /// Whether there is something to seal that somebody waits for, or too much to leave it.
    pub(crate) fn has_open_records(&self) -> bool {
        self.open.is_awaited() || self.open.lazy_bytes >= LAZY_MAX_BYTES
    }

    /// Nobody waits for the newest `len_bytes`: they go with whatever is sealed next.
    pub(crate) fn note_lazy(&mut self, len_bytes: usize) {
        self.open.lazy_bytes = self.open.lazy_bytes.saturating_add(len_bytes);
    }

    /// What nobody waited for is to be sealed now too.
    pub(crate) fn hurry(&mut self) {
        self.open.lazy_bytes = 0;
    }

    /// What is told to peers now must wait for this frame.
    pub(crate) fn barrier(&self) -> Lsn {
        if self.open.is_awaited() {
            self.open_lsn
        } else {
            self.in_flight.back().map_or(self.stored, |frame| frame.lsn)
        }
    }

    pub(crate) fn stored(&self) -> Lsn {
        self.stored
    }

    /// Closes the open frame. The state is now what all frames up to it say.
    pub(crate) fn seal(&mut self, state: &State) -> Frame {
        let mut open = std::mem::take(&mut self.open);
        open.close_tail();
        let lsn = self.open_lsn;
        self.open_lsn = lsn.next();
        self.in_flight.push_back(InFlight { lsn, published: open.published });
        self.since_snapshot_bytes = self.since_snapshot_bytes.saturating_add(open.len_bytes as u64);
        if self.snapshot_due() {
            self.begin_snapshot(lsn, state);
        }
        Frame { lsn, chunks: open.chunks }
    }

    /// The journal stored a frame. Gives back the messages that were published in it.
    pub(crate) fn on_stored(&mut self, lsn: Lsn, location: Location) -> Vec<(MessageKey, Place)> {
        self.stored = self.stored.max(lsn);
        self.newest_extent = Some(location.extent);
        if let Some(draft) = &mut self.draft {
            let waiting = draft.frames.iter_mut().filter(|(frame, _)| *frame == lsn);
            waiting.for_each(|(_, place)| *place = Some(location));
        }
        let mut published = Vec::new();
        while self.in_flight.front().is_some_and(|frame| frame.lsn <= lsn) {
            published.extend(self.in_flight.pop_front().into_iter().flat_map(|f| f.published));
        }
        published
    }

    /// A snapshot whose frames are all stored, ready for the journal.
    pub(crate) fn take_snapshot(&mut self, state: &State) -> Option<(Lsn, Vec<u8>)> {
        let draft = self.draft.take_if(|draft| draft.lsn <= self.stored)?;
        let located = |(lsn, place): (Lsn, Option<Location>)| place.map(|place| (lsn, place));
        let places = Places {
            frames: draft.frames.into_iter().filter_map(located).collect(),
            extents: state.bodies.extents().map(|(id, used)| (id, used.last_lsn)).collect(),
        };
        let mut snapshot = places.encode();
        snapshot.extend_from_slice(&draft.state);
        self.snapshot_len_bytes = snapshot.len() as u64;
        self.snapshot_in_flight = true;
        Some((draft.lsn, snapshot))
    }

    pub(crate) fn on_snapshotted(&mut self, lsn: Lsn) {
        self.snapshot_in_flight = false;
        self.covered = self.covered.max(lsn);
    }

    /// Extents that may be freed now. `next_read` is the next fetch, `oldest_read` the oldest
    /// that is not answered.
    pub(crate) fn take_free(
        &mut self,
        state: &mut State,
        next_read: Ticket,
        oldest_read: Option<Ticket>,
    ) -> Vec<Extent> {
        let extents = state.bodies.take_dead_extents(self.covered, self.newest_extent);
        if !extents.is_empty() {
            let settled_in = self.barrier();
            self.dying.push_back(Dying { extents, settled_in, reads_until: next_read });
        }
        let stored = self.stored;
        let is_dead = |dying: &mut Dying| {
            dying.settled_in <= stored && oldest_read.is_none_or(|read| read > dying.reads_until)
        };
        let mut free = Vec::new();
        while let Some(dead) = self.dying.pop_front_if(is_dead) {
            free.extend(dead.extents);
        }
        free
    }

    fn snapshot_due(&self) -> bool {
        // Growing with the snapshot itself keeps the bytes written for snapshots in proportion
        // to the bytes logged.
        let due = self.snapshot_every_bytes.max(self.snapshot_len_bytes.saturating_mul(2));
        self.draft.is_none() && !self.snapshot_in_flight && self.since_snapshot_bytes >= due
    }

    fn begin_snapshot(&mut self, lsn: Lsn, state: &State) {
        self.since_snapshot_bytes = 0;
        let frames = state.bodies.frames().map(|(lsn, frame)| (lsn, frame.location)).collect();
        self.draft = Some(Draft { lsn, state: state.encode(), frames });
    }
}

impl OpenFrame {
    fn is_awaited(&self) -> bool {
        self.len_bytes > self.lazy_bytes
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push(Bytes::from(std::mem::take(&mut self.tail)));
        }
    }
}

/// How a [`Log`] begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogLimits {
    pub(crate) frames_in_flight_max: usize,
    pub(crate) snapshot_every_bytes: u64,
    /// Payload after the snapshot that was replayed.
    pub(crate) replayed_bytes: u64,
    pub(crate) newest_extent: Option<Extent>,
}
