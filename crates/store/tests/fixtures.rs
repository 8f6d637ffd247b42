//! Journals as released versions wrote them: each must be readable for ever.
//!
//! `fixtures/v1/closed` was closed in good order, `fixtures/v1/torn` lost power while frame 6
//! was written. To make the fixtures of a new version, write its generator and run this test once
//! with `WHARF_STORE_BLESS=1`; those of a released version never change.
#![allow(clippy::disallowed_methods, reason = "tests of an adapter touch the world")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use support::{Driver, payload};
use wharf_broker::journal::{Frame, Journal, Lsn};
use wharf_store::{Options, SimulatedMedium, verify_on};

/// Three segments of 16 KiB with six frames, and a snapshot after frame 2.
fn generate(torn: bool) -> BTreeMap<String, Vec<u8>> {
    let medium = SimulatedMedium::new();
    let mut options = Options::default();
    options.segment_size_bytes = 16 << 10;
    let mut driver = Driver::open_on(&medium, options);
    driver.store(1);
    driver.store(2);
    driver.snapshot(2, b"the state after frame 2");
    for lsn in 3..=5 {
        driver.store(lsn);
    }
    let chunks = vec![vec![6; 1000].into()];
    driver.journal.commit(Frame { lsn: Lsn(6), chunks });
    driver.next();
    drop(driver);
    let mut files = medium.files();
    // The next segment is prepared in its own time: not part of what is compared.
    files.retain(|name, _| !name.starts_with("spare"));
    if torn {
        // The first sector of frame 6 arrived, the others and the mark behind it did not.
        let segment = files.get_mut("segment-0000000000000005").expect("the last segment");
        segment[2 * 4096 + 512..].fill(0);
    }
    files
}

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1").join(name)
}

fn read(name: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory(name)).expect("the fixture");
    entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let bytes = std::fs::read(entry.path()).expect("a file");
            (entry.file_name().into_string().expect("a name"), bytes)
        })
        .collect()
}

#[test]
fn what_is_written_today_is_version_1() {
    for (name, torn) in [("closed", false), ("torn", true)] {
        let files = generate(torn);
        if std::env::var("WHARF_STORE_BLESS").is_ok() {
            std::fs::create_dir_all(directory(name)).expect("created");
            for (file, bytes) in &files {
                std::fs::write(directory(name).join(file), bytes).expect("written");
            }
        }
        let names: Vec<_> = files.keys().collect();
        assert_eq!(names, read(name).keys().collect::<Vec<_>>());
        assert!(files == read(name), "the bytes of {name} are not those of version 1");
    }
}

#[test]
fn version_1_is_read() {
    for name in ["closed", "torn"] {
        let target = tempfile::tempdir().expect("a directory");
        for (file, bytes) in read(name) {
            std::fs::write(target.path().join(file), bytes).expect("copied");
        }
        let mut driver = Driver::open(target.path(), Options::default());
        assert_eq!(driver.snapshot, Some((Lsn(2), b"the state after frame 2".to_vec())));
        let found: Vec<_> = driver.recovered.iter().map(|f| (f.lsn, f.payload.to_vec())).collect();
        let mut expected: Vec<_> = (3..=5).map(|lsn| (Lsn(lsn), payload(lsn).concat())).collect();
        if name == "closed" {
            expected.push((Lsn(6), vec![6; 1000]));
        }
        assert_eq!(found, expected);
        driver.store(3 + found.len() as u64);
    }
}

#[test]
fn a_newer_version_is_named() {
    let mut files = read("closed");
    let bytes = files.get_mut("segment-0000000000000001").expect("the first segment");
    bytes[8] = 2;
    let checksum = crc32c_of(&bytes[..60]);
    bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
    let refused = verify_on(&SimulatedMedium::with_files(files)).expect_err("newer");
    assert!(refused.to_string().contains("has storage format 2, this program knows 1"));
}

/// The checksum, by its definition: the format does not depend on a library.
fn crc32c_of(bytes: &[u8]) -> u32 {
    let step = |mut crc: u32, byte: &u8| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
        crc
    };
    !bytes.iter().fold(!0, step)
}
