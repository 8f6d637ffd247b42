//! A stanza that comes in: checked, stamped, and given to whom it is for.

use crate::chat::{Chat, Turn};
use bytes::Bytes;
use wharf_broker::{ConnectionId, SessionId};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::stanza::{Kind, Stanza, StanzaCondition};

impl Chat {
    pub(crate) fn stanza(
        &mut self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        seq: u64,
        text: &Bytes,
    ) {
        let session = turn.shard.session_of(connection);
        let session = session.filter(|session| self.people.get(*session).is_some());
        let Some(session) = session else { return };
        // XEP-0198 5: what comes again has its effect already.
        if !turn.shard.take_in(connection, seq) {
            return;
        }
        let Ok(text) = std::str::from_utf8(text) else { return };
        let Some(stanza) = Stanza::reread(text) else { return };
        // RFC 6120 8.1.1, 8.2.3, 8.3.3.
        let to = match stanza.recipient() {
            Ok(to) => to,
            Err(condition) => return self.refuse(turn, session, &stanza, condition),
        };
        // RFC 6120 8.1.2.1: a client speaks for nobody but itself.
        if !self.is_own(session, &stanza) {
            return self.refuse(turn, session, &stanza, StanzaCondition::BadRequest);
        }
        self.route(turn, session, &stanza, to);
    }

    fn is_own(&self, session: SessionId, stanza: &Stanza<'_>) -> bool {
        let (Ok(from), Some(resource)) = (stanza.from(), self.people.get(session)) else {
            return false;
        };
        from.is_none_or(|from| {
            from == resource.jid || (from.is_bare() && from.as_str() == resource.bare())
        })
    }

    // RFC 6120 10.3, 10.4, 10.5.
    fn route(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        to: Option<Jid>,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        // RFC 6120 10.3: nobody named is the account itself.
        let own = || resource.jid.bare();
        if let Some(to) = &to
            && self.is_shunned(turn, resource.bare(), stanza, to)
        {
            let condition = StanzaCondition::NotAcceptable;
            return self.refuse_message(turn, session, stanza, condition);
        }
        match (stanza.kind(), to) {
            (Kind::Presence, to) => self.presence(turn, session, stanza, to),
            (Kind::Message, to) => {
                let to = to.unwrap_or_else(own);
                self.message(turn, session, stanza, &to);
            }
            (Kind::Iq, to) => {
                let to = to.unwrap_or_else(own);
                self.iq(turn, session, stanza, &to);
            }
        }
    }
}
