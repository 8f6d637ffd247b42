//! What a shard is asked: commands of connections, definitions of the operator, and what the
//! journal reports.

use crate::journal::Completion;
use crate::permission::Permission;
use crate::policy::{AddressKind, Lifetime};
use bytes::Bytes;
use std::sync::Arc;

/// One live connection, numbered by the driver; a number is never used twice in a process.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// A session, numbered by the shard.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub u64);

/// What a session is found by. Only the same user with the same origin finds it again.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SessionKey {
    /// The virtual host.
    pub host: String,
    /// The authenticated user.
    pub user: String,
    /// The HTTP origin of a browser's page; `None` where there was none, which is a value of its
    /// own.
    pub origin: Option<String>,
    /// A name that cannot be guessed.
    pub name: String,
}

/// Whether a session outlives its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionKind {
    /// It can be attached to again until its retention is over.
    Recoverable,
    /// It ends with its connection.
    Volatile,
}

/// A message as the sender's protocol encoded it. The broker never looks inside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Which encoding `body` has; given and read by the gateway.
    pub format: u8,
    /// The encoded message without its addresses.
    pub body: Bytes,
}

/// A consumer or a sender of a session, named by its connection. A protocol with links gives
/// each link its own; one without uses 0 for all. A name may be used again when what it named is
/// over.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConsumerId(pub u32);

/// What lets deliveries flow to a consumer, beside the bounds of its session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credit {
    /// Most unsettled deliveries at a time. 0 leaves it as it is, or at the default. Durable.
    Window(u32),
    /// As far as `Command::Flow` allows: from 0 with every `Consume` and every connection.
    Limit,
}

/// What a delivery does to the queue it comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// The message is this consumer's until it is settled.
    Move,
    /// The message stays where it is, and whoever consumes it does so: a browser sees each
    /// message of the queue once, in order, those that come later too, but not those that are
    /// out to somebody when its turn comes to them. Nothing of it is recorded; it ends with its
    /// connection and is limited by `Command::Flow` whatever its credit says. A topic gives
    /// every subscription a copy anyhow: without a subscription's name this is `Move` there.
    Copy,
}

/// What becomes of a message for an address that cannot be served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unroutable {
    /// It goes to dead letters, one for each such address.
    DeadLetter,
    /// It goes nowhere, and `Event::Declined` tells of it.
    Decline,
}

/// How a delivery ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Taken over by the consumer; the queue forgets it.
    Accepted,
    /// Not taken; goes back as if it had not been delivered.
    Released,
    /// Not taken; goes back with its delivery count raised.
    Failed,
    /// Will never be taken; goes to the dead-letter address.
    Rejected {
        /// Why, in the consumer's words; kept in the `Death`, as far as
        /// [`DETAIL_MAX_BYTES`](crate::limits::DETAIL_MAX_BYTES).
        detail: Option<Arc<str>>,
    },
    /// Not taken; goes back changed.
    Modified {
        /// Whether its delivery count is raised.
        failed: bool,
        /// Whether it is kept from this consumer from now on, as long as the consumer and this
        /// process live.
        elsewhere: bool,
        /// Kept with the message in its queue and given out with it, in the place of what was
        /// kept before. Opaque. What is longer than
        /// [`ANNOTATIONS_MAX_BYTES`](crate::limits::ANNOTATIONS_MAX_BYTES) is not kept.
        annotations: Option<Bytes>,
    },
}

/// What a connection asks of its shard. A connection has at most one session; commands of a
/// connection that has none (or has lost it to another connection) are ignored.
#[derive(Clone, Debug)]
pub enum Command {
    /// Opens a new session under `key` and attaches to it. Answered by `Opened`.
    Open {
        /// Its key; an existing session of the same key is ended first.
        key: SessionKey,
        /// Whether it outlives the connection.
        kind: SessionKind,
    },
    /// Takes over the session of `key`. Answered by `Attached` or `Unknown`; no delivery flows
    /// before `Resume`.
    Attach {
        /// Its key.
        key: SessionKey,
    },
    /// Everything up to delivery `received` has arrived; the rest is delivered again, under the
    /// same numbers.
    Resume {
        /// Sequence of the last delivery the client has.
        received: u64,
    },
    /// The connection is gone; the session stays if it is recoverable.
    Detach,
    /// Ends the session. Answered by `Ended`.
    End {
        /// What becomes of its unsettled deliveries.
        unsettled: Outcome,
    },
    /// The client has shown that it knows its session.
    Known,
    /// A message, answered by `Taken` when it is durable.
    Publish {
        /// Its inbound sequence: one more than the last.
        seq: u64,
        /// Addresses, in the sender's order; shared, because most messages of a connection go the
        /// same way. None at all cannot be served.
        to: Arc<[String]>,
        /// The message.
        message: Message,
        /// What becomes of it where it cannot be served.
        unroutable: Unroutable,
    },
    /// Begins to consume an address, or changes the credit. Answered by `Consuming` or
    /// `Refused`. A session's consumers are told apart by queue and name.
    Consume {
        /// Inbound sequence of the message that asked, if one did.
        seq: Option<u64>,
        /// Its name.
        consumer: ConsumerId,
        /// The address; made by this if it is new.
        address: String,
        /// Name of a durable subscription of a topic; without it the subscription lives as
        /// long as the consumer.
        subscription: Option<String>,
        /// What a new address becomes; its policy says it if this does not. An address that is
        /// of another kind is refused.
        kind: Option<AddressKind>,
        /// How far deliveries flow.
        credit: Credit,
        /// What they do to the queue.
        mode: Mode,
    },
    /// Begins to consume a durable subscription of which only the name is known, with
    /// `Credit::Limit`. Answered by `Consuming`, which tells its address, or by `Refused` with
    /// none. Of several topics with a subscription of this name it is the first.
    Recall {
        /// The consumer's name.
        consumer: ConsumerId,
        /// Name of the subscription.
        subscription: String,
    },
    /// How far deliveries flow to a consumer with `Credit::Limit` or `Mode::Copy`. Passed over
    /// if there is no such consumer.
    ///
    /// A browser settles nothing, so what is on its way to it is bounded otherwise: for one
    /// `Flow` it is given about
    /// [`BROWSED_MAX_BYTES`](crate::limits::BROWSED_MAX_BYTES). Say the same `Flow` again when
    /// all of them are sent.
    Flow {
        /// The consumer.
        consumer: ConsumerId,
        /// How many deliveries it may have been given since its `Consume`, in all: a count, so
        /// that it does not matter what is on its way. Those repeated by a `Resume` do not count.
        limit: u64,
        /// Hand out what can be handed out now, then tell `Drained`, and let nothing flow until
        /// the next `Flow`.
        drain: bool,
    },
    /// Stops consuming an address; also the end of what `Resolve` or `Create` began under this
    /// name. Unsettled deliveries stay with the session.
    Cancel {
        /// Inbound sequence of the message that asked, if one did.
        seq: Option<u64>,
        /// The consumer.
        consumer: ConsumerId,
        /// The address.
        address: String,
        /// As in `Consume`.
        subscription: Option<String>,
        /// Whether the durable subscription ends too, unless another consumer uses it.
        forget: bool,
    },
    /// Begins to send to an address: checks that this is possible, and makes the address if it
    /// is new. Answered by `Resolved` or `Refused`. It binds nothing, but it is a link of the
    /// address, until `Leave` or the end of the connection.
    Resolve {
        /// The sender's name.
        consumer: ConsumerId,
        /// The address.
        address: String,
        /// As in `Consume`.
        kind: Option<AddressKind>,
    },
    /// Makes a dynamic address, which is this session's and goes when its lifetime is over.
    /// Answered by `Created` or `Refused`. Whatever the lifetime, its creator is a link of it,
    /// until `Leave` or `Cancel` or the end of the session.
    Create {
        /// The link that creates it.
        consumer: ConsumerId,
        /// A name that nobody can guess, best below
        /// [`DYNAMIC_PREFIX`](crate::DYNAMIC_PREFIX).
        address: String,
        /// What it is.
        kind: AddressKind,
        /// When it goes.
        lifetime: Lifetime,
    },
    /// Ends what `Resolve` or `Create` began under this name.
    Leave {
        /// The sender's name.
        consumer: ConsumerId,
    },
    /// Settles deliveries `first..=last`; those already settled are passed over.
    Settle {
        /// First sequence.
        first: u64,
        /// Last sequence.
        last: u64,
        /// How they ended.
        outcome: Outcome,
        /// Whether `Settled` is told when this is durable.
        confirm: bool,
    },
}

/// What the operator defines. Durable, like everything else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Definition {
    /// Adds a user or replaces one.
    PutUser {
        /// The name.
        name: String,
        /// The password verifier, opaque to the broker.
        verifier: String,
        /// What the user may do.
        permissions: Vec<Permission>,
    },
    /// Removes a user. Its sessions end.
    RemoveUser {
        /// The name.
        name: String,
    },
}

/// Everything that enters a shard.
#[derive(Debug)]
pub enum Input {
    /// A command of a connection.
    Command(ConnectionId, Command),
    /// A definition of the operator.
    Define(Definition),
    /// What the journal reports.
    Completion(Completion),
    /// The time of `poll_timeout` has come. Spurious calls do nothing.
    Timeout,
}
