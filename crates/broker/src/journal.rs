//! The port through which a shard remembers: declared here by its consumer, implemented by
//! `wharf-store` (an embedded log) and, later, by a replicated log.
//!
//! A shard hands over frames in the order of their LSN. A frame is all or nothing, and it is
//! durable before its [`Completion::Stored`]. Nothing here blocks: completions are polled, and
//! the implementation wakes its driver by whatever means it was built with.

use bytes::Bytes;
use std::fmt;

/// Log sequence number of a frame. The first frame of a shard is 1; each next frame is one more.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Lsn(pub u64);

impl Lsn {
    /// The LSN after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A unit of storage that is freed as a whole (a segment of the embedded log).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Extent(pub u64);

/// Where a stored frame lives. Opaque to the shard, except that it counts what it still needs
/// of each extent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Location {
    /// The extent that holds the whole frame.
    pub extent: Extent,
    /// Position of the frame in its extent, in the implementation's own unit.
    pub position: u64,
}

/// One group commit: the bytes of every record decided together.
///
/// The payload is the concatenation of `chunks`; an implementation writes them with one
/// vectored write and never joins them in memory.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Its number, which is also the fence: it is stored only if the frame before it is the
    /// newest in the journal.
    pub lsn: Lsn,
    /// The payload, in order.
    pub chunks: Vec<Bytes>,
}

impl Frame {
    /// Length of the payload in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().fold(0, |sum, chunk| sum.saturating_add(chunk.len()))
    }

    /// Whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Part of the payload of a stored frame.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Slice {
    /// Where the frame is.
    pub location: Location,
    /// Which frame it is: checked against what is found there.
    pub lsn: Lsn,
    /// First byte, counted from the start of the frame's payload.
    pub offset_bytes: u32,
    /// Length in bytes.
    pub len_bytes: u32,
}

/// Names one `fetch`, chosen by the caller.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// What a journal reports when polled.
#[derive(Debug)]
pub enum Completion {
    /// The frame, and every frame before it, is durable.
    Stored {
        /// The frame.
        lsn: Lsn,
        /// Where it is.
        location: Location,
    },
    /// The bytes asked for by `fetch`, in the order asked for.
    Fetched {
        /// The `fetch` answered.
        ticket: Ticket,
        /// One entry a slice.
        bodies: Vec<Bytes>,
    },
    /// The snapshot is durable; frames up to `lsn` are no longer needed for recovery.
    Snapshotted {
        /// The last frame whose effect the snapshot holds.
        lsn: Lsn,
    },
    /// The journal has failed and will report nothing more. Stop acknowledging at once. Frames it
    /// did not report may be stored all the same.
    Failed(JournalFailure),
}

/// Why a journal stopped.
#[derive(Clone, Debug)]
pub struct JournalFailure {
    /// What failed, for the operator.
    pub reason: String,
    /// Whether another owner wrote to this journal: this node has been deposed.
    pub fenced: bool,
}

impl fmt::Display for JournalFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The port. One shard owns one journal; calls come from one thread.
pub trait Journal: Send {
    /// Takes a frame. Frames arrive in order and are stored in order.
    fn commit(&mut self, frame: Frame);

    /// Asks for parts of stored frames. An implementation checks the frame's integrity or fails.
    fn fetch(&mut self, ticket: Ticket, slices: Vec<Slice>);

    /// Takes a snapshot of the state after frame `lsn`; it is made durable beside the log, not
    /// before that frame is, and replaces the one before it.
    fn snapshot(&mut self, lsn: Lsn, state: Vec<u8>);

    /// Says that nothing in these extents is needed: every frame in them is covered by a durable
    /// snapshot and none of its bytes is referred to. The extents may be reused, under other
    /// names; fetches asked for before are still answered. Saying it twice does no harm, and
    /// after a recovery it is said again.
    fn free(&mut self, extents: Vec<Extent>);

    /// The next completion, if there is one.
    fn poll(&mut self) -> Option<Completion>;
}

/// What a journal found when it was opened.
pub struct Recovery {
    /// The newest durable snapshot, and the last frame it covers.
    pub snapshot: Option<(Lsn, Vec<u8>)>,
    /// Every stored frame after the snapshot, in order, each with its payload and its place.
    /// An `Err` ends the recovery: the shard must not serve.
    pub frames: Box<dyn Iterator<Item = Result<RecoveredFrame, JournalFailure>> + Send>,
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot.as_ref().map(|(lsn, state)| (lsn, state.len()));
        f.debug_struct("Recovery").field("snapshot", &snapshot).finish_non_exhaustive()
    }
}

/// A frame read back.
#[derive(Clone, Debug)]
pub struct RecoveredFrame {
    /// Its number.
    pub lsn: Lsn,
    /// Where it is.
    pub location: Location,
    /// Its whole payload.
    pub payload: Bytes,
}
