//! Composite types: described lists (AMQP 1.3.2, 1.4).

use super::{DecodeError, Descriptor, Reader};

/// A composite type of the standard. It is written with its numeric descriptor and read with either.
pub trait Composite: Sized {
    /// The numeric descriptor.
    const CODE: u64;
    /// The symbolic descriptor.
    const SYMBOL: &'static str;

    /// Appends the descriptor and the list of fields.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads the list of fields, after the descriptor.
    ///
    /// # Errors
    /// If the list is no valid encoding, or a field is not as it must be.
    fn read_list(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Whether `descriptor` describes this type.
    #[inline]
    fn is_described_by(descriptor: Descriptor<'_>) -> bool {
        match descriptor {
            Descriptor::Code(code) => code == Self::CODE,
            Descriptor::Name(name) => name == Self::SYMBOL,
            Descriptor::Reserved => false,
        }
    }

    /// Reads the descriptor and the list of fields.
    ///
    /// # Errors
    /// If another type comes next, or as [`Composite::read_list`].
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if !Self::is_described_by(reader.descriptor()?) {
            return Err(DecodeError::field("described as another type"));
        }
        Self::read_list(reader)
    }

    /// Reads the composite at the front of `octets`, and how many of them it took.
    ///
    /// # Errors
    /// As [`Composite::read`].
    fn decode(octets: &[u8]) -> Result<(Self, usize), DecodeError> {
        let mut reader = Reader::new(octets);
        let composite = Self::read(&mut reader)?;
        Ok((composite, octets.len().saturating_sub(reader.rest().len())))
    }
}

/// Implements [`Composite`]: the name and code of the descriptor, and then the fields in the
/// order of the standard, each with whether it is there and with its module in `wire`.
macro_rules! composite {
    ($type:ident, $name:literal, $code:literal, {
        $($field:ident: $presence:ident $wire:ident $(($default:expr))?,)*
    }) => {
        impl $crate::codec::Composite for $type {
            const CODE: u64 = $code;
            const SYMBOL: &'static str = concat!("amqp:", $name, ":list");

            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                let mut fields = $crate::codec::FieldWriter::new(out, $code);
                $(fields.$presence(&self.$field, $crate::codec::wire::$wire::write $(, $default)?);)*
                fields.finish();
            }

            #[inline]
            fn read_list(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                const NAMES: &[&str] = &[$(concat!($name, ".", stringify!($field)),)*];
                let mut fields = $crate::codec::FieldReader::new(reader, NAMES)?;
                let composite = $type {
                    $($field: $crate::codec::field!(fields, $presence $wire $(, $default)?),)*
                };
                fields.finish(reader)?;
                Ok(composite)
            }
        }
    };
}

/// Reads one field in [`composite!`]. A macro, because closures are not always inlined, and every
/// delivery has some twenty fields.
macro_rules! field {
    ($fields:ident, mandatory $wire:ident) => {
        if $fields.next() {
            $crate::codec::field!($fields, $wire)
        } else {
            return Err($fields.absent());
        }
    };
    ($fields:ident, optional $wire:ident) => {
        if $fields.next() { Some($crate::codec::field!($fields, $wire)) } else { None }
    };
    ($fields:ident, default $wire:ident, $default:expr) => {
        if $fields.next() { $crate::codec::field!($fields, $wire) } else { $default }
    };
    ($fields:ident, unless_empty $wire:ident) => {
        if $fields.next() { $crate::codec::field!($fields, $wire) } else { Vec::new() }
    };
    ($fields:ident, $wire:ident) => {{
        let mut reader = $fields.lend();
        match $crate::codec::wire::$wire::read(&mut reader) {
            Ok(field) => {
                $fields.resume(reader);
                field
            }
            Err(error) => return Err($fields.blame(error)),
        }
    }};
}

pub(crate) use {composite, field};
