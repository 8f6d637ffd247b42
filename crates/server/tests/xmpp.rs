//! XMPP against the real binary: a login over a real socket, messages, resumption.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::person::{Login, Person};
use harness::socket::frame;
use harness::{Broker, Scratch, handshake, read_head};
use std::io::{Read, Write};

#[test]
fn two_people_talk() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut person = Person::begin(broker.connect(), Login::plain("ada", "x"));
    assert_eq!(person.next(), "online ada@localhost/x");
}

/// Says a message on a raw WebSocket, and hears the next one.
fn ask(stream: &mut std::net::TcpStream, text: &str) -> String {
    stream.write_all(&frame(0x81, text.as_bytes())).unwrap();
    hear(stream)
}

fn hear(stream: &mut std::net::TcpStream) -> String {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut len = usize::from(head[1]);
    if len == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).unwrap();
        len = usize::from(u16::from_be_bytes(long));
    }
    let mut payload = vec![0; len];
    stream.read_exact(&mut payload).unwrap();
    String::from_utf8(payload).unwrap()
}

fn begin(broker: &Broker) -> (std::net::TcpStream, String) {
    let mut stream = broker.connect();
    let request = handshake("/ws", "Sec-WebSocket-Protocol: xmpp\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    read_head(&mut stream);
    let open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";
    ask(&mut stream, open);
    let features = hear(&mut stream);
    (stream, features)
}

/// XEP-0077 3.1, where it is on.
#[test]
fn an_account_can_be_made_before_the_login() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &["--set", "xmpp.registration=true"]);
    let (mut stream, features) = begin(&broker);
    assert!(features.contains("http://jabber.org/features/iq-register"), "{features}");
    let get =
        "<iq xmlns='jabber:client' type='get' id='1'><query xmlns='jabber:iq:register'/></iq>";
    let form = ask(&mut stream, get);
    assert!(form.contains("<username/>") && form.contains("<password/>"), "{form}");
    let set = |id: &str, user: &str, password: &str| {
        format!(
            "<iq xmlns='jabber:client' type='set' id='{id}'><query xmlns='jabber:iq:register'>\
             <username>{user}</username><password>{password}</password></query></iq>"
        )
    };
    for (user, password, expected) in [
        ("ada", "secret", "<conflict "),
        ("", "secret", "<not-acceptable "),
        ("carol", "", "<not-acceptable "),
        ("carol", "secret", "type='result'"),
    ] {
        let told = ask(&mut stream, &set("2", user, password));
        assert!(told.contains(expected), "{user}: {told}");
    }
    let mut carol = Person::begin(broker.connect(), Login::plain("carol", "x"));
    assert_eq!(carol.next(), "online carol@localhost/x");
}

#[test]
fn no_account_is_made_where_that_is_not_offered() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let (mut stream, features) = begin(&broker);
    assert!(!features.contains("register"), "{features}");
    let get =
        "<iq xmlns='jabber:client' type='get' id='1'><query xmlns='jabber:iq:register'/></iq>";
    let told = ask(&mut stream, get);
    assert!(told.contains("not-authorized"), "{told}");
}
