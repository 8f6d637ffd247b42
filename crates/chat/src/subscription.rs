//! The states of a subscription, and what changes them (RFC 6121, section 3 and appendix A).

use crate::chat::{Chat, Turn};
use crate::limits::REQUEST_MAX_BYTES;
use crate::roster::{self, Item};
use bytes::Bytes;
use wharf_broker::{SessionId, Transient};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{Rewrite, Stanza, StanzaCondition};
use wharf_xmpp::xml::element;

/// What is said about a subscription.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
}

impl Act {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "subscribe" => Self::Subscribe,
            "subscribed" => Self::Subscribed,
            "unsubscribe" => Self::Unsubscribe,
            "unsubscribed" => Self::Unsubscribed,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Subscribed => "subscribed",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// What follows for whoever says it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Said {
    /// The contact is told.
    pub(crate) routed: bool,
    /// The roster shows something else than before.
    pub(crate) pushed: bool,
}

/// What follows for whom it is said to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Heard {
    /// The resources are told.
    pub(crate) delivered: bool,
    /// The roster shows something else than before.
    pub(crate) pushed: bool,
    /// It is granted at once.
    pub(crate) granted: bool,
}

/// The user says it (RFC 6121, A.2).
pub(crate) fn say(item: &mut Item, act: Act) -> Said {
    let before = item.shown();
    let mut routed = true;
    match act {
        Act::Subscribe => {
            item.listed = true;
            item.ask = !item.to;
        }
        Act::Unsubscribe => (item.to, item.ask) = (false, false),
        Act::Subscribed if item.pending_in.take().is_some() => {
            item.from = true;
            item.listed = true;
        }
        // RFC 6121 3.4: ahead of a request.
        Act::Subscribed => {
            routed = false;
            if !item.from {
                item.approved = true;
                item.listed = true;
            }
        }
        Act::Unsubscribed => {
            routed = item.from || item.pending_in.is_some();
            item.from = false;
            item.approved = false;
            item.pending_in = None;
        }
    }
    Said { routed, pushed: item.shown() != before }
}

/// The contact says it (RFC 6121, A.3). `request` is the stanza, kept until it is answered.
pub(crate) fn hear(item: &mut Item, act: Act, request: &Bytes) -> Heard {
    let before = item.shown();
    let mut heard = Heard::default();
    match act {
        Act::Subscribe if item.from => heard.granted = true,
        // RFC 6121 3.4.2.
        Act::Subscribe if item.approved => {
            (item.from, item.approved) = (true, false);
            heard.granted = true;
        }
        Act::Subscribe => {
            heard.delivered = item.pending_in.is_none();
            item.pending_in = Some(request.clone());
        }
        Act::Unsubscribe => {
            heard.delivered = item.from || item.pending_in.is_some();
            item.from = false;
            item.pending_in = None;
        }
        Act::Subscribed => {
            heard.delivered = item.ask;
            if item.ask {
                (item.to, item.ask) = (true, false);
            }
        }
        Act::Unsubscribed => {
            heard.delivered = item.to || item.ask;
            (item.to, item.ask) = (false, false);
        }
    }
    heard.pushed = item.shown() != before;
    heard
}

/// A stanza about a subscription, without anything in it.
pub(crate) fn plain(from: &str, to: &str, act: Act) -> Bytes {
    let mut out = Vec::new();
    let attributes = [("xmlns", ns::CLIENT), ("from", from), ("to", to), ("type", act.name())];
    element(&mut out, "presence", &attributes, |_| {});
    out.into()
}

impl Chat {
    // RFC 6121 3.1 to 3.4: stamped with the address of the account, for that of the contact.
    pub(crate) fn subscription(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        to: &Jid,
    ) {
        let act = stanza.type_name().and_then(|name| Act::from_name(&name));
        let (Some(act), Some(resource)) = (act, self.people.get(session)) else { return };
        let own = resource.bare().to_owned();
        if own == to.as_str() {
            return;
        }
        if act == Act::Subscribe && !self.is_host(to.domain()) {
            let condition = self.missing(to);
            return self.refuse(turn, session, stanza, condition);
        }
        if roster::get(turn.shard, &own, to.as_str()).is_none()
            && !roster::has_room(turn.shard, &own)
        {
            return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
        }
        let mut out = Vec::new();
        Rewrite::new().from(&own).to(to.as_str()).write(stanza, &mut out);
        // It is kept until it is answered: what is long loses its words.
        let fits = out.len() <= REQUEST_MAX_BYTES;
        let stanza = if fits { Bytes::from(out) } else { plain(&own, to.as_str(), act) };
        self.act(turn, &own, to, act, stanza);
    }

    /// One account says something to another about its subscription.
    pub(crate) fn act(
        &mut self,
        turn: &mut Turn<'_>,
        own: &str,
        to: &Jid,
        act: Act,
        stanza: Bytes,
    ) {
        let contact = to.as_str();
        let mut item = roster::get(turn.shard, own, contact).unwrap_or_default();
        let was_from = item.from;
        let said = say(&mut item, act);
        if was_from && !item.from {
            // RFC 6121 3.2.2: while the contact may still see it.
            self.tell_all_presence(turn, own, contact, false);
        }
        self.keep(turn, own, contact, &item, said.pushed);
        // RFC 6121 3.1.2: that it is asked for is told before an answer that is given at once.
        let first = said.pushed && act == Act::Subscribe;
        if first {
            self.push_item(turn, own, contact, &item);
        }
        // RFC 6121 8.5.1: to nobody, nothing.
        if said.routed && self.user_of(turn.shard, to).is_some() {
            self.hear_act(turn, own, to, act, &stanza);
        }
        // RFC 6121 3.1.5, 3.2.2, 3.3.2: the rest is told after it.
        if said.pushed && !first {
            self.push_item(turn, own, contact, &item);
        }
        if item.from && !was_from {
            // RFC 6121 3.1.5.
            self.tell_all_presence(turn, own, contact, true);
        }
    }

    fn hear_act(&mut self, turn: &mut Turn<'_>, from: &str, to: &Jid, act: Act, stanza: &Bytes) {
        let to = to.as_str();
        if self.is_blocked(turn.shard, to, from) {
            return;
        }
        let mut item = roster::get(turn.shard, to, from).unwrap_or_default();
        let was_from = item.from;
        let heard = hear(&mut item, act, stanza);
        if heard.delivered && act == Act::Subscribe && !roster::may_ask(turn.shard, to) {
            return;
        }
        self.keep(turn, to, from, &item, heard.pushed);
        // RFC 6121 3.1.6, 3.2.3, 3.3.3: it must come before the push.
        if heard.delivered {
            self.deliver_act(turn, to, act, stanza);
        }
        if heard.pushed {
            self.push_item(turn, to, from, &item);
        }
        if was_from && !item.from {
            // RFC 6121 3.3.3.
            self.tell_all_presence(turn, to, from, false);
        }
        if heard.granted {
            // RFC 6121 3.1.3: in the name of the contact.
            self.grant(turn, from, to);
        }
    }

    fn grant(&mut self, turn: &mut Turn<'_>, from: &str, to: &str) {
        let stanza = plain(to, from, Act::Subscribed);
        let mut item = roster::get(turn.shard, from, to).unwrap_or_default();
        let heard = hear(&mut item, Act::Subscribed, &stanza);
        self.keep(turn, from, to, &item, heard.pushed);
        if heard.delivered {
            self.deliver_act(turn, from, Act::Subscribed, &stanza);
        }
        if heard.pushed {
            self.push_item(turn, from, to, &item);
        }
        self.tell_all_presence(turn, to, from, true);
    }

    /// To those who would act on it: requests to whoever is available, the rest to whoever has
    /// the roster (RFC 6121, sections 3.1.3, 3.1.6).
    pub(crate) fn deliver_act(&self, turn: &mut Turn<'_>, to: &str, act: Act, stanza: &Bytes) {
        let resources = self.people.of(to).filter(|resource| match act {
            Act::Subscribe => resource.availability.stanza().is_some(),
            _ => resource.interested,
        });
        let sessions: Vec<SessionId> = resources.map(|resource| resource.session).collect();
        for session in sessions {
            turn.shard.transmit(session, Transient::new(stanza.clone()));
        }
    }

    /// Writes an item down; if the roster shows something else then, it has another version.
    pub(crate) fn keep(
        &self,
        turn: &mut Turn<'_>,
        own: &str,
        contact: &str,
        item: &Item,
        pushed: bool,
    ) {
        if pushed {
            roster::next_version(turn.shard, own);
        }
        roster::put(turn.shard, own, contact, item);
    }

    /// Both ends of a subscription that is to be no more (RFC 6121, section 2.5.3).
    pub(crate) fn part(&mut self, turn: &mut Turn<'_>, own: &str, contact: &Jid) {
        let Some(item) = roster::get(turn.shard, own, contact.as_str()) else { return };
        let said = [
            (item.to || item.ask, Act::Unsubscribe),
            (item.from || item.pending_in.is_some(), Act::Unsubscribed),
        ];
        for act in said.into_iter().filter(|(said, _)| *said).map(|(_, act)| act) {
            let stanza = plain(own, contact.as_str(), act);
            let mut item = roster::get(turn.shard, own, contact.as_str()).unwrap_or_default();
            let was_from = item.from;
            say(&mut item, act);
            if was_from && !item.from {
                self.tell_all_presence(turn, own, contact.as_str(), false);
            }
            roster::put(turn.shard, own, contact.as_str(), &item);
            if self.user_of(turn.shard, contact).is_some() {
                self.hear_act(turn, own, contact, act, &stanza);
            }
        }
    }
}
