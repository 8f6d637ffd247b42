//! Redirects of AMQP connections and links, and of upgrades (WSB section 3).
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test with sockets")]

mod peer;
mod support;

use std::sync::Arc;
use std::time::Duration;

use peer::{Peer, told};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use support::Broker;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use wharf_amqp::condition::{Condition, Error as Told};
use wharf_amqp::engine::Framing::{Messages, Stream};
use wharf_amqp::value::Value;
use wharf_client::{Client, Error, Message, Options, Protocol, RedirectFault, Retry, State, Tls};

fn options(url: &str) -> Options {
    let mut options = Options::new(url);
    options.protocol = Protocol::Amqp;
    options.retry = Retry {
        first_max: Duration::from_millis(2),
        max: Duration::from_millis(20),
        ..Retry::default()
    };
    options
}

async fn connect(peer: &Peer) -> Client {
    Client::connect(options(&peer.url())).await.expect("the broker is there")
}

/// A redirect to a peer on this machine, with more info.
fn to(condition: Condition, peer: &Peer, more: &[(&str, Value)]) -> Told {
    let mut info = vec![("network-host", Value::from("127.0.0.1")), ("port", peer.port.into())];
    info.extend_from_slice(more);
    told(condition, &info)
}

fn bodies(peer: &Peer) -> Vec<String> {
    peer.state().stored.iter().map(|stored| stored.body.clone()).collect()
}

async fn receive_one(client: &Client, address: &str) -> String {
    let mut receiver = client.receive(&[address], 1).await.expect("allowed");
    let delivery = receiver.recv().await.expect("a message");
    assert_eq!(delivery.address(), address);
    String::from_utf8(delivery.accept().body).expect("text")
}

/// WSB-060, WSB-061, WSB-062, WSB-063, WSB-069.
#[tokio::test]
async fn a_connection_goes_where_it_is_sent() {
    let (first, second) = (Peer::start(Messages).await, Peer::start(Messages).await);
    let more = [("hostname", "eu.example".into()), ("path", "/eu?x=1".into())];
    first.state().close_with = Some(to(Condition::ConnectionRedirect, &second, &more));
    let client = connect(&first).await;
    client.send(Message::text("orders", "x")).await.unwrap();
    assert_eq!((bodies(&first), bodies(&second)), (vec![], vec!["x".to_owned()]));
    assert_eq!(second.state().opens[0].hostname.as_deref(), Some("eu.example"));
    let host = format!("eu.example:{}", second.port);
    assert_eq!(second.state().upgrades, [(host, "/eu?x=1".to_owned())]);
    assert_eq!(second.state().logins[0].1.as_deref(), Some("eu.example"));
    assert_eq!(first.state().connections, 1);
    assert!(matches!(client.state(), State::Open { recovered: 0 }));
}

/// WSB-064, WSB-065, WSB-068: what is not named is as it was.
#[tokio::test]
async fn scheme_and_path_change_only_if_they_are_named() {
    let table = [
        (Messages, Messages, None, "/ws"),
        (Messages, Stream, Some("amqp"), ""),
        (Stream, Messages, Some("ws"), "/"),
        (Stream, Stream, None, ""),
    ];
    for (from, into, scheme, path) in table {
        let (first, second) = (Peer::start(from).await, Peer::start(into).await);
        // WSB-A10
        let more: Vec<_> = scheme.map(|name| ("scheme", Value::symbol(name))).into_iter().collect();
        first.state().close_with = Some(to(Condition::ConnectionRedirect, &second, &more));
        let client = connect(&first).await;
        client.send(Message::text("orders", "x")).await.unwrap();
        assert_eq!(bodies(&second), ["x"]);
        let paths: Vec<String> = second.state().upgrades.iter().map(|it| it.1.clone()).collect();
        assert_eq!(paths.join(" "), path);
    }
}

/// Who is sent away in the middle takes along what is not settled, and when the new place is gone
/// asks at the old one.
#[tokio::test]
async fn what_is_unsettled_goes_along_and_comes_back() {
    let (first, second) = (Peer::start(Messages).await, Peer::start(Messages).await);
    let client = connect(&first).await;
    first.state().outcome = None;
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    first.until(|state| state.stored.len() == 1).await;
    first.state().close_with = Some(to(Condition::ConnectionRedirect, &second, &[]));
    first.cut();
    receipt.await.unwrap();
    assert_eq!(bodies(&second), ["x"]);
    assert!(second.state().stored[0].again);

    first.state().close_with = None;
    first.state().outcome = Some(wharf_amqp::messaging::DeliveryState::Accepted);
    second.state().http = Some((503, None));
    second.cut();
    client.send(Message::text("orders", "y")).await.unwrap();
    assert_eq!((bodies(&first), bodies(&second)), (vec!["x".into(), "y".into()], vec!["x".into()]));
}

/// WSB-070, WSB-071, WSB-072: another connection, for that address alone.
#[tokio::test]
async fn a_link_goes_where_its_address_is() {
    for (from, into, scheme) in [(Messages, Messages, "ws"), (Stream, Messages, "ws")] {
        let (first, second) = (Peer::start(from).await, Peer::start(into).await);
        let more = [
            ("hostname", "eu.example".into()),
            ("address", "eu/orders".into()),
            ("scheme", scheme.into()),
            ("path", "/eu".into()),
        ];
        let redirect = to(Condition::LinkRedirect, &second, &more);
        first.state().refuse.insert("orders".into(), redirect);
        let client = connect(&first).await;
        client.send(Message::text("here", "h")).await.unwrap();
        for body in ["a", "b"] {
            client.send(Message::text("orders", body)).await.unwrap();
        }
        assert_eq!(bodies(&first), ["h"]);
        let stored = second.state().stored.clone();
        assert!(stored.iter().all(|it| it.address == "eu/orders"), "{stored:?}");
        assert_eq!(bodies(&second), ["a", "b"]);
        let host = format!("eu.example:{}", second.port);
        assert_eq!(second.state().upgrades, [(host, "/eu".to_owned())]);
        // The same connection serves both directions.
        assert_eq!(receive_one(&client, "orders").await, "a");
        assert_eq!((first.state().connections, second.state().connections), (1, 1));
        client.close().await.unwrap();
        first.until(|state| state.closes == 1).await;
        second.until(|state| state.closes == 1).await;
    }
}

/// A place that is gone is asked for again at home.
#[tokio::test]
async fn a_link_comes_back_when_its_place_is_gone() {
    let (first, second) = (Peer::start(Messages).await, Peer::start(Messages).await);
    let redirect = to(Condition::LinkRedirect, &second, &[]);
    first.state().refuse.insert("orders".into(), redirect);
    let client = connect(&first).await;
    let mut orders = client.receive(&["orders"], 4).await.unwrap();
    second.state().outcome = None;
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    assert_eq!(orders.recv().await.unwrap().accept().body, b"x");

    second.state().http = Some((503, None));
    second.cut();
    // Home sends there as long as it does not know better.
    second.until(|state| state.connections > 3).await;
    first.state().refuse.clear();
    receipt.await.unwrap();
    let delivery = orders.recv().await.unwrap();
    assert!(delivery.may_be_repeated() && delivery.body() == b"x");
    assert!(first.state().stored[0].again);
    assert!(matches!(client.state(), State::Open { recovered: 0 }), "home was not touched");
}

/// Five hops, and never in a circle.
#[tokio::test]
async fn nobody_is_sent_around_for_ever() {
    let peers = [Peer::start(Messages).await, Peer::start(Messages).await];
    let circle = |condition: Condition| {
        let there = to(condition.clone(), &peers[1], &[]);
        (there, to(condition, &peers[0], &[]))
    };
    let (there, back) = circle(Condition::ConnectionRedirect);
    peers[0].state().close_with = Some(there);
    peers[1].state().close_with = Some(back);
    let lost = Client::connect(options(&peers[0].url())).await;
    assert!(matches!(lost, Err(Error::Redirect(RedirectFault::Loop))), "{lost:?}");

    let (there, back) = circle(Condition::LinkRedirect);
    for (peer, redirect) in peers.iter().zip([there, back]) {
        peer.state().close_with = None;
        peer.state().refuse.insert("orders".into(), redirect);
    }
    let client = connect(&peers[0]).await;
    let refused = client.send(Message::text("orders", "x")).await;
    assert!(matches!(refused, Err(Error::Redirect(_))), "{refused:?}");

    // A longer way: each path leads to the next.
    let mut many = Vec::new();
    for _ in 0..7 {
        many.push(Peer::start(Stream).await);
    }
    for pair in many.windows(2) {
        let next = to(Condition::ConnectionRedirect, &pair[1], &[]);
        pair[0].state().close_with = Some(next);
    }
    let lost = Client::connect(options(&many[0].url())).await;
    assert!(matches!(lost, Err(Error::Redirect(RedirectFault::TooMany))), "{lost:?}");
    let client = connect(&many[1]).await;
    client.send(Message::text("orders", "x")).await.unwrap();
    assert_eq!(bodies(&many[6]), ["x"]);
}

#[tokio::test]
async fn an_unclear_redirect_is_an_error() {
    let peer = Peer::start(Messages).await;
    for info in [("path", Value::from("ws")), ("port", Value::from("x"))] {
        peer.state().close_with = Some(told(Condition::ConnectionRedirect, &[info]));
        let lost = Client::connect(options(&peer.url())).await;
        assert!(matches!(lost, Err(Error::Redirect(RedirectFault::Unclear))), "{lost:?}");
    }
}

/// The peer behind TLS, and its certificate in PEM form.
async fn encrypted(framing: wharf_amqp::engine::Framing) -> (Peer, Vec<u8>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned(), "eu.example".to_owned()])
            .expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a key for the certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (peer, listener) = Peer::bind(framing).await;
    let accepting = peer.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, peer) = (acceptor.clone(), accepting.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    peer.serve(stream).await;
                }
            });
        }
    });
    (peer, cert.pem().into_bytes())
}

/// WSB-066; and the list of schemes says so (WSB-050).
#[tokio::test]
async fn encryption_is_not_given_up_unless_told_so() {
    let plain = Peer::start(Messages).await;
    let (secure, pem) = encrypted(Messages).await;
    let more = [("scheme", "ws".into())];
    secure.state().close_with = Some(to(Condition::ConnectionRedirect, &plain, &more));
    let mut options = options(&format!("wss://localhost:{}/ws", secure.port));
    options.tls = Tls::Roots(pem);
    let lost = Client::connect(options.clone()).await;
    assert!(matches!(lost, Err(Error::Redirect(RedirectFault::LessSecure))), "{lost:?}");
    assert_eq!(plain.state().connections, 0);
    options.follow_less_secure = true;
    let client = Client::connect(options).await.unwrap();
    client.send(Message::text("orders", "x")).await.unwrap();
    assert_eq!(bodies(&plain), ["x"]);
    let schemes: Vec<usize> = secure
        .state()
        .opens
        .iter()
        .map(|open| match &open.properties[0].1 {
            Value::Array(schemes) => schemes.elements().len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(schemes, [2, 4]);
}

/// AMQP 2.8.16: TLS asks for the container by its name, wherever it is reached.
#[tokio::test]
async fn encryption_may_be_gained() {
    let plain = Peer::start(Stream).await;
    let (secure, pem) = encrypted(Stream).await;
    let more = [("scheme", "amqps".into()), ("hostname", "eu.example".into())];
    plain.state().close_with = Some(to(Condition::ConnectionRedirect, &secure, &more));
    let mut options = options(&plain.url());
    options.tls = Tls::Roots(pem);
    options.credentials = Some(("ada".into(), "secret".into()));
    let client = Client::connect(options).await.unwrap();
    client.send(Message::text("orders", "x")).await.unwrap();
    assert_eq!(bodies(&secure), ["x"]);
}

/// WSB-007, WSB-010, WSB-A13.
#[tokio::test]
async fn an_upgrade_goes_where_http_sends_it() {
    let (first, second) = (Peer::start(Messages).await, Peer::start(Messages).await);
    let location = format!("http://localhost:{}/other", second.port);
    first.state().http = Some((307, Some(location)));
    let client = connect(&first).await;
    client.send(Message::text("orders", "x")).await.unwrap();
    assert_eq!(bodies(&second), ["x"]);
    assert_eq!(second.state().upgrades, [(format!("localhost:{}", second.port), "/other".into())]);
    assert_eq!(second.state().opens[0].hostname.as_deref(), Some("localhost"));

    first.state().http = Some((302, Some("/ws".to_owned())));
    let lost = Client::connect(options(&first.url())).await;
    assert!(matches!(lost, Err(Error::Redirect(RedirectFault::Loop))), "{lost:?}");
    first.state().http = Some((302, None));
    let lost = Client::connect(options(&first.url())).await;
    assert!(matches!(lost, Err(Error::Http { status: 302 })), "{lost:?}");
}

/// The password in the request is for one host alone.
#[tokio::test]
async fn mbws_is_redirected_on_its_host() {
    let (first, broker) = (Peer::start(Messages).await, Broker::start().await);
    let mut options = Options::new(first.url());
    first.state().http = Some((308, Some(broker.url())));
    let client = Client::connect(options.clone()).await.unwrap();
    client.send(Message::text("orders", "x")).await.unwrap();
    assert_eq!(broker.state().stored.len(), 1);
    options.credentials = Some(("ada".into(), "secret".into()));
    Client::connect(options.clone()).await.unwrap();
    let elsewhere = broker.url().replace("127.0.0.1", "localhost");
    first.state().http = Some((308, Some(elsewhere)));
    let lost = Client::connect(options).await;
    assert!(matches!(lost, Err(Error::Redirect(RedirectFault::OtherHost))), "{lost:?}");
}
