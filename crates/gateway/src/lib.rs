//! One client connection as one machine without IO: WebSocket, protocol, and the mapping to the
//! broker.
//!
//! The driver's loop: `handle_input` for what was read, `handle_event` for what the shard said,
//! then `poll_command` until `None` and `poll_transmit` until 0. The simulator drives the same
//! machine without a socket.
//!
//! | module | what it owns |
//! |---|---|
//! | `session` | the transport and the choice of protocol |
//! | `mbws` | MBWS and MBLWS: their events to commands, the broker's events to their frames |
//! | `amqp` | AMQP 1.0: links and deliveries to commands, the broker's events to transfers |
//! | `place` | where else something is served |
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

mod amqp;
mod config;
mod consume;
mod convert;
pub mod limits;
mod mbws;
mod place;
mod request;
mod session;
mod untaken;

pub use config::{Amqp, CloseEnds, Config};
pub use place::{Located, Location, NoPlace, Place, Scheme};
pub use request::Request;
pub use session::{Offer, Opening, Session, Transport};
pub use wharf_sasl::server::{Answer, Question, Settings as SaslSettings};
pub use wharf_sasl::{ChannelBinding, Hash, Mechanism, Nonce, ScramKeys};

/// Whether a subprotocol logs in by itself, so that its connection may begin without a user.
#[must_use]
pub fn logs_in(subprotocol: &str) -> bool {
    amqp::is_subprotocol(subprotocol)
}

/// The subprotocols spoken here, in the order a server prefers them.
#[must_use]
pub fn subprotocols() -> &'static [&'static str] {
    &[amqp::SUBPROTOCOL, wharf_mbws::SUBPROTOCOL_FULL, wharf_mbws::SUBPROTOCOL_LIGHT]
}
