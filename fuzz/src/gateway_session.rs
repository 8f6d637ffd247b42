//! Clients that send anything, at a real shard over a journal that crashes: the shard never
//! stops, what clients are told is valid, output keeps to its budget, and what is stored is
//! recovered.

use crate::mbws_script::{KINDS, Said, UNITS, read_content, read_frame};
use crate::script::Script;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_broker::journal::{Journal, Recovery};
use wharf_broker::{
    Command, Config, ConnectionId, Definition, Input, Output, Permission, Shard, Timestamp,
};
use wharf_gateway::{Offer, Opening, Request, Session, Transport};
use wharf_mbws::client::Options;
use wharf_mbws::{Kind, LengthUnit, SUBPROTOCOL_FULL, SUBPROTOCOL_LIGHT, decode};
use wharf_store::MemoryJournal;
use wharf_ws::{
    Agreement, ClosedBy, Compression, Connection, DeflateParams, Event, MessageKind, Role, Version,
};

/// The longest message a client may send here.
const MESSAGE_MAX_BYTES: usize = 4096;
/// What one message told to a client may take beyond that: headers, its address, a death notice.
const OVERHEAD_MAX_BYTES: usize = 4096;
/// Clients at a time.
const CLIENTS: usize = 3;
const EPOCH: Timestamp = Timestamp(1_000_000);

/// Addresses that a script may name by a number.
const ADDRESSES: [&str; 8] =
    ["q", "topic/t", "wharf/consume", "wharf/cancel", "wharf/dead-letter", "", "no\u{7}", "r/1"];

/// Reads `data` as what clients, the journal and the clock do.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let mut node = Node::new(script.byte());
    let mut steps = 0;
    while !script.is_empty() && steps < 1000 {
        node.step(&mut script);
        steps += 1;
    }
    node.end();
}

/// A broker and the clients at its door.
struct Node {
    shard: Shard,
    journal: MemoryJournal,
    config: Config,
    gateway: Arc<wharf_gateway::Config>,
    clients: BTreeMap<ConnectionId, Client>,
    connections: u64,
    start: Instant,
    elapsed_ms: u64,
    /// Names of sessions that clients were told.
    names: Vec<String>,
}

/// One connection, with a client that believes everything it is told, if it is valid.
struct Client {
    session: Session,
    websocket: Connection,
    unit: LengthUnit,
}

impl Node {
    fn new(choice: u8) -> Node {
        let config = Config {
            bodies_in_memory_max_bytes: if choice & 1 == 0 { 0 } else { 1 << 20 },
            snapshot_every_bytes: if choice & 2 == 0 { 200 } else { 1 << 20 },
            ..Config::default()
        };
        let gateway = wharf_gateway::Config {
            message_size_max_bytes: MESSAGE_MAX_BYTES,
            close_acknowledges: choice & 4 != 0,
            ..wharf_gateway::Config::default()
        };
        let (journal, recovery) = MemoryJournal::new().with_frames_per_extent(3).crash(0);
        let mut node = Node {
            shard: recover(&config, recovery),
            journal,
            config,
            gateway: Arc::new(gateway),
            clients: BTreeMap::new(),
            connections: 0,
            start: Instant::now(),
            elapsed_ms: 0,
            names: vec!["unknown".to_owned()],
        };
        let pattern = if choice & 8 == 0 { "**" } else { "*" };
        let permissions = vec![Permission { pattern: pattern.to_owned(), ..Permission::all() }];
        let (name, verifier) = ("alice".to_owned(), String::new());
        let definition = Definition::PutUser { name, verifier, permissions };
        node.shard.handle(EPOCH, Input::Define(definition));
        node.settle();
        node
    }

    fn now(&self) -> (Instant, Timestamp) {
        let now = self.start + Duration::from_millis(self.elapsed_ms);
        (now, EPOCH.plus_ms(self.elapsed_ms))
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let what = script.byte();
        let id = self.clients.keys().nth(usize::from(what >> 5) % CLIENTS).copied();
        match (what & 0x1f, id) {
            (0..=2, _) | (_, None) => self.connect(script),
            (3, Some(id)) => self.read(id, &mut script.piece().to_vec()),
            (4, Some(id)) => {
                let (first, payload) = (script.byte(), script.piece());
                self.read(id, &mut frame(first, payload));
            }
            (5..=7, Some(id)) => {
                let (kind, said) = (script.one_of(&KINDS), read_frame(script));
                self.say(id, kind, &said);
            }
            (8..=10, Some(id)) => self.publish(id, script),
            (11, Some(id)) => {
                let (kind, name) = (script.one_of(&KINDS), String::new());
                self.say(id, kind, &Said::Connect { name, numbers: vec![] });
            }
            (12, Some(id)) => {
                let which = script.below(self.names.len());
                let name = self.names[which].clone();
                let numbers = vec![script.number(), script.number(), script.number()];
                self.say(id, script.one_of(&KINDS), &Said::Connect { name, numbers });
            }
            (13 | 14, Some(id)) => {
                self.say(id, script.one_of(&KINDS), &Said::Acknowledge(script.number()));
            }
            (15, Some(id)) => self.lose(id),
            (16, Some(id)) => {
                let (now, _) = self.now();
                let code = [1001, 1012, 4000][script.below(3)];
                self.client(id).session.drain(now, code);
            }
            (17, Some(id)) => self.write(id, usize::from(script.byte()) * 8),
            (18..=20, _) => self.turn(),
            (21..=24, _) => _ = self.journal.step(),
            (25, _) => self.pass(script.number()),
            (26, _) => self.pass(u64::from(script.byte()) << 20),
            (27, _) => self.restart(script.below(3)),
            _ => self.settle(),
        }
    }

    fn connect(&mut self, script: &mut Script<'_>) {
        let choice = script.byte();
        if self.clients.len() >= CLIENTS {
            return;
        }
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let version = Version::ALL[usize::from(choice & 3)];
        let compression = match (choice & 4, version) {
            (4, Version::Rfc6455) => Compression::PerMessage(DeflateParams::default()),
            _ => Compression::None,
        };
        let subprotocol = match choice >> 3 & 3 {
            0 | 1 => Some(SUBPROTOCOL_FULL.to_owned()),
            2 => Some(SUBPROTOCOL_LIGHT.to_owned()),
            _ => None,
        };
        let agreement = Agreement { version, subprotocol, compression };
        let unit = UNITS[usize::from(choice >> 5) % 3];
        let unit_name = ["code-points", "octets", "utf16"][usize::from(choice >> 5) % 3];
        let mut query = format!("unit={unit_name}");
        if choice & 0x80 != 0 {
            let (address, rest) = (script.one_of(&ADDRESSES), script.text());
            query = format!("address={address}&{query}&{}", rest.replace("unit", "u"));
        }
        let seed = [self.connections.to_le_bytes()[0]; 32];
        let websocket =
            Connection::new(Role::Client, &wharf_ws::Config::default(), &agreement, seed);
        let (host, user) = ("h".to_owned(), "alice".to_owned());
        let query = Some(query);
        let opening = Opening {
            connection,
            host,
            user: Some(user),
            origin: None,
            transport: Transport::WebSocket(agreement),
            secure: false,
            login: Offer::none(),
            query,
            seed,
        };
        let session = Session::new(Arc::clone(&self.gateway), opening, self.now().0);
        self.clients.insert(connection, Client { session, websocket, unit });
    }

    fn client(&mut self, id: ConnectionId) -> &mut Client {
        self.clients.get_mut(&id).expect("chosen from those there are")
    }

    /// A message to some addresses, known ones among them.
    fn publish(&mut self, id: ConnectionId, script: &mut Script<'_>) {
        let (kind, count) = (script.one_of(&KINDS), script.below(4));
        let named = |script: &mut Script<'_>| match script.byte() {
            255 => script.text(),
            which => ADDRESSES[usize::from(which) % ADDRESSES.len()].to_owned(),
        };
        let addresses: Vec<String> = (0..count).map(|_| named(script)).collect();
        let mut content = read_content(script);
        if addresses.iter().any(|address| address.starts_with("wharf/c")) {
            content.add("address", &named(script));
            content.add("credit", &script.byte().to_string());
        }
        self.say(id, kind, &Said::Message { addresses, content });
    }

    fn say(&mut self, id: ConnectionId, kind: Kind, said: &Said) {
        let unit = self.client(id).unit;
        let Some(payload) = said.encode(kind, unit) else { return };
        let message = match kind {
            Kind::Text => MessageKind::Text,
            Kind::Binary => MessageKind::Binary,
        };
        let mut out = Vec::new();
        // Fails only after a Close.
        if self.client(id).websocket.send(message, &[&payload], &mut out).is_ok() {
            self.read(id, &mut out);
        }
    }

    fn read(&mut self, id: ConnectionId, bytes: &mut [u8]) {
        let (now, _) = self.now();
        let session = &mut self.client(id).session;
        if session.wants_input() {
            session.handle_input(now, bytes);
        }
    }

    /// The driver's turn: commands in, events out.
    fn turn(&mut self) {
        let (now, at) = self.now();
        for (id, client) in &mut self.clients {
            while let Some(Request::Broker(command)) = client.session.poll_command() {
                self.shard.handle(at, Input::Command(*id, command));
            }
        }
        while let Some(completion) = self.journal.poll() {
            self.shard.handle(at, Input::Completion(completion));
        }
        self.shard.flush();
        while let Some(output) = self.shard.poll() {
            match output {
                Output::Persist(frame) => self.journal.commit(frame),
                Output::Fetch(ticket, slices) => self.journal.fetch(ticket, slices),
                Output::Snapshot(lsn, state) => self.journal.snapshot(lsn, state),
                Output::Free(extents) => self.journal.free(extents),
                Output::Event(id, event) => {
                    if let Some(client) = self.clients.get_mut(&id) {
                        client.session.handle_event(now, event);
                    }
                }
                Output::Failed(failure) => panic!("a client stopped the shard: {failure}"),
            }
        }
    }

    /// Everything that is under way arrives.
    fn settle(&mut self) {
        for _ in 0..8 {
            self.turn();
            self.journal.settle();
            self.turn();
            for id in self.clients.keys().copied().collect::<Vec<_>>() {
                self.write(id, 1000);
            }
        }
    }

    /// A client reads what there is, as much as `budget` at a time.
    fn write(&mut self, id: ConnectionId, budget: usize) {
        for _ in 0..10_000 {
            let mut out = Vec::new();
            let client = self.client(id);
            let written = client.session.poll_transmit(&mut out, budget);
            assert_eq!(written, out.len());
            let most = budget + MESSAGE_MAX_BYTES + OVERHEAD_MAX_BYTES;
            assert!(written <= most, "{written} bytes on a budget of {budget}");
            self.hear(id, &mut out);
            if written == 0 || budget == 0 {
                return;
            }
        }
        panic!("output without end");
    }

    fn hear(&mut self, id: ConnectionId, bytes: &mut [u8]) {
        let Client { websocket, unit, .. } = self.clients.get_mut(&id).expect("it is there");
        let mut input = wharf_ws::Input::new(bytes);
        while let Some(event) = websocket.poll_event(&mut input) {
            match event {
                Event::Message { kind, payload } => {
                    let kind = match kind {
                        MessageKind::Text => Kind::Text,
                        MessageKind::Binary => Kind::Binary,
                    };
                    let limits = Options::default().limits;
                    let frame = decode(kind, *unit, &payload, &limits).expect("a valid frame");
                    let told = Said::of(&frame).expect("at most three numbers");
                    if let Said::Connect { name, .. } = told {
                        self.names.push(name);
                    }
                }
                Event::Ping(_) | Event::Pong(_) => {}
                Event::Closed(closed) => {
                    assert!(!matches!(closed.by, ClosedBy::Violation(_)), "{closed:?}");
                }
            }
        }
    }

    /// The transport of a client ends.
    fn lose(&mut self, id: ConnectionId) {
        let (now, at) = self.now();
        let Some(mut client) = self.clients.remove(&id) else { return };
        client.session.handle_transport_closed(now);
        while let Some(Request::Broker(command)) = client.session.poll_command() {
            self.shard.handle(at, Input::Command(id, command));
        }
        self.shard.handle(at, Input::Command(id, Command::Detach));
    }

    /// Time passes.
    fn pass(&mut self, ms: u64) {
        self.elapsed_ms += ms.min(1 << 30);
        let (now, at) = self.now();
        for client in self.clients.values_mut() {
            if client.session.poll_timeout().is_some_and(|due| due <= now) {
                client.session.handle_timeout(now);
            }
        }
        if self.shard.poll_timeout().is_some_and(|due| due <= at) {
            self.shard.handle(at, Input::Timeout);
        }
    }

    /// The node is killed and started again; of what it was storing, the beginning was stored.
    fn restart(&mut self, kept: usize) {
        let journal = std::mem::take(&mut self.journal);
        let (journal, recovery) = journal.crash(kept);
        self.journal = journal;
        self.shard = recover(&self.config, recovery);
        self.clients.clear();
    }

    /// All clients leave. What is recovered then is what there was.
    fn end(mut self) {
        self.settle();
        for id in self.clients.keys().copied().collect::<Vec<_>>() {
            self.lose(id);
        }
        self.settle();
        let (_, recovery) = self.journal.crash(0);
        assert!(recover(&self.config, recovery).same_state(&self.shard), "another state");
    }
}

fn recover(config: &Config, recovery: Recovery) -> Shard {
    match Shard::recover(config.clone(), recovery, EPOCH) {
        Ok(shard) => shard,
        Err(error) => panic!("what was stored is not recovered: {error}"),
    }
}

/// A client's frame, masked with zeros: the bytes are what the script says.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let mut frame = match len {
        0..=125 => vec![first, 0x80 | len.to_be_bytes()[1]],
        _ => vec![first, 0x80 | 126, len.to_be_bytes()[0], len.to_be_bytes()[1]],
    };
    frame.extend([0; 4]);
    frame.extend_from_slice(payload);
    frame
}
