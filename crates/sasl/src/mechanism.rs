//! Mechanisms by name and by strength.

use crate::hash::Hash;
use std::fmt;

/// A SASL mechanism. The order is that of strength, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// No one in particular (RFC 4505).
    Anonymous,
    /// User and password in clear (RFC 4616).
    Plain,
    /// A bearer token in clear, which unlike a password is soon over (RFC 7628).
    OAuthBearer,
    /// Each side proves that it knows the password; no one learns it (RFC 5802).
    Scram(Hash),
    /// The same, bound to the channel under it: with someone in between it fails.
    ScramPlus(Hash),
    /// What the channel under it has proved already (RFC 4422, appendix A).
    External,
}

impl Mechanism {
    /// Every mechanism, weakest first.
    pub const ALL: [Self; 10] = [
        Self::Anonymous,
        Self::Plain,
        Self::OAuthBearer,
        Self::Scram(Hash::Sha1),
        Self::Scram(Hash::Sha256),
        Self::Scram(Hash::Sha512),
        Self::ScramPlus(Hash::Sha1),
        Self::ScramPlus(Hash::Sha256),
        Self::ScramPlus(Hash::Sha512),
        Self::External,
    ];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::Plain => "PLAIN",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::Scram(Hash::Sha1) => "SCRAM-SHA-1",
            Self::Scram(Hash::Sha256) => "SCRAM-SHA-256",
            Self::Scram(Hash::Sha512) => "SCRAM-SHA-512",
            Self::ScramPlus(Hash::Sha1) => "SCRAM-SHA-1-PLUS",
            Self::ScramPlus(Hash::Sha256) => "SCRAM-SHA-256-PLUS",
            Self::ScramPlus(Hash::Sha512) => "SCRAM-SHA-512-PLUS",
            Self::External => "EXTERNAL",
        }
    }

    /// The mechanism of this name, which is exact to the letter (RFC 4422, section 3.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Whether the client's message may be empty. Where a protocol cannot tell an empty initial
    /// response from none, it means this one.
    pub(crate) const fn may_be_silent(self) -> bool {
        matches!(self, Self::Anonymous | Self::External)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
