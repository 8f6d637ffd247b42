//! Whose messages an account wants to be kept (XEP-0441).

use super::MAM;
use crate::chat::{Chat, Turn};
use crate::limits::BLOCKED_MAX;
use crate::roster;
use bytes::Bytes;
use wharf_broker::{SessionId, Shard};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::stanza::{IqType, Stanza, StanzaCondition};
use wharf_xmpp::xml::{Element, element, text};

fn key(bare: &str) -> String {
    format!("archive-prefs/{bare}")
}

/// A line says the default, the others `+ADDRESS` or `-ADDRESS`.
fn lines<'s>(shard: &'s Shard, bare: &str) -> std::str::Lines<'s> {
    let document = shard.document(&key(bare)).map(|document| &document[..]).unwrap_or_default();
    std::str::from_utf8(document).unwrap_or_default().lines()
}

/// Whether messages with this peer go into the archive of an account.
pub(super) fn wants(shard: &Shard, bare: &str, peer: &str) -> bool {
    let peer_bare = peer.split('/').next().unwrap_or_default();
    let mut lines = lines(shard, bare);
    let default = lines.next().unwrap_or("always");
    let mut wanted = None;
    for line in lines {
        let (sign, jid) = line.split_at_checked(1).unwrap_or_default();
        if jid == peer || jid == peer_bare {
            wanted = Some(sign == "+");
            // A whole address says more than a bare one.
            if jid == peer {
                break;
            }
        }
    }
    wanted.unwrap_or_else(|| match default {
        "never" => false,
        "roster" => roster::get(shard, bare, peer_bare).is_some_and(|item| item.listed),
        _ => true,
    })
}

impl Chat {
    pub(super) fn prefs(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        prefs: &Element<'_>,
    ) {
        let Some(resource) = self.people.get(session) else { return };
        let own = resource.bare().to_owned();
        if stanza.iq_type() == Some(IqType::Set) {
            let Some(document) = read(prefs) else {
                return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
            };
            if !turn.shard.put_document(&key(&own), Some(Bytes::from(document))) {
                return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
            }
        }
        let mut payload = Vec::new();
        let mut rest = lines(turn.shard, &own);
        let default = rest.next().unwrap_or("always");
        element(&mut payload, "prefs", &[("xmlns", MAM), ("default", default)], |out| {
            for (name, sign) in [("always", '+'), ("never", '-')] {
                element(out, name, &[], |out| {
                    for jid in rest.clone().filter_map(|line| line.strip_prefix(sign)) {
                        element(out, "jid", &[], |out| text(out, jid));
                    }
                });
            }
        });
        self.answer(turn, session, stanza, |out| out.extend_from_slice(&payload));
    }
}

fn read(prefs: &Element<'_>) -> Option<String> {
    let default = prefs.attribute("default")?;
    if !["always", "never", "roster"].contains(&&*default) {
        return None;
    }
    let mut document = default.into_owned();
    let mut count = 0usize;
    for (name, sign) in [("always", '+'), ("never", '-')] {
        let listed = prefs.child(name, MAM);
        for jid in listed.iter().flat_map(Element::children).filter(|jid| jid.is("jid", MAM)) {
            let jid = Jid::parse(jid.text().trim()).ok()?;
            document.push('\n');
            document.push(sign);
            document.push_str(jid.as_str());
            count = count.saturating_add(1);
        }
    }
    (count <= BLOCKED_MAX).then_some(document)
}
