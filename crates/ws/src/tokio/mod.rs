//! The adapter for tokio: the only part of this crate that touches the world.
//!
//! Two ways to use it, over any stream (TCP, TLS, a pipe):
//! - [`serve`] drives a [`Handler`]. What a handler sends in answer to one readable burst leaves
//!   in one write, and buffers belong to the thread, not to the connection: this is the way for
//!   many connections or many messages.
//! - [`WebSocket`] has `recv` and `send`, which may be cancelled at any await.
//!
//! ```no_run
//! use wharf_ws::handshake::server::Policy;
//! use wharf_ws::tokio::{WebSocket, accept};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
//! let (stream, _) = listener.accept().await?;
//! let mut socket = WebSocket::new(accept(stream, &Policy::default()).await?, &Default::default());
//! while let Some(message) = socket.recv().await {
//!     socket.send(message).await?;
//! }
//! # Ok(())
//! # }
//! ```

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an adapter: it reads the clock and the network"
)]

mod buffers;
mod dial;
mod link;
mod open;
mod serve;
mod socket;

pub use dial::{Turn, dial};
pub use open::{AcceptError, ConnectError, HANDSHAKE_TIMEOUT, Opened};
pub use open::{accept, accept_with, connect, upgrade};
pub use serve::{Handler, Outbox, Serve, serve};
pub use socket::{Message, SendError, WebSocket};
