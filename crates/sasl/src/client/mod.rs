//! The client's side of an exchange, and the choice of its mechanism.

mod choose;
mod exchange;

pub use choose::choose;
pub use exchange::Exchange;

use crate::binding::ChannelBinding;
use crate::limits::{ITERATIONS_MAX, ITERATIONS_MIN};
use crate::mechanism::Mechanism;
use crate::nonce::Nonce;
use crate::password::Password;
use crate::violation::Violation;
use std::fmt;
use std::ops::RangeInclusive;

/// What one exchange is given.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who is logging in.
    pub credentials: Credentials,
    /// Whom to act as; empty for oneself. ANONYMOUS has no room for it.
    pub authzid: String,
    /// The weakest mechanism that a password may be used with. PLAIN shows it to the server, and to
    /// everyone on the way where the channel is not encrypted.
    pub weakest: Mechanism,
    /// The client's part of the nonce, drawn anew for every exchange.
    pub nonce: Nonce,
    /// What is known of the channel under the exchange. With it `-PLUS` mechanisms are taken where
    /// they are offered; a server that has them and seems not to will notice.
    pub channel_binding: Option<ChannelBinding>,
    /// Iteration counts that are acceptable.
    pub iterations: RangeInclusive<u32>,
}

impl Settings {
    /// The default: SCRAM or better, nobody else to act as, no channel binding, iterations from
    /// [`ITERATIONS_MIN`] to [`ITERATIONS_MAX`].
    pub fn new(credentials: Credentials, nonce: Nonce) -> Self {
        Self {
            credentials,
            authzid: String::new(),
            weakest: Mechanism::Scram(crate::Hash::Sha1),
            nonce,
            channel_binding: None,
            iterations: ITERATIONS_MIN..=ITERATIONS_MAX,
        }
    }
}

/// Who is logging in. Each kind has its mechanisms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// No one in particular: ANONYMOUS.
    Anonymous {
        /// What the server's logs may say; empty for nothing.
        trace: String,
    },
    /// Someone with a password: SCRAM and PLAIN.
    Password {
        /// The user.
        user: String,
        /// Its password.
        password: Password,
    },
    /// Whoever a bearer token says: OAUTHBEARER.
    Token {
        /// The token.
        token: Password,
    },
    /// Whoever the channel says: EXTERNAL.
    External,
}

/// Why an exchange failed on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server broke the rules of the mechanism, or is not the one that knows the user.
    Violation(Violation),
    /// The server said why it refuses.
    Refused(Refusal),
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::Refused(refusal) => write!(f, "the server refuses: {}", refusal.value()),
        }
    }
}

impl std::error::Error for Failure {}

/// `server-error-value` of RFC 5802, section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The message was not well encoded.
    InvalidEncoding,
    /// A mandatory extension.
    ExtensionsNotSupported,
    /// The wrong password.
    InvalidProof,
    /// Bound to another channel: someone is in between.
    ChannelBindingsDontMatch,
    /// The server can bind, although its list did not say so: someone has changed it.
    ServerDoesSupportChannelBinding,
    /// The server cannot bind.
    ChannelBindingNotSupported,
    /// Not with this type.
    UnsupportedChannelBindingType,
    /// No such user.
    UnknownUser,
    /// The user name was not well encoded.
    InvalidUsernameEncoding,
    /// Not now.
    NoResources,
    /// Anything else.
    Other,
}

impl Refusal {
    const NAMED: [Self; 10] = [
        Self::InvalidEncoding,
        Self::ExtensionsNotSupported,
        Self::InvalidProof,
        Self::ChannelBindingsDontMatch,
        Self::ServerDoesSupportChannelBinding,
        Self::ChannelBindingNotSupported,
        Self::UnsupportedChannelBindingType,
        Self::UnknownUser,
        Self::InvalidUsernameEncoding,
        Self::NoResources,
    ];

    /// The value on the wire.
    pub const fn value(self) -> &'static str {
        match self {
            Self::InvalidEncoding => "invalid-encoding",
            Self::ExtensionsNotSupported => "extensions-not-supported",
            Self::InvalidProof => "invalid-proof",
            Self::ChannelBindingsDontMatch => "channel-bindings-dont-match",
            Self::ServerDoesSupportChannelBinding => "server-does-support-channel-binding",
            Self::ChannelBindingNotSupported => "channel-binding-not-supported",
            Self::UnsupportedChannelBindingType => "unsupported-channel-binding-type",
            Self::UnknownUser => "unknown-user",
            Self::InvalidUsernameEncoding => "invalid-username-encoding",
            Self::NoResources => "no-resources",
            Self::Other => "other-error",
        }
    }

    fn from_value(value: &str) -> Self {
        let known = Self::NAMED.into_iter().find(|refusal| refusal.value() == value);
        known.unwrap_or(Self::Other)
    }
}
