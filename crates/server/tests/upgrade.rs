//! From a request to a WebSocket: place, origin, subprotocol, version, login.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::socket::{Socket, connect, message, until_acknowledged};
use harness::{Broker, LOGIN, MBWS, Scratch, handshake, read_head, status};
use std::io::Write;

fn answer(broker: &Broker, request: &str) -> String {
    let mut stream = broker.connect();
    stream.write_all(request.as_bytes()).unwrap();
    read_head(&mut stream)
}

/// The value of a header field, whatever the case of its name.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find_map(|(field, value)| field.eq_ignore_ascii_case(name).then_some(value))
}

/// WS-HS-16, and RFC 6455 section 1.3 for the value.
#[test]
fn a_good_handshake_is_accepted() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    for path in ["/ws", "/", "/ws?address=orders"] {
        let head = answer(&broker, &handshake(path, &format!("{LOGIN}{MBWS}")));
        assert_eq!(status(&head), 101, "{head}");
        assert_eq!(field(&head, "upgrade"), Some("websocket"));
        assert_eq!(field(&head, "connection"), Some("Upgrade"));
        assert_eq!(field(&head, "sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        // WS-HS-14: one of the client's.
        assert_eq!(field(&head, "sec-websocket-protocol"), Some("MBWS.huawei.com"));
    }
}

#[test]
fn a_plain_request_is_told_to_upgrade() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let head = answer(&broker, "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(status(&head), 426);
    assert_eq!(field(&head, "upgrade"), Some("websocket"));
    assert_eq!(field(&head, "sec-websocket-version"), Some("13"));
}

/// WS-HS-12: what would do is listed. WS-HS-13: no such resource. WS-HS-21.
#[test]
fn faulty_handshakes_get_a_proper_status() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let good = handshake("/ws", &format!("{LOGIN}{MBWS}"));
    let table = [
        (good.replace("Version: 13", "Version: 99"), 426),
        (good.replace("GET /ws", "GET /elsewhere"), 404),
        (good.replace("GET", "POST"), 405),
        (good.replace("HTTP/1.1", "HTTP/1.0"), 400),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"), 400),
        (good.replace("MBWS.huawei.com", "chat"), 400),
        (good.replace(MBWS, ""), 400),
        (good.replace("Host: broker.example\r\n", ""), 400),
        (good.replace("Upgrade: websocket\r\n", ""), 426),
        (good.replace("Connection: Upgrade", "Connection: close"), 400),
        (good.replace(LOGIN, &format!("{LOGIN}Content-Length: 4\r\n")), 400),
        (good.replace(LOGIN, &format!("{LOGIN}{LOGIN}")), 400),
        (
            good.replace(LOGIN, &format!("{LOGIN}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")),
            400,
        ),
        (good.replace(LOGIN, &format!("{LOGIN}Sec-WebSocket-Extensions: ;;\r\n")), 400),
    ];
    for (request, expected) in table {
        let head = answer(&broker, &request);
        assert_eq!(status(&head), expected, "{request}\n{head}");
        if request.contains("99") {
            assert_eq!(field(&head, "sec-websocket-version"), Some("13"));
        }
    }
}

/// WS-HS-11, WS-HS-07.
#[test]
fn pages_of_other_hosts_are_403() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let from = |origin: &str| {
        let extra = format!("{LOGIN}{MBWS}Origin: {origin}\r\n");
        status(&answer(&broker, &handshake("/ws", &extra)))
    };
    assert_eq!(from("http://broker.example"), 101, "the host's own page");
    assert_eq!(from("https://evil.example"), 403);
    assert_eq!(from("null"), 403);

    let listed = Scratch::new();
    let setting = "websocket.origins=https://app.example";
    let broker = Broker::start(listed.path(), &["--set", setting]);
    let from = |origin: &str| {
        let extra = format!("{LOGIN}{MBWS}Origin: {origin}\r\n");
        status(&answer(&broker, &handshake("/ws", &extra)))
    };
    assert_eq!(from("https://app.example"), 101);
    assert_eq!(from("https://app.example.evil.example"), 403);
}

/// WS-HS-10.
#[test]
fn without_a_login_there_is_no_socket() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "auth.failures_per_minute_max=3"]);
    let head = answer(&broker, &handshake("/ws", MBWS));
    assert_eq!(status(&head), 401);
    assert_eq!(field(&head, "www-authenticate"), Some("Basic realm=\"wharf\", charset=\"UTF-8\""));

    let right = handshake("/ws", &format!("{LOGIN}{MBWS}"));
    assert_eq!(status(&answer(&broker, &right)), 101);
    // ada:wrong
    let wrong = handshake("/ws", &format!("Authorization: Basic YWRhOndyb25n\r\n{MBWS}"));
    let statuses: Vec<u16> = (0..4).map(|_| status(&answer(&broker, &wrong))).collect();
    assert_eq!(statuses, [401, 401, 401, 429]);
    let head = answer(&broker, &wrong);
    assert!(field(&head, "retry-after").is_some_and(|s| s.parse::<u64>().is_ok()), "{head}");
    assert_eq!(status(&answer(&broker, &right)), 101, "a known password goes on");
}

#[test]
fn an_anonymous_user_needs_no_login() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "auth.anonymous_user=ada"]);
    assert_eq!(status(&answer(&broker, &handshake("/ws", MBWS))), 101);
}

#[test]
fn a_user_of_the_command_line_may_do_everything_and_is_kept() {
    let scratch = Scratch::new();
    let broker = Broker::start_bare(scratch.path(), &["--user", "eve:one:two"]);
    assert_eq!(broker.login("eve", "one:two"), 101);
    broker.kill();
    let removed =
        scratch.file("wharf.toml", "[[users]]\nname = \"eve\"\npassword_verifier = \"\"\n");
    let broker = Broker::start_bare(scratch.path(), &["--config", &removed.display().to_string()]);
    assert_eq!(broker.login("eve", "one:two"), 401, "removed by the configuration");
}

/// An address of one virtual host is unknown to the others; unknown names belong to the first.
#[test]
fn virtual_hosts_are_apart() {
    let scratch = Scratch::new();
    let setting = "listen.hosts=one.example,two.example";
    let broker = Broker::start(scratch.path(), &["--set", setting]);
    for (host, body) in [("two.example", "for two"), ("one.example", "for one")] {
        let mut producer = Socket::open_at(&broker, host, "/ws");
        connect(&mut producer);
        producer.send(&message("orders", body));
        until_acknowledged(&mut producer, 1);
        producer.close(1000);
    }
    for (host, body) in [("elsewhere.example", "for one"), ("TWO.example:8080", "for two")] {
        let mut consumer = Socket::open_at(&broker, host, "/ws?address=orders");
        connect(&mut consumer);
        assert_eq!(consumer.text(), message("orders", body), "{host}");
    }
}

/// A browser asks for a login on behalf of a page; its WebSockets then use it.
#[test]
fn a_page_asks_the_browser_for_a_login() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--user", "ada:lovelace"]);
    let ask = |authorization: &str| {
        format!(
            "GET /login HTTP/1.1\r\nHost: localhost\r\n{authorization}Connection: close\r\n\r\n"
        )
    };
    let head = answer(&broker, &ask(""));
    assert_eq!(status(&head), 401);
    assert_eq!(field(&head, "www-authenticate"), Some("Basic realm=\"wharf\", charset=\"UTF-8\""));
    // ada:lovelace
    let head = answer(&broker, &ask("Authorization: Basic YWRhOmxvdmVsYWNl\r\n"));
    assert_eq!((status(&head), field(&head, "location")), (303, Some("/")));
}
