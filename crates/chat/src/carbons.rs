//! Carbons (XEP-0280): copies of what the other resources of an account send and receive.

use crate::chat::{Chat, Turn};
use crate::messages::Speaker;
use crate::stored::{STORED_HEAD_BYTES, XMPP_COPY, message, with_head};
use wharf_broker::{QueueId, SessionId};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::xml::element;

const FORWARD: &str = "urn:xmpp:forward:0";

/// Turns copies for a resource on or off (XEP-0280, sections 4 and 5).
pub(crate) fn set(chat: &mut Chat, turn: &mut Turn<'_>, session: SessionId, on: bool) {
    if let Some(resource) = chat.people.get_mut(session) {
        resource.carbons = on;
    }
    chat.remember(turn, session);
}

impl Chat {
    /// Copies of a message that is worth them, for those who have not got it, and have a part in it: its stanza is
    /// given as it is stored, with its name.
    // XEP-0280 6.1, 6.2, 7.
    pub(crate) fn make_carbons(
        &mut self,
        turn: &mut Turn<'_>,
        speaker: &Speaker,
        to: &Jid,
        received: &[QueueId],
        (name, stored): (u64, &[u8]),
    ) {
        let sender = speaker.jid.bare_str();
        let to_self = sender == to.bare_str();
        if !received.is_empty() || !to.is_bare() {
            let copies = self.copies(to.bare_str(), received, speaker.session);
            self.post_copies(turn, "received", to.bare_str(), &copies, (name, stored));
        }
        if !to_self && speaker.session.is_some() {
            let copies = self.copies(sender, received, speaker.session);
            self.post_copies(turn, "sent", sender, &copies, (name, stored));
        }
    }

    /// The resources of an account that want copies, without those that have the message.
    fn copies(
        &self,
        bare: &str,
        received: &[QueueId],
        sender: Option<SessionId>,
    ) -> Vec<(QueueId, String)> {
        let wants = self.people.of(bare).filter(|resource| {
            resource.carbons
                && !received.contains(&resource.inbox)
                && Some(resource.session) != sender
        });
        wants.map(|it| (it.inbox, it.jid.as_str().to_owned())).collect()
    }

    fn post_copies(
        &mut self,
        turn: &mut Turn<'_>,
        way: &str,
        bare: &str,
        copies: &[(QueueId, String)],
        (name, stored): (u64, &[u8]),
    ) {
        let original = stored.get(STORED_HEAD_BYTES..).unwrap_or_default();
        for (inbox, jid) in copies {
            let mut body = with_head(original.len().saturating_add(256));
            let attributes = [("xmlns", ns::CLIENT), ("from", bare), ("to", jid), ("type", "chat")];
            element(&mut body, "message", &attributes, |out| {
                element(out, way, &[("xmlns", ns::CARBONS)], |out| {
                    element(out, "forwarded", &[("xmlns", FORWARD)], |out| {
                        out.extend_from_slice(original);
                    });
                });
            });
            turn.shard.post(&[(*inbox, None)], &message(XMPP_COPY, name, body));
        }
    }
}
