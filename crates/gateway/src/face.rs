//! The protocols that can be on a connection, as the session sees them.

use crate::config::Config;
use crate::ending::Close;
use crate::request::Requests;
use crate::{amqp, mbws, xmpp};
use std::borrow::Cow;
use std::time::Instant;
use wharf_amqp::engine::Input as Octets;
use wharf_mbws::Kind;
use wharf_sasl::Mechanism;
use wharf_sasl::server::{Answer, Failure, Question};
use wharf_ws::{Closed, Due, MessageKind};

/// Who a connection is from, as far as it is known before a protocol with a login begins.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) host: String,
    /// The transport is encrypted.
    pub(crate) secure: bool,
    /// Known from HTTP or from the listener; a login may name another.
    pub(crate) user: Option<String>,
    pub(crate) origin: Option<String>,
    /// Unguessable, and of this connection alone.
    pub(crate) name: String,
}

/// The protocol on a connection; another one is another arm.
#[derive(Debug)]
pub(crate) enum Face {
    Mbws(Box<mbws::Face>),
    Amqp(Box<amqp::Face>),
    Xmpp(Box<xmpp::Face>),
    /// The subprotocol agreed on is none of ours: the connection is being closed.
    None,
}

impl Face {
    /// One WebSocket message. What is returned ends the connection at once.
    pub(crate) fn handle_message(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        requests: &mut Requests,
    ) -> Option<Close> {
        match (self, kind) {
            (Self::Mbws(face), MessageKind::Text) => {
                face.handle_message(Kind::Text, payload, requests);
            }
            (Self::Mbws(face), MessageKind::Binary) => {
                face.handle_message(Kind::Binary, payload, requests);
            }
            // WSB-034, WSB-040: one connection on one WebSocket, whose control frames are its own.
            (Self::Amqp(face), MessageKind::Binary) => {
                face.handle_input(Octets::message(payload), requests);
            }
            (Self::Amqp(face), MessageKind::Text) => {
                // WSB-A05.
                face.handle_closed(requests);
                return Some(Close { code: 1003, reason: "AMQP is in binary messages" });
            }
            (Self::Xmpp(face), kind) => {
                face.handle_message(kind, payload, requests);
            }
            (Self::None, _) => {}
        }
        None
    }

    /// A burst of octets without a WebSocket.
    pub(crate) fn handle_stream(&mut self, octets: &[u8], requests: &mut Requests) {
        if let Self::Amqp(face) = self {
            face.handle_input(Octets::stream(octets), requests);
        }
    }

    /// The burst of input is over: its memory is given back.
    pub(crate) fn end_burst(&mut self) {
        match self {
            Self::Mbws(face) => face.end_burst(),
            Self::Amqp(face) => face.end_burst(),
            Self::Xmpp(face) => face.end_burst(),
            Self::None => {}
        }
    }

    /// The WebSocket is closed.
    pub(crate) fn handle_closed(
        &mut self,
        config: &Config,
        closed: &Closed,
        requests: &mut Requests,
    ) {
        match self {
            Self::Mbws(face) => {
                face.handle_closed(config, closed.clean, closed.code.number(), requests);
            }
            // WSB-082: the answer to a Close is the WebSocket's.
            Self::Amqp(face) => face.handle_closed(requests),
            Self::Xmpp(face) => face.handle_closed(requests),
            Self::None => {}
        }
    }

    /// The transport without a WebSocket has ended.
    pub(crate) fn handle_stream_closed(&mut self, requests: &mut Requests) {
        if let Self::Amqp(face) = self {
            face.handle_closed(requests);
        }
    }

    /// What the shard says.
    pub(crate) fn handle_event(&mut self, event: wharf_broker::Event, requests: &mut Requests) {
        match self {
            Self::Mbws(face) => face.handle_event(event, requests),
            Self::Amqp(face) => face.handle_event(event, requests),
            Self::Xmpp(face) => face.handle_event(event, requests),
            Self::None => {}
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, requests: &mut Requests) {
        match self {
            Self::Amqp(face) => face.handle_timeout(now, requests),
            Self::Xmpp(face) => face.handle_timeout(now, requests),
            Self::Mbws(_) | Self::None => {}
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Due> {
        match self {
            Self::Amqp(face) => face.poll_timeout(),
            Self::Xmpp(face) => face.poll_timeout(),
            Self::Mbws(_) | Self::None => None,
        }
    }

    /// What the login wants to know.
    pub(crate) fn poll_question(&mut self) -> Option<Question> {
        match self {
            Self::Amqp(face) => face.poll_question(),
            Self::Xmpp(face) => face.poll_question(),
            Self::Mbws(_) | Self::None => None,
        }
    }

    /// What the user database says.
    pub(crate) fn handle_answer(&mut self, answer: Answer, requests: &mut Requests) {
        match self {
            Self::Amqp(face) => face.handle_answer(answer, requests),
            Self::Xmpp(face) => face.handle_answer(answer, requests),
            Self::Mbws(_) | Self::None => {}
        }
    }

    /// How a login ended, once.
    pub(crate) fn take_login(&mut self) -> Option<(Mechanism, Result<(), Failure>)> {
        match self {
            Self::Amqp(face) => face.take_login(),
            Self::Xmpp(face) => face.take_login(),
            Self::Mbws(_) | Self::None => None,
        }
    }

    /// The node goes away. Whether the protocol ends the connection; otherwise the WebSocket does.
    pub(crate) fn drain(&mut self, code: u16) -> bool {
        match self {
            Self::Amqp(face) => face.drain(code),
            Self::Xmpp(face) => face.drain(code),
            Self::Mbws(_) | Self::None => return false,
        }
        true
    }

    pub(crate) fn wants_input(&self) -> bool {
        match self {
            Self::Mbws(face) => face.wants_input(),
            Self::Amqp(face) => face.wants_input(),
            Self::Xmpp(face) => face.wants_input(),
            Self::None => true,
        }
    }

    /// Whether the answer to the peer's Close must wait for the journal.
    pub(crate) fn holds_close(&self) -> bool {
        matches!(self, Self::Mbws(face) if face.holds_close())
    }

    /// Why the transport is to be closed now.
    pub(crate) fn take_close(&mut self) -> Option<(u16, Cow<'static, str>)> {
        let close = match self {
            Self::Mbws(face) => return face.take_close(),
            Self::Amqp(face) => face.take_close(),
            Self::Xmpp(face) => face.take_close(),
            Self::None => None,
        };
        close.map(|close| (close.code, Cow::Borrowed(close.reason)))
    }
}
