//! What a shard answers.

use crate::command::{ConnectionId, ConsumerId};
use crate::journal::{Extent, Frame, JournalFailure, Lsn, Slice, Ticket};
use crate::policy::AddressKind;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// Everything that leaves a shard.
#[derive(Debug)]
pub enum Output {
    /// For the journal: store this frame.
    Persist(Frame),
    /// For the journal: read these bodies.
    Fetch(Ticket, Vec<Slice>),
    /// For the journal: a snapshot of the state after a stored frame.
    Snapshot(Lsn, Vec<u8>),
    /// For the journal: nothing in these extents is needed any more.
    Free(Vec<Extent>),
    /// For a connection. A connection that is gone misses nothing.
    Event(ConnectionId, Event),
    /// The shard has stopped: nothing more may be acknowledged by this process.
    Failed(JournalFailure),
}

/// What a connection is told. Whatever rests on a change of state is told only after the frame
/// with that change is durable.
///
/// A connection is told of things in the order in which they were decided: a `Drained` comes
/// behind the deliveries that it counts, a `Declined` before the `Taken` that covers it, and what
/// follows from a `Settle` behind its `Settled`. A delivery whose body has to be read holds up
/// what is behind it.
#[derive(Clone, Debug)]
pub enum Event {
    /// The new session is durable; it may be used.
    Opened,
    /// The session was taken over; this is its ledger. Nothing flows before `Resume`.
    Attached(Ledger),
    /// There is no such session for this user and origin.
    Unknown,
    /// Every inbound message up to this sequence is durable.
    Taken {
        /// The sequence.
        up_to: u64,
    },
    /// A message could not be served at one of its addresses and was not dead-lettered. Told
    /// once a message, for the first such address.
    Declined {
        /// Its inbound sequence.
        seq: u64,
        /// Why.
        reason: DeathReason,
    },
    /// A delivery.
    Deliver(Delivery),
    /// Something that a service sends, in three parts.
    Transmit {
        /// Its number on a recoverable session, among those of deliveries; 0 on a volatile one.
        seq: u64,
        /// What comes first.
        before: Bytes,
        /// A message that is kept, or nothing.
        body: Bytes,
        /// What comes last.
        after: Bytes,
    },
    /// What a `Flow` with `drain` could hand out is handed out.
    Drained {
        /// The consumer.
        consumer: ConsumerId,
        /// Deliveries given to it since its `Consume`; its limit is this now.
        delivered: u64,
    },
    /// A `Settle` that asked for it is durable.
    Settled {
        /// As in the command.
        first: u64,
        /// As in the command.
        last: u64,
    },
    /// The consumer exists.
    Consuming {
        /// Its name.
        consumer: ConsumerId,
        /// The address asked for.
        address: String,
    },
    /// The sender may send.
    Resolved {
        /// Its name.
        consumer: ConsumerId,
        /// What the address is.
        kind: AddressKind,
    },
    /// The dynamic address exists.
    Created {
        /// The link that created it.
        consumer: ConsumerId,
    },
    /// The address was deleted under a consumer or sender, which is over.
    Gone {
        /// Its name.
        consumer: ConsumerId,
        /// The address.
        address: Arc<str>,
    },
    /// The consumer, sender or dynamic address cannot be had.
    Refused {
        /// Its name.
        consumer: ConsumerId,
        /// The address asked for.
        address: String,
        /// Why.
        refusal: Refusal,
    },
    /// Another connection has taken this session over.
    TakenOver,
    /// The session has ended.
    Ended,
    /// The user is gone: the connection is no longer authenticated.
    Revoked,
}

/// What a session knows about the messages of both directions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    /// Highest inbound sequence whose effect is durable.
    pub taken: u64,
    /// Every outbound sequence up to this is settled.
    pub settled: u64,
    /// Highest outbound sequence sent.
    pub sent: u64,
}

/// One message handed to one consumer.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its number on the session, counted from 1; the same after a resume. 0 for a copy, which
    /// is not settled.
    pub seq: u64,
    /// The consumer it is for.
    pub consumer: ConsumerId,
    /// The address it came from.
    pub address: Arc<str>,
    /// Encoding of `body`, as published.
    pub format: u8,
    /// The message.
    pub body: Bytes,
    /// How often it was delivered before.
    pub count: u16,
    /// Why it was dead-lettered, if it was.
    pub death: Option<Arc<Death>>,
    /// What the last `Modified` left with it.
    pub annotations: Option<Bytes>,
}

/// Why and where a message died.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Death {
    /// The reason.
    pub reason: DeathReason,
    /// The address it was meant for or came from; empty if there was none.
    pub address: String,
    /// What the consumer that rejected it said.
    pub detail: Option<String>,
}

/// Why a message was dead-lettered or declined.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeathReason {
    /// It was delivered as often as the policy allows.
    DeliveriesMax,
    /// A consumer rejected it.
    Rejected,
    /// It named no address.
    NoAddress,
    /// Its address is not a valid name, or reserved.
    InvalidAddress,
    /// The sender may not send there.
    NotPermitted,
    /// Its address does not exist and is not made by being used.
    UnknownAddress,
    /// Its queue was full.
    QueueFull,
    /// It has waited too long.
    Expired,
}

impl DeathReason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::DeliveriesMax,
        Self::Rejected,
        Self::NoAddress,
        Self::InvalidAddress,
        Self::NotPermitted,
        Self::UnknownAddress,
        Self::QueueFull,
        Self::Expired,
    ];

    /// Its stable name, as consumers of dead letters see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeliveriesMax => "deliveries-max",
            Self::Rejected => "rejected",
            Self::NoAddress => "no-address",
            Self::InvalidAddress => "invalid-address",
            Self::NotPermitted => "not-permitted",
            Self::UnknownAddress => "unknown-address",
            Self::QueueFull => "queue-full",
            Self::Expired => "expired",
        }
    }
}

/// Why a consumer, a sender or an address cannot be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The address is not a valid name, or reserved.
    InvalidAddress,
    /// The user may not use it so.
    NotPermitted,
    /// The session has too many consumers.
    TooManyConsumers,
    /// The session has too many senders and dynamic addresses.
    TooManySenders,
    /// A subscription was named, but the address is a queue.
    NotATopic,
    /// The address is of another kind than the one asked for.
    WrongKind,
    /// The address does not exist and is not made by being used.
    UnknownAddress,
    /// An address of this name exists already.
    Exists,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidAddress => "not a valid address",
            Self::NotPermitted => "not permitted",
            Self::TooManyConsumers => "too many consumers on this session",
            Self::TooManySenders => "too many senders on this session",
            Self::NotATopic => "a subscription was named, but the address is a queue",
            Self::WrongKind => "the address is of another kind",
            Self::UnknownAddress => "no such address",
            Self::Exists => "the address exists already",
        })
    }
}
