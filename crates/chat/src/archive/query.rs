//! Requests to an archive, and their answers (XEP-0313, section 4).

use super::page::{Found, RSM, Wish, Wrong};
use super::{Kept, MAM};
use crate::chat::{Chat, Turn};
use crate::forms;
use crate::stored::{STORED_HEAD_BYTES, stamp_us};
use bytes::Bytes;
use std::collections::VecDeque;
use wharf_broker::{QueueId, SessionId, Stored, Transient};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Stanza, StanzaCondition};
use wharf_xmpp::xml::{Element, attribute, element, text};

const FORWARD: &str = "urn:xmpp:forward:0";
const DELAY: &str = "urn:xmpp:delay";

impl Chat {
    pub(crate) fn ask_archive(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        payload: &Element<'_>,
    ) {
        match (payload.name(), stanza.iq_type()) {
            ("prefs", _) => self.prefs(turn, session, stanza, payload),
            ("query", Some(IqType::Get)) => self.tell_archive_form(turn, session, stanza),
            ("query", Some(IqType::Set)) => self.query(turn, session, stanza, payload),
            ("metadata", Some(IqType::Get)) => self.tell_metadata(turn, session, stanza),
            _ => self.refuse(turn, session, stanza, StanzaCondition::BadRequest),
        }
    }

    // XEP-0313 4.1.5.
    fn tell_archive_form(&self, turn: &mut Turn<'_>, session: SessionId, stanza: &Stanza<'_>) {
        const FIELDS: [(&str, &str); 6] = [
            ("with", "jid-single"),
            ("start", "text-single"),
            ("end", "text-single"),
            ("before-id", "text-single"),
            ("after-id", "text-single"),
            ("ids", "list-multi"),
        ];
        self.answer(turn, session, stanza, |out| {
            element(out, "query", &[("xmlns", MAM)], |out| {
                element(out, "x", &[("xmlns", forms::FORMS), ("type", "form")], |out| {
                    forms::write_type(out, MAM);
                    for (name, kind) in FIELDS {
                        element(out, "field", &[("var", name), ("type", kind)], |out| {
                            if name == "ids" {
                                let open = [("xmlns", "http://jabber.org/protocol/xdata-validate")];
                                element(out, "validate", &open, |out| {
                                    element(out, "open", &[], |_| {});
                                });
                            }
                        });
                    }
                });
            });
        });
    }

    fn kept(&self, own: &str) -> Option<(QueueId, &VecDeque<Kept>)> {
        let archive = self.services.archives.by_account.get(own)?;
        Some((archive.queue, &archive.kept))
    }

    fn query(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        query: &Element<'_>,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let jid = resource.jid.clone();
        let archive = self.kept(jid.bare_str());
        let nothing = VecDeque::new();
        let kept = archive.map_or(&nothing, |(_, kept)| kept);
        let queue = archive.map(|(queue, _)| queue).unwrap_or_default();
        let size = |kept: &Kept| {
            let entry = turn.shard.entry(queue, kept.entry);
            entry.map_or(0, |entry| entry.len_bytes as usize)
        };
        let found = Wish::read(query).and_then(|wish| wish.find(kept, size));
        let found = match found {
            Ok(found) => found,
            Err(Wrong::Request) => {
                return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
            }
            Err(Wrong::NoSuch) => {
                return self.refuse(turn, session, stanza, StanzaCondition::ItemNotFound);
            }
        };
        let query_id = query.attribute("queryid");
        // XEP-0313 4.1.4: the newest first, on request.
        let flipped = query.child("flip-page", MAM).is_some();
        let count = found.kept.len();
        for at in 0..count {
            let at = if flipped { count.saturating_sub(at).saturating_sub(1) } else { at };
            if let Some(kept) = found.kept.get(at) {
                let result = result(&jid, query_id.as_deref(), queue, kept);
                turn.shard.transmit(session, result);
            }
        }
        self.answer(turn, session, stanza, |out| write_end(out, &found));
    }

    // XEP-0313 5.
    fn tell_metadata(&self, turn: &mut Turn<'_>, session: SessionId, stanza: &Stanza<'_>) {
        let Some(resource) = self.people.get(session) else { return };
        let kept = self.kept(resource.bare()).map(|(_, kept)| kept);
        let ends = kept.and_then(|kept| kept.front().zip(kept.back()));
        let ends = ends.map(|(first, last)| [("start", first.name), ("end", last.name)]);
        self.answer(turn, session, stanza, |out| {
            element(out, "metadata", &[("xmlns", MAM)], |out| {
                for (end, name) in ends.iter().flatten() {
                    let (id, stamp) = (name.to_string(), stamp_us(*name));
                    element(out, end, &[("id", &*id), ("timestamp", &*stamp)], |_| {});
                }
            });
        });
    }
}

/// A message of an archive, for who asked.
fn result(to: &Jid, query_id: Option<&str>, queue: QueueId, kept: &Kept) -> Transient {
    let mut before = Vec::with_capacity(384);
    before.extend_from_slice(b"<message");
    for (name, value) in [("xmlns", ns::CLIENT), ("from", to.bare_str()), ("to", to.as_str())] {
        attribute(&mut before, name, value);
    }
    before.extend_from_slice(b"><result");
    attribute(&mut before, "xmlns", MAM);
    if let Some(query_id) = query_id {
        attribute(&mut before, "queryid", query_id);
    }
    attribute(&mut before, "id", &kept.name.to_string());
    before.extend_from_slice(b"><forwarded");
    attribute(&mut before, "xmlns", FORWARD);
    before.push(b'>');
    let stamp = stamp_us(kept.name);
    element(&mut before, "delay", &[("xmlns", DELAY), ("stamp", &*stamp)], |_| {});
    let stored = Stored { queue, entry: kept.entry, skip_bytes: STORED_HEAD_BYTES };
    Transient {
        before: before.into(),
        stored: Some(stored),
        after: Bytes::from_static(b"</forwarded></result></message>"),
    }
}

/// `<fin/>` (XEP-0313, section 4.3).
fn write_end(out: &mut Vec<u8>, found: &Found) {
    let mut attributes = vec![("xmlns", MAM)];
    if found.complete {
        attributes.push(("complete", "true"));
    }
    element(out, "fin", &attributes, |out| {
        element(out, "set", &[("xmlns", RSM)], |out| {
            if let (Some(first), Some(last)) = (found.kept.first(), found.kept.last()) {
                let index = found.index.to_string();
                let name = |kept: &Kept| kept.name.to_string();
                element(out, "first", &[("index", &*index)], |out| text(out, &name(first)));
                element(out, "last", &[], |out| text(out, &name(last)));
            }
            element(out, "count", &[], |out| text(out, &found.count.to_string()));
        });
    });
}
