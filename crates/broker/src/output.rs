//! What a shard answers.

use crate::command::ConnectionId;
use crate::journal::{Extent, Frame, JournalFailure, Lsn, Slice, Ticket};
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
    /// A delivery.
    Deliver(Delivery),
    /// The consumer exists.
    Consuming {
        /// The address asked for.
        address: String,
    },
    /// The consumer cannot be had.
    Refused {
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
    /// Its number on the session, counted from 1; the same after a resume.
    pub seq: u64,
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
}

/// Why and where a message died.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Death {
    /// The reason.
    pub reason: DeathReason,
    /// The address it was meant for or came from; empty if there was none.
    pub address: String,
}

/// Why a message was dead-lettered.
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
}

impl DeathReason {
    pub(crate) const ALL: [Self; 5] = [
        Self::DeliveriesMax,
        Self::Rejected,
        Self::NoAddress,
        Self::InvalidAddress,
        Self::NotPermitted,
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
        }
    }
}

/// Why a consumer cannot be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The address is not a valid name, or reserved.
    InvalidAddress,
    /// The user may not receive from it.
    NotPermitted,
    /// The session has too many consumers.
    TooManyConsumers,
    /// A subscription was named, but the address is a queue.
    NotATopic,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidAddress => "not a valid address",
            Self::NotPermitted => "not permitted to receive",
            Self::TooManyConsumers => "too many consumers on this session",
            Self::NotATopic => "a subscription was named, but the address is a queue",
        })
    }
}
