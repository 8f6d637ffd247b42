//! What a benchmark prints.

use super::{Bench, Seen};
use crate::cli::exit::{Code, Failure, Outcome};
use crate::cli::histogram::Histogram;
use crate::cli::text::{grouped, short};
use std::time::{Duration, Instant};

/// One finished run.
pub(super) struct Report<'a> {
    bench: &'a Bench,
    url: &'a str,
    seen: &'a Seen,
    storing: Duration,
    delivering: Duration,
    lost: u64,
}

impl<'a> Report<'a> {
    pub(super) fn new(bench: &'a Bench, url: &'a str, began: Instant, seen: &'a Seen) -> Self {
        let sent = if bench.consumers > 0 { seen.stored } else { 0 };
        Self {
            bench,
            url,
            seen,
            storing: seen.last_stored.duration_since(began),
            delivering: seen.last_delivered.duration_since(began),
            lost: seen.tally.lost(sent),
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
        text += &format!(
            "lost {}, duplicated {}, reordered {}, unconfirmed {}\nagain: {}\n",
            self.lost,
            seen.tally.duplicated,
            seen.tally.reordered,
            seen.failed,
            self.command_line(),
        );
        text
    }

    /// How to do the same again; without the address, which is a new one each time.
    fn command_line(&self) -> String {
        let Bench { producers, consumers, messages, size, window, rate, credit, .. } = self.bench;
        format!(
            "wharf bench --url {} --producers {producers} --consumers {consumers} --messages \
             {messages} --size {size} --window {window} --rate {rate} --credit {credit}",
            self.url
        )
    }

    /// Whether everything came once and in order.
    pub(super) fn verdict(&self) -> Outcome {
        let tally = &self.seen.tally;
        if self.lost + tally.duplicated + tally.reordered + self.seen.failed == 0 {
            return Ok(());
        }
        Err(Failure::new(Code::Failed, "not everything came once and in order"))
    }
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
