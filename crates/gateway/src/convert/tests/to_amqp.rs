//! MBWS content, and stored AMQP messages, for an AMQP consumer.

use super::*;
use crate::convert::{Unfit, kept_annotations, merged_annotations};
use wharf_amqp::messaging::{
    MessageId, append_data, append_delivery_annotations, append_footer, append_sequence,
    append_value,
};

fn durable(delivery_count: u32) -> Option<Header> {
    Some(Header { durable: true, delivery_count, ..Header::default() })
}

/// What every MBWS message from `orders` becomes.
fn from_orders(body: Vec<u8>) -> Message {
    let properties = properties(|it| it.to = Some("orders".to_owned()));
    Message { header: durable(0), properties, body, ..Message::default() }
}

#[test]
fn text_becomes_a_string_and_binary_becomes_data() {
    let table = [
        (text(&[], "hello ü"), body(|out| append_value(out, &Value::from("hello ü")))),
        (text(&[], ""), body(|out| append_value(out, &Value::from("")))),
        (binary("", &[], b"\xff\0"), body(|out| append_data(out, b"\xff\0"))),
        (binary("", &[], b""), body(|out| append_data(out, b""))),
    ];
    for (content, body) in table {
        assert_eq!(Message::of(&content.delivery()), from_orders(body));
    }
}

#[test]
fn the_body_is_not_copied() {
    for kind in [Kind::Text, Kind::Binary] {
        let delivery = content(kind, "a/b", &[("k", "v")], &[b'x'; 300]).delivery();
        let [_, rest] = amqp_payload(&delivery).unwrap();
        assert_eq!(rest, [b'x'; 300][..]);
        assert_eq!(rest.as_ptr(), delivery.body[delivery.body.len() - 300..].as_ptr());
    }
}

#[test]
fn lengths_of_any_unit_are_read() {
    let content = content(Kind::Text, "text/ü", &[("ü", "😀")], "é".as_bytes());
    for unit in [LengthUnit::CodePoints, LengthUnit::Octets, LengthUnit::Utf16] {
        let delivery = delivery(mbws_format(Kind::Text, unit), content.encode(unit));
        let found = Message::of(&delivery);
        assert_eq!(found.application_properties, application(&[("ü", "😀")]));
        assert_eq!(found.body, body(|out| append_value(out, &Value::from("é"))));
    }
}

#[test]
fn a_content_type_that_is_no_symbol_is_an_annotation() {
    let found = |content_type| Message::of(&binary(content_type, &[], b"").delivery());
    let ascii = found("text/plain;charset=utf-8");
    assert_eq!(ascii.properties.unwrap().content_type.as_deref(), Some("text/plain;charset=utf-8"));
    assert_eq!(ascii.annotations, []);
    let other = found("text/ü");
    assert_eq!(other.properties.unwrap().content_type, None);
    assert_eq!(other.annotations, [("x-opt-mbws-content-type".into(), Value::from("text/ü"))]);
    assert_eq!(found("").properties.unwrap().content_type, None);
}

/// AMQP 3.2.4: by name, where the text fits the type.
#[test]
fn properties_that_amqp_defines_become_its_own() {
    let content = text(
        &[
            ("k", "v"),
            ("message-id", "uuid:01010101-0101-0101-0101-010101010101"),
            ("user-id", "alice"),
            ("subject", "s"),
            ("reply-to", "answers"),
            ("correlation-id", "ulong:7"),
            ("content-encoding", "gzip"),
            ("absolute-expiry-time", "-1"),
            ("creation-time", "1700000000000"),
            ("group-id", "g"),
            ("group-sequence", "4294967295"),
            ("reply-to-group-id", "r"),
        ],
        "",
    );
    let found = Message::of(&content.delivery());
    let expected = Properties {
        message_id: Some(MessageId::Uuid([1; 16])),
        user_id: Some(b"alice".to_vec()),
        to: Some("orders".to_owned()),
        subject: Some("s".to_owned()),
        reply_to: Some("answers".to_owned()),
        correlation_id: Some(MessageId::Ulong(7)),
        content_type: None,
        content_encoding: Some("gzip".to_owned()),
        absolute_expiry_time: Some(-1),
        creation_time: Some(1_700_000_000_000),
        group_id: Some("g".to_owned()),
        group_sequence: Some(u32::MAX),
        reply_to_group_id: Some("r".to_owned()),
    };
    assert_eq!(found.properties, Some(expected));
    assert_eq!(found.application_properties, application(&[("k", "v")]));
}

#[test]
fn what_does_not_fit_the_type_is_the_applications() {
    let odd = [
        ("to", "elsewhere"),
        ("content-type", "a/b"),
        ("user-id", "binary:!"),
        ("content-encoding", "ü"),
        ("absolute-expiry-time", "tomorrow"),
        ("creation-time", "+1"),
        ("group-sequence", "-1"),
        ("group-sequence-2", "07"),
        ("Subject", "names are exact"),
        ("durable", "false"),
        ("", ""),
    ];
    let found = Message::of(&text(&odd, "").delivery());
    assert_eq!(found.properties, from_orders(Vec::new()).properties);
    assert_eq!(found.application_properties, application(&odd));
    assert_eq!(found.annotations, []);
}

/// MBWS-A18: names may repeat, which those of a map may not.
#[test]
fn repeated_names_are_kept_in_order_in_an_annotation() {
    let pairs = [("b", "1"), ("a", "2"), ("b", "3"), ("subject", "4"), ("subject", "5")];
    let found = Message::of(&text(&pairs, "").delivery());
    assert_eq!(found.application_properties, application(&[("b", "1"), ("a", "2")]));
    assert_eq!(found.properties.unwrap().subject.as_deref(), Some("4"));
    let all = pairs.iter().flat_map(|(name, value)| [Value::from(*name), Value::from(*value)]);
    assert_eq!(found.annotations, [("x-opt-mbws-properties".into(), Value::List(all.collect()))]);
}

#[test]
fn sections_of_a_body_are_a_body() {
    let list = body(|out| append_value(out, &Value::List(vec![Value::Uint(7)])));
    let of_type = |octets: &[u8]| {
        let properties = [("wharf-amqp-content-type", "a/b"), ("k", "v")];
        binary("application/x-amqp-body", &properties, octets)
    };
    let found = Message::of(&of_type(&list).delivery());
    assert_eq!(found.body, list);
    assert_eq!(found.properties.unwrap().content_type.as_deref(), Some("a/b"));
    assert_eq!(found.application_properties, application(&[("k", "v")]));
    // Whatever is not just a body, or one that needs no such type, is octets of this type.
    let mut with_footer = list.clone();
    append_footer(&mut with_footer, &vec![("x-opt-a".into(), Value::Null)]);
    let mut with_properties = body(|out| Properties::default().encode(out));
    with_properties.extend_from_slice(&list);
    let data = body(|out| append_data(out, b"x"));
    for octets in [&b"\xff"[..], b"", &data, &with_footer, &with_properties] {
        let found = Message::of(&of_type(octets).delivery());
        assert_eq!(found.body, body(|out| append_data(out, octets)));
        let content_type = found.properties.unwrap().content_type;
        assert_eq!(content_type.as_deref(), Some("application/x-amqp-body"));
        assert_eq!(found.application_properties.unwrap().len(), 2);
    }
    let as_text = content(Kind::Text, "application/x-amqp-body", &[], b"\0SwE");
    assert_eq!(
        Message::of(&as_text.delivery()).body,
        body(|out| append_value(out, &Value::from("\0SwE")))
    );
}

#[test]
fn counts_deaths_and_what_consumers_left() {
    let amqp = Message { body: body(|out| append_data(out, b"x")), ..Message::default() };
    let header = Header { delivery_count: 3, priority: 9, ..Header::default() };
    let counted = Message { header: Some(header), ..amqp.clone() };
    let left = kept_annotations(&vec![("x-opt-a".to_owned(), Value::Uint(7))]);
    for (delivery, before) in [
        (text(&[], "x").delivery(), durable(0)),
        (amqp.delivery(), Some(Header::default())),
        (counted.delivery(), counted.header),
    ] {
        let bare = Message::of(&delivery);
        let delivery = Delivery { count: 2, annotations: left.clone(), ..delivery };
        let found = Message::of(&dead(delivery, "orders", Some("no")));
        let header = before.unwrap();
        let delivery_count = header.delivery_count + 2;
        assert_eq!(found.header, Some(Header { delivery_count, ..header }));
        let expected = [
            ("x-opt-a".into(), Value::Uint(7)),
            ("x-opt-wharf-death-reason".into(), Value::symbol("rejected")),
            ("x-opt-wharf-death-address".into(), Value::from("orders")),
            ("x-opt-wharf-death-detail".into(), Value::from("no")),
        ];
        assert_eq!(found.annotations, expected);
        // AMQP 3.2: the bare message is the same everywhere.
        let Message { properties, application_properties, body, .. } = bare;
        assert_eq!((found.properties, found.body), (properties, body));
        assert_eq!(found.application_properties, application_properties);
    }
}

/// AMQP 3.4.5: added to what is there, in its place where the key is the same.
#[test]
fn annotations_are_merged() {
    let fields = |pairs: &[(&str, u32)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::Uint(*value))).collect()
    };
    let before = kept_annotations(&fields(&[("x-opt-a", 1), ("x-opt-b", 2)])).unwrap();
    let added = kept_annotations(&fields(&[("x-opt-b", 3), ("x-opt-c", 4)])).unwrap();
    let merged = merged_annotations(&before, &added);
    let message = Message {
        annotations: vec![("x-opt-a".into(), Value::Uint(0)), ("x-opt-0".into(), Value::Uint(0))],
        ..Message::default()
    };
    let delivery = Delivery { annotations: Some(merged), ..message.delivery() };
    let expected = [("x-opt-a", 1), ("x-opt-0", 0), ("x-opt-b", 3), ("x-opt-c", 4)];
    let expected = expected.map(|(name, value)| (name.into(), Value::Uint(value)));
    assert_eq!(Message::of(&delivery).annotations, expected);
    assert_eq!(kept_annotations(&fields(&[])), None);
}

/// AMQP 3.2.1, 3.2.2: what is stored is what came, less what was for this hop alone.
#[test]
fn what_is_for_one_hop_is_not_stored() {
    let hop = vec![("x-opt-hop".into(), Value::Uint(1))];
    let header = Header { durable: true, first_acquirer: true, ttl: Some(5), ..Header::default() };
    let rest = Message {
        annotations: vec![("x-opt-a".into(), Value::Uint(1))],
        properties: properties(|it| it.to = Some("orders".to_owned())),
        body: body(|out| append_sequence(out, &[Value::Null])),
        ..Message::default()
    };
    for first_acquirer in [true, false] {
        for annotated in [true, false] {
            let header = Header { first_acquirer, ..header.clone() };
            let mut octets = body(|out| header.encode(out));
            if annotated {
                append_delivery_annotations(&mut octets, &hop);
            }
            octets.extend_from_slice(&rest.encode());
            let stored = amqp_stored(&octets).unwrap();
            let expected = Message {
                header: Some(Header { first_acquirer: false, ..header }),
                ..rest.clone()
            };
            assert_eq!(stored, expected.encode());
            let as_it_came = matches!(stored, std::borrow::Cow::Borrowed(_));
            assert_eq!(as_it_came, !first_acquirer && !annotated);
        }
    }
    let mut annotated = body(|out| append_delivery_annotations(out, &hop));
    annotated.extend_from_slice(&rest.encode());
    assert_eq!(amqp_stored(&annotated).unwrap(), rest.encode());
}

/// Some senders of an empty message leave the body out.
#[test]
fn a_message_without_a_body_stays_without_one() {
    for message in [
        Message::default(),
        Message { header: durable(0), ..Message::default() },
        Message {
            properties: properties(|it| it.subject = Some("s".into())),
            ..Message::default()
        },
    ] {
        let delivery = message.delivery();
        assert_eq!(Message::of(&delivery), message);
        let again = Message::of(&Delivery { count: 1, ..delivery });
        assert_eq!((again.properties, again.body), (message.properties, Vec::new()));
        assert_eq!(again.header.unwrap().delivery_count, 1);
    }
}

#[test]
fn what_a_node_reads_must_be_readable() {
    let table: [&[u8]; 5] = [
        // A header with a number where `durable` belongs; annotations with a key twice.
        b"\0Sp\xc0\x03\x01\x52\x07",
        b"\0Sr\xc1\x0b\x04\xa3\x01aS\x01\xa3\x01aS\x02",
        b"\0Sw",
        b"\0Sw@\0Sw@",
        b"x",
    ];
    for message in table {
        assert_eq!(amqp_stored(message), Err(Unfit::Malformed), "{message:?}");
    }
    // What only the receiver reads is its own.
    let odd = b"\0Ss\xc0\x03\x01\x52\x07\0Sw@";
    assert_eq!(amqp_stored(odd).as_deref(), Ok(&odd[..]));
}
