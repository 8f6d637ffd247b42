//! What our own code can do wrong.

use std::fmt;

/// A call that the state of the connection or the protocol does not allow. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The connection is closing or closed: no data after a Close (WS-CT-08).
    Closed,
    /// A fragmented message is open; it must be finished first (WS-FG-04).
    MessageOpen,
    /// No fragmented message is open.
    NoMessageOpen,
    /// A text message that is not UTF-8 (WS-U8-01).
    TextNotUtf8,
    /// A Ping of more than 125 octets (WS-CT-01).
    PingTooLong,
    /// A close code that this side may not send (WS-CL-07, WS-CL-09).
    CloseCode(u16),
    /// A reason of more than 123 octets, or one without a code (WS-CT-06).
    CloseReason,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Misuse::Closed => "the connection is closing or closed",
            Misuse::MessageOpen => "a fragmented message is open",
            Misuse::NoMessageOpen => "no fragmented message is open",
            Misuse::TextNotUtf8 => "text is not UTF-8",
            Misuse::PingTooLong => "ping longer than 125 octets",
            Misuse::CloseCode(code) => return write!(f, "close code {code} may not be sent"),
            Misuse::CloseReason => "close reason does not fit",
        })
    }
}

impl std::error::Error for Misuse {}
