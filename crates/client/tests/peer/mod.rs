//! An AMQP broker in memory, made for accidents: it can break every connection, break them at
//! random, refuse, redirect, and decide as it is told.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a test with sockets; every surprise shall fail it"
)]

mod face;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use face::Face;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::engine::{Framing, Input};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Attach, Open};
use wharf_amqp::value::{Fields, Value};
use wharf_ws::CloseCode;
use wharf_ws::handshake::Refusal;
use wharf_ws::handshake::server::Policy;
use wharf_ws::tokio::{Message, WebSocket, accept_with};

/// Handle of a running broker.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) port: u16,
    framing: Framing,
    state: Arc<Mutex<State>>,
    /// Counts cuts: a connection ends when this changes.
    cut: Arc<watch::Sender<u64>>,
    /// Changes whenever there is something to do.
    work: Arc<watch::Sender<u64>>,
}

/// A message that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) address: String,
    pub(crate) body: String,
    /// It says that it may be a repetition.
    pub(crate) again: bool,
    pub(crate) settled: bool,
}

pub(crate) struct State {
    /// Every message stored, in order.
    pub(crate) stored: Vec<Stored>,
    /// Messages to be had: attempts that failed, and the encoded message.
    pub(crate) queues: BTreeMap<String, VecDeque<(u32, Vec<u8>)>>,
    /// What consumers said of deliveries, by address.
    pub(crate) outcomes: Vec<(String, DeliveryState)>,
    /// Every open, and every link that was asked for.
    pub(crate) opens: Vec<Open>,
    pub(crate) attaches: Vec<Attach>,
    /// `Host` and path of every upgrade, and mechanism and hostname of every login.
    pub(crate) upgrades: Vec<(String, String)>,
    pub(crate) logins: Vec<(String, Option<String>)>,
    /// Connections that ended with both closes exchanged.
    pub(crate) closes: usize,
    pub(crate) connections: usize,
    /// Mechanisms offered.
    pub(crate) mechanisms: Vec<&'static str>,
    /// Close with this as soon as the connection is open.
    pub(crate) close_with: Option<Error>,
    /// Refuse links of these addresses.
    pub(crate) refuse: BTreeMap<String, Error>,
    /// Answer upgrades with this status and header.
    pub(crate) http: Option<(u16, Option<String>)>,
    /// The subprotocol that upgrades are answered with.
    pub(crate) subprotocol: &'static str,
    /// The outcome of messages; without one they are never settled.
    pub(crate) outcome: Option<DeliveryState>,
    /// Credit of a producer, topped up at half.
    pub(crate) credit: u32,
    pub(crate) message_size_max_bytes: u64,
    /// After how many more messages the connection breaks, if at all.
    accidents: Option<Dice>,
}

impl Default for State {
    fn default() -> Self {
        State {
            stored: Vec::new(),
            queues: BTreeMap::new(),
            outcomes: Vec::new(),
            opens: Vec::new(),
            attaches: Vec::new(),
            upgrades: Vec::new(),
            logins: Vec::new(),
            closes: 0,
            connections: 0,
            mechanisms: vec!["SCRAM-SHA-256", "PLAIN", "ANONYMOUS"],
            close_with: None,
            refuse: BTreeMap::new(),
            http: None,
            subprotocol: "amqp",
            outcome: Some(DeliveryState::Accepted),
            credit: 100,
            message_size_max_bytes: 0,
            accidents: None,
        }
    }
}

/// A small generator: the seed is all that a failure needs.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// An error with this info.
pub(crate) fn told(condition: Condition, info: &[(&str, Value)]) -> Error {
    let info: Fields =
        info.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Error { condition, description: Some("as told".to_owned()), info }
}

impl Peer {
    /// A broker on a free port of this machine, on WebSockets or on plain TCP.
    pub(crate) async fn start(framing: Framing) -> Peer {
        let (peer, listener) = Peer::bind(framing).await;
        let accepting = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        peer
    }

    pub(crate) async fn bind(framing: Framing) -> (Peer, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, work) = (watch::channel(0).0, watch::channel(0).0);
        let state = Arc::default();
        let peer = Peer { port, framing, state, cut: Arc::new(cut), work: Arc::new(work) };
        (peer, listener)
    }

    pub(crate) fn url(&self) -> String {
        match self.framing {
            Framing::Messages => format!("ws://127.0.0.1:{}/ws", self.port),
            Framing::Stream => format!("amqp://127.0.0.1:{}", self.port),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Breaks every connection.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|count| *count += 1);
    }

    /// From now on connections break by themselves.
    pub(crate) fn have_accidents(&self, seed: u64) {
        self.state().accidents = Some(Dice(seed));
    }

    pub(crate) fn be_good(&self) {
        self.state().accidents = None;
    }

    /// Puts an encoded message into a queue.
    pub(crate) fn put(&self, address: &str, message: Vec<u8>) {
        self.state().queues.entry(address.to_owned()).or_default().push_back((0, message));
        self.wake();
    }

    /// Puts a text into a queue.
    pub(crate) fn put_text(&self, address: &str, body: &str) {
        let mut message = Vec::new();
        wharf_amqp::messaging::append_value(&mut message, &Value::from(body));
        self.put(address, message);
    }

    pub(crate) fn wake(&self) {
        self.work.send_modify(|count| *count += 1);
    }

    /// Waits until `done` is true of the state.
    pub(crate) async fn until(&self, done: impl Fn(&State) -> bool) {
        let mut work = self.work.subscribe();
        while !done(&self.state()) {
            work.changed().await.unwrap();
        }
    }

    /// One connection, to its end.
    pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) {
        self.state().connections += 1;
        self.wake();
        match self.framing {
            Framing::Messages => self.serve_websocket(stream).await,
            Framing::Stream => self.serve_stream(stream).await,
        }
        self.wake();
    }

    async fn serve_websocket<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) {
        let mut cut = self.cut.subscribe();
        let subprotocols = vec![self.state().subprotocol.to_owned()];
        let policy = Policy { subprotocols, ..Policy::default() };
        let asked = accept_with(stream, &policy, |request| {
            let host = request.authority().unwrap_or_default().to_owned();
            let mut state = self.state();
            state.upgrades.push((host, request.target.to_owned()));
            let Some((status, location)) = &state.http else { return Ok(()) };
            let refusal = Refusal::with_status(*status);
            Err(match location {
                Some(location) => refusal.header("Location", location).unwrap(),
                None => refusal,
            })
        });
        let Ok(opened) = asked.await else { return };
        let mut socket = WebSocket::new(opened, &wharf_ws::Config::default());
        let mut face = Face::new(self.framing, &self.state());
        let mut work = self.work.subscribe();
        loop {
            face.dispatch(&mut self.state());
            while let Some(unit) = face.transmit() {
                let _ = socket.feed(&Message::Binary(unit));
            }
            let _ = socket.flush().await;
            if face.is_over() {
                face.leave(&mut self.state());
                let _ = socket.close(CloseCode::NORMAL, "").await;
                return;
            }
            tokio::select! {
                message = socket.recv() => match message {
                    Some(Message::Binary(octets)) => {
                        face.handle(&mut self.state(), Input::message(&octets));
                    }
                    other => {
                        assert_eq!(other, None);
                        break;
                    }
                },
                _ = work.changed() => {}
                _ = cut.changed() => break,
            }
            self.wake();
            if face.broken {
                break;
            }
        }
        face.leave(&mut self.state());
    }

    async fn serve_stream<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) {
        let mut cut = self.cut.subscribe();
        let mut face = Face::new(self.framing, &self.state());
        let mut work = self.work.subscribe();
        let mut octets = Vec::new();
        loop {
            face.dispatch(&mut self.state());
            while let Some(unit) = face.transmit() {
                let _ = stream.write_all(&unit).await;
            }
            if face.is_over() {
                break;
            }
            octets.clear();
            tokio::select! {
                count = stream.read_buf(&mut octets) => match count {
                    Ok(1..) => face.handle(&mut self.state(), Input::stream(&octets)),
                    _ => break,
                },
                _ = work.changed() => {}
                _ = cut.changed() => break,
            }
            self.wake();
            if face.broken {
                break;
            }
        }
        face.leave(&mut self.state());
        let _ = stream.shutdown().await;
    }
}
