//! An async client of Wharf. What it sends is stored once, what it receives comes once, and a
//! connection that breaks is recovered without the application's help.
//!
//! ```no_run
//! use wharf_client::{Client, Message, Options};
//!
//! # async fn example() -> Result<(), wharf_client::Error> {
//! let mut options = Options::new("wss://mq.example.com/ws");
//! options.credentials = Some(("alice".into(), "secret".into()));
//! let client = Client::connect(options).await?;
//!
//! // Resolves when the broker has stored the message.
//! client.send(Message::text("orders", "one tea")).await?;
//!
//! let mut orders = client.receive(&["orders"], 100).await?;
//! while let Some(delivery) = orders.recv().await {
//!     println!("{}", String::from_utf8_lossy(delivery.body()));
//!     delivery.ack();
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `client` | the handles that the application holds |
//! | `message`, `options`, `error`, `state` | what goes in and comes out |
//! | `driver`, `outage` | the task: one session after another, and the pauses between them |
//! | `session`, `acks` | one connection: the protocol engine and everybody who waits for it |
//! | `transport`, `tls` | from a URL to an upgraded stream |
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an adapter: it reads the clock and the network"
)]

mod acks;
mod client;
mod driver;
mod error;
mod message;
mod options;
mod outage;
mod session;
mod state;
mod tls;
mod transport;

pub use client::{Client, Receipt, Receiver};
pub use error::Error;
pub use message::{Delivery, Message};
pub use options::{Options, Retry, Tls};
pub use state::State;
pub use wharf_mbws::{Flavour, Kind, LengthUnit, WindowLimits};
