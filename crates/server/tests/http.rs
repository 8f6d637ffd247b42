//! Plain HTTP against the real binary, in hand-written bytes.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, Scratch, eventually, read_head, read_to_end, status};
use std::io::{Read, Write};

#[test]
fn probes_metrics_and_the_page() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    assert!(broker.get("/livez").ends_with("\r\n\r\nalive\n"));
    let ready = broker.get("/readyz");
    assert_eq!(status(&ready), 200, "{ready}");
    let page = broker.get("/");
    assert!(page.contains("Content-Type: text/html") && page.contains("Wharf is running"));

    let metrics = broker.get("/metrics");
    assert_eq!(status(&metrics), 200);
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    for name in [
        "wharf_build_info{version=",
        "wharf_connections ",
        "wharf_connections_opened_total{protocol=\"xmpp\"} 0",
        "wharf_messages_received_total{protocol=\"amqp\"} 0",
        "wharf_messages_delivered_total{protocol=\"xmpp\"} 0",
        "wharf_sessions_resumable 0",
        "wharf_store_frames_total ",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
}

#[test]
fn what_is_not_there_is_404_and_only_get_is_spoken() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    assert_eq!(status(&broker.get("/nothing")), 404);
    assert_eq!(status(&broker.get("/livez/")), 404);
    let post = broker
        .ask("POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    assert_eq!(status(&post), 405);
    assert!(post.contains("Allow: GET, HEAD\r\n"), "{post}");
    let head = broker.ask("HEAD /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(head.contains("Content-Length: 6\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert_eq!(status(&broker.ask("nonsense\r\n\r\n")), 400);
}

#[test]
fn requests_on_one_connection() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut stream = broker.connect();
    let one = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{one}{one}{last}").as_bytes()).unwrap();
    let answers = read_to_end(&mut stream);
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
}

#[test]
fn floods_of_headers_are_431() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let many = "X-Flood: 1\r\n".repeat(200);
    let answer = broker.ask(&format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"));
    assert_eq!(status(&answer), 431, "{answer}");
    let long = "x".repeat(64 << 10);
    let answer = broker.ask(&format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\n\r\n"));
    assert_eq!(status(&answer), 431, "{answer}");
    assert_eq!(status(&broker.get("/livez")), 200, "and nothing else is harmed");
}

#[test]
fn a_slow_head_is_given_up() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "listen.handshake_timeout_ms=200"]);
    // Nothing at all, and a head that never ends: both are closed by the broker.
    let mut silent = broker.connect();
    let mut slow = broker.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").unwrap();
    assert_eq!(silent.read(&mut [0; 16]).unwrap(), 0);
    assert_eq!(slow.read(&mut [0; 16]).unwrap_or(0), 0);
}

#[test]
fn an_idle_connection_is_given_up() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "http.idle_timeout_ms=200"]);
    let mut stream = broker.connect();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(status(&read_head(&mut stream)), 200);
    assert_eq!(read_to_end(&mut stream), "alive\n");
}

#[test]
fn connections_are_counted_by_address() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "listen.connections_per_ip_max=2"]);
    let held = [broker.connect(), broker.connect()];
    // The third is closed at once; it may even see its request refused by the system.
    let mut third = broker.connect();
    let _ = third.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(third.read(&mut [0; 16]).unwrap_or(0), 0);
    drop(held);
    // Places are given back; when, is up to the system.
    eventually(|| {
        let mut stream = broker.connect();
        let request = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(request).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    });
}

/// XEP-0156 3, XWS-090, XWS-092, XWS-A10.
#[test]
fn where_xmpp_is() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "http.trusted_proxies=[\"127.0.0.1\"]"]);
    let ask = |path: &str, headers: &str| {
        broker.ask(&format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"))
    };
    let xrd = ask("/.well-known/host-meta", "Host: im.example:8080\r\n");
    assert_eq!(status(&xrd), 200);
    assert!(xrd.contains("Access-Control-Allow-Origin: *\r\n"), "{xrd}");
    assert!(xrd.contains("Content-Type: application/xrd+xml"), "{xrd}");
    let link = "<Link rel='urn:xmpp:alt-connections:websocket' href='ws://im.example:8080/ws'/>";
    assert!(xrd.contains(link), "{xrd}");
    // Behind a proxy.
    let came = "Host: backend\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: im.example\r\n";
    let json = ask("/.well-known/host-meta.json", came);
    assert!(json.contains("Content-Type: application/json"), "{json}");
    let links = "{\"links\":[{\"rel\":\"urn:xmpp:alt-connections:websocket\",\"href\":\"wss://im.example/ws\"}]}\n";
    assert!(json.ends_with(links), "{json}");
    let post = broker.ask(
        "POST /.well-known/host-meta HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(status(&post), 405);
}

/// What the pages may do is said in a header: nothing inline, nothing from elsewhere.
#[test]
fn pages_come_out_of_the_binary() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    for (path, media, content) in [
        ("/demo", "text/html", "/demo/main.js"),
        ("/demo/main.js", "text/javascript", "import"),
        ("/console", "text/html", "/console/console.js"),
        ("/console/", "text/html", "/console/console.css"),
        ("/console/console.css", "text/css", "{"),
        ("/console/console.js", "text/javascript", "Wharf"),
    ] {
        let page = broker.get(path);
        assert_eq!(status(&page), 200, "{path}");
        assert!(page.contains(&format!("Content-Type: {media}; charset=utf-8\r\n")), "{path}");
        let policy =
            "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'";
        assert!(page.contains(policy) && page.contains(content), "{path}");
    }
    assert_eq!(status(&broker.get("/console/nothing.js")), 404);
    let post = "POST /demo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&broker.ask(post)), 405);
    let ready = broker.get("/readyz?verbose");
    assert!(status(&ready) == 200 && ready.contains("\"name\":\"journal\""), "{ready}");
    assert_eq!(status(&broker.get("/metrics/addresses")), 401);
}
