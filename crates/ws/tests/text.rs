//! UTF-8: what is valid, and how early it is known.

mod wire;

use wharf_ws::{Compression, Role, Version};
use wire::{Side, deflate, hex, masked};

const INVALID: &str = "closed by Violation(TextNotUtf8), 1006 \"\"";

#[test]
fn code_points_may_be_split_between_fragments() {
    // WS-U8-01.
    let mut server = Side::server();
    let text = "κόσμε 🎉".as_bytes();
    let mut bytes = masked(0x01, b"");
    bytes.extend(text.iter().flat_map(|octet| masked(0x00, &[*octet])));
    bytes.extend(masked(0x80, b""));
    assert_eq!(server.read(&bytes), ["text κόσμε 🎉"]);
    assert_eq!(server.trickle(&bytes), ["text κόσμε 🎉"]);
    // A text that ends within a code point is none.
    assert_eq!(server.read(&[masked(0x01, b"\xce"), masked(0x80, b"")].concat()), [INVALID]);
    assert_eq!(server.sent(), hex("88 02 03 ef"));
}

#[test]
fn forms_that_are_not_utf8() {
    // WS-U8-03: overlong, surrogates, past 10FFFF, stray octets.
    for bad in [
        &b"\xc0\xaf"[..],
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\x80",
        b"\xfe",
        b"\xce",
    ] {
        assert_eq!(Side::server().read(&masked(0x81, bad)), [INVALID], "{bad:x?}");
        assert_eq!(Side::server().trickle(&masked(0x81, bad)), [INVALID], "{bad:x?}");
    }
    let edges = "\u{0}\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
    assert_eq!(Side::server().read(&masked(0x81, edges.as_bytes())), [format!("text {edges}")]);
}

#[test]
fn fails_at_the_first_invalid_octet() {
    // WS-U8-04: although neither its frame nor its message is complete.
    let text = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited";
    let frame = masked(0x01, text);
    let head = frame.len() - text.len();
    let mut server = Side::server();
    // F4 may begin a code point, F4 90 may not.
    assert_eq!(server.read(&frame[..head + 12]), [""; 0]);
    assert_eq!(server.read(&frame[head + 12..head + 13]), [INVALID]);
}

#[test]
fn fails_early_in_compressed_text_too() {
    let mut client = Side::of(Role::Client, Version::Rfc6455, deflate());
    let mut text = "x".repeat(1000).into_bytes();
    text.push(0xff);
    client.conn.send(wharf_ws::MessageKind::Binary, &[&text], &mut client.out).unwrap();
    let mut frame = client.sent();
    // A text that is not over.
    assert_eq!(frame[0], 0xc2);
    frame[0] = 0x41;
    let log = Side::of(Role::Server, Version::Rfc6455, deflate()).read(&frame);
    assert_eq!(log, [INVALID]);
}

#[test]
fn clients_of_the_drafts_replace() {
    // HYBI-080.
    for version in [Version::Draft7, Version::Draft8] {
        let mut client = Side::of(Role::Client, version, Compression::None);
        assert_eq!(client.read(&hex("81 03 61 ff 62")), ["text a\u{fffd}b"]);
        assert_eq!(client.trickle(&hex("01 02 61 ff 80 01 62")), ["text a\u{fffd}b"]);
        assert_eq!(
            client.read(&hex("88 03 03 e8 ff")),
            ["closed by Peer, 1000 \"\u{fffd}\", clean"]
        );
    }
    let log = Side::client().read(&hex("81 03 61 ff 62"));
    assert_eq!(log, [INVALID]);
}
