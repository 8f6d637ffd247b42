//! What a client of RFC 6455 sends and what it makes of the response (section 4.1).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake_trace;

use handshake_trace::{ACCEPT, Lines, NONCE};
use wharf_ws::handshake::client::versions_listed;
use wharf_ws::handshake::client::{Failure, Handshake, InvalidOffer, Offer, Outcome};
use wharf_ws::handshake::{Agreement, Compression, HeadLimits, Malformed};
use wharf_ws::version::{Version, Versions};

fn offer() -> Offer {
    Offer::new("ws://server.example.com/chat".parse().unwrap())
}

fn wire(offer: Offer) -> String {
    let handshake = Handshake::new(offer, NONCE).unwrap();
    String::from_utf8(handshake.request_bytes().to_vec()).unwrap()
}

fn outcome_of(offer: Offer, response: &Lines) -> Outcome {
    Handshake::new(offer, NONCE).unwrap().handle_input(&response.bytes())
}

fn outcome(response: &Lines) -> Outcome {
    outcome_of(offer(), response)
}

fn is_open(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Upgraded { .. })
}

#[test]
fn the_plain_request_to_the_letter() {
    // WS-HC-07, WS-HC-08, WS-HC-09, WS-HC-10, WS-HC-11, WS-HC-13.
    assert_eq!(
        wire(offer()),
        "GET /chat HTTP/1.1\r\n\
         Host: server.example.com\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         \r\n"
    );
}

#[test]
fn everything_a_request_may_carry() {
    // WS-HC-12, WS-HC-14, WS-HC-15, WS-RG-07.
    let offer = Offer {
        subprotocols: vec!["chat".to_owned(), "superchat".to_owned()],
        origin: Some("http://example.com".to_owned()),
        extra_headers: vec![
            ("Authorization".to_owned(), "Basic YTpi".to_owned()),
            ("Cookie".to_owned(), "a=b; c=d".to_owned()),
        ],
        ..Offer::new("wss://server.example.com:8443/chat?room=1".parse().unwrap())
    };
    let wire = wire(offer);
    assert!(wire.starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com:8443\r\n"));
    for line in [
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Authorization: Basic YTpi",
        "Cookie: a=b; c=d",
    ] {
        assert!(wire.contains(&format!("\r\n{line}\r\n")), "{line}: {wire}");
    }
    assert!(wire.ends_with("\r\n\r\n"));
}

#[test]
fn the_host_names_the_port_when_it_is_not_the_default_one() {
    // WS-HC-09.
    for (uri, host) in [
        ("ws://a.example", "a.example"),
        ("ws://a.example:80", "a.example"),
        ("ws://a.example:443", "a.example:443"),
        ("wss://a.example:443", "a.example"),
        ("wss://a.example:80", "a.example:80"),
        ("ws://[::1]:9001", "[::1]:9001"),
        ("ws://B\u{fc}cher.example", "xn--bcher-kva.example"),
    ] {
        let wire = wire(Offer::new(uri.parse().unwrap()));
        assert!(wire.contains(&format!("\r\nHost: {host}\r\n")), "{uri}: {wire}");
    }
}

#[test]
fn the_key_is_the_entropy_in_base64() {
    // WS-HC-11.
    let key = |entropy| {
        let handshake = Handshake::new(offer(), entropy).unwrap();
        let wire = String::from_utf8(handshake.request_bytes().to_vec()).unwrap();
        wire.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
    };
    assert_eq!(key([0; 16]), "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(key([255; 16]), "/////////////////////w==");
    assert_eq!(
        key([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
        "AQIDBAUGBwgJCgsMDQ4PEA=="
    );
}

#[test]
fn nothing_can_be_smuggled_into_a_request() {
    // WS-SV-02: header injection.
    let extra = |name: &str, value: &str| {
        let extra_headers = vec![(name.to_owned(), value.to_owned())];
        Handshake::new(Offer { extra_headers, ..offer() }, NONCE).map(|_| ())
    };
    for value in ["a\r\nHost: evil", "a\rb", "a\nb", "a\0b", "\u{7f}", "a\u{1b}[0m"] {
        assert_eq!(extra("X-A", value), Err(InvalidOffer::Header), "{value:?}");
    }
    for name in ["", "A B", "A:", "A\r\nB", "\u{e9}", "A\0"] {
        assert_eq!(extra(name, "x"), Err(InvalidOffer::Header), "{name:?}");
    }
    for name in [
        "Host",
        "UPGRADE",
        "connection",
        "Origin",
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "Sec-WebSocket-Key",
        "sec-websocket-anything",
    ] {
        assert_eq!(extra(name, "x"), Err(InvalidOffer::ReservedHeader), "{name}");
    }
    assert_eq!(extra("X-A", "tab\tand caf\u{e9}"), Ok(()));

    let origin = |origin: &str| {
        Handshake::new(Offer { origin: Some(origin.to_owned()), ..offer() }, NONCE).map(|_| ())
    };
    for value in ["", "http://a b", "http://a\r\nX: y", "http://\u{e9}"] {
        assert_eq!(origin(value), Err(InvalidOffer::Origin), "{value:?}");
    }
    assert_eq!(origin("null"), Ok(()));
}

#[test]
fn offered_subprotocols_are_different_tokens() {
    // WS-HC-14.
    let offered = |names: &[&str]| {
        let subprotocols = names.iter().map(|name| (*name).to_owned()).collect();
        Handshake::new(Offer { subprotocols, ..offer() }, NONCE).map(|_| ())
    };
    for names in [&["a", "a"][..], &[""], &["a b"], &["a,b"], &["a\r\n"], &["\u{e9}"], &["\"a\""]] {
        assert_eq!(offered(names), Err(InvalidOffer::Subprotocols), "{names:?}");
    }
    assert_eq!(offered(&["a", "A"]), Ok(()));
}

#[test]
fn the_sample_response_opens_the_connection() {
    // WS-HC-17, WS-HC-18, WS-HC-19, WS-HC-20.
    let bytes = Lines::response().bytes();
    assert_eq!(
        outcome(&Lines::response()),
        Outcome::Upgraded { agreement: Agreement::default(), consumed: bytes.len() }
    );
}

#[test]
fn frames_behind_the_response_are_left_alone() {
    // WS-HS-19: the server may send at once. WS-HC-16: there is no agreement, without which there
    // is no connection to send on, before the last octet of the head.
    let head = Lines::response().bytes();
    let mut bytes = head.clone();
    bytes.extend_from_slice(b"\x81\x05Hello");
    for cut in 0..bytes.len() {
        let mut handshake = Handshake::new(offer(), NONCE).unwrap();
        let mut taken = 0;
        for piece in [&bytes[..cut], &bytes[cut..]] {
            match handshake.handle_input(piece) {
                Outcome::Incomplete => taken += piece.len(),
                Outcome::Upgraded { consumed, .. } => {
                    taken += consumed;
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(taken, head.len(), "cut at {cut}");
    }
}

#[test]
fn upgrade_is_websocket_in_any_case_and_nothing_else() {
    // WS-HC-18, WS-RG-01.
    assert!(is_open(&outcome(&Lines::response().set("Upgrade: WebSocket"))));
    for response in [
        Lines::response().drop("Upgrade"),
        Lines::response().set("Upgrade:"),
        Lines::response().set("Upgrade: h2c"),
        Lines::response().set("Upgrade: websocket, h2c"),
        Lines::response().add("Upgrade: websocket"),
    ] {
        assert_eq!(outcome(&response), Outcome::Failed(Failure::Upgrade));
    }
}

#[test]
fn connection_has_the_token_upgrade() {
    // WS-HC-19.
    for line in ["Connection: upgrade", "Connection: keep-alive, UPGRADE", "CONNECTION:Upgrade,"] {
        assert!(is_open(&outcome(&Lines::response().set(line))), "{line}");
    }
    assert!(is_open(&outcome(&Lines::response().add("Connection: keep-alive"))));
    for response in [
        Lines::response().drop("Connection"),
        Lines::response().set("Connection: close"),
        Lines::response().set("Connection: Upgraded"),
    ] {
        assert_eq!(outcome(&response), Outcome::Failed(Failure::Connection));
    }
}

#[test]
fn accept_answers_the_key() {
    // WS-HC-20 (outer blanks are ignored), WS-HC-23 (once).
    let padded = Lines::response().set(&format!("Sec-WebSocket-Accept: \t {ACCEPT}  \t"));
    assert!(is_open(&outcome(&padded)));
    for response in [
        Lines::response().drop("Sec-WebSocket-Accept"),
        Lines::response().set("Sec-WebSocket-Accept:"),
        Lines::response().set("Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ=="),
        Lines::response().set("Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO="),
        Lines::response().set("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo"),
        Lines::response().set("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzz hZRbK+xOo="),
        Lines::response().add(&format!("Sec-WebSocket-Accept: {ACCEPT}")),
    ] {
        assert_eq!(outcome(&response), Outcome::Failed(Failure::Accept));
    }
}

#[test]
fn a_subprotocol_is_one_of_ours_or_none() {
    // WS-HC-22, WS-HC-23, WS-HS-14.
    let asked = Offer { subprotocols: vec!["amqp".to_owned(), "xmpp".to_owned()], ..offer() };
    let answered = |line: &str| outcome_of(asked.clone(), &Lines::response().add(line));
    let Outcome::Upgraded { agreement, .. } = answered("Sec-WebSocket-Protocol: xmpp") else {
        panic!("not open");
    };
    assert_eq!(agreement.subprotocol.as_deref(), Some("xmpp"));
    let Outcome::Upgraded { agreement, .. } = outcome_of(asked.clone(), &Lines::response()) else {
        panic!("not open");
    };
    assert_eq!(agreement.subprotocol, None);

    let failed = Outcome::Failed(Failure::Subprotocol);
    for value in ["", "XMPP", "mqtt", "amqp, xmpp", "\"xmpp\""] {
        assert_eq!(answered(&format!("Sec-WebSocket-Protocol: {value}")), failed, "{value}");
    }
    let twice =
        Lines::response().add("Sec-WebSocket-Protocol: amqp").add("Sec-WebSocket-Protocol: amqp");
    assert_eq!(outcome_of(asked, &twice), failed);
    assert_eq!(outcome(&Lines::response().add("Sec-WebSocket-Protocol: amqp")), failed);
}

#[test]
fn extensions_are_answered_in_one_field() {
    // WS-HC-23, WS-A01.
    let asked = Offer { deflate: vec![Default::default()], ..offer() };
    let once = Lines::response().add("Sec-WebSocket-Extensions: permessage-deflate");
    let Outcome::Upgraded { agreement, .. } = outcome_of(asked.clone(), &once) else {
        panic!("not open");
    };
    assert!(matches!(agreement.compression, Compression::PerMessage(_)));
    let twice = once.add("Sec-WebSocket-Extensions: permessage-deflate");
    assert_eq!(outcome_of(asked, &twice), Outcome::Failed(Failure::ExtensionsMalformed));
}

#[test]
fn any_other_status_is_plain_http() {
    // WS-HC-17.
    let response = Lines::of(&[
        "HTTP/1.1 302 Found",
        "Location: wss://other.example/chat",
        "Content-Length: 2",
    ]);
    let head = response.bytes();
    let mut handshake = Handshake::new(offer(), NONCE).unwrap();
    let Outcome::Http { status, headers, consumed } =
        handshake.handle_input(&[&head[..], b"ok"].concat())
    else {
        panic!("not plain HTTP");
    };
    assert_eq!((status, consumed), (302, head.len()));
    assert_eq!(headers[0], ("Location".to_owned(), b"wss://other.example/chat".to_vec()));
    for line in ["HTTP/1.1 200 OK", "HTTP/1.1 401 Unauthorized", "HTTP/1.0 503", "HTTP/1.1 999 x"] {
        // Even if it looks like an upgrade otherwise.
        let outcome = outcome(&Lines::response().start(line));
        assert!(matches!(outcome, Outcome::Http { .. }), "{line}: {outcome:?}");
    }
}

#[test]
fn a_refused_version_is_retried_with_a_listed_one_only() {
    // WS-SV-04, WS-HS-12.
    let response = Lines::of(&[
        "HTTP/1.1 426 Upgrade Required",
        "Sec-WebSocket-Version: 13, 8",
        "sec-websocket-version: 7, 99, 300, x, 9",
    ]);
    let Outcome::Http { headers, .. } = outcome(&response) else { panic!("not plain HTTP") };
    let listed = Versions::RFC6455.with(Version::Draft8).with(Version::Draft7);
    assert_eq!(versions_listed(&headers), listed);
    assert_eq!(versions_listed(&[]), Versions::NONE);
}

#[test]
fn interim_responses_are_skipped_but_not_for_ever() {
    let interim = Lines::of(&["HTTP/1.1 103 Early Hints", "Link: </x>"]).bytes();
    let last = Lines::response().bytes();
    let with = |count: usize| {
        let bytes = [interim.repeat(count), last.clone()].concat();
        (bytes.len(), Handshake::new(offer(), NONCE).unwrap().handle_input(&bytes))
    };
    let (length, outcome) = with(8);
    assert_eq!(outcome, Outcome::Upgraded { agreement: Agreement::default(), consumed: length });
    assert_eq!(with(9).1, Outcome::Failed(Failure::TooManyInterimResponses));
    // Octet by octet.
    let mut handshake = Handshake::new(offer(), NONCE).unwrap();
    let bytes = [interim, last].concat();
    for (position, octet) in bytes.iter().enumerate() {
        let outcome = handshake.handle_input(&[*octet]);
        if position + 1 < bytes.len() {
            assert_eq!(outcome, Outcome::Incomplete, "at {position}");
        } else {
            assert!(is_open(&outcome));
        }
    }
}

#[test]
fn what_is_not_http_fails() {
    // WS-SV-02.
    for bytes in [
        &b"\x16\x03\x01\r\n\r\n"[..],
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/2 101 x\r\n\r\n",
        b"HTTP/1.1 1 x\r\n\r\n",
        b"HTTP/1.1 099 x\r\n\r\n",
        b"HTTP/1.1 abc x\r\n\r\n",
        b"HTTP/1.1 101 x\n\n",
        b"HTTP/1.1 101 x\r\nA : b\r\n\r\n",
        b"HTTP/1.1 101 x\r\n folded\r\n\r\n",
    ] {
        let outcome = Handshake::new(offer(), NONCE).unwrap().handle_input(bytes);
        assert!(
            matches!(outcome, Outcome::Failed(Failure::Malformed(_))),
            "{:?}: {outcome:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    // WS-HC-17: no upgrade in HTTP/1.0.
    let old = Lines::response().start("HTTP/1.0 101 Switching Protocols");
    assert_eq!(outcome(&old), Outcome::Failed(Failure::Malformed(Malformed::HttpVersion)));
}

#[test]
fn a_response_is_bounded() {
    let limits = HeadLimits { head_max_bytes: 256, headers_max: 5 };
    let offer = || Offer { limits, ..offer() };
    let mut handshake = Handshake::new(offer(), NONCE).unwrap();
    assert_eq!(handshake.handle_input(&[b'a'; 200]), Outcome::Incomplete);
    assert_eq!(
        handshake.handle_input(&[b'a'; 1 << 20]),
        Outcome::Failed(Failure::Malformed(Malformed::HeadTooLarge))
    );
    let flood = (0..4).fold(Lines::response(), |lines, n| lines.add(&format!("X{n}: y")));
    assert_eq!(
        outcome_of(offer(), &flood),
        Outcome::Failed(Failure::Malformed(Malformed::TooManyHeaders))
    );
}

#[test]
fn a_handshake_ends_once() {
    let mut handshake = Handshake::new(offer(), NONCE).unwrap();
    assert!(is_open(&handshake.handle_input(&Lines::response().bytes())));
    let ended = Outcome::Failed(Failure::Ended);
    assert_eq!(handshake.handle_input(&Lines::response().bytes()), ended);
    assert_eq!(handshake.handle_input(b""), ended);
}
