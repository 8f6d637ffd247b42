//! What must not be accepted, and what is said about it.

use wharf_amqp::codec::{DecodeError, Fault, Reader};
use wharf_amqp::condition::Condition;
use wharf_amqp::frame::{FrameHeader, ProtocolHeader};
use wharf_amqp::messaging::{DeliveryState, Sections};
use wharf_amqp::performative::Performative;
use wharf_amqp::sasl_frame::SaslFrame;
use wharf_amqp::value::Value;

/// Octets, written in hexadecimal with spaces.
fn hex(text: &str) -> Vec<u8> {
    let octets = text.split_whitespace().map(|octet| u8::from_str_radix(octet, 16));
    octets.collect::<Result<_, _>>().expect("hexadecimal")
}

#[track_caller]
fn check(text: &str, found: Result<(), DecodeError>, fault: Fault, field: &str, what: &str) {
    let error = found.expect_err(text);
    assert_eq!((error.what, error.field, error.fault), (what, field, fault), "{text}");
}

#[test]
fn values() {
    for (octets, what) in [
        ("", "ends too early"),
        ("3f", "unknown format code"),
        ("46", "unknown format code"),
        ("5f 00 00", "unknown format code"),
        ("cf 01 00", "unknown format code"),
        ("00", "ends too early"),
        ("00 53 24", "ends too early"),
        ("56 02", "a boolean neither 0 nor 1"),
        ("73 00 00 d8 00", "a char that is no Unicode character"),
        ("73 00 11 00 00", "a char that is no Unicode character"),
        ("a0 02 00", "ends too early"),
        ("b0 ff ff ff ff 00", "ends too early"),
        ("a1 02 c3 28", "a string that is not UTF-8"),
        ("a1 03 ed a0 80", "a string that is not UTF-8"),
        ("b1 00 00 00 01 ff", "a string that is not UTF-8"),
        ("a3 02 c3 a9", "a symbol that is not ASCII"),
        ("b3 00 00 00 01 80", "a symbol that is not ASCII"),
        ("c0 00", "a compound value without a count"),
        ("d0 00 00 00 03 00 00 00", "a compound value without a count"),
        ("c0 02 02 40", "fewer elements than counted"),
        ("c0 03 01 40 40", "octets after the last element"),
        ("c0 02 01 52", "ends too early"),
        ("d0 00 00 00 05 ff ff ff ff 40", "fewer elements than counted"),
        ("c1 02 01 40", "a map with a key and no value"),
        ("c1 05 04 43 40 43 40", "a map with a key twice"),
        ("c1 06 04 43 40 52 00 40", "a map with a key twice"),
        ("c1 0d 04 a3 03 61 62 63 40 a3 03 61 62 63 40", "a map with a key twice"),
        ("e0 01 00", "ends too early"),
        ("e0 02 00 46", "unknown format code"),
        ("e0 03 02 52 01", "fewer elements than counted"),
        ("e0 04 01 52 01 02", "octets after the last element"),
        ("f0 00 00 00 05 ff ff ff ff 40", "too many empty elements"),
        ("f0 00 00 00 06 ff ff ff ff 52 01", "fewer elements than counted"),
        ("f0 00 00 00 06 ff ff ff ff 94 01", "fewer elements than counted"),
        ("e0 05 01 00 53 01 52", "fewer elements than counted"),
    ] {
        let found = Value::decode(&hex(octets)).map(|_| ());
        check(octets, found, Fault::Encoding, "", what);
    }
}

#[test]
fn same_texts_of_two_types_are_two_keys() {
    // AMQP 1.6.23: keys are the same when they are identical, type and all.
    let map = hex("c1 09 04 a1 01 61 40 a3 01 61 40");
    assert!(Value::decode(&map).is_ok());
}

#[test]
fn nesting_has_an_end() {
    for open in ["00", "c0 ff 01", "e0 ff 01", "d0 00 00 ff ff 00 00 00 01"] {
        assert!(Value::decode(&hex(open).repeat(10_000)).is_err());
    }
    let nested = |levels: usize| {
        let mut value = Value::Null;
        for _ in 0..levels {
            value = Value::List(vec![value]);
        }
        let mut out = Vec::new();
        value.encode(&mut out);
        out
    };
    assert!(Value::decode(&nested(64)).is_ok());
    let error = Value::decode(&nested(65)).expect_err("too deep");
    assert_eq!(error.what, "values nested too deep");
    // Descriptors of descriptors, elements of arrays of arrays.
    let descriptors = hex("00").repeat(100_000);
    assert_eq!(Value::decode(&descriptors).expect_err("deep").what, "values nested too deep");
    assert!(Reader::new(&descriptors).skip_value().is_err());
    assert!(Performative::decode(&descriptors).is_err());
    assert!(Sections::scan(&descriptors).is_err());
}

#[test]
fn empty_elements_are_counted_over_all_arrays() {
    let array = |count: u8| [&[0xe0, 2, count, 0x41][..]].concat();
    let list_of = |arrays: usize| {
        let body = array(255).repeat(arrays);
        let size = u8::try_from(body.len() + 1).expect("short");
        [&[0xc0, size, u8::try_from(arrays).expect("few")][..], &body].concat()
    };
    assert!(Value::decode(&list_of(4)).is_ok());
    let error = Value::decode(&list_of(5)).expect_err("1275 elements");
    assert_eq!(error.what, "too many empty elements");
}

#[test]
fn empty_elements_are_counted_over_all_states_of_an_attach() {
    // Each state takes a few octets and holds 255 nulls.
    let unsettled = |states: u8| {
        let mut map = Vec::new();
        for tag in 0..states {
            map.extend_from_slice(&[0xa0, 1, tag]);
            map.extend(hex("00 53 27 c0 0c 03 40 40 c1 07 02 a3 00 e0 02 ff 40"));
        }
        let size = u32::try_from(map.len() + 4).expect("short").to_be_bytes();
        let count = u32::from(2 * states).to_be_bytes();
        let map = [&[0xd1][..], &size, &count, &map].concat();
        let fields = [&hex("a1 01 61 43 41 40 40 40 40")[..], &map].concat();
        let size = u32::try_from(fields.len() + 4).expect("short").to_be_bytes();
        [&[0, 0x53, 0x12, 0xd0][..], &size, &[0, 0, 0, 8], &fields].concat()
    };
    assert!(Performative::decode(&unsettled(4)).is_ok());
    let error = Performative::decode(&unsettled(5)).expect_err("1275 elements");
    assert_eq!(error.what, "too many empty elements");
}

#[test]
fn performatives() {
    for (octets, fault, field, what) in [
        ("", Fault::Encoding, "", "ends too early"),
        ("45", Fault::Field, "", "not a described value"),
        ("00 53 1d 45", Fault::Encoding, "", "not a performative"),
        ("00 80 00 00 00 01 00 00 00 14 45", Fault::Encoding, "", "not a performative"),
        ("00 a3 03 61 62 63 45", Fault::Encoding, "", "not a performative"),
        ("00 a1 03 61 62 63 45", Fault::Encoding, "", "not a performative"),
        ("00 53 14 40", Fault::Field, "", "not a list"),
        ("00 53 14 c1 01 00", Fault::Field, "", "not a list"),
        ("00 53 14 45", Fault::Field, "transfer.handle", "absent, and mandatory"),
        ("00 53 10 45", Fault::Field, "open.container_id", "absent, and mandatory"),
    ] {
        check(octets, Performative::decode(&hex(octets)).map(|_| ()), fault, field, what);
    }
}

#[test]
fn fields_of_performatives() {
    use Fault::{Encoding, Field};
    const STR: &str = "a1 01 61";
    for (code, count, fields, fault, field, what) in [
        (0x14, 1, "40", Field, "transfer.handle", "absent, and mandatory"),
        (0x14, 1, "41", Field, "transfer.handle", "not a uint"),
        (0x14, 1, "53 01", Field, "transfer.handle", "not a uint"),
        (0x14, 1, "70 00", Encoding, "transfer.handle", "ends too early"),
        (0x14, 1, "43 43", Encoding, "", "octets after the last field"),
        (0x14, 3, "43 43", Encoding, "transfer.delivery_tag", "ends too early"),
        (0x14, 12, "43 40 40 40 40 40 40 40 40 40 40 40", Field, "", "more fields than there are"),
        (0x10, 2, "STR a1 02 c3 28", Encoding, "open.hostname", "a string that is not UTF-8"),
        (0x11, 1, "43", Field, "begin.remote_channel", "not a ushort"),
        (0x12, 4, "STR 43 41 50 03", Field, "attach.snd_settle_mode", "not a sender-settle-mode"),
        (
            0x12,
            6,
            "STR 43 41 40 40 00 53 29 45",
            Field,
            "attach.source",
            "described as another type",
        ),
        (0x12, 7, "STR 43 41 40 40 40 00 53 28 45", Field, "attach.target", "not a target"),
        (
            0x12,
            8,
            "STR 43 41 40 40 40 40 c1 03 02 40",
            Encoding,
            "attach.unsettled",
            "ends too early",
        ),
        (0x12, 8, "STR 43 41 40 40 40 40 c1 03 02 40 40", Field, "attach.unsettled", "not binary"),
        (
            0x12,
            8,
            "STR 43 41 40 40 40 40 c1 09 04 a0 01 61 40 a0 01 61 40",
            Encoding,
            "attach.unsettled",
            "a map with a key twice",
        ),
        (0x15, 5, "41 43 40 40 00 53 30 45", Field, "disposition.state", "not a delivery-state"),
        (
            0x13,
            11,
            "40 43 43 43 40 40 40 40 40 40 c1 07 02 a1 01 61 a1 01 62",
            Field,
            "flow.properties",
            "not a symbol",
        ),
        (0x18, 1, "00 53 1d c0 02 00", Encoding, "close.error", "ends too early"),
        (0x18, 1, "00 53 1d 45", Field, "error.condition", "absent, and mandatory"),
    ] {
        let fields = hex(&fields.replace("STR", STR));
        let size = u8::try_from(fields.len() + 1).expect("short");
        let octets = [&[0, 0x53, code, 0xc0, size, count][..], &fields].concat();
        check(what, Performative::decode(&octets).map(|_| ()), fault, field, what);
    }
}

#[test]
fn delivery_tags_are_at_most_32_octets() {
    let transfer = |len: u8| {
        let tag = vec![7; usize::from(len)];
        [&[0, 0x53, 0x14, 0xc0, len + 5, 3, 0x43, 0x43, 0xa0, len][..], &tag].concat()
    };
    assert!(Performative::decode(&transfer(32)).is_ok());
    let error = Performative::decode(&transfer(33)).expect_err("33 octets");
    assert_eq!((error.what, error.field), ("longer than 32 octets", "transfer.delivery_tag"));
    assert_eq!(error.condition(), Condition::InvalidField);
    assert_eq!(error.to_string(), "transfer.delivery_tag: longer than 32 octets");
}

#[test]
fn delivery_states() {
    for (octets, field, what) in [
        ("00 53 24 c0 02 01 40", "", "more fields than there are"),
        ("00 53 23 45", "received.section_number", "absent, and mandatory"),
        ("00 53 23 c0 02 01 43", "received.section_offset", "absent, and mandatory"),
        ("00 53 70 45", "", "not a delivery-state"),
        ("00 80 00 00 00 00 ff ff ff ff 45", "", "not a delivery-state"),
        ("00 a3 06 61 6d 71 70 3a 78 45", "", "not a delivery-state"),
    ] {
        let error = DeliveryState::decode(&hex(octets)).expect_err(octets);
        assert_eq!((error.what, error.field), (what, field), "{octets}");
    }
    // AMQP 4.5.6: what is committed is an outcome, and a state in a transaction is none.
    for state in ["00 53 34 45", "00 53 23 c0 03 02 43 44"] {
        let inner = hex(state);
        let size = u8::try_from(4 + inner.len()).expect("short");
        let octets = [&[0, 0x53, 0x34, 0xc0, size, 2, 0xa0, 1, 7][..], &inner].concat();
        let error = DeliveryState::decode(&octets).expect_err(state);
        assert_eq!((error.what, error.field), ("not an outcome", "transactional-state.outcome"));
    }
}

#[test]
fn sasl_frames() {
    for (octets, fault, field, what) in [
        ("", Fault::Encoding, "", "an empty SASL frame"),
        ("00 53 10 45", Fault::Encoding, "", "not the body of a SASL frame"),
        (
            "00 53 40 45",
            Fault::Field,
            "sasl-mechanisms.sasl_server_mechanisms",
            "absent, and mandatory",
        ),
        (
            "00 53 40 c0 05 01 e0 02 00 a3",
            Fault::Field,
            "sasl-mechanisms.sasl_server_mechanisms",
            "empty, and mandatory",
        ),
        (
            "00 53 40 c0 05 01 e0 02 00 a1",
            Fault::Field,
            "sasl-mechanisms.sasl_server_mechanisms",
            "not an array of symbols",
        ),
        ("00 53 44 c0 03 01 50 05", Fault::Field, "sasl-outcome.code", "not a sasl-code"),
        (
            "00 53 42 c0 03 01 a0 00 40",
            Fault::Encoding,
            "",
            "octets after the body of a SASL frame",
        ),
    ] {
        check(octets, SaslFrame::decode(&hex(octets)).map(|_| ()), fault, field, what);
    }
}

#[test]
fn messages() {
    const VALUE: &str = "00 53 77 40";
    const DATA: &str = "00 53 75 a0 00";
    for (sections, what) in [
        (&["00 53 70 45", "00 53 70 45", VALUE][..], "a section twice"),
        (&["00 53 73 45", "00 53 70 45", VALUE], "sections in a wrong order"),
        (&["00 53 72 c1 01 00", "00 53 71 c1 01 00", VALUE], "sections in a wrong order"),
        (&[VALUE, "00 53 73 45"], "sections in a wrong order"),
        (&["00 53 78 c1 01 00", DATA], "sections in a wrong order"),
        (&[VALUE, VALUE], "a section twice"),
        (&[DATA, VALUE], "a body of several kinds"),
        (&["00 53 76 45", DATA], "a body of several kinds"),
        (&[DATA, "00 53 76 45"], "a body of several kinds"),
        (&[DATA, DATA, VALUE], "a body of several kinds"),
        (&[VALUE, "00 53 78 c1 01 00", "00 53 78 c1 01 00"], "a section twice"),
        (&["00 53 70 c1 01 00", VALUE], "a section of a wrong type"),
        (&["00 53 70 40", VALUE], "a section of a wrong type"),
        (&["00 53 72 45", VALUE], "a section of a wrong type"),
        (&["00 53 75 a1 00"], "a section of a wrong type"),
        (&["00 53 75 40"], "a section of a wrong type"),
        (&["00 53 76 c1 01 00"], "a section of a wrong type"),
        (&["00 53 79 40", VALUE], "not a section of a message"),
        (&["00 53 24 45", VALUE], "not a section of a message"),
        (&["00 a3 01 61 45", VALUE], "not a section of a message"),
        (&["00 53 77"], "ends too early"),
        (&["00 53 77 a0 01"], "ends too early"),
    ] {
        let text = sections.join(" ");
        let found = Sections::scan(&hex(&text)).map(|_| ());
        check(&text, found, Fault::Encoding, "", what);
    }
    let error = Sections::scan(&hex("40")).expect_err("not described");
    assert_eq!(error.what, "not a described value");
}

#[test]
fn sections_with_something_wrong_in_them() {
    let value = hex("00 53 77 40");
    let annotations = [hex("00 53 72 c1 05 02 a1 01 61 40"), value.clone()].concat();
    let sections = Sections::scan(&annotations).expect("found");
    let error = sections.decode_message_annotations(&annotations).expect_err("a string as key");
    assert_eq!(error.what, "not a symbol");

    let list = [hex("00 53 74 c1 05 02 a1 01 61 45"), value.clone()].concat();
    let sections = Sections::scan(&list).expect("found");
    let error = sections.decode_application_properties(&list).expect_err("a list as value");
    assert_eq!(error.what, "a list, a map or an array in application-properties");

    let id = [hex("00 53 73 c0 02 01 43"), value].concat();
    let sections = Sections::scan(&id).expect("found");
    let error = sections.decode_properties(&id).expect_err("a uint as id");
    assert_eq!((error.what, error.field), ("not a message-id", "properties.message_id"));
}

#[test]
fn frame_headers() {
    for (octets, what) in [
        ("00 00 00 07 02 00 00 00", "a frame smaller than its header"),
        ("00 00 00 00 02 00 00 00", "a frame smaller than its header"),
        ("00 00 00 08 01 00 00 00", "the body of a frame in its header"),
        ("00 00 00 08 00 00 00 00", "the body of a frame in its header"),
        ("00 00 00 0b 03 00 00 00", "the body of a frame after its end"),
        ("00 00 00 08 ff 00 00 00", "the body of a frame after its end"),
        ("00 00 00 08 02 02 00 00", "a frame of an unknown type"),
    ] {
        let error = FrameHeader::parse(&hex(octets)).expect_err(octets);
        assert_eq!((error.what, error.fault), (what, Fault::Framing));
        assert_eq!(error.condition(), Condition::ConnectionFramingError);
        assert_eq!(FrameHeader::parse(&hex(octets)[..7]), Ok(None), "more is needed");
    }
    // AMQP 2.3.1: an extended header of one word, and a body of two octets.
    let header = FrameHeader::parse(&hex("00 00 00 0e 03 00 01 02 ff ff ff ff 40 40"));
    let header = header.expect("valid").expect("whole");
    assert_eq!((header.channel, header.body_start(), header.body_len()), (0x102, 12, 2));
    let empty = FrameHeader::parse(&hex("00 00 00 08 02 00 00 00")).expect("valid").expect("whole");
    assert_eq!((empty.body_start(), empty.body_len()), (8, 0));
}

#[test]
fn protocol_headers() {
    assert_eq!(ProtocolHeader::AMQP.octets(), *b"AMQP\x00\x01\x00\x00");
    assert_eq!(ProtocolHeader::TLS.octets(), *b"AMQP\x02\x01\x00\x00");
    assert_eq!(ProtocolHeader::SASL.octets(), *b"AMQP\x03\x01\x00\x00");
    for header in [ProtocolHeader::AMQP, ProtocolHeader::TLS, ProtocolHeader::SASL] {
        let octets = header.octets();
        assert_eq!(ProtocolHeader::parse(&octets), Ok(Some(header)));
        for end in 0..8 {
            assert_eq!(ProtocolHeader::parse(&octets[..end]), Ok(None));
        }
    }
    let old = ProtocolHeader::parse(b"AMQP\x00\x00\x09\x01 and more");
    assert_eq!(old, Ok(Some(ProtocolHeader { id: 0, major: 0, minor: 9, revision: 1 })));
    for octets in [&b"H"[..], b"AMQ?", b"amqp\x00\x01\x00\x00", b"GET / HTTP/1.1"] {
        let error = ProtocolHeader::parse(octets).expect_err("something else");
        assert_eq!(error.fault, Fault::Framing);
    }
}
