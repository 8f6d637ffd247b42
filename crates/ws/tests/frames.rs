//! Frames of RFC 6455 in and out: the examples of the texts, and what is refused.

mod wire;

use wharf_ws::{Config, Event, Input, MessageKind, Misuse, Payload, Role, Version};
use wire::{Side, hex, masked};

const HELLO_FROM_CLIENT: &str = "81 85 37 fa 21 3d 7f 9f 4d 51 58";

fn violation(bytes: &[u8]) -> (String, Vec<u8>) {
    let mut server = Side::server();
    let log = server.read(bytes);
    assert_eq!(log.len(), 1, "{log:?}");
    (log[0].clone(), server.sent())
}

#[test]
fn example_client_text() {
    // HYBI worked example, RFC 6455 section 5.7; WS-FR-01, WS-MK-06, WS-MK-07, WS-RG-06.
    let mut server = Side::server();
    assert_eq!(server.read(&hex(HELLO_FROM_CLIENT)), ["text Hello"]);
    assert_eq!(server.trickle(&hex(HELLO_FROM_CLIENT)), ["text Hello"]);
}

#[test]
fn example_server_text() {
    // WS-MK-03: not masked.
    assert_eq!(Side::server().send(MessageKind::Text, b"Hello"), hex("81 05 48 65 6c 6c 6f"));
    assert_eq!(Side::client().read(&hex("81 05 48 65 6c 6c 6f")), ["text Hello"]);
}

#[test]
fn example_fragments() {
    // WS-FG-01, WS-FG-02, WS-FG-05, WS-FR-09.
    let mut client = Side::client();
    assert_eq!(client.read(&hex("01 03 48 65 6c")), [""; 0]);
    assert_eq!(client.read(&hex("80 02 6c 6f")), ["text Hello"]);
    // Zero-length fragments anywhere.
    assert_eq!(client.read(&hex("02 00 00 00 00 01 ff 80 00")), ["binary [ff]"]);
}

#[test]
fn example_ping_and_pong() {
    // WS-CT-02, WS-MK-01: the client's answer is masked.
    let mut client = Side::client();
    assert_eq!(client.read(&hex("89 05 48 65 6c 6c 6f")), ["ping [48, 65, 6c, 6c, 6f]"]);
    let pong = client.sent();
    let mut server = Side::server();
    assert_eq!(server.read(&pong), ["pong [48, 65, 6c, 6c, 6f]"]);
    // WS-CT-04: a Pong is not answered.
    assert_eq!(server.sent(), b"");
}

#[test]
fn example_sizes() {
    // WS-FR-06: a frame is its header and the application data, nothing else.
    // WS-FR-04: the shortest form on the way out.
    for (size, head) in [
        (125, hex("82 7d")),
        (126, hex("82 7e 00 7e")),
        (256, hex("82 7e 01 00")),
        (65535, hex("82 7e ff ff")),
        (65536, hex("82 7f 00 00 00 00 00 01 00 00")),
    ] {
        let payload = vec![0x2a; size];
        let frame = Side::server().send(MessageKind::Binary, &payload);
        assert_eq!(frame, [head, payload].concat());
        let log = Side::client().read(&frame);
        assert_eq!(log[0].len(), "binary []".len() + 4 * size - 2);
    }
}

#[test]
fn payload_is_lent_where_it_was_read() {
    let mut server = Side::server();
    let mut bytes = hex(HELLO_FROM_CLIENT);
    let mut input = Input::new(&mut bytes);
    match server.conn.poll_event(&mut input) {
        Some(Event::Message { payload: Payload::Borrowed(payload), .. }) => {
            assert_eq!(payload, b"Hello");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn reclaimed_frame_is_completed_in_place() {
    let frame = masked(0x82, &[0x5a; 1000]);
    let (begin, end) = frame.split_at(300);
    let mut server = Side::server();
    assert_eq!(server.read(begin), [""; 0]);

    let mut buf = vec![0; 4096];
    let held = server.conn.reclaimable_bytes();
    assert_eq!(server.conn.reclaim(&mut buf), held);
    assert_eq!(held, 300 - 8);
    // Nothing was read: the octets are kept again.
    let mut input = Input::new(&mut buf[..held]);
    assert!(server.conn.poll_event(&mut input).is_none());
    // Something was.
    assert_eq!(server.conn.reclaim(&mut buf), held);
    buf[held..held + end.len()].copy_from_slice(end);
    let mut input = Input::new(&mut buf[..held + end.len()]);
    match server.conn.poll_event(&mut input) {
        Some(Event::Message { payload: Payload::Borrowed(payload), .. }) => {
            assert_eq!(payload, [0x5a; 1000]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.conn.reclaimable_bytes(), 0);
}

#[test]
fn control_between_fragments() {
    // WS-FG-06, WS-CT-05.
    let mut server = Side::server();
    let bytes = [masked(0x01, b"Hel"), masked(0x89, b"?"), masked(0x80, b"lo")].concat();
    assert_eq!(server.read(&bytes), ["ping [3f]", "text Hello"]);
    assert_eq!(server.sent(), hex("8a 01 3f"));
}

#[test]
fn answer_goes_before_data_that_follows_it() {
    let mut server = Side::server();
    let mut ping = masked(0x89, b"?");
    let mut input = Input::new(&mut ping);
    assert!(matches!(server.conn.poll_event(&mut input), Some(Event::Ping(_))));
    assert_eq!(server.send(MessageKind::Binary, b"!"), hex("8a 01 3f 82 01 21"));
}

#[test]
fn only_the_latest_ping_waits() {
    // WS-CT-03: bounded memory.
    let mut server = Side::server();
    let mut pings = [masked(0x89, b"1"), masked(0x89, b"2"), masked(0x89, b"3")].concat();
    let mut input = Input::new(&mut pings);
    while server.conn.poll_event(&mut input).is_some() {}
    assert_eq!(server.sent(), hex("8a 01 33"));
}

#[test]
fn our_control_frames_go_between_our_fragments() {
    // WS-FR-08: the first frame tells the type, the last one ends the message.
    let mut server = Side::server();
    server.conn.begin_message(MessageKind::Text).unwrap();
    server.conn.send_fragment(&[b"Hel"], false, &mut server.out).unwrap();
    server.conn.ping(b"").unwrap();
    assert_eq!(server.sent(), hex("01 03 48 65 6c 89 00"));
    // WS-FG-04: no other message in between.
    let refused = server.conn.send(MessageKind::Binary, &[b""], &mut server.out);
    assert_eq!(refused, Err(Misuse::MessageOpen));
    server.conn.send_fragment(&[b"l", b"o"], true, &mut server.out).unwrap();
    assert_eq!(server.sent(), hex("80 02 6c 6f"));
    let refused = server.conn.send_fragment(&[b""], true, &mut server.out);
    assert_eq!(refused, Err(Misuse::NoMessageOpen));
}

#[test]
fn text_is_checked_before_it_is_sent() {
    // WS-U8-01, in the sending direction.
    let mut server = Side::server();
    for parts in [&[&b"\xff"[..]][..], &[b"\xc3", b"x"], &[b"\xc3"]] {
        let refused = server.conn.send(MessageKind::Text, parts, &mut server.out);
        assert_eq!(refused, Err(Misuse::TextNotUtf8));
    }
    server.conn.send(MessageKind::Text, &[b"\xc3", b"\xa9"], &mut server.out).unwrap();
    server.conn.begin_message(MessageKind::Text).unwrap();
    server.conn.send_fragment(&[b"\xc3"], false, &mut server.out).unwrap();
    let refused = server.conn.send_fragment(&[b""], true, &mut server.out);
    assert_eq!(refused, Err(Misuse::TextNotUtf8));
    server.conn.send_fragment(&[b"\xa9"], true, &mut server.out).unwrap();
    assert_eq!(server.sent(), hex("81 02 c3 a9 01 01 c3 80 01 a9"));
}

#[test]
fn reserved_bits() {
    // WS-FR-02, WS-EX-05: 1002.
    for first in [0xc1, 0xa1, 0x91, 0xf1, 0xc9, 0xc8] {
        let (event, sent) = violation(&masked(first, b""));
        assert_eq!(event, "closed by Violation(ReservedBits), 1006 \"\"");
        assert_eq!(sent, hex("88 02 03 ea"));
    }
}

#[test]
fn reserved_opcodes() {
    // WS-FR-03; known from the first two octets.
    for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        let (event, sent) = violation(&[0x80 | opcode, 0x80]);
        assert_eq!(event, format!("closed by Violation(ReservedOpcode({opcode})), 1006 \"\""));
        assert_eq!(sent, hex("88 02 03 ea"));
    }
}

#[test]
fn lengths() {
    // WS-FR-04, WS-A07: not minimal.
    for head in ["82 fe 00 7d", "82 ff 00 00 00 00 00 00 ff ff"] {
        let (event, _) = violation(&hex(head));
        assert_eq!(event, "closed by Violation(LengthNotMinimal), 1006 \"\"");
    }
    // WS-FR-05.
    let (event, _) = violation(&hex("82 ff 80 00 00 00 00 00 00 00"));
    assert_eq!(event, "closed by Violation(LengthTopBit), 1006 \"\"");
}

#[test]
fn masking_is_the_clients() {
    // WS-MK-02.
    let (event, sent) = violation(&hex("81 05"));
    assert_eq!(event, "closed by Violation(Unmasked), 1006 \"\"");
    assert_eq!(sent, hex("88 02 03 ea"));
    // WS-MK-04.
    let log = Side::client().read(&hex("81 85"));
    assert_eq!(log, ["closed by Violation(Masked), 1006 \"\""]);
}

#[test]
fn every_frame_has_a_new_key() {
    // WS-MK-01, WS-MK-05.
    let mut client = Side::client();
    let mut keys = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let frame = client.send(MessageKind::Binary, b"");
        assert_eq!(frame[..2], [0x82, 0x80]);
        keys.insert(frame[2..].to_vec());
    }
    client.conn.ping(b"").unwrap();
    assert_eq!(client.sent()[1], 0x80);
    assert_eq!(keys.len(), 100);
}

#[test]
fn gathered_parts_are_one_masked_message() {
    // WS-MK-06: the index runs over all parts.
    let mut client = Side::client();
    client.conn.send(MessageKind::Text, &[b"a", b"bcd", b"", b"ef"], &mut client.out).unwrap();
    let frame = client.sent();
    assert_eq!(Side::server().read(&frame), ["text abcdef"]);
}

#[test]
fn fragments_out_of_order() {
    // WS-FG-03, WS-FG-04.
    let (event, sent) = violation(&masked(0x80, b""));
    assert_eq!(event, "closed by Violation(NothingToContinue), 1006 \"\"");
    assert_eq!(sent, hex("88 02 03 ea"));
    let (event, _) = violation(&[masked(0x01, b"a"), masked(0x81, b"b")].concat());
    assert_eq!(event, "closed by Violation(MessageInterleaved), 1006 \"\"");
}

#[test]
fn control_frames_are_short_and_whole() {
    // WS-CT-01.
    let (event, _) = violation(&masked(0x89, &[0; 126]));
    assert_eq!(event, "closed by Violation(ControlTooLong), 1006 \"\"");
    for first in [0x08, 0x09, 0x0a] {
        let (event, _) = violation(&masked(first, b""));
        assert_eq!(event, "closed by Violation(ControlFragmented), 1006 \"\"");
    }
    let mut server = Side::server();
    assert_eq!(server.read(&masked(0x89, &[0; 125])).len(), 1);
    assert_eq!(server.conn.ping(&[0; 126]), Err(Misuse::PingTooLong));
}

#[test]
fn limits_are_known_from_the_header() {
    // WS-FR-10: 1009, and nothing was buffered.
    let config =
        Config { frame_size_max_bytes: 1000, message_size_max_bytes: 1500, ..Config::default() };
    let agreement = wharf_ws::Agreement::default();
    let mut server = Side::new(Role::Server, &agreement, &config);
    let log = server.read(&hex("82 fe 03 e9 00 00 00 00"));
    assert_eq!(log, ["closed by Violation(FrameTooBig), 1006 \"\""]);
    assert_eq!(server.sent(), hex("88 02 03 f1"));

    let mut server = Side::new(Role::Server, &agreement, &config);
    assert_eq!(server.read(&masked(0x02, &[0; 1000])), [""; 0]);
    assert_eq!(server.read(&masked(0x00, &[0; 500])), [""; 0]);
    let log = server.read(&hex("80 81 00 00 00 00"));
    assert_eq!(log, ["closed by Violation(MessageTooBig), 1006 \"\""]);
}

#[test]
fn what_came_before_a_violation_is_delivered() {
    // WS-CL-05, WS-SV-02: and nothing that came after.
    let mut server = Side::server();
    let bytes = [masked(0x82, b"1"), masked(0x83, b""), masked(0x82, b"2")].concat();
    assert_eq!(
        server.read(&bytes),
        ["binary [31]", "closed by Violation(ReservedOpcode(3)), 1006 \"\""]
    );
    assert_eq!(server.read(&masked(0x82, b"3")), [""; 0]);
    assert!(server.conn.should_close_transport());
}

#[test]
fn versions_7_and_8_share_the_framing() {
    // HYBI-060, HYBI-061, HYBI-062, HYBI-063, HYBI-064.
    for version in [Version::Draft7, Version::Draft8] {
        let none = wharf_ws::Compression::None;
        let mut server = Side::of(Role::Server, version, none);
        assert_eq!(server.read(&hex(HELLO_FROM_CLIENT)), ["text Hello"]);
        assert_eq!(server.send(MessageKind::Text, b"Hello"), hex("81 05 48 65 6c 6c 6f"));
        // HYBI-047: longer lengths than needed are read, and never written.
        assert_eq!(server.read(&hex("82 fe 00 01 00 00 00 00 61")), ["binary [61]"]);
        let log = server.read(&hex("81 05"));
        assert_eq!(log, ["closed by Violation(Unmasked), 1006 \"\""]);
        let log = Side::of(Role::Client, version, none).read(&hex("81 85"));
        assert_eq!(log, ["closed by Violation(Masked), 1006 \"\""]);
        // HYBI-066: the latest Ping is the one answered; a Pong nobody asked for is ignored.
        let mut pings = [masked(0x89, b"1"), masked(0x89, b"2"), masked(0x8a, b"")].concat();
        let mut seven = Side::of(Role::Server, version, none);
        let mut input = Input::new(&mut pings);
        while seven.conn.poll_event(&mut input).is_some() {}
        assert_eq!(seven.sent(), hex("8a 01 32"));
        // HYBI-065, HYBI-068.
        let log = Side::of(Role::Server, version, none).read(&masked(0xc1, b""));
        assert_eq!(log, ["closed by Violation(ReservedBits), 1006 \"\""]);
        let log = Side::of(Role::Server, version, none).read(&masked(0x09, b""));
        assert_eq!(log, ["closed by Violation(ControlFragmented), 1006 \"\""]);
    }
}
