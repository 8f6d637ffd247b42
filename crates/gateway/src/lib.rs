//! One client connection as one machine without IO: WebSocket, protocol, and the mapping to the
//! broker.
//!
//! The driver's loop: `handle_input` for what was read, `handle_event` for what the shard said,
//! then `poll_command` until `None` and `poll_transmit` until 0. The simulator drives the same
//! machine without a socket.
//!
//! | module | what it owns |
//! |---|---|
//! | `session` | the WebSocket and the choice of protocol |
//! | `mbws` | MBWS and MBLWS: their events to commands, the broker's events to their frames |
//! | `consume` | how a client says what it wants to receive (MBWS-A25) |
//! | `convert` | the message mapping: what is stored, and what each protocol makes of it |
//!
//! Another protocol is one crate, one file beside `mbws`, and a format in `convert`.
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

mod config;
mod consume;
mod convert;
pub mod limits;
mod mbws;
mod session;

pub use config::{CloseEnds, Config};
pub use session::{Opening, Session};

/// The subprotocols spoken here, in the order a server prefers them.
#[must_use]
pub fn subprotocols() -> &'static [&'static str] {
    &[wharf_mbws::SUBPROTOCOL_FULL, wharf_mbws::SUBPROTOCOL_LIGHT]
}
