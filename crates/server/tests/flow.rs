//! Slow readers, silent peers, large messages, and a journal that fails.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::socket::{Frame, Socket, connect, message, until_acknowledged};
use harness::{Broker, Scratch, eventually, stderr, user_file};
use std::process::{Command, Stdio};

/// What the system's socket buffers do not hold waits in the broker, and nothing of it is lost.
#[test]
fn a_slow_reader_gets_everything() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut consumer = Socket::open(&broker, "/ws?address=orders");
    connect(&mut consumer);
    let mut producer = Socket::open(&broker, "/ws");
    connect(&mut producer);
    let body = "x".repeat(50_000);
    let messages: Vec<String> =
        (0..300).map(|n| message("orders", &format!("{n} {body}"))).collect();
    for batch in messages.chunks(30) {
        producer.send_all(batch);
    }
    until_acknowledged(&mut producer, 300);
    for (n, expected) in messages.iter().enumerate() {
        assert!(&consumer.text() == expected, "message {n}");
        // Deliveries are bounded by what is not acknowledged.
        consumer.send(&format!("2 {} ", n + 1));
    }
}

/// RFC 6455, section 5.5.2: the broker pings; who does not answer is given up, and keeps its
/// session.
#[test]
fn a_silent_peer_is_pinged_and_given_up() {
    let scratch = Scratch::new();
    let broker = Broker::start(
        scratch.path(),
        &["--set", "websocket.ping_interval_ms=100", "--set", "websocket.pong_timeout_ms=100"],
    );
    let mut socket = Socket::open(&broker, "/ws");
    let name = connect(&mut socket);
    assert_eq!(socket.next_opcode(), 0x9, "a Ping");
    assert!(socket.ends());
    let mut socket = Socket::open(&broker, "/ws");
    socket.send(&format!("1 {} {name}3 0 1 0 ", name.len()));
    assert_eq!(socket.text(), format!("1 {} {name}1 0 ", name.len()), "MBWS-046");
}

/// Deadlines hold even while nothing can be written: a peer that reads nothing is given up.
#[test]
fn a_peer_that_reads_nothing_is_given_up() {
    let scratch = Scratch::new();
    // Stored without deadlines: on a slow machine the producer would miss them too.
    let broker = Broker::start(scratch.path(), &[]);
    let mut producer = Socket::open(&broker, "/ws");
    connect(&mut producer);
    let body = "x".repeat(50_000);
    let messages: Vec<String> =
        (0..400).map(|n| message("orders", &format!("{n} {body}"))).collect();
    assert_eq!(producer.send_and_count(messages), 400);
    drop(broker);
    let broker = Broker::start(
        scratch.path(),
        &["--set", "websocket.ping_interval_ms=200", "--set", "websocket.pong_timeout_ms=200"],
    );
    // It asks for more than the system's buffers hold, and then does not read.
    let mut stuck = Socket::open(&broker, "/ws?address=orders");
    stuck.send("1 0 0 ");
    eventually(|| broker.get("/metrics").contains("\nwharf_connections 0\n"));
    drop(stuck);
}

#[test]
fn a_message_that_is_too_large_closes_with_1009() {
    let scratch = Scratch::new();
    let setting = "websocket.message_size_max_bytes=1000";
    let broker = Broker::start(scratch.path(), &["--set", setting]);
    let mut socket = Socket::open(&broker, "/ws");
    connect(&mut socket);
    socket.send(&message("orders", &"x".repeat(1000)));
    assert_eq!(socket.next(), Frame::Close(1009));
}

/// A journal that cannot store ends the process: nothing is acknowledged that is not durable.
#[test]
fn a_failed_journal_ends_the_process_with_the_reason() {
    let scratch = Scratch::new();
    // Files may not grow past 6 MiB: the first segment fits, the second does not.
    let limited = "trap '' XFSZ; ulimit -f 12288; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_wharf"), "serve"]);
    command.args(["--set", "data.segment_size_bytes=8388608"]);
    command.args(["--set", "log.level=error"]);
    command.stderr(Stdio::piped());
    let config = user_file(scratch.path());
    let broker = Broker::start_as(command, scratch.path(), &["--config", &config]);
    let mut socket = Socket::open(&broker, "/ws");
    connect(&mut socket);
    let messages: Vec<String> =
        (0..160).map(|n| message("orders", &format!("{n} {}", "x".repeat(60_000)))).collect();
    // The broker stops reading when it fails; what happens to the rest of the bytes is free.
    let acknowledged = socket.send_and_count(messages);
    assert!(acknowledged < 160, "{acknowledged} of 160 acknowledged");
    let output = broker.output();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("File too large"), "{}", stderr(&output));

    // What was acknowledged is there.
    let broker = Broker::start(scratch.path(), &[]);
    let mut consumer = Socket::open(&broker, "/ws?address=orders");
    connect(&mut consumer);
    for n in 0..acknowledged {
        assert!(consumer.text().contains(&format!("text/plain0 {n} ")), "message {n}");
        consumer.send(&format!("2 {} ", n + 1));
    }
}
