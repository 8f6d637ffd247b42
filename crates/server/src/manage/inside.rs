//! A client of the shard without a socket: what it does is permitted, journaled and told as for any
//! other, and goes with its session when the request is answered.

use crate::mailbox::{Letter, Outbox};
use crate::node::Node;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use wharf_api::{Code, Problem};
use wharf_broker::{
    Command, ConnectionId, ConsumerId, DeathReason, Delivery, Event, Message, QueueId, SessionKey,
    SessionKind, Unroutable,
};

/// Time for the shard to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Bodies shown at once; one is shown however large.
const BROWSED_MAX_BYTES: usize = 8 << 20;

/// The only consumer.
const CONSUMER: ConsumerId = ConsumerId(0);

/// Why a message was not taken.
#[derive(Debug)]
pub(super) enum Unserved {
    /// The broker declined it.
    Declined(DeathReason),
    /// It did not come that far.
    Problem(Problem),
}

impl From<Problem> for Unserved {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// A connection of our own.
pub(super) struct Inside<'n> {
    node: &'n Node,
    id: ConnectionId,
    outbox: Arc<Outbox>,
    told: VecDeque<Event>,
}

impl<'n> Inside<'n> {
    /// Opens a session of a user.
    pub(super) async fn open(node: &'n Node, host: &str, user: &str) -> Result<Self, Problem> {
        let id = node.next_connection();
        let outbox = Arc::new(Outbox::default());
        let name: [u8; 32] = crate::entropy::bytes();
        let key = SessionKey {
            host: host.to_owned(),
            user: user.to_owned(),
            origin: None,
            name: data_encoding::HEXLOWER.encode(&name),
        };
        let mut inside = Self { node, id, outbox: Arc::clone(&outbox), told: VecDeque::new() };
        node.mailbox.push(&mut vec![Letter::Arrived(id, outbox)]);
        inside.say(Command::Open { key, kind: SessionKind::Volatile });
        loop {
            match inside.next().await? {
                Event::Opened => return Ok(inside),
                Event::Revoked => {
                    let what = "the user has as many sessions as it may";
                    return Err(Problem::new(Code::Conflict, what));
                }
                _ => {}
            }
        }
    }

    fn say(&self, command: Command) {
        self.node.mailbox.push(&mut vec![Letter::Request(self.id, command.into())]);
    }

    async fn next(&mut self) -> Result<Event, Problem> {
        let waited = tokio::time::timeout(
            TIMEOUT,
            poll_fn(|cx| {
                if let Some(event) = self.told.pop_front() {
                    return Poll::Ready(event);
                }
                let mut events = Vec::new();
                self.outbox.take(&mut events, cx.waker());
                self.told.extend(events);
                self.told.pop_front().map_or(Poll::Pending, Poll::Ready)
            }),
        );
        let late = || Problem::new(Code::Unavailable, "the broker does not answer in time");
        waited.await.map_err(|_| late())
    }

    /// Looks at the oldest messages of a queue that are not out, as far as their bodies fit.
    pub(super) async fn browse(
        mut self,
        queue: QueueId,
        limit: u64,
    ) -> Result<Vec<Delivery>, Problem> {
        let id = self.id;
        self.node.ask(move |shard, _| shard.look_into(id, CONSUMER, queue)).await?;
        let flow = Command::Flow { consumer: CONSUMER, limit, drain: true };
        self.say(flow.clone());
        let (mut deliveries, mut bytes) = (Vec::new(), 0);
        loop {
            match self.next().await? {
                Event::Deliver(delivery) => {
                    bytes += delivery.body.len();
                    deliveries.push(delivery);
                    if deliveries.len() as u64 >= limit || bytes >= BROWSED_MAX_BYTES {
                        return Ok(deliveries);
                    }
                    // One flow gives so many bytes and no more; the same again goes on.
                    self.say(flow.clone());
                }
                // Nothing is left, or the queue has gone.
                Event::Drained { .. } | Event::Gone { .. } => return Ok(deliveries),
                _ => {}
            }
        }
    }

    /// Sends one message, and waits until it is durable.
    pub(super) async fn publish(mut self, address: &str, message: Message) -> Result<(), Unserved> {
        let to = Arc::from([address.to_owned()]);
        self.say(Command::Publish { seq: 1, to, message, unroutable: Unroutable::Decline });
        let mut declined = None;
        loop {
            match self.next().await? {
                Event::Declined { reason, .. } => declined = Some(reason),
                Event::Taken { .. } => {
                    return declined.map_or(Ok(()), |reason| Err(Unserved::Declined(reason)));
                }
                _ => {}
            }
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.node.mailbox.push(&mut vec![
            Letter::Request(self.id, Command::Detach.into()),
            Letter::Gone(self.id),
        ]);
    }
}
