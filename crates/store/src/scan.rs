//! Reads a segment: frame by frame, or in search of what came after a gap.

use crate::layout::{FRAME_MAGIC, FrameHeader, HEADER_BYTES, Kind, RawHeader};
use crate::limits::{FRAME_ALIGN_BYTES, FRAME_SIZE_MAX_BYTES, PAGE_BYTES, WINDOW_BYTES};
use crate::medium::MediumFile;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use wharf_broker::journal::Lsn;

/// What stands at a place where a frame may begin.
#[derive(Debug)]
pub(crate) enum Found {
    /// The frame that was expected, whole.
    Frame(FrameHeader, Bytes),
    /// A mark: the log ended here when it was written.
    Mark,
    /// Neither, for this reason.
    Nothing(&'static str),
}

/// A segment read through a window, so that small frames do not cost a call each.
#[derive(Debug)]
pub(crate) struct SegmentScanner {
    file: Arc<dyn MediumFile>,
    size_bytes: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl SegmentScanner {
    pub(crate) fn new(file: Arc<dyn MediumFile>, size_bytes: u64) -> Self {
        Self { file, size_bytes, window: Vec::new(), window_start: 0 }
    }

    /// What is at `position`, where the frame `expected` of `epoch` may begin.
    pub(crate) fn frame_at(
        &mut self,
        position: u64,
        epoch: u64,
        expected: Lsn,
    ) -> io::Result<Found> {
        let Some(raw) = self.raw_header(position)? else {
            return Ok(Found::Nothing("the segment ends"));
        };
        let Some(header) = FrameHeader::decode(&raw) else {
            return Ok(Found::Nothing("there is no frame header with a good checksum"));
        };
        if header.epoch != epoch {
            return Ok(Found::Nothing("there is only a frame of an earlier use of the segment"));
        }
        if header.lsn != expected {
            return Ok(Found::Nothing("there is a frame with another number"));
        }
        if header.kind == Kind::Mark {
            return Ok(Found::Mark);
        }
        let start = position + HEADER_BYTES as u64;
        let len = u64::from(header.len_bytes);
        if len > FRAME_SIZE_MAX_BYTES as u64 || start + len > self.size_bytes {
            return Ok(Found::Nothing("the frame is longer than its segment"));
        }
        let payload = self.bytes(start, len as usize)?;
        if crc32c::crc32c(&payload) != header.checksum {
            return Ok(Found::Nothing("the payload does not match its checksum"));
        }
        Ok(Found::Frame(header, payload))
    }

    /// Every header from `position` on that belongs to `epoch` (or to any, if `None`), whatever
    /// its frame is worth.
    pub(crate) fn headers_from(
        &mut self,
        position: u64,
        epoch: Option<u64>,
        mut each: impl FnMut(u64, FrameHeader),
    ) -> io::Result<()> {
        let mut at = position.next_multiple_of(FRAME_ALIGN_BYTES);
        while at + HEADER_BYTES as u64 <= self.size_bytes {
            self.fill(at, HEADER_BYTES)?;
            let offset = (at - self.window_start) as usize;
            let (headers, _) = self.window[offset..].as_chunks::<HEADER_BYTES>();
            for raw in headers {
                if raw.starts_with(FRAME_MAGIC)
                    && let Some(header) = FrameHeader::decode(raw)
                    && epoch.is_none_or(|epoch| epoch == header.epoch)
                {
                    each(at, header);
                }
                at += HEADER_BYTES as u64;
            }
        }
        Ok(())
    }

    fn raw_header(&mut self, position: u64) -> io::Result<Option<RawHeader>> {
        if position + HEADER_BYTES as u64 > self.size_bytes {
            return Ok(None);
        }
        self.fill(position, HEADER_BYTES)?;
        let offset = (position - self.window_start) as usize;
        let mut raw = [0; HEADER_BYTES];
        raw.copy_from_slice(&self.window[offset..offset + HEADER_BYTES]);
        Ok(Some(raw))
    }

    fn bytes(&mut self, position: u64, len: usize) -> io::Result<Bytes> {
        if len > WINDOW_BYTES / 2 {
            let mut bytes = vec![0; len];
            self.file.read_at(position, &mut bytes)?;
            return Ok(bytes.into());
        }
        self.fill(position, len)?;
        let offset = (position - self.window_start) as usize;
        Ok(Bytes::copy_from_slice(&self.window[offset..offset + len]))
    }

    /// Makes the window hold `len` bytes from `position` on; they lie within the segment.
    fn fill(&mut self, position: u64, len: usize) -> io::Result<()> {
        let window_end = self.window_start + self.window.len() as u64;
        if position >= self.window_start && position + len as u64 <= window_end {
            return Ok(());
        }
        let start = position - position % PAGE_BYTES;
        let size = (self.size_bytes - start).min(WINDOW_BYTES as u64) as usize;
        self.window.resize(size, 0);
        self.window_start = start;
        let read = self.file.read_at(start, &mut self.window);
        if read.is_err() {
            self.window.clear();
        }
        read
    }
}
