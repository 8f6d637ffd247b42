//! The opening handshake: from an HTTP/1.1 request and response to an [`Agreement`].
//!
//! A server reads a request, here or with any HTTP stack, and judges it:
//!
//! ```
//! use wharf_ws::handshake::request::{self, Parsed};
//! use wharf_ws::handshake::server::{self, Policy};
//! use wharf_ws::handshake::{HeadLimits, Refusal};
//!
//! let policy = Policy { subprotocols: vec!["amqp".to_owned()], ..Policy::default() };
//! let input = b"GET /ws HTTP/1.1\r\nHost: mq.example\r\nUpgrade: websocket\r\n\
//!     Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
//!     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: amqp\r\n\r\n";
//!
//! let mut output = Vec::new();
//! match request::parse(input, HeadLimits::default()) {
//!     Parsed::Complete { request, .. } => match server::evaluate(&request, &policy) {
//!         Ok(acceptance) => acceptance.write(&mut output), // and the connection is open
//!         Err(refusal) => refusal.write(&mut output),      // and close
//!     },
//!     Parsed::Malformed(malformed) => Refusal::from(malformed).write(&mut output),
//!     Parsed::Incomplete => {} // read more; `request::Reader` remembers how far it came
//! }
//! assert!(output.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
//! ```
//!
//! A client sends what [`client::Handshake`] writes and hands it the response.
//!
//! What the text asks of whoever owns the sockets is not here: one attempt at a time per host,
//! proxies, TLS, deadlines, waiting between attempts.

pub mod client;
mod extension;
mod head;
mod key;
pub mod limits;
mod list;
mod origin;
mod refusal;
pub mod request;
pub mod server;

pub use extension::{AnswerFault, DeflateOffer, DeflatePolicy};
pub use head::Malformed;
pub use key::accept as accept_key;
pub use limits::HeadLimits;
pub use origin::OriginPolicy;
pub use refusal::{InvalidHeader, Reason, Refusal};

use crate::version::Version;

/// What both sides agreed on; all that the connection needs to know of the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Decides framing and close codes for the life of the connection (HYBI-005).
    pub version: Version,
    /// The subprotocol the server chose; `None` when none was agreed.
    pub subprotocol: Option<String>,
    /// Which compression extension is in use.
    pub compression: Compression,
}

/// The compression extension in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// No compression: every RSV bit is zero.
    #[default]
    None,
    /// `permessage-deflate` (RFC 7692); version 13 only (HYBI-094).
    PerMessage(DeflateParams),
    /// `deflate-stream` (HYBI-090): all octets after the handshake are one raw DEFLATE stream in
    /// each direction; versions 6 to 8 only.
    Stream,
}

/// The agreed parameters of `permessage-deflate` (RFC 7692, section 7.1).
///
/// `server_*` bind what the server compresses, `client_*` what the client compresses (WS-PD-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server starts each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client starts each message with an empty window.
    pub client_no_context_takeover: bool,
    /// Base-2 logarithm of the server's window, 8 to 15.
    pub server_max_window_bits: u8,
    /// Base-2 logarithm of the client's window, 8 to 15.
    pub client_max_window_bits: u8,
}

impl Default for DeflateParams {
    /// Context takeover both ways, windows of 32 KiB: what RFC 7692 means when nothing is said.
    fn default() -> Self {
        DeflateParams {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}
