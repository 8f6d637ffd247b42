//! What MBWS stores, and any message as MBWS content.

use super::amqp::AMQP;
use super::xmpp::is_xmpp;
use super::{from_amqp, from_xmpp};
use std::borrow::Cow;
use wharf_broker::Delivery;
use wharf_mbws::{Content, Kind, LengthUnit, content_from_stored, encode_content};

/// MBWS content: `0x10`, plus 1 for binary, plus 2 for lengths in octets or 4 in UTF-16.
const MBWS: u8 = 0x10;

/// Properties added to what a dead letter brings along; the sender's own stay as they are.
const DEATH_REASON: &str = "wharf-death-reason";
const DEATH_ADDRESS: &str = "wharf-death-address";
const DEATH_DETAIL: &str = "wharf-death-detail";

/// The format of MBWS content.
pub(crate) fn mbws_format(kind: Kind, unit: LengthUnit) -> u8 {
    let kind = match kind {
        Kind::Text => 0,
        Kind::Binary => 1,
    };
    let unit = match unit {
        LengthUnit::CodePoints => 0,
        LengthUnit::Octets => 2,
        LengthUnit::Utf16 => 4,
    };
    MBWS | kind | unit
}

/// The octets to store: as received, unless some length is padded, which is never sent on.
// MBWS-A16
pub(crate) fn mbws_stored<'a>(content: &Content<'a>) -> Cow<'a, [u8]> {
    if content.is_shortest() {
        return Cow::Borrowed(content.raw());
    }
    let mut out = Vec::with_capacity(content.raw().len());
    let (kind, unit) = (content.kind(), content.unit());
    match encode_content(
        kind,
        unit,
        content.content_type(),
        content.properties(),
        content.body(),
        &mut out,
    ) {
        Ok(()) => Cow::Owned(out),
        // Not reached: the body came in a frame of this kind.
        Err(_) => Cow::Borrowed(content.raw()),
    }
}

/// What MBWS content a format is; `None` if it is of another protocol.
pub(crate) fn mbws_form(format: u8) -> Option<(Kind, LengthUnit)> {
    let kind = if format & 1 == 0 { Kind::Text } else { Kind::Binary };
    let unit = match format & 0xfe {
        0x10 => LengthUnit::CodePoints,
        0x12 => LengthUnit::Octets,
        0x14 => LengthUnit::Utf16,
        _ => return None,
    };
    Some((kind, unit))
}

/// The content of a delivery for an MBWS session that counts lengths in `unit`: as it was stored
/// wherever that is possible. `None` if the format is not known.
// MBWS-079, MBWS-A03: kind, content type, properties and body are the sender's.
pub(crate) fn mbws_content(delivery: &Delivery, unit: LengthUnit) -> Option<(Kind, Cow<'_, [u8]>)> {
    let death = death_properties(delivery);
    if delivery.format == AMQP {
        let (kind, content) = from_amqp::content(delivery, unit, &death);
        return Some((kind, Cow::Owned(content)));
    }
    if is_xmpp(delivery.format) {
        let (kind, content) = from_xmpp::content(delivery, unit, &death);
        return Some((kind, Cow::Owned(content)));
    }
    let (kind, stored_unit) = mbws_form(delivery.format)?;
    if stored_unit == unit && death.is_empty() {
        return Some((kind, Cow::Borrowed(&delivery.body)));
    }
    let content = content_from_stored(kind, stored_unit, &delivery.body).ok()?;
    let properties: Vec<(&str, &str)> = content.properties().chain(death).collect();
    let mut out = Vec::with_capacity(delivery.body.len().saturating_add(64));
    let properties = properties.into_iter();
    encode_content(kind, unit, content.content_type(), properties, content.body(), &mut out)
        .ok()?;
    Some((kind, Cow::Owned(out)))
}

/// What a dead letter says.
pub(super) fn death_properties(delivery: &Delivery) -> Vec<(&str, &str)> {
    let Some(death) = &delivery.death else { return Vec::new() };
    let reason = [(DEATH_REASON, death.reason.name()), (DEATH_ADDRESS, &*death.address)];
    let detail = death.detail.as_deref().map(|detail| (DEATH_DETAIL, detail));
    reason.into_iter().chain(detail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MBWS-A16: what may be accepted padded is not sent on padded.
    #[test]
    fn padded_lengths_are_stored_in_their_shortest_form() {
        let table: [(Kind, &[u8], &[u8]); 4] = [
            (Kind::Text, b"00 000 body", b"0 0 body"),
            (Kind::Text, b"0 1 1 k1 vbody", b"0 1 1 k1 vbody"),
            (Kind::Binary, b"\x80\x00\x80\x80\x00body", b"\x00\x00body"),
            (Kind::Binary, b"\x01t\x00body", b"\x01t\x00body"),
        ];
        for (kind, received, stored) in table {
            let content = content_from_stored(kind, LengthUnit::CodePoints, received).unwrap();
            assert_eq!(&*mbws_stored(&content), stored);
        }
    }

    #[test]
    fn formats_are_read_as_they_are_written() {
        for kind in [Kind::Text, Kind::Binary] {
            for unit in [LengthUnit::CodePoints, LengthUnit::Octets, LengthUnit::Utf16] {
                assert_eq!(mbws_form(mbws_format(kind, unit)), Some((kind, unit)));
            }
        }
        assert_eq!(mbws_form(0), None);
        assert_eq!(mbws_form(0x16), None);
    }
}
