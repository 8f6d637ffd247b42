//! A broker in memory, made for accidents: it can break every connection, break them at random,
//! forget what it knows, and refuse.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "a test with sockets; every surprise shall fail it"
)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use wharf_mbws::recovery::{LedgerView, Verdict, judge};
use wharf_mbws::server::{Connection, Event};
use wharf_mbws::{Flavour, Kind, LengthUnit, Limits, Message as Received, MessageSink};
use wharf_ws::CloseCode;
use wharf_ws::handshake::Refusal;
use wharf_ws::handshake::server::Policy;
use wharf_ws::tokio::{Message, WebSocket, accept_with};

pub(crate) const CONSUME: &str = "wharf/consume";

/// Handle of a running broker.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
    /// Counts cuts: a connection ends when this changes.
    cut: Arc<watch::Sender<u64>>,
    /// Changes whenever there is something to do.
    work: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
pub(crate) struct State {
    /// Every message stored, in order: address and body.
    pub(crate) stored: Vec<(String, String)>,
    pub(crate) queues: BTreeMap<String, VecDeque<Stored>>,
    sessions: BTreeMap<String, Ledger>,
    names: u64,
    /// Properties of every wish.
    pub(crate) wishes: Vec<Vec<(String, String)>>,
    /// How connections ended: the codes of the clients' Closes.
    pub(crate) closes: Vec<u16>,
    pub(crate) resumed: usize,
    /// The `Authorization` and `Origin` of every request.
    pub(crate) asked: Vec<(Option<String>, Option<String>)>,
    /// Answer requests with this status.
    pub(crate) refuse: Option<u16>,
    /// Close with this instead of taking a message.
    pub(crate) close_with: Option<(u16, &'static str)>,
    /// Do not acknowledge.
    pub(crate) silent: bool,
    /// After how many more messages the connection breaks, if at all.
    accidents: Option<Dice>,
}

#[derive(Clone)]
pub(crate) struct Stored {
    kind: Kind,
    content: Vec<u8>,
}

/// What outlives a connection.
#[derive(Default)]
struct Ledger {
    taken: u64,
    acked: u64,
    outbound: VecDeque<(String, Stored)>,
    consuming: Vec<(String, usize)>,
}

impl Ledger {
    fn view(&self) -> LedgerView {
        let sent = self.acked + self.outbound.len() as u64;
        LedgerView { taken: self.taken, acked: self.acked, sent }
    }

    fn acknowledge(&mut self, up_to: u64) {
        self.outbound.drain(..usize::try_from(up_to - self.acked).unwrap());
        self.acked = up_to;
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

impl Broker {
    /// A broker on a free port of this machine.
    pub(crate) async fn start() -> Broker {
        let (broker, listener) = Broker::bind().await;
        let accepting = broker.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        broker
    }

    pub(crate) async fn bind() -> (Broker, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, work) = (watch::channel(0).0, watch::channel(0).0);
        let state = Arc::default();
        (Broker { port, state, cut: Arc::new(cut), work: Arc::new(work) }, listener)
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/ws", self.port)
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

    /// Forgets every session, as if they had expired.
    pub(crate) fn forget(&self) {
        self.state().sessions.clear();
        self.cut();
    }

    /// Puts a text into a queue.
    pub(crate) fn put(&self, address: &str, body: &str) {
        let content = format!("0 0 {body}").into_bytes();
        let stored = Stored { kind: Kind::Text, content };
        self.state().queues.entry(address.to_owned()).or_default().push_back(stored);
        self.wake();
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
        let mut cut = self.cut.subscribe();
        let subprotocols =
            vec![Flavour::Full.subprotocol().to_owned(), Flavour::Light.subprotocol().to_owned()];
        let policy = Policy { subprotocols, ..Policy::default() };
        let asked = accept_with(stream, &policy, |request| {
            let field = |name: &str| {
                let mut headers = request.headers.iter();
                let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
                Some(String::from_utf8(header.value.to_vec()).unwrap())
            };
            let mut state = self.state();
            state.asked.push((field("Authorization"), field("Origin")));
            match state.refuse {
                Some(status) => Err(Refusal::with_status(status)),
                None => Ok(()),
            }
        });
        let Ok(opened) = asked.await else { return };
        let subprotocol = opened.agreement.subprotocol.clone();
        // Without an agreement it is some other server.
        let flavour = Flavour::from_subprotocol(&subprotocol.unwrap_or_default());
        let flavour = flavour.unwrap_or(Flavour::Full);
        let socket = WebSocket::new(opened, &Default::default());
        let engine = Connection::new(flavour, LengthUnit::CodePoints, Limits::default());
        let mut face = Face { socket, engine, name: String::new(), broken: false };
        if flavour == Flavour::Light {
            face.name = self.state().open();
        }
        let mut work = self.work.subscribe();
        loop {
            face.dispatch(&mut self.state());
            let _ = face.socket.flush().await;
            tokio::select! {
                message = face.socket.recv() => match message {
                    Some(message) => face.handle(&mut self.state(), &message),
                    None => break,
                },
                _ = work.changed() => {}
                _ = cut.changed() => return,
            }
            self.wake();
            if face.broken {
                return;
            }
        }
        let code = face.socket.closed().map_or(1006, |closed| closed.code.number());
        self.state().closes.push(code);
        self.wake();
    }
}

impl State {
    fn open(&mut self) -> String {
        self.names += 1;
        let name = format!("urn:test:{}", self.names);
        self.sessions.insert(name.clone(), Ledger::default());
        name
    }

    /// The message and its number, in one step.
    fn take(&mut self, name: &str, seq: u64, kind: Kind, message: &Received<'_>) {
        let ledger = self.sessions.get_mut(name).unwrap();
        ledger.taken = seq;
        let content = &message.content;
        for address in message.addresses.destinations() {
            if address == CONSUME {
                let properties = content.properties();
                let wish: Vec<_> = properties.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
                let credit = wish.iter().find(|(name, _)| name == "credit");
                let credit = credit.map_or(10, |(_, credit)| credit.parse().unwrap());
                let named = wish.iter().filter(|(name, _)| name == "address");
                ledger.consuming.extend(named.map(|(_, name)| (name.clone(), credit)));
                self.wishes.push(wish);
            } else {
                let body = String::from_utf8_lossy(content.body()).into_owned();
                self.stored.push((address.to_owned(), body));
                let stored = Stored { kind, content: content.raw().to_vec() };
                self.queues.entry(address.to_owned()).or_default().push_back(stored);
            }
        }
    }
}

/// One connection.
struct Face<S> {
    socket: WebSocket<S>,
    engine: Connection,
    name: String,
    broken: bool,
}

struct Feed<'a, S>(&'a mut WebSocket<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> MessageSink for Feed<'_, S> {
    fn message(&mut self, kind: Kind, parts: &[&[u8]]) {
        let payload = parts.concat();
        let message = match kind {
            Kind::Text => Message::Text(String::from_utf8(payload).unwrap()),
            Kind::Binary => Message::Binary(payload),
        };
        // After a Close there is nobody to tell.
        let _ = self.0.feed(&message);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Face<S> {
    fn handle(&mut self, state: &mut State, message: &Message) {
        let (kind, payload) = match message {
            Message::Text(text) => (Kind::Text, text.as_bytes()),
            Message::Binary(bytes) => (Kind::Binary, bytes.as_slice()),
        };
        if let Some(dice) = &mut state.accidents
            && dice.below(40) == 0
        {
            // Some before the message is stored, some after.
            self.broken = true;
            if dice.below(2) == 0 {
                return;
            }
        }
        let mut feed = Feed(&mut self.socket);
        match self.engine.handle_message(kind, payload) {
            Event::Open => {
                self.name = state.open();
                self.engine.accept_open(&self.name, &mut feed).unwrap();
            }
            Event::Reopen { name, claim } => match state.sessions.get_mut(name) {
                Some(ledger) => {
                    let view = ledger.view();
                    assert!(matches!(judge(&claim, &view), Verdict::Resume { .. }));
                    self.engine.accept_reopen(&view, &mut feed).unwrap();
                    ledger.acknowledge(claim.cslr);
                    for (address, stored) in &ledger.outbound {
                        let (kind, content) = (stored.kind, &stored.content);
                        self.engine.deliver(kind, address, content, &mut feed).unwrap();
                    }
                    self.name = name.to_owned();
                    state.resumed += 1;
                }
                None => {
                    self.name = state.open();
                    self.engine.refuse(&self.name, &mut feed).unwrap();
                }
            },
            Event::Message { seq, kind, message } => {
                if let Some((code, reason)) = state.close_with {
                    self.socket.start_close(CloseCode::new(code), reason).unwrap();
                    return;
                }
                state.take(&self.name, seq, kind, &message);
                if !state.silent {
                    self.engine.acknowledge(seq, &mut feed).unwrap();
                }
            }
            Event::Acknowledged { up_to } => {
                state.sessions.get_mut(&self.name).unwrap().acknowledge(up_to);
            }
            Event::Ignored => {}
            Event::Violated(violation) => panic!("{violation}"),
        }
    }

    fn dispatch(&mut self, state: &mut State) {
        if !self.engine.is_open() {
            return;
        }
        let Some(ledger) = state.sessions.get_mut(&self.name) else { return };
        for (address, credit) in ledger.consuming.clone() {
            let queue = state.queues.entry(address.clone()).or_default();
            let held = |ledger: &Ledger| {
                ledger.outbound.iter().filter(|(from, _)| *from == address).count()
            };
            while held(ledger) < credit
                && let Some(stored) = queue.pop_front()
            {
                let mut feed = Feed(&mut self.socket);
                let content = &stored.content;
                self.engine.deliver(stored.kind, &address, content, &mut feed).unwrap();
                if self.engine.flavour() == Flavour::Full {
                    ledger.outbound.push_back((address.clone(), stored));
                }
            }
        }
    }
}
