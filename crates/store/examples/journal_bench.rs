//! How fast the embedded journal is on this disk: messages, bytes and commits a second.
//!
//!     cargo run --release -p wharf-store --example journal_bench -- [DIRECTORY]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring tool"
)]

use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Thread;
use std::time::{Duration, Instant};
use wharf_broker::journal::{Completion, Extent, Frame, Journal, Lsn};
use wharf_store::{EmbeddedJournal, Options, open};

const MESSAGES_PER_FRAME: u64 = 256;
const FRAMES_IN_FLIGHT: u64 = 4;

fn main() {
    let directory = std::env::args()
        .nth(1)
        .map_or_else(|| std::env::temp_dir().join("wharf-journal-bench"), PathBuf::from);
    println!("directory {}", directory.display());
    raw_sync(&directory);
    for (message_bytes, frames) in [(16, 20_000), (1024, 6_000)] {
        append(&directory, message_bytes, frames);
    }
    latency(&directory, 64, 5_000);
    latency(&directory, 1024 * 256, 1_000);
    std::fs::remove_dir_all(&directory).unwrap();
}

/// The floor: one page and one fdatasync on a file of written zeros.
fn raw_sync(directory: &Path) {
    use std::os::unix::fs::FileExt;
    std::fs::create_dir_all(directory).unwrap();
    let file = std::fs::File::create(directory.join("raw")).unwrap();
    file.write_all_at(&vec![0; 16 << 20], 0).unwrap();
    file.sync_all().unwrap();
    let mut times = Vec::new();
    for round in 0..4_000 {
        let start = Instant::now();
        file.write_all_at(&[round as u8; 4096], round % 4096 * 4096).unwrap();
        file.sync_data().unwrap();
        times.push(start.elapsed());
    }
    println!("raw write of 4 KiB + fdatasync: {}", percentiles(&mut times));
    std::fs::remove_file(directory.join("raw")).unwrap();
}

fn fresh(directory: &Path) -> EmbeddedJournal {
    let _ = std::fs::remove_dir_all(directory);
    let driver = std::thread::current();
    let wake = move || Thread::unpark(&driver);
    open(directory, Options::default(), Arc::new(wake)).unwrap().0
}

fn stored(journal: &mut EmbeddedJournal) -> (Lsn, Extent) {
    loop {
        match journal.poll() {
            Some(Completion::Snapshotted { .. }) => {}
            Some(Completion::Stored { lsn, location }) => return (lsn, location.extent),
            Some(Completion::Failed(failure)) => panic!("{failure}"),
            Some(_) => {}
            None => std::thread::park(),
        }
    }
}

/// Steady state: segments are freed behind, as a queue that is consumed frees them.
fn append(directory: &Path, message_bytes: u64, frames: u64) {
    let mut journal = fresh(directory);
    let message = Bytes::from(vec![0x5a; message_bytes as usize]);
    let chunks = vec![message; MESSAGES_PER_FRAME as usize];
    let warm_up = frames / 3;
    let mut start = Instant::now();
    let mut written_before = bytes_written();
    let (mut sent, mut done) = (0, 0);
    let mut extents: Vec<Extent> = Vec::new();
    while done < warm_up + frames {
        while sent < warm_up + frames && sent - done < FRAMES_IN_FLIGHT {
            sent += 1;
            journal.commit(Frame { lsn: Lsn(sent), chunks: chunks.clone() });
        }
        let (lsn, extent) = stored(&mut journal);
        done = lsn.0;
        if extents.last() != Some(&extent) {
            extents.push(extent);
            if extents.len() > 2 {
                // Both are done in this order.
                journal.snapshot(lsn, Vec::new());
                journal.free(vec![extents.remove(0)]);
            }
        }
        if done == warm_up {
            start = Instant::now();
            written_before = bytes_written();
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let payload = (frames * MESSAGES_PER_FRAME * message_bytes) as f64;
    println!(
        "append {message_bytes} B x {MESSAGES_PER_FRAME} a frame, {FRAMES_IN_FLIGHT} in flight: \
         {:.0} k messages/s, {:.0} frames/s, {:.0} MB/s, write amplification {:.2}",
        (frames * MESSAGES_PER_FRAME) as f64 / seconds / 1e3,
        frames as f64 / seconds,
        payload / seconds / 1e6,
        (bytes_written() - written_before) as f64 / payload,
    );
    let reopening = Instant::now();
    drop(journal);
    let closed = reopening.elapsed();
    let (_journal, recovery) = open(directory, Options::default(), Arc::new(|| {}))
        .map(|(journal, recovery)| (journal, recovery.frames.map_while(Result::ok).count()))
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    println!(
        "  close {closed:?}, {recovery} frames read back, with opening, in {:?}",
        reopening.elapsed() - closed
    );
}

/// One frame at a time.
fn latency(directory: &Path, frame_bytes: usize, frames: u64) {
    let mut journal = fresh(directory);
    let payload = Bytes::from(vec![0x5a; frame_bytes]);
    let mut times = Vec::new();
    for lsn in 1..=frames {
        let start = Instant::now();
        journal.commit(Frame { lsn: Lsn(lsn), chunks: vec![payload.clone()] });
        stored(&mut journal);
        times.push(start.elapsed());
    }
    println!("commit of one {frame_bytes} B frame: {}", percentiles(&mut times));
}

fn percentiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000];
    format!("p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999))
}

/// What this process asked the kernel to write so far. The journal writes whole pages, so the
/// disk gets the same, and what the file system adds for itself. (`write_bytes` beside it counts
/// a whole large folio for every page dirtied in one.)
fn bytes_written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}
