//! Power cuts: for random work, random crash points and random legal disk states, what is
//! recovered is exactly a first part of what was committed, and holds everything reported.

#![allow(clippy::disallowed_methods, reason = "reads a setting of the test runner")]

mod support;

use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::Driver;
use wharf_broker::journal::{Completion, Extent, Frame, Journal, Lsn};
use wharf_store::{CrashPlan, Options, SimulatedMedium};

/// Frames of this size start on pages even within a batch, as batches do.
const PAGE_LESS_HEADER: usize = 4096 - 64;

/// What the shard does next.
#[derive(Clone, Debug)]
enum Act {
    /// Commits this many frames of up to so many bytes without waiting.
    Commit(u64, usize),
    /// Waits for everything asked for.
    Wait,
    /// Takes a snapshot of what was stored.
    Snapshot,
    /// Frees every extent that the snapshot covers.
    Free,
}

#[derive(Clone, Debug)]
struct Life {
    acts: Vec<Act>,
    cut_after: u64,
    plan: CrashPlan,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..9_u64, prop_oneof![Just(0), Just(100), Just(448), Just(PAGE_LESS_HEADER), Just(5_000), Just(40_000)])
            .prop_map(|(count, bytes)| Act::Commit(count, bytes)),
        2 => Just(Act::Wait),
        1 => Just(Act::Snapshot),
        1 => Just(Act::Free),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let plan = prop_oneof![
        1 => Just(CrashPlan::DropUnsynced),
        1 => Just(CrashPlan::KeepUnsynced),
        6 => any::<u64>().prop_map(CrashPlan::Random),
    ];
    (prop::collection::vec(act(), 1..16), 1..60_u64, plan)
        .prop_map(|(acts, cut_after, plan)| Life { acts, cut_after, plan })
}

fn options() -> Options {
    let mut options = Options::default();
    options.segment_size_bytes = 32 << 10;
    options.segments_spare_max = 2;
    options
}

/// What the shard knows, across its lives.
#[derive(Debug, Default)]
struct Model {
    /// Payload by LSN: what was committed last under that number.
    committed: BTreeMap<u64, Vec<u8>>,
    /// Frames up to here were reported as stored, or recovered.
    stored: u64,
    snapshot: u64,
    /// Last LSN seen in each extent.
    extents: BTreeMap<Extent, u64>,
    lives: u8,
    /// Reported in this life.
    failed: bool,
    pending_snapshots: u32,
}

impl Model {
    fn payload(&self, lsn: u64, bytes_max: usize) -> Vec<u8> {
        let seed = lsn * 31 + u64::from(self.lives);
        // Of one length, so that frames of another life lie where these go; or of any.
        let len = match bytes_max {
            0..1_000 | PAGE_LESS_HEADER => bytes_max,
            _ => (seed * 2_654_435_761 % (bytes_max as u64 + 1)) as usize,
        };
        (0..len).map(|i| (seed + i as u64 * 13) as u8).collect()
    }

    fn act(&mut self, driver: &mut Driver, act: &Act) {
        match act {
            Act::Commit(count, bytes_max) => {
                for _ in 0..*count {
                    let lsn = self.newest() + 1;
                    let payload = self.payload(lsn, *bytes_max);
                    let bytes = Bytes::from(payload.clone());
                    let chunks =
                        vec![bytes.slice(..bytes.len() / 2), bytes.slice(bytes.len() / 2..)];
                    driver.journal.commit(Frame { lsn: Lsn(lsn), chunks });
                    self.committed.insert(lsn, payload);
                }
            }
            Act::Wait => self.wait(driver),
            Act::Snapshot => {
                // Of frames that may not even be written yet.
                let lsn = self.newest();
                driver.journal.snapshot(Lsn(lsn), lsn.to_le_bytes().to_vec());
                self.pending_snapshots += 1;
            }
            Act::Free => {
                let covered = |last: &u64| *last <= self.snapshot;
                let dead = self.extents.iter().filter(|(_, last)| covered(last));
                let dead: Vec<_> = dead.map(|(extent, _)| *extent).collect();
                self.extents.retain(|_, last| *last > self.snapshot);
                driver.journal.free(dead);
            }
        }
    }

    fn newest(&self) -> u64 {
        self.committed.keys().next_back().copied().unwrap_or(0)
    }

    fn wait(&mut self, driver: &mut Driver) {
        while !self.failed && (self.stored < self.newest() || self.pending_snapshots > 0) {
            let completion = driver.next();
            self.note(completion);
        }
    }

    fn note(&mut self, completion: Completion) {
        match completion {
            Completion::Stored { lsn, location } => {
                assert_eq!(lsn.0, self.stored + 1, "frames are reported in order");
                self.stored = lsn.0;
                self.extents.insert(location.extent, lsn.0);
            }
            Completion::Snapshotted { lsn } => {
                self.snapshot = lsn.0;
                self.pending_snapshots -= 1;
            }
            Completion::Failed(_) => self.failed = true,
            Completion::Fetched { .. } => unreachable!("nothing was fetched"),
        }
    }

    /// Compares, and forgets what was lost rightly.
    fn reborn(&mut self, driver: &Driver) {
        let covered = driver.snapshot.as_ref().map_or(0, |(lsn, state)| {
            assert_eq!(state, &lsn.0.to_le_bytes());
            lsn.0
        });
        assert!(covered >= self.snapshot, "snapshot {} was reported durable", self.snapshot);
        let mut last = covered;
        for frame in &driver.recovered {
            last += 1;
            assert_eq!(frame.lsn.0, last, "no gap");
            assert_eq!(Some(&frame.payload.to_vec()), self.committed.get(&last), "frame {last}");
            self.extents.insert(frame.location.extent, last);
        }
        assert!(last >= self.stored, "frame {} was reported stored, {last} is left", self.stored);
        assert!(last <= self.newest());
        self.committed.retain(|lsn, _| *lsn <= last);
        (self.stored, self.snapshot) = (last, covered);
        (self.failed, self.pending_snapshots) = (false, 0);
        self.lives += 1;
    }
}

/// Opens after a crash; the power may go again while the log is being repaired.
fn reopen(medium: &mut SimulatedMedium, plan: CrashPlan) -> Driver {
    match Driver::try_open_on(medium, options()) {
        Ok(driver) => driver,
        Err(refusal) => {
            assert!(refusal.contains("the power is gone"), "{refusal}");
            *medium = medium.crash(plan);
            Driver::open_on(medium, options())
        }
    }
}

fn run(lives: &[Life]) {
    let mut medium = SimulatedMedium::new();
    let mut model = Model::default();
    for life in lives {
        medium.cut_power_after(life.cut_after);
        let mut driver = reopen(&mut medium, life.plan);
        model.reborn(&driver);
        for act in &life.acts {
            model.act(&mut driver, act);
        }
        model.wait(&mut driver);
        drop(driver);
        medium = medium.crash(life.plan);
    }
    model.reborn(&Driver::open_on(&medium, options()));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(150),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_reported_is_lost_and_nothing_else_appears(
        lives in prop::collection::vec(life(), 1..5)
    ) {
        run(&lives);
    }
}
