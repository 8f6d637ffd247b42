//! What is here, and what it can do (XEP-0030), and the same in short (XEP-0115).

use super::{Asked, facts, storage};
use crate::chat::{Chat, Turn};
use crate::{archive, blocking};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::xml::element;

pub(super) const INFO: &str = "http://jabber.org/protocol/disco#info";
pub(super) const ITEMS: &str = "http://jabber.org/protocol/disco#items";

const OFFLINE_STORAGE: &str = "msgoffline";

/// What the server does, besides what has a condition.
const SERVER: [&str; 12] = [
    INFO,
    ITEMS,
    super::admin::COMMANDS,
    blocking::BLOCKING,
    ns::CARBONS,
    facts::LAST,
    storage::PRIVATE,
    facts::VERSION,
    OFFLINE_STORAGE,
    ns::PING,
    facts::TIME,
    storage::VCARD,
];

/// What an account does.
const ACCOUNT: [&str; 5] = [INFO, ITEMS, archive::MAM, archive::MAM_EXTENDED, "urn:xmpp:sid:0"];

/// What belongs into the features of every stream beside those of the stream itself: versions of
/// rosters, and subscriptions that are approved ahead (RFC 6121, sections 2.6.1, 3.4.1).
#[must_use]
pub fn stream_features(registration: bool) -> String {
    let mut features = "<ver xmlns='urn:xmpp:features:rosterver'/>\
                        <sub xmlns='urn:xmpp:features:pre-approval'/>"
        .to_owned();
    if registration {
        features.push_str("<register xmlns='http://jabber.org/features/iq-register'/>");
    }
    features
}

impl Chat {
    pub(super) fn server_info(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, to: &Jid) {
        let Asked { session, stanza, payload } = asked;
        let node = payload.attribute("node");
        if let Some(node) = node.filter(|node| !node.is_empty()) {
            return self.command_info(turn, asked, &node);
        }
        let queues = self.is_queues(to);
        let registers = self.config.registration && !queues;
        let features: &[&str] = if queues { &[INFO, ITEMS] } else { &SERVER };
        let identity = if queues { ("gateway", "mq") } else { ("server", "im") };
        let name = self.config.software.0.clone();
        self.answer(turn, session, stanza, |out| {
            element(out, "query", &[("xmlns", INFO)], |out| {
                let (category, kind) = identity;
                let identity = [("category", category), ("type", kind), ("name", &name)];
                element(out, "identity", &identity, |_| {});
                let register = registers.then_some(ns::REGISTER);
                for feature in features.iter().copied().chain(register) {
                    element(out, "feature", &[("var", feature)], |_| {});
                }
            });
        });
    }

    pub(super) fn server_items(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, to: &Jid) {
        let Asked { session, stanza, payload } = asked;
        let node = payload.attribute("node");
        if node.as_deref() == Some(super::admin::COMMANDS) {
            return self.command_items(turn, asked, to);
        }
        let queues = (!self.is_queues(to)).then(|| format!("mq.{}", to.domain()));
        self.answer(turn, session, stanza, |out| {
            element(out, "query", &[("xmlns", ITEMS)], |out| {
                if let Some(queues) = &queues {
                    let item = [("jid", queues.as_str()), ("name", "Queues and topics")];
                    element(out, "item", &item, |_| {});
                }
            });
        });
    }

    // XEP-0030 3, 4; XEP-0313 6.
    pub(super) fn account_info(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, own: bool) {
        let Asked { session, stanza, payload } = asked;
        if payload.attribute("node").is_some_and(|node| !node.is_empty()) {
            return self.refuse(turn, session, stanza, StanzaCondition::ItemNotFound);
        }
        let features: &[&str] = if own { &ACCOUNT } else { &[INFO, ITEMS] };
        self.answer(turn, session, stanza, |out| {
            element(out, "query", &[("xmlns", INFO)], |out| {
                let identity = [("category", "account"), ("type", "registered")];
                element(out, "identity", &identity, |_| {});
                for feature in features {
                    element(out, "feature", &[("var", feature)], |_| {});
                }
            });
        });
    }

    /// Accounts have no items that anybody should know of.
    pub(super) fn account_items(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        self.answer(turn, asked.session, asked.stanza, |out| {
            element(out, "query", &[("xmlns", ITEMS)], |_| {});
        });
    }
}
