//! The frames after the snapshot, read one by one.

use crate::error::{Damage, OpenError};
use crate::layout::segment_name;
use crate::limits::{HEADER_PAGES, PAGE_BYTES};
use crate::scan::{Found, SegmentScanner};
use crate::segments::{Segment, extent};
use std::collections::VecDeque;
use std::sync::Arc;
use wharf_broker::journal::{JournalFailure, Location, Lsn, RecoveredFrame};

/// One segment to read, and the last frame that must be in it.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) first_lsn: Lsn,
    pub(crate) last_lsn: Lsn,
    pub(crate) segment: Segment,
}

/// The iterator of [`wharf_broker::journal::Recovery`].
#[derive(Debug)]
pub(crate) struct Replay {
    directory: String,
    /// The snapshot covers frames up to here: they are checked and passed over.
    covered: Lsn,
    stretches: VecDeque<Stretch>,
    current: Option<(SegmentScanner, u64)>,
    next: Lsn,
}

impl Replay {
    pub(crate) fn new(directory: String, covered: Lsn, stretches: VecDeque<Stretch>) -> Self {
        let next = stretches.front().map_or(Lsn(1), |stretch| stretch.first_lsn);
        Self { directory, covered, stretches, current: None, next }
    }

    /// The next frame.
    pub(crate) fn advance(&mut self) -> Result<Option<RecoveredFrame>, OpenError> {
        loop {
            let Some(stretch) = self.stretches.front() else {
                return Ok(None);
            };
            let Stretch { first_lsn, last_lsn, ref segment } = *stretch;
            if self.next > last_lsn {
                self.stretches.pop_front();
                self.current = None;
                continue;
            }
            let (scanner, position) = self.current.get_or_insert_with(|| {
                let file = Arc::clone(&segment.file);
                (SegmentScanner::new(file, segment.size_bytes), HEADER_PAGES * PAGE_BYTES)
            });
            let at = *position;
            let damaged = |why: &str| Damage {
                directory: self.directory.clone(),
                file: segment_name(first_lsn),
                offset_bytes: at,
                lsn: self.next,
                what: format!("{why}, though frames up to {last_lsn} were durable"),
            };
            let found = scanner.frame_at(at, segment.epoch, self.next).map_err(|source| {
                let place = format!("{}/{}", self.directory, segment_name(first_lsn));
                OpenError::Io { action: "read the log", place, source }
            })?;
            let (header, payload) = match found {
                Found::Frame(header, payload) => (header, payload),
                Found::Mark => return Err(damaged("the log ends here").into()),
                Found::Nothing(why) => return Err(damaged(why).into()),
            };
            *position = header.next_position(at);
            let lsn = self.next;
            self.next = lsn.next();
            if lsn > self.covered {
                let location = Location { extent: extent(first_lsn), position: at };
                return Ok(Some(RecoveredFrame { lsn, location, payload }));
            }
        }
    }
}

impl Iterator for Replay {
    type Item = Result<RecoveredFrame, JournalFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = self.advance();
        if frame.is_err() {
            self.stretches.clear();
        }
        frame.map_err(JournalFailure::from).transpose()
    }
}
