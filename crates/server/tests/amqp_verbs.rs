//! The verbs that are clients, speaking AMQP with the real broker.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, Scratch, run, stderr, stdout, wharf};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

/// Listens for AMQP without a WebSocket, too.
const AMQP: [&str; 2] = ["--set", "amqp.listen_address=127.0.0.1:0"];

fn websocket_url(broker: &Broker) -> String {
    format!("ws://ada:secret@{}/ws", broker.address)
}

fn amqp_url(broker: &Broker) -> String {
    let address = broker.greeting.split("amqp://").nth(1).unwrap().lines().next().unwrap();
    format!("amqp://ada:secret@{}", address.trim())
}

fn pipe(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn send(address: &str, url: &str, input: &[u8]) -> Output {
    pipe(wharf(["send", address, "--protocol", "amqp", "--url", url]), input)
}

fn receive(address: &str, url: &str, more: &[&str]) -> Output {
    let mut command = wharf(["receive", address, "--protocol", "amqp", "--url", url]);
    command.args(more).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn lines_go_in_and_come_out_on_either_carrier() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &AMQP);
    let lines = "one\n\ntwo \u{2713}\nthree";
    let (websocket, amqp) = (websocket_url(&broker), amqp_url(&broker));
    for (out, into) in [(&websocket, &amqp), (&amqp, &websocket)] {
        let sent = send("orders", out, lines.as_bytes());
        assert_eq!((sent.status.code(), stderr(&sent)), (Some(0), String::new()));
        let first = receive("orders", into, &["-n", "1"]);
        assert_eq!((first.status.code(), stdout(&first).as_str()), (Some(0), "one\n"));
        let rest = receive("orders", into, &[]);
        let expected = "\ntwo \u{2713}\nthree\n";
        assert_eq!((rest.status.code(), stdout(&rest).as_str()), (Some(0), expected));
        let empty = receive("orders", into, &[]);
        assert_eq!(empty.status.code(), Some(2), "what was written is acknowledged");
    }
    let late = receive("orders", &amqp, &["-n", "1", "--timeout", "1"]);
    assert_eq!(late.status.code(), Some(124), "{}", stderr(&late));
}

#[test]
fn a_large_file_goes_whole() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &AMQP);
    let text = scratch.file("text", &"0123456789".repeat(300_000)).display().to_string();
    let url = amqp_url(&broker);
    let sent = run(["send", "orders", "--url", &url, "--file", &text]);
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let received = receive("orders", &websocket_url(&broker), &["-n", "1"]);
    assert_eq!(received.status.code(), Some(0), "{}", stderr(&received));
    assert!(received.stdout.len() == 3_000_001 && received.stdout.starts_with(b"0123456789"));
}

#[test]
fn exit_codes_are_those_of_every_protocol() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &AMQP);
    let wrong = amqp_url(&broker).replace("secret", "guess");
    let wrong = receive("orders", &wrong, &[]);
    assert_eq!(wrong.status.code(), Some(77), "{}", stderr(&wrong));
    assert!(!stderr(&wrong).contains("guess"));
    let nobody = receive("orders", "amqp://127.0.0.1:1", &[]);
    assert_eq!(nobody.status.code(), Some(69), "{}", stderr(&nobody));
    let reserved = send("wharf/reserved", &amqp_url(&broker), b"x\n");
    assert_eq!(reserved.status.code(), Some(1), "{}", stderr(&reserved));
    let mixed = run(["receive", "orders", "--protocol", "mbws", "--url", "amqp://127.0.0.1:1"]);
    assert_eq!(mixed.status.code(), Some(64), "{}", stderr(&mixed));
    let path = run(["receive", "orders", "--url", "amqp://127.0.0.1:1/orders"]);
    assert_eq!(path.status.code(), Some(64), "{}", stderr(&path));
    let presettled = run(["bench", "--presettled", "--url", "ws://127.0.0.1:1/ws"]);
    assert_eq!(presettled.status.code(), Some(64), "{}", stderr(&presettled));
}

/// With SCRAM, as the verifiers of `wharf passwd hash` have it.
#[test]
fn a_user_without_permission_is_77() {
    let scratch = Scratch::new();
    let hashed = pipe(wharf(["passwd", "hash"]), b"secret\n");
    let verifier = stdout(&hashed).trim().to_owned();
    let config = scratch.file(
        "wharf.toml",
        &format!(
            "[[users]]\nname = \"ada\"\npassword_verifier = \"{verifier}\"\n\
             [[users.permissions]]\npattern = \"orders\"\nsend = true\n"
        ),
    );
    let config = config.display().to_string();
    let broker = Broker::start_bare(scratch.path(), &["--config", &config]);
    let url = websocket_url(&broker);
    let sent = send("orders", &url, b"hello\n");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    for refused in [receive("orders", &url, &[]), send("other", &url, b"hello\n")] {
        assert_eq!(refused.status.code(), Some(77), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("amqp:unauthorized-access"), "{}", stderr(&refused));
    }
    let wrong = send("orders", &url.replace("secret", "guess"), b"hello\n");
    assert_eq!(wrong.status.code(), Some(77), "{}", stderr(&wrong));
}

#[test]
fn bench_counts_what_it_says() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &AMQP);
    let url = amqp_url(&broker);
    let websocket = websocket_url(&broker);
    for (url, more, again) in [
        (&url, &["--window", "64"][..], "--window 64 --rate 0 --credit 4096\n"),
        (&websocket, &["--protocol", "amqp", "--rate", "2000"], "--protocol amqp "),
        (&url, &["--presettled"], "--credit 4096 --presettled\n"),
    ] {
        let bench = ["bench", "--messages", "300", "--size", "64", "--url", url];
        let output = wharf(bench).args(more).output().unwrap();
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
        for part in [
            "stored     600 messages of 64 B",
            "received   600 messages",
            "us for each message",
            "lost 0, duplicated 0, reordered 0, unconfirmed 0, repeated and marked so 0",
            again,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("secret"), "the login is not printed: {text}");
    }
}

#[test]
fn the_demo_loses_nothing() {
    let demo = ["demo", "--protocol", "amqp", "--seconds", "2", "--kill-every", "700"];
    let output = wharf(demo).args(["--cut-every", "8000", "--seed", "7"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("Nothing lost, and what came twice said so"), "{text}");
}

/// WSB-070, WSB-072: what one broker does not have, the client gets from the other.
#[test]
fn addresses_are_found_where_they_are() {
    let (near, far) = (Scratch::new(), Scratch::new());
    let elsewhere = Broker::start(far.path(), &AMQP);
    for place in [format!("ws://{}/ws", elsewhere.address), amqp_url(&elsewhere)] {
        let place = place.replace("ada:secret@", "");
        let mut config = std::fs::read_to_string(harness::user_file(near.path())).unwrap();
        config += &format!("[[locations]]\naddresses = \"eu/**\"\nurl = \"{place}\"\n");
        let config = near.file("near.toml", &config).display().to_string();
        let broker = Broker::start_bare(near.path(), &["--config", &config]);
        let url = websocket_url(&broker);
        let sent = send("eu/orders", &url, b"bonjour\n");
        assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
        let received = receive("eu/orders", &websocket_url(&elsewhere), &["-n", "1"]);
        assert_eq!(stdout(&received), "bonjour\n");
        let sent = send("eu/orders", &amqp_url(&elsewhere), b"salut\n");
        assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
        let received = receive("eu/orders", &url, &["-n", "1"]);
        assert_eq!(stdout(&received), "salut\n", "{}", stderr(&received));
        broker.kill();
    }
}

/// WSB-060: whoever is connected to a broker that is drained goes where it says.
#[test]
fn clients_of_a_drained_broker_move() {
    let (old, new) = (Scratch::new(), Scratch::new());
    let elsewhere = Broker::start(new.path(), &AMQP);
    let place = amqp_url(&elsewhere).replace("ada:secret@", "");
    let redirect = format!("shutdown.redirect_url={place}");
    let broker = Broker::start(old.path(), &["--set", &redirect]);
    let url = websocket_url(&broker);
    let mut follow = wharf(["receive", "orders", "--follow", "--protocol", "amqp", "--url", &url]);
    let mut child = follow.stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(send("orders", &url, b"one\n").status.code(), Some(0));
    let mut output = child.stdout.take().unwrap();
    let mut line = [0; 4];
    output.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"one\n");
    broker.signal(Signal::TERM);
    assert_eq!(broker.wait().code(), Some(0));
    assert_eq!(send("orders", &amqp_url(&elsewhere), b"two\n").status.code(), Some(0));
    output.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"two\n");
    child.kill().unwrap();
    child.wait().unwrap();
}
