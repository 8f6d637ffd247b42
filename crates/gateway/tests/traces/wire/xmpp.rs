//! A client of XMPP: what it says and hears is XML.

use super::{Mechanism, Offer, SaslSettings, Wire, agreement, opening};
use wharf_gateway::{Config, Hash, Nonce, Opening, Xmpp, XmppSettings};

/// `<open/>` to this host.
pub(crate) const OPEN: &str =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";
/// What the server answers.
pub(crate) const OPENED: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='localhost' id='*' xml:lang='en' version='1.0'/>";
pub(crate) const CLOSE: &str = "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />";

/// Settings of a node that serves `localhost`.
pub(crate) fn config() -> Config {
    with(&XmppSettings::default())
}

pub(crate) fn with(settings: &XmppSettings) -> Config {
    let hosts = vec!["localhost".to_owned(), "example.com".to_owned()];
    Config { xmpp: Xmpp::new(settings, &hosts), hosts, ..Config::default() }
}

/// A stream error of ours.
pub(crate) fn error(condition: &str, text: &str) -> String {
    format!(
        "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>{text}</text></stream:error>"
    )
}

impl Wire {
    /// A WebSocket of somebody who has not logged in, encrypted or not.
    pub(crate) fn stream(&mut self, client: u64, secure: bool) {
        self.stream_of(client, secure, None);
    }

    /// The same, of somebody whom HTTP knows already.
    pub(crate) fn stream_of(&mut self, client: u64, secure: bool, user: Option<&str>) {
        let mut mechanisms = vec![Mechanism::Scram(Hash::Sha256), Mechanism::Plain];
        if user.is_some() {
            mechanisms.insert(0, Mechanism::External);
        }
        let settings = SaslSettings::new(Nonce::from_seed(&[1; 32]), [2; 32]);
        let opening = Opening {
            user: user.map(str::to_owned),
            secure,
            login: Offer { mechanisms, settings },
            ..opening(client, &agreement("xmpp"))
        };
        self.enter(client, "xmpp", opening, None);
    }

    /// What the client has heard, without what is new each time.
    pub(crate) fn xml(&mut self, client: u64) -> Vec<String> {
        self.heard(client).into_iter().map(|text| without_id(&text)).collect()
    }
}

fn without_id(text: &str) -> String {
    let id =
        text.strip_prefix("<open ").and_then(|open| open.split(" id='").nth(1)?.split('\'').next());
    match id {
        Some(id) => text.replace(id, "*"),
        None => text.to_owned(),
    }
}
