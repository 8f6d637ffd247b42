//! Stanzas, once a resource is bound.

use super::connection::{Connection, Stage, ping_id};
use super::event::Event;
use crate::ns;
use crate::stanza::{IqType, Kind, Stanza, write_result};
use crate::stream::{Frame, Misuse, Violation};

impl Connection {
    pub(super) fn on_flow<'a>(&mut self, frame: Frame<'a>) -> Result<Option<Event<'a>>, Violation> {
        match frame {
            Frame::Stanza(stanza) => {
                if !self.link.is_managed() && self.is_ours(&stanza) {
                    return Ok(None);
                }
                Ok(self.count(stanza).map(Event::Stanza))
            }
            Frame::Other(element) => match (element.name(), element.namespace()) {
                (_, ns::SM) => self.on_management(&element),
                ("active" | "inactive", ns::CSI) => {
                    self.on_client_state(element.name());
                    Ok(None)
                }
                ("auth", ns::SASL) | ("authenticate", ns::SASL2) => {
                    Err(Violation::Unexpected("a second login"))
                }
                // RFC 6120 4.9.3.24.
                _ => Err(Violation::UnknownElement),
            },
            // XWS-032.
            _ => Err(Violation::Unexpected("a second <open/>")),
        }
    }

    /// XEP-0352: there is no answer.
    pub(super) fn on_client_state(&mut self, name: &str) {
        self.events.push_back(Event::Active(name == "active"));
    }

    /// Answers what is between the client and its server alone, on streams that are not managed.
    fn is_ours(&mut self, stanza: &Stanza<'_>) -> bool {
        if stanza.kind() != Kind::Iq {
            return false;
        }
        let Some(iq_type) = stanza.iq_type() else { return false };
        if !iq_type.is_request() {
            // The answer to a ping of ours; what it says does not matter.
            let id = stanza.id();
            return self.pings > 0 && id.is_some_and(|id| id == ping_id(self.pings));
        }
        let ping = stanza.asks(IqType::Get, "ping", ns::PING);
        let session = stanza.asks(IqType::Set, "session", ns::SESSION);
        if !(ping || session) || stanza.fault().is_some() {
            return false;
        }
        let Some(jid) = &self.jid else { return false };
        // XEP-0199 4.2: to nobody, to the server, or to the account.
        let to = stanza.to().ok().flatten();
        let is_here = to
            .as_ref()
            .is_none_or(|to| to.as_str() == jid.domain() || to.as_str() == jid.bare_str());
        if is_here {
            let from = to.as_ref().map_or(jid.domain(), |to| to.as_str());
            self.link.message(|out| {
                write_result(stanza, Some(from), Some(jid.as_str()), out, |_| {});
            });
        }
        is_here
    }

    /// Sends a stanza; its pieces are put behind each other. On a managed stream it gets a number,
    /// by which it is to be kept until `Handled`.
    ///
    /// Each stanza declares `jabber:client` itself, and so do all that came from clients.
    ///
    /// # Errors
    /// Stanzas do not flow. Before the login there are answers to `Register` alone.
    // XWS-014, XWS-020, XWS-056.
    pub fn send(&mut self, pieces: &[&[u8]]) -> Result<Option<u64>, Misuse> {
        self.link.check_open()?;
        let registers = self.login.as_ref().is_some_and(|login| login.offer.registration);
        match self.stage {
            Stage::Bound => {}
            Stage::Login if registers => {}
            _ => return Err(Misuse::WrongStage),
        }
        Ok(self.link.send(pieces))
    }
}
