//! What is sent and what is received.

use tokio::sync::mpsc::UnboundedSender;
use wharf_mbws::{Kind, Message as Received};

use crate::session::Control;

/// A message to send.
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

/// A received message. It stays with this client until [`Delivery::ack`]; the protocol
/// acknowledges in order, so one that is dropped without it holds back those after it.
#[derive(Debug)]
pub struct Delivery {
    message: Message,
    ticket: Ticket,
    controls: UnboundedSender<Control>,
}

/// Names one delivery: numbers begin again with each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) generation: u64,
    pub(crate) seq: u64,
}

impl Delivery {
    pub(crate) fn new(
        kind: Kind,
        received: &Received<'_>,
        ticket: Ticket,
        controls: UnboundedSender<Control>,
    ) -> Self {
        let content = &received.content;
        let properties = content.properties().map(|(name, value)| (name.into(), value.into()));
        let message = Message {
            addresses: received.addresses.iter().map(str::to_owned).collect(),
            kind,
            content_type: content.content_type().to_owned(),
            properties: properties.collect(),
            body: content.body().to_vec(),
        };
        Delivery { message, ticket, controls }
    }

    /// The address it comes from.
    pub fn address(&self) -> &str {
        self.message.addresses.first().map_or("", String::as_str)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.message.body
    }

    /// Everything that was sent, with the address it comes from.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The number of this delivery on its connection.
    pub fn seq(&self) -> u64 {
        self.ticket.seq
    }

    /// The application has taken the message: the broker may forget it. Gives the message.
    // MBWS-A11
    pub fn ack(self) -> Message {
        // If the client has ended there is nobody to tell; the broker delivers the message again.
        let _ = self.controls.send(Control::Acknowledge(self.ticket));
        self.message
    }
}
