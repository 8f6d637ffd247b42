//! The shard's thread: batches of letters in, frames to the journal, events to the drivers.
//!
//! The thread never waits for the disk. What arrives while a frame is being stored is the next
//! frame, so the slower the disk, the larger the batches.

use crate::announce::Announcer;
use crate::log::event;
use crate::mailbox::{Letter, Outbox, Promise};
use crate::node::{Node, Phase};
use crate::rules;
use crate::services;
use crate::settings;
use crate::users;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use wharf_broker::journal::{Completion, Journal, Lsn};
use wharf_broker::{ConnectionId, Definition, Event, Input, Output, Shard, Timestamp};
use wharf_chat::Chat;
use wharf_gateway::Request;
use wharf_store::Options;

/// The longest sleep while something is due: the wall clock may jump.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// Why the shard cannot start. The text names place and remedy.
#[derive(Debug)]
pub(crate) struct StartError(pub(crate) String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Starts the thread. `started` is called from it once: with what to print, or the reason why
/// there is nothing to serve.
pub(crate) fn spawn(
    node: Arc<Node>,
    given_users: Vec<users::Given>,
    started: impl FnOnce(Result<users::Announcement, StartError>) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    // The shard's thread is none of the runtime's; what it asks for runs there.
    let runtime = Handle::current();
    let run = move || {
        let _guard = Guard(Arc::clone(&node));
        let began = Instant::now();
        match Worker::open(Arc::clone(&node), runtime).and_then(|mut worker| {
            let announcement = worker.settle_users(&given_users)?;
            Ok((worker, announcement))
        }) {
            Err(error) => started(Err(error)),
            Ok((worker, announcement)) => {
                let statistics = worker.shard.statistics();
                tracing::info!(
                    event = event::READY,
                    recovery_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                    messages = statistics.messages,
                    sessions = statistics.sessions,
                    "the journal is recovered"
                );
                node.enter(Phase::Ready);
                started(Ok(announcement));
                worker.run();
            }
        }
    };
    std::thread::Builder::new().name("wharf-shard".to_owned()).spawn(run)
}

/// A shard that panicked acknowledges nothing more, like one whose journal failed.
struct Guard(Arc<Node>);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the shard's thread panicked; see stderr".to_owned());
        }
    }
}

struct Worker {
    node: Arc<Node>,
    runtime: Handle,
    shard: Shard,
    chat: Chat,
    journal: Box<dyn Journal>,
    connections: HashMap<ConnectionId, Connection>,
    /// Connections with events of this batch.
    touched: Vec<ConnectionId>,
    batch: Vec<Letter>,
    /// The newest frame given to the journal, and the newest it has stored.
    persisted: Lsn,
    stored: Lsn,
    /// The journal failed: nothing is done any more but waiting for the end.
    failed: bool,
    stopping: bool,
    /// What is to be done when a frame is durable, in the order of frames.
    promises: VecDeque<(Lsn, Promise)>,
    announcer: Announcer,
    /// When frames that are not durable yet were given to the journal.
    given: VecDeque<(Lsn, Instant)>,
}

struct Connection {
    outbox: Arc<Outbox>,
    events: Vec<Event>,
}

impl Worker {
    fn open(node: Arc<Node>, runtime: Handle) -> Result<Self, StartError> {
        let mailbox = Arc::clone(&node.mailbox);
        let wake = Arc::new(move || mailbox.call_for_journal());
        let data = &node.config.data;
        let mut options = Options::default();
        options.segment_size_bytes = data.segment_size_bytes;
        let (journal, recovery) = wharf_store::open(&data.directory, options, wake)
            .map_err(|error| StartError(error.to_string()))?;
        let now = now();
        let mut shard = Shard::recover(settings::shard(&node.config), recovery, now)
            .map_err(|error| StartError(error.to_string()))?;
        let chat = Chat::new(settings::chat(&node.config), &mut shard, now);
        Ok(Self {
            node,
            runtime,
            shard,
            chat,
            journal: Box::new(journal),
            connections: HashMap::new(),
            touched: Vec::new(),
            batch: Vec::new(),
            persisted: Lsn::default(),
            stored: Lsn::default(),
            failed: false,
            stopping: false,
            promises: VecDeque::new(),
            announcer: Announcer::default(),
            given: VecDeque::new(),
        })
    }

    /// Defines the users that are given, makes the first one when there is none, and waits until
    /// all that is durable: a password that is printed must be one that works tomorrow.
    fn settle_users(&mut self, given: &[users::Given]) -> Result<users::Announcement, StartError> {
        let (definitions, announcement) =
            users::settle(self.shard.users(), &self.node.config, given).map_err(StartError)?;
        for definition in definitions {
            if let Definition::PutUser { name, .. } = &definition {
                tracing::info!(event = event::USER_PUT, name, "user defined");
            }
            self.shard.handle(now(), Input::Define(definition));
        }
        self.flush();
        while self.stored < self.persisted && !self.failed {
            self.node.mailbox.take(&mut self.batch, None);
            self.work();
        }
        if self.failed {
            return Err(StartError("the journal failed; see the log".to_owned()));
        }
        for (name, verifier) in self.shard.users() {
            self.node.auth.put_user(name, verifier, self.shard.user_permissions(name));
        }
        rules::apply(&self.node, &mut self.shard, now());
        Ok(announcement)
    }

    fn run(mut self) {
        while !(self.stopping && (self.failed || self.stored == self.persisted)) {
            let wait = self.sleep_max();
            self.node.mailbox.take(&mut self.batch, wait);
            self.work();
        }
    }

    fn sleep_max(&self) -> Option<Duration> {
        let announced = self.announcer.due().filter(|_| !self.stopping);
        let due = self.shard.poll_timeout().into_iter().chain(announced).min()?;
        let wait = Duration::from_millis(due.0.saturating_sub(now().0).saturating_add(1));
        Some(wait.min(SLEEP_MAX))
    }

    /// One batch: everything that came, then what the journal reports, then all that follows.
    fn work(&mut self) {
        let now = now();
        let mut batch = std::mem::take(&mut self.batch);
        self.shard.tell_time(now);
        for letter in batch.drain(..) {
            self.read(now, letter);
        }
        self.batch = batch;
        while let Some(completion) = self.journal.poll() {
            if let Completion::Stored { lsn, .. } = &completion {
                self.stored = *lsn;
                self.note_stored();
            }
            self.shard.handle(now, Input::Completion(completion));
        }
        if self.shard.poll_timeout().is_some_and(|due| due <= now) {
            self.shard.handle(now, Input::Timeout);
        }
        if !self.stopping {
            self.announcer.work(&self.node, &mut self.shard, now);
        }
        self.flush();
    }

    fn read(&mut self, now: Timestamp, letter: Letter) {
        match letter {
            Letter::Request(connection, Request::Broker(command)) => {
                self.shard.handle(now, Input::Command(connection, command));
            }
            Letter::Request(connection, Request::Chat(command)) => {
                self.chat.handle(now, &mut self.shard, connection, command);
            }
            Letter::Made(made) => {
                let (id, answer) = services::define(&self.node, &mut self.shard, now, *made);
                self.chat.answered(now, &mut self.shard, id, &answer);
            }
            Letter::Arrived(connection, outbox) => {
                if self.stopping {
                    outbox.drain(self.node.live().config.shutdown.close_code);
                }
                self.connections.insert(connection, Connection { outbox, events: Vec::new() });
            }
            Letter::Gone(connection) => {
                self.connections.remove(&connection);
                self.chat.gone(now, &mut self.shard, connection);
            }
            Letter::Statistics(answer) => {
                // Who asked may have lost patience.
                let _ = answer.send(self.shard.statistics());
            }
            Letter::Job(job) => {
                let promise = job.run(&self.node, &mut self.shard, now);
                self.promises.push_back((self.shard.barrier(), promise));
            }
            Letter::Stop => {
                self.announcer.end(&self.node, &mut self.shard);
                self.stopping = true;
            }
        }
    }

    /// What the services of XMPP ask of the server, until they ask nothing more.
    fn serve(&mut self, now: Timestamp) {
        while let Some(request) = self.chat.poll_request() {
            let answer = services::serve(&self.node, &self.runtime, &mut self.shard, now, request);
            if let Some((id, answer)) = answer {
                self.chat.answered(now, &mut self.shard, id, &answer);
            }
        }
    }

    fn flush(&mut self) {
        let now = now();
        self.serve(now);
        self.chat.settle(now, &mut self.shard);
        self.shard.flush();
        while let Some(output) = self.shard.poll() {
            match output {
                Output::Persist(frame) => {
                    self.persisted = frame.lsn;
                    self.given.push_back((frame.lsn, Instant::now()));
                    self.journal.commit(frame);
                }
                Output::Fetch(ticket, slices) => self.journal.fetch(ticket, slices),
                Output::Snapshot(lsn, state) => self.journal.snapshot(lsn, state),
                Output::Free(extents) => self.journal.free(extents),
                Output::Event(connection, event) => self.collect(connection, event),
                Output::Failed(failure) => {
                    self.failed = true;
                    self.node.fail(failure.to_string());
                }
            }
        }
        self.keep_promises();
        // One lock and one wake for all events of a connection.
        for id in self.touched.drain(..) {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.outbox.push(&mut connection.events);
                connection.events = Vec::new();
            }
        }
    }

    /// How long the frames that are durable now have taken.
    fn note_stored(&mut self) {
        while let Some((_, given)) = self.given.pop_front_if(|(lsn, _)| *lsn <= self.stored) {
            self.node.metrics.store_fsync_seconds.observe(given.elapsed().as_secs_f64());
        }
    }

    fn keep_promises(&mut self) {
        while let Some((lsn, _)) = self.promises.front()
            && *lsn <= self.shard.stored()
            && !self.failed
        {
            if let Some((_, promise)) = self.promises.pop_front() {
                promise();
            }
        }
    }

    fn collect(&mut self, id: ConnectionId, event: Event) {
        if let Some(connection) = self.connections.get_mut(&id) {
            if connection.events.is_empty() {
                self.touched.push(id);
            }
            connection.events.push(event);
        }
    }
}

fn now() -> Timestamp {
    Timestamp(crate::node::now_ms())
}
