//! What AMQP stores, and any message as AMQP sections (AMQP 3.2).

use bytes::Bytes;
use std::borrow::Cow;
use wharf_amqp::codec::Composite;
use wharf_amqp::messaging::{
    AnnotationKey, Annotations, Header, Sections, append_message_annotations, append_value,
};
use wharf_amqp::value::{Fields, Value};
use wharf_broker::{Death, Delivery};

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

/// The octets to store: as received, less what was for this hop alone (AMQP 3.2.2).
pub(crate) fn amqp_stored(message: &[u8]) -> Result<Cow<'_, [u8]>, Unfit> {
    let sections = Sections::scan(message).map_err(|_| Unfit::Malformed)?;
    let Some(hop) = sections.delivery_annotations else { return Ok(Cow::Borrowed(message)) };
    let before = message.get(..hop.start).unwrap_or_default();
    let after = message.get(hop.end..).unwrap_or_default();
    Ok(Cow::Owned([before, after].concat()))
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
    if fields.is_empty() {
        return None;
    }
    let key = |name: &String| AnnotationKey::Symbol(name.clone());
    let annotations: Annotations =
        fields.iter().map(|(name, value)| (key(name), value.clone())).collect();
    let mut out = Vec::new();
    append_message_annotations(&mut out, &annotations);
    append_value(&mut out, &Value::Null);
    Some(Bytes::from(out))
}

/// A delivery as AMQP sections, in two parts: what is written anew, and the rest as it is stored.
/// `None` if the format is not known.
// AMQP 3.2: the bare message is handed on as it came.
pub(crate) fn amqp_payload(delivery: &Delivery) -> Option<[Bytes; 2]> {
    if delivery.format != AMQP {
        return None;
    }
    let body = &delivery.body;
    if delivery.count == 0 && delivery.annotations.is_none() && delivery.death.is_none() {
        return Some([Bytes::new(), body.clone()]);
    }
    let sections = Sections::scan(body).ok()?;
    let mut header = sections.decode_header(body).ok()?.unwrap_or_default();
    header.delivery_count = header.delivery_count.saturating_add(u32::from(delivery.count));
    let annotations = sections.decode_message_annotations(body).ok()?;
    let head = head_of(delivery, &header, annotations);
    Some([Bytes::from(head), body.slice(sections.bare().start.min(body.len())..)])
}

/// What goes before the bare message.
fn head_of(delivery: &Delivery, header: &Header, mut annotations: Annotations) -> Vec<u8> {
    if let Some(kept) = &delivery.annotations
        && let Ok(sections) = Sections::scan(kept)
        && let Ok(kept) = sections.decode_message_annotations(kept)
    {
        kept.into_iter().for_each(|(key, value)| put(&mut annotations, key, value));
    }
    if let Some(death) = &delivery.death {
        put_death(&mut annotations, death);
    }
    let mut out = Vec::with_capacity(64);
    header.encode(&mut out);
    if !annotations.is_empty() {
        append_message_annotations(&mut out, &annotations);
    }
    out
}

fn put_death(annotations: &mut Annotations, death: &Death) {
    let symbol = Value::Symbol(death.reason.name().to_owned());
    put(annotations, DEATH_REASON.into(), symbol);
    put(annotations, DEATH_ADDRESS.into(), Value::String(death.address.clone()));
    if let Some(detail) = &death.detail {
        put(annotations, DEATH_DETAIL.into(), Value::String(detail.clone()));
    }
}

fn put(annotations: &mut Annotations, key: AnnotationKey, value: Value) {
    match annotations.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = value,
        None => annotations.push((key, value)),
    }
}
