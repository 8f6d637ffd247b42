//! Which segments are held, and which may be reused.

use crate::medium::MediumFile;
use crate::sync::lock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use wharf_broker::journal::{Extent, Lsn};

/// A segment that holds frames.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) file: Arc<dyn MediumFile>,
    pub(crate) epoch: u64,
    pub(crate) size_bytes: u64,
}

#[derive(Debug)]
struct Held {
    segment: Segment,
    /// No frame in it is newer; `None` while frames are added.
    last_lsn: Option<Lsn>,
    /// The shard needs no frame in it up to this one.
    unneeded_until: Option<Lsn>,
}

impl Held {
    fn is_dead(&self) -> bool {
        matches!((self.last_lsn, self.unneeded_until), (Some(last), Some(until)) if last <= until)
    }
}

/// The segments by their first LSN, shared by the threads.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    held: Mutex<BTreeMap<Lsn, Held>>,
}

/// The name that the shard knows a segment by. LSNs are never used twice, so neither is this.
pub(crate) fn extent(first_lsn: Lsn) -> Extent {
    Extent(first_lsn.0)
}

impl Segments {
    /// Adds a segment; `last_lsn` is `None` for the one that grows.
    pub(crate) fn hold(&self, first_lsn: Lsn, segment: Segment, last_lsn: Option<Lsn>) {
        let held = Held { segment, last_lsn, unneeded_until: None };
        lock(&self.held).insert(first_lsn, held);
    }

    /// The segment that the shard calls `extent`.
    pub(crate) fn get(&self, extent: Extent) -> Option<Segment> {
        lock(&self.held).get(&Lsn(extent.0)).map(|held| held.segment.clone())
    }

    /// No more frames will be added. Returns the segment when it is dead already: the caller
    /// has to recycle it.
    pub(crate) fn seal(&self, first_lsn: Lsn, last_lsn: Lsn) -> Option<Segment> {
        let mut held = lock(&self.held);
        held.get_mut(&first_lsn)?.last_lsn = Some(last_lsn);
        Self::take_dead(&mut held, first_lsn)
    }

    /// The shard needs no frame in the segment up to this one. Newer frames, of which it was not
    /// told yet, keep the segment; it will ask again.
    pub(crate) fn unneeded(&self, extent: Extent, until: Lsn) -> Option<Segment> {
        let first_lsn = Lsn(extent.0);
        let mut held = lock(&self.held);
        held.get_mut(&first_lsn)?.unneeded_until = Some(until);
        Self::take_dead(&mut held, first_lsn)
    }

    fn take_dead(held: &mut BTreeMap<Lsn, Held>, first_lsn: Lsn) -> Option<Segment> {
        if !held.get(&first_lsn)?.is_dead() {
            return None;
        }
        held.remove(&first_lsn).map(|held| held.segment)
    }
}
