//! The opening handshake: from an HTTP/1.1 request and response to an [`Agreement`].

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
