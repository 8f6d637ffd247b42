//! The properties that AMQP defines (AMQP 3.2.4) as MBWS properties of the same names. `to` and
//! `content-type` are not among them: MBWS has an address and a content type of its own.

use super::text;
use std::borrow::Cow;
use wharf_amqp::messaging::Properties;

/// What the fields are called, in the order of the standard.
const MESSAGE_ID: &str = "message-id";
const USER_ID: &str = "user-id";
const SUBJECT: &str = "subject";
const REPLY_TO: &str = "reply-to";
const CORRELATION_ID: &str = "correlation-id";
const CONTENT_ENCODING: &str = "content-encoding";
const ABSOLUTE_EXPIRY_TIME: &str = "absolute-expiry-time";
const CREATION_TIME: &str = "creation-time";
const GROUP_ID: &str = "group-id";
const GROUP_SEQUENCE: &str = "group-sequence";
const REPLY_TO_GROUP_ID: &str = "reply-to-group-id";

/// Each field that is there, as text.
pub(super) fn texts(properties: &Properties) -> Vec<(&'static str, Cow<'_, str>)> {
    let number = |field: Option<i64>| field.map(|ms| Cow::Owned(ms.to_string()));
    let fields: [(&'static str, Option<Cow<'_, str>>); 11] = [
        (MESSAGE_ID, properties.message_id.as_ref().map(text::of_id)),
        (USER_ID, properties.user_id.as_deref().map(text::of_octets)),
        (SUBJECT, properties.subject.as_deref().map(Cow::Borrowed)),
        (REPLY_TO, properties.reply_to.as_deref().map(Cow::Borrowed)),
        (CORRELATION_ID, properties.correlation_id.as_ref().map(text::of_id)),
        (CONTENT_ENCODING, properties.content_encoding.as_deref().map(Cow::Borrowed)),
        (ABSOLUTE_EXPIRY_TIME, number(properties.absolute_expiry_time)),
        (CREATION_TIME, number(properties.creation_time)),
        (GROUP_ID, properties.group_id.as_deref().map(Cow::Borrowed)),
        (GROUP_SEQUENCE, number(properties.group_sequence.map(i64::from))),
        (REPLY_TO_GROUP_ID, properties.reply_to_group_id.as_deref().map(Cow::Borrowed)),
    ];
    fields.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

/// Puts an MBWS property into the field of its name, if there is one that is still free, and if
/// its text can be read back from it; says whether it did.
pub(super) fn put(properties: &mut Properties, name: &str, text: &str) -> bool {
    match name {
        MESSAGE_ID => set(&mut properties.message_id, Some(text::to_id(text))),
        USER_ID => set(&mut properties.user_id, text::to_octets(text)),
        SUBJECT => set(&mut properties.subject, Some(text.to_owned())),
        REPLY_TO => set(&mut properties.reply_to, Some(text.to_owned())),
        CORRELATION_ID => set(&mut properties.correlation_id, Some(text::to_id(text))),
        CONTENT_ENCODING => set(&mut properties.content_encoding, symbol(text)),
        ABSOLUTE_EXPIRY_TIME => set(&mut properties.absolute_expiry_time, number(text)),
        CREATION_TIME => set(&mut properties.creation_time, number(text)),
        GROUP_ID => set(&mut properties.group_id, Some(text.to_owned())),
        GROUP_SEQUENCE => {
            let number = number(text).and_then(|number| u32::try_from(number).ok());
            set(&mut properties.group_sequence, number)
        }
        REPLY_TO_GROUP_ID => set(&mut properties.reply_to_group_id, Some(text.to_owned())),
        _ => false,
    }
}

fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    let fits = field.is_none() && value.is_some();
    if fits {
        *field = value;
    }
    fits
}

/// The characters of a symbol (AMQP 1.6.21).
pub(super) fn symbol(text: &str) -> Option<String> {
    text.is_ascii().then(|| text.to_owned())
}

fn number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
