//! One fault at a time, and what the operator is told.

mod support;

use support::{Driver, payload};
use wharf_broker::journal::{Completion, Journal, Location, Lsn, Slice, Ticket};
use wharf_store::{CrashPlan, Options, SimulatedMedium};

fn small() -> Options {
    let mut options = Options::default();
    options.segment_size_bytes = 32 << 10;
    options
}

fn failure(driver: &mut Driver) -> String {
    loop {
        if let Completion::Failed(failure) = driver.next() {
            return failure.reason;
        }
    }
}

#[test]
fn a_failed_sync_is_final() {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    driver.store(1);
    medium.fail_sync_after(0);
    driver.commit(2);
    assert!(failure(&mut driver).contains("the log: simulated/segment-0000000000000001"));
    // Later syncs would succeed; nobody asks for one, and nothing is reported any more.
    driver.commit(3);
    driver.journal.fetch(Ticket(1), vec![]);
    assert!(driver.journal.poll().is_none());
    drop(driver);
    assert_eq!(Driver::open_on(&medium.crash(CrashPlan::DropUnsynced), small()).recovered.len(), 1);
}

/// After a failed sync the kernel still shows the data and will never write it: a restarted
/// process must not build on it without writing it itself.
#[test]
fn what_a_failed_sync_left_in_memory_is_written_again() {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    driver.store(1);
    driver.store(2);
    medium.fail_sync_after(0);
    driver.commit(3);
    failure(&mut driver);
    drop(driver);

    let medium = medium.crash(CrashPlan::KeepUnsynced);
    let shown = Driver::open_on(&medium, small()).recovered.len();
    let medium = medium.crash(CrashPlan::DropUnsynced);
    assert_eq!(Driver::open_on(&medium, small()).recovered.len(), shown, "it is durable now");
}

/// A batch of two whose first frame is torn and whose second is whole: neither was reported.
/// The second must not come back when another frame takes the place of the first.
#[test]
fn remains_of_a_torn_batch_do_not_come_back() {
    // Frames that fill pages: the next one starts where the next batch would.
    let page_filling = |lsn| wharf_broker::journal::Frame {
        lsn: Lsn(lsn),
        chunks: vec![vec![lsn as u8 + 1; 4096 - 64].into()],
    };
    let name = "segment-0000000000000001";
    let is_last_of_batch = |bytes: &[u8], page: usize| bytes[page * 4096 + 5] == 1;
    let mut files = loop {
        let medium = SimulatedMedium::new();
        let mut driver = Driver::open_on(&medium, small());
        (1..=3).for_each(|lsn| driver.journal.commit(page_filling(lsn)));
        (1..=3).for_each(|_| drop(driver.next()));
        drop(driver);
        let files = medium.files();
        // Which frames share a batch is for the threads to say: mostly these.
        if !is_last_of_batch(&files[name], 2) && is_last_of_batch(&files[name], 1) {
            break files;
        }
    };
    let segment = files.get_mut(name).expect("the segment");
    segment[2 * 4096 + 512..3 * 4096].fill(0);
    segment[4 * 4096..].fill(0);
    let medium = SimulatedMedium::with_files(files);

    let mut driver = Driver::open_on(&medium, small());
    assert_eq!(driver.recovered.len(), 1);
    driver.journal.commit(page_filling(2));
    assert!(matches!(driver.next(), Completion::Stored { lsn: Lsn(2), .. }));
    let medium = medium.crash(CrashPlan::DropUnsynced);
    drop(driver);
    assert_eq!(Driver::open_on(&medium, small()).recovered.len(), 2);
}

#[test]
fn a_full_disk_is_named() {
    let medium = SimulatedMedium::new();
    medium.limit_space(80 << 10);
    let mut driver = Driver::open_on(&medium, small());
    (1..).take(200).for_each(|lsn| driver.commit(lsn));
    let reason = failure(&mut driver);
    assert!(reason.contains("the disk is full: free some space"), "{reason}");
    drop(driver);
    let stored = Driver::open_on(&medium.crash(CrashPlan::DropUnsynced), small()).recovered.len();
    assert!((1..200).contains(&stored));
}

/// Every point at which the power may go in a life with all there is: segments that fill, are
/// freed while they grow, retired, recycled; snapshots; a frame too large for a segment.
#[test]
fn every_crash_point_of_a_full_life() {
    let life = |driver: &mut Driver, stored: &mut u64, snapshot: &mut u64| {
        let mut extents = Vec::new();
        for lsn in 1..=60 {
            driver.commit(lsn);
            match driver.next() {
                Completion::Stored { location, .. } => extents.push(location.extent),
                _ => return,
            }
            *stored = lsn;
            if lsn % 7 == 0 {
                driver.journal.snapshot(Lsn(lsn), vec![lsn as u8]);
                match driver.next() {
                    Completion::Snapshotted { .. } => *snapshot = lsn,
                    _ => return,
                }
                extents.dedup();
                driver.journal.free(std::mem::take(&mut extents));
            }
        }
    };
    let mut cut_after = 1;
    loop {
        let medium = SimulatedMedium::new();
        medium.cut_power_after(cut_after);
        let (mut stored, mut snapshot) = (0, 0);
        if let Ok(mut driver) = Driver::try_open_on(&medium, small()) {
            life(&mut driver, &mut stored, &mut snapshot);
        }
        for seed in 0..6 {
            let plan = match seed {
                0 => CrashPlan::DropUnsynced,
                1 => CrashPlan::KeepUnsynced,
                seed => CrashPlan::Random(seed * 1_000 + cut_after),
            };
            let driver = Driver::open_on(&medium.crash(plan), small());
            let covered = driver.snapshot.as_ref().map_or(0, |(lsn, _)| lsn.0);
            assert!(covered >= snapshot, "cut {cut_after}, {plan:?}");
            for (frame, lsn) in driver.recovered.iter().zip(covered + 1..) {
                assert_eq!((frame.lsn, &frame.payload[..]), (Lsn(lsn), &payload(lsn).concat()[..]));
            }
            let last = covered + driver.recovered.len() as u64;
            assert!(last >= stored, "cut {cut_after}, {plan:?}: {stored} stored, {last} left");
        }
        if stored == 60 && medium.operations_done() < cut_after {
            return;
        }
        cut_after += 1;
    }
}

#[test]
fn a_frame_larger_than_a_segment_gets_its_own() {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    driver.store(1);
    let large = bytes::Bytes::from(vec![7; 300_000]);
    let frame = wharf_broker::journal::Frame { lsn: Lsn(2), chunks: vec![large.clone()] };
    driver.journal.commit(frame);
    let Completion::Stored { location, .. } = driver.next() else { panic!("stored") };
    let after = driver.store(3);
    assert_ne!(location.extent, after.extent);
    let slice = Slice { location, lsn: Lsn(2), offset_bytes: 299_990, len_bytes: 10 };
    assert_eq!(driver.fetch(1, vec![slice]).expect("fetched"), [large.slice(299_990..)]);
    drop(driver);
    let driver = Driver::open_on(&medium.crash(CrashPlan::DropUnsynced), small());
    assert_eq!(driver.recovered.len(), 3);
    assert_eq!(driver.recovered[1].payload, large);
}

#[test]
fn rot_is_found_when_a_body_is_fetched() {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    let location = driver.store(1);
    assert!(medium.flip_bit("segment-0000000000000001", location.position as usize + 70, 3));
    let refused = driver.fetch(1, vec![support::whole(1, location)]).expect_err("damaged");
    assert!(refused.reason.contains("segment-0000000000000001 at byte 4096, frame 1"));
    assert!(refused.reason.contains("wharf salvage --data simulated"));
    driver.commit(2);
    assert!(driver.journal.poll().is_none(), "the failure was the last word");
}

#[test]
fn what_is_needed_is_never_freed() {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    let extents: std::collections::BTreeSet<_> =
        (1..=60).map(|lsn| driver.store(lsn).extent).collect();
    assert!(extents.len() > 1);
    // Without a snapshot every frame is needed for recovery, whatever the shard says.
    driver.journal.free(extents.into_iter().collect());
    drop(driver);
    assert_eq!(Driver::open_on(&medium, small()).recovered.len(), 60);
}

#[test]
fn freed_segments_are_used_again() {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    let mut old: Vec<Location> = Vec::new();
    for lsn in 1..=1_000 {
        old.push(driver.store(lsn));
        if lsn % 50 == 0 {
            driver.snapshot(lsn, b"");
            let extents = old.drain(..).map(|location| location.extent).collect();
            driver.journal.free(extents);
        }
    }
    drop(driver);
    let bytes: usize = medium.files().values().map(Vec::len).sum();
    assert!(bytes < 12 * (32 << 10), "{bytes} bytes are left after all was freed");
    assert!(Driver::open_on(&medium, small()).recovered.is_empty());
}
