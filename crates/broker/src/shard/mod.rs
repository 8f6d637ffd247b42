//! The deterministic shard: commands in, frames and events out.
//!
//! The driver's loop: `handle` for every input of a batch, `flush` once, then `poll` until
//! `None`. Time comes with the input, randomness not at all; equal inputs give equal outputs.

mod attach;
mod consume;
mod dispatch;
mod log;
mod outbox;
mod publish;
mod recover;

use crate::command::{Command, ConnectionId, Credit, Definition, Input, SessionId};
use crate::journal::{Completion, Frame, JournalFailure, Lsn, Slice, Ticket};
use crate::output::{Event, Output};
use crate::policy::{Policies, Policy};
use crate::record::Record;
use crate::state::bodies::{MessageKey, Place};
use crate::state::{Applied, BodyAt, State};
use crate::stats::Statistics;
use crate::time::Timestamp;
use attach::Attachments;
use bytes::Bytes;
use dispatch::Feeds;
use log::Log;
use outbox::Outbox;
use publish::Taking;
pub use recover::RecoverError;
use std::collections::{BTreeSet, VecDeque};

/// The settings of a shard.
#[derive(Clone, Debug)]
pub struct Config {
    /// Settings of addresses by pattern, most specific first.
    pub policies: Vec<Policy>,
    /// How long a session without a connection is kept.
    pub session_retention_ms: u64,
    /// How long it is kept if its client never showed that it knows it.
    pub session_unproven_retention_ms: u64,
    /// Bodies kept in memory; more are read back from the journal when they are delivered.
    pub bodies_in_memory_max_bytes: u64,
    /// Frames given to the journal and not stored yet. Two keep it busy: one is synced while
    /// the next is collected.
    pub frames_in_flight_max: usize,
    /// Payload after which a snapshot is taken.
    pub snapshot_every_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            policies: Policy::defaults(),
            session_retention_ms: 24 * 3600 * 1000,
            session_unproven_retention_ms: 60 * 1000,
            bodies_in_memory_max_bytes: 256 << 20,
            frames_in_flight_max: 2,
            snapshot_every_bytes: 64 << 20,
        }
    }
}

/// One shard.
#[derive(Debug)]
pub struct Shard {
    config: Config,
    policies: Policies,
    state: State,
    log: Log,
    outbox: Outbox,
    attachments: Attachments,
    feeds: Feeds,
    taking: Taking,
    fetching: Fetching,
    statistics: Statistics,
    journal_requests: VecDeque<Output>,
    failed: bool,
}

/// Bodies to be asked of the journal.
#[derive(Debug, Default)]
struct Fetching {
    /// Number of the fetch being collected.
    ticket: Ticket,
    slices: Vec<Slice>,
    /// Fetches collected or under way.
    open: BTreeSet<Ticket>,
}

impl Shard {
    /// Takes one input. Its effects are polled after the next `flush`.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        if self.failed {
            return;
        }
        match input {
            Input::Command(connection, command) => self.command(now, connection, command),
            Input::Define(definition) => self.define(definition),
            Input::Completion(completion) => self.complete(completion),
            Input::Timeout => self.expire(now),
        }
    }

    /// Ends a batch: hands out ready messages, and seals a frame if the journal has room.
    pub fn flush(&mut self) {
        if self.failed {
            return;
        }
        self.dispatch_dirty();
        if self.log.has_room() {
            self.seal();
        }
        self.request_fetch();
        self.outbox.release(self.log.stored());
    }

    /// The next output, if there is one.
    pub fn poll(&mut self) -> Option<Output> {
        if let Some(request) = self.journal_requests.pop_front() {
            return Some(request);
        }
        self.outbox.pop().map(|(connection, event)| Output::Event(connection, event))
    }

    /// When `Input::Timeout` is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.attachments.next_expiry()
    }

    /// Counters since the start, and sizes now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.statistics;
        statistics.sessions = self.state.sessions.len() as u64;
        statistics.sessions_attached = self.attachments.len() as u64;
        statistics.addresses = self.state.addresses.len() as u64;
        statistics.messages = self.state.bodies.len() as u64;
        statistics.messages_bytes = self.state.bodies.live_bytes();
        statistics.bodies_in_memory_bytes = self.state.bodies.cached_bytes();
        statistics.stored_lsn = self.log.stored().0;
        statistics
    }

    /// Every user with its password verifier.
    pub fn users(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.state.users.iter().map(|(name, user)| (name.as_str(), user.verifier.as_str()))
    }

    fn command(&mut self, now: Timestamp, connection: ConnectionId, command: Command) {
        match command {
            Command::Open { key, kind } => return self.open(now, connection, key, kind),
            Command::Attach { key } => return self.attach(connection, &key),
            Command::Detach => return self.detach(now, connection),
            _ => {}
        }
        let Some(session) = self.attachments.session_of(connection) else {
            return;
        };
        match command {
            Command::Open { .. } | Command::Attach { .. } | Command::Detach => {}
            Command::Resume { received } => self.resume(connection, session, received),
            Command::End { unsettled } => self.end(connection, session, unsettled),
            Command::Known => self.prove(session),
            Command::Publish { seq, to, message, unroutable: _ } => {
                self.publish(connection, session, seq, &to, message);
            }
            Command::Consume { seq, address, subscription, credit, .. } => {
                self.take(connection, session, seq);
                let Credit::Window(credit) = credit else { return };
                self.consume(connection, session, address, subscription, credit);
            }
            Command::Cancel { seq, address, subscription, .. } => {
                self.take(connection, session, seq);
                self.cancel(session, &address, subscription.as_deref());
            }
            Command::Flow { .. }
            | Command::Resolve { .. }
            | Command::Create { .. }
            | Command::Leave { .. } => {}
            Command::Settle { first, last, outcome, .. } => {
                self.prove(session);
                self.settle(session, first, last, &outcome);
            }
        }
    }

    fn define(&mut self, definition: Definition) {
        match definition {
            Definition::PutUser { name, verifier, permissions } => {
                self.record(&Record::PutUser { name, verifier, permissions });
            }
            Definition::RemoveUser { name } => {
                self.end_sessions_of(&name);
                self.record(&Record::RemoveUser { name });
            }
        }
    }

    fn complete(&mut self, completion: Completion) {
        match completion {
            Completion::Stored { lsn, location } => {
                let published = self.log.on_stored(lsn, location);
                self.state.bodies.locate(lsn, location);
                self.evict(&published);
                if let Some((lsn, state)) = self.log.take_snapshot(&self.state) {
                    self.statistics.snapshots = self.statistics.snapshots.saturating_add(1);
                    self.journal_requests.push_back(Output::Snapshot(lsn, state));
                }
                self.free_extents();
                self.outbox.release(self.log.stored());
            }
            Completion::Fetched { ticket, bodies } => {
                self.fetching.open.remove(&ticket);
                self.outbox.fill(ticket, &bodies);
                self.free_extents();
            }
            Completion::Snapshotted { lsn } => {
                self.log.on_snapshotted(lsn);
                self.free_extents();
            }
            Completion::Failed(failure) => self.fail(failure),
        }
    }

    /// Nothing more may be told to anybody: what was decided may never become durable.
    fn fail(&mut self, failure: JournalFailure) {
        self.failed = true;
        self.journal_requests.push_back(Output::Failed(failure));
    }

    fn free_extents(&mut self) {
        let Fetching { ticket, open, .. } = &self.fetching;
        let free = self.log.take_free(&mut self.state, *ticket, open.first().copied());
        if !free.is_empty() {
            self.journal_requests.push_back(Output::Free(free));
        }
    }

    /// Keeps the bodies in memory within their budget.
    fn evict(&mut self, stored: &[(MessageKey, Place)]) {
        for (key, place) in stored {
            if self.state.bodies.cached_bytes() <= self.config.bodies_in_memory_max_bytes {
                return;
            }
            self.state.bodies.evict(*key, *place);
        }
    }

    /// Decides a record: into the open frame and into the state.
    fn record(&mut self, record: &Record<'_>) -> Applied {
        self.record_body(record, None)
    }

    fn record_body(&mut self, record: &Record<'_>, body: Option<&Bytes>) -> Applied {
        let place = self.log.append(record, body);
        match self.state.apply(record, BodyAt { place, cached: body.cloned() }) {
            Ok(applied) => {
                if let Some(key) = applied.message {
                    self.log.note_published(key, place);
                }
                applied
            }
            Err(inconsistent) => {
                self.fail(JournalFailure { reason: inconsistent.to_string(), fenced: false });
                Applied::default()
            }
        }
    }

    /// Tells a connection as soon as everything decided so far is durable.
    fn tell(&mut self, connection: ConnectionId, event: Event) {
        self.outbox.push(self.log.barrier(), connection, event);
    }

    fn seal(&mut self) {
        self.record_takings();
        if self.failed || !self.log.has_open_records() {
            return;
        }
        let frame: Frame = self.log.seal(&self.state);
        self.statistics.frames = self.statistics.frames.saturating_add(1);
        self.statistics.frames_bytes =
            self.statistics.frames_bytes.saturating_add(frame.len() as u64);
        self.journal_requests.push_back(Output::Persist(frame));
    }

    /// Asks for a body; the answer is number `.1` of fetch `.0`.
    fn fetch(&mut self, slice: Slice) -> (Ticket, usize) {
        if self.fetching.slices.len() >= crate::limits::FETCH_MAX {
            self.request_fetch();
        }
        self.fetching.slices.push(slice);
        self.fetching.open.insert(self.fetching.ticket);
        (self.fetching.ticket, self.fetching.slices.len().saturating_sub(1))
    }

    fn request_fetch(&mut self) {
        if self.fetching.slices.is_empty() {
            return;
        }
        let slices = std::mem::take(&mut self.fetching.slices);
        self.journal_requests.push_back(Output::Fetch(self.fetching.ticket, slices));
        self.fetching.ticket = Ticket(self.fetching.ticket.0.saturating_add(1));
    }

    fn end_sessions_of(&mut self, user: &str) {
        let of_user = |(id, session): (&SessionId, &crate::state::session::Session)| {
            (session.key.user == user).then_some(*id)
        };
        let sessions: Vec<SessionId> = self.state.sessions.iter().filter_map(of_user).collect();
        for session in sessions {
            if let Some(connection) = self.attachments.connection_of(session) {
                self.outbox.push_now(connection, Event::Revoked);
            }
            self.end_session(session);
        }
    }

    /// Highest frame known durable.
    #[must_use]
    pub fn stored(&self) -> Lsn {
        self.log.stored()
    }
}
