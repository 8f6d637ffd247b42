//! Runs the Autobahn test suite's cases for clients against its fuzzing server.
//!
//! `cargo run --release -p wharf-ws --example autobahn_client -- ws://127.0.0.1:9001`

#![allow(clippy::print_stdout, reason = "an example talks to its user")]

use std::error::Error;

use wharf_ws::Config;
use wharf_ws::handshake::DeflateOffer;
use wharf_ws::handshake::client::Offer;
use wharf_ws::tokio::{Message, connect};

const AGENT: &str = "wharf-ws";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:9001".to_owned());
    let count = match run(&format!("{server}/getCaseCount")).await? {
        Some(Message::Text(count)) => count.parse::<u32>()?,
        other => return Err(format!("expected a number of cases, got {other:?}").into()),
    };
    for case in 1..=count {
        if let Err(error) = run(&format!("{server}/runCase?case={case}&agent={AGENT}")).await {
            println!("case {case}: {error}");
        }
    }
    run(&format!("{server}/updateReports?agent={AGENT}")).await?;
    println!("{count} cases");
    Ok(())
}

/// Echoes until the server closes; returns the first message.
async fn run(uri: &str) -> Result<Option<Message>, Box<dyn Error>> {
    let config = Config {
        frame_size_max_bytes: 64 << 20,
        message_size_max_bytes: 64 << 20,
        ..Config::default()
    };
    let offer = Offer { deflate: vec![DeflateOffer::default()], ..Offer::new(uri.parse()?) };
    let mut socket = connect(offer, &config).await?;
    let mut first = None;
    while let Some(message) = socket.recv().await {
        first.get_or_insert_with(|| message.clone());
        // A server that is closing takes no more; what it says is still received.
        let _ = socket.send(message).await;
    }
    Ok(first)
}
