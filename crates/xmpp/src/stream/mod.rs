//! What both ends of a stream have in common.
//!
//! # How an engine is driven
//! A WebSocket message is given as an [`Input`], and `poll_event` is called until `None`; commands
//! may be given between two events. If the input is not empty then, the engine waits for an answer
//! of the caller: keep the message in a [`Backlog`] and give it again, before later ones, when the
//! answer was given. `poll_transmit` is called until 0; each call appends what goes into one text
//! message of its own (XWS-014). `handle_timeout` is called when `poll_timeout` says so. After
//! each of these, `poll_event` with [`Input::empty`].
//!
//! While `wants_input` says no, nothing more should be read from the transport: that is how a peer
//! is held back that asks faster than it listens.
//!
//! The last event is `Closed`. When all output is sent after it, the WebSocket is closed with
//! [`Closed::code`], or by the peer, if [`Closed::peer_ends_transport`].
//!
//! | module | what it owns |
//! |---|---|
//! | `input` | received messages, and those kept meanwhile |
//! | `frame` | what a message is: header, stanza, error, something else |
//! | `header` | `<open/>` and `<close/>` (RFC 7395) |
//! | `link` | what both ends do alike: count, acknowledge, ask, close |
//! | `outbound` | messages to be sent |
//! | `managed` | counters of stream management (XEP-0198) |
//! | `timers` | deadlines and delays |
//! | `violation` | what a peer can do wrong, and the stream error for it |
//! | `random` | identifiers out of the seed of a connection |

mod closed;
mod frame;
mod header;
mod input;
mod link;
mod managed;
mod outbound;
mod random;
mod timers;
mod violation;

pub use closed::{By, Closed, Misuse};
pub use header::{Header, Version};
pub use input::{Backlog, Input};
pub use link::Pacing;
pub use managed::Ledger;
pub use timers::Due;
pub use violation::Violation;

pub(crate) use frame::{Frame, decode_base64, encode_base64};
pub(crate) use header::write_open;
pub(crate) use link::{Link, Phase};
pub(crate) use managed::{Managed, read_count, write_nonza};
pub(crate) use random::Random;
