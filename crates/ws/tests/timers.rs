//! Deadlines, on a clock that the test moves.

#![allow(clippy::disallowed_methods, reason = "an instant to begin with")]

mod wire;

use std::time::{Duration, Instant};

use wharf_ws::{Agreement, CloseCode, Config, Due, Role};
use wire::{Side, hex, masked};

const SECOND: Duration = Duration::from_secs(1);

fn keepalive() -> Side {
    let config = Config {
        ping_interval: Some(30 * SECOND),
        pong_timeout: 10 * SECOND,
        close_timeout: 5 * SECOND,
        ..Config::default()
    };
    Side::new(Role::Server, &Agreement::default(), &config)
}

#[test]
fn silence_is_answered_with_a_ping_then_with_the_end() {
    let (mut server, start) = (keepalive(), Instant::now());
    assert_eq!(server.conn.poll_timeout(), Some(Due::Now));
    server.conn.handle_timeout(start);
    assert_eq!(server.conn.poll_timeout(), Some(Due::At(start + 30 * SECOND)));
    // Too early changes nothing.
    server.conn.handle_timeout(start + SECOND);
    assert_eq!(server.sent(), b"");

    server.conn.handle_timeout(start + 30 * SECOND);
    // WS-CT-05.
    assert_eq!(server.sent(), hex("89 00"));
    assert_eq!(server.conn.poll_timeout(), Some(Due::At(start + 40 * SECOND)));

    server.conn.handle_timeout(start + 40 * SECOND);
    assert_eq!(server.read(b""), ["closed by PongTimeout, 1006 \"\""]);
    assert!(server.conn.is_finished());
    assert_eq!(server.conn.poll_timeout(), None);
}

#[test]
fn any_sign_of_life_will_do() {
    let (mut server, start) = (keepalive(), Instant::now());
    server.conn.handle_timeout(start);
    server.read(&masked(0x82, b"1"));
    server.conn.handle_timeout(start + 30 * SECOND);
    assert_eq!(server.sent(), b"");
    server.conn.handle_timeout(start + 60 * SECOND);
    assert_eq!(server.sent(), hex("89 00"));
    // Half a frame header is enough.
    server.read(&[0x82]);
    server.conn.handle_timeout(start + 70 * SECOND);
    assert_eq!(server.conn.poll_timeout(), Some(Due::At(start + 100 * SECOND)));
}

#[test]
fn a_close_is_answered_in_time_or_not_at_all() {
    let (mut server, start) = (keepalive(), Instant::now());
    server.conn.handle_timeout(start);
    server.conn.close(CloseCode::GOING_AWAY, "").unwrap();
    assert_eq!(server.conn.poll_timeout(), Some(Due::Now));
    server.conn.handle_timeout(start + SECOND);
    assert_eq!(server.conn.poll_timeout(), Some(Due::At(start + 6 * SECOND)));
    // Nothing was written yet: the deadline runs all the same.
    server.conn.handle_timeout(start + 6 * SECOND);
    assert_eq!(server.read(b""), ["closed by CloseTimeout, 1006 \"\""]);
    assert!(server.conn.is_finished());
}

#[test]
fn the_transport_is_waited_for_but_not_forever() {
    // WS-CT-09: a client waits for its server to close.
    for role in [Role::Client, Role::Server] {
        let mut side = Side::new(role, &Agreement::default(), &Config::default());
        let start = Instant::now();
        side.read(&if role == Role::Server { masked(0x88, b"") } else { hex("88 00") });
        side.conn.handle_timeout(start);
        assert!(!side.conn.is_finished());
        side.conn.handle_timeout(start + 5 * SECOND);
        assert!(side.conn.is_finished() && side.conn.should_close_transport());
        assert_eq!(side.read(b""), [""; 0]);
    }
}

#[test]
fn no_timers_unless_wanted() {
    let mut server = Side::server();
    assert_eq!(server.conn.poll_timeout(), None);
    server.conn.handle_timeout(Instant::now());
    assert_eq!(server.conn.poll_timeout(), None);
}

#[test]
fn a_timeout_the_clock_cannot_count_never_comes() {
    let config = Config { ping_interval: Some(Duration::MAX), ..Config::default() };
    let mut server = Side::new(Role::Server, &Agreement::default(), &config);
    server.conn.handle_timeout(Instant::now());
    assert_eq!(server.conn.poll_timeout(), None);
}
