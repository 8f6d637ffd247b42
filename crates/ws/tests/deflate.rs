//! permessage-deflate: the examples of RFC 7692, its options, and its dangers.

mod wire;

use wharf_ws::{Compression, Config, DeflateParams, MessageKind, Role, Version};
use wire::{Side, agreement, deflate, hex, masked};

fn server() -> Side {
    Side::of(Role::Server, Version::Rfc6455, deflate())
}

fn client() -> Side {
    Side::of(Role::Client, Version::Rfc6455, deflate())
}

fn with(role: Role, params: DeflateParams, config: &Config) -> Side {
    Side::new(role, &agreement(Version::Rfc6455, Compression::PerMessage(params)), config)
}

/// Compresses whatever it is given.
fn eager() -> Config {
    Config { compress_min_bytes: 0, ..Config::default() }
}

#[test]
fn examples() {
    // WS-PD-10; RFC 7692 section 7.2.3, in order.
    let mut it = client();
    assert_eq!(it.read(&hex("c1 07 f2 48 cd c9 c9 07 00")), ["text Hello"]);
    assert_eq!(it.read(&hex("41 03 f2 48 cd 80 04 c9 c9 07 00")), ["text Hello"]);
    // WS-PD-12: the second refers to the first, over an uncompressed one (WS-PD-13).
    assert_eq!(it.read(&hex("81 05 48 65 6c 6c 6f")), ["text Hello"]);
    assert_eq!(it.read(&hex("c1 05 f2 00 11 00 00")), ["text Hello"]);
    assert_eq!(it.read(&hex("c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00")), ["text Hello"]);
    assert_eq!(it.read(&hex("c1 08 f3 48 cd c9 c9 07 00 00")), ["text Hello"]);
    let two_blocks = "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00";
    assert_eq!(it.read(&hex(two_blocks)), ["text Hello"]);
    assert_eq!(it.read(&hex("c1 01 00")), ["text "]);
}

#[test]
fn history_survives_a_final_block() {
    // WS-PD-09, WS-PD-12: after BFINAL a message may still refer to what came before it.
    let mut it = client();
    assert_eq!(it.read(&hex("c1 08 f3 48 cd c9 c9 07 00 00")), ["text Hello"]);
    assert_eq!(it.read(&hex("c1 05 f2 00 11 00 00")), ["text Hello"]);
    // Also to a message before the one with the final block.
    let mut it = client();
    assert_eq!(it.read(&hex("c1 07 f2 48 cd c9 c9 07 00")), ["text Hello"]);
    assert_eq!(it.read(&hex("c2 03 03 00 00")), ["binary []"]);
    assert_eq!(it.read(&hex("c1 05 f2 00 11 00 00")), ["text Hello"]);
}

#[test]
fn hello_is_compressed_as_in_the_rfc() {
    let mut it = with(Role::Server, DeflateParams::default(), &eager());
    let hello = hex("c1 07 f2 48 cd c9 c9 07 00");
    assert_eq!(it.send(MessageKind::Text, b"Hello"), hello);
    // WS-PD-11: the window is kept, or not.
    assert_eq!(it.send(MessageKind::Text, b"Hello"), hex("c1 05 f2 00 11 00 00"));
    let params = DeflateParams { server_no_context_takeover: true, ..DeflateParams::default() };
    let mut it = with(Role::Server, params, &eager());
    assert_eq!(it.send(MessageKind::Text, b"Hello"), hello);
    assert_eq!(it.send(MessageKind::Text, b"Hello"), hello);
}

#[test]
fn empty_messages() {
    let mut it = with(Role::Server, DeflateParams::default(), &eager());
    let mut peer = client();
    for _ in 0..3 {
        let frame = it.send(MessageKind::Text, b"");
        assert_eq!(frame, hex("c1 01 00"));
        assert_eq!(peer.read(&frame), ["text "]);
    }
}

#[test]
fn fragments_are_one_stream() {
    // WS-PD-08: RSV1 on the first; WS-PD-09: the tail is stripped from the last only.
    let mut it = with(Role::Client, DeflateParams::default(), &eager());
    it.conn.begin_message(MessageKind::Text).unwrap();
    for piece in ["Hel", "", "lo, ", "Hello"] {
        it.conn.send_fragment(&[piece.as_bytes()], false, &mut it.out).unwrap();
    }
    it.conn.send_fragment(&[], true, &mut it.out).unwrap();
    let frames = it.sent();
    assert_eq!(frames[0], 0x41);
    let mut peer = server();
    assert_eq!(peer.read(&frames), ["text Hello, Hello"]);
    assert_eq!(server().trickle(&frames), ["text Hello, Hello"]);
}

#[test]
fn short_messages_are_not_worth_it() {
    // WS-PD-13.
    assert_eq!(server().send(MessageKind::Text, b"Hello"), hex("81 05 48 65 6c 6c 6f"));
    let frame = server().send(MessageKind::Text, &[b'a'; 1000]);
    assert!(frame[0] == 0xc1 && frame.len() < 30);
}

#[test]
fn windows_bind_the_compressor() {
    // WS-PD-11: what was said more than 512 octets ago is not referred to.
    let noise: Vec<u8> =
        (0..600_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let twice = [&noise[..], &noise[..]].concat();
    let compressed = |bits| {
        let params = DeflateParams { server_max_window_bits: bits, ..DeflateParams::default() };
        let frame = with(Role::Server, params, &eager()).send(MessageKind::Binary, &twice);
        let mut peer = with(Role::Client, params, &eager());
        assert_eq!(peer.read(&frame), [format!("binary {twice:02x?}")]);
        frame.len()
    };
    assert!(compressed(15) < 700);
    assert!(compressed(9) > 1100);
    // zlib has no raw window of 8 bits: uncompressed is always allowed (WS-PD-13).
    assert_eq!(compressed(8), twice.len() + 4);
}

#[test]
fn rsv1_belongs_to_the_first_frame_of_a_message() {
    // WS-PD-08.
    for bytes in [
        [masked(0x41, b"\x00"), masked(0xc0, b"\x00")].concat(),
        masked(0xc9, b""),
        masked(0xc8, b""),
        masked(0xa1, b""),
    ] {
        let log = server().read(&bytes);
        assert_eq!(log, ["closed by Violation(ReservedBits), 1006 \"\""]);
    }
}

#[test]
fn garbage_does_not_inflate() {
    // WS-PD-10.
    for bad in [&b"\x07"[..], b"", b"\xff\xff\xff\xff", b"\xf2\x00\x91\x00\x00"] {
        let mut it = server();
        let log = it.read(&masked(0xc2, bad));
        assert_eq!(log, ["closed by Violation(NotDeflate), 1006 \"\""], "{bad:x?}");
        assert_eq!(it.sent(), hex("88 02 03 ef"));
    }
}

#[test]
fn inflated_octets_count() {
    // WS-PD-15: ten megabytes in ten kilobytes are refused after the first of them.
    let mut bomb = with(Role::Client, DeflateParams::default(), &eager());
    let frame = bomb.send(MessageKind::Binary, &vec![0; 10 << 20]);
    assert!(frame.len() < 20_000);
    let config = Config { message_size_max_bytes: 100_000, ..Config::default() };
    for chunk in [1, 100, 100_000] {
        let mut it = with(Role::Server, DeflateParams::default(), &config);
        let log: Vec<String> = frame.chunks(chunk).flat_map(|piece| it.read(piece)).collect();
        assert_eq!(log, ["closed by Violation(MessageTooBig), 1006 \"\""]);
        assert_eq!(it.sent(), hex("88 02 03 f1"));
    }
    // The limit itself is allowed.
    let frame = with(Role::Client, DeflateParams::default(), &eager())
        .send(MessageKind::Binary, &vec![0; 100_000]);
    let mut it = with(Role::Server, DeflateParams::default(), &config);
    assert_eq!(it.read(&frame).len(), 1);
    assert!(it.conn.is_open());
}

#[test]
fn long_conversations() {
    // More than a window goes by, in both directions, with and without context.
    for no_takeover in [false, true] {
        let params = DeflateParams {
            server_no_context_takeover: no_takeover,
            client_no_context_takeover: no_takeover,
            server_max_window_bits: 10,
            client_max_window_bits: 12,
        };
        let (mut a, mut b) =
            (with(Role::Client, params, &eager()), with(Role::Server, params, &eager()));
        for round in 0..200_usize {
            let text = format!("{round} ").repeat(round * 3);
            let frame = a.send(MessageKind::Text, text.as_bytes());
            assert_eq!(b.read(&frame), [format!("text {text}")]);
            let frame = b.send(MessageKind::Text, text.as_bytes());
            assert_eq!(a.read(&frame), [format!("text {text}")]);
        }
    }
}
