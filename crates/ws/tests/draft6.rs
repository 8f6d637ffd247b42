//! Version 6: opcodes of its own, and frames that are masked from the first octet.

mod wire;

use wharf_ws::{Compression, MessageKind, Role, Version};
use wire::{KEY, Side, hex};

fn server() -> Side {
    Side::of(Role::Server, Version::Draft6, Compression::None)
}

fn client() -> Side {
    Side::of(Role::Client, Version::Draft6, Compression::None)
}

/// HYBI-042: the key, then the whole frame masked with one running index.
fn from_client(frame: &str) -> Vec<u8> {
    let mut masked = KEY.to_vec();
    masked.extend(hex(frame).iter().zip(KEY.iter().cycle()).map(|(octet, key)| octet ^ key));
    masked
}

#[test]
fn worked_examples() {
    // HYBI-041, HYBI-042, HYBI-043, HYBI-A02, HYBI-A03.
    let mut six = server();
    assert_eq!(six.read(&hex("37 fa 21 3d b3 ff 69 58 5b 96 4e")), ["text Hello"]);
    assert_eq!(six.trickle(&hex("37 fa 21 3d b3 ff 69 58 5b 96 4e")), ["text Hello"]);
    let ping = hex("37 fa 21 3d b5 ff 69 58 5b 96 4e");
    assert_eq!(six.read(&ping), ["ping [48, 65, 6c, 6c, 6f]"]);
    // HYBI-049: the same body.
    assert_eq!(six.sent(), hex("83 05 48 65 6c 6c 6f"));
    // HYBI-044: a server does not mask.
    assert_eq!(six.send(MessageKind::Text, b"Hello"), hex("84 05 48 65 6c 6c 6f"));
    let close = hex("37 fa 21 3d b6 f8 22 d5");
    assert_eq!(six.read(&close), ["closed by Peer, 1000 \"\", clean"]);
    assert_eq!(six.sent(), hex("81 02 03 e8"));
}

#[test]
fn from_server() {
    let mut six = client();
    assert_eq!(six.read(&hex("84 05 48 65 6c 6c 6f")), ["text Hello"]);
    assert_eq!(six.read(&hex("04 03 48 65 6c 80 02 6c 6f")), ["text Hello"]);
    assert_eq!(six.read(&hex("82 00 83 00")), ["ping []", "pong []"]);
}

#[test]
fn what_a_client_sends_is_what_a_server_reads() {
    // HYBI-045: each frame with a new key.
    for size in [0, 1, 125, 126, 65535, 65536] {
        let payload = vec![0x61; size];
        let frame = client().send(MessageKind::Text, &payload);
        let mut six = server();
        assert_eq!(six.read(&frame), [format!("text {}", "a".repeat(size))]);
    }
}

#[test]
fn control_frames_are_known_by_opcode() {
    // HYBI-046: 1 to 3, whole and short, also between fragments.
    let bytes =
        [from_client("04 01 61"), from_client("82 01 3f"), from_client("80 01 62")].concat();
    assert_eq!(server().read(&bytes), ["ping [3f]", "text ab"]);
    let log = server().read(&from_client("02 00"));
    assert_eq!(log, ["closed by Violation(ControlFragmented), 1006 \"\""]);
    let log = server().read(&from_client("82 7e 00 7e"));
    assert_eq!(log, ["closed by Violation(ControlTooLong), 1006 \"\""]);
    let log = server().read(&from_client("86 00"));
    assert_eq!(log, ["closed by Violation(ReservedOpcode(6)), 1006 \"\""]);
}

#[test]
fn reserved_bits_are_four() {
    // HYBI-040, HYBI-048: RSV4 is where MASK came to be.
    for head in ["94 00", "a4 00", "c4 00", "84 80"] {
        let mut six = server();
        let log = six.read(&from_client(head));
        assert_eq!(log, ["closed by Violation(ReservedBits), 1006 \"\""]);
        assert_eq!(six.sent(), hex("81 02 03 ea"));
    }
}

#[test]
fn lengths_need_not_be_minimal() {
    // HYBI-047.
    assert_eq!(server().read(&from_client("85 7e 00 01 61")), ["binary [61]"]);
    assert_eq!(server().read(&from_client("85 7f 00 00 00 00 00 00 00 01 61")), ["binary [61]"]);
    let log = server().read(&from_client("85 7f 80 00 00 00 00 00 00 01"));
    assert_eq!(log, ["closed by Violation(LengthTopBit), 1006 \"\""]);
    let example = client().read(&[hex("85 7e 01 00"), vec![0; 256]].concat());
    assert_eq!(example.len(), 1);
}
