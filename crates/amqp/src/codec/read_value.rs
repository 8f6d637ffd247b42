//! Reads values of any type (AMQP 1.2, 1.6).

use super::code::{self, Extent};
use super::distinct::distinct;
use super::reader::{Compound, ascii, utf8};
use super::{DecodeError, Reader, write};
use crate::value::{Array, Fields, Value};

impl<'a> Reader<'a> {
    /// The next value, of any type.
    pub fn value(&mut self) -> Result<Value, DecodeError> {
        let format = self.octet()?;
        if format != code::DESCRIBED {
            return self.value_of(format);
        }
        let mut inside = self.inside(self.rest())?;
        let descriptor = inside.value()?;
        let value = inside.value()?;
        self.leave(&inside);
        Ok(Value::described(descriptor, value))
    }

    /// The value whose format code is `format`, of which the data follows.
    fn value_of(&mut self, format: u8) -> Result<Value, DecodeError> {
        Ok(match format {
            code::NULL => Value::Null,
            code::BOOLEAN_TRUE => Value::Bool(true),
            code::BOOLEAN_FALSE => Value::Bool(false),
            code::BOOLEAN => Value::Bool(self.boolean_octet()?),
            code::UBYTE => Value::Ubyte(self.octet()?),
            code::USHORT => Value::Ushort(u16::from_be_bytes(self.octets()?)),
            code::UINT_0 => Value::Uint(0),
            code::SMALL_UINT => Value::Uint(u32::from(self.octet()?)),
            code::UINT => Value::Uint(u32::from_be_bytes(self.octets()?)),
            code::ULONG_0 => Value::Ulong(0),
            code::SMALL_ULONG => Value::Ulong(u64::from(self.octet()?)),
            code::ULONG => Value::Ulong(u64::from_be_bytes(self.octets()?)),
            code::BYTE => Value::Byte(i8::from_be_bytes(self.octets()?)),
            code::SHORT => Value::Short(i16::from_be_bytes(self.octets()?)),
            code::SMALL_INT => Value::Int(i32::from(i8::from_be_bytes(self.octets()?))),
            code::INT => Value::Int(i32::from_be_bytes(self.octets()?)),
            code::SMALL_LONG => Value::Long(i64::from(i8::from_be_bytes(self.octets()?))),
            code::LONG => Value::Long(i64::from_be_bytes(self.octets()?)),
            code::FLOAT => Value::Float(f32::from_be_bytes(self.octets()?)),
            code::DOUBLE => Value::Double(f64::from_be_bytes(self.octets()?)),
            code::DECIMAL_32 => Value::Decimal32(self.octets()?),
            code::DECIMAL_64 => Value::Decimal64(self.octets()?),
            code::DECIMAL_128 => Value::Decimal128(self.octets()?),
            code::CHAR => Value::Char(character(u32::from_be_bytes(self.octets()?))?),
            code::TIMESTAMP => Value::Timestamp(i64::from_be_bytes(self.octets()?)),
            code::UUID => Value::Uuid(self.octets()?),
            code::BINARY_8 => Value::Binary(self.take_8()?.to_vec()),
            code::BINARY_32 => Value::Binary(self.take_32()?.to_vec()),
            code::STRING_8 => Value::String(utf8(self.take_8()?)?.to_owned()),
            code::STRING_32 => Value::String(utf8(self.take_32()?)?.to_owned()),
            code::SYMBOL_8 => Value::Symbol(ascii(self.take_8()?)?.to_owned()),
            code::SYMBOL_32 => Value::Symbol(ascii(self.take_32()?)?.to_owned()),
            code::LIST_0 => Value::List(Vec::new()),
            code::LIST_8 => Value::List(self.compound_8().and_then(|list| self.elements(&list))?),
            code::LIST_32 => Value::List(self.compound_32().and_then(|list| self.elements(&list))?),
            code::MAP_8 => Value::Map(self.compound_8().and_then(|map| self.pairs(&map))?),
            code::MAP_32 => Value::Map(self.compound_32().and_then(|map| self.pairs(&map))?),
            code::ARRAY_8 => {
                Value::Array(Box::new(self.compound_8().and_then(|array| self.array_of(&array))?))
            }
            code::ARRAY_32 => {
                Value::Array(Box::new(self.compound_32().and_then(|array| self.array_of(&array))?))
            }
            _ => return Err(DecodeError::encoding("unknown format code")),
        })
    }

    /// A list (AMQP 1.6.22).
    pub fn list(&mut self) -> Result<Vec<Value>, DecodeError> {
        let list = self.list_compound()?;
        self.elements(&list)
    }

    /// A map (AMQP 1.6.23).
    pub fn map(&mut self) -> Result<Vec<(Value, Value)>, DecodeError> {
        let map = self.map_compound()?;
        self.pairs(&map)
    }

    /// A map with symbols for keys (AMQP 2.8.13).
    pub fn fields(&mut self) -> Result<Fields, DecodeError> {
        let fields = self.map_of(|reader| Ok(reader.symbol()?.to_owned()), Reader::value)?;
        distinct(&fields, |(name, _)| name.as_str())?;
        Ok(fields)
    }

    /// A map of given types, without a look at whether a key comes twice.
    pub(crate) fn map_of<K, V>(
        &mut self,
        key: impl Fn(&mut Self) -> Result<K, DecodeError>,
        value: impl Fn(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<Vec<(K, V)>, DecodeError> {
        let map = self.map_compound()?;
        self.pairs_of(&map, key, value)
    }

    fn pairs(&mut self, map: &Compound<'a>) -> Result<Vec<(Value, Value)>, DecodeError> {
        let pairs = self.pairs_of(map, Self::value, Self::value)?;
        distinct_keys(&pairs)?;
        Ok(pairs)
    }

    fn pairs_of<K, V>(
        &mut self,
        map: &Compound<'a>,
        key: impl Fn(&mut Self) -> Result<K, DecodeError>,
        value: impl Fn(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<Vec<(K, V)>, DecodeError> {
        let count = map.pairs()?;
        let mut inside = self.inside(map.body)?;
        let mut pairs = Vec::with_capacity(count);
        for _ in 0..count {
            pairs.push((key(&mut inside)?, value(&mut inside)?));
        }
        self.end(&inside)?;
        Ok(pairs)
    }

    fn elements(&mut self, list: &Compound<'a>) -> Result<Vec<Value>, DecodeError> {
        let count = list.count()?;
        let mut inside = self.inside(list.body)?;
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(inside.value()?);
        }
        self.end(&inside)?;
        Ok(elements)
    }

    /// The elements of an array, after their one constructor (AMQP 1.2.4).
    fn array_of(&mut self, array: &Compound<'a>) -> Result<Array, DecodeError> {
        let mut inside = self.inside(array.body)?;
        let mut descriptors = Vec::new();
        let mut format = inside.octet()?;
        while format == code::DESCRIBED {
            inside.enter()?;
            descriptors.push(inside.value()?);
            format = inside.octet()?;
        }
        let (kind, extent) = code::extent(format)?;
        let count = inside.array_count(array.count, extent)?;
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(inside.value_of(format)?);
        }
        self.end(&inside)?;
        Array::described(descriptors, kind, elements).ok_or(DecodeError::encoding("mixed array"))
    }

    /// How many elements there are: no more than the octets present can hold, or, if they take no
    /// octets, than are left of their limit.
    fn array_count(&mut self, count: u32, extent: Extent) -> Result<usize, DecodeError> {
        let size = usize::try_from(count).ok();
        if extent == Extent::Fixed(0) {
            let left = self.empty_left.checked_sub(count);
            self.empty_left = left.ok_or(DecodeError::encoding("too many empty elements"))?;
        } else {
            let octets = size.and_then(|size| size.checked_mul(extent.least()));
            if octets.is_none_or(|octets| octets > self.rest().len()) {
                return Err(DecodeError::encoding("fewer elements than counted"));
            }
        }
        size.ok_or(DecodeError::encoding("fewer elements than counted"))
    }
}

impl Value {
    /// Reads the value at the front of `octets`, and how many of them it took.
    ///
    /// # Errors
    /// If there is no valid value.
    pub fn decode(octets: &[u8]) -> Result<(Value, usize), DecodeError> {
        let mut reader = Reader::new(octets);
        let value = reader.value()?;
        Ok((value, octets.len().saturating_sub(reader.rest().len())))
    }
}

fn character(scalar: u32) -> Result<char, DecodeError> {
    char::from_u32(scalar).ok_or(DecodeError::encoding("a char that is no Unicode character"))
}

/// Keys of any types are the same when they are encoded the same.
fn distinct_keys(pairs: &[(Value, Value)]) -> Result<(), DecodeError> {
    let text = |(key, _): &(Value, Value)| matches!(key, Value::String(_) | Value::Symbol(_));
    if pairs.iter().all(text) {
        return distinct(pairs, |(key, _)| (matches!(key, Value::Symbol(_)), key.as_str()));
    }
    let mut encoded = Vec::new();
    let mut ends = Vec::with_capacity(pairs.len());
    for (key, _) in pairs {
        let start = encoded.len();
        write::value(&mut encoded, key);
        ends.push(start..encoded.len());
    }
    distinct(&ends, |range| encoded.get(range.clone()))
}
