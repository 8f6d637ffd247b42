//! The MessageBroker WebSocket Subprotocol and its light form, MBWS and MBLWS
//! (draft-hapner-hybi-messagebroker-subprotocol-02), as engines without IO.
//!
//! A frame is the content of one WebSocket message, binary or text; both kinds say the same.
//! Messages are numbered implicitly, acknowledged cumulatively, and kept by the sender until then, so
//! a connection outlives the WebSocket session under it: nothing is lost, nothing comes twice.
//!
//! | module | what it owns |
//! |---|---|
//! | `kind`, `binary`, `text` | the two syntaxes: how an integer and a frame id are written |
//! | `string`, `cursor` | length-delimited strings in three units; the reader both syntaxes share |
//! | `frame`, `message`, `content` | the grammar, borrowed from the received octets |
//! | [`recovery`] | may a connection go on? a pure function of the claim and the ledger |
//! | `window`, `saved` | the client's messages that nobody has acknowledged yet; its state as octets |
//! | [`server`], [`client`] | the two engines |
//! | `violation` | what a peer can do wrong, and the close code for each |
//!
//! An engine is fed one WebSocket message at a time and gives one event for it; what it sends goes
//! to a [`MessageSink`] at once. It queues nothing, except the client's window.
//!
//! ```
//! use wharf_mbws::{Frame, Kind, LengthUnit, Limits, decode};
//!
//! let frame = decode(Kind::Text, LengthUnit::CodePoints, b"2 300 ", &Limits::default());
//! assert_eq!(frame, Ok(Frame::Acknowledge(300)));
//! ```
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

mod binary;
pub mod client;
mod content;
mod cursor;
mod flavour;
mod frame;
mod integer;
mod kind;
mod limits;
mod message;
pub mod recovery;
mod saved;
pub mod server;
mod sink;
mod string;
mod text;
mod violation;
mod window;

pub use content::encode_content;
pub use content::{Content, NotRepresentable, Properties, content_from_stored, convert};
pub use flavour::{Flavour, SUBPROTOCOL_FULL, SUBPROTOCOL_LIGHT};
pub use frame::{Frame, Numbers, decode, encode_acknowledge, encode_connect};
pub use kind::{Kind, LengthUnit};
pub use limits::{Limits, NUMBER_MAX, WindowLimits};
pub use message::{Addresses, Message, encode_message_header};
pub use saved::NotSaved;
pub use sink::MessageSink;
pub use violation::{Bound, Misuse, Violation};
pub use window::Retained;
