//! Stanzas as MBWS content.

use super::parts::{Pairs, Parts};
use super::xmpp::{JSON_TYPE, stanza_of};
use super::{CONTENT, JSON, SHIM, STANZA_TYPE};
use data_encoding::BASE64;
use std::borrow::Cow;
use wharf_broker::Delivery;
use wharf_mbws::{Kind, LengthUnit};
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::Stanza;
use wharf_xmpp::xml::Element;

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
    super::ADDRESSES,
];

/// A delivery of a stanza as MBWS content. There is always one: a stanza that cannot be taken
/// apart, or that holds what no property can say, is handed on whole.
pub(super) fn content(
    delivery: &Delivery,
    unit: LengthUnit,
    death: &[(&str, &str)],
) -> (Kind, Vec<u8>) {
    let octets = stanza_of(&delivery.body);
    let text = str::from_utf8(octets).unwrap_or_default();
    let whole = || Parts::whole(Kind::Text, STANZA_TYPE, text.as_bytes());
    let parts = parts_of(text).filter(Parts::fits).unwrap_or_else(whole);
    (parts.kind, parts.encode(unit, death))
}

/// What is in a message, each at most once.
#[derive(Debug, Default)]
struct Found<'a> {
    body: Option<Element<'a>>,
    json: Option<Element<'a>>,
    content: Option<Element<'a>>,
    subject: Option<Element<'a>>,
    thread: Option<Element<'a>>,
    headers: Pairs,
}

/// `None` if something is twice, or is not known.
fn parts_of(text: &str) -> Option<Parts<'_>> {
    let stanza = Stanza::parse(text, &XmlLimits::NONE).ok()?;
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
    let properties = properties_of(&stanza, found);
    Some(Parts { kind, content_type, properties, body: Cow::Owned(body) })
}

/// Kind, content type and octets.
fn body_of(found: &Found<'_>) -> Option<(Kind, String, Vec<u8>)> {
    let described = found.content.as_ref();
    let (meant, body) = match (&found.body, &found.json) {
        (Some(_), Some(_)) => return None,
        (Some(body), None) => (("", Kind::Text), body.text().into_owned().into_bytes()),
        (None, Some(json)) => ((JSON_TYPE, Kind::Text), json.text().into_owned().into_bytes()),
        (None, None) => match described {
            Some(content) => {
                let digits = content.text();
                (("", Kind::Binary), BASE64.decode(digits.trim().as_bytes()).ok()?)
            }
            None => (("", Kind::Text), Vec::new()),
        },
    };
    let said = |name| described.and_then(|content| content.attribute(name));
    let content_type = said("type").unwrap_or(Cow::Borrowed(meant.0)).into_owned();
    let kind = match said("kind").as_deref() {
        None => meant.1,
        Some("text") => Kind::Text,
        Some("binary") => Kind::Binary,
        Some(_) => return None,
    };
    if kind == Kind::Text && str::from_utf8(&body).is_err() {
        return None;
    }
    Some((kind, content_type, body))
}

/// Headers first, then what the stanza says otherwise, unless a header says it.
fn properties_of(stanza: &Stanza<'_>, found: Found<'_>) -> Pairs {
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
