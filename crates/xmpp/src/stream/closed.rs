//! How a stream ends, and commands at the wrong moment.

use super::violation::Violation;
use crate::stream_error::StreamError;
use std::fmt;

/// Who did something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// The other side.
    Peer,
    /// This side.
    Local,
}

/// How a stream ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Closed {
    /// Who closed it first, or ended the transport.
    pub by: By,
    /// The error that it was closed with.
    pub error: Option<StreamError>,
    /// What the peer did wrong, if that is why.
    pub violation: Option<Violation>,
    /// Where the server sends the client (XWS-060).
    pub see_other_uri: Option<String>,
    /// Whether both sides said `<close/>`.
    pub clean: bool,
    /// Whether a managed stream can be resumed: the peer has not ended its session (XWS-055).
    pub resumable: bool,
    /// The code to close the WebSocket with.
    pub code: u16,
    /// The peer closed the stream, so it is to close the WebSocket too; a second is enough to wait.
    // XWS-053.
    pub peer_ends_transport: bool,
}

impl Closed {
    pub(crate) fn new(by: By) -> Self {
        Self {
            by,
            error: None,
            violation: None,
            see_other_uri: None,
            clean: false,
            resumable: false,
            code: CLOSE_NORMAL,
            peer_ends_transport: false,
        }
    }
}

/// The close code after an orderly end.
// XWS-A06.
pub(crate) const CLOSE_NORMAL: u16 = 1000;

/// A command that does not fit the state; a mistake of the caller, not of the peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Misuse {
    /// The stream is not at the stage that the command belongs to.
    WrongStage,
    /// There is no such question.
    NothingAsked,
    /// Not a host.
    BadHost,
    /// Not a resourcepart.
    BadResource,
    /// An acknowledgement of what was not received.
    AcknowledgedUnreceived,
    /// The ledger does not match what the peer says.
    LedgerMismatch,
    /// The login cannot be done so.
    Login(wharf_sasl::Misuse),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongStage => "not at this stage of the stream",
            Self::NothingAsked => "nothing was asked",
            Self::BadHost => "not a host",
            Self::BadResource => "not a resourcepart",
            Self::AcknowledgedUnreceived => "acknowledged what was not received",
            Self::LedgerMismatch => "the ledger does not match the peer's count",
            Self::Login(misuse) => return misuse.fmt(f),
        })
    }
}

impl std::error::Error for Misuse {}
