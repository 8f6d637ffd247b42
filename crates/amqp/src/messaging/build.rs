//! Appends the sections of a message (AMQP 3.2). [`Header`](super::Header) and
//! [`Properties`](super::Properties) are composites and append themselves.

use super::{Annotations, ApplicationProperties, descriptor};
use crate::codec::{wire, write};
use crate::value::Value;

/// Annotations for the next node (AMQP 3.2.2).
pub fn append_delivery_annotations(out: &mut Vec<u8>, annotations: &Annotations) {
    write::descriptor(out, descriptor::DELIVERY_ANNOTATIONS);
    wire::annotations::write(out, annotations);
}

/// Annotations for all nodes (AMQP 3.2.3).
pub fn append_message_annotations(out: &mut Vec<u8>, annotations: &Annotations) {
    write::descriptor(out, descriptor::MESSAGE_ANNOTATIONS);
    wire::annotations::write(out, annotations);
}

/// The application's own properties (AMQP 3.2.5).
pub fn append_application_properties(out: &mut Vec<u8>, properties: &ApplicationProperties) {
    write::descriptor(out, descriptor::APPLICATION_PROPERTIES);
    wire::application_properties::write(out, properties);
}

/// Octets, as one section of a body (AMQP 3.2.6).
pub fn append_data(out: &mut Vec<u8>, octets: &[u8]) {
    append_data_head(out, octets.len());
    out.extend_from_slice(octets);
}

/// What stands before `len` octets that are one section of a body; they are sent from elsewhere.
pub fn append_data_head(out: &mut Vec<u8>, len: usize) {
    write::descriptor(out, descriptor::DATA);
    write::binary_head(out, len);
}

/// A list, as one section of a body (AMQP 3.2.7).
pub fn append_sequence(out: &mut Vec<u8>, elements: &[Value]) {
    write::descriptor(out, descriptor::AMQP_SEQUENCE);
    write::list(out, elements);
}

/// A value, as the body (AMQP 3.2.8).
pub fn append_value(out: &mut Vec<u8>, value: &Value) {
    write::descriptor(out, descriptor::AMQP_VALUE);
    write::value(out, value);
}

/// What stands before `len` octets of UTF-8 that are a string, as the body (AMQP 3.2.8); they are sent
/// from elsewhere.
pub fn append_text_head(out: &mut Vec<u8>, len: usize) {
    write::descriptor(out, descriptor::AMQP_VALUE);
    write::string_head(out, len);
}

/// A footer (AMQP 3.2.9).
pub fn append_footer(out: &mut Vec<u8>, annotations: &Annotations) {
    write::descriptor(out, descriptor::FOOTER);
    wire::annotations::write(out, annotations);
}
