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
//! | `face` | the protocols, as the session sees them |
//! | `request` | what a connection asks: of the broker, or of the services of XMPP |
//! | `mbws` | MBWS and MBLWS: their events to commands, the broker's events to their frames |
//! | `amqp` | AMQP 1.0: links and deliveries to commands, the broker's events to transfers |
//! | `xmpp` | XMPP: streams and stanzas to commands, the broker's events to stanzas |
//! | `place` | where else something is served |
//! | `people` | people and rooms as addresses of the broker |
//! | `consume` | how a client says what it wants to receive (MBWS-A25) |
//! | `readable` | what a message says, for those who speak no protocol |
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
mod ending;
mod face;
pub mod limits;
mod mbws;
mod people;
mod place;
mod readable;
mod request;
mod session;
mod untaken;
mod xmpp;

pub use config::{Amqp, CloseEnds, Config, Xmpp, XmppSettings};
pub use place::{Located, Location, NoPlace, Place, Scheme};
pub use readable::{Readable, property_of};
pub use request::Request;
pub use session::{Offer, Opening, PROTOCOLS, Session, Transport, protocol_of};
pub use wharf_sasl::server::{Answer, Question, Settings as SaslSettings};
pub use wharf_sasl::{ChannelBinding, Hash, Mechanism, Nonce, ScramKeys};

/// Whether a subprotocol logs in by itself, so that its connection may begin without a user.
#[must_use]
pub fn logs_in(subprotocol: &str) -> bool {
    amqp::is_subprotocol(subprotocol) || subprotocol == xmpp::SUBPROTOCOL
}

/// The subprotocols spoken here, in the order a server prefers them.
#[must_use]
pub fn subprotocols() -> &'static [&'static str] {
    &[
        amqp::SUBPROTOCOL,
        xmpp::SUBPROTOCOL,
        wharf_mbws::SUBPROTOCOL_FULL,
        wharf_mbws::SUBPROTOCOL_LIGHT,
    ]
}
