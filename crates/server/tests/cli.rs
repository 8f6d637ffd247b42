//! The command line: what it prints, and the exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Scratch, run, stderr, stdout, wharf};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

#[test]
fn the_reference_page_is_the_committed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/configuration.md");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let printed = stdout(&run(["config", "reference"]));
    assert!(
        committed == printed,
        "{} is stale: wharf config reference > docs/reference/configuration.md",
        path.display()
    );
}

#[test]
fn the_default_file_passes_its_own_check() {
    let scratch = Scratch::new();
    let file = scratch.file("wharf.toml", &stdout(&run(["config", "default"])));
    let output = wharf(["check", "--config"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).ends_with("wharf.toml is fine\n"));
}

#[test]
fn usage_is_64() {
    for arguments in [
        vec!["--unknown"],
        vec!["unknown"],
        vec!["serve", "--user", "no-colon"],
        vec!["config"],
        vec!["completions", "no-shell"],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(stdout(&output).is_empty() && !stderr(&output).is_empty(), "{arguments:?}");
    }
    for arguments in [["--help"], ["--version"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
    assert!(stdout(&run(["--help"])).contains("78 config"));
}

#[test]
fn configuration_errors_are_78_with_place_and_remedy() {
    let scratch = Scratch::new();
    let file = scratch.file("wharf.toml", "[listen]\nadress = \"127.0.0.1:1\"\n");
    for verb in ["check", "serve"] {
        let output = wharf([verb, "--config"]).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(78), "{verb}");
        let expected = format!(
            "wharf: {}:2:1: unknown key `listen.adress`; did you mean `listen.address`?\n",
            file.display()
        );
        assert_eq!(stderr(&output), expected);
    }
    let output = run(["serve", "--listen", "localhost"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).starts_with("wharf: listen.address: "), "{}", stderr(&output));
    let output = run(["check", "--config", "/does/not/exist.toml"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("cannot be read"));
    let output = wharf(["check"]).env("WHARF_LISTEN__PORT", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).starts_with("wharf: WHARF_LISTEN__PORT: unknown key"));
}

#[test]
fn an_address_in_use_is_69() {
    let scratch = Scratch::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = wharf(["serve", "--listen", &address, "--data"]);
    let output = command.arg(scratch.path().join("data")).output().unwrap();
    assert_eq!(output.status.code(), Some(69));
    assert!(
        stderr(&output).contains(&format!("cannot listen on {address}")),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_data_directory_that_cannot_be_is_1() {
    let scratch = Scratch::new();
    let file = scratch.file("file", "not a directory");
    let mut command = wharf(["serve", "--listen", "127.0.0.1:0", "--data"]);
    let output = command.arg(file.join("data")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("file/data"), "{}", stderr(&output));
}

#[test]
fn a_password_becomes_a_verifier() {
    let mut child =
        wharf(["passwd", "hash"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let line = stdout(&output);
    let words: Vec<&str> = line.split_whitespace().collect();
    let begin = ["$argon2id$v=19$", "SCRAM-SHA-1$", "SCRAM-SHA-256$", "SCRAM-SHA-512$"];
    assert_eq!((words.len(), line.lines().count()), (begin.len(), 1), "{line}");
    assert!(words.iter().zip(begin).all(|(word, begin)| word.starts_with(begin)), "{line}");
    assert_eq!(run(["passwd", "hash"]).status.code(), Some(64), "no password at all");
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("serve"), "{shell}");
    }
}
