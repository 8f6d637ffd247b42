//! `wharf bench`: how fast, how long, and whether everything came once and in order.

mod report;

use super::exit::{Code, Failure, Outcome};
use super::histogram::Histogram;
use super::link;
use super::tally::{Mark, Tally};
use super::target::{Resolved, Speak, Target};
use super::text::{Progress, grouped};
use clap::Args;
use report::Report;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wharf_client::{Client, Delivery, Message, Options, Receipt};

/// Time for the last messages to arrive.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);

/// Arguments of `wharf bench`.
#[derive(Args, Clone, Debug)]
pub(super) struct Bench {
    #[command(flatten)]
    target: Target,
    /// Connections that send.
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    producers: u32,
    /// Connections that receive; 0 leaves the messages where they are.
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    consumers: u32,
    /// Messages of each producer.
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    messages: u64,
    /// Size of a body.
    #[arg(long, value_name = "BYTES", default_value_t = 128)]
    size: usize,
    /// Messages of each producer that may wait to be stored.
    #[arg(long, value_name = "COUNT", default_value_t = 1024)]
    window: usize,
    /// Messages a second of each producer, sent on time whatever the answers; 0 is as fast as
    /// they come.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    rate: u64,
    /// Messages the broker may send ahead to a consumer.
    #[arg(long, value_name = "COUNT", default_value_t = 4096)]
    credit: u32,
    /// AMQP: send and receive settled, so that nothing is confirmed: at most once.
    #[arg(long)]
    presettled: bool,
    /// Address to use; a new one without it.
    #[arg(long)]
    address: Option<String>,
}

/// What all connections of a run share.
struct Run {
    bench: Bench,
    target: Resolved,
    address: String,
    began: Instant,
    seen: Mutex<Seen>,
}

/// What has been measured.
struct Seen {
    tally: Tally,
    stored: u64,
    failed: u64,
    confirmed: Histogram,
    delivered: Histogram,
    last_stored: Instant,
    last_delivered: Instant,
}

impl Bench {
    pub(super) fn run(self) -> Outcome {
        let target = self.target.resolve()?;
        if self.presettled && target.speak != Speak::Amqp {
            return Err(Failure::new(Code::Usage, "--presettled is for --protocol amqp"));
        }
        let timeout = self.target.timeout();
        link::run(timeout, async move {
            let random = u64::from_le_bytes(crate::entropy::bytes());
            let address = self.address.clone().unwrap_or_else(|| format!("bench/{random:016x}"));
            let began = Instant::now();
            let seen = Seen {
                tally: Tally::default(),
                stored: 0,
                failed: 0,
                confirmed: Histogram::new(),
                delivered: Histogram::new(),
                last_stored: began,
                last_delivered: began,
            };
            let run = Arc::new(Run { bench: self, target, address, began, seen: Mutex::new(seen) });
            run.perform().await
        })
    }
}

impl Run {
    async fn perform(self: Arc<Self>) -> Outcome {
        let mut clients = Vec::new();
        let mut consumers = JoinSet::new();
        for consumer in 0..self.bench.consumers {
            let client = link::connect(self.options()).await?;
            let receiver = client.receive(&[self.address.as_str()], self.bench.credit).await;
            let mut receiver = receiver.map_err(link::failure)?;
            let run = Arc::clone(&self);
            consumers.spawn(async move {
                while let Some(delivery) = receiver.recv().await {
                    run.delivered(consumer, &delivery);
                    delivery.ack();
                }
            });
            clients.push(client);
        }
        let mut producers = JoinSet::new();
        for producer in 0..self.bench.producers {
            producers.spawn(Arc::clone(&self).produce(producer));
        }
        let mut progress = Progress::new();
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        let outcome = loop {
            tokio::select! {
                ended = producers.join_next() => match ended {
                    None => break Ok(()),
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(failure))) => break Err(failure),
                    Some(Err(error)) => break Err(Failure::new(Code::Failed, error)),
                },
                _ = tick.tick() => progress.show(&self.progress()),
            }
        };
        // What has not come by then counts as lost.
        let deadline = Instant::now() + ARRIVAL_TIMEOUT;
        while outcome.is_ok() && !self.is_complete() && Instant::now() < deadline {
            tick.tick().await;
            progress.show(&self.progress());
        }
        progress.clear();
        end(&clients).await;
        consumers.abort_all();
        outcome?;
        self.report()
    }

    fn options(&self) -> Options {
        let mut options = link::options(&self.target);
        options.presettled = self.bench.presettled;
        options
    }

    async fn produce(self: Arc<Self>, producer: u32) -> Outcome {
        let client = link::connect(self.options()).await?;
        // Answers are awaited elsewhere, so that their time is theirs and not the next turn's.
        let (waiting, mut answers) = mpsc::channel(self.bench.window.max(1));
        let run = Arc::clone(&self);
        let confirming = tokio::spawn(async move {
            while let Some((begun, receipt)) = answers.recv().await {
                run.confirm(begun, receipt).await;
            }
        });
        let started = Instant::now();
        for number in 1..=self.bench.messages {
            let due = self.due(started, number);
            if let Some(due) = due {
                tokio::time::sleep_until(due.into()).await;
            }
            let Ok(place) = waiting.reserve().await else { break };
            // With a rate, waiting for our own turn is part of the latency.
            let begun = due.unwrap_or_else(Instant::now);
            let body = self.body(Mark { producer, number }, begun);
            let receipt = client.queue(Message::text(&self.address, body)).await;
            place.send((begun, receipt.map_err(link::failure)?));
        }
        drop(waiting);
        confirming.await.map_err(|error| Failure::new(Code::Failed, error))?;
        client.close().await.map_err(link::failure)
    }

    fn due(&self, started: Instant, number: u64) -> Option<Instant> {
        let share = number.checked_mul(1_000_000_000)?.checked_div(self.bench.rate)?;
        Some(started + Duration::from_nanos(share))
    }

    async fn confirm(&self, begun: Instant, receipt: Receipt) {
        let outcome = receipt.await;
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => {
                seen.stored += 1;
                seen.last_stored = now;
                seen.confirmed.record(now.duration_since(begun));
            }
            Err(_) => seen.failed += 1,
        }
    }

    /// The mark, when it was begun, and as much more as the size asks for.
    fn body(&self, mark: Mark, begun: Instant) -> String {
        let micros = begun.duration_since(self.began).as_micros();
        let mut body = format!("{mark} {micros} ");
        while body.len() < self.bench.size {
            body.push('x');
        }
        body
    }

    fn delivered(&self, consumer: u32, delivery: &Delivery) {
        let now = Instant::now();
        let parsed = std::str::from_utf8(delivery.body()).ok().and_then(Mark::split);
        let begun = parsed.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match (parsed, begun) {
            (Some((mark, _)), Some(micros)) => {
                let begun = self.began + Duration::from_micros(micros);
                seen.tally.receive(consumer, mark, delivery.may_be_repeated());
                seen.delivered.record(now.saturating_duration_since(begun));
                seen.last_delivered = now;
            }
            _ => seen.tally.foreign += 1,
        }
    }

    fn is_complete(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.bench.consumers == 0 || seen.tally.distinct() >= seen.stored
    }

    fn progress(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        format!("stored {}, received {}", grouped(seen.stored), grouped(seen.tally.received))
    }

    fn report(&self) -> Outcome {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let report = Report::new(&self.bench, &self.target, self.began, &seen);
        super::print(&report.text())?;
        report.verdict()
    }
}

/// Sessions are ended, not left behind; what the broker says to that is of no interest any more.
async fn end(clients: &[Client]) {
    for client in clients {
        let _ = client.close().await;
    }
}
