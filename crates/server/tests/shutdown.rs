//! How it ends.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, LOGIN, MBWS, Scratch, handshake, read_head, status};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;

fn open(broker: &Broker) -> TcpStream {
    let mut stream = broker.connect();
    let request = handshake("/ws", &format!("{LOGIN}{MBWS}"));
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(status(&read_head(&mut stream)), 101);
    stream
}

#[test]
fn clients_are_told_and_the_exit_is_clean() {
    for (signal, setting, close_code) in [
        (Signal::TERM, "shutdown.close_code=1001", 1001_u16),
        (Signal::INT, "shutdown.close_code=1012", 1012),
    ] {
        let scratch = Scratch::new();
        let broker = Broker::start(scratch.path(), &["--set", setting]);
        let mut stream = open(&broker);
        broker.signal(signal);
        let mut close = [0; 4];
        stream.read_exact(&mut close).unwrap();
        assert_eq!(close[0], 0x88, "a Close frame");
        assert_eq!(u16::from_be_bytes([close[2], close[3]]), close_code);
        // While this client takes its time, the others are told to go elsewhere.
        let ready = broker.get("/readyz");
        assert_eq!(status(&ready), 503, "{ready}");
        let mut late = broker.connect();
        late.write_all(handshake("/ws", &format!("{LOGIN}{MBWS}")).as_bytes()).unwrap();
        assert_eq!(status(&read_head(&mut late)), 503);
        // Its answer: a masked Close with the same code.
        let [high, low] = close_code.to_be_bytes();
        stream.write_all(&[0x88, 0x82, 0, 0, 0, 0, high, low]).unwrap();
        drop(stream);
        assert_eq!(broker.wait().code(), Some(0));
    }
}

#[test]
fn a_client_that_does_not_answer_is_not_waited_for_without_end() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "shutdown.drain_timeout_ms=300"]);
    let _stream = open(&broker);
    broker.signal(Signal::TERM);
    assert_eq!(broker.wait().code(), Some(0));
}
