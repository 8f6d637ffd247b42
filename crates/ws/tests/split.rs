//! Split invariance: however the input is cut into reads, events and answers are the same, with
//! and without reclaiming, in every version and role, with every compression, for peers that
//! behave and peers that do not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use proptest::collection::vec;
use proptest::prelude::*;
use wharf_ws::{CloseCode, Compression, Config, DeflateParams, Input, MessageKind, Role, Version};
use wire::{Side, agreement};

/// What a peer does next.
#[derive(Clone, Debug)]
enum Act {
    Message(MessageKind, Vec<u8>),
    Fragments(MessageKind, Vec<Vec<u8>>),
    Ping(Vec<u8>),
    Close,
    /// Octets from nowhere.
    Noise(Vec<u8>),
}

fn payload(kind: MessageKind) -> BoxedStrategy<Vec<u8>> {
    match kind {
        MessageKind::Text => prop_oneof![
            "[a-zé€🎉]{0,40}".prop_map(String::into_bytes),
            (1..3000_usize).prop_map(|size| "κόσμε".repeat(size / 10).into_bytes()),
        ]
        .boxed(),
        MessageKind::Binary => prop_oneof![
            vec(any::<u8>(), 0..200),
            (0..80_000_usize, any::<u8>()).prop_map(|(size, octet)| vec![octet; size]),
        ]
        .boxed(),
    }
}

fn act() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![Just(MessageKind::Text), Just(MessageKind::Binary)];
    let message =
        kind.clone().prop_flat_map(|kind| payload(kind).prop_map(move |it| Act::Message(kind, it)));
    let fragments = kind.prop_flat_map(|kind| {
        vec(payload(kind), 1..4).prop_map(move |pieces| Act::Fragments(kind, pieces))
    });
    prop_oneof![
        8 => message,
        3 => fragments,
        3 => vec(any::<u8>(), 0..=125).prop_map(Act::Ping),
        1 => Just(Act::Close),
        1 => vec(any::<u8>(), 1..40).prop_map(Act::Noise),
    ]
}

fn setting() -> impl Strategy<Value = (Version, Compression)> {
    let version = prop_oneof![
        Just(Version::Rfc6455),
        Just(Version::Draft8),
        Just(Version::Draft7),
        Just(Version::Draft6),
    ];
    (version, 0..3_u8, any::<bool>(), 9..=15_u8).prop_map(|(version, choice, forget, bits)| {
        let params = DeflateParams {
            server_no_context_takeover: forget,
            client_no_context_takeover: forget,
            server_max_window_bits: bits,
            client_max_window_bits: bits,
        };
        let compression = match choice {
            0 => Compression::None,
            _ if version.is_interim() => Compression::Stream,
            _ => Compression::PerMessage(params),
        };
        (version, compression)
    })
}

/// What a peer in `role` puts on the wire.
fn wire_bytes(role: Role, version: Version, compression: Compression, acts: &[Act]) -> Vec<u8> {
    let mut peer = Side::of(role, version, compression);
    for act in acts {
        if !peer.conn.is_open() {
            break;
        }
        match act {
            Act::Message(kind, payload) => {
                peer.conn.send(*kind, &[payload], &mut peer.out).unwrap();
            }
            Act::Fragments(kind, pieces) => {
                peer.conn.begin_message(*kind).unwrap();
                for piece in pieces {
                    peer.conn.send_fragment(&[piece], false, &mut peer.out).unwrap();
                }
                peer.conn.send_fragment(&[], true, &mut peer.out).unwrap();
            }
            Act::Ping(payload) => peer.conn.ping(payload).unwrap(),
            Act::Close => peer.conn.close(CloseCode::NORMAL, "done").unwrap(),
            Act::Noise(octets) => peer.out.extend_from_slice(octets),
        }
        peer.conn.poll_transmit(&mut peer.out, usize::MAX);
    }
    peer.sent()
}

/// Reads `bytes` in pieces of these sizes, over and over.
fn read_in_pieces(side: &mut Side, mut bytes: &[u8], sizes: &[usize]) {
    for size in sizes.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
        side.read(piece);
        bytes = rest;
    }
}

/// The same, into one buffer, with what is held back put in front; now and then for nothing.
fn read_with_reclaim(side: &mut Side, mut bytes: &[u8], sizes: &[usize]) {
    let mut buf = vec![0; 128 * 1024];
    for (turn, size) in sizes.iter().cycle().enumerate() {
        if bytes.is_empty() {
            break;
        }
        let size = if turn % 3 == 2 { 0 } else { (*size).min(bytes.len()).min(buf.len() / 2) };
        let (piece, rest) = bytes.split_at(size);
        let held = side.conn.reclaim(&mut buf);
        buf[held..held + piece.len()].copy_from_slice(piece);
        let mut input = Input::new(&mut buf[..held + piece.len()]);
        side.drain(&mut input);
        bytes = rest;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_events(
        to_server in any::<bool>(),
        (version, compression) in setting(),
        acts in vec(act(), 0..12),
        flip in proptest::option::weighted(0.3, (any::<prop::sample::Index>(), 1..=255_u8)),
        sizes in vec(prop_oneof![1..8_usize, 1..2000_usize, 1..70_000_usize], 1..8),
    ) {
        let (role, peer) =
            if to_server { (Role::Server, Role::Client) } else { (Role::Client, Role::Server) };
        let mut bytes = wire_bytes(peer, version, compression, &acts);
        if let (Some((index, mask)), false) = (flip, bytes.is_empty()) {
            let index = index.index(bytes.len());
            bytes[index] ^= mask;
        }
        let config = Config { message_size_max_bytes: 100_000, ..Config::default() };
        let agreement = agreement(version, compression);
        let side = || Side::new(role, &agreement, &config);

        let mut whole = side();
        whole.read(&bytes);
        let mut pieces = side();
        read_in_pieces(&mut pieces, &bytes, &sizes);
        prop_assert_eq!(&whole.log, &pieces.log);
        prop_assert_eq!(whole.out.len(), pieces.out.len());
        if role == Role::Server {
            prop_assert_eq!(&whole.out, &pieces.out);
        }
        let mut reclaimed = side();
        read_with_reclaim(&mut reclaimed, &bytes, &sizes);
        prop_assert_eq!(&whole.log, &reclaimed.log);
        prop_assert_eq!(whole.out.len(), reclaimed.out.len());
    }

    #[test]
    fn what_is_sent_is_received(
        to_server in any::<bool>(),
        (version, compression) in setting(),
        acts in vec(act().prop_filter("well-behaved", |act| !matches!(act, Act::Noise(_))), 0..12),
    ) {
        let (role, peer) =
            if to_server { (Role::Server, Role::Client) } else { (Role::Client, Role::Server) };
        let bytes = wire_bytes(peer, version, compression, &acts);
        let mut side = Side::of(role, version, compression);
        let log = side.read(&bytes);
        let mut expected = Vec::new();
        for act in &acts {
            let message = |kind: &MessageKind, octets: &[u8]| match kind {
                MessageKind::Text => format!("text {}", std::str::from_utf8(octets).unwrap()),
                MessageKind::Binary => format!("binary {octets:02x?}"),
            };
            expected.push(match act {
                Act::Message(kind, payload) => message(kind, payload),
                Act::Fragments(kind, pieces) => message(kind, &pieces.concat()),
                Act::Ping(payload) => format!("ping {payload:02x?}"),
                Act::Close => "closed by Peer, 1000 \"done\", clean".to_owned(),
                Act::Noise(_) => unreachable!(),
            });
            if matches!(act, Act::Close) {
                break;
            }
        }
        prop_assert_eq!(log, expected);
    }

    #[test]
    fn no_octets_upset_a_connection(
        to_server in any::<bool>(),
        (version, compression) in setting(),
        bytes in vec(any::<u8>(), 0..300),
    ) {
        let role = if to_server { Role::Server } else { Role::Client };
        let mut side = Side::of(role, version, compression);
        side.trickle(&bytes);
        side.conn.handle_eof();
        side.read(b"");
        prop_assert!(side.log.last().is_some_and(|last| last.starts_with("closed")));
    }
}
