//! Presence (RFC 6121, section 4): who is available, who is told, and who asks.

use crate::binding::address;
use crate::chat::{Chat, Turn};
use crate::iq::left_key;
use crate::leaving::OFFLINE_NAME;
use crate::limits::{DIRECTED_MAX, PRESENCE_MAX_BYTES};
use crate::people::Resource;
use crate::roster;
use crate::stored::OFFLINE;
use bytes::Bytes;
use std::collections::BTreeSet;
use wharf_broker::{SessionId, Transient};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{Rewrite, Stanza, StanzaCondition};
use wharf_xmpp::xml::{element, escape_attribute};

/// What a resource has said of its presence, and to whom.
#[derive(Debug, Default)]
pub(crate) struct Availability {
    /// The latest presence without a `to`, if it is available.
    latest: Option<Latest>,
    /// Whom it told by themselves (RFC 6121, section 4.6).
    pub(crate) directed: BTreeSet<Box<str>>,
}

#[derive(Clone, Debug)]
struct Latest {
    priority: i8,
    /// The stanza, with `from` and without `to`.
    stanza: Bytes,
}

impl Availability {
    /// The priority, if the resource is available.
    pub(crate) fn priority(&self) -> Option<i8> {
        self.latest.as_ref().map(|latest| latest.priority)
    }

    pub(crate) fn stanza(&self) -> Option<&Bytes> {
        self.latest.as_ref().map(|latest| &latest.stanza)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if let Some(Latest { priority, stanza }) = &self.latest {
            out.extend_from_slice(&priority.to_be_bytes());
            out.extend_from_slice(stanza);
        }
    }

    pub(crate) fn decode(octets: &[u8]) -> Self {
        let latest = octets.split_first().map(|(priority, stanza)| Latest {
            priority: i8::from_be_bytes([*priority]),
            stanza: Bytes::copy_from_slice(stanza),
        });
        Self { latest, directed: BTreeSet::new() }
    }
}

/// A stanza for somebody: `to` is put in behind the name of the element.
pub(crate) fn addressed(stanza: &Bytes, to: &str) -> Transient {
    let end = stanza.iter().position(|octet| b" />\t\r\n'\"".contains(octet));
    let end = end.unwrap_or(stanza.len()).min(stanza.len());
    let mut before = Vec::with_capacity(to.len().saturating_add(24));
    before.extend_from_slice(stanza.get(..end).unwrap_or_default());
    before.extend_from_slice(b" to='");
    escape_attribute(&mut before, to);
    before.push(b'\'');
    let after = stanza.slice(end..);
    Transient { before: before.into(), stored: None, after }
}

/// `<presence type='unavailable'/>` of a resource.
pub(crate) fn unavailable(from: &str) -> Bytes {
    let mut out = Vec::new();
    let attributes = [("xmlns", ns::CLIENT), ("from", from), ("type", "unavailable")];
    element(&mut out, "presence", &attributes, |_| {});
    out.into()
}

impl Chat {
    pub(crate) fn presence(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        to: Option<Jid>,
    ) {
        let type_name = stanza.type_name();
        match (type_name.as_deref(), to) {
            (None | Some("unavailable"), None) => {
                self.broadcast(turn, session, stanza, type_name.is_none());
            }
            (None | Some("unavailable"), Some(to)) => {
                self.direct(turn, session, stanza, &to, type_name.is_none());
            }
            (Some("subscribe" | "subscribed" | "unsubscribe" | "unsubscribed"), Some(to)) => {
                self.subscription(turn, session, stanza, &to.bare());
            }
            // RFC 6121 4.3: a client that asks by itself is answered like a contact's server.
            (Some("probe"), Some(to)) => self.probe(turn, session, &to),
            (Some("error"), to) => {
                if let Some(to) = to {
                    self.pass_presence(turn, session, stanza, &to);
                }
            }
            // RFC 6121 4.7.1.
            _ => self.refuse(turn, session, stanza, StanzaCondition::BadRequest),
        }
    }

    // RFC 6121 4.2, 4.4, 4.5.
    fn broadcast(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        available: bool,
    ) {
        let Some(priority) = priority(stanza) else {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        };
        if stanza.raw().len() > PRESENCE_MAX_BYTES {
            return self.refuse(turn, session, stanza, StanzaCondition::PolicyViolation);
        }
        let Some(resource) = self.people.get_mut(session) else { return };
        let mut out = Vec::with_capacity(stanza.raw().len().saturating_add(64));
        Rewrite::new().from(resource.jid.as_str()).without_to().write(stanza, &mut out);
        // It is kept as long as it holds.
        out.shrink_to_fit();
        let stanza = Bytes::from(out);
        let was_available = resource.availability.latest.is_some();
        let latest = available.then(|| Latest { priority, stanza: stanza.clone() });
        resource.availability.latest = latest;
        self.remember(turn, session);
        if available {
            self.tell_subscribers(turn, session, &stanza);
            if !was_available {
                self.begin_presence(turn, session);
            }
            self.feed_offline(turn, session);
        } else {
            if was_available {
                // RFC 6121 4.5.2: and the resource itself.
                self.tell_itself(turn, session, &stanza);
                self.tell_subscribers(turn, session, &stanza);
                self.feed_offline(turn, session);
            }
            self.tell_directed(turn, session, &stanza, was_available);
        }
    }

    fn tell_itself(&self, turn: &mut Turn<'_>, session: SessionId, stanza: &Bytes) {
        if let Some(resource) = self.people.get(session) {
            turn.shard.transmit(session, addressed(stanza, resource.jid.as_str()));
        }
    }

    /// What waits for an account goes to a resource that takes messages for it, as long as it does
    /// (RFC 6121, section 8.5.2; XEP-0160).
    pub(crate) fn feed_offline(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        let Some(resource) = self.people.get(session) else { return };
        let takes = resource.availability.priority().is_some_and(|priority| priority >= 0);
        let bare = address(resource.bare());
        let Some(offline) = turn.shard.find_mailbox(&resource.host, &bare, OFFLINE_NAME) else {
            return;
        };
        if takes && turn.shard.queue_len(offline) > 0 {
            turn.shard.feed(session, offline, OFFLINE);
        } else if !takes {
            turn.shard.starve(session, offline, OFFLINE);
        }
    }

    /// The first presence of a session (RFC 6121, section 4.2.2): it learns who is there, and who
    /// wants to see it.
    fn begin_presence(&mut self, turn: &mut Turn<'_>, session: SessionId) {
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare().to_owned();
        let mut contacts = Vec::new();
        let mut requests = Vec::new();
        for (contact, item) in roster::items(turn.shard, &own) {
            if item.to {
                contacts.push(contact.to_owned());
            }
            // RFC 6121 3.1.3: until it is answered.
            requests.extend(item.pending_in.clone());
        }
        for request in requests {
            turn.shard.transmit(session, Transient::new(request));
        }
        for contact in contacts {
            self.answer_probe(turn, session, &contact);
        }
        // RFC 6121 4.2.2: and its own other resources.
        self.answer_probe(turn, session, &own);
    }

    /// Tells a session who of an account is available. That it may know is checked, or follows
    /// from its own roster: both rosters say the same.
    pub(crate) fn answer_probe(&self, turn: &mut Turn<'_>, session: SessionId, contact: &str) {
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare();
        if own != contact && self.is_blocked(turn.shard, contact, resource.jid.as_str()) {
            return;
        }
        for other in self.people.of(contact).filter(|other| other.session != session) {
            if let Some(stanza) = other.availability.stanza() {
                turn.shard.transmit(session, addressed(stanza, resource.jid.as_str()));
            }
        }
    }

    /// Tells everybody who may see an account's presence, and its own other resources.
    pub(crate) fn tell_subscribers(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Bytes,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare().to_owned();
        let mut told: Vec<String> = vec![own.clone()];
        let items = roster::items(turn.shard, &own).filter(|(_, item)| item.from);
        told.extend(items.map(|(contact, _)| contact.to_owned()));
        for contact in told {
            self.tell_account(turn, &own, &contact, stanza);
        }
    }

    /// Shows presence to the available resources of an account.
    pub(crate) fn tell_account(
        &mut self,
        turn: &mut Turn<'_>,
        from: &str,
        contact: &str,
        stanza: &Bytes,
    ) {
        let Some(speaker) = sender(stanza) else { return };
        // XEP-0191 3.5: neither to whom one blocks nor from whom.
        if from != contact && self.is_blocked(turn.shard, contact, &speaker) {
            return;
        }
        let hears = |it: &&Resource| {
            it.availability.stanza().is_some()
                && (from == contact || !self.is_blocked(turn.shard, from, it.jid.as_str()))
        };
        let sessions: Vec<(SessionId, String)> = self
            .people
            .of(contact)
            .filter(hears)
            .map(|it| (it.session, it.jid.as_str().to_owned()))
            .collect();
        for (session, jid) in sessions {
            let transient = addressed(stanza, if from == contact { &jid } else { contact });
            self.show(turn, session, &speaker, transient);
        }
    }

    // RFC 6121 4.6.
    fn direct(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        to: &Jid,
        available: bool,
    ) {
        let Some(resource) = self.people.get_mut(session) else { return };
        let directed = &mut resource.availability.directed;
        if !available {
            directed.remove(to.as_str());
        } else if directed.len() >= DIRECTED_MAX && !directed.contains(to.as_str()) {
            return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
        } else {
            directed.insert(to.as_str().into());
        }
        self.pass_presence(turn, session, stanza, to);
    }

    /// Presence for one address, as it is.
    fn pass_presence(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        to: &Jid,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let mut out = Vec::new();
        Rewrite::new().from(resource.jid.as_str()).without_to().write(stanza, &mut out);
        let (from, stanza) = (resource.bare().to_owned(), Bytes::from(out));
        self.show_directed(turn, &from, to, &stanza);
    }

    fn show_directed(&mut self, turn: &mut Turn<'_>, from: &str, to: &Jid, stanza: &Bytes) {
        if to.is_bare() {
            return self.tell_account(turn, from, to.as_str(), stanza);
        }
        let speaker = sender(stanza);
        let speaker = speaker.as_deref().unwrap_or(from);
        let blocked = from != to.bare_str()
            && (self.is_blocked(turn.shard, from, to.as_str())
                || self.is_blocked(turn.shard, to.bare_str(), speaker));
        if let Some(session) = self.people.find(to).filter(|_| !blocked) {
            turn.shard.transmit(session, addressed(stanza, to.as_str()));
        }
    }

    /// Whoever was told of a resource by itself is told that it is gone (RFC 6121, section 4.6.3).
    /// Subscribers were told like all others, if the resource was available.
    fn tell_directed(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Bytes,
        was_available: bool,
    ) {
        let Some(resource) = self.people.get_mut(session) else { return };
        let directed = std::mem::take(&mut resource.availability.directed);
        let from = resource.bare().to_owned();
        self.tell_each(turn, &from, directed, (stanza, was_available));
    }

    fn tell_each(
        &mut self,
        turn: &mut Turn<'_>,
        from: &str,
        directed: BTreeSet<Box<str>>,
        (stanza, was_available): (&Bytes, bool),
    ) {
        for to in directed.iter().filter_map(|to| Jid::parse(to).ok()) {
            let subscribes = to.bare_str() == from
                || roster::get(turn.shard, from, to.bare_str()).is_some_and(|it| it.from);
            if !(was_available && subscribes) {
                self.show_directed(turn, from, &to, stanza);
            }
        }
    }

    /// A resource is gone; it is none of the people any more (RFC 6121, section 4.5.2).
    pub(crate) fn tell_left(&mut self, turn: &mut Turn<'_>, mut resource: Resource) {
        let directed = std::mem::take(&mut resource.availability.directed);
        let was_available = resource.availability.latest.is_some();
        if !was_available && directed.is_empty() {
            return;
        }
        let own = resource.bare();
        let stanza = unavailable(resource.jid.as_str());
        if was_available && !self.people.of(own).any(|it| it.availability.stanza().is_some()) {
            let now = Bytes::copy_from_slice(&turn.now.0.to_be_bytes());
            turn.shard.put_document(&left_key(own), Some(now));
        }
        if was_available {
            let mut told: Vec<String> = vec![own.to_owned()];
            let items = roster::items(turn.shard, own).filter(|(_, item)| item.from);
            told.extend(items.map(|(contact, _)| contact.to_owned()));
            for contact in told {
                self.tell_account(turn, own, &contact, &stanza);
            }
        }
        self.tell_each(turn, own, directed, (&stanza, was_available));
    }

    /// The presence of every available resource of an account, for one that may see it from now
    /// on (RFC 6121, section 3.1.5), or not any more.
    pub(crate) fn tell_all_presence(
        &mut self,
        turn: &mut Turn<'_>,
        of: &str,
        contact: &str,
        available: bool,
    ) {
        let stanzas: Vec<Bytes> = self
            .people
            .of(of)
            .filter_map(|resource| {
                let stanza = resource.availability.stanza()?;
                Some(if available { stanza.clone() } else { unavailable(resource.jid.as_str()) })
            })
            .collect();
        for stanza in stanzas {
            self.tell_account(turn, of, contact, &stanza);
        }
    }
}

/// Who says a presence, as its server has stamped it.
fn sender(stanza: &Bytes) -> Option<String> {
    let text = std::str::from_utf8(stanza).ok()?;
    Stanza::reread(text)?.element().attribute("from").map(|from| from.into_owned())
}

/// The priority that a presence says; `None` if it says none that is one (RFC 6121, section
/// 4.7.2.3).
fn priority(stanza: &Stanza<'_>) -> Option<i8> {
    match stanza.element().child("priority", ns::CLIENT) {
        None => Some(0),
        Some(priority) => priority.text().trim().parse().ok(),
    }
}
