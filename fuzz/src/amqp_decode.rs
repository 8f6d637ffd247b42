//! AMQP's values, frames and messages: whatever is read means the same when it is written again
//! (AMQP parts 1 to 3 and 5.3).

use crate::script::Script;
use wharf_amqp::codec::{Composite, DecodeError, Reader};
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::frame::{FrameHeader, ProtocolHeader};
use wharf_amqp::messaging::{
    BodyKind, DeliveryState, Sections, Span, append_application_properties, append_data,
    append_delivery_annotations, append_footer, append_message_annotations, append_sequence,
    append_value,
};
use wharf_amqp::performative::Performative;
use wharf_amqp::sasl_frame::SaslFrame;
use wharf_amqp::value::Value;

/// Reads the first byte as what the rest is.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let octets = script.rest();
    match choice % 6 {
        0 => value(octets),
        1 => performative(octets),
        2 => sasl_frame(octets),
        3 => message(octets),
        4 => delivery_state(octets),
        _ => headers(octets),
    }
}

fn value(octets: &[u8]) {
    let skipped = Reader::new(octets).skip_value();
    let (value, len) = match Value::decode(octets) {
        Ok(read) => read,
        Err(error) => return check_error(error),
    };
    assert_eq!(skipped, Ok(&octets[..len]), "passed over as it is read");
    let mut written = Vec::new();
    value.encode(&mut written);
    assert_eq!(Value::decode(&written), Ok((value, written.len())));
}

fn performative(octets: &[u8]) {
    let (performative, len) = match Performative::decode(octets) {
        Ok(read) => read,
        Err(error) => return check_error(error),
    };
    assert!(len <= octets.len());
    let mut written = Vec::new();
    performative.encode(&mut written);
    let size = written.len();
    written.extend_from_slice(&octets[len..]);
    assert_eq!(Performative::decode(&written), Ok((performative, size)));
}

fn sasl_frame(octets: &[u8]) {
    let frame = match SaslFrame::decode(octets) {
        Ok(frame) => frame,
        Err(error) => return check_error(error),
    };
    let mut written = Vec::new();
    frame.encode(&mut written);
    assert_eq!(SaslFrame::decode(&written), Ok(frame));
}

fn delivery_state(octets: &[u8]) {
    let state = match DeliveryState::decode(octets) {
        Ok((state, _)) => state,
        Err(error) => return check_error(error),
    };
    let mut written = Vec::new();
    state.encode(&mut written);
    assert_eq!(DeliveryState::decode(&written), Ok((state, written.len())));
}

fn headers(octets: &[u8]) {
    match FrameHeader::parse(octets) {
        Ok(Some(header)) => {
            let size = header.body_start() + header.body_len();
            assert!(header.body_start() >= 8 && size == header.size as usize);
        }
        Ok(None) => assert!(octets.len() < 8),
        Err(error) => assert_eq!(error.condition(), Condition::ConnectionFramingError),
    }
    match ProtocolHeader::parse(octets) {
        Ok(Some(header)) => assert!(octets.starts_with(&header.octets())),
        Ok(None) => assert!(octets.len() < 8),
        Err(error) => assert_eq!(error.condition(), Condition::ConnectionFramingError),
    }
}

fn message(octets: &[u8]) {
    let sections = match Sections::scan(octets) {
        Ok(sections) => sections,
        Err(error) => return check_error(error),
    };
    check_spans(&sections, octets);
    // Sections with something wrong in them are left out.
    let mut written = Vec::new();
    let header = sections.decode_header(octets).ok().flatten();
    if let Some(header) = &header {
        header.encode(&mut written);
    }
    let delivery_annotations = sections.decode_delivery_annotations(octets).unwrap_or_default();
    append_delivery_annotations(&mut written, &delivery_annotations);
    let message_annotations = sections.decode_message_annotations(octets).unwrap_or_default();
    append_message_annotations(&mut written, &message_annotations);
    let properties = sections.decode_properties(octets).ok().flatten();
    if let Some(properties) = &properties {
        assert_eq!(sections.to(octets), Ok(properties.to.as_deref()));
        properties.encode(&mut written);
    }
    let application_properties = sections.decode_application_properties(octets).ok().flatten();
    if let Some(properties) = &application_properties {
        append_application_properties(&mut written, properties);
    }
    if append_body(&sections, octets, &mut written).is_err() {
        return;
    }
    let footer = sections.decode_footer(octets).ok().flatten();
    if let Some(footer) = &footer {
        append_footer(&mut written, footer);
    }
    let again = Sections::scan(&written).expect("what was written");
    check_spans(&again, &written);
    assert_eq!(again.decode_header(&written), Ok(header));
    assert_eq!(again.decode_delivery_annotations(&written), Ok(delivery_annotations));
    assert_eq!(again.decode_message_annotations(&written), Ok(message_annotations));
    assert_eq!(again.decode_properties(&written), Ok(properties));
    assert_eq!(again.decode_application_properties(&written), Ok(application_properties));
    assert_eq!(again.decode_footer(&written), Ok(footer));
    let counted = |sections: &Sections| sections.body.map(|body| (body.kind, body.count));
    assert_eq!(counted(&again), counted(&sections));
    let mut twice = Vec::new();
    append_body(&again, &written, &mut twice).expect("what was written");
    let body = again.body.map_or(&[][..], |body| body.span.of(&written));
    assert_eq!(twice, body, "the shortest form stays as it is");
}

fn append_body(sections: &Sections, octets: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let Some(body) = sections.body else { return Ok(()) };
    match body.kind {
        BodyKind::Data => {
            assert_eq!(body.data(octets).count(), body.count);
            body.data(octets).try_for_each(|data| data.map(|data| append_data(out, data)))
        }
        BodyKind::Sequence => {
            body.sequences(octets).try_for_each(|list| list.map(|list| append_sequence(out, &list)))
        }
        BodyKind::Value => body.value(octets).map(|value| append_value(out, &value)),
    }
}

/// Section follows section, from the first octet to the last.
fn check_spans(sections: &Sections, octets: &[u8]) {
    let spans = [
        sections.header,
        sections.delivery_annotations,
        sections.message_annotations,
        sections.properties,
        sections.application_properties,
        sections.body.map(|body| body.span),
        sections.footer,
    ];
    let mut end = 0;
    for Span { start, end: next } in spans.into_iter().flatten() {
        assert!(start == end && next > start);
        end = next;
    }
    assert_eq!(end, octets.len());
    assert!(sections.body.is_none_or(|body| body.count > 0));
}

/// An error can be told to the peer.
fn check_error(error: DecodeError) {
    let told = Error::from(error);
    assert!(matches!(told.condition, Condition::DecodeError | Condition::InvalidField));
    let mut out = Vec::new();
    told.encode(&mut out);
    assert!(out.len() < 255);
    assert_eq!(Error::decode(&out), Ok((told, out.len())));
}
