//! A gateway session, a real shard and a journal in memory, seen through a WebSocket: MBWS frames
//! go in and come out as text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_broker::journal::Journal;
use wharf_broker::{
    ConnectionId, Definition, Input as ShardInput, Output, Permission, Shard, Timestamp,
};
use wharf_gateway::{Config, Offer, Opening, Session, Transport};
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
}

struct Client {
    session: Session,
    websocket: Connection,
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
        for name in ["alice", "bob"] {
            let permissions = vec![Permission::all()];
            let (name, verifier) = (name.to_owned(), String::new());
            let definition = Definition::PutUser { name, verifier, permissions };
            shard.handle(at, ShardInput::Define(definition));
        }
        let (config, clients) = (Arc::new(config), BTreeMap::new());
        Self { shard, journal, config, clients, now: Instant::now() }
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
        let agreement = agreement(subprotocol);
        let seed = [u8::try_from(client).expect("few clients"); 32];
        let opening = Opening {
            connection: ConnectionId(client),
            host: "localhost".to_owned(),
            user: Some(user.to_owned()),
            origin: origin.map(str::to_owned),
            transport: Transport::WebSocket(agreement.clone()),
            secure: false,
            login: Offer::none(),
            query: Some(query.to_owned()),
            seed,
        };
        let session = Session::new(Arc::clone(&self.config), opening, self.now);
        let websocket =
            Connection::new(Role::Client, &wharf_ws::Config::default(), &agreement, seed);
        self.clients.insert(client, Client { session, websocket, heard: Vec::new() });
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

    /// What the client has heard since the last time.
    pub(crate) fn heard(&mut self, client: u64) -> Vec<String> {
        std::mem::take(&mut self.clients.get_mut(&client).expect("connected").heard)
    }

    fn settle(&mut self) {
        let at = Timestamp(1);
        for _ in 0..20 {
            for (id, client) in &mut self.clients {
                while let Some(command) = client.session.poll_command() {
                    self.shard.handle(at, ShardInput::Command(ConnectionId(*id), command));
                }
            }
            while let Some(completion) = self.journal.poll() {
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
            self.clients.values_mut().for_each(Client::listen);
        }
    }
}

impl Client {
    fn listen(&mut self) {
        let mut out = Vec::new();
        while self.session.poll_transmit(&mut out, 100) > 0 {}
        let mut input = Input::new(&mut out);
        while let Some(event) = self.websocket.poll_event(&mut input) {
            self.heard.push(match event {
                Event::Message { kind: MessageKind::Text, payload } => {
                    String::from_utf8_lossy(&payload).into_owned()
                }
                Event::Message { kind: MessageKind::Binary, payload } => {
                    payload.iter().map(|octet| format!("{octet:02x}")).collect()
                }
                Event::Closed(closed) => format!("closed {} {}", closed.code, closed.reason),
                Event::Ping(_) => "ping".to_owned(),
                Event::Pong(payload) => format!("pong {}", payload.as_text().unwrap_or_default()),
            });
        }
    }
}
