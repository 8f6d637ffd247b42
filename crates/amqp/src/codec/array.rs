//! Appends arrays (AMQP 1.2.4): all elements share one constructor, the shortest that fits all.

use super::code;
use super::write::{begin_compound, finish_compound, len_32, len_of_width, put_pair, value};
use crate::value::{Array, Kind, Value};

pub(super) fn put_array(out: &mut Vec<u8>, array: &Array) {
    let start = begin_compound(out, code::ARRAY_8);
    for descriptor in array.descriptors() {
        out.push(code::DESCRIBED);
        value(out, descriptor);
    }
    put_elements(out, array.kind(), array.elements());
    finish_compound(out, start, array.elements().len(), code::ARRAY_32);
}

/// The constructor and the elements.
fn put_elements(out: &mut Vec<u8>, kind: Kind, elements: &[Value]) {
    let start = out.len();
    let (narrow, wide) = formats(kind);
    out.push(narrow);
    let fit = elements.iter().all(|element| put_data(out, element, false));
    if !fit {
        out.truncate(start);
        out.push(wide);
        for element in elements {
            put_data(out, element, true);
        }
    }
}

/// The shorter and the longer format code of a type. Those without any octets are left out: a
/// reader cannot bound their count by what it holds.
fn formats(kind: Kind) -> (u8, u8) {
    match kind {
        Kind::Null => (code::NULL, code::NULL),
        Kind::Bool => (code::BOOLEAN, code::BOOLEAN),
        Kind::Ubyte => (code::UBYTE, code::UBYTE),
        Kind::Ushort => (code::USHORT, code::USHORT),
        Kind::Uint => (code::SMALL_UINT, code::UINT),
        Kind::Ulong => (code::SMALL_ULONG, code::ULONG),
        Kind::Byte => (code::BYTE, code::BYTE),
        Kind::Short => (code::SHORT, code::SHORT),
        Kind::Int => (code::SMALL_INT, code::INT),
        Kind::Long => (code::SMALL_LONG, code::LONG),
        Kind::Float => (code::FLOAT, code::FLOAT),
        Kind::Double => (code::DOUBLE, code::DOUBLE),
        Kind::Decimal32 => (code::DECIMAL_32, code::DECIMAL_32),
        Kind::Decimal64 => (code::DECIMAL_64, code::DECIMAL_64),
        Kind::Decimal128 => (code::DECIMAL_128, code::DECIMAL_128),
        Kind::Char => (code::CHAR, code::CHAR),
        Kind::Timestamp => (code::TIMESTAMP, code::TIMESTAMP),
        Kind::Uuid => (code::UUID, code::UUID),
        Kind::Binary => (code::BINARY_8, code::BINARY_32),
        Kind::String => (code::STRING_8, code::STRING_32),
        Kind::Symbol => (code::SYMBOL_8, code::SYMBOL_32),
        Kind::List => (code::LIST_8, code::LIST_32),
        Kind::Map => (code::MAP_8, code::MAP_32),
        Kind::Array => (code::ARRAY_8, code::ARRAY_32),
    }
}

/// One element without its constructor; `false` if it does not fit the shorter form.
fn put_data(out: &mut Vec<u8>, element: &Value, wide: bool) -> bool {
    match element {
        Value::Uint(number) => {
            return put_integer(out, u8::try_from(*number), number.to_be_bytes(), wide);
        }
        Value::Ulong(number) => {
            return put_integer(out, u8::try_from(*number), number.to_be_bytes(), wide);
        }
        Value::Int(number) => {
            let small = i8::try_from(*number).map(i8::cast_unsigned);
            return put_integer(out, small, number.to_be_bytes(), wide);
        }
        Value::Long(number) => {
            let small = i8::try_from(*number).map(i8::cast_unsigned);
            return put_integer(out, small, number.to_be_bytes(), wide);
        }
        Value::Binary(octets) => return put_octets(out, octets, wide),
        Value::String(text) | Value::Symbol(text) => return put_octets(out, text.as_bytes(), wide),
        Value::List(elements) => {
            return put_compound(out, elements.len(), wide, |out| {
                elements.iter().for_each(|element| value(out, element));
            });
        }
        Value::Map(pairs) => {
            return put_compound(out, pairs.len().saturating_mul(2), wide, |out| {
                pairs.iter().for_each(|pair| put_pair(out, pair));
            });
        }
        Value::Array(array) => {
            return put_compound(out, array.elements().len(), wide, |out| {
                for descriptor in array.descriptors() {
                    out.push(code::DESCRIBED);
                    value(out, descriptor);
                }
                put_elements(out, array.kind(), array.elements());
            });
        }
        Value::Bool(is) => out.push(u8::from(*is)),
        // All others have one form, of which the format code stands in the constructor.
        other => {
            let start = out.len();
            value(out, other);
            out.drain(start..out.len().min(start.saturating_add(1)));
        }
    }
    true
}

fn put_integer<E, const N: usize>(
    out: &mut Vec<u8>,
    small: Result<u8, E>,
    octets: [u8; N],
    wide: bool,
) -> bool {
    match small {
        _ if wide => out.extend_from_slice(&octets),
        Ok(small) => out.push(small),
        Err(_) => return false,
    }
    true
}

fn put_octets(out: &mut Vec<u8>, octets: &[u8], wide: bool) -> bool {
    let fits = wide || octets.len() <= usize::from(u8::MAX);
    if fits {
        len_of_width(out, octets.len(), wide);
        out.extend_from_slice(octets);
    }
    fits
}

/// Size, count and body.
fn put_compound(
    out: &mut Vec<u8>,
    count: usize,
    wide: bool,
    body: impl FnOnce(&mut Vec<u8>),
) -> bool {
    let start = out.len();
    let width: usize = if wide { 4 } else { 1 };
    out.resize(start.saturating_add(width).saturating_add(width), 0);
    let body_start = out.len();
    body(out);
    let size = out.len().saturating_sub(body_start).saturating_add(width);
    let Some(head) = out.get_mut(start..body_start) else { return true };
    if wide {
        let (at_size, at_count) = head.split_at_mut(width);
        at_size.copy_from_slice(&len_32(size));
        at_count.copy_from_slice(&len_32(count));
        return true;
    }
    match (u8::try_from(size), u8::try_from(count)) {
        (Ok(size), Ok(count)) => {
            head.copy_from_slice(&[size, count]);
            true
        }
        _ => false,
    }
}
