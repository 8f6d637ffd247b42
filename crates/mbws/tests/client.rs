//! The client engine, as traces: what was sent, what came, what it meant.

mod support;

use support::Wire;
use wharf_mbws::client::{Connection, Event, Options, SendRefused};
use wharf_mbws::{Flavour, Kind, Misuse, Violation, WindowLimits};

fn fresh() -> (Connection, Wire) {
    (Connection::new(options()), Wire::default())
}

fn options() -> Options {
    Options { kind: Kind::Text, ..Options::default() }
}

/// A connection that is open and has the name `n`.
fn open() -> (Connection, Wire) {
    let (mut client, mut wire) = fresh();
    client.connect(&mut wire).expect("fresh");
    assert_eq!(wire.take_text(), ["1 0 0 "]);
    assert_eq!(text(&mut client, &mut wire, "1 1 n0 "), Event::Opened { name: "n" });
    (client, wire)
}

fn text<'a>(client: &mut Connection, wire: &mut Wire, payload: &'a str) -> Event<'a> {
    client.handle_message(Kind::Text, payload.as_bytes(), wire)
}

fn send(client: &mut Connection, wire: &mut Wire, body: &str) -> Result<u64, SendRefused> {
    client.send(Kind::Text, &["a"], "", [].into_iter(), body.as_bytes(), wire)
}

fn seq(event: &Event<'_>) -> u64 {
    match event {
        Event::Delivered { seq, .. } => *seq,
        other => panic!("not a delivery: {other:?}"),
    }
}

fn violated(event: &Event<'_>) -> Violation {
    match event {
        Event::Violated(violation) => *violation,
        other => panic!("no violation: {other:?}"),
    }
}

/// MBWS-010, MBWS-012, MBWS-031, MBWS-033, MBWS-034
#[test]
fn a_connection_opens_and_carries_messages() {
    let (mut client, mut wire) = open();
    assert!(client.is_open());
    assert_eq!(client.name(), Some("n"));
    assert_eq!(send(&mut client, &mut wire, "x"), Ok(1));
    assert_eq!(send(&mut client, &mut wire, "y"), Ok(2));
    assert_eq!(wire.take_text(), ["3 1 1 a0 0 x", "3 1 1 a0 0 y"]);
    let event = text(&mut client, &mut wire, "2 2 ");
    assert_eq!(event, Event::Acknowledged { up_to: 2 });
    assert_eq!(client.unacknowledged(), 0);

    assert_eq!(seq(&text(&mut client, &mut wire, "3 1 1 b0 0 p")), 1);
    assert_eq!(seq(&text(&mut client, &mut wire, "3 1 1 b0 0 q")), 2);
    client.acknowledge(2, &mut wire).unwrap();
    client.acknowledge(1, &mut wire).unwrap();
    assert_eq!(wire.take_text(), ["2 2 "], "an acknowledgement never goes back");
}

/// MBWS-017, MBWS-A13: messages wait for the server's Connect.
#[test]
fn messages_sent_early_follow_the_answer() {
    let (mut client, mut wire) = fresh();
    assert_eq!(send(&mut client, &mut wire, "x"), Ok(1));
    client.connect(&mut wire).unwrap();
    assert_eq!(send(&mut client, &mut wire, "y"), Ok(2));
    assert_eq!(wire.take_text(), ["1 0 0 "]);
    text(&mut client, &mut wire, "1 1 n0 ");
    assert_eq!(wire.take_text(), ["3 1 1 a0 0 x", "3 1 1 a0 0 y"]);
}

/// MBWS-040, MBWS-041, MBWS-042, MBWS-047, MBWS-A23
#[test]
fn a_connection_goes_on_where_it_stopped() {
    let (mut client, mut wire) = open();
    for body in ["1", "2", "3", "4", "5"] {
        send(&mut client, &mut wire, body).unwrap();
    }
    text(&mut client, &mut wire, "2 2 ");
    text(&mut client, &mut wire, "3 1 1 b0 0 p");
    client.acknowledge(1, &mut wire).unwrap();
    client.session_lost();
    assert_eq!(send(&mut client, &mut wire, "6"), Ok(6), "kept for later");
    wire.take();

    client.reconnect(&mut wire).unwrap();
    assert_eq!(wire.take_text(), ["1 1 n3 1 3 6 "]);
    let event = text(&mut client, &mut wire, "1 1 n1 4 ");
    assert_eq!(event, Event::Resumed { acknowledged: 4, resent: 2 });
    assert_eq!(wire.take_text(), ["3 1 1 a0 0 5", "3 1 1 a0 0 6"]);
    assert_eq!(send(&mut client, &mut wire, "7"), Ok(7));
    assert_eq!(seq(&text(&mut client, &mut wire, "3 1 1 b0 0 q")), 2);
}

/// MBWS-A04, MBWS-A05: empty windows at the start and later.
#[test]
fn an_empty_window_has_bounds_too() {
    let (mut client, mut wire) = open();
    client.session_lost();
    client.reconnect(&mut wire).unwrap();
    assert_eq!(wire.take_text(), ["1 1 n3 0 1 0 "]);
    text(&mut client, &mut wire, "1 1 n1 0 ");
    send(&mut client, &mut wire, "x").unwrap();
    text(&mut client, &mut wire, "2 1 ");
    client.session_lost();
    wire.take();
    client.reconnect(&mut wire).unwrap();
    assert_eq!(wire.take_text(), ["1 1 n3 0 2 1 "]);
}

/// MBWS-026, MBWS-A11: received is what the application has taken; the rest is asked for again and
/// given to the application once.
#[test]
fn messages_not_yet_taken_come_again_but_are_delivered_once() {
    let (mut client, mut wire) = open();
    for payload in ["3 1 1 b0 0 p", "3 1 1 b0 0 q", "3 1 1 b0 0 r"] {
        text(&mut client, &mut wire, payload);
    }
    client.acknowledge(1, &mut wire).unwrap();
    client.session_lost();
    client.acknowledge(2, &mut wire).unwrap();
    wire.take();
    client.reconnect(&mut wire).unwrap();
    client.acknowledge(3, &mut wire).unwrap();
    assert_eq!(wire.take_text(), ["1 1 n3 2 1 0 "]);
    text(&mut client, &mut wire, "1 1 n1 0 ");
    assert_eq!(wire.take_text(), ["2 3 "], "taken while the answer was on its way");
    let event = text(&mut client, &mut wire, "3 1 1 b0 0 r");
    assert_eq!(event, Event::Repeated { seq: 3 });
    assert_eq!(seq(&text(&mut client, &mut wire, "3 1 1 b0 0 s")), 4);
}

/// MBWS-050, MBWS-052
#[test]
fn a_refusal_gives_back_what_was_not_acknowledged() {
    let (mut client, mut wire) = open();
    send(&mut client, &mut wire, "x").unwrap();
    send(&mut client, &mut wire, "y").unwrap();
    text(&mut client, &mut wire, "3 1 1 b0 0 p");
    client.session_lost();
    client.reconnect(&mut wire).unwrap();
    wire.take();
    let event = text(&mut client, &mut wire, "1 1 m0 ");
    let Event::Refused { name: "m", unacknowledged } = event else { panic!("{event:?}") };
    assert_eq!(wire.take(), [], "the caller decides");
    assert_eq!(unacknowledged.len(), 2);
    for (expected, message) in (1..).zip(unacknowledged) {
        assert_eq!(message.kind(), Kind::Text);
        assert_eq!(client.send_again(message, &mut wire), Ok(expected));
    }
    assert_eq!(wire.take_text(), ["3 1 1 a0 0 x", "3 1 1 a0 0 y"]);
    assert_eq!(seq(&text(&mut client, &mut wire, "3 1 1 b0 0 p")), 1);
    assert_eq!(client.acknowledge(2, &mut wire), Err(Misuse::AcknowledgedUnreceived));
}

/// MBWS-A08, MBWS-A12, MBWS-A13, MBWS-073: what a server must not do.
#[test]
fn answers_and_messages_out_of_place() {
    let opening = |payload: &str| {
        let (mut client, mut wire) = fresh();
        client.connect(&mut wire).unwrap();
        violated(&text(&mut client, &mut wire, payload))
    };
    assert_eq!(opening("1 0 0 "), Violation::AnswerName);
    assert_eq!(opening("1 1 n1 0 "), Violation::AnswerNumbers);
    assert_eq!(opening("1 1 n3 0 1 0 "), Violation::AnswerNumbers);
    assert_eq!(opening("3 1 1 a0 0 "), Violation::BeforeConnect);
    assert_eq!(opening("2 0 "), Violation::BeforeConnect);
    assert_eq!(opening("1 0"), Violation::Truncated);

    let reopening = |payload: &str| {
        let (mut client, mut wire) = open();
        send(&mut client, &mut wire, "x").unwrap();
        client.session_lost();
        client.reconnect(&mut wire).unwrap();
        violated(&text(&mut client, &mut wire, payload))
    };
    assert_eq!(reopening("1 0 0 "), Violation::AnswerName);
    assert_eq!(reopening("1 1 n0 "), Violation::AnswerNumbers);
    assert_eq!(reopening("1 1 n2 0 0 "), Violation::AnswerNumbers);
    assert_eq!(reopening("1 1 m1 0 "), Violation::AnswerNumbers);
    assert_eq!(reopening("1 1 n1 2 "), Violation::ResumedOutsideWindow);

    let opened = |payload: &str| {
        let (mut client, mut wire) = open();
        violated(&text(&mut client, &mut wire, payload))
    };
    assert_eq!(opened("1 1 n0 "), Violation::SecondConnect);
    assert_eq!(opened("2 1 "), Violation::AcknowledgedUnsent);
    assert_eq!(opened("3 0 0 0 "), Violation::DeliveredAddresses);
    assert_eq!(opened("3 2 1 a1 b0 0 "), Violation::DeliveredAddresses);
}

/// MBWS-A15: full means wait; nothing is dropped, and one large message always fits.
#[test]
fn a_full_window_refuses() {
    let window = WindowLimits { messages_max: 2, size_max_bytes: 40 };
    let mut client = Connection::new(Options { window, ..options() });
    let mut wire = Wire::default();
    let large = "x".repeat(100);
    assert_eq!(send(&mut client, &mut wire, &large), Ok(1));
    assert_eq!(send(&mut client, &mut wire, "x"), Err(SendRefused::WindowFull));
    client.connect(&mut wire).unwrap();
    text(&mut client, &mut wire, "1 1 n0 ");
    text(&mut client, &mut wire, "2 1 ");
    assert_eq!(send(&mut client, &mut wire, "x"), Ok(2));
    assert_eq!(send(&mut client, &mut wire, &large), Err(SendRefused::WindowFull));
    assert_eq!(send(&mut client, &mut wire, "x"), Ok(3));
    assert_eq!(send(&mut client, &mut wire, "x"), Err(SendRefused::WindowFull));
    text(&mut client, &mut wire, "2 2 ");
    assert_eq!(send(&mut client, &mut wire, "x"), Ok(4));
}

/// MBWS-060, MBWS-063, MBWS-064
#[test]
fn the_light_flavour_keeps_nothing() {
    let flavour = Flavour::Light;
    let mut client = Connection::new(Options { flavour, ..options() });
    let mut wire = Wire::default();
    assert_eq!(send(&mut client, &mut wire, "x"), Err(SendRefused::NotConnected));
    client.connect(&mut wire).unwrap();
    assert_eq!(wire.take(), []);
    assert_eq!(send(&mut client, &mut wire, "x"), Ok(1));
    assert_eq!(send(&mut client, &mut wire, "y"), Ok(2));
    assert_eq!(wire.take_text(), ["3 1 1 a0 0 x", "3 1 1 a0 0 y"]);
    assert_eq!(client.unacknowledged(), 0);
    assert_eq!(seq(&text(&mut client, &mut wire, "3 1 1 b0 0 p")), 1);
    client.acknowledge(1, &mut wire).unwrap();
    assert_eq!(wire.take(), []);
    assert_eq!(text(&mut client, &mut wire, "2 7 "), Event::Ignored);
    client.session_lost();
    assert_eq!(client.reconnect(&mut wire), Err(Misuse::NothingToRecover));
    client.connect(&mut wire).unwrap();
    assert_eq!(send(&mut client, &mut wire, "z"), Ok(1));
}

#[test]
fn text_cannot_carry_octets() {
    let (mut client, mut wire) = open();
    let sent = client.send(Kind::Text, &["a"], "", [].into_iter(), b"\xff", &mut wire);
    assert_eq!(sent, Err(SendRefused::NotRepresentable));
    assert_eq!(wire.take(), []);
    let sent = client.send(Kind::Binary, &["a"], "", [].into_iter(), b"\xff", &mut wire);
    assert_eq!(sent, Ok(1), "the refused message has no number");
}

#[test]
fn commands_at_the_wrong_moment_send_nothing() {
    let (mut client, mut wire) = fresh();
    assert_eq!(client.reconnect(&mut wire), Err(Misuse::NothingToRecover));
    assert_eq!(client.acknowledge(1, &mut wire), Err(Misuse::AcknowledgedUnreceived));
    client.connect(&mut wire).unwrap();
    assert_eq!(client.connect(&mut wire), Err(Misuse::AlreadyAsked));
    text(&mut client, &mut wire, "1 1 n0 ");
    assert_eq!(client.reconnect(&mut wire), Err(Misuse::AlreadyAsked));
    client.session_lost();
    assert_eq!(client.connect(&mut wire), Err(Misuse::StillRecoverable));
    assert_eq!(wire.take_text(), ["1 0 0 "]);
    // MBWS-015: a normal close ends the connection; the next is a new one.
    assert_eq!(client.give_up(), []);
    client.connect(&mut wire).unwrap();
    assert_eq!(wire.take_text(), ["1 0 0 "]);
}

/// MBWS-020, MBWS-021: the state survives the application.
#[test]
fn a_saved_connection_is_recovered_by_another_process() {
    let (mut client, mut wire) = open();
    for body in ["1", "2", "3"] {
        send(&mut client, &mut wire, body).unwrap();
    }
    text(&mut client, &mut wire, "2 1 ");
    text(&mut client, &mut wire, "3 1 1 b0 0 p");
    text(&mut client, &mut wire, "3 1 1 b0 0 q");
    client.acknowledge(1, &mut wire).unwrap();
    let mut saved = Vec::new();
    client.save(&mut saved);
    wire.take();

    let mut client = Connection::restore(options(), &saved).unwrap();
    let mut again = Vec::new();
    client.save(&mut again);
    assert_eq!(again, saved);
    client.reconnect(&mut wire).unwrap();
    assert_eq!(wire.take_text(), ["1 1 n3 1 2 3 "]);
    text(&mut client, &mut wire, "1 1 n1 2 ");
    assert_eq!(wire.take_text(), ["3 1 1 a0 0 3"]);
    assert_eq!(seq(&text(&mut client, &mut wire, "3 1 1 b0 0 q")), 2, "q was never taken");
}

#[test]
fn damaged_saved_state_is_refused() {
    let (mut client, mut wire) = open();
    send(&mut client, &mut wire, "x").unwrap();
    let mut saved = Vec::new();
    client.save(&mut saved);
    for len in 0..saved.len() {
        assert!(Connection::restore(options(), &saved[..len]).is_err(), "{len}");
    }
    saved.push(0);
    assert!(Connection::restore(options(), &saved).is_err(), "octets at the end");
    for damaged in [&b"\x02\x00\x00\x00\x00"[..], b"\x01\x00\x01\x00\x00", b"\x01\x00\x00\x01\x00"]
    {
        assert!(Connection::restore(options(), damaged).is_err());
    }
    assert!(Connection::restore(options(), b"\x01\x00\x00\x00\x00").is_ok(), "a fresh one");
}

/// A message at the server's limits, dead-lettered with two properties more, can be read.
#[test]
fn a_dead_letter_at_the_limits_is_received() {
    let (mut client, mut wire) = (Connection::new(Options::default()), Wire::default());
    client.connect(&mut wire).expect("fresh");
    client.handle_message(Kind::Text, b"1 1 n0 ", &mut wire);
    let properties = "1 k1 v".repeat(1024 + 2);
    let frame = format!("3 1 1 a0 1026 {properties}x");
    let event = client.handle_message(Kind::Text, frame.as_bytes(), &mut wire);
    assert_eq!(seq(&event), 1);
}

/// What may be received does not bound what was sent.
#[test]
fn what_was_sent_can_be_saved_and_restored() {
    let (mut client, mut wire) = open();
    let to = vec!["q"; 257];
    client.send(Kind::Binary, &to, "", [].into_iter(), b"x", &mut wire).expect("kept");
    let mut saved = Vec::new();
    client.save(&mut saved);
    let restored = Connection::restore(options(), &saved).expect("ours");
    assert_eq!(restored.unacknowledged(), 1);
}
