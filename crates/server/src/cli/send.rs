//! `wharf send`: stdin or files to an address.

use super::exit::{Code, Failure, Outcome};
use super::link;
use super::target::Target;
use clap::Args;
use std::collections::VecDeque;
use std::path::PathBuf;
use tokio::io::{AsyncBufReadExt, BufReader};
use wharf_client::{Client, Message, Receipt};

/// Arguments of `wharf send`.
#[derive(Args, Debug)]
pub(super) struct Send {
    /// Where to.
    address: String,
    #[command(flatten)]
    target: Target,
    /// Send this file as one message; repeatable. Without it each line of stdin is one.
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Messages that may wait to be stored.
    #[arg(long, value_name = "COUNT", default_value_t = 1024)]
    window: usize,
    /// MIME type of the body.
    #[arg(long, value_name = "TYPE", default_value = "")]
    content_type: String,
}

impl Send {
    pub(super) fn run(self) -> Outcome {
        let target = self.target.resolve()?;
        link::run(self.target.timeout(), async {
            let client = link::connect(link::options(&target)).await?;
            let mut sending =
                Sending { client, waiting: VecDeque::new(), window: self.window.max(1), stored: 0 };
            let outcome = match self.send_all(&mut sending).await {
                Ok(()) => sending.finish().await,
                Err(failure) => Err(failure),
            };
            let stored = sending.stored;
            let closed = sending.client.close().await.map_err(link::failure);
            outcome.and(closed).map_err(|failure| partial(failure, stored))
        })
    }

    async fn send_all(&self, sending: &mut Sending) -> Outcome {
        for path in &self.files {
            let body = std::fs::read(path).map_err(|error| {
                Failure::new(Code::Failed, format!("{}: {error}", path.display()))
            })?;
            // What is text goes as text, so that every consumer can read it.
            sending.send(self.message(body)).await?;
        }
        if !self.files.is_empty() {
            return Ok(());
        }
        let mut lines = BufReader::new(tokio::io::stdin());
        loop {
            let mut line = Vec::new();
            let len = lines
                .read_until(b'\n', &mut line)
                .await
                .map_err(|error| Failure::new(Code::Failed, format!("stdin: {error}")))?;
            if len == 0 {
                return Ok(());
            }
            if line.ends_with(b"\n") {
                line.pop();
            }
            sending.send(self.message(line)).await?;
        }
    }

    fn message(&self, body: Vec<u8>) -> Message {
        let message = match String::from_utf8(body) {
            Ok(text) => Message::text(&self.address, text),
            Err(binary) => Message::binary(&self.address, binary.into_bytes()),
        };
        message.with_content_type(&self.content_type)
    }
}

/// Some messages are stored: the exit code says so.
fn partial(failure: Failure, stored: u64) -> Failure {
    if stored == 0 {
        return failure;
    }
    let messages = if stored == 1 { "message" } else { "messages" };
    Failure::new(Code::Partial, format!("{} ({stored} {messages} stored)", failure.message))
}

struct Sending {
    client: Client,
    waiting: VecDeque<Receipt>,
    window: usize,
    stored: u64,
}

impl Sending {
    async fn send(&mut self, message: Message) -> Outcome {
        while self.waiting.len() >= self.window {
            self.confirm_one().await?;
        }
        let receipt = self.client.queue(message).await.map_err(link::failure)?;
        self.waiting.push_back(receipt);
        Ok(())
    }

    async fn finish(&mut self) -> Outcome {
        while !self.waiting.is_empty() {
            self.confirm_one().await?;
        }
        Ok(())
    }

    async fn confirm_one(&mut self) -> Outcome {
        if let Some(receipt) = self.waiting.pop_front() {
            receipt.await.map_err(link::failure)?;
            self.stored += 1;
        }
        Ok(())
    }
}
