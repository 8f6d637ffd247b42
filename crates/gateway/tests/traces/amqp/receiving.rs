//! Messages from the client: durable before they are accepted (AMQP 3.4).

use crate::wire::{Wire, message, send};
use wharf_amqp::codec::Composite;
use wharf_amqp::engine::AttachRequest;
use wharf_amqp::messaging::{
    Header, Properties, Target, append_data, append_delivery_annotations,
    append_message_annotations,
};
use wharf_amqp::performative::ReceiverSettleMode;
use wharf_amqp::value::Value;
use wharf_gateway::Config;

#[test]
fn accepted_is_said_when_it_is_stored() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let out = wire.sender(1, "out", "orders");
    wire.hold();
    wire.publish_all(1, out, &["a", "b", "c"].map(message));
    assert_eq!(wire.heard(1), [""; 0]);
    wire.release();
    assert_eq!(wire.heard(1), ["out 1..3 accepted"]);
}

#[test]
fn settled_by_its_sender() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    wire.amqp(2);
    let out = wire.sender(1, "out", "orders");
    wire.receiver(2, "in", "orders", 10);
    wire.publish_with(1, out, true, 0, &message("a"));
    // The engine's own word: the broker says nothing.
    assert_eq!(wire.heard(1), ["out 1 accepted"]);
    assert_eq!(wire.heard(2), ["in #0 a"]);
}

/// Nobody hears an outcome: what can be kept is a dead letter, and else the link ends (AMQP 2.6.5).
#[test]
fn settled_messages_that_cannot_be_taken() {
    let mut wire = Wire::new(Config::default());
    wire.amqp_as(1, "carol");
    wire.amqp(2);
    let relay = Target::default();
    let mut request = send("out", "");
    request.terms.target = Some(relay.into());
    let out = wire.attach(1, request);
    let mut octets = Vec::new();
    Properties { to: Some("orders".to_owned()), ..Properties::default() }.encode(&mut octets);
    octets.extend_from_slice(&message("a"));
    wire.publish_with(1, out, true, 0, &octets);
    wire.heard(1);
    wire.receiver(2, "dead", "wharf/dead-letter", 10);
    let died = "x-opt-wharf-death-reason=not-permitted x-opt-wharf-death-address=orders";
    assert_eq!(wire.heard(2), [format!("dead #0 a {died}")]);
    wire.publish_with(1, out, true, 0, &message("b"));
    let error = "amqp:precondition-failed (the property to is missing)";
    assert_eq!(wire.heard(1), ["out 2 accepted".to_owned(), format!("out closed: {error}")]);
}

/// AMQP 2.8.3: the receiver settles after the sender.
#[test]
fn a_receiver_that_settles_second_waits_for_the_sender() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let AttachRequest { name, role, mut terms } = send("out", "orders");
    terms.rcv_settle_mode = Some(ReceiverSettleMode::Second);
    let out = wire.attach(1, AttachRequest { name, role, terms });
    assert_eq!(wire.heard(1), ["attached out target=orders", "out credit 512"]);
    wire.hold();
    wire.publish(1, out, &message("a"));
    assert_eq!(wire.heard(1), [""; 0]);
    wire.release();
    assert_eq!(wire.heard(1), ["out 1 accepted, unsettled"]);
    wire.engine(1, |engine| engine.settle_sent(out, 1, 1, None)).expect("unsettled");
    wire.publish(1, out, &message("b"));
    assert_eq!(wire.heard(1), ["out 2 accepted, unsettled"]);
}

#[test]
fn messages_that_cannot_be_taken() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let out = wire.sender(1, "out", "orders");
    wire.publish(1, out, b"\0Sw");
    wire.publish(1, out, b"\0Sp\xc0\x03\x01\x52\x07\0Sw@");
    wire.publish_with(1, out, false, 7, &message("a"));
    wire.publish(1, out, &message("b"));
    let malformed = "rejected amqp:decode-error (the message cannot be decoded)";
    let unknown = "rejected amqp:not-implemented (a message format or transaction not known here)";
    assert_eq!(
        wire.heard(1),
        [
            format!("out 1 {malformed}"),
            format!("out 2 {malformed}"),
            format!("out 3 {unknown}"),
            "out 4 accepted".to_owned()
        ]
    );
    wire.receiver(1, "in", "orders", 10);
    assert_eq!(wire.heard(1), ["in #0 b"]);
}

/// Credit comes as messages become durable, and more of it the faster it is used up.
#[test]
fn credit_follows_the_journal() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let out = wire.sender(1, "out", "orders");
    wire.hold();
    wire.publish_all(1, out, &vec![message("a"); 600]);
    assert_eq!(wire.heard(1), [""; 0]);
    wire.release();
    assert_eq!(wire.heard(1), ["out 1..512 accepted", "out credit 1536", "out 513..600 accepted"]);
}

#[test]
fn a_message_of_many_frames() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let out = wire.sender(1, "out", "orders");
    let text = "x".repeat(300_000);
    wire.publish(1, out, &message(&text));
    assert_eq!(wire.heard(1), ["out 1 accepted"]);
    wire.receiver(1, "in", "orders", 10);
    assert_eq!(wire.heard(1), [format!("in #0 {text}")]);
}

/// Some senders of an empty message leave the body out, or everything.
#[test]
fn messages_without_a_body() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let out = wire.sender(1, "out", "orders");
    let mut header = Vec::new();
    Header { durable: true, ..Header::default() }.encode(&mut header);
    wire.publish(1, out, &header);
    wire.publish(1, out, b"");
    assert_eq!(wire.heard(1), ["out 1 accepted", "out 2 accepted"]);
    wire.receiver(1, "in", "orders", 10);
    assert_eq!(wire.heard(1), ["in #0 nothing", "in #1 nothing"]);
}

/// AMQP 3.2.2, 3.2.3.
#[test]
fn annotations_for_one_hop_stay_there() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let out = wire.sender(1, "out", "orders");
    let mut octets = Vec::new();
    append_delivery_annotations(&mut octets, &vec![("x-opt-hop".into(), Value::from("1"))]);
    append_message_annotations(&mut octets, &vec![("x-opt-all".into(), Value::from("2"))]);
    append_data(&mut octets, b"a");
    wire.publish(1, out, &octets);
    wire.heard(1);
    wire.receiver(1, "in", "orders", 10);
    assert_eq!(wire.heard(1), ["in #0 data a x-opt-all=2"]);
}
