//! What a stream tells its server.

use crate::jid::Jid;
use crate::stanza::Stanza;
use crate::stream::{Closed, Header};
use wharf_sasl::Mechanism;
use wharf_sasl::server::{Failure, Question};

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The client begins. Answer with `accept`, `refuse` or `redirect`. The host is the domain of
    /// the header's `to`; where it has none, the one that HTTP named will do (RFC 6120, section
    /// 4.7.2).
    Opening(Header),
    /// The login asks the user database. Answer with `answer`.
    Question(Question),
    /// A login failed; the client may try again.
    LoginFailed {
        /// The mechanism.
        mechanism: Mechanism,
        /// Why.
        failure: Failure,
    },
    /// The client is who it says.
    Authenticated(Authenticated),
    /// The client wants to go on with a stream. Answer with `resume` or `refuse_resume`.
    Resume(ResumeRequest),
    /// The client wants a resource. Answer with `bind` or `refuse_bind`.
    Bind(BindRequest),
    /// The client wants the stream to be managed. Answer with `enable` or `refuse_enable`.
    Enable(EnableRequest),
    /// A request of a client that has not logged in, for registration. Answer with `send`.
    Register(Stanza<'a>),
    /// A stanza.
    Stanza(Received<'a>),
    /// The client has received all stanzas up to this number.
    Handled {
        /// Above every number before.
        up_to: u64,
    },
    /// Whether a person is looking at the client (XEP-0352). Streams begin with one who is, and
    /// resumed ones too.
    Active(bool),
    /// The stream is over, and this is the last event.
    Closed(Closed),
}

/// Who has logged in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authenticated {
    /// The user, by the name that the user database has said.
    pub user: String,
    /// The address, without a resource.
    pub jid: Jid,
    /// By which mechanism.
    pub mechanism: Mechanism,
    /// What the client says of itself (XEP-0388). It is for the user and nobody else.
    pub user_agent: Option<UserAgent>,
}

/// What a client says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserAgent {
    /// The same as long as the client is installed.
    pub id: Option<String>,
    /// The program.
    pub software: Option<String>,
    /// What it runs on.
    pub device: Option<String>,
}

/// A request for a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BindRequest {
    /// The resource that the client wants, in its enforced form; `None` if any will do.
    pub wanted: Option<String>,
    /// One that nobody can guess: for clients that want none, or one that is taken.
    pub generated: String,
    /// It came with the login (XEP-0386): earlier sessions of the same installation should end,
    /// and offline messages are not sent but read in the archive.
    pub with_login: bool,
    /// Carbons are wanted with it (XEP-0280).
    pub carbons: bool,
}

/// A request for a managed stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EnableRequest {
    /// It is to be resumable.
    pub resume: bool,
    /// For how many seconds at best.
    pub max_secs: Option<u32>,
}

/// A request to go on with a managed stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResumeRequest {
    /// The identifier that `enable` gave it.
    pub id: String,
    /// The stanzas that the client has received, modulo 2^32; see
    /// [`Ledger::acknowledged`](crate::stream::Ledger::acknowledged).
    pub handled: u32,
}

/// A stanza from the client.
#[derive(Debug)]
pub struct Received<'a> {
    /// Its number on a managed stream.
    pub seq: Option<u64>,
    /// The stanza as it came. The server sets `from` before it goes anywhere (RFC 6120, section
    /// 8.1.2.1), and answers [`Stanza::fault`].
    pub stanza: Stanza<'a>,
}
