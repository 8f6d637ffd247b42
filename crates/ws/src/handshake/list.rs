//! The lists inside header fields: tokens, subprotocols, extensions (RFC 2616, sections 2.1, 2.2).
//!
//! A list may be spread over several fields of the same name; the functions here take all of them
//! and read them as one (WS-HS-18).

use std::borrow::Cow;

use super::limits::LIST_MAX;
use crate::version::Version;

/// A list that breaks its grammar, or is longer than [`LIST_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One element of `Sec-WebSocket-Extensions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension<'a> {
    pub(crate) name: &'a str,
    pub(crate) params: Vec<Param<'a>>,
}

/// One parameter of an extension; quoted values are unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Param<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Option<Cow<'a, str>>,
}

/// Whether any element of a comma-separated list is `wanted`, in any case of letters.
///
/// Used for `Connection` and `Upgrade`, where the other elements are of no concern here.
pub(crate) fn contains<'a>(fields: impl Iterator<Item = &'a [u8]>, wanted: &str) -> bool {
    fields
        .flat_map(|field| field.split(|&octet| octet == b','))
        .any(|element| trim(element).eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The elements of `Sec-WebSocket-Protocol` in order, without repetitions.
///
/// WS-A06: an element that is empty breaks the grammar, a repeated one is dropped. HYBI-017:
/// versions 6 and 7 also know quoted strings, of visible ASCII.
pub(crate) fn subprotocols<'a>(
    fields: impl Iterator<Item = &'a [u8]>,
    version: Version,
) -> Result<Vec<Cow<'a, str>>, Malformed> {
    let quoted_allowed = matches!(version, Version::Draft6 | Version::Draft7);
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    for field in fields {
        let mut scanner = Scanner::new(field);
        loop {
            let name = match scanner.peek() {
                Some(b'"') if quoted_allowed => scanner.quoted()?,
                _ => Cow::Borrowed(scanner.token()?),
            };
            if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
                return Err(Malformed);
            }
            if !names.contains(&name) {
                push_bounded(&mut names, name)?;
            }
            if scanner.is_empty() {
                break;
            }
            scanner.expect(b',')?;
        }
    }
    Ok(names)
}

/// The elements of `Sec-WebSocket-Extensions` in order (WS-EX-01).
///
/// Empty elements are skipped as RFC 2616 says of every list, but there must be one that is not.
pub(crate) fn extensions<'a>(
    fields: impl Iterator<Item = &'a [u8]>,
    version: Version,
) -> Result<Vec<Extension<'a>>, Malformed> {
    let mut found = Vec::new();
    for field in fields {
        let mut scanner = Scanner::new(field);
        let count_before = found.len();
        while !scanner.is_empty() {
            if scanner.eat(b',') {
                continue;
            }
            push_bounded(&mut found, extension(&mut scanner, version)?)?;
            if !scanner.is_empty() {
                scanner.expect(b',')?;
            }
        }
        if found.len() == count_before {
            return Err(Malformed);
        }
    }
    Ok(found)
}

fn extension<'a>(scanner: &mut Scanner<'a>, version: Version) -> Result<Extension<'a>, Malformed> {
    let name = scanner.token()?;
    let mut params = Vec::new();
    while scanner.eat(b';') {
        let name = scanner.token()?;
        let value = if scanner.eat(b'=') { Some(value(scanner, version)?) } else { None };
        push_bounded(&mut params, Param { name, value })?;
    }
    Ok(Extension { name, params })
}

/// HYBI-020: drafts 6 and 7 take any quoted string, 8 takes tokens only, RFC 6455 takes quoted
/// strings that hold a token.
fn value<'a>(scanner: &mut Scanner<'a>, version: Version) -> Result<Cow<'a, str>, Malformed> {
    if scanner.peek() != Some(b'"') {
        return scanner.token().map(Cow::Borrowed);
    }
    let value = scanner.quoted()?;
    match version {
        Version::Draft6 | Version::Draft7 => Ok(value),
        Version::Rfc6455 if is_token(&value) => Ok(value),
        Version::Rfc6455 | Version::Draft8 => Err(Malformed),
    }
}

fn push_bounded<T>(list: &mut Vec<T>, element: T) -> Result<(), Malformed> {
    if list.len() >= LIST_MAX {
        return Err(Malformed);
    }
    list.push(element);
    Ok(())
}

/// Whether `text` is a token: one or more characters, no separators, no controls.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_octet)
}

fn is_token_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// `value` without the blanks around it.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let mut inner = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = inner {
        inner = rest;
    }
    inner
}

/// Reads one field value from left to right. Blanks are allowed between any two words.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn new(field: &'a [u8]) -> Self {
        Scanner { rest: trim(field) }
    }

    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn skip_blanks(&mut self) {
        self.rest = trim(self.rest);
    }

    /// Takes `wanted` and the blanks after it, if it comes next.
    fn eat(&mut self, wanted: u8) -> bool {
        let Some((&first, rest)) = self.rest.split_first() else {
            return false;
        };
        if first != wanted {
            return false;
        }
        self.rest = rest;
        self.skip_blanks();
        true
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.eat(wanted) { Ok(()) } else { Err(Malformed) }
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let end = self.rest.iter().position(|&octet| !is_token_octet(octet));
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        self.skip_blanks();
        match std::str::from_utf8(token) {
            Ok(token) if !token.is_empty() => Ok(token),
            _ => Err(Malformed),
        }
    }

    /// A quoted string without its quotes and escapes. It must be UTF-8 (WS-U8-02).
    fn quoted(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.rest = self.rest.strip_prefix(b"\"").ok_or(Malformed)?;
        let whole = self.rest;
        let mut unescaped: Option<Vec<u8>> = None;
        let mut length = 0usize;
        loop {
            let (&octet, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            match octet {
                b'"' => break,
                b'\\' => {
                    let (&escaped, rest) = self.rest.split_first().ok_or(Malformed)?;
                    self.rest = rest;
                    let so_far = whole.get(..length).ok_or(Malformed)?;
                    unescaped.get_or_insert_with(|| so_far.to_vec()).push(escaped);
                }
                _ => {
                    length = length.saturating_add(1);
                    if let Some(unescaped) = &mut unescaped {
                        unescaped.push(octet);
                    }
                }
            }
        }
        self.skip_blanks();
        match unescaped {
            Some(octets) => String::from_utf8(octets).map(Cow::Owned).map_err(|_| Malformed),
            None => {
                let octets = whole.get(..length).ok_or(Malformed)?;
                std::str::from_utf8(octets).map(Cow::Borrowed).map_err(|_| Malformed)
            }
        }
    }
}
