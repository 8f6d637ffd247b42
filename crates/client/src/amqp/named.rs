//! The properties that AMQP defines (AMQP 3.2.4), by name, and values as text: as the broker maps
//! them for MBWS, so that an application sees the same over both (`docs/protocols/mapping.md`).

use data_encoding::{BASE64, HEXLOWER};
use wharf_amqp::messaging::{MessageId, Properties};
use wharf_amqp::value::Value;

/// Puts a property into the field of its name, if there is one and the text fits; says whether it
/// did.
pub(super) fn put(properties: &mut Properties, name: &str, text: &str) -> bool {
    let own = || Some(text.to_owned());
    match name {
        "message-id" => set(&mut properties.message_id, Some(to_id(text))),
        "user-id" => set(&mut properties.user_id, Some(text.as_bytes().to_vec())),
        "subject" => set(&mut properties.subject, own()),
        "reply-to" => set(&mut properties.reply_to, own()),
        "correlation-id" => set(&mut properties.correlation_id, Some(to_id(text))),
        "content-encoding" => {
            set(&mut properties.content_encoding, own().filter(|it| it.is_ascii()))
        }
        "absolute-expiry-time" => set(&mut properties.absolute_expiry_time, text.parse().ok()),
        "creation-time" => set(&mut properties.creation_time, text.parse().ok()),
        "group-id" => set(&mut properties.group_id, own()),
        "group-sequence" => set(&mut properties.group_sequence, text.parse().ok()),
        "reply-to-group-id" => set(&mut properties.reply_to_group_id, own()),
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

/// Each field that is there, as text; without those that a message has a place for.
pub(super) fn texts(properties: Properties) -> impl Iterator<Item = (String, String)> {
    let octets = |octets: Vec<u8>| match String::from_utf8(octets) {
        Ok(text) => text,
        Err(octets) => format!("binary:{}", BASE64.encode(octets.as_bytes())),
    };
    let fields = [
        ("message-id", properties.message_id.as_ref().map(of_id)),
        ("user-id", properties.user_id.map(octets)),
        ("subject", properties.subject),
        ("reply-to", properties.reply_to),
        ("correlation-id", properties.correlation_id.as_ref().map(of_id)),
        ("content-encoding", properties.content_encoding),
        ("absolute-expiry-time", properties.absolute_expiry_time.map(|ms| ms.to_string())),
        ("creation-time", properties.creation_time.map(|ms| ms.to_string())),
        ("group-id", properties.group_id),
        ("group-sequence", properties.group_sequence.map(|number| number.to_string())),
        ("reply-to-group-id", properties.reply_to_group_id),
    ];
    fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)))
}

/// A string as it is, another type after its name and a colon: an answer names its question by the
/// same text.
fn of_id(id: &MessageId) -> String {
    match id {
        MessageId::Ulong(number) => format!("ulong:{number}"),
        MessageId::Uuid(octets) => format!("uuid:{}", of_uuid(octets)),
        MessageId::Binary(octets) => format!("binary:{}", BASE64.encode(octets)),
        MessageId::String(text) if is_taken(text) => format!("string:{text}"),
        MessageId::String(text) => text.clone(),
    }
}

/// The inverse.
fn to_id(text: &str) -> MessageId {
    match text.strip_prefix("string:") {
        Some(string) if is_taken(string) => MessageId::String(string.to_owned()),
        _ => typed_id(text).unwrap_or_else(|| MessageId::String(text.to_owned())),
    }
}

/// Whether a text would be read as something else than the string it is.
fn is_taken(text: &str) -> bool {
    typed_id(text.trim_start_matches("string:")).is_some()
}

/// The id that is not a string, if the text is exactly how it is written.
fn typed_id(text: &str) -> Option<MessageId> {
    let (kind, value) = text.split_once(':')?;
    let id = match kind {
        "ulong" => MessageId::Ulong(value.parse().ok()?),
        "uuid" => {
            let octets = HEXLOWER.decode(value.replace('-', "").as_bytes()).ok()?;
            MessageId::Uuid(octets.try_into().ok()?)
        }
        "binary" => MessageId::Binary(BASE64.decode(value.as_bytes()).ok()?),
        _ => return None,
    };
    (of_id(&id) == text).then_some(id)
}

/// A simple value as text (AMQP 3.2.5).
pub(super) fn of_value(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Symbol(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Ubyte(number) => number.to_string(),
        Value::Ushort(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Ulong(number) => number.to_string(),
        Value::Byte(number) => number.to_string(),
        Value::Short(number) => number.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Long(number) | Value::Timestamp(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}").replace("inf", "Infinity"),
        Value::Double(number) => format!("{number:?}").replace("inf", "Infinity"),
        Value::Decimal32(octets) => HEXLOWER.encode(octets),
        Value::Decimal64(octets) => HEXLOWER.encode(octets),
        Value::Decimal128(octets) => HEXLOWER.encode(octets),
        Value::Char(character) => character.to_string(),
        Value::Uuid(octets) => of_uuid(octets),
        Value::Binary(octets) => BASE64.encode(octets),
        Value::Described(described) => of_value(&described.1),
        Value::List(_) | Value::Map(_) | Value::Array(_) => {
            let mut encoded = Vec::new();
            value.encode(&mut encoded);
            BASE64.encode(&encoded)
        }
    }
}

/// 32 hexadecimal digits, with hyphens.
fn of_uuid(octets: &[u8; 16]) -> String {
    let mut text = HEXLOWER.encode(octets);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_type() {
        let ids = [
            (MessageId::Ulong(7), "ulong:7"),
            (MessageId::Uuid([1; 16]), "uuid:01010101-0101-0101-0101-010101010101"),
            (MessageId::Binary(vec![0, 1]), "binary:AAE="),
            (MessageId::String("ulong:7".to_owned()), "string:ulong:7"),
            (MessageId::String("ulong:07".to_owned()), "ulong:07"),
            (MessageId::String("UUID:x".to_owned()), "UUID:x"),
        ];
        for (id, text) in ids {
            assert_eq!(of_id(&id), text);
            assert_eq!(to_id(text), id);
        }
    }

    #[test]
    fn values_are_told_as_text() {
        let table = [
            (Value::Float(1.0), "1.0"),
            (Value::Double(f64::NEG_INFINITY), "-Infinity"),
            (Value::Double(f64::NAN), "NaN"),
            (Value::Decimal32([1, 2, 3, 0xff]), "010203ff"),
            (Value::Binary(vec![0, 1]), "AAE="),
            (Value::described(Value::from(1_u64), Value::from("x")), "x"),
        ];
        for (value, text) in table {
            assert_eq!(of_value(&value), text);
        }
    }

    #[test]
    fn what_fits_no_field_is_the_applications() {
        let mut properties = Properties::default();
        for (name, text, fits) in [
            ("subject", "s", true),
            ("subject", "again", false),
            ("creation-time", "soon", false),
            ("creation-time", "-1", true),
            ("content-encoding", "\u{e9}", false),
            ("content-type", "text/plain", false),
            ("to", "a", false),
        ] {
            assert_eq!(put(&mut properties, name, text), fits, "{name}");
        }
        let texts: Vec<_> =
            texts(properties).map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(texts, ["subject=s", "creation-time=-1"]);
    }
}
