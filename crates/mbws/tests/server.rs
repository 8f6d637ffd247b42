//! The server engine, as traces: what came, what it meant, what was sent.

mod support;

use support::Wire;
use wharf_mbws::recovery::{Claim, LedgerView, Verdict, judge};
use wharf_mbws::server::{Connection, Event};
use wharf_mbws::{Flavour, Kind, LengthUnit, Limits, Misuse, Violation};

const LEDGER: LedgerView = LedgerView { taken: 7, acked: 5, sent: 10 };

fn fresh(flavour: Flavour) -> (Connection, Wire) {
    let server = Connection::new(flavour, LengthUnit::CodePoints, Limits::default());
    (server, Wire::default())
}

/// A connection that speaks text and has the name `urn:mb:7`.
fn open() -> (Connection, Wire) {
    let (mut server, mut wire) = fresh(Flavour::Full);
    assert_eq!(text(&mut server, "1 0 0 "), Event::Open);
    server.accept_open("urn:mb:7", &mut wire).expect("asked");
    assert_eq!(wire.take_text(), ["1 8 urn:mb:70 "]);
    (server, wire)
}

/// The same after a reconnect with the ledger above; the client has messages 1 to 6.
fn reopened() -> (Connection, Wire) {
    let (mut server, mut wire) = fresh(Flavour::Full);
    let claim = Claim { cslr: 6, cslw: 6, csuw: 9 };
    let event = text(&mut server, "1 8 urn:mb:73 6 6 9 ");
    assert_eq!(event, Event::Reopen { name: "urn:mb:7", claim });
    assert_eq!(judge(&claim, &LEDGER), Verdict::Resume { resume_with: 7, sslr: 7 });
    server.accept_reopen(&LEDGER, &mut wire).expect("asked");
    assert_eq!(wire.take_text(), ["1 8 urn:mb:71 7 "]);
    (server, wire)
}

fn text<'a>(server: &mut Connection, payload: &'a str) -> Event<'a> {
    server.handle_message(Kind::Text, payload.as_bytes())
}

fn seq(event: &Event<'_>) -> u64 {
    match event {
        Event::Message { seq, .. } => *seq,
        other => panic!("not a message: {other:?}"),
    }
}

/// MBWS-010, MBWS-011, MBWS-030, MBWS-031, MBWS-032, MBWS-033: a connection from its first frame.
#[test]
fn a_connection_opens_and_carries_messages() {
    let (mut server, mut wire) = open();
    assert!(server.is_open());
    assert_eq!(seq(&text(&mut server, "3 1 1 a0 0 x")), 1);
    assert_eq!(seq(&text(&mut server, "3 1 1 a0 0 y")), 2);
    server.acknowledge(2, &mut wire).unwrap();
    assert_eq!(wire.take_text(), ["2 2 "]);

    assert_eq!(server.deliver(Kind::Text, "orders", b"0 0 one", &mut wire), Ok(1));
    assert_eq!(server.deliver(Kind::Text, "orders", b"0 0 two", &mut wire), Ok(2));
    assert_eq!(wire.take_text(), ["3 1 6 orders0 0 one", "3 1 6 orders0 0 two"]);
    assert_eq!(text(&mut server, "2 1 "), Event::Acknowledged { up_to: 1 });
    assert_eq!(text(&mut server, "2 2 "), Event::Acknowledged { up_to: 2 });
}

/// MBWS-A08: numbers beside an empty name say nothing.
#[test]
fn an_empty_name_asks_for_a_new_connection_whatever_the_numbers() {
    for payload in ["1 0 0 ", "1 0 1 9 ", "1 0 3 1 2 3 ", "1 0 3 1 9 3 ", "1 0 4 1 1 1 1 "] {
        let (mut server, _) = fresh(Flavour::Full);
        assert_eq!(text(&mut server, payload), Event::Open, "{payload}");
    }
}

/// MBWS-A02: either kind at any time; answers follow the last Connect.
#[test]
fn kinds_mix_in_one_sequence() {
    let (mut server, mut wire) = fresh(Flavour::Full);
    assert_eq!(server.handle_message(Kind::Binary, b"\x01\x00\x00"), Event::Open);
    server.accept_open("n", &mut wire).unwrap();
    assert_eq!(seq(&text(&mut server, "3 0 0 0 x")), 1);
    assert_eq!(seq(&server.handle_message(Kind::Binary, b"\x03\0\0\0x")), 2);
    server.acknowledge(2, &mut wire).unwrap();
    // MBWS-A03: a message is delivered in the kind it was published with.
    server.deliver(Kind::Text, "a", b"0 0 x", &mut wire).unwrap();
    server.deliver(Kind::Binary, "a", b"\0\0x", &mut wire).unwrap();
    let expected: [(Kind, &[u8]); 4] = [
        (Kind::Binary, b"\x01\x01n\x00"),
        (Kind::Binary, b"\x02\x02"),
        (Kind::Text, b"3 1 1 a0 0 x"),
        (Kind::Binary, b"\x03\x01\x01a\0\0x"),
    ];
    let sent = wire.take();
    assert_eq!(sent.len(), expected.len());
    for ((kind, payload), (expected_kind, expected)) in sent.iter().zip(expected) {
        assert_eq!((*kind, payload.as_slice()), (expected_kind, expected));
    }
}

/// MBWS-046, MBWS-048, MBWS-A23
#[test]
fn a_connection_goes_on_where_it_stopped() {
    let (mut server, mut wire) = reopened();
    assert_eq!(server.received(), 7);
    for expected in 7..=11 {
        assert_eq!(server.deliver(Kind::Text, "a", b"0 0 ", &mut wire), Ok(expected));
    }
    assert_eq!(seq(&text(&mut server, "3 0 0 0 ")), 8);
    // Message 7 was acknowledged by SSLR, 6 by CSLR.
    wire.take();
    server.acknowledge(7, &mut wire).unwrap();
    assert_eq!(wire.take(), []);
    assert_eq!(text(&mut server, "2 6 "), Event::Ignored);
}

/// MBWS-A12: what an earlier session brought may be acknowledged before it is sent again.
#[test]
fn acknowledgements_may_reach_back_into_the_earlier_session() {
    let (mut server, _) = reopened();
    assert_eq!(text(&mut server, "2 10 "), Event::Acknowledged { up_to: 10 });
    let beyond = text(&mut server, "2 11 ");
    assert_eq!(beyond, Event::Violated(Violation::AcknowledgedUnsent));
}

/// MBWS-049, MBWS-051, MBWS-052
#[test]
fn a_refused_reconnect_is_a_new_connection() {
    let (mut server, mut wire) = fresh(Flavour::Full);
    let event = text(&mut server, "1 8 urn:mb:73 4 6 9 ");
    let Event::Reopen { claim, .. } = event else { panic!("{event:?}") };
    assert!(matches!(judge(&claim, &LEDGER), Verdict::Refuse(_)));
    assert_eq!(server.accept_reopen(&LEDGER, &mut wire), Err(Misuse::LedgerMismatch));
    assert_eq!(server.refuse("urn:mb:7", &mut wire), Err(Misuse::NameNotNew));
    assert_eq!(server.refuse("", &mut wire), Err(Misuse::NameEmpty));
    assert_eq!(wire.take(), [], "nothing was sent by mistake");
    server.refuse("urn:mb:8", &mut wire).unwrap();
    assert_eq!(wire.take_text(), ["1 8 urn:mb:80 "]);
    assert_eq!(seq(&text(&mut server, "3 0 0 0 ")), 1);
    assert_eq!(server.deliver(Kind::Text, "a", b"0 0 ", &mut wire), Ok(1));
}

/// MBWS-A08: a name without exactly three numbers cannot be honoured, and is refused, not failed.
#[test]
fn a_reconnect_with_an_odd_list_is_refused() {
    for payload in ["1 1 n0 ", "1 1 n1 7 ", "1 1 n2 1 0 ", "1 1 n4 0 1 0 0 "] {
        let (mut server, mut wire) = fresh(Flavour::Full);
        let Event::Reopen { name: "n", claim } = text(&mut server, payload) else {
            panic!("{payload}");
        };
        assert!(matches!(judge(&claim, &LEDGER), Verdict::Refuse(_)), "{payload}");
        assert!(matches!(judge(&claim, &LedgerView::default()), Verdict::Refuse(_)));
        server.refuse("m", &mut wire).unwrap();
    }
}

/// MBWS-A04: a window that no client can have.
#[test]
fn impossible_window_bounds_fail_the_session() {
    let (mut server, _) = fresh(Flavour::Full);
    let event = text(&mut server, "1 1 n3 0 9 7 ");
    assert_eq!(event, Event::Violated(Violation::WindowBounds));
}

/// MBWS-A12: an old number is ignored, the same number does nothing, the future is a violation.
#[test]
fn acknowledgements_out_of_range() {
    let (mut server, mut wire) = open();
    for _ in 0..5 {
        server.deliver(Kind::Text, "a", b"0 0 ", &mut wire).unwrap();
    }
    assert_eq!(text(&mut server, "2 0 "), Event::Ignored);
    assert_eq!(text(&mut server, "2 3 "), Event::Acknowledged { up_to: 3 });
    assert_eq!(text(&mut server, "2 2 "), Event::Ignored);
    assert_eq!(text(&mut server, "2 3 "), Event::Ignored);
    assert_eq!(text(&mut server, "2 6 "), Event::Violated(Violation::AcknowledgedUnsent));
}

/// MBWS-016, MBWS-017, MBWS-A06, MBWS-A13
#[test]
fn nothing_goes_before_the_connect_exchange_and_nothing_connects_twice() {
    let before = Event::Violated(Violation::BeforeConnect);
    let second = Event::Violated(Violation::SecondConnect);
    for payload in ["3 0 0 0 ", "2 0 "] {
        let (mut server, _) = fresh(Flavour::Full);
        assert_eq!(text(&mut server, payload), before, "before any Connect");
        for connect in ["1 0 0 ", "1 1 n3 0 1 0 "] {
            let (mut server, _) = fresh(Flavour::Full);
            text(&mut server, connect);
            assert_eq!(text(&mut server, payload), before, "before the answer");
            assert_eq!(text(&mut server, "1 0 0 "), second);
        }
    }
    let (mut server, _) = open();
    assert_eq!(text(&mut server, "1 0 0 "), second);
    assert_eq!(text(&mut server, "1 8 urn:mb:73 0 1 0 "), second);
}

/// MBWS-120: an error leaves nothing behind: the message is not counted.
#[test]
fn malformed_frames_are_named() {
    let (mut server, _) = open();
    assert_eq!(text(&mut server, "3 9 "), Event::Violated(Violation::Truncated));
    assert_eq!(text(&mut server, "hello"), Event::Violated(Violation::UnknownFrame));
    assert_eq!(server.received(), 0);
}

/// MBWS-060, MBWS-061, MBWS-062, MBWS-063, MBWS-064, MBWS-A21
#[test]
fn the_light_flavour_carries_messages_and_nothing_else() {
    let (mut server, mut wire) = fresh(Flavour::Light);
    assert!(server.is_open());
    assert_eq!(server.deliver(Kind::Text, "a", b"0 0 x", &mut wire), Ok(1));
    assert_eq!(wire.take_text(), ["3 1 1 a0 0 x"]);
    for ignored in ["1 0 0 ", "1 1 n3 0 1 0 ", "1 1 n3 0 9 7 ", "2 0 ", "2 99 "] {
        assert_eq!(text(&mut server, ignored), Event::Ignored, "{ignored}");
    }
    assert_eq!(text(&mut server, "2 99"), Event::Violated(Violation::Truncated));
    assert_eq!(seq(&text(&mut server, "3 1 1 a0 0 x")), 1);
    server.acknowledge(1, &mut wire).unwrap();
    assert_eq!(server.accept_open("n", &mut wire), Err(Misuse::NothingAsked));
    assert_eq!(wire.take(), [], "neither Connect nor Acknowledge");
}

#[test]
fn commands_at_the_wrong_moment_send_nothing() {
    let (mut server, mut wire) = fresh(Flavour::Full);
    assert_eq!(server.accept_open("n", &mut wire), Err(Misuse::NothingAsked));
    assert_eq!(server.accept_reopen(&LEDGER, &mut wire), Err(Misuse::NothingAsked));
    assert_eq!(server.refuse("n", &mut wire), Err(Misuse::NothingAsked));
    assert_eq!(server.acknowledge(0, &mut wire), Err(Misuse::NotOpen));
    assert_eq!(server.deliver(Kind::Text, "a", b"0 0 ", &mut wire), Err(Misuse::NotOpen));
    text(&mut server, "1 0 0 ");
    assert_eq!(server.accept_open("", &mut wire), Err(Misuse::NameEmpty));
    assert_eq!(server.refuse("n", &mut wire), Err(Misuse::NothingAsked));
    server.accept_open("n", &mut wire).unwrap();
    assert_eq!(server.accept_open("n", &mut wire), Err(Misuse::NothingAsked));
    assert_eq!(server.acknowledge(1, &mut wire), Err(Misuse::AcknowledgedUnreceived));
    assert_eq!(wire.take_text(), ["1 1 n0 "]);
}

/// An idle session costs one small struct and, once its Connect is answered, no allocation.
#[test]
fn a_session_is_small() {
    assert!(size_of::<Connection>() <= 128, "{}", size_of::<Connection>());
}
