//! Stanzas, once a resource is bound.

use super::connection::{Connection, Stage};
use super::event::{Event, Received};
use crate::ns;
use crate::stanza::{IqType, Stanza, write_result};
use crate::stream::{Misuse, Violation};
use crate::xml::element;

impl Connection {
    pub(super) fn on_stanza<'a>(
        &mut self,
        stanza: Stanza<'a>,
    ) -> Result<Option<Event<'a>>, Violation> {
        let answers = stanza.iq_type().is_some_and(|iq_type| !iq_type.is_request())
            && stanza.id().is_some_and(|id| id == self.request.as_str());
        if answers && matches!(self.stage, Stage::Binding | Stage::Session) {
            return self.on_answer(&stanza).map(|()| None);
        }
        if self.jid.is_none() {
            return Err(Violation::Unexpected("a stanza before a resource is bound"));
        }
        if !self.link.is_managed() {
            // The answer to a ping of ours; what it says does not matter.
            let is_pong = answers && self.pings > 0;
            if is_pong || self.is_ping(&stanza) {
                return Ok(None);
            }
        }
        Ok(self.count(stanza).map(Event::Stanza))
    }

    /// A stanza with its number.
    pub(super) fn count<'a>(&mut self, stanza: Stanza<'a>) -> Option<Received<'a>> {
        self.jid.as_ref()?;
        let seq = self.link.count();
        Some(Received { seq, stanza })
    }

    /// Answers a ping of the server's (XEP-0199, section 4.1).
    fn is_ping(&mut self, stanza: &Stanza<'_>) -> bool {
        let from = stanza.from().ok().flatten();
        let is_server = from.as_ref().is_none_or(|from| from.is_domain());
        let pings =
            is_server && stanza.fault().is_none() && stanza.asks(IqType::Get, "ping", ns::PING);
        if pings {
            let to = from.as_ref().map(|from| from.as_str());
            self.link.message(|out| write_result(stanza, None, to, out, |_| {}));
        }
        pings
    }

    /// Sends a stanza; its pieces are put behind each other. On a managed stream it gets a number,
    /// by which it is to be kept until `Handled`. It declares `jabber:client` itself.
    ///
    /// # Errors
    /// Stanzas do not flow.
    // XWS-014, XWS-020, XWS-056.
    pub fn send(&mut self, pieces: &[&[u8]]) -> Result<Option<u64>, Misuse> {
        self.check_online()?;
        Ok(self.link.send(pieces))
    }

    /// All stanzas of the server up to this one need not be sent again. The server is told when
    /// it asks, and before the stream is closed.
    ///
    /// # Errors
    /// No such stanza was received.
    // XWS-086.
    pub fn acknowledge(&mut self, up_to: u64) -> Result<(), Misuse> {
        self.link.acknowledge(up_to)
    }

    /// Tells the server at once what was acknowledged, if it does not know.
    ///
    /// # Errors
    /// Stanzas do not flow.
    // XEP-0198 4.
    pub fn tell(&mut self) -> Result<(), Misuse> {
        self.check_online()?;
        self.link.tell_news();
        Ok(())
    }

    /// Asks the server at once what it has taken, if anything is not known to be.
    ///
    /// # Errors
    /// Stanzas do not flow.
    pub fn request(&mut self) -> Result<(), Misuse> {
        self.check_online()?;
        self.link.request();
        Ok(())
    }

    /// Tells whether a person is looking (XEP-0352).
    ///
    /// # Errors
    /// Stanzas do not flow.
    pub fn set_active(&mut self, active: bool) -> Result<(), Misuse> {
        self.check_online()?;
        let name = if active { "active" } else { "inactive" };
        self.link.message(|out| element(out, name, &[("xmlns", ns::CSI)], |_| {}));
        Ok(())
    }

    fn check_online(&self) -> Result<(), Misuse> {
        if self.is_online() { Ok(()) } else { Err(Misuse::WrongStage) }
    }
}
