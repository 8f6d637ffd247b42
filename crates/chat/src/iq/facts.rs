//! Pings (XEP-0199), the software's version (XEP-0092), the time (XEP-0202), last activity
//! (XEP-0012).

use super::Asked;
use crate::chat::{Chat, Turn};
use crate::roster;
use crate::stored::stamp;
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::xml::{element, text};

pub(super) const VERSION: &str = "jabber:iq:version";
pub(super) const TIME: &str = "urn:xmpp:time";
pub(super) const LAST: &str = "jabber:iq:last";

impl Chat {
    /// What both an account and the server say.
    pub(super) fn ask_facts(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        let Asked { session, stanza, payload } = asked;
        let (name, version) = self.config.software.clone();
        match (payload.name(), payload.namespace()) {
            ("ping", ns::PING) if asked.is_get() => self.answer(turn, session, stanza, |_| {}),
            ("query", VERSION) if asked.is_get() => {
                self.answer(turn, session, stanza, |out| {
                    element(out, "query", &[("xmlns", VERSION)], |out| {
                        element(out, "name", &[], |out| text(out, &name));
                        element(out, "version", &[], |out| text(out, &version));
                    });
                });
            }
            ("time", TIME) if asked.is_get() => {
                let utc = stamp(turn.now.0);
                self.answer(turn, session, stanza, |out| {
                    element(out, "time", &[("xmlns", TIME)], |out| {
                        element(out, "tzo", &[], |out| text(out, "+00:00"));
                        element(out, "utc", &[], |out| text(out, &utc));
                    });
                });
            }
            _ => self.refuse(turn, session, stanza, Self::unavailable()),
        }
    }

    /// How long the server has been up (XEP-0012, section 5).
    pub(super) fn uptime(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        let since = turn.now.0.saturating_sub(self.services.started.0) / 1000;
        self.tell_last(turn, asked, since);
    }

    pub(super) fn last_own(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        self.tell_last(turn, asked, 0);
    }

    // XEP-0012 4, RFC 6121 8.5.2.1.3: those who may see the account's presence.
    pub(super) fn last_of(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, to: &Jid) {
        let Some(resource) = self.people.get(asked.session) else { return };
        let item = roster::get(turn.shard, to.as_str(), resource.bare());
        if !item.is_some_and(|item| item.from) {
            let condition = StanzaCondition::Forbidden;
            return self.refuse(turn, asked.session, asked.stanza, condition);
        }
        let is_here = self.people.of(to.as_str()).any(|it| it.availability.stanza().is_some());
        let left = turn.shard.document(&left_key(to.as_str()));
        let left = left.and_then(|left| left.first_chunk::<8>()).map(|at| u64::from_be_bytes(*at));
        match (is_here, left) {
            (true, _) => self.tell_last(turn, asked, 0),
            (false, Some(left)) => {
                self.tell_last(turn, asked, turn.now.0.saturating_sub(left) / 1000);
            }
            (false, None) => {
                self.refuse(turn, asked.session, asked.stanza, Self::unavailable());
            }
        }
    }

    fn tell_last(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, seconds: u64) {
        let seconds = seconds.to_string();
        self.answer(turn, asked.session, asked.stanza, |out| {
            element(out, "query", &[("xmlns", LAST), ("seconds", &seconds)], |_| {});
        });
    }
}

/// Where it is kept when an account was available last.
pub(crate) fn left_key(bare: &str) -> String {
    format!("left/{bare}")
}
