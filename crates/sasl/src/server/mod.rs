//! The server's side of an exchange.
//!
//! [`Exchange::step`] takes what the client sends. Where the user database must be asked, the
//! exchange waits for [`Exchange::answer`]; how long that takes is the caller's business.

mod exchange;
mod scram;

pub use exchange::Exchange;

use crate::binding::ChannelBinding;
use crate::hash::Hash;
use crate::keys::ScramKeys;
use crate::nonce::Nonce;
use crate::password::Password;
use crate::violation::Violation;
use std::fmt;

/// What one exchange is given.
#[derive(Clone)]
pub struct Settings {
    /// The server's part of the nonce: drawn anew for every exchange, or a client's proof could be
    /// replayed.
    pub nonce: Nonce,
    /// What the keys of unknown users are made of. It stays the same as long as possible: where it
    /// changes, those keys do, and only those.
    pub decoy_key: [u8; 32],
    /// What is known of the channel under the exchange. `-PLUS` mechanisms are offered exactly when
    /// there is some (RFC 5802, section 6): a client that has not seen them is told so.
    pub channel_bindings: Vec<ChannelBinding>,
    /// In protocols that cannot tell an empty initial response from none, none is the empty one,
    /// for mechanisms whose message may be empty. Otherwise the client is asked for it with an
    /// empty challenge (RFC 4422, section 3).
    pub absent_is_empty: bool,
}

impl Settings {
    /// No channel binding, and an absent initial response is asked for.
    pub fn new(nonce: Nonce, decoy_key: [u8; 32]) -> Self {
        Self { nonce, decoy_key, channel_bindings: Vec::new(), absent_is_empty: false }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("channel_bindings", &self.channel_bindings)
            .field("absent_is_empty", &self.absent_is_empty)
            .finish_non_exhaustive()
    }
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this challenge, which may be empty, and wait for the response.
    Challenge(Vec<u8>),
    /// Ask the user database.
    Ask(Question),
    /// The client is who it says.
    Done(Done),
    /// It is not; nothing more can come of this exchange. The protocol tells the client that it
    /// failed and no more: neither AMQP nor XMPP carries the reasons of SCRAM (`e=`).
    Failed(Failure),
}

/// The end of a successful exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Who the client is, or acts as.
    pub user: String,
    /// Additional data for the client, by which SCRAM proves the server. It belongs into the
    /// message that tells of the success; where there is no room, it is sent as one more challenge,
    /// and the empty response to it is awaited (RFC 4422, section 3.6).
    pub additional: Option<Vec<u8>>,
}

/// What only the user database knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is this the user's password? [`Answer::Is`] or [`Answer::Refused`].
    Password {
        /// The user, prepared with SASLprep.
        user: String,
        /// The password as sent. Whoever stored it prepared or not says how to compare it.
        password: Password,
    },
    /// Whom does this bearer token let in? [`Answer::Is`] or [`Answer::Refused`].
    Token {
        /// The token.
        token: Password,
        /// Whom the client wants to be; another one than the token's is refused.
        authzid: Option<String>,
    },
    /// What is stored of the user? [`Answer::Keys`] or [`Answer::Refused`], which the client does
    /// not learn before the end.
    ScramKeys {
        /// The user, prepared with SASLprep.
        user: String,
        /// Which keys are wanted.
        hash: Hash,
    },
    /// Is anyone let in, and as whom? [`Answer::Is`] or [`Answer::Refused`].
    Anonymous {
        /// What the client wants to see in the logs; it may be forged.
        trace: Option<String>,
    },
    /// Who is it that the channel under the exchange has let in? [`Answer::Is`] or
    /// [`Answer::Refused`].
    External {
        /// Whom the client wants to act as, if not itself.
        authzid: Option<String>,
    },
    /// The user is known now. May it act as someone else? [`Answer::Is`] with that one, or
    /// [`Answer::Refused`].
    Authorize {
        /// Who the client is.
        user: String,
        /// Whom it wants to act as, as sent. It is never the same text.
        authzid: String,
    },
}

/// What the user database says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes, and this is the name.
    Is {
        /// The name of the user.
        user: String,
    },
    /// These are the keys.
    Keys(ScramKeys),
    /// No: no such user, the wrong password, not allowed.
    Refused,
    /// There is no answer at present; the client may come back.
    Busy,
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client broke the rules of the mechanism.
    Violation(Violation),
    /// No such user, or the wrong password or proof. Which of them is not known even here.
    Denied,
    /// The user is who it says, but may not act as the one it wants.
    Unauthorized,
    /// The user database had no answer at present.
    Busy,
}

impl Failure {
    /// Whether the same may succeed later.
    pub fn is_temporary(self) -> bool {
        self == Self::Busy
    }
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
            Self::Denied => f.write_str("unknown user or wrong password"),
            Self::Unauthorized => f.write_str("may not act as another"),
            Self::Busy => f.write_str("no answer from the user database"),
        }
    }
}

impl std::error::Error for Failure {}
