//! An async client of Wharf. A connection that breaks is recovered without the application's help:
//! over MBWS what it sends is stored once and what it receives comes once, over AMQP at least once,
//! and what may be a repetition says so.
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
//! AMQP 1.0 is spoken where the URL says `amqp` or `amqps`, and on a WebSocket if asked:
//!
//! ```no_run
//! use wharf_client::{Client, Message, Options, Protocol};
//!
//! # async fn example() -> Result<(), wharf_client::Error> {
//! let mut options = Options::new("wss://mq.example.com/ws");
//! options.protocol = Protocol::Amqp;
//! options.credentials = Some(("alice".into(), "secret".into()));
//! let client = Client::connect(options).await?;
//! let mut orders = client.receive(&["orders"], 100).await?;
//! while let Some(delivery) = orders.recv().await {
//!     match delivery.body() {
//!         b"" => drop(delivery.reject("an order without a word")?),
//!         _ => drop(delivery.accept()),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `client` | the handles that the application holds |
//! | `message`, `delivery`, `options`, `error`, `state` | what goes in and comes out |
//! | `channels` | what passes between handles and task |
//! | `net` | the way to a broker: places, redirects, TLS, WebSocket, the pauses between attempts |
//! | `mbws` | the task of a client that speaks MBWS |
//! | `amqp` | the task of a client that speaks AMQP |
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an adapter: it reads the clock and the network"
)]

mod amqp;
mod channels;
mod client;
mod delivery;
mod error;
mod mbws;
mod message;
mod net;
mod options;
mod state;

pub use client::{Client, Receipt, Receiver};
pub use delivery::Delivery;
pub use error::Error;
pub use message::Message;
pub use net::RedirectFault;
pub use options::{Options, Protocol, Retry, Tls};
pub use state::State;
pub use wharf_mbws::{Flavour, Kind, LengthUnit, WindowLimits};
