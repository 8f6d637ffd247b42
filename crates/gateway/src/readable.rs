//! A message for people and for programs that speak none of the protocols: what it says, whatever it
//! was sent by.

use crate::convert::{mbws_content, mbws_format};
use bytes::Bytes;
use std::sync::Arc;
use wharf_broker::{ConsumerId, Delivery, Message};
use wharf_mbws::{Kind, LengthUnit, content_from_stored, encode_content};

/// What a message says, by the mapping to MBWS.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Readable {
    /// Whether the body was sent as text.
    pub is_text: bool,
    /// Content type; empty if none was named.
    pub content_type: String,
    /// Properties, in the sender's order.
    pub properties: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Readable {
    /// Reads a delivery. One that cannot be read is its octets and nothing else.
    #[must_use]
    pub fn of(delivery: &Delivery) -> Self {
        // Why it died is told apart from what it says.
        let plain = Delivery { death: None, ..delivery.clone() };
        Self::read(&plain)
            .unwrap_or_else(|| Self { body: delivery.body.to_vec(), ..Self::default() })
    }

    fn read(delivery: &Delivery) -> Option<Self> {
        let (kind, content) = mbws_content(delivery, LengthUnit::Octets)?;
        let content = content_from_stored(kind, LengthUnit::Octets, &content).ok()?;
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Some(Self {
            is_text: kind == Kind::Text,
            content_type: content.content_type().to_owned(),
            properties: content.properties().map(owned).collect(),
            body: content.body().to_vec(),
        })
    }

    /// The message that says this, as MBWS stores it. `None` if the body is text that is not UTF-8,
    /// or a part cannot be said.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        let kind = if self.is_text { Kind::Text } else { Kind::Binary };
        let unit = LengthUnit::Octets;
        let properties: Vec<(&str, &str)> =
            self.properties.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut out = Vec::with_capacity(self.body.len().saturating_add(64));
        let properties = properties.into_iter();
        encode_content(kind, unit, &self.content_type, properties, &self.body, &mut out).ok()?;
        Some(Message { format: mbws_format(kind, unit), body: Bytes::from(out) })
    }
}

/// The value of one property of a stored message, by the mapping to MBWS; the first, if the name
/// repeats. A message in which the name does not occur at all is not taken apart.
#[must_use]
pub fn property_of(format: u8, body: &Bytes, name: &str) -> Option<String> {
    if name.is_empty() || !body.windows(name.len()).any(|octets| octets == name.as_bytes()) {
        return None;
    }
    let delivery = Delivery {
        seq: 0,
        consumer: ConsumerId(0),
        address: Arc::from(""),
        format,
        body: body.clone(),
        count: 0,
        death: None,
        annotations: None,
    };
    let properties = Readable::read(&delivery)?.properties;
    properties.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::{Arc, ConsumerId, Delivery, Readable, property_of};

    #[test]
    fn what_is_said_is_read() {
        for (is_text, body) in [(true, "grüße".as_bytes()), (false, b"\x00\xff".as_slice())] {
            let said = Readable {
                is_text,
                content_type: "text/plain".to_owned(),
                properties: vec![("a".to_owned(), "b".to_owned())],
                body: body.to_vec(),
            };
            let message = said.clone().into_message().unwrap();
            let delivery = Delivery {
                seq: 1,
                consumer: ConsumerId(0),
                address: Arc::from("in"),
                format: message.format,
                body: message.body,
                count: 0,
                death: None,
                annotations: None,
            };
            assert_eq!(Readable::of(&delivery), said);
            let unknown = Delivery { format: 0, ..delivery };
            assert_eq!(Readable::of(&unknown).body, unknown.body);
        }
    }

    #[test]
    fn one_property_is_found() {
        let said = |properties: &[(&str, &str)], body: &str| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let properties = properties.iter().map(owned).collect();
            let readable = Readable { properties, body: body.into(), ..Readable::default() };
            let message = readable.into_message().unwrap();
            property_of(message.format, &message.body, "trace")
        };
        assert_eq!(said(&[("x", "trace"), ("trace", "1"), ("trace", "2")], ""), Some("1".into()));
        assert_eq!(said(&[("x", "y")], "trace"), None);
        assert_eq!(said(&[("tracer", "1")], ""), None);
        assert_eq!(property_of(0, &b"trace"[..].into(), "trace"), None);
    }
}
