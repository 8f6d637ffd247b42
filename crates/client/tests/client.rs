//! The client against a broker in memory, over real sockets.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test with sockets")]

mod support;

use std::time::Duration;

use support::Broker;
use wharf_client::{Client, Error, Flavour, Kind, Message, Options, Retry, State, WindowLimits};

fn options(broker: &Broker) -> Options {
    let mut options = Options::new(broker.url());
    options.retry = Retry {
        first_max: Duration::from_millis(2),
        max: Duration::from_millis(20),
        ..Retry::default()
    };
    options
}

async fn connect(broker: &Broker) -> Client {
    Client::connect(options(broker)).await.expect("the broker is there")
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).expect("text")
}

/// MBWS-010, MBWS-033, MBWS-071, MBWS-078, MBWS-079
#[tokio::test]
async fn what_is_sent_is_stored_and_comes_back_as_it_was() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    let message = Message::text("orders", "un th\u{e9}")
        .with_content_type("text/plain")
        .with_property("k", "1")
        .with_property("k", "2");
    client.send(message.clone()).await.unwrap();
    assert_eq!(broker.state().stored, [("orders".into(), "un th\u{e9}".into())]);
    client.send(Message::binary("orders", [0xff, 0])).await.unwrap();

    let mut orders = client.receive(&["orders"], 5).await.unwrap();
    let delivery = orders.recv().await.unwrap();
    assert_eq!((delivery.address(), delivery.seq()), ("orders", 1));
    assert_eq!(delivery.ack(), message);
    let delivery = orders.recv().await.unwrap();
    assert_eq!(delivery.message().kind, Kind::Binary);
    assert_eq!(delivery.body(), [0xff, 0]);
}

/// MBWS-005, MBWS-008
#[tokio::test]
async fn user_and_origin_are_named_in_the_upgrade() {
    let broker = Broker::start().await;
    let mut options = options(&broker);
    options.credentials = Some(("Aladdin".into(), "open sesame".into()));
    options.origin = Some("https://shop.example".into());
    Client::connect(options).await.unwrap();
    let basic = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned();
    let origin = "https://shop.example".to_owned();
    assert_eq!(broker.state().asked, [(Some(basic), Some(origin))]);
}

/// MBWS-020, MBWS-026, MBWS-040, MBWS-047: connections break at random, in both directions, and
/// the application notices nothing.
#[tokio::test]
async fn nothing_is_lost_and_nothing_comes_twice() {
    const MESSAGES: usize = 1500;
    let expected: Vec<String> = (0..MESSAGES).map(|n| n.to_string()).collect();
    for seed in 0..3 {
        println!("seed {seed}");
        let broker = Broker::start().await;
        let mut options = options(&broker);
        options.window = WindowLimits { messages_max: 64, ..WindowLimits::default() };
        let client = Client::connect(options).await.unwrap();
        let mut news = client.receive(&["news"], 16).await.unwrap();
        broker.have_accidents(seed);

        let sending = async {
            let mut receipts = Vec::new();
            for body in &expected {
                receipts.push(client.queue(Message::text("orders", body)).await.unwrap());
                broker.put("news", body);
            }
            for receipt in receipts {
                receipt.await.unwrap();
            }
        };
        let receiving = async {
            let mut received = Vec::new();
            // Acknowledged two at a time, the later one first.
            while received.len() < MESSAGES {
                let first = news.recv().await.unwrap();
                let second = news.recv().await.unwrap();
                received.extend([&first, &second].map(|it| text(it.body()).to_owned()));
                second.ack();
                first.ack();
            }
            received
        };
        let ((), received) = tokio::join!(sending, receiving);
        broker.be_good();
        assert_eq!(received, expected);
        let stored: Vec<String> = broker.state().stored.iter().map(|it| it.1.clone()).collect();
        assert_eq!(stored, expected);
        assert!(broker.state().resumed > 5, "too few accidents to prove anything");
        client.close().await.unwrap();
    }
}

/// MBWS-034, MBWS-041: what the application has not taken is kept by the broker.
#[tokio::test]
async fn acknowledgements_given_without_a_session_are_told_at_the_next() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    let mut news = client.receive(&["news"], 2).await.unwrap();
    for body in ["a", "b", "c"] {
        broker.put("news", body);
    }
    let first = news.recv().await.unwrap();
    let second = news.recv().await.unwrap();
    broker.state().refuse = Some(503);
    let mut state = client.watch();
    broker.cut();
    state.wait_for(|state| matches!(state, State::Recovering { .. })).await.unwrap();
    first.ack();
    second.ack();
    broker.state().refuse = None;
    // The credit was used up, so this needs the acknowledgements.
    assert_eq!(text(news.recv().await.unwrap().body()), "c");
    assert!(matches!(client.state(), State::Open { recovered: 1 }));
}

/// MBWS-050, MBWS-052: the broker has forgotten; the client says what is uncertain and goes on.
#[tokio::test]
async fn a_forgotten_connection_is_begun_again() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    let mut news = client.receive(&["news"], 8).await.unwrap();
    broker.put("news", "old");
    let old = news.recv().await.unwrap();
    broker.state().silent = true;
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    broker.until(|state| state.stored.len() == 1).await;
    broker.state().silent = false;
    broker.forget();
    assert!(matches!(receipt.await, Err(Error::Uncertain)));

    broker.until(|state| state.wishes.len() == 2).await;
    broker.put("news", "new");
    let new = news.recv().await.unwrap();
    assert_eq!((text(new.body()), new.seq()), ("new", 1));
    // Of the connection before: its number must not be taken for one of this.
    old.ack();
    client.send(Message::text("orders", "y")).await.unwrap();
    new.ack();
    client.close().await.unwrap();
}

/// A message waits for the window, not in memory without bound.
#[tokio::test]
async fn a_full_window_is_back_pressure() {
    let broker = Broker::start().await;
    let mut options = options(&broker);
    options.window = WindowLimits { messages_max: 4, ..WindowLimits::default() };
    let client = Client::connect(options).await.unwrap();
    broker.state().silent = true;
    let mut receipts = Vec::new();
    for n in 0..50 {
        receipts.push(client.queue(Message::text("orders", n.to_string())).await.unwrap());
    }
    broker.until(|state| state.stored.len() == 4).await;
    // The next session acknowledges these by its number, and the rest goes through.
    broker.state().silent = false;
    broker.cut();
    for receipt in receipts {
        receipt.await.unwrap();
    }
    assert_eq!(broker.state().stored.len(), 50);
}

/// MBWS-015, MBWS-A10: a normal close comes after the last acknowledgement.
#[tokio::test]
async fn closing_waits_for_what_was_sent() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    client.close().await.unwrap();
    receipt.await.unwrap();
    broker.until(|state| state.closes == [1000]).await;
    assert!(matches!(client.send(Message::text("orders", "y")).await, Err(Error::Closed)));
    assert!(matches!(client.state(), State::Closed));
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let broker = Broker::start().await;
    let mut options = options(&broker);
    options.close_timeout = Duration::from_millis(20);
    let client = Client::connect(options).await.unwrap();
    broker.state().silent = true;
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    client.close().await.unwrap();
    assert!(matches!(receipt.await, Err(Error::Uncertain)));
}

#[tokio::test]
async fn dropping_everything_closes() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    let news = client.receive(&["news"], 1).await.unwrap();
    drop(client);
    drop(news);
    broker.until(|state| state.closes == [1000]).await;
}

#[tokio::test]
async fn a_client_has_one_receiver() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    let _news = client.receive_with(&["a", "b"], 3, Some("mine")).await.unwrap();
    let again = client.receive(&["c"], 1).await;
    assert!(matches!(again, Err(Error::AlreadyReceiving)));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let wish = [
        pair("credit", "3"),
        pair("subscription", "mine"),
        pair("address", "a"),
        pair("address", "b"),
    ];
    assert_eq!(broker.state().wishes, [wish]);
}

/// What the broker means for good is not asked again.
#[tokio::test]
async fn a_rejection_ends_the_client() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    broker.state().close_with = Some((1008, "no right to receive: news"));
    match client.receive(&["news"], 1).await {
        Err(Error::Rejected { code: 1008, reason }) => {
            assert_eq!(reason, "no right to receive: news");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(client.close().await, Err(Error::Rejected { .. })));
    assert_eq!(broker.state().asked.len(), 1);
}

/// MBWS-A09: a restart is no end.
#[tokio::test]
async fn a_restarting_broker_is_waited_for() {
    let broker = Broker::start().await;
    let client = connect(&broker).await;
    broker.state().close_with = Some((1012, "restarting"));
    let receipt = client.queue(Message::text("orders", "x")).await.unwrap();
    let mut state = client.watch();
    state.wait_for(|state| matches!(state, State::Recovering { .. })).await.unwrap();
    broker.state().close_with = None;
    receipt.await.unwrap();
    assert_eq!(broker.state().stored.len(), 1);
}

#[tokio::test]
async fn failures_to_connect_are_named() {
    let broker = Broker::start().await;
    for (status, denied) in [(401, true), (403, true), (404, false), (503, false)] {
        broker.state().refuse = Some(status);
        match Client::connect(options(&broker)).await {
            Err(Error::Denied { status: got }) => assert_eq!((got, denied), (status, true)),
            Err(Error::Http { status: got }) => assert_eq!((got, denied), (status, false)),
            other => panic!("{other:?}"),
        }
    }
    let (nobody, listener) = Broker::bind().await;
    drop(listener);
    let refused = Client::connect(options(&nobody)).await;
    assert!(matches!(refused, Err(Error::Network(_))), "{refused:?}");
    let wrong = Client::connect(Options::new("http://localhost/")).await;
    assert!(matches!(wrong, Err(Error::Url(_))), "{wrong:?}");
}

/// MBWS-060, MBWS-063, MBWS-064: sent is sent, and a lost session is followed by a new one.
#[tokio::test]
async fn the_light_flavour_reconnects_without_recovery() {
    let broker = Broker::start().await;
    let mut options = options(&broker);
    options.flavour = Flavour::Light;
    let client = Client::connect(options).await.unwrap();
    let mut news = client.receive(&["news"], 5).await.unwrap();
    client.send(Message::text("orders", "x")).await.unwrap();
    broker.until(|state| state.stored.len() == 1 && state.wishes.len() == 1).await;
    broker.put("news", "a");
    news.recv().await.unwrap().ack();
    broker.cut();
    broker.until(|state| state.wishes.len() == 2).await;
    broker.put("news", "b");
    assert_eq!(text(news.recv().await.unwrap().body()), "b");
    client.close().await.unwrap();
}
