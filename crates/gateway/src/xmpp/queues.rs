//! Queues and topics as addresses of XMPP: `orders@mq.example.com` is the address `orders` of the
//! broker. A message to it is a send, presence to it begins to consume. Documented in
//! `docs/protocols/mapping.md`.

use super::Face;
use crate::convert::{Unsayable, xmpp_stanza, xmpp_stored};
use crate::request::Requests;
use bytes::Bytes;
use std::sync::Arc;
use wharf_broker::{Command, ConsumerId, Credit, Delivery, Message, Mode, Outcome, Refusal};
use wharf_chat::XMPP;
use wharf_xmpp::jid::{Jid, escape_local, unescape_local};
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{Kind, Stanza, StanzaCondition, StanzaError};
use wharf_xmpp::xml::element;

/// Every consumer of a queue has this name; what it consumes tells it apart. Those before it are
/// of the services of XMPP.
pub(super) const CONSUMER: ConsumerId = ConsumerId(2);

/// What the domain of these addresses has before the host.
const PREFIX: &str = "mq.";

/// `<consume/>` in presence: how to consume.
const CONSUME: &str = "urn:wharf:consume:0";

/// What is remembered of queues by a stream that has to do with them.
#[derive(Debug, Default)]
pub(super) struct Queues {
    /// Where the last message went: most go the same way as the one before.
    last: Option<Way>,
    consumed: Vec<Consumed>,
}

/// An address as the client has written it, and as the broker knows it.
#[derive(Clone, Debug)]
struct Way {
    written: Box<str>,
    jid: Jid,
    to: Arc<[String]>,
}

#[derive(Debug, Eq, PartialEq)]
struct Consumed {
    address: String,
    subscription: Option<String>,
}

impl Face {
    /// Whether a stanza is for a queue, and was dealt with.
    pub(super) fn hand_to_queue(
        &mut self,
        seq: u64,
        stanza: &Stanza<'_>,
        requests: &mut Requests,
    ) -> bool {
        if stanza.kind() == Kind::Iq {
            return false;
        }
        let type_name = stanza.type_name();
        let Some(to) = stanza.element().attribute("to") else {
            if stanza.kind() == Kind::Presence && type_name.as_deref() == Some("unavailable") {
                self.stop_all(requests);
            }
            return false;
        };
        let Some(way) = self.way_to(&to) else { return false };
        match (stanza.kind(), type_name.as_deref()) {
            (Kind::Message, Some("error")) => return false,
            (Kind::Message, _) => self.publish(seq, stanza, way, requests),
            (Kind::Presence, None) => self.consume(seq, stanza, &way, requests),
            (Kind::Presence, Some("unavailable")) => self.stop(seq, stanza, &way, requests),
            (Kind::Presence | Kind::Iq, _) => return false,
        }
        true
    }

    /// The broker's address, if it is one.
    // XEP-0106: what localparts have not is escaped.
    fn way_to(&self, written: &str) -> Option<Way> {
        if let Some(last) = self.queues.as_ref().and_then(|queues| queues.last.as_ref())
            && &*last.written == written
        {
            return Some(last.clone());
        }
        let (_, domain) = written.split_once('@')?;
        if !domain.get(..PREFIX.len())?.eq_ignore_ascii_case(PREFIX) {
            return None;
        }
        let jid = Jid::parse(written).ok().filter(Jid::is_bare)?;
        let is_ours = jid.domain().strip_prefix(PREFIX) == Some(self.caller.host.as_str());
        let local = jid.local().filter(|_| is_ours)?;
        let to = Arc::from([unescape_local(local).into_owned()]);
        Some(Way { written: written.into(), jid, to })
    }

    fn publish(&mut self, seq: u64, stanza: &Stanza<'_>, way: Way, requests: &mut Requests) {
        let from = self.engine.jid().map_or("", Jid::as_str);
        let stored = xmpp_stored(stanza, from, self.engine.lang());
        requests.push_back(wharf_chat::Command::Publish {
            seq,
            to: Arc::clone(&way.to),
            message: Message { format: XMPP, body: self.keep(&stored) },
            written: way.jid.clone(),
            id: stanza.id().map(|id| id.as_ref().into()),
        });
        self.queues.get_or_insert_default().last = Some(way);
    }

    fn consume(&mut self, seq: u64, stanza: &Stanza<'_>, way: &Way, requests: &mut Requests) {
        let asked = stanza.element().child("consume", CONSUME);
        let said = |name| asked.as_ref().and_then(|asked| asked.attribute(name));
        let window = said("window").and_then(|window| window.parse().ok()).unwrap_or(0);
        let subscription = said("subscription").map(|name| name.into_owned());
        let address = way.to.first().cloned().unwrap_or_default();
        requests.push_back(Command::Consume {
            seq: Some(seq),
            consumer: CONSUMER,
            address: address.clone(),
            subscription: subscription.clone(),
            kind: None,
            credit: Credit::Window(window),
            mode: Mode::Move,
        });
        let consumed = Consumed { address, subscription };
        let queues = self.queues.get_or_insert_default();
        if !queues.consumed.contains(&consumed) {
            queues.consumed.push(consumed);
        }
    }

    fn stop(&mut self, seq: u64, stanza: &Stanza<'_>, way: &Way, requests: &mut Requests) {
        let asked = stanza.element().child("consume", CONSUME);
        let subscription = asked.and_then(|asked| asked.attribute("subscription"));
        let address = way.to.first().cloned().unwrap_or_default();
        let named = Consumed { address, subscription: subscription.map(|name| name.into_owned()) };
        let consumed = &mut self.queues.get_or_insert_default().consumed;
        let same = |one: &mut Consumed| {
            one.address == named.address
                && (named.subscription.is_none() || one.subscription == named.subscription)
        };
        let mut stopped: Vec<Consumed> = consumed.extract_if(.., same).collect();
        if stopped.is_empty() {
            // Begun before the stream was resumed.
            stopped.push(named);
        }
        // The last one carries the number of the stanza, so that it is taken with it.
        let last = stopped.len();
        for (at, one) in (1..).zip(stopped) {
            requests.push_back(cancel((at == last).then_some(seq), one));
        }
    }

    /// RFC 6121 4.6.3: whoever goes offline leaves those that it has sent presence to.
    fn stop_all(&mut self, requests: &mut Requests) {
        let consumed = self.queues.take().map(|queues| queues.consumed).unwrap_or_default();
        requests.extend(consumed.into_iter().map(|one| cancel(None, one)));
    }

    /// A consumer of a queue cannot be had.
    pub(super) fn consumer_refused(
        &mut self,
        address: &str,
        refusal: Refusal,
        requests: &mut Requests,
    ) {
        if let Some(queues) = &mut self.queues {
            queues.consumed.retain(|one| one.address != address);
        }
        let condition = match refusal {
            Refusal::NotPermitted => StanzaCondition::Forbidden,
            Refusal::UnknownAddress => StanzaCondition::ItemNotFound,
            Refusal::InvalidAddress => StanzaCondition::NotAllowed,
            Refusal::NotATopic => StanzaCondition::BadRequest,
            Refusal::WrongKind | Refusal::Exists => StanzaCondition::Conflict,
            Refusal::TooManyConsumers | Refusal::TooManySenders => {
                StanzaCondition::ResourceConstraint
            }
        };
        let error = StanzaError::new(condition, refusal.to_string());
        let stanza = self.error(Kind::Presence, &self.jid_of(address), None, &error);
        requests.push_back(wharf_chat::Command::Tell { stanza: stanza.into() });
    }

    /// A queue is consumed, or is gone: it is there for this client, or not.
    pub(super) fn tell_presence(&self, address: &str, there: bool, requests: &mut Requests) {
        let (from, to) = (self.jid_of(address), self.engine.jid().map_or("", Jid::as_str));
        let mut attributes = vec![("xmlns", ns::CLIENT), ("from", &*from), ("to", to)];
        attributes.extend((!there).then_some(("type", "unavailable")));
        let mut stanza = Vec::new();
        element(&mut stanza, Kind::Presence.name(), &attributes, |_| {});
        requests.push_back(wharf_chat::Command::Tell { stanza: stanza.into() });
    }

    /// A delivery from a queue as a stanza. Every delivery has a number that its stanza must take:
    /// where XMPP cannot say it, the stanza says so, and the message is rejected.
    pub(super) fn queue_stanza(&self, delivery: &Delivery, requests: &mut Requests) -> Bytes {
        let from = self.jid_of(&delivery.address);
        let to = self.engine.jid().map_or("", Jid::as_str);
        let size_max_bytes = self.config.xmpp.stanza_size_max_bytes();
        match xmpp_stanza(delivery, &from, to, size_max_bytes) {
            Ok(stanza) => stanza.into(),
            Err(unsayable) => {
                requests.push_back(reject(delivery.seq, unsayable));
                let why = format!("a message was not delivered: {unsayable}");
                let error = StanzaError::new(StanzaCondition::UndefinedCondition, why);
                self.error(Kind::Message, &from, None, &error).into()
            }
        }
    }

    /// The address of a queue in XMPP.
    fn jid_of(&self, address: &str) -> String {
        let local = escape_local(address).unwrap_or_default();
        format!("{local}@{PREFIX}{}", self.caller.host)
    }

    fn error(
        &self,
        kind: Kind,
        from: &str,
        id: Option<(&str, &str)>,
        error: &StanzaError,
    ) -> Vec<u8> {
        let to = self.engine.jid().map_or("", Jid::as_str);
        let mut attributes =
            vec![("xmlns", ns::CLIENT), ("type", "error"), ("from", from), ("to", to)];
        attributes.extend(id);
        let mut stanza = Vec::new();
        element(&mut stanza, kind.name(), &attributes, |out| error.write(out));
        stanza
    }
}

fn cancel(seq: Option<u64>, consumed: Consumed) -> Command {
    let Consumed { address, subscription } = consumed;
    Command::Cancel { seq, consumer: CONSUMER, address, subscription, forget: false }
}

fn reject(seq: u64, unsayable: Unsayable) -> Command {
    let outcome = Outcome::Rejected { detail: Some(Arc::from(unsayable.to_string())) };
    Command::Settle { first: seq, last: seq, outcome, confirm: false }
}
