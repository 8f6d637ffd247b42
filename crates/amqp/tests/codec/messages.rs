//! The sections of messages are found, and hold what was put into them.

use crate::arbitrary::{annotations, application_properties, header, octets, properties, value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wharf_amqp::codec::Composite;
use wharf_amqp::messaging::{
    Annotations, ApplicationProperties, BodyKind, Header, Properties, Sections, Span,
    append_application_properties, append_data, append_data_head, append_delivery_annotations,
    append_footer, append_message_annotations, append_sequence, append_text_head, append_value,
};
use wharf_amqp::value::Value;

#[derive(Clone, Debug)]
enum Body {
    None,
    Data(Vec<Vec<u8>>),
    Sequence(Vec<Vec<Value>>),
    Value(Value),
}

#[derive(Clone, Debug)]
struct Message {
    header: Option<Header>,
    delivery_annotations: Option<Annotations>,
    message_annotations: Option<Annotations>,
    properties: Option<Properties>,
    application_properties: Option<ApplicationProperties>,
    body: Body,
    footer: Option<Annotations>,
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        Just(Body::None),
        vec(octets(), 1..4).prop_map(Body::Data),
        vec(vec(value(), 0..3), 1..4).prop_map(Body::Sequence),
        value().prop_map(Body::Value),
    ]
}

prop_compose! {
    fn message()(
        header in option::of(header()),
        delivery_annotations in option::of(annotations()),
        message_annotations in option::of(annotations()),
        properties in option::of(properties()),
        application_properties in option::of(application_properties()),
        body in body(),
        footer in option::of(annotations()),
    ) -> Message {
        Message {
            header, delivery_annotations, message_annotations, properties, application_properties,
            body, footer,
        }
    }
}

impl Message {
    /// The encoding, and where each section ends.
    fn encode(&self) -> (Vec<u8>, Vec<usize>) {
        let mut out = Vec::new();
        let mut ends = Vec::new();
        let mut section = |put: &dyn Fn(&mut Vec<u8>)| {
            put(&mut out);
            ends.push(out.len());
        };
        if let Some(header) = &self.header {
            section(&|out| header.encode(out));
        }
        if let Some(annotations) = &self.delivery_annotations {
            section(&|out| append_delivery_annotations(out, annotations));
        }
        if let Some(annotations) = &self.message_annotations {
            section(&|out| append_message_annotations(out, annotations));
        }
        if let Some(properties) = &self.properties {
            section(&|out| properties.encode(out));
        }
        if let Some(properties) = &self.application_properties {
            section(&|out| append_application_properties(out, properties));
        }
        match &self.body {
            Body::None => {}
            Body::Data(data) => data.iter().for_each(|data| section(&|out| append_data(out, data))),
            Body::Sequence(lists) => {
                lists.iter().for_each(|list| section(&|out| append_sequence(out, list)));
            }
            Body::Value(value) => section(&|out| append_value(out, value)),
        }
        if let Some(footer) = &self.footer {
            section(&|out| append_footer(out, footer));
        }
        (out, ends)
    }

    fn check(&self, octets: &[u8]) {
        let sections = Sections::scan(octets).expect("a message");
        assert_eq!(sections.decode_header(octets), Ok(self.header.clone()));
        let delivery_annotations = self.delivery_annotations.clone().unwrap_or_default();
        assert_eq!(sections.decode_delivery_annotations(octets), Ok(delivery_annotations));
        let message_annotations = self.message_annotations.clone().unwrap_or_default();
        assert_eq!(sections.decode_message_annotations(octets), Ok(message_annotations));
        assert_eq!(sections.decode_properties(octets), Ok(self.properties.clone()));
        let to = self.properties.as_ref().and_then(|properties| properties.to.as_deref());
        assert_eq!(sections.to(octets), Ok(to));
        let application_properties = self.application_properties.clone();
        assert_eq!(sections.decode_application_properties(octets), Ok(application_properties));
        assert_eq!(sections.decode_footer(octets), Ok(self.footer.clone()));
        let body = sections.body.map(|body| (body.kind, body.count));
        match &self.body {
            Body::None => assert_eq!(body, None),
            Body::Data(data) => {
                assert_eq!(body, Some((BodyKind::Data, data.len())));
                let found: Result<Vec<&[u8]>, _> = body_of(&sections).data(octets).collect();
                assert_eq!(found.expect("data"), *data);
            }
            Body::Sequence(lists) => {
                assert_eq!(body, Some((BodyKind::Sequence, lists.len())));
                let found: Result<Vec<Vec<Value>>, _> =
                    body_of(&sections).sequences(octets).collect();
                assert_eq!(found.as_ref(), Ok(lists));
            }
            Body::Value(value) => {
                assert_eq!(body, Some((BodyKind::Value, 1)));
                assert_eq!(body_of(&sections).value(octets).as_ref(), Ok(value));
            }
        }
    }
}

fn body_of(sections: &Sections) -> wharf_amqp::messaging::Body {
    sections.body.expect("a body")
}

proptest! {
    // A message is made of everything else, and takes a while to make.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_put_into_a_message_is_found(message in message()) {
        let (octets, ends) = message.encode();
        message.check(&octets);
        for end in (1..octets.len()).filter(|end| !ends.contains(end)) {
            prop_assert!(Sections::scan(&octets[..end]).is_err(), "cut off at {}", end);
        }
    }

    #[test]
    fn the_bare_message_is_what_no_node_changes(message in message()) {
        let (octets, _) = message.encode();
        let sections = Sections::scan(&octets).expect("a message");
        let bare = Message {
            header: None,
            delivery_annotations: None,
            message_annotations: None,
            footer: None,
            ..message
        };
        prop_assert_eq!(sections.bare().of(&octets), bare.encode().0);
    }

    #[test]
    fn damaged_messages_do_no_harm(
        message in message(), at: prop::sample::Index, octet: u8,
    ) {
        let (mut octets, _) = message.encode();
        prop_assume!(!octets.is_empty());
        let at = at.index(octets.len());
        octets[at] = octet;
        if let Ok(sections) = Sections::scan(&octets) {
            let _ = sections.decode_header(&octets);
            let _ = sections.decode_delivery_annotations(&octets);
            let _ = sections.decode_message_annotations(&octets);
            let _ = sections.decode_properties(&octets);
            let _ = sections.decode_application_properties(&octets);
            let _ = sections.decode_footer(&octets);
            if let Some(body) = sections.body {
                prop_assert!(body.data(&octets).count() <= body.count);
                prop_assert!(body.sequences(&octets).count() <= body.count);
                let _ = body.value(&octets);
            }
            prop_assert!(sections.bare().of(&octets).len() <= octets.len());
        }
    }
}

#[test]
fn a_section_can_be_taken_out_and_put_in() {
    // AMQP 3.2: the header and the annotations change on the way, the bare message does not.
    let mut octets = Vec::new();
    Header { durable: true, ..Header::default() }.encode(&mut octets);
    append_message_annotations(&mut octets, &vec![("x-opt-a".into(), Value::Uint(1))]);
    append_value(&mut octets, &Value::from("body"));
    let sections = Sections::scan(&octets).expect("a message");
    let mut changed = Vec::new();
    Header { durable: true, delivery_count: 1, ..Header::default() }.encode(&mut changed);
    changed.extend_from_slice(sections.message_annotations.expect("annotations").of(&octets));
    changed.extend_from_slice(sections.bare().of(&octets));
    let sections = Sections::scan(&changed).expect("a message");
    let header = sections.decode_header(&changed).expect("valid").expect("a header");
    assert_eq!((header.durable, header.delivery_count), (true, 1));
    assert_eq!(body_of(&sections).value(&changed), Ok(Value::from("body")));
}

/// The standard wants a body; some senders of an empty message leave it out.
#[test]
fn the_bare_message_of_a_message_without_a_body_has_a_place() {
    let header = |out: &mut Vec<u8>| Header { durable: true, ..Header::default() }.encode(out);
    let annotations = vec![("x-opt-a".into(), Value::Uint(1))];
    let mut octets = Vec::new();
    assert_eq!(Sections::scan(b"").expect("nothing at all").bare(), Span { start: 0, end: 0 });
    header(&mut octets);
    append_delivery_annotations(&mut octets, &annotations);
    append_message_annotations(&mut octets, &annotations);
    let start = octets.len();
    let bare = Sections::scan(&octets).expect("a message").bare();
    assert_eq!(bare, Span { start, end: start });
    append_footer(&mut octets, &annotations);
    let bare = Sections::scan(&octets).expect("a message").bare();
    assert_eq!(bare, Span { start, end: start });
    octets.truncate(start);
    append_application_properties(&mut octets, &vec![("a".to_owned(), Value::Uint(1))]);
    let end = octets.len();
    append_footer(&mut octets, &annotations);
    let bare = Sections::scan(&octets).expect("a message").bare();
    assert_eq!(bare, Span { start, end });
}

#[test]
fn a_body_can_be_sent_from_elsewhere() {
    for len in [0, 255, 256] {
        let data = vec![b'7'; len];
        let (mut whole, mut head) = (Vec::new(), Vec::new());
        append_data(&mut whole, &data);
        append_data_head(&mut head, len);
        assert_eq!([&head[..], &data].concat(), whole);
        let (mut whole, mut head) = (Vec::new(), Vec::new());
        append_value(&mut whole, &Value::String("7".repeat(len)));
        append_text_head(&mut head, len);
        assert_eq!([&head[..], &data].concat(), whole);
    }
}

#[test]
fn ranges_of_another_message_are_empty() {
    let (long, short) = (message_of(100), message_of(1));
    let sections = Sections::scan(&long).expect("a message");
    assert_eq!(body_of(&sections).span.of(&short), b"");
    assert!(body_of(&sections).value(&short).is_err());
}

fn message_of(len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    append_data(&mut out, &vec![0; len]);
    out
}
