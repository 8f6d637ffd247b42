//! Certificates, users, permissions, limits and policies that change while messages flow by every
//! protocol: no connection is closed, and no message lost.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, Scratch, read_to_end, run, stderr, stdout, wharf};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::Arc;

const RATE: &str = "500";
const MESSAGES: &str = "2000";

/// A new certificate where the broker reads it.
fn certify(scratch: &Scratch) -> String {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    scratch.file("key.pem", &signing_key.serialize_pem());
    scratch.file("cert.pem", &cert.pem());
    cert.pem()
}

/// What changes by file: the loader may more and less besides what it needs, others come and go.
fn settings(turn: u32, verifier: &str) -> String {
    let rule = |pattern: &str| {
        format!("{{ pattern = \"{pattern}\", send = true, receive = true, manage = true }}")
    };
    format!(
        "[[users]]\nname = \"loader\"\npassword_verifier = \"{verifier}\"\npermissions = [{}, {}]\n\
         [[users]]\nname = \"other-{turn}\"\npassword_verifier = \"{verifier}\"\n\
         [[policies]]\npattern = \"news/{turn}\"\nkind = \"topic\"\n\
         [[policies]]\npattern = \"**\"\ndeliveries_max = {}\n\
         [session]\nretention_ms = {}\n",
        rule("bench*/**"),
        rule(&format!("of/turn/{turn}")),
        10 + turn,
        100_000 + turn,
    )
}

struct Load {
    protocol: &'static str,
    bench: Child,
}

fn load(protocol: &'static str, port: u16) -> Load {
    let url = format!("wss://loader:secret@localhost:{port}/ws");
    let arguments = ["bench", "--protocol", protocol, "--url", &url, "--insecure"];
    let mut command = wharf(arguments);
    command.args([
        "--rate",
        RATE,
        "--messages",
        MESSAGES,
        "--address",
        &format!("bench/{protocol}"),
    ]);
    let bench = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    Load { protocol, bench }
}

/// A verifier with everything that SCRAM needs.
fn verifier() -> String {
    let mut command = wharf(["passwd", "hash"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    stdout(&child.wait_with_output().unwrap()).trim().to_owned()
}

fn metrics(broker: &Broker, trusted: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(session, broker.connect());
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    read_to_end(&mut stream)
}

fn metric(page: &str, name: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name)).unwrap_or(" 0");
    line.trim().parse().unwrap()
}

#[test]
fn nothing_is_closed_and_nothing_lost() {
    let scratch = Scratch::new();
    let first = certify(&scratch);
    let verifier = verifier();
    let file = scratch.file("wharf.toml", &settings(0, &verifier));
    let file = file.display().to_string();
    let [certificate, key] =
        ["cert.pem", "key.pem"].map(|name| scratch.path().join(name).display().to_string());
    let arguments =
        ["--config", &file, "--user", "root:secret", "--tls-cert", &certificate, "--tls-key", &key];
    let broker = Broker::start_bare(scratch.path(), &arguments);
    let port = broker.address.port();
    let protocols = ["mbws", "amqp", "xmpp"];
    let loads = protocols.map(|protocol| load(protocol, port));

    let root = format!("https://root:secret@localhost:{port}");
    let verb = |line: &str| {
        let mut all: Vec<&str> = line.split(' ').collect();
        all.extend(["--url", &root, "--insecure"]);
        let output = run(&all);
        assert!(output.status.success(), "{line}: {}", stderr(&output));
        stdout(&output)
    };
    let mut current = first;
    for turn in 1..=8 {
        current = certify(&scratch);
        scratch.file("wharf.toml", &settings(turn, &verifier));
        verb("reload");
        verb(&format!("policy put of-{turn} bench/{turn}/** --deliveries-max 7"));
        verb(&format!("user put loader --connections-max {}", 100 + turn));
        if turn % 2 == 0 {
            scratch.file("wharf.toml", "[[users]]\nname = 7\n");
            broker.signal(Signal::HUP);
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    for Load { protocol, bench } in loads {
        let output = bench.wait_with_output().unwrap();
        let said = stdout(&output);
        assert!(output.status.success(), "{protocol}: {said}{}", stderr(&output));
        assert!(said.contains("lost 0, duplicated 0, reordered 0"), "{protocol}: {said}");
    }
    let page = metrics(&broker, &current);
    for protocol in protocols {
        let opened = format!("wharf_connections_opened_total{{protocol=\"{protocol}\"}}");
        assert_eq!(metric(&page, &opened), 4, "{protocol} came back: {page}");
    }
    assert_eq!(metric(&page, "wharf_session_resumes_total{outcome=\"ok\"}"), 0, "{page}");
}
