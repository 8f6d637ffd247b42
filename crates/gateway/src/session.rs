//! The WebSocket of a connection and the protocol on it.

use crate::config::Config;
use crate::limits::PONGS_MAX_BYTES;
use crate::mbws;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;
use wharf_broker::{Command, ConnectionId, SessionKey};
use wharf_mbws::{Flavour, Kind, MessageSink};
use wharf_ws::handshake::Agreement;
use wharf_ws::limits::CONTROL_FRAME_MAX_BYTES;
use wharf_ws::{CloseCode, Connection, Due, Event, Input, MessageKind, REASON_MAX_BYTES, Role};

/// What is known of a connection when its upgrade is accepted.
#[derive(Debug)]
pub struct Opening {
    /// Its number at the broker.
    pub connection: ConnectionId,
    /// The virtual host.
    pub host: String,
    /// The authenticated user.
    pub user: String,
    /// The HTTP Origin, if there was one.
    // MBWS-005
    pub origin: Option<String>,
    /// What the handshake agreed on.
    pub agreement: Agreement,
    /// The query of the upgrade URL, without its `?`.
    pub query: Option<String>,
    /// Randomness for this connection alone.
    pub seed: [u8; 32],
}

/// One client connection after its upgrade.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    websocket: Connection,
    face: Face,
    commands: VecDeque<Command>,
    closed: bool,
    /// Pongs of this burst, one for each Ping, up to a bound; then the latest Ping's alone
    /// (WS-CT-03).
    pongs: Vec<u8>,
    /// Nothing that closes the connection waits to be sent.
    flushed: bool,
}

/// The protocol on the connection; another one is another arm.
#[derive(Debug)]
enum Face {
    Mbws(Box<mbws::Face>),
    /// The subprotocol agreed on is none of ours: the connection is being closed.
    None,
}

impl Session {
    /// A session on a connection that was just upgraded.
    #[must_use]
    pub fn new(config: Arc<Config>, opening: Opening, now: Instant) -> Self {
        let Opening { host, user, origin, agreement, query, seed, .. } = opening;
        let websocket = Connection::new(Role::Server, &config.websocket(), &agreement, seed);
        let flavour = agreement.subprotocol.as_deref().and_then(Flavour::from_subprotocol);
        let (face, commands) = (Face::None, VecDeque::new());
        let mut session = Self {
            config,
            websocket,
            face,
            commands,
            closed: false,
            pongs: Vec::new(),
            flushed: true,
        };
        match flavour {
            Some(flavour) => {
                let key = SessionKey { host, user, origin, name: name_from(&seed) };
                let mut face = mbws::Face::new(flavour, key, query.as_deref());
                face.start(&mut session.commands);
                session.face = Face::Mbws(Box::new(face));
            }
            None => session.close(1003, "no subprotocol spoken here was agreed on"),
        }
        session.finish_turn(now);
        session
    }

    /// Bytes held back of a frame that has come in part, moved to the head of `buf`, so that the
    /// next read can go right behind them. They are then part of the next `handle_input`.
    pub fn reclaim(&mut self, buf: &mut [u8]) -> usize {
        self.websocket.reclaim(buf)
    }

    /// Takes one burst of bytes from the transport; they are unmasked in place.
    pub fn handle_input(&mut self, now: Instant, bytes: &mut [u8]) {
        let mut input = Input::new(bytes);
        while let Some(event) = self.websocket.poll_event(&mut input) {
            if matches!(event, Event::Ping(_)) && self.pongs.len() < PONGS_MAX_BYTES {
                self.websocket.poll_transmit(&mut self.pongs, CONTROL_FRAME_MAX_BYTES);
            }
            self.handle(event);
        }
        if let Face::Mbws(face) = &mut self.face {
            face.end_burst();
        }
        self.finish_turn(now);
    }

    /// The transport has ended.
    pub fn handle_transport_closed(&mut self, now: Instant) {
        self.websocket.handle_eof();
        self.drain_events(now);
    }

    /// The time of `poll_timeout` has come. Spurious calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.websocket.handle_timeout(now);
        self.drain_events(now);
    }

    /// What the shard says.
    pub fn handle_event(&mut self, now: Instant, event: wharf_broker::Event) {
        if let Face::Mbws(face) = &mut self.face {
            face.handle_event(event, &mut self.commands);
        }
        self.finish_turn(now);
    }

    /// Ends the connection from this side with a close code; the session stays recoverable.
    pub fn drain(&mut self, now: Instant, code: u16) {
        self.close(code, "");
        self.finish_turn(now);
    }

    /// The next command for the shard.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Appends about `budget` bytes to `out`, one message more at most; 0 says that nothing is
    /// left.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>, budget: usize) -> usize {
        let before = out.len();
        let full_at = before.saturating_add(budget);
        out.append(&mut std::mem::take(&mut self.pongs));
        self.websocket.poll_transmit(out, budget);
        self.flushed = out.len() == before;
        if let Face::Mbws(face) = &mut self.face
            && face.has_output()
        {
            let mut sink = Sink { websocket: &mut self.websocket, out, lost: false };
            let is_full = |sink: &Sink<'_>| sink.lost || sink.out.len() >= full_at;
            face.transmit(&mut sink, is_full, &mut self.commands);
        }
        out.len().saturating_sub(before)
    }

    /// When `handle_timeout` is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.websocket.poll_timeout()? {
            Due::At(at) => Some(at),
            // Every turn ends with the time, so nothing is due at once.
            Due::Now => None,
        }
    }

    /// Back-pressure: whether the transport may be read.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        match &self.face {
            Face::Mbws(face) => face.wants_input(),
            Face::None => true,
        }
    }

    /// Whether the transport may be closed: everything is said.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.websocket.is_finished() || (self.websocket.should_close_transport() && self.flushed)
    }

    fn drain_events(&mut self, now: Instant) {
        let mut input = Input::empty();
        while let Some(event) = self.websocket.poll_event(&mut input) {
            self.handle(event);
        }
        self.finish_turn(now);
    }

    /// Every input ends here: what it asked to close is closed, and new timers learn the time.
    fn finish_turn(&mut self, now: Instant) {
        if let Face::Mbws(face) = &mut self.face
            && let Some((code, reason)) = face.take_close()
        {
            self.close(code, &reason);
        }
        if self.websocket.poll_timeout() == Some(Due::Now) {
            self.websocket.handle_timeout(now);
        }
        self.flushed = false;
    }

    fn handle(&mut self, event: Event<'_>) {
        let Face::Mbws(face) = &mut self.face else {
            return;
        };
        match event {
            Event::Message { kind, payload } => {
                let kind = match kind {
                    MessageKind::Text => Kind::Text,
                    MessageKind::Binary => Kind::Binary,
                };
                face.handle_message(kind, &payload, &mut self.commands);
            }
            Event::Ping(_) | Event::Pong(_) => {}
            Event::Closed(closed) => {
                let code = closed.code.number();
                face.handle_closed(&self.config, closed.clean, code, &mut self.commands);
                self.closed = true;
            }
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        if !self.closed {
            let fitting = reason.floor_char_boundary(REASON_MAX_BYTES);
            let reason = reason.get(..fitting).unwrap_or_default();
            // Fails only if a Close was sent before, which is as well.
            let _ = self.websocket.close(CloseCode::new(code), reason);
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
