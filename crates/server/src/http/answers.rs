//! Responses.

use crate::node::Phase;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use wharf_ws::handshake::Refusal;
use wharf_ws::handshake::server::Acceptance;
use wharf_ws::version::Versions;

pub(crate) type Body = Full<Bytes>;
pub(crate) type Answer = Response<Body>;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const PAGE: &str = include_str!("page.html");

fn answer(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// Something of this media type.
pub(crate) fn of(status: u16, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = answer(status, content_type, body);
    if status == 204 {
        answer.headers_mut().remove(header::CONTENT_TYPE);
    }
    answer
}

/// The answer with one more header field.
pub(crate) fn with_field(mut answer: Answer, name: &str, value: &str) -> Answer {
    add(&mut answer, [(name, value)].into_iter());
    answer
}

fn add<'a>(answer: &mut Answer, fields: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, value) in fields {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
}

pub(super) fn text(status: u16, body: &'static str) -> Answer {
    answer(status, TEXT, body)
}

pub(crate) fn method_not_allowed() -> Answer {
    let mut answer = text(405, "only GET and HEAD\n");
    add(&mut answer, [("Allow", "GET, HEAD")].into_iter());
    answer
}

/// A plain request where only WebSockets are spoken.
pub(super) fn upgrade_required(versions: Versions) -> Answer {
    let mut answer = text(426, "this is a WebSocket; connect with ws:// or wss://\n");
    let versions = versions.to_string();
    let fields = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", versions.as_str()),
    ];
    add(&mut answer, fields.into_iter());
    answer
}

pub(super) fn readiness(phase: Phase) -> Answer {
    match phase {
        Phase::Ready => text(200, "ready\n"),
        Phase::Starting => text(503, "starting: the journal is being recovered\n"),
        Phase::Draining => text(503, "draining\n"),
        Phase::Failed => text(503, "failed: nothing is acknowledged any more\n"),
    }
}

pub(crate) fn metrics(text: Option<String>) -> Answer {
    match text {
        Some(text) => answer(200, OPENMETRICS, text),
        None => answer(503, TEXT, "the broker does not answer yet\n"),
    }
}

/// Something that any page may read.
pub(super) fn document(content_type: &'static str, body: String) -> Answer {
    let mut answer = answer(200, content_type, body);
    add(&mut answer, [("Access-Control-Allow-Origin", "*")].into_iter());
    answer
}

pub(super) fn page() -> Answer {
    let mut answer = answer(200, HTML, PAGE);
    // A WebSocket of its own host is all that a script on this page could want.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'";
    add(&mut answer, [("Content-Security-Policy", policy)].into_iter());
    answer
}

/// Back to the page, with a login that the browser now remembers.
pub(super) fn logged_in() -> Answer {
    let mut answer = text(303, "logged in\n");
    add(&mut answer, [("Location", "/")].into_iter());
    answer
}

pub(super) fn switching(acceptance: &Acceptance) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    add(&mut answer, acceptance.headers());
    answer
}

pub(super) fn refusal(refusal: &Refusal) -> Answer {
    let mut answer = answer(refusal.status(), TEXT, refusal.body());
    add(&mut answer, refusal.headers());
    answer
}
