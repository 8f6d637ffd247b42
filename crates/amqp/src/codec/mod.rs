//! How values and composites are written and read (AMQP part 1).
//!
//! Reading takes every encoding that the standard has for a type, and never allocates more than a
//! small multiple of the octets present. Writing takes the shortest encoding.

mod array;
mod choice;
pub(crate) mod code;
mod composite;
mod distinct;
mod error;
mod list;
mod read_value;
mod reader;
mod skip;
pub(crate) mod wire;
pub mod write;

pub use composite::Composite;
pub use error::{DecodeError, Fault};
pub use reader::{Descriptor, Reader};

pub(crate) use choice::numeric_choice;
pub(crate) use composite::{composite, field};
pub(crate) use list::{FieldReader, FieldWriter};
