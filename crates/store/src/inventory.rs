//! What lies in the data directory: reads names and first bytes, judges, changes nothing.

use crate::error::{Damage, OpenError};
use crate::layout::{
    HEADER_BYTES, Head, Name, SegmentHeader, SnapshotHeader, segment_name, snapshot_name,
};
use crate::medium::{Medium, MediumFile};
use crate::scan::SegmentScanner;
use crate::spares::Spare;
use std::io;
use std::sync::Arc;
use wharf_broker::journal::Lsn;

/// A segment whose header is good.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn MediumFile>,
    /// What can be read of it.
    pub(crate) len_bytes: u64,
}

/// A segment that was named and has no first batch.
#[derive(Debug)]
pub(crate) struct Unbegun {
    pub(crate) first_lsn: Lsn,
    pub(crate) len_bytes: u64,
}

/// Everything found.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// In the order of their first LSN.
    pub(crate) begun: Vec<Begun>,
    pub(crate) unbegun: Vec<Unbegun>,
    pub(crate) spares: Vec<(u64, Spare)>,
    /// In the order of their LSN; their contents are not looked at.
    pub(crate) snapshots: Vec<Lsn>,
    /// Left by a process that ended; of no value.
    pub(crate) temporary: Vec<String>,
}

impl Inventory {
    /// Takes stock. Other files are none of our business.
    pub(crate) fn take(medium: &dyn Medium) -> Result<Self, OpenError> {
        let mut inventory = Self::default();
        let mut names = medium.list().map_err(|e| io_error(medium, "list the directory", "", e))?;
        names.sort_unstable();
        for name in names {
            match Name::parse(&name) {
                Some(Name::Segment(first_lsn)) => {
                    inventory.add_segment(medium, &name, first_lsn)?
                }
                Some(Name::Snapshot(lsn)) => inventory.snapshots.push(lsn),
                Some(Name::Spare(number)) => {
                    let (_, size_bytes) = open_file(medium, &name)?;
                    inventory.spares.push((number, Spare { name, size_bytes }));
                }
                Some(Name::Temporary) => inventory.temporary.push(name),
                None => {}
            }
        }
        Ok(inventory)
    }

    fn add_segment(
        &mut self,
        medium: &dyn Medium,
        name: &str,
        first_lsn: Lsn,
    ) -> Result<(), OpenError> {
        let (file, len_bytes) = open_file(medium, name)?;
        let mut raw = [0; HEADER_BYTES];
        if len_bytes >= HEADER_BYTES as u64 {
            let read = file.read_at(0, &mut raw);
            read.map_err(|error| io_error(medium, "read a segment", name, error))?;
        }
        match SegmentHeader::decode(&raw) {
            Head::Good(header) if header.first_lsn == first_lsn => {
                self.begun.push(Begun { header, file, len_bytes });
            }
            // The header of an earlier use, or none: the first batch was never synced. Frames
            // that claim otherwise are proof that the header was there.
            Head::Good(_) | Head::Blank => {
                if let Some(offset_bytes) = proof_of_use(&file, len_bytes, first_lsn)
                    .map_err(|error| io_error(medium, "read a segment", name, error))?
                {
                    let what = "the segment holds durable frames and has lost its header";
                    return Err(damage(medium, name, offset_bytes, first_lsn, what).into());
                }
                self.unbegun.push(Unbegun { first_lsn, len_bytes });
            }
            Head::Newer(version) => return Err(newer(medium, name, version)),
            Head::Bad => {
                let what = "the header of the segment does not match its checksum";
                return Err(damage(medium, name, 0, first_lsn, what).into());
            }
        }
        Ok(())
    }

    /// A named segment without a first batch is legal at the very end only.
    pub(crate) fn check_unbegun(&self, medium: &dyn Medium) -> Result<(), Damage> {
        let newest = self.begun.last().map_or(Lsn(0), |begun| begun.header.first_lsn);
        match self.unbegun.iter().find(|unbegun| unbegun.first_lsn < newest) {
            None => Ok(()),
            Some(unbegun) => {
                let name = segment_name(unbegun.first_lsn);
                let what = "the segment has no header, though a later one has";
                Err(damage(medium, &name, 0, unbegun.first_lsn, what))
            }
        }
    }

    /// The newest snapshot, whole.
    pub(crate) fn read_snapshot(
        &self,
        medium: &dyn Medium,
    ) -> Result<Option<(Lsn, Vec<u8>)>, OpenError> {
        self.snapshots.last().map(|lsn| Ok((*lsn, read_snapshot(medium, *lsn)?))).transpose()
    }
}

/// The state in a snapshot, verified.
pub(crate) fn read_snapshot(medium: &dyn Medium, lsn: Lsn) -> Result<Vec<u8>, OpenError> {
    let name = snapshot_name(lsn);
    let (file, len_bytes) = open_file(medium, &name)?;
    let failed = |error| io_error(medium, "read a snapshot", &name, error);
    let mut raw = [0; HEADER_BYTES];
    let body_bytes = len_bytes.checked_sub(HEADER_BYTES as u64);
    if body_bytes.is_some() {
        file.read_at(0, &mut raw).map_err(failed)?;
    }
    let header = match SnapshotHeader::decode(&raw) {
        Head::Good(header) => header,
        Head::Newer(version) => return Err(newer(medium, &name, version)),
        Head::Blank | Head::Bad => {
            let what = "the header of the snapshot does not match its checksum";
            return Err(damage(medium, &name, 0, lsn, what).into());
        }
    };
    // Bounded by the length of the file, whatever the header says.
    if header.lsn != lsn || Some(header.len_bytes) != body_bytes {
        let what = "the snapshot does not have the length that was written";
        return Err(damage(medium, &name, 0, lsn, what).into());
    }
    let mut state = vec![0; header.len_bytes as usize];
    file.read_at(HEADER_BYTES as u64, &mut state).map_err(failed)?;
    if crc32c::crc32c(&state) != header.checksum {
        let what = "the snapshot does not match its checksum";
        return Err(damage(medium, &name, HEADER_BYTES as u64, lsn, what).into());
    }
    Ok(state)
}

/// Position of a frame that was written when frame `first_lsn` was durable already. Frames of
/// an earlier use of the file are older than that.
fn proof_of_use(
    file: &Arc<dyn MediumFile>,
    len_bytes: u64,
    first_lsn: Lsn,
) -> io::Result<Option<u64>> {
    let mut proof = None;
    SegmentScanner::new(Arc::clone(file), len_bytes).headers_from(
        0,
        None,
        |position, header| {
            if header.durable >= first_lsn {
                proof = proof.or(Some(position));
            }
        },
    )?;
    Ok(proof)
}

fn open_file(medium: &dyn Medium, name: &str) -> Result<(Arc<dyn MediumFile>, u64), OpenError> {
    let file = medium.open(name);
    file.and_then(|file| file.len_bytes().map(|len_bytes| (file, len_bytes)))
        .map_err(|error| io_error(medium, "open a file", name, error))
}

/// Damage at a place of this medium.
pub(crate) fn damage(
    medium: &dyn Medium,
    file: &str,
    offset_bytes: u64,
    lsn: Lsn,
    what: &str,
) -> Damage {
    let directory = medium.label();
    Damage { directory, file: file.to_owned(), offset_bytes, lsn, what: what.to_owned() }
}

/// An operation that the medium refused.
pub(crate) fn io_error(
    medium: &dyn Medium,
    action: &'static str,
    name: &str,
    source: io::Error,
) -> OpenError {
    OpenError::Io { action, place: format!("{}/{name}", medium.label()), source }
}

fn newer(medium: &dyn Medium, name: &str, version: u16) -> OpenError {
    OpenError::NewerFormat { file: format!("{}/{name}", medium.label()), version }
}
