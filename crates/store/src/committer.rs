//! The one thread that appends. It takes every frame that has arrived while the last sync ran,
//! writes them with one vectored write, syncs once, and reports each.

use crate::completions::Completions;
use crate::error::failure;
use crate::journal::Options;
use crate::keeper::Chore;
use crate::layout::{FrameHeader, Kind, RawHeader, SegmentHeader};
use crate::layout::{frame_size_bytes, page_up, segment_name};
use crate::limits::{
    BATCH_SIZE_MAX_BYTES, FIRST_SEGMENT_SIZE_BYTES, FRAME_SIZE_MAX_BYTES, HEADER_PAGES,
    MARK_SYNC_DELAY_MS, PAGE_BYTES,
};
use crate::medium::{Medium, MediumFile};
use crate::segments::{Segment, Segments, extent};
use crate::spares::SharedSpares;
use crate::watermark::Watermark;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use wharf_broker::journal::{Completion, Frame, JournalFailure, Location, Lsn};

/// Source of padding.
static ZEROS: [u8; PAGE_BYTES as usize] = [0; PAGE_BYTES as usize];

/// The segment that grows.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) file: Arc<dyn MediumFile>,
    pub(crate) header: SegmentHeader,
    /// Where the next batch goes; a page boundary.
    pub(crate) position: u64,
    /// Whether the segment's own header is yet to be written, with the first batch.
    pub(crate) is_fresh: bool,
}

/// What the committer shares with the other threads.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) segments: Arc<Segments>,
    pub(crate) spares: SharedSpares,
    pub(crate) completions: Arc<Completions>,
    pub(crate) durable: Arc<Watermark>,
    pub(crate) chores: Sender<Chore>,
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Committer {
    ports: Ports,
    options: Options,
    active: Option<Active>,
    /// The segment before, until the new one holds a durable frame: while it is the only proof
    /// of where the log ends it must not be reused.
    retiring: Option<Active>,
    /// The newest frame that is durable.
    durable: Lsn,
    mark: Mark,
}

/// The statement behind the last frame that it is durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mark {
    /// Not written yet.
    Due,
    Written,
    Synced,
}

impl Committer {
    pub(crate) fn new(
        ports: Ports,
        options: Options,
        active: Option<Active>,
        durable: Lsn,
    ) -> Self {
        Self { ports, options, active, retiring: None, durable, mark: Mark::Due }
    }

    /// Runs until the journal is dropped or fails.
    pub(crate) fn run(mut self, frames: &Receiver<Frame>) {
        if let Err(failure) = self.serve(frames) {
            self.ports.completions.fail(failure);
        }
    }

    fn serve(&mut self, frames: &Receiver<Frame>) -> Result<(), JournalFailure> {
        while let Some(first) = self.next_frame(frames)? {
            let mut batch = vec![first];
            batch.extend(frames.try_iter());
            self.commit_all(batch)?;
            if self.ports.completions.has_failed() {
                return Ok(());
            }
        }
        self.sync_mark()
    }

    /// Waits for a frame; uses a quiet moment to make the mark durable. `None` at the end.
    fn next_frame(&mut self, frames: &Receiver<Frame>) -> Result<Option<Frame>, JournalFailure> {
        if let Ok(frame) = frames.try_recv() {
            return Ok(Some(frame));
        }
        self.write_mark()?;
        if self.mark == Mark::Written {
            match frames.recv_timeout(Duration::from_millis(MARK_SYNC_DELAY_MS)) {
                Ok(frame) => return Ok(Some(frame)),
                Err(RecvTimeoutError::Timeout) => self.sync_mark()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(frames.recv().ok())
    }

    /// Splits what arrived at the ends of segments and at the largest batch.
    fn commit_all(&mut self, frames: Vec<Frame>) -> Result<(), JournalFailure> {
        let mut expected = self.durable.next();
        let mut batch = Vec::with_capacity(frames.len());
        let mut batch_bytes = 0;
        for frame in frames {
            if let Err(misuse) = check(&frame, expected) {
                // What came before it was in order.
                self.commit_batch(&batch)?;
                return Err(misuse);
            }
            expected = expected.next();
            let size = frame_size_bytes(frame.len() as u64);
            if !batch.is_empty() && !self.has_room(batch_bytes + size) {
                self.commit_batch(&batch)?;
                batch.clear();
                batch_bytes = 0;
            }
            if batch.is_empty() && !self.has_room(size) {
                self.begin_segment(frame.lsn, size)?;
            }
            batch_bytes += size;
            batch.push(frame);
            if batch_bytes >= BATCH_SIZE_MAX_BYTES {
                self.commit_batch(&batch)?;
                batch.clear();
                batch_bytes = 0;
            }
        }
        self.commit_batch(&batch)
    }

    /// Whether the active segment can take a batch of this size and a mark after it.
    fn has_room(&self, batch_bytes: u64) -> bool {
        self.active.as_ref().is_some_and(|active| {
            page_up(active.position + batch_bytes) + PAGE_BYTES <= active.header.size_bytes
        })
    }

    /// Goes on in another segment: everything before is durable.
    fn begin_segment(&mut self, first_lsn: Lsn, frame_bytes: u64) -> Result<(), JournalFailure> {
        let medium = &self.ports.medium;
        let name = segment_name(first_lsn);
        let needed = HEADER_PAGES * PAGE_BYTES + page_up(frame_bytes) + PAGE_BYTES;
        let wanted = match self.active {
            Some(_) => self.options.segment_size_bytes,
            None => self.options.segment_size_bytes.min(FIRST_SEGMENT_SIZE_BYTES),
        };
        let begun = if needed <= wanted {
            let spare = self.ports.spares.take(wanted)?;
            if needed <= spare.size_bytes {
                self.adopt(&spare.name, &name).map(|file| (file, spare.size_bytes))
            } else {
                self.ports.spares.put(spare);
                medium.create(&name, needed).map(|file| (file, needed))
            }
        } else {
            medium.create(&name, needed).map(|file| (file, needed))
        };
        // The name must be there before any frame is.
        let (file, size_bytes) = begun
            .and_then(|begun| medium.sync_directory().map(|()| begun))
            .map_err(|error| self.failed("begin a segment", &name, &error))?;
        let header = SegmentHeader { epoch: medium.nonce(), first_lsn, size_bytes };
        let position = HEADER_PAGES * PAGE_BYTES;
        let before = self.active.replace(Active { file, header, position, is_fresh: true });
        self.retiring = before;
        Ok(())
    }

    fn adopt(&self, spare: &str, name: &str) -> io::Result<Arc<dyn MediumFile>> {
        self.ports.medium.rename(spare, name)?;
        self.ports.medium.open(name)
    }

    /// One write, one sync, one report.
    fn commit_batch(&mut self, frames: &[Frame]) -> Result<(), JournalFailure> {
        if frames.is_empty() {
            return Ok(());
        }
        let Some(active) = &mut self.active else {
            return Err(misuse("no segment was begun".to_owned()));
        };
        let headers = frame_headers(frames, active.header.epoch, self.durable);
        let start = active.position;
        let (end, locations) = place(frames, start, extent(active.header.first_lsn));
        let write = |active: &mut Active| {
            write_batch(active, frames, &headers, end)?;
            active.file.sync_data()
        };
        if let Err(error) = write(active) {
            let name = segment_name(active.header.first_lsn);
            return Err(self.failed("write to the log", &name, &error));
        }
        active.position = end;
        self.mark = Mark::Due;
        if active.is_fresh {
            active.is_fresh = false;
            let segment = Segment {
                file: Arc::clone(&active.file),
                epoch: active.header.epoch,
                size_bytes: active.header.size_bytes,
            };
            self.ports.segments.hold(active.header.first_lsn, segment, None);
        }
        if active.position > active.header.size_bytes / 2 {
            self.ports.spares.want(self.options.segment_size_bytes);
        }
        let durable_before = self.durable;
        self.durable = frames.last().map_or(self.durable, |frame| frame.lsn);
        self.retire(durable_before)?;
        self.ports.durable.raise(self.durable);
        let stored = frames.iter().zip(locations);
        self.ports.completions.report(
            stored.map(|(frame, location)| Completion::Stored { lsn: frame.lsn, location }),
        );
        Ok(())
    }

    /// Lets go of the segment before, now that the new one has its first durable frame.
    fn retire(&mut self, last_lsn: Lsn) -> Result<(), JournalFailure> {
        let Some(retired) = self.retiring.take() else { return Ok(()) };
        let first_lsn = retired.header.first_lsn;
        if let Some(dead) = self.ports.segments.seal(first_lsn, last_lsn) {
            // The keeper ends only with the journal; then nothing needs recycling.
            let _ = self.ports.chores.send(Chore::Recycle(first_lsn, dead.size_bytes));
            return Ok(());
        }
        // Should the new segment ever be lost, the old one knows that there was more.
        self.state_durable(&retired, last_lsn.next())
    }

    /// Writes a mark behind the last frame of a segment, where frame `next` would be.
    fn state_durable(&self, segment: &Active, next: Lsn) -> Result<(), JournalFailure> {
        let header = segment.header;
        if segment.position + PAGE_BYTES > header.size_bytes {
            return Ok(());
        }
        let mark = mark(header.epoch, next, self.durable);
        write_page(segment.file.as_ref(), segment.position, &mark).map_err(|error| {
            self.failed("write to the log", &segment_name(header.first_lsn), &error)
        })
    }

    /// States, without a sync, that everything so far is durable: a process that is killed
    /// leaves this behind, and so proves its last frames whole.
    fn write_mark(&mut self) -> Result<(), JournalFailure> {
        let Some(active) = self.active.as_ref().filter(|_| self.mark == Mark::Due) else {
            return Ok(());
        };
        self.state_durable(active, self.durable.next())?;
        self.mark = Mark::Written;
        Ok(())
    }

    fn sync_mark(&mut self) -> Result<(), JournalFailure> {
        let Some(active) = self.active.as_ref().filter(|_| self.mark == Mark::Written) else {
            return Ok(());
        };
        active.file.sync_data().map_err(|error| {
            let name = segment_name(active.header.first_lsn);
            self.failed("sync the log", &name, &error)
        })?;
        self.mark = Mark::Synced;
        Ok(())
    }

    fn failed(&self, action: &str, name: &str, error: &io::Error) -> JournalFailure {
        failure(action, &format!("{}/{name}", self.ports.medium.label()), error)
    }
}

impl Drop for Committer {
    /// However it ends, nobody may wait for it.
    fn drop(&mut self) {
        self.ports.durable.close();
        self.ports.spares.close();
    }
}

fn misuse(reason: String) -> JournalFailure {
    JournalFailure { reason, fenced: false }
}

/// The fence, and the bound.
fn check(frame: &Frame, expected: Lsn) -> Result<(), JournalFailure> {
    if frame.lsn != expected {
        return Err(misuse(format!(
            "frame {} was committed where frame {expected} was due",
            frame.lsn
        )));
    }
    if frame.len() > FRAME_SIZE_MAX_BYTES {
        return Err(misuse(format!(
            "frame {} has {} bytes, more than the {FRAME_SIZE_MAX_BYTES} a frame may have",
            frame.lsn,
            frame.len()
        )));
    }
    Ok(())
}

fn frame_headers(frames: &[Frame], epoch: u64, durable: Lsn) -> Vec<RawHeader> {
    let last = frames.len().saturating_sub(1);
    let header = |(index, frame): (usize, &Frame)| {
        let checksum = frame.chunks.iter().fold(0, |sum, chunk| crc32c::crc32c_append(sum, chunk));
        FrameHeader {
            kind: Kind::Frame,
            last_of_batch: index == last,
            epoch,
            lsn: frame.lsn,
            durable,
            // `check` has bounded it.
            len_bytes: frame.len() as u32,
            checksum,
        }
        .encode()
    };
    frames.iter().enumerate().map(header).collect()
}

/// Where each frame goes, and where the batch ends.
fn place(
    frames: &[Frame],
    start: u64,
    extent: wharf_broker::journal::Extent,
) -> (u64, Vec<Location>) {
    let mut position = start;
    let locations = frames
        .iter()
        .map(|frame| {
            let location = Location { extent, position };
            position += frame_size_bytes(frame.len() as u64);
            location
        })
        .collect();
    (page_up(position), locations)
}

/// Writes the batch from the frames' own chunks, padded to `end`.
fn write_batch(
    active: &Active,
    frames: &[Frame],
    headers: &[RawHeader],
    end: u64,
) -> io::Result<()> {
    let segment_header = active.header.encode();
    let chunks: usize = frames.iter().map(|frame| frame.chunks.len()).sum();
    let mut parts = Vec::with_capacity(chunks + 2 * frames.len() + 3);
    let mut start = active.position;
    if active.is_fresh {
        start = 0;
        parts.push(IoSlice::new(&segment_header));
        parts.push(IoSlice::new(&ZEROS[segment_header.len()..]));
    }
    let mut position = active.position;
    for (frame, header) in frames.iter().zip(headers) {
        parts.push(IoSlice::new(header));
        parts.extend(frame.chunks.iter().map(|chunk| IoSlice::new(chunk)));
        let len = frame.len() as u64;
        let size = frame_size_bytes(len);
        parts.push(IoSlice::new(&ZEROS[..(size - header.len() as u64 - len) as usize]));
        position += size;
    }
    parts.push(IoSlice::new(&ZEROS[..(end - position) as usize]));
    active.file.write_at(start, &mut parts)
}

/// A mark where frame `lsn` would be, that frames up to `durable` are durable.
pub(crate) fn mark(epoch: u64, lsn: Lsn, durable: Lsn) -> RawHeader {
    let kind = Kind::Mark;
    FrameHeader { kind, last_of_batch: true, epoch, lsn, durable, len_bytes: 0, checksum: 0 }
        .encode()
}

/// Writes a header and fills its page with zeros.
pub(crate) fn write_page(
    file: &dyn MediumFile,
    position: u64,
    header: &RawHeader,
) -> io::Result<()> {
    file.write_at(position, &mut [IoSlice::new(header), IoSlice::new(&ZEROS[header.len()..])])
}
