//! Pairs that talk: one of each sends, the other receives, all of them on one thread.

use crate::Failure;
use crate::histogram::Histogram;
use crate::process::Usage;
use crate::target::Target;
use crate::wire::{Buffer, Wire};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};
use wharf_xmpp::client::Event;
use wharf_xmpp::stanza::Kind;

/// How long nothing may come while something is missing.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub target: Target,
    /// How many pairs: accounts 0 and 1, 2 and 3, and so on.
    pub pairs: usize,
    /// Messages of a pair that may be under way.
    pub window: u64,
    /// Octets of a message's body.
    pub size: usize,
    /// Before anything is counted.
    pub warm_up: Duration,
    /// How long is counted.
    pub duration: Duration,
    /// The process of the server.
    pub pid: Option<u32>,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Messages received in a second.
    pub rate: f64,
    /// From the sender's engine to the receiver's, in nanoseconds.
    pub latency: Histogram,
    /// Processor time of the server for a message, in microseconds.
    pub server_us: Option<f64>,
    /// The same of this process.
    pub client_us: f64,
    /// All that was sent.
    pub sent: u64,
    /// Messages that never came, came again, or came before one that was sent earlier.
    pub faults: u64,
}

struct Pair {
    from: Wire,
    to: Wire,
    jid: String,
    sent: u64,
    received: u64,
    faults: u64,
}

struct Run {
    pairs: Vec<Pair>,
    buffer: Buffer,
    epoch: Instant,
    filler: String,
    /// Tells the messages of this run from what an earlier one has left.
    nonce: u64,
    latency: Histogram,
    counting: bool,
}

/// Runs it.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let mut run = Run::connect(plan)?;
    run.go_on(plan, Instant::now() + plan.warm_up)?;
    let look = |run: &Run| {
        let received: u64 = run.pairs.iter().map(|pair| pair.received).sum();
        let server = plan.pid.map(Usage::of).transpose()?;
        Ok::<_, Failure>((Instant::now(), received, server, Usage::of(std::process::id())?))
    };
    let (began, before, server_before, own_before) = look(&run)?;
    run.counting = true;
    run.go_on(plan, Instant::now() + plan.duration)?;
    run.counting = false;
    let (ended, after, server_after, own_after) = look(&run)?;
    run.finish()?;
    let messages = (after - before) as f64;
    let per_message = |cpu_s: f64| cpu_s * 1e6 / messages;
    let server_s = server_before.zip(server_after).map(|(a, b)| b.cpu_s - a.cpu_s);
    Ok(Report {
        rate: messages / (ended - began).as_secs_f64(),
        latency: std::mem::take(&mut run.latency),
        server_us: server_s.map(per_message),
        client_us: per_message(own_after.cpu_s - own_before.cpu_s),
        sent: run.pairs.iter().map(|pair| pair.sent).sum(),
        faults: run.pairs.iter().map(|pair| pair.faults + pair.sent.abs_diff(pair.received)).sum(),
    })
}

impl Run {
    fn connect(plan: &Plan) -> Result<Self, Failure> {
        let mut buffer = Buffer::default();
        let mut pairs = Vec::new();
        for number in 0..plan.pairs {
            let mut wire = |number: usize| {
                let mut wire = Wire::connect(&plan.target, number, "load", &mut buffer)?;
                wire.say("<presence xmlns='jabber:client'/>")?;
                wire.flush()?;
                wire.unblock()?;
                Ok::<_, Failure>(wire)
            };
            let (from, to) = (wire(2 * number)?, wire(2 * number + 1)?);
            let jid = format!("{}/load", plan.target.jid(2 * number + 1));
            pairs.push(Pair { from, to, jid, sent: 0, received: 0, faults: 0 });
        }
        Ok(Self {
            pairs,
            buffer,
            epoch: Instant::now(),
            filler: "x".repeat(plan.size),
            nonce: SystemTime::UNIX_EPOCH.elapsed()?.as_micros() as u64 % 1_000_000,
            latency: Histogram::default(),
            counting: false,
        })
    }

    /// Sends as much as the windows allow, until then.
    fn go_on(&mut self, plan: &Plan, until: Instant) -> Result<(), Failure> {
        while Instant::now() < until {
            self.send(plan)?;
            self.receive(Duration::from_millis(50))?;
        }
        Ok(())
    }

    /// Waits for what is under way.
    fn finish(&mut self) -> Result<(), Failure> {
        let mut last = Instant::now();
        while self.pairs.iter().any(|pair| pair.received < pair.sent) && last.elapsed() < PATIENCE {
            if self.receive(Duration::from_millis(50))? {
                last = Instant::now();
            }
        }
        for wire in self.pairs.iter_mut().flat_map(|pair| [&mut pair.from, &mut pair.to]) {
            wire.engine.close(None)?;
            wire.flush()?;
        }
        Ok(())
    }

    fn send(&mut self, plan: &Plan) -> Result<(), Failure> {
        let stamp = self.epoch.elapsed().as_nanos() as u64;
        let mut stanza = String::new();
        for pair in &mut self.pairs {
            while pair.sent.saturating_sub(pair.received) < plan.window {
                stanza.clear();
                // Number and time, and what makes it as long as it is to be.
                let mut body = format!("{} {} {stamp} ", self.nonce, pair.sent);
                let left = plan.size.saturating_sub(body.len());
                body.push_str(&self.filler[..left]);
                let id = pair.sent;
                write!(
                    stanza,
                    "<message xmlns='jabber:client' to='{}' type='chat' id='m{id}'><body>{body}</body></message>",
                    pair.jid
                )?;
                pair.from.say(&stanza)?;
                pair.sent += 1;
            }
            pair.from.flush()?;
        }
        Ok(())
    }

    /// Reads what has come. False: nothing.
    fn receive(&mut self, patience: Duration) -> Result<bool, Failure> {
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(2 * self.pairs.len());
        for pair in &self.pairs {
            fds.push(PollFd::new(&pair.from.stream, PollFlags::IN));
            fds.push(PollFd::new(&pair.to.stream, PollFlags::IN));
        }
        let timeout = Timespec::try_from(patience)?;
        poll(&mut fds, Some(&timeout))?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let mut came = false;
        for (at, _) in ready.iter().enumerate().filter(|(_, ready)| **ready) {
            let pair = &mut self.pairs[at / 2];
            let Pair { from, to, received, faults, .. } = pair;
            let wire = if at % 2 == 0 { from } else { to };
            let now = self.epoch.elapsed().as_nanos() as u64;
            let (latency, counting, nonce) = (&mut self.latency, self.counting, self.nonce);
            wire.read(&mut self.buffer, |engine, event| {
                let Event::Stanza(stanza) = event else {
                    return match event {
                        Event::Closed(closed) => Err(format!("{closed:?}").into()),
                        _ => Ok(()),
                    };
                };
                engine.acknowledge(stanza.seq.unwrap_or_default())?;
                if at % 2 == 0 || stanza.stanza.kind() != Kind::Message {
                    return Ok(());
                }
                let raw = stanza.stanza.raw();
                let body = raw.split_once("<body>").ok_or_else(|| format!("what is {raw}?"))?.1;
                let mut words = body.split(' ');
                let mut next = || words.next().and_then(|word| word.parse::<u64>().ok());
                let (of_run, numbers) = (next(), next().zip(next()));
                if of_run != Some(nonce) {
                    return Ok(());
                }
                let (seq, stamp) = numbers.ok_or("no number")?;
                *faults += u64::from(seq != *received);
                *received += 1;
                if counting {
                    latency.add(now.saturating_sub(stamp));
                }
                came = true;
                Ok(())
            })?;
            wire.flush()?;
        }
        Ok(came)
    }
}
