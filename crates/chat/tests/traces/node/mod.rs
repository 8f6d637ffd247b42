//! A shard with the services on it, a journal in memory, and clients that say stanzas and count
//! what they hear.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use wharf_broker::journal::Journal;
use wharf_broker::{
    Command as Broker, ConnectionId, Definition, Event, Input, Message, Outcome, Output,
    Permission, SessionKey, SessionKind, Shard, Timestamp,
};
use wharf_chat::{Answer, Chat, Command, Config, INBOX, OFFLINE, Request, STORED_HEAD_BYTES, XMPP};
use wharf_store::MemoryJournal;
use wharf_xmpp::jid::Jid;

/// Its time begins here: 2026-01-01.
const BEGIN: Timestamp = Timestamp(1_767_225_600_000);

/// Everybody there is, and an administrator.
const USERS: [&str; 4] = ["alice", "bob", "carol", "admin"];

/// A server and its clients.
pub(crate) struct Node {
    pub(crate) shard: Shard,
    pub(crate) chat: Chat,
    pub(crate) now: Timestamp,
    config: Config,
    journal: MemoryJournal,
    clients: BTreeMap<&'static str, Client>,
    connections: u64,
}

/// A client: `alice/phone` and the like.
#[derive(Debug, Default)]
struct Client {
    connection: u64,
    key: Option<SessionKey>,
    kind: Option<SessionKind>,
    /// Stanzas said since the session began.
    said: u64,
    /// Those that the server has taken.
    taken: u64,
    /// Stanzas heard since the session began.
    count: u64,
    heard: Vec<String>,
    /// Whether what is taken is to be heard.
    tells_taken: bool,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let (journal, recovery) = MemoryJournal::immediate().crash(0);
        let mut shard = Shard::recover(wharf_broker::Config::default(), recovery, BEGIN)
            .expect("an empty journal");
        for name in USERS {
            let everything = Permission::all();
            let messages =
                Permission { pattern: "xmpp:**".to_owned(), send: true, ..Permission::default() };
            let permissions = vec![if name == "admin" { everything } else { messages }];
            let (name, verifier) = (name.to_owned(), String::new());
            shard.handle(BEGIN, Input::Define(Definition::PutUser { name, verifier, permissions }));
        }
        let chat = Chat::new(config.clone(), &mut shard, BEGIN);
        let clients = BTreeMap::new();
        let mut node = Self { shard, chat, now: BEGIN, config, journal, clients, connections: 0 };
        node.settle();
        node
    }

    /// Everything that follows.
    pub(crate) fn settle(&mut self) {
        loop {
            self.chat.settle(self.now, &mut self.shard);
            self.shard.flush();
            while let Some(output) = self.shard.poll() {
                match output {
                    Output::Persist(frame) => self.journal.commit(frame),
                    Output::Fetch(ticket, slices) => self.journal.fetch(ticket, slices),
                    Output::Snapshot(lsn, state) => self.journal.snapshot(lsn, state),
                    Output::Free(extents) => self.journal.free(extents),
                    Output::Event(connection, event) => self.told(connection, event),
                    Output::Failed(failure) => panic!("the shard failed: {failure}"),
                }
            }
            let Some(completion) = self.journal.poll() else { return };
            self.shard.handle(self.now, Input::Completion(completion));
        }
    }

    fn told(&mut self, connection: ConnectionId, event: Event) {
        let client = self.clients.values_mut().find(|client| client.connection == connection.0);
        let Some(client) = client else { return };
        let (seq, text) = match event {
            Event::Taken { up_to } => {
                client.taken = up_to;
                if client.tells_taken {
                    client.heard.push(format!("taken {up_to}"));
                }
                return;
            }
            Event::Deliver(delivery) => {
                let body = &delivery.body[STORED_HEAD_BYTES..];
                let text = String::from_utf8(body.to_vec()).expect("UTF-8");
                let late = if delivery.consumer == OFFLINE { "late " } else { "" };
                assert!(delivery.consumer == INBOX || delivery.consumer == OFFLINE);
                (delivery.seq, format!("{late}{text}"))
            }
            Event::Transmit { seq, before, body, after } => {
                let text = [before, body, after].concat();
                (seq, String::from_utf8(text).expect("UTF-8"))
            }
            Event::Attached(ledger) => {
                client.heard.push(format!("resumed h={}", ledger.taken));
                return;
            }
            Event::Opened => return,
            other => {
                client.heard.push(format!("{other:?}"));
                return;
            }
        };
        client.count += 1;
        if client.kind == Some(SessionKind::Recoverable) {
            assert_eq!(seq, client.count, "numbers have no gaps: {text}");
        } else if seq > 0 {
            client.count = seq;
        }
        client.heard.push(plain(&text));
    }

    fn command(&mut self, name: &str, command: Command) {
        let connection = ConnectionId(self.clients[name].connection);
        self.chat.handle(self.now, &mut self.shard, connection, command);
        self.settle();
    }

    fn key(&mut self, name: &'static str) -> SessionKey {
        let (user, resource) = name.split_once('/').expect("user/resource");
        self.connections += 1;
        SessionKey {
            host: "localhost".to_owned(),
            user: user.to_owned(),
            origin: None,
            name: format!("{}/{resource}", self.connections),
        }
    }

    fn bind_as(&mut self, name: &'static str, kind: SessionKind) {
        let key = self.key(name);
        let resource = name.split_once('/').expect("user/resource").1.to_owned();
        let connection = self.connections;
        let client =
            Client { connection, key: Some(key.clone()), kind: Some(kind), ..Client::default() };
        self.clients.insert(name, client);
        let (replaces, carbons) = (None, false);
        self.command(name, Command::Bind { resource, key, kind, replaces, carbons });
    }

    /// A client binds its resource, and says nothing.
    pub(crate) fn bind(&mut self, name: &'static str) {
        self.bind_as(name, SessionKind::Volatile);
    }

    /// A client with a stream that can be resumed.
    pub(crate) fn manage(&mut self, name: &'static str) {
        self.bind(name);
        let key = self.key(name);
        let client = self.clients.get_mut(name).expect("bound");
        client.key = Some(key.clone());
        client.kind = Some(SessionKind::Recoverable);
        (client.said, client.count) = (0, 0);
        self.command(name, Command::Enable { key, kind: SessionKind::Recoverable });
    }

    /// A client that is available.
    pub(crate) fn come(&mut self, name: &'static str) {
        self.bind(name);
        self.say(name, "<presence/>");
        self.heard(name);
    }

    /// The same with a stream that can be resumed.
    pub(crate) fn come_managed(&mut self, name: &'static str) {
        self.manage(name);
        self.say(name, "<presence/>");
        self.heard(name);
    }

    /// A client says a stanza, whose namespace is understood.
    pub(crate) fn say(&mut self, name: &str, stanza: &str) {
        let client = self.clients.get_mut(name).expect("bound");
        client.said += 1;
        let seq = client.said;
        let stanza = Bytes::from(with_namespace(stanza));
        self.command(name, Command::Stanza { seq, stanza });
    }

    /// A client says something to an address of the broker, and names it.
    pub(crate) fn publish(&mut self, name: &str, address: &str, id: &str) {
        let client = self.clients.get_mut(name).expect("bound");
        client.said += 1;
        let seq = client.said;
        let written = Jid::parse(&format!("{address}@mq.localhost")).expect("an address");
        let message = Message { format: XMPP, body: Bytes::from_static(&[0; STORED_HEAD_BYTES]) };
        let (to, id) = (Arc::from([address.to_owned()]), Some(id.into()));
        self.command(name, Command::Publish { seq, to, message, written, id });
    }

    /// The same stanza again, as after a resume.
    pub(crate) fn say_again(&mut self, name: &str, seq: u64, stanza: &str) {
        let stanza = Bytes::from(with_namespace(stanza));
        self.command(name, Command::Stanza { seq, stanza });
    }

    /// What a client has heard since the last time; what is not managed is settled.
    pub(crate) fn heard(&mut self, name: &str) -> Vec<String> {
        let client = self.clients.get_mut(name).expect("bound");
        let heard = std::mem::take(&mut client.heard);
        if client.kind == Some(SessionKind::Volatile) {
            let connection = ConnectionId(client.connection);
            let outcome = Outcome::Accepted;
            let settle = Broker::Settle { first: 0, last: client.count, outcome, confirm: false };
            self.shard.handle(self.now, Input::Command(connection, settle));
            self.settle();
        }
        heard
    }

    /// The messages among what a client has heard.
    pub(crate) fn messages(&mut self, name: &str) -> Vec<String> {
        let mut heard = self.heard(name);
        heard.retain(|line| line.contains("<message"));
        heard
    }

    /// A client acknowledges everything.
    pub(crate) fn acknowledge(&mut self, name: &str) {
        let up_to = self.clients[name].count;
        self.command(name, Command::Handled { up_to });
    }

    /// From now on it is heard what the server has taken.
    pub(crate) fn hear_taken(&mut self, name: &str) {
        self.clients.get_mut(name).expect("bound").tells_taken = true;
    }

    pub(crate) fn taken(&self, name: &str) -> u64 {
        self.clients[name].taken
    }

    /// A client is looked at, or not.
    pub(crate) fn active(&mut self, name: &str, active: bool) {
        self.command(name, Command::Active(active));
    }

    /// The stream is closed.
    pub(crate) fn end(&mut self, name: &str) {
        self.command(name, Command::End);
    }

    /// The connection breaks.
    pub(crate) fn cut(&mut self, name: &str) {
        let connection = ConnectionId(self.clients[name].connection);
        self.chat.gone(self.now, &mut self.shard, connection);
        self.settle();
    }

    /// A client goes on with its session, on a new connection.
    pub(crate) fn resume(&mut self, name: &str) {
        self.connections += 1;
        let connection = self.connections;
        let client = self.clients.get_mut(name).expect("bound");
        client.connection = connection;
        let key = client.key.clone().expect("managed");
        let handled = client.count as u32;
        self.command(name, Command::Resume { key, handled });
    }

    /// Time passes.
    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.shard.handle(self.now, Input::Timeout);
        self.settle();
    }

    /// The server is killed and started again.
    pub(crate) fn crash(&mut self) {
        let journal = std::mem::replace(&mut self.journal, MemoryJournal::immediate());
        let (journal, recovery) = journal.crash(usize::MAX);
        self.journal = journal;
        self.shard = Shard::recover(wharf_broker::Config::default(), recovery, self.now)
            .expect("the journal fits together");
        self.chat = Chat::new(self.config.clone(), &mut self.shard, self.now);
        for client in self.clients.values_mut() {
            client.connection = u64::MAX;
        }
        self.settle();
    }

    /// What the services want of the server; each is done.
    pub(crate) fn requests(&mut self) -> Vec<Request> {
        let requests: Vec<Request> = std::iter::from_fn(|| self.chat.poll_request()).collect();
        for request in &requests {
            let (id, definition) = match request.clone() {
                Request::PutUser { id, name, password, .. } => {
                    let permissions = vec![Permission::all()];
                    (id, Definition::PutUser { name, verifier: password, permissions })
                }
                Request::RemoveUser { id, name } => (id, Definition::RemoveUser { name }),
            };
            self.shard.handle(self.now, Input::Define(definition));
            self.chat.answered(self.now, &mut self.shard, id, &Answer::Done);
        }
        self.settle();
        requests
    }

    /// `subscribe` and `subscribed`, both ways.
    pub(crate) fn befriend(&mut self, one: &'static str, other: &'static str) {
        for (a, b) in [(one, other), (other, one)] {
            let bare =
                |name: &str| format!("{}@localhost", name.split('/').next().expect("a part"));
            self.say(a, &format!("<presence to='{}' type='subscribe'/>", bare(b)));
            self.say(b, &format!("<presence to='{}' type='subscribed'/>", bare(a)));
        }
        self.heard(one);
        self.heard(other);
    }
}

fn with_namespace(stanza: &str) -> String {
    let end = stanza.find([' ', '/', '>']).expect("an element");
    let (name, rest) = stanza.split_at(end);
    format!("{name} xmlns='jabber:client'{rest}")
}

/// A stanza without what is in all of them: its namespace, and the name that an archive gave it.
fn plain(stanza: &str) -> String {
    let text = stanza.replace(" xmlns='jabber:client'", "");
    match text.split_once("<stanza-id ") {
        Some((before, rest)) => {
            let after = rest.split_once("/>").expect("empty").1;
            format!("{before}{after}")
        }
        None => text,
    }
}
