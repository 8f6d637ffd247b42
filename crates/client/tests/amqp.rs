//! The client speaking AMQP with a broker in memory, over real sockets.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test with sockets")]

mod peer;

use std::collections::BTreeSet;
use std::time::Duration;

use peer::{Peer, told};
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::Framing;
use wharf_amqp::messaging::{DeliveryState, Modified, TerminusExpiryPolicy};
use wharf_client::{
    Client, Delivery, Error, Kind, Message, Options, Protocol, Retry, State, WindowLimits,
};

/// Both ways to carry AMQP.
const CARRIERS: [Framing; 2] = [Framing::Messages, Framing::Stream];

fn options(peer: &Peer) -> Options {
    let mut options = Options::new(peer.url());
    options.protocol = Protocol::Amqp;
    options.retry = Retry {
        first_max: Duration::from_millis(2),
        max: Duration::from_millis(20),
        ..Retry::default()
    };
    options
}

async fn connect(peer: &Peer) -> Client {
    Client::connect(options(peer)).await.expect("the broker is there")
}

fn text(delivery: &Delivery) -> &str {
    std::str::from_utf8(delivery.body()).expect("text")
}

fn bodies(peer: &Peer) -> Vec<String> {
    peer.state().stored.iter().map(|stored| stored.body.clone()).collect()
}

/// WSB-001, WSB-002, WSB-005, WSB-022, WSB-036; AMQP 2.6.12.
#[tokio::test]
async fn what_is_sent_is_accepted_and_comes_back_as_it_was() {
    for carrier in CARRIERS {
        let peer = Peer::start(carrier).await;
        let client = connect(&peer).await;
        let message = Message::text("orders", "un th\u{e9}")
            .with_content_type("text/plain")
            .with_property("k", "1")
            .with_property("l", "2");
        client.send(message.clone()).await.unwrap();
        assert_eq!(bodies(&peer), ["un th\u{e9}"]);
        client.send(Message::binary("orders", *b"\x01\x00")).await.unwrap();

        let mut orders = client.receive(&["orders"], 5).await.unwrap();
        let delivery = orders.recv().await.unwrap();
        assert_eq!((delivery.address(), delivery.may_be_repeated()), ("orders", false));
        assert_eq!(delivery.accept(), message);
        let delivery = orders.recv().await.unwrap();
        assert_eq!(delivery.message().kind, Kind::Binary);
        assert_eq!(delivery.body(), [1, 0]);
        delivery.ack();
        peer.until(|state| state.outcomes.len() == 2).await;
        client.close().await.unwrap();
        // WSB-080
        peer.until(|state| state.closes == 1).await;
    }
}

/// WSB-004, WSB-050, WSB-A09.
#[tokio::test]
async fn the_open_says_where_and_what_can_be_followed() {
    let peer = Peer::start(Framing::Messages).await;
    let mut options = options(&peer);
    options.container = Some("shop".into());
    let client = Client::connect(options).await.unwrap();
    let open = peer.state().opens[0].clone();
    assert_eq!((&*open.container_id, open.hostname.as_deref()), ("shop", Some("127.0.0.1")));
    let (_, schemes) = open.properties.iter().find(|(name, _)| name == "redirect-schemes").unwrap();
    let wharf_amqp::value::Value::Array(schemes) = schemes else { panic!("{schemes:?}") };
    let schemes: Vec<&str> = schemes.elements().iter().filter_map(|it| it.as_str()).collect();
    assert_eq!(schemes, ["wss", "amqps", "ws", "amqp"]);
    let host = format!("127.0.0.1:{}", peer.port);
    assert_eq!(peer.state().upgrades, [(host, "/ws".to_owned())]);
    assert_eq!(peer.state().logins, [("ANONYMOUS".into(), Some("127.0.0.1".into()))]);
    client.close().await.unwrap();
}

/// WSB-009: nothing but `amqp` will do.
#[tokio::test]
async fn another_subprotocol_is_no_amqp() {
    let peer = Peer::start(Framing::Messages).await;
    peer.state().subprotocol = "MBWS.huawei.com";
    let refused = Client::connect(options(&peer)).await;
    assert!(matches!(refused, Err(Error::Subprotocol)), "{refused:?}");
}

#[tokio::test]
async fn users_log_in_with_the_strongest_mechanism() {
    let table = [
        (&["SCRAM-SHA-1", "PLAIN", "SCRAM-SHA-512"][..], "SCRAM-SHA-512"),
        (&["SCRAM-SHA-256", "PLAIN", "ANONYMOUS"], "SCRAM-SHA-256"),
        // This machine may see the password.
        (&["PLAIN", "ANONYMOUS"], "PLAIN"),
    ];
    for (offered, expected) in table {
        let peer = Peer::start(Framing::Stream).await;
        peer.state().mechanisms = offered.to_vec();
        let mut options = options(&peer);
        options.credentials = Some(("ada".into(), "secret".into()));
        Client::connect(options.clone()).await.unwrap().close().await.unwrap();
        options.credentials = Some(("ada".into(), "guess".into()));
        let wrong = Client::connect(options).await;
        assert!(matches!(wrong, Err(Error::LoginRefused)), "{wrong:?}");
        let logins: Vec<String> = peer.state().logins.iter().map(|it| it.0.clone()).collect();
        assert_eq!(logins, [expected, expected]);
    }
    let peer = Peer::start(Framing::Stream).await;
    peer.state().mechanisms = vec!["ANONYMOUS"];
    let mut options = options(&peer);
    options.credentials = Some(("ada".into(), "secret".into()));
    match Client::connect(options).await {
        Err(Error::NoMechanism { offered }) => assert_eq!(offered, ["ANONYMOUS"]),
        other => panic!("{other:?}"),
    }
}

/// At least once: connections break at random, and what may have come twice says so.
#[tokio::test]
async fn nothing_is_lost_and_repetitions_say_so() {
    const MESSAGES: usize = 600;
    let expected: Vec<String> = (0..MESSAGES).map(|n| n.to_string()).collect();
    for (seed, carrier) in [(0, Framing::Messages), (1, Framing::Stream), (2, Framing::Messages)] {
        println!("seed {seed}");
        let peer = Peer::start(carrier).await;
        let mut options = options(&peer);
        options.window = WindowLimits { messages_max: 16, ..WindowLimits::default() };
        let client = Client::connect(options).await.unwrap();
        let mut news = client.receive(&["news"], 16).await.unwrap();
        peer.have_accidents(seed);

        let sending = async {
            let mut receipts = Vec::new();
            for body in &expected {
                receipts.push(client.queue(Message::text("orders", body)).await.unwrap());
                peer.put_text("news", body);
            }
            for receipt in receipts {
                receipt.await.unwrap();
            }
        };
        let receiving = async {
            let mut firsts = BTreeSet::new();
            // Acknowledged two at a time, the later one first.
            let mut held: Option<Delivery> = None;
            while firsts.len() < MESSAGES {
                let delivery = news.recv().await.unwrap();
                let body: usize = text(&delivery).parse().unwrap();
                let repeated = delivery.may_be_repeated();
                assert!(firsts.insert(body) || repeated, "{body} twice, and it does not say so");
                match held.take() {
                    None => held = Some(delivery),
                    Some(earlier) => {
                        delivery.ack();
                        earlier.ack();
                    }
                }
            }
            firsts
        };
        let ((), received) = tokio::join!(sending, receiving);
        peer.be_good();
        assert_eq!(received.len(), MESSAGES);
        let (mut known, mut stored) = (BTreeSet::new(), Vec::new());
        for it in &peer.state().stored {
            let first = known.insert(it.body.clone());
            assert!(first || it.again, "{} twice, and it does not say so", it.body);
            stored.extend(first.then(|| it.body.clone()));
        }
        assert_eq!(stored, expected, "in order, too");
        assert!(peer.state().connections > 5, "too few accidents to prove anything");
        client.close().await.unwrap();
    }
}

/// AMQP 2.6.13: a link is not resumed, so what is said of its deliveries later is not told.
#[tokio::test]
async fn deliveries_of_a_broken_connection_are_stale() {
    let peer = Peer::start(Framing::Stream).await;
    let client = connect(&peer).await;
    let mut news = client.receive(&["news"], 2).await.unwrap();
    peer.put_text("news", "a");
    let old = news.recv().await.unwrap();
    assert!(!old.may_be_repeated());
    peer.cut();
    peer.until(|state| state.attaches.len() == 2).await;
    let new = news.recv().await.unwrap();
    assert_eq!((text(&new), new.failed_attempts()), ("a", 1));
    assert!(new.may_be_repeated());
    old.reject("too late").unwrap();
    new.accept();
    peer.until(|state| !state.outcomes.is_empty()).await;
    assert_eq!(peer.state().outcomes, [("news".to_owned(), DeliveryState::Accepted)]);
    assert!(matches!(client.state(), State::Open { recovered: 1 }));
}

/// AMQP 3.4
#[tokio::test]
async fn the_application_decides() {
    let peer = Peer::start(Framing::Messages).await;
    let client = connect(&peer).await;
    let mut news = client.receive(&["news"], 10).await.unwrap();
    for body in ["a", "b", "c", "d"] {
        peer.put_text("news", body);
    }
    news.recv().await.unwrap().release().unwrap();
    news.recv().await.unwrap().reject("no").unwrap();
    news.recv().await.unwrap().modify(true, false).unwrap();
    news.recv().await.unwrap().accept();
    peer.until(|state| state.outcomes.len() == 4).await;
    let outcomes: Vec<_> = peer.state().outcomes.iter().map(|(_, state)| state.clone()).collect();
    assert!(outcomes.contains(&DeliveryState::Released));
    assert!(outcomes.contains(&DeliveryState::Accepted));
    let rejected = outcomes.iter().find_map(|state| match state {
        DeliveryState::Rejected(Some(error)) => error.description.clone(),
        _ => None,
    });
    assert_eq!(rejected.as_deref(), Some("no"));
    let modified = outcomes.iter().find_map(|state| match state {
        DeliveryState::Modified(modified) => Some((**modified).clone()),
        _ => None,
    });
    let expected = Modified {
        delivery_failed: Some(true),
        undeliverable_here: Some(false),
        message_annotations: Vec::new(),
    };
    assert_eq!(modified, Some(expected));
}

/// What cannot be read is not the application's.
#[tokio::test]
async fn an_unreadable_message_is_rejected() {
    let peer = Peer::start(Framing::Messages).await;
    let client = connect(&peer).await;
    let mut news = client.receive(&["news"], 1).await.unwrap();
    // Properties with a content type that is a list.
    peer.put("news", vec![0x00, 0x53, 0x73, 0xc0, 8, 7, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x45]);
    peer.put_text("news", "good");
    assert_eq!(text(&news.recv().await.unwrap()), "good");
    assert!(matches!(&peer.state().outcomes[..], [(_, DeliveryState::Rejected(_))]));
}

/// AMQP 3.4: only accepted is success.
#[tokio::test]
async fn outcomes_of_the_broker_have_names() {
    let peer = Peer::start(Framing::Stream).await;
    let client = connect(&peer).await;
    let outcome = |state| {
        peer.state().outcome = Some(state);
        client.send(Message::text("orders", "x"))
    };
    let why = told(Condition::PreconditionFailed, &[]);
    match outcome(DeliveryState::rejected(why)).await {
        Err(Error::MessageRejected { condition, description }) => {
            assert_eq!((&*condition, &*description), ("amqp:precondition-failed", "as told"));
        }
        other => panic!("{other:?}"),
    }
    let released = outcome(DeliveryState::Released).await;
    assert!(matches!(released, Err(Error::MessageReleased)), "{released:?}");
    let modified = Modified { delivery_failed: Some(true), ..Modified::default() };
    let modified = outcome(DeliveryState::Modified(Box::new(modified))).await;
    let expected =
        matches!(modified, Err(Error::MessageModified { failed: true, elsewhere: false }));
    assert!(expected, "{modified:?}");
    outcome(DeliveryState::Accepted).await.unwrap();
}

/// AMQP 2.6.14: over many frames, and back.
#[tokio::test]
async fn a_large_message_goes_in_many_frames() {
    for carrier in CARRIERS {
        let peer = Peer::start(carrier).await;
        let client = connect(&peer).await;
        let body = "0123456789".repeat(300_000);
        client.send(Message::text("orders", body.clone())).await.unwrap();
        assert!(peer.state().stored[0].body == body);
        let mut orders = client.receive(&["orders"], 1).await.unwrap();
        let delivery = orders.recv().await.unwrap();
        assert!(text(&delivery) == body);
    }
}

#[tokio::test]
async fn a_message_larger_than_the_link_takes_is_not_sent() {
    let peer = Peer::start(Framing::Stream).await;
    peer.state().message_size_max_bytes = 1000;
    let client = connect(&peer).await;
    let refused = client.send(Message::text("orders", "x".repeat(2000))).await;
    assert!(matches!(refused, Err(Error::MessageTooLarge { max_bytes: 1000 })), "{refused:?}");
    client.send(Message::text("orders", "x")).await.unwrap();
}

/// AMQP 2.8.2
#[tokio::test]
async fn presettled_is_at_most_once() {
    let peer = Peer::start(Framing::Messages).await;
    let mut options = options(&peer);
    options.presettled = true;
    let client = Client::connect(options).await.unwrap();
    let mut news = client.receive(&["news"], 2).await.unwrap();
    for body in ["a", "b", "c", "d", "e"] {
        client.send(Message::text("orders", body)).await.unwrap();
        peer.put_text("news", body);
    }
    for body in ["a", "b", "c", "d", "e"] {
        let delivery = news.recv().await.unwrap();
        assert_eq!(text(&delivery), body);
        delivery.ack();
    }
    client.close().await.unwrap();
    peer.until(|state| state.stored.len() == 5).await;
    assert!(peer.state().stored.iter().all(|stored| stored.settled));
    assert_eq!(peer.state().outcomes, []);
}

/// A message waits for credit and window, not in memory without bound.
#[tokio::test]
async fn a_full_window_is_back_pressure() {
    let peer = Peer::start(Framing::Stream).await;
    peer.state().outcome = None;
    peer.state().credit = 3;
    let mut options = options(&peer);
    options.window = WindowLimits { messages_max: 4, ..WindowLimits::default() };
    let client = Client::connect(options).await.unwrap();
    let mut receipts = Vec::new();
    for n in 0..50 {
        receipts.push(client.queue(Message::text("orders", n.to_string())).await.unwrap());
    }
    peer.until(|state| state.stored.len() == 3).await;
    peer.state().outcome = Some(DeliveryState::Accepted);
    peer.cut();
    for receipt in receipts {
        receipt.await.unwrap();
    }
    let again = peer.state().stored.iter().filter(|stored| stored.again).count();
    assert_eq!((peer.state().stored.len(), again), (53, 3));
}

#[tokio::test]
async fn closing_waits_for_what_was_sent() {
    let peer = Peer::start(Framing::Messages).await;
    let client = connect(&peer).await;
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    client.close().await.unwrap();
    receipt.await.unwrap();
    peer.until(|state| state.closes == 1).await;
    assert!(matches!(client.send(Message::text("orders", "y")).await, Err(Error::Closed)));
    assert!(matches!(client.state(), State::Closed));
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let peer = Peer::start(Framing::Stream).await;
    let mut options = options(&peer);
    options.close_timeout = Duration::from_millis(20);
    let client = Client::connect(options).await.unwrap();
    peer.state().outcome = None;
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    peer.until(|state| state.stored.len() == 1).await;
    client.close().await.unwrap();
    assert!(matches!(receipt.await, Err(Error::Uncertain)));
}

#[tokio::test]
async fn dropping_everything_closes() {
    let peer = Peer::start(Framing::Messages).await;
    let client = connect(&peer).await;
    let news = client.receive(&["news"], 1).await.unwrap();
    drop(client);
    drop(news);
    peer.until(|state| state.closes == 1).await;
}

#[tokio::test]
async fn a_refused_link_is_named() {
    let peer = Peer::start(Framing::Stream).await;
    let denied = told(Condition::UnauthorizedAccess, &[]);
    for address in ["news", "orders"] {
        peer.state().refuse.insert(address.to_owned(), denied.clone());
    }
    let client = connect(&peer).await;
    let expected = |result: Result<(), Error>, of: &str| match result {
        Err(Error::LinkRefused { address, condition, description }) => {
            assert_eq!((&*address, &*description), (of, "as told"));
            assert_eq!(condition, "amqp:unauthorized-access");
        }
        other => panic!("{other:?}"),
    };
    expected(client.send(Message::text("orders", "x")).await, "orders");
    expected(client.receive(&["other", "news"], 1).await.map(drop), "news");
    // Nothing else suffers, and the link that was granted is given up.
    client.send(Message::text("other", "x")).await.unwrap();
    peer.state().refuse.clear();
    let mut both = client.receive(&["news", "other", "news"], 1).await.unwrap();
    let other = both.recv().await.unwrap();
    assert_eq!((other.address(), text(&other), other.failed_attempts()), ("other", "x", 0));
    client.send(Message::text("orders", "x")).await.unwrap();
    let links: Vec<String> = peer.state().attaches.iter().map(|it| it.name.clone()).collect();
    assert_eq!(links, ["orders", "other", "news", "other", "news", "other", "orders"]);
}

/// AMQP 2.8.16: what an operator or a restart does is waited out, what is meant for good is not.
#[tokio::test]
async fn a_closed_connection_is_opened_again_if_that_can_help() {
    let peer = Peer::start(Framing::Messages).await;
    let client = connect(&peer).await;
    let mut state = client.watch();
    peer.state().close_with = Some(told(Condition::ConnectionForced, &[]));
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    peer.cut();
    let forced = |state: &State| match state {
        State::Recovering { because: Error::ConnectionClosed { condition, .. }, .. } => {
            condition == "amqp:connection:forced"
        }
        _ => false,
    };
    state.wait_for(forced).await.unwrap();
    peer.state().close_with = None;
    receipt.await.unwrap();

    peer.state().close_with = Some(told(Condition::UnauthorizedAccess, &[]));
    peer.cut();
    state.wait_for(|state| matches!(state, State::Lost(_))).await.unwrap();
    let lost = client.close().await;
    assert!(matches!(lost, Err(Error::ConnectionClosed { .. })), "{lost:?}");
}

/// AMQP 2.6.1, 3.5.6: a durable subscription is named by container and link.
#[tokio::test]
async fn durable_subscriptions_belong_to_a_named_container() {
    let peer = Peer::start(Framing::Stream).await;
    let client = connect(&peer).await;
    let unnamed = client.receive_with(&["topic/a"], 1, Some("mine")).await;
    assert!(matches!(unnamed, Err(Error::ContainerUnnamed)), "{unnamed:?}");
    let mut options = options(&peer);
    options.container = Some("shop".into());
    let client = Client::connect(options).await.unwrap();
    let _receiver = client.receive_with(&["topic/a"], 1, Some("mine")).await.unwrap();
    let attach = peer.state().attaches[0].clone();
    assert_eq!(attach.name, "mine");
    assert_eq!(attach.source.unwrap().expiry_policy, TerminusExpiryPolicy::Never);
    let again = client.receive(&["c"], 1).await;
    assert!(matches!(again, Err(Error::AlreadyReceiving)));
}

#[tokio::test]
async fn failures_to_connect_are_named() {
    let peer = Peer::start(Framing::Messages).await;
    peer.state().http = Some((503, None));
    let busy = Client::connect(options(&peer)).await;
    assert!(matches!(busy, Err(Error::Http { status: 503 })), "{busy:?}");
    let (nobody, listener) = Peer::bind(Framing::Stream).await;
    drop(listener);
    let refused = Client::connect(options(&nobody)).await;
    assert!(matches!(refused, Err(Error::Network(_))), "{refused:?}");
    let mut wrong = Options::new("amqp://localhost");
    wrong.protocol = Protocol::Mbws;
    let wrong = Client::connect(wrong).await;
    assert!(matches!(wrong, Err(Error::Url(_))), "{wrong:?}");
    // What answers speaks something else.
    let other = Peer::start(Framing::Messages).await;
    let mut wrong = Options::new(format!("amqp://127.0.0.1:{}", other.port));
    wrong.connect_timeout = Duration::from_secs(2);
    let wrong = Client::connect(wrong).await;
    assert!(
        matches!(
            wrong,
            Err(Error::Amqp(_)
                | Error::Timeout
                | Error::ConnectionClosed { .. }
                | Error::Network(_))
        ),
        "{wrong:?}"
    );
}

/// More addresses than links are kept: those that rest give way.
#[tokio::test]
async fn many_addresses_share_the_links() {
    let peer = Peer::start(Framing::Stream).await;
    let client = connect(&peer).await;
    for n in 0..600 {
        client.send(Message::text(format!("reply/{n}"), "x")).await.unwrap();
    }
    client.send(Message::text("reply/0", "again")).await.unwrap();
    assert_eq!(peer.state().stored.len(), 601);
    assert_eq!(peer.state().attaches.len(), 601);
}
