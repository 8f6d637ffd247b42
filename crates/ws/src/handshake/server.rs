//! The server's side: one request in, an acceptance or a refusal out (RFC 6455, section 4.2).

use super::extension::{self, DeflatePolicy};
use super::limits::TARGET_MAX_BYTES;
use super::origin::OriginPolicy;
use super::refusal::{Reason, Refusal, push_line};
use super::request::{Header, Request, single, values};
use super::{Agreement, key, list};
use crate::uri;
use crate::version::{Version, Versions};

/// What a server accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Versions spoken; RFC 6455 alone by default (HYBI-101).
    pub versions: Versions,
    /// Subprotocols spoken, best first: the first one that the client knows is chosen. None by
    /// default. Names that are not tokens are never chosen.
    pub subprotocols: Vec<String>,
    /// Refuse clients with which no subprotocol is agreed. Off by default.
    pub require_subprotocol: bool,
    /// Accept `permessage-deflate` on these terms; `None`, the default, declines it.
    pub deflate: Option<DeflatePolicy>,
    /// Accept `deflate-stream` in versions 6 to 8. Off by default (HYBI-093).
    pub deflate_stream: bool,
    /// Which web pages may connect; all by default.
    pub origins: OriginPolicy,
}

/// A handshake that succeeded. Send the response, then the connection is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// What was agreed.
    pub agreement: Agreement,
    /// The value of `Sec-WebSocket-Accept`.
    pub accept_key: String,
    /// The value of `Sec-WebSocket-Extensions`, if an extension is in use.
    pub extensions: Option<String>,
    /// The origin of the request, if it had one.
    pub origin: Option<String>,
}

impl Acceptance {
    /// The HTTP status.
    pub const STATUS: u16 = 101;

    /// The header fields of the response (WS-HS-16); each name comes once (WS-HS-17).
    ///
    /// HYBI-015: `Connection` is exactly `Upgrade`, because early clients compare all of it.
    /// HYBI-A05: the origin is never answered.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let fixed = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", self.accept_key.as_str()),
        ];
        let subprotocol = self.agreement.subprotocol.as_deref();
        fixed
            .into_iter()
            // WS-HS-14: no field at all when nothing was agreed.
            .chain(subprotocol.map(|name| ("Sec-WebSocket-Protocol", name)))
            // WS-A01: one field, although one section of the RFC would allow several.
            .chain(self.extensions.as_deref().map(|list| ("Sec-WebSocket-Extensions", list)))
    }

    /// Appends the whole response to `out`. Frames may follow at once (WS-HS-19).
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut head = String::from("HTTP/1.1 101 Switching Protocols\r\n");
        for (name, value) in self.headers() {
            push_line(&mut head, name, value);
        }
        head.push_str("\r\n");
        out.extend_from_slice(head.as_bytes());
    }
}

/// Judges a request: every field it names is checked before anything is agreed (WS-SV-02,
/// WS-RG-02), all others are ignored (WS-HS-08).
///
/// Authentication comes before this or after it, with [`Refusal::with_status`] (WS-SV-03). The
/// same subprotocols are served over every version that is enabled (HYBI-102).
///
/// # Errors
/// The response to send instead of an acceptance.
pub fn evaluate(request: &Request<'_>, policy: &Policy) -> Result<Acceptance, Refusal> {
    judge(request, policy).map_err(|reason| Refusal::new(reason, policy.versions))
}

fn judge(request: &Request<'_>, policy: &Policy) -> Result<Acceptance, Reason> {
    check_http(request)?;
    check_upgrade(&request.headers)?;
    let version = read_version(&request.headers, policy.versions)?;
    let key = read_key(&request.headers)?;
    let origin = policy.origins.judge(request, version)?;
    let subprotocol = choose_subprotocol(&request.headers, version, policy)?;

    let offers = list::extensions(values(&request.headers, "sec-websocket-extensions"), version)
        .map_err(|_| Reason::ExtensionsMalformed)?;
    // WS-HS-15, WS-EX-03: nothing that was not offered.
    let chosen =
        extension::choose(&offers, version, policy.deflate.as_ref(), policy.deflate_stream);
    let (compression, extensions) = chosen.unzip();

    Ok(Acceptance {
        agreement: Agreement { version, subprotocol, compression: compression.unwrap_or_default() },
        accept_key: key::accept(key),
        extensions,
        origin: origin.map(str::to_owned),
    })
}

/// WS-HS-01, WS-HS-02, WS-HS-03: a GET of HTTP/1.1 with a host and without a body.
fn check_http(request: &Request<'_>) -> Result<(), Reason> {
    if request.method != "GET" {
        return Err(Reason::Method);
    }
    if request.version_minor < 1 {
        return Err(Reason::HttpVersion);
    }
    if request.target.len() > TARGET_MAX_BYTES {
        return Err(Reason::TargetTooLong);
    }
    request.resource_name().ok_or(Reason::Target)?;

    let host = single(&request.headers, "host").map_err(|_| Reason::HostInvalid)?;
    let host = std::str::from_utf8(host.ok_or(Reason::HostMissing)?).unwrap_or_default();
    // HYBI-A04: with or without a port, whatever the port is.
    uri::split_authority(host).ok_or(Reason::HostInvalid)?;

    // A body would be taken for frames here and for a body by a proxy: the start of smuggling.
    let length = single(&request.headers, "content-length").map_err(|_| Reason::Body)?;
    let has_coding = values(&request.headers, "transfer-encoding").next().is_some();
    if has_coding || length.is_some_and(|length| length != b"0") {
        return Err(Reason::Body);
    }
    Ok(())
}

/// WS-HS-04, WS-RG-01: both may be lists in any case of letters. HYBI-013, HYBI-014: the same for
/// every version.
fn check_upgrade(headers: &[Header<'_>]) -> Result<(), Reason> {
    if !list::contains(values(headers, "upgrade"), "websocket") {
        return Err(Reason::UpgradeMissing);
    }
    if !list::contains(values(headers, "connection"), "upgrade") {
        return Err(Reason::ConnectionMissing);
    }
    Ok(())
}

/// WS-HS-06, HYBI-001: the framing of the connection is decided by this number.
fn read_version(headers: &[Header<'_>], enabled: Versions) -> Result<Version, Reason> {
    let value = single(headers, "sec-websocket-version").map_err(|_| Reason::VersionInvalid)?;
    let value = value.ok_or(Reason::VersionMissing)?;
    let number = match value {
        // `parse` alone would take a sign and leading zeros.
        [b'1'..=b'9', ..] | [b'0'] => {
            let digits = std::str::from_utf8(value).map_err(|_| Reason::VersionInvalid)?;
            digits.parse::<u8>().map_err(|_| Reason::VersionInvalid)?
        }
        _ => return Err(Reason::VersionInvalid),
    };
    // WS-HS-12, HYBI-002, HYBI-003.
    Version::from_number(number)
        .filter(|version| enabled.contains(*version))
        .ok_or(Reason::VersionUnsupported)
}

/// WS-HS-05.
fn read_key<'a>(headers: &[Header<'a>]) -> Result<&'a [u8], Reason> {
    let key = single(headers, "sec-websocket-key").map_err(|_| Reason::KeyInvalid)?;
    let key = key.ok_or(Reason::KeyMissing)?;
    if key::is_valid(key) { Ok(key) } else { Err(Reason::KeyInvalid) }
}

/// WS-HS-14, HYBI-018: one of the client's names, a plain token (WS-RG-03), or none.
fn choose_subprotocol(
    headers: &[Header<'_>],
    version: Version,
    policy: &Policy,
) -> Result<Option<String>, Reason> {
    let offered = list::subprotocols(values(headers, "sec-websocket-protocol"), version)
        .map_err(|_| Reason::SubprotocolsMalformed)?;
    let chosen = policy
        .subprotocols
        .iter()
        .find(|name| list::is_token(name) && offered.iter().any(|offer| offer == *name));
    if chosen.is_none() && policy.require_subprotocol {
        return Err(Reason::SubprotocolRequired);
    }
    Ok(chosen.cloned())
}
