//! Idle time-outs of both sides, and how long opening and closing may take (AMQP 2.4.3, 2.4.5;
//! WSB-A07), on a clock that the test moves.

use crate::trace::{Trace, config, frame, hex};
use std::time::Duration;
use wharf_amqp::engine::{Config, Framing, Role as Side, SaslPolicy};
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::performative::{Begin, Close, Open, Performative};

const SECOND: Duration = Duration::from_secs(1);

fn watching(idle: Duration) -> Config {
    Config { idle_time_out: Some(idle), ..config(Side::Acceptor, Framing::Stream) }
}

fn wanting(ms: u32) -> Open {
    Open { idle_time_out: Some(ms), ..Open::new("peer") }
}

/// AMQP 2.4.5: the peer is told half of what is tolerated.
#[test]
fn a_silent_peer_is_closed_after_twice_the_time_it_was_told() {
    let mut t = Trace::opened(watching(10 * SECOND), Open::new("peer"));
    assert_eq!(t.due(), Some(10 * SECOND));
    t.at(10 * SECOND);
    t.at(20 * SECOND);
    t.told("");
    t.at(30 * SECOND);
    t.told("us< 0 close error=amqp:resource-limit-exceeded");
    // Closing has a limit of its own.
    assert_eq!(t.due(), Some(35 * SECOND));
    t.at(35 * SECOND);
    t.told("event closed by Local error=amqp:resource-limit-exceeded violation=Idle");
    assert_eq!(t.due(), None);
}

#[test]
fn anything_received_begins_the_time_anew() {
    let mut t = Trace::opened(watching(10 * SECOND), Open::new("peer"));
    for n in 1..50 {
        t.at(n * 10 * SECOND);
        if n % 2 == 0 {
            // An empty frame, on any channel.
            t.hex("00000008 02 00 0003");
        }
        t.told("");
    }
    assert!(t.us.is_open());
}

/// Late calls, as after a suspended process, are not the peer's fault.
#[test]
fn a_late_call_does_not_count_twice() {
    let mut t = Trace::opened(watching(10 * SECOND), Open::new("peer"));
    t.due();
    t.at(10 * SECOND);
    t.at(1000 * SECOND);
    t.told("");
    t.hex("00000008 02 00 0000");
    t.at(1010 * SECOND);
    t.at(1020 * SECOND);
    t.told("");
}

/// Nor is what this side has not read.
#[test]
fn a_caller_that_does_not_read_excuses_the_peer() {
    let mut t = Trace::opened(watching(10 * SECOND), Open::new("peer"));
    for n in 1..20 {
        t.us.excuse_silence();
        t.at(n * 10 * SECOND);
        t.told("");
    }
    t.at(200 * SECOND);
    t.at(210 * SECOND);
    t.told("us< 0 close error=amqp:resource-limit-exceeded");
}

#[test]
fn without_a_time_out_nothing_is_due() {
    let mut t = Trace::opened(config(Side::Acceptor, Framing::Stream), Open::new("peer"));
    assert_eq!(t.due(), None);
    let mut t = Trace::opened(watching(Duration::ZERO), wanting(0));
    assert_eq!(t.due(), None);
}

/// AMQP 2.4.5, WSB-A07: empty frames on channel 0, often enough.
#[test]
fn a_peer_that_wants_to_hear_from_us_does() {
    for framing in [Framing::Stream, Framing::Messages] {
        let mut t = Trace::opened(config(Side::Acceptor, framing), wanting(30_000));
        assert_eq!(t.due(), Some(10 * SECOND));
        // Our open was said since.
        t.at(10 * SECOND);
        t.told("");
        t.at(20 * SECOND);
        t.told("us< 0 empty");
        // Which counts as something said.
        t.at(30 * SECOND);
        t.told("");
        t.at(40 * SECOND);
        t.told("us< 0 empty");
        // So does anything else.
        t.peer(0, Begin::new(0, 1, 1));
        t.forget();
        t.at(50 * SECOND);
        t.told("");
        t.at(60 * SECOND);
        t.told("us< 0 empty");
    }
}

/// The longest silence is two thirds of what the peer asks for, whenever it begins.
#[test]
fn silence_is_never_as_long_as_the_peer_allows() {
    let mut t = Trace::opened(config(Side::Acceptor, Framing::Stream), wanting(3_000));
    t.due();
    let mut spoke = Duration::ZERO;
    for ms in (0..20_000).step_by(100) {
        let now = Duration::from_millis(ms);
        t.at(now);
        if ms == 5_100 {
            t.peer(0, Begin::new(0, 1, 1));
        }
        if t.take_log().iter().any(|line| line.starts_with("us<")) {
            spoke = now;
        }
        assert!(now - spoke <= 2 * SECOND, "{ms}");
    }
}

#[test]
fn an_idle_time_out_too_short_to_serve_is_refused() {
    for ms in [1, 99] {
        let mut t = Trace::acceptor();
        t.header(ProtocolHeader::AMQP);
        t.forget();
        t.peer(0, wanting(ms));
        t.forget_peer();
        t.told(
            "us< 0 open \"\" frame=65536 channels=255
             us< 0 close error=amqp:invalid-field",
        );
        t.peer(0, Close::default());
        t.forget_peer();
        t.told("event closed by Local error=amqp:invalid-field violation=IdleTimeOutTooSmall");
    }
    Trace::opened(config(Side::Acceptor, Framing::Stream), wanting(100));
}

#[test]
fn a_peer_that_says_nothing_is_given_up() {
    let mut t = Trace::acceptor();
    assert_eq!(t.due(), Some(10 * SECOND));
    t.at(9 * SECOND);
    t.told("");
    t.at(10 * SECOND);
    t.told(
        "event closed by Local error=amqp:resource-limit-exceeded violation=OpenTimeout
         us< header AMQP",
    );
}

/// One deadline over header, SASL and open.
#[test]
fn a_peer_that_does_not_open_is_given_up() {
    let mut t = Trace::acceptor();
    t.header(ProtocolHeader::AMQP);
    t.forget();
    t.at(10 * SECOND);
    t.told(
        "us< 0 open \"\" frame=65536 channels=255
         us< 0 close error=amqp:resource-limit-exceeded",
    );
    t.at(15 * SECOND);
    t.told("event closed by Local error=amqp:resource-limit-exceeded violation=OpenTimeout");

    let sasl = SaslPolicy::Required(vec!["PLAIN".to_owned()]);
    let mut t = Trace::new(Config { sasl, ..config(Side::Acceptor, Framing::Stream) });
    t.header(ProtocolHeader::SASL);
    t.octets(&hex(r#"0000001c 02 01 0000 00 53 41 c0 0f 02 a3 05 "PLAIN" a0 05 "abcde""#));
    t.forget();
    t.at(10 * SECOND);
    t.told("event closed by Local error=amqp:resource-limit-exceeded violation=OpenTimeout");

    let mut t = Trace::new(config(Side::Initiator, Framing::Stream));
    t.us.open(Open::new("us")).unwrap();
    t.forget();
    t.at(10 * SECOND);
    t.told("event closed by Local error=amqp:resource-limit-exceeded violation=OpenTimeout");
}

/// AMQP 2.4.3: "a timeout to give its partner a reasonable time".
#[test]
fn a_peer_that_does_not_close_is_given_up() {
    let mut t = Trace::opened(watching(10 * SECOND), wanting(1000));
    t.due();
    t.at(SECOND);
    t.us.close(None).unwrap();
    t.told("us< 0 close");
    assert_eq!(t.due(), Some(6 * SECOND));
    // AMQP 2.4.5: no empty frames after close; other frames of the peer change nothing.
    t.at(3 * SECOND);
    t.octets(&frame(0, &Performative::Begin(Box::new(Begin::new(0, 1, 1))), b""));
    t.told("");
    t.at(6 * SECOND);
    t.told("event closed by Local");
}
