//! AMQP sections as MBWS content.

use super::parts::{Pairs, Parts};
use super::{
    BODY_CONTENT_TYPE, BODY_TYPE, MBWS_CONTENT_TYPE, MBWS_PROPERTIES, MESSAGE_TYPE, properties,
    text,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use wharf_amqp::codec::Reader;
use wharf_amqp::messaging::{
    AnnotationKey, Annotations, ApplicationProperties, Body, BodyKind, Properties, Sections,
};
use wharf_amqp::value::Value;
use wharf_broker::Delivery;
use wharf_mbws::{Kind, LengthUnit};

/// Property with the address that the sender gave the message, if it came from another.
const TO: &str = "to";

/// A delivery of AMQP sections as MBWS content. There is always one: a message that cannot be
/// taken apart, or whose properties are more than an MBWS client has to read, is handed on whole.
pub(super) fn content(
    delivery: &Delivery,
    unit: LengthUnit,
    death: &[(&str, &str)],
) -> (Kind, Vec<u8>) {
    let whole = || Parts::whole(Kind::Binary, MESSAGE_TYPE, &delivery.body);
    let parts = parts_of(delivery).filter(Parts::fits).unwrap_or_else(whole);
    (parts.kind, parts.encode(unit, death))
}

/// `None` if a section cannot be read.
fn parts_of(delivery: &Delivery) -> Option<Parts<'_>> {
    let message = &*delivery.body;
    let sections = Sections::scan(message).ok()?;
    let standard = sections.decode_properties(message).ok()?.unwrap_or_default();
    let application = sections.decode_application_properties(message).ok()?.unwrap_or_default();
    let annotations = sections.decode_message_annotations(message).ok()?;
    let (kind, body) = match sections.body {
        Some(body) => body_of(body, message)?,
        None => (Some(Kind::Binary), Cow::Borrowed(&[][..])),
    };
    let mut pairs = pairs_of(&standard, &application);
    let content_type = match (kind, standard.content_type) {
        (None, given) => {
            pairs.extend(given.map(|given| (BODY_CONTENT_TYPE.to_owned(), given)));
            BODY_TYPE.to_owned()
        }
        (Some(_), Some(given)) => given,
        (Some(_), None) => match annotation(&annotations, MBWS_CONTENT_TYPE) {
            Some(Value::String(given)) => given.clone(),
            _ => String::new(),
        },
    };
    let mut properties = restored(&annotations, &pairs).unwrap_or(pairs);
    if let Some(to) = standard.to.filter(|to| !is_known(to, delivery)) {
        properties.insert(0, (TO.to_owned(), to));
    }
    Some(Parts { kind: kind.unwrap_or(Kind::Binary), content_type, properties, body })
}

/// Whether the receiver is told of an address anyhow.
fn is_known(address: &str, delivery: &Delivery) -> bool {
    let death = delivery.death.as_ref();
    address == &*delivery.address || death.is_some_and(|death| death.address == address)
}

/// The body and its kind; without a kind, its sections.
fn body_of(body: Body, message: &[u8]) -> Option<(Option<Kind>, Cow<'_, [u8]>)> {
    let sections = || (None, Cow::Borrowed(body.span.of(message)));
    Some(match body.kind {
        BodyKind::Data => {
            let data: Vec<&[u8]> = body.data(message).collect::<Result<_, _>>().ok()?;
            let joined = match data.as_slice() {
                [one] => Cow::Borrowed(*one),
                several => Cow::Owned(several.concat()),
            };
            (Some(Kind::Binary), joined)
        }
        BodyKind::Sequence => sections(),
        BodyKind::Value => {
            let value = Reader::new(body.value_octets(message).ok()?);
            if value.clone().take_null() {
                (Some(Kind::Binary), Cow::Borrowed(&[]))
            } else if let Ok(text) = value.clone().string() {
                (Some(Kind::Text), Cow::Borrowed(text.as_bytes()))
            } else if let Ok(octets) = value.clone().binary() {
                (Some(Kind::Binary), Cow::Borrowed(octets))
            } else {
                sections()
            }
        }
    })
}

/// Whether octets are what `body_of` makes of a body without a kind.
pub(super) fn is_sections_of_body(octets: &[u8]) -> bool {
    let body = Sections::scan(octets).ok().and_then(|sections| sections.body);
    body.and_then(|body| body_of(body, octets))
        .is_some_and(|(kind, sections)| kind.is_none() && sections.len() == octets.len())
}

fn pairs_of(standard: &Properties, application: &ApplicationProperties) -> Pairs {
    let application = application.iter().map(|(name, value)| (&**name, text::of_value(value)));
    let pairs = properties::texts(standard).into_iter().chain(application);
    pairs.map(|(name, text)| (name.to_owned(), text.into_owned())).collect()
}

/// The ordered list that an MBWS sender gave, if the properties still are what was made of it.
fn restored(annotations: &Annotations, pairs: &Pairs) -> Option<Pairs> {
    let Value::List(list) = annotation(annotations, MBWS_PROPERTIES)? else { return None };
    let texts = list.iter().map(|value| match value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    let (listed, []) = texts.as_chunks::<2>() else { return None };
    let mut names = BTreeSet::new();
    let first = listed.iter().filter(|[name, _]| names.insert(*name));
    let mut first: Vec<(&str, &str)> = first.map(|[name, value]| (*name, *value)).collect();
    let mut now: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    first.sort_unstable();
    now.sort_unstable();
    let owned = |[name, value]: &[&str; 2]| ((*name).to_owned(), (*value).to_owned());
    (first == now).then(|| listed.iter().map(owned).collect())
}

fn annotation<'m>(annotations: &'m Annotations, name: &str) -> Option<&'m Value> {
    let named = |key: &AnnotationKey| matches!(key, AnnotationKey::Symbol(known) if known == name);
    annotations.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
}
