//! Private documents (XEP-0049) and vCards (XEP-0054): the octets as they came.

use super::Asked;
use crate::chat::{Chat, Turn};
use crate::limits::{DOCUMENT_MAX_BYTES, PRIVATE_MAX};
use bytes::Bytes;
use wharf_xmpp::jid::Jid;
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::xml::element;

pub(super) const PRIVATE: &str = "jabber:iq:private";
pub(super) const VCARD: &str = "vcard-temp";

impl Chat {
    // XEP-0049 3.
    pub(super) fn private(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        let Asked { session, stanza, payload } = asked;
        let Some(resource) = self.people.get(session) else { return };
        let prefix = format!("private/{}/", resource.bare());
        let mut children = payload.children().peekable();
        if children.peek().is_none() {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        }
        let key = |name: &str, namespace: &str| format!("{prefix}{namespace} {name}");
        if asked.is_get() {
            let mut found = Vec::new();
            for child in children {
                match turn.shard.document(&key(child.name(), child.namespace())) {
                    Some(document) => found.extend_from_slice(document),
                    None => child.write_alone(&mut found),
                }
            }
            return self.answer(turn, session, stanza, |out| {
                element(out, "query", &[("xmlns", PRIVATE)], |out| out.extend_from_slice(&found));
            });
        }
        for child in children {
            if child.namespace() == PRIVATE {
                return self.refuse(turn, session, stanza, StanzaCondition::NotAcceptable);
            }
            let (mut value, key) = (Vec::new(), key(child.name(), child.namespace()));
            child.write_alone(&mut value);
            let is_new = turn.shard.document(&key).is_none();
            let full = is_new && turn.shard.documents(&prefix).count() >= PRIVATE_MAX;
            if full || value.len() > DOCUMENT_MAX_BYTES {
                return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
            }
            if !turn.shard.put_document(&key, Some(Bytes::from(value))) {
                return self.refuse(turn, session, stanza, StanzaCondition::NotAcceptable);
            }
        }
        self.answer(turn, session, stanza, |_| {});
    }

    // XEP-0054 3.
    pub(super) fn vcard(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, of: Option<&Jid>) {
        let Asked { session, stanza, payload } = asked;
        let Some(resource) = self.people.get(session) else { return };
        let key = format!("vcard/{}", of.map_or(resource.bare(), Jid::as_str));
        if asked.is_get() {
            let card = turn.shard.document(&key).cloned();
            return match (card, of) {
                (Some(card), _) => {
                    self.answer(turn, session, stanza, |out| out.extend_from_slice(&card));
                }
                // XEP-0054 3.1, 3.3: nothing of one's own is an empty one.
                (None, None) => self.answer(turn, session, stanza, |out| {
                    element(out, "vCard", &[("xmlns", VCARD)], |_| {});
                }),
                (None, Some(_)) => {
                    self.refuse(turn, session, stanza, StanzaCondition::ItemNotFound);
                }
            };
        }
        let mut value = Vec::new();
        payload.write_alone(&mut value);
        if value.len() > DOCUMENT_MAX_BYTES
            || !turn.shard.put_document(&key, Some(Bytes::from(value)))
        {
            return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
        }
        self.answer(turn, session, stanza, |_| {});
    }
}
