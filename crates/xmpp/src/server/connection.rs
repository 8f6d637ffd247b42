//! The stages of a stream, what is done with each element, and its end.

use super::config::Config;
use super::event::{Event, Received};
use super::inline::Inline;
use super::login::Login;
use crate::jid::Jid;
use crate::limits::{PENDING_MAX_BYTES, XmlLimits};
use crate::ns;
use crate::stanza::Stanza;
use crate::stream::{
    By, Closed, Due, Frame, Header, Input, Link, Misuse, Phase, Random, Violation,
};
use crate::stream_error::StreamError;
use crate::xml::element;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// How far the stream is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The client's header is awaited.
    Header,
    /// A login is awaited.
    Login,
    /// A response within a login is awaited.
    Exchange,
    /// The header after a login is awaited.
    Restart,
    /// A resource is to be bound, or a stream resumed.
    Binding,
    /// Stanzas flow.
    Bound,
}

/// What the caller was asked; nothing is read until it answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    Header,
    User,
    Resume(Box<str>, u32),
    /// The id of the request; `None` if it came with the login.
    Bind(Option<Box<str>>),
    Enable,
}

/// One stream with a client. The module's page shows what its caller decides.
#[derive(Debug)]
pub struct Connection {
    pub(super) config: Arc<Config>,
    /// The channel is encrypted.
    pub(super) secure: bool,
    pub(super) stage: Stage,
    pub(super) asked: Option<Asked>,
    pub(super) random: Random,
    /// The host, once it is accepted.
    pub(super) host: Option<Box<str>>,
    /// The client's latest header.
    pub(super) header: Header,
    /// Until the login is done.
    pub(super) login: Option<Box<Login>>,
    /// What came with the login, while it is dealt with.
    pub(super) inline: Option<Box<Inline>>,
    /// Who the client is: without a resource until one is bound.
    pub(super) jid: Option<Jid>,
    pub(super) resources_refused: u32,
    /// The client has asked for a managed stream.
    pub(super) enable_asked: bool,
    pub(super) pings: u64,
    pub(super) link: Link,
    pub(super) events: VecDeque<Event<'static>>,
    /// Our header is sent.
    pub(super) opened: bool,
}

impl Connection {
    /// A stream on a WebSocket that was just opened. The seed is random and of this stream alone.
    #[must_use]
    pub fn new(config: Arc<Config>, secure: bool, seed: [u8; 32]) -> Self {
        let link = Link::new(config.pacing);
        Self {
            config,
            secure,
            stage: Stage::Header,
            asked: None,
            random: Random::new(seed),
            host: None,
            header: Header::default(),
            login: None,
            inline: None,
            jid: None,
            resources_refused: 0,
            enable_asked: false,
            pings: 0,
            link,
            events: VecDeque::new(),
            opened: false,
        }
    }

    /// The next event. Call it until `None`; if the input is not empty then, an answer is due.
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
            if self.asked.is_some() {
                return None;
            }
            let received = input.take()?;
            self.link.heard();
            let frame = Frame::read(received, &self.xml_limits());
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

    /// Whether more should be read from the WebSocket: no answer of the caller is due, and the
    /// client takes what it is sent. What comes all the same is kept, or is answered.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.asked.is_none() && self.link.pending_bytes() < PENDING_MAX_BYTES
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
        self.forget();
    }

    /// More was sent ahead than the caller keeps.
    pub fn overflow(&mut self) {
        if self.link.phase == Phase::Open {
            self.fail(Violation::TooMuchAhead);
        }
    }

    /// Octets that the caller keeps of what is sent ahead.
    #[must_use]
    pub fn kept_max_bytes(&self) -> usize {
        if self.is_logged_in() {
            self.config.limits.kept_max_bytes
        } else {
            self.config.limits.login_size_max_bytes
        }
    }

    /// Closes the stream. `Closed` follows when the client has closed it too, or takes too long.
    ///
    /// # Errors
    /// It is closed already.
    // XWS-040, XWS-042, XWS-050, XWS-051.
    pub fn close(&mut self, error: Option<StreamError>) -> Result<(), Misuse> {
        self.link.check_open()?;
        let resumable = self.link.is_resumable();
        self.begin_close(Closed { error, resumable, ..Closed::new(By::Local) });
        Ok(())
    }

    /// Closes the stream and sends the client elsewhere: a URI of a WebSocket, or of another
    /// transport. It is the caller's to keep the level of security.
    ///
    /// # Errors
    /// It is closed already.
    // XWS-060: at any time, before our header too.
    pub fn redirect(&mut self, uri: &str) -> Result<(), Misuse> {
        self.link.check_open()?;
        let see_other_uri = Some(uri.to_owned());
        let resumable = self.link.is_resumable();
        self.begin_close(Closed { see_other_uri, resumable, ..Closed::new(By::Local) });
        Ok(())
    }

    /// Ends the WebSocket with a code and leaves the stream open, so that the client resumes it
    /// elsewhere, or here after a restart.
    ///
    /// # Errors
    /// The stream is over.
    pub fn disconnect(&mut self, code: u16) -> Result<(), Misuse> {
        if self.link.phase == Phase::Over {
            return Err(Misuse::WrongStage);
        }
        let resumable = self.link.is_resumable();
        self.end(Closed { code, resumable, ..Closed::new(By::Local) });
        Ok(())
    }

    /// The client's address: without a resource until one is bound, `None` before the login.
    #[must_use]
    pub fn jid(&self) -> Option<&Jid> {
        self.jid.as_ref()
    }

    /// The language that the client asked for in its latest header.
    #[must_use]
    pub fn lang(&self) -> Option<&str> {
        self.header.lang.as_deref()
    }

    /// Whether stanzas flow.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.stage == Stage::Bound && self.link.phase == Phase::Open
    }

    /// Whether nothing more is read; what is left to send is still to be polled.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.link.phase == Phase::Over
    }

    pub(super) fn is_logged_in(&self) -> bool {
        self.jid.is_some()
    }

    /// What may be sent before a login is small.
    fn xml_limits(&self) -> XmlLimits {
        let limits = &self.config.limits;
        let size_max_bytes = if self.is_logged_in() {
            limits.xml.size_max_bytes
        } else {
            limits.login_size_max_bytes.min(limits.xml.size_max_bytes)
        };
        XmlLimits { size_max_bytes, ..limits.xml }
    }

    fn step<'a>(&mut self, frame: Frame<'a>) -> Result<Option<Event<'a>>, Violation> {
        match frame {
            Frame::Close { .. } => {
                self.link.on_close(None);
                self.forget();
                Ok(None)
            }
            Frame::Error(error) => {
                // RFC 6120 4.9.1.1: whoever gets an error closes the stream.
                self.begin_close(Closed { error: Some(error), ..Closed::new(By::Peer) });
                Ok(None)
            }
            frame => match self.stage {
                Stage::Header | Stage::Restart => self.on_header(frame).map(|()| None),
                Stage::Login | Stage::Exchange => self.on_login(frame),
                Stage::Binding => self.on_binding(frame).map(|()| None),
                Stage::Bound => self.on_flow(frame),
            },
        }
    }

    /// A stanza with its number; `None` if no resource is bound.
    pub(super) fn count<'a>(&mut self, stanza: Stanza<'a>) -> Option<Received<'a>> {
        self.jid.as_ref().filter(|jid| !jid.is_bare())?;
        let seq = self.link.count();
        Some(Received { seq, stanza })
    }

    /// The client has broken the rules.
    pub(super) fn fail(&mut self, violation: Violation) {
        let closed = self.link.broken(violation);
        match self.link.phase {
            Phase::Over => {}
            Phase::Closing => self.link.end_as_begun(),
            // XWS-A01.
            Phase::Open if closed.error.is_none() => self.end(closed),
            Phase::Open => self.begin_close(closed),
        }
    }

    fn begin_close(&mut self, closed: Closed) {
        // XWS-041, XWS-A04: our header comes before the error.
        if closed.error.is_some() && closed.by == By::Local && !self.opened {
            self.write_header();
        }
        self.link.begin_close(closed);
        self.forget();
    }

    fn end(&mut self, closed: Closed) {
        self.link.end(closed);
        self.forget();
    }

    /// Nothing is asked any more.
    fn forget(&mut self) {
        (self.asked, self.login, self.inline) = (None, None, None);
    }

    /// Asks whether the client is there (XEP-0199; XEP-0198 on managed streams).
    // XWS-081.
    fn ping(&mut self) {
        if self.link.is_managed() {
            self.link.ask();
        } else if let (Stage::Bound, Some(jid)) = (self.stage, &self.jid) {
            self.pings = self.pings.wrapping_add(1);
            let id = ping_id(self.pings);
            let attributes = [
                ("xmlns", ns::CLIENT),
                ("type", "get"),
                ("from", jid.domain()),
                ("to", jid.as_str()),
                ("id", &id),
            ];
            self.link.message(|out| {
                element(out, "iq", &attributes, |out| {
                    element(out, "ping", &[("xmlns", ns::PING)], |_| {});
                });
            });
        }
    }
}

/// The id of a ping of ours.
pub(super) fn ping_id(number: u64) -> String {
    format!("wharf-ping-{number}")
}
