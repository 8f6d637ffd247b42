//! `wharf receive`: messages of an address to stdout, one a line.

use super::exit::{Code, Failure, Outcome};
use super::link;
use super::target::Target;
use clap::Args;
use std::io::{ErrorKind, Write};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use wharf_client::Receiver;

/// Without `--follow` and `-n`: after so long without a message, the address counts as empty.
const QUIET: Duration = Duration::from_secs(1);

/// Arguments of `wharf receive`.
#[derive(Args, Debug)]
pub(super) struct Receive {
    /// Where from.
    address: String,
    #[command(flatten)]
    target: Target,
    /// Wait for so many messages, then end.
    #[arg(short = 'n', value_name = "COUNT")]
    count: Option<u64>,
    /// Go on for ever. Without it, and without -n: end when nothing more comes.
    #[arg(long, visible_alias = "tail", conflicts_with = "count")]
    follow: bool,
    /// Messages the broker may send ahead.
    #[arg(long, value_name = "COUNT", default_value_t = 256)]
    credit: u32,
}

impl Receive {
    pub(super) fn run(self) -> Outcome {
        let target = self.target.resolve()?;
        link::run(None, async {
            let deadline = self.target.timeout().map(|timeout| Instant::now() + timeout);
            // From the start: a signal that comes before its handler would end us as it likes.
            let mut interrupted =
                Interrupted::listen().map_err(|e| Failure::new(Code::Failed, e))?;
            let client = link::connect(link::options(&target)).await?;
            // Not more than is wanted: what is sent ahead is not with other consumers.
            let wanted = self.count.and_then(|count| u32::try_from(count).ok());
            let credit = self.credit.min(wanted.unwrap_or(u32::MAX)).max(1);
            let receiver = client.receive(&[self.address.as_str()], credit).await;
            let mut receiver = receiver.map_err(link::failure)?;
            let outcome = tokio::select! {
                outcome = self.print_all(&mut receiver) => outcome,
                () = interrupted.wait() => Ok(Ended::Enough),
                () = at(deadline) => Err(Failure::new(Code::Timeout, "it took too long")),
            };
            // However it ended: acknowledgements go out, and what was sent ahead goes back to its
            // address. A session left behind would keep it for its retention.
            client.close().await.map_err(link::failure)?;
            match outcome? {
                Ended::Enough => Ok(()),
                Ended::Empty => Err(Failure::new(Code::NotFound, "nothing there")),
            }
        })
    }

    async fn print_all(&self, receiver: &mut Receiver) -> Result<Ended, Failure> {
        let mut received = 0;
        while self.count.is_none_or(|count| received < count) {
            let quiet = !self.follow && self.count.is_none();
            let quiet = quiet.then(|| Instant::now() + QUIET);
            let next = tokio::select! {
                next = receiver.recv() => next,
                () = at(quiet) => {
                    return Ok(if received > 0 { Ended::Enough } else { Ended::Empty });
                }
            };
            let delivery =
                next.ok_or_else(|| Failure::new(Code::Unavailable, "the broker is gone"))?;
            match print(delivery.body()) {
                Ok(()) => {}
                // Who reads us has had enough: this message is not acknowledged.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Ended::Enough),
                Err(error) => return Err(Failure::new(Code::Failed, format!("stdout: {error}"))),
            }
            // Only what is written is acknowledged.
            delivery.ack();
            received += 1;
        }
        Ok(Ended::Enough)
    }
}

/// How receiving ended, when nothing went wrong.
enum Ended {
    Enough,
    Empty,
}

/// At this time; without one, never.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// The user has had enough.
struct Interrupted {
    terminate: Signal,
    interrupt: Signal,
}

impl Interrupted {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn print(body: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(body)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
