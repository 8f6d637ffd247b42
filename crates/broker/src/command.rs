//! What a shard is asked: commands of connections, definitions of the operator, and what the
//! journal reports.

use crate::journal::Completion;
use crate::permission::Permission;
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

/// How a delivery ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Taken over by the consumer; the queue forgets it.
    Accepted,
    /// Not taken; goes back as if it had not been delivered.
    Released,
    /// Not taken; goes back with its delivery count raised.
    Failed,
    /// Will never be taken; goes to the dead-letter address.
    Rejected,
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
        /// same way. None at all is dead-lettered.
        to: Arc<[String]>,
        /// The message.
        message: Message,
    },
    /// Begins to consume an address, or changes the credit. Answered by `Consuming` or
    /// `Refused`.
    Consume {
        /// Inbound sequence of the message that asked, if one did.
        seq: Option<u64>,
        /// The address.
        address: String,
        /// Name of a durable subscription of a topic; without it the subscription lives as
        /// long as the session.
        subscription: Option<String>,
        /// Most unsettled deliveries of this address at a time; 0 leaves it as it is, or at the
        /// default.
        credit: u32,
    },
    /// Stops consuming an address. Unsettled deliveries stay with the session.
    Cancel {
        /// Inbound sequence of the message that asked, if one did.
        seq: Option<u64>,
        /// The address.
        address: String,
        /// As in `Consume`.
        subscription: Option<String>,
    },
    /// Settles deliveries `first..=last`; those already settled are passed over.
    Settle {
        /// First sequence.
        first: u64,
        /// Last sequence.
        last: u64,
        /// How they ended.
        outcome: Outcome,
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
