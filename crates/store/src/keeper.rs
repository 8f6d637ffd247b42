//! The thread for what may take long and is in nobody's way: snapshots, and the recycling of
//! segments. It works in the order asked, so a segment freed before a snapshot is gone, durably,
//! when the snapshot is there.

use crate::completions::Completions;
use crate::error::failure;
use crate::layout::{SNAPSHOT_TEMPORARY, SnapshotHeader, segment_name, snapshot_name};
use crate::medium::Medium;
use crate::segments::Segments;
use crate::spares::{SharedSpares, Spare};
use crate::watermark::Watermark;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use wharf_broker::journal::{Completion, Extent, JournalFailure, Lsn};

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Chore {
    /// The shard needs nothing in these up to the newest frame that it had been told of.
    Free(Vec<Extent>, Lsn),
    /// The segment of this first LSN and size is dead.
    Recycle(Lsn, u64),
    /// The state after a frame.
    Snapshot(Lsn, Vec<u8>),
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) segments: Arc<Segments>,
    pub(crate) spares: SharedSpares,
    pub(crate) completions: Arc<Completions>,
    pub(crate) durable: Arc<Watermark>,
    /// Only files of this size are worth keeping.
    pub(crate) segment_size_bytes: u64,
    /// The durable snapshot.
    pub(crate) snapshot: Option<Lsn>,
}

impl Keeper {
    /// Runs until nobody can ask any more, or the journal fails.
    pub(crate) fn run(mut self, chores: &Receiver<Chore>) {
        for chore in chores {
            if self.completions.has_failed() {
                return;
            }
            let done = match chore {
                Chore::Free(extents, told) => self.free(&extents, told),
                Chore::Recycle(first_lsn, size_bytes) => self.recycle(first_lsn, size_bytes),
                Chore::Snapshot(lsn, state) => self.snapshot(lsn, &state),
            };
            if let Err(failure) = done {
                self.completions.fail(failure);
                return;
            }
        }
    }

    fn free(&self, extents: &[Extent], told: Lsn) -> Result<(), JournalFailure> {
        // Whatever the shard says, a frame that no snapshot covers is needed for recovery.
        let unneeded_until = told.min(self.snapshot.unwrap_or_default());
        for extent in extents {
            if let Some(dead) = self.segments.unneeded(*extent, unneeded_until) {
                self.recycle(Lsn(extent.0), dead.size_bytes)?;
            }
        }
        Ok(())
    }

    fn recycle(&self, first_lsn: Lsn, size_bytes: u64) -> Result<(), JournalFailure> {
        let name = segment_name(first_lsn);
        let done = match self.spares.name_for_recycled() {
            Some(spare) if size_bytes == self.segment_size_bytes => {
                self.medium.rename(&name, &spare).map(|()| {
                    self.spares.put(Spare { name: spare, size_bytes });
                })
            }
            _ => self.medium.remove(&name),
        };
        done.map_err(|error| self.failed("recycle a segment", &name, &error))
    }

    fn snapshot(&mut self, lsn: Lsn, state: &[u8]) -> Result<(), JournalFailure> {
        if self.snapshot.is_some_and(|newest| lsn < newest) {
            let reason = format!("snapshot {lsn} was taken after a newer one");
            return Err(JournalFailure { reason, fenced: false });
        }
        // A snapshot ahead of the log would make the log look cut off.
        if !self.durable.wait_for(lsn) {
            return Ok(());
        }
        let name = snapshot_name(lsn);
        self.write_snapshot(lsn, &name, state)
            .map_err(|error| self.failed("write a snapshot", &name, &error))?;
        if let Some(old) = self.snapshot.replace(lsn).filter(|old| *old != lsn) {
            let name = snapshot_name(old);
            let removed = self.medium.remove(&name);
            removed.map_err(|error| self.failed("remove a snapshot", &name, &error))?;
        }
        self.completions.report([Completion::Snapshotted { lsn }]);
        Ok(())
    }

    fn write_snapshot(&self, lsn: Lsn, name: &str, state: &[u8]) -> io::Result<()> {
        let len_bytes = state.len() as u64;
        let header = SnapshotHeader { lsn, len_bytes, checksum: crc32c::crc32c(state) }.encode();
        let file = self.medium.create(SNAPSHOT_TEMPORARY, header.len() as u64 + len_bytes)?;
        file.write_at(0, &mut [IoSlice::new(&header), IoSlice::new(state)])?;
        file.sync_data()?;
        self.medium.rename(SNAPSHOT_TEMPORARY, name)?;
        self.medium.sync_directory()
    }

    fn failed(&self, action: &str, name: &str, error: &io::Error) -> JournalFailure {
        failure(action, &format!("{}/{name}", self.medium.label()), error)
    }
}
