//! Frames as worked out by hand from the grammar, read and written in both kinds.

use wharf_mbws::{
    Flavour, Frame, Kind, LengthUnit, Limits, decode, encode_acknowledge, encode_connect,
    encode_content, encode_message_header,
};

const UNIT: LengthUnit = LengthUnit::CodePoints;
const MAX: u64 = (1 << 56) - 1;

fn read(kind: Kind, payload: &[u8]) -> Frame<'_> {
    decode(kind, UNIT, payload, &Limits::default()).expect("this is a frame")
}

/// MBWS-001, MBWS-004, MBWS-A24: names compare exactly.
#[test]
fn subprotocol_names() {
    assert_eq!(Flavour::from_subprotocol("MBWS.huawei.com"), Some(Flavour::Full));
    assert_eq!(Flavour::from_subprotocol("MBLWS.huawei.com"), Some(Flavour::Light));
    for other in ["mbws.huawei.com", "MBWS", "MBWS.huawei.com ", ""] {
        assert_eq!(Flavour::from_subprotocol(other), None, "{other}");
    }
    for flavour in [Flavour::Full, Flavour::Light] {
        assert_eq!(Flavour::from_subprotocol(flavour.subprotocol()), Some(flavour));
    }
}

/// MBWS-002, MBWS-100, MBWS-101, MBWS-110, MBWS-113: name, numbers, binary, text.
const CONNECTS: [(&str, &[u64], &[u8], &str); 4] = [
    ("", &[], &[1, 0, 0], "1 0 0 "),
    ("urn:mb:7", &[], b"\x01\x08urn:mb:7\x00", "1 8 urn:mb:70 "),
    ("urn:mb:7", &[300, 5, 9], b"\x01\x08urn:mb:7\x03\xac\x02\x05\x09", "1 8 urn:mb:73 300 5 9 "),
    ("urn:mb:7", &[7], b"\x01\x08urn:mb:7\x01\x07", "1 8 urn:mb:71 7 "),
];

#[test]
fn connect_frames_are_byte_exact() {
    for (name, numbers, binary, text) in CONNECTS {
        for (kind, bytes) in [(Kind::Binary, binary), (Kind::Text, text.as_bytes())] {
            let mut out = Vec::new();
            encode_connect(kind, UNIT, name, numbers, &mut out);
            assert_eq!(out, bytes, "{name} {numbers:?}");
            let Frame::Connect { name: got, numbers: got_numbers } = read(kind, bytes) else {
                panic!("not a Connect");
            };
            assert_eq!((got, got_numbers.as_slice()), (name, Some(numbers)));
            assert_eq!(got_numbers.count(), numbers.len());
        }
    }
}

/// MBWS-102, MBWS-105, MBWS-111, MBWS-114
#[test]
fn acknowledge_frames_are_byte_exact() {
    let examples: [(u64, &[u8], &str); 7] = [
        (0, &[2, 0], "2 0 "),
        (17, &[2, 17], "2 17 "),
        (127, &[2, 0x7f], "2 127 "),
        (128, &[2, 0x80, 0x01], "2 128 "),
        (300, &[2, 0xac, 0x02], "2 300 "),
        (1_000_000, &[2, 0xc0, 0x84, 0x3d], "2 1000000 "),
        (MAX, &[2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "2 72057594037927935 "),
    ];
    for (number, binary, text) in examples {
        for (kind, bytes) in [(Kind::Binary, binary), (Kind::Text, text.as_bytes())] {
            let mut out = Vec::new();
            encode_acknowledge(kind, number, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(read(kind, bytes), Frame::Acknowledge(number));
        }
    }
}

/// MBWS-070, MBWS-103, MBWS-115
#[test]
fn message_frames_are_byte_exact() {
    let binary = b"\x03\x01\x01a\x0atext/plain\x01\x01k\x01vhi";
    let text = b"3 1 1 a10 text/plain1 1 k1 vhi";
    for (kind, bytes) in [(Kind::Binary, &binary[..]), (Kind::Text, &text[..])] {
        let mut out = Vec::new();
        encode_message_header(kind, UNIT, &["a"], &mut out);
        let properties = [("k", "v")].into_iter();
        encode_content(kind, UNIT, "text/plain", properties, b"hi", &mut out).unwrap();
        assert_eq!(out, bytes);

        let Frame::Message(message) = read(kind, bytes) else { panic!("not a Message") };
        assert_eq!(message.addresses.iter().collect::<Vec<_>>(), ["a"]);
        assert_eq!(message.content.content_type(), "text/plain");
        assert_eq!(message.content.properties().collect::<Vec<_>>(), [("k", "v")]);
        assert_eq!(message.content.body(), b"hi");
        assert_eq!(message.content.kind(), kind);
        assert_eq!(message.content.raw(), &bytes[bytes.len() - message.content.raw().len()..]);
    }
}

/// MBWS-106: an empty string is a zero and nothing else, and everything may be empty.
#[test]
fn the_smallest_message() {
    for (kind, bytes) in [(Kind::Binary, &b"\x03\0\0\0"[..]), (Kind::Text, b"3 0 0 0 ")] {
        let Frame::Message(message) = read(kind, bytes) else { panic!("not a Message") };
        assert_eq!(message.addresses.count(), 0);
        assert_eq!(message.content.content_type(), "");
        assert_eq!(message.content.properties().len(), 0);
        assert_eq!(message.content.body(), b"");
    }
}

/// MBWS-112: nothing separates a string from what follows; a space or a digit may be part of it.
#[test]
fn strings_are_cut_by_length_alone() {
    let Frame::Message(message) = read(Kind::Text, b"3 2 3 abc1 x3 1 21 2 k 0  body") else {
        panic!("not a Message");
    };
    assert_eq!(message.addresses.iter().collect::<Vec<_>>(), ["abc", "x"]);
    assert_eq!(message.content.content_type(), "1 2");
    assert_eq!(message.content.properties().collect::<Vec<_>>(), [("k ", "")]);
    assert_eq!(message.content.body(), b" body");
}

/// MBWS-A16: leading zeros and non-minimal varints are read.
#[test]
fn longer_forms_of_integers_are_read() {
    assert_eq!(read(Kind::Text, b"2 00000000000000000000000000017 "), Frame::Acknowledge(17));
    assert_eq!(read(Kind::Binary, b"\x02\x91\x80\x80\x00"), Frame::Acknowledge(17));
    let longest = b"\x02\x80\x80\x80\x80\x80\x80\x80\x00";
    assert_eq!(read(Kind::Binary, longest), Frame::Acknowledge(0));
}

/// MBWS-072, MBWS-A19: empty addresses are kept in the list and no destinations.
#[test]
fn empty_addresses_name_nothing() {
    let Frame::Message(message) = read(Kind::Text, b"3 3 0 1 a0 0 0 x") else {
        panic!("not a Message");
    };
    assert_eq!(message.addresses.iter().collect::<Vec<_>>(), ["", "a", ""]);
    assert_eq!(message.addresses.destinations().collect::<Vec<_>>(), ["a"]);
}

/// MBWS-A18: order and repetition of properties are kept.
#[test]
fn properties_keep_order_and_repetition() {
    let Frame::Message(message) = read(Kind::Text, b"3 0 0 3 1 b1 11 a1 21 b1 3") else {
        panic!("not a Message");
    };
    let expected = [("b", "1"), ("a", "2"), ("b", "3")];
    assert_eq!(message.content.properties().collect::<Vec<_>>(), expected);
}
