//! TLS on the listener, with certificates made for the test.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{
    Broker, LOGIN, MBWS, Scratch, eventually, handshake, read_head, run, status, stderr, stdout,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

const NAMES: [&str; 2] = ["broker.example", "localhost"];

struct Identity {
    certificate: CertificateDer<'static>,
    arguments: [String; 4],
}

/// A new certificate for `broker.example`, in files of these names.
fn identity(scratch: &Scratch) -> Identity {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(NAMES.map(str::to_owned)).unwrap();
    let certificate_file = scratch.file("cert.pem", &cert.pem());
    let key_file = scratch.file("key.pem", &signing_key.serialize_pem());
    let arguments = [
        "--tls-cert".to_owned(),
        certificate_file.display().to_string(),
        "--tls-key".to_owned(),
        key_file.display().to_string(),
    ];
    Identity { certificate: cert.der().clone(), arguments }
}

/// A TLS connection that trusts this certificate alone.
fn dial(
    broker: &Broker,
    trusted: &CertificateDer<'static>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = ServerName::try_from("broker.example").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), broker.connect())
}

/// WS-SV-01, WS-HS-09.
#[test]
fn a_websocket_over_tls() {
    let scratch = Scratch::new();
    let identity = identity(&scratch);
    let arguments: Vec<&str> = identity.arguments.iter().map(String::as_str).collect();
    let broker = Broker::start(scratch.path(), &arguments);
    assert!(broker.greeting.contains("wss://"), "{}", broker.greeting);

    let mut stream = dial(&broker, &identity.certificate);
    let request = handshake("/ws", &format!("{LOGIN}{MBWS}"));
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(status(&read_head(&mut stream)), 101);

    let mut plain = broker.connect();
    plain.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "HTTP without TLS on a TLS port");
}

#[test]
fn a_new_certificate_is_taken_without_a_restart() {
    let scratch = Scratch::new();
    let old = identity(&scratch);
    let arguments: Vec<&str> = old.arguments.iter().map(String::as_str).collect();
    let broker = Broker::start(scratch.path(), &arguments);
    let live = |trusted: &CertificateDer<'static>| -> std::io::Result<()> {
        let mut stream = dial(&broker, trusted);
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")?;
        stream.read_exact(&mut [0; 12])
    };
    live(&old.certificate).unwrap();
    let new = identity(&scratch);
    assert!(live(&new.certificate).is_err(), "not yet read");
    broker.signal(Signal::HUP);
    // The signal is taken when it is taken.
    eventually(|| live(&new.certificate).is_ok());
    scratch.file("cert.pem", "broken");
    broker.signal(Signal::HUP);
    for _ in 0..10 {
        live(&new.certificate).unwrap();
    }
}

#[test]
fn a_silent_tls_client_is_given_up() {
    let scratch = Scratch::new();
    let identity = identity(&scratch);
    let mut arguments: Vec<&str> = identity.arguments.iter().map(String::as_str).collect();
    arguments.extend(["--set", "listen.handshake_timeout_ms=200"]);
    let broker = Broker::start(scratch.path(), &arguments);
    assert_eq!(broker.connect().read(&mut [0; 16]).unwrap_or(0), 0);
}

#[test]
fn certificates_that_do_not_fit_are_named() {
    let scratch = Scratch::new();
    let first = identity(&scratch);
    let other = generate_simple_self_signed(NAMES.map(str::to_owned)).unwrap();
    scratch.file("key.pem", &other.signing_key.serialize_pem());
    let mut arguments = vec!["check"];
    arguments.extend(first.arguments.iter().map(String::as_str));
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(78));
    assert!(
        stderr(&output).contains("key.pem: is not the certificate's key"),
        "{}",
        stderr(&output)
    );

    scratch.file("cert.pem", "");
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("cert.pem"), "{}", stderr(&output));
}

#[test]
fn the_verbs_speak_tls_and_trust_no_one_unasked() {
    let scratch = Scratch::new();
    let identity = identity(&scratch);
    let arguments: Vec<&str> = identity.arguments.iter().map(String::as_str).collect();
    let broker = Broker::start(scratch.path(), &arguments);
    let url = format!("wss://ada:secret@localhost:{}/ws", broker.address.port());
    let certificate = &identity.arguments[1];
    let file = scratch.file("body", "over TLS").display().to_string();
    let send = ["send", "orders", "--url", &url, "--file", &file];
    let unknown = run(send);
    assert_eq!(unknown.status.code(), Some(69), "{}", stderr(&unknown));
    let trusted = run(send.iter().copied().chain(["--ca-file", certificate]));
    assert_eq!(trusted.status.code(), Some(0), "{}", stderr(&trusted));
    let received = run(["receive", "orders", "-n", "1", "--insecure", "--url", &url]);
    assert_eq!(stdout(&received), "over TLS\n", "{}", stderr(&received));
}

/// XWS-091, XWS-092, XWS-093, XWS-094: the domain is asked by HTTPS and has to be trusted; the
/// WebSocket proves its own name, which is not that of the service.
#[test]
fn the_websocket_of_a_domain_is_found_by_https() {
    let scratch = Scratch::new();
    let identity = identity(&scratch);
    let mut arguments: Vec<&str> = identity.arguments.iter().map(String::as_str).collect();
    arguments.extend(["--set", "listen.hosts=[\"localhost\", \"unproven.example\"]"]);
    let broker = Broker::start(scratch.path(), &arguments);
    let port = broker.address.port();
    let certificate = &identity.arguments[1];
    let file = scratch.file("body", "found").display().to_string();
    let password = scratch.file("password", "secret\n").display().to_string();
    let domain = format!("xmpp:ada@localhost:{port}");
    let login = ["--password-file", &password];
    let send = ["send", "orders", "--file", &file, "--url", &domain];
    let unknown = run(send.iter().copied().chain(login));
    assert_eq!(unknown.status.code(), Some(69), "{}", stderr(&unknown));
    let trusted = run(send.iter().copied().chain(login).chain(["--ca-file", certificate]));
    assert_eq!(trusted.status.code(), Some(0), "{}", stderr(&trusted));

    let url = format!("wss://ada:secret@localhost:{port}/ws");
    let receive = ["receive", "orders", "-n", "1", "--protocol", "xmpp", "--url", &url];
    let received = run(receive.iter().copied().chain(["--ca-file", certificate]));
    assert_eq!(stdout(&received), "found\n", "{}", stderr(&received));
    let service = ["--host", "unproven.example", "--ca-file", certificate];
    let send = ["send", "orders", "--file", &file, "--protocol", "xmpp", "--url", &url];
    let sent = run(send.iter().copied().chain(service));
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
}

/// An authority with this name: its certificate, and what signs with it.
fn authority(name: &str) -> (String, rcgen::Issuer<'static, rcgen::KeyPair>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), rcgen::Issuer::new(params, key))
}

/// A broker that takes the certificates of one authority, and another authority.
struct Certified {
    broker: Broker,
    identity: Identity,
    trusted: rcgen::Issuer<'static, rcgen::KeyPair>,
    other: rcgen::Issuer<'static, rcgen::KeyPair>,
}

fn certified(scratch: &Scratch) -> Certified {
    let identity = identity(scratch);
    let (trusted_pem, trusted) = authority("trusted");
    let (_, other) = authority("other");
    let ca_file = scratch.file("clients.pem", &trusted_pem);
    let config = std::fs::read_to_string(harness::user_file(scratch.path())).unwrap();
    let more = format!("[[client_certificates]]\nca_file = \"{}\"\n", ca_file.display());
    let file = scratch.file("all.toml", &format!("{config}{more}"));
    let file = file.display().to_string();
    let mut arguments = vec!["--config", file.as_str()];
    arguments.extend(identity.arguments.iter().map(String::as_str));
    let broker = Broker::start_bare(scratch.path(), &arguments);
    Certified { broker, identity, trusted, other }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Certified {
    /// A connection with a certificate for this name.
    fn dial_as(&self, issuer: &rcgen::Issuer<'_, rcgen::KeyPair>, name: &str) -> Stream {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.identity.certificate.clone()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_client_auth_cert(vec![certificate.der().clone()], key)
                .unwrap();
        let server = ServerName::try_from("broker.example").unwrap();
        let connection = ClientConnection::new(Arc::new(config), server).unwrap();
        StreamOwned::new(connection, self.broker.connect())
    }
}

/// A client with a certificate of a trusted authority is whom it names, without a password; one of
/// another authority, or of nobody known, is nobody.
#[test]
fn a_certificate_lets_in() {
    let scratch = Scratch::new();
    let all = certified(&scratch);
    let handshake_as = |issuer: &rcgen::Issuer<'_, rcgen::KeyPair>, name: &str| {
        let mut stream = all.dial_as(issuer, name);
        stream.write_all(handshake("/ws", MBWS).as_bytes()).ok()?;
        let mut byte = [0; 12];
        stream.read_exact(&mut byte).ok()?;
        Some(status(&String::from_utf8_lossy(&byte)))
    };
    assert_eq!(handshake_as(&all.trusted, "ada"), Some(101));
    assert_eq!(handshake_as(&all.trusted, "nobody"), Some(401));
    assert_eq!(handshake_as(&all.other, "ada"), None, "TLS does not come about");
    // AMQP offers EXTERNAL to whom a certificate has named, and to nobody else.
    let offers = |issuer: Option<(&rcgen::Issuer<'_, rcgen::KeyPair>, &str)>| {
        let mut stream = match issuer {
            Some((issuer, name)) => all.dial_as(issuer, name),
            None => dial(&all.broker, &all.identity.certificate),
        };
        let amqp = "Sec-WebSocket-Protocol: amqp\r\n";
        stream.write_all(handshake("/ws", amqp).as_bytes()).unwrap();
        assert_eq!(status(&read_head(&mut stream)), 101);
        // The SASL header, in a masked binary frame; its answer, and the mechanisms.
        stream.write_all(b"\x82\x88\0\0\0\0AMQP\x03\x01\0\0").unwrap();
        let mut said = Vec::new();
        while !said.windows(5).any(|it| it == b"PLAIN") {
            let mut byte = [0; 1];
            stream.read_exact(&mut byte).unwrap();
            said.push(byte[0]);
        }
        said.windows(8).any(|it| it == b"EXTERNAL")
    };
    assert!(offers(Some((&all.trusted, "ada"))));
    assert!(!offers(Some((&all.trusted, "nobody"))) && !offers(None));
    // Without a certificate it is a password, as ever.
    let mut stream = dial(&all.broker, &all.identity.certificate);
    stream.write_all(handshake("/ws", &format!("{LOGIN}{MBWS}")).as_bytes()).unwrap();
    assert_eq!(status(&read_head(&mut stream)), 101);
}

/// XMPP offers EXTERNAL to whom a certificate names, who is logged in by it; to others it is neither
/// offered nor taken from them.
#[test]
fn a_certificate_logs_in_to_xmpp() {
    let scratch = Scratch::new();
    let all = certified(&scratch);
    let external = |name: &str| {
        let mut stream = all.dial_as(&all.trusted, name);
        let upgrade = handshake("/ws", "Sec-WebSocket-Protocol: xmpp\r\n");
        stream.write_all(upgrade.as_bytes()).unwrap();
        assert_eq!(status(&read_head(&mut stream)), 101);
        let mut until = |text: &str, ends: &[&str]| {
            stream.write_all(&harness::socket::frame(0x81, text.as_bytes())).unwrap();
            let mut said = Vec::new();
            while !ends.iter().any(|end| said.ends_with(end.as_bytes())) {
                let mut byte = [0; 1];
                stream.read_exact(&mut byte).unwrap();
                said.push(byte[0]);
            }
            String::from_utf8_lossy(&said).into_owned()
        };
        let open =
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";
        let offered = until(open, &["features>"]).contains("EXTERNAL");
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";
        (offered, until(auth, &["<success", "<failure"]).ends_with("<success"))
    };
    assert_eq!(external("ada"), (true, true));
    assert_eq!(external("nobody"), (false, false));
}
