//! `kill -9` under load, again and again, on a real directory: everything that the killed
//! process had said was stored is there.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests of an adapter touch the world"
)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Driver, payload};
use wharf_broker::journal::{Completion, Extent, Journal, Lsn};
use wharf_store::Options;

const DIRECTORY: &str = "WHARF_STORE_TEST_DIRECTORY";
const IN_FLIGHT: u64 = 6;

fn small() -> Options {
    let mut options = Options::default();
    options.segment_size_bytes = 64 << 10;
    options
}

/// Opens, checks, and returns the last frame.
fn check(driver: &Driver) -> u64 {
    let covered = driver.snapshot.as_ref().map_or(0, |(lsn, _)| lsn.0);
    for (frame, lsn) in driver.recovered.iter().zip(covered + 1..) {
        assert_eq!((frame.lsn, &frame.payload[..]), (Lsn(lsn), &payload(lsn).concat()[..]));
    }
    covered + driver.recovered.len() as u64
}

/// The process that is killed: says what is stored, until it dies.
#[test]
fn writer() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let mut driver = Driver::open(Path::new(&directory), small());
    let mut stored = check(&driver);
    let mut committed = stored;
    let mut extents: Vec<Extent> = Vec::new();
    loop {
        while committed < stored + IN_FLIGHT {
            committed += 1;
            driver.commit(committed);
        }
        match driver.next() {
            Completion::Stored { lsn, location } => {
                stored = lsn.0;
                extents.push(location.extent);
                extents.dedup();
                println!("stored {stored}");
                if stored.is_multiple_of(100) {
                    driver.journal.snapshot(Lsn(stored), vec![0; 1000]);
                }
            }
            Completion::Snapshotted { .. } => {
                let newest = extents.pop();
                driver.journal.free(std::mem::take(&mut extents));
                extents.extend(newest);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nothing_stored_is_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut stored = 0;
    for round in 0..8_usize {
        let mut writer = Command::new(std::env::current_exe().expect("this program"))
            .args(["writer", "--exact", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process");
        let mut lines = BufReader::new(writer.stdout.take().expect("its output")).lines();
        let mut said = |count: usize| {
            let numbers = lines.by_ref().filter_map(|line| {
                line.expect("text").split_once("stored ")?.1.parse::<u64>().ok()
            });
            numbers.take(count).last()
        };
        stored = said(20 + round * 97).expect("the writer lives");
        writer.kill().expect("killed");
        stored = said(usize::MAX).unwrap_or(stored);
        writer.wait().expect("gone");
        let last = check(&Driver::open(directory.path(), small()));
        assert!(last >= stored, "round {round}: {stored} were stored, {last} are left");
    }
    assert!(stored > 0);
}
