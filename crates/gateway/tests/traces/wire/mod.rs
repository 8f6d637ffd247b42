//! Gateway sessions, a real shard and a journal in memory, seen through WebSockets: MBWS frames go
//! in and come out as text, and so do elements of XMPP; an AMQP client is an engine whose events
//! are lines.

mod amqp;
mod show;
pub(crate) mod xmpp;

pub(crate) use amqp::{Peer, message, receive, send};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_broker::journal::Journal;
use wharf_broker::{
    ConnectionId, Definition, Input as ShardInput, Output, Permission, Shard, Timestamp,
};
use wharf_gateway::{
    Answer, Config, Mechanism, Offer, Opening, Request, SaslSettings, Session, Transport,
};
use wharf_store::MemoryJournal;
use wharf_ws::{
    Agreement, CloseCode, Compression, Connection, Event, Input, MessageKind, Role, Version,
};

/// The broker and its clients.
pub(crate) struct Wire {
    shard: Shard,
    journal: MemoryJournal,
    config: Arc<Config>,
    clients: BTreeMap<u64, Client>,
    now: Instant,
    /// The journal stores nothing for now.
    held: bool,
}

struct Client {
    session: Session,
    websocket: Connection,
    /// The engine of an AMQP client.
    peer: Option<Peer>,
    heard: Vec<String>,
}

fn agreement(subprotocol: &str) -> Agreement {
    Agreement {
        version: Version::Rfc6455,
        subprotocol: Some(subprotocol.to_owned()),
        compression: Compression::None,
    }
}

impl Wire {
    #[allow(clippy::disallowed_methods, reason = "the clock needs one real instant to count from")]
    pub(crate) fn new(config: Config) -> Self {
        let (journal, recovery) = MemoryJournal::immediate().crash(0);
        let at = Timestamp(1);
        let shard = Shard::recover(wharf_broker::Config::default(), recovery, at);
        let mut shard = shard.expect("an empty journal");
        let (config, clients) = (Arc::new(config), BTreeMap::new());
        for (name, permissions) in users() {
            let (name, verifier) = (name.to_owned(), String::new());
            let definition = Definition::PutUser { name, verifier, permissions };
            shard.handle(at, ShardInput::Define(definition));
        }
        Self { shard, journal, config, clients, now: Instant::now(), held: false }
    }

    /// A client of `alice`, without an Origin, with subprotocol `MBWS`.
    pub(crate) fn connect(&mut self, client: u64) {
        self.connect_as(client, "alice", None, "MBWS.huawei.com", "");
    }

    pub(crate) fn connect_as(
        &mut self,
        client: u64,
        user: &str,
        origin: Option<&str>,
        subprotocol: &str,
        query: &str,
    ) {
        let opening = Opening {
            user: Some(user.to_owned()),
            origin: origin.map(str::to_owned),
            query: Some(query.to_owned()),
            ..opening(client, &agreement(subprotocol))
        };
        self.enter(client, subprotocol, opening, None);
    }

    fn enter(&mut self, client: u64, subprotocol: &str, opening: Opening, peer: Option<Peer>) {
        let seed = opening.seed;
        let session = Session::new(Arc::clone(&self.config), opening, self.now);
        let settings = wharf_ws::Config::default();
        let websocket = Connection::new(Role::Client, &settings, &agreement(subprotocol), seed);
        self.clients.insert(client, Client { session, websocket, peer, heard: Vec::new() });
        self.settle();
    }

    /// Sends one text frame of MBWS.
    pub(crate) fn say(&mut self, client: u64, frame: &str) {
        self.send(client, MessageKind::Text, frame.as_bytes());
    }

    pub(crate) fn send(&mut self, client: u64, kind: MessageKind, frame: &[u8]) {
        let to = self.clients.get_mut(&client).expect("connected");
        let mut out = Vec::new();
        to.websocket.send(kind, &[frame], &mut out).expect("open");
        to.session.handle_input(self.now, &mut out);
        self.settle();
    }

    /// Closes the WebSocket from the client's side.
    pub(crate) fn close(&mut self, client: u64, code: u16) {
        let from = self.clients.get_mut(&client).expect("connected");
        from.websocket.close(CloseCode::new(code), "").expect("open");
        let mut out = Vec::new();
        from.websocket.poll_transmit(&mut out, 1000);
        from.session.handle_input(self.now, &mut out);
        self.settle();
    }

    /// Sends Pings in one burst.
    pub(crate) fn ping(&mut self, client: u64, payloads: &[&str]) {
        let from = self.clients.get_mut(&client).expect("connected");
        let mut out = Vec::new();
        for payload in payloads {
            from.websocket.ping(payload.as_bytes()).expect("open");
            from.websocket.poll_transmit(&mut out, 1000);
        }
        from.session.handle_input(self.now, &mut out);
        self.settle();
    }

    /// The transport breaks.
    pub(crate) fn cut(&mut self, client: u64) {
        let from = self.clients.get_mut(&client).expect("connected");
        from.session.handle_transport_closed(self.now);
        self.settle();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        for client in self.clients.values_mut() {
            client.session.handle_timeout(self.now);
        }
        self.settle();
    }

    /// Ends the connection from the broker's side.
    pub(crate) fn drain(&mut self, client: u64, code: u16) {
        self.clients.get_mut(&client).expect("connected").session.drain(self.now, code);
        self.settle();
    }

    /// Nothing becomes durable until `release`.
    pub(crate) fn hold(&mut self) {
        self.held = true;
    }

    pub(crate) fn release(&mut self) {
        self.held = false;
        self.settle();
    }

    pub(crate) fn define(&mut self, definition: Definition) {
        self.shard.handle(Timestamp(1), ShardInput::Define(definition));
        self.settle();
    }

    /// What the login of a client has to ask.
    pub(crate) fn asked(&mut self, client: u64) -> Option<String> {
        let session = &mut self.clients.get_mut(&client).expect("connected").session;
        session.poll_question().map(|question| format!("{question:?}"))
    }

    pub(crate) fn answer(&mut self, client: u64, answer: Answer) {
        let session = &mut self.clients.get_mut(&client).expect("connected").session;
        session.handle_answer(self.now, answer);
        self.settle();
    }

    /// How the login of a client ended.
    pub(crate) fn login(&mut self, client: u64) -> Option<String> {
        let session = &mut self.clients.get_mut(&client).expect("connected").session;
        session.take_login().map(|ended| format!("{ended:?}"))
    }

    /// What the client has heard since the last time.
    pub(crate) fn heard(&mut self, client: u64) -> Vec<String> {
        std::mem::take(&mut self.clients.get_mut(&client).expect("connected").heard)
    }

    /// Whether more would be read from the client's socket.
    pub(crate) fn wants_input(&self, client: u64) -> bool {
        self.clients.get(&client).expect("connected").session.wants_input()
    }

    fn settle(&mut self) {
        let at = Timestamp(1);
        for _ in 0..20 {
            for (id, client) in &mut self.clients {
                while let Some(Request::Broker(command)) = client.session.poll_command() {
                    self.shard.handle(at, ShardInput::Command(ConnectionId(*id), command));
                }
            }
            while let Some(completion) = (!self.held).then(|| self.journal.poll()).flatten() {
                self.shard.handle(at, ShardInput::Completion(completion));
            }
            self.shard.flush();
            while let Some(output) = self.shard.poll() {
                match output {
                    Output::Persist(frame) => self.journal.commit(frame),
                    Output::Event(to, event) => {
                        if let Some(client) = self.clients.get_mut(&to.0) {
                            client.session.handle_event(self.now, event);
                        }
                    }
                    other => panic!("not expected in a trace: {other:?}"),
                }
            }
            self.clients.values_mut().for_each(|client| client.listen(self.now));
        }
    }
}

/// Who there is, and what they may do.
fn users() -> [(&'static str, Vec<Permission>); 3] {
    let permission = |pattern: &str, send, receive| Permission {
        host: String::new(),
        pattern: pattern.to_owned(),
        send,
        receive,
        manage: false,
    };
    let carol = vec![permission("in/**", true, false), permission("out/**", false, true)];
    [("alice", vec![Permission::all()]), ("bob", vec![Permission::all()]), ("carol", carol)]
}

fn opening(client: u64, agreement: &Agreement) -> Opening {
    Opening {
        connection: ConnectionId(client),
        host: "localhost".to_owned(),
        user: None,
        origin: None,
        transport: Transport::WebSocket(agreement.clone()),
        secure: false,
        login: Offer::none(),
        query: None,
        seed: [u8::try_from(client).expect("few clients"); 32],
    }
}

impl Client {
    fn listen(&mut self, now: Instant) {
        let mut out = Vec::new();
        while self.session.poll_transmit(&mut out, 100) > 0 {}
        let mut input = Input::new(&mut out);
        while let Some(event) = self.websocket.poll_event(&mut input) {
            self.heard.push(match event {
                Event::Message { kind: MessageKind::Text, payload } => {
                    String::from_utf8_lossy(&payload).into_owned()
                }
                Event::Message { kind: MessageKind::Binary, payload } => match &mut self.peer {
                    Some(peer) => {
                        peer.hear(&payload, &mut self.heard);
                        continue;
                    }
                    None => payload.iter().map(|octet| format!("{octet:02x}")).collect(),
                },
                Event::Closed(closed) => format!("closed {} {}", closed.code, closed.reason),
                Event::Ping(_) => "ping".to_owned(),
                Event::Pong(payload) => format!("pong {}", payload.as_text().unwrap_or_default()),
            });
        }
        if let Some(peer) = &mut self.peer {
            let mut out = Vec::new();
            peer.say(&mut self.websocket, &mut out, &mut self.heard);
            self.websocket.poll_transmit(&mut out, usize::MAX);
            if !out.is_empty() {
                self.session.handle_input(now, &mut out);
            }
        }
    }
}
