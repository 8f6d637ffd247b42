//! Where XMPP is, for clients that know its domain alone (XEP-0156, RFC 6415).

use super::answers::{self, Answer};

/// The relation of a WebSocket to a domain (RFC 7395, section 4).
const WEBSOCKET: &str = "urn:xmpp:alt-connections:websocket";

const XRD: &str = "application/xrd+xml; charset=utf-8";
const JSON: &str = "application/json";

/// The paths, and whether each is JSON.
pub(super) fn form_of(path: &str) -> Option<Form> {
    match path {
        "/.well-known/host-meta" => Some(Form::Xrd),
        "/.well-known/host-meta.json" => Some(Form::Json),
        _ => None,
    }
}

/// How it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Xrd,
    Json,
}

/// The document that names `url`, which holds no character that either form would have to escape.
// XWS-090, XWS-092, XWS-A10, XEP-0156 3: for pages of any origin.
pub(super) fn document(form: Form, url: &str) -> Answer {
    let (content_type, body) = match form {
        Form::Xrd => (XRD, xrd(url)),
        Form::Json => (JSON, json(url)),
    };
    answers::document(content_type, body)
}

fn xrd(url: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='utf-8'?>\n\
         <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n  \
         <Link rel='{WEBSOCKET}' href='{url}'/>\n\
         </XRD>\n"
    )
}

fn json(url: &str) -> String {
    format!("{{\"links\":[{{\"rel\":\"{WEBSOCKET}\",\"href\":\"{url}\"}}]}}\n")
}
