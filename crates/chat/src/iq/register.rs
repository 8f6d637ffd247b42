//! Accounts that people make and change by themselves (XEP-0077): their password, and their end.

use super::Asked;
use crate::chat::{Chat, Turn};
use crate::command::{Answer, Request};
use bytes::Bytes;
use wharf_broker::{ConnectionId, SessionId};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Stanza, StanzaCondition, write_error, write_result};
use wharf_xmpp::xml::{element, text};

/// A request that waits for the server.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(super) who: Who,
    /// The stanza that asked.
    pub(super) request: Bytes,
}

/// Who asked for it.
#[derive(Debug)]
pub(super) enum Who {
    /// A resource, for its account.
    Resource(SessionId),
    /// An administrator, by a command (XEP-0050).
    Administrator(SessionId),
    /// A client that has no account yet, at this host.
    Stranger(ConnectionId, Box<str>),
}

/// Requests that wait for the server at a time: each costs it the making of a verifier.
const PENDING_MAX: usize = 64;

/// For people whose client shows it.
const INSTRUCTIONS: &str = "Choose a user name and a password.";

impl Chat {
    // XEP-0077 3.2, 3.3: of who has logged in.
    pub(super) fn register(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        let Asked { session, stanza, payload } = asked;
        let Some(user) = self.user(session) else { return };
        if !self.config.registration {
            return self.refuse(turn, session, stanza, Self::unavailable());
        }
        if asked.is_get() {
            return self.answer(turn, session, stanza, |out| {
                element(out, "query", &[("xmlns", ns::REGISTER)], |out| {
                    element(out, "registered", &[], |_| {});
                    element(out, "username", &[], |out| text(out, &user));
                    element(out, "password", &[], |_| {});
                });
            });
        }
        if self.services.pending.len() >= PENDING_MAX {
            return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
        }
        let name = user.to_string();
        if payload.child("remove", ns::REGISTER).is_some() {
            let id = self.next_request();
            self.wait_for(id, session, stanza, false);
            self.requests.push_back(Request::RemoveUser { id, name });
            return;
        }
        let said = |name| payload.child(name, ns::REGISTER).map(|child| child.text().into_owned());
        let (Some(username), Some(password)) = (said("username"), said("password")) else {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        };
        if username != *user || password.is_empty() {
            return self.refuse(turn, session, stanza, StanzaCondition::NotAllowed);
        }
        let id = self.next_request();
        self.wait_for(id, session, stanza, false);
        self.requests.push_back(Request::PutUser { id, name, password, is_new: false });
    }

    // XEP-0077 3.1.
    pub(crate) fn register_stranger(
        &mut self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        host: &str,
        request: &Bytes,
    ) {
        let Some(stanza) = str::from_utf8(request).ok().and_then(Stanza::reread) else { return };
        match self.wanted_account(turn, host, &stanza) {
            Ok(None) => {
                let mut out = Vec::new();
                write_result(&stanza, Some(host), None, &mut out, |out| {
                    element(out, "query", &[("xmlns", ns::REGISTER)], |out| {
                        element(out, "instructions", &[], |out| text(out, INSTRUCTIONS));
                        element(out, "username", &[], |_| {});
                        element(out, "password", &[], |_| {});
                    });
                });
                turn.shard.tell_stranger(connection, out.into());
            }
            Ok(Some((name, password))) => {
                let id = self.next_request();
                let who = Who::Stranger(connection, host.into());
                self.services.pending.insert(id, Pending { who, request: request.clone() });
                self.requests.push_back(Request::PutUser { id, name, password, is_new: true });
            }
            Err(condition) => Self::refuse_stranger(turn, connection, host, &stanza, condition),
        }
    }

    /// Name and password; `None` if what is needed is asked for.
    fn wanted_account(
        &self,
        turn: &Turn<'_>,
        host: &str,
        stanza: &Stanza<'_>,
    ) -> Result<Option<(String, String)>, StanzaCondition> {
        if !self.config.registration {
            return Err(Self::unavailable());
        }
        let query = stanza.payload().filter(|payload| payload.is("query", ns::REGISTER));
        let query = query.ok_or(StanzaCondition::BadRequest)?;
        match stanza.iq_type() {
            Some(IqType::Get) => return Ok(None),
            Some(IqType::Set) => {}
            _ => return Err(StanzaCondition::BadRequest),
        }
        if query.child("remove", ns::REGISTER).is_some() {
            // XEP-0077 3.2: who is not known cannot leave.
            return Err(StanzaCondition::RegistrationRequired);
        }
        let said = |name| query.child(name, ns::REGISTER).map(|child| child.text().into_owned());
        let (name, password) = said("username").zip(said("password")).unwrap_or_default();
        let jid = Jid::of_user(&name, host).map_err(|_| StanzaCondition::NotAcceptable)?;
        if name.is_empty() || password.is_empty() {
            return Err(StanzaCondition::NotAcceptable);
        }
        if turn.shard.has_user(&name) || self.has_account(turn.shard, &jid) {
            return Err(StanzaCondition::Conflict);
        }
        if !self.has_room_for_request() {
            return Err(StanzaCondition::ResourceConstraint);
        }
        Ok(Some((name, password)))
    }

    pub(super) fn stranger_answered(
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        host: &str,
        stanza: &Stanza<'_>,
        answer: &Answer,
    ) {
        let condition = match answer {
            Answer::Done => {
                let mut out = Vec::new();
                write_result(stanza, Some(host), None, &mut out, |_| {});
                return turn.shard.tell_stranger(connection, out.into());
            }
            Answer::Exists => StanzaCondition::Conflict,
            Answer::Failed(_) => StanzaCondition::NotAcceptable,
        };
        Self::refuse_stranger(turn, connection, host, stanza, condition);
    }

    fn refuse_stranger(
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        host: &str,
        stanza: &Stanza<'_>,
        condition: StanzaCondition,
    ) {
        let mut out = Vec::new();
        if write_error(stanza, Some(host), None, &condition.into(), &mut out) {
            turn.shard.tell_stranger(connection, out.into());
        }
    }

    /// Whether more may wait for the server.
    pub(super) fn has_room_for_request(&self) -> bool {
        self.services.pending.len() < PENDING_MAX
    }
}
