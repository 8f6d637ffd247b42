//! The stages of a stream, what is done with each element, and its end.

use super::config::Config;
use super::event::{Event, LoginFailure, ManagedStream};
use crate::jid::Jid;
use crate::limits::PENDING_MAX_BYTES;
use crate::ns;
use crate::stream::{
    By, Closed, Due, Frame, Header, Input, Ledger, Link, Misuse, Phase, Random, Version, Violation,
    write_open,
};
use crate::stream_error::StreamError;
use crate::xml::element;
use std::collections::VecDeque;
use std::time::Instant;
use wharf_sasl::client::{Credentials, Exchange};

/// How far the stream is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The server's header is awaited.
    Header,
    /// Features are awaited.
    Features,
    /// Within a login.
    Exchange,
    /// The answer to `<resume/>` is awaited.
    Resuming,
    /// The answer to the request for a resource is awaited.
    Binding,
    /// The answer to the request for a session is awaited.
    Session,
    /// The answer to `<enable/>` is awaited.
    Enabling,
    /// Stanzas flow.
    Bound,
}

/// One stream with a server.
#[derive(Debug)]
pub struct Connection {
    pub(super) config: Config,
    pub(super) stage: Stage,
    pub(super) random: Random,
    pub(super) link: Link,
    pub(super) events: VecDeque<Event<'static>>,
    /// The exchange, and whether it is in the second profile.
    pub(super) exchange: Option<(Exchange, bool)>,
    pub(super) logged_in: bool,
    /// The address, once a resource is bound.
    pub(super) jid: Option<Jid>,
    /// What the server has said of the managed stream.
    pub(super) managed: Option<ManagedStream>,
    /// Stream management is offered, and was not refused.
    pub(super) offers_management: bool,
    /// A session must be asked for (RFC 3921).
    pub(super) wants_session: bool,
    pub(super) header: Header,
    /// The id of the request that is awaited, or of the latest ping.
    pub(super) request: String,
    pub(super) pings: u64,
}

impl Connection {
    /// A stream on a WebSocket that was just opened. The seed is random and of this stream alone.
    // XWS-030.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let link = Link::new(config.pacing);
        let mut connection = Self {
            config,
            stage: Stage::Header,
            random: Random::new(seed),
            link,
            events: VecDeque::new(),
            exchange: None,
            logged_in: false,
            jid: None,
            managed: None,
            offers_management: false,
            wants_session: false,
            header: Header::default(),
            request: String::new(),
            pings: 0,
        };
        connection.write_header();
        connection
    }

    /// The next event. Call it until `None`.
    pub fn poll_event<'a>(&mut self, input: &mut Input<'a>) -> Option<Event<'a>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            // An idle stream keeps no memory for what it has told.
            self.events.shrink_to(0);
            if self.link.phase == Phase::Over {
                input.take();
                return self.link.take_ending().map(Event::Closed);
            }
            let received = input.take()?;
            self.link.heard();
            let frame = Frame::read(received, &self.config.xml);
            if self.link.phase == Phase::Closing {
                let stanza = self.link.step_closing(frame);
                if let Some(received) = stanza.and_then(|stanza| self.count(stanza)) {
                    return Some(Event::Stanza(received));
                }
                continue;
            }
            match frame.and_then(|frame| self.step(frame)) {
                Ok(None) => {}
                Ok(event) => return event,
                Err(violation) => self.fail(violation),
            }
        }
    }

    /// Appends the next message, which goes into a text message of its own; 0 if there is none.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> usize {
        self.link.transmit(out)
    }

    /// Octets that wait for `poll_transmit`.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.link.pending_bytes()
    }

    /// Whether more should be read from the WebSocket: the server takes what it is sent.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.link.pending_bytes() < PENDING_MAX_BYTES
    }

    /// When `handle_timeout` is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Due> {
        self.link.due()
    }

    /// The time of `poll_timeout` has come. Spurious calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.link.tick(now) {
            Ok(true) => self.ping(),
            Ok(false) => {}
            Err(violation) => self.fail(violation),
        }
    }

    /// The WebSocket is gone, however that came.
    pub fn handle_transport_closed(&mut self) {
        self.link.on_transport_closed();
    }

    /// Closes the stream. `Closed` follows when the server has closed it too, or takes too long.
    /// On a managed stream the session ends with it.
    ///
    /// # Errors
    /// It is closed already.
    // XWS-050, XWS-051.
    pub fn close(&mut self, error: Option<StreamError>) -> Result<(), Misuse> {
        self.link.check_open()?;
        self.link.begin_close(Closed { error, ..Closed::new(By::Local) });
        Ok(())
    }

    /// Leaves the WebSocket with the stream open, to resume it later.
    ///
    /// # Errors
    /// The stream is over.
    pub fn disconnect(&mut self, code: u16) -> Result<(), Misuse> {
        if self.link.phase == Phase::Over {
            return Err(Misuse::WrongStage);
        }
        let resumable = self.link.is_resumable();
        self.link.end(Closed { code, resumable, ..Closed::new(By::Local) });
        Ok(())
    }

    /// The address, once a resource is bound.
    #[must_use]
    pub fn jid(&self) -> Option<&Jid> {
        self.jid.as_ref()
    }

    /// What is known of the managed stream: with it and its identifier it can be resumed.
    #[must_use]
    pub fn ledger(&self) -> Option<Ledger> {
        self.link.ledger()
    }

    /// Whether stanzas flow.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.stage == Stage::Bound && self.link.phase == Phase::Open
    }

    /// Whether nothing more is read; what is left to send is still to be polled.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.link.phase == Phase::Over
    }

    fn step<'a>(&mut self, frame: Frame<'a>) -> Result<Option<Event<'a>>, Violation> {
        match (frame, self.stage) {
            (Frame::Close { see_other_uri }, _) => {
                // XWS-A05: without a place to go it is a refusal.
                self.link.on_close(see_other_uri);
                Ok(None)
            }
            (Frame::Error(error), _) => {
                self.link.begin_close(Closed { error: Some(error), ..Closed::new(By::Peer) });
                Ok(None)
            }
            (Frame::Open(header), Stage::Header) => self.on_header(header).map(|()| None),
            (Frame::Open(_), _) => Err(Violation::Unexpected("a second <open/>")),
            (_, Stage::Header) => Err(Violation::TooEarly("an element before <open/>")),
            (Frame::Stanza(stanza), _) => self.on_stanza(stanza),
            (Frame::Other(element), _) if element.is("features", ns::STREAM) => {
                self.on_features(&element).map(|()| None)
            }
            (Frame::Other(element), Stage::Exchange) => self.on_sasl(&element).map(|()| None),
            (Frame::Other(element), _) => self.on_management(&element),
        }
    }

    fn on_header(&mut self, header: Header) -> Result<(), Violation> {
        // RFC 6120 4.7.5.
        if header.version.is_none_or(|version| version < Version::V1_0) {
            return Err(Violation::Version);
        }
        self.header = header;
        self.stage = Stage::Features;
        Ok(())
    }

    /// The identifier of the stream that the server has begun.
    #[must_use]
    pub fn stream_id(&self) -> Option<&str> {
        self.header.id.as_deref()
    }

    // XWS-017, XWS-030, XWS-071, XWS-072: also anew after a login, and without `<close/>`.
    pub(super) fn write_header(&mut self) {
        // RFC 6120 4.7.1: over an encrypted channel the client says who it is.
        let user = match &self.config.login.credentials {
            Credentials::Password { user, .. } if self.config.secure => Some(user),
            _ => None,
        };
        let from = user.and_then(|user| Jid::of_user(user, &self.config.host).ok());
        let attributes = [
            ("to", Some(self.config.host.as_str())),
            ("from", from.as_ref().map(Jid::as_str)),
            ("xml:lang", self.config.lang.as_deref()),
        ];
        self.link.message(|out| write_open(out, &attributes));
        self.stage = Stage::Header;
    }

    pub(super) fn fail_login(&mut self, failure: LoginFailure) {
        self.exchange = None;
        self.events.push_back(Event::LoginFailed(failure));
        // RFC 6120 6.4.5.
        self.link.begin_close(Closed::new(By::Local));
    }

    pub(super) fn fail(&mut self, violation: Violation) {
        let closed = self.link.broken(violation);
        match self.link.phase {
            Phase::Over => {}
            Phase::Closing => self.link.end_as_begun(),
            Phase::Open if closed.error.is_none() => self.link.end(closed),
            Phase::Open => self.link.begin_close(closed),
        }
    }

    // XWS-081.
    fn ping(&mut self) {
        if self.link.is_managed() {
            self.link.ask();
        } else if self.stage == Stage::Bound {
            self.pings = self.pings.wrapping_add(1);
            self.request = format!("wharf-ping-{}", self.pings);
            let attributes = [("xmlns", ns::CLIENT), ("type", "get"), ("id", &*self.request)];
            self.link.message(|out| {
                element(out, "iq", &attributes, |out| {
                    element(out, "ping", &[("xmlns", ns::PING)], |_| {});
                });
            });
        }
    }
}
