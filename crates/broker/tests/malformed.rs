//! Journals that no shard wrote: recovery refuses them at once, or is done at once. Checksums
//! stand before this, so it takes another program, or a bug, to get here.

use bytes::Bytes;
use wharf_broker::journal::{Extent, Location, Lsn, RecoveredFrame, Recovery};
use wharf_broker::{Config, RecoverError, Shard, Timestamp};

/// Numbers and strings as records have them.
fn encode(parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        match part {
            Number(number) => put(&mut out, *number),
            Text(text) => {
                put(&mut out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
    out
}

#[derive(Clone)]
enum Part {
    Number(u64),
    Text(&'static str),
}
use Part::{Number, Text};

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    out.push(number as u8);
}

fn numbers(numbers: &[u64]) -> Vec<Part> {
    numbers.iter().copied().map(Number).collect()
}

/// A snapshot after frame 1: version, no places, counters, no users, one address `q` of host `h`
/// with one message of two bytes.
fn head() -> Vec<Part> {
    let mut parts = numbers(&[1, 0, 0, 1, 1, 1, 0, 1, 1]);
    parts.extend([Text("h"), Text("q")]);
    parts.extend(numbers(&[0, 0, 0, 1, 1, 0, 2, 17, 0]));
    parts
}

/// Queue 1 of address 1, whose message was dispatched as `entry` and came back.
fn queue(fresh_from: u64, entry: u64) -> Vec<Part> {
    numbers(&[1, 1, 1, 0, 0, 0, fresh_from, 1, entry, 0, 0, 0, 0, 0])
}

fn recover(parts: &[Part], frame: Option<&[Part]>) -> Result<Shard, RecoverError> {
    let frame = frame.map(|frame| {
        let location = Location { extent: Extent(1), position: 0 };
        let payload = Bytes::from(encode(frame));
        Ok(RecoveredFrame { lsn: Lsn(2), location, payload })
    });
    let snapshot = Some((Lsn(1), encode(parts)));
    let recovery = Recovery { snapshot, frames: Box::new(frame.into_iter()) };
    Shard::recover(Config::default(), recovery, Timestamp(1_000))
}

fn refusal(parts: &[Part]) -> String {
    recover(parts, None).expect_err("refused").to_string()
}

#[test]
fn dispatched_entries_are_older_than_fresh_ones() {
    let snapshot = |fresh_from, entry| [head(), queue(fresh_from, entry), numbers(&[0])].concat();
    // However far apart: what is settled takes no room.
    for (fresh_from, entry) in [(9, 7), (u64::MAX, 0)] {
        let shard = recover(&snapshot(fresh_from, entry), None).expect("a good snapshot");
        assert_eq!(shard.statistics().messages, 1);
    }
    assert!(refusal(&snapshot(9, 9)).contains("malformed entry"));
    assert!(refusal(&snapshot(9, u64::MAX)).contains("malformed entry"));
}

#[test]
fn settling_from_the_first_delivery_on_takes_no_longer_for_an_old_session() {
    // A session that settled 2^60 deliveries, and a frame that settles all of them once more.
    let mut session = numbers(&[1, 1]);
    session.extend([Text("h"), Text("alice"), Number(0), Text("s")]);
    session.extend(numbers(&[1, 1, 0, 1 << 60, 0, 0]));
    let snapshot = [head(), queue(9, 7), session].concat();
    for settle in [numbers(&[13, 1, 0, u64::MAX]), numbers(&[14, 1, 0, u64::MAX, 1, 0])] {
        recover(&snapshot, Some(&settle)).expect("settled");
    }
}
