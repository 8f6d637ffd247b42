//! Presence probes that clients send (RFC 6121, section 4.3.2), and what a stream that was resumed
//! after a restart is told.

use crate::chat::{Chat, Turn};
use crate::iq::left_key;
use crate::presence::{addressed, unavailable};
use crate::roster;
use crate::stored::stamp;
use crate::subscription::{Act, plain};
use bytes::Bytes;
use wharf_broker::{SessionId, Transient};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::xml::element;

impl Chat {
    /// A client asks for presence. It is answered as the contact's server would.
    pub(crate) fn probe(&mut self, turn: &mut Turn<'_>, session: SessionId, of: &Jid) {
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare().to_owned();
        let contact = of.bare_str();
        let hidden = own != contact && self.is_blocked(turn.shard, contact, resource.jid.as_str());
        let subscribed =
            own == contact || roster::get(turn.shard, contact, &own).is_some_and(|it| it.from);
        if subscribed && !hidden {
            return self.tell_probe(turn, session, of);
        }
        // RFC 6121 4.6.6: whom it has told by itself.
        if let Some(stanza) = self.directed_presence(of, resource.jid.as_str(), &own) {
            return turn.shard.transmit(session, addressed(&stanza, &own));
        }
        let denied = plain(contact, &own, Act::Unsubscribed);
        turn.shard.transmit(session, Transient::new(denied));
    }

    fn tell_probe(&self, turn: &mut Turn<'_>, session: SessionId, of: &Jid) {
        let Some(resource) = self.people.get(session) else { return };
        let mine = resource.jid.as_str().to_owned();
        if !of.is_bare() {
            // Of this resource alone, and nothing but that it is there.
            let found = self.people.find(of).and_then(|session| self.people.get(session));
            let is_there = found.is_some_and(|it| it.availability.stanza().is_some());
            let stanza = mere(of.as_str(), is_there);
            return turn.shard.transmit(session, addressed(&stanza, &mine));
        }
        let contact = of.as_str();
        if self.people.of(contact).any(|it| it.availability.stanza().is_some()) {
            return self.answer_probe(turn, session, contact);
        }
        let left = turn.shard.document(&left_key(contact));
        let left = left.and_then(|at| at.first_chunk::<8>()).map(|at| u64::from_be_bytes(*at));
        let stanza = gone(contact, left);
        turn.shard.transmit(session, addressed(&stanza, &mine));
    }

    fn directed_presence(&self, of: &Jid, full: &str, bare: &str) -> Option<Bytes> {
        let resource = self.people.get(self.people.find(of)?)?;
        let directed = &resource.availability.directed;
        let told = directed.contains(full) || directed.contains(bare);
        told.then(|| mere(of.as_str(), true))
    }

    /// A stream goes on after a restart, in which those whose streams did not went away unheard.
    pub(crate) fn tell_gone_contacts(&self, turn: &mut Turn<'_>, session: SessionId) {
        let Some(resource) = self.people.get(session) else { return };
        if resource.availability.stanza().is_none() {
            return;
        }
        let (own, mine) = (resource.bare(), resource.jid.as_str());
        let is_away =
            |contact: &str| !self.people.of(contact).any(|it| it.availability.stanza().is_some());
        let away: Vec<String> = roster::items(turn.shard, own)
            .filter(|(contact, item)| item.to && is_away(contact))
            .map(|(contact, _)| contact.to_owned())
            .collect();
        for contact in away {
            turn.shard.transmit(session, addressed(&unavailable(&contact), mine));
        }
    }
}

/// That a resource is there, or not, and nothing else.
fn mere(from: &str, is_there: bool) -> Bytes {
    if !is_there {
        return unavailable(from);
    }
    let mut out = Vec::new();
    element(&mut out, "presence", &[("xmlns", ns::CLIENT), ("from", from)], |_| {});
    out.into()
}

/// An account with nobody there, since then if that is known (XEP-0203).
fn gone(from: &str, left_ms: Option<u64>) -> Bytes {
    let mut out = Vec::new();
    let attributes = [("xmlns", ns::CLIENT), ("from", from), ("type", "unavailable")];
    element(&mut out, "presence", &attributes, |out| {
        if let Some(left) = left_ms {
            let stamp = stamp(left);
            element(out, "delay", &[("xmlns", "urn:xmpp:delay"), ("stamp", &stamp)], |_| {});
        }
    });
    out.into()
}
