//! What is done with each event of a stream.

use wharf_xmpp::client::{Connection, Event, Online};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::stanza::{Kind, Stanza, StanzaError};
use wharf_xmpp::stream::Input;

use super::conversation::Core;
use super::names::Names;
use super::outbound::Outbound;
use super::stanzas::{answer, read_message};
use crate::channels::Ticket;
use crate::delivery::Facts;
use crate::{Delivery, Error};

/// Most stanzas that the application may hold. No broker sends so many ahead; this bounds what one
/// that ignores credit can do.
const HELD_MAX: u64 = 1 << 17;

impl Core {
    pub(super) fn handle_events(&mut self, engine: &mut Connection, input: &mut Input<'_>) {
        while let Some(event) = engine.poll_event(input) {
            match event {
                Event::Online(online) => self.online(online, engine),
                Event::NotResumed { acked } => {
                    self.resumption = None;
                    self.lost_acked = acked;
                }
                Event::Stanza(received) => {
                    let seq = received.seq.unwrap_or_default();
                    self.receive(seq, &received.stanza, engine);
                }
                Event::Handled { up_to } => {
                    self.progress = true;
                    self.outbound.settle(up_to);
                }
                Event::LoginFailed(failure) => self.login_failure = Some(failure),
                Event::Closed(closed) => self.closed = Some(closed),
            }
        }
    }

    fn online(&mut self, online: Online, engine: &mut Connection) {
        let Online { jid, resumed, managed } = online;
        self.jid = Some(jid);
        let Some(managed) = managed else {
            self.failure = Some(Error::NotInProtocol("no stream management at this server"));
            let _ = engine.close(None);
            return;
        };
        self.resumption = managed.id;
        self.is_online = true;
        match resumed {
            Some(acked) => self.go_on(acked, engine),
            None => self.begin_anew(engine),
        }
    }

    /// A stanza with its number. Those that came before the stream was resumed come again, until
    /// they are acknowledged.
    fn receive(&mut self, seq: u64, stanza: &Stanza<'_>, engine: &mut Connection) {
        self.inbound.heard = seq;
        if seq <= self.inbound.received {
            return;
        }
        self.inbound.received = seq;
        self.progress = true;
        if !self.deliver(seq, stanza) {
            self.inbound.acks.take(seq);
            self.note(stanza, engine);
        }
        if seq.saturating_sub(self.inbound.acks.up_to()) > HELD_MAX {
            self.failure = Some(Error::Protocol("more deliveries than credit"));
            let _ = engine.close(None);
        }
    }

    /// Hands a message to the application; false if it is none.
    fn deliver(&mut self, seq: u64, stanza: &Stanza<'_>) -> bool {
        if stanza.kind() != Kind::Message || stanza.is_error() {
            return false;
        }
        let from = stanza.from().ok().flatten();
        let queue = from.as_ref().and_then(|from| self.names.queue(from));
        let Some(address) = queue.or_else(|| self.jid.as_ref().map(Names::person)) else {
            return false;
        };
        let generation = self.inbound.generation;
        let ticket = Ticket { generation, seq, link: 0, settled: false };
        // Without handles there is nobody to deliver to.
        if let Some(reports) = self.channels.reports.upgrade() {
            let message = read_message(stanza, address);
            let delivery = Delivery::new(message, ticket, Facts::default(), reports);
            let _ = self.channels.deliveries.send(delivery);
        }
        true
    }

    /// Everything that is not for the application.
    fn note(&mut self, stanza: &Stanza<'_>, engine: &mut Connection) {
        let from = stanza.from().ok().flatten();
        match stanza.kind() {
            Kind::Iq => {
                if let Some(answer) = answer(stanza) {
                    self.say(Outbound::unnamed(answer), engine);
                }
            }
            Kind::Message => self.refused(stanza, from.as_ref()),
            Kind::Presence => {
                let Some(from) = from else { return };
                match stanza.type_name().as_deref() {
                    None => self.wishes.granted(from.bare_str()),
                    Some("error") => {
                        let (condition, text) = told(stanza);
                        let end = self.wishes.refused(from.bare_str(), condition, text);
                        if let Some(end) = end {
                            self.failure = Some(end);
                            let _ = engine.close(None);
                        }
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// A message of ours is not taken.
    // RFC 6120 8.3.1.
    fn refused(&mut self, stanza: &Stanza<'_>, from: Option<&Jid>) {
        let (Some(id), Some(from)) = (stanza.id(), from) else { return };
        let (condition, description) = told(stanza);
        let why = Error::MessageRejected { condition, description };
        self.outbound.refuse(&id, from.as_str(), why);
    }
}

/// What an error says.
fn told(stanza: &Stanza<'_>) -> (String, String) {
    match StanzaError::within(stanza.element()) {
        Some(error) => (error.condition.name().to_owned(), error.text.unwrap_or_default()),
        None => (String::new(), String::new()),
    }
}
