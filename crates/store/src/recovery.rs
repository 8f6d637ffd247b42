//! Opening: from what lies in the directory to a log that can go on.
//!
//! First everything is judged, and any doubt is an error that leaves the directory as it was.
//! Only then is it tidied.

use crate::committer::Active;
use crate::error::OpenError;
use crate::inventory::{Begun, Inventory, damage, io_error};
use crate::layout::{SegmentHeader, segment_name, snapshot_name, spare_name};
use crate::limits::SEGMENT_SIZE_MIN_BYTES;
use crate::medium::Medium;
use crate::replay::{Replay, Stretch};
use crate::segments::{Segment, Segments};
use crate::spares::Spare;
use crate::tail::Tail;
use std::collections::VecDeque;
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

/// Recovers the journal on `medium`.
pub(crate) fn recover(medium: &Arc<dyn Medium>, spares_max: usize) -> Result<Recovered, OpenError> {
    let disk = medium.as_ref();
    let mut inventory = Inventory::take(disk)?;
    inventory.check_unbegun(disk)?;
    let snapshot = inventory.read_snapshot(disk)?;
    let covered = snapshot.as_ref().map_or(Lsn(0), |(lsn, _)| *lsn);
    let tail = find_tail(disk, &inventory, covered)?;
    let first = first_needed(disk, &inventory, covered)?;

    if let (Some(tail), Some(last)) = (&tail, inventory.begun.last()) {
        let name = segment_name(last.header.first_lsn);
        tail.settle(last)
            .map_err(|error| io_error(disk, "repair the log", &name, error))?;
    }
    tidy(disk, &mut inventory, spares_max)?;
    Ok(assemble(medium, inventory, snapshot, tail, first))
}

/// The end of the log, and whether it can be the end.
fn find_tail(
    medium: &dyn Medium,
    inventory: &Inventory,
    covered: Lsn,
) -> Result<Option<Tail>, OpenError> {
    // A segment is named when everything before it is durable.
    let named = inventory
        .unbegun
        .iter()
        .map(|unbegun| Lsn(unbegun.first_lsn.0.saturating_sub(1)));
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
    if let Some(index) = inventory
        .begun
        .iter()
        .rposition(|begun| begun.header.first_lsn <= needed)
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
        medium
            .rename(&name, &spare)
            .map_err(|error| failed(&name, error))?;
        let size_bytes = unbegun.len_bytes;
        inventory.spares.push((
            number,
            Spare {
                name: spare,
                size_bytes,
            },
        ));
    }
    let (mut kept, mut given_back) = (Vec::new(), Vec::new());
    for (number, spare) in inventory.spares.drain(..) {
        let of_use = spare.size_bytes >= SEGMENT_SIZE_MIN_BYTES && kept.len() < spares_max.max(1);
        if of_use {
            kept.push((number, spare))
        } else {
            given_back.push(spare)
        }
    }
    inventory.spares = kept;
    for spare in given_back {
        remove(&spare.name)?;
    }
    medium.sync_directory().map_err(|error| failed("", error))
}

fn assemble(
    medium: &Arc<dyn Medium>,
    inventory: Inventory,
    snapshot: Option<(Lsn, Vec<u8>)>,
    tail: Option<Tail>,
    first: usize,
) -> Recovered {
    let durable = tail.as_ref().map_or(Lsn(0), |tail| tail.last_lsn);
    let covered = snapshot.as_ref().map_or(Lsn(0), |(lsn, _)| *lsn);
    let segments = Segments::default();
    let mut stretches = VecDeque::new();
    for (index, begun) in inventory.begun.iter().enumerate() {
        let Begun {
            header,
            ref file,
            len_bytes,
        } = *begun;
        let segment = Segment {
            file: Arc::clone(file),
            epoch: header.epoch,
            size_bytes: len_bytes,
        };
        let after = inventory.begun.get(index + 1);
        let sealed = after.map(|next| Lsn(next.header.first_lsn.0 - 1));
        if index >= first && sealed.is_none_or(|last_lsn| last_lsn > covered) {
            let last_lsn = sealed.unwrap_or(durable);
            let first_lsn = header.first_lsn;
            stretches.push_back(Stretch {
                first_lsn,
                last_lsn,
                segment: segment.clone(),
            });
        }
        segments.hold(header.first_lsn, segment, sealed);
    }
    let active = inventory
        .begun
        .last()
        .zip(tail)
        .map(|(begun, tail)| Active {
            file: Arc::clone(&begun.file),
            // What the file can hold, should it be shorter than it was meant to be.
            header: SegmentHeader {
                size_bytes: begun.len_bytes,
                ..begun.header
            },
            position: tail.position,
            is_fresh: false,
        });
    let frames = Box::new(Replay::new(medium.label(), covered, stretches));
    let recovery = Recovery { snapshot, frames };
    Recovered {
        active,
        durable,
        segments,
        spares: inventory.spares,
        recovery,
    }
}
