//! XMPP over WebSocket (RFC 7395) as an engine without IO, client and server: framing, the XML of
//! XMPP, addresses, stanzas, and streams from the first header to the last `<close/>`.
//!
//! "RFC 6120 4.7.5" or "XEP-0198 4" beside a line is the section of the text that the line
//! follows; ids like XWS-011 are those of the list of requirements.
//!
//! | module | what it owns |
//! |---|---|
//! | [`xml`] | a reader for the part of XML that XMPP uses, with bounds; views; writing |
//! | [`jid`] | addresses in their enforced form (RFC 7622) |
//! | [`stanza`] | messages, presence and requests in their octets; routing without building anew |
//! | [`content`] | bodies of any type and properties in messages |
//! | [`stream`] | what both ends of a stream have in common, and how an engine is driven |
//! | [`server`], [`client`] | the two engines |
//! | [`StreamError`] | errors that end a stream |
//! | [`limits`], [`ns`] | what a peer may make this side keep; names of namespaces |
//!
//! Rosters, presence and routing are not here: they are what a server does with stanzas.
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

pub mod client;
pub mod content;
pub mod jid;
pub mod limits;
pub mod ns;
pub mod server;
pub mod stanza;
pub mod stream;
mod stream_error;
pub mod xml;

pub use stream_error::{StreamCondition, StreamError};

/// The name of the subprotocol in `Sec-WebSocket-Protocol`. Without it there is no XMPP on a
/// WebSocket: a server answers a request that lacks it with 400, and a client closes a WebSocket
/// whose answer lacks it.
// XWS-001, XWS-002, XWS-003, XWS-096, XWS-A08.
pub const SUBPROTOCOL: &str = "xmpp";
