//! Which web pages may connect (RFC 6455, sections 4.2.2 and 10.2; RFC 6454 for the origin).

use super::refusal::Reason;
use super::request::{Header, Request, single};
use crate::uri;
use crate::version::Version;

/// Which origins a server accepts.
///
/// A request without an origin is accepted by every policy: it does not come from a browser
/// (WS-HS-07), and what others send as their origin proves nothing (WS-SV-05).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OriginPolicy {
    /// Every origin. The default: not every server is for certain sites only (WS-HS-20).
    #[default]
    Any,
    /// Only pages of the host and port that the request is for. The scheme is not compared: a
    /// server behind a TLS terminator does not know its own.
    SameHost,
    /// Only these, written as browsers do: `https://app.example.com`, `http://localhost:3000`,
    /// `null`. Letter case and default ports make no difference.
    List(Vec<String>),
}

/// A serialised origin taken apart.
struct Origin<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<u16>,
}

impl OriginPolicy {
    /// Whether a request that is no handshake may come from where it comes from.
    #[must_use]
    pub fn admits(&self, request: &Request<'_>) -> bool {
        self.judge(request, Version::Rfc6455).is_ok()
    }

    /// The origin of the request, if it has one and it may connect.
    pub(crate) fn judge<'a>(
        &self,
        request: &Request<'a>,
        version: Version,
    ) -> Result<Option<&'a str>, Reason> {
        let Some(origin) = read(&request.headers, version)? else {
            return Ok(None);
        };
        let origin = std::str::from_utf8(origin).map_err(|_| Reason::OriginNotAllowed)?;
        let allowed = match self {
            OriginPolicy::Any => true,
            OriginPolicy::SameHost => is_same_host(origin, request),
            OriginPolicy::List(list) => list.iter().any(|allowed| is_same(origin, allowed)),
        };
        // WS-HS-11, HYBI-100.
        if allowed { Ok(Some(origin)) } else { Err(Reason::OriginNotAllowed) }
    }
}

/// HYBI-010, HYBI-011: the interim versions say `Sec-WebSocket-Origin`, late clients of version 8
/// say `Origin`; if both are there they must agree.
fn read<'a>(headers: &[Header<'a>], version: Version) -> Result<Option<&'a [u8]>, Reason> {
    let plain = single(headers, "origin").map_err(|_| Reason::OriginRepeated)?;
    if !version.is_interim() {
        return Ok(plain);
    }
    let prefixed = single(headers, "sec-websocket-origin").map_err(|_| Reason::OriginRepeated)?;
    match (plain, prefixed) {
        (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other) => {
            Err(Reason::OriginsDisagree)
        }
        (one, other) => Ok(other.or(one)),
    }
}

fn is_same(one: &str, other: &str) -> bool {
    match (Origin::parse(one), Origin::parse(other)) {
        (Some(one), Some(other)) => {
            one.scheme.eq_ignore_ascii_case(other.scheme)
                && one.host.eq_ignore_ascii_case(other.host)
                && one.port() == other.port()
        }
        _ => one == "null" && other == "null",
    }
}

fn is_same_host(origin: &str, request: &Request<'_>) -> bool {
    let (Some(origin), Some(target)) =
        (Origin::parse(origin), request.authority().and_then(uri::split_authority))
    else {
        return false;
    };
    let (host, port) = target;
    origin.host.eq_ignore_ascii_case(host)
        && origin.port() == port.or_else(|| default_port(origin.scheme))
}

impl<'a> Origin<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let (host, port) = uri::split_authority(authority)?;
        Some(Origin { scheme, host, port })
    }

    fn port(&self) -> Option<u16> {
        self.port.or_else(|| default_port(self.scheme))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        _ if scheme.eq_ignore_ascii_case("http") => Some(80),
        _ if scheme.eq_ignore_ascii_case("https") => Some(443),
        _ => None,
    }
}
