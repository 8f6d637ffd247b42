//! What a server of RFC 6455 accepts and refuses (section 4.2).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake_trace;

use handshake_trace::{ACCEPT, KEY, Lines, field, read};
use wharf_ws::handshake::request::{Header, Request, is_upgrade};
use wharf_ws::handshake::server::{self, Policy};
use wharf_ws::handshake::{Compression, OriginPolicy, Reason, Refusal, accept_key};
use wharf_ws::version::{Version, Versions};

fn policy() -> Policy {
    Policy::default()
}

fn speaking(names: &[&str]) -> Policy {
    Policy { subprotocols: names.iter().map(|name| (*name).to_owned()).collect(), ..policy() }
}

#[test]
fn the_sample_handshake_is_answered_to_the_letter() {
    // WS-HS-16, WS-HS-14 (no empty Sec-WebSocket-Protocol), WS-RG-02.
    let acceptance = Lines::request().ask(&policy()).unwrap();
    let mut wire = Vec::new();
    acceptance.write(&mut wire);
    assert_eq!(
        String::from_utf8(wire).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         \r\n"
    );
    assert_eq!(acceptance.agreement.version, Version::Rfc6455);
    assert_eq!(acceptance.agreement.subprotocol, None);
    assert_eq!(acceptance.agreement.compression, Compression::None);
    assert_eq!(acceptance.origin, None);
}

#[test]
fn the_rfcs_long_example_is_accepted() {
    // RFC 6455, section 1.2: WS-HS-08 (order is free, unknown fields are ignored).
    let request = Lines::request()
        .add("Origin: http://example.com")
        .add("Sec-WebSocket-Protocol: chat, superchat")
        .add("X-Something-New: \"a, b\"; c=(d)")
        .reversed_fields();
    let acceptance = request.ask(&speaking(&["superchat", "chat"])).unwrap();
    assert_eq!(acceptance.agreement.subprotocol.as_deref(), Some("superchat"));
    assert_eq!(acceptance.origin.as_deref(), Some("http://example.com"));
}

#[test]
fn accept_is_computed_from_the_key_as_written() {
    // WS-HS-05: RFC 6455, section 4.2.2, and the oddly padded example of section 4.1.
    assert_eq!(accept_key(KEY.as_bytes()), ACCEPT);
    let odd = Lines::request().set("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==");
    let acceptance = odd.ask(&policy()).unwrap();
    assert_eq!(acceptance.accept_key, accept_key(b"AQIDBAUGBwgJCgsMDQ4PEC=="));
}

#[test]
fn the_method_is_get() {
    // WS-HS-02.
    for method in ["POST", "HEAD", "OPTIONS", "get", "CONNECT"] {
        let request = Lines::request().start(&format!("{method} /chat HTTP/1.1"));
        assert_eq!(request.refused(&policy()), (405, Reason::Method), "{method}");
    }
    let refusal = Lines::request().start("PUT / HTTP/1.1").ask(&policy()).unwrap_err();
    assert_eq!(field(refusal.headers(), "Allow"), Some("GET"));
}

#[test]
fn http_1_0_is_refused() {
    // WS-HS-02.
    let request = Lines::request().start("GET /chat HTTP/1.0");
    assert_eq!(request.refused(&policy()), (400, Reason::HttpVersion));
}

#[test]
fn the_target_is_a_path_or_an_absolute_http_uri() {
    // WS-HS-02, WS-URI-05, WS-RG-08 (well-known paths are paths like others).
    for (target, resource) in [
        ("/", "/"),
        ("/chat?x=1&y=%20", "/chat?x=1&y=%20"),
        ("/.well-known/amqp", "/.well-known/amqp"),
        ("//x", "//x"),
        ("http://server.example.com/chat", "/chat"),
        ("HTTPS://server.example.com:8443/chat?q", "/chat?q"),
        ("http://server.example.com", "/"),
        ("http://server.example.com?x", "/?x"),
    ] {
        let bytes = Lines::request().start(&format!("GET {target} HTTP/1.1")).bytes();
        let request = read(&bytes);
        assert_eq!(request.resource_name().as_deref(), Some(resource), "{target}");
        assert!(server::evaluate(&request, &policy()).is_ok(), "{target}");
    }
    for target in [
        "*",
        "chat",
        "server.example.com:80",
        "/chat#fragment",
        "ftp://server.example.com/",
        "ws://server.example.com/",
        "http:///chat",
        "http://user@server.example.com/",
        "http://server.example.com:99999/",
    ] {
        let request = Lines::request().start(&format!("GET {target} HTTP/1.1"));
        assert_eq!(request.refused(&policy()), (400, Reason::Target), "{target}");
    }
}

#[test]
fn an_absolute_target_says_which_host_is_meant() {
    let bytes = Lines::request().start("GET http://other.example/chat HTTP/1.1").bytes();
    assert_eq!(read(&bytes).authority(), Some("other.example"));
    let bytes = Lines::request().bytes();
    assert_eq!(read(&bytes).authority(), Some("server.example.com"));
}

#[test]
fn a_target_that_is_not_visible_ascii_is_refused() {
    // Another HTTP stack may let such a target through.
    let bytes = Lines::request().bytes();
    let base = read(&bytes);
    for target in ["/caf\u{e9}", "/a b", "/a\r\nX: y", "/\0", ""] {
        let request = Request { target, ..base.clone() };
        let refusal = server::evaluate(&request, &policy()).unwrap_err();
        assert_eq!(refusal.reason(), Reason::Target, "{target:?}");
    }
    let long = format!("/{}", "a".repeat(8 * 1024));
    let request = Request { target: &long, ..base };
    assert_eq!(server::evaluate(&request, &policy()).unwrap_err().status(), 414);
}

#[test]
fn one_valid_host_is_required() {
    // WS-HS-03.
    assert_eq!(Lines::request().drop("Host").refused(&policy()), (400, Reason::HostMissing));
    let twice = Lines::request().add("Host: server.example.com");
    assert_eq!(twice.refused(&policy()), (400, Reason::HostInvalid));
    for host in ["", "a b", "a/b", "user@a", "a:b", "a:70000", "[::1", "[zz]", "a, b", "a:80:80"] {
        let request = Lines::request().set(&format!("Host: {host}"));
        assert_eq!(request.refused(&policy()), (400, Reason::HostInvalid), "{host}");
    }
    for host in ["localhost", "localhost:9001", "127.0.0.1:80", "[::1]:9001", "a_b.example."] {
        assert!(Lines::request().set(&format!("Host: {host}")).ask(&policy()).is_ok(), "{host}");
    }
}

#[test]
fn upgrade_and_connection_may_be_lists_in_any_case() {
    // WS-HS-04, WS-RG-01.
    for (upgrade, connection) in [
        ("WebSocket", "upgrade"),
        ("WEBSOCKET", "UPGRADE"),
        ("h2c, websocket", "keep-alive, Upgrade"),
        ("websocket , foo/2", "Upgrade,HTTP2-Settings"),
        (" \twebsocket\t ", ",Upgrade ,"),
    ] {
        let request = Lines::request()
            .set(&format!("Upgrade: {upgrade}"))
            .set(&format!("Connection: {connection}"));
        assert!(request.ask(&policy()).is_ok(), "{upgrade} {connection}");
    }
    let spread = Lines::request().set("Connection: keep-alive").add("connection: Upgrade");
    assert!(spread.ask(&policy()).is_ok());
}

#[test]
fn requests_for_no_upgrade_are_told_what_to_upgrade_to() {
    // WS-HS-01, WS-HS-04, WS-HS-12.
    for request in [
        Lines::request().drop("Upgrade"),
        Lines::request().set("Upgrade: h2c"),
        Lines::request().set("Upgrade: websocket/13"),
        Lines::request().set("Upgrade: websockets"),
        Lines::request().set("Upgrade: web socket"),
    ] {
        assert_eq!(request.refused(&policy()), (426, Reason::UpgradeMissing));
        let refusal = request.ask(&policy()).unwrap_err();
        assert_eq!(field(refusal.headers(), "Upgrade"), Some("websocket"));
        assert_eq!(field(refusal.headers(), "Connection"), Some("Upgrade, close"));
        assert_eq!(field(refusal.headers(), "Sec-WebSocket-Version"), Some("13"));
    }
    for request in [
        Lines::request().drop("Connection"),
        Lines::request().set("Connection: keep-alive"),
        Lines::request().set("Connection: Upgraded"),
        Lines::request().set("Connection: \"Upgrade\""),
    ] {
        assert_eq!(request.refused(&policy()), (400, Reason::ConnectionMissing));
    }
}

#[test]
fn there_is_one_key_of_sixteen_octets() {
    // WS-HS-05, WS-SV-02.
    let missing = Lines::request().drop("Sec-WebSocket-Key");
    assert_eq!(missing.refused(&policy()), (400, Reason::KeyMissing));
    for second in [KEY, "AAAAAAAAAAAAAAAAAAAAAA=="] {
        let twice = Lines::request().add(&format!("sec-websocket-key: {second}"));
        assert_eq!(twice.refused(&policy()), (400, Reason::KeyInvalid));
    }
    for key in [
        "",
        "dGhlIHNhbXBsZSBub25jZQ",    // no padding
        "dGhlIHNhbXBsZSBub25jZQ=",   // half of it
        "dGhlIHNhbXBsZSBub25jZQ===", // too much
        "dGhlIHNhbXBsZSBub25jZVE=",  // 17 octets
        "dGhlIHNhbXBsZSBub25j",      // 15 octets
        "dGhlIHNhbXBsZSBub2 5jZQ==", // a blank inside
        "dGhlIHNhbXBsZSBub25-ZQ==",  // the other alphabet
        "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==",
        "=========================",
        "dGhlIHNhbXBsZSBub25j====",
        "dGhlIHNhbXBsZSBub25j\u{e9}Q==",
    ] {
        let request = Lines::request().set(&format!("Sec-WebSocket-Key: {key}"));
        assert_eq!(request.refused(&policy()), (400, Reason::KeyInvalid), "{key}");
    }
}

#[test]
fn there_is_one_version_as_the_grammar_writes_it() {
    // WS-HS-06: exactly one, 0 to 255, no leading zeros.
    let missing = Lines::request().drop("Sec-WebSocket-Version");
    assert_eq!(missing.refused(&policy()), (400, Reason::VersionMissing));
    let twice = Lines::request().add("Sec-WebSocket-Version: 13");
    assert_eq!(twice.refused(&policy()), (400, Reason::VersionInvalid));
    for version in
        ["", "013", "13, 8", "+13", "-1", "256", "1300", "1 3", "0x0d", "00", "13.0", "x"]
    {
        let request = Lines::request().set(&format!("Sec-WebSocket-Version: {version}"));
        assert_eq!(request.refused(&policy()), (400, Reason::VersionInvalid), "{version}");
        let refusal = request.ask(&policy()).unwrap_err();
        assert_eq!(field(refusal.headers(), "Sec-WebSocket-Version"), Some("13"));
    }
}

#[test]
fn unknown_versions_are_told_the_known_ones() {
    // WS-HS-12, HYBI-002, HYBI-003, WS-RG-04: 0 to 255 are versions, most of them not spoken.
    for number in (0..=255u8).filter(|number| *number != 13) {
        let request = Lines::request_of_version(number);
        assert_eq!(request.refused(&policy()), (426, Reason::VersionUnsupported), "{number}");
    }
    let all = Policy { versions: Versions::WITH_INTERIM, ..policy() };
    let refusal = Lines::request_of_version(9).ask(&all).unwrap_err();
    assert_eq!(field(refusal.headers(), "Sec-WebSocket-Version"), Some("13, 8, 7, 6"));
    let some = Policy { versions: Versions::RFC6455.with(Version::Draft8), ..policy() };
    let refusal = Lines::request_of_version(7).ask(&some).unwrap_err();
    assert_eq!(field(refusal.headers(), "Sec-WebSocket-Version"), Some("13, 8"));
}

#[test]
fn an_unknown_version_is_told_so_even_if_its_key_looks_different() {
    // WS-HS-12: a later version may have other rules for its key.
    let request = Lines::request_of_version(14).drop("Sec-WebSocket-Key");
    assert_eq!(request.refused(&policy()), (426, Reason::VersionUnsupported));
}

#[test]
fn a_handshake_has_no_body() {
    // WS-HS-01, WS-SV-02: the seeds of request smuggling.
    for field in [
        "Content-Length: 1",
        "Content-Length: 00",
        "Content-Length: +0",
        "Content-Length: ",
        "Content-Length: 0, 0",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "transfer-encoding:",
    ] {
        let request = Lines::request().add(field);
        assert_eq!(request.refused(&policy()), (400, Reason::Body), "{field}");
    }
    let twice = Lines::request().add("Content-Length: 0").add("content-length: 0");
    assert_eq!(twice.refused(&policy()), (400, Reason::Body));
    assert!(Lines::request().add("Content-Length: 0").ask(&policy()).is_ok());
}

#[test]
fn no_origin_is_no_browser() {
    // WS-HS-07, WS-SV-05.
    for origins in [
        OriginPolicy::Any,
        OriginPolicy::SameHost,
        OriginPolicy::List(vec!["https://app.example.com".to_owned()]),
    ] {
        let policy = Policy { origins, ..policy() };
        assert!(Lines::request().ask(&policy).is_ok());
    }
}

#[test]
fn origins_are_matched_against_the_list() {
    // WS-HS-11, WS-HS-20.
    let list =
        ["https://app.example.com", "http://localhost:3000", "null", "chrome-extension://abc"];
    let list = list.iter().map(|origin| (*origin).to_owned()).collect();
    let policy = Policy { origins: OriginPolicy::List(list), ..policy() };
    for origin in [
        "https://app.example.com",
        "HTTPS://APP.EXAMPLE.COM",
        "https://app.example.com:443",
        "http://localhost:3000",
        "chrome-extension://abc",
        "null",
    ] {
        let acceptance = Lines::request().add(&format!("Origin: {origin}")).ask(&policy).unwrap();
        assert_eq!(acceptance.origin.as_deref(), Some(origin));
    }
    for origin in [
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://evil.example/https://app.example.com",
        "https://app.example.com@evil.example",
        "https://app.example.com https://evil.example",
        "https://app.example.com/",
        "http://localhost",
        "NULL",
        "",
        "\u{fc}",
    ] {
        let request = Lines::request().add(&format!("Origin: {origin}"));
        assert_eq!(request.refused(&policy), (403, Reason::OriginNotAllowed), "{origin}");
    }
}

#[test]
fn the_same_host_may_connect() {
    // WS-HS-11.
    let policy = Policy { origins: OriginPolicy::SameHost, ..policy() };
    for (host, origin) in [
        ("server.example.com", "https://server.example.com"),
        ("server.example.com", "http://SERVER.example.com"),
        ("server.example.com:8080", "http://server.example.com:8080"),
        ("server.example.com:443", "https://server.example.com"),
        ("[::1]:9001", "http://[::1]:9001"),
    ] {
        let request =
            Lines::request().set(&format!("Host: {host}")).add(&format!("Origin: {origin}"));
        assert!(request.ask(&policy).is_ok(), "{host} {origin}");
    }
    for (host, origin) in [
        ("server.example.com", "https://other.example.com"),
        ("server.example.com", "https://server.example.com:8443"),
        ("server.example.com:8080", "http://server.example.com"),
        ("server.example.com", "null"),
        ("server.example.com", "server.example.com"),
    ] {
        let request =
            Lines::request().set(&format!("Host: {host}")).add(&format!("Origin: {origin}"));
        assert_eq!(request.refused(&policy), (403, Reason::OriginNotAllowed), "{host} {origin}");
    }
}

#[test]
fn two_origins_are_none() {
    // WS-HS-01: RFC 6454 allows one.
    let request = Lines::request().add("Origin: http://a").add("Origin: http://a");
    assert_eq!(request.refused(&policy()), (400, Reason::OriginRepeated));
}

#[test]
fn the_servers_preference_decides_the_subprotocol() {
    // WS-HS-14, WS-HS-18 (several fields are one list).
    let request = Lines::request()
        .add("Sec-WebSocket-Protocol: xmpp, amqp")
        .add("X-Between: 1")
        .add("sec-websocket-protocol: v1.mbws.example");
    let chosen = |names: &[&str]| request.ask(&speaking(names)).unwrap().agreement.subprotocol;
    assert_eq!(chosen(&["amqp", "xmpp"]).as_deref(), Some("amqp"));
    assert_eq!(chosen(&["v1.mbws.example", "amqp"]).as_deref(), Some("v1.mbws.example"));
    // Names are compared with their letter case, as RFC 2616 tokens (WS-RG-03).
    assert_eq!(chosen(&["AMQP"]), None);
    assert_eq!(chosen(&["amq"]), None);
    assert_eq!(chosen(&[]), None);

    let acceptance = request.ask(&speaking(&["xmpp"])).unwrap();
    assert_eq!(field(acceptance.headers(), "Sec-WebSocket-Protocol"), Some("xmpp"));
    let acceptance = request.ask(&speaking(&["other"])).unwrap();
    assert_eq!(field(acceptance.headers(), "Sec-WebSocket-Protocol"), None);
}

#[test]
fn a_required_subprotocol_is_required() {
    let policy = Policy { require_subprotocol: true, ..speaking(&["amqp"]) };
    assert_eq!(Lines::request().refused(&policy), (400, Reason::SubprotocolRequired));
    let other = Lines::request().add("Sec-WebSocket-Protocol: xmpp");
    assert_eq!(other.refused(&policy), (400, Reason::SubprotocolRequired));
    let right = Lines::request().add("Sec-WebSocket-Protocol: xmpp, amqp");
    assert!(right.ask(&policy).is_ok());
}

#[test]
fn subprotocols_that_break_the_grammar_are_refused() {
    // WS-A06, WS-HS-01, WS-HS-18.
    for value in ["", ",", "a,,b", "a,", ",a", "a b", "a;b", "\"a\"", "a\u{e9}", "a/b", "a, (b)"] {
        let request = Lines::request().add(&format!("Sec-WebSocket-Protocol: {value}"));
        assert_eq!(request.refused(&policy()), (400, Reason::SubprotocolsMalformed), "{value}");
    }
    // WS-A06: repetitions are ignored, however many.
    let repeated = Lines::request()
        .add(&format!("Sec-WebSocket-Protocol: {}", ["a"; 100].join(", ")))
        .add("Sec-WebSocket-Protocol: a");
    assert!(repeated.ask(&speaking(&["a"])).is_ok());
}

#[test]
fn a_policy_cannot_put_anything_but_a_token_into_the_answer() {
    let request = Lines::request().add("Sec-WebSocket-Protocol: a");
    let acceptance = request.ask(&speaking(&["", "a b", "x\r\nSet-Cookie: y", "a"])).unwrap();
    assert_eq!(acceptance.agreement.subprotocol.as_deref(), Some("a"));
}

#[test]
fn no_field_of_an_answer_is_repeated() {
    // WS-HS-17.
    let policy = Policy { deflate: Some(Default::default()), ..speaking(&["a"]) };
    let request = Lines::request()
        .add("Sec-WebSocket-Protocol: a, b")
        .add("Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate");
    let acceptance = request.ask(&policy).unwrap();
    let mut names: Vec<_> = acceptance.headers().map(|(name, _)| name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), count), (5, 5));
}

#[test]
fn the_application_refuses_in_its_own_way() {
    // WS-HS-10, WS-HS-13, WS-SV-03.
    let refusal =
        Refusal::with_status(401).header("WWW-Authenticate", "Basic realm=\"x\"").unwrap();
    let mut wire = Vec::new();
    refusal.write(&mut wire);
    let wire = String::from_utf8(wire).unwrap();
    assert!(wire.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{wire}");
    assert!(wire.contains("\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"), "{wire}");
    assert!(wire.contains("\r\nContent-Length: 13\r\n"), "{wire}");
    assert!(wire.ends_with("\r\n\r\nUnauthorized\n"), "{wire}");

    assert_eq!(Refusal::with_status(404).status(), 404);
    assert_eq!(Refusal::with_status(307).status(), 307);
    // What would not refuse is an error of ours.
    assert_eq!(Refusal::with_status(101).status(), 500);
    assert_eq!(Refusal::with_status(200).status(), 500);
}

#[test]
fn a_refusal_cannot_be_split() {
    for (name, value) in [
        ("Location", "/x\r\nSet-Cookie: y"),
        ("Location", "/x\n"),
        ("Location", "/x\0"),
        ("Bad Name", "x"),
        ("", "x"),
        ("X:", "x"),
    ] {
        assert!(Refusal::with_status(302).header(name, value).is_err(), "{name}: {value:?}");
    }
}

#[test]
fn attempts_at_a_websocket_are_told_from_plain_http() {
    let attempt = |lines: &Lines| is_upgrade(&read(&lines.bytes()));
    assert!(attempt(&Lines::request()));
    // Faulty attempts are attempts: they get the refusal that says what is wrong.
    assert!(attempt(&Lines::request().drop("Connection")));
    assert!(attempt(&Lines::request().drop("Upgrade")));
    assert!(attempt(&Lines::request().start("POST / HTTP/1.1")));
    assert!(!attempt(&Lines::of(&["GET / HTTP/1.1", "Host: a"])));
    assert!(!attempt(&Lines::of(&[
        "GET / HTTP/1.1",
        "Host: a",
        "Upgrade: h2c",
        "Connection: Upgrade"
    ])));
}

#[test]
fn a_request_of_another_http_stack_is_judged_alike() {
    // Names in lower case, values untrimmed.
    let header = |name, value: &'static str| Header { name, value: value.as_bytes() };
    let request = Request {
        method: "GET",
        target: "/chat",
        version_minor: 1,
        headers: vec![
            header("host", "server.example.com"),
            header("upgrade", " websocket "),
            header("connection", "keep-alive, Upgrade"),
            header("sec-websocket-key", " dGhlIHNhbXBsZSBub25jZQ== "),
            header("sec-websocket-version", "13"),
        ],
    };
    assert_eq!(server::evaluate(&request, &policy()).unwrap().accept_key, ACCEPT);
}
