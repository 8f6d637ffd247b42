//! One producer and one consumer at one queue, each on a connection and a thread of its own.

use crate::Failure;
use crate::histogram::Histogram;
use crate::process::Usage;
use crate::target::Target;
use crate::wire::{Buffer, LinkWish, Wire};
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wharf_amqp::codec::Composite;
use wharf_amqp::engine::{Event, LinkId, OutgoingDelivery, SessionId};
use wharf_amqp::messaging::{DeliveryState, Header, append_data_head};
use wharf_amqp::tag::Tag;

/// A sequence number and a time.
pub const SIZE_MIN_BYTES: usize = 16;
/// How long nothing may come while something is missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The broker.
    pub target: Target,
    /// The queue, which must be empty.
    pub address: String,
    /// Octets of a message's body.
    pub size: usize,
    /// Deliveries the producer has unsettled, and credit of the consumer.
    pub credit: u32,
    /// Both ways settled by the sender.
    pub settled: bool,
    /// Messages a second; `None` for as many as go.
    pub rate: Option<f64>,
    /// Before anything is counted.
    pub warm_up: Duration,
    /// How long is counted.
    pub duration: Duration,
    /// The producer ends after so many.
    pub count: u64,
    /// The process of the broker.
    pub pid: Option<u32>,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Settled to the producer in a second.
    pub rate_in: f64,
    /// Given to the consumer in a second.
    pub rate_out: f64,
    /// From the producer's encoder to the consumer's decoder, in nanoseconds.
    pub latency: Histogram,
    /// Processor time of the broker for a message, in microseconds.
    pub broker_us: Option<f64>,
    /// The same of this process.
    pub client_us: f64,
    /// Cores that the broker kept busy.
    pub broker_cores: Option<f64>,
    /// All that was sent over the whole run.
    pub sent: u64,
    /// Messages that never came.
    pub lost: u64,
    /// Messages that came again.
    pub duplicated: u64,
    /// Messages that came before one that was sent earlier.
    pub reordered: u64,
}

/// What the threads tell each other.
struct Shared {
    epoch: Instant,
    counting: AtomicBool,
    stop: AtomicBool,
    failed: AtomicBool,
    settled: AtomicU64,
    received: AtomicU64,
    /// `u64::MAX` until the producer is done.
    sent: AtomicU64,
}

impl Shared {
    fn nanos(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }
}

/// Counts when a thread ends too early.
struct Alarm<'a>(&'a Shared, bool);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.failed.fetch_or(self.1, Ordering::Relaxed);
    }
}

/// Runs it.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let shared = Shared {
        epoch: Instant::now(),
        counting: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        settled: AtomicU64::new(0),
        received: AtomicU64::new(0),
        sent: AtomicU64::new(u64::MAX),
    };
    let mut consumer = Consumer::attach(plan, &shared)?;
    let mut producer = Producer::attach(plan, &shared)?;
    thread::scope(|scope| {
        let consuming =
            thread::Builder::new().name("consumer".to_owned()).spawn_scoped(scope, || {
                let mut alarm = Alarm(&shared, true);
                let tally = consumer.run()?;
                alarm.1 = false;
                consumer.wire.close(&mut consumer.buffer)?;
                Ok::<_, Failure>(tally)
            })?;
        let producing =
            thread::Builder::new().name("producer".to_owned()).spawn_scoped(scope, || {
                let mut alarm = Alarm(&shared, true);
                producer.run()?;
                alarm.1 = false;
                producer.wire.close(&mut producer.buffer)
            })?;
        let measured = measure(plan, &shared);
        shared.stop.store(true, Ordering::Relaxed);
        producing.join().map_err(|_| "the producer panicked")??;
        let tally = consuming.join().map_err(|_| "the consumer panicked")??;
        let sent = shared.sent.load(Ordering::Relaxed);
        let mut report = measured?;
        report.latency = tally.latency;
        report.sent = sent;
        report.lost = sent - tally.distinct;
        report.duplicated = tally.duplicated;
        report.reordered = tally.reordered;
        Ok(report)
    })
}

/// Two looks at the counters, and what lies between.
fn measure(plan: &Plan, shared: &Shared) -> Result<Report, Failure> {
    let pause = |time: Duration| {
        let end = Instant::now() + time;
        while Instant::now() < end && !shared.failed.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20).min(end - Instant::now()));
        }
    };
    let look = || {
        let counts = [&shared.settled, &shared.received].map(|it| it.load(Ordering::Relaxed));
        let broker = plan.pid.map(Usage::of).transpose()?;
        Ok::<_, Failure>((Instant::now(), counts, broker, Usage::of(std::process::id())?))
    };
    pause(plan.warm_up);
    shared.counting.store(true, Ordering::Relaxed);
    let (began, before, broker_before, own_before) = look()?;
    pause(plan.duration);
    let (ended, after, broker_after, own_after) = look()?;
    shared.counting.store(false, Ordering::Relaxed);
    let seconds = (ended - began).as_secs_f64();
    let counted = [0, 1].map(|at: usize| (after[at] - before[at]) as f64);
    // A backlog costs half of a message that has come and not gone.
    let messages = (counted[0] + counted[1]) / 2.0;
    let per_message = |cpu_s: f64| cpu_s * 1e6 / messages;
    let broker_s = broker_before.zip(broker_after).map(|(a, b)| b.cpu_s - a.cpu_s);
    Ok(Report {
        rate_in: counted[0] / seconds,
        rate_out: counted[1] / seconds,
        latency: Histogram::default(),
        broker_us: broker_s.map(per_message),
        client_us: per_message(own_after.cpu_s - own_before.cpu_s),
        broker_cores: broker_s.map(|cpu_s| cpu_s / seconds),
        sent: 0,
        lost: 0,
        duplicated: 0,
        reordered: 0,
    })
}

struct Producer<'a> {
    plan: &'a Plan,
    shared: &'a Shared,
    wire: Wire,
    buffer: Buffer,
    link: LinkId,
    head: Bytes,
    filler: Bytes,
    arena: BytesMut,
    sent: u64,
    unsettled: u32,
}

impl<'a> Producer<'a> {
    fn attach(plan: &'a Plan, shared: &'a Shared) -> Result<Self, Failure> {
        let mut buffer = Buffer::default();
        let (mut wire, session) = Wire::connect(&plan.target, "load-producer", &mut buffer)?;
        let wish = LinkWish {
            name: "producer",
            address: &plan.address,
            sends: true,
            settled: plan.settled,
            properties: Vec::new(),
        };
        let link = wire.attach(session, &wish, &mut buffer)?;
        let mut head = Vec::new();
        Header { durable: true, ..Header::default() }.encode(&mut head);
        append_data_head(&mut head, plan.size);
        Ok(Self {
            plan,
            shared,
            wire,
            buffer,
            link,
            head: Bytes::from(head),
            filler: Bytes::from(vec![0x5a; plan.size - SIZE_MIN_BYTES]),
            arena: BytesMut::new(),
            sent: 0,
            unsettled: 0,
        })
    }

    fn run(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut last_word = Instant::now();
        loop {
            let stopping = self.shared.stop.load(Ordering::Relaxed) || self.sent >= self.plan.count;
            if stopping && self.unsettled == 0 {
                self.shared.sent.store(self.sent, Ordering::Relaxed);
                return Ok(());
            }
            let due = match self.plan.rate {
                _ if stopping => None,
                None => {
                    self.send_as_many_as_go()?;
                    None
                }
                Some(rate) => self.send_what_is_due(began, rate)?,
            };
            self.wire.flush()?;
            // Those sent settled are done when they are written.
            let settled = self.settle(false)?;
            if settled > 0 {
                last_word = Instant::now();
                continue;
            }
            if let Some(due) = due
                && !self.wire.wait(due)?
            {
                continue;
            }
            if self.settle(true)? > 0 {
                last_word = Instant::now();
            } else if self.unsettled > 0 && last_word.elapsed() > PATIENCE {
                return Err(format!("{} deliveries stay unsettled", self.unsettled).into());
            }
            if self.shared.failed.load(Ordering::Relaxed) {
                return Err("the consumer has failed".into());
            }
        }
    }

    fn send_as_many_as_go(&mut self) -> Result<(), Failure> {
        let stamp = self.shared.nanos();
        while self.unsettled < self.plan.credit && self.sent < self.plan.count {
            self.deliver(stamp)?;
        }
        Ok(())
    }

    /// Sends what its time has come for; tells when the next is due. What had to wait for credit
    /// counts from when it was due.
    fn send_what_is_due(&mut self, began: Instant, rate: f64) -> Result<Option<Instant>, Failure> {
        loop {
            let due = began + Duration::from_secs_f64(self.sent as f64 / rate);
            let now = Instant::now();
            if due > now {
                return Ok(Some(due));
            }
            if self.unsettled >= self.plan.credit {
                return Ok(None);
            }
            let waited = now.duration_since(due);
            let late = if waited > Duration::from_millis(1) { waited } else { Duration::ZERO };
            self.deliver(self.shared.nanos() - late.as_nanos() as u64)?;
        }
    }

    fn deliver(&mut self, stamp: u64) -> Result<(), Failure> {
        self.arena.reserve(self.head.len() + SIZE_MIN_BYTES);
        self.arena.put_slice(&self.head);
        self.arena.put_u64(self.sent);
        self.arena.put_u64(stamp);
        let delivery = OutgoingDelivery {
            cookie: self.sent,
            tag: Tag::from(self.sent as u32),
            message_format: 0,
            settled: self.plan.settled,
            payload: [self.arena.split().freeze(), self.filler.clone()],
        };
        self.wire.engine.deliver(self.link, delivery)?;
        self.sent += 1;
        self.unsettled += 1;
        Ok(())
    }

    /// What is settled now, with what one read brings or without a read.
    fn settle(&mut self, read: bool) -> Result<u32, Failure> {
        let mut settled = 0;
        let on_event = |_: &mut _, event: Event<'_>| {
            match event {
                Event::Outcome(outcome) if outcome.state == Some(DeliveryState::Accepted) => {
                    settled += u32::try_from(outcome.last - outcome.first)? + 1;
                }
                Event::Credit(..) => {}
                other => return Err(format!("producer: {other:?}").into()),
            }
            Ok(())
        };
        if read {
            self.wire.read(&mut self.buffer, on_event)?;
        } else {
            self.wire.events(on_event)?;
        }
        self.unsettled -= settled;
        self.shared.settled.fetch_add(u64::from(settled), Ordering::Relaxed);
        Ok(settled)
    }
}

/// What the consumer has seen.
#[derive(Default)]
struct Tally {
    latency: Histogram,
    /// The next sequence number, if nothing is lost.
    next: u64,
    /// Numbers below `next` that have not come.
    missing: std::collections::BTreeSet<u64>,
    distinct: u64,
    duplicated: u64,
    reordered: u64,
}

impl Tally {
    fn count(&mut self, seq: u64) {
        if seq == self.next {
            self.next += 1;
        } else if seq > self.next {
            self.missing.extend(self.next..seq);
            self.next = seq + 1;
        } else if self.missing.remove(&seq) {
            self.reordered += 1;
        } else {
            self.duplicated += 1;
            return;
        }
        self.distinct += 1;
    }
}

struct Consumer<'a> {
    plan: &'a Plan,
    shared: &'a Shared,
    wire: Wire,
    buffer: Buffer,
    session: SessionId,
    link: LinkId,
}

impl<'a> Consumer<'a> {
    fn attach(plan: &'a Plan, shared: &'a Shared) -> Result<Self, Failure> {
        let mut buffer = Buffer::default();
        let (mut wire, session) = Wire::connect(&plan.target, "load-consumer", &mut buffer)?;
        let wish = LinkWish {
            name: "consumer",
            address: &plan.address,
            sends: false,
            settled: plan.settled,
            properties: Vec::new(),
        };
        let link = wire.attach(session, &wish, &mut buffer)?;
        wire.engine.grant(link, plan.credit, false)?;
        wire.flush()?;
        Ok(Self { plan, shared, wire, buffer, session, link })
    }

    fn run(&mut self) -> Result<Tally, Failure> {
        let (session, link, size, credit) =
            (self.session, self.link, self.plan.size, self.plan.credit);
        let settle_at = (credit / 4).max(1);
        let mut tally = Tally::default();
        // The deliveries received and not settled: the first, the last, and how many.
        let mut open: Option<(u32, u32, u32)> = None;
        let mut last_word = Instant::now();
        loop {
            let counting = self.shared.counting.load(Ordering::Relaxed);
            let mut now = None;
            let mut came = 0;
            self.wire.read(&mut self.buffer, |engine, event| {
                let Event::Transferred(transferred) = event else {
                    return match event {
                        Event::Credit(..) => Ok(()),
                        other => Err(format!("consumer: {other:?}").into()),
                    };
                };
                let payload = &transferred.payload;
                let body = payload.len().checked_sub(size).and_then(|at| payload.get(at..));
                let Some((seq, rest)) = body.and_then(|body| body.split_first_chunk()) else {
                    return Err("a message is too short".into());
                };
                let stamp = u64::from_be_bytes(*rest.first_chunk().ok_or("too short")?);
                tally.count(u64::from_be_bytes(*seq));
                if counting {
                    let now = *now.get_or_insert_with(|| self.shared.nanos());
                    tally.latency.add(now.saturating_sub(stamp));
                }
                came += 1;
                if transferred.settled {
                    return Ok(());
                }
                let id = transferred.delivery_id;
                let (first, _, count) = open.take().unwrap_or((id, id, 0));
                open = Some((first, id, count + 1));
                if count + 1 >= settle_at {
                    engine.dispose(session, first, id, true, DeliveryState::Accepted)?;
                    open = None;
                }
                Ok(())
            })?;
            if came > 0 {
                self.shared.received.fetch_add(came, Ordering::Relaxed);
                last_word = Instant::now();
            }
            if self.wire.engine.credit(link) <= credit / 2 {
                self.wire.engine.grant(link, credit, false)?;
            }
            let sent = self.shared.sent.load(Ordering::Relaxed);
            let done = tally.distinct >= sent;
            // Someone who waits for more is not kept waiting for the rest.
            if (came == 0 || done)
                && let Some((first, last, _)) = open.take()
            {
                self.wire.engine.dispose(session, first, last, true, DeliveryState::Accepted)?;
            }
            self.wire.flush()?;
            let patient = last_word.elapsed() < PATIENCE;
            if done || (!patient && sent < u64::MAX) {
                return Ok(tally);
            }
            if self.shared.failed.load(Ordering::Relaxed) {
                return Err("the producer has failed".into());
            }
        }
    }
}
