//! Salvage: what an operator asks for when the journal is damaged and there is no copy.
//!
//! It keeps the longest run of frames that is provably what was written: from the newest good
//! snapshot (or the first frame) to the first frame that is damaged or missing. Everything that
//! is left out of the log is put aside in the same directory under another name, never deleted.

use crate::error::OpenError;
use crate::inventory::{io_error, read_snapshot};
use crate::layout::{
    FrameHeader, HEADER_BYTES, Head, Kind, Name, SPARE_TEMPORARY, SegmentHeader, page_up,
    segment_name,
};
use crate::limits::{HEADER_PAGES, PAGE_BYTES, SEGMENT_SIZE_MIN_BYTES, ZEROING_PIECE_BYTES};
use crate::medium::{Directory, Medium, MediumFile};
use crate::recovery;
use crate::scan::{Found, SegmentScanner};
use bytes::Bytes;
use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use wharf_broker::journal::Lsn;

/// What [`salvage`] did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SalvageReport {
    /// What was wrong, or `None`: the journal was good and nothing was done.
    pub damage: Option<String>,
    /// The snapshot that the log now starts from.
    pub snapshot: Option<Lsn>,
    /// The last frame kept.
    pub kept_until: Lsn,
    /// Files put aside, old name and new name. Of those that had good parts, a copy.
    pub put_aside: Vec<(String, String)>,
}

impl fmt::Display for SalvageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(damage) = &self.damage else {
            return f.write_str("the journal is good; nothing was done");
        };
        writeln!(f, "found: {damage}")?;
        match self.snapshot {
            Some(lsn) => writeln!(f, "kept: snapshot {lsn}, frames until {}", self.kept_until)?,
            None => writeln!(f, "kept: frames 1 to {}", self.kept_until)?,
        }
        for (old, new) in &self.put_aside {
            writeln!(f, "put aside: {old} as {new}")?;
        }
        f.write_str("the journal can be opened; later messages and acknowledgements are lost")
    }
}

/// Makes a damaged journal openable again, at the price of what cannot be proven good.
///
/// # Errors
/// [`OpenError::Locked`], [`OpenError::Io`], [`OpenError::NewerFormat`]; damage is what it is
/// for, and never an error.
pub fn salvage(directory: &Path) -> Result<SalvageReport, OpenError> {
    salvage_on(&Directory::open(directory)?)
}

/// [`salvage`] on any medium.
///
/// # Errors
/// As [`salvage`].
pub fn salvage_on(medium: &dyn Medium) -> Result<SalvageReport, OpenError> {
    let damage = match recovery::verify_on(medium) {
        Ok(_) => return Ok(SalvageReport::default()),
        Err(OpenError::Damaged(damage)) => damage.to_string(),
        Err(other) => return Err(other),
    };
    let mut salvage = Salvage {
        medium,
        report: SalvageReport { damage: Some(damage), ..SalvageReport::default() },
        round: 0,
        segments: Vec::new(),
    };
    salvage.take_stock()?;
    salvage.run().map_err(|error| io_error(medium, "salvage the log", "", error))?;
    Ok(salvage.report)
}

/// A segment that can be read.
struct Readable {
    header: SegmentHeader,
    file: Arc<dyn MediumFile>,
    len_bytes: u64,
}

struct Salvage<'a> {
    medium: &'a dyn Medium,
    report: SalvageReport,
    /// Number of this salvage, in the names of what is put aside.
    round: u64,
    /// By first LSN.
    segments: Vec<Readable>,
}

impl Salvage<'_> {
    /// Finds the newest good snapshot and the readable segments; puts the rest aside.
    fn take_stock(&mut self) -> Result<(), OpenError> {
        let failed = |error| io_error(self.medium, "salvage the log", "", error);
        let mut names = self.medium.list().map_err(failed)?;
        names.sort_unstable();
        self.round = names.iter().filter_map(|name| aside_round(name)).max().unwrap_or(0) + 1;
        for name in names.iter().rev() {
            let Some(Name::Snapshot(lsn)) = Name::parse(name) else { continue };
            match read_snapshot(self.medium, lsn) {
                Ok(_) if self.report.snapshot.is_none() => self.report.snapshot = Some(lsn),
                Ok(_) => {}
                Err(OpenError::Damaged(_)) => self.put_aside(name).map_err(failed)?,
                Err(other) => return Err(other),
            }
        }
        for name in &names {
            if let Some(Name::Segment(first_lsn)) = Name::parse(name) {
                match self.readable(name, first_lsn).map_err(failed)? {
                    Some(segment) => self.segments.push(segment),
                    None => self.put_aside(name).map_err(failed)?,
                }
            }
        }
        Ok(())
    }

    /// Opens a segment; rebuilds a lost header from the first frame, which names the epoch.
    fn readable(&mut self, name: &str, first_lsn: Lsn) -> io::Result<Option<Readable>> {
        let file = self.medium.open(name)?;
        let len_bytes = file.len_bytes()?;
        let first_page = HEADER_PAGES * PAGE_BYTES;
        if len_bytes < first_page + HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut raw = [0; HEADER_BYTES];
        file.read_at(0, &mut raw)?;
        if let Head::Good(header) = SegmentHeader::decode(&raw)
            && header.first_lsn == first_lsn
        {
            return Ok(Some(Readable { header, file, len_bytes }));
        }
        file.read_at(first_page, &mut raw)?;
        let Some(first) = FrameHeader::decode(&raw).filter(|frame| frame.lsn == first_lsn) else {
            return Ok(None);
        };
        let mut scanner = SegmentScanner::new(Arc::clone(&file), len_bytes);
        if !matches!(scanner.frame_at(first_page, first.epoch, first_lsn)?, Found::Frame(..)) {
            return Ok(None);
        }
        self.copy_aside(name)?;
        let header = SegmentHeader { epoch: first.epoch, first_lsn, size_bytes: len_bytes };
        file.write_at(0, &mut [IoSlice::new(&header.encode())])?;
        file.sync_data()?;
        Ok(Some(Readable { header, file, len_bytes }))
    }

    fn run(&mut self) -> io::Result<()> {
        let covered = self.report.snapshot.unwrap_or_default();
        let mut next = covered.next();
        let start = self.segments.iter().rposition(|segment| segment.header.first_lsn <= next);
        let mut moved = Vec::new();
        let mut torn_in = None;
        for index in start.unwrap_or(self.segments.len())..self.segments.len() {
            let segment = &self.segments[index];
            if segment.header.first_lsn > next {
                break;
            }
            let bound = self.segments.get(index + 1).map(|after| after.header.first_lsn);
            let run = Run::find(segment, next, bound)?;
            next = Lsn(next.0 + run.frames);
            torn_in = Some(segment.header.first_lsn);
            if run.behind_damage {
                moved = run.payloads;
            }
            if bound != Some(next) {
                break;
            }
        }
        self.report.kept_until = Lsn(next.0 - 1);
        let dropped = self.segments.iter().map(|segment| segment.header.first_lsn);
        let dropped: Vec<_> = dropped.filter(|first_lsn| *first_lsn >= next).collect();
        if let Some(first_lsn) = torn_in.filter(|first_lsn| *first_lsn < next) {
            self.copy_aside(&segment_name(first_lsn))?;
        }
        for first_lsn in dropped {
            self.put_aside(&segment_name(first_lsn))?;
        }
        if !moved.is_empty() {
            self.new_segment(covered.next(), &moved)?;
        }
        let holds_next = moved.is_empty() || covered.next().0 + (moved.len() as u64) < next.0;
        // The log ends here: a segment that begins after the last frame says so.
        if next > Lsn(1) && holds_next {
            self.new_segment(next, &[])?;
        }
        self.medium.sync_directory()
    }

    /// A segment of these frames, one a batch.
    fn new_segment(&self, first_lsn: Lsn, payloads: &[Bytes]) -> io::Result<()> {
        let batches = payloads.iter().map(|bytes| page_up((HEADER_BYTES + bytes.len()) as u64));
        let needed = (HEADER_PAGES + 1) * PAGE_BYTES + batches.sum::<u64>();
        let size_bytes = needed.max(SEGMENT_SIZE_MIN_BYTES);
        let file = self.medium.create(SPARE_TEMPORARY, size_bytes)?;
        let epoch = self.medium.nonce();
        let header = SegmentHeader { epoch, first_lsn, size_bytes };
        file.write_at(0, &mut [IoSlice::new(&header.encode())])?;
        let mut position = HEADER_PAGES * PAGE_BYTES;
        for (lsn, payload) in (first_lsn.0..).map(Lsn).zip(payloads) {
            let header = FrameHeader {
                kind: Kind::Frame,
                last_of_batch: true,
                epoch,
                lsn,
                durable: Lsn(lsn.0 - 1),
                len_bytes: payload.len() as u32,
                checksum: crc32c::crc32c(payload),
            };
            let raw = header.encode();
            file.write_at(position, &mut [IoSlice::new(&raw), IoSlice::new(payload)])?;
            position = header.next_position(position);
        }
        file.sync_data()?;
        self.medium.rename(SPARE_TEMPORARY, &segment_name(first_lsn))
    }

    fn put_aside(&mut self, name: &str) -> io::Result<()> {
        let aside = self.aside_name(name);
        self.medium.rename(name, &aside)?;
        self.report.put_aside.push((name.to_owned(), aside));
        Ok(())
    }

    fn copy_aside(&mut self, name: &str) -> io::Result<()> {
        let aside = self.aside_name(name);
        if self.report.put_aside.iter().any(|(_, there)| *there == aside) {
            return Ok(());
        }
        let file = self.medium.open(name)?;
        let len_bytes = file.len_bytes()?;
        let copy = self.medium.create(&aside, len_bytes)?;
        let mut piece = vec![0; ZEROING_PIECE_BYTES];
        let mut position = 0;
        while position < len_bytes {
            let len = piece.len().min((len_bytes - position) as usize);
            file.read_at(position, &mut piece[..len])?;
            copy.write_at(position, &mut [IoSlice::new(&piece[..len])])?;
            position += len as u64;
        }
        copy.sync_data()?;
        self.report.put_aside.push((name.to_owned(), aside));
        Ok(())
    }

    fn aside_name(&self, name: &str) -> String {
        format!("salvaged-{}-{name}", self.round)
    }
}

/// Which salvage put this file aside.
fn aside_round(name: &str) -> Option<u64> {
    name.strip_prefix("salvaged-")?.split_once('-')?.0.parse().ok()
}

/// Good frames in a row, in one segment.
struct Run {
    frames: u64,
    /// Whether there is damage before the run, in frames that the snapshot covers.
    behind_damage: bool,
    /// The frames, if so: they have to move to a segment of their own.
    payloads: Vec<Bytes>,
}

impl Run {
    /// The run that starts with `from`, up to the frame before `bound`.
    fn find(segment: &Readable, from: Lsn, bound: Option<Lsn>) -> io::Result<Self> {
        let epoch = segment.header.epoch;
        let mut scanner = SegmentScanner::new(Arc::clone(&segment.file), segment.len_bytes);
        let mut run = Self { frames: 0, behind_damage: false, payloads: Vec::new() };
        let mut position = HEADER_PAGES * PAGE_BYTES;
        let mut next = segment.header.first_lsn;
        loop {
            if bound == Some(next) {
                return Ok(run);
            }
            match scanner.frame_at(position, epoch, next)? {
                Found::Frame(header, payload) => {
                    if next >= from {
                        run.frames += 1;
                        if run.behind_damage {
                            run.payloads.push(payload);
                        }
                    }
                    position = header.next_position(position);
                    next = next.next();
                }
                Found::Mark | Found::Nothing(_) if next >= from => return Ok(run),
                Found::Mark | Found::Nothing(_) => {
                    let mut behind = None;
                    scanner.headers_from(position, Some(epoch), |at, header| {
                        if header.kind == Kind::Frame && header.lsn == from {
                            behind = behind.or(Some(at));
                        }
                    })?;
                    let Some(at) = behind else { return Ok(run) };
                    (position, next, run.behind_damage) = (at, from, true);
                }
            }
        }
    }
}
