//! How connections end (AMQP 2.4.3, WSB section 4).

use crate::wire::{Wire, message};
use std::time::Duration;
use wharf_broker::Definition;
use wharf_gateway::Config;
use wharf_ws::MessageKind;

/// A client with a delivery it has not settled, and one that looks for it.
fn with_delivery(config: Config) -> Wire {
    let mut wire = Wire::new(config);
    wire.amqp(1);
    wire.amqp(2);
    let out = wire.sender(2, "out", "orders");
    wire.publish(2, out, &message("a"));
    wire.receiver(1, "in", "orders", 10);
    wire.heard(1);
    wire.heard(2);
    wire
}

fn left(wire: &mut Wire) -> Vec<String> {
    wire.receiver(2, "in", "orders", 10);
    wire.heard(2)
}

/// WSB-080, WSB-081, WSB-A08: whoever closed AMQP closes the WebSocket, and has a second for it.
#[test]
fn the_client_closes() {
    let mut wire = with_delivery(Config::default());
    wire.engine(1, |engine| engine.close(None)).expect("open");
    assert_eq!(wire.heard(1), ["closed by Local"]);
    assert_eq!(left(&mut wire), ["in #0 a count=1"]);
    wire.pass(Duration::from_millis(500));
    assert_eq!(wire.heard(1), [""; 0]);
    assert!(!wire.is_finished(1));
    wire.pass(Duration::from_millis(501));
    assert_eq!(wire.heard(1), ["closed 1000 "]);
    assert!(wire.is_finished(1));
    wire.amqp(3);
    wire.engine(3, |engine| engine.close(None)).expect("open");
    wire.heard(3);
    wire.close(3, 1000);
    assert!(wire.is_finished(3));
}

/// The broker goes away: AMQP first, then the WebSocket with the code asked for.
#[test]
fn the_broker_closes() {
    let mut wire = with_delivery(Config::default());
    wire.drain(1, 1001);
    let forced = "closed by Peer: amqp:connection:forced (the broker is going away)";
    assert_eq!(wire.heard(1), [forced, "closed 1001 "]);
    assert_eq!(left(&mut wire), ["in #0 a count=1"]);
}

/// WSB section 3.
#[test]
fn the_broker_sends_the_client_elsewhere() {
    let drained_to = Some("wss://b.example/ws".parse().expect("a place"));
    let mut wire = with_delivery(Config { drained_to, ..Config::default() });
    wire.drain(1, 1001);
    let redirect = "closed by Peer: amqp:connection:redirect (served elsewhere)";
    assert_eq!(wire.heard(1), [redirect, "closed 1001 "]);
}

/// WSB-A05, WSB-036.
#[test]
fn a_text_message_breaks_the_connection() {
    let mut wire = with_delivery(Config::default());
    wire.send(1, MessageKind::Text, b"hello");
    assert_eq!(wire.heard(1), ["closed 1003 AMQP is in binary messages"]);
    assert_eq!(left(&mut wire), ["in #0 a count=1"]);
}

/// What is no frame is told as such, and the WebSocket closed for it.
#[test]
fn a_violation_closes_both() {
    let table: [(&[u8], &str); 3] = [
        (&[0, 0, 0, 4, 2, 0, 0, 0], "amqp:connection:framing-error"),
        (&[0, 0, 0, 9, 2, 0, 0, 0, 7], "amqp:invalid-field"),
        // A transfer on a channel without a session.
        (
            &[0, 0, 0, 15, 2, 0, 0, 9, 0, 0x53, 0x14, 0xc0, 2, 1, 0x43],
            "amqp:connection:framing-error",
        ),
    ];
    for (octets, error) in table {
        let mut wire = with_delivery(Config::default());
        wire.send(1, MessageKind::Binary, octets);
        let heard = wire.heard(1);
        assert!(heard[0].starts_with(&format!("closed by Peer: {error}")), "{heard:?}");
        assert_eq!(heard[1..], ["closed 1002 AMQP protocol error"]);
        assert_eq!(left(&mut wire), ["in #0 a count=1"]);
    }
}

/// WSB-A08: a WebSocket that is closed takes AMQP with it.
#[test]
fn the_websocket_closes_first() {
    let mut wire = with_delivery(Config::default());
    wire.close(1, 1001);
    assert!(wire.is_finished(1));
    assert_eq!(left(&mut wire), ["in #0 a count=1"]);
}

#[test]
fn the_user_is_removed() {
    let mut wire = with_delivery(Config::default());
    wire.amqp_as(3, "bob");
    wire.define(Definition::RemoveUser { name: "bob".to_owned() });
    let removed = "closed by Peer: amqp:unauthorized-access (the user was removed)";
    assert_eq!(wire.heard(3), [removed, "closed 1000 "]);
    assert_eq!(wire.heard(1), [""; 0]);
}
