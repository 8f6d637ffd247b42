//! The settings of a client's stream.

use crate::jid::Jid;
use crate::limits::XmlLimits;
use crate::server::UserAgent;
use crate::stream::{Ledger, Pacing};
use wharf_sasl::client::Settings;

/// The settings of one stream.
#[derive(Clone, Debug)]
pub struct Config {
    /// The domain of the service, which is not always that of the endpoint.
    pub host: String,
    /// The channel is encrypted.
    pub secure: bool,
    /// Who logs in, and how. A nonce is drawn.
    pub login: Settings,
    /// The resource that is wanted; `None` for one that the server makes up.
    pub resource: Option<String>,
    /// The language of what people are to read.
    pub lang: Option<String>,
    /// What the server's users and operators may see of this client, as a part of its resource.
    pub tag: Option<String>,
    /// What the server may know of this client.
    pub user_agent: Option<UserAgent>,
    /// Whether XEP-0388 is used where it is offered.
    pub sasl2: bool,
    /// Whether the stream is to be managed.
    pub stream_management: bool,
    /// Whether a managed stream is to be resumable, and for how many seconds at best.
    pub resume_max_secs: Option<u32>,
    /// The stream to go on with.
    pub resume: Option<Resumption>,
    /// What a server may make this side read.
    pub xml: XmlLimits,
    /// When things are said, and how long others may take.
    pub pacing: Pacing,
}

impl Config {
    /// Settings to begin with: a managed stream that can be resumed.
    #[must_use]
    pub fn new(host: impl Into<String>, secure: bool, login: Settings) -> Self {
        Self {
            host: host.into(),
            secure,
            login,
            resource: None,
            lang: None,
            tag: None,
            user_agent: None,
            sasl2: true,
            stream_management: true,
            resume_max_secs: Some(24 * 3600),
            resume: None,
            // A server adds to what it was sent.
            xml: XmlLimits { size_max_bytes: 1 << 20, ..XmlLimits::default() },
            pacing: Pacing::default(),
        }
    }
}

/// A managed stream that was left.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resumption {
    /// The identifier that the server gave it.
    pub id: String,
    /// The address that was bound.
    pub jid: Jid,
    /// The counts of both sides.
    pub ledger: Ledger,
}
