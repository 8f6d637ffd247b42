//! Accounts that people change by themselves (XEP-0077): their password, and their end.

use super::Asked;
use crate::chat::{Chat, Turn};
use crate::command::Request;
use bytes::Bytes;
use wharf_broker::SessionId;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::xml::{element, text};

/// A request that waits for the server.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(super) session: SessionId,
    /// The stanza that asked.
    pub(super) request: Bytes,
    /// It is a command (XEP-0050).
    pub(super) as_command: bool,
}

/// Requests that wait for the server at a time: each costs it the making of a verifier.
const PENDING_MAX: usize = 64;

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

    /// Whether more may wait for the server.
    pub(super) fn has_room_for_request(&self) -> bool {
        self.services.pending.len() < PENDING_MAX
    }
}
