//! Every bound of this crate, with its reason.

/// A batch starts on a page, so that a write never touches a page that holds durable frames and
/// never has to read a page before it overwrites part of it.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// A frame within a batch starts on such a boundary: its header then lies in one sector.
pub(crate) const FRAME_ALIGN_BYTES: u64 = 64;

/// Frames that share one write and one sync. More would let one sync delay many answers; a
/// torn tail is at most this long, plus one frame.
pub(crate) const BATCH_SIZE_MAX_BYTES: u64 = 8 << 20;

/// The largest payload of one frame. A frame is one group commit of a few megabytes at most;
/// this stops a mistake from taking the disk. The length field could hold four times as much.
pub const FRAME_SIZE_MAX_BYTES: usize = 1 << 30;

/// The smallest segment: the header, one small batch and the mark after it.
pub const SEGMENT_SIZE_MIN_BYTES: u64 = 4 * PAGE_BYTES;

/// The largest segment, kept well inside what a file system can hold in one file.
pub const SEGMENT_SIZE_MAX_BYTES: u64 = 1 << 30;

/// The first segment of a new log is no larger, so that a small broker takes little disk.
pub(crate) const FIRST_SEGMENT_SIZE_BYTES: u64 = 4 << 20;

/// Zeros are written in such pieces: the kernel caches one write in one large unit, and what is
/// written into a unit beyond this size later takes measurably longer to sync.
pub(crate) const ZEROING_PIECE_BYTES: usize = 64 << 10;

/// Zeros are synced after so many, so that the disk never has a long queue of them when a
/// commit wants to be synced.
pub(crate) const ZEROING_SYNC_BYTES: u64 = 4 << 20;

/// How long the log is quiet before the mark that proves its last frames durable is synced.
pub(crate) const MARK_SYNC_DELAY_MS: u64 = 20;

/// What the scanner reads at once.
pub(crate) const WINDOW_BYTES: usize = 256 << 10;

/// Verified frames that the reader remembers, for a consumer that walks through a backlog.
pub(crate) const READ_CACHE_FRAMES_MAX: usize = 8;
/// Their total size.
pub(crate) const READ_CACHE_SIZE_MAX_BYTES: usize = 4 << 20;

/// Buffers in one vectored write (IOV_MAX of Linux).
pub(crate) const WRITE_PARTS_MAX: usize = 1024;

/// Pages before the first batch of a segment: its header.
pub(crate) const HEADER_PAGES: u64 = 1;
