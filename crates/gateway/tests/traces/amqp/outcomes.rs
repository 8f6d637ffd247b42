//! What a client makes of deliveries, and what becomes of those it leaves (AMQP 3.4).

use super::{ACCEPTED, RELEASED, modified, source};
use crate::wire::{Wire, message, receive};
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::engine::{LinkId, SessionId};
use wharf_amqp::messaging::{DeliveryState, Source};
use wharf_amqp::value::{Fields, Value};
use wharf_gateway::Config;

/// Client 1 has the messages of `orders` unsettled.
fn delivered(texts: &[&str]) -> (Wire, LinkId) {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    wire.amqp(2);
    let out = wire.sender(2, "out", "orders");
    for text in texts {
        wire.publish(2, out, &message(text));
    }
    wire.heard(2);
    let link = wire.receiver(1, "in", "orders", 100);
    let expected: Vec<String> =
        (0..).zip(texts).map(|(id, text)| format!("in #{id} {text}")).collect();
    assert_eq!(wire.heard(1), expected);
    (wire, link)
}

/// What a client finds in `orders`.
fn left(wire: &mut Wire, client: u64) -> Vec<String> {
    wire.receiver(client, "rest", "orders", 10);
    wire.heard(client)
}

fn annotation(name: &str, value: &str) -> Fields {
    vec![(name.to_owned(), Value::from(value))]
}

#[test]
fn accepted_is_gone() {
    let (mut wire, _) = delivered(&["a", "b", "c"]);
    wire.dispose_with(1, 0..=2, true, ACCEPTED);
    wire.cut(1);
    assert_eq!(left(&mut wire, 2), [""; 0]);
}

/// AMQP 3.4.4: as if it had not been delivered.
#[test]
fn released_comes_back_uncounted() {
    let (mut wire, _) = delivered(&["a", "b"]);
    wire.dispose(1, 0, RELEASED);
    assert_eq!(wire.heard(1), ["in #2 a"]);
}

/// AMQP 3.4.5.
#[test]
fn modified_comes_back_changed() {
    let (mut wire, _) = delivered(&["a"]);
    wire.dispose(1, 0, modified(true, false, Fields::new()));
    assert_eq!(wire.heard(1), ["in #1 a count=1"]);
    wire.dispose(1, 1, modified(false, false, annotation("x-opt-a", "1")));
    assert_eq!(wire.heard(1), ["in #2 a count=1 x-opt-a=1"]);
    wire.dispose(1, 2, modified(true, false, annotation("x-opt-b", "2")));
    assert_eq!(wire.heard(1), ["in #3 a count=2 x-opt-a=1 x-opt-b=2"]);
    wire.dispose(1, 3, modified(false, false, annotation("x-opt-a", "3")));
    assert_eq!(wire.heard(1), ["in #4 a count=2 x-opt-a=3 x-opt-b=2"]);
    wire.dispose(1, 4, RELEASED);
    assert_eq!(wire.heard(1), ["in #5 a count=2 x-opt-a=3 x-opt-b=2"]);
}

/// Annotations of several deliveries at once are added to those of each.
#[test]
fn modified_together() {
    let (mut wire, _) = delivered(&["a", "b", "c"]);
    wire.dispose(1, 1, modified(false, false, annotation("x-opt-b", "1")));
    assert_eq!(wire.heard(1), ["in #3 b x-opt-b=1"]);
    // b is delivery 3 now: a, c and b together.
    let both = modified(true, false, annotation("x-opt-all", "2"));
    wire.hold();
    wire.dispose_with(1, 0..=3, false, both);
    assert_eq!(wire.heard(1), [""; 0]);
    wire.release();
    let mut heard = wire.heard(1);
    heard.sort_unstable();
    let state = "modified(modified { delivery_failed: some(true)";
    assert_eq!(heard.len(), 6, "{heard:?}");
    assert!(heard[0].starts_with(&format!("#0..0 settled {state}")), "{heard:?}");
    assert_eq!(heard.iter().filter(|line| line.contains("count=1 x-opt-all=2")).count(), 2);
    assert!(heard.iter().any(|line| line.ends_with(" b count=1 x-opt-b=1 x-opt-all=2")));
}

/// AMQP 3.4.5: undeliverable-here.
#[test]
fn modified_elsewhere_is_for_others() {
    let (mut wire, _) = delivered(&["a"]);
    wire.dispose(1, 0, modified(true, true, Fields::new()));
    assert_eq!(wire.heard(1), [""; 0]);
    assert_eq!(left(&mut wire, 2), ["rest #0 a count=1"]);
}

/// AMQP 3.4.3: never taken; with the consumer's reason.
#[test]
fn rejected_is_a_dead_letter() {
    let (mut wire, _) = delivered(&["a", "b"]);
    let error = Error::new(Condition::DecodeError, "no JSON");
    wire.dispose(1, 0, DeliveryState::rejected(error));
    wire.dispose(1, 1, DeliveryState::Rejected(None));
    wire.receiver(2, "dead", "wharf/dead-letter", 10);
    let died = "x-opt-wharf-death-reason=rejected x-opt-wharf-death-address=orders";
    let detail = "x-opt-wharf-death-detail=amqp:decode-error no JSON";
    assert_eq!(wire.heard(2), [format!("dead #0 a {died} {detail}"), format!("dead #1 b {died}")]);
}

#[test]
fn failed_too_often_is_a_dead_letter() {
    let (mut wire, _) = delivered(&["a"]);
    for id in 0..20 {
        wire.dispose(1, id, modified(true, false, annotation("x-opt-last", "1")));
    }
    assert_eq!(wire.heard(1).len(), 19);
    wire.receiver(2, "dead", "wharf/dead-letter", 10);
    let died = "x-opt-wharf-death-reason=deliveries-max x-opt-wharf-death-address=orders";
    let heard = wire.heard(2);
    assert!(heard[0].starts_with("dead #0 a"), "{heard:?}");
    assert!(heard[0].ends_with(&format!("x-opt-last=1 {died}")), "{heard:?}");
}

/// AMQP 2.8.3: the sender settles an outcome when it is durable, and not before.
#[test]
fn an_outcome_is_settled_when_it_is_stored() {
    let (mut wire, _) = delivered(&["a", "b", "c"]);
    wire.hold();
    wire.dispose_with(1, 0..=1, false, ACCEPTED);
    wire.dispose_with(1, 2..=2, false, RELEASED);
    assert_eq!(wire.heard(1), [""; 0]);
    wire.release();
    assert_eq!(wire.heard(1), ["#0..1 settled accepted", "#2..2 settled released", "in #3 c"]);
}

/// A state that is no outcome may yet change.
#[test]
fn received_is_no_outcome() {
    let (mut wire, _) = delivered(&["a"]);
    let received = DeliveryState::Received { section_number: 0, section_offset: 7 };
    wire.dispose_with(1, 0..=0, false, received.clone());
    assert_eq!(left(&mut wire, 2), [""; 0]);
    wire.dispose_with(1, 0..=0, false, modified(false, true, Fields::new()));
    assert_eq!(wire.heard(2), ["rest #0 a"]);
    // Settled with it, the default outcome applies.
    wire.dispose(2, 0, received);
    assert_eq!(wire.heard(2), ["rest #1 a"]);
}

#[test]
fn a_closed_link_gives_back_what_it_did_not_settle() {
    let (mut wire, link) = delivered(&["a", "b"]);
    wire.dispose(1, 0, ACCEPTED);
    wire.detach(1, link, true);
    assert_eq!(left(&mut wire, 2), ["rest #0 b"]);
}

/// AMQP 3.5.3: the outcome of what is settled without one.
#[test]
fn the_default_outcome_of_a_source() {
    let failed = modified(true, false, Fields::new());
    for (default, found) in [
        (None, &["rest #0 a"][..]),
        (Some(RELEASED), &["rest #0 a"]),
        (Some(failed), &["rest #0 a count=1"]),
        (Some(ACCEPTED), &[]),
    ] {
        let mut wire = Wire::new(Config::default());
        wire.amqp(1);
        wire.amqp(2);
        let out = wire.sender(2, "out", "orders");
        wire.publish(2, out, &message("a"));
        wire.heard(2);
        let asked = Source { default_outcome: default, ..source("orders") };
        let link = wire.attach(1, receive("in", asked));
        wire.grant(1, link, 10, false);
        assert_eq!(wire.heard(1), ["attached in source=orders", "in #0 a"]);
        wire.detach(1, link, true);
        assert_eq!(left(&mut wire, 2), found);
    }
}

/// A detached link may come back to its deliveries; its session's end is the last word.
#[test]
fn a_detached_link_keeps_its_deliveries_until_the_session_ends() {
    let (mut wire, link) = delivered(&["a", "b"]);
    wire.detach(1, link, false);
    assert_eq!(left(&mut wire, 2), [""; 0]);
    wire.dispose(1, 0, ACCEPTED);
    assert_eq!(wire.heard(2), [""; 0]);
    wire.engine(1, |engine| engine.end_session(SessionId(0), None)).expect("begun");
    assert_eq!(wire.heard(2), ["rest #0 b"]);
}

#[test]
fn the_end_of_a_session_gives_everything_back() {
    let (mut wire, _) = delivered(&["a", "b"]);
    wire.engine(1, |engine| engine.end_session(SessionId(0), None)).expect("begun");
    assert_eq!(left(&mut wire, 2), ["rest #0 a", "rest #1 b"]);
}

/// Nobody knows how far the client was: that counts as an attempt.
#[test]
fn a_lost_connection_raises_the_count() {
    let (mut wire, _) = delivered(&["a", "b"]);
    wire.dispose(1, 0, ACCEPTED);
    wire.cut(1);
    assert_eq!(left(&mut wire, 2), ["rest #0 b count=1"]);
}
