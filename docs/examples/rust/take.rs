//! Takes orders by AMQP 1.0: a good one is accepted, a bad one is rejected with a reason and becomes
//! a dead letter. Usage: take COUNT
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a program, not an engine")]

use std::env::{args, var};

use wharf_client::{Client, Delivery, Options, Protocol};

/// What is to be made, or why it cannot be.
fn judge(order: &Delivery) -> Result<u32, String> {
    let text = String::from_utf8_lossy(order.body());
    let (count, what) = text.split_once(' ').ok_or("an order says how many of what")?;
    let count = count.parse().map_err(|_| format!("`{count}` is no number"))?;
    let again = if order.may_be_repeated() { ", perhaps again" } else { "" };
    println!("{count} {what}{again}");
    Ok(count)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = args().nth(1).ok_or("usage: take COUNT")?.parse()?;
    let mut options = Options::new(var("WHARF_URL")?);
    options.protocol = Protocol::Amqp;
    options.credentials = Some((var("WHARF_USER")?, var("WHARF_PASSWORD")?));
    let client = Client::connect(options).await?;

    // At most ten that are not settled.
    let mut orders = client.receive(&["orders"], 10).await?;
    for _ in 0..count {
        let Some(order) = orders.recv().await else { break };
        match judge(&order) {
            Ok(_) => drop(order.accept()),
            Err(why) => drop(order.reject(why)?),
        }
    }
    client.close().await?;
    Ok(())
}
