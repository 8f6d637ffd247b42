//! Handshakes as lines of text, for tests that read like traces.
#![allow(dead_code, reason = "every test file uses a part of it")]

use wharf_ws::handshake::request::{self, Parsed, Request};
use wharf_ws::handshake::server::{self, Acceptance, Policy};
use wharf_ws::handshake::{HeadLimits, Reason, Refusal};

/// The key of RFC 6455, section 1.3, and its answer.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The octets of the key of the same section.
pub(crate) const NONCE: [u8; 16] = *b"the sample nonce";

/// The lines of an HTTP head.
#[derive(Clone, Debug)]
pub(crate) struct Lines(Vec<String>);

impl Lines {
    pub(crate) fn of(lines: &[&str]) -> Lines {
        Lines(lines.iter().map(|line| (*line).to_owned()).collect())
    }

    /// A request that any server of RFC 6455 accepts.
    pub(crate) fn request() -> Lines {
        Lines::of(&[
            "GET /chat HTTP/1.1",
            "Host: server.example.com",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        ])
    }

    /// The same in another version.
    pub(crate) fn request_of_version(version: u8) -> Lines {
        Lines::request().set(&format!("Sec-WebSocket-Version: {version}"))
    }

    /// The response of RFC 6455, section 1.3, to [`NONCE`].
    pub(crate) fn response() -> Lines {
        Lines::of(&[
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ])
    }

    pub(crate) fn start(mut self, line: &str) -> Lines {
        line.clone_into(&mut self.0[0]);
        self
    }

    pub(crate) fn add(mut self, line: &str) -> Lines {
        self.0.push(line.to_owned());
        self
    }

    pub(crate) fn drop(mut self, name: &str) -> Lines {
        let prefix = format!("{name}:").to_ascii_lowercase();
        let count_before = self.0.len();
        self.0.retain(|line| !line.to_ascii_lowercase().starts_with(&prefix));
        assert!(self.0.len() < count_before, "there was no {name}");
        self
    }

    /// Replaces the field of the same name.
    pub(crate) fn set(self, line: &str) -> Lines {
        let name = line.split(':').next().unwrap().to_owned();
        self.drop(&name).add(line)
    }

    pub(crate) fn reversed_fields(mut self) -> Lines {
        self.0[1..].reverse();
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes
    }

    /// What a server with `policy` says to this request.
    pub(crate) fn ask(&self, policy: &Policy) -> Result<Acceptance, Refusal> {
        server::evaluate(&read(&self.bytes()), policy)
    }

    /// Why a server with `policy` refuses this request, with the status on the wire.
    pub(crate) fn refused(&self, policy: &Policy) -> (u16, Reason) {
        let refusal = self.ask(policy).expect_err("the request must be refused");
        let mut wire = Vec::new();
        refusal.write(&mut wire);
        let wire = String::from_utf8(wire).unwrap();
        assert!(wire.starts_with(&format!("HTTP/1.1 {} ", refusal.status())), "{wire}");
        assert!(wire.to_ascii_lowercase().contains("close\r\n"), "{wire}");
        (refusal.status(), refusal.reason())
    }
}

/// The request in `bytes`, which holds nothing else.
pub(crate) fn read(bytes: &[u8]) -> Request<'_> {
    match request::parse(bytes, HeadLimits::default()) {
        Parsed::Complete { request, consumed } => {
            assert_eq!(consumed, bytes.len());
            request
        }
        other => panic!("not a request head: {other:?}"),
    }
}

/// The field of `headers` called `name`, of which there is at most one.
pub(crate) fn field<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    name: &str,
) -> Option<&'a str> {
    let found: Vec<_> = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).collect();
    assert!(found.len() <= 1, "{name} is repeated");
    found.first().map(|(_, value)| *value)
}
