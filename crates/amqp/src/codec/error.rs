//! Why octets could not be read.

use crate::condition::{Condition, Error};
use std::fmt;

/// What a peer sent that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong, in words fit for the description of an error.
    pub what: &'static str,
    /// The field it was found in, as in `transfer.handle`; empty when it was in none.
    pub field: &'static str,
    /// Which kind of mistake it is.
    pub fault: Fault,
}

/// The kinds of mistakes in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No valid frame header.
    Framing,
    /// No valid encoding of a value, or not of what must stand there.
    Encoding,
    /// A field that is absent, of a wrong type, or with a value that is not valid.
    Field,
}

impl DecodeError {
    /// An invalid encoding.
    #[cold]
    pub(crate) const fn encoding(what: &'static str) -> Self {
        DecodeError { what, field: "", fault: Fault::Encoding }
    }

    /// A wrong type or a value that is not valid.
    #[cold]
    pub(crate) const fn field(what: &'static str) -> Self {
        DecodeError { what, field: "", fault: Fault::Field }
    }

    /// An invalid frame header.
    #[cold]
    pub(crate) const fn framing(what: &'static str) -> Self {
        DecodeError { what, field: "", fault: Fault::Framing }
    }

    /// The same, found in a field. The innermost field is kept.
    #[cold]
    pub(crate) fn within(self, field: &'static str) -> Self {
        if self.field.is_empty() { DecodeError { field, ..self } } else { self }
    }

    /// The condition that tells the peer (AMQP 2.8.15, 2.8.16).
    pub fn condition(&self) -> Condition {
        match self.fault {
            Fault::Framing => Condition::ConnectionFramingError,
            Fault::Encoding => Condition::DecodeError,
            Fault::Field => Condition::InvalidField,
        }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Error::new(error.condition(), error.to_string())
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            f.write_str(self.field)?;
            f.write_str(": ")?;
        }
        f.write_str(self.what)
    }
}

impl std::error::Error for DecodeError {}
