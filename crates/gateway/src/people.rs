//! People and rooms as addresses of the broker: `xmpp:alice@example.com` is whom XMPP knows by
//! this name. Documented in `docs/protocols/mapping.md`.

use crate::convert::xmpp_message;
use crate::request::Request;
use std::sync::Arc;
use wharf_broker::{Command, Message, Unroutable};
use wharf_xmpp::jid::Jid;

/// What such an address begins with.
const SCHEME: &str = "xmpp:";

/// Whom an address names, if it is one of these.
pub(crate) fn person(address: &str) -> Option<Jid> {
    Jid::parse(address.strip_prefix(SCHEME)?).ok()
}

/// A sender, and what it may say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    pub(crate) user: &'a str,
    pub(crate) host: &'a str,
    /// Longest stanza.
    pub(crate) size_max_bytes: usize,
}

impl Sender<'_> {
    /// A message to addresses, of which some may be people. What cannot be said to people, and
    /// names that are none, are left to the broker: no address of its own begins so.
    pub(crate) fn send(
        self,
        seq: u64,
        to: Arc<[String]>,
        message: Message,
        unroutable: Unroutable,
    ) -> Request {
        if to.iter().all(|address| !address.starts_with(SCHEME)) {
            return Command::Publish { seq, to, message, unroutable }.into();
        }
        let people: Vec<Jid> = to.iter().filter_map(|address| person(address)).collect();
        let stanza = self.stanza(&message).filter(|_| !people.is_empty());
        let Some(stanza) = stanza else {
            return Command::Publish { seq, to, message, unroutable }.into();
        };
        let rest: Vec<String> =
            to.iter().filter(|address| person(address).is_none()).cloned().collect();
        let rest = (!rest.is_empty()).then(|| (Arc::from(rest), message));
        let stanza = stanza.into();
        wharf_chat::Command::Send { seq, people, stanza, rest, unroutable }.into()
    }

    fn stanza(self, message: &Message) -> Option<Vec<u8>> {
        let from = Jid::of_user(self.user, self.host).ok()?;
        let body = message.body.clone();
        xmpp_message(message.format, body, from.as_str(), self.size_max_bytes).ok()
    }
}
