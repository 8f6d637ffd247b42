//! Between the drivers and the shard: one bounded mailbox in, one outbox for each connection.

use crate::node::Node;
use crate::services::Made;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::oneshot;
use wharf_broker::{Command, ConnectionId, Event, Shard, Statistics, Timestamp};
use wharf_gateway::{Answer, Request};

/// Letters above which connections are not read. One burst of each connection may come on top.
const LETTERS_MAX: usize = 65_536;
/// The same for the bytes of the messages in them.
const BYTES_MAX: usize = 64 << 20;
/// Events an idle outbox keeps room for.
const EVENTS_KEPT: usize = 8;

/// What the shard's thread is sent.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A connection exists, and this is where its events go.
    Arrived(ConnectionId, Arc<Outbox>),
    /// What a connection asks.
    Request(ConnectionId, Request),
    /// A connection is gone, whether or not it said so.
    Gone(ConnectionId),
    /// A verifier that the services of XMPP have asked for.
    Made(Box<Made>),
    /// How much has happened so far?
    Statistics(oneshot::Sender<Statistics>),
    /// Something that a manager does to the shard.
    Job(Job),
    /// Finish: make durable what was taken, then stop.
    Stop,
}

/// What is done when a frame is durable.
pub(crate) type Promise = Box<dyn FnOnce() + Send>;

/// Work on the shard, and what is to be done when it is durable.
pub(crate) struct Job(Box<Work>);

type Work = dyn FnOnce(&Node, &mut Shard, Timestamp) -> Promise + Send;

impl Job {
    pub(crate) fn new(
        work: impl FnOnce(&Node, &mut Shard, Timestamp) -> Promise + Send + 'static,
    ) -> Self {
        Self(Box::new(work))
    }

    pub(crate) fn run(self, node: &Node, shard: &mut Shard, now: Timestamp) -> Promise {
        (self.0)(node, shard, now)
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

impl Letter {
    fn len_bytes(&self) -> usize {
        match self {
            Self::Request(_, Request::Broker(Command::Publish { message, .. })) => {
                message.body.len()
            }
            _ => 0,
        }
    }
}

/// The shard's mailbox.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Debug, Default)]
struct State {
    letters: Vec<Letter>,
    bytes: usize,
    /// The journal has completions.
    journal_called: bool,
    /// The shard's thread sleeps, so that it must be woken.
    parked: bool,
    /// Drivers that wait for room.
    waiting: Vec<Waker>,
}

impl State {
    fn is_full(&self) -> bool {
        self.letters.len() >= LETTERS_MAX || self.bytes >= BYTES_MAX
    }
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all of `letters`, in order. Never waits: who produces without end asks
    /// [`Mailbox::poll_room`] first.
    pub(crate) fn push(&self, letters: &mut Vec<Letter>) {
        let bytes: usize = letters.iter().map(Letter::len_bytes).sum();
        let mut state = self.lock();
        state.bytes += bytes;
        state.letters.append(letters);
        self.unpark(state);
    }

    /// Ready when there is room; otherwise the task is woken when there is.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.is_full() {
            return Poll::Ready(());
        }
        // One that asks twice is woken twice; looking for it among thousands would cost more.
        state.waiting.push(cx.waker().clone());
        Poll::Pending
    }

    /// The journal has something to say. Called from its threads.
    pub(crate) fn call_for_journal(&self) {
        let mut state = self.lock();
        state.journal_called = true;
        self.unpark(state);
    }

    /// Moves everything into `batch`, waiting for something to come. Empty after the journal's
    /// call, or when `wait` is over.
    pub(crate) fn take(&self, batch: &mut Vec<Letter>, wait: Option<Duration>) {
        let mut state = self.lock();
        if state.letters.is_empty() && !state.journal_called {
            state.parked = true;
            let idle = |state: &mut State| state.parked;
            state = match wait {
                None => self.ready.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    self.ready
                        .wait_timeout_while(state, wait, idle)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
            state.parked = false;
        }
        state.journal_called = false;
        state.bytes = 0;
        // The two vectors change places, so that neither grows anew for each batch.
        std::mem::swap(&mut state.letters, batch);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for waker in waiting {
            waker.wake();
        }
    }

    fn unpark(&self, mut state: MutexGuard<'_, State>) {
        let parked = std::mem::take(&mut state.parked);
        drop(state);
        if parked {
            self.ready.notify_one();
        }
    }
}

/// What a driver is told beside events.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// End the connection, with this close code.
    pub(crate) drain: Option<u16>,
    /// End the connection without a word.
    pub(crate) cut: bool,
    /// What the user database says to the login.
    pub(crate) answer: Option<Answer>,
}

/// Where a connection's events wait for its driver.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: Vec<Event>,
    orders: Orders,
    driver: Option<Waker>,
}

impl Outbox {
    /// Adds events, with one lock and one wake for all of them. How many there can be is bounded
    /// by the session's window.
    pub(crate) fn push(&self, events: &mut Vec<Event>) {
        self.change(|waiting| waiting.events.append(events));
    }

    /// Tells the driver to end the connection.
    pub(crate) fn drain(&self, close_code: u16) {
        self.change(|waiting| waiting.orders.drain = Some(close_code));
    }

    /// Tells the driver to end the connection without a word.
    pub(crate) fn cut(&self) {
        self.change(|waiting| waiting.orders.cut = true);
    }

    /// Tells the driver what the user database says.
    pub(crate) fn answer(&self, answer: Answer) {
        self.change(|waiting| waiting.orders.answer = Some(answer));
    }

    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut waiting);
        let driver = waiting.driver.take();
        drop(waiting);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Moves the events to the end of `into`, and says what else there is. The waker is kept for
    /// what comes next.
    pub(crate) fn take(&self, into: &mut Vec<Event>, waker: &Waker) -> Orders {
        let mut waiting = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        into.append(&mut waiting.events);
        if waiting.events.capacity() > EVENTS_KEPT {
            waiting.events = Vec::new();
        }
        match &mut waiting.driver {
            Some(kept) => kept.clone_from(waker),
            None => waiting.driver = Some(waker.clone()),
        }
        std::mem::take(&mut waiting.orders)
    }
}

#[cfg(test)]
mod tests;
