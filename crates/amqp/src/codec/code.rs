//! The format codes of the primitive types (AMQP 1.6), and what their first halves say (AMQP 1.2).

use super::DecodeError;
use crate::value::Kind;

pub(crate) const DESCRIBED: u8 = 0x00;
pub(crate) const NULL: u8 = 0x40;
pub(crate) const BOOLEAN_TRUE: u8 = 0x41;
pub(crate) const BOOLEAN_FALSE: u8 = 0x42;
pub(crate) const UINT_0: u8 = 0x43;
pub(crate) const ULONG_0: u8 = 0x44;
pub(crate) const LIST_0: u8 = 0x45;
pub(crate) const UBYTE: u8 = 0x50;
pub(crate) const BYTE: u8 = 0x51;
pub(crate) const SMALL_UINT: u8 = 0x52;
pub(crate) const SMALL_ULONG: u8 = 0x53;
pub(crate) const SMALL_INT: u8 = 0x54;
pub(crate) const SMALL_LONG: u8 = 0x55;
pub(crate) const BOOLEAN: u8 = 0x56;
pub(crate) const USHORT: u8 = 0x60;
pub(crate) const SHORT: u8 = 0x61;
pub(crate) const UINT: u8 = 0x70;
pub(crate) const INT: u8 = 0x71;
pub(crate) const FLOAT: u8 = 0x72;
pub(crate) const CHAR: u8 = 0x73;
pub(crate) const DECIMAL_32: u8 = 0x74;
pub(crate) const ULONG: u8 = 0x80;
pub(crate) const LONG: u8 = 0x81;
pub(crate) const DOUBLE: u8 = 0x82;
pub(crate) const TIMESTAMP: u8 = 0x83;
pub(crate) const DECIMAL_64: u8 = 0x84;
pub(crate) const DECIMAL_128: u8 = 0x94;
pub(crate) const UUID: u8 = 0x98;
pub(crate) const BINARY_8: u8 = 0xa0;
pub(crate) const STRING_8: u8 = 0xa1;
pub(crate) const SYMBOL_8: u8 = 0xa3;
pub(crate) const BINARY_32: u8 = 0xb0;
pub(crate) const STRING_32: u8 = 0xb1;
pub(crate) const SYMBOL_32: u8 = 0xb3;
pub(crate) const LIST_8: u8 = 0xc0;
pub(crate) const MAP_8: u8 = 0xc1;
pub(crate) const LIST_32: u8 = 0xd0;
pub(crate) const MAP_32: u8 = 0xd1;
pub(crate) const ARRAY_8: u8 = 0xe0;
pub(crate) const ARRAY_32: u8 = 0xf0;

/// How long the data after a format code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// This many octets.
    Fixed(usize),
    /// As many as one octet says, which are at least these.
    One(usize),
    /// As many as four octets say, which are at least these.
    Four(usize),
}

impl Extent {
    /// The least that one value takes after its format code, in octets.
    pub(crate) fn least(self) -> usize {
        match self {
            Extent::Fixed(len) => len,
            Extent::One(least) => least.saturating_add(1),
            Extent::Four(least) => least.saturating_add(4),
        }
    }
}

/// The type a format code stands for, and how long its data is.
#[inline]
pub(crate) fn extent(code: u8) -> Result<(Kind, Extent), DecodeError> {
    Ok(match code {
        NULL => (Kind::Null, Extent::Fixed(0)),
        BOOLEAN_TRUE | BOOLEAN_FALSE => (Kind::Bool, Extent::Fixed(0)),
        UINT_0 => (Kind::Uint, Extent::Fixed(0)),
        ULONG_0 => (Kind::Ulong, Extent::Fixed(0)),
        LIST_0 => (Kind::List, Extent::Fixed(0)),
        UBYTE => (Kind::Ubyte, Extent::Fixed(1)),
        BYTE => (Kind::Byte, Extent::Fixed(1)),
        SMALL_UINT => (Kind::Uint, Extent::Fixed(1)),
        SMALL_ULONG => (Kind::Ulong, Extent::Fixed(1)),
        SMALL_INT => (Kind::Int, Extent::Fixed(1)),
        SMALL_LONG => (Kind::Long, Extent::Fixed(1)),
        BOOLEAN => (Kind::Bool, Extent::Fixed(1)),
        USHORT => (Kind::Ushort, Extent::Fixed(2)),
        SHORT => (Kind::Short, Extent::Fixed(2)),
        UINT => (Kind::Uint, Extent::Fixed(4)),
        INT => (Kind::Int, Extent::Fixed(4)),
        FLOAT => (Kind::Float, Extent::Fixed(4)),
        CHAR => (Kind::Char, Extent::Fixed(4)),
        DECIMAL_32 => (Kind::Decimal32, Extent::Fixed(4)),
        ULONG => (Kind::Ulong, Extent::Fixed(8)),
        LONG => (Kind::Long, Extent::Fixed(8)),
        DOUBLE => (Kind::Double, Extent::Fixed(8)),
        TIMESTAMP => (Kind::Timestamp, Extent::Fixed(8)),
        DECIMAL_64 => (Kind::Decimal64, Extent::Fixed(8)),
        DECIMAL_128 => (Kind::Decimal128, Extent::Fixed(16)),
        UUID => (Kind::Uuid, Extent::Fixed(16)),
        BINARY_8 => (Kind::Binary, Extent::One(0)),
        STRING_8 => (Kind::String, Extent::One(0)),
        SYMBOL_8 => (Kind::Symbol, Extent::One(0)),
        BINARY_32 => (Kind::Binary, Extent::Four(0)),
        STRING_32 => (Kind::String, Extent::Four(0)),
        SYMBOL_32 => (Kind::Symbol, Extent::Four(0)),
        LIST_8 => (Kind::List, Extent::One(1)),
        MAP_8 => (Kind::Map, Extent::One(1)),
        LIST_32 => (Kind::List, Extent::Four(4)),
        MAP_32 => (Kind::Map, Extent::Four(4)),
        // A count and an element constructor.
        ARRAY_8 => (Kind::Array, Extent::One(2)),
        ARRAY_32 => (Kind::Array, Extent::Four(5)),
        _ => return Err(DecodeError::encoding("unknown format code")),
    })
}
