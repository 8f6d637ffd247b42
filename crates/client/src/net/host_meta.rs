//! Where the WebSocket of a domain is, for who knows the domain alone (RFC 7395, section 4;
//! XEP-0156, section 3; RFC 6415).

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::xml::parse;

use super::http::{Ask, ask};
use crate::{Error, Tls};

/// The longest document that is read.
const DOCUMENT_MAX_BYTES: usize = 64 << 10;

/// The namespace of the document (RFC 6415, section 3).
const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";

/// The relation of a WebSocket to a domain.
// XWS-090.
const WEBSOCKET: &str = "urn:xmpp:alt-connections:websocket";

/// Asks a domain where its WebSocket is: `example.com`, or `example.com:8443` where HTTPS is on
/// another port. Gives a `wss` URL. The domain's certificate is checked as `tls` says; what is at
/// the URL has to prove its own name later.
///
/// # Errors
/// The domain cannot be reached and trusted by HTTPS, or does not say.
// XWS-091: by secure HTTP alone, and from the domain itself: no redirect is followed.
pub async fn discover(domain: &str, tls: &Tls, patience: Duration) -> Result<String, Error> {
    let asked = timeout(patience, document_of(domain, tls)).await;
    let document = asked.map_err(|_elapsed| Error::Timeout)??;
    let text = std::str::from_utf8(&document).map_err(|_| Error::NotDiscovered)?;
    websocket_in(text).ok_or(Error::NotDiscovered)
}

async fn document_of(domain: &str, tls: &Tls) -> Result<Bytes, Error> {
    let url = format!("https://{domain}/.well-known/host-meta");
    let request = Ask {
        method: "GET",
        headers: vec![("accept", "application/xrd+xml".to_owned())],
        body: Bytes::new(),
        answer_max_bytes: DOCUMENT_MAX_BYTES,
    };
    let answer = ask(&url, tls, request).await?;
    if answer.status != 200 {
        return Err(Error::Http { status: answer.status });
    }
    Ok(answer.body)
}

/// The first `wss` URL of the document.
// XWS-061, XWS-094: never to something less secure than what said so.
fn websocket_in(document: &str) -> Option<String> {
    let mut rest = document.trim_start_matches('\u{feff}').trim_start();
    if let Some(declaration) = rest.strip_prefix("<?xml") {
        rest = declaration.split_once("?>")?.1.trim_start();
    }
    let limits = XmlLimits { size_max_bytes: DOCUMENT_MAX_BYTES, ..XmlLimits::default() };
    let root = parse(rest.trim_end(), &limits).ok().filter(|root| root.is("XRD", XRD))?;
    let links = root.children().filter(|link| link.is("Link", XRD));
    let mut websockets = links.filter(|link| link.attribute("rel").as_deref() == Some(WEBSOCKET));
    websockets.find_map(|link| {
        let href = link.attribute("href")?;
        href.starts_with("wss://").then(|| href.into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XWS-090, XWS-092.
    #[test]
    fn the_first_secure_websocket_is_taken() {
        let document = |links: &str| {
            format!("<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='{XRD}'>{links}</XRD>\n")
        };
        let link = |url: &str| format!("<Link rel='{WEBSOCKET}' href='{url}'/>");
        let bosh = "<Link rel='urn:xmpp:alt-connections:xbosh' href='https://a/bosh'/>";
        let (secure, plain) = (link("wss://a/ws"), link("ws://a/ws"));
        let table = [
            (document(&secure), Some("wss://a/ws")),
            (document(&format!("{bosh}{plain}{secure}")), Some("wss://a/ws")),
            (document(&plain), None),
            (document(bosh), None),
            ("<XRD/>".to_owned(), None),
            ("no document".to_owned(), None),
            (format!("<!DOCTYPE x>{}", document(&secure)), None),
        ];
        for (document, expected) in table {
            assert_eq!(websocket_in(&document).as_deref(), expected, "{document}");
        }
    }
}
