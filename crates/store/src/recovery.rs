//! Opening: from what lies in the directory to a log that can go on.
//!
//! First everything is judged, and any doubt is an error that leaves the directory as it was.
//! Only then is it tidied.

use crate::committer::Active;
use crate::error::OpenError;
use crate::inventory::{Inventory, damage, io_error};
use crate::layout::{SegmentHeader, segment_name, snapshot_name, spare_name};
use crate::limits::SEGMENT_SIZE_MIN_BYTES;
use crate::medium::{Directory, Medium};
use crate::replay::{Replay, Stretch};
use crate::segments::{Segment, Segments};
use crate::spares::Spare;
use crate::tail::Tail;
use std::path::Path;
use std::sync::Arc;
use wharf_broker::journal::{Lsn, Recovery};

/// Everything that the threads start from.
pub(crate) struct Recovered {
    /// The segment to go on in; `None` for a new log.
    pub(crate) active: Option<Active>,
    /// The last frame.
    pub(crate) durable: Lsn,
    pub(crate) segments: Segments,
    pub(crate) spares: Vec<(u64, Spare)>,
    pub(crate) recovery: Recovery,
}

/// What was found, and found good as far as it was read: all of the last segment, and the
/// headers of the others.
struct Judged {
    inventory: Inventory,
    snapshot: Option<(Lsn, Vec<u8>)>,
    tail: Option<Tail>,
    /// Index of the first segment to replay.
    first: usize,
}

/// Recovers the journal on `medium`.
pub(crate) fn recover(medium: &Arc<dyn Medium>, spares_max: usize) -> Result<Recovered, OpenError> {
    let disk = medium.as_ref();
    let mut judged = judge(disk)?;
    if let (Some(tail), Some(last)) = (&judged.tail, judged.inventory.begun.last()) {
        let name = segment_name(last.header.first_lsn);
        tail.settle(last).map_err(|error| io_error(disk, "repair the log", &name, error))?;
    }
    tidy(disk, &mut judged.inventory, spares_max)?;
    Ok(assemble(disk, judged))
}

/// Reads everything that recovery needs, changes nothing, and returns the last frame.
///
/// # Errors
/// What [`crate::open`] or the recovery would refuse with.
pub fn verify_on(medium: &dyn Medium) -> Result<Lsn, OpenError> {
    let judged = judge(medium)?;
    let mut replay = judged.replay(medium);
    while replay.advance()?.is_some() {}
    Ok(judged.last_lsn())
}

/// [`verify_on`] the journal in `directory`, which no other process may have open.
///
/// # Errors
/// As [`verify_on`], and [`OpenError::Locked`].
pub fn verify(directory: &Path) -> Result<Lsn, OpenError> {
    verify_on(&Directory::open(directory)?)
}

fn judge(medium: &dyn Medium) -> Result<Judged, OpenError> {
    let inventory = Inventory::take(medium)?;
    inventory.check_unbegun(medium)?;
    let snapshot = inventory.read_snapshot(medium)?;
    let covered = snapshot.as_ref().map_or(Lsn(0), |(lsn, _)| *lsn);
    let tail = find_tail(medium, &inventory, covered)?;
    let first = first_needed(medium, &inventory, covered)?;
    Ok(Judged { inventory, snapshot, tail, first })
}

/// The end of the log, and whether it can be the end.
fn find_tail(
    medium: &dyn Medium,
    inventory: &Inventory,
    covered: Lsn,
) -> Result<Option<Tail>, OpenError> {
    // A segment is named when everything before it is durable.
    let named = inventory.unbegun.iter().map(|unbegun| Lsn(unbegun.first_lsn.0.saturating_sub(1)));
    let proven = named.max().unwrap_or_default().max(covered);
    if let Some(last) = inventory.begun.last() {
        return Tail::find(medium, last, proven).map(Some);
    }
    if proven == Lsn(0) {
        return Ok(None);
    }
    let what = format!("the log is missing, though frames up to {proven} were durable");
    Err(damage(medium, &segment_name(proven), 0, proven, &what).into())
}

/// Index of the segment where the first frame after the snapshot is.
fn first_needed(
    medium: &dyn Medium,
    inventory: &Inventory,
    covered: Lsn,
) -> Result<usize, OpenError> {
    let Some(oldest) = inventory.begun.first() else {
        return Ok(0);
    };
    let needed = covered.next();
    if let Some(index) = inventory.begun.iter().rposition(|begun| begun.header.first_lsn <= needed)
    {
        return Ok(index);
    }
    let what = format!(
        "the segments with frames {needed} to {} are missing",
        oldest.header.first_lsn.0.saturating_sub(1)
    );
    Err(damage(medium, &segment_name(needed), 0, needed, &what).into())
}

/// Removes what is of no value, and makes spares of what is of no other use.
fn tidy(
    medium: &dyn Medium,
    inventory: &mut Inventory,
    spares_max: usize,
) -> Result<(), OpenError> {
    let failed = |name: &str, error| io_error(medium, "tidy the directory", name, error);
    let remove = |name: &str| medium.remove(name).map_err(|error| failed(name, error));
    for name in &inventory.temporary {
        remove(name)?;
    }
    let newest = inventory.snapshots.pop();
    for old in inventory.snapshots.drain(..) {
        remove(&snapshot_name(old))?;
    }
    inventory.snapshots.extend(newest);
    let free_number = inventory.spares.last().map_or(1, |(number, _)| number + 1);
    for (number, unbegun) in (free_number..).zip(&inventory.unbegun) {
        let (name, spare) = (segment_name(unbegun.first_lsn), spare_name(number));
        medium.rename(&name, &spare).map_err(|error| failed(&name, error))?;
        let size_bytes = unbegun.len_bytes;
        inventory.spares.push((number, Spare { name: spare, size_bytes }));
    }
    let (mut kept, mut given_back) = (Vec::new(), Vec::new());
    for (number, spare) in inventory.spares.drain(..) {
        let of_use = spare.size_bytes >= SEGMENT_SIZE_MIN_BYTES && kept.len() < spares_max.max(1);
        if of_use { kept.push((number, spare)) } else { given_back.push(spare) }
    }
    inventory.spares = kept;
    for spare in given_back {
        remove(&spare.name)?;
    }
    medium.sync_directory().map_err(|error| failed("", error))
}

impl Judged {
    /// The last frame.
    fn last_lsn(&self) -> Lsn {
        self.tail.as_ref().map_or(Lsn(0), |tail| tail.last_lsn)
    }

    /// The segments, each with its last LSN; of the one that grows there is none.
    fn segments(&self) -> impl Iterator<Item = (Lsn, Segment, Option<Lsn>)> {
        let begun = &self.inventory.begun;
        let after = begun.iter().skip(1).map(|next| Some(Lsn(next.header.first_lsn.0 - 1)));
        begun.iter().zip(after.chain([None])).map(|(begun, sealed)| {
            let file = Arc::clone(&begun.file);
            let segment = Segment { file, epoch: begun.header.epoch, size_bytes: begun.len_bytes };
            (begun.header.first_lsn, segment, sealed)
        })
    }

    fn replay(&self, medium: &dyn Medium) -> Replay {
        let covered = self.snapshot.as_ref().map_or(Lsn(0), |(lsn, _)| *lsn);
        let stretch = |(first_lsn, segment, sealed): (_, _, Option<Lsn>)| {
            let last_lsn = sealed.unwrap_or(self.last_lsn());
            Stretch { first_lsn, last_lsn, segment }
        };
        let stretches = self.segments().skip(self.first).map(stretch);
        let stretches = stretches.filter(|stretch| stretch.last_lsn > covered).collect();
        Replay::new(medium.label(), covered, stretches)
    }
}

fn assemble(medium: &dyn Medium, judged: Judged) -> Recovered {
    let segments = Segments::default();
    for (first_lsn, segment, sealed) in judged.segments() {
        segments.hold(first_lsn, segment, sealed);
    }
    let last = judged.inventory.begun.last();
    let active = last.zip(judged.tail.as_ref()).map(|(begun, tail)| Active {
        file: Arc::clone(&begun.file),
        // What the file can hold, should it be shorter than it was meant to be.
        header: SegmentHeader { size_bytes: begun.len_bytes, ..begun.header },
        position: tail.position,
        is_fresh: false,
    });
    let frames = Box::new(judged.replay(medium));
    let durable = judged.last_lsn();
    let recovery = Recovery { snapshot: judged.snapshot, frames };
    Recovered { active, durable, segments, spares: judged.inventory.spares, recovery }
}
