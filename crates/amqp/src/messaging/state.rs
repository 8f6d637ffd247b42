//! The states of a delivery (AMQP 3.4, 4.5.5, 4.5.6).

use crate::codec::{
    Composite, DecodeError, Descriptor, FieldReader, FieldWriter, Reader, composite, wire,
};
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

/// The numeric descriptors of the states (AMQP 3.4.1 to 3.4.5, 4.5.5, 4.5.6).
mod descriptor {
    pub(super) const RECEIVED: u8 = 0x23;
    pub(super) const ACCEPTED: u8 = 0x24;
    pub(super) const REJECTED: u8 = 0x25;
    pub(super) const RELEASED: u8 = 0x26;
    pub(super) const MODIFIED: u8 = 0x27;
    pub(super) const DECLARED: u8 = 0x33;
    pub(super) const TRANSACTIONAL: u8 = 0x34;
}

/// The fields of received (AMQP 3.4.1).
const RECEIVED_NAMES: &[&str] = &["received.section_number", "received.section_offset"];

/// A state without fields, and without a heap: descriptor and empty list.
const fn empty(code: u8) -> [u8; 4] {
    [0x00, 0x53, code, 0x45]
}

/// What is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    State,
    Outcome,
}

impl DeliveryState {
    /// Whether the state is final (AMQP 3.4). Those of somebody else's may be.
    pub fn is_outcome(&self) -> bool {
        !matches!(self, DeliveryState::Received { .. } | DeliveryState::Transactional(_))
    }

    /// Rejected, with the reason.
    pub fn rejected(error: Error) -> Self {
        DeliveryState::Rejected(Some(Box::new(error)))
    }

    /// The symbolic descriptor, as in the field `outcomes` of a source (AMQP 3.5.3); `None` for a
    /// state of somebody else's.
    pub fn symbol(&self) -> Option<&'static str> {
        Some(match self {
            DeliveryState::Received { .. } => "amqp:received:list",
            DeliveryState::Accepted => "amqp:accepted:list",
            DeliveryState::Rejected(_) => "amqp:rejected:list",
            DeliveryState::Released => "amqp:released:list",
            DeliveryState::Modified(_) => Modified::SYMBOL,
            DeliveryState::Declared(_) => Declared::SYMBOL,
            DeliveryState::Transactional(_) => TransactionalState::SYMBOL,
            DeliveryState::Other(_) => return None,
        })
    }

    /// Reads the state at the front of `octets`, and how many of them it took.
    ///
    /// # Errors
    /// If there is no described value, or it is not as its descriptor says.
    pub fn decode(octets: &[u8]) -> Result<(Self, usize), DecodeError> {
        let mut reader = Reader::new(octets);
        let state = DeliveryState::read(&mut reader)?;
        Ok((state, octets.len().saturating_sub(reader.rest().len())))
    }

    /// Reads a state.
    #[inline(always)]
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // What nearly every disposition says, in the form in which nearly everybody says it.
        if reader.take_prefix(&empty(descriptor::ACCEPTED)) {
            return Ok(DeliveryState::Accepted);
        }
        DeliveryState::read_wanted(reader, Wanted::State)
    }

    /// Reads an outcome. One that is none is refused before it is looked into, so that states
    /// nest no deeper than an outcome in a transaction.
    pub(crate) fn read_outcome(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        DeliveryState::read_wanted(reader, Wanted::Outcome)
    }

    #[inline(never)]
    fn read_wanted(reader: &mut Reader<'_>, wanted: Wanted) -> Result<Self, DecodeError> {
        let before = reader.clone();
        let code = code_of(reader.descriptor()?)?;
        match code {
            Some(descriptor::ACCEPTED) => {
                FieldReader::new(reader, &[])?.finish(reader)?;
                Ok(DeliveryState::Accepted)
            }
            Some(descriptor::RELEASED) => {
                FieldReader::new(reader, &[])?.finish(reader)?;
                Ok(DeliveryState::Released)
            }
            Some(code) => DeliveryState::read_with_fields(code, reader, wanted),
            None => {
                *reader = before;
                Ok(DeliveryState::Other(Box::new(reader.value()?)))
            }
        }
    }

    fn read_with_fields(
        code: u8,
        reader: &mut Reader<'_>,
        wanted: Wanted,
    ) -> Result<Self, DecodeError> {
        Ok(match code {
            descriptor::REJECTED => {
                let mut fields = FieldReader::new(reader, &["rejected.error"])?;
                let error = fields.optional(wire::error::read)?;
                fields.finish(reader)?;
                DeliveryState::Rejected(error.map(Box::new))
            }
            descriptor::MODIFIED => DeliveryState::Modified(Box::new(Modified::read_list(reader)?)),
            descriptor::DECLARED => DeliveryState::Declared(Box::new(Declared::read_list(reader)?)),
            _ if wanted == Wanted::Outcome => return Err(DecodeError::field("not an outcome")),
            descriptor::RECEIVED => {
                let mut fields = FieldReader::new(reader, RECEIVED_NAMES)?;
                let section_number = fields.mandatory(wire::uint::read)?;
                let section_offset = fields.mandatory(wire::ulong::read)?;
                fields.finish(reader)?;
                DeliveryState::Received { section_number, section_offset }
            }
            descriptor::TRANSACTIONAL => {
                DeliveryState::Transactional(Box::new(TransactionalState::read_list(reader)?))
            }
            _ => return Err(DecodeError::field("not a delivery-state")),
        })
    }

    /// Appends it.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            DeliveryState::Accepted => out.extend_from_slice(&empty(descriptor::ACCEPTED)),
            DeliveryState::Released => out.extend_from_slice(&empty(descriptor::RELEASED)),
            DeliveryState::Received { section_number, section_offset } => {
                let mut fields = FieldWriter::new(out, descriptor::RECEIVED);
                fields.mandatory(section_number, wire::uint::write);
                fields.mandatory(section_offset, wire::ulong::write);
                fields.finish();
            }
            DeliveryState::Rejected(error) => {
                let mut fields = FieldWriter::new(out, descriptor::REJECTED);
                fields.optional(error, |out, error| wire::error::write(out, error));
                fields.finish();
            }
            DeliveryState::Modified(modified) => modified.encode(out),
            DeliveryState::Declared(declared) => declared.encode(out),
            DeliveryState::Transactional(state) => state.encode(out),
            DeliveryState::Other(value) => value.encode(out),
        }
    }
}

/// The numeric descriptor of a state; `None` for somebody else's. What the standard describes and
/// is no state is refused (AMQP 1.5: the domains 0 and `amqp` are its own).
#[inline]
fn code_of(descriptor: Descriptor<'_>) -> Result<Option<u8>, DecodeError> {
    match descriptor {
        Descriptor::Code(code) if code >> 32 == 0 => match u8::try_from(code) {
            Ok(code) => Ok(Some(code)),
            Err(_) => Err(DecodeError::field("not a delivery-state")),
        },
        Descriptor::Code(_) | Descriptor::Reserved => Ok(None),
        Descriptor::Name(name) => code_of_name(name),
    }
}

#[cold]
fn code_of_name(name: &str) -> Result<Option<u8>, DecodeError> {
    Ok(Some(match name {
        "amqp:received:list" => descriptor::RECEIVED,
        "amqp:accepted:list" => descriptor::ACCEPTED,
        "amqp:rejected:list" => descriptor::REJECTED,
        "amqp:released:list" => descriptor::RELEASED,
        Modified::SYMBOL => descriptor::MODIFIED,
        Declared::SYMBOL => descriptor::DECLARED,
        TransactionalState::SYMBOL => descriptor::TRANSACTIONAL,
        _ if name.starts_with("amqp:") => return Err(DecodeError::field("not a delivery-state")),
        _ => return Ok(None),
    }))
}
