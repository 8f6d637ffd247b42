//! The topics of the broker's own, over sockets: each tells in JSON what has happened, over each
//! protocol, to those who may know.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, Scratch, stderr, wharf};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::TryRecvError;

/// A listener that prints what it hears, until it is dropped.
struct Listener {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Listener {
    fn start(broker: &Broker, topic: &str, protocol: &str) -> Self {
        let mut command = wharf(["receive", topic, "--tail", "--protocol", protocol]);
        root(&mut command, broker);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The first that is wanted.
    fn hear(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the listener has ended");
            let heard: Value = serde_json::from_str(&line).unwrap();
            if wanted(&heard) {
                return heard;
            }
        }
    }
}

fn root(command: &mut Command, broker: &Broker) {
    command.env("WHARF_URL", format!("ws://{}/ws", broker.address));
    command.env("WHARF_USER", "root").env("WHARF_PASSWORD", "secret");
}

fn run(broker: &Broker, line: &str) {
    let mut command = wharf(line.split_whitespace());
    root(&mut command, broker);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{line}: {}", stderr(&output));
}

#[test]
fn the_broker_tells_how_it_is_over_every_protocol() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--user", "root:secret"]);
    for protocol in ["mbws", "amqp", "xmpp"] {
        let mut listener = Listener::start(&broker, "$wharf/overview", protocol);
        let first = listener.hear(|_| true);
        assert_eq!((&first["phase"], &first["connections"]), (&"ready".into(), &1.into()));
        let next = listener.hear(|_| true);
        assert!(next["uptime_ms"].as_u64() > first["uptime_ms"].as_u64(), "{first} {next}");
        assert_eq!(next["messages_received_total"], 0, "its own messages are not counted");
    }
}

#[test]
fn connections_acts_and_lines_are_told() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--user", "root:secret"]);
    let topics = ["$wharf/connections", "$wharf/audit", "$wharf/logs"];
    let [mut connections, mut audit, mut logs] =
        topics.map(|topic| Listener::start(&broker, topic, "mbws"));
    // When they listen is not known: it is done again until each has heard of it.
    std::thread::scope(|scope| {
        let (heard, done) = std::sync::mpsc::channel::<()>();
        let broker = &broker;
        scope.spawn(move || {
            while done.try_recv() == Err(TryRecvError::Empty) {
                run(broker, "address declare orders");
                run(broker, "send orders --file Cargo.toml");
                run(broker, "address delete orders --yes");
            }
        });
        let closed = connections.hear(|it| it["change"] == "closed");
        let connection = &closed["connection"];
        assert_eq!(
            (&connection["user"], &connection["protocol"]),
            (&"root".into(), &"mbws".into())
        );
        assert!(closed["at_ms"].as_u64() >= connection["opened_at_ms"].as_u64(), "{closed}");
        let act = audit.hear(|it| it["operation"] == "deleteAddress");
        assert_eq!((&act["user"], &act["status"]), (&"root".into(), &204.into()));
        let line = logs.hear(|it| it["event"] == "audit");
        assert_eq!((&line["level"], &line["fields"]["user"]), (&"info".into(), &"root".into()));
        drop(heard);
    });
}
