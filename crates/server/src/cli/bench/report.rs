//! What a benchmark prints.

use super::{Bench, Seen};
use crate::cli::exit::{Code, Failure, Outcome};
use crate::cli::histogram::Histogram;
use crate::cli::target::{Resolved, Speak};
use crate::cli::text::{grouped, short};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// One finished run.
pub(super) struct Report<'a> {
    bench: &'a Bench,
    target: &'a Resolved,
    seen: &'a Seen,
    storing: Duration,
    delivering: Duration,
    lost: u64,
    /// Processor time of this process.
    processor: Duration,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        bench: &'a Bench,
        target: &'a Resolved,
        began: Instant,
        seen: &'a Seen,
    ) -> Self {
        let sent = if bench.consumers > 0 { seen.stored } else { 0 };
        Self {
            bench,
            target,
            seen,
            storing: seen.last_stored.duration_since(began),
            delivering: seen.last_delivered.duration_since(began),
            lost: seen.tally.lost(sent),
            processor: processor_time(),
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { bench, seen, .. } = self;
        let size = bench.size;
        let mut text = format!(
            "stored     {} messages of {size} B in {}: {}\n           {}\n",
            grouped(seen.stored),
            short(self.storing),
            speed(seen.stored, size, self.storing),
            latency(&seen.confirmed),
        );
        if bench.consumers > 0 {
            text += &format!(
                "received   {} messages in {}: {}\n           {}\n",
                grouped(seen.tally.received),
                short(self.delivering),
                speed(seen.tally.received, size, self.delivering),
                latency(&seen.delivered),
            );
        }
        let each = self.processor.as_secs_f64() * 1e6 / seen.stored.max(1) as f64;
        text += &format!(
            "client     {} of processor time, {each:.2} us for each message\n\
             lost {}, duplicated {}, reordered {}, unconfirmed {}",
            short(self.processor),
            self.lost,
            seen.tally.duplicated(),
            seen.tally.reordered,
            seen.failed,
        );
        if self.target.speak == Speak::Amqp {
            text += &format!(", repeated and marked so {}", seen.tally.repeated());
        }
        text + &format!("\nagain: {}\n", self.command_line())
    }

    /// How to do the same again; without the address, which is a new one each time.
    fn command_line(&self) -> String {
        let Bench { producers, consumers, messages, size, window, rate, credit, .. } = self.bench;
        let presettled = if self.bench.presettled { " --presettled" } else { "" };
        format!(
            "wharf bench --url {} --protocol {} --producers {producers} --consumers {consumers} \
             --messages {messages} --size {size} --window {window} --rate {rate} --credit \
             {credit}{presettled}",
            self.target.url, self.target.speak
        )
    }

    /// Whether everything came once and in order.
    pub(super) fn verdict(&self) -> Outcome {
        let tally = &self.seen.tally;
        if self.lost + tally.duplicated() + tally.reordered + self.seen.failed == 0 {
            return Ok(());
        }
        Err(Failure::new(Code::Failed, "not everything came once and in order"))
    }
}

/// The processor time this process has taken.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn speed(count: u64, size: usize, within: Duration) -> String {
    let seconds = within.as_secs_f64().max(1e-9);
    let each = count as f64 / seconds;
    format!("{} msg/s, {:.1} MB/s", grouped(each as u64), each * size as f64 / 1e6)
}

fn latency(histogram: &Histogram) -> String {
    let at = |share| short(histogram.quantile(share));
    format!("p50 {}, p99 {}, p99.9 {}", at(0.5), at(0.99), at(0.999))
}
