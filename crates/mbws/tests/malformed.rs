//! MBWS-120, MBWS-121: every way in which a frame can be wrong, and how it is named.

use wharf_mbws::{Bound, Frame, Kind, LengthUnit, Limits, Violation, content_from_stored, decode};

fn violation(kind: Kind, unit: LengthUnit, payload: &[u8]) -> Violation {
    let limits = Limits::default();
    decode(kind, unit, payload, &limits).expect_err("this should not be a frame")
}

#[test]
fn malformed_binary_frames() {
    use Violation::{Empty, InvalidUtf8, NumberTooLarge, TrailingOctets, Truncated, UnknownFrame};
    let table: &[(&[u8], Violation)] = &[
        (b"", Empty),
        (b"\x00", UnknownFrame),
        (b"\x04", UnknownFrame),
        (b"1 0 0 ", UnknownFrame),
        // Connect
        (b"\x01", Truncated),
        (b"\x01\x00", Truncated),
        (b"\x01\x03ab", Truncated),
        (b"\x01\x00\x01", Truncated),
        (b"\x01\x01a\x03\x01\x02", Truncated),
        (b"\x01\x01a\x01\x80", Truncated),
        (b"\x01\x00\x00\x00", TrailingOctets),
        (b"\x01\x01a\x01\x07\x07", TrailingOctets),
        (b"\x01\x02\xff\xfe\x00", InvalidUtf8),
        (b"\x01\x00\xff\xff\xff\xff\xff\xff\xff\x7f", Truncated),
        // Acknowledge
        (b"\x02", Truncated),
        (b"\x02\x80", Truncated),
        (b"\x02\x80\x80\x80\x80\x80\x80\x80\x80", NumberTooLarge),
        (b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\x01", NumberTooLarge),
        (b"\x02\x05\x05", TrailingOctets),
        // Message
        (b"\x03", Truncated),
        (b"\x03\x00", Truncated),
        (b"\x03\x00\x00", Truncated),
        (b"\x03\x02\x01a", Truncated),
        (b"\x03\x01\x05a\x00\x00", Truncated),
        (b"\x03\x00\x00\x01\x01k", Truncated),
        (b"\x03\x00\x00\x01\x01k\x05v", Truncated),
        (b"\x03\x00\x00\x02\x00\x00\x00", Truncated),
        (b"\x03\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x00", Truncated),
        (b"\x03\x00\xff\xff\xff\xff\xff\xff\xff\x7fx", Truncated),
        (b"\x03\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7fx", Truncated),
        (b"\x03\x01\x01\x80\x00\x00", InvalidUtf8),
        (b"\x03\x00\x02\xc3\x28\x00", InvalidUtf8),
        (b"\x03\x00\x01\xed\xa0\x80\x00", InvalidUtf8),
        (b"\x03\x00\x01\xc0\x80\x00", InvalidUtf8),
        (b"\x03\x00\x01\xf4\x90\x80\x80\x00", InvalidUtf8),
        // A code point cut by the end of the frame (MBWS-A01).
        (b"\x01\x01\xc3", Truncated),
        (b"\x01\x01\xf0\x9f\x98", Truncated),
        (b"\x01\x02\xc3\xa9\xc3", Truncated),
    ];
    for (payload, expected) in table {
        let got = violation(Kind::Binary, LengthUnit::CodePoints, payload);
        assert_eq!(got, *expected, "{payload:02x?}");
    }
}

#[test]
fn malformed_text_frames() {
    use Violation::{
        Empty, InvalidUtf8, NotAnInteger, NumberTooLarge, TrailingOctets, Truncated, UnknownFrame,
    };
    let table: &[(&[u8], Violation)] = &[
        (b"", Empty),
        (b"1", UnknownFrame),
        (b"10 0 ", UnknownFrame),
        (b" 1 0 0 ", UnknownFrame),
        (b"4 0 ", UnknownFrame),
        (b"\x01\x00\x00", UnknownFrame),
        // Connect
        (b"1 ", Truncated),
        (b"1 0 ", Truncated),
        (b"1 0 0", Truncated),
        (b"1  0 0 ", NotAnInteger),
        (b"1 0  0 ", NotAnInteger),
        (b"1 -1 0 ", NotAnInteger),
        (b"1 +0 0 ", NotAnInteger),
        (b"1 0x1 0 ", NotAnInteger),
        (b"1 1\tx0 ", NotAnInteger),
        (b"1 3 ab0 ", NotAnInteger), // the string takes the zero
        (b"1 9 ab", Truncated),
        (b"1 1 a2 5 ", Truncated),
        (b"1 1 a1 5", Truncated),
        (b"1 0 0 x", TrailingOctets),
        (b"1 0 0  ", TrailingOctets),
        (b"1 0 72057594037927935 ", Truncated),
        (b"1 72057594037927935 0 ", Truncated),
        // Acknowledge
        (b"2 ", Truncated),
        (b"2 17", Truncated),
        (b"2 17  ", TrailingOctets),
        (b"2 17 x", TrailingOctets),
        (b"2 72057594037927936 ", NumberTooLarge),
        (b"2 99999999999999999999999999 ", NumberTooLarge),
        // Message
        (b"3 ", Truncated),
        (b"3 0 ", Truncated),
        (b"3 0 0 ", Truncated),
        (b"3 2 1 a", Truncated),
        (b"3 1 5 a0 0 ", Truncated),
        (b"3 0 0 1 1 k", Truncated),
        (b"3 99999999 ", Truncated),
        (b"3 0 0 99999999 x", Truncated),
        // MBWS-116
        (b"3 0 0 0 \xff", InvalidUtf8),
        (b"3 1 1 \xc3", InvalidUtf8),
        (b"\xff", InvalidUtf8),
    ];
    for (payload, expected) in table {
        let got = violation(Kind::Text, LengthUnit::CodePoints, payload);
        assert_eq!(got, *expected, "{}", String::from_utf8_lossy(payload));
    }
}

/// MBWS-120: 1002 for the grammar, 1007 for UTF-8, 1009 for size.
#[test]
fn close_codes() {
    for violation in [
        Violation::Empty,
        Violation::UnknownFrame,
        Violation::Truncated,
        Violation::NumberTooLarge,
        Violation::NotAnInteger,
        Violation::SplitCharacter,
        Violation::TrailingOctets,
        Violation::BeforeConnect,
        Violation::SecondConnect,
        Violation::WindowBounds,
        Violation::AcknowledgedUnsent,
        Violation::AnswerNumbers,
        Violation::AnswerName,
        Violation::ResumedOutsideWindow,
        Violation::DeliveredAddresses,
        Violation::SequenceExhausted,
    ] {
        assert_eq!(violation.close_code(), 1002, "{violation}");
        assert!(violation.reason().len() <= 123);
    }
    assert_eq!(Violation::InvalidUtf8.close_code(), 1007);
    assert_eq!(Violation::OverLimit(Bound::HeaderSize).close_code(), 1009);
}

#[test]
fn limits_are_kept_to_the_octet() {
    let limits = Limits {
        name_size_max_bytes: 4,
        address_count_max: 2,
        address_size_max_bytes: 3,
        property_count_max: 1,
        header_size_max_bytes: 19,
    };
    let over = |bound| Err(Violation::OverLimit(bound));
    let table: &[(&str, Result<(), Violation>)] = &[
        ("1 4 abcd0 ", Ok(())),
        ("1 5 abcde0 ", over(Bound::NameSize)),
        ("3 2 1 a1 b0 0 ", Ok(())),
        ("3 3 0 0 0 0 0 ", over(Bound::AddressCount)),
        ("3 1 3 abc0 0 ", Ok(())),
        ("3 1 4 abcd0 0 ", over(Bound::AddressSize)),
        ("3 1 2 éé0 0 ", over(Bound::AddressSize)),
        ("3 0 0 1 0 0 ", Ok(())),
        ("3 0 0 2 0 0 0 0 ", over(Bound::PropertyCount)),
        ("3 0 12 123456789abc0 a long body", Ok(())),
        ("3 0 13 123456789abcd0 ", over(Bound::HeaderSize)),
        // What the frame cannot hold is malformed, whatever the limit.
        ("3 99 0 0 ", Err(Violation::Truncated)),
    ];
    for (payload, expected) in table {
        let unit = LengthUnit::CodePoints;
        let got = decode(Kind::Text, unit, payload.as_bytes(), &limits).map(|_| ());
        assert_eq!(got, *expected, "{payload}");
    }
}

/// A list of numbers may be as long as the frame holds (MBWS-A08); the reader keeps three.
#[test]
fn long_number_lists_are_read_to_their_end() {
    let payload = [b"\x01\x01a\xe8\x07".as_slice(), &[5; 1000]].concat();
    let limits = Limits::default();
    let frame = decode(Kind::Binary, LengthUnit::CodePoints, &payload, &limits).unwrap();
    let Frame::Connect { numbers, .. } = frame else { panic!("not a Connect") };
    assert_eq!((numbers.count(), numbers.as_slice()), (1000, None));
}

#[test]
fn stored_content_is_checked() {
    let unit = LengthUnit::CodePoints;
    for kind in [Kind::Text, Kind::Binary] {
        assert_eq!(content_from_stored(kind, unit, b""), Err(Violation::Truncated));
    }
    let torn = content_from_stored(Kind::Text, unit, b"0 0 \xff");
    assert_eq!(torn, Err(Violation::InvalidUtf8));
}
