//! Where the sections of an encoded message are (AMQP 3.2).

use crate::codec::DecodeError;

/// A range of octets in an encoded message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first octet.
    pub start: usize,
    /// One past the last octet.
    pub end: usize,
}

/// The ranges of the sections of one encoded message, found without decoding any of them. Each
/// range holds the whole section with its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    /// AMQP 3.2.1.
    pub header: Option<Span>,
    /// AMQP 3.2.2.
    pub delivery_annotations: Option<Span>,
    /// AMQP 3.2.3.
    pub message_annotations: Option<Span>,
    /// AMQP 3.2.4.
    pub properties: Option<Span>,
    /// AMQP 3.2.5.
    pub application_properties: Option<Span>,
    /// AMQP 3.2.6 to 3.2.8.
    pub body: Body,
    /// AMQP 3.2.9.
    pub footer: Option<Span>,
}

/// The body of a message: one section or several of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// What the sections are.
    pub kind: BodyKind,
    /// All of them together.
    pub span: Span,
    /// How many there are, at least one.
    pub count: usize,
}

/// The three kinds of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// Sections of octets (AMQP 3.2.6).
    Data,
    /// Sections of lists (AMQP 3.2.7).
    Sequence,
    /// One section with one value (AMQP 3.2.8).
    Value,
}
