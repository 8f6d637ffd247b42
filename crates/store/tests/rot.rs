//! Bit rot: every single flipped bit of a committed log is found, whatever it hits, and nothing
//! is ever cut off silently. And salvage: what can be kept is kept.

mod support;

use bytes::Bytes;
use std::collections::BTreeMap;
use support::Driver;
use wharf_broker::journal::{Completion, Frame, Journal, Lsn};
use wharf_store::{CrashPlan, OpenError, Options, SimulatedMedium, salvage_on, verify_on};

const FRAMES: u64 = 15;
const PAGE: usize = 4096;

fn small() -> Options {
    let mut options = Options::default();
    options.segment_size_bytes = 20 << 10;
    options
}

/// The payload of a frame: small, so that every bit of a log can be flipped.
fn body(lsn: u64) -> Bytes {
    (0..lsn * 7 % 60).map(|i| (lsn * 31 + i * 5) as u8).collect()
}

/// Commits three frames at a time, so that some share a batch.
fn store(driver: &mut Driver, lsns: std::ops::RangeInclusive<u64>) {
    let mut lsns = lsns.peekable();
    while lsns.peek().is_some() {
        let some: Vec<_> = lsns.by_ref().take(3).collect();
        for lsn in &some {
            driver.journal.commit(Frame { lsn: Lsn(*lsn), chunks: vec![body(*lsn)] });
        }
        for lsn in some {
            let stored = driver.next();
            assert!(matches!(stored, Completion::Stored { lsn: found, .. } if found == Lsn(lsn)));
        }
    }
}

/// A log of a few segments, closed in good order.
fn closed_log(snapshot_at: Option<u64>) -> SimulatedMedium {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    let first = snapshot_at.unwrap_or(0);
    store(&mut driver, 1..=first);
    if snapshot_at.is_some() {
        driver.snapshot(first, &[9; 100]);
    }
    store(&mut driver, first + 1..=FRAMES);
    drop(driver);
    medium
}

/// Every byte that means something: all but the zeros between and after frames.
fn meaningful(files: &BTreeMap<String, Vec<u8>>) -> Vec<(String, usize)> {
    let mut places = Vec::new();
    for (name, bytes) in files {
        if name.starts_with("spare") {
            continue;
        }
        let header = if name.starts_with("segment") { 64 } else { bytes.len() };
        places.extend((0..header).map(|at| (name.clone(), at)));
        for at in (PAGE..bytes.len()).step_by(64) {
            let is_frame = bytes[at..].starts_with(b"WHFR\x01");
            if is_frame && name.starts_with("segment") {
                let len: [u8; 4] = bytes[at + 32..at + 36].try_into().expect("four bytes");
                let end = at + 64 + u32::from_le_bytes(len) as usize;
                places.extend((at..end).map(|at| (name.clone(), at)));
            }
        }
    }
    places
}

#[test]
fn every_flipped_bit_of_a_closed_log_is_found() {
    // A snapshot that does not cover all of the first segment: recovery reads every segment.
    for snapshot_at in [None, Some(1)] {
        let medium = closed_log(snapshot_at);
        assert_eq!(verify_on(&medium).expect("whole"), Lsn(FRAMES));
        let places = meaningful(&medium.files());
        assert!(places.len() > 64 * FRAMES as usize);
        for (name, at) in places {
            for bit in 0..8 {
                medium.flip_bit(&name, at, bit);
                let found = verify_on(&medium);
                assert!(
                    matches!(found, Err(OpenError::Damaged(_))),
                    "bit {bit} of byte {at} of {name}: {found:?}"
                );
                medium.flip_bit(&name, at, bit);
            }
        }
    }
}

#[test]
fn a_flip_where_nothing_is_stored_does_no_harm() {
    let medium = closed_log(None);
    let places: std::collections::BTreeSet<_> = meaningful(&medium.files()).into_iter().collect();
    for (name, bytes) in medium.files() {
        for at in (0..bytes.len()).step_by(61) {
            if !places.contains(&(name.clone(), at)) {
                medium.flip_bit(&name, at, (at % 8) as u8);
                assert_eq!(verify_on(&medium).expect("whole"), Lsn(FRAMES), "{at} of {name}");
                medium.flip_bit(&name, at, (at % 8) as u8);
            }
        }
    }
}

/// `kill -9` under load: the mark may be missing, everything before the last batch is proven.
#[test]
fn a_flip_after_a_kill_is_found_or_was_in_the_last_batch() {
    let medium = SimulatedMedium::new();
    let mut driver = Driver::open_on(&medium, small());
    store(&mut driver, 1..=FRAMES);
    let killed = medium.crash(CrashPlan::KeepUnsynced);
    for (name, at) in meaningful(&killed.files()).into_iter().step_by(7) {
        killed.flip_bit(&name, at, 5);
        match verify_on(&killed) {
            Err(OpenError::Damaged(_)) => {}
            Ok(last) => assert!(last >= Lsn(FRAMES - 3), "{last} after byte {at} of {name}"),
            Err(other) => panic!("{other}"),
        }
        killed.flip_bit(&name, at, 5);
    }
}

#[test]
fn a_missing_segment_is_named() {
    let mut files = closed_log(None).files();
    let names: Vec<_> = files.keys().filter(|name| name.starts_with("segment")).cloned().collect();
    assert!(names.len() > 1);
    let whole = files.clone();
    for name in &names {
        files.remove(name);
        let missing = verify_on(&SimulatedMedium::with_files(files.clone()));
        let Err(OpenError::Damaged(damage)) = missing else { panic!("{name}: {missing:?}") };
        assert!(damage.to_string().contains("wharf salvage"), "{damage}");
        files.clone_from(&whole);
    }
}

#[test]
fn a_log_shorter_than_its_snapshot_is_damage() {
    let mut files = closed_log(Some(FRAMES)).files();
    let last = files.keys().rfind(|name| name.starts_with("segment")).cloned().expect("one");
    files.remove(&last);
    let Err(OpenError::Damaged(damage)) = verify_on(&SimulatedMedium::with_files(files)) else {
        panic!("a log that ends before its snapshot was accepted")
    };
    assert!(damage.what.contains("though frames up to 15 were durable"), "{damage}");
}

#[test]
fn refusing_changes_nothing() {
    let medium = closed_log(None);
    let name = "segment-0000000000000001";
    medium.flip_bit(name, PAGE + 8, 0);
    let before = medium.files();
    assert!(Driver::try_open_on(&medium, small()).is_err());
    assert_eq!(medium.files(), before);
}

/// Whatever one flip hits: after salvage the journal opens, holds a first part of what was
/// stored, up to the frame that was hit, takes frames again, and stays whole.
#[test]
fn salvage_keeps_what_is_good() {
    for snapshot_at in [None, Some(8)] {
        let files = closed_log(snapshot_at).files();
        let places = meaningful(&files);
        for (name, at) in places.iter().step_by(13) {
            let medium = SimulatedMedium::with_files(files.clone());
            medium.flip_bit(name, *at, 2);
            let damage = match verify_on(&medium) {
                Err(OpenError::Damaged(damage)) => damage,
                // Recovery does not read what the snapshot covers; fetching does.
                _ => {
                    assert!(snapshot_at.is_some());
                    continue;
                }
            };
            let report = salvage_on(&medium).expect("salvaged");
            assert!(report.damage.is_some() && !report.put_aside.is_empty());
            let medium = medium.crash(CrashPlan::DropUnsynced);

            let mut driver = Driver::open_on(&medium, small());
            let covered = driver.snapshot.as_ref().map_or(0, |(lsn, _)| lsn.0);
            let last = covered + driver.recovered.len() as u64;
            assert_eq!(Lsn(last), report.kept_until);
            if name.starts_with("segment") {
                assert!(last >= covered.max(damage.lsn.0 - 1), "{last} after {damage}");
            }
            for (frame, lsn) in driver.recovered.iter().zip(covered + 1..) {
                assert_eq!((frame.lsn, &frame.payload), (Lsn(lsn), &body(lsn)));
            }
            store(&mut driver, last + 1..=last + 8);
            drop(driver);
            assert_eq!(verify_on(&medium).expect("whole"), Lsn(last + 8));
            assert_eq!(salvage_on(&medium).expect("good").damage, None);
        }
    }
}

/// A sender cannot make a torn tail look like damage: a frame in a body has not the epoch of
/// its segment, which nobody outside knows.
#[test]
fn frames_inside_a_body_are_not_frames() {
    let old = closed_log(None).files();
    let image = Bytes::from(old["segment-0000000000000001"].clone());
    let mut options = small();
    options.segment_size_bytes = 256 << 10;
    // A file more, so that the simulated randomness is another.
    let medium = SimulatedMedium::with_files(BTreeMap::from([("other".to_owned(), vec![])]));
    let mut driver = Driver::open_on(&medium, options.clone());
    store(&mut driver, 1..=1);
    // Aligned as frames are.
    driver.journal.commit(Frame { lsn: Lsn(2), chunks: vec![image.slice(PAGE..)] });
    driver.next();
    drop(driver);

    // Of frame 2 the first sector and the mark behind it are lost; the body's frames are there,
    // and say that frames beyond 2 were durable.
    let mut files = medium.files();
    let segment = files.get_mut("segment-0000000000000001").expect("the segment");
    segment[2 * PAGE..2 * PAGE + 512].fill(0);
    let mark = segment.chunks(PAGE).rposition(|page| page.starts_with(b"WHFR\x02")).expect("it");
    segment[mark * PAGE..].fill(0);
    let medium = SimulatedMedium::with_files(files);
    assert_eq!(Driver::open_on(&medium, options).recovered.len(), 1);
}
