//! `ws` and `wss` URIs (RFC 6455, section 3; RFC 3986 for the grammar, RFC 3987 for the rest of
//! Unicode).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// Longest URI that is looked at.
pub const URI_MAX_BYTES: usize = 8 * 1024;

/// Longest host name that DNS can hold.
const HOST_MAX_BYTES: usize = 253;

/// A valid `ws` or `wss` URI.
///
/// ```
/// let uri: wharf_ws::uri::Uri = "wss://Example.com/chat?room=1".parse()?;
/// assert!(uri.is_secure());
/// assert_eq!((uri.host(), uri.port()), ("example.com", 443));
/// assert_eq!(uri.resource_name(), "/chat?room=1");
/// # Ok::<(), wharf_ws::uri::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uri {
    secure: bool,
    host: String,
    port: Option<u16>,
    resource_name: String,
}

/// Why a string is not a `ws` or `wss` URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    /// Longer than [`URI_MAX_BYTES`].
    TooLong,
    /// Not `ws://` or `wss://`.
    Scheme,
    /// A fragment, which these URIs never have; write `%23` for a literal `#`.
    Fragment,
    /// A user name or password before the host; the grammar has no place for them.
    UserInfo,
    /// The host is empty or not valid.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The path or the query has a character that is not allowed, or half an escape.
    Resource,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UriError::TooLong => "the URI is too long",
            UriError::Scheme => "the scheme is neither ws nor wss",
            UriError::Fragment => "a WebSocket URI has no fragment",
            UriError::UserInfo => "a WebSocket URI has no user name",
            UriError::Host => "the host is not valid",
            UriError::Port => "the port is not valid",
            UriError::Resource => "the path or the query is not valid",
        })
    }
}

impl std::error::Error for UriError {}

impl Uri {
    /// Takes a URI apart and checks every part (WS-URI-01, WS-URI-06), for every version alike
    /// (HYBI-031).
    ///
    /// # Errors
    /// Names the first part that is not valid.
    pub fn parse(text: &str) -> Result<Uri, UriError> {
        if text.len() > URI_MAX_BYTES {
            return Err(UriError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UriError::Scheme)?;
        // WS-URI-03: the scheme in any case of letters decides whether TLS is used.
        let secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("ws") => false,
            _ if scheme.eq_ignore_ascii_case("wss") => true,
            _ => return Err(UriError::Scheme),
        };
        // WS-URI-05, HYBI-030.
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at_checked(end).ok_or(UriError::Host)?;
        if authority.contains('@') {
            return Err(UriError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        Ok(Uri {
            secure,
            host: normalise_host(host)?,
            port,
            resource_name: normalise_resource(resource)?,
        })
    }

    /// Whether the connection runs over TLS (`wss`).
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host in lower-case ASCII; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host as a resolver or TLS wants it: an IPv6 address has no brackets.
    #[must_use]
    pub fn host_unbracketed(&self) -> &str {
        self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&self.host)
    }

    /// The port to connect to. WS-URI-02: 80 for ws and 443 for wss unless the URI says otherwise.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.default_port())
    }

    /// Path and query as the request names them; never empty, always ASCII (WS-URI-04, HYBI-030).
    #[must_use]
    pub fn resource_name(&self) -> &str {
        &self.resource_name
    }

    /// The value of `Host`: the port is there when it is not the default one (WS-HC-09).
    #[must_use]
    pub fn host_header(&self) -> String {
        match self.port {
            Some(port) if port != self.default_port() => format!("{}:{port}", self.host),
            _ => self.host.clone(),
        }
    }

    /// Host, and the port if the URI has one: what version 6 wants in `Host` (HYBI-012).
    #[must_use]
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    fn default_port(&self) -> u16 {
        if self.secure { 443 } else { 80 }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uri::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority(), self.resource_name)
    }
}

/// Splits `host[:port]` as it stands in `Host` or in an http URI; `None` if it is not valid.
pub(crate) fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = split_port(authority).ok()?;
    is_ascii_host(host).then_some((host, port))
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), UriError> {
    let host_end = if authority.starts_with('[') {
        authority.find(']').ok_or(UriError::Host)?.saturating_add(1)
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at_checked(host_end).ok_or(UriError::Host)?;
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return Err(UriError::Host),
        // RFC 3986: a port without digits is the default port.
        Some("") => None,
        Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port != 0).ok_or(UriError::Port)?)
        }
        Some(_) => return Err(UriError::Port),
    };
    Ok((host, port))
}

fn is_ascii_host(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[') {
        return literal.strip_suffix(']').is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
    }
    !host.is_empty()
        && host.len() <= HOST_MAX_BYTES
        && host.bytes().all(|octet| is_unreserved(octet) || is_sub_delimiter(octet))
}

/// WS-URI-07: a host that is not ASCII, or has escapes, is decoded and converted with IDNA.
fn normalise_host(host: &str) -> Result<String, UriError> {
    let ascii = if host.is_ascii() && !host.contains('%') {
        host.to_ascii_lowercase()
    } else {
        let decoded = unescape(host).ok_or(UriError::Host)?;
        idna::domain_to_ascii_strict(&decoded).map_err(|_| UriError::Host)?
    };
    if is_ascii_host(&ascii) { Ok(ascii) } else { Err(UriError::Host) }
}

fn unescape(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let (value, tail) = escape_value(rest)?;
            octets.push(value);
            rest = tail;
        } else {
            octets.push(first);
        }
    }
    String::from_utf8(octets).ok()
}

/// The octet that the two hexadecimal digits after a `%` stand for, and what follows them.
fn escape_value(after_percent: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = after_percent.split_at_checked(2)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    Some((u8::from_str_radix(digits, 16).ok()?, rest))
}

/// WS-URI-04: `/` when the path is empty; the query only when it is not.
/// WS-URI-07: what is not ASCII is written as the escapes of its UTF-8 octets.
fn normalise_resource(resource: &str) -> Result<String, UriError> {
    let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
    let mut name = String::with_capacity(resource.len().saturating_add(1));
    if path.is_empty() {
        name.push('/');
    }
    push_escaped(&mut name, path, b"/")?;
    if !query.is_empty() {
        name.push('?');
        push_escaped(&mut name, query, b"/?")?;
    }
    Ok(name)
}

fn push_escaped(out: &mut String, text: &str, separators: &[u8]) -> Result<(), UriError> {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut rest = text.as_bytes();
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        if octet >= 0x80 {
            out.push('%');
            out.extend(HEX.get(usize::from(octet >> 4)));
            out.extend(HEX.get(usize::from(octet & 15)));
            continue;
        }
        if octet == b'%' {
            escape_value(rest).ok_or(UriError::Resource)?;
        } else if !is_path_octet(octet) && !separators.contains(&octet) {
            return Err(UriError::Resource);
        }
        out.push(char::from(octet));
    }
    Ok(())
}

fn is_path_octet(octet: u8) -> bool {
    is_unreserved(octet) || is_sub_delimiter(octet) || matches!(octet, b':' | b'@')
}

fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

fn is_sub_delimiter(octet: u8) -> bool {
    b"!$&'()*+,;=".contains(&octet)
}
