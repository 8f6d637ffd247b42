//! Our handshake against another implementation's, in both directions, in memory.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake_trace;

use std::io::{self, Cursor, Read, Write};

use handshake_trace::{NONCE, read};
use tokio_tungstenite::tungstenite;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::server::{Request, Response};
use wharf_ws::handshake::client::{Handshake, Offer, Outcome};
use wharf_ws::handshake::server::{self, Policy};

/// The other end of their client: answers what was written with what our server says.
#[derive(Debug)]
struct OurServer {
    policy: Policy,
    request: Vec<u8>,
    response: Option<Cursor<Vec<u8>>>,
}

impl Write for OurServer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.request.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for OurServer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let response = self.response.get_or_insert_with(|| {
            let mut out = Vec::new();
            match server::evaluate(&read(&self.request), &self.policy) {
                Ok(acceptance) => acceptance.write(&mut out),
                Err(refusal) => refusal.write(&mut out),
            }
            Cursor::new(out)
        });
        response.read(buffer)
    }
}

/// The other end of their server: all input is there, all output is kept.
#[derive(Debug)]
struct OurClient {
    request: Cursor<Vec<u8>>,
    response: Vec<u8>,
}

impl Read for OurClient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.request.read(buffer)
    }
}

impl Write for OurClient {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.response.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn their_client(policy: Policy) -> Result<Option<String>, u16> {
    let mut request = "ws://server.example.com:9001/chat?x=y".into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "xmpp, amqp".parse().unwrap());
    let ours = OurServer { policy, request: Vec::new(), response: None };
    match tungstenite::client(request, ours) {
        Ok((_, response)) => {
            let name = response.headers().get("Sec-WebSocket-Protocol");
            Ok(name.map(|name| name.to_str().unwrap().to_owned()))
        }
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn their_client_is_served() {
    // WS-HS-16, WS-HS-14.
    let policy = Policy { subprotocols: vec!["amqp".to_owned()], ..Policy::default() };
    assert_eq!(their_client(policy), Ok(Some("amqp".to_owned())));
}

#[test]
fn their_client_understands_refusals() {
    // WS-HS-01.
    let policy = Policy { require_subprotocol: true, ..Policy::default() };
    assert_eq!(their_client(policy), Err(400));
}

#[test]
#[allow(clippy::result_large_err, reason = "the signature is theirs")]
fn their_server_serves_our_client() {
    // WS-HC-07, WS-HC-18, WS-HC-19, WS-HC-20.
    let uri = "ws://server.example.com:9001/chat?x=y".parse().unwrap();
    let subprotocols = vec!["xmpp".to_owned(), "amqp".to_owned()];
    let deflate = vec![Default::default()];
    let offer = Offer { subprotocols, deflate, ..Offer::new(uri) };
    let mut client = Handshake::new(offer, NONCE).unwrap();

    let request = Cursor::new(client.request_bytes().to_vec());
    let ours = OurClient { request, response: Vec::new() };
    let choose = |request: &Request, mut response: Response| {
        assert_eq!(request.uri(), "/chat?x=y");
        response.headers_mut().insert("Sec-WebSocket-Protocol", "amqp".parse().unwrap());
        Ok(response)
    };
    let socket = tungstenite::accept_hdr(ours, choose).unwrap();
    let Outcome::Upgraded { agreement, .. } = client.handle_input(&socket.get_ref().response)
    else {
        panic!("not open");
    };
    assert_eq!(agreement.subprotocol.as_deref(), Some("amqp"));
}
