//! Behind a proxy that speaks the PROXY protocol.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{
    Broker, LOGIN, MBWS, PATIENCE, Scratch, connect, eventually, handshake, read_head, run, status,
    stderr, stdout, user_file,
};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A broker that everybody on this machine must introduce somebody to.
fn broker(scratch: &Scratch, more: &[&str]) -> Broker {
    let users = std::fs::read_to_string(user_file(scratch.path())).unwrap();
    let text = format!("{users}[[proxy_protocol]]\nfrom = \"127.0.0.0/8\"\n");
    let file = scratch.file("proxied.toml", &text);
    let mut arguments = vec!["--config", file.to_str().unwrap(), "--user", "root:secret"];
    arguments.extend(more);
    Broker::start_bare(scratch.path(), &arguments)
}

fn introduced(broker: &Broker, header: &str, request: &str) -> TcpStream {
    let mut stream = connect(broker.address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("{header}{request}").as_bytes()).unwrap();
    stream
}

/// What comes until the end, which may be a reset: nobody reads what was not introduced.
fn said(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8(said).unwrap()
}

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const CLIENT: &str = "PROXY TCP4 192.0.2.7 10.0.0.1 4660 443\r\n";

#[test]
fn a_client_is_who_the_proxy_says() {
    let scratch = Scratch::new();
    let broker = broker(&scratch, &["--set", "listen.connections_per_ip_max=2"]);
    let open = || {
        let mut stream = introduced(&broker, CLIENT, &handshake("/ws", &format!("{LOGIN}{MBWS}")));
        assert_eq!(status(&read_head(&mut stream)), 101);
        stream
    };
    let held = [open(), open()];
    // Both count for 192.0.2.7: the third is closed without a word, others of the proxy are not.
    let probe = || said(introduced(&broker, CLIENT, LIVEZ));
    assert_eq!(probe(), "");
    let other = "PROXY TCP6 2001::7 ::1 80 443\r\n";
    let ask = "GET /api/v1/connections HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
               Authorization: Basic cm9vdDpzZWNyZXQ=\r\n\r\n";
    let listed = said(introduced(&broker, other, ask));
    assert_eq!(listed.matches("192.0.2.7:4660").count(), 2, "{listed}");
    drop(held);
    eventually(|| probe().starts_with("HTTP/1.1 200"));
}

#[test]
fn nobody_comes_without_an_introduction() {
    let scratch = Scratch::new();
    let broker = broker(&scratch, &["--set", "listen.handshake_timeout_ms=300"]);
    for header in ["", "PROXY ", "PROXY TCP4 1.2.3.4\r\n", "\r\n\r\n"] {
        assert_eq!(said(introduced(&broker, header, LIVEZ)), "", "{header:?}");
    }
    // One that begins one and waits is given up; one that is a health check is served.
    assert_eq!(said(introduced(&broker, "PROXY UNK", "")), "");
    let own = introduced(&broker, "PROXY UNKNOWN\r\n", LIVEZ);
    assert_eq!(status(&said(own)), 200);
}

#[test]
fn a_network_that_is_none_is_named() {
    let scratch = Scratch::new();
    let file = scratch.file("wrong.toml", "[[proxy_protocol]]\nfrom = \"proxy\"\n");
    let output = run(["check", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("proxy_protocol[].from: `proxy`"), "{}", stdout(&output));
}
