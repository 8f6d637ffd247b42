//! Which characters may stand where (XML 1.0, fifth edition, sections 2.2 and 2.3).

/// White space: production 3.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A character of XML at all: production 2.
pub(crate) fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text can be said in XML: without control characters, and without U+FFFE and U+FFFF.
#[must_use]
pub fn is_text(text: &str) -> bool {
    text.chars().all(is_char)
}

/// Octets of the name without colon that `text` begins with.
// Namespaces in XML 1.0, production 4.
pub(crate) fn ncname_len(text: &str) -> usize {
    let octets = text.as_bytes();
    let len = octets.iter().position(|&byte| !is_ascii_name(byte)).unwrap_or(octets.len());
    // Most names are of ASCII alone.
    match (octets.first(), octets.get(len)) {
        (Some(first), None | Some(0..=0x7f)) if !first.is_ascii_digit() && len > 0 => {
            if matches!(first, b'-' | b'.') { 0 } else { len }
        }
        _ => any_ncname_len(text),
    }
}

fn any_ncname_len(text: &str) -> usize {
    let mut rest = text.char_indices();
    match rest.next() {
        Some((_, first)) if is_name_start(first) => {}
        _ => return 0,
    }
    rest.find(|&(_, c)| !is_name(c)).map_or(text.len(), |(at, _)| at)
}

fn is_ascii_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.')
}

/// Production 4 without the colon.
fn is_name_start(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic() || c == '_';
    }
    matches!(c,
        '\u{c0}'..='\u{d6}'
        | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// Production 4a without the colon.
fn is_name(c: char) -> bool {
    if c.is_ascii() {
        return u8::try_from(c).is_ok_and(is_ascii_name);
    }
    is_name_start(c) || matches!(c, '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
