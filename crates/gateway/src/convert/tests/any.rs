//! Any message, both ways.

use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wharf_amqp::messaging::{
    AnnotationKey, MessageId, append_data, append_delivery_annotations, append_footer,
    append_sequence, append_value,
};
use wharf_mbws::{Frame, Limits, decode, encode_message_header};

fn short() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..6).prop_map(String::from_iter)
}

/// Few names, so that they repeat, and those with a meaning.
fn name() -> impl Strategy<Value = String> {
    let known = "a|b|message-id|user-id|subject|to|content-type|content-encoding|creation-time|\
                 group-sequence|wharf-amqp-content-type|wharf-death-reason";
    prop_oneof![known, short()]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![short(), "-?[0-9]{1,10}", "(string:|ulong:|uuid:|binary:)[0-9a-f=-]{0,8}"]
}

fn sections() -> impl Strategy<Value = Vec<u8>> {
    let data = vec(vec(any::<u8>(), 0..8), 1..3);
    let lists = vec(vec(simple(), 0..3), 1..3);
    prop_oneof![
        Just(Vec::new()),
        data.prop_map(|data| body(|out| data.iter().for_each(|it| append_data(out, it)))),
        lists.prop_map(|lists| body(|out| lists.iter().for_each(|it| append_sequence(out, it)))),
        simple().prop_map(|value| body(|out| append_value(out, &value))),
        vec(simple(), 0..3).prop_map(|list| body(|out| append_value(out, &Value::List(list)))),
    ]
}

fn any_content() -> impl Strategy<Value = Content> {
    let content_type =
        prop_oneof!["|text/plain|application/x-amqp-body|application/x-amqp-message", short(),];
    let body = prop_oneof![
        short().prop_map(|text| (Kind::Text, text.into_bytes())),
        vec(any::<u8>(), 0..8).prop_map(|octets| (Kind::Binary, octets)),
        sections().prop_map(|sections| (Kind::Binary, sections)),
    ];
    (content_type, vec((name(), value()), 0..6), body).prop_map(
        |(content_type, properties, (kind, body))| Content { kind, content_type, properties, body },
    )
}

fn simple() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::Ulong),
        any::<i32>().prop_map(Value::Int),
        any::<f32>().prop_map(Value::Float),
        any::<f64>().prop_map(Value::Double),
        any::<[u8; 16]>().prop_map(Value::Decimal128),
        any::<char>().prop_map(Value::Char),
        any::<i64>().prop_map(Value::Timestamp),
        any::<[u8; 16]>().prop_map(Value::Uuid),
        vec(any::<u8>(), 0..8).prop_map(Value::Binary),
        short().prop_map(Value::String),
        "[ -~]{0,6}".prop_map(Value::Symbol),
        short().prop_map(|text| Value::described(Value::Ulong(7), Value::String(text))),
    ]
}

fn id() -> impl Strategy<Value = MessageId> {
    prop_oneof![
        any::<u64>().prop_map(MessageId::Ulong),
        any::<[u8; 16]>().prop_map(MessageId::Uuid),
        vec(any::<u8>(), 0..8).prop_map(MessageId::Binary),
        value().prop_map(MessageId::String),
    ]
}

prop_compose! {
    fn any_properties()(
        message_id in option::of(id()),
        user_id in option::of(vec(any::<u8>(), 0..8)),
        to in option::of(prop_oneof![Just("orders".to_owned()), short()]),
        subject in option::of(short()),
        correlation_id in option::of(id()),
        content_type in option::of("[ -~]{0,6}"),
        content_encoding in option::of("[ -~]{0,6}"),
        creation_time in option::of(any::<i64>()),
        group_sequence in option::of(any::<u32>()),
    ) -> Properties {
        Properties {
            message_id, user_id, to, subject, correlation_id, content_type, content_encoding,
            creation_time, group_sequence, ..Properties::default()
        }
    }
}

fn distinct<K: Ord + Clone, V>(pairs: Vec<(K, V)>) -> Vec<(K, V)> {
    let mut seen = std::collections::BTreeSet::new();
    pairs.into_iter().filter(|(key, _)| seen.insert(key.clone())).collect()
}

fn any_annotations() -> impl Strategy<Value = Annotations> {
    let key = prop_oneof![
        "x-opt-(a|mbws-properties|mbws-content-type|wharf-death-reason)"
            .prop_map(AnnotationKey::Symbol),
        any::<u64>().prop_map(AnnotationKey::Ulong),
    ];
    let list = vec(short().prop_map(Value::String), 0..5).prop_map(Value::List);
    vec((key, prop_oneof![simple(), list]), 0..4).prop_map(distinct)
}

prop_compose! {
    fn any_message()(
        priority in option::of(any::<u8>()),
        annotations in any_annotations(),
        properties in option::of(any_properties()),
        application in option::of(vec((name(), simple()), 0..4).prop_map(distinct)),
        body in sections(),
    ) -> Message {
        let header = priority.map(|priority| Header { priority, ..Header::default() });
        Message { header, annotations, properties, application_properties: application, body }
    }
}

/// A delivery of what was stored, in any of its lives.
fn lives(stored: Delivery) -> [Delivery; 3] {
    let left = vec![("x-opt-a".to_owned(), Value::Uint(7))];
    let again = Delivery {
        count: 3,
        annotations: crate::convert::kept_annotations(&left),
        ..stored.clone()
    };
    let dead = dead(again.clone(), "orders", Some("why"));
    [stored, again, dead]
}

/// A client with its own limits takes it.
fn check_mbws(delivery: &Delivery) {
    for unit in [LengthUnit::CodePoints, LengthUnit::Octets, LengthUnit::Utf16] {
        let (kind, content) = mbws_content(delivery, unit).expect("there is always one");
        let mut frame = Vec::new();
        encode_message_header(kind, unit, &[&delivery.address], &mut frame);
        frame.extend_from_slice(&content);
        let decoded = decode(kind, unit, &frame, &Limits::of_client());
        assert!(matches!(decoded, Ok(Frame::Message(_))), "{decoded:?}");
    }
}

/// It is a message, and its bare part is always the same.
fn check_amqp(lives: &[Delivery]) {
    let mut bare = None;
    for delivery in lives {
        let message = amqp_payload(delivery).expect("there is always one").concat();
        let sections = Sections::scan(&message).expect("a message");
        let found = sections.bare().of(&message).to_vec();
        assert_eq!(bare.get_or_insert_with(|| found.clone()), &found);
        if delivery.count > 0 {
            let header = sections.decode_header(&message).unwrap().unwrap();
            assert!(header.delivery_count >= 3);
            let annotations = sections.decode_message_annotations(&message).unwrap();
            assert!(annotations.contains(&("x-opt-a".into(), Value::Uint(7))));
        }
    }
}

proptest! {
    #[test]
    fn any_mbws_message_comes_back(content in any_content()) {
        check_amqp(&lives(content.delivery()));
        let message = amqp_payload(&content.delivery()).unwrap().concat();
        let stored = amqp_stored(&message).unwrap().into_owned();
        let mut found = Content::of(&delivery(AMQP, stored), UNIT);
        let mut content = content;
        if distinct(content.properties.clone()) == content.properties {
            // Without repeated names the order means nothing.
            found.properties.sort_unstable();
            content.properties.sort_unstable();
        }
        prop_assert_eq!(found, content);
    }

    #[test]
    fn any_amqp_message_has_both_forms(message in any_message()) {
        let lives = lives(message.delivery());
        check_amqp(&lives);
        lives.iter().for_each(check_mbws);
    }

    /// Whatever was taken from its sender is delivered, with sections that nobody can read too.
    #[test]
    fn any_octets_that_are_taken_have_both_forms(
        message in any_message(), annotations in any_annotations(),
        at: prop::sample::Index, octets in vec(any::<u8>(), 0..3), cut: bool,
    ) {
        let mut damaged = body(|out| append_delivery_annotations(out, &annotations));
        damaged.extend_from_slice(&message.encode());
        append_footer(&mut damaged, &annotations);
        let at = at.index(damaged.len());
        let end = if cut { damaged.len() } else { damaged.len().min(at + octets.len()) };
        damaged.splice(at..end, octets);
        if let Ok(stored) = amqp_stored(&damaged) {
            let lives = lives(delivery(AMQP, stored.into_owned()));
            check_amqp(&lives);
            lives.iter().for_each(check_mbws);
        }
    }

    /// AMQP is the pivot: what an MBWS client sends on is what it was, as far as it could tell.
    #[test]
    fn any_amqp_message_goes_on_unchanged_for_mbws(message in any_message()) {
        let first = Content::of(&message.delivery(), UNIT);
        let again = Message::of(&first.delivery()).delivery();
        let mut second = Content::of(&again, UNIT);
        let mut first = first;
        first.properties.sort_unstable();
        second.properties.sort_unstable();
        prop_assert_eq!(first, second);
    }
}
