//! Body and properties as elements.

use super::{BodyKind, CONTENT, JSON, JSON_TYPE, SHIM};
use crate::xml::{element, is_text, text};
use data_encoding::BASE64;
use std::fmt;

/// A property, or the content type, has characters that XML has not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CharacterFault;

impl fmt::Display for CharacterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property or content type with characters that XML has not")
    }
}

impl std::error::Error for CharacterFault {}

/// Appends what goes into a `<message/>`.
///
/// # Errors
/// XML cannot say it. What was appended until then is to be thrown away.
pub fn write<'p>(
    kind: BodyKind,
    content_type: &str,
    properties: impl Iterator<Item = (&'p str, &'p str)>,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CharacterFault> {
    put_body(kind, content_type, body, out)?;
    write_headers(properties, out)
}

fn put_body(
    kind: BodyKind,
    content_type: &str,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CharacterFault> {
    if !is_text(content_type) {
        return Err(CharacterFault);
    }
    let said = str::from_utf8(body).ok().filter(|said| is_text(said));
    // What goes without saying: the type, and the kind.
    let (meant, octets) = match said {
        Some(said) if is_json(content_type) => {
            element(out, "json", &[("xmlns", JSON)], |out| text(out, said));
            ((JSON_TYPE, BodyKind::Text), None)
        }
        Some(said) if kind == BodyKind::Text || content_type.starts_with("text/") => {
            element(out, "body", &[], |out| text(out, said));
            (("", BodyKind::Text), None)
        }
        _ => (("", BodyKind::Binary), Some(BASE64.encode(body))),
    };
    if octets.is_none() && meant == (content_type, kind) {
        return Ok(());
    }
    let mut attributes = vec![("xmlns", CONTENT)];
    attributes.extend((meant.0 != content_type).then_some(("type", content_type)));
    attributes.extend((meant.1 != kind).then_some(("kind", kind.name())));
    element(out, "content", &attributes, |out| text(out, octets.as_deref().unwrap_or_default()));
    Ok(())
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence == JSON_TYPE || essence.ends_with("+json")
}

/// Appends properties alone.
///
/// # Errors
/// As [`write()`].
pub fn write_headers<'p>(
    properties: impl Iterator<Item = (&'p str, &'p str)>,
    out: &mut Vec<u8>,
) -> Result<(), CharacterFault> {
    let mut headers = Vec::new();
    for (name, value) in properties {
        if !is_text(name) || !is_text(value) {
            return Err(CharacterFault);
        }
        element(&mut headers, "header", &[("name", name)], |out| text(out, value));
    }
    if !headers.is_empty() {
        element(out, "headers", &[("xmlns", SHIM)], |out| out.extend_from_slice(&headers));
    }
    Ok(())
}
