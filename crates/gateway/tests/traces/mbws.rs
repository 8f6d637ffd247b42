//! MBWS and MBLWS through a WebSocket.

use crate::wire::Wire;
use std::time::Duration;
use wharf_gateway::{CloseEnds, Config};
use wharf_ws::MessageKind;

/// The name of the connection client `n` opens.
fn name(client: u8) -> String {
    let pair = format!("{client:02x}").repeat(4);
    let half = format!("{client:02x}").repeat(2);
    let tail = format!("{client:02x}").repeat(6);
    let version = format!("4{:x}{client:02x}", client & 0x0f);
    let variant = format!("{:02x}{client:02x}", client & 0x3f | 0x80);
    format!("urn:uuid:{pair}-{half}-{version}-{variant}-{tail}")
}

/// MBWS-010, MBWS-011, MBWS-013, MBWS-031, MBWS-033, MBWS-073.
#[test]
fn connect_send_receive_acknowledge() {
    let mut wire = Wire::new(Config::default());
    wire.connect(1);
    wire.say(1, "1 0 0 ");
    assert_eq!(wire.heard(1), [format!("1 45 {}0 ", name(1))]);
    wire.say(1, "3 1 13 wharf/consume0 1 7 address6 orders");
    assert_eq!(wire.heard(1), ["2 1 "]);
    wire.say(1, "3 1 6 orders10 text/plain1 1 k1 vhello");
    assert_eq!(wire.heard(1), ["3 1 6 orders10 text/plain1 1 k1 vhello", "2 2 "]);
    wire.say(1, "2 1 ");
    assert_eq!(wire.heard(1), [""; 0]);
}

/// MBWS-A02, MBWS-A03: both kinds on one connection; a message keeps its kind.
#[test]
fn a_message_keeps_its_kind() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=q");
    wire.send(1, MessageKind::Binary, &[1, 0, 0]);
    wire.heard(1);
    wire.say(1, "3 1 1 q0 0 text");
    wire.send(1, MessageKind::Binary, b"\x03\x01\x01q\x00\x00\xff");
    assert_eq!(wire.heard(1), ["3 1 1 q0 0 text", "0201", "030101710000ff", "0202"]);
}

/// MBWS-040, MBWS-046..048: the numbers go on in both directions.
#[test]
fn a_cut_connection_goes_on() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=q");
    wire.say(1, "1 0 0 ");
    wire.say(1, "3 1 1 q0 0 a");
    wire.say(1, "3 1 1 q0 0 b");
    wire.cut(1);
    wire.connect(2);
    wire.say(2, &format!("1 45 {}3 1 3 2 ", name(1)));
    assert_eq!(wire.heard(2), [format!("1 45 {}1 2 ", name(1)), "3 1 1 q0 0 b".to_owned()]);
    wire.say(2, "3 1 1 q0 0 c");
    assert_eq!(wire.heard(2), ["3 1 1 q0 0 c", "2 3 "]);
}

/// MBWS-049..052: refused as a new connection, whose numbers begin at 1; MBWS-A22: the rightful
/// owner's old state is gone and its messages are back.
#[test]
fn a_reconnect_that_does_not_fit_is_a_new_connection() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=q");
    wire.say(1, "1 0 0 ");
    wire.say(1, "3 1 1 q0 0 a");
    wire.cut(1);
    wire.connect_as(2, "alice", None, "MBWS.huawei.com", "address=q");
    wire.say(2, &format!("1 45 {}3 9 2 1 ", name(1)));
    assert_eq!(wire.heard(2), [format!("1 45 {}0 ", name(2)), "3 1 1 q0 0 a".to_owned()]);
    wire.connect(3);
    wire.say(3, &format!("1 45 {}3 0 2 1 ", name(1)));
    assert_eq!(wire.heard(3), [format!("1 45 {}0 ", name(3))]);
}

/// MBWS-014, MBWS-A07: another user, another origin, or none: not found, and left alone.
#[test]
fn strangers_do_not_recover_a_connection() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", Some("https://a.example"), "MBWS.huawei.com", "");
    wire.say(1, "1 0 0 ");
    wire.say(1, "3 1 1 q0 0 a");
    wire.cut(1);
    let origins = [("bob", Some("https://a.example")), ("alice", Some("https://b.example"))];
    for (client, (user, origin)) in (2..).zip(origins.into_iter().chain([("alice", None)])) {
        wire.connect_as(client, user, origin, "MBWS.huawei.com", "");
        wire.say(client, &format!("1 45 {}3 0 2 1 ", name(1)));
        let own = name(u8::try_from(client).unwrap());
        assert_eq!(wire.heard(client), [format!("1 45 {own}0 ")]);
    }
    wire.connect_as(9, "alice", Some("https://a.example"), "MBWS.huawei.com", "");
    wire.say(9, &format!("1 45 {}3 0 2 1 ", name(1)));
    assert_eq!(wire.heard(9), [format!("1 45 {}1 1 ", name(1))]);
}

/// MBWS-A14: taken over; the old socket is closed and its session untouched.
#[test]
fn a_reconnect_takes_over_a_socket_that_looks_alive() {
    let mut wire = Wire::new(Config::default());
    wire.connect(1);
    wire.say(1, "1 0 0 ");
    wire.heard(1);
    wire.connect(2);
    wire.say(2, &format!("1 45 {}3 0 1 0 ", name(1)));
    assert_eq!(wire.heard(2), [format!("1 45 {}1 0 ", name(1))]);
    assert_eq!(wire.heard(1), ["closed 4001 taken over by another connection"]);
    wire.say(2, "3 1 1 q0 0 a");
    assert_eq!(wire.heard(2), ["2 1 "]);
}

/// MBWS-015, MBWS-A09: 1000 ends the connection, 1001 does not; and the letter of the draft.
#[test]
fn which_close_ends_a_connection() {
    let literal = Config { close_ends: CloseEnds::Any, ..Config::default() };
    for (config, code, recovered) in
        [(Config::default(), 1000, false), (Config::default(), 1001, true), (literal, 1001, false)]
    {
        let mut wire = Wire::new(config);
        wire.connect(1);
        wire.say(1, "1 0 0 ");
        wire.say(1, "3 1 1 q0 0 a");
        wire.close(1, code);
        wire.connect(2);
        wire.say(2, &format!("1 45 {}3 0 2 1 ", name(1)));
        let resumed = wire.heard(2) == [format!("1 45 {}1 1 ", name(1))];
        assert_eq!(resumed, recovered, "after {code}");
    }
}

/// MBWS-015: a Close is answered when the end of the connection is durable, and not before: a
/// broker killed after the answer must not bring the connection back.
#[test]
fn a_close_is_answered_when_the_end_is_durable() {
    let mut wire = Wire::new(Config::default());
    wire.connect(1);
    wire.say(1, "1 0 0 ");
    wire.heard(1);
    wire.hold();
    wire.say(1, "3 1 1 q0 0 a");
    wire.close(1, 1000);
    assert_eq!(wire.heard(1), [""; 0]);
    wire.release();
    assert_eq!(wire.heard(1), ["closed 1000 "]);
}

/// MBWS-025, MBWS-A10: what was not acknowledged comes back, unless a close acknowledges it.
#[test]
fn a_normal_close_gives_back_what_was_not_acknowledged() {
    for (close_acknowledges, again) in [(false, 1), (true, 0)] {
        let mut wire = Wire::new(Config { close_acknowledges, ..Config::default() });
        wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=q");
        wire.say(1, "1 0 0 ");
        wire.say(1, "3 1 1 q0 0 a");
        wire.close(1, 1000);
        wire.connect_as(2, "alice", None, "MBWS.huawei.com", "address=q");
        wire.say(2, "1 0 0 ");
        assert_eq!(wire.heard(2).len(), 1 + again);
    }
}

/// MBWS-120, MBWS-122, MBWS-A12, MBWS-A13: the close code says what was wrong; the session stays.
#[test]
fn violations_fail_the_session_and_keep_its_ledger() {
    let table = [
        ("x", "closed 1002 unknown frame id"),
        ("2 1 ", "closed 1002 acknowledged a message that was not sent"),
        ("1 0 0 ", "closed 1002 second Connect on one session"),
        ("3 1 1 q0 ", "closed 1002 frame ends too early"),
    ];
    for (frame, answer) in table {
        let mut wire = Wire::new(Config::default());
        wire.connect(1);
        wire.say(1, "1 0 0 ");
        wire.say(1, "3 1 1 q0 0 a");
        wire.heard(1);
        wire.say(1, frame);
        assert_eq!(wire.heard(1), [answer]);
        wire.connect(2);
        wire.say(2, &format!("1 45 {}3 0 2 1 ", name(1)));
        assert_eq!(wire.heard(2), [format!("1 45 {}1 1 ", name(1))]);
    }
    let mut wire = Wire::new(Config::default());
    wire.connect(1);
    wire.say(1, "3 1 1 q0 0 a");
    assert_eq!(wire.heard(1), ["closed 1002 frame before the Connect exchange"]);
}

/// MBWS-060..064: MBLWS flows at once, ignores Connect and Acknowledge, and sends neither.
#[test]
fn mblws_has_messages_alone() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBLWS.huawei.com", "address=q");
    wire.say(1, "1 0 0 ");
    wire.say(1, "2 7 ");
    wire.say(1, "3 1 1 q0 0 a");
    assert_eq!(wire.heard(1), ["3 1 1 q0 0 a"]);
    // What was on the wire counts as delivered.
    wire.cut(1);
    wire.connect_as(2, "alice", None, "MBLWS.huawei.com", "address=q");
    assert_eq!(wire.heard(2), [""; 0]);
}

/// What cannot be understood or is not permitted is taken, so that it is not sent again, and said.
#[test]
fn unclear_wishes_close_with_a_reason() {
    let table = [
        ("3 1 13 wharf/consume0 0 ", "closed 1008 the property address is missing"),
        (
            "3 1 13 wharf/consume0 2 7 address1 q6 credit1 0",
            "closed 1008 credit is a number above 0",
        ),
        ("3 1 13 wharf/consume0 1 7 address7 wharf/x", "closed 1008 not a valid address: wharf/x"),
        (
            "3 1 13 wharf/consume0 2 7 address1 q12 subscription1 s",
            "closed 1008 a subscription was named, but the address is a queue: q",
        ),
    ];
    for (frame, answer) in table {
        let mut wire = Wire::new(Config::default());
        wire.connect(1);
        wire.say(1, "1 0 0 ");
        wire.heard(1);
        wire.say(1, frame);
        assert_eq!(wire.heard(1).last().map(String::as_str), Some(answer));
        wire.connect(2);
        wire.say(2, &format!("1 45 {}3 0 2 1 ", name(1)));
        assert_eq!(wire.heard(2), [format!("1 45 {}1 1 ", name(1))], "after {frame}");
    }
}

/// Dead letters say why, after the sender's own properties (MBWS-079).
#[test]
fn a_dead_letter_says_why() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=wharf%2Fdead-letter");
    wire.say(1, "1 0 0 ");
    wire.heard(1);
    wire.say(1, "3 0 0 1 1 k1 vlost");
    assert_eq!(
        wire.heard(1)[0],
        "3 1 17 wharf/dead-letter0 3 1 k1 v18 wharf-death-reason10 no-address19 wharf-death-address0 lost"
    );
}

/// MBWS-A01: lengths in the unit the client asked for, whoever published.
#[test]
fn lengths_count_what_the_client_counts() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=%C3%A9&unit=octets");
    wire.say(1, "1 0 0 ");
    wire.heard(1);
    wire.connect_as(2, "alice", None, "MBWS.huawei.com", "unit=utf16");
    wire.say(2, "1 0 0 ");
    wire.say(2, "3 1 1 é2 😀0 x");
    assert_eq!(wire.heard(1), ["3 1 2 é4 😀0 x"]);
}

/// A silent peer is pinged and then given up; its session waits for it.
#[test]
fn a_silent_client_is_given_up() {
    let mut wire = Wire::new(Config::default());
    wire.connect(1);
    wire.say(1, "1 0 0 ");
    wire.say(1, "3 1 1 q0 0 a");
    wire.heard(1);
    wire.pass(Duration::from_secs(31));
    wire.pass(Duration::from_secs(31));
    assert_eq!(wire.heard(1), ["ping"]);
    wire.pass(Duration::from_secs(31));
    wire.connect(2);
    wire.say(2, &format!("1 45 {}3 0 2 1 ", name(1)));
    assert_eq!(wire.heard(2), [format!("1 45 {}1 1 ", name(1))]);
}

/// WS-CT-02: every Ping of a burst has its Pong; WS-CT-03: a flood has at least the last one's.
#[test]
fn pings_are_answered_in_order() {
    let mut wire = Wire::new(Config::default());
    wire.connect(1);
    wire.ping(1, &["a", "b", "c"]);
    assert_eq!(wire.heard(1), ["pong a", "pong b", "pong c"]);
    let mut flood = vec!["x"; 10_000];
    flood.push("last");
    wire.ping(1, &flood);
    let heard = wire.heard(1);
    assert!(heard.len() < 2_000, "{} pongs", heard.len());
    assert_eq!(heard.last().map(String::as_str), Some("pong last"));
}
