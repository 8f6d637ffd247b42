//! Many sessions: what idle ones cost, and how fast they come.

use crate::Failure;
use crate::process::Usage;
use crate::target::Target;
use crate::wire::{Buffer, Wire};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wharf_xmpp::client::{Connection, Event};

/// Time for a server to be done with what it was asked.
const SETTLE: Duration = Duration::from_secs(3);

const ROSTER: &str = "<iq xmlns='jabber:client' type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";
const AVAILABLE: &str = "<presence xmlns='jabber:client'/>";

/// What a crowd cost.
#[derive(Debug)]
pub struct Report {
    /// From the first connection to the last answer, in seconds.
    pub seconds: f64,
    /// Growth of the server's memory for each session, in octets.
    pub each_bytes: f64,
    /// Processor time of the server for each session, in milliseconds.
    pub each_ms: f64,
    /// The server's memory before and after, in octets.
    pub resident_bytes: [u64; 2],
}

/// Logs in so many accounts, all of which stay; each says that it is there, after its roster.
pub fn gather(
    target: &Target,
    sessions: usize,
    threads: usize,
    roster: bool,
    pid: u32,
) -> Result<Report, Failure> {
    // What is made once, at the first login, is not of the sessions.
    let first = Wire::connect(target, sessions, "first", &mut Buffer::default())?;
    thread::sleep(SETTLE);
    let before = Usage::of(pid)?;
    let began = Instant::now();
    let mut wires = each(sessions, threads, |number, buffer| {
        let mut wire = Wire::connect(target, number, "crowd", buffer)?;
        if roster {
            wire.say(ROSTER)?;
            await_answer(&mut wire, buffer)?;
        }
        wire.say(AVAILABLE)?;
        wire.flush()?;
        Ok(wire)
    })?;
    let seconds = began.elapsed().as_secs_f64();
    thread::sleep(SETTLE);
    acknowledge(&mut wires)?;
    thread::sleep(SETTLE);
    let after = Usage::of(pid)?;
    let grown = after.resident_bytes.saturating_sub(before.resident_bytes);
    drop((first, wires));
    Ok(Report {
        seconds,
        each_bytes: grown as f64 / sessions as f64,
        each_ms: (after.cpu_s - before.cpu_s) * 1e3 / sessions as f64,
        resident_bytes: [before.resident_bytes, after.resident_bytes],
    })
}

/// Reads what has come to each, and acknowledges it if the server has asked.
fn acknowledge(wires: &mut [Wire]) -> Result<(), Failure> {
    let mut buffer = Buffer::default();
    for wire in wires {
        wire.unblock()?;
        while wire.read(&mut buffer, take)? {}
        wire.flush()?;
    }
    Ok(())
}

/// Takes whatever comes.
fn take(engine: &mut Connection, event: Event<'_>) -> Result<(), Failure> {
    match event {
        Event::Stanza(stanza) => Ok(engine.acknowledge(stanza.seq.unwrap_or_default())?),
        Event::Closed(closed) => Err(format!("{closed:?}").into()),
        _ => Ok(()),
    }
}

/// Gives each of so many accounts its contacts: those before and behind it, half each. First
/// everybody asks, then everybody grants.
pub fn befriend(
    target: &Target,
    accounts: usize,
    contacts: usize,
    threads: usize,
) -> Result<(), Failure> {
    for what in ["subscribe", "subscribed"] {
        each(accounts, threads, |number, buffer| {
            let mut wire = Wire::connect(target, number, "friend", buffer)?;
            for step in (1..=contacts / 2).flat_map(|step| [step, accounts - step]) {
                let jid = target.jid((number + step) % accounts);
                wire.say(&format!("<presence xmlns='jabber:client' to='{jid}' type='{what}'/>"))?;
            }
            // The answer comes after all of that was done.
            wire.say(ROSTER)?;
            await_answer(&mut wire, buffer)?;
            wire.engine.close(None)?;
            wire.flush()?;
            Ok(())
        })?;
    }
    Ok(())
}

fn await_answer(wire: &mut Wire, buffer: &mut Buffer) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut answered = false;
    while !answered {
        if Instant::now() > deadline {
            return Err("no answer to a request".into());
        }
        wire.flush()?;
        wire.read(buffer, |engine, event| {
            if let Event::Stanza(stanza) = &event {
                answered |= stanza.stanza.id().as_deref() == Some("roster");
            }
            take(engine, event)
        })?;
    }
    Ok(())
}

/// Does something for each number, on so many threads.
fn each<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize, &mut Buffer) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut buffer = Buffer::default();
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(done);
            }
            done.push(work(number, &mut buffer).map_err(|error| format!("{number}: {error}"))?);
        }
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut all = Vec::new();
        for thread in running {
            let done: Result<Vec<T>, Failure> = thread.join().map_err(|_| "a thread panicked")?;
            all.extend(done?);
        }
        Ok(all)
    })
}
