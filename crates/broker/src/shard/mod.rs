//! The deterministic shard: commands in, frames and events out.
//!
//! The driver's loop: `handle` for every input of a batch, `flush` once, then `poll` until
//! `None`. Time comes with the input, randomness not at all; equal inputs give equal outputs.

mod attach;
mod bounds;
mod config;
mod consume;
mod dispatch;
mod feeds;
mod fetch;
mod links;
mod log;
mod manage;
mod outbox;
mod publish;
mod recover;
mod route;
mod routing;
mod service;
mod settle;
mod shunned;

use crate::command::{Command, ConnectionId, Definition, Input, SessionId};
use crate::journal::{Completion, Frame, JournalFailure, Lsn};
use crate::output::{Event, Output};
use crate::policy::Policies;
use crate::record::{Dynamic, Record};
use crate::state::bodies::{MessageKey, Place};
use crate::state::{Applied, BodyAt, State};
use crate::stats::Statistics;
use crate::time::Timestamp;
use attach::Attachments;
use bounds::Expiries;
use bytes::Bytes;
pub use config::Config;
use consume::{Farewell, Wish};
use feeds::Feeds;
use fetch::Fetching;
use links::Links;
use log::Log;
pub use manage::{AddressCounts, AddressView, Moved, QueueView, SessionView};
use outbox::Outbox;
use publish::{Publication, Taking};
pub use recover::RecoverError;
use route::Routes;
pub use routing::Detour;
use routing::Detours;
pub use service::{Ahead, Audience, Entry, Stored, Transient};
use service::{Endings, Transients};
use std::collections::{BTreeMap, VecDeque};

/// One shard.
#[derive(Debug)]
pub struct Shard {
    config: Config,
    policies: Policies,
    detours: Detours,
    /// The latest time that was told.
    now: Timestamp,
    state: State,
    log: Log,
    outbox: Outbox,
    attachments: Attachments,
    feeds: Feeds,
    links: Links,
    routes: Routes,
    taking: Taking,
    endings: Endings,
    /// Who listens to topics of the broker's own, and as of which version of routes.
    audience: Option<(u64, Audience)>,
    transients: Transients,
    expiries: Expiries,
    /// Of users who may not have any number.
    sessions_max: BTreeMap<String, usize>,
    fetching: Fetching,
    statistics: Statistics,
    journal_requests: VecDeque<Output>,
    failed: bool,
}

impl Shard {
    /// Takes one input. Its effects are polled after the next `flush`.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        if self.failed {
            return;
        }
        self.tell_time(now);
        match input {
            Input::Command(connection, command) => self.command(now, connection, command),
            Input::Define(definition) => self.define(definition),
            Input::Completion(completion) => self.complete(completion),
            Input::Timeout => {
                self.expire(now);
                self.expire_messages(now);
            }
        }
    }

    /// Ends a batch: hands out ready messages, and seals a frame if the journal has room.
    pub fn flush(&mut self) {
        if self.failed {
            return;
        }
        self.collect_emptied();
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
        let sessions = self.attachments.next_expiry();
        sessions.into_iter().chain(self.expiries.next()).min()
    }

    /// Counters since the start, and sizes now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.statistics;
        statistics.sessions = self.state.sessions.len() as u64;
        statistics.sessions_attached = self.attachments.len() as u64;
        statistics.addresses = self.state.addresses.len() as u64;
        statistics.messages = self.state.bodies.len() as u64;
        let totals = &self.state.totals;
        debug_assert_eq!(
            totals.out(),
            self.state.queues.values().map(|it| it.out_len() as u64).sum()
        );
        debug_assert_eq!(
            totals.entries(),
            self.state.queues.values().map(|it| it.len() as u64).sum()
        );
        statistics.queue_messages_unacked = totals.out();
        statistics.queue_messages_ready = totals.entries().saturating_sub(totals.out());
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
            Command::Attach { key } => return self.attach(now, connection, &key),
            Command::Detach => return self.detach(now, connection),
            _ => {}
        }
        let Some(session) = self.attachments.session_of(connection) else {
            return;
        };
        match command {
            Command::Open { .. } | Command::Attach { .. } | Command::Detach => {}
            Command::Resume { received } => self.resume(connection, session, received),
            Command::End { unsettled } => self.end(connection, session, &unsettled),
            Command::Known => self.prove(session),
            Command::Publish { seq, to, message, unroutable } => {
                let publication = Publication { seq, to, message, unroutable };
                self.publish(connection, session, publication);
            }
            Command::Settle { first, last, outcome, confirm } => {
                self.prove(session);
                self.settle(session, first, last, &outcome);
                if confirm {
                    self.tell(connection, Event::Settled { first, last });
                }
            }
            _ => self.command_of_link(connection, session, command),
        }
    }

    /// The commands of consumers and senders.
    fn command_of_link(&mut self, connection: ConnectionId, session: SessionId, command: Command) {
        match command {
            Command::Consume { seq, consumer, address, subscription, kind, credit, mode } => {
                self.take(connection, session, seq);
                let wish = Wish { consumer, address, subscription, kind, credit, mode };
                self.consume(connection, session, wish);
            }
            Command::Recall { consumer, subscription } => {
                self.recall(connection, session, consumer, subscription);
            }
            Command::Flow { consumer, limit, drain } => {
                self.feeds.set_flow(session, consumer, limit, drain);
            }
            Command::Cancel { seq, consumer, address, subscription, forget } => {
                self.take(connection, session, seq);
                let farewell = Farewell { consumer, address, subscription, forget };
                self.cancel(session, &farewell);
            }
            Command::Resolve { consumer, address, kind } => {
                self.resolve(connection, session, consumer, address, kind);
            }
            Command::Create { consumer, address, kind, lifetime } => {
                let dynamic = Dynamic { lifetime, owner: (session, consumer) };
                self.create(connection, session, address, kind, dynamic);
            }
            Command::Leave { consumer } => self.leave(session, consumer),
            _ => {}
        }
    }

    fn define(&mut self, definition: Definition) {
        match definition {
            Definition::PutUser { name, verifier, permissions } => {
                let before = self.user_permissions(&name).to_vec();
                let fewer = before.iter().any(|rule| !permissions.contains(rule));
                self.record(&Record::PutUser { name: name.clone(), verifier, permissions });
                if fewer {
                    self.enforce_permissions(&name);
                }
            }
            Definition::RemoveUser { name } => {
                self.end_sessions_of(&name);
                self.record(&Record::RemoveUser { name: name.clone() });
                self.endings.note_removed(name);
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
                self.fetched(ticket, &bodies);
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

    /// Decides a record that nobody waits for.
    fn record_lazily(&mut self, record: &Record<'_>) {
        let before = self.log.open_len_bytes();
        self.record(record);
        self.log.note_lazy(self.log.open_len_bytes().saturating_sub(before));
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
