//! Keys of an issuer from where it publishes them: fetched, changed, and out of reach.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use data_encoding::BASE64URL_NOPAD as BASE64URL;
use harness::{Broker, MBWS, Scratch, eventually, handshake, read_head, run, status, stderr};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustix::process::Signal;
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// A key of an issuer.
struct Key {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { id, pair: Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap() }
    }

    fn set(&self) -> String {
        let x = BASE64URL.encode(self.pair.public_key().as_ref());
        let id = self.id;
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"{x}"}}]}}"#)
    }

    /// A token that is right for a minute.
    fn token(&self, user: &str) -> String {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let head = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, self.id);
        let claims = format!(r#"{{"sub":"{user}","exp":{}}}"#, now_s + 60);
        let base64 = |text: &str| BASE64URL.encode(text.as_bytes());
        let signed = format!("{}.{}", base64(&head), base64(&claims));
        format!("{signed}.{}", BASE64URL.encode(self.pair.sign(signed.as_bytes()).as_ref()))
    }
}

/// Where keys are published; without any it answers 503.
#[derive(Clone, Default)]
struct Publisher(Arc<Mutex<Option<String>>>);

impl Publisher {
    fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys?of=wharf", listener.local_addr().unwrap());
        let published = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                assert!(read_head(&mut stream).starts_with("GET /keys?of=wharf HTTP/1.1\r\n"));
                let published = published.0.lock().unwrap().clone();
                let (status, body) = match published {
                    Some(set) => ("200 OK", set),
                    None => ("503 Service Unavailable", String::new()),
                };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
                stream.write_all((head + &body).as_bytes()).unwrap();
            }
        });
        url
    }

    fn publish(&self, keys: Option<&Key>) {
        *self.0.lock().unwrap() = keys.map(Key::set);
    }
}

fn lets_in(broker: &Broker, token: &str) -> bool {
    let mut stream = broker.connect();
    let request = handshake("/ws", &format!("Authorization: Bearer {token}\r\n{MBWS}"));
    stream.write_all(request.as_bytes()).unwrap();
    status(&read_head(&mut stream)) == 101
}

#[test]
fn keys_are_fetched_and_fetched_again() {
    let publisher = Publisher::default();
    let (first, second) = (Key::new("1"), Key::new("2"));
    let scratch = Scratch::new();
    let issuer = format!("[[issuers]]\njwks_url = \"{}\"\n", publisher.start());
    let file = scratch.file("issuers.toml", &issuer);
    let arguments = ["--user", "ada:secret", "--config", file.to_str().unwrap()];

    // The broker starts without the issuer, and goes on when it comes.
    let broker = Broker::start_bare(scratch.path(), &arguments);
    assert!(!lets_in(&broker, &first.token("ada")));
    publisher.publish(Some(&first));
    eventually(|| lets_in(&broker, &first.token("ada")));
    assert!(!lets_in(&broker, &first.token("nobody")));
    assert!(!lets_in(&broker, &second.token("ada")));

    // Out of reach, and over a reload: the keys before stay.
    publisher.publish(None);
    broker.signal(Signal::HUP);
    assert!(lets_in(&broker, &first.token("ada")));

    // A token of a new key makes them be fetched again.
    publisher.publish(Some(&second));
    eventually(|| lets_in(&broker, &second.token("ada")));
    assert!(!lets_in(&broker, &first.token("ada")));
}

#[test]
fn where_keys_come_from_is_said_once_and_safely() {
    let scratch = Scratch::new();
    for (entry, said) in [
        ("", "either jwks_file or jwks_url"),
        (
            "jwks_file = \"a\"\njwks_url = \"https://id.example/keys\"",
            "either jwks_file or jwks_url",
        ),
        ("jwks_url = \"http://id.example/keys\"", "expected https://"),
        ("jwks_url = \"http://localhost.example/keys\"", "expected https://"),
        ("jwks_url = \"https://\"", "issuers[].jwks_url"),
    ] {
        let file = scratch.file("issuers.toml", &format!("[[issuers]]\n{entry}\n"));
        let output = run(["check", "--config", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(78), "{entry}");
        assert!(stderr(&output).contains(said), "{entry}: {}", stderr(&output));
    }
}
