//! What AMQP stores, and any message as AMQP sections (AMQP 3.2).

use super::mbws::{mbws_form, mbws_format};
use super::xmpp::is_xmpp;
use super::{from_mbws, from_xmpp};
use bytes::Bytes;
use std::borrow::Cow;
use wharf_amqp::codec::Composite;
use wharf_amqp::messaging::{
    AnnotationKey, Annotations, Header, Sections, append_message_annotations,
};
use wharf_amqp::value::{Fields, Value};
use wharf_broker::{Death, Delivery};
use wharf_mbws::LengthUnit;

/// The format of AMQP sections, without delivery annotations.
pub(crate) const AMQP: u8 = 0x20;

/// Annotations added to dead letters.
const DEATH_REASON: &str = "x-opt-wharf-death-reason";
const DEATH_ADDRESS: &str = "x-opt-wharf-death-address";
const DEATH_DETAIL: &str = "x-opt-wharf-death-detail";

/// Why a message is not taken from its sender.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unfit {
    /// Its sections cannot be read.
    Malformed,
    /// It names no address, and its link has none.
    NoAddress,
    /// It is in a format, or part of a transaction, that is not known here.
    NotImplemented,
}

/// The octets to store: as received, less what was for this hop alone (AMQP 3.2.2). Whatever a
/// node reads of a message can be read (AMQP 3.2.1, 3.2.3); the rest is the receiver's.
pub(crate) fn amqp_stored(message: &[u8]) -> Result<Cow<'_, [u8]>, Unfit> {
    let sections = Sections::scan(message).map_err(|_| Unfit::Malformed)?;
    let header = sections.decode_header(message).map_err(|_| Unfit::Malformed)?;
    sections.decode_message_annotations(message).map_err(|_| Unfit::Malformed)?;
    // AMQP 3.2.1: whether somebody had it before is not the sender's to say.
    let header = header.filter(|header| header.first_acquirer);
    if header.is_none() && sections.delivery_annotations.is_none() {
        return Ok(Cow::Borrowed(message));
    }
    let header_end = sections.header.map_or(0, |span| span.end);
    let after = sections.delivery_annotations.map_or(header_end, |span| span.end);
    let mut out = Vec::with_capacity(message.len());
    match header {
        Some(header) => Header { first_acquirer: false, ..header }.encode(&mut out),
        None => out.extend_from_slice(message.get(..header_end).unwrap_or_default()),
    }
    out.extend_from_slice(message.get(after..).unwrap_or_default());
    Ok(Cow::Owned(out))
}

/// The address a message names itself.
pub(crate) fn amqp_destination(message: &[u8]) -> Result<String, Unfit> {
    let sections = Sections::scan(message).map_err(|_| Unfit::Malformed)?;
    let to = sections.to(message).map_err(|_| Unfit::Malformed)?;
    to.filter(|to| !to.is_empty()).map(str::to_owned).ok_or(Unfit::NoAddress)
}

/// Annotations that a consumer leaves with a message, as the broker keeps them: a message of
/// annotations alone.
pub(crate) fn kept_annotations(fields: &Fields) -> Option<Bytes> {
    let key = |name: &String| AnnotationKey::Symbol(name.clone());
    let annotations: Annotations =
        fields.iter().map(|(name, value)| (key(name), value.clone())).collect();
    (!annotations.is_empty()).then(|| kept(&annotations))
}

/// Annotations left with a message, and those added to them (AMQP 3.4.5).
pub(crate) fn merged_annotations(before: &[u8], added: &[u8]) -> Bytes {
    let mut annotations = annotations_of(before);
    annotations_of(added).into_iter().for_each(|(key, value)| put(&mut annotations, key, value));
    kept(&annotations)
}

fn kept(annotations: &Annotations) -> Bytes {
    let mut out = Vec::new();
    append_message_annotations(&mut out, annotations);
    Bytes::from(out)
}

/// A delivery as AMQP sections, in two parts: what is written anew, and the rest as it is stored.
/// `None` if the format is not known.
// AMQP 3.2: the bare message is handed on as it came.
pub(crate) fn amqp_payload(delivery: &Delivery) -> Option<[Bytes; 2]> {
    if is_xmpp(delivery.format) {
        let unit = LengthUnit::CodePoints;
        let (kind, content) = from_xmpp::content(delivery, unit, &[]);
        let (format, body) = (mbws_format(kind, unit), Bytes::from(content));
        return from_mbws::payload(&Delivery { format, body, ..delivery.clone() }, kind, unit);
    }
    if delivery.format != AMQP {
        let (kind, unit) = mbws_form(delivery.format)?;
        return from_mbws::payload(delivery, kind, unit);
    }
    let body = &delivery.body;
    let as_stored = || Some([Bytes::new(), body.clone()]);
    if delivery.count == 0 && delivery.annotations.is_none() && delivery.death.is_none() {
        return as_stored();
    }
    // What is stored has been read before.
    let Ok(sections) = Sections::scan(body) else { return as_stored() };
    let Ok(header) = sections.decode_header(body) else { return as_stored() };
    let mut header = header.unwrap_or_default();
    header.delivery_count = header.delivery_count.saturating_add(u32::from(delivery.count));
    let mut annotations = annotations_of(body);
    leave_annotations(&mut annotations, delivery);
    let mut head = Vec::with_capacity(64);
    header.encode(&mut head);
    if !annotations.is_empty() {
        append_message_annotations(&mut head, &annotations);
    }
    Some([Bytes::from(head), body.slice(sections.bare().start.min(body.len())..)])
}

/// The message annotations of a message; none if they cannot be read.
fn annotations_of(message: &[u8]) -> Annotations {
    let annotations =
        Sections::scan(message).and_then(|sections| sections.decode_message_annotations(message));
    annotations.unwrap_or_default()
}

/// Adds what consumers left with a message, and why it died.
pub(super) fn leave_annotations(annotations: &mut Annotations, delivery: &Delivery) {
    if let Some(kept) = &delivery.annotations {
        let kept = annotations_of(kept);
        kept.into_iter().for_each(|(key, value)| put(annotations, key, value));
    }
    if let Some(death) = &delivery.death {
        put_death(annotations, death);
    }
}

fn put_death(annotations: &mut Annotations, death: &Death) {
    let symbol = Value::Symbol(death.reason.name().to_owned());
    put(annotations, DEATH_REASON.into(), symbol);
    put(annotations, DEATH_ADDRESS.into(), Value::String(death.address.clone()));
    if let Some(detail) = &death.detail {
        put(annotations, DEATH_DETAIL.into(), Value::String(detail.clone()));
    }
}

/// Sets an annotation.
pub(super) fn put(annotations: &mut Annotations, key: AnnotationKey, value: Value) {
    match annotations.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = value,
        None => annotations.push((key, value)),
    }
}
