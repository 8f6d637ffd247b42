//! Results and errors, and other stanzas that are not kept.

use crate::chat::{Chat, Turn};
use bytes::Bytes;
use wharf_broker::{SessionId, Transient};
use wharf_xmpp::stanza::{Stanza, StanzaCondition, StanzaError, write_error, write_result};

impl Turn<'_> {
    /// Sends octets to a session.
    pub(crate) fn transmit(&mut self, session: SessionId, stanza: Vec<u8>) {
        self.shard.transmit(session, Transient::new(Bytes::from(stanza)));
    }
}

impl Chat {
    /// Answers a stanza of a resource with an error, in the name of whom it was for.
    pub(crate) fn refuse(
        &self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        error: impl Into<StanzaError>,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let from = stanza.element().attribute("to");
        let mut out = Vec::new();
        let to = Some(resource.jid.as_str());
        if write_error(stanza, from.as_deref(), to, &error.into(), &mut out) {
            turn.transmit(session, out);
        }
    }

    /// Answers a request of a resource.
    pub(crate) fn answer(
        &self,
        turn: &mut Turn<'_>,
        session: SessionId,
        request: &Stanza<'_>,
        payload: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let from = request.element().attribute("to");
        let mut out = Vec::new();
        write_result(request, from.as_deref(), Some(resource.jid.as_str()), &mut out, payload);
        turn.transmit(session, out);
    }

    /// The condition for what is not here.
    pub(crate) fn unavailable() -> StanzaCondition {
        StanzaCondition::ServiceUnavailable
    }
}
