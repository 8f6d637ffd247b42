//! The thread that answers `fetch`, so that reading never delays a commit.
//!
//! A frame is read and verified as a whole, because its checksum covers the whole: a slice of a
//! frame that has rotted elsewhere is worth nothing, the medium is failing. A consumer of a
//! backlog asks for many slices of one frame, so this costs one read a frame; the last few
//! frames are remembered for the next request.

use crate::completions::Completions;
use crate::error::{Damage, failure};
use crate::keeper::Chore;
use crate::layout::{FrameHeader, HEADER_BYTES, Kind, segment_name};
use crate::limits::{READ_CACHE_FRAMES_MAX, READ_CACHE_SIZE_MAX_BYTES};
use crate::segments::Segments;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use wharf_broker::journal::{Completion, Extent, JournalFailure, Location, Lsn, Slice, Ticket};

/// What the shard asks; freeing passes through here so that it follows the fetches before it.
#[derive(Debug)]
pub(crate) enum Request {
    Fetch(Ticket, Vec<Slice>),
    Free(Vec<Extent>, Lsn),
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) directory: String,
    pub(crate) segments: Arc<Segments>,
    pub(crate) completions: Arc<Completions>,
    pub(crate) chores: Sender<Chore>,
    /// Verified payloads, the most recently used last.
    pub(crate) cache: VecDeque<(Location, Lsn, Bytes)>,
}

impl Reader {
    /// Runs until nobody can ask any more, or the journal fails.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        for request in requests {
            if self.completions.has_failed() {
                return;
            }
            match request {
                Request::Fetch(ticket, slices) => match self.fetch(&slices) {
                    Ok(bodies) => {
                        self.completions.report([Completion::Fetched { ticket, bodies }]);
                    }
                    Err(failure) => return self.completions.fail(failure),
                },
                Request::Free(extents, told) => {
                    self.cache.retain(|(location, _, _)| !extents.contains(&location.extent));
                    if self.chores.send(Chore::Free(extents, told)).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn fetch(&mut self, slices: &[Slice]) -> Result<Vec<Bytes>, JournalFailure> {
        let mut bodies = Vec::with_capacity(slices.len());
        for of_one_frame in slices.chunk_by(|a, b| a.location == b.location && a.lsn == b.lsn) {
            let Some(first) = of_one_frame.first() else {
                continue;
            };
            let payload = self.payload(first.location, first.lsn)?;
            let wanted: usize = of_one_frame.iter().map(|slice| slice.len_bytes as usize).sum();
            // A few small bodies must not keep a large frame in memory.
            let shares = wanted >= payload.len() / 2;
            for slice in of_one_frame {
                let start = slice.offset_bytes as usize;
                let end = start + slice.len_bytes as usize;
                if end > payload.len() {
                    let len = payload.len();
                    let reason = format!("bytes {start}..{end} of frame {} of {len}", slice.lsn);
                    return Err(misuse(&format!("asked for {reason}")));
                }
                bodies.push(if shares {
                    payload.slice(start..end)
                } else {
                    Bytes::copy_from_slice(&payload[start..end])
                });
            }
        }
        Ok(bodies)
    }

    /// The verified payload of a frame.
    fn payload(&mut self, location: Location, lsn: Lsn) -> Result<Bytes, JournalFailure> {
        let known = self.cache.iter().position(|entry| entry.0 == location && entry.1 == lsn);
        if let Some(entry) = known.and_then(|index| self.cache.remove(index)) {
            let payload = entry.2.clone();
            self.cache.push_back(entry);
            return Ok(payload);
        }
        let payload = self.read(location, lsn)?;
        if payload.len() <= READ_CACHE_SIZE_MAX_BYTES {
            self.cache.push_back((location, lsn, payload.clone()));
            while self.cache.len() > READ_CACHE_FRAMES_MAX
                || self.cached_bytes() > READ_CACHE_SIZE_MAX_BYTES
            {
                self.cache.pop_front();
            }
        }
        Ok(payload)
    }

    fn cached_bytes(&self) -> usize {
        self.cache.iter().map(|(_, _, payload)| payload.len()).sum()
    }

    fn read(&self, location: Location, lsn: Lsn) -> Result<Bytes, JournalFailure> {
        let Location { extent, position } = location;
        let Some(segment) = self.segments.get(extent) else {
            return Err(misuse(&format!("asked for frame {lsn} in a freed segment")));
        };
        let name = segment_name(Lsn(extent.0));
        let damaged = |what: &str| {
            JournalFailure::from(Damage {
                directory: self.directory.clone(),
                file: name.clone(),
                offset_bytes: position,
                lsn,
                what: what.to_owned(),
            })
        };
        let failed = |error: io::Error| {
            failure("read the log", &format!("{}/{name}", self.directory), &error)
        };
        let mut raw = [0; HEADER_BYTES];
        segment.file.read_at(position, &mut raw).map_err(failed)?;
        let header = FrameHeader::decode(&raw)
            .ok_or_else(|| damaged("the header of a stored frame is not what was written"))?;
        if header.kind != Kind::Frame || header.epoch != segment.epoch || header.lsn != lsn {
            return Err(damaged("another frame is where a stored frame should be"));
        }
        let start = position + HEADER_BYTES as u64;
        if start + u64::from(header.len_bytes) > segment.size_bytes {
            return Err(damaged("the frame is longer than its segment"));
        }
        let mut payload = vec![0; header.len_bytes as usize];
        segment.file.read_at(start, &mut payload).map_err(failed)?;
        if crc32c::crc32c(&payload) != header.checksum {
            return Err(damaged("the payload of a stored frame does not match its checksum"));
        }
        Ok(payload.into())
    }
}

fn misuse(what: &str) -> JournalFailure {
    JournalFailure { reason: format!("the shard {what}"), fenced: false }
}
