//! Requests: to another resource, or to an account or the server, which answer them here.
//!
//! | module | what it answers |
//! |---|---|
//! | `disco` | what is here, and what it can do (XEP-0030, XEP-0115) |
//! | `facts` | pings, versions, times, last activity |
//! | `storage` | private documents and vCards |
//! | `register` | accounts of people (XEP-0077) |
//! | `admin` | commands of administrators (XEP-0050, XEP-0133) |

mod admin;
mod disco;
mod facts;
mod register;
mod storage;

pub use disco::stream_features;
pub(crate) use facts::left_key;

use crate::chat::{Chat, Turn};
use crate::command::{Answer, RequestId};
use crate::{archive, blocking, carbons, roster};
use admin::AdHoc;
use bytes::Bytes;
use register::{Pending, Who};
use std::collections::BTreeMap;
use std::sync::Arc;
use wharf_broker::{Right, SessionId, Timestamp};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Rewrite, Stanza, StanzaCondition};
use wharf_xmpp::xml::Element;

/// The address that administrators may manage.
const ADMINISTRATION: &str = "wharf/administration";

/// What services remember that is not durable.
#[derive(Debug)]
pub(crate) struct Services {
    started: Timestamp,
    requests_made: u64,
    pending: BTreeMap<RequestId, Pending>,
    adhoc: AdHoc,
    pub(crate) archives: archive::Archives,
    pub(crate) held: crate::csi::Held,
    pub(crate) blockers: blocking::Blockers,
}

impl Services {
    pub(crate) fn new(started: Timestamp) -> Self {
        Self {
            started,
            requests_made: 0,
            pending: BTreeMap::new(),
            adhoc: AdHoc::default(),
            archives: archive::Archives::default(),
            held: crate::csi::Held::default(),
            blockers: blocking::Blockers::default(),
        }
    }
}

/// A request, and who asks.
#[derive(Clone, Copy, Debug)]
struct Asked<'s, 'x> {
    session: SessionId,
    stanza: &'s Stanza<'x>,
    payload: &'s Element<'x>,
}

impl Asked<'_, '_> {
    fn is_get(&self) -> bool {
        self.stanza.iq_type() == Some(IqType::Get)
    }
}

impl Chat {
    pub(crate) fn iq(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        to: &Jid,
    ) {
        let is_request = stanza.iq_type().is_some_and(IqType::is_request);
        let Some(resource) = self.people.get(session) else { return };
        let own = to.as_str() == resource.bare();
        if !self.is_host(to.domain()) && !self.is_queues(to) {
            let condition = self.missing(to);
            return self.refuse(turn, session, stanza, condition);
        }
        if to.local().is_some() && !to.is_bare() && !self.is_queues(to) {
            return self.pass_iq(turn, session, stanza, to);
        }
        if !is_request {
            // RFC 6120 8.2.3: an answer to a question of ours; there is nothing to be done.
            return;
        }
        let Some(payload) = stanza.payload() else { return };
        let asked = Asked { session, stanza, payload: &payload };
        if own {
            self.ask_own(turn, asked);
        } else if to.local().is_some() {
            self.ask_account(turn, asked, to);
        } else {
            self.ask_server(turn, asked, to);
        }
    }

    /// Whether an address is one of queues and topics.
    fn is_queues(&self, to: &Jid) -> bool {
        to.domain().strip_prefix("mq.").is_some_and(|host| self.is_host(host))
    }

    // RFC 6121 8.5.3.1, 8.5.3.2.3.
    fn pass_iq(&mut self, turn: &mut Turn<'_>, session: SessionId, stanza: &Stanza<'_>, to: &Jid) {
        let Some(resource) = self.people.get(session) else { return };
        let blocked = resource.bare() != to.bare_str()
            && self.is_blocked(turn.shard, to.bare_str(), resource.jid.as_str());
        let target = self.people.find(to).filter(|_| !blocked);
        let Some(target) = target else {
            return self.refuse(turn, session, stanza, Self::unavailable());
        };
        let mut out = Vec::with_capacity(stanza.raw().len().saturating_add(64));
        Rewrite::new().from(resource.jid.as_str()).write(stanza, &mut out);
        turn.transmit(target, out);
    }

    /// What an account is asked by its own resources.
    fn ask_own(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        let Asked { session, stanza, payload } = asked;
        match (payload.name(), payload.namespace()) {
            ("query", roster::ROSTER) => self.roster(turn, session, stanza, payload),
            ("blocklist" | "block" | "unblock", blocking::BLOCKING) => {
                self.blocking(turn, session, stanza, payload);
            }
            ("enable" | "disable", ns::CARBONS) => {
                carbons::set(self, turn, session, payload.name() == "enable");
                self.answer(turn, session, stanza, |_| {});
            }
            ("query" | "prefs" | "metadata", archive::MAM) => {
                self.ask_archive(turn, session, stanza, payload);
            }
            ("query", storage::PRIVATE) => self.private(turn, asked),
            ("vCard", storage::VCARD) => self.vcard(turn, asked, None),
            ("query", disco::INFO) => self.account_info(turn, asked, true),
            ("query", disco::ITEMS) => self.account_items(turn, asked),
            ("session", ns::SESSION) => self.answer(turn, session, stanza, |_| {}),
            ("query", facts::LAST) => self.last_own(turn, asked),
            _ => self.ask_facts(turn, asked),
        }
    }

    /// What an account is asked by others.
    fn ask_account(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, to: &Jid) {
        let Asked { session, stanza, payload } = asked;
        let Some(resource) = self.people.get(session) else { return };
        let known = self.user_of(turn.shard, to).is_some();
        // RFC 6121 8.5.1; XEP-0191 3.3: who is blocked sees nobody.
        if !known || self.is_blocked(turn.shard, to.as_str(), resource.jid.as_str()) {
            return self.refuse(turn, session, stanza, Self::unavailable());
        }
        match (payload.name(), payload.namespace()) {
            // RFC 6121 2.1.5, 2.3.3: a roster is its owner's.
            ("query", roster::ROSTER) => {
                self.refuse(turn, session, stanza, StanzaCondition::Forbidden);
            }
            ("vCard", storage::VCARD) if asked.is_get() => self.vcard(turn, asked, Some(to)),
            ("query", disco::INFO) => self.account_info(turn, asked, false),
            ("query", disco::ITEMS) => self.account_items(turn, asked),
            ("query", facts::LAST) => self.last_of(turn, asked, to),
            _ => self.refuse(turn, session, stanza, Self::unavailable()),
        }
    }

    /// What the server is asked.
    fn ask_server(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, to: &Jid) {
        let Asked { session, stanza, payload } = asked;
        match (payload.name(), payload.namespace()) {
            ("query", disco::INFO) => self.server_info(turn, asked, to),
            ("query", disco::ITEMS) => self.server_items(turn, asked, to),
            _ if self.is_queues(to) => self.refuse(turn, session, stanza, Self::unavailable()),
            ("query", ns::REGISTER) => self.register(turn, asked),
            ("command", admin::COMMANDS) => self.command(turn, asked),
            ("session", ns::SESSION) => self.answer(turn, session, stanza, |_| {}),
            ("query", facts::LAST) => self.uptime(turn, asked),
            _ => self.ask_facts(turn, asked),
        }
    }

    /// Whether a resource's user is an administrator: may manage what is the broker's own.
    fn administers(&self, turn: &Turn<'_>, session: SessionId) -> bool {
        self.people.get(session).is_some_and(|resource| {
            let host = &resource.host;
            turn.shard.user_permits(&resource.user, Right::Manage, host, ADMINISTRATION)
        })
    }

    /// A name for a request to the server.
    fn next_request(&mut self) -> RequestId {
        self.services.requests_made = self.services.requests_made.saturating_add(1);
        RequestId(self.services.requests_made)
    }

    pub(crate) fn request_answered(&mut self, turn: &mut Turn<'_>, id: RequestId, answer: &Answer) {
        let Some(pending) = self.services.pending.remove(&id) else { return };
        let Pending { who, request } = pending;
        let Ok(text) = std::str::from_utf8(&request) else { return };
        let Ok(stanza) = Stanza::parse(text, &self.config.xml) else { return };
        let (session, as_command) = match who {
            Who::Stranger(connection, host) => {
                return Self::stranger_answered(turn, connection, &host, &stanza, answer);
            }
            Who::Resource(session) => (session, false),
            Who::Administrator(session) => (session, true),
        };
        let condition = match answer {
            Answer::Done if as_command => {
                return self.complete(turn, session, &stanza, "Done.");
            }
            Answer::Done => return self.answer(turn, session, &stanza, |_| {}),
            Answer::Exists => StanzaCondition::Conflict,
            Answer::Failed(_) => StanzaCondition::NotAcceptable,
        };
        self.refuse(turn, session, &stanza, condition);
    }

    /// Keeps a request until the server has done its part.
    fn wait_for(
        &mut self,
        id: RequestId,
        session: SessionId,
        stanza: &Stanza<'_>,
        as_command: bool,
    ) {
        let request = Bytes::copy_from_slice(stanza.raw().as_bytes());
        let who = if as_command { Who::Administrator(session) } else { Who::Resource(session) };
        self.services.pending.insert(id, Pending { who, request });
    }

    /// The user behind a resource.
    fn user(&self, session: SessionId) -> Option<Arc<str>> {
        self.people.get(session).map(|resource| Arc::clone(&resource.user))
    }
}
