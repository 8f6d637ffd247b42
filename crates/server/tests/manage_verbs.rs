//! The verbs that manage a broker: what they print, and how they end.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, Scratch, run, stderr, stdout, wharf};
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Output, Stdio};

/// A broker with the administrator `root`, and a home of one's own.
struct Shell {
    scratch: Scratch,
    broker: Broker,
}

impl Shell {
    fn start() -> Self {
        let scratch = Scratch::new();
        let broker = Broker::start(scratch.path(), &["--user", "root:secret"]);
        Self { scratch, broker }
    }

    /// Runs a line of words as `user`, with this on stdin.
    fn run_as(&self, user: &str, line: &str, input: &str) -> Output {
        let mut command = wharf(line.split_whitespace());
        command.env("XDG_CONFIG_HOME", self.scratch.path());
        if !user.is_empty() {
            command.env("WHARF_URL", format!("ws://{}/ws", self.broker.address));
            command.env("WHARF_USER", user).env("WHARF_PASSWORD", "secret");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A verb that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The same as `root`, which must succeed; its output.
    fn root(&self, line: &str) -> String {
        let output = self.run_as("root", line, "");
        assert_eq!(output.status.code(), Some(0), "{line}: {}", stderr(&output));
        stdout(&output)
    }

    fn code(&self, user: &str, line: &str) -> i32 {
        let output = self.run_as(user, line, "");
        let code = output.status.code().unwrap();
        assert!(code == 0 || !stderr(&output).is_empty(), "{line} says nothing");
        code
    }
}

#[test]
fn every_verb_does_what_it_says() {
    let shell = Shell::start();
    let put = shell.run_as("root", "user put bob --password --allow in/**=sr", "secret\n");
    assert_eq!(put.status.code(), Some(0), "{}", stderr(&put));
    // What is not named stays.
    shell.root("user put bob --connections-max 7");
    let bob: Value = serde_json::from_str(&shell.root("user show bob -o json")).unwrap();
    assert_eq!(
        (&bob["limits"]["connections_max"], &bob["has_password"]),
        (&7.into(), &true.into())
    );
    assert_eq!(bob["permissions"][0]["pattern"], "in/**");
    assert!(shell.root("user list").contains("in/**: send+receive"));
    assert!(shell.root("user permissions").contains("bob"));
    assert!(shell.root("user whoami").contains("root"));

    let secret = shell.root("token mint --for bob --note test");
    assert!(secret.starts_with("wharf_") && secret.lines().count() == 1);
    assert!(
        shell.root("token list").contains("test") && !shell.root("token list").contains(&secret)
    );

    shell.root("address declare orders");
    let sent = shell.run_as("root", "send orders", "one\ntwo\n");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    assert!(shell.root("address peek orders").contains("two"));
    assert!(shell.root("address list --sort messages_ready --descending").contains("orders"));
    assert!(shell.root("address show orders").contains("READY"));
    shell.root("address declare old");
    assert!(shell.root("address move orders old -o jsonl").contains("\"messages\":2"));
    assert!(shell.root("address purge old --yes -o json").contains("\"messages\": 2"));
    shell.root("address delete old --yes");
    assert!(shell.root("address redrive orders").contains("moved"));

    shell.root("policy put ttl q/** --ttl-ms 5000 --overflow drop-oldest");
    assert!(shell.root("policy list").contains("drop-oldest"));
    shell.root("route fan-out all everywhere a b");
    assert!(shell.root("route list").contains("a, b"));
    assert!(shell.root("route show all -o json").contains("\"fan-out\""));
    shell.root("connection list");
    shell.root("session list");
    assert!(shell.root("status").contains("addresses"));
    assert!(shell.root("status --checks").contains("journal"));
    let top: Value = serde_json::from_str(&shell.root("top --count 1 -o json")).unwrap();
    assert!(top["per_second"]["received"].is_number());
    assert!(shell.root("audit").contains("putUser"));
    assert!(shell.root("logs --event audit").contains("operation=putUser"));
    let warnings = shell.root("logs --level warn -o json");
    assert!(!warnings.contains("listening"), "{warnings}");

    let definitions = shell.scratch.file("d.json", &shell.root("definitions export"));
    let definitions = definitions.display();
    let checked = run(["check", "--definitions", &definitions.to_string()]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    let broken =
        shell.scratch.file("broken.json", r#"{"version":1,"addresses":[{"name":"wharf/x"}]}"#);
    let checked = run(["check", "--definitions", broken.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(78));
    assert!(stderr(&checked).contains("broken.json: address `wharf/x`"), "{}", stderr(&checked));
    assert_eq!(shell.root(&format!("definitions diff {definitions}")), "");
    shell.root("policy remove ttl");
    shell.root("route remove all");
    let diff = shell.run_as("root", &format!("definitions diff {definitions}"), "");
    assert_eq!(
        (diff.status.code(), stdout(&diff).as_str()),
        (Some(1), "+ policy ttl\n+ route all\n")
    );
    shell.root(&format!("definitions apply {definitions}"));
    shell.root("user remove bob");
    let pages = shell.scratch.path().join("man");
    shell.root(&format!("man {}", pages.display()));
    assert!(pages.join("wharf-user-put.1").exists() || pages.join("wharf.1").exists());
}

#[test]
fn every_verb_says_how_it_failed() {
    let shell = Shell::start();
    let put = shell.run_as("root", "user put eve --password", "secret\n");
    assert_eq!(put.status.code(), Some(0), "{}", stderr(&put));
    for line in [
        "user show nobody",
        "user remove nobody",
        "token revoke 0",
        "address show nowhere",
        "address peek nowhere",
        "address delete nowhere --yes",
        "policy remove none",
        "route show none",
        "connection show 999",
        "session end 999 --yes",
    ] {
        assert_eq!(shell.code("root", line), 2, "{line}");
        assert_eq!(shell.code("eve", line), 77, "{line}");
        assert_eq!(shell.code("nobody", line), 77, "{line}");
    }
    for line in [
        "address delete x",
        "address purge x",
        "session end 1",
        "drain --over x",
        "user",
        "top --count",
    ] {
        assert_eq!(shell.code("root", line), 64, "{line}");
    }
    assert_eq!(shell.code("root", "route alias a b b"), 1);
    assert_eq!(shell.code("root", "status --url ws://127.0.0.1:1/"), 69);
    assert_eq!(shell.code("root", "status --url amqp://127.0.0.1:1/"), 64);
    assert_eq!(shell.code("root", "status -o xml"), 64);
    let rabbit = r#"{"users":[{"name":"r","password_hash":"x","tags":[]}]}"#;
    let taken = shell.run_as("root", "definitions rabbitmq -", rabbit);
    assert_eq!(taken.status.code(), Some(3), "a password does not come along");
    assert!(stdout(&taken).contains("+ user r"), "{}", stdout(&taken));
}

#[test]
fn contexts_are_kept_from_others() {
    let shell = Shell::start();
    let add = format!("context add here http://{} --user root", shell.broker.address);
    assert_eq!(shell.run_as("", &add, "secret\n").status.code(), Some(0));
    let file = shell.scratch.path().join("wharf/contexts.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(shell.code("", "status"), 0, "the selected one");
    let listed = shell.run_as("", "context list", "");
    assert!(stdout(&listed).starts_with("* here") && !stdout(&listed).contains("secret"));
    assert_eq!(shell.code("", "status --context other"), 2);
    assert_eq!(shell.code("", "context select other"), 2);
    assert_eq!(shell.code("", "context remove here"), 0);
    std::fs::write(&file, "nonsense").unwrap();
    assert_eq!(shell.code("", "status"), 78);
}
