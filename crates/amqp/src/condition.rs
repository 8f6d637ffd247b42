//! Error conditions and the error that carries one (AMQP 2.8.14 to 2.8.18, 4.5.8).

use crate::codec::composite;
use crate::value::Fields;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal,)*) => {
        /// Why something ended: the conditions of the standard, and any other symbol.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Condition {
            $($(#[$doc])* $name,)*
            /// A condition of somebody else's.
            Other(String),
        }

        impl Condition {
            /// Every condition of the standard.
            pub const STANDARD: &'static [Condition] = &[$(Condition::$name,)*];

            /// The symbol on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Condition::$name => $symbol,)*
                    Condition::Other(symbol) => symbol,
                }
            }

            fn standard(symbol: &str) -> Option<Condition> {
                match symbol {
                    $($symbol => Some(Condition::$name),)*
                    _ => None,
                }
            }
        }
    };
}

conditions! {
    /// An error inside; an operator may have to look (AMQP 2.8.15).
    InternalError = "amqp:internal-error",
    /// What the peer wants to work with does not exist (AMQP 2.8.15).
    NotFound = "amqp:not-found",
    /// The peer may not work with this (AMQP 2.8.15).
    UnauthorizedAccess = "amqp:unauthorized-access",
    /// Octets that could not be decoded (AMQP 2.8.15).
    DecodeError = "amqp:decode-error",
    /// The peer used more than it may (AMQP 2.8.15).
    ResourceLimitExceeded = "amqp:resource-limit-exceeded",
    /// A frame used in a way that its meaning does not allow (AMQP 2.8.15).
    NotAllowed = "amqp:not-allowed",
    /// A field with a value that is not valid (AMQP 2.8.15).
    InvalidField = "amqp:invalid-field",
    /// Something that this side does not do (AMQP 2.8.15).
    NotImplemented = "amqp:not-implemented",
    /// Somebody else is working with it (AMQP 2.8.15).
    ResourceLocked = "amqp:resource-locked",
    /// A condition of the request does not hold (AMQP 2.8.15).
    PreconditionFailed = "amqp:precondition-failed",
    /// What the peer works with was deleted (AMQP 2.8.15).
    ResourceDeleted = "amqp:resource-deleted",
    /// A frame that is not permitted in this state (AMQP 2.8.15).
    IllegalState = "amqp:illegal-state",
    /// The shortest encoding does not fit a frame (AMQP 2.8.15).
    FrameSizeTooSmall = "amqp:frame-size-too-small",
    /// An operator closed the connection; it may be tried again (AMQP 2.8.16).
    ConnectionForced = "amqp:connection:forced",
    /// No valid frame header could be formed (AMQP 2.8.16).
    ConnectionFramingError = "amqp:connection:framing-error",
    /// The container is elsewhere; `info` says where (AMQP 2.8.16).
    ConnectionRedirect = "amqp:connection:redirect",
    /// More transfers than the session's incoming window (AMQP 2.8.17).
    SessionWindowViolation = "amqp:session:window-violation",
    /// Input for a link that was detached with an error (AMQP 2.8.17).
    SessionErrantLink = "amqp:session:errant-link",
    /// An attach with the handle of an attached link (AMQP 2.8.17).
    SessionHandleInUse = "amqp:session:handle-in-use",
    /// A frame with a handle that no attached link has (AMQP 2.8.17).
    SessionUnattachedHandle = "amqp:session:unattached-handle",
    /// An operator detached the link (AMQP 2.8.18).
    LinkDetachForced = "amqp:link:detach-forced",
    /// More transfers than the link had credit for (AMQP 2.8.18).
    LinkTransferLimitExceeded = "amqp:link:transfer-limit-exceeded",
    /// A message larger than the link takes (AMQP 2.8.18).
    LinkMessageSizeExceeded = "amqp:link:message-size-exceeded",
    /// The address is elsewhere; `info` says where (AMQP 2.8.18).
    LinkRedirect = "amqp:link:redirect",
    /// The link was attached somewhere else (AMQP 2.8.18).
    LinkStolen = "amqp:link:stolen",
    /// There is no such transaction (AMQP 4.5.8).
    TransactionUnknownId = "amqp:transaction:unknown-id",
    /// The transaction was rolled back (AMQP 4.5.8).
    TransactionRollback = "amqp:transaction:rollback",
    /// The transaction took too long (AMQP 4.5.8).
    TransactionTimeout = "amqp:transaction:timeout",
}

impl From<&str> for Condition {
    fn from(symbol: &str) -> Self {
        Condition::standard(symbol).unwrap_or_else(|| Condition::Other(symbol.to_owned()))
    }
}

impl From<String> for Condition {
    fn from(symbol: String) -> Self {
        Condition::standard(&symbol).unwrap_or(Condition::Other(symbol))
    }
}

impl FromStr for Condition {
    type Err = Infallible;

    fn from_str(symbol: &str) -> Result<Self, Infallible> {
        Ok(Condition::from(symbol))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The details of an error (AMQP 2.8.14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of error it is.
    pub condition: Condition,
    /// Details for a person to read.
    pub description: Option<String>,
    /// Details for a program. Sent only when there are any.
    pub info: Fields,
}

impl Error {
    /// An error with a description and no info.
    pub fn new(condition: Condition, description: impl Into<String>) -> Self {
        Error { condition, description: Some(description.into()), info: Fields::new() }
    }
}

impl From<Condition> for Error {
    fn from(condition: Condition) -> Self {
        Error { condition, description: None, info: Fields::new() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.condition.as_str())?;
        match &self.description {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

composite! {
    Error, "error", 0x1d, {
        condition: mandatory condition,
        description: optional string,
        info: unless_empty fields,
    }
}
