//! Opening a log that something has happened to.
//!
//! *Rot* changes what lies there: bits flip, pieces are zeroed, copied or cut off, files vanish.
//! Whatever is read after that is a first part of what was written. *Forgery* also repairs the
//! checksums, so that nothing can be said of the content, but that nothing panics.

use crate::script::Script;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use wharf_broker::journal::{Completion, Frame, Journal, Lsn, Recovery};
use wharf_store::{
    CrashPlan, EmbeddedJournal, OpenError, Options, SimulatedMedium, open_on, salvage_on, verify_on,
};

type Files = BTreeMap<String, Vec<u8>>;

const FRAMES: u64 = 14;
const SNAPSHOT: &[u8] = b"the state after frame 5";
const HEADER_BYTES: usize = 64;

/// Reads `data` as what happens to a log.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let mut files = logs()[usize::from(choice) % logs().len()].clone();
    let forged = choice & 0x80 != 0;
    while !script.is_empty() {
        happen(&mut files, &mut script, forged);
    }
    let medium = SimulatedMedium::with_files(files.clone());
    let verified = verify_on(&medium);
    assert!(medium.files() == files, "judging changes nothing");
    match verified {
        Ok(last) => go_on(&medium, Some(last), forged),
        Err(_) => {
            if let Ok((journal, recovery)) = open(&medium) {
                // What recovery reads later may be what is damaged; the frames before are good.
                drop(journal);
                assert!(collect(recovery, forged).is_err(), "refused, and then read");
                return;
            }
            assert!(medium.files() == files, "refusing changes nothing");
            match salvage_on(&medium) {
                Ok(report) if !forged => go_on(&medium, Some(report.kept_until), forged),
                Ok(_) => _ = verify_on(&medium),
                Err(OpenError::Damaged(damage)) => panic!("{damage}"),
                Err(_) => {}
            }
        }
    }
}

/// Logs as they may be found: closed, killed, killed in the middle of a write, short.
fn logs() -> &'static [Files] {
    static LOGS: OnceLock<Vec<Files>> = OnceLock::new();
    LOGS.get_or_init(|| {
        let closed = SimulatedMedium::new();
        write(&closed, 1..=5);
        let killed = closed.crash(CrashPlan::KeepUnsynced);
        write(&killed, 6..=FRAMES);
        let one = SimulatedMedium::new();
        write(&one, 1..=1);
        let torn = killed.crash(CrashPlan::KeepUnsynced);
        tear(&torn);
        let found = [closed, killed, one, torn.crash(CrashPlan::Random(3))];
        found.iter().map(SimulatedMedium::files).collect()
    })
}

fn write(medium: &SimulatedMedium, lsns: std::ops::RangeInclusive<u64>) {
    let (mut journal, recovery) = open(medium).expect("a good log");
    assert!(recovery.frames.into_iter().all(|frame| frame.is_ok()));
    for lsn in lsns {
        store(&mut journal, lsn).expect("stored");
        if lsn == 5 {
            journal.snapshot(Lsn(lsn), SNAPSHOT.to_vec());
            assert!(matches!(wait(&mut journal), Completion::Snapshotted { .. }));
        }
    }
}

/// The power goes while frames are written.
fn tear(medium: &SimulatedMedium) {
    let (mut journal, _) = open(medium).expect("a good log");
    medium.cut_power_after(1);
    for lsn in FRAMES + 1..FRAMES + 3 {
        journal.commit(Frame { lsn: Lsn(lsn), chunks: vec![body(lsn)] });
    }
    while !matches!(wait(&mut journal), Completion::Failed(_)) {}
}

fn open(medium: &SimulatedMedium) -> Result<(EmbeddedJournal, Recovery), OpenError> {
    let mut options = Options::default();
    options.segment_size_bytes = 20 << 10;
    options.segments_spare_max = 1;
    open_on(Arc::new(medium.clone()), options, Arc::new(|| {}))
}

fn store(journal: &mut EmbeddedJournal, lsn: u64) -> Result<(), String> {
    journal.commit(Frame { lsn: Lsn(lsn), chunks: vec![body(lsn)] });
    match wait(journal) {
        Completion::Stored { lsn: stored, .. } if stored == Lsn(lsn) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn wait(journal: &mut EmbeddedJournal) -> Completion {
    loop {
        match journal.poll() {
            Some(completion) => return completion,
            None => std::thread::yield_now(),
        }
    }
}

/// The payload of a frame: none two alike, some of more than a page.
fn body(lsn: u64) -> Bytes {
    let len = lsn * 977 % 5000;
    (0..len).map(|at| (lsn * 31 + at * 5) as u8).collect()
}

/// One thing happens to a file.
fn happen(files: &mut Files, script: &mut Script<'_>, forged: bool) {
    let which = script.below(files.len().max(1));
    let Some(name) = files.keys().nth(which).cloned() else { return };
    let what = script.byte() % 9;
    if what == 7 {
        files.remove(&name);
        return;
    }
    let donor = files.values().nth(script.below(files.len())).cloned().unwrap_or_default();
    let Some(bytes) = files.get_mut(&name) else { return };
    if bytes.is_empty() {
        return;
    }
    // Frames begin at multiples of 64, most of them near the front.
    let mut place = || {
        let (unit, within) = (usize::from(script.int16()), usize::from(script.byte() % 64));
        (unit * HEADER_BYTES + within) % bytes.len()
    };
    let (at, from) = (place(), place());
    let len = (usize::from(script.byte()) + 1) * if what & 1 == 0 { 1 } else { HEADER_BYTES };
    let end = (at + len).min(bytes.len());
    match what {
        0..=2 => bytes[at] ^= 1 << (from % 8),
        3 => bytes[at..end].fill(0),
        4 | 5 => {
            let piece = donor.get(from..(from + end - at).min(donor.len())).unwrap_or_default();
            bytes[at..at + piece.len()].copy_from_slice(piece);
        }
        6 => bytes.truncate(at),
        _ if forged => {
            let at = at / HEADER_BYTES * HEADER_BYTES;
            let header = bytes.get_mut(at..at + HEADER_BYTES);
            header.into_iter().for_each(|header| forge(header, script));
        }
        _ => bytes.resize(bytes.len() + len, 0),
    }
}

/// Changes a number in a header and makes its checksum good again.
fn forge(header: &mut [u8], script: &mut Script<'_>) {
    let at = 4 + script.below(HEADER_BYTES - 8);
    let number = script.number().to_le_bytes();
    let len = (1 << (script.byte() % 4)).min(HEADER_BYTES - 4 - at);
    header[at..at + len].copy_from_slice(&number[..len]);
    let checksum = crc32c(&header[..HEADER_BYTES - 4]);
    header[HEADER_BYTES - 4..].copy_from_slice(&checksum.to_le_bytes());
}

/// By its definition: the harness does not trust the library that is under test.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |mut crc: u32, byte: &u8| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
        crc
    };
    !bytes.iter().fold(!0, step)
}

/// The log was found good up to `last`: it opens, says what was written, and takes frames.
fn go_on(medium: &SimulatedMedium, last: Option<Lsn>, forged: bool) {
    let (mut journal, recovery) = match open(medium) {
        Ok(opened) => opened,
        Err(refused) if forged => return drop(refused),
        Err(refused) => panic!("found good, and then {refused}"),
    };
    let read = collect(recovery, forged);
    if forged {
        // Numbers near the end of all numbers leave no room for another frame.
        return;
    }
    let found = read.expect("found good");
    assert_eq!(Some(found), last);
    store(&mut journal, found.0 + 1).expect("the log takes frames");
    drop(journal);
    assert_eq!(verify_on(medium).expect("still good"), found.next());
}

/// The last frame. Frames come in order and are what was written.
fn collect(recovery: Recovery, forged: bool) -> Result<Lsn, String> {
    let mut last = Lsn(0);
    if let Some((lsn, state)) = recovery.snapshot {
        assert!(forged || (lsn == Lsn(5) && state == SNAPSHOT), "a snapshot never written");
        last = lsn;
    }
    for frame in recovery.frames {
        let frame = frame.map_err(|failure| failure.reason)?;
        assert_eq!(frame.lsn, last.next(), "frames come in order");
        assert!(forged || frame.payload == body(frame.lsn.0), "a frame never written");
        last = frame.lsn;
    }
    Ok(last)
}
