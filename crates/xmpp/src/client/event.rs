//! What a stream tells its client.

use crate::jid::Jid;
pub use crate::server::Received;
use crate::stream::Closed;
use std::fmt;
use wharf_sasl::client::Failure;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Stanzas flow.
    Online(Online),
    /// The stream that was to be resumed is no more; another one is begun. What was sent above
    /// `acked` may not have been received.
    NotResumed {
        /// The stanzas that the server says it has taken, if it says so.
        acked: Option<u64>,
    },
    /// A stanza.
    Stanza(Received<'a>),
    /// The server has taken all stanzas up to this number.
    Handled {
        /// Above every number before.
        up_to: u64,
    },
    /// The login failed; the stream is being closed.
    LoginFailed(LoginFailure),
    /// The stream is over, and this is the last event.
    Closed(Closed),
}

/// A stream that is ready.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Online {
    /// The address, which the server decides.
    pub jid: Jid,
    /// It is an earlier stream that goes on: what was sent above this number is to be sent again.
    pub resumed: Option<u64>,
    /// The stream is managed.
    pub managed: Option<ManagedStream>,
}

/// What the server says of a managed stream.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ManagedStream {
    /// The identifier to resume it by; `None` if it cannot be resumed.
    pub id: Option<String>,
    /// For how many seconds it can be resumed.
    pub max_secs: Option<u32>,
    /// Where to resume it at best.
    pub location: Option<String>,
}

/// Why a login failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LoginFailure {
    /// The server refuses.
    Refused {
        /// The condition (RFC 6120, section 6.5).
        condition: String,
        /// More of it, for people.
        text: Option<String>,
    },
    /// The server offers nothing that the settings allow, or someone in between has changed what
    /// it offers.
    NoMechanism,
    /// The server broke the rules of the mechanism, or is not the one that knows the user.
    Exchange(Failure),
    /// The settings cannot be used.
    Settings(wharf_sasl::Misuse),
}

impl fmt::Display for LoginFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { condition, text: None } => write!(f, "the server refuses: {condition}"),
            Self::Refused { condition, text: Some(text) } => {
                write!(f, "the server refuses: {condition}: {text}")
            }
            Self::NoMechanism => f.write_str("no mechanism that both sides have"),
            Self::Exchange(failure) => failure.fmt(f),
            Self::Settings(misuse) => misuse.fmt(f),
        }
    }
}

impl std::error::Error for LoginFailure {}
