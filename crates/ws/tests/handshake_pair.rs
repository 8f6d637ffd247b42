//! Our client against our server, on every setting: what both believe was agreed is the same, and
//! the client never fails on what the server says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake_trace;

use handshake_trace::read;
use proptest::prelude::*;
use wharf_ws::handshake::client::{Handshake, Offer, Outcome};
use wharf_ws::handshake::server::{self, Policy};
use wharf_ws::handshake::{Compression, DeflateOffer, DeflatePolicy, HeadLimits, request};
use wharf_ws::version::{Version, Versions};

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(vec!["amqp", "xmpp", "a.b-c", "x"], 0..=4)
        .prop_shuffle()
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn deflate_offer() -> impl Strategy<Value = DeflateOffer> {
    (any::<bool>(), any::<bool>(), prop::option::of(8u8..=15), prop::option::of(9u8..=15)).prop_map(
        |(server_fresh, client_fresh, server_bits, client_bits)| DeflateOffer {
            server_no_context_takeover: server_fresh,
            client_no_context_takeover: client_fresh,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        },
    )
}

fn offer() -> impl Strategy<Value = Offer> {
    let version = prop::sample::select(Version::ALL.to_vec());
    let deflate = prop::collection::vec(deflate_offer(), 0..3);
    (version, names(), deflate, any::<bool>()).prop_map(
        |(version, subprotocols, deflate, deflate_stream)| Offer {
            version,
            subprotocols,
            deflate,
            deflate_stream,
            ..Offer::new("ws://server.example.com:9001/chat?x=y".parse().unwrap())
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let deflate = (any::<bool>(), any::<bool>(), 8u8..=16, 8u8..=16).prop_map(
        |(server_fresh, client_fresh, server_bits, client_bits)| DeflatePolicy {
            server_no_context_takeover: server_fresh,
            client_no_context_takeover: client_fresh,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        },
    );
    (names(), prop::option::of(deflate), any::<bool>()).prop_map(
        |(subprotocols, deflate, deflate_stream)| Policy {
            versions: Versions::WITH_INTERIM,
            subprotocols,
            deflate,
            deflate_stream,
            ..Policy::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn both_sides_agree(offer in offer(), policy in policy(), entropy: [u8; 16]) {
        // HYBI-004, WS-EX-03, WS-EX-04, WS-PD-04, WS-PD-06, WS-PD-07, WS-HS-14, WS-HC-20, WS-HC-22.
        let mut client = Handshake::new(offer.clone(), entropy).unwrap();
        let request = client.request_bytes().to_vec();
        let acceptance = server::evaluate(&read(&request), &policy).unwrap();
        let mut response = Vec::new();
        acceptance.write(&mut response);
        let Outcome::Upgraded { agreement, consumed } = client.handle_input(&response) else {
            panic!("the client failed on {}", String::from_utf8_lossy(&response));
        };
        prop_assert_eq!(consumed, response.len());
        prop_assert_eq!(agreement.version, offer.version);
        prop_assert_eq!(&agreement.subprotocol, &acceptance.agreement.subprotocol);
        match (agreement.compression, acceptance.agreement.compression) {
            (Compression::PerMessage(client), Compression::PerMessage(server)) => {
                prop_assert!(!offer.version.is_interim());
                // The server's compressor is bound by what the client expects, and the other way
                // round; a client may bind itself more than the server knows.
                prop_assert!(server.server_max_window_bits <= client.server_max_window_bits);
                prop_assert!(client.client_max_window_bits <= server.client_max_window_bits);
                prop_assert_eq!(
                    server.server_no_context_takeover,
                    client.server_no_context_takeover
                );
                prop_assert!(
                    client.client_no_context_takeover || !server.client_no_context_takeover
                );
            }
            (client, server) => prop_assert_eq!(client, server),
        }
    }

    #[test]
    fn pieces_of_any_size_are_alike(
        offer in offer(),
        policy in policy(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut whole = Handshake::new(offer, [7; 16]).unwrap();
        let mut pieces = whole.clone();
        let mut response = Vec::new();
        let request = whole.request_bytes().to_vec();
        server::evaluate(&read(&request), &policy).unwrap().write(&mut response);
        let length = response.len();
        response.extend_from_slice(b"\x81\x05Hello");

        let Outcome::Upgraded { agreement: expected, consumed } = whole.handle_input(&response)
        else {
            panic!("not open");
        };
        prop_assert_eq!(consumed, length);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(response.len())).collect();
        ends.push(response.len());
        ends.sort_unstable();
        let mut start = 0;
        let mut opened = None;
        for end in ends {
            match pieces.handle_input(&response[start..end]) {
                Outcome::Incomplete => start = end,
                Outcome::Upgraded { agreement, consumed } => {
                    opened = Some((agreement, start + consumed));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        prop_assert_eq!(opened, Some((expected, length)));
    }

    #[test]
    fn no_octets_upset_either_side(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let uri = "ws://a/".parse().unwrap();
        let _ = Handshake::new(Offer::new(uri), [0; 16]).unwrap().handle_input(&bytes);
        let head = [b"GET / HTTP/1.1\r\n", &bytes[..], b"\r\n\r\n"].concat();
        if let request::Parsed::Complete { request, .. } =
            request::parse(&head, HeadLimits::default())
        {
            let _ = server::evaluate(&request, &Policy::default());
        }
    }

    #[test]
    fn no_field_values_upset_the_server(
        protocols in "[a-z\",;= \\\\]{0,20}",
        extensions in "[a-z\",;= \\\\01]{0,30}",
        version in prop::sample::select(vec![6u8, 7, 8, 13]),
    ) {
        let request = handshake_trace::Lines::request_of_version(version)
            .add(&format!("Sec-WebSocket-Protocol: {protocols}"))
            .add(&format!("Sec-WebSocket-Extensions: {extensions}"));
        let policy = Policy {
            versions: Versions::WITH_INTERIM,
            subprotocols: vec!["a".to_owned()],
            deflate: Some(DeflatePolicy::default()),
            deflate_stream: true,
            ..Policy::default()
        };
        if let Err(refusal) = request.ask(&policy) {
            prop_assert_eq!(refusal.status(), 400);
        }
    }
}
