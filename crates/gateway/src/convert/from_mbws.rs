//! MBWS content as AMQP sections.

use super::amqp::{leave_annotations, put};
use super::from_amqp::is_sections_of_body;
use super::properties::symbol;
use super::{BODY_CONTENT_TYPE, BODY_TYPE, MBWS_CONTENT_TYPE, MBWS_PROPERTIES, properties};
use bytes::Bytes;
use std::collections::BTreeSet;
use wharf_amqp::codec::Composite;
use wharf_amqp::messaging::{
    Annotations, ApplicationProperties, Header, Properties, append_application_properties,
    append_data_head, append_message_annotations, append_text_head,
};
use wharf_amqp::value::Value;
use wharf_broker::Delivery;
use wharf_mbws::{Content, Kind, LengthUnit, content_from_stored};

/// The parts of an AMQP message that MBWS content becomes, without its body.
#[derive(Debug, Default)]
struct Parts {
    annotations: Annotations,
    properties: Properties,
    application_properties: ApplicationProperties,
}

/// A delivery of MBWS content as AMQP sections: those before the body, and the body, of which
/// nothing is copied. `None` if the content cannot be read.
pub(super) fn payload(delivery: &Delivery, kind: Kind, unit: LengthUnit) -> Option<[Bytes; 2]> {
    let content = content_from_stored(kind, unit, &delivery.body).ok()?;
    let body = content.body();
    let sections_of_body =
        kind == Kind::Binary && content.content_type() == BODY_TYPE && is_sections_of_body(body);
    let mut parts = parts_of(delivery, &content, sections_of_body);
    leave_annotations(&mut parts.annotations, delivery);
    let mut head = Vec::with_capacity(128);
    parts.encode(delivery.count, &mut head);
    match kind {
        _ if sections_of_body => {}
        Kind::Text => append_text_head(&mut head, body.len()),
        Kind::Binary => append_data_head(&mut head, body.len()),
    }
    let body_at = delivery.body.len().saturating_sub(body.len());
    Some([Bytes::from(head), delivery.body.slice(body_at..)])
}

fn parts_of(delivery: &Delivery, content: &Content<'_>, sections_of_body: bool) -> Parts {
    let mut parts = Parts::default();
    // The address it was sent to, which the bare message keeps wherever it goes (AMQP 3.2.4).
    let died = delivery.death.as_ref().map(|death| &*death.address);
    let to = died.filter(|address| !address.is_empty()).unwrap_or(&delivery.address);
    parts.properties.to = Some(to.to_owned());
    let content_type = content.content_type();
    if !content_type.is_empty() && !sections_of_body {
        parts.properties.content_type = symbol(content_type);
        if parts.properties.content_type.is_none() {
            put(&mut parts.annotations, MBWS_CONTENT_TYPE.into(), Value::from(content_type));
        }
    }
    // MBWS-A18.
    let mut names = BTreeSet::new();
    let mut repeats = false;
    for (name, value) in content.properties() {
        if names.insert(name) {
            parts.put(name, value, sections_of_body);
        } else {
            repeats = true;
        }
    }
    if repeats {
        let pairs = content.properties().flat_map(|(name, value)| [name, value]);
        let pairs = Value::List(pairs.map(Value::from).collect());
        put(&mut parts.annotations, MBWS_PROPERTIES.into(), pairs);
    }
    parts
}

impl Parts {
    fn put(&mut self, name: &str, value: &str, sections_of_body: bool) {
        if sections_of_body && name == BODY_CONTENT_TYPE && value.is_ascii() {
            self.properties.content_type = symbol(value);
        } else if !properties::put(&mut self.properties, name, value) {
            self.application_properties.push((name.to_owned(), Value::from(value)));
        }
    }

    fn encode(&self, count: u16, out: &mut Vec<u8>) {
        let delivery_count = u32::from(count);
        Header { durable: true, delivery_count, ..Header::default() }.encode(out);
        if !self.annotations.is_empty() {
            append_message_annotations(out, &self.annotations);
        }
        self.properties.encode(out);
        if !self.application_properties.is_empty() {
            append_application_properties(out, &self.application_properties);
        }
    }
}
