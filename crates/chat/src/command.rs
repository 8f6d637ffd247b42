//! What the services are asked, and what they ask.

use bytes::Bytes;
use std::sync::Arc;
use wharf_broker::{Message, SessionKey, SessionKind, Unroutable};
use wharf_xmpp::jid::Jid;

/// What a connection asks. A connection has at most one session; commands of a connection that has
/// none, or has lost it to another, are passed over.
#[derive(Clone, Debug)]
pub enum Command {
    /// Binds a resource (RFC 6120, section 7), whose earlier session ends with a conflict.
    /// Answered by the broker's `Opened` or `Refused`.
    Bind {
        /// The resource, in its enforced form.
        resource: String,
        /// The key of its session; the name is `UNIQUE/RESOURCE`.
        key: SessionKey,
        /// Whether the session outlives its connection.
        kind: SessionKind,
        /// Name of an installation whose earlier session ends (XEP-0386, section 3.2).
        replaces: Option<String>,
        /// Whether copies of what other resources send and receive are wanted (XEP-0280).
        carbons: bool,
    },
    /// Another session in the place of the one that was bound, for a managed stream: its numbers
    /// begin at 1 (XEP-0198, section 3). Answered by `Opened` or `Refused`.
    Enable {
        /// The key of the new session.
        key: SessionKey,
        /// Recoverable if the stream can be resumed.
        kind: SessionKind,
    },
    /// Goes on with a session (XEP-0198, section 5). Answered by `Attached` or `Unknown`.
    Resume {
        /// Its key.
        key: SessionKey,
        /// Stanzas that the client has received, modulo 2^32.
        handled: u32,
    },
    /// A stanza of the client.
    Stanza {
        /// Its number on the session.
        seq: u64,
        /// Its text, which the stream has found to be a stanza.
        stanza: Bytes,
    },
    /// A request of a client that has not logged in and wants an account (XEP-0077, section 3.1).
    /// It is answered by a transient without a number.
    Register {
        /// The host that the stream is for.
        host: String,
        /// The request's text.
        stanza: Bytes,
    },
    /// A stanza for the client, from whoever serves the connection.
    Tell {
        /// Its text.
        stanza: Bytes,
    },
    /// A message to people, from a client of another protocol. Answered by `Taken`, and
    /// `Declined` before it, like a publication.
    Send {
        /// Its number on the session.
        seq: u64,
        /// Whom it is for.
        people: Vec<Jid>,
        /// A `<message/>` with a `from` and without a `to`.
        stanza: Bytes,
        /// Other addresses, and the message as it goes there.
        rest: Option<(Arc<[String]>, Message)>,
        /// What becomes of it where it cannot be served.
        unroutable: Unroutable,
    },
    /// A stanza of the client for an address of the broker that is no person. Where it cannot be
    /// served the client is told in a stanza, in the frame in which it is taken.
    Publish {
        /// Its number on the session.
        seq: u64,
        /// The addresses.
        to: Arc<[String]>,
        /// The message as it goes there.
        message: Message,
        /// The address as the client has written it.
        written: Jid,
        /// The client's name for it.
        id: Option<Box<str>>,
    },
    /// The client has received everything up to this number.
    Handled {
        /// The number.
        up_to: u64,
    },
    /// Whether somebody looks at the client (XEP-0352).
    Active(bool),
    /// The stream is closed for good.
    End,
}

impl Command {
    /// Whether it is a stanza or a message that somebody sends.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Stanza { .. } | Self::Send { .. } | Self::Publish { .. })
    }
}

/// A name for a request.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u64);

/// What only the server can do: it keeps passwords, and it takes time to make a verifier of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// Defines a user, or gives one another password.
    PutUser {
        /// For the answer.
        id: RequestId,
        /// The user's name.
        name: String,
        /// The password.
        password: String,
        /// Whether there must be none of this name yet.
        is_new: bool,
    },
    /// Removes a user. Its sessions end.
    RemoveUser {
        /// For the answer.
        id: RequestId,
        /// The user's name.
        name: String,
    },
}

/// How a request ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It is done, and durable.
    Done,
    /// There is such a user.
    Exists,
    /// It cannot be done, for this reason.
    Failed(String),
}
