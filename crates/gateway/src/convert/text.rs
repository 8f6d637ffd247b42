//! Values of AMQP as text. What identifies a message keeps its type on the way back; the rest
//! becomes what a reader expects.

use data_encoding::{BASE64, HEXLOWER};
use std::borrow::Cow;
use wharf_amqp::messaging::MessageId;
use wharf_amqp::value::Value;

/// What a message id that is not a string begins with.
const ULONG: &str = "ulong:";
const UUID: &str = "uuid:";
const BINARY: &str = "binary:";
/// What a string begins with that would be taken for one of those.
const STRING: &str = "string:";

/// A message id as text: a string as it is, another type after its name and a colon. No two ids
/// have the same text, so that an answer to a message finds it.
pub(super) fn of_id(id: &MessageId) -> Cow<'_, str> {
    match id {
        MessageId::Ulong(number) => Cow::Owned(format!("{ULONG}{number}")),
        MessageId::Uuid(octets) => Cow::Owned(format!("{UUID}{}", of_uuid(octets))),
        MessageId::Binary(octets) => Cow::Owned(format!("{BINARY}{}", BASE64.encode(octets))),
        MessageId::String(text) if is_taken(text) => Cow::Owned(format!("{STRING}{text}")),
        MessageId::String(text) => Cow::Borrowed(text),
    }
}

/// The message id that a text is: the inverse of `of_id`.
pub(super) fn to_id(text: &str) -> MessageId {
    match text.strip_prefix(STRING) {
        Some(string) if is_taken(string) => MessageId::String(string.to_owned()),
        _ => typed_id(text).unwrap_or_else(|| MessageId::String(text.to_owned())),
    }
}

/// Whether a text says something else than the string it is.
fn is_taken(text: &str) -> bool {
    typed_id(text.trim_start_matches(STRING)).is_some()
}

/// The id that is not a string, if the text is exactly how it is written.
fn typed_id(text: &str) -> Option<MessageId> {
    let id = if let Some(number) = text.strip_prefix(ULONG) {
        MessageId::Ulong(number.parse().ok()?)
    } else if let Some(uuid) = text.strip_prefix(UUID) {
        MessageId::Uuid(to_uuid(uuid)?)
    } else {
        MessageId::Binary(BASE64.decode(text.strip_prefix(BINARY)?.as_bytes()).ok()?)
    };
    (of_id(&id) == text).then_some(id)
}

/// Octets that are mostly text, such as a user's name: as text, or as base64 after `binary:`.
pub(super) fn of_octets(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) if !text.starts_with(BINARY) => Cow::Borrowed(text),
        _ => Cow::Owned(format!("{BINARY}{}", BASE64.encode(octets))),
    }
}

/// The inverse of `of_octets`; `None` if no octets have this text.
pub(super) fn to_octets(text: &str) -> Option<Vec<u8>> {
    let octets = match text.strip_prefix(BINARY) {
        Some(octets) => BASE64.decode(octets.as_bytes()).ok()?,
        None => text.as_bytes().to_vec(),
    };
    (of_octets(&octets) == text).then_some(octets)
}

/// A simple value as text (AMQP 3.2.5); its type is not to be seen any more.
pub(super) fn of_value(value: &Value) -> Cow<'_, str> {
    Cow::Owned(match value {
        Value::Null => String::new(),
        Value::Bool(is) => is.to_string(),
        Value::Ubyte(number) => number.to_string(),
        Value::Ushort(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Ulong(number) => number.to_string(),
        Value::Byte(number) => number.to_string(),
        Value::Short(number) => number.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Long(number) | Value::Timestamp(number) => number.to_string(),
        Value::Float(number) => of_float(number.is_infinite(), *number < 0.0, number),
        Value::Double(number) => of_float(number.is_infinite(), *number < 0.0, number),
        Value::Decimal32(octets) => HEXLOWER.encode(octets),
        Value::Decimal64(octets) => HEXLOWER.encode(octets),
        Value::Decimal128(octets) => HEXLOWER.encode(octets),
        Value::Char(character) => character.to_string(),
        Value::Uuid(octets) => of_uuid(octets),
        Value::Binary(octets) => BASE64.encode(octets),
        Value::String(text) | Value::Symbol(text) => return Cow::Borrowed(text),
        Value::Described(described) => return of_value(&described.1),
        // Not simple, and so not met.
        Value::List(_) | Value::Map(_) | Value::Array(_) => {
            let mut encoded = Vec::new();
            value.encode(&mut encoded);
            BASE64.encode(&encoded)
        }
    })
}

/// The shortest digits that read back as the same number.
fn of_float(infinite: bool, negative: bool, number: &impl std::fmt::Debug) -> String {
    match (infinite, negative) {
        (true, true) => "-Infinity".to_owned(),
        (true, false) => "Infinity".to_owned(),
        (false, _) => format!("{number:?}"),
    }
}

/// 32 hexadecimal digits, with hyphens.
fn of_uuid(octets: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, digits) in octets.iter().map(|octet| HEXLOWER.encode(&[*octet])).enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&digits);
    }
    text
}

fn to_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b'-').collect();
    HEXLOWER.decode(&digits).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_as_text_keeps_its_type() {
        let string = |text: &str| MessageId::String(text.to_owned());
        let table = [
            (string("order-7"), "order-7"),
            (string(""), ""),
            (MessageId::Ulong(7), "ulong:7"),
            (MessageId::Uuid([0xab; 16]), "uuid:abababab-abab-abab-abab-abababababab"),
            (MessageId::Binary(vec![0, 1, 2, 3]), "binary:AAECAw=="),
            (MessageId::Binary(vec![]), "binary:"),
            // What is written otherwise is a string.
            (string("ulong:07"), "ulong:07"),
            (string("ulong:+7"), "ulong:+7"),
            (
                string("uuid:ABABABAB-abab-abab-abab-abababababab"),
                "uuid:ABABABAB-abab-abab-abab-abababababab",
            ),
            (string("binary:AAECAw"), "binary:AAECAw"),
            (string("string:x"), "string:x"),
            // What would be taken for another type says that it is a string.
            (string("ulong:7"), "string:ulong:7"),
            (string("string:ulong:7"), "string:string:ulong:7"),
        ];
        for (id, text) in table {
            assert_eq!(of_id(&id), text);
            assert_eq!(to_id(text), id);
        }
        let deep = STRING.repeat(100_000) + "ulong:7";
        assert_eq!(of_id(&to_id(&deep)), deep);
    }

    #[test]
    fn octets_are_text_where_they_can_be() {
        let table: [(&[u8], &str); 4] = [
            (b"alice", "alice"),
            (b"", ""),
            (b"\xff", "binary:/w=="),
            (b"binary:x", "binary:YmluYXJ5Ong="),
        ];
        for (octets, text) in table {
            assert_eq!(of_octets(octets), text);
            assert_eq!(to_octets(text).as_deref(), Some(octets));
        }
        for text in ["binary:x", "binary:YWxpY2U=", "binary:"] {
            assert_eq!(to_octets(text), None, "{text}");
        }
    }

    #[test]
    fn simple_values_as_text() {
        let table = [
            (Value::Null, ""),
            (Value::Bool(true), "true"),
            (Value::Ubyte(255), "255"),
            (Value::Ushort(65_535), "65535"),
            (Value::Uint(7), "7"),
            (Value::Ulong(u64::MAX), "18446744073709551615"),
            (Value::Byte(-128), "-128"),
            (Value::Short(-7), "-7"),
            (Value::Int(-7), "-7"),
            (Value::Long(i64::MIN), "-9223372036854775808"),
            (Value::Float(0.1), "0.1"),
            (Value::Double(-0.0), "-0.0"),
            (Value::Double(1e300), "1e300"),
            (Value::Double(f64::NAN), "NaN"),
            (Value::Float(f32::INFINITY), "Infinity"),
            (Value::Double(f64::NEG_INFINITY), "-Infinity"),
            (Value::Decimal32([0x22, 0, 0, 7]), "22000007"),
            (Value::Decimal64([0; 8]), "0000000000000000"),
            (Value::Decimal128([0xff; 16]), "ffffffffffffffffffffffffffffffff"),
            (Value::Char('ü'), "ü"),
            (Value::Timestamp(1_700_000_000_000), "1700000000000"),
            (Value::Uuid([1; 16]), "01010101-0101-0101-0101-010101010101"),
            (Value::Binary(vec![0xff, 0]), "/wA="),
            (Value::from("text"), "text"),
            (Value::symbol("symbol"), "symbol"),
            (Value::described(Value::symbol("a:b"), Value::Uint(7)), "7"),
        ];
        for (value, text) in table {
            assert!(value.is_simple());
            assert_eq!(of_value(&value), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_the_text_of_its_id(text in "(string:){0,2}(ulong:|uuid:|binary:|)[0-9A-Fa-f/=+-]{0,40}") {
            let id = to_id(&text);
            prop_assert_eq!(of_id(&id), &*text);
        }

        #[test]
        fn any_octets_are_found_again(octets: Vec<u8>) {
            let text = of_octets(&octets).into_owned();
            prop_assert_eq!(to_octets(&text), Some(octets));
        }
    }
}
