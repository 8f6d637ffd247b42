//! `wharf receive`: messages of an address to stdout, one a line.

use super::exit::{Code, Failure, Outcome};
use super::link;
use super::target::Target;
use clap::Args;
use std::io::{ErrorKind, Write};
use std::time::Duration;
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
    #[arg(long, conflicts_with = "count")]
    follow: bool,
    /// Messages the broker may send ahead.
    #[arg(long, value_name = "COUNT", default_value_t = 256)]
    credit: u32,
}

impl Receive {
    pub(super) fn run(self) -> Outcome {
        let target = self.target.resolve()?;
        link::run(self.target.timeout(), async {
            let client = link::connect(link::options(&target)).await?;
            // Not more than is wanted: what is sent ahead is not with other consumers.
            let wanted = self.count.and_then(|count| u32::try_from(count).ok());
            let credit = self.credit.min(wanted.unwrap_or(u32::MAX)).max(1);
            let receiver = client.receive(&[self.address.as_str()], credit).await;
            let mut receiver = receiver.map_err(link::failure)?;
            let outcome = self.print_all(&mut receiver).await;
            // Acknowledgements go out, the rest goes back to its address.
            client.close().await.map_err(link::failure)?;
            let received = outcome?;
            match self.count {
                Some(count) if received < count && received > 0 => {
                    Err(Failure::new(Code::Partial, format!("{received} of {count} messages came")))
                }
                None if received == 0 => Err(Failure::new(Code::NotFound, "nothing there")),
                _ => Ok(()),
            }
        })
    }

    async fn print_all(&self, receiver: &mut Receiver) -> Result<u64, Failure> {
        let mut received = 0;
        while self.count.is_none_or(|count| received < count) {
            let next = receiver.recv();
            let delivery = if self.follow || self.count.is_some() {
                next.await
            } else {
                match tokio::time::timeout(QUIET, next).await {
                    Ok(delivery) => delivery,
                    Err(_) => return Ok(received),
                }
            };
            let Some(delivery) = delivery else {
                return Err(Failure::new(Code::Unavailable, "the broker is gone"));
            };
            match print(delivery.body()) {
                Ok(()) => {}
                // Who reads us has had enough: this message is not acknowledged.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(received.max(1)),
                Err(error) => return Err(Failure::new(Code::Failed, format!("stdout: {error}"))),
            }
            // Only what is written is acknowledged.
            delivery.ack();
            received += 1;
        }
        Ok(received)
    }
}

fn print(body: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(body)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
