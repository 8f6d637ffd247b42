//! The end of the log: where it is, and whether what is missing there may be missing.
//!
//! A batch that was not synced may be torn in any way, and that is no damage: nobody was told
//! of it. The difference is in the evidence. Every frame and every mark states which frame was
//! durable when it was written; a frame that any statement calls durable must be whole.

use crate::committer::{mark, write_page};
use crate::error::OpenError;
use crate::inventory::{Begun, damage, io_error};
use crate::layout::{FrameHeader, Kind, page_up, segment_name};
use crate::limits::{HEADER_PAGES, PAGE_BYTES, ZEROING_PIECE_BYTES};
use crate::medium::{Medium, MediumFile};
use crate::scan::{Found, SegmentScanner};
use crate::spares::write_zeros;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use wharf_broker::journal::Lsn;

/// The end of the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Tail {
    /// The last whole frame.
    pub(crate) last_lsn: Lsn,
    /// Where the next batch goes; a page boundary.
    pub(crate) position: u64,
    /// Start of the first whole frame that no statement calls durable.
    unproven_from: Option<u64>,
    /// The last whole frame, when its batch is torn behind it.
    cut_short: Option<(u64, FrameHeader)>,
    /// End of the last header, of this use of the segment, behind the log.
    remains_until: Option<u64>,
}

impl Tail {
    /// Finds the end of the last segment. `proven` is what is known from elsewhere to have been
    /// durable.
    pub(crate) fn find(
        medium: &dyn Medium,
        segment: &Begun,
        proven: Lsn,
    ) -> Result<Self, OpenError> {
        let name = segment_name(segment.header.first_lsn);
        let failed = |error| io_error(medium, "read the log", &name, error);
        let epoch = segment.header.epoch;
        let mut scanner = SegmentScanner::new(Arc::clone(&segment.file), segment.len_bytes);
        let mut position = HEADER_PAGES * PAGE_BYTES;
        let mut next = segment.header.first_lsn;
        let mut proven = proven.max(Lsn(next.0.saturating_sub(1)));
        // Frames not proven durable so far: never more than one batch.
        let mut unproven: VecDeque<(Lsn, u64)> = VecDeque::new();
        let mut last_frame = None;
        let why = loop {
            match scanner.frame_at(position, epoch, next).map_err(failed)? {
                Found::Frame(header, _) => {
                    last_frame = Some((position, header));
                    proven = proven.max(header.durable);
                    unproven.push_back((next, position));
                    while unproven.front().is_some_and(|(lsn, _)| *lsn <= proven) {
                        unproven.pop_front();
                    }
                    position = header.next_position(position);
                    next = next.next();
                }
                Found::Mark => break "the log ends here",
                Found::Nothing(why) => break why,
            }
        };
        let cut_short = last_frame.filter(|(_, header)| !header.last_of_batch);
        let mut remains_until = None;
        let mut look = |at: u64, header: FrameHeader| {
            proven = proven.max(header.durable);
            if header.kind == Kind::Frame || at != position {
                remains_until = Some(at + PAGE_BYTES);
            }
        };
        scanner.headers_from(position, Some(epoch), &mut look).map_err(failed)?;
        if proven >= next {
            let what = format!("{why}, though frames up to {proven} were durable");
            return Err(damage(medium, &name, position, next, &what).into());
        }
        let last_lsn = Lsn(next.0 - 1);
        let first_unproven = unproven.iter().find(|(lsn, _)| *lsn > proven);
        let unproven_from = first_unproven.map(|(_, position)| *position);
        Ok(Self { last_lsn, position: page_up(position), unproven_from, cut_short, remains_until })
    }

    /// Makes what was found the durable truth, before anything is built on it.
    ///
    /// Whole frames that nothing calls durable may be in the kernel's memory only, even as
    /// remains of a sync that failed: they are written again. Remains behind the log would look
    /// like its continuation one day: they are erased.
    pub(crate) fn settle(&self, segment: &Begun) -> io::Result<()> {
        if self.unproven_from.is_none() && self.cut_short.is_none() && self.remains_until.is_none()
        {
            return Ok(());
        }
        let file = segment.file.as_ref();
        if let Some(from) = self.unproven_from {
            rewrite(file, from - from % PAGE_BYTES, self.position.min(segment.len_bytes))?;
        }
        if let Some((position, header)) = self.cut_short {
            // The next batch starts on the next page, so this frame ends its batch now. Its
            // header lies in one sector: the old one or the new one, never a mixture.
            let ending = FrameHeader { last_of_batch: true, ..header }.encode();
            file.write_at(position, &mut [IoSlice::new(&ending)])?;
        }
        if let Some(until) = self.remains_until {
            let until = page_up(until).min(segment.len_bytes);
            write_zeros(file, self.position, until.max(self.position))?;
        }
        file.sync_data()?;
        if self.position + PAGE_BYTES <= segment.len_bytes {
            let mark = mark(segment.header.epoch, self.last_lsn.next(), self.last_lsn);
            write_page(file, self.position, &mark)?;
            file.sync_data()?;
        }
        Ok(())
    }
}

/// Writes what is read.
fn rewrite(file: &dyn MediumFile, start: u64, end: u64) -> io::Result<()> {
    let mut piece = vec![0; ZEROING_PIECE_BYTES.min(end.saturating_sub(start) as usize)];
    let mut position = start;
    while position < end {
        let len = piece.len().min((end - position) as usize);
        file.read_at(position, &mut piece[..len])?;
        file.write_at(position, &mut [IoSlice::new(&piece[..len])])?;
        position += len as u64;
    }
    Ok(())
}
