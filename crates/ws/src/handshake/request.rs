//! An HTTP/1.1 request head: built by any HTTP stack, or read from octets here.

use std::borrow::Cow;

use super::head::{HeadScan, Malformed};
use super::limits::{HEADERS_MAX, HeadLimits};
use super::list;
use crate::uri;

/// One header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name, in any case of letters.
    pub name: &'a str,
    /// The value; blanks around it are ignored.
    pub value: &'a [u8],
}

/// The head of an HTTP/1 request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// `GET` when it is a handshake.
    pub method: &'a str,
    /// The Request-URI as sent: `/path?query`, or an absolute http or https URI.
    pub target: &'a str,
    /// The x of HTTP/1.x.
    pub version_minor: u8,
    /// Every header field, in the order sent.
    pub headers: Vec<Header<'a>>,
}

/// The result of [`parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// The head is not complete; call again with more.
    Incomplete,
    /// A whole head. What follows `consumed` octets belongs to the connection (WS-A05).
    Complete {
        /// The request.
        request: Request<'a>,
        /// Octets of the buffer that the head took.
        consumed: usize,
    },
    /// No head will come of this; answer with [`Refusal`](super::Refusal) and close.
    Malformed(Malformed),
}

/// Reads one request head from a buffer that grows, looking at each octet once.
#[derive(Clone, Debug)]
pub struct Reader {
    limits: HeadLimits,
    scan: HeadScan,
}

impl Reader {
    /// A reader for one head.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Reader { limits, scan: HeadScan::new(limits) }
    }

    /// Reads `buffer`, which begins with what it held at the last call.
    pub fn read<'a>(&mut self, buffer: &'a [u8]) -> Parsed<'a> {
        match self.scan.find_end(buffer) {
            Ok(None) => Parsed::Incomplete,
            Ok(Some(consumed)) => {
                match parse_head(buffer.get(..consumed).unwrap_or_default(), self.limits) {
                    Ok(request) => Parsed::Complete { request, consumed },
                    Err(malformed) => Parsed::Malformed(malformed),
                }
            }
            Err(malformed) => Parsed::Malformed(malformed),
        }
    }
}

/// Reads a request head from the start of `buffer`.
///
/// Strict where leniency helps smuggling: lines end in CR LF, no folded lines, no blanks before
/// a colon. To read a head that comes in pieces, use a [`Reader`].
#[must_use]
pub fn parse(buffer: &[u8], limits: HeadLimits) -> Parsed<'_> {
    Reader::new(limits).read(buffer)
}

fn parse_head(head: &[u8], limits: HeadLimits) -> Result<Request<'_>, Malformed> {
    let mut table = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let table = table.get_mut(..limits.headers_max.min(HEADERS_MAX)).unwrap_or_default();
    let mut parsed = httparse::Request::new(table);
    match parsed.parse(head)? {
        httparse::Status::Complete(length) if length == head.len() => {}
        _ => return Err(Malformed::StartLine),
    }
    Ok(Request {
        method: parsed.method.ok_or(Malformed::StartLine)?,
        target: parsed.path.ok_or(Malformed::StartLine)?,
        version_minor: parsed.version.ok_or(Malformed::HttpVersion)?,
        headers: parsed.headers.iter().map(Header::from).collect(),
    })
}

impl<'a> From<&httparse::Header<'a>> for Header<'a> {
    fn from(header: &httparse::Header<'a>) -> Self {
        Header { name: header.name, value: header.value }
    }
}

/// Several fields where one is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

/// The values of every field called `name`.
pub(crate) fn values<'a>(headers: &[Header<'a>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| list::trim(header.value))
}

/// The value of the only field called `name`, if there is one.
pub(crate) fn single<'a>(headers: &[Header<'a>], name: &str) -> Result<Option<&'a [u8]>, Repeated> {
    let mut values = values(headers, name);
    let first = values.next();
    if values.next().is_some() { Err(Repeated) } else { Ok(first) }
}

impl<'a> Request<'a> {
    /// Path and query of the target: the resource name of RFC 6455, section 3.
    ///
    /// What is served under which name is up to the caller (WS-HS-13, WS-RG-07, WS-RG-08). `None`
    /// when the target is neither a path nor an absolute http or https URI (WS-HS-02), has a fragment (WS-URI-05), or has characters outside U+0021 to U+007E.
    #[must_use]
    pub fn resource_name(&self) -> Option<Cow<'a, str>> {
        match self.split_target()? {
            (_, resource) if resource.starts_with('/') => Some(Cow::Borrowed(resource)),
            // The path of an absolute URI may be empty (WS-URI-04).
            (_, query) => Some(Cow::Owned(format!("/{query}"))),
        }
    }

    /// Host and port the client meant: of an absolute target, else of `Host`.
    #[must_use]
    pub fn authority(&self) -> Option<&'a str> {
        match self.split_target()? {
            (Some(authority), _) => Some(authority),
            (None, _) => {
                let host = single(&self.headers, "host").ok()??;
                std::str::from_utf8(host).ok()
            }
        }
    }

    /// The authority of an absolute target, and what follows it or all of a relative target.
    fn split_target(&self) -> Option<(Option<&'a str>, &'a str)> {
        let target = self.target;
        if target.contains('#') || !target.bytes().all(|octet| octet.is_ascii_graphic()) {
            return None;
        }
        if target.starts_with('/') {
            return Some((None, target));
        }
        let (scheme, rest) = target.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at_checked(end)?;
        uri::split_authority(authority)?;
        Some((Some(authority), resource))
    }
}

/// Whether `request` is an attempt, however faulty, at a WebSocket handshake rather than plain
/// HTTP: it wants to be upgraded to `websocket`, or has a `Sec-WebSocket-Key`.
#[must_use]
pub fn is_upgrade(request: &Request<'_>) -> bool {
    list::contains(values(&request.headers, "upgrade"), "websocket")
        || values(&request.headers, "sec-websocket-key").next().is_some()
}
