//! Values of the types of fields, and how they look when they are printed.

use crate::table::{Field, Table};
use wharf_amqp::value::{Array, Kind, Value};

/// A value of a field that is not its default.
pub(crate) struct Sample {
    pub(crate) value: Value,
    /// What the field's `Debug` shows of it and of no other sample.
    pub(crate) shown: String,
}

/// A sample for the field at `place`. Numbers and texts have the place in them.
pub(crate) fn sample(table: &Table, field: &Field, place: usize) -> Sample {
    let text = format!("text-{place}");
    let number = 1000 + u32::try_from(place).expect("few fields");
    let of = |value: Value, shown: String| Sample { value, shown };
    if field.multiple {
        let symbols = Array::of_symbols([text.clone(), format!("more-{place}")]);
        let shown = format!("[\"{text}\", \"more-{place}\"]");
        return of(Value::Array(Box::new(symbols)), shown);
    }
    if let Some(choice) = choice(table, field) {
        return choice;
    }
    match table.primitive(&field.of) {
        "boolean" => of(Value::Bool(field.default.as_deref() != Some("true")), "true".to_owned()),
        "ubyte" => of(Value::Ubyte(100 + place as u8), (100 + place).to_string()),
        "ushort" => of(Value::Ushort(number as u16), number.to_string()),
        "uint" => of(Value::Uint(number), number.to_string()),
        "ulong" => of(Value::Ulong(number.into()), number.to_string()),
        "timestamp" => of(Value::Timestamp(number.into()), number.to_string()),
        "string" | "(address)" | "(message-id)" => of(Value::from(text.as_str()), text),
        "symbol" => of(Value::symbol(text.as_str()), text),
        "binary" if field.of == "delivery-tag" => {
            of(Value::from(text.as_bytes()), format!("b\"{text}\""))
        }
        "binary" => of(Value::from(text.as_bytes()), shown_octets(field, &text)),
        "(txn-id)" => of(Value::from(text.as_bytes()), format!("b\"{text}\"")),
        "(global-tx-id)" => of(Value::Timestamp(number.into()), number.to_string()),
        "map" if field.name == "unsettled" => {
            let accepted = Value::described(Value::Ulong(0x24), Value::List(Vec::new()));
            let pair = (Value::from(text.as_bytes()), accepted);
            of(Value::Map(vec![pair]), format!("(Tag(b\"{text}\"), Some(Accepted))"))
        }
        "map" => {
            let pair = (Value::symbol(text.as_str()), Value::from(number));
            of(Value::Map(vec![pair]), format!("(\"{text}\", Uint({number}))"))
        }
        "(delivery-state)" | "(outcome)" => {
            let released = Value::described(Value::Ulong(0x26), Value::List(Vec::new()));
            of(released, "Released".to_owned())
        }
        "(source)" => of(composite(0x28, &text), text),
        "(target)" => of(composite(0x29, &text), text),
        "error" => of(
            Value::described(
                Value::Ulong(0x1d),
                Value::List(vec![Value::symbol(format!("x:{text}"))]),
            ),
            format!("x:{text}"),
        ),
        "(distribution-mode)" => of(Value::symbol("copy"), "Copy".to_owned()),
        "(error-condition)" => of(Value::symbol("amqp:link:stolen"), "LinkStolen".to_owned()),
        other => panic!("no sample of {other}"),
    }
}

/// What SASL mechanisms say is not shown.
fn shown_octets(field: &Field, text: &str) -> String {
    match field.name.as_str() {
        "initial-response" | "challenge" | "response" | "additional-data" => {
            format!("{} octets", text.len())
        }
        _ => format!("{:?}", text.as_bytes()),
    }
}

fn composite(code: u64, address: &str) -> Value {
    Value::described(Value::Ulong(code), Value::List(vec![Value::from(address)]))
}

/// The last choice of a field that has some, which is never the default, or the one before it.
fn choice(table: &Table, field: &Field) -> Option<Sample> {
    let restricted = table.restricted(&field.of).filter(|it| !it.choices.is_empty())?;
    let is_default = |name: &str| field.default.as_deref() == Some(name);
    let (name, value) = restricted.choices.iter().rev().find(|(name, _)| !is_default(name))?;
    Some(Sample { value: choice_value(&restricted.source, value), shown: camel(name) })
}

/// A choice as a value.
pub(crate) fn choice_value(source: &str, text: &str) -> Value {
    match source {
        "boolean" => Value::Bool(text == "true"),
        "ubyte" => Value::Ubyte(text.parse().expect("a ubyte")),
        "uint" => Value::Uint(text.parse().expect("a uint")),
        "symbol" => Value::symbol(text),
        other => panic!("a choice of {other}"),
    }
}

/// A field's default as a value.
pub(crate) fn default(table: &Table, field: &Field) -> Option<Value> {
    let text = field.default.as_deref()?;
    let choices = table.restricted(&field.of).map_or(&[][..], |restricted| &restricted.choices);
    let text = choices.iter().find(|(name, _)| name == text).map_or(text, |(_, value)| value);
    Some(match table.primitive(&field.of) {
        "ushort" => Value::Ushort(text.parse().expect("a ushort")),
        source => choice_value(source, text),
    })
}

/// A value that the field cannot have; `None` if it can have any.
pub(crate) fn wrong(field: &Field) -> Option<Value> {
    let wrong = Array::new(Kind::Decimal32, vec![Value::Decimal32([0; 4])]);
    (field.of != "(global-tx-id)").then(|| Value::Array(Box::new(wrong.expect("an array"))))
}

/// `unsettled-state` as Rust calls it.
pub(crate) fn camel(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}
