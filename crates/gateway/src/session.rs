//! One connection: its transport, and the protocol on it.

use crate::config::Config;
use crate::ending::earlier;
use crate::face::{Caller, Face};
use crate::limits::{
    AMQP_MESSAGE_OVERHEAD_MAX_BYTES, PONGS_MAX_BYTES, XMPP_MESSAGE_OVERHEAD_MAX_BYTES,
};
use crate::request::{Request, Requests};
use crate::{amqp, convert, mbws, xmpp};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;
use wharf_amqp::engine::Framing;
use wharf_broker::{ConnectionId, SessionKey};
use wharf_mbws::{Flavour, Kind, MessageSink};
use wharf_sasl::server::{Answer, Failure as LoginFailure, Question, Settings};
use wharf_sasl::{Mechanism, Nonce};
use wharf_ws::handshake::Agreement;
use wharf_ws::limits::CONTROL_FRAME_MAX_BYTES;
use wharf_ws::{CloseCode, Connection, Due, Event, Input, MessageKind, REASON_MAX_BYTES, Role};

/// What is known of a connection before its protocol begins.
#[derive(Debug)]
pub struct Opening {
    /// Its number at the broker.
    pub connection: ConnectionId,
    /// The virtual host.
    pub host: String,
    /// The user, if it is known already. A protocol that has no login of its own needs one.
    pub user: Option<String>,
    /// The HTTP Origin, if there was one.
    // MBWS-005
    pub origin: Option<String>,
    /// What carries the octets.
    pub transport: Transport,
    /// Whether they are encrypted on their way.
    pub secure: bool,
    /// What a SASL layer offers.
    pub login: Offer,
    /// The query of the upgrade URL, without its `?`.
    pub query: Option<String>,
    /// Randomness for this connection alone.
    pub seed: [u8; 32],
}

/// What carries the octets of a connection.
#[derive(Debug)]
pub enum Transport {
    /// A WebSocket, with what its handshake agreed on.
    WebSocket(Agreement),
    /// AMQP straight on TCP or TLS.
    AmqpStream,
}

impl Transport {
    /// The name of the protocol on it, for statistics.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        let subprotocol = match self {
            Self::AmqpStream => amqp::SUBPROTOCOL,
            Self::WebSocket(agreement) => agreement.subprotocol.as_deref().unwrap_or_default(),
        };
        PROTOCOLS.into_iter().find(|name| *name == subprotocol).unwrap_or(MBWS)
    }
}

/// The names of all protocols, for statistics. Both flavours of MBWS are one.
pub const PROTOCOLS: [&str; 3] = [MBWS, amqp::SUBPROTOCOL, xmpp::SUBPROTOCOL];

const MBWS: &str = "mbws";

/// The name of the protocol that a delivery came in by, as its format tells; what came over HTTP
/// is kept as MBWS keeps it.
#[must_use]
pub fn protocol_of(format: u8) -> Option<&'static str> {
    match format {
        convert::AMQP => Some(amqp::SUBPROTOCOL),
        format if convert::is_xmpp(format) => Some(xmpp::SUBPROTOCOL),
        format => convert::mbws_form(format).map(|_| MBWS),
    }
}

/// What a SASL layer offers.
#[derive(Debug)]
pub struct Offer {
    /// The mechanisms, the best first.
    pub mechanisms: Vec<Mechanism>,
    /// What an exchange is given.
    pub settings: Settings,
}

impl Offer {
    /// No mechanism: whoever comes must be known already.
    #[must_use]
    pub fn none() -> Self {
        let settings = Settings::new(Nonce::from_seed(&[0; 32]), [0; 32]);
        Self { mechanisms: Vec::new(), settings }
    }
}

/// One client connection.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    /// `None`: octets and protocol meet without one.
    websocket: Option<Box<Connection>>,
    face: Face,
    commands: Requests,
    closed: bool,
    /// Pongs of this burst, one for each Ping, up to a bound; then the latest Ping's alone
    /// (WS-CT-03).
    pongs: Vec<u8>,
    /// Nothing that closes the connection waits to be sent.
    flushed: bool,
    /// The time of the last turn.
    turned_at: Instant,
}

impl Session {
    /// A session on a connection that was just accepted or upgraded.
    #[must_use]
    pub fn new(config: Arc<Config>, opening: Opening, now: Instant) -> Self {
        let Opening { host, user, origin, transport, secure, login, query, seed, .. } = opening;
        let name = name_from(&seed);
        let mut session = Self {
            config: Arc::clone(&config),
            websocket: None,
            face: Face::None,
            commands: Requests::default(),
            closed: false,
            pongs: Vec::new(),
            flushed: true,
            turned_at: now,
        };
        let subprotocol = match &transport {
            Transport::AmqpStream => Some(amqp::SUBPROTOCOL),
            Transport::WebSocket(agreement) => agreement.subprotocol.as_deref(),
        };
        let subprotocol = subprotocol.unwrap_or_default();
        let mut framing = Framing::Messages;
        match &transport {
            Transport::AmqpStream => framing = Framing::Stream,
            Transport::WebSocket(agreement) => {
                // XWS-005: RFC 6455 in full, whatever is on it.
                let settings = config.websocket(message_size_max_bytes(&config, subprotocol));
                let websocket = Connection::new(Role::Server, &settings, agreement, seed);
                session.websocket = Some(Box::new(websocket));
            }
        }
        match (Flavour::from_subprotocol(subprotocol), user) {
            (Some(flavour), Some(user)) => {
                let key = SessionKey { host, user, origin, name };
                let mut face = mbws::Face::new(&config, flavour, key, query.as_deref());
                face.start(&mut session.commands);
                session.face = Face::Mbws(Box::new(face));
            }
            (_, user) if amqp::is_subprotocol(subprotocol) => {
                let caller = Caller { host, secure, user, origin, name };
                let login = amqp::Login::new(login.mechanisms, login.settings);
                let face = amqp::Face::new(config, framing, caller, login);
                session.face = Face::Amqp(Box::new(face));
            }
            (_, user) if subprotocol == xmpp::SUBPROTOCOL => {
                let caller = Caller { host, secure, user, origin, name };
                let face = xmpp::Face::new(config, caller, login, seed);
                session.face = Face::Xmpp(Box::new(face));
            }
            _ => session.close(1003, "no subprotocol spoken here was agreed on"),
        }
        session.finish_turn(now);
        session
    }

    /// Bytes held back of a frame that has come in part, moved to the head of `buf`, so that the
    /// next read can go right behind them. They are then part of the next `handle_input`.
    pub fn reclaim(&mut self, buf: &mut [u8]) -> usize {
        self.websocket.as_mut().map_or(0, |websocket| websocket.reclaim(buf))
    }

    /// Takes one burst of bytes from the transport; they are unmasked in place.
    pub fn handle_input(&mut self, now: Instant, bytes: &mut [u8]) {
        if self.websocket.is_some() {
            let mut input = Input::new(bytes);
            while let Some(event) = self.poll_websocket(&mut input) {
                let ping = matches!(event, Event::Ping(_));
                if ping && self.pongs.len() < PONGS_MAX_BYTES {
                    let (websocket, pongs) = (&mut self.websocket, &mut self.pongs);
                    let budget = CONTROL_FRAME_MAX_BYTES;
                    websocket.as_mut().map(|websocket| websocket.poll_transmit(pongs, budget));
                }
                self.handle(event);
            }
        } else {
            self.face.handle_stream(bytes, &mut self.commands);
        }
        self.face.end_burst();
        self.finish_turn(now);
    }

    /// The transport has ended.
    pub fn handle_transport_closed(&mut self, now: Instant) {
        match &mut self.websocket {
            Some(websocket) => websocket.handle_eof(),
            None => self.face.handle_stream_closed(&mut self.commands),
        }
        self.drain_events(now);
    }

    /// The time of `poll_timeout` has come. Spurious calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(websocket) = &mut self.websocket {
            websocket.handle_timeout(now);
        }
        self.face.handle_timeout(now, &mut self.commands);
        self.drain_events(now);
    }

    /// What the shard says.
    pub fn handle_event(&mut self, now: Instant, event: wharf_broker::Event) {
        self.face.handle_event(event, &mut self.commands);
        self.finish_turn(now);
    }

    /// What the login wants to know of the user database; one question at a time.
    pub fn poll_question(&mut self) -> Option<Question> {
        self.face.poll_question()
    }

    /// What the user database says.
    pub fn handle_answer(&mut self, now: Instant, answer: Answer) {
        self.face.handle_answer(answer, &mut self.commands);
        self.finish_turn(now);
    }

    /// How a login ended; each once.
    pub fn take_login(&mut self) -> Option<(Mechanism, Result<(), LoginFailure>)> {
        self.face.take_login()
    }

    /// Ends the connection from this side with a close code; the session stays recoverable.
    pub fn drain(&mut self, now: Instant, code: u16) {
        if !self.face.drain(code) {
            self.close(code, "");
        }
        self.finish_turn(now);
    }

    /// The next command for the shard, or for the services beside it.
    pub fn poll_command(&mut self) -> Option<Request> {
        self.commands.pop_front()
    }

    /// Appends about `budget` bytes to `out`, one message more at most; 0 says that nothing is
    /// left.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>, budget: usize) -> usize {
        let before = out.len();
        let full_at = before.saturating_add(budget);
        out.append(&mut std::mem::take(&mut self.pongs));
        if let Some(websocket) = &mut self.websocket
            && !self.face.holds_close()
        {
            websocket.poll_transmit(out, budget);
        }
        self.flushed = out.len() == before;
        match &mut self.face {
            Face::Mbws(face) if face.has_output() => {
                if let Some(websocket) = &mut self.websocket {
                    let mut sink = Sink { websocket, out, lost: false };
                    let is_full = |sink: &Sink<'_>| sink.lost || sink.out.len() >= full_at;
                    face.transmit(&mut sink, is_full, &mut self.commands);
                }
            }
            Face::Amqp(_) | Face::Xmpp(_) => self.transmit_units(out, full_at),
            Face::Mbws(_) | Face::None => {}
        }
        if let Some((code, reason)) = self.face.take_close() {
            self.close(code, &reason);
            if let Some(websocket) = &mut self.websocket {
                let before = out.len();
                websocket.poll_transmit(out, usize::MAX);
                self.flushed &= out.len() == before;
            }
        }
        out.len().saturating_sub(before)
    }

    /// What goes into a message of its own, one after the other.
    // WSB-036: binary messages alone. XWS-010: text messages alone.
    fn transmit_units(&mut self, out: &mut Vec<u8>, full_at: usize) {
        let mut lost = false;
        while out.len() < full_at && !lost {
            let budget = full_at.saturating_sub(out.len());
            let websocket = &mut self.websocket;
            let mut send = |kind, unit: &[u8]| match websocket {
                // After our own Close nothing more is sent.
                Some(websocket) => lost = websocket.send(kind, &[unit], out).is_err(),
                None => out.extend_from_slice(unit),
            };
            let more = match &mut self.face {
                Face::Amqp(face) => face.transmit(budget, &mut self.commands, |unit| {
                    send(MessageKind::Binary, unit);
                }),
                Face::Xmpp(face) => {
                    face.transmit(&mut self.commands, |unit| send(MessageKind::Text, unit))
                }
                Face::Mbws(_) | Face::None => false,
            };
            if !more {
                break;
            }
        }
    }

    /// When `handle_timeout` is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let websocket = self.websocket.as_ref().and_then(|websocket| websocket.poll_timeout());
        earlier(websocket, self.face.poll_timeout()).map(|due| match due {
            Due::At(at) => at,
            // A timer that began while something was sent: it learns the time at once.
            Due::Now => self.turned_at,
        })
    }

    /// Back-pressure: whether the transport may be read.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.face.wants_input()
    }

    /// Whether the transport may be closed: everything is said.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.websocket {
            Some(_) if self.face.holds_close() => false,
            Some(websocket) => {
                websocket.is_finished() || (websocket.should_close_transport() && self.flushed)
            }
            None => self.closed,
        }
    }

    fn poll_websocket<'b>(&mut self, input: &mut Input<'b>) -> Option<Event<'b>> {
        self.websocket.as_mut().and_then(|websocket| websocket.poll_event(input))
    }

    fn drain_events(&mut self, now: Instant) {
        let mut input = Input::empty();
        while let Some(event) = self.poll_websocket(&mut input) {
            self.handle(event);
        }
        self.finish_turn(now);
    }

    /// Every input ends here: what it asked to close is closed, and new timers learn the time.
    fn finish_turn(&mut self, now: Instant) {
        if let Some((code, reason)) = self.face.take_close() {
            self.close(code, &reason);
        }
        if self.face.poll_timeout() == Some(Due::Now) {
            self.face.handle_timeout(now, &mut self.commands);
        }
        if let Some(websocket) = &mut self.websocket
            && websocket.poll_timeout() == Some(Due::Now)
        {
            websocket.handle_timeout(now);
        }
        self.flushed = false;
        self.turned_at = now;
    }

    fn handle(&mut self, event: Event<'_>) {
        match event {
            Event::Message { kind, payload } => {
                let close = self.face.handle_message(kind, &payload, &mut self.commands);
                if let Some(close) = close {
                    self.close(close.code, close.reason);
                }
            }
            Event::Ping(_) | Event::Pong(_) => {}
            Event::Closed(closed) => {
                self.face.handle_closed(&self.config, &closed, &mut self.commands);
                self.closed = true;
            }
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        match &mut self.websocket {
            Some(websocket) if !self.closed => {
                let fitting = reason.floor_char_boundary(REASON_MAX_BYTES);
                let reason = reason.get(..fitting).unwrap_or_default();
                // Fails only if a Close was sent before, which is as well.
                let _ = websocket.close(CloseCode::new(code), reason);
            }
            Some(_) => {}
            None => self.closed = true,
        }
    }
}

/// Where the protocol's messages go: straight into the caller's buffer.
struct Sink<'a> {
    websocket: &'a mut Connection,
    out: &'a mut Vec<u8>,
    lost: bool,
}

impl MessageSink for Sink<'_> {
    fn message(&mut self, kind: Kind, parts: &[&[u8]]) {
        let kind = match kind {
            Kind::Text => MessageKind::Text,
            Kind::Binary => MessageKind::Binary,
        };
        // After our own Close nothing more is sent; the client hears it when it recovers.
        self.lost |= self.websocket.send(kind, parts, self.out).is_err();
    }
}

/// The longest WebSocket message: a little more than what the protocol takes, so that the protocol
/// itself can say what is too long.
fn message_size_max_bytes(config: &Config, subprotocol: &str) -> usize {
    let size_max_bytes = config.message_size_max_bytes;
    if amqp::is_subprotocol(subprotocol) {
        // WSB-041: frames of several messages may share one of the WebSocket.
        size_max_bytes.saturating_add(AMQP_MESSAGE_OVERHEAD_MAX_BYTES)
    } else if subprotocol == xmpp::SUBPROTOCOL {
        let size_max_bytes = config.xmpp.stanza_size_max_bytes();
        size_max_bytes.saturating_add(XMPP_MESSAGE_OVERHEAD_MAX_BYTES)
    } else {
        size_max_bytes
    }
}

/// A name nobody can guess, as a URN (MBWS-013, MBWS-A07), in ASCII (MBWS-A01): a random UUID.
fn name_from(seed: &[u8; 32]) -> String {
    let mut name = String::with_capacity(45);
    name.push_str("urn:uuid:");
    for (at, byte) in seed.iter().take(16).enumerate() {
        let byte = match at {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            name.push('-');
        }
        // Writing to a String does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_is_a_random_uuid() {
        assert_eq!(super::name_from(&[0xff; 32]), "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
