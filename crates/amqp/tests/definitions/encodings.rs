//! The encodings of primitive types, the sections of messages, and the constants.

use crate::table::{Described, Table};
use wharf_amqp::codec::Reader;
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::limits::MIN_MAX_FRAME_SIZE;
use wharf_amqp::messaging::{BodyKind, MESSAGE_FORMAT, Sections};
use wharf_amqp::value::Value;

/// The least data that may follow a format code.
fn least(category: &str, width: usize) -> Vec<u8> {
    match category {
        "fixed" => vec![0; width],
        "variable" => vec![0; width],
        "compound" => least_compound(width, width),
        "array" => [least_compound(width, width + 1), vec![0x40]].concat(),
        other => panic!("a category {other}"),
    }
}

/// Size and count.
fn least_compound(width: usize, size: usize) -> Vec<u8> {
    let mut head = vec![0; 2 * width];
    head[width - 1] = u8::try_from(size).expect("small");
    head
}

#[test]
fn every_encoding_is_known_and_no_other() {
    let table = Table::read();
    assert_eq!(table.encodings.len(), 39);
    for code in 1..=255 {
        let encoding = table.encodings.iter().find(|encoding| encoding.code == code);
        let Some(encoding) = encoding else {
            let octets = [&[code][..], &[0; 40]].concat();
            let error = Value::decode(&octets).expect_err("no code");
            assert_eq!(error.what, "unknown format code", "{code:x}");
            assert_eq!(Reader::new(&octets).skip_value(), Err(error), "{code:x}");
            continue;
        };
        let octets = [vec![code], least(&encoding.category, encoding.width)].concat();
        let (value, len) = Value::decode(&octets).expect("the least data");
        let kind = format!("{:?}", value.kind().expect("a primitive type")).to_lowercase();
        assert_eq!(kind.replace("bool", "boolean"), encoding.of);
        assert_eq!(len, octets.len());
        assert_eq!(Reader::new(&octets).skip_value(), Ok(&octets[..]));
        for end in 0..octets.len() {
            Value::decode(&octets[..end]).expect_err("cut off");
            Reader::new(&octets[..end]).skip_value().expect_err("cut off");
        }
    }
}

/// A message that has this section, once.
fn message(described: &Described, descriptor: Value) -> Vec<u8> {
    let value = match described.source.as_str() {
        "binary" => Value::Binary(Vec::new()),
        "list" => Value::List(Vec::new()),
        "*" => Value::Null,
        _ => Value::Map(Vec::new()),
    };
    let mut out = Vec::new();
    if described.code > 0x77 {
        Value::described(Value::Ulong(0x77), Value::Null).encode(&mut out);
    }
    Value::described(descriptor, value).encode(&mut out);
    if described.code < 0x75 {
        Value::described(Value::Ulong(0x77), Value::Null).encode(&mut out);
    }
    out
}

#[test]
fn sections_are_known_by_both_descriptors() {
    let table = Table::read();
    let names: Vec<&str> = table.described.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names.len(), 7);
    for described in &table.described {
        let by_code = message(described, Value::Ulong(described.code));
        let by_symbol = message(described, Value::symbol(described.symbol.as_str()));
        let found = |octets: &[u8]| {
            let sections = Sections::scan(octets).expect(&described.name);
            (
                sections.delivery_annotations.is_some(),
                sections.message_annotations.is_some(),
                sections.application_properties.is_some(),
                sections.footer.is_some(),
                sections.body.map(|body| body.kind),
            )
        };
        let sections = found(&by_code);
        assert_eq!(found(&by_symbol), sections);
        let (delivery, message, application, footer, kind) = sections;
        let name = match (delivery, message, application, footer, kind) {
            (true, false, false, false, _) => "delivery-annotations",
            (false, true, false, false, _) => "message-annotations",
            (false, false, true, false, _) => "application-properties",
            (false, false, false, true, _) => "footer",
            (_, _, _, _, Some(BodyKind::Data)) => "data",
            (_, _, _, _, Some(BodyKind::Sequence)) => "amqp-sequence",
            (_, _, _, _, Some(BodyKind::Value)) => "amqp-value",
            (_, _, _, _, None) => "none of these",
        };
        assert_eq!(name, described.name);
    }
}

#[test]
fn constants_are_as_defined() {
    let table = Table::read();
    let constant = |name: &str| -> u32 {
        let found = table.constants.iter().find(|(known, _)| known == name);
        found.expect(name).1.parse().expect("a number")
    };
    assert_eq!(constant("MIN-MAX-FRAME-SIZE"), MIN_MAX_FRAME_SIZE);
    assert_eq!(constant("MESSAGE-FORMAT"), MESSAGE_FORMAT);
    for (prefix, header) in
        [("", ProtocolHeader::AMQP), ("TLS-", ProtocolHeader::TLS), ("SASL-", ProtocolHeader::SASL)]
    {
        assert_eq!(constant(&format!("{prefix}MAJOR")), header.major.into());
        assert_eq!(constant(&format!("{prefix}MINOR")), header.minor.into());
        assert_eq!(constant(&format!("{prefix}REVISION")), header.revision.into());
    }
}
