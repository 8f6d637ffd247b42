//! The client's side: an offer becomes a request, the response is checked against it (RFC 6455,
//! section 4.1).
//!
//! ```
//! use wharf_ws::handshake::client::{Handshake, Offer, Outcome};
//!
//! let offer = Offer::new("ws://server.example.com/chat".parse()?);
//! // Sixteen octets that nobody can predict, new for every connection.
//! let mut handshake = Handshake::new(offer, *b"the sample nonce")?;
//! assert!(handshake.request_bytes().starts_with(b"GET /chat HTTP/1.1\r\n"));
//! // ... send them, then hand in what the server says:
//! let outcome = handshake.handle_input(
//!     b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
//! );
//! assert!(matches!(outcome, Outcome::Upgraded { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use super::extension::{self, AnswerFault, DeflateOffer};
use super::head::{HeadScan, Malformed};
use super::limits::{COMPRESSOR_WINDOW_BITS_MIN, HEADERS_MAX, HeadLimits, INTERIM_RESPONSES_MAX};
use super::refusal::{is_valid_header, push_line};
use super::request::{Header, single, values};
use super::{Agreement, Compression, key, list};
use crate::uri::Uri;
use crate::version::{Version, Versions};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Where to. The driver connects to its host and port, over TLS if it is secure.
    pub uri: Uri,
    /// Subprotocols, best first: different tokens.
    pub subprotocols: Vec<String>,
    /// Offers of `permessage-deflate`, best first (WS-PD-03); not sent in versions 6 to 8.
    pub deflate: Vec<DeflateOffer>,
    /// Offer `deflate-stream`; sent in versions 6 to 8 only.
    pub deflate_stream: bool,
    /// The version to speak.
    pub version: Version,
    /// The origin on whose behalf the client connects; browsers must name one (WS-HC-12).
    pub origin: Option<String>,
    /// Further fields such as `Authorization` or `Cookie` (WS-HC-15).
    pub extra_headers: Vec<(String, String)>,
    /// Bounds on the response.
    pub limits: HeadLimits,
}

impl Offer {
    /// A plain offer of RFC 6455: no subprotocol, no extension, no origin.
    #[must_use]
    pub fn new(uri: Uri) -> Self {
        Offer {
            uri,
            subprotocols: Vec::new(),
            deflate: Vec::new(),
            deflate_stream: false,
            version: Version::Rfc6455,
            origin: None,
            extra_headers: Vec::new(),
            limits: HeadLimits::default(),
        }
    }
}

/// Why an offer cannot be sent: our own code's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidOffer {
    /// A subprotocol is not a token, or named twice.
    Subprotocols,
    /// The origin is not visible ASCII.
    Origin,
    /// An extra field whose name is not a token or whose value has control characters.
    Header,
    /// An extra field that the handshake itself writes, or that would announce a body.
    ReservedHeader,
    /// A window outside 8 to 15 for the server, or outside 9 to 15 for the client.
    WindowBits,
}

impl fmt::Display for InvalidOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidOffer::Subprotocols => "subprotocols must be different tokens",
            InvalidOffer::Origin => "the origin must be visible ASCII",
            InvalidOffer::Header => "an extra header field would be none or two",
            InvalidOffer::ReservedHeader => "an extra header field belongs to the handshake",
            InvalidOffer::WindowBits => "a window size is out of range",
        })
    }
}

impl std::error::Error for InvalidOffer {}

/// What became of the handshake so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of the input was taken; more is needed.
    Incomplete,
    /// The connection is open. What follows `consumed` octets of this input are frames.
    Upgraded {
        /// What was agreed.
        agreement: Agreement,
        /// Octets of this input that belonged to the handshake.
        consumed: usize,
    },
    /// Plain HTTP instead (WS-HC-17): a redirect, a demand to authenticate, an error. Following it
    /// is up to the caller, on a new connection; see [`versions_listed`] for status 426.
    Http {
        /// The status.
        status: u16,
        /// Every header field.
        headers: Vec<(String, Vec<u8>)>,
        /// Octets of this input that belonged to the head; the body follows.
        consumed: usize,
    },
    /// Not a WebSocket server, or not one to trust: close the transport.
    Failed(Failure),
}

/// Why the client failed the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The response cannot be read.
    Malformed(Malformed),
    /// Too many 1xx responses.
    TooManyInterimResponses,
    /// A status other than 101 in version 6, which has no meaning for it (HYBI-016).
    Status(u16),
    /// `Upgrade` is missing, repeated, or not `websocket`.
    Upgrade,
    /// `Connection` does not say `Upgrade`.
    Connection,
    /// `Sec-WebSocket-Accept` is missing, repeated, or not the answer to this key.
    Accept,
    /// `Sec-WebSocket-Protocol` is repeated or was not asked for.
    Subprotocol,
    /// `Sec-WebSocket-Extensions` is repeated or breaks its grammar.
    ExtensionsMalformed,
    /// The extensions do not answer the offer.
    Extensions(AnswerFault),
    /// Input after the handshake had ended.
    Ended,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Malformed(malformed) => return malformed.fmt(f),
            Failure::Extensions(fault) => return fault.fmt(f),
            Failure::Status(status) => return write!(f, "the server answered with {status}"),
            Failure::TooManyInterimResponses => "too many 1xx responses",
            Failure::Upgrade => "Upgrade is not websocket",
            Failure::Connection => "Connection is not Upgrade",
            Failure::Accept => "Sec-WebSocket-Accept does not answer the key",
            Failure::Subprotocol => "the server chose a subprotocol that was not offered",
            Failure::ExtensionsMalformed => "Sec-WebSocket-Extensions is not valid",
            Failure::Ended => "the handshake has already ended",
        })
    }
}

impl std::error::Error for Failure {}

/// One handshake on one connection.
#[derive(Clone, Debug)]
pub struct Handshake {
    offer: Offer,
    accept_key: String,
    request: Vec<u8>,
    /// The part of the response head that has come; never longer than the limit.
    held: Vec<u8>,
    scan: HeadScan,
    interim_responses: u8,
    ended: bool,
}

impl Handshake {
    /// Makes the request for `offer`. `key_entropy` must be unpredictable and new for every
    /// connection (WS-HC-11).
    ///
    /// # Errors
    /// When the offer cannot be sent as it is.
    pub fn new(offer: Offer, key_entropy: [u8; 16]) -> Result<Self, InvalidOffer> {
        check_offer(&offer)?;
        let key = key::encode(&key_entropy);
        Ok(Handshake {
            request: write_request(&offer, &key),
            accept_key: key::accept(key.as_bytes()),
            held: Vec::new(),
            scan: HeadScan::new(offer.limits),
            interim_responses: 0,
            ended: false,
            offer,
        })
    }

    /// The whole request. Nothing may follow it until the handshake has ended (WS-HC-16).
    #[must_use]
    pub fn request_bytes(&self) -> &[u8] {
        &self.request
    }

    /// Takes what the server sent, in pieces of any size.
    pub fn handle_input(&mut self, input: &[u8]) -> Outcome {
        let outcome = if self.ended { Outcome::Failed(Failure::Ended) } else { self.read(input) };
        self.ended = outcome != Outcome::Incomplete;
        outcome
    }

    fn read(&mut self, input: &[u8]) -> Outcome {
        let mut rest = input;
        loop {
            let held_before = self.held.len();
            let room = self.offer.limits.head_max_bytes.saturating_sub(held_before);
            self.held.extend_from_slice(rest.get(..room).unwrap_or(rest));
            let end = match self.scan.find_end(&self.held) {
                Ok(Some(end)) => end,
                Ok(None) => return Outcome::Incomplete,
                Err(malformed) => return Outcome::Failed(Failure::Malformed(malformed)),
            };
            rest = rest.get(end.saturating_sub(held_before)..).unwrap_or_default();
            let consumed = input.len().saturating_sub(rest.len());
            let mut head = std::mem::take(&mut self.held);
            head.truncate(end);
            match self.judge(&head, consumed) {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => self.scan = HeadScan::new(self.offer.limits),
                Err(failure) => return Outcome::Failed(failure),
            }
        }
    }

    /// `None` for a 1xx response that another one follows.
    fn judge(&mut self, head: &[u8], consumed: usize) -> Result<Option<Outcome>, Failure> {
        let mut table = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let headers_max = self.offer.limits.headers_max.min(HEADERS_MAX);
        let mut response =
            httparse::Response::new(table.get_mut(..headers_max).unwrap_or_default());
        let parsed = response.parse(head).map_err(|error| Failure::Malformed(error.into()))?;
        let status = response.code.unwrap_or_default();
        let is_whole = parsed == httparse::Status::Complete(head.len());
        if !is_whole || !(100..=999).contains(&status) {
            return Err(Failure::Malformed(Malformed::StartLine));
        }
        let headers: Vec<Header<'_>> = response.headers.iter().map(Header::from).collect();
        match status {
            101 if response.version != Some(1) => Err(Failure::Malformed(Malformed::HttpVersion)),
            101 => {
                let agreement = check_response(&headers, &self.offer, &self.accept_key)?;
                Ok(Some(Outcome::Upgraded { agreement, consumed }))
            }
            _ if self.offer.version == Version::Draft6 => Err(Failure::Status(status)),
            100..=199 => {
                self.interim_responses = self.interim_responses.saturating_add(1);
                if self.interim_responses > INTERIM_RESPONSES_MAX {
                    return Err(Failure::TooManyInterimResponses);
                }
                Ok(None)
            }
            _ => {
                let own = |header: &Header<'_>| (header.name.to_owned(), header.value.to_owned());
                let headers = headers.iter().map(own).collect();
                Ok(Some(Outcome::Http { status, headers, consumed }))
            }
        }
    }
}

/// The versions that a server names in `Sec-WebSocket-Version` when it refuses one.
///
/// WS-SV-04: only with one of these may the client try again.
#[must_use]
pub fn versions_listed(headers: &[(String, Vec<u8>)]) -> Versions {
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-version"))
        .flat_map(|(_, value)| value.split(|&octet| octet == b','))
        .filter_map(|number| std::str::from_utf8(list::trim(number)).ok()?.parse().ok())
        .filter_map(Version::from_number)
        .fold(Versions::NONE, Versions::with)
}

fn check_offer(offer: &Offer) -> Result<(), InvalidOffer> {
    // WS-HC-14.
    for (position, name) in offer.subprotocols.iter().enumerate() {
        let is_repeated = offer.subprotocols.iter().take(position).any(|earlier| earlier == name);
        if is_repeated || !list::is_token(name) {
            return Err(InvalidOffer::Subprotocols);
        }
    }
    let is_visible = |text: &str| !text.is_empty() && text.bytes().all(|o| o.is_ascii_graphic());
    if offer.origin.as_deref().is_some_and(|origin| !is_visible(origin)) {
        return Err(InvalidOffer::Origin);
    }
    for (name, value) in &offer.extra_headers {
        if !is_valid_header(name, value) {
            return Err(InvalidOffer::Header);
        }
        if is_reserved(name) {
            return Err(InvalidOffer::ReservedHeader);
        }
    }
    let windows_fit = |deflate: &DeflateOffer| {
        deflate.server_max_window_bits.is_none_or(|bits| (8..=15).contains(&bits))
            && deflate
                .client_max_window_bits
                .is_none_or(|bits| (COMPRESSOR_WINDOW_BITS_MIN..=15).contains(&bits))
    };
    if offer.deflate.iter().all(windows_fit) { Ok(()) } else { Err(InvalidOffer::WindowBits) }
}

fn is_reserved(name: &str) -> bool {
    const OWN: [&str; 7] = [
        "host",
        "upgrade",
        "connection",
        "origin",
        "content-length",
        "transfer-encoding",
        "expect",
    ];
    let name = name.to_ascii_lowercase();
    name.starts_with("sec-websocket-") || OWN.contains(&name.as_str())
}

fn write_request(offer: &Offer, key: &str) -> Vec<u8> {
    let Offer { uri, version, .. } = offer;
    // WS-HC-07, WS-HC-08, HYBI-024: the resource name, which every version takes.
    let mut head = format!("GET {} HTTP/1.1\r\n", uri.resource_name());
    // WS-HC-09, HYBI-012.
    let host = match version {
        Version::Draft6 => uri.authority(),
        _ => uri.host_header(),
    };
    push_line(&mut head, "Host", &host);
    // WS-HC-10, HYBI-013.
    push_line(&mut head, "Upgrade", "websocket");
    push_line(&mut head, "Connection", "Upgrade");
    push_line(&mut head, "Sec-WebSocket-Key", key);
    // WS-HC-13, HYBI-001.
    push_line(&mut head, "Sec-WebSocket-Version", version.header_value());
    if let Some(origin) = &offer.origin {
        // HYBI-010: in lower case, under the name of the time.
        let name = if version.is_interim() { "Sec-WebSocket-Origin" } else { "Origin" };
        push_line(&mut head, name, &origin.to_ascii_lowercase());
    }
    if !offer.subprotocols.is_empty() {
        push_line(&mut head, "Sec-WebSocket-Protocol", &offer.subprotocols.join(", "));
    }
    let extensions = extension::write_offers(*version, &offer.deflate, offer.deflate_stream);
    if !extensions.is_empty() {
        push_line(&mut head, "Sec-WebSocket-Extensions", &extensions.join(", "));
    }
    for (name, value) in &offer.extra_headers {
        push_line(&mut head, name, value);
    }
    head.push_str("\r\n");
    head.into_bytes()
}

fn check_response(
    headers: &[Header<'_>],
    offer: &Offer,
    accept_key: &str,
) -> Result<Agreement, Failure> {
    // WS-HC-18: all of the value, not one of a list.
    let upgrade = single(headers, "upgrade").map_err(|_| Failure::Upgrade)?;
    if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) {
        return Err(Failure::Upgrade);
    }
    if !says_upgrade(headers, offer.version) {
        return Err(Failure::Connection);
    }
    // WS-HC-20, WS-HC-23, HYBI-004.
    let accept = single(headers, "sec-websocket-accept").map_err(|_| Failure::Accept)?;
    if accept != Some(accept_key.as_bytes()) {
        return Err(Failure::Accept);
    }
    Ok(Agreement {
        version: offer.version,
        subprotocol: check_subprotocol(headers, offer)?,
        compression: check_extensions(headers, offer)?,
    })
}

/// WS-HC-19: one of the tokens is `Upgrade`. HYBI-015: it is the only one in versions 6 and 7.
fn says_upgrade(headers: &[Header<'_>], version: Version) -> bool {
    match version {
        Version::Rfc6455 | Version::Draft8 => {
            list::contains(values(headers, "connection"), "upgrade")
        }
        Version::Draft7 | Version::Draft6 => single(headers, "connection")
            .is_ok_and(|value| value.is_some_and(|value| value.eq_ignore_ascii_case(b"upgrade"))),
    }
}

/// WS-HC-22, WS-HC-23, HYBI-019: none, or one of ours in the same letters.
fn check_subprotocol(headers: &[Header<'_>], offer: &Offer) -> Result<Option<String>, Failure> {
    let answer = single(headers, "sec-websocket-protocol").map_err(|_| Failure::Subprotocol)?;
    let Some(answer) = answer else {
        return Ok(None);
    };
    let chosen = offer.subprotocols.iter().find(|name| name.as_bytes() == answer);
    chosen.cloned().map(Some).ok_or(Failure::Subprotocol)
}

fn check_extensions(headers: &[Header<'_>], offer: &Offer) -> Result<Compression, Failure> {
    // WS-HC-23, WS-A01: one field at most.
    let answer =
        single(headers, "sec-websocket-extensions").map_err(|_| Failure::ExtensionsMalformed)?;
    // WS-EX-01, WS-EX-02.
    let answer = list::extensions(answer.into_iter(), offer.version)
        .map_err(|_| Failure::ExtensionsMalformed)?;
    extension::check(&answer, offer.version, &offer.deflate, offer.deflate_stream)
        .map_err(Failure::Extensions)
}
