//! MBWS-A01, MBWS-104: what a string's length counts, in both kinds of frame.

use wharf_mbws::{Frame, Kind, LengthUnit, Limits, Violation, decode, encode_connect};

use LengthUnit::{CodePoints, Octets, Utf16};

fn name_of(kind: Kind, unit: LengthUnit, payload: &[u8]) -> Result<&str, Violation> {
    match decode(kind, unit, payload, &Limits::default())? {
        Frame::Connect { name, .. } => Ok(name),
        _ => panic!("not a Connect"),
    }
}

#[test]
fn lengths_by_unit() {
    let table = [
        ("", [0, 0, 0]),
        ("urn:mb:7", [8, 8, 8]),
        ("\u{e9}", [1, 2, 1]),
        ("\u{20ac}", [1, 3, 1]),
        ("\u{1f600}", [1, 4, 2]),
        ("a\u{e9}b\u{1f600}c", [5, 9, 6]),
    ];
    for (name, lengths) in table {
        for (unit, len) in [CodePoints, Octets, Utf16].into_iter().zip(lengths) {
            assert_eq!(unit.measure(name), len, "{name} {unit:?}");
            let binary = [&[1, u8::try_from(len).unwrap()], name.as_bytes(), &[0]].concat();
            let text = format!("1 {len} {name}0 ").into_bytes();
            for (kind, expected) in [(Kind::Binary, binary), (Kind::Text, text)] {
                let mut out = Vec::new();
                encode_connect(kind, unit, name, &[], &mut out);
                assert_eq!(out, expected);
                assert_eq!(name_of(kind, unit, &out), Ok(name));
            }
        }
    }
}

/// What follows a string is not looked at: here the count of a list, then octets that no text has.
#[test]
fn a_string_may_be_followed_by_anything() {
    let payload = b"\x03\x00\x01\xc3\xa9\x00\xff\xfe\xfd";
    for unit in [CodePoints, Utf16] {
        let Ok(Frame::Message(message)) = decode(Kind::Binary, unit, payload, &Limits::default())
        else {
            panic!("not a Message");
        };
        assert_eq!(message.content.content_type(), "\u{e9}");
        assert_eq!(message.content.body(), b"\xff\xfe\xfd");
    }
}

#[test]
fn lengths_that_split_a_character() {
    let table: &[(Kind, LengthUnit, &[u8])] = &[
        (Kind::Binary, Octets, b"\x01\x01\xc3\xa9\x00"),
        (Kind::Binary, Octets, b"\x01\x03\xf0\x9f\x98\x80\x00"),
        (Kind::Text, Octets, "1 1 \u{e9}0 ".as_bytes()),
        (Kind::Binary, Utf16, b"\x01\x01\xf0\x9f\x98\x80\x00"),
        (Kind::Text, Utf16, "1 1 \u{1f600}0 ".as_bytes()),
        (Kind::Text, Utf16, "1 2 a\u{1f600}0 ".as_bytes()),
    ];
    for (kind, unit, payload) in table {
        let got = name_of(*kind, *unit, payload);
        assert_eq!(got, Err(Violation::SplitCharacter), "{unit:?} {payload:02x?}");
    }
}

#[test]
fn octets_that_are_not_utf8() {
    let table: &[(LengthUnit, &[u8], Violation)] = &[
        (Octets, b"\x01\x02\xc3\x28\x00", Violation::InvalidUtf8),
        (Octets, b"\x01\x01\xff\x00", Violation::InvalidUtf8),
        (Octets, b"\x01\x01\xc3\x00", Violation::InvalidUtf8),
        (Octets, b"\x01\x01\xc3", Violation::Truncated),
        (Utf16, b"\x01\x01\xff\x00", Violation::InvalidUtf8),
        (Utf16, b"\x01\x01\xc3", Violation::Truncated),
        (CodePoints, b"\x01\x02a\xff\x00", Violation::InvalidUtf8),
    ];
    for (unit, payload, expected) in table {
        let got = name_of(Kind::Binary, *unit, payload);
        assert_eq!(got, Err(*expected), "{unit:?} {payload:02x?}");
    }
}
