//! An async client of Wharf. A connection that breaks is recovered without the application's help:
//! over MBWS and XMPP what it sends is stored once and what it receives comes once, over AMQP at
//! least once, and what may be a repetition says so.
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
//! XMPP is spoken on a WebSocket, which a domain can be asked for. Messages to people and to queues
//! are stored once and come once, as over MBWS:
//!
//! ```no_run
//! use wharf_client::{Client, Message, Options};
//!
//! # async fn example() -> Result<(), wharf_client::Error> {
//! let mut options = Options::new("xmpp:example.com");
//! options.credentials = Some(("alice".into(), "secret".into()));
//! let client = Client::connect(options).await?;
//! client.send(Message::text("xmpp:bob@example.com", "tea?")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | `client` | the handles that the application holds |
//! | `message`, `delivery`, `options`, `error`, `state` | what goes in and comes out |
//! | `channels` | what passes between handles and task |
//! | `driver`, `acks`, `closing` | one WebSocket after another; acknowledgements in order; the end |
//! | `login` | how a user logs in by SASL |
//! | `net` | the way to a broker: places, redirects, TLS, WebSocket, the pauses between attempts |
//! | `mbws` | the task of a client that speaks MBWS |
//! | `amqp` | the task of a client that speaks AMQP |
//! | `xmpp` | the same for XMPP |
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an adapter: it reads the clock and the network"
)]

mod acks;
mod amqp;
mod channels;
mod client;
mod closing;
mod delivery;
mod driver;
mod error;
mod login;
mod mbws;
mod message;
mod net;
mod options;
mod state;
mod xmpp;

pub use client::{Client, Receipt, Receiver};
pub use delivery::Delivery;
pub use error::Error;
pub use message::Message;
pub use net::{Answer, Ask, RedirectFault, ask, discover};
pub use options::{Options, Protocol, Retry, Tls};
pub use state::State;
pub use wharf_mbws::{Flavour, Kind, LengthUnit, WindowLimits};
