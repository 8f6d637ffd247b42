//! Headers, hosts and redirects (RFC 7395, section 3.4; RFC 6120, section 4.7).

use super::config::Offer;
use super::connection::{Asked, Connection, Stage};
use super::event::Event;
use super::login::Login;
use crate::jid::Jid;
use crate::stream::{Frame, Header, Misuse, Version, Violation, write_open};
use crate::stream_error::StreamError;

/// The language of what the engine says (RFC 6120, section 4.7.4).
const LANG: &str = "en";

impl Connection {
    // XWS-030, XWS-032.
    pub(super) fn on_header(&mut self, frame: Frame<'_>) -> Result<(), Violation> {
        let header = match frame {
            Frame::Open(header) => header,
            Frame::Stanza(_) => return Err(Violation::TooEarly("a stanza before <open/>")),
            _ => return Err(Violation::TooEarly("an element before <open/>")),
        };
        // RFC 6120 4.7.5: without a version it is 0.9.
        if header.version.is_none_or(|version| version < Version::V1_0) {
            return Err(Violation::Version);
        }
        if self.stage == Stage::Restart {
            return self.on_restart(header);
        }
        self.header = header.clone();
        self.asked = Some(Asked::Header);
        self.events.push_back(Event::Opening(header));
        Ok(())
    }

    // XWS-070, XWS-073: a new stream on the same WebSocket.
    fn on_restart(&mut self, header: Header) -> Result<(), Violation> {
        let same = header.to.as_ref().is_none_or(|to| Some(to.as_str()) == self.host.as_deref());
        self.header = header;
        if !same {
            return Err(Violation::OtherHost);
        }
        if self.is_false_name() {
            return Err(Violation::InvalidFrom);
        }
        self.write_header();
        self.write_features();
        self.stage = Stage::Binding;
        Ok(())
    }

    /// Whether the header's `from` is not who has logged in. What came over a channel that is not
    /// encrypted is no evidence (RFC 6120, section 6.4.6).
    pub(super) fn is_false_name(&self) -> bool {
        match (&self.header.from, &self.jid) {
            (Some(from), Some(jid)) => self.secure && from.bare_str() != jid.bare_str(),
            _ => false,
        }
    }

    /// Answers `Opening`: the host is served here.
    ///
    /// # Errors
    /// Nothing was asked, or `host` is none.
    // XWS-031, XWS-033.
    pub fn accept(&mut self, host: &str, offer: Offer) -> Result<(), Misuse> {
        if self.asked != Some(Asked::Header) {
            return Err(Misuse::NothingAsked);
        }
        let host = Jid::from_parts(None, host, None).map_err(|_| Misuse::BadHost)?;
        self.host = Some(host.as_str().into());
        // XEP-0388 2.1.
        if offer.sasl2
            && self.header.from.as_ref().is_some_and(|from| from.domain() != host.domain())
        {
            self.fail(Violation::InvalidFrom);
            return Ok(());
        }
        self.asked = None;
        self.login = Some(Box::new(Login::new(offer)));
        self.stage = Stage::Login;
        self.write_header();
        self.write_features();
        Ok(())
    }

    /// Answers `Opening`: with an error, such as an unknown host.
    ///
    /// # Errors
    /// Nothing was asked.
    // XWS-041.
    pub fn refuse(&mut self, error: StreamError) -> Result<(), Misuse> {
        if self.asked != Some(Asked::Header) {
            return Err(Misuse::NothingAsked);
        }
        self.close(Some(error))
    }

    // XWS-031, XWS-034: every header has an identifier that was never there before.
    pub(super) fn write_header(&mut self) {
        let id = self.random.token();
        // RFC 6120 4.9.1.3: where the host is unknown, one that is ours.
        let from = self.host.as_deref().unwrap_or(&self.config.default_host);
        // RFC 6120 4.7.2: `to` exactly if the client has said `from`.
        let to = self.header.from.as_ref().map(Jid::bare_str);
        let attributes =
            [("from", Some(from)), ("to", to), ("id", Some(&id)), ("xml:lang", Some(LANG))];
        self.link.message(|out| write_open(out, &attributes));
        self.opened = true;
    }
}
