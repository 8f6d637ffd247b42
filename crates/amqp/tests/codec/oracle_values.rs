//! Values against another implementation: what one writes, the other reads.

use crate::arbitrary::{distinct, number, simple_value, symbol, text};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_amqp::described::Described;
use serde_amqp::descriptor::Descriptor;
use serde_amqp::primitives::{Array as TheirArray, OrderedMap};
use serde_amqp::value::Value as Theirs;
use wharf_amqp::value::{Array, Kind, Value};

/// The same value as the other side has it.
fn theirs(value: &Value) -> Theirs {
    match value {
        Value::Null => Theirs::Null,
        Value::Bool(is) => Theirs::Bool(*is),
        Value::Ubyte(number) => Theirs::Ubyte(*number),
        Value::Ushort(number) => Theirs::Ushort(*number),
        Value::Uint(number) => Theirs::Uint(*number),
        Value::Ulong(number) => Theirs::Ulong(*number),
        Value::Byte(number) => Theirs::Byte(*number),
        Value::Short(number) => Theirs::Short(*number),
        Value::Int(number) => Theirs::Int(*number),
        Value::Long(number) => Theirs::Long(*number),
        Value::Float(number) => Theirs::Float((*number).into()),
        Value::Double(number) => Theirs::Double((*number).into()),
        Value::Decimal32(octets) => Theirs::Decimal32((*octets).into()),
        Value::Decimal64(octets) => Theirs::Decimal64((*octets).into()),
        Value::Decimal128(octets) => Theirs::Decimal128((*octets).into()),
        Value::Char(character) => Theirs::Char(*character),
        Value::Timestamp(ms) => Theirs::Timestamp((*ms).into()),
        Value::Uuid(octets) => Theirs::Uuid((*octets).into()),
        Value::Binary(octets) => Theirs::Binary(octets.clone().into()),
        Value::String(text) => Theirs::String(text.clone()),
        Value::Symbol(text) => Theirs::Symbol(text.as_str().into()),
        Value::List(elements) => Theirs::List(elements.iter().map(theirs).collect()),
        Value::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| (theirs(key), theirs(value)));
            Theirs::Map(pairs.collect::<OrderedMap<_, _>>())
        }
        Value::Array(array) => {
            Theirs::Array(TheirArray(array.elements().iter().map(theirs).collect()))
        }
        Value::Described(described) => {
            let descriptor = match &described.0 {
                Value::Ulong(code) => Descriptor::Code(*code),
                Value::Symbol(name) => Descriptor::Name(name.as_str().into()),
                other => panic!("the other side has no descriptor {other:?}"),
            };
            Theirs::Described(Box::new(Described { descriptor, value: theirs(&described.1) }))
        }
    }
}

/// Values that the other side can hold: descriptors are ulongs or symbols, array elements simple
/// and not described.
fn common_value() -> impl Strategy<Value = Value> {
    let descriptor =
        prop_oneof![any::<u64>().prop_map(Value::Ulong), symbol().prop_map(Value::Symbol)];
    simple_value().prop_recursive(3, 32, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            vec((key(), inner.clone()), 0..4).prop_map(|pairs| Value::Map(distinct(pairs))),
            array(),
            (descriptor.clone(), inner).prop_map(|(by, value)| Value::described(by, value)),
        ]
    })
}

/// The keys in use. After one that is a timestamp the other side writes a long as a timestamp.
fn key() -> impl Strategy<Value = Value> {
    prop_oneof![
        number().prop_map(Value::Uint),
        any::<u64>().prop_map(Value::Ulong),
        symbol().prop_map(Value::Symbol),
        text().prop_map(Value::String),
    ]
}

fn array() -> impl Strategy<Value = Value> {
    let of = |kind, elements| Value::Array(Box::new(Array::new(kind, elements).expect("one kind")));
    prop_oneof![
        vec(number().prop_map(Value::Uint), 1..5).prop_map(move |them| of(Kind::Uint, them)),
        vec(any::<i64>().prop_map(Value::Long), 1..5).prop_map(move |them| of(Kind::Long, them)),
        vec(symbol().prop_map(Value::Symbol), 1..5).prop_map(move |them| of(Kind::Symbol, them)),
        vec(any::<bool>().prop_map(Value::Bool), 1..5).prop_map(move |them| of(Kind::Bool, them)),
    ]
}

proptest! {
    #[test]
    fn they_read_what_we_write(value in common_value()) {
        let mut octets = Vec::new();
        value.encode(&mut octets);
        let read: Theirs = serde_amqp::from_slice(&octets).expect("read by them");
        prop_assert_eq!(read, theirs(&value), "{:x?}", octets);
    }

    #[test]
    fn we_read_what_they_write(value in common_value()) {
        let octets = serde_amqp::to_vec(&theirs(&value)).expect("written by them");
        prop_assert_eq!(Value::decode(&octets), Ok((value, octets.len())), "{:x?}", octets);
    }
}
