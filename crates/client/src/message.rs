//! What is sent and what is received.

use wharf_mbws::Kind;

/// A message to send. AMQP carries text as a string and binary as data, one address, and no
/// property twice; `reply-to`, `correlation-id`, `subject` and the other names that it defines are
/// its own properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where to: each address gets the message.
    pub addresses: Vec<String>,
    /// Text or binary; it is delivered as it was sent.
    pub kind: Kind,
    /// The MIME type of the body; may be empty.
    pub content_type: String,
    /// Names and values, kept in order.
    pub properties: Vec<(String, String)>,
    /// The body, UTF-8 if the kind is text.
    pub body: Vec<u8>,
}

impl Message {
    /// Text for one address.
    pub fn text(address: impl Into<String>, body: impl Into<String>) -> Self {
        Message::new(Kind::Text, address.into(), body.into().into_bytes())
    }

    /// Octets for one address.
    pub fn binary(address: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Message::new(Kind::Binary, address.into(), body.into())
    }

    fn new(kind: Kind, address: String, body: Vec<u8>) -> Self {
        let (content_type, properties) = (String::new(), Vec::new());
        Message { addresses: vec![address], kind, content_type, properties, body }
    }

    /// The same with a content type.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// The same with one more property.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }
}
