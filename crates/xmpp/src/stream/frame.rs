//! What a message is.

use super::header::Header;
use super::input::Received;
use super::violation::Violation;
use crate::limits::XmlLimits;
use crate::ns;
use crate::stanza::{Kind, Stanza};
use crate::stream_error::StreamError;
use crate::xml::{Element, XmlFault, parse};
use data_encoding::BASE64;

/// One first-level element.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    Open(Header),
    Close { see_other_uri: Option<String> },
    Error(StreamError),
    Stanza(Stanza<'a>),
    Other(Element<'a>),
}

impl<'a> Frame<'a> {
    // XWS-004, XWS-010, XWS-011.
    pub(crate) fn read(received: Received<'a>, limits: &XmlLimits) -> Result<Self, Violation> {
        let Received::Text(payload) = received else { return Err(Violation::Binary) };
        if payload.len() > limits.size_max_bytes {
            return Err(XmlFault::OverLimit(crate::xml::Bound::Size).into());
        }
        let text = str::from_utf8(payload).map_err(|_| XmlFault::Encoding)?;
        Self::of(parse(text, limits)?)
    }

    fn of(element: Element<'a>) -> Result<Self, Violation> {
        match (element.name(), element.namespace()) {
            ("open", ns::FRAMING) => Ok(Self::Open(Header::read(&element))),
            ("close", ns::FRAMING) => {
                let uri = element.attribute("see-other-uri");
                Ok(Self::Close { see_other_uri: uri.map(|uri| uri.into_owned()) })
            }
            // XWS-016, XWS-019: neither another namespace nor the header of TCP.
            ("open" | "close", _) | ("stream", ns::STREAM) => Err(Violation::HeaderNamespace),
            ("error", ns::STREAM) => {
                let error = StreamError::read(&element);
                Ok(Self::Error(error.ok_or(Violation::UnknownElement)?))
            }
            (name, namespace) if Kind::from_name(name).is_some() => {
                if namespace != ns::CLIENT {
                    // XWS-020, RFC 6120 4.8.3.
                    return Err(Violation::StanzaNamespace);
                }
                let stanza = Stanza::from_element(element);
                Ok(Self::Stanza(stanza.ok_or(Violation::UnknownElement)?))
            }
            _ => Ok(Self::Other(element)),
        }
    }
}

/// The octets of a SASL message (RFC 6120, section 6.3.5). `=` is a message without octets;
/// where there is nothing at all, there is no message.
pub(crate) fn decode_base64(text: &str) -> Option<Option<Vec<u8>>> {
    match text {
        "" => Some(None),
        "=" => Some(Some(Vec::new())),
        text => BASE64.decode(text.as_bytes()).ok().map(Some),
    }
}

/// A SASL message as content of an element (RFC 6120, sections 6.4.2 and 6.4.6).
pub(crate) fn encode_base64(octets: &[u8]) -> String {
    if octets.is_empty() { "=".to_owned() } else { BASE64.encode(octets) }
}
