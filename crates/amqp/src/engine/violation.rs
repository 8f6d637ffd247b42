//! What a peer can do wrong, by name, and the one place where names become error conditions.

use crate::codec::DecodeError;
use crate::condition::{Condition, Error};
use std::fmt;

/// What the peer did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Violation {
    /// A header of a protocol or version that is not spoken here (AMQP 2.2).
    UnsupportedHeader,
    /// A header that shares its message with something, or is spread over two (WSB-023, WSB-031).
    HeaderNotAlone,
    /// A frame that is too short, too long or misnumbered (AMQP 2.3.1).
    Frame(&'static str),
    /// More octets than anyone needs while our answer to a SASL frame or to its open was awaited.
    TooMuchBeforeLogin,
    /// A frame body that cannot be decoded (AMQP 2.8.15, decode-error).
    Decode(DecodeError),
    /// A frame that does not belong to this stage of the connection or session.
    Unexpected(&'static str),
    /// A field whose value is not allowed here (AMQP 2.8.15, invalid-field).
    InvalidField(&'static str),
    /// A channel above the maximum told, or not begun.
    Channel(&'static str),
    /// A handle above the maximum told (AMQP 2.7.2).
    HandleMax,
    /// A handle that is taken already (AMQP 2.7.3).
    HandleInUse,
    /// A handle that no link has (AMQP 2.7.4).
    UnattachedHandle,
    /// Input for a link that this side detached with an error (AMQP 2.6.5).
    ErrantLink,
    /// A transfer beyond the session's incoming window (AMQP 2.5.6).
    WindowViolation,
    /// A delivery beyond the credit of its link (AMQP 2.6.7).
    TransferLimit,
    /// A message larger than the link allows (AMQP 2.7.3).
    MessageSize,
    /// More of unfinished messages, over all links, than is kept.
    TooMuchInParts,
    /// More links than one connection may have, or than the peer lets us answer.
    TooManyLinks,
    /// Another attach of the same link came (AMQP 2.6.1).
    Stolen,
    /// Nothing came for longer than the idle time-out told (AMQP 2.4.5).
    Idle,
    /// The peer did not open in time.
    OpenTimeout,
    /// The peer wants to hear from us more often than is reasonable.
    IdleTimeOutTooSmall,
}

impl Violation {
    /// The condition told to the peer.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self {
            Self::UnsupportedHeader
            | Self::HeaderNotAlone
            | Self::Frame(_)
            | Self::Channel(_)
            | Self::HandleMax => Condition::ConnectionFramingError,
            Self::Decode(error) => error.condition(),
            Self::Unexpected(_) => Condition::IllegalState,
            Self::InvalidField(_) | Self::IdleTimeOutTooSmall => Condition::InvalidField,
            Self::HandleInUse => Condition::SessionHandleInUse,
            Self::UnattachedHandle => Condition::SessionUnattachedHandle,
            Self::ErrantLink => Condition::SessionErrantLink,
            Self::WindowViolation => Condition::SessionWindowViolation,
            Self::TransferLimit => Condition::LinkTransferLimitExceeded,
            Self::MessageSize => Condition::LinkMessageSizeExceeded,
            Self::Stolen => Condition::LinkStolen,
            Self::Idle
            | Self::OpenTimeout
            | Self::TooManyLinks
            | Self::TooMuchInParts
            | Self::TooMuchBeforeLogin => Condition::ResourceLimitExceeded,
        }
    }

    /// The error told to the peer.
    #[must_use]
    pub fn error(&self) -> Error {
        Error { condition: self.condition(), description: Some(self.to_string()), info: Vec::new() }
    }
}

impl From<DecodeError> for Violation {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedHeader => f.write_str("the protocol header is not supported"),
            Self::HeaderNotAlone => f.write_str("a protocol header must be alone in its message"),
            Self::Frame(what) => write!(f, "malformed frame: {what}"),
            Self::TooMuchBeforeLogin => f.write_str("too many octets ahead of an answer"),
            Self::Decode(error) => write!(f, "cannot be decoded: {error}"),
            Self::Unexpected(what) => write!(f, "unexpected here: {what}"),
            Self::InvalidField(what) => write!(f, "invalid field: {what}"),
            Self::Channel(what) => f.write_str(what),
            Self::HandleMax => f.write_str("the handle is above handle-max"),
            Self::HandleInUse => f.write_str("the handle is in use"),
            Self::UnattachedHandle => f.write_str("no link has this handle"),
            Self::ErrantLink => f.write_str("the link was detached with an error"),
            Self::WindowViolation => f.write_str("a transfer beyond the incoming window"),
            Self::TransferLimit => f.write_str("a delivery beyond the link credit"),
            Self::MessageSize => f.write_str("the message is larger than max-message-size"),
            Self::TooMuchInParts => f.write_str("too many octets of unfinished messages"),
            Self::TooManyLinks => f.write_str("too many links on this connection"),
            Self::Stolen => f.write_str("the link was attached again"),
            Self::Idle => f.write_str("nothing was received for the idle time-out"),
            Self::OpenTimeout => f.write_str("no open came in time"),
            Self::IdleTimeOutTooSmall => f.write_str("idle-time-out is too small"),
        }
    }
}
