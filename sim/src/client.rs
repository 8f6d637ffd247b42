//! An MBWS client with recovery, and its application.

use crate::random::Random;
use crate::wire::Wire;
use std::collections::VecDeque;
use wharf_broker::ConnectionId;
use wharf_mbws::client::{Connection as Engine, Event, Options};
use wharf_mbws::{Kind, MessageSink, WindowLimits};
use wharf_ws::{
    Agreement, Compression, Config, Connection, Event as Heard, Input, MessageKind, Role, Version,
};

/// What a client is for.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Sends so many numbered messages to a queue.
    Send { queue: String, messages: u64 },
    /// Receives from a queue: asked for on the URL, or by a message.
    Receive { queue: String, by_url: bool },
}

/// A client process; unlike the node, it is never killed.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: usize,
    pub(crate) work: Work,
    engine: Engine,
    /// The socket under it, while there is one.
    pub(crate) socket: Option<Socket>,
    /// Messages the application has handed over.
    pub(crate) sent: u64,
    /// Bodies the application has received, in order.
    pub(crate) received: Vec<String>,
    /// The newest message received and not yet acknowledged.
    unacknowledged: Option<u64>,
    asked: bool,
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) connection: ConnectionId,
    pub(crate) wire: Wire,
    websocket: Connection,
}

/// Where the engine's frames go: onto the wire, if there is one.
struct Sink<'a>(Option<&'a mut Socket>);

impl MessageSink for Sink<'_> {
    fn message(&mut self, kind: Kind, parts: &[&[u8]]) {
        let Some(socket) = &mut self.0 else { return };
        let kind = match kind {
            Kind::Text => MessageKind::Text,
            Kind::Binary => MessageKind::Binary,
        };
        let mut out = Vec::new();
        // After a Close nothing can be sent; it is sent again on the next socket.
        if socket.websocket.send(kind, parts, &mut out).is_ok() {
            socket.wire.to_node.extend(out);
        }
    }
}

impl Client {
    pub(crate) fn new(name: usize, work: Work, kind: Kind) -> Self {
        let window = WindowLimits { messages_max: 20, ..WindowLimits::default() };
        Self {
            name,
            work,
            engine: Engine::new(Options { kind, window, ..Options::default() }),
            socket: None,
            sent: 0,
            received: Vec::new(),
            unacknowledged: None,
            asked: false,
        }
    }

    /// The query of the URL it connects to.
    pub(crate) fn query(&self) -> Option<String> {
        match &self.work {
            Work::Receive { queue, by_url: true } => Some(format!("address={queue}&credit=7")),
            _ => None,
        }
    }

    pub(crate) fn connect(&mut self, connection: ConnectionId, seed: [u8; 32]) {
        let agreement = Agreement {
            version: Version::Rfc6455,
            subprotocol: None,
            compression: Compression::None,
        };
        let websocket = Connection::new(Role::Client, &Config::default(), &agreement, seed);
        self.socket = Some(Socket { connection, wire: Wire::default(), websocket });
        let mut sink = Sink(self.socket.as_mut());
        let asked = match self.engine.name() {
            None => self.engine.connect(&mut sink),
            Some(_) => self.engine.reconnect(&mut sink),
        };
        asked.expect("no session is there");
    }

    pub(crate) fn lose_socket(&mut self) {
        self.socket = None;
        self.engine.session_lost();
    }

    /// Reads what has arrived. `false` when the socket is of no more use.
    pub(crate) fn read(&mut self, mut bytes: Vec<u8>) -> bool {
        let mut input = Input::new(&mut bytes);
        let mut messages = VecDeque::new();
        let Some(socket) = &mut self.socket else { return true };
        while let Some(heard) = socket.websocket.poll_event(&mut input) {
            match heard {
                Heard::Message { kind, payload } => messages.push_back((kind, payload.into_vec())),
                Heard::Ping(_) | Heard::Pong(_) => {}
                Heard::Closed(_) => return false,
            }
        }
        let mut out = Vec::new();
        socket.websocket.poll_transmit(&mut out, 1000);
        socket.wire.to_node.extend(out);
        for (kind, payload) in messages {
            self.hear(kind, &payload);
        }
        true
    }

    fn hear(&mut self, kind: MessageKind, payload: &[u8]) {
        let kind = match kind {
            MessageKind::Text => Kind::Text,
            MessageKind::Binary => Kind::Binary,
        };
        let mut sink = Sink(self.socket.as_mut());
        match self.engine.handle_message(kind, payload, &mut sink) {
            Event::Opened { .. }
            | Event::Resumed { .. }
            | Event::Acknowledged { .. }
            | Event::Ignored
            // Delivered before the last reconnect and not acknowledged yet.
            | Event::Repeated { .. } => {}
            Event::Delivered { seq, message, .. } => {
                let body = std::str::from_utf8(message.content.body()).expect("bodies are text");
                self.received.push(body.to_owned());
                self.unacknowledged = Some(seq);
            }
            Event::Refused { .. } => panic!("client {} was refused its session", self.name),
            Event::Violated(violation) => panic!("client {}: {violation}", self.name),
        }
    }

    /// The application does something.
    pub(crate) fn act(&mut self, random: &mut Random) {
        match self.work.clone() {
            Work::Send { queue, messages } => {
                for _ in 0..random.below(5) {
                    if self.sent < messages {
                        self.send(&queue, random);
                    }
                }
            }
            Work::Receive { queue, by_url: false } if !self.asked && self.engine.is_open() => {
                self.asked = true;
                let properties = [("address", queue.as_str()), ("credit", "7")];
                let mut sink = Sink(self.socket.as_mut());
                let asked = self.engine.send(
                    Kind::Binary,
                    &["wharf/consume"],
                    "",
                    properties.into_iter(),
                    b"",
                    &mut sink,
                );
                asked.expect("the window is empty");
            }
            Work::Receive { .. } => {
                if let Some(up_to) = self.unacknowledged.take() {
                    let mut sink = Sink(self.socket.as_mut());
                    self.engine.acknowledge(up_to, &mut sink).expect("it was delivered");
                }
            }
        }
    }

    fn send(&mut self, queue: &str, random: &mut Random) {
        let kind = if random.one_in(2) { Kind::Text } else { Kind::Binary };
        let padding = "x".repeat(random.below(3).pow(10).min(3000));
        let body = format!("{}:{}:{padding}", self.name, self.sent + 1);
        let none: [(&str, &str); 0] = [];
        let mut sink = Sink(self.socket.as_mut());
        let sent = self.engine.send(
            kind,
            &[queue],
            "text/plain",
            none.into_iter(),
            body.as_bytes(),
            &mut sink,
        );
        if sent.is_ok() {
            self.sent += 1;
        }
    }

    /// Messages it has sent and the broker has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.engine.unacknowledged()
    }
}
