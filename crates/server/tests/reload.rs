//! Settings read again while clients are connected, and a drain that is spread.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::socket::{Frame, Socket, connect};
use harness::{
    Broker, LOGIN, MBWS, Scratch, eventually, handshake, read_head, run, status, stderr, stdout,
    user_file,
};
use rustix::process::Signal;
use std::io::Write as _;
use std::net::TcpStream;

fn open(broker: &Broker) -> TcpStream {
    let mut stream = broker.connect();
    let request = handshake("/ws", &format!("{LOGIN}{MBWS}"));
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(status(&read_head(&mut stream)), 101);
    stream
}

/// A verb over the API as `root`.
fn verb(broker: &Broker, arguments: &[&str]) -> std::process::Output {
    let url = format!("http://root:secret@{}", broker.address);
    let mut all = arguments.to_vec();
    all.extend(["--url", &url]);
    run(all)
}

#[test]
fn a_hangup_reads_users_and_policies_again() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--user", "root:secret"]);
    let _stays = open(&broker);
    let path = user_file(scratch.path());
    let before = std::fs::read_to_string(&path).unwrap();
    let eve = before.replace("\"ada\"", "\"eve\"");
    let policy = "[[policies]]\npattern = \"news\"\nkind = \"topic\"\n";
    std::fs::write(&path, format!("{before}{eve}{policy}[session]\nretention_ms = 1234\n"))
        .unwrap();
    assert_eq!(broker.login("eve", "secret"), 401);
    broker.signal(Signal::HUP);
    eventually(|| broker.login("eve", "secret") == 101);
    let listed = verb(&broker, &["policy", "list", "-o", "jsonl"]);
    assert!(stdout(&listed).contains("\"pattern\":\"news\""), "{}", stdout(&listed));

    // A file that is broken changes nothing, and says why.
    std::fs::write(&path, format!("{before}[sesion]\n")).unwrap();
    let refused = verb(&broker, &["reload"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.contains("did you mean `session`") && said.contains("user.toml:"), "{said}");
    assert_eq!(broker.login("eve", "secret"), 101);

    // What needs a restart is named, and not used.
    std::fs::write(&path, format!("{before}[data]\nsegment_size_bytes = 1048576\n")).unwrap();
    let reloaded = verb(&broker, &["reload", "-o", "json"]);
    assert!(stdout(&reloaded).contains("\"data\""), "{}", stdout(&reloaded));
    let connections = verb(&broker, &["connection", "list", "--of", "ada", "-o", "jsonl"]);
    assert_eq!(stdout(&connections).lines().count(), 1, "nobody was sent away");
}

/// Nothing keeps such a broker, but the answer that it owes.
#[test]
fn a_drain_of_nobody_is_answered_before_the_end() {
    for turn in 0..20 {
        let scratch = Scratch::new();
        let broker = Broker::start(scratch.path(), &["--user", "root:secret"]);
        let drained = verb(&broker, &["drain", "--over", "10s"]);
        assert_eq!(drained.status.code(), Some(0), "{turn}: {}", stderr(&drained));
        assert!(broker.wait().success());
    }
}

#[test]
fn a_drain_sends_everybody_away_one_after_another() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--user", "root:secret"]);
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = Socket::open(&broker, "/ws?address=orders");
        connect(&mut client);
        clients.push(client);
    }
    let drained = verb(&broker, &["drain", "--over", "1s", "--close-code", "1012"]);
    assert_eq!(drained.status.code(), Some(0), "{}", stderr(&drained));
    let ready = broker.get("/readyz");
    assert_eq!(status(&ready), 503, "{ready}");
    assert_eq!(broker.login("ada", "secret"), 503, "nobody new");
    for mut client in clients {
        while client.next() != Frame::Close(1012) {}
        client.close(1012);
        assert!(client.ends());
    }
    assert!(broker.wait().success());
    // Every session is there for its client.
    let broker = Broker::start(scratch.path(), &["--user", "root:secret"]);
    let waiting = verb(&broker, &["session", "list", "--waiting", "-o", "jsonl"]);
    assert_eq!(stdout(&waiting).lines().count(), 5, "{}", stdout(&waiting));
}

#[test]
fn who_comes_while_it_drains_is_sent_elsewhere() {
    let scratch = Scratch::new();
    let elsewhere = "shutdown.redirect_url=ws://other.example/ws";
    let broker = Broker::start(scratch.path(), &["--user", "root:secret", "--set", elsewhere]);
    let drained = verb(&broker, &["drain", "--keep-running"]);
    assert_eq!(drained.status.code(), Some(0), "{}", stderr(&drained));
    eventually(|| status(&broker.get("/readyz")) == 503);
    let mut stream = broker.connect();
    let request = handshake("/ws", &format!("{LOGIN}{MBWS}Connection: close\r\n"));
    stream.write_all(request.as_bytes()).unwrap();
    let head = read_head(&mut stream);
    assert_eq!(status(&head), 307, "{head}");
    assert!(head.contains("Location: ws://other.example/ws\r\n"), "{head}");
    drop(stream);
}
