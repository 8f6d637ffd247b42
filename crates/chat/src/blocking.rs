//! Blocking (XEP-0191): who is blocked hears and sees nothing, and whoever blocks sends nothing.

use crate::chat::{Chat, Turn};
use crate::limits::BLOCKED_MAX;
use crate::messages::Speaker;
use bytes::Bytes;
use std::collections::BTreeSet;
use wharf_broker::{SessionId, Shard};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Kind, Stanza, StanzaCondition};
use wharf_xmpp::xml::{Element, element};

pub(crate) const BLOCKING: &str = "urn:xmpp:blocking";

/// What the keys of the documents begin with; the account follows.
const PREFIX: &str = "blocked/";

fn key(own: &str) -> String {
    format!("{PREFIX}{own}")
}

/// The addresses that an account blocks.
fn read(shard: &Shard, own: &str) -> BTreeSet<String> {
    let document = shard.document(&key(own)).map(|document| &document[..]).unwrap_or_default();
    let text = std::str::from_utf8(document).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Who blocks anybody: few do, and every message asks.
#[derive(Debug, Default)]
pub(crate) struct Blockers(BTreeSet<Box<str>>);

impl Blockers {
    /// As the documents have it.
    pub(crate) fn recover(shard: &Shard) -> Self {
        let owner = |(key, _): (&str, &Bytes)| Some(key.strip_prefix(PREFIX)?.into());
        Self(shard.documents(PREFIX).filter_map(owner).collect())
    }

    pub(crate) fn forget(&mut self, own: &str) {
        self.0.remove(own);
    }
}

/// Whether an address is one of those that a line of the list means: itself, everything of an
/// account, or everything at a domain, of one resource there or of all.
// XEP-0191 3.1.
fn fits(line: &str, other: &Jid) -> bool {
    let of_domain = || {
        let (domain, resource) = line.split_once('/')?;
        Some(domain == other.domain() && Some(resource) == other.resource())
    };
    line == other.as_str()
        || line == other.bare_str()
        || line == other.domain()
        || of_domain().unwrap_or(false)
}

impl Chat {
    /// Whether an account blocks another.
    // XEP-0191 3.
    pub(crate) fn is_blocked(&self, shard: &Shard, own: &str, other: &str) -> bool {
        if !self.services.blockers.0.contains(own) {
            return false;
        }
        let Some(document) = shard.document(&key(own)) else { return false };
        let Ok(other) = Jid::parse(other) else { return false };
        let text = std::str::from_utf8(document).unwrap_or_default();
        text.lines().any(|line| fits(line, &other))
    }

    fn write_blocked(&mut self, shard: &mut Shard, own: &str, blocked: &BTreeSet<String>) -> bool {
        let text = blocked.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let (is_empty, blockers) = (text.is_empty(), &mut self.services.blockers);
        if !shard.put_document(&key(own), (!is_empty).then(|| Bytes::from(text))) {
            return false;
        }
        if is_empty {
            blockers.forget(own);
        } else {
            blockers.0.insert(own.into());
        }
        true
    }

    /// Whether a message may go its way (XEP-0191, section 3.2).
    pub(crate) fn check_blocked(
        &self,
        turn: &Turn<'_>,
        speaker: &Speaker,
        to: &Jid,
    ) -> Result<(), StanzaCondition> {
        let own = speaker.jid.bare_str();
        if own == to.bare_str() {
            return Ok(());
        }
        if self.is_blocked(turn.shard, own, to.as_str()) {
            return Err(StanzaCondition::NotAcceptable);
        }
        if self.is_blocked(turn.shard, to.bare_str(), speaker.jid.as_str()) {
            return Err(Self::unavailable());
        }
        Ok(())
    }

    pub(crate) fn blocking(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        payload: &Element<'_>,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare().to_owned();
        let blocked = read(turn.shard, &own);
        match (payload.name(), stanza.iq_type()) {
            ("blocklist", Some(IqType::Get)) => {
                self.answer(turn, session, stanza, |out| {
                    write_list(out, "blocklist", &blocked);
                });
            }
            ("block", Some(IqType::Set)) => self.block(turn, session, stanza, payload, blocked),
            ("unblock", Some(IqType::Set)) => {
                self.unblock(turn, session, stanza, payload, blocked);
            }
            _ => self.refuse(turn, session, stanza, StanzaCondition::BadRequest),
        }
    }

    // XEP-0191 3.3.
    fn block(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        payload: &Element<'_>,
        mut blocked: BTreeSet<String>,
    ) {
        let Some(named) = named(payload).filter(|named| !named.is_empty()) else {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        };
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare().to_owned();
        blocked.extend(named.iter().map(|jid| jid.as_str().to_owned()));
        // XEP-0191 3.3: whoever sees the account, and is blocked now, sees it go.
        for contact in self.viewers(turn.shard, &own, &named) {
            self.tell_all_presence(turn, &own, &contact, false);
        }
        if blocked.len() > BLOCKED_MAX || !self.write_blocked(turn.shard, &own, &blocked) {
            return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
        }
        self.answer(turn, session, stanza, |_| {});
        let named = named.iter().map(|jid| jid.as_str().to_owned()).collect();
        self.push_blocking(turn, &own, "block", &named);
    }

    // XEP-0191 3.4, 3.5.
    fn unblock(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        payload: &Element<'_>,
        mut blocked: BTreeSet<String>,
    ) {
        let Some(named) = named(payload) else {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        };
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare().to_owned();
        let lifted: BTreeSet<String> = if named.is_empty() {
            std::mem::take(&mut blocked)
        } else {
            named.iter().filter_map(|jid| blocked.take(jid.as_str())).collect()
        };
        self.write_blocked(turn.shard, &own, &blocked);
        self.answer(turn, session, stanza, |_| {});
        let told = if named.is_empty() { BTreeSet::new() } else { lifted.clone() };
        self.push_blocking(turn, &own, "unblock", &told);
        let lifted: Vec<Jid> = lifted.iter().filter_map(|jid| Jid::parse(jid).ok()).collect();
        for contact in self.viewers(turn.shard, &own, &lifted) {
            self.tell_all_presence(turn, &own, &contact, true);
        }
    }

    /// Those of a roster who see the account, and whom one of these addresses means.
    fn viewers(&self, shard: &Shard, own: &str, named: &[Jid]) -> Vec<String> {
        let sees = |contact: &str| {
            let mine = self.people.of(contact).map(|resource| &resource.jid);
            let bare = Jid::parse(contact).ok();
            let meant = |other: &Jid| named.iter().any(|line| fits(line.as_str(), other));
            bare.as_ref().into_iter().chain(mine).any(meant)
        };
        crate::roster::items(shard, own)
            .filter(|(contact, item)| {
                item.from && sees(contact) && !self.is_blocked(shard, own, contact)
            })
            .map(|(contact, _)| contact.to_owned())
            .collect()
    }

    /// Whether an account has blocked whom it speaks to now. Messages are checked where they are
    /// routed, answers are nobody's business.
    // XEP-0191 3.2.
    pub(crate) fn is_shunned(
        &self,
        turn: &Turn<'_>,
        own: &str,
        stanza: &Stanza<'_>,
        to: &Jid,
    ) -> bool {
        let speaks = match stanza.kind() {
            Kind::Message => false,
            Kind::Iq => stanza.iq_type().is_some_and(IqType::is_request),
            Kind::Presence => !stanza.is_error(),
        };
        let other = to.local().is_some() && to.bare_str() != own;
        speaks && other && self.is_blocked(turn.shard, own, to.as_str())
    }

    fn push_blocking(&self, turn: &mut Turn<'_>, own: &str, name: &str, jids: &BTreeSet<String>) {
        let resources: Vec<(SessionId, String)> =
            self.people.of(own).map(|it| (it.session, it.jid.as_str().to_owned())).collect();
        for (session, jid) in resources {
            let attributes =
                [("xmlns", ns::CLIENT), ("type", "set"), ("id", "blocking"), ("to", &jid)];
            let mut out = Vec::new();
            element(&mut out, "iq", &attributes, |out| write_list(out, name, jids));
            turn.transmit(session, out);
        }
    }
}

/// Says in an error that it is because of a list (XEP-0191, section 3.2).
pub(crate) fn say_why(error: &mut Vec<u8>) {
    const WHY: &[u8] = b"<blocked xmlns='urn:xmpp:blocking:errors'/>";
    const END: &[u8] = b"</error>";
    if let Some(at) = error.windows(END.len()).rposition(|octets| octets == END) {
        error.splice(at..at, WHY.iter().copied());
    }
}

fn write_list(out: &mut Vec<u8>, name: &str, jids: &BTreeSet<String>) {
    element(out, name, &[("xmlns", BLOCKING)], |out| {
        for jid in jids {
            element(out, "item", &[("jid", jid)], |_| {});
        }
    });
}

/// The addresses of a request; `None` if one is none.
fn named(payload: &Element<'_>) -> Option<Vec<Jid>> {
    let items = payload.children().filter(|child| child.is("item", BLOCKING));
    items.map(|item| Jid::parse(&item.attribute("jid")?).ok()).collect()
}
