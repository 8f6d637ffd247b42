//! Everything a peer can do wrong, and what our own code can.

use std::fmt;

/// The peer's message is not what the mechanism says. The exchange has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A message longer than [`MESSAGE_MAX_BYTES`](crate::limits::MESSAGE_MAX_BYTES).
    MessageTooLong,
    /// A message that is not UTF-8.
    InvalidUtf8,
    /// A message when none is due: during a question, or after the end.
    OutOfTurn,
    /// No message where there must be one.
    Absent,
    /// A name or password longer than [`STRING_MAX_BYTES`](crate::limits::STRING_MAX_BYTES).
    StringTooLong,
    /// A user name that is empty, or that SASLprep refuses.
    UserName,
    /// An authorization identity with a NUL.
    AuthorizationIdentity,

    /// ANONYMOUS: a trace of more than [`TRACE_MAX_CHARS`](crate::limits::TRACE_MAX_CHARS).
    TraceTooLong,
    /// ANONYMOUS: a trace with characters that do not belong in a log.
    TraceProhibited,

    /// PLAIN: not three strings between two NULs.
    PlainFields,
    /// PLAIN: no password.
    PlainPassword,

    /// OAUTHBEARER: not a header, pairs and a bearer token.
    Bearer,

    /// SCRAM: the first message does not begin with `n`, `y` or `p=` and a name.
    BindingFlag,
    /// SCRAM: the first message's header is not `flag,[a=identity],`.
    Header,
    /// SCRAM: a name with `=` that is neither `=2C` nor `=3D`.
    NameEscape,
    /// SCRAM: `m=`, an extension that must be understood, and of which there are none.
    MandatoryExtension,
    /// SCRAM: an attribute that is not a letter, `=` and a value.
    Attribute,
    /// SCRAM: an attribute is missing, or not in its place.
    AttributeMissing(char),
    /// SCRAM: a nonce that is empty, too long, or not printable.
    Nonce,
    /// SCRAM: a nonce that does not go on as it began.
    NonceMismatch,
    /// SCRAM: a salt that is not base64, or empty, or too long.
    Salt,
    /// SCRAM: an iteration count that is no positive number.
    Iterations,
    /// SCRAM: a proof or a signature that is not base64 of one digest.
    ProofEncoding,

    /// SCRAM: the mechanism binds to the channel, and the message does not.
    BindingMissing,
    /// SCRAM: the message binds to the channel, and the mechanism does not.
    BindingUnexpected,
    /// SCRAM: the channel has no such binding.
    BindingUnknown,
    /// SCRAM: the client believes that the server cannot bind, but it can: someone in between has
    /// changed the list of mechanisms.
    Downgrade,
    /// SCRAM: `c=` is not the header of the first message and this channel's data.
    BindingMismatch,

    /// SCRAM, of a server: fewer iterations than are safe, or more than the client will compute.
    IterationsRefused,
    /// SCRAM, of a server: it has not proved that it knows the user.
    ServerUnproved,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageTooLong => "message too long",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::OutOfTurn => "message out of turn",
            Self::Absent => "no message",
            Self::StringTooLong => "name or password too long",
            Self::UserName => "not a user name",
            Self::AuthorizationIdentity => "not an authorization identity",
            Self::TraceTooLong => "trace too long",
            Self::TraceProhibited => "trace with prohibited characters",
            Self::PlainFields => "expected three strings between two NULs",
            Self::PlainPassword => "empty password",
            Self::Bearer => "expected n,[a=identity], and a bearer token",
            Self::BindingFlag => "expected n, y or p=",
            Self::Header => "expected flag,[a=identity],",
            Self::NameEscape => "expected =2C or =3D",
            Self::MandatoryExtension => "unknown mandatory extension",
            Self::Attribute => "not an attribute",
            Self::AttributeMissing(name) => return write!(f, "expected {name}="),
            Self::Nonce => "not a nonce",
            Self::NonceMismatch => "wrong nonce",
            Self::Salt => "not a salt",
            Self::Iterations => "not an iteration count",
            Self::ProofEncoding => "not a proof",
            Self::BindingMissing => "channel binding missing",
            Self::BindingUnexpected => "channel binding without -PLUS",
            Self::BindingUnknown => "unknown type of channel binding",
            Self::Downgrade => "the list of mechanisms was changed on its way",
            Self::BindingMismatch => "bound to another channel",
            Self::IterationsRefused => "iteration count out of bounds",
            Self::ServerUnproved => "the server has not proved itself",
        })
    }
}

impl std::error::Error for Violation {}

/// A call that makes no sense. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// Nothing was asked, or something else.
    AnswerUnasked,
    /// The keys are for another hash than the exchange.
    KeysOfOtherHash,
    /// A salt or an iteration count that keys cannot be made with.
    Parameters,
    /// SASLprep refuses the password, or it is empty.
    Password,
    /// SASLprep refuses the user name, or it is empty; or an identity or a trace cannot be sent.
    Name,
    /// The credentials are not what the mechanism needs, or there is no channel binding.
    Credentials,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnswerUnasked => "an answer that was not asked for",
            Self::KeysOfOtherHash => "keys for another hash",
            Self::Parameters => "unusable salt or iteration count",
            Self::Password => "the password cannot be used (control or unassigned characters)",
            Self::Name => "the name cannot be used (empty, too long or prohibited characters)",
            Self::Credentials => "the mechanism needs other credentials",
        })
    }
}

impl std::error::Error for Misuse {}
