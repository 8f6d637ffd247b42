//! The states of a delivery (AMQP 3.4, 4.5.5, 4.5.6).

use crate::codec::{Composite, DecodeError, Reader, composite};
use crate::condition::Error;
use crate::transaction::{Declared, TransactionalState};
use crate::value::{Fields, Value};

/// The state of a delivery; those that are final are outcomes (AMQP 3.4). What is common takes no
/// heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// How much of a message has arrived, or can be sent again (AMQP 3.4.1).
    Received {
        /// The first section that is not complete; the first of all is 0.
        section_number: u32,
        /// The first octet of that section's encoding that is missing.
        section_offset: u64,
    },
    /// Done (AMQP 3.4.2).
    Accepted,
    /// Not a valid message, perhaps with the reason (AMQP 3.4.3).
    Rejected(Option<Box<Error>>),
    /// Not looked at, and given back as it was (AMQP 3.4.4).
    Released,
    /// Not looked at, and given back changed (AMQP 3.4.5).
    Modified(Box<Modified>),
    /// A transaction was declared (AMQP 4.5.5).
    Declared(Box<Declared>),
    /// Part of a transaction (AMQP 4.5.6).
    Transactional(Box<TransactionalState>),
    /// A state of somebody else's; a described value.
    Other(Box<Value>),
}

/// How a message that is given back has changed (AMQP 3.4.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modified {
    /// It counts as a failed attempt.
    pub delivery_failed: Option<bool>,
    /// It is not sent over this link again.
    pub undeliverable_here: Option<bool>,
    /// What is added to the message's annotations.
    pub message_annotations: Fields,
}

composite! {
    Modified, "modified", 0x27, {
        delivery_failed: optional boolean,
        undeliverable_here: optional boolean,
        message_annotations: unless_empty fields,
    }
}
