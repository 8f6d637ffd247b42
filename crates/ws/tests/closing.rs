//! The closing handshake, close codes and their mapping in versions 6 to 8.

mod wire;

use wharf_ws::{CloseCode, Compression, Input, MessageKind, Misuse, Role, Version, Violation};
use wire::{Side, close_body, hex, masked};

#[test]
fn peer_closes() {
    // WS-CT-07, WS-A04: the code is echoed. WS-CL-03, WS-CL-04.
    let mut server = Side::server();
    let log = server.read(&masked(0x88, &close_body(1001, "bye")));
    assert_eq!(log, ["closed by Peer, 1001 \"bye\", clean"]);
    assert_eq!(server.sent(), hex("88 02 03 e9"));
    // WS-CT-09, WS-A02, WS-CL-02: the server closes the transport first. WS-CT-10: the reason is in
    // the event, for logs.
    assert!(server.conn.should_close_transport());
    // WS-FR-07, WS-CT-08.
    let refused = server.conn.send(MessageKind::Text, &[b"late"], &mut server.out);
    assert_eq!(refused, Err(Misuse::Closed));
    assert_eq!(server.conn.ping(b""), Err(Misuse::Closed));
    assert_eq!(server.conn.close(CloseCode::NORMAL, ""), Err(Misuse::Closed));
}

#[test]
fn client_waits_for_the_server() {
    // WS-CT-09.
    let mut client = Side::client();
    assert_eq!(client.read(&hex("88 02 03 e8")), ["closed by Peer, 1000 \"\", clean"]);
    assert!(!client.conn.should_close_transport());
    client.conn.handle_eof();
    assert!(client.conn.should_close_transport() && client.conn.is_finished());
    assert_eq!(client.read(b""), [""; 0]);
}

#[test]
fn we_close() {
    // WS-CL-01, WS-CL-11.
    let mut server = Side::server();
    server.conn.close(CloseCode::RESTART, "back soon").unwrap();
    assert_eq!(server.sent(), [hex("88 0b 03 f4"), b"back soon".to_vec()].concat());
    let refused = server.conn.send(MessageKind::Text, &[b"late"], &mut server.out);
    assert_eq!(refused, Err(Misuse::Closed));
    // What the peer had to say is still received; its Ping is still answered, because no Close of
    // its has come (WS-CT-02).
    assert_eq!(server.read(&masked(0x82, b"1")), ["binary [31]"]);
    assert_eq!(server.read(&masked(0x89, b"?")), ["ping [3f]"]);
    assert_eq!(server.sent(), hex("8a 01 3f"));
    assert!(!server.conn.should_close_transport());
    let log = server.read(&masked(0x88, &close_body(1012, "")));
    assert_eq!(log, ["closed by Us, 1012 \"\", clean"]);
    assert_eq!(server.sent(), b"");
}

#[test]
fn nothing_is_read_behind_a_close() {
    let mut server = Side::server();
    let bytes = [masked(0x88, b""), masked(0x89, b"?"), masked(0x83, b"")].concat();
    // WS-CL-03: 1005 when the Close has no code.
    assert_eq!(server.read(&bytes), ["closed by Peer, 1005 \"\", clean"]);
    // WS-CL-07: which is not sent.
    assert_eq!(server.sent(), hex("88 00"));
}

#[test]
fn a_ping_before_the_close_is_answered() {
    let mut server = Side::server();
    let mut bytes = [masked(0x89, b"?"), masked(0x88, b"")].concat();
    let mut input = Input::new(&mut bytes);
    while server.conn.poll_event(&mut input).is_some() {}
    assert_eq!(server.sent(), hex("8a 01 3f 88 00"));
}

#[test]
fn an_empty_close() {
    let mut client = Side::client();
    client.conn.close(CloseCode::NO_CODE, "").unwrap();
    assert_eq!(client.sent()[..2], hex("88 80"));
    let mut client = Side::client();
    assert_eq!(client.conn.close(CloseCode::NO_CODE, "why"), Err(Misuse::CloseReason));
}

#[test]
fn transport_is_lost() {
    // WS-CL-03, WS-CL-06, HYBI-075: 1006.
    let mut server = Side::server();
    server.read(&masked(0x01, b"half"));
    server.conn.handle_eof();
    assert_eq!(server.read(b""), ["closed by Transport, 1006 \"\""]);
    assert_eq!(server.sent(), b"");
    assert!(server.conn.is_finished());
}

#[test]
fn received_codes() {
    // WS-CL-10, WS-A03, WS-RG-05.
    let good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
        .into_iter()
        .chain([3000, 3999, 4000, 4999]);
    for code in good {
        let mut server = Side::server();
        let log = server.read(&masked(0x88, &close_body(code, "")));
        assert_eq!(log, [format!("closed by Peer, {code} \"\", clean")]);
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        let mut server = Side::server();
        let log = server.read(&masked(0x88, &close_body(code, "")));
        assert_eq!(log, [format!("closed by Violation(CloseCode({code})), 1006 \"\"")]);
        assert_eq!(server.sent(), hex("88 02 03 ea"));
    }
}

#[test]
fn close_bodies() {
    // WS-CT-06.
    let mut server = Side::server();
    let log = server.read(&masked(0x88, &[3]));
    assert_eq!(log, ["closed by Violation(CloseBodyOneOctet), 1006 \"\""]);
    assert_eq!(server.sent(), hex("88 02 03 ea"));
    // WS-U8-02: 1007.
    let mut server = Side::server();
    let log = server.read(&masked(0x88, &[0x03, 0xe8, 0xc3]));
    assert_eq!(log, ["closed by Violation(CloseReasonNotUtf8), 1006 \"\""]);
    assert_eq!(server.sent(), hex("88 02 03 ef"));
}

#[test]
fn sent_codes() {
    // WS-CL-07, WS-CL-08, WS-CL-09.
    for code in [0, 999, 1004, 1006, 1015, 1016, 2999, 5000] {
        let refused = Side::server().conn.close(CloseCode::new(code), "");
        assert_eq!(refused, Err(Misuse::CloseCode(code)));
    }
    // 1010 is the client's.
    assert_eq!(
        Side::server().conn.close(CloseCode::EXTENSION_MISSING, ""),
        Err(Misuse::CloseCode(1010))
    );
    Side::client().conn.close(CloseCode::EXTENSION_MISSING, "permessage-deflate").unwrap();
    assert_eq!(
        Side::server().conn.close(CloseCode::NORMAL, &"x".repeat(124)),
        Err(Misuse::CloseReason)
    );
    Side::server().conn.close(CloseCode::new(4999), &"x".repeat(123)).unwrap();
}

#[test]
fn every_violation_has_its_code() {
    // WS-CL-05, WS-CL-08.
    for (violation, code) in [
        (Violation::ReservedBits, CloseCode::PROTOCOL_ERROR),
        (Violation::TextNotUtf8, CloseCode::INCONSISTENT_DATA),
        (Violation::NotDeflate, CloseCode::INCONSISTENT_DATA),
        (Violation::MessageTooBig, CloseCode::TOO_BIG),
    ] {
        assert_eq!(violation.close_code(), code);
    }
}

#[test]
fn a_violation_while_closing_sends_no_second_close() {
    let mut server = Side::server();
    server.conn.close(CloseCode::NORMAL, "").unwrap();
    server.sent();
    let log = server.read(&masked(0x83, b""));
    assert_eq!(log, ["closed by Violation(ReservedOpcode(3)), 1006 \"\""]);
    assert_eq!(server.sent(), b"");
}

#[test]
fn drafts_are_sent_codes_they_know() {
    // HYBI-071, HYBI-072.
    for (code, mapped) in [
        (CloseCode::NORMAL, 1000),
        (CloseCode::GOING_AWAY, 1001),
        (CloseCode::PROTOCOL_ERROR, 1002),
        (CloseCode::UNACCEPTABLE, 1003),
        (CloseCode::INCONSISTENT_DATA, 1003),
        (CloseCode::POLICY, 1002),
        (CloseCode::TOO_BIG, 1004),
        (CloseCode::EXTENSION_MISSING, 1002),
        (CloseCode::UNEXPECTED, 1001),
        (CloseCode::RESTART, 1001),
        (CloseCode::TRY_LATER, 1001),
        (CloseCode::new(4000), 4000),
    ] {
        for version in [Version::Draft6, Version::Draft7, Version::Draft8] {
            assert_eq!(code.for_version(version).number(), mapped);
        }
        assert_eq!(code.for_version(Version::Rfc6455), code);
    }
    let mut eight = Side::of(Role::Server, Version::Draft8, Compression::None);
    // HYBI-081: invalid text fails there too, without the code 1007.
    eight.read(&masked(0x81, b"\xff"));
    assert_eq!(eight.sent(), hex("88 02 03 eb"));
}

#[test]
fn codes_of_the_drafts_are_received() {
    // HYBI-072, HYBI-073, HYBI-075, HYBI-070.
    for (version, code, accepted) in [
        (Version::Draft7, 1004, true),
        (Version::Draft7, 1099, true),
        (Version::Draft7, 2500, true),
        (Version::Draft7, 3000, true),
        (Version::Draft7, 4999, true),
        (Version::Draft7, 999, false),
        (Version::Draft7, 5000, false),
        (Version::Draft8, 1005, false),
        (Version::Draft8, 1006, false),
        (Version::Draft8, 1007, true),
    ] {
        let mut server = Side::of(Role::Server, version, Compression::None);
        let log = server.read(&masked(0x88, &close_body(code, "")));
        assert_eq!(log[0].starts_with("closed by Peer"), accepted, "{version} {code}");
        // HYBI-074.
        assert!(server.conn.should_close_transport());
    }
}
