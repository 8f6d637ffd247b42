//! A `<message/>` as body and properties.

use super::{ADDRESSES, BodyKind, CONTENT, JSON, JSON_TYPE, SHIM};
use crate::ns;
use crate::stanza::Stanza;
use crate::xml::Element;
use data_encoding::BASE64;
use std::borrow::Cow;

/// Content type of a stanza that cannot be taken apart: the text is all of it (RFC 3923).
pub const WHOLE_TYPE: &str = "application/xmpp+xml";

/// Property with the address that a message is from, which the server has said.
const FROM: &str = "xmpp-from";
/// Property with the type of a message, if it has one.
const TYPE: &str = "xmpp-type";
/// Property with the language of a message, if it has one.
const LANGUAGE: &str = "content-language";

/// What says nothing of the content: receipts, states of a conversation, hints for servers, names
/// of a message and of its sender, delays.
const FOR_CLIENTS: [&str; 12] = [
    "http://jabber.org/protocol/chatstates",
    "urn:xmpp:receipts",
    "urn:xmpp:chat-markers:0",
    "urn:xmpp:hints",
    "urn:xmpp:sid:0",
    "urn:xmpp:delay",
    "urn:xmpp:carbons:2",
    "urn:xmpp:styling:0",
    "urn:xmpp:eme:0",
    "http://jabber.org/protocol/nick",
    "http://jabber.org/protocol/caps",
    ADDRESSES,
];

/// A message taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    /// What the body is.
    pub kind: BodyKind,
    /// The MIME type of the body; may be empty.
    pub content_type: String,
    /// Names and values, in order.
    pub properties: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is in a message, each at most once.
#[derive(Debug, Default)]
struct Found<'a> {
    body: Option<Element<'a>>,
    json: Option<Element<'a>>,
    content: Option<Element<'a>>,
    subject: Option<Element<'a>>,
    thread: Option<Element<'a>>,
    headers: Vec<(String, String)>,
}

/// Takes a message apart. `None` if something is in it twice, or is not known: it is one of
/// [`WHOLE_TYPE`].
#[must_use]
pub fn read(stanza: &Stanza<'_>) -> Option<Content> {
    let mut found = Found::default();
    for child in stanza.element().children() {
        let place = match (child.name(), child.namespace()) {
            ("body", ns::CLIENT) => &mut found.body,
            ("subject", ns::CLIENT) => &mut found.subject,
            ("thread", ns::CLIENT) => &mut found.thread,
            ("json", JSON) => &mut found.json,
            ("content", CONTENT) => &mut found.content,
            ("headers", SHIM) => {
                found.headers.extend(child.children().filter_map(|header| {
                    let name = header.attribute("name")?.into_owned();
                    Some((name, header.text().into_owned()))
                }));
                continue;
            }
            (_, namespace) if FOR_CLIENTS.contains(&namespace) => continue,
            _ => return None,
        };
        if place.replace(child).is_some() {
            return None;
        }
    }
    let (kind, content_type, body) = body_of(&found)?;
    let properties = properties_of(stanza, found);
    Some(Content { kind, content_type, properties, body })
}

/// Kind, content type and octets.
fn body_of(found: &Found<'_>) -> Option<(BodyKind, String, Vec<u8>)> {
    let described = found.content.as_ref();
    let (meant, body) = match (&found.body, &found.json) {
        (Some(_), Some(_)) => return None,
        (Some(body), None) => (("", BodyKind::Text), body.text().into_owned().into_bytes()),
        (None, Some(json)) => ((JSON_TYPE, BodyKind::Text), json.text().into_owned().into_bytes()),
        (None, None) => match described {
            Some(content) => {
                let digits = content.text();
                (("", BodyKind::Binary), BASE64.decode(digits.trim().as_bytes()).ok()?)
            }
            None => (("", BodyKind::Text), Vec::new()),
        },
    };
    let said = |name| described.and_then(|content| content.attribute(name));
    let content_type = said("type").unwrap_or(Cow::Borrowed(meant.0)).into_owned();
    let kind = match said("kind").as_deref() {
        None => meant.1,
        Some("text") => BodyKind::Text,
        Some("binary") => BodyKind::Binary,
        Some(_) => return None,
    };
    if kind == BodyKind::Text && str::from_utf8(&body).is_err() {
        return None;
    }
    Some((kind, content_type, body))
}

/// Headers first, then what the stanza says otherwise, unless a header says it.
fn properties_of(stanza: &Stanza<'_>, found: Found<'_>) -> Vec<(String, String)> {
    let mut pairs = found.headers;
    // Who it is from is not for the sender to say.
    pairs.retain(|(name, _)| name != FROM);
    let from = stanza.element().attribute("from");
    let reply_to = from.as_ref().map(|from| format!("xmpp:{from}").into());
    let text = |element: Option<Element<'_>>| element.map(|it| it.text().into_owned().into());
    let said: [(&str, Option<Cow<'_, str>>); 7] = [
        ("message-id", stanza.id()),
        ("subject", text(found.subject)),
        ("group-id", text(found.thread)),
        ("reply-to", reply_to),
        (TYPE, stanza.type_name()),
        (LANGUAGE, stanza.element().lang().map(Cow::Borrowed)),
        (FROM, from),
    ];
    for (name, value) in said {
        if let Some(value) = value.filter(|_| pairs.iter().all(|(known, _)| known != name)) {
            pairs.push((name.to_owned(), value.into_owned()));
        }
    }
    pairs
}
