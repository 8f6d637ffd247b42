//! Queues, topics, sessions and their ledgers as one deterministic state machine.
//!
//! A [`Shard`] takes commands and gives frames and events. It does no IO: frames go to a
//! [`journal::Journal`], which its driver owns, and an event that rests on a change of state
//! leaves only after the frame with that change is stored. So acknowledged means durable by
//! construction, group commit costs nothing, and a replicated journal is just a slower one.
//!
//! | module | what it owns |
//! |---|---|
//! | `command`, `output` | the vocabulary in and out |
//! | `shard` | decisions: routing, dispatch, attachment, what to log and when to tell |
//! | `state` | the durable state, changed by records alone |
//! | `record`, `codec` | the records byte by byte |
//! | `journal` | the port to what remembers |
//!
//! No protocol is known here. A message is bytes with a format number that only the gateway
//! reads.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

mod codec;
mod command;
pub mod journal;
pub mod limits;
mod output;
mod permission;
mod policy;
mod record;
mod shard;
mod state;
mod stats;
mod time;

pub use command::{
    Command, ConnectionId, ConsumerId, Credit, Definition, Input, Message, Mode, Outcome,
    SessionId, SessionKey, SessionKind, Unroutable,
};
pub use output::{Death, DeathReason, Delivery, Event, Ledger, Output, Refusal};
pub use permission::{Permission, Right, allows, matches_pattern, may_read_own};
pub use policy::{
    AddressKind, DEAD_LETTER_ADDRESS, DYNAMIC_PREFIX, Lifetime, OWN_PREFIX, Overflow,
    PERSON_PREFIX, Policy, SYSTEM_PREFIX, SystemTopic,
};
pub use record::QueueId;
pub use shard::{
    AddressCounts, AddressView, Ahead, Audience, Config, Detour, Entry, Moved, QueueView,
    RecoverError, SessionView, Shard, Stored, Transient,
};
pub use stats::{Gaps, Statistics};
pub use time::Timestamp;
