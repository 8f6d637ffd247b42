//! A broker process that can be killed.

use crate::random::Random;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use wharf_broker::journal::{Journal, Recovery};
use wharf_broker::{
    Command, Config, ConnectionId, Definition, Input, Output, Permission, Shard, Timestamp,
};
use wharf_gateway::{Offer, Opening, Request, Session, Transport};
use wharf_store::MemoryJournal;
use wharf_ws::{Agreement, Compression, Version};

/// The process: everything in it but `journal` dies with it.
#[derive(Debug)]
pub(crate) struct Node {
    shard: Shard,
    journal: MemoryJournal,
    sessions: BTreeMap<ConnectionId, Session>,
    config: Config,
    gateway: Arc<wharf_gateway::Config>,
}

impl Node {
    pub(crate) fn new(config: Config, start: Instant, now: Timestamp) -> Self {
        let (journal, recovery) = MemoryJournal::new().with_frames_per_extent(4).crash(0);
        let shard = recover(&config, recovery, now);
        let (sessions, gateway) = (BTreeMap::new(), Arc::default());
        let mut node = Self { shard, journal, sessions, config, gateway };
        let permissions = vec![Permission::all()];
        let (name, verifier) = ("alice".to_owned(), String::new());
        let definition = Definition::PutUser { name, verifier, permissions };
        node.shard.handle(now, Input::Define(definition));
        node.turn(start, now);
        node.journal.settle();
        node
    }

    /// Killed and started again. Of what the journal was given and had not confirmed, any
    /// beginning may have reached the disk.
    pub(crate) fn restart(&mut self, random: &mut Random, now: Timestamp) {
        let kept = random.below(self.journal.committing() + 1);
        let journal = std::mem::replace(&mut self.journal, MemoryJournal::new());
        let (journal, recovery) = journal.crash(kept);
        self.journal = journal;
        self.shard = recover(&self.config, recovery, now);
        self.sessions.clear();
    }

    pub(crate) fn accept(
        &mut self,
        connection: ConnectionId,
        query: Option<String>,
        seed: [u8; 32],
        now: Instant,
    ) {
        let agreement = Agreement {
            version: Version::Rfc6455,
            subprotocol: Some(wharf_mbws::SUBPROTOCOL_FULL.to_owned()),
            compression: Compression::None,
        };
        let (host, user) = ("localhost".to_owned(), "alice".to_owned());
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
        let session = Session::new(Arc::clone(&self.gateway), opening, now);
        self.sessions.insert(connection, session);
    }

    pub(crate) fn read(&mut self, connection: ConnectionId, bytes: &mut [u8], now: Instant) {
        if let Some(session) = self.sessions.get_mut(&connection).filter(|s| s.wants_input()) {
            session.handle_input(now, bytes);
        }
    }

    pub(crate) fn wants_input(&self, connection: ConnectionId) -> bool {
        self.sessions.get(&connection).is_some_and(Session::wants_input)
    }

    /// The transport ended. What the session still has to say to the shard is said.
    pub(crate) fn lose(&mut self, connection: ConnectionId, now: Instant, at: Timestamp) {
        if let Some(mut session) = self.sessions.remove(&connection) {
            session.handle_transport_closed(now);
            while let Some(Request::Broker(command)) = session.poll_command() {
                self.shard.handle(at, Input::Command(connection, command));
            }
            self.shard.handle(at, Input::Command(connection, Command::Detach));
        }
    }

    /// One turn of the shard's loop: commands in, events out.
    pub(crate) fn turn(&mut self, now: Instant, at: Timestamp) {
        for (connection, session) in &mut self.sessions {
            while let Some(Request::Broker(command)) = session.poll_command() {
                self.shard.handle(at, Input::Command(*connection, command));
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
                Output::Event(connection, event) => {
                    if let Some(session) = self.sessions.get_mut(&connection) {
                        session.handle_event(now, event);
                    }
                }
                Output::Failed(failure) => panic!("the shard failed: {failure}"),
            }
        }
    }

    /// Lets the journal do one thing.
    pub(crate) fn journal_step(&mut self) -> bool {
        self.journal.step()
    }

    /// What a connection has to send, as much as `budget`.
    pub(crate) fn write(&mut self, connection: ConnectionId, budget: usize) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.poll_transmit(&mut out, budget);
        }
        out
    }

    pub(crate) fn is_finished(&self, connection: ConnectionId) -> bool {
        self.sessions.get(&connection).is_none_or(Session::is_finished)
    }

    /// Timers that are due.
    pub(crate) fn pass(&mut self, now: Instant, at: Timestamp) {
        for session in self.sessions.values_mut() {
            if session.poll_timeout().is_some_and(|due| due <= now) {
                session.handle_timeout(now);
            }
        }
        if self.shard.poll_timeout().is_some_and(|due| due <= at) {
            self.shard.handle(at, Input::Timeout);
        }
    }

    /// Messages the broker still has.
    pub(crate) fn messages(&self) -> u64 {
        self.shard.statistics().messages
    }
}

fn recover(config: &Config, recovery: Recovery, now: Timestamp) -> Shard {
    match Shard::recover(config.clone(), recovery, now) {
        Ok(shard) => shard,
        Err(error) => panic!("no recovery: {error}"),
    }
}
