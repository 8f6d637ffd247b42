//! MBWS end to end: bytes into a real socket, through the journal, and out again; with the broker
//! killed in between. The frames are written by hand, in the text syntax.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::socket::{Frame, Socket, connect, message, until_acknowledged};
use harness::{Broker, Scratch};

/// The message that begins to consume `orders` (MBWS-A25).
const CONSUME: &str = "3 1 13 wharf/consume0 1 7 address6 orders";

#[test]
fn a_message_goes_through() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut consumer = Socket::open(&broker, "/ws");
    connect(&mut consumer);
    consumer.send(CONSUME);
    until_acknowledged(&mut consumer, 1);

    let mut producer = Socket::open(&broker, "/ws");
    connect(&mut producer);
    producer.send(&message("orders", "one \u{2713}"));
    // MBWS-033, MBWS-035: acknowledged when it is stored.
    until_acknowledged(&mut producer, 1);
    // MBWS-073: exactly one address, the one it came from.
    assert_eq!(consumer.text(), message("orders", "one \u{2713}"));
    consumer.send("2 1 ");

    // MBWS-A09, WS-CT-09, WS-CL-02: code 1000 is a normal close; the broker answers it and closes first.
    producer.close(1000);
    assert_eq!(producer.next(), Frame::Close(1000));
    assert!(producer.ends());
    let metrics = broker.get("/metrics");
    for line in [
        "wharf_messages_received_total{protocol=\"mbws\"} 1\n",
        "wharf_messages_delivered_total{protocol=\"mbws\"} 1\n",
        "wharf_connections_opened_total{protocol=\"mbws\"} 2\n",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut producer = Socket::open(&broker, "/ws");
    connect(&mut producer);
    let messages: Vec<String> =
        (1..=500).map(|n| message("orders", &format!("body {n}"))).collect();
    producer.send_all(&messages);
    until_acknowledged(&mut producer, 500);
    broker.kill();

    let broker = Broker::start(scratch.path(), &[]);
    let mut consumer = Socket::open(&broker, "/ws?address=orders");
    connect(&mut consumer);
    for expected in &messages {
        assert_eq!(&consumer.text(), expected);
    }
}

/// MBWS-026, over a broker that is killed: the client's repeat is not taken twice, and what the
/// broker sends again has the same numbers.
#[test]
fn a_connection_is_resumed_over_a_kill() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut socket = Socket::open(&broker, "/ws");
    let name = connect(&mut socket);
    // Message 1 consumes; messages 2 to 4 come back as deliveries 1 to 3.
    let bodies: Vec<String> = (1..=3).map(|n| message("orders", &format!("body {n}"))).collect();
    socket.send(CONSUME);
    socket.send_all(&bodies);
    let mut received = until_acknowledged(&mut socket, 4);
    while received.len() < 3 {
        received.push(socket.text());
    }
    assert_eq!(received, bodies);
    broker.kill();

    let broker = Broker::start(scratch.path(), &[]);
    let mut socket = Socket::open(&broker, "/ws");
    // MBWS-040: the last received is delivery 1; messages 3 and 4 are still in the window.
    socket.send(&format!("1 {} {name}3 1 3 4 ", name.len()));
    // MBWS-046: everything up to 4 was taken.
    assert_eq!(socket.text(), format!("1 {} {name}1 4 ", name.len()));
    // MBWS-048: deliveries 2 and 3 again, and only them.
    assert_eq!([socket.text(), socket.text()], [bodies[1].clone(), bodies[2].clone()]);
    socket.send("2 3 ");
    // The connection goes on: consuming has survived, and message 5 is delivery 4.
    let next = message("orders", "body 4");
    socket.send(&next);
    let mut received = until_acknowledged(&mut socket, 5);
    while received.is_empty() {
        received.push(socket.text());
    }
    assert_eq!(received, [next]);
}

/// MBWS-014: the same name from another origin is another connection.
#[test]
fn a_connection_is_resumed_by_its_origin_alone() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut socket = Socket::open(&broker, "/ws");
    let name = connect(&mut socket);
    drop(socket);
    let mut thief = Socket::open_from(&broker, "http://broker.example");
    thief.send(&format!("1 {} {name}3 0 1 0 ", name.len()));
    // MBWS-049, MBWS-051: refused with a new name.
    let answer = thief.text();
    assert!(!answer.contains(&name), "{answer}");
}

/// WS-HS-19: what comes right behind the request belongs to the connection. However it is cut,
/// it is the same.
#[test]
fn the_bytes_may_come_all_at_once_or_one_by_one() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    for piece in [usize::MAX, 1, 7] {
        let mut socket = Socket::open_in_pieces(&broker, piece, &["1 0 0 "]);
        assert!(socket.text().starts_with("1 "), "the answer to Connect");
        socket.send(CONSUME);
        until_acknowledged(&mut socket, 1);
        socket.close(1000);
    }
}

/// MBWS-120.
#[test]
fn a_malformed_frame_closes_with_1002() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut socket = Socket::open(&broker, "/ws");
    connect(&mut socket);
    socket.send("9 nonsense");
    assert_eq!(socket.next(), Frame::Close(1002));
}

/// A burst larger than any one read, in one message and in many.
#[test]
fn large_bursts_are_whole() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut socket = Socket::open(&broker, "/ws?address=orders");
    connect(&mut socket);
    let body = "x".repeat(60_000);
    let messages: Vec<String> = (0..40).map(|n| message("orders", &format!("{n}{body}"))).collect();
    socket.send_all(&messages);
    let mut received = until_acknowledged(&mut socket, 40);
    while received.len() < 40 {
        let text = socket.text();
        if !text.starts_with("2 ") {
            received.push(text);
        }
    }
    assert!(received == messages, "the same, in order");
}

#[test]
fn the_first_password_is_printed_once_and_goes_on_working() {
    let scratch = Scratch::new();
    let broker = Broker::start_bare(scratch.path(), &[]);
    let password = broker
        .greeting
        .lines()
        .find_map(|line| line.trim().strip_prefix("password"))
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap()
        .to_owned();
    assert_eq!(broker.login("admin", &password), 101);
    broker.kill();
    let broker = Broker::start_bare(scratch.path(), &[]);
    assert!(!broker.greeting.contains("password"), "{}", broker.greeting);
    assert_eq!(broker.login("admin", &password), 101);
    assert_eq!(broker.login("admin", "guess"), 401);
}
