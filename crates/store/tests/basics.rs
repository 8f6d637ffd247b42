//! The journal on a real directory, as an operator would see it.
#![allow(clippy::disallowed_methods, reason = "tests of an adapter touch the world")]

mod support;

use support::{Driver, payload};
use wharf_broker::journal::{Completion, Journal, Lsn};
use wharf_store::{OpenError, Options, open};

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
