//! Stanzas as MBWS content.

use super::parts::Parts;
use super::xmpp::{kind_of, stanza_of};
use std::borrow::Cow;
use wharf_broker::Delivery;
use wharf_mbws::{Kind, LengthUnit};
use wharf_xmpp::content::{Content, WHOLE_TYPE, read};
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::stanza::Stanza;

/// A delivery of a stanza as MBWS content. There is always one: a stanza that cannot be taken
/// apart, or that holds what no property can say, is handed on whole.
pub(super) fn content(
    delivery: &Delivery,
    unit: LengthUnit,
    death: &[(&str, &str)],
) -> (Kind, Vec<u8>) {
    let octets = stanza_of(&delivery.body);
    let text = str::from_utf8(octets).unwrap_or_default();
    let whole = || Parts::whole(Kind::Text, WHOLE_TYPE, text.as_bytes());
    let parts = parts_of(text).filter(Parts::fits).unwrap_or_else(whole);
    (parts.kind, parts.encode(unit, death))
}

fn parts_of(text: &str) -> Option<Parts<'static>> {
    let stanza = Stanza::parse(text, &XmlLimits::NONE).ok()?;
    let Content { kind, content_type, properties, body } = read(&stanza)?;
    Some(Parts { kind: kind_of(kind), content_type, properties, body: Cow::Owned(body) })
}
