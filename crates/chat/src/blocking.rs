//! Blocking (XEP-0191): who is blocked hears and sees nothing, and whoever blocks sends nothing.

use crate::chat::{Chat, Turn};
use crate::limits::BLOCKED_MAX;
use crate::messages::Speaker;
use bytes::Bytes;
use std::collections::BTreeSet;
use wharf_broker::{SessionId, Shard};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Stanza, StanzaCondition};
use wharf_xmpp::xml::{Element, element};

pub(crate) const BLOCKING: &str = "urn:xmpp:blocking";

fn key(own: &str) -> String {
    format!("blocked/{own}")
}

/// The addresses that an account blocks.
fn read(shard: &Shard, own: &str) -> BTreeSet<String> {
    let document = shard.document(&key(own)).map(|document| &document[..]).unwrap_or_default();
    let text = std::str::from_utf8(document).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn write(shard: &mut Shard, own: &str, blocked: &BTreeSet<String>) -> bool {
    let text = blocked.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    shard.put_document(&key(own), (!text.is_empty()).then(|| Bytes::from(text)))
}

/// Whether an address is one of those that a line of the list means: itself, or everything at a
/// domain.
fn fits(line: &str, other: &Jid) -> bool {
    line == other.as_str() || line == other.bare_str() || line == other.domain()
}

impl Chat {
    /// Whether an account blocks another.
    // XEP-0191 3.
    pub(crate) fn is_blocked(&self, shard: &Shard, own: &str, other: &str) -> bool {
        let Some(document) = shard.document(&key(own)) else { return false };
        let Ok(other) = Jid::parse(other) else { return false };
        let text = std::str::from_utf8(document).unwrap_or_default();
        text.lines().any(|line| fits(line, &other))
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
        // XEP-0191 3.3: whoever is blocked sees the account go.
        for jid in &named {
            self.tell_all_presence(turn, &own, jid.as_str(), false);
        }
        if blocked.len() > BLOCKED_MAX || !write(turn.shard, &own, &blocked) {
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
        write(turn.shard, &own, &blocked);
        self.answer(turn, session, stanza, |_| {});
        let told = if named.is_empty() { BTreeSet::new() } else { lifted.clone() };
        self.push_blocking(turn, &own, "unblock", &told);
        for contact in lifted {
            let may = crate::roster::get(turn.shard, &own, &contact).is_some_and(|it| it.from);
            if may {
                self.tell_all_presence(turn, &own, &contact, true);
            }
        }
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
