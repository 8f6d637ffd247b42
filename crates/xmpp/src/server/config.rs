//! The settings of streams.

use crate::limits::Limits;
use crate::stream::Pacing;
use wharf_sasl::Mechanism;
use wharf_sasl::server::Settings;

/// The settings of every stream of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// What a client may make the server read or keep.
    pub limits: Limits,
    /// When things are said, and how long others may take.
    pub pacing: Pacing,
    /// Whether streams can be managed.
    pub stream_management: bool,
    /// Whether carbons can be asked for with a resource (XEP-0386).
    pub carbons: bool,
    /// More features after the login, as XML, each with its namespace.
    pub features: String,
    /// The host that the header of a stream names where the client has named none that is served
    /// here (RFC 6120, section 4.9.1.3).
    pub default_host: String,
}

impl Config {
    /// Settings to begin with.
    #[must_use]
    pub fn new(default_host: impl Into<String>) -> Self {
        Self {
            limits: Limits::default(),
            pacing: Pacing::default(),
            stream_management: true,
            carbons: false,
            features: String::new(),
            default_host: default_host.into(),
        }
    }
}

/// What a login may be made of.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The mechanisms, the best first. Who may not use PLAIN on this channel is not offered it
    /// (RFC 6120, section 6.3.4).
    pub mechanisms: Vec<Mechanism>,
    /// What an exchange is given; a nonce is drawn for each.
    pub settings: Settings,
    /// Whether the second profile is offered beside the first. It is for encrypted channels
    /// (XEP-0388, section 4).
    pub sasl2: bool,
    /// Whether a client may register before it logs in (XEP-0077).
    pub registration: bool,
}
