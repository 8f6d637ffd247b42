//! Stanzas for queues and topics: stored by the broker, or refused by a stanza.

use crate::chat::{Chat, Turn};
use std::sync::Arc;
use wharf_broker::{Command, ConnectionId, DeathReason, Input, Message, Unroutable};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{StanzaCondition, StanzaError};
use wharf_xmpp::xml::element;

/// A message for an address of the broker.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) seq: u64,
    pub(crate) to: Arc<[String]>,
    pub(crate) message: Message,
    pub(crate) written: Jid,
    pub(crate) id: Option<Box<str>>,
}

impl Chat {
    /// A client that is told that a stanza is handled has been told before if it was refused.
    // RFC 6120 8.3.1.
    pub(crate) fn publish(
        &mut self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        publication: Publication,
    ) {
        let Publication { seq, to, message, written, id } = publication;
        let refused = turn.shard.unroutable(connection, &to);
        let Some(reason) = refused.filter(|_| turn.shard.is_next_in(connection, seq)) else {
            // What is a repetition is answered as such.
            let unroutable = Unroutable::DeadLetter;
            let publish = Command::Publish { seq, to, message, unroutable };
            return turn.shard.handle(turn.now, Input::Command(connection, publish));
        };
        if turn.shard.take_in(connection, seq) {
            self.tell_unroutable(turn, connection, reason, &written, id.as_deref());
        }
    }

    fn tell_unroutable(
        &self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        reason: DeathReason,
        written: &Jid,
        id: Option<&str>,
    ) {
        let session = turn.shard.session_of(connection);
        let resource = session.and_then(|session| self.people.get(session));
        let Some(resource) = resource else { return };
        let to = resource.jid.as_str();
        let mut attributes =
            vec![("xmlns", ns::CLIENT), ("type", "error"), ("from", written.as_str()), ("to", to)];
        attributes.extend(id.map(|id| ("id", id)));
        let error = StanzaError::new(condition(reason), reason.name());
        let mut out = Vec::new();
        element(&mut out, "message", &attributes, |out| error.write(out));
        turn.transmit(resource.session, out);
    }
}

fn condition(reason: DeathReason) -> StanzaCondition {
    match reason {
        DeathReason::NotPermitted => StanzaCondition::Forbidden,
        DeathReason::UnknownAddress | DeathReason::NoAddress => StanzaCondition::ItemNotFound,
        DeathReason::InvalidAddress => StanzaCondition::NotAllowed,
        DeathReason::QueueFull => StanzaCondition::ResourceConstraint,
        DeathReason::DeliveriesMax | DeathReason::Rejected | DeathReason::Expired => {
            StanzaCondition::InternalServerError
        }
    }
}
