//! The settings of the services.

use wharf_xmpp::limits::XmlLimits;

/// The settings of the services.
#[derive(Clone, Debug)]
pub struct Config {
    /// The virtual hosts; each is a domain of XMPP.
    pub hosts: Vec<String>,
    /// Bounds of a stanza: those of the streams, so that what came in is read here too.
    pub xml: XmlLimits,
    /// Messages that wait for somebody who is away.
    pub offline_messages_max: usize,
    /// Messages in the archive of an account; the oldest go.
    pub archive_messages_max: usize,
    /// Whether people may change and remove their accounts (XEP-0077).
    pub registration: bool,
    /// Name and version of the software, as it tells them (XEP-0092).
    pub software: (String, String),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: vec!["localhost".to_owned()],
            xml: XmlLimits::default(),
            offline_messages_max: 1000,
            archive_messages_max: 10_000,
            registration: false,
            software: ("Wharf".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        }
    }
}
