//! Messages as AMQP sections, both ways (AMQP 3.2). Text is a value that is a string, binary is
//! data.

use std::sync::LazyLock;

use bytes::Bytes;
use wharf_amqp::codec::{Composite, DecodeError, write};
use wharf_amqp::messaging::{
    AnnotationKey, Body, BodyKind, Header, Properties, Sections, append_application_properties,
    append_data_head, append_message_annotations,
};
use wharf_amqp::value::Value;

use super::named;
use crate::delivery::Facts;
use crate::{Error, Kind, Message};

/// Bodies above this are not copied behind their head, but sent from where they are.
const COPIED_MAX_BYTES: usize = 4096;

/// Descriptor of a body that is one value (AMQP 3.2.8).
const AMQP_VALUE: u8 = 0x77;

/// Annotation of a message that may have been sent before.
const SENT_AGAIN: &str = "x-opt-wharf-sent-again";

/// The header of every message: it is to survive a restart of the broker.
static HEADER: LazyLock<Bytes> = LazyLock::new(|| {
    let mut out = Vec::new();
    Header { durable: true, ..Header::default() }.encode(&mut out);
    Bytes::from(out)
});

/// The header, and after it the annotation that says that this may be a repetition.
static HEADER_AGAIN: LazyLock<Bytes> = LazyLock::new(|| {
    let mut out = HEADER.to_vec();
    let annotation = (AnnotationKey::from(SENT_AGAIN), Value::Bool(true));
    append_message_annotations(&mut out, &vec![annotation]);
    Bytes::from(out)
});

/// An encoded message, in parts.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    /// Everything but the header, up to the body or with it.
    head: Bytes,
    /// A long body.
    body: Bytes,
}

impl Encoded {
    pub(super) fn len(&self) -> usize {
        HEADER.len().saturating_add(self.head.len()).saturating_add(self.body.len())
    }

    /// The parts to send, saying if it may be a repetition.
    pub(super) fn payload(&self, again: bool) -> [Bytes; 2] {
        let header = if again { &HEADER_AGAIN } else { &HEADER };
        if self.body.is_empty() {
            return [Bytes::clone(header), self.head.clone()];
        }
        [Bytes::from([&header[..], &self.head].concat()), self.body.clone()]
    }
}

/// Encodes a message: its one address, and the rest.
pub(super) fn encode(message: Message) -> Result<(String, Encoded), Error> {
    let Message { addresses, kind, content_type, properties, body } = message;
    let [address]: [String; 1] =
        addresses.try_into().map_err(|_| Error::NotInProtocol("one address for each message"))?;
    let mut head = Vec::with_capacity(64 + body.len().min(COPIED_MAX_BYTES));
    if !content_type.is_ascii() {
        return Err(Error::NotInProtocol("content types in ASCII alone"));
    }
    encode_properties(&mut head, content_type, properties)?;
    match kind {
        Kind::Text => {
            std::str::from_utf8(&body).map_err(|_| Error::NotText)?;
            write::descriptor(&mut head, AMQP_VALUE);
            write::string_head(&mut head, body.len());
        }
        Kind::Binary => append_data_head(&mut head, body.len()),
    }
    if body.len() > COPIED_MAX_BYTES {
        return Ok((address, Encoded { head: head.into(), body: body.into() }));
    }
    head.extend_from_slice(&body);
    Ok((address, Encoded { head: head.into(), body: Bytes::new() }))
}

/// The properties that AMQP knows, and those of the application.
fn encode_properties(
    head: &mut Vec<u8>,
    content_type: String,
    properties: Vec<(String, String)>,
) -> Result<(), Error> {
    let mut names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Error::NotInProtocol("no property twice in one message"));
    }
    let content_type = Some(content_type).filter(|it| !it.is_empty());
    let mut known = Properties { content_type, ..Properties::default() };
    let mut own = Vec::new();
    for (name, text) in properties {
        if !named::put(&mut known, &name, &text) {
            own.push((name, Value::String(text)));
        }
    }
    if known != Properties::default() {
        known.encode(head);
    }
    if !own.is_empty() {
        append_application_properties(head, &own);
    }
    Ok(())
}

/// Decodes a received message, which came from `address`.
pub(super) fn decode(address: &str, octets: &[u8]) -> Result<(Message, Facts), DecodeError> {
    let sections = Sections::scan(octets)?;
    let header = sections.decode_header(octets)?.unwrap_or_default();
    let annotations = sections.decode_message_annotations(octets)?;
    let again = AnnotationKey::from(SENT_AGAIN);
    let sent_again = annotations.contains(&(again, Value::Bool(true)));
    let mut known = sections.decode_properties(octets)?.unwrap_or_default();
    let content_type = known.content_type.take().unwrap_or_default();
    let own = sections.decode_application_properties(octets)?.unwrap_or_default();
    let own = own.into_iter().map(|(name, value)| (name, named::of_value(&value)));
    // AMQP 3.2: some send none.
    let body = sections.body.map(|body| read_body(body, octets)).transpose()?;
    let (kind, body) = body.unwrap_or((Kind::Binary, Vec::new()));
    let message = Message {
        addresses: vec![address.to_owned()],
        kind,
        content_type,
        properties: named::texts(known).chain(own).collect(),
        body,
    };
    let failed_attempts = header.delivery_count;
    Ok((message, Facts { outcomes: true, failed_attempts, sent_again }))
}

/// Strings are text, data and binary values are octets; of other values, their encoding.
fn read_body(body: Body, octets: &[u8]) -> Result<(Kind, Vec<u8>), DecodeError> {
    Ok(match body.kind {
        BodyKind::Data => {
            let mut all = Vec::new();
            for section in body.data(octets) {
                all.extend_from_slice(section?);
            }
            (Kind::Binary, all)
        }
        BodyKind::Value => match body.value(octets)? {
            Value::String(text) => (Kind::Text, text.into_bytes()),
            Value::Binary(octets) => (Kind::Binary, octets),
            Value::Null => (Kind::Binary, Vec::new()),
            _ => (Kind::Binary, body.value_octets(octets)?.to_vec()),
        },
        BodyKind::Sequence => (Kind::Binary, body.span.of(octets).to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(message: &Message, again: bool) -> Vec<u8> {
        let (_, encoded) = encode(message.clone()).unwrap();
        let octets = encoded.payload(again).concat();
        if !again {
            assert_eq!(octets.len(), encoded.len());
        }
        octets
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let long = "\u{2713}".repeat(COPIED_MAX_BYTES);
        for message in [
            Message::text("a", ""),
            Message::text("a", long.clone()).with_content_type("text/plain"),
            Message::binary("a", [0xff, 0]).with_property("k", "v").with_property("l", ""),
            Message::text("a", "").with_property("reply-to", "b").with_property("k", "v"),
            Message::binary("a", long.into_bytes()),
        ] {
            for again in [false, true] {
                let (decoded, facts) = decode("a", &sent(&message, again)).unwrap();
                assert_eq!(decoded, message);
                assert_eq!(facts, Facts { outcomes: true, failed_attempts: 0, sent_again: again });
            }
        }
    }

    #[test]
    fn what_amqp_cannot_carry_is_named() {
        let mut many = Message::text("a", "");
        many.addresses.push("b".to_owned());
        let mut none = Message::text("a", "");
        none.addresses.clear();
        let mut not_text = Message::text("a", "");
        not_text.body = vec![0xff];
        let repeated = Message::text("a", "").with_property("k", "1").with_property("k", "2");
        let foreign = Message::text("a", "").with_content_type("\u{e9}");
        for message in [many, none, repeated, foreign] {
            assert!(matches!(encode(message), Err(Error::NotInProtocol(_))));
        }
        assert!(matches!(encode(not_text), Err(Error::NotText)));
    }

    #[test]
    fn what_others_send_is_read_as_far_as_it_can_be() {
        let value = |value: Value| {
            let mut out = Vec::new();
            let properties = [("n", Value::Int(-1)), ("b", Value::Bool(true)), ("s", "x".into())];
            let properties = properties.map(|(name, value)| (name.to_owned(), value)).to_vec();
            append_application_properties(&mut out, &properties);
            wharf_amqp::messaging::append_value(&mut out, &value);
            decode("a", &out).unwrap().0
        };
        let pairs = |message: Message| message.properties.into_iter().map(|(_, v)| v).collect();
        let texts: Vec<String> = pairs(value(Value::Null));
        assert_eq!(texts, ["-1", "true", "x"]);
        assert_eq!(value(Value::Binary(vec![1])).body, [1]);
        assert_eq!(value(Value::Ubyte(7)).body, [0x50, 7]);
        let mut chunks = Vec::new();
        for chunk in [b"ab", b"cd"] {
            wharf_amqp::messaging::append_data(&mut chunks, chunk);
        }
        assert_eq!(decode("a", &chunks).unwrap().0.body, b"abcd");
        assert_eq!(decode("a", b"").unwrap().0.body, b"");
        assert!(decode("a", b"junk").is_err());
    }
}
