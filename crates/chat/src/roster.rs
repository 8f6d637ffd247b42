//! Rosters (RFC 6121, section 2): who is in them, and how they are kept and told.

use crate::chat::{Chat, Turn};
use crate::limits::{
    REQUESTS_MAX, ROSTER_GROUPS_MAX, ROSTER_ITEMS_MAX, ROSTER_MAX_BYTES, ROSTER_NAME_MAX_BYTES,
};
use bytes::{Bytes, BytesMut};
use wharf_broker::{SessionId, Shard};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Stanza, StanzaCondition, StanzaError};
use wharf_xmpp::xml::{Element, element, text};

/// The namespace of rosters.
pub(crate) const ROSTER: &str = "jabber:iq:roster";

/// What is known of a contact.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Item {
    /// It is in the roster; otherwise there is a request of it and nothing else.
    pub(crate) listed: bool,
    /// The user may see the contact's presence.
    pub(crate) to: bool,
    /// The contact may see the user's.
    pub(crate) from: bool,
    /// The user has asked, and the contact has not answered.
    pub(crate) ask: bool,
    /// The contact may see the user's presence as soon as it asks.
    pub(crate) approved: bool,
    /// The contact has asked, with this stanza.
    pub(crate) pending_in: Option<Bytes>,
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// What a roster shows of the state of a subscription.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Shown {
    listed: bool,
    to: bool,
    from: bool,
    ask: bool,
    approved: bool,
}

impl Item {
    pub(crate) fn shown(&self) -> Shown {
        let Self { listed, to, from, ask, approved, .. } = *self;
        Shown { listed, to, from, ask, approved }
    }

    /// Nothing is worth keeping.
    fn is_empty(&self) -> bool {
        !self.listed && self.pending_in.is_none()
    }

    // RFC 6121 2.1.2.
    fn write(&self, out: &mut Vec<u8>, contact: &str) {
        let subscription = match (self.to, self.from) {
            (false, false) => "none",
            (true, false) => "to",
            (false, true) => "from",
            (true, true) => "both",
        };
        let mut attributes = vec![("jid", contact), ("subscription", subscription)];
        if self.ask {
            attributes.push(("ask", "subscribe"));
        }
        if self.approved {
            attributes.push(("approved", "true"));
        }
        if !self.name.is_empty() {
            attributes.push(("name", &self.name));
        }
        element(out, "item", &attributes, |out| {
            for group in &self.groups {
                element(out, "group", &[], |out| text(out, group));
            }
        });
    }

    fn encode(&self) -> Bytes {
        let flags = [self.listed, self.to, self.from, self.ask, self.approved];
        let flags = flags.iter().rev().fold(0u8, |sum, flag| sum << 1 | u8::from(*flag));
        let mut out = BytesMut::new();
        out.extend_from_slice(&[flags]);
        put(&mut out, self.name.as_bytes());
        put(&mut out, self.pending_in.as_deref().unwrap_or_default());
        for group in &self.groups {
            put(&mut out, group.as_bytes());
        }
        return out.freeze();

        fn put(out: &mut BytesMut, part: &[u8]) {
            let len = u32::try_from(part.len()).unwrap_or(0);
            out.extend_from_slice(&len.to_be_bytes());
            if len > 0 {
                out.extend_from_slice(part);
            }
        }
    }

    fn decode(document: &Bytes) -> Self {
        let flags = document.first().copied().unwrap_or(0);
        let mut rest = document.slice(1.min(document.len())..);
        let mut next = || -> Option<Bytes> {
            let (len, _) = rest.split_first_chunk::<4>()?;
            let end = (u32::from_be_bytes(*len) as usize).saturating_add(4);
            if end > rest.len() {
                return None;
            }
            let mut part = rest.split_to(end);
            Some(part.split_off(4))
        };
        let string = |part: Bytes| String::from_utf8_lossy(&part).into_owned();
        let name = next().map(string).unwrap_or_default();
        let pending_in = next().filter(|stanza| !stanza.is_empty());
        Self {
            listed: flags & 1 != 0,
            to: flags & 2 != 0,
            from: flags & 4 != 0,
            ask: flags & 8 != 0,
            approved: flags & 16 != 0,
            pending_in,
            name,
            groups: std::iter::from_fn(next).map(string).collect(),
        }
    }
}

fn prefix(own: &str) -> String {
    format!("roster/{own}/")
}

/// What is known of one contact.
pub(crate) fn get(shard: &Shard, own: &str, contact: &str) -> Option<Item> {
    shard.document(&format!("roster/{own}/{contact}")).map(Item::decode)
}

/// Every contact of an account, those that have only asked among them.
pub(crate) fn items<'a>(
    shard: &'a Shard,
    own: &str,
) -> impl Iterator<Item = (&'a str, Item)> + use<'a> {
    let prefix = prefix(own);
    let found = shard.documents(&prefix);
    found.filter_map(move |(key, document)| {
        Some((key.strip_prefix(&*prefix)?, Item::decode(document)))
    })
}

/// Every account that knows something of a contact.
pub(crate) fn knowing(shard: &Shard, contact: &str) -> Vec<String> {
    let owner = |(key, _): (&str, &Bytes)| {
        let (own, other) = key.strip_prefix("roster/")?.split_once('/')?;
        (other == contact).then(|| own.to_owned())
    };
    shard.documents("roster/").filter_map(owner).collect()
}

/// Writes an item down, or forgets it when there is nothing to it.
pub(crate) fn put(shard: &mut Shard, own: &str, contact: &str, item: &Item) {
    let key = format!("roster/{own}/{contact}");
    shard.put_document(&key, (!item.is_empty()).then(|| item.encode()));
}

/// Whether an account may have one more contact.
pub(crate) fn has_room(shard: &Shard, own: &str) -> bool {
    let (mut count, mut bytes) = (0usize, 0usize);
    for (key, document) in shard.documents(&prefix(own)) {
        count = count.saturating_add(1);
        bytes = bytes.saturating_add(key.len()).saturating_add(document.len());
    }
    count < ROSTER_ITEMS_MAX && bytes < ROSTER_MAX_BYTES
}

/// Whether one more request may wait for an account's answer (RFC 6121, section 3.1.3).
pub(crate) fn may_ask(shard: &Shard, own: &str) -> bool {
    let waiting = items(shard, own).filter(|(_, item)| item.pending_in.is_some());
    waiting.count() < REQUESTS_MAX && has_room(shard, own)
}

fn version_key(own: &str) -> String {
    format!("roster-version/{own}")
}

/// The version of a roster (RFC 6121, section 2.6): counted from 1.
fn version(shard: &Shard, own: &str) -> u64 {
    let document = shard.document(&version_key(own));
    let octets = document.and_then(|document| document.first_chunk::<8>());
    octets.map_or(1, |octets| u64::from_be_bytes(*octets))
}

/// A change: the roster has another version from now on.
pub(crate) fn next_version(shard: &mut Shard, own: &str) {
    let next = version(shard, own).saturating_add(1);
    shard.put_document(&version_key(own), Some(Bytes::copy_from_slice(&next.to_be_bytes())));
}

impl Chat {
    /// A request about the roster of the account that asks.
    pub(crate) fn roster(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        query: &Element<'_>,
    ) {
        if stanza.iq_type() == Some(IqType::Get) {
            return self.tell_roster(turn, session, stanza, query);
        }
        if let Err(error) = self.change_roster(turn, session, query) {
            return self.refuse(turn, session, stanza, error);
        }
        self.answer(turn, session, stanza, |_| {});
    }

    // RFC 6121 2.1.3, 2.6.2.
    fn tell_roster(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        query: &Element<'_>,
    ) {
        let Some(resource) = self.people.get_mut(session) else { return };
        resource.interested = true;
        let own = resource.bare().to_owned();
        self.remember(turn, session);
        let current = version(turn.shard, &own).to_string();
        let known = query.attribute("ver");
        if known.as_deref() == Some(&*current) {
            return self.answer(turn, session, stanza, |_| {});
        }
        let mut attributes = vec![("xmlns", ROSTER)];
        attributes.extend(known.is_some().then_some(("ver", current.as_str())));
        let mut payload = Vec::new();
        element(&mut payload, "query", &attributes, |out| {
            let listed = items(turn.shard, &own).filter(|(_, item)| item.listed);
            listed.for_each(|(contact, item)| item.write(out, contact));
        });
        self.answer(turn, session, stanza, |out| out.extend_from_slice(&payload));
    }

    // RFC 6121 2.3, 2.4, 2.5.
    fn change_roster(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        query: &Element<'_>,
    ) -> Result<(), StanzaError> {
        let Some(resource) = self.people.get(session) else { return Ok(()) };
        let own = resource.bare().to_owned();
        let mut children = query.children();
        let asked = children.next().filter(|item| item.is("item", ROSTER));
        // RFC 6121 2.3.3: one item, with an address.
        let (Some(asked), None) = (asked, children.next()) else {
            return Err(StanzaCondition::BadRequest.into());
        };
        let jid = asked.attribute("jid").map(|jid| Jid::parse(&jid));
        let Some(Ok(jid)) = jid else { return Err(StanzaCondition::BadRequest.into()) };
        let contact = jid.bare();
        if contact.as_str() == own {
            return Err(StanzaCondition::NotAllowed.into());
        }
        let known = get(turn.shard, &own, contact.as_str()).filter(|item| item.listed);
        if asked.attribute("subscription").as_deref() == Some("remove") {
            // RFC 6121 2.5.3.
            if known.is_none() {
                return Err(StanzaCondition::ItemNotFound.into());
            }
            self.part(turn, &own, &contact);
            return self.drop_item(turn, &own, contact.as_str());
        }
        let mut item = get(turn.shard, &own, contact.as_str()).unwrap_or_default();
        if known.is_none() && !has_room(turn.shard, &own) {
            return Err(StanzaCondition::ResourceConstraint.into());
        }
        (item.name, item.groups) = labels(&asked)?;
        item.listed = true;
        next_version(turn.shard, &own);
        put(turn.shard, &own, contact.as_str(), &item);
        self.push_item(turn, &own, contact.as_str(), &item);
        Ok(())
    }

    fn drop_item(
        &mut self,
        turn: &mut Turn<'_>,
        own: &str,
        contact: &str,
    ) -> Result<(), StanzaError> {
        next_version(turn.shard, own);
        put(turn.shard, own, contact, &Item::default());
        self.push(turn, own, |out| {
            element(out, "item", &[("jid", contact), ("subscription", "remove")], |_| {});
        });
        Ok(())
    }

    // RFC 6121 2.1.6.
    pub(crate) fn push_item(&self, turn: &mut Turn<'_>, own: &str, contact: &str, item: &Item) {
        if item.listed {
            self.push(turn, own, |out| item.write(out, contact));
        }
    }

    fn push(&self, turn: &mut Turn<'_>, own: &str, item: impl Fn(&mut Vec<u8>)) {
        let version = version(turn.shard, own).to_string();
        let interested = self.people.of(own).filter(|resource| resource.interested);
        let told: Vec<(SessionId, String)> =
            interested.map(|it| (it.session, it.jid.as_str().to_owned())).collect();
        for (session, jid) in told {
            let id = format!("push-{version}");
            let attributes = [("xmlns", ns::CLIENT), ("type", "set"), ("id", &id), ("to", &jid)];
            let mut out = Vec::new();
            element(&mut out, "iq", &attributes, |out| {
                element(out, "query", &[("xmlns", ROSTER), ("ver", &version)], &item);
            });
            turn.transmit(session, out);
        }
    }
}

/// Name and groups of an item, within their bounds.
// RFC 6121 2.3.3.
fn labels(item: &Element<'_>) -> Result<(String, Vec<String>), StanzaError> {
    let name = item.attribute("name").unwrap_or_default().into_owned();
    if name.len() > ROSTER_NAME_MAX_BYTES {
        return Err(StanzaCondition::NotAcceptable.into());
    }
    let mut groups: Vec<String> = Vec::new();
    for group in item.children().filter(|child| child.is("group", ROSTER)) {
        let group = group.text().into_owned();
        if group.is_empty() || group.len() > ROSTER_NAME_MAX_BYTES {
            return Err(StanzaCondition::NotAcceptable.into());
        }
        if groups.contains(&group) {
            return Err(StanzaCondition::BadRequest.into());
        }
        groups.push(group);
        if groups.len() > ROSTER_GROUPS_MAX {
            return Err(StanzaCondition::NotAcceptable.into());
        }
    }
    Ok((name, groups))
}
