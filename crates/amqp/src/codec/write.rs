//! Appends values in their shortest encodings (AMQP 1.6).

use super::array::put_array;
use super::code;
use crate::value::Value;

/// A null (AMQP 1.6.1).
#[inline]
pub fn null(out: &mut Vec<u8>) {
    out.push(code::NULL);
}

/// A boolean (AMQP 1.6.2).
#[inline]
pub fn boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { code::BOOLEAN_TRUE } else { code::BOOLEAN_FALSE });
}

/// A ubyte (AMQP 1.6.3).
#[inline]
pub fn ubyte(out: &mut Vec<u8>, value: u8) {
    out.extend_from_slice(&[code::UBYTE, value]);
}

/// A ushort (AMQP 1.6.4).
#[inline]
pub fn ushort(out: &mut Vec<u8>, value: u16) {
    fixed(out, code::USHORT, value.to_be_bytes());
}

/// A uint (AMQP 1.6.5).
#[inline]
pub fn uint(out: &mut Vec<u8>, value: u32) {
    match u8::try_from(value) {
        Ok(0) => out.push(code::UINT_0),
        Ok(small) => out.extend_from_slice(&[code::SMALL_UINT, small]),
        Err(_) => fixed(out, code::UINT, value.to_be_bytes()),
    }
}

/// A ulong (AMQP 1.6.6).
#[inline]
pub fn ulong(out: &mut Vec<u8>, value: u64) {
    match u8::try_from(value) {
        Ok(0) => out.push(code::ULONG_0),
        Ok(small) => out.extend_from_slice(&[code::SMALL_ULONG, small]),
        Err(_) => fixed(out, code::ULONG, value.to_be_bytes()),
    }
}

/// A timestamp, in milliseconds since the Unix epoch (AMQP 1.6.17).
pub fn timestamp(out: &mut Vec<u8>, value: i64) {
    fixed(out, code::TIMESTAMP, value.to_be_bytes());
}

/// A UUID (AMQP 1.6.18).
pub fn uuid(out: &mut Vec<u8>, value: [u8; 16]) {
    fixed(out, code::UUID, value);
}

/// Binary (AMQP 1.6.19).
#[inline]
pub fn binary(out: &mut Vec<u8>, value: &[u8]) {
    binary_head(out, value.len());
    out.extend_from_slice(value);
}

/// What stands before `len` octets of binary.
#[inline]
pub fn binary_head(out: &mut Vec<u8>, len: usize) {
    variable_head(out, code::BINARY_8, code::BINARY_32, len);
}

/// A string (AMQP 1.6.20).
#[inline]
pub fn string(out: &mut Vec<u8>, value: &str) {
    string_head(out, value.len());
    out.extend_from_slice(value.as_bytes());
}

/// What stands before `len` octets of a string.
#[inline]
pub fn string_head(out: &mut Vec<u8>, len: usize) {
    variable_head(out, code::STRING_8, code::STRING_32, len);
}

/// A symbol (AMQP 1.6.21). It must be ASCII.
#[inline]
pub fn symbol(out: &mut Vec<u8>, value: &str) {
    debug_assert!(value.is_ascii(), "a symbol is ASCII");
    variable_head(out, code::SYMBOL_8, code::SYMBOL_32, value.len());
    out.extend_from_slice(value.as_bytes());
}

/// A descriptor; the value that it describes follows (AMQP 1.1.2).
#[inline]
pub fn descriptor(out: &mut Vec<u8>, code: u8) {
    out.extend_from_slice(&[code::DESCRIBED, code::SMALL_ULONG, code]);
}

/// A list (AMQP 1.6.22).
pub fn list(out: &mut Vec<u8>, elements: &[Value]) {
    if elements.is_empty() {
        out.push(code::LIST_0);
        return;
    }
    let start = begin_compound(out, code::LIST_8);
    for element in elements {
        value(out, element);
    }
    finish_compound(out, start, elements.len(), code::LIST_32);
}

/// A map of pairs, each written by `pair`, which appends a key and a value (AMQP 1.6.23).
pub fn map<T>(out: &mut Vec<u8>, pairs: &[T], pair: impl Fn(&mut Vec<u8>, &T)) {
    let start = begin_compound(out, code::MAP_8);
    for each in pairs {
        pair(out, each);
    }
    finish_compound(out, start, pairs.len().saturating_mul(2), code::MAP_32);
}

/// Symbols as an array (AMQP 1.4: a field with several values).
pub fn symbols(out: &mut Vec<u8>, symbols: &[String]) {
    let long = symbols.iter().any(|symbol| symbol.len() > usize::from(u8::MAX));
    let start = begin_compound(out, code::ARRAY_8);
    out.push(if long { code::SYMBOL_32 } else { code::SYMBOL_8 });
    for symbol in symbols {
        debug_assert!(symbol.is_ascii(), "a symbol is ASCII");
        len_of_width(out, symbol.len(), long);
        out.extend_from_slice(symbol.as_bytes());
    }
    finish_compound(out, start, symbols.len(), code::ARRAY_32);
}

/// A value of any type.
pub fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => null(out),
        Value::Bool(is) => boolean(out, *is),
        Value::Ubyte(number) => ubyte(out, *number),
        Value::Ushort(number) => ushort(out, *number),
        Value::Uint(number) => uint(out, *number),
        Value::Ulong(number) => ulong(out, *number),
        Value::Byte(number) => fixed(out, code::BYTE, number.to_be_bytes()),
        Value::Short(number) => fixed(out, code::SHORT, number.to_be_bytes()),
        Value::Int(number) => match i8::try_from(*number) {
            Ok(small) => fixed(out, code::SMALL_INT, small.to_be_bytes()),
            Err(_) => fixed(out, code::INT, number.to_be_bytes()),
        },
        Value::Long(number) => match i8::try_from(*number) {
            Ok(small) => fixed(out, code::SMALL_LONG, small.to_be_bytes()),
            Err(_) => fixed(out, code::LONG, number.to_be_bytes()),
        },
        Value::Float(number) => fixed(out, code::FLOAT, number.to_be_bytes()),
        Value::Double(number) => fixed(out, code::DOUBLE, number.to_be_bytes()),
        Value::Decimal32(octets) => fixed(out, code::DECIMAL_32, *octets),
        Value::Decimal64(octets) => fixed(out, code::DECIMAL_64, *octets),
        Value::Decimal128(octets) => fixed(out, code::DECIMAL_128, *octets),
        Value::Char(character) => fixed(out, code::CHAR, u32::from(*character).to_be_bytes()),
        Value::Timestamp(ms) => timestamp(out, *ms),
        Value::Uuid(octets) => uuid(out, *octets),
        Value::Binary(octets) => binary(out, octets),
        Value::String(text) => string(out, text),
        Value::Symbol(text) => symbol(out, text),
        Value::List(elements) => list(out, elements),
        Value::Map(pairs) => map(out, pairs, put_pair),
        Value::Array(array) => put_array(out, array),
        Value::Described(described) => {
            out.push(code::DESCRIBED);
            self::value(out, &described.0);
            self::value(out, &described.1);
        }
    }
}

pub(super) fn put_pair(out: &mut Vec<u8>, (key, of_key): &(Value, Value)) {
    value(out, key);
    value(out, of_key);
}

#[inline]
pub(super) fn fixed<const N: usize>(out: &mut Vec<u8>, format: u8, octets: [u8; N]) {
    out.push(format);
    out.extend_from_slice(&octets);
}

#[inline]
fn variable_head(out: &mut Vec<u8>, short: u8, long: u8, len: usize) {
    match u8::try_from(len) {
        Ok(len) => out.extend_from_slice(&[short, len]),
        Err(_) => fixed(out, long, len_32(len)),
    }
}

/// A length as one octet, or as four.
pub(super) fn len_of_width(out: &mut Vec<u8>, len: usize, wide: bool) {
    match u8::try_from(len) {
        Ok(len) if !wide => out.push(len),
        _ => out.extend_from_slice(&len_32(len)),
    }
}

/// Nothing that is written here comes near 4 GiB: a frame or a message in memory holds it.
pub(super) fn len_32(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

/// Octets before the first element of a short list, map or array: format code, size and count.
pub(super) const SHORT_HEAD_BYTES: usize = 3;

/// Appends a descriptor and begins a list that it describes, as if it were short; where the list
/// begins.
#[inline]
pub(super) fn begin_described_list(out: &mut Vec<u8>, code: u8) -> usize {
    out.extend_from_slice(&[code::DESCRIBED, code::SMALL_ULONG, code, code::LIST_8, 0, 0]);
    out.len().saturating_sub(SHORT_HEAD_BYTES)
}

/// Begins a list, a map or an array, as if it were short; where it begins.
#[inline]
pub(super) fn begin_compound(out: &mut Vec<u8>, short: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[short, 0, 0]);
    start
}

/// Fills in size and count of what began at `start`. What turns out to be long is moved up to make
/// room for them.
#[inline]
pub(super) fn finish_compound(out: &mut Vec<u8>, start: usize, count: usize, long: u8) {
    let body = out.len().saturating_sub(start).saturating_sub(SHORT_HEAD_BYTES);
    // The size includes the count.
    match (u8::try_from(body.saturating_add(1)), u8::try_from(count)) {
        (Ok(size), Ok(count)) => {
            if let Some([_, at_size, at_count]) = out.get_mut(start..).and_then(first_three) {
                *at_size = size;
                *at_count = count;
            }
        }
        _ => lengthen(out, start, body, count, long),
    }
}

#[inline]
fn first_three(octets: &mut [u8]) -> Option<&mut [u8; SHORT_HEAD_BYTES]> {
    octets.first_chunk_mut()
}

#[cold]
fn lengthen(out: &mut Vec<u8>, start: usize, body: usize, count: usize, long: u8) {
    let [size_0, size_1, size_2, size_3] = len_32(body.saturating_add(4));
    let [count_0, count_1, count_2, count_3] = len_32(count);
    let head = [long, size_0, size_1, size_2, size_3, count_0, count_1, count_2, count_3];
    let end = start.saturating_add(SHORT_HEAD_BYTES).min(out.len());
    out.splice(start.min(end)..end, head);
}
