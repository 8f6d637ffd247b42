//! deflate-stream of versions 6 to 8: one DEFLATE stream in each direction.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use flate2::{Compress, Compression as Level, FlushCompress};
use wharf_ws::{CloseCode, Compression, Config, MessageKind, Role, Version};
use wire::{Side, agreement, hex, masked};

const DRAFTS: [Version; 3] = [Version::Draft6, Version::Draft7, Version::Draft8];

fn deflated(plain: &[u8], level: Level, flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + 100);
    Compress::new(level, false).compress_vec(plain, &mut out, flush).unwrap();
    out
}

#[test]
fn both_directions() {
    // HYBI-090, HYBI-092, HYBI-093: and nothing of a message is held back.
    for version in DRAFTS {
        let mut client = Side::of(Role::Client, version, Compression::Stream);
        let mut server = Side::of(Role::Server, version, Compression::Stream);
        for size in [0, 5, 200, 70_000] {
            let text = "ab".repeat(size);
            let bytes = client.send(MessageKind::Text, text.as_bytes());
            assert_eq!(server.read(&bytes), [format!("text {text}")]);
            let bytes = server.send(MessageKind::Text, text.as_bytes());
            assert_eq!(client.trickle(&bytes), [format!("text {text}")]);
        }
        client.conn.ping(b"?").unwrap();
        assert_eq!(server.read(&client.sent()), ["ping [3f]"]);
        assert_eq!(client.read(&server.sent()), ["pong [3f]"]);
        server.conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(client.read(&server.sent()), ["closed by Peer, 1000 \"\", clean"]);
        assert_eq!(server.read(&client.sent()), ["closed by Us, 1000 \"\", clean"]);
    }
}

#[test]
fn any_blocks_and_flushes() {
    // HYBI-091, HYBI-092: raw DEFLATE, stored or compressed, flushed anywhere.
    let frames = [masked(0x01, b"Hel"), masked(0x89, b""), masked(0x80, b"lo")].concat();
    for level in [Level::none(), Level::fast(), Level::best()] {
        for flush in [FlushCompress::Sync, FlushCompress::Full, FlushCompress::Finish] {
            let bytes = deflated(&frames, level, flush);
            let mut server = Side::of(Role::Server, Version::Draft8, Compression::Stream);
            assert_eq!(server.read(&bytes), ["ping []", "text Hello"]);
            let mut server = Side::of(Role::Server, Version::Draft8, Compression::Stream);
            assert_eq!(server.trickle(&bytes), ["ping []", "text Hello"]);
        }
    }
}

#[test]
fn garbage() {
    // What came before it is delivered.
    let mut bytes = deflated(&masked(0x82, b"1"), Level::fast(), FlushCompress::Sync);
    bytes.extend([0xff; 8]);
    for chunk in [1, 3, 100] {
        let mut server = Side::of(Role::Server, Version::Draft8, Compression::Stream);
        let log: Vec<String> = bytes.chunks(chunk).flat_map(|piece| server.read(piece)).collect();
        assert_eq!(log, ["binary [31]", "closed by Violation(NotDeflate), 1006 \"\""]);
    }
    // So is what came before the end of the stream.
    let mut bytes = deflated(&masked(0x82, b"1"), Level::fast(), FlushCompress::Finish);
    bytes.push(0);
    let mut server = Side::of(Role::Server, Version::Draft8, Compression::Stream);
    let log = server.read(&bytes);
    assert_eq!(log, ["binary [31]", "closed by Violation(NotDeflate), 1006 \"\""]);
}

#[test]
fn a_bomb_meets_the_limits() {
    // HYBI-093: bounded expansion. The header is inflated, the rest need not be.
    let config = Config { message_size_max_bytes: 1000, ..Config::default() };
    let bytes = deflated(&masked(0x82, &vec![0; 1 << 20]), Level::best(), FlushCompress::Sync);
    assert!(bytes.len() < 10_000);
    let agreement = agreement(Version::Draft8, Compression::Stream);
    let mut server = Side::new(Role::Server, &agreement, &config);
    assert_eq!(server.read(&bytes), ["closed by Violation(MessageTooBig), 1006 \"\""]);
    assert_eq!(hex("03 ec")[..], 1004_u16.to_be_bytes());
}
