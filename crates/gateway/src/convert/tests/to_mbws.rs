//! AMQP messages, and stored MBWS content, for an MBWS consumer.

use super::*;
use wharf_amqp::messaging::{MessageId, append_data, append_footer, append_sequence, append_value};
use wharf_amqp::value::Array;

fn message(put: impl FnOnce(&mut Vec<u8>)) -> Message {
    Message { body: body(put), ..Message::default() }
}

fn found(message: &Message) -> Content {
    Content::of(&message.delivery(), UNIT)
}

#[test]
fn octets_are_binary_and_strings_are_text() {
    let table: [(Message, Content); 8] = [
        (message(|out| append_data(out, b"\xff\0")), binary("", &[], b"\xff\0")),
        (message(|out| append_data(out, b"")), binary("", &[], b"")),
        (
            message(|out| [&b"a"[..], b"", b"bc"].iter().for_each(|data| append_data(out, data))),
            binary("", &[], b"abc"),
        ),
        (message(|out| append_value(out, &Value::from("ü"))), text(&[], "ü")),
        (message(|out| append_value(out, &Value::from(""))), text(&[], "")),
        (message(|out| append_value(out, &Value::from(&b"\xff"[..]))), binary("", &[], b"\xff")),
        (message(|out| append_value(out, &Value::Null)), binary("", &[], b"")),
        (Message::default(), binary("", &[], b"")),
    ];
    for (message, content) in table {
        assert_eq!(found(&message), content, "{message:?}");
    }
}

#[test]
fn other_bodies_are_their_sections() {
    let bodies = [
        body(|out| append_value(out, &Value::List(vec![Value::Uint(7)]))),
        body(|out| append_value(out, &Value::Map(vec![(Value::from("a"), Value::Null)]))),
        body(|out| append_value(out, &Value::Array(Box::new(Array::of_symbols(["a".into()]))))),
        body(|out| append_value(out, &Value::Uint(7))),
        body(|out| append_value(out, &Value::Bool(true))),
        body(|out| append_value(out, &Value::symbol("a"))),
        body(|out| append_value(out, &Value::described(Value::Ulong(1), Value::from("a")))),
        body(|out| append_sequence(out, &[])),
        body(|out| (0..3).for_each(|n| append_sequence(out, &[Value::Uint(n)]))),
        // A string that is not UTF-8, and a list of fewer elements than counted.
        b"\0Sw\xa1\x01\xff".to_vec(),
        b"\0Sw\xc0\x02\x05@".to_vec(),
    ];
    for body in bodies {
        let plain = Message { body: body.clone(), ..Message::default() };
        let content = binary("application/x-amqp-body", &[], &body);
        assert_eq!(found(&plain), content);
        let typed = Message {
            properties: properties(|it| it.content_type = Some("a/b".to_owned())),
            ..plain
        };
        assert_eq!(found(&typed), content.with("wharf-amqp-content-type", "a/b"));
    }
}

#[test]
fn header_footer_and_annotations_are_not_the_applications() {
    let mut message = message(|out| append_data(out, b"x"));
    append_footer(&mut message.body, &vec![("x-opt-crc".into(), Value::Uint(1))]);
    message.header = Some(Header { durable: true, priority: 9, ttl: Some(1), ..Header::default() });
    message.annotations = vec![("x-opt-a".into(), Value::Uint(1))];
    let delivery = Delivery { count: 3, ..message.delivery() };
    assert_eq!(Content::of(&delivery, UNIT), binary("", &[], b"x"));
}

#[test]
fn properties_that_amqp_defines_are_text() {
    let message = Message {
        properties: Some(Properties {
            message_id: Some(MessageId::Binary(vec![0, 1, 2, 3])),
            user_id: Some(vec![0xff]),
            to: Some("orders".to_owned()),
            subject: Some("s".to_owned()),
            reply_to: Some("answers".to_owned()),
            correlation_id: Some(MessageId::String("order-7".to_owned())),
            content_type: Some("a/b".to_owned()),
            content_encoding: Some("gzip".to_owned()),
            absolute_expiry_time: Some(i64::MIN),
            creation_time: Some(1_700_000_000_000),
            group_id: Some("g".to_owned()),
            group_sequence: Some(u32::MAX),
            reply_to_group_id: Some("r".to_owned()),
        }),
        ..message(|out| append_data(out, b"x"))
    };
    let expected = [
        ("message-id", "binary:AAECAw=="),
        ("user-id", "binary:/w=="),
        ("subject", "s"),
        ("reply-to", "answers"),
        ("correlation-id", "order-7"),
        ("content-encoding", "gzip"),
        ("absolute-expiry-time", "-9223372036854775808"),
        ("creation-time", "1700000000000"),
        ("group-id", "g"),
        ("group-sequence", "4294967295"),
        ("reply-to-group-id", "r"),
    ];
    assert_eq!(found(&message), binary("a/b", &expected, b"x"));
}

#[test]
fn the_applications_properties_are_text_in_order() {
    let values = vec![
        ("z".to_owned(), Value::from("text")),
        ("number".to_owned(), Value::Int(-7)),
        ("".to_owned(), Value::Null),
        ("subject".to_owned(), Value::Bool(true)),
    ];
    let message = Message {
        properties: properties(|it| it.subject = Some("s".to_owned())),
        application_properties: Some(values),
        ..Message::default()
    };
    let expected =
        [("subject", "s"), ("z", "text"), ("number", "-7"), ("", ""), ("subject", "true")];
    assert_eq!(found(&message), binary("", &expected, b""));
}

#[test]
fn an_address_that_it_did_not_come_from_is_a_property() {
    let to = |to: &str| Message {
        properties: properties(|it| it.to = Some(to.to_owned())),
        ..Message::default()
    };
    assert_eq!(found(&to("orders")), binary("", &[], b""));
    assert_eq!(found(&to("elsewhere")), binary("", &[("to", "elsewhere")], b""));
    let dead = |message: Message| Content::of(&dead(message.delivery(), "orders", None), UNIT);
    let death = [("wharf-death-reason", "rejected"), ("wharf-death-address", "orders")];
    assert_eq!(dead(to("orders")), binary("", &death, b""));
    assert_eq!(dead(to("a")), binary("", &[&[("to", "a")], &death[..]].concat(), b""));
}

#[test]
fn dead_letters_say_why_after_everything_else() {
    for delivery in [
        text(&[("k", "v")], "x").delivery(),
        Message {
            application_properties: application(&[("k", "v")]),
            ..message(|out| append_value(out, &Value::from("x")))
        }
        .delivery(),
    ] {
        let expected = text(&[("k", "v")], "x")
            .with("wharf-death-reason", "rejected")
            .with("wharf-death-address", "orders");
        assert_eq!(Content::of(&dead(delivery.clone(), "orders", None), UNIT), expected);
        let expected = expected.with("wharf-death-detail", "amqp:decode-error no");
        let detail = Some("amqp:decode-error no");
        assert_eq!(Content::of(&dead(delivery, "orders", detail), UNIT), expected);
    }
}

/// There is always some form: what cannot be taken apart is handed on whole.
#[test]
fn what_cannot_be_taken_apart_is_handed_on_whole() {
    let table: [&[u8]; 4] = [
        // A uint for a message-id, and a boolean for `to`.
        b"\0Ss\xc0\x03\x01\x52\x07\0Sw@",
        b"\0Ss\xc0\x04\x03@@\x41\0Sw@",
        // A list among the application's properties; a name twice.
        b"\0St\xc1\x05\x02\xa1\x01a\x45\0Sw@",
        b"\0St\xc1\x09\x04\xa1\x01aA\xa1\x01aA\0Su\xa0\x01x",
    ];
    for octets in table {
        let delivery = delivery(AMQP, amqp_stored(octets).unwrap().into_owned());
        let whole = binary("application/x-amqp-message", &[], octets);
        assert_eq!(Content::of(&delivery, UNIT), whole);
        let expected =
            whole.with("wharf-death-reason", "rejected").with("wharf-death-address", "a");
        assert_eq!(Content::of(&dead(delivery, "a", None), UNIT), expected);
    }
    // Not even a message: stored by another version, say.
    let whole = binary("application/x-amqp-message", &[], b"\xff");
    assert_eq!(Content::of(&delivery(AMQP, b"\xff".to_vec()), UNIT), whole);
}

/// No client of MBWS has to read more than the limits of its engine.
#[test]
fn a_header_that_no_client_reads_is_not_sent() {
    let with = |count: usize, len: usize| {
        let value = Value::String("v".repeat(len));
        let named = |n: usize| (format!("{n:04}"), value.clone());
        let application_properties = Some((0..count).map(named).collect());
        found(&Message { application_properties, ..Message::default() })
    };
    assert_eq!(with(1024, 1).properties.len(), 1024);
    assert_eq!(with(1, 250_000).properties.len(), 1);
    for whole in [with(1025, 1), with(1, 260_000), with(1000, 260)] {
        assert_eq!(whole.content_type, "application/x-amqp-message");
        assert_eq!(whole.properties, []);
    }
}

#[test]
fn lengths_are_in_the_units_of_the_client() {
    let message = Message {
        application_properties: application(&[("ü", "😀")]),
        ..message(|out| append_value(out, &Value::from("é")))
    };
    for unit in [LengthUnit::CodePoints, LengthUnit::Octets, LengthUnit::Utf16] {
        assert_eq!(Content::of(&message.delivery(), unit), text(&[("ü", "😀")], "é"));
        let stored =
            delivery(mbws_format(Kind::Text, unit), text(&[("ü", "😀")], "é").encode(unit));
        assert_eq!(Content::of(&stored, UNIT), text(&[("ü", "😀")], "é"));
    }
}
