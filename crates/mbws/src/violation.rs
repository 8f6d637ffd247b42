//! Everything a peer can do wrong, and what our own code can.

use std::fmt;

/// The peer broke the protocol; the session is failed with [`Violation::close_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A frame without octets.
    Empty,
    /// The frame begins with no known frame id.
    UnknownFrame,
    /// The frame ends inside an integer, a string or a list.
    Truncated,
    /// An integer above [`NUMBER_MAX`](crate::NUMBER_MAX), or a varint of more than eight octets.
    NumberTooLarge,
    /// A text integer that is not digits followed by one space.
    NotAnInteger,
    /// A string's length ends inside a character.
    SplitCharacter,
    /// Octets after the end of a Connect or an Acknowledge.
    TrailingOctets,
    /// A string, or a text frame, that is not UTF-8.
    InvalidUtf8,
    /// More than the receiver is willing to take.
    OverLimit(Bound),
    /// A Message or an Acknowledge before the Connect exchange was complete.
    BeforeConnect,
    /// A Connect when the exchange was complete, or under way.
    SecondConnect,
    /// Window bounds that no window has: CSLW above CSUW + 1.
    WindowBounds,
    /// An acknowledgement of something never sent.
    AcknowledgedUnsent,
    /// A Connect answer with a wrong number of sequence numbers.
    AnswerNumbers,
    /// A Connect answer without a name.
    AnswerName,
    /// SSLR outside the client's window.
    ResumedOutsideWindow,
    /// A delivered message with no address, or more than one.
    DeliveredAddresses,
    /// More messages than sequence numbers.
    SequenceExhausted,
}

/// Which limit was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Octets of a connection name.
    NameSize,
    /// Addresses of a message.
    AddressCount,
    /// Octets of an address.
    AddressSize,
    /// Properties of a message.
    PropertyCount,
    /// Octets of a message's header.
    HeaderSize,
}

impl Violation {
    /// The WebSocket close code that tells the peer.
    // MBWS-120
    pub fn close_code(self) -> u16 {
        match self {
            Violation::InvalidUtf8 => 1007,
            Violation::OverLimit(_) => 1009,
            Violation::Empty
            | Violation::UnknownFrame
            | Violation::Truncated
            | Violation::NumberTooLarge
            | Violation::NotAnInteger
            | Violation::SplitCharacter
            | Violation::TrailingOctets
            | Violation::BeforeConnect
            | Violation::SecondConnect
            | Violation::WindowBounds
            | Violation::AcknowledgedUnsent
            | Violation::AnswerNumbers
            | Violation::AnswerName
            | Violation::ResumedOutsideWindow
            | Violation::DeliveredAddresses
            | Violation::SequenceExhausted => 1002,
        }
    }

    /// A short reason, fit for a Close frame (at most 123 octets).
    pub fn reason(self) -> &'static str {
        match self {
            Violation::Empty => "empty frame",
            Violation::UnknownFrame => "unknown frame id",
            Violation::Truncated => "frame ends too early",
            Violation::NumberTooLarge => "integer above 2^56-1",
            Violation::NotAnInteger => "expected digits and a space",
            Violation::SplitCharacter => "string ends inside a character",
            Violation::TrailingOctets => "octets after the end of the frame",
            Violation::InvalidUtf8 => "invalid UTF-8",
            Violation::OverLimit(Bound::NameSize) => "connection name too long",
            Violation::OverLimit(Bound::AddressCount) => "too many addresses",
            Violation::OverLimit(Bound::AddressSize) => "address too long",
            Violation::OverLimit(Bound::PropertyCount) => "too many properties",
            Violation::OverLimit(Bound::HeaderSize) => "message header too large",
            Violation::BeforeConnect => "frame before the Connect exchange",
            Violation::SecondConnect => "second Connect on one session",
            Violation::WindowBounds => "CSLW above CSUW + 1",
            Violation::AcknowledgedUnsent => "acknowledged a message that was not sent",
            Violation::AnswerNumbers => "Connect answer with a wrong count of numbers",
            Violation::AnswerName => "Connect answer without a name",
            Violation::ResumedOutsideWindow => "SSLR outside the retained window",
            Violation::DeliveredAddresses => "delivered message needs exactly one address",
            Violation::SequenceExhausted => "sequence numbers exhausted",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Violation {}

/// A command that this side's own code gave at the wrong moment. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The command answers a Connect that nobody asked.
    NothingAsked,
    /// The connection is not open.
    NotOpen,
    /// The session has asked already, or is open.
    AlreadyAsked,
    /// The new name of a refusal is the name that was asked for.
    NameNotNew,
    /// A connection name may not be empty.
    NameEmpty,
    /// The ledger does not match what the engine has seen.
    LedgerMismatch,
    /// An acknowledgement of something never received.
    AcknowledgedUnreceived,
    /// There is no connection to recover.
    NothingToRecover,
    /// A recoverable connection would be forgotten; give it up first.
    StillRecoverable,
    /// MBLWS has no such command.
    LightFlavour,
    /// All sequence numbers are used.
    SequenceExhausted,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Misuse::NothingAsked => "no Connect waits for an answer",
            Misuse::NotOpen => "the connection is not open",
            Misuse::AlreadyAsked => "the session has sent its Connect",
            Misuse::NameNotNew => "a refusal needs a new name",
            Misuse::NameEmpty => "a connection name may not be empty",
            Misuse::LedgerMismatch => "the ledger does not match the engine",
            Misuse::AcknowledgedUnreceived => "acknowledged what was not received",
            Misuse::NothingToRecover => "there is no connection to recover",
            Misuse::StillRecoverable => "a recoverable connection would be forgotten",
            Misuse::LightFlavour => "MBLWS has no connection recovery",
            Misuse::SequenceExhausted => "all sequence numbers are used",
        })
    }
}

impl std::error::Error for Misuse {}
