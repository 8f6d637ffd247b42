//! The content of a message: content type, properties and body, the part that a broker stores and
//! delivers as it came.

use std::fmt;

use crate::cursor::Cursor;
use crate::frame::{push_integer, push_string};
use crate::integer::Integer;
use crate::{Bound, Kind, LengthUnit, Violation};

/// Everything of a Message frame after its address list, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// From the content type on, to the end of the frame.
    whole: Cursor<'a>,
    content_type: &'a str,
    /// At the first property. The list is valid, so a walk ends by its count.
    properties: Cursor<'a>,
    property_count: usize,
    body: &'a [u8],
    shortest: bool,
}

impl<'a> Content<'a> {
    pub(crate) fn read(whole: Cursor<'a>, property_count_max: u32) -> Result<Self, Violation> {
        let whole = whole.fresh();
        let mut cursor = whole;
        let content_type = cursor.string()?;
        let property_count = cursor.bounded_count(2, property_count_max, Bound::PropertyCount)?;
        let properties = cursor;
        for _ in 0..property_count {
            cursor.string()?;
            cursor.string()?;
        }
        let shortest = cursor.is_shortest();
        let body = cursor.rest();
        Ok(Content { whole, content_type, properties, property_count, body, shortest })
    }

    /// The kind of frame it came in; the body of text is UTF-8.
    pub fn kind(&self) -> Kind {
        self.whole.kind()
    }

    /// What the lengths inside [`Content::raw`] count.
    pub fn unit(&self) -> LengthUnit {
        self.whole.unit()
    }

    /// The MIME type of the body, passed on whatever it says (MBWS-A17); may be empty.
    // MBWS-078
    pub fn content_type(&self) -> &'a str {
        self.content_type
    }

    /// Name and value of each property, in order, repeated names included (MBWS-A18).
    // MBWS-079
    pub fn properties(&self) -> Properties<'a> {
        Properties { cursor: self.properties, left: self.property_count }
    }

    /// The body, possibly empty.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Whether every length and count is in its shortest form. If not, the content may be read but
    /// is not to be sent on as it is: encode it anew.
    // MBWS-A16
    pub fn is_shortest(&self) -> bool {
        self.shortest
    }

    /// The octets as received: what to store, and to deliver to a peer of the same kind and unit.
    pub fn raw(&self) -> &'a [u8] {
        self.whole.rest()
    }
}

/// Walks the properties of a message.
#[derive(Clone, Debug)]
pub struct Properties<'a> {
    cursor: Cursor<'a>,
    left: usize,
}

impl<'a> Iterator for Properties<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some((self.cursor.string().ok()?, self.cursor.string().ok()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Properties<'_> {}

/// Reads content that was stored as [`Content::raw`].
///
/// # Errors
/// The octets are not the content of a message of this kind and unit.
pub fn content_from_stored(
    kind: Kind,
    unit: LengthUnit,
    raw: &[u8],
) -> Result<Content<'_>, Violation> {
    if kind == Kind::Text && std::str::from_utf8(raw).is_err() {
        return Err(Violation::InvalidUtf8);
    }
    // It passed the limits of the day when it came in.
    Content::read(Cursor::new(kind, unit, raw), u32::MAX)
}

/// A body that is not UTF-8 cannot travel in a text frame.
// MBWS-A03
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRepresentable;

impl fmt::Display for NotRepresentable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is not UTF-8, so no text frame can carry it")
    }
}

impl std::error::Error for NotRepresentable {}

/// Appends content.
///
/// # Errors
/// `kind` is text and `body` is not UTF-8; nothing was appended.
pub fn encode_content<'p>(
    kind: Kind,
    unit: LengthUnit,
    content_type: &str,
    properties: impl ExactSizeIterator<Item = (&'p str, &'p str)>,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), NotRepresentable> {
    if kind == Kind::Text && std::str::from_utf8(body).is_err() {
        return Err(NotRepresentable);
    }
    push_string(kind, unit, content_type, out);
    push_integer(Integer::of_len(kind, properties.len()), out);
    for (name, value) in properties {
        push_string(kind, unit, name, out);
        push_string(kind, unit, value, out);
    }
    out.extend_from_slice(body);
    Ok(())
}

/// Appends the same content in another kind or unit. Type, properties and body stay what they are.
///
/// # Errors
/// The body is not UTF-8 and `kind` is text; nothing was appended.
// MBWS-A03
pub fn convert(
    content: &Content<'_>,
    kind: Kind,
    unit: LengthUnit,
    out: &mut Vec<u8>,
) -> Result<(), NotRepresentable> {
    if content.kind() == kind && content.unit() == unit {
        out.extend_from_slice(content.raw());
        return Ok(());
    }
    encode_content(kind, unit, content.content_type(), content.properties(), content.body(), out)
}
