//! There and back again.

use super::*;
use wharf_amqp::messaging::{MessageId, append_data, append_sequence, append_value};

/// An MBWS message that an AMQP client took and sent on as it is.
fn there_and_back(content: &Content) -> Content {
    let message = amqp_payload(&content.delivery()).unwrap().concat();
    let stored = amqp_stored(&message).unwrap().into_owned();
    Content::of(&delivery(AMQP, stored), UNIT)
}

/// An AMQP message that an MBWS client took and sent on as it is.
fn back_and_there(message: &Message) -> Message {
    let mut found = Message::of(&Content::of(&message.delivery(), UNIT).delivery());
    assert_eq!(found.header.take().map(|header| header.durable), Some(true));
    found
}

#[test]
fn mbws_messages() {
    let names = [("b", "1"), ("a", "2"), ("ü", "")];
    let table = [
        text(&[], ""),
        text(&names, "hello"),
        binary("", &names, b"\xff"),
        binary("text/ü", &[], b""),
        content(Kind::Text, "text/plain", &[("subject", "s"), ("k", "v")], b"x"),
        text(&[("message-id", "string:ulong:7"), ("user-id", "binary:AA==")], ""),
        text(&[("group-sequence", "7"), ("to", "elsewhere"), ("content-type", "b/c")], ""),
        // Names that repeat, also of AMQP's own, and whose first text does not fit.
        text(&[("b", "1"), ("a", "2"), ("b", "1"), ("b", "")], "x"),
        text(&[("z", "1"), ("subject", "s"), ("subject", "t"), ("a", ""), ("to", "u")], "x"),
        text(&[("group-sequence", "x"), ("group-sequence", "7"), ("to", ""), ("to", "")], "x"),
        binary("application/x-amqp-body", &[], &body(|out| append_value(out, &Value::Uint(7)))),
        binary("application/x-amqp-body", &[], &body(|out| append_data(out, b"x"))),
        binary("application/x-amqp-body", &[], b"\xff"),
        binary("application/x-amqp-message", &[("k", "v")], b"\xff"),
        binary(
            "application/x-amqp-body",
            &[("k", "1"), ("k", "2"), ("wharf-amqp-content-type", "a/b"), ("k", "3")],
            &body(|out| append_sequence(out, &[])),
        ),
    ];
    for content in table {
        assert_eq!(there_and_back(&content), content);
    }
}

/// AMQP's properties come first; their order among others means nothing unless names repeat.
#[test]
fn order_without_repeated_names() {
    let found = there_and_back(&text(&[("k", "v"), ("subject", "s"), ("message-id", "m")], ""));
    assert_eq!(found, text(&[("message-id", "m"), ("subject", "s"), ("k", "v")], ""));
}

/// The annotation is a copy, and is not taken for the truth when the properties say otherwise.
#[test]
fn a_list_that_is_not_the_messages_is_not_restored() {
    let repeated = text(&[("k", "1"), ("k", "2"), ("l", "3")], "x");
    let message = Message::of(&repeated.delivery());
    let found = |message: &Message| Content::of(&message.delivery(), UNIT).properties;
    assert_eq!(found(&message), repeated.properties);
    let pairs = [("l", "3"), ("k", "1")];
    let reordered = Message { application_properties: application(&pairs), ..message.clone() };
    assert_eq!(found(&reordered), repeated.properties);
    for pairs in
        [&[("k", "1")][..], &[("k", "2"), ("l", "3")], &[("k", "1"), ("l", "3"), ("m", "4")]]
    {
        let changed = Message { application_properties: application(pairs), ..message.clone() };
        assert_eq!(found(&changed), text(pairs, "").properties);
    }
    let lists = [
        Value::Null,
        Value::List(vec![Value::from("k")]),
        Value::List(vec![Value::from("k"), Value::Uint(1)]),
    ];
    for list in lists {
        let annotations = vec![("x-opt-mbws-properties".into(), list)];
        let changed = Message { annotations, ..message.clone() };
        assert_eq!(
            found(&changed),
            text(&pairs, "").properties.into_iter().rev().collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_message_sent_on_to_another_address_keeps_its_properties() {
    let content = text(&[("k", "1"), ("k", "2")], "x");
    let message = amqp_payload(&content.delivery()).unwrap().concat();
    let delivery = Delivery { address: Arc::from("other"), ..delivery(AMQP, message) };
    let expected = text(&[("to", "orders"), ("k", "1"), ("k", "2")], "x");
    assert_eq!(Content::of(&delivery, UNIT), expected);
}

#[test]
fn amqp_messages() {
    let base = |body: Vec<u8>| Message {
        properties: properties(|it| it.to = Some("orders".to_owned())),
        body,
        ..Message::default()
    };
    let typed = Properties {
        message_id: Some(MessageId::Ulong(7)),
        user_id: Some(vec![0xff, 0]),
        to: Some("orders".to_owned()),
        subject: Some(String::new()),
        reply_to: Some("answers".to_owned()),
        correlation_id: Some(MessageId::Uuid([7; 16])),
        content_type: Some("a/b".to_owned()),
        content_encoding: Some("gzip".to_owned()),
        absolute_expiry_time: Some(0),
        creation_time: Some(i64::MAX),
        group_id: Some("g".to_owned()),
        group_sequence: Some(0),
        reply_to_group_id: Some("r".to_owned()),
    };
    let list = Value::List(vec![Value::Uint(7), Value::Null]);
    let table = [
        base(body(|out| append_data(out, b"x"))),
        base(body(|out| append_data(out, b""))),
        base(body(|out| append_value(out, &Value::from("ü")))),
        base(body(|out| append_value(out, &list))),
        base(body(|out| append_sequence(out, &[Value::Uint(7)]))),
        base(body(|out| (0..3).for_each(|_| append_sequence(out, &[])))),
        Message { properties: Some(typed.clone()), ..base(body(|out| append_data(out, b"x"))) },
        Message { properties: Some(typed), ..base(body(|out| append_value(out, &list))) },
        Message {
            application_properties: application(&[("z", "1"), ("a", "")]),
            ..base(body(|out| append_data(out, b"x")))
        },
    ];
    for message in table {
        assert_eq!(back_and_there(&message), message);
    }
    // What an MBWS client cannot tell from one another.
    let data = |octets| base(body(|out| append_data(out, octets)));
    let table = [
        (base(Vec::new()), data(&b""[..])),
        (base(body(|out| append_value(out, &Value::Null))), data(b"")),
        (base(body(|out| append_value(out, &Value::from(&b"x"[..])))), data(b"x")),
        (base(body(|out| [b"x", b"y"].iter().for_each(|it| append_data(out, *it)))), data(b"xy")),
    ];
    for (message, found) in table {
        assert_eq!(back_and_there(&message), found);
    }
}
