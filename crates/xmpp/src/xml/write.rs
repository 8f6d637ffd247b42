//! XML out of values. What these functions write is well formed, whatever the values are.

use super::chars::is_char;

/// Stands for characters that XML has not. Whoever minds asks [`is_text`](super::is_text) first.
const REPLACEMENT: char = '\u{fffd}';

/// Appends an element. Names are those of protocols and are written as they are; attributes may
/// be declarations of namespaces.
///
/// ```
/// use wharf_xmpp::xml::{element, text};
///
/// let mut out = Vec::new();
/// element(&mut out, "body", &[("xml:lang", "en")], |out| text(out, "1 < 2"));
/// assert_eq!(out, b"<body xml:lang='en'>1 &lt; 2</body>");
/// ```
pub fn element(
    out: &mut Vec<u8>,
    name: &str,
    attributes: &[(&str, &str)],
    content: impl FnOnce(&mut Vec<u8>),
) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    for (name, value) in attributes {
        attribute(out, name, value);
    }
    out.push(b'>');
    let before = out.len();
    content(out);
    if out.len() == before {
        out.pop();
        out.extend_from_slice(b"/>");
    } else {
        out.extend_from_slice(b"</");
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
    }
}

/// Appends an attribute, with a blank before it.
pub fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape_attribute(out, value);
    out.push(b'\'');
}

/// Appends a text.
pub fn text(out: &mut Vec<u8>, text: &str) {
    escape_text(out, text);
}

/// Appends a text as content: `<`, `>` and `&` as references, and a carriage return too, which
/// would be read as a line feed.
pub fn escape_text(out: &mut Vec<u8>, text: &str) {
    escape(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Appends a text as the value of an attribute, in either kind of quotes.
pub fn escape_attribute(out: &mut Vec<u8>, text: &str) {
    escape(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\'' => Some("&apos;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

fn escape(out: &mut Vec<u8>, text: &str, reference: impl Fn(u8) -> Option<&'static str>) {
    let mut copied = 0;
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        let special = match byte {
            0..=0x3e | 0xef => reference(byte),
            _ => continue,
        };
        let (written, len) = match special {
            Some(reference) => (reference, 1),
            None if byte >= b' ' && byte != 0xef => continue,
            None => match text.get(at..).and_then(|rest| rest.chars().next()) {
                Some(c) if !is_char(c) => ("", c.len_utf8()),
                _ => continue,
            },
        };
        out.extend_from_slice(text.get(copied..at).unwrap_or_default().as_bytes());
        if written.is_empty() {
            let mut octets = [0; 4];
            out.extend_from_slice(REPLACEMENT.encode_utf8(&mut octets).as_bytes());
        } else {
            out.extend_from_slice(written.as_bytes());
        }
        copied = at.saturating_add(len);
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default().as_bytes());
}
