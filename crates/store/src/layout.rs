//! The bytes on the medium: names and headers. `docs/design/storage-format.md` is the text;
//! this file is the only code that knows the offsets.

use crate::limits::{FRAME_ALIGN_BYTES, PAGE_BYTES};
use wharf_broker::journal::Lsn;

/// The version of the format that this code writes, and the newest it reads.
pub const FORMAT_VERSION: u16 = 1;

/// Length of each of the three headers.
pub(crate) const HEADER_BYTES: usize = 64;
/// The last four bytes of a header are the CRC32C of those before.
const CHECKED_BYTES: usize = HEADER_BYTES - 4;

const SEGMENT_MAGIC: &[u8; 8] = b"WHARFSEG";
const SNAPSHOT_MAGIC: &[u8; 8] = b"WHARFSNP";
/// First bytes of a frame header and of a mark.
pub(crate) const FRAME_MAGIC: &[u8; 4] = b"WHFR";

const KIND_FRAME: u8 = 1;
const KIND_MARK: u8 = 2;
const FLAG_LAST_OF_BATCH: u8 = 1;

/// The header as it lies on the medium.
pub(crate) type RawHeader = [u8; HEADER_BYTES];

/// First bytes of a segment: written with its first batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SegmentHeader {
    /// Random; every frame of this use of the file repeats it, so that bytes of an earlier use
    /// and bytes inside a payload never pass for a frame.
    pub(crate) epoch: u64,
    /// LSN of the first frame. Every frame before it was durable when this was written.
    pub(crate) first_lsn: Lsn,
    /// Length of the file.
    pub(crate) size_bytes: u64,
}

/// What the first 64 bytes of a file can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Head<T> {
    /// A good header.
    Good(T),
    /// Nothing was ever written here.
    Blank,
    /// A good header of a format that we do not know.
    Newer(u16),
    /// Anything else.
    Bad,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> RawHeader {
        let mut raw = [0; HEADER_BYTES];
        raw[0..8].copy_from_slice(SEGMENT_MAGIC);
        raw[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        put_u64(&mut raw, 16, self.epoch);
        put_u64(&mut raw, 24, self.first_lsn.0);
        put_u64(&mut raw, 32, self.size_bytes);
        seal(raw)
    }

    pub(crate) fn decode(raw: &RawHeader) -> Head<Self> {
        file_head(raw, SEGMENT_MAGIC, || Self {
            epoch: get_u64(raw, 16),
            first_lsn: Lsn(get_u64(raw, 24)),
            size_bytes: get_u64(raw, 32),
        })
    }
}

/// First bytes of a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SnapshotHeader {
    /// The last frame whose effect the state holds.
    pub(crate) lsn: Lsn,
    /// Length of the state.
    pub(crate) len_bytes: u64,
    /// CRC32C of the state.
    pub(crate) checksum: u32,
}

impl SnapshotHeader {
    pub(crate) fn encode(&self) -> RawHeader {
        let mut raw = [0; HEADER_BYTES];
        raw[0..8].copy_from_slice(SNAPSHOT_MAGIC);
        raw[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        put_u64(&mut raw, 16, self.lsn.0);
        put_u64(&mut raw, 24, self.len_bytes);
        put_u32(&mut raw, 32, self.checksum);
        seal(raw)
    }

    pub(crate) fn decode(raw: &RawHeader) -> Head<Self> {
        file_head(raw, SNAPSHOT_MAGIC, || Self {
            lsn: Lsn(get_u64(raw, 16)),
            len_bytes: get_u64(raw, 24),
            checksum: get_u32(raw, 32),
        })
    }
}

/// What a frame header introduces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A frame; its payload follows the header.
    Frame,
    /// A mark: no frame, only the statement that `durable` was durable. The next batch
    /// overwrites it.
    Mark,
}

/// The header of a frame or of a mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FrameHeader {
    pub(crate) kind: Kind,
    /// Whether the next frame, if any, starts on the next page.
    pub(crate) last_of_batch: bool,
    /// Epoch of the segment.
    pub(crate) epoch: u64,
    /// Number of the frame; of a mark: of the frame that comes next.
    pub(crate) lsn: Lsn,
    /// The newest frame known durable when this was written.
    pub(crate) durable: Lsn,
    /// Length of the payload.
    pub(crate) len_bytes: u32,
    /// CRC32C of the payload.
    pub(crate) checksum: u32,
}

impl FrameHeader {
    pub(crate) fn encode(&self) -> RawHeader {
        let mut raw = [0; HEADER_BYTES];
        raw[0..4].copy_from_slice(FRAME_MAGIC);
        raw[4] = match self.kind {
            Kind::Frame => KIND_FRAME,
            Kind::Mark => KIND_MARK,
        };
        raw[5] = if self.last_of_batch { FLAG_LAST_OF_BATCH } else { 0 };
        put_u64(&mut raw, 8, self.epoch);
        put_u64(&mut raw, 16, self.lsn.0);
        put_u64(&mut raw, 24, self.durable.0);
        put_u32(&mut raw, 32, self.len_bytes);
        put_u32(&mut raw, 36, self.checksum);
        seal(raw)
    }

    /// The header, if these bytes are one, of whatever epoch.
    pub(crate) fn decode(raw: &RawHeader) -> Option<Self> {
        if &raw[0..4] != FRAME_MAGIC || !is_sealed(raw) {
            return None;
        }
        let kind = match raw[4] {
            KIND_FRAME => Kind::Frame,
            KIND_MARK => Kind::Mark,
            _ => return None,
        };
        Some(Self {
            kind,
            last_of_batch: raw[5] & FLAG_LAST_OF_BATCH != 0,
            epoch: get_u64(raw, 8),
            lsn: Lsn(get_u64(raw, 16)),
            durable: Lsn(get_u64(raw, 24)),
            len_bytes: get_u32(raw, 32),
            checksum: get_u32(raw, 36),
        })
    }

    /// Where the frame after the one at `position` starts.
    pub(crate) fn next_position(&self, position: u64) -> u64 {
        let end = position + frame_size_bytes(u64::from(self.len_bytes));
        if self.last_of_batch { page_up(end) } else { end }
    }
}

/// Bytes that a frame takes within its batch.
pub(crate) fn frame_size_bytes(payload_len_bytes: u64) -> u64 {
    (HEADER_BYTES as u64 + payload_len_bytes).next_multiple_of(FRAME_ALIGN_BYTES)
}

/// The first page boundary that is not before `position`.
pub(crate) fn page_up(position: u64) -> u64 {
    position.next_multiple_of(PAGE_BYTES)
}

fn file_head<T>(raw: &RawHeader, magic: &[u8; 8], good: impl FnOnce() -> T) -> Head<T> {
    if raw.iter().all(|byte| *byte == 0) {
        return Head::Blank;
    }
    // The checksum comes first: a flipped bit in the version is damage, not a newer format.
    if &raw[0..8] != magic || !is_sealed(raw) {
        return Head::Bad;
    }
    match u16::from_le_bytes([raw[8], raw[9]]) {
        FORMAT_VERSION => Head::Good(good()),
        version => Head::Newer(version),
    }
}

fn seal(mut raw: RawHeader) -> RawHeader {
    let checksum = crc32c::crc32c(&raw[..CHECKED_BYTES]);
    put_u32(&mut raw, CHECKED_BYTES, checksum);
    raw
}

fn is_sealed(raw: &RawHeader) -> bool {
    get_u32(raw, CHECKED_BYTES) == crc32c::crc32c(&raw[..CHECKED_BYTES])
}

fn put_u64(raw: &mut RawHeader, at: usize, value: u64) {
    raw[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn put_u32(raw: &mut RawHeader, at: usize, value: u32) {
    raw[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn get_u64(raw: &RawHeader, at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&raw[at..at + 8]);
    u64::from_le_bytes(bytes)
}

fn get_u32(raw: &RawHeader, at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&raw[at..at + 4]);
    u32::from_le_bytes(bytes)
}

/// A file of the data directory, by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Name {
    /// Frames from this LSN on.
    Segment(Lsn),
    /// The state after this frame.
    Snapshot(Lsn),
    /// A file that may become a segment.
    Spare(u64),
    /// A file that was being written when the process ended.
    Temporary,
}

/// A spare that is still being zeroed.
pub(crate) const SPARE_TEMPORARY: &str = "spare.tmp";
/// A snapshot that is still being written.
pub(crate) const SNAPSHOT_TEMPORARY: &str = "snapshot.tmp";

impl Name {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if name == SPARE_TEMPORARY || name == SNAPSHOT_TEMPORARY {
            return Some(Self::Temporary);
        }
        let (stem, digits) = name.split_once('-')?;
        if digits.len() != 16 || digits.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let number = u64::from_str_radix(digits, 16).ok()?;
        match stem {
            "segment" => Some(Self::Segment(Lsn(number))),
            "snapshot" => Some(Self::Snapshot(Lsn(number))),
            "spare" => Some(Self::Spare(number)),
            _ => None,
        }
    }
}

/// Name of the segment whose first frame is `first_lsn`.
pub(crate) fn segment_name(first_lsn: Lsn) -> String {
    format!("segment-{:016x}", first_lsn.0)
}

/// Name of the snapshot after frame `lsn`.
pub(crate) fn snapshot_name(lsn: Lsn) -> String {
    format!("snapshot-{:016x}", lsn.0)
}

/// Name of a spare.
pub(crate) fn spare_name(number: u64) -> String {
    format!("spare-{number:016x}")
}
