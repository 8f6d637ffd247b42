//! The verbs that are clients, speaking XMPP with the real broker.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, Scratch, run, stderr, stdout, wharf};
use std::io::Write;
use std::process::{Output, Stdio};

fn url(broker: &Broker, user: &str) -> String {
    format!("ws://{user}:secret@{}/ws", broker.address)
}

fn send(address: &str, url: &str, more: &[&str], input: &[u8]) -> Output {
    let mut command = wharf(["send", address, "--protocol", "xmpp", "--url", url]);
    command.args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn receive(address: &str, url: &str, more: &[&str]) -> Output {
    let mut command = wharf(["receive", address, "--url", url]);
    command.args(more).stdin(Stdio::null()).output().unwrap()
}

const XMPP: [&str; 2] = ["--protocol", "xmpp"];

/// XWS-086: what is written is acknowledged, and not there any more.
#[test]
fn lines_go_in_and_come_out_of_a_queue() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let ada = url(&broker, "ada");
    let sent = send("orders/eu", &ada, &[], "one\n\ntwo \u{2713} <&>\nthree".as_bytes());
    assert_eq!((sent.status.code(), stderr(&sent)), (Some(0), String::new()));
    let first = receive("orders/eu", &ada, &["--protocol", "xmpp", "-n", "1"]);
    assert_eq!((first.status.code(), stdout(&first).as_str()), (Some(0), "one\n"));
    // And to a client of another protocol.
    let rest = receive("orders/eu", &ada, &[]);
    let expected = "\ntwo \u{2713} <&>\nthree\n";
    assert_eq!((rest.status.code(), stdout(&rest).as_str()), (Some(0), expected));
    let empty = receive("orders/eu", &ada, &XMPP);
    assert_eq!(empty.status.code(), Some(2), "{}", stderr(&empty));
}

#[test]
fn octets_and_types_survive_the_way() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let ada = url(&broker, "ada");
    let octets = scratch.path().join("octets");
    std::fs::write(&octets, b"\x00\xff\n<").unwrap();
    let octets = octets.display().to_string();
    let sent = send("orders", &ada, &["--file", &octets, "--content-type", "image/x"], b"");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let received = receive("orders", &ada, &["--protocol", "xmpp", "-n", "1"]);
    assert_eq!(received.stdout, b"\x00\xff\n<\n", "{}", stderr(&received));
}

/// RFC 6121 8.5.2.2.1: whoever is away gets it later.
#[test]
fn people_are_written_to_by_every_protocol() {
    let scratch = Scratch::new();
    let config = two_users(&scratch);
    let broker = Broker::start_bare(scratch.path(), &["--config", &config]);
    let (ada, bob) = (url(&broker, "ada"), url(&broker, "bob"));
    let sent = send("xmpp:bob@localhost", &ada, &[], b"from a friend\n");
    assert_eq!((sent.status.code(), stderr(&sent)), (Some(0), String::new()));
    let mut mbws = wharf(["send", "xmpp:bob@localhost", "--url", &ada]);
    mbws.stdin(Stdio::piped());
    let mut child = mbws.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"from a program\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let received = receive("xmpp:bob@localhost", &bob, &["--protocol", "xmpp", "-n", "2"]);
    assert_eq!(stdout(&received), "from a friend\nfrom a program\n", "{}", stderr(&received));
    let other = receive("xmpp:ada@localhost", &bob, &XMPP);
    assert!(stderr(&other).contains("somebody else"), "{}", stderr(&other));
}

#[test]
fn exit_codes_are_those_of_every_protocol() {
    let scratch = Scratch::new();
    let config = two_users(&scratch);
    let broker = Broker::start_bare(scratch.path(), &["--config", &config]);
    let (ada, bob) = (url(&broker, "ada"), url(&broker, "bob"));
    let wrong = receive("orders", &ada.replace("secret", "guess"), &XMPP);
    assert_eq!(wrong.status.code(), Some(77), "{}", stderr(&wrong));
    assert!(!stderr(&wrong).contains("guess"));
    // Bob may write to people, and to `orders`.
    for refused in [receive("orders", &bob, &XMPP), send("other", &bob, &[], b"x\n")] {
        assert_eq!(refused.status.code(), Some(77), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("forbidden"), "{}", stderr(&refused));
    }
    let sent = send("orders", &bob, &[], b"x\n");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let nobody = send("xmpp:nobody@localhost", &bob, &[], b"x\n");
    assert_eq!(nobody.status.code(), Some(1), "{}", stderr(&nobody));
    let host = send("orders", &ada, &["--host", "example.org"], b"x\n");
    assert_eq!(host.status.code(), Some(2), "{}", stderr(&host));
    let away = receive("orders", "ws://127.0.0.1:1/ws", &XMPP);
    assert_eq!(away.status.code(), Some(69), "{}", stderr(&away));
    let mixed = receive("orders", "amqp://127.0.0.1:1", &XMPP);
    assert_eq!(mixed.status.code(), Some(64), "{}", stderr(&mixed));
}

/// Two users, of whom one may do everything.
fn two_users(scratch: &Scratch) -> String {
    let mut hash = wharf(["passwd", "hash"]);
    hash.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = hash.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    let verifier = stdout(&child.wait_with_output().unwrap());
    let verifier = verifier.trim();
    let config = format!(
        "[[users]]\nname = \"ada\"\npassword_verifier = \"{verifier}\"\n\
         [[users.permissions]]\npattern = \"**\"\nsend = true\nreceive = true\n\
         [[users]]\nname = \"bob\"\npassword_verifier = \"{verifier}\"\n\
         [[users.permissions]]\npattern = \"xmpp:**\"\nsend = true\n\
         [[users.permissions]]\npattern = \"orders\"\nsend = true\n"
    );
    scratch.file("wharf.toml", &config).display().to_string()
}

#[test]
fn bench_counts_what_it_says() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let ada = url(&broker, "ada");
    let bench = ["bench", "--messages", "300", "--size", "64", "--url", &ada];
    let output = run(bench.into_iter().chain(XMPP));
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    for part in ["stored     600 messages of 64 B", "received   600 messages", "--protocol xmpp"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// XWS-060: a host that is served elsewhere is found there.
#[test]
fn a_redirect_is_followed() {
    let scratch = Scratch::new();
    let other = Scratch::new();
    let there = Broker::start(other.path(), &["--set", "listen.hosts=[\"away.example\"]"]);
    let config = std::fs::read_to_string(two_users(&scratch)).unwrap();
    let location = format!(
        "{config}[[locations]]\nhost = \"away.example\"\nurl = \"ws://{}/ws\"\n",
        there.address
    );
    let config = scratch.file("here.toml", &location).display().to_string();
    let here = Broker::start_bare(scratch.path(), &["--config", &config]);
    let more = ["--host", "away.example"];
    let sent = send("orders", &url(&here, "ada"), &more, b"moved\n");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let more = ["--protocol", "xmpp", "--host", "away.example", "-n", "1"];
    let received = receive("orders", &url(&there, "ada"), &more);
    assert_eq!(stdout(&received), "moved\n", "{}", stderr(&received));
}
