//! Messages to the client: credit, draining, browsing (AMQP 2.6.7, 3.5.7).

use super::{ACCEPTED, RELEASED, source};
use crate::wire::{Wire, message, receive};
use wharf_amqp::engine::SaslPolicy;
use wharf_amqp::messaging::{DistributionMode, Source};
use wharf_amqp::performative::{Open, SenderSettleMode};
use wharf_gateway::Config;

/// `orders` holds these.
fn filled(texts: &[&str]) -> Wire {
    let mut wire = Wire::new(Config::default());
    wire.amqp(9);
    let out = wire.sender(9, "out", "orders");
    for text in texts {
        wire.publish(9, out, &message(text));
    }
    wire.heard(9);
    wire.amqp(1);
    wire
}

#[test]
fn no_more_than_the_credit() {
    let mut wire = filled(&["a", "b", "c", "d"]);
    let link = wire.receiver(1, "in", "orders", 2);
    assert_eq!(wire.heard(1), ["in #0 a", "in #1 b"]);
    wire.dispose(1, 0, ACCEPTED);
    assert_eq!(wire.heard(1), [""; 0]);
    wire.grant(1, link, 1, false);
    assert_eq!(wire.heard(1), ["in #2 c"]);
    wire.detach(1, link, true);
    wire.heard(1);
    // What the link had and did not settle is back, in its place.
    wire.receiver(1, "in", "orders", 10);
    assert_eq!(wire.heard(1), ["in #3 b", "in #4 c", "in #5 d"]);
}

#[test]
fn draining_gives_what_there_is_and_the_rest_of_the_credit_back() {
    let mut wire = filled(&["a", "b"]);
    let link = wire.receiver(1, "in", "orders", 0);
    wire.grant(1, link, 10, true);
    assert_eq!(wire.heard(1), ["in #0 a", "in #1 b", "in drained"]);
    let out = wire.sender(1, "out", "orders");
    wire.publish(1, out, &message("c"));
    assert_eq!(wire.heard(1), ["out 1 accepted"]);
    wire.grant(1, link, 1, false);
    assert_eq!(wire.heard(1), ["in #2 c"]);
    // Nothing is there: the answer comes at once.
    wire.grant(1, link, 5, true);
    assert_eq!(wire.heard(1), ["in drained"]);
}

/// AMQP 3.5.7: copies leave the queue as it is.
#[test]
fn browsing() {
    let mut wire = filled(&["a", "b"]);
    let copies = Source { distribution_mode: Some(DistributionMode::Copy), ..source("orders") };
    let link = wire.attach(1, receive("look", copies));
    wire.grant(1, link, 10, false);
    assert_eq!(wire.heard(1), ["attached look source=orders", "look #0 a", "look #1 b"]);
    // What becomes of a copy concerns nobody.
    wire.dispose(1, 0, ACCEPTED);
    wire.dispose_with(1, 1..=1, false, RELEASED);
    assert_eq!(wire.heard(1), ["#1..1 settled released"]);
    // Each message once, in order, those that come later too.
    let out = wire.sender(1, "out", "orders");
    wire.publish(1, out, &message("c"));
    assert_eq!(wire.heard(1), ["out 1 accepted", "look #2 c"]);
    wire.grant(1, link, 10, true);
    assert_eq!(wire.heard(1), ["look drained"]);
    wire.receiver(9, "in", "orders", 10);
    assert_eq!(wire.heard(9), ["in #0 a", "in #1 b", "in #2 c"]);
}

/// A browser of more than one flow's worth of octets is given all.
#[test]
fn browsing_a_long_queue() {
    let text = "x".repeat(100_000);
    let mut wire = filled(&[&*text; 50]);
    let copies = Source { distribution_mode: Some(DistributionMode::Copy), ..source("orders") };
    let link = wire.attach(1, receive("look", copies));
    wire.grant(1, link, 100, false);
    for _ in 0..20 {
        wire.engine(1, |_| ());
    }
    assert_eq!(wire.heard(1).len(), 51);
}

/// AMQP 2.8.2: at most once.
#[test]
fn a_consumer_of_settled_deliveries() {
    let mut wire = filled(&["a"]);
    let mut request = receive("in", source("orders"));
    request.terms.snd_settle_mode = Some(SenderSettleMode::Settled);
    let link = wire.attach(1, request);
    wire.grant(1, link, 10, false);
    assert_eq!(wire.heard(1), ["attached in source=orders", "in #0 settled a"]);
    wire.cut(1);
    wire.receiver(9, "in", "orders", 10);
    assert_eq!(wire.heard(9), [""; 0]);
}

/// AMQP 2.7.3: a message larger than the link takes is for others, and costs no credit.
#[test]
fn messages_that_are_too_large_are_for_others() {
    let large = "x".repeat(2000);
    for distribution_mode in [None, Some(DistributionMode::Copy)] {
        let mut wire = filled(&[&large, "a", &large, "b"]);
        let mut request = receive("in", Source { distribution_mode, ..source("orders") });
        request.terms.message_size_max_bytes = 1000;
        let link = wire.attach(1, request);
        wire.grant(1, link, 1, false);
        assert_eq!(wire.heard(1), ["attached in source=orders", "in #0 a"]);
        wire.grant(1, link, 10, true);
        let heard = wire.heard(1);
        assert_eq!(heard[..2], ["in #1 b", "in drained"]);
        assert!(heard[2..].iter().all(|line| line == "in drained"), "{heard:?}");
        wire.detach(1, link, true);
        wire.receiver(9, "in", "orders", 10);
        let all = (0..).zip([&*large, "a", &*large, "b"]);
        let all: Vec<String> = all.map(|(id, text)| format!("in #{id} {text}")).collect();
        assert_eq!(wire.heard(9), all);
    }
}

/// AMQP 2.4.1: nothing of this waits for an answer.
#[test]
fn everything_at_once() {
    let mut wire = filled(&["a"]);
    wire.stranger(2, Some("alice"), Vec::new(), SaslPolicy::Absent);
    wire.engine(2, |engine| {
        engine.open(Open::new("c2")).expect("not open");
        let session = engine.begin().expect("not closed");
        let link = engine.attach(session, receive("in", source("orders"))).expect("a session");
        engine.grant(link, 10, true).expect("a receiver");
    });
    let expected = ["open wharf", "attached in source=orders", "in #0 a", "in drained"];
    assert_eq!(wire.heard(2), expected);
}

#[test]
fn credit_can_be_taken_back() {
    let mut wire = filled(&["a"]);
    let link = wire.receiver(1, "in", "orders", 10);
    assert_eq!(wire.heard(1), ["in #0 a"]);
    wire.grant(1, link, 0, false);
    wire.dispose(1, 0, RELEASED);
    let out = wire.sender(9, "more", "orders");
    wire.publish(9, out, &message("b"));
    assert_eq!(wire.heard(1), [""; 0]);
    wire.grant(1, link, 1, false);
    assert_eq!(wire.heard(1), ["in #1 a"]);
}
