//! Reads primitive values off the front of some octets (AMQP 1.2, 1.6).

use super::{DecodeError, code};
use crate::limits::{EMPTY_ELEMENTS_MAX, NESTING_MAX};

/// A place in encoded octets. Every read takes one value off the front; after an error the place
/// is undefined.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// How many more levels of nesting may be entered.
    pub(super) levels_left: u8,
    /// How many more array elements without octets may be made.
    pub(super) empty_left: u32,
}

/// What stands before a described value (AMQP 1.1.2, 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor<'a> {
    /// A number.
    Code(u64),
    /// A symbol.
    Name(&'a str),
    /// Any other value; nothing is defined by one.
    Reserved,
}

const TRUNCATED: DecodeError = DecodeError::encoding("ends too early");

/// The octets and the number of elements of a list, a map or an array.
pub(super) struct Compound<'a> {
    pub(super) body: &'a [u8],
    pub(super) count: u32,
}

impl<'a> Reader<'a> {
    /// The beginning of `octets`.
    #[inline(always)]
    pub fn new(octets: &'a [u8]) -> Self {
        Reader { rest: octets, levels_left: NESTING_MAX, empty_left: EMPTY_ELEMENTS_MAX }
    }

    /// What was not read yet.
    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next octet, which stays where it is.
    #[inline(always)]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes a null, if one comes next (AMQP 1.6.1).
    #[inline(always)]
    pub fn take_null(&mut self) -> bool {
        match self.rest.split_first() {
            Some((&code::NULL, rest)) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes `prefix`, if it comes next.
    #[inline(always)]
    pub(crate) fn take_prefix<const N: usize>(&mut self, prefix: &[u8; N]) -> bool {
        match self.rest.split_first_chunk() {
            Some((octets, rest)) if octets == prefix => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// A place in `octets`, which are a part of these.
    #[inline(always)]
    pub(super) fn inside(&self, octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut inside = Reader { rest: octets, ..*self };
        inside.enter()?;
        Ok(inside)
    }

    /// One more level of nesting.
    #[inline(always)]
    pub(super) fn enter(&mut self) -> Result<(), DecodeError> {
        let left = self.levels_left.checked_sub(1);
        self.levels_left = left.ok_or(DecodeError::encoding("values nested too deep"))?;
        Ok(())
    }

    /// Goes on where `inside`, which began here, has ended.
    pub(super) fn leave(&mut self, inside: &Self) {
        *self = Reader { levels_left: self.levels_left, ..inside.clone() };
    }

    /// `inside` was a part of this, and is read to its end.
    pub(super) fn end(&mut self, inside: &Self) -> Result<(), DecodeError> {
        self.empty_left = inside.empty_left;
        if inside.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::encoding("octets after the last element"))
        }
    }

    #[inline(always)]
    pub(super) fn octet(&mut self) -> Result<u8, DecodeError> {
        let (&octet, rest) = self.rest.split_first().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(octet)
    }

    #[inline(always)]
    pub(super) fn octets<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (octets, rest) = self.rest.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(*octets)
    }

    #[inline(always)]
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (octets, rest) = self.rest.split_at_checked(len).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(octets)
    }

    /// As many octets as one octet says.
    #[inline(always)]
    pub(super) fn take_8(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.octet()?;
        self.take(usize::from(len))
    }

    /// As many octets as four octets say.
    #[inline(always)]
    pub(super) fn take_32(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = u32::from_be_bytes(self.octets()?);
        self.take(usize::try_from(len).map_err(|_| TRUNCATED)?)
    }

    /// A boolean (AMQP 1.6.2).
    #[inline(always)]
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.octet()? {
            code::BOOLEAN_TRUE => Ok(true),
            code::BOOLEAN_FALSE => Ok(false),
            code::BOOLEAN => self.boolean_octet(),
            _ => Err(DecodeError::field("not a boolean")),
        }
    }

    #[inline(always)]
    pub(super) fn boolean_octet(&mut self) -> Result<bool, DecodeError> {
        match self.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::encoding("a boolean neither 0 nor 1")),
        }
    }

    /// A ubyte (AMQP 1.6.3).
    #[inline(always)]
    pub fn ubyte(&mut self) -> Result<u8, DecodeError> {
        match self.octet()? {
            code::UBYTE => self.octet(),
            _ => Err(DecodeError::field("not a ubyte")),
        }
    }

    /// A ushort (AMQP 1.6.4).
    #[inline(always)]
    pub fn ushort(&mut self) -> Result<u16, DecodeError> {
        match self.octet()? {
            code::USHORT => Ok(u16::from_be_bytes(self.octets()?)),
            _ => Err(DecodeError::field("not a ushort")),
        }
    }

    /// A uint (AMQP 1.6.5).
    #[inline(always)]
    pub fn uint(&mut self) -> Result<u32, DecodeError> {
        match self.octet()? {
            code::SMALL_UINT => Ok(u32::from(self.octet()?)),
            code::UINT_0 => Ok(0),
            code::UINT => Ok(u32::from_be_bytes(self.octets()?)),
            _ => Err(DecodeError::field("not a uint")),
        }
    }

    /// A ulong (AMQP 1.6.6).
    #[inline(always)]
    pub fn ulong(&mut self) -> Result<u64, DecodeError> {
        match self.octet()? {
            code::SMALL_ULONG => Ok(u64::from(self.octet()?)),
            code::ULONG_0 => Ok(0),
            code::ULONG => Ok(u64::from_be_bytes(self.octets()?)),
            _ => Err(DecodeError::field("not a ulong")),
        }
    }

    /// A timestamp, in milliseconds since the Unix epoch (AMQP 1.6.17).
    pub fn timestamp(&mut self) -> Result<i64, DecodeError> {
        match self.octet()? {
            code::TIMESTAMP => Ok(i64::from_be_bytes(self.octets()?)),
            _ => Err(DecodeError::field("not a timestamp")),
        }
    }

    /// A UUID (AMQP 1.6.18).
    pub fn uuid(&mut self) -> Result<[u8; 16], DecodeError> {
        match self.octet()? {
            code::UUID => self.octets(),
            _ => Err(DecodeError::field("not a uuid")),
        }
    }

    /// Binary (AMQP 1.6.19).
    #[inline(always)]
    pub fn binary(&mut self) -> Result<&'a [u8], DecodeError> {
        match self.octet()? {
            code::BINARY_8 => self.take_8(),
            code::BINARY_32 => self.take_32(),
            _ => Err(DecodeError::field("not binary")),
        }
    }

    /// A string (AMQP 1.6.20).
    pub fn string(&mut self) -> Result<&'a str, DecodeError> {
        match self.octet()? {
            code::STRING_8 => utf8(self.take_8()?),
            code::STRING_32 => utf8(self.take_32()?),
            _ => Err(DecodeError::field("not a string")),
        }
    }

    /// A symbol (AMQP 1.6.21).
    pub fn symbol(&mut self) -> Result<&'a str, DecodeError> {
        match self.octet()? {
            code::SYMBOL_8 => ascii(self.take_8()?),
            code::SYMBOL_32 => ascii(self.take_32()?),
            _ => Err(DecodeError::field("not a symbol")),
        }
    }

    /// What describes the value that comes next (AMQP 1.1.2).
    #[inline(always)]
    pub fn descriptor(&mut self) -> Result<Descriptor<'a>, DecodeError> {
        match self.rest.split_first_chunk() {
            Some((&[code::DESCRIBED, code::SMALL_ULONG, code], rest)) => {
                self.rest = rest;
                Ok(Descriptor::Code(u64::from(code)))
            }
            _ => {
                let mut reader = self.clone();
                let descriptor = reader.long_descriptor()?;
                *self = reader;
                Ok(descriptor)
            }
        }
    }

    #[inline(never)]
    fn long_descriptor(&mut self) -> Result<Descriptor<'a>, DecodeError> {
        if self.octet()? != code::DESCRIBED {
            return Err(DecodeError::field("not a described value"));
        }
        match self.peek() {
            Some(code::SMALL_ULONG | code::ULONG | code::ULONG_0) => {
                Ok(Descriptor::Code(self.ulong()?))
            }
            Some(code::SYMBOL_8 | code::SYMBOL_32) => Ok(Descriptor::Name(self.symbol()?)),
            _ => {
                self.skip_value()?;
                Ok(Descriptor::Reserved)
            }
        }
    }

    /// A list's octets and count (AMQP 1.6.22).
    #[inline(always)]
    pub(super) fn list_compound(&mut self) -> Result<Compound<'a>, DecodeError> {
        match self.octet()? {
            code::LIST_8 => self.compound_8(),
            code::LIST_0 => Ok(Compound { body: &[], count: 0 }),
            code::LIST_32 => self.compound_32(),
            _ => Err(DecodeError::field("not a list")),
        }
    }

    /// A map's octets and count (AMQP 1.6.23).
    pub(super) fn map_compound(&mut self) -> Result<Compound<'a>, DecodeError> {
        match self.octet()? {
            code::MAP_8 => self.compound_8(),
            code::MAP_32 => self.compound_32(),
            _ => Err(DecodeError::field("not a map")),
        }
    }

    /// Size and count as one octet each (AMQP 1.2.3, 1.2.4). The size includes the count.
    #[inline(always)]
    pub(super) fn compound_8(&mut self) -> Result<Compound<'a>, DecodeError> {
        let (&count, body) = self.take_8()?.split_first().ok_or(NO_COUNT)?;
        Ok(Compound { body, count: u32::from(count) })
    }

    /// Size and count as four octets each.
    pub(super) fn compound_32(&mut self) -> Result<Compound<'a>, DecodeError> {
        let (count, body) = self.take_32()?.split_first_chunk().ok_or(NO_COUNT)?;
        Ok(Compound { body, count: u32::from_be_bytes(*count) })
    }
}

const NO_COUNT: DecodeError = DecodeError::encoding("a compound value without a count");

impl Compound<'_> {
    /// How many elements there are, each of at least one octet: a count that the octets present
    /// cannot hold ends here, before anything is allocated.
    pub(super) fn count(&self) -> Result<usize, DecodeError> {
        usize::try_from(self.count)
            .ok()
            .filter(|&count| count <= self.body.len())
            .ok_or(DecodeError::encoding("fewer elements than counted"))
    }

    /// How many pairs there are.
    pub(super) fn pairs(&self) -> Result<usize, DecodeError> {
        let count = self.count()?;
        // AMQP 1.6.23: as many keys as values.
        if count % 2 == 1 {
            return Err(DecodeError::encoding("a map with a key and no value"));
        }
        Ok(count / 2)
    }
}

pub(super) fn utf8(octets: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(octets).map_err(|_| DecodeError::encoding("a string that is not UTF-8"))
}

pub(super) fn ascii(octets: &[u8]) -> Result<&str, DecodeError> {
    match std::str::from_utf8(octets) {
        Ok(symbol) if symbol.is_ascii() => Ok(symbol),
        _ => Err(DecodeError::encoding("a symbol that is not ASCII")),
    }
}
