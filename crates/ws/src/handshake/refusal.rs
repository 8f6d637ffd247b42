//! The answer to a handshake that does not become a connection.

use std::fmt;

use super::head::Malformed;
use super::list;
use crate::version::Versions;

/// Why a handshake was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The request cannot be read.
    Malformed(Malformed),
    /// The method is not GET.
    Method,
    /// HTTP/1.0, which has no upgrade.
    HttpVersion,
    /// The target is not a path and not an absolute http or https URI.
    Target,
    /// The target is longer than [`TARGET_MAX_BYTES`](super::limits::TARGET_MAX_BYTES).
    TargetTooLong,
    /// No `Host`.
    HostMissing,
    /// More than one `Host`, or not `host[:port]`.
    HostInvalid,
    /// A body is announced, or `Content-Length` is repeated.
    Body,
    /// `Upgrade` does not name `websocket`.
    UpgradeMissing,
    /// `Connection` does not name `Upgrade`.
    ConnectionMissing,
    /// No `Sec-WebSocket-Version`.
    VersionMissing,
    /// More than one `Sec-WebSocket-Version`, or not a number from 0 to 255 as it must be written.
    VersionInvalid,
    /// A version that is not enabled.
    VersionUnsupported,
    /// No `Sec-WebSocket-Key`.
    KeyMissing,
    /// More than one `Sec-WebSocket-Key`, or not 16 octets in base64.
    KeyInvalid,
    /// More than one origin field of the same name.
    OriginRepeated,
    /// `Origin` and `Sec-WebSocket-Origin` say different things.
    OriginsDisagree,
    /// The origin is not allowed here.
    OriginNotAllowed,
    /// `Sec-WebSocket-Protocol` is not a list of names.
    SubprotocolsMalformed,
    /// A subprotocol is required and none was agreed.
    SubprotocolRequired,
    /// `Sec-WebSocket-Extensions` breaks its grammar.
    ExtensionsMalformed,
    /// Refused by the application with this status.
    Application(u16),
}

impl Reason {
    /// The HTTP status of the answer (WS-HS-21, HYBI-023).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Reason::Malformed(Malformed::HeadTooLarge | Malformed::TooManyHeaders) => 431,
            Reason::Malformed(Malformed::HttpVersion) => 505,
            Reason::Malformed(
                Malformed::LineEnd | Malformed::StartLine | Malformed::HeaderField,
            )
            | Reason::HttpVersion
            | Reason::Target
            | Reason::HostMissing
            | Reason::HostInvalid
            | Reason::Body
            | Reason::ConnectionMissing
            | Reason::VersionMissing
            | Reason::VersionInvalid
            | Reason::KeyMissing
            | Reason::KeyInvalid
            | Reason::OriginRepeated
            | Reason::SubprotocolsMalformed
            | Reason::SubprotocolRequired
            | Reason::ExtensionsMalformed => 400,
            Reason::OriginsDisagree | Reason::OriginNotAllowed => 403,
            Reason::Method => 405,
            Reason::TargetTooLong => 414,
            Reason::UpgradeMissing | Reason::VersionUnsupported => 426,
            Reason::Application(status) => status,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Malformed(malformed) => return malformed.fmt(f),
            Reason::Application(status) => return write!(f, "{}", phrase(*status)),
            Reason::Method => "the method of a WebSocket handshake is GET",
            Reason::HttpVersion => "a WebSocket handshake needs HTTP/1.1",
            Reason::Target => "the request target is not valid",
            Reason::TargetTooLong => "the request target is too long",
            Reason::HostMissing => "no Host",
            Reason::HostInvalid => "Host is repeated or not valid",
            Reason::Body => "a WebSocket handshake has no body",
            Reason::UpgradeMissing => "Upgrade does not name websocket",
            Reason::ConnectionMissing => "Connection does not name Upgrade",
            Reason::VersionMissing => "no Sec-WebSocket-Version",
            Reason::VersionInvalid => "Sec-WebSocket-Version is repeated or not valid",
            Reason::VersionUnsupported => "this Sec-WebSocket-Version is not spoken here",
            Reason::KeyMissing => "no Sec-WebSocket-Key",
            Reason::KeyInvalid => "Sec-WebSocket-Key is repeated or not 16 octets in base64",
            Reason::OriginRepeated => "the origin is repeated",
            Reason::OriginsDisagree => "Origin and Sec-WebSocket-Origin disagree",
            Reason::OriginNotAllowed => "this origin may not connect",
            Reason::SubprotocolsMalformed => "Sec-WebSocket-Protocol is not valid",
            Reason::SubprotocolRequired => "none of the subprotocols is spoken here",
            Reason::ExtensionsMalformed => "Sec-WebSocket-Extensions is not valid",
        })
    }
}

/// A header field that would be two, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHeader;

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name is not a token or the value has control characters")
    }
}

impl std::error::Error for InvalidHeader {}

/// Whether `name: value` is one header field and stays one on the wire.
pub(crate) fn is_valid_header(name: &str, value: &str) -> bool {
    let is_value = |octet: u8| octet == b'\t' || (octet >= b' ' && octet != 0x7F);
    list::is_token(name) && value.bytes().all(is_value)
}

/// An HTTP response instead of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    reason: Reason,
    headers: Vec<(String, String)>,
}

impl Refusal {
    /// WS-HS-12: where the version is at fault, `versions` tells what would do.
    pub(crate) fn new(reason: Reason, versions: Versions) -> Self {
        let mut refusal = Refusal { reason, headers: Vec::new() };
        match reason {
            Reason::Method => refusal.push("Allow", "GET"),
            // RFC 9110, section 15.5.22: 426 says what to upgrade to.
            Reason::UpgradeMissing | Reason::VersionUnsupported => {
                refusal.push("Upgrade", "websocket");
            }
            _ => {}
        }
        let is_upgrade = reason.status() == 426;
        refusal.push("Connection", if is_upgrade { "Upgrade, close" } else { "close" });
        if matches!(
            reason,
            Reason::UpgradeMissing
                | Reason::VersionMissing
                | Reason::VersionInvalid
                | Reason::VersionUnsupported
        ) {
            refusal.push("Sec-WebSocket-Version", &versions.to_string());
        }
        refusal
    }

    /// A refusal of the application's own: 401, 404, 503, a redirect (WS-HS-10, WS-HS-13).
    ///
    /// A status outside 300 to 599 would not refuse anything and becomes 500.
    #[must_use]
    pub fn with_status(status: u16) -> Self {
        let status = if (300..=599).contains(&status) { status } else { 500 };
        Refusal::new(Reason::Application(status), Versions::default())
    }

    /// Adds a header field, such as `WWW-Authenticate`, `Location` or `Retry-After`.
    ///
    /// # Errors
    /// When the name is not a token or the value holds control characters.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, InvalidHeader> {
        if !is_valid_header(name, value) {
            return Err(InvalidHeader);
        }
        self.push(name, value);
        Ok(self)
    }

    fn push(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.reason.status()
    }

    /// The header fields for an HTTP stack that frames the body itself.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A sentence for whoever debugs the client, as `text/plain`.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n", self.reason)
    }

    /// Appends the whole response to `out`. Close the connection after sending it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let status = self.status();
        let mut head = format!("HTTP/1.1 {status} {}\r\n", phrase(status));
        for (name, value) in self.headers() {
            push_line(&mut head, name, value);
        }
        let body = self.body();
        push_line(&mut head, "Content-Type", "text/plain; charset=utf-8");
        push_line(&mut head, "Content-Length", &body.len().to_string());
        head.push_str("\r\n");
        head.push_str(&body);
        out.extend_from_slice(head.as_bytes());
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Refusal::new(Reason::Malformed(malformed), Versions::default())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status(), self.reason)
    }
}

impl std::error::Error for Refusal {}

/// Appends one header field.
pub(crate) fn push_line(out: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        out.push_str(part);
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Refused",
    }
}
