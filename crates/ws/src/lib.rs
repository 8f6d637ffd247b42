//! WebSocket as a machine without IO: RFC 6455, permessage-deflate (RFC 7692) and the interim
//! versions 6, 7 and 8, client and server.
//!
//! # Map
//! - [`handshake`]: from an HTTP request and its response to an [`Agreement`]; [`uri`] and
//!   [`version`] belong to it.
//! - [`Connection`]: everything after the handshake, that is the algorithms to send, to receive and
//!   to close which protocols on top refer to (WS-RG-07). Inside: `header` and `mask` are the frame
//!   on the wire, `recv` puts messages together, `send` takes them apart, `deflate` compresses,
//!   `timers` holds the deadlines, [`CloseCode`] and [`Violation`] say how it ends.
//! - `tokio` (feature `tokio`): the adapter, and the only code here that touches the world.
//!
//! # How a connection is driven
//! After each read, until nothing is left:
//! 1. [`Connection::poll_event`] until `None`. Payloads are lent out of the read buffer, so they
//!    end with the next call; replies are appended to one output buffer.
//! 2. [`Connection::poll_transmit`], which appends Pongs and Closes.
//! 3. One write of the whole output buffer.
//!
//! [`Connection::handle_timeout`] is called when [`Connection::poll_timeout`] says so, also while a
//! write is blocked, and followed by the same steps with [`Input::empty`].
//!
//! ```
//! use wharf_ws::{Agreement, Config, Connection, Event, Input, Role};
//!
//! let agreement = Agreement::default(); // from the handshake
//! let mut server = Connection::new(Role::Server, &Config::default(), &agreement, [0; 32]);
//!
//! let mut read = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"; // "Hello", masked
//! let mut input = Input::new(&mut read);
//! let mut out = Vec::new();
//! while let Some(event) = server.poll_event(&mut input) {
//!     match event {
//!         Event::Message { kind, payload } => server.send(kind, &[&payload], &mut out)?,
//!         Event::Ping(_) => _ = server.poll_transmit(&mut out, usize::MAX),
//!         Event::Pong(_) => {}
//!         Event::Closed(closed) => println!("closed by {:?}", closed.by),
//!     }
//! }
//! server.poll_transmit(&mut out, usize::MAX);
//! assert_eq!(out, b"\x81\x05Hello");
//! # Ok::<(), wharf_ws::Misuse>(())
//! ```
//!
//! # What does not happen
//! No input panics, allocates more than the limits of [`Config`], or is copied when it lies wholly
//! in the read buffer. How the input is cut into reads changes no event.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

mod close;
mod connection;
mod deflate;
mod event;
pub mod handshake;
mod header;
mod input;
pub mod limits;
mod mask;
mod misuse;
mod recv;
mod send;
mod timers;
#[cfg(feature = "tokio")]
pub mod tokio;
pub mod uri;
mod utf8;
pub mod version;
mod violation;

pub use close::{CloseCode, REASON_MAX_BYTES};
pub use connection::{Connection, Role};
pub use event::{Closed, ClosedBy, Event, MessageKind, Payload};
pub use handshake::{Agreement, Compression, DeflateParams};
pub use input::Input;
pub use limits::Config;
pub use misuse::Misuse;
pub use timers::Due;
pub use version::{Version, Versions};
pub use violation::Violation;
