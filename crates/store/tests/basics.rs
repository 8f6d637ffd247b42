//! The journal on a real directory, as an operator would see it.
#![allow(clippy::disallowed_methods, reason = "tests of an adapter touch the world")]

mod support;

use bytes::Bytes;
use support::{Driver, payload};
use wharf_broker::journal::{Completion, Frame, Journal, Lsn};
use wharf_store::{OpenError, Options, open, salvage, verify};

fn small() -> Options {
    let mut options = Options::default();
    options.segment_size_bytes = 32 << 10;
    options
}

#[test]
fn what_was_stored_is_there_after_reopening() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut journal = Driver::open(directory.path(), small());
    assert!(journal.recovered.is_empty());
    let locations: Vec<_> = (1..=40).map(|lsn| journal.store(lsn)).collect();
    drop(journal);

    let journal = Driver::open(directory.path(), small());
    assert_eq!(journal.recovered.len(), 40);
    for (frame, (lsn, location)) in journal.recovered.iter().zip((1..).zip(locations)) {
        assert_eq!((frame.lsn, frame.location), (Lsn(lsn), location));
        assert_eq!(frame.payload, payload(lsn).concat());
    }
}

#[test]
fn a_second_process_is_told_who_is_in_the_way() {
    let directory = tempfile::tempdir().expect("a directory");
    let _journal = Driver::open(directory.path(), small());
    let refused = open(directory.path(), small(), support::no_wake()).expect_err("locked");
    assert!(matches!(refused, OpenError::Locked { .. }));
    assert!(refused.to_string().contains("another process uses the data directory"));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, b"").expect("written");
    let refused = open(&file.join("data"), small(), support::no_wake()).expect_err("no directory");
    assert!(matches!(refused, OpenError::Io { .. }));
    assert!(refused.to_string().contains("file/data"), "{refused}");
}

#[test]
fn a_frame_out_of_order_ends_the_journal() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut journal = Driver::open(directory.path(), small());
    journal.store(1);
    journal.commit(3);
    let Completion::Failed(failure) = journal.next() else { panic!("a failure was due") };
    assert!(failure.reason.contains("frame 3 was committed where frame 2 was due"));
    journal.commit(2);
    journal.journal.fetch(wharf_broker::journal::Ticket(1), vec![]);
    drop(journal);
    assert_eq!(Driver::open(directory.path(), small()).recovered.len(), 1);
}

/// More buffers than one system call takes, empty ones among them.
#[test]
fn a_frame_of_many_chunks_is_written_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let chunks: Vec<Bytes> = (0..5_000_usize)
        .map(|i| vec![i as u8; i % 4 * usize::from(i % 3_000 > 1_100)].into())
        .collect();
    let mut journal = Driver::open(directory.path(), small());
    journal.journal.commit(Frame { lsn: Lsn(1), chunks: chunks.clone() });
    assert!(matches!(journal.next(), Completion::Stored { .. }));
    journal.journal.commit(Frame { lsn: Lsn(2), chunks: vec![Bytes::new(); 3_000] });
    assert!(matches!(journal.next(), Completion::Stored { .. }));
    drop(journal);
    let journal = Driver::open(directory.path(), small());
    assert_eq!(journal.recovered[0].payload, chunks.concat());
    assert!(journal.recovered[1].payload.is_empty());
}

#[test]
fn damage_is_named_with_its_remedy_and_the_remedy_works() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut journal = Driver::open(directory.path(), small());
    let places: Vec<_> = (1..=4).map(|lsn| journal.store(lsn)).collect();
    assert!(matches!(verify(directory.path()), Err(OpenError::Locked { .. })));
    drop(journal);
    let file = directory.path().join("segment-0000000000000001");
    let mut bytes = std::fs::read(&file).expect("read");
    bytes[places[2].position as usize + 64] ^= 1;
    std::fs::write(&file, bytes).expect("written");

    let refused = open(directory.path(), small(), support::no_wake()).expect_err("damaged");
    let path = directory.path().display();
    for part in [
        "segment-0000000000000001 at byte 12288, frame 3: the payload does not match".to_owned(),
        "though frames up to 4 were durable".to_owned(),
        format!("wharf salvage --data {path}"),
    ] {
        assert!(refused.to_string().contains(&part), "{refused}");
    }
    let report = salvage(directory.path()).expect("salvaged");
    assert!(report.to_string().contains("kept: frames 1 to 2\nput aside: segment-"), "{report}");
    let mut journal = Driver::open(directory.path(), small());
    assert_eq!(journal.recovered.len(), 2);
    journal.store(3);
    drop(journal);
    assert_eq!(verify(directory.path()).expect("whole"), Lsn(3));
    assert_eq!(
        salvage(directory.path()).expect("good").to_string(),
        "the journal is good; nothing was done"
    );
}
