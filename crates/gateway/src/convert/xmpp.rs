//! What XMPP stores, and any message as a stanza.

use super::mbws::mbws_content;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use wharf_broker::{ConsumerId, Delivery};
use wharf_chat::{STORED_HEAD_BYTES, XMPP, XMPP_COPY};
use wharf_mbws::{Content, Kind, LengthUnit, content_from_stored};
use wharf_xmpp::content::{self, ADDRESSES, BodyKind, CharacterFault};
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{Rewrite, Stanza};
use wharf_xmpp::xml::{Element, element, is_text};

/// Why there is no stanza for a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unsayable {
    /// It is longer than any stanza may be.
    TooLong,
    /// A property, or the content type, has characters that XML has not.
    Characters,
    /// Its format is not known.
    Format,
}

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "too long for a stanza of XMPP",
            Self::Characters => return CharacterFault.fmt(f),
            Self::Format => "not a known format",
        })
    }
}

/// Whether a format is that of stanzas.
pub(crate) fn is_xmpp(format: u8) -> bool {
    matches!(format, XMPP | XMPP_COPY)
}

/// A stored stanza.
pub(crate) fn stanza_of(body: &[u8]) -> &[u8] {
    body.get(STORED_HEAD_BYTES..).unwrap_or_default()
}

/// The octets to store of a stanza for a queue: who it is from, and nothing about who it was from
/// before. When it was sent is not said.
pub(crate) fn xmpp_stored(stanza: &Stanza<'_>, from: &str, lang: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(stanza.raw().len().saturating_add(128));
    out.extend_from_slice(&[0; STORED_HEAD_BYTES]);
    let is_address = |child: &Element<'_>| child.is("addresses", ADDRESSES);
    let mut rewrite = Rewrite::new().from(from).without(&is_address);
    if let Some(lang) = lang {
        rewrite = rewrite.lang(lang);
    }
    rewrite.write(stanza, &mut out);
    out
}

/// A delivery as a message from a queue's address.
///
/// # Errors
/// XMPP cannot say it.
pub(crate) fn xmpp_stanza(
    delivery: &Delivery,
    from: &str,
    to: &str,
    size_max_bytes: usize,
) -> Result<Vec<u8>, Unsayable> {
    let mut out = Vec::with_capacity(delivery.body.len().saturating_add(256));
    if is_xmpp(delivery.format) {
        resend(delivery, from, to, &mut out)?;
    } else {
        let unit = LengthUnit::CodePoints;
        let (kind, octets) = mbws_content(delivery, unit).ok_or(Unsayable::Format)?;
        let content = content_from_stored(kind, unit, &octets).map_err(|_| Unsayable::Format)?;
        write(&content, &[("from", from), ("to", to)], &mut out)?;
    }
    if out.len() > size_max_bytes { Err(Unsayable::TooLong) } else { Ok(out) }
}

/// A message of another protocol, for people: without `to`.
///
/// # Errors
/// XMPP cannot say it.
pub(crate) fn xmpp_message(
    format: u8,
    body: Bytes,
    from: &str,
    size_max_bytes: usize,
) -> Result<Vec<u8>, Unsayable> {
    let (seq, consumer, address) = (0, ConsumerId(0), Arc::from(""));
    let (count, death, annotations) = (0, None, None);
    let delivery = Delivery { seq, consumer, address, format, body, count, death, annotations };
    let unit = LengthUnit::CodePoints;
    let (kind, octets) = mbws_content(&delivery, unit).ok_or(Unsayable::Format)?;
    let content = content_from_stored(kind, unit, &octets).map_err(|_| Unsayable::Format)?;
    let mut out = Vec::with_capacity(octets.len().saturating_add(256));
    // What people are to read is shown in a chat, and kept for those who are away.
    write(&content, &[("from", from), ("type", "chat")], &mut out)?;
    if out.len() > size_max_bytes { Err(Unsayable::TooLong) } else { Ok(out) }
}

/// A stanza that comes out of a queue: from the queue, by way of which it came from its sender.
fn resend(delivery: &Delivery, from: &str, to: &str, out: &mut Vec<u8>) -> Result<(), Unsayable> {
    let stored = str::from_utf8(stanza_of(&delivery.body)).map_err(|_| Unsayable::Format)?;
    let stanza = Stanza::parse(stored, &XmlLimits::NONE).map_err(|_| Unsayable::Format)?;
    let mut appended = Vec::new();
    if let Some(sender) = stanza.element().attribute("from") {
        element(&mut appended, "addresses", &[("xmlns", ADDRESSES)], |out| {
            element(out, "address", &[("type", "ofrom"), ("jid", &sender)], |_| {});
        });
    }
    let death = super::mbws::death_properties(delivery);
    content::write_headers(death.into_iter(), &mut appended)?;
    Rewrite::new().from(from).to(to).append(&appended).write(&stanza, out);
    Ok(())
}

fn write(
    content: &Content<'_>,
    addresses: &[(&str, &str)],
    out: &mut Vec<u8>,
) -> Result<(), Unsayable> {
    let mut attributes = vec![("xmlns", ns::CLIENT)];
    attributes.extend_from_slice(addresses);
    let id = content.properties().find(|(name, _)| *name == "message-id");
    attributes.extend(id.filter(|(_, id)| is_text(id)).map(|(_, id)| ("id", id)));
    let mut inside = Vec::with_capacity(content.body().len().saturating_add(64));
    let kind = match content.kind() {
        Kind::Text => BodyKind::Text,
        Kind::Binary => BodyKind::Binary,
    };
    let (content_type, properties) = (content.content_type(), content.properties());
    content::write(kind, content_type, properties, content.body(), &mut inside)?;
    element(out, "message", &attributes, |out| out.extend_from_slice(&inside));
    Ok(())
}

/// The kind of a body, in the words of MBWS.
pub(super) fn kind_of(kind: BodyKind) -> Kind {
    match kind {
        BodyKind::Text => Kind::Text,
        BodyKind::Binary => Kind::Binary,
    }
}

impl From<CharacterFault> for Unsayable {
    fn from(CharacterFault: CharacterFault) -> Self {
        Self::Characters
    }
}
