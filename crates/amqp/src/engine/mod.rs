//! One AMQP connection as a machine without IO, either side of it: protocol headers, the SASL layer,
//! open and close, sessions with their windows, links with their credit, deliveries (AMQP parts 2
//! and 5.3).
//!
//! # How it is driven
//! After each read, until nothing is left:
//! 1. [`Connection::poll_event`] until `None`; the payload of a transfer is lent out of the read
//!    buffer. Commands may be given between two events.
//! 2. [`Connection::poll_transmit`] until 0. One call appends one unit: a protocol header, or
//!    frames. A WebSocket carries each unit in a message of its own (WSB-023, WSB-031, WSB-038);
//!    on TCP they follow each other.
//!
//! [`Connection::handle_timeout`] is called when [`Connection::poll_timeout`] says so, and followed
//! by the same steps with [`Input::empty`].
//!
//! # Map
//! | module | what it owns |
//! |---|---|
//! | `connection` | the stages of a connection, what is done with each frame, what a fault costs |
//! | `opening`, `login`, `closing` | headers and open; SASL; close |
//! | `mapping` | begin and end |
//! | `session` | windows and delivery ids of one session; its links by handle |
//! | `attaching`, `detaching` | attach and detach, stolen links |
//! | `link` | state and credit of one link |
//! | `flow` | flows, both ways |
//! | `incoming` | transfers received: credit, window, deliveries of several frames |
//! | `outgoing` | deliveries sent: window, credit, frames of the peer's size |
//! | `settlement` | dispositions both ways, over `runs` |
//! | `wire` | frames out of octets, units of output |
//! | `timers` | idle time-outs of both sides, the time to open and to close |
//! | `violation` | what a peer can do wrong, and the error condition for it |
//!
//! # What the caller decides
//! Whether a peer's SASL response is right, whether its links have nodes, how much credit they get,
//! and the outcome of deliveries. Everything else, such as echoing a flow, answering a begin or an
//! end, is done here.
//!
//! # What the caller heeds
//! - A caller that cannot send stops reading when [`Connection::answer_bytes`] grows, and says so by
//!   [`Connection::excuse_silence`] when a timer is due.
//! - A delivery given to `deliver` ends in exactly one of [`Event::Unsent`], an [`Event::Outcome`]
//!   that is settled, the caller's own `settle_sent`, or the end of the connection.
//! - A link id is used again once its link is `Detached` or was detached here.
//! - Links are not resumed: nothing unsettled is told in an attach, and what a peer resumes is
//!   passed over. A peer's `max-message-size`, and its wish for no new deliveries
//!   (`incomplete-unsettled`), are in its attach, for the caller to heed.

mod attaching;
mod closing;
mod config;
mod connection;
mod detaching;
mod event;
mod flow;
mod incoming;
mod link;
mod login;
mod mapping;
mod opening;
mod outgoing;
mod runs;
mod session;
mod settlement;
mod timers;
mod violation;
mod wire;

pub use attaching::{AttachAnswer, AttachRequest};
pub use config::{Config, Framing, Role, SaslPolicy};
pub use connection::Connection;
pub use event::{By, Closed, CreditView, Event, LinkId, Misuse, Outcome, SessionId, Transferred};
pub use outgoing::OutgoingDelivery;
pub use timers::Due;
pub use violation::Violation;
pub use wire::Input;
