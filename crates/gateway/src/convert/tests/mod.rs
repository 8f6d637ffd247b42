//! The rows of the mapping table, each way, there and back, and for any message.

mod any;
mod back;
mod to_amqp;
mod to_mbws;
mod xmpp;

use super::{AMQP, amqp_payload, amqp_stored, mbws_content, mbws_format};
use bytes::Bytes;
use std::sync::Arc;
use wharf_amqp::codec::Composite;
use wharf_amqp::messaging::{
    Annotations, ApplicationProperties, Header, Properties, Sections,
    append_application_properties, append_message_annotations,
};
use wharf_amqp::value::Value;
use wharf_broker::{ConsumerId, Death, DeathReason, Delivery};
use wharf_mbws::{Kind, LengthUnit, content_from_stored, encode_content};

const UNIT: LengthUnit = LengthUnit::CodePoints;

/// MBWS content, taken apart.
#[derive(Clone, Debug, PartialEq)]
struct Content {
    kind: Kind,
    content_type: String,
    properties: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An AMQP message, taken apart; the body is its sections.
#[derive(Clone, Debug, Default, PartialEq)]
struct Message {
    header: Option<Header>,
    annotations: Annotations,
    properties: Option<Properties>,
    application_properties: Option<ApplicationProperties>,
    body: Vec<u8>,
}

fn content(kind: Kind, content_type: &str, properties: &[(&str, &str)], body: &[u8]) -> Content {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let properties = properties.iter().map(owned).collect();
    Content { kind, content_type: content_type.to_owned(), properties, body: body.to_vec() }
}

fn text(properties: &[(&str, &str)], body: &str) -> Content {
    content(Kind::Text, "", properties, body.as_bytes())
}

fn binary(content_type: &str, properties: &[(&str, &str)], body: &[u8]) -> Content {
    content(Kind::Binary, content_type, properties, body)
}

/// Sections of a body, by what appends them.
fn body(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out);
    out
}

fn properties(put: impl FnOnce(&mut Properties)) -> Option<Properties> {
    let mut properties = Properties::default();
    put(&mut properties);
    Some(properties)
}

fn application(pairs: &[(&str, &str)]) -> Option<ApplicationProperties> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::from(*value));
    Some(pairs.iter().map(owned).collect())
}

fn delivery(format: u8, body: Vec<u8>) -> Delivery {
    Delivery {
        seq: 1,
        consumer: ConsumerId(0),
        address: Arc::from("orders"),
        format,
        body: Bytes::from(body),
        count: 0,
        death: None,
        annotations: None,
    }
}

/// `to` died at `address`, which is where it was sent.
fn dead(delivery: Delivery, address: &str, detail: Option<&str>) -> Delivery {
    let detail = detail.map(str::to_owned);
    let death = Death { reason: DeathReason::Rejected, address: address.to_owned(), detail };
    Delivery { address: Arc::from("wharf/dead-letter"), death: Some(Arc::new(death)), ..delivery }
}

impl Content {
    fn encode(&self, unit: LengthUnit) -> Vec<u8> {
        let Self { kind, content_type, properties, body } = self;
        let properties: Vec<(&str, &str)> =
            properties.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut out = Vec::new();
        encode_content(*kind, unit, content_type, properties.into_iter(), body, &mut out).unwrap();
        out
    }

    fn delivery(&self) -> Delivery {
        delivery(mbws_format(self.kind, UNIT), self.encode(UNIT))
    }

    /// What an MBWS client makes of a delivery.
    fn of(delivery: &Delivery, unit: LengthUnit) -> Self {
        let (kind, octets) = mbws_content(delivery, unit).expect("there is always one");
        let content = content_from_stored(kind, unit, &octets).expect("valid content");
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            kind,
            content_type: content.content_type().to_owned(),
            properties: content.properties().map(owned).collect(),
            body: content.body().to_vec(),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.properties.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Message {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(header) = &self.header {
            header.encode(&mut out);
        }
        if !self.annotations.is_empty() {
            append_message_annotations(&mut out, &self.annotations);
        }
        if let Some(properties) = &self.properties {
            properties.encode(&mut out);
        }
        if let Some(properties) = &self.application_properties {
            append_application_properties(&mut out, properties);
        }
        out.extend_from_slice(&self.body);
        out
    }

    fn delivery(&self) -> Delivery {
        delivery(AMQP, amqp_stored(&self.encode()).expect("fit").into_owned())
    }

    /// What an AMQP client makes of a delivery.
    fn of(delivery: &Delivery) -> Self {
        Self::decode(&amqp_payload(delivery).expect("there is always one").concat())
    }

    fn decode(message: &[u8]) -> Self {
        let sections = Sections::scan(message).expect("a message");
        Self {
            header: sections.decode_header(message).unwrap(),
            annotations: sections.decode_message_annotations(message).unwrap(),
            properties: sections.decode_properties(message).unwrap(),
            application_properties: sections.decode_application_properties(message).unwrap(),
            body: sections.body.map(|body| body.span.of(message).to_vec()).unwrap_or_default(),
        }
    }
}
