//! Sends the lines of stdin by MBWS, many at a time, each stored once whatever happens to connections
//! and broker. Usage: send ADDRESS
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a program, not an engine")]

use std::collections::VecDeque;
use std::env::{args, var};

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use wharf_client::{Client, Message, Options};

/// Lines that are under way at once.
const OPEN_MAX: usize = 256;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = args().nth(1).ok_or("usage: send ADDRESS")?;
    let mut options = Options::new(var("WHARF_URL")?);
    options.credentials = Some((var("WHARF_USER")?, var("WHARF_PASSWORD")?));
    let client = Client::connect(options).await?;

    let mut lines = BufReader::new(stdin()).lines();
    let mut open = VecDeque::new();
    let mut stored = 0_u64;
    while let Some(line) = lines.next_line().await? {
        if open.len() == OPEN_MAX
            && let Some(receipt) = open.pop_front()
        {
            receipt.await?;
            stored += 1;
        }
        open.push_back(client.queue(Message::text(&address, line)).await?);
    }
    // Each receipt is the broker's word that it has the line on disk.
    for receipt in open {
        receipt.await?;
        stored += 1;
    }
    println!("stored {stored}");
    client.close().await?;
    Ok(())
}
