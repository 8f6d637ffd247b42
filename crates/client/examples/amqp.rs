//! Sends ten messages to an address and receives them back, over AMQP 1.0:
//! `cargo run -p wharf-client --example amqp -- amqp://127.0.0.1:5672 USER PASSWORD`.
//! Stop and start the broker meanwhile: nothing is lost, and what comes twice says so.

use std::time::Duration;

use wharf_client::{Client, Error, Message, Options, Protocol};

#[allow(clippy::print_stdout, reason = "an example")]
#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:8080/ws".to_owned());
    let mut options = Options::new(url);
    options.protocol = Protocol::Amqp;
    options.credentials = arguments.next().zip(arguments.next());
    options.retry.first_max = Duration::from_millis(200);

    let client = Client::connect(options).await?;
    let mut messages = client.receive(&["example"], 10).await?;
    for number in 1..=10 {
        client.send(Message::text("example", format!("message {number}"))).await?;
        if let Some(delivery) = messages.recv().await {
            let again = if delivery.may_be_repeated() { ", perhaps again" } else { "" };
            println!("{}{again}", String::from_utf8_lossy(delivery.body()));
            delivery.accept();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    client.close().await
}
