//! Writes values in encodings that are valid and not the shortest.

use proptest::prelude::Rng;
use proptest::test_runner::TestRng;
use wharf_amqp::value::{Array, Kind, Value};

/// Appends `value` in any of its encodings, as `rng` will have it.
pub(crate) fn encode(out: &mut Vec<u8>, value: &Value, rng: &mut TestRng) {
    match value {
        Value::Described(described) => {
            out.push(0);
            encode(out, &described.0, rng);
            encode(out, &described.1, rng);
        }
        Value::Bool(is) if flip(rng) => out.push(if *is { 0x41 } else { 0x42 }),
        Value::Uint(0) if flip(rng) => out.push(0x43),
        Value::Ulong(0) if flip(rng) => out.push(0x44),
        Value::List(elements) if elements.is_empty() && flip(rng) => out.push(0x45),
        other => {
            let kind = other.kind().expect("not described");
            let codes = codes(kind);
            let at = out.len();
            // The shortest comes first; whatever comes after it fits everything.
            let wide = codes.len() > 1 && flip(rng);
            out.push(codes[usize::from(wide)]);
            if !data(out, other, wide, rng) {
                out.truncate(at);
                out.push(codes[1]);
                data(out, other, true, rng);
            }
        }
    }
}

fn flip(rng: &mut TestRng) -> bool {
    rng.next_u32() & 1 == 1
}

/// The format codes with data, the narrow one before the wide one.
fn codes(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Null => &[0x40],
        Kind::Bool => &[0x56],
        Kind::Ubyte => &[0x50],
        Kind::Ushort => &[0x60],
        Kind::Uint => &[0x52, 0x70],
        Kind::Ulong => &[0x53, 0x80],
        Kind::Byte => &[0x51],
        Kind::Short => &[0x61],
        Kind::Int => &[0x54, 0x71],
        Kind::Long => &[0x55, 0x81],
        Kind::Float => &[0x72],
        Kind::Double => &[0x82],
        Kind::Decimal32 => &[0x74],
        Kind::Decimal64 => &[0x84],
        Kind::Decimal128 => &[0x94],
        Kind::Char => &[0x73],
        Kind::Timestamp => &[0x83],
        Kind::Uuid => &[0x98],
        Kind::Binary => &[0xa0, 0xb0],
        Kind::String => &[0xa1, 0xb1],
        Kind::Symbol => &[0xa3, 0xb3],
        Kind::List => &[0xc0, 0xd0],
        Kind::Map => &[0xc1, 0xd1],
        Kind::Array => &[0xe0, 0xf0],
    }
}

/// The data after the format code; `false` if it does not fit.
fn data(out: &mut Vec<u8>, value: &Value, wide: bool, rng: &mut TestRng) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is) => all(out, &[u8::from(*is)]),
        Value::Ubyte(number) => all(out, &[*number]),
        Value::Ushort(number) => all(out, &number.to_be_bytes()),
        Value::Uint(number) => integer(out, &number.to_be_bytes(), *number < 256, wide),
        Value::Ulong(number) => integer(out, &number.to_be_bytes(), *number < 256, wide),
        Value::Byte(number) => all(out, &number.to_be_bytes()),
        Value::Short(number) => all(out, &number.to_be_bytes()),
        Value::Int(number) => {
            integer(out, &number.to_be_bytes(), (-128..128).contains(number), wide)
        }
        Value::Long(number) => {
            integer(out, &number.to_be_bytes(), (-128..128).contains(number), wide)
        }
        Value::Float(number) => all(out, &number.to_be_bytes()),
        Value::Double(number) => all(out, &number.to_be_bytes()),
        Value::Decimal32(octets) => all(out, octets),
        Value::Decimal64(octets) => all(out, octets),
        Value::Decimal128(octets) | Value::Uuid(octets) => all(out, octets),
        Value::Char(character) => all(out, &u32::from(*character).to_be_bytes()),
        Value::Timestamp(ms) => all(out, &ms.to_be_bytes()),
        Value::Binary(octets) => variable(out, octets, wide),
        Value::String(text) | Value::Symbol(text) => variable(out, text.as_bytes(), wide),
        Value::List(elements) => {
            let mut body = Vec::new();
            elements.iter().for_each(|element| encode(&mut body, element, rng));
            compound(out, &body, elements.len(), wide)
        }
        Value::Map(pairs) => {
            let mut body = Vec::new();
            for (key, value) in pairs {
                encode(&mut body, key, rng);
                encode(&mut body, value, rng);
            }
            compound(out, &body, 2 * pairs.len(), wide)
        }
        Value::Array(array) => {
            let body = array_body(array, rng);
            compound(out, &body, array.elements().len(), wide)
        }
        Value::Described(_) => unreachable!("has no format code"),
    }
}

/// The constructor and the elements.
fn array_body(array: &Array, rng: &mut TestRng) -> Vec<u8> {
    let mut body = Vec::new();
    for descriptor in array.descriptors() {
        body.push(0);
        encode(&mut body, descriptor, rng);
    }
    let elements = array.elements();
    let empty = match elements.first() {
        Some(Value::Bool(true)) => Some((0x41, Value::Bool(true))),
        Some(Value::Bool(false)) => Some((0x42, Value::Bool(false))),
        Some(Value::Uint(0)) => Some((0x43, Value::Uint(0))),
        Some(Value::Ulong(0)) => Some((0x44, Value::Ulong(0))),
        Some(Value::List(list)) if list.is_empty() => Some((0x45, Value::List(Vec::new()))),
        _ => None,
    };
    if let Some((code, value)) = empty
        && elements.iter().all(|element| *element == value)
        && flip(rng)
    {
        body.push(code);
        return body;
    }
    let codes = codes(array.kind());
    let at = body.len();
    let wide = codes.len() > 1 && flip(rng);
    for wide in [wide, true] {
        body.truncate(at);
        body.push(codes[usize::from(wide && codes.len() > 1)]);
        if elements.iter().all(|element| data(&mut body, element, wide, rng)) {
            break;
        }
    }
    body
}

fn all(out: &mut Vec<u8>, octets: &[u8]) -> bool {
    out.extend_from_slice(octets);
    true
}

fn integer(out: &mut Vec<u8>, octets: &[u8], is_small: bool, wide: bool) -> bool {
    let from = if wide { 0 } else { octets.len() - 1 };
    out.extend_from_slice(&octets[from..]);
    wide || is_small
}

fn variable(out: &mut Vec<u8>, octets: &[u8], wide: bool) -> bool {
    width(out, octets.len(), wide) && all(out, octets)
}

fn compound(out: &mut Vec<u8>, body: &[u8], count: usize, wide: bool) -> bool {
    let size = body.len() + if wide { 4 } else { 1 };
    width(out, size, wide) && width(out, count, wide) && all(out, body)
}

fn width(out: &mut Vec<u8>, number: usize, wide: bool) -> bool {
    let number = u32::try_from(number).expect("short");
    let octets = number.to_be_bytes();
    out.extend_from_slice(if wide { &octets } else { &octets[3..] });
    wide || number < 256
}
