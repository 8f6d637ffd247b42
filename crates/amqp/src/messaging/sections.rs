//! Where the sections of an encoded message are, and what is in them (AMQP 3.2).

use super::{Annotations, ApplicationProperties, Header, Properties, descriptor};
use crate::codec::{Composite, DecodeError, Reader, code, wire};

/// A range of octets in an encoded message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first octet.
    pub start: usize,
    /// One past the last octet.
    pub end: usize,
}

impl Span {
    /// These octets of `message`; none if it is shorter than what was scanned.
    #[inline]
    pub fn of(self, message: &[u8]) -> &[u8] {
        message.get(self.start..self.end).unwrap_or_default()
    }
}

/// The ranges of the sections of one encoded message, found without decoding any of them. Each
/// range holds the whole section with its descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// AMQP 3.2.6 to 3.2.8. The standard wants one; senders of an empty message leave it out, and
    /// that is taken.
    pub body: Option<Body>,
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

impl Sections {
    /// Finds the sections of `message`. Lists, maps and values are passed over by their sizes; what
    /// is in them is checked when they are decoded.
    ///
    /// # Errors
    /// If the message is not what AMQP 3.2 says: every section at most once and in order.
    pub fn scan(message: &[u8]) -> Result<Sections, DecodeError> {
        let mut found = Sections::default();
        let mut reader = Reader::new(message);
        let mut last = 0;
        while !reader.is_empty() {
            let start = message.len().saturating_sub(reader.rest().len());
            let code = descriptor::code_of(reader.descriptor()?)?;
            check_type(code, reader.peek())?;
            reader.skip_value()?;
            let end = message.len().saturating_sub(reader.rest().len());
            check_order(last, code)?;
            last = code;
            found.put(code, Span { start, end });
        }
        Ok(found)
    }

    /// The bare message: what no node on the way may change (AMQP 3.2). Where it would be, if it has
    /// no section.
    pub fn bare(&self) -> Span {
        let before = [self.header, self.delivery_annotations, self.message_annotations];
        let body = self.body.map(|body| body.span);
        let bare = [self.properties, self.application_properties, body];
        let end_of = |sections: [Option<Span>; 3]| sections.into_iter().flatten().last();
        let start = end_of(before).map_or(0, |section| section.end);
        Span { start, end: end_of(bare).map_or(start, |section| section.end) }
    }

    /// Decodes the header.
    ///
    /// # Errors
    /// If it is not valid, as with all that follow.
    pub fn decode_header(&self, message: &[u8]) -> Result<Option<Header>, DecodeError> {
        decode(self.header, message, Header::read_list)
    }

    /// Decodes the delivery annotations; none are the same as no section (AMQP 3.2.2).
    pub fn decode_delivery_annotations(&self, message: &[u8]) -> Result<Annotations, DecodeError> {
        let annotations = decode(self.delivery_annotations, message, wire::annotations::read)?;
        Ok(annotations.unwrap_or_default())
    }

    /// Decodes the message annotations; none are the same as no section (AMQP 3.2.3).
    pub fn decode_message_annotations(&self, message: &[u8]) -> Result<Annotations, DecodeError> {
        let annotations = decode(self.message_annotations, message, wire::annotations::read)?;
        Ok(annotations.unwrap_or_default())
    }

    /// Decodes the properties.
    pub fn decode_properties(&self, message: &[u8]) -> Result<Option<Properties>, DecodeError> {
        decode(self.properties, message, Properties::read_list)
    }

    /// Decodes the application properties.
    pub fn decode_application_properties(
        &self,
        message: &[u8],
    ) -> Result<Option<ApplicationProperties>, DecodeError> {
        decode(self.application_properties, message, wire::application_properties::read)
    }

    /// Decodes the footer.
    pub fn decode_footer(&self, message: &[u8]) -> Result<Option<Annotations>, DecodeError> {
        decode(self.footer, message, wire::annotations::read)
    }

    /// The property `to`, without decoding the others or allocating.
    pub fn to<'m>(&self, message: &'m [u8]) -> Result<Option<&'m str>, DecodeError> {
        let to = decode(self.properties, message, Properties::read_to)?;
        Ok(to.flatten())
    }

    fn put(&mut self, code: u8, span: Span) {
        match code {
            descriptor::HEADER => self.header = Some(span),
            descriptor::DELIVERY_ANNOTATIONS => self.delivery_annotations = Some(span),
            descriptor::MESSAGE_ANNOTATIONS => self.message_annotations = Some(span),
            descriptor::PROPERTIES => self.properties = Some(span),
            descriptor::APPLICATION_PROPERTIES => self.application_properties = Some(span),
            descriptor::DATA => self.put_body(BodyKind::Data, span),
            descriptor::AMQP_SEQUENCE => self.put_body(BodyKind::Sequence, span),
            descriptor::AMQP_VALUE => self.put_body(BodyKind::Value, span),
            _ => self.footer = Some(span),
        }
    }

    fn put_body(&mut self, kind: BodyKind, span: Span) {
        match &mut self.body {
            Some(body) => {
                body.span.end = span.end;
                body.count = body.count.saturating_add(1);
            }
            None => self.body = Some(Body { kind, span, count: 1 }),
        }
    }
}

/// A section after `last`, which is 0 before the first.
fn check_order(last: u8, code: u8) -> Result<(), DecodeError> {
    let several = matches!(code, descriptor::DATA | descriptor::AMQP_SEQUENCE);
    let is_body = |code| matches!(code, descriptor::DATA..=descriptor::AMQP_VALUE);
    if code > last && !(is_body(last) && is_body(code)) || several && code == last {
        return Ok(());
    }
    Err(DecodeError::encoding(match code {
        _ if code == last => "a section twice",
        _ if is_body(last) && is_body(code) => "a body of several kinds",
        _ => "sections in a wrong order",
    }))
}

/// The type that a section is of, seen from its format code.
fn check_type(code: u8, format: Option<u8>) -> Result<(), DecodeError> {
    let fits = match code {
        descriptor::HEADER | descriptor::PROPERTIES | descriptor::AMQP_SEQUENCE => {
            matches!(format, Some(code::LIST_0 | code::LIST_8 | code::LIST_32))
        }
        descriptor::DATA => matches!(format, Some(code::BINARY_8 | code::BINARY_32)),
        descriptor::AMQP_VALUE => true,
        descriptor::DELIVERY_ANNOTATIONS
        | descriptor::MESSAGE_ANNOTATIONS
        | descriptor::APPLICATION_PROPERTIES
        | descriptor::FOOTER => matches!(format, Some(code::MAP_8 | code::MAP_32)),
        _ => return Err(DecodeError::encoding("not a section of a message")),
    };
    if fits { Ok(()) } else { Err(DecodeError::encoding("a section of a wrong type")) }
}

/// Decodes one section after its descriptor.
fn decode<'m, T>(
    section: Option<Span>,
    message: &'m [u8],
    read: impl FnOnce(&mut Reader<'m>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    let Some(span) = section else { return Ok(None) };
    let mut reader = Reader::new(span.of(message));
    reader.descriptor()?;
    read(&mut reader).map(Some)
}
