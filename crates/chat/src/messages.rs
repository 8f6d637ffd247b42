//! Where messages go, by their type and address (RFC 6121, sections 5 and 8).

use crate::binding::address;
use crate::chat::{Chat, Turn};
use crate::leaving::OFFLINE_NAME;
use crate::stored::{XMPP, XMPP_COPY, message, with_head};
use bytes::Bytes;
use std::sync::Arc;
use wharf_broker::{
    Command, ConnectionId, DeathReason, Input, Message, QueueId, Right, SessionId, Unroutable,
};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{Rewrite, Stanza, StanzaCondition, write_error};
use wharf_xmpp::xml::{Element, element};

/// Stable names of stanzas (XEP-0359).
const SID: &str = "urn:xmpp:sid:0";

/// What a client of another protocol sends to people.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) people: Vec<Jid>,
    pub(crate) stanza: Bytes,
    pub(crate) rest: Option<(Arc<[String]>, Message)>,
    pub(crate) unroutable: Unroutable,
}

/// The type of a message (RFC 6121, section 5.2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MessageType {
    Chat,
    Error,
    Groupchat,
    Headline,
    Normal,
}

impl MessageType {
    // RFC 6121 5.2.2: what is not known is normal.
    pub(crate) fn of(stanza: &Stanza<'_>) -> Self {
        match stanza.type_name().as_deref() {
            Some("chat") => Self::Chat,
            Some("error") => Self::Error,
            Some("groupchat") => Self::Groupchat,
            Some("headline") => Self::Headline,
            _ => Self::Normal,
        }
    }
}

/// Who says something.
#[derive(Clone, Debug)]
pub(crate) struct Speaker {
    /// The address that the recipient sees.
    pub(crate) jid: Jid,
    pub(crate) user: Arc<str>,
    /// The resource, if it is one.
    pub(crate) session: Option<SessionId>,
}

/// Where a message for an account goes.
#[derive(Debug, Default)]
struct Route {
    inboxes: Vec<QueueId>,
    /// It waits for somebody to come.
    waits: bool,
}

impl Chat {
    pub(crate) fn message(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        to: &Jid,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let speaker = Speaker {
            jid: resource.jid.clone(),
            user: Arc::clone(&resource.user),
            session: Some(session),
        };
        if let Err(condition) = self.say(turn, &speaker, stanza, to) {
            self.refuse_message(turn, session, stanza, condition);
        }
    }

    /// Messages of other protocols, to people and perhaps to other addresses too.
    pub(crate) fn send(
        &mut self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        seq: u64,
        sent: Sent,
    ) {
        let Sent { people, stanza, rest, unroutable } = sent;
        let session = turn.shard.session_of(connection);
        let key = session.and_then(|session| turn.shard.session_key(session)).cloned();
        let Some(key) = key else { return };
        match rest {
            Some((to, message)) => {
                let before = turn.shard.is_next_in(connection, seq);
                let publish = Command::Publish { seq, to, message, unroutable };
                turn.shard.handle(turn.now, Input::Command(connection, publish));
                if !before {
                    return;
                }
            }
            None if !turn.shard.take_in(connection, seq) => return,
            None => {}
        }
        let Ok(text) = std::str::from_utf8(&stanza) else { return };
        let Ok(stanza) = Stanza::parse(text, &self.config.xml) else {
            return turn.shard.decline(connection, seq, DeathReason::InvalidAddress);
        };
        let jid = stanza.from().ok().flatten();
        let jid = jid.or_else(|| Jid::of_user(&key.user, &key.host).ok());
        let Some(jid) = jid else { return };
        let speaker = Speaker { jid, user: Arc::from(key.user), session: None };
        for person in &people {
            if let Err(condition) = self.say(turn, &speaker, &stanza, person) {
                let reason = match condition {
                    StanzaCondition::Forbidden => DeathReason::NotPermitted,
                    _ => DeathReason::UnknownAddress,
                };
                turn.shard.decline(connection, seq, reason);
            }
        }
    }

    /// Puts a message where it goes.
    fn say(
        &mut self,
        turn: &mut Turn<'_>,
        speaker: &Speaker,
        stanza: &Stanza<'_>,
        to: &Jid,
    ) -> Result<(), StanzaCondition> {
        if !self.is_host(to.domain()) {
            return Err(self.missing(to));
        }
        if to.local().is_none() {
            // RFC 6120 10.5.2: the server itself reads no messages.
            return Err(Self::unavailable());
        }
        // RFC 6121 8.5.1.
        if !self.has_account(turn.shard, to) {
            return Err(Self::unavailable());
        }
        let bare = to.bare_str();
        if !turn.shard.user_permits(&speaker.user, Right::Send, to.domain(), &address(bare)) {
            return Err(StanzaCondition::Forbidden);
        }
        self.check_blocked(turn, speaker, to)?;
        let kind = MessageType::of(stanza);
        let route = self.way(to, kind)?;
        self.put(turn, speaker, stanza, to, kind, route)
    }

    /// What is not here: another server, or a component that does not exist.
    pub(crate) fn missing(&self, to: &Jid) -> StanzaCondition {
        let below = |host: &String| {
            to.domain().strip_suffix(host.as_str()).is_some_and(|name| name.ends_with('.'))
        };
        if self.config.hosts.iter().any(below) {
            StanzaCondition::ItemNotFound
        } else {
            StanzaCondition::RemoteServerNotFound
        }
    }

    // RFC 6121 8.5.2, 8.5.3.
    fn way(&self, to: &Jid, kind: MessageType) -> Result<Route, StanzaCondition> {
        let inbox = self.people.find(to).and_then(|session| self.people.get(session));
        if let Some(resource) = inbox {
            // RFC 6121 8.5.3.1: whatever its type.
            return Ok(Route { inboxes: vec![resource.inbox], waits: false });
        }
        let is_full = !to.is_bare();
        let receiving = || self.receiving_inboxes(to.bare_str());
        Ok(match kind {
            // RFC 6121 8.5.2.1.1, 8.5.2.2.1, 8.5.3.2.1.
            MessageType::Chat | MessageType::Normal => {
                let inboxes = receiving();
                let waits = inboxes.is_empty();
                Route { inboxes, waits }
            }
            MessageType::Headline if is_full => Route::default(),
            MessageType::Headline => Route { inboxes: receiving(), waits: false },
            MessageType::Groupchat => return Err(Self::unavailable()),
            // It is an answer to something that nobody remembers.
            MessageType::Error => Route::default(),
        })
    }

    /// The inboxes of the resources of an account that take messages for all of them.
    pub(crate) fn receiving_inboxes(&self, bare: &str) -> Vec<QueueId> {
        let receives = |priority: i8| priority >= 0;
        let resources = self.people.of(bare);
        let resources = resources.filter(|it| it.availability.priority().is_some_and(receives));
        resources.map(|resource| resource.inbox).collect()
    }

    /// Writes a message into mailboxes and archives.
    fn put(
        &mut self,
        turn: &mut Turn<'_>,
        speaker: &Speaker,
        stanza: &Stanza<'_>,
        to: &Jid,
        kind: MessageType,
        route: Route,
    ) -> Result<(), StanzaCondition> {
        let Route { inboxes, waits } = route;
        let worth = Worth::of(stanza, kind);
        let mut boxes: Vec<(QueueId, Option<Bytes>)> =
            inboxes.iter().map(|inbox| (*inbox, None)).collect();
        if waits && worth.waits {
            let (name, bare) = (OFFLINE_NAME, address(to.bare_str()));
            let offline = turn.shard.make_mailbox(to.domain(), &bare, name);
            // XEP-0160 3.
            if turn.shard.queue_len(offline) >= self.config.offline_messages_max {
                return Err(Self::unavailable());
            }
            boxes.push((offline, None));
        }
        let name = self.names.next(turn.now);
        let archived = worth.archived && self.archive(turn, speaker, to, name, &mut boxes);
        let format = if kind == MessageType::Headline { XMPP_COPY } else { XMPP };
        let body = self.write_for(speaker, stanza, to, archived.then_some(name));
        if worth.copied {
            self.make_carbons(turn, speaker, to, &inboxes, (name, &body));
        }
        if !boxes.is_empty() {
            self.flush_held(turn, &inboxes);
            turn.shard.post(&boxes, &message(format, name, body));
            self.trim_archives(turn, &boxes);
        }
        Ok(())
    }

    /// The stanza as its recipient gets it, behind room for its head.
    // RFC 6120 8.1.2.1, XEP-0359 3: whoever says that this server has named it is wrong.
    fn write_for(
        &self,
        speaker: &Speaker,
        stanza: &Stanza<'_>,
        to: &Jid,
        name: Option<u64>,
    ) -> Vec<u8> {
        let ours = |child: &Element<'_>| {
            child.is("stanza-id", SID)
                && child
                    .attribute("by")
                    .is_some_and(|by| Jid::parse(&by).is_ok_and(|by| by.domain() == to.domain()))
        };
        let mut stamp = Vec::new();
        if let Some(name) = name {
            let id = name.to_string();
            let attributes = [("xmlns", SID), ("by", to.bare_str()), ("id", id.as_str())];
            element(&mut stamp, "stanza-id", &attributes, |_| {});
        }
        let mut out = with_head(stanza.raw().len().saturating_add(stamp.len()).saturating_add(64));
        let mut rewrite = Rewrite::new().from(speaker.jid.as_str()).append(&stamp);
        if stanza.element().attribute("to").is_none() {
            rewrite = rewrite.to(to.as_str());
        }
        if stanza.raw().contains(SID) {
            rewrite = rewrite.without(&ours);
            rewrite.write(stanza, &mut out);
        } else {
            rewrite.write(stanza, &mut out);
        }
        out
    }

    /// Refuses a message, or what is for somebody whom its sender blocks.
    pub(crate) fn refuse_message(
        &self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        condition: StanzaCondition,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let from = stanza.element().attribute("to");
        let mut out = Vec::new();
        let (to, error) = (Some(resource.jid.as_str()), condition.into());
        if write_error(stanza, from.as_deref(), to, &error, &mut out) {
            if condition == StanzaCondition::NotAcceptable {
                crate::blocking::say_why(&mut out);
            }
            turn.transmit(session, out);
        }
    }
}

/// What a message is worth keeping for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worth {
    /// It waits for somebody who is away.
    pub(crate) waits: bool,
    /// It goes into archives.
    pub(crate) archived: bool,
    /// The other resources of both accounts get copies.
    pub(crate) copied: bool,
}

impl Worth {
    // XEP-0160 3, XEP-0280 6, XEP-0313 5.1.3, XEP-0334 4.
    pub(crate) fn of(stanza: &Stanza<'_>, kind: MessageType) -> Self {
        const HINTS: &str = "urn:xmpp:hints";
        const RECEIPTS: &str = "urn:xmpp:receipts";
        let (mut has_body, mut store, mut no_store, mut no_permanent, mut no_copy) =
            (false, false, false, false, false);
        for child in stanza.element().children() {
            match (child.name(), child.namespace()) {
                ("body" | "encrypted", _) => has_body = true,
                ("store", HINTS) | ("received", RECEIPTS) => store = true,
                ("no-store", HINTS) => no_store = true,
                ("no-permanent-store", HINTS) => no_permanent = true,
                ("no-copy", HINTS) | ("private", ns::CARBONS) => no_copy = true,
                _ => {}
            }
        }
        let keeps = matches!(kind, MessageType::Chat | MessageType::Normal);
        let worthy = keeps && (has_body || store) && !no_store;
        let talk = kind == MessageType::Chat || (kind == MessageType::Normal && worthy);
        Self { waits: worthy, archived: worthy && !no_permanent, copied: talk && !no_copy }
    }
}
