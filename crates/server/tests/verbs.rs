//! The verbs that are clients: pipes in, pipes out, and exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, Scratch, run, stderr, stdout, wharf};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

fn url(broker: &Broker) -> String {
    format!("ws://ada:secret@{}/ws", broker.address)
}

fn pipe(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn lines_go_in_and_come_out() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let url = url(&broker);
    let lines = "one\n\ntwo \u{2713}\nthree";
    let sent = pipe(wharf(["send", "orders", "--url", &url]), lines.as_bytes());
    assert_eq!((sent.status.code(), stderr(&sent)), (Some(0), String::new()));
    assert!(stdout(&sent).is_empty());

    let first = run(["receive", "orders", "-n", "1", "--url", &url]);
    assert_eq!((first.status.code(), stdout(&first).as_str()), (Some(0), "one\n"));
    let rest = run(["receive", "orders", "--url", &url]);
    assert_eq!((rest.status.code(), stdout(&rest).as_str()), (Some(0), "\ntwo \u{2713}\nthree\n"));
    let empty = run(["receive", "orders", "--url", &url]);
    assert_eq!(empty.status.code(), Some(2), "what was written is acknowledged");
    let late = run(["receive", "orders", "-n", "1", "--timeout", "1", "--url", &url]);
    assert_eq!(late.status.code(), Some(124), "{}", stderr(&late));
}

#[test]
fn files_go_whole() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let url = url(&broker);
    let text = scratch.file("text", "two\nlines");
    let binary = scratch.path().join("binary");
    std::fs::File::create(&binary).unwrap().write_all(b"\x00\xff\x00").unwrap();
    let mut send = wharf(["send", "orders", "--url", &url, "--file"]);
    let sent = send.arg(&text).arg("--file").arg(&binary).output().unwrap();
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let received = run(["receive", "orders", "-n", "2", "--url", &url]);
    assert_eq!(received.stdout, b"two\nlines\n\x00\xff\x00\n");

    let missing = run(["send", "orders", "--url", &url, "--file", "/does/not/exist"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("/does/not/exist"), "{}", stderr(&missing));
}

#[test]
fn the_login_can_come_from_outside_the_command_line() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let url = format!("ws://{}/ws", broker.address);
    let receive = |user: &str| wharf(["receive", "orders", "--url", &url, "--user", user]);
    let by_environment = receive("ada").env("WHARF_PASSWORD", "secret").output().unwrap();
    assert_eq!(by_environment.status.code(), Some(2), "{}", stderr(&by_environment));
    let file = scratch.file("password", "secret\n");
    let by_file = receive("ada").arg("--password-file").arg(file).output().unwrap();
    assert_eq!(by_file.status.code(), Some(2), "{}", stderr(&by_file));
    let wrong = receive("ada").env("WHARF_PASSWORD", "guess").output().unwrap();
    assert_eq!(wrong.status.code(), Some(77), "{}", stderr(&wrong));
    assert!(!stderr(&wrong).contains("guess"));
}

#[test]
fn exit_codes_of_brokers_that_are_not_there() {
    let nobody = run(["receive", "orders", "--url", "ws://127.0.0.1:1/ws"]);
    assert_eq!(nobody.status.code(), Some(69), "{}", stderr(&nobody));
    let usage = run(["receive", "orders", "--url", "http://127.0.0.1:1/ws"]);
    assert_eq!(usage.status.code(), Some(64), "{}", stderr(&usage));
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let elsewhere = format!("ws://ada:secret@{}/elsewhere", broker.address);
    let not_found = run(["receive", "orders", "--url", &elsewhere]);
    assert_eq!(not_found.status.code(), Some(2), "{}", stderr(&not_found));
}

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
    assert!(!broker.greeting.contains("password"), "there is a user already");
    let url = url(&broker);
    let sent = pipe(wharf(["send", "orders", "--url", &url]), b"hello\n");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let received = run(["receive", "orders", "--url", &url]);
    assert_eq!(received.status.code(), Some(77), "{}", stderr(&received));
}

/// A reader that goes away leaves the rest to others at once: no session holds it back.
#[test]
fn what_is_not_written_is_not_acknowledged() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let url = url(&broker);
    // Larger than a pipe, so that the second cannot be written before the first is read.
    let lines: Vec<String> = (1..=5).map(|n| format!("{n}{}", "x".repeat(200_000))).collect();
    let sent = pipe(wharf(["send", "orders", "--url", &url]), lines.join("\n").as_bytes());
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let mut receive = wharf(["receive", "orders", "--follow", "--url", &url]);
    let mut child = receive.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = vec![0; lines[0].len() + 1];
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut first).unwrap();
    drop(output);
    assert_eq!(child.wait().unwrap().code(), Some(0), "a closed pipe is an end like any other");
    let rest = run(["receive", "orders", "-n", "4", "--url", &url]);
    assert!(stdout(&rest).lines().eq(&lines[1..]), "the others, in order");
}

#[test]
fn following_ends_with_a_signal() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let url = url(&broker);
    let sent = pipe(wharf(["send", "orders", "--url", &url]), b"one\n");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let mut receive = wharf(["receive", "orders", "--follow", "--url", &url]);
    let mut child = receive.stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(broker.get("/metrics").contains("\nwharf_sessions 0\n"), "none is left behind");
}

#[test]
fn what_was_stored_before_a_refusal_is_3() {
    let scratch = Scratch::new();
    let setting = "websocket.message_size_max_bytes=1000";
    let broker = Broker::start(scratch.path(), &["--set", setting]);
    let lines = format!("small\n{}\n", "x".repeat(2000));
    let mut send = wharf(["send", "orders", "--url", &url(&broker)]);
    send.args(["--window", "1"]);
    let sent = pipe(send, lines.as_bytes());
    assert_eq!(sent.status.code(), Some(3), "{}", stderr(&sent));
    assert!(stderr(&sent).contains("(1 message stored)"), "{}", stderr(&sent));
}

#[test]
fn bench_counts_what_it_says() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let url = url(&broker);
    let output = run(["bench", "--messages", "300", "--size", "64", "--url", &url]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for part in [
        "stored     600 messages of 64 B",
        "received   600 messages",
        "p99.9 ",
        "lost 0, duplicated 0, reordered 0, unconfirmed 0",
        "again: wharf bench --url ws://127",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("secret"), "the login is not printed: {text}");
}

#[test]
fn the_demo_loses_nothing() {
    let scratch = Scratch::new();
    let text = scratch.file("lines", "one\ntwo\nthree\n").display().to_string();
    let output = run([
        "demo",
        &text,
        "--seconds",
        "2",
        "--kill-every",
        "700",
        "--cut-every",
        "4000",
        "--seed",
        "7",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("Seed 7.") && text.contains("Nothing lost, nothing twice"), "{text}");
    let missing = run(["demo", "/does/not/exist"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn salvage_leaves_a_good_journal_alone() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let data = scratch.path().join("data").display().to_string();
    let busy = run(["salvage", "--data", &data]);
    assert_eq!(busy.status.code(), Some(69), "{}", stderr(&busy));
    broker.kill();
    let good = run(["salvage", "--data", &data]);
    assert_eq!(good.status.code(), Some(0), "{}", stderr(&good));
    assert!(stdout(&good).contains("nothing was done"), "{}", stdout(&good));
    assert_eq!(run(["salvage", "--data", "/does/not/exist"]).status.code(), Some(2));
}

#[test]
fn a_damaged_journal_is_not_served_until_it_is_salvaged() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let url = url(&broker);
    let lines: String = (0..2000).map(|n| format!("line {n}\n")).collect();
    assert!(pipe(wharf(["send", "orders", "--url", &url]), lines.as_bytes()).status.success());
    broker.kill();
    let data = scratch.path().join("data");
    damage(&data);
    let directory = data.display().to_string();
    let refused = run(["serve", "--listen", "127.0.0.1:0", "--data", &directory]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("wharf salvage --data"), "{}", stderr(&refused));
    let salvaged = run(["salvage", "--data", &directory]);
    assert_eq!(salvaged.status.code(), Some(0), "{}", stderr(&salvaged));
    let broker = Broker::start(scratch.path(), &[]);
    assert!(broker.get("/readyz").starts_with("HTTP/1.1 200"));
}

/// Turns the byte of a message in the oldest segment that holds one.
fn damage(data: &std::path::Path) {
    let needle = b"line 0";
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = Vec::new();
        std::fs::File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
        if let Some(at) = bytes.windows(needle.len()).position(|window| window == needle) {
            bytes[at] ^= 1;
            std::fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
            return;
        }
    }
    panic!("no segment holds the message");
}
