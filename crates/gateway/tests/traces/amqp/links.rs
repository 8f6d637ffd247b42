//! What a link is granted, and what refuses it (AMQP 2.6.3, 3.5.3, 3.5.4).

use super::{ACCEPTED, source};
use crate::wire::{Wire, message, receive, send};
use wharf_amqp::codec::Composite;
use wharf_amqp::engine::{AttachAnswer, AttachRequest, LinkId};
use wharf_amqp::messaging::{
    Coordinator, DistributionMode, LifetimePolicy, Properties, Source, Target, TargetArchetype,
    TerminusDurability, TerminusExpiryPolicy,
};
use wharf_amqp::value::Value;
use wharf_gateway::Config;

#[test]
fn attach_send_receive_accept() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    wire.attach(1, send("out", "orders"));
    assert_eq!(wire.heard(1), ["attached out target=orders", "out credit 512"]);
    let input = wire.receiver(1, "in", "orders", 10);
    let out = wire.sender(1, "out2", "orders");
    wire.publish(1, out, &message("hello"));
    assert_eq!(wire.heard(1), ["out2 1 accepted", "in #0 hello"]);
    wire.dispose(1, 0, ACCEPTED);
    wire.detach(1, input, true);
    wire.receiver(1, "in", "orders", 10);
    assert_eq!(wire.heard(1), [""; 0]);
}

fn to(target: impl Into<TargetArchetype>) -> AttachRequest {
    let AttachRequest { name, role, terms } = send("out", "");
    let terms = AttachAnswer { target: Some(target.into()), ..terms };
    AttachRequest { name, role, terms }
}

fn target(address: &str, capabilities: &[&str]) -> Target {
    let capabilities = capabilities.iter().map(|it| (*it).to_owned()).collect();
    Target { address: Some(address.to_owned()), capabilities, ..Target::default() }
}

fn from(address: &str, capabilities: &[&str]) -> AttachRequest {
    let capabilities = capabilities.iter().map(|it| (*it).to_owned()).collect();
    receive("in", Source { capabilities, ..source(address) })
}

/// AMQP 2.6.3: attached without a terminus of the broker's, and closed at once.
#[test]
fn refused_links() {
    let nowhere = |mut request: AttachRequest| {
        request.terms.source = None;
        request.terms.target = None;
        request
    };
    let table = [
        ("carol", send("out", "orders"), "unauthorized-access (not permitted)"),
        ("carol", send("out", "out/a"), "unauthorized-access (not permitted)"),
        ("carol", from("in/a", &[]), "unauthorized-access (not permitted)"),
        ("alice", send("out", "wharf/x"), "invalid-field (not a valid address)"),
        ("alice", send("out", "wharf/dead-letter"), "invalid-field (not a valid address)"),
        ("alice", from("wharf/x", &[]), "invalid-field (not a valid address)"),
        ("alice", from("wharf/dynamic/x", &[]), "not-found (no such address)"),
        ("alice", send("out", "wharf/dynamic/x"), "not-found (no such address)"),
        ("alice", to(target("queue", &["topic"])), "not-allowed (the address is of another kind)"),
        ("alice", from("topic/t", &["queue"]), "not-allowed (the address is of another kind)"),
        ("alice", nowhere(send("out", "a")), "invalid-field (the target is missing)"),
        ("alice", to(Coordinator::default()), "not-implemented (there are no transactions here)"),
        ("alice", nowhere(from("a", &[])), "not-found (no such address)"),
        ("alice", receive("in", Source::default()), "invalid-field (the source has no address)"),
    ];
    for (user, request, error) in table {
        let mut wire = Wire::new(Config::default());
        wire.amqp(1);
        wire.sender(1, "q", "queue");
        wire.sender(1, "t", "topic/t");
        wire.amqp_as(2, user);
        let name = request.name.clone();
        let end = if name == "in" { "source" } else { "target" };
        wire.attach(2, request);
        let expected =
            [format!("attached {name} without a {end}"), format!("{name} closed: amqp:{error}")];
        assert_eq!(wire.heard(2), expected);
        // The name is free again, and the session goes on.
        wire.sender(2, "out", "in/b");
    }
}

#[test]
fn permissions_are_by_address() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    wire.amqp_as(2, "carol");
    let out = wire.sender(2, "out", "in/a");
    wire.receiver(1, "in", "in/a", 10);
    wire.publish(2, out, &message("a"));
    assert_eq!(wire.heard(2), ["out 1 accepted"]);
    assert_eq!(wire.heard(1), ["in #0 a"]);
    wire.receiver(2, "in", "out/a", 10);
}

/// The kind of a new address: that of the terminus's capabilities, and else of its policy.
#[test]
fn capabilities_choose_between_queue_and_topic() {
    for (address, capabilities, copies) in [
        ("news", &[][..], 1),
        ("news", &["topic"], 2),
        ("topic/news", &[], 2),
        ("topic/news", &["queue"], 1),
        ("news", &["x", "temporary-topic"], 2),
        ("topic/news", &["temporary-queue"], 1),
    ] {
        let mut wire = Wire::new(Config::default());
        for client in [1, 2] {
            wire.amqp(client);
            let link = wire.attach(client, from(address, capabilities));
            wire.grant(client, link, 10, false);
            wire.heard(client);
        }
        let out = wire.sender(1, "out", address);
        wire.publish(1, out, &message("a"));
        let heard = [wire.heard(1), wire.heard(2)].concat();
        let found = heard.iter().filter(|line| *line == "in #0 a").count();
        assert_eq!(found, copies, "{address} {capabilities:?}");
    }
}

fn durable(durable: TerminusDurability, expiry_policy: TerminusExpiryPolicy) -> AttachRequest {
    receive("in", Source { durable, expiry_policy, ..source("topic/news") })
}

/// AMQP 2.6.6, 3.5.3: a detached link leaves its subscription, a closed one does not.
#[test]
fn a_durable_subscription_survives_until_its_link_is_closed() {
    use TerminusDurability as Durability;
    use TerminusExpiryPolicy as Expiry;
    for (durability, expiry, survives) in [
        (Durability::UnsettledState, Expiry::Never, true),
        (Durability::Configuration, Expiry::SessionEnd, true),
        (Durability::None, Expiry::Never, true),
        (Durability::None, Expiry::SessionEnd, false),
    ] {
        let mut wire = Wire::new(Config::default());
        wire.amqp(1);
        wire.amqp(2);
        let out = wire.sender(2, "out", "topic/news");
        let subscribe = |wire: &mut Wire| -> (LinkId, Vec<String>) {
            let link = wire.attach(1, durable(durability, expiry));
            wire.grant(1, link, 10, false);
            (link, wire.heard(1).split_off(1))
        };
        let missed = |ids: &[&str]| -> Vec<String> {
            ids.iter().filter(|_| survives).map(|line| (*line).to_owned()).collect()
        };
        let (link, _) = subscribe(&mut wire);
        wire.detach(1, link, false);
        wire.publish(2, out, &message("a"));
        let (_, heard) = subscribe(&mut wire);
        assert_eq!(heard, missed(&["in #0 a"]), "after a detach");
        if survives {
            wire.dispose(1, 0, ACCEPTED);
        }
        wire.cut(1);
        wire.publish(2, out, &message("b"));
        // Found again by the names of container and link.
        wire.amqp(1);
        let (link, heard) = subscribe(&mut wire);
        assert_eq!(heard, missed(&["in #0 b"]), "after a lost connection");
        if survives {
            wire.dispose(1, 0, ACCEPTED);
        }
        wire.detach(1, link, true);
        wire.heard(1);
        wire.publish(2, out, &message("c"));
        let (_, heard) = subscribe(&mut wire);
        assert_eq!(heard, [""; 0], "after a close");
    }
}

/// AMQP 2.6.3: an attach without a source asks what the link is known for. So JMS ends a durable
/// subscription: by its name alone, and then by closing the link.
#[test]
fn a_durable_subscription_is_found_by_its_link_name() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    wire.amqp(2);
    let out = wire.sender(2, "out", "topic/news");
    let never = || durable(TerminusDurability::UnsettledState, TerminusExpiryPolicy::Never);
    let link = wire.attach(1, never());
    wire.heard(1);
    wire.detach(1, link, false);
    wire.publish(2, out, &message("a"));

    let nameless = || {
        let mut request = never();
        request.terms.source = None;
        request
    };
    let link = wire.attach(1, nameless());
    assert_eq!(wire.heard(1), ["attached in source=topic/news"]);
    let source = wire.attached(1, "in").source.expect("the subscription's");
    assert_eq!(source.durable, TerminusDurability::UnsettledState);
    assert_eq!(source.expiry_policy, TerminusExpiryPolicy::Never);
    wire.grant(1, link, 1, false);
    assert_eq!(wire.heard(1), ["in #0 a"]);
    wire.detach(1, link, true);
    wire.heard(1);

    // It is over, and so there is nothing to be found.
    wire.attach(1, nameless());
    let heard = wire.heard(1);
    assert!(heard[1].contains("amqp:not-found"), "{heard:?}");
    let link = wire.attach(1, never());
    wire.grant(1, link, 1, false);
    assert_eq!(wire.heard(1), ["attached in source=topic/news"]);
}

/// A queue keeps its messages anyway.
#[test]
fn a_durable_link_from_a_queue_is_an_ordinary_one() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let out = wire.sender(1, "out", "orders");
    wire.publish(1, out, &message("a"));
    wire.heard(1);
    let durable = Source { durable: TerminusDurability::UnsettledState, ..source("orders") };
    let link = wire.attach(1, receive("in", durable));
    assert_eq!(wire.heard(1), ["attached in source=orders"]);
    wire.grant(1, link, 10, false);
    assert_eq!(wire.heard(1), ["in #0 a"]);
}

/// The address of a dynamic terminus in the line that says that it is attached.
fn dynamic_address(heard: &[String]) -> String {
    let address = heard[0].split_once('=').expect("attached").1.to_owned();
    assert!(address.starts_with("wharf/dynamic/"), "{address}");
    address
}

fn sent_to(address: &str, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    Properties { to: Some(address.to_owned()), ..Properties::default() }.encode(&mut out);
    out.extend_from_slice(&message(text));
    out
}

/// The anonymous terminus: each message names its own address.
fn relay() -> AttachRequest {
    to(Target::default())
}

/// AMQP 3.5.3: a node for replies, which lives as long as its link.
#[test]
fn request_and_reply_over_a_dynamic_node() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    wire.amqp(2);
    let replies = wire.attach(1, receive("in", Source { dynamic: true, ..Source::default() }));
    let address = dynamic_address(&wire.heard(1));
    wire.grant(1, replies, 10, false);
    let out = wire.attach(2, relay());
    assert_eq!(wire.heard(2), ["attached out target=", "out credit 512"]);
    wire.publish(2, out, &sent_to(&address, "reply"));
    assert_eq!(wire.heard(2), ["out 1 accepted"]);
    assert_eq!(wire.heard(1), ["in #0 reply"]);
    wire.detach(1, replies, true);
    wire.publish(2, out, &sent_to(&address, "late"));
    assert_eq!(wire.heard(2), ["out 2 rejected amqp:not-found (unknown-address)"]);
}

/// AMQP 3.5.4, 3.5.9 to 3.5.13.
#[test]
fn a_dynamic_target_lives_as_its_policy_says() {
    for (policy, outlives_its_link) in [
        (None, false),
        (Some(LifetimePolicy::DeleteOnClose), false),
        (Some(LifetimePolicy::DeleteOnNoLinks), false),
        (Some(LifetimePolicy::DeleteOnNoMessages), true),
        (Some(LifetimePolicy::DeleteOnNoLinksOrMessages), true),
    ] {
        let mut wire = Wire::new(Config::default());
        wire.amqp(1);
        let properties = policy.map(|policy| ("lifetime-policy".to_owned(), policy.to_value()));
        let dynamic_node_properties = properties.into_iter().collect();
        let target = Target { dynamic: true, dynamic_node_properties, ..Target::default() };
        let link = wire.attach(1, to(target));
        let address = dynamic_address(&wire.heard(1));
        wire.publish(1, link, &message("a"));
        wire.detach(1, link, true);
        wire.heard(1);
        let link = wire.attach(1, from(&address, &[]));
        // Fails if it was refused.
        let _ = wire.engine(1, |engine| engine.grant(link, 10, false));
        let heard = wire.heard(1);
        assert_eq!(
            heard.contains(&"in #0 a".to_owned()),
            outlives_its_link,
            "{policy:?} {heard:?}"
        );
    }
}

/// AMQP 3.5.4: without an address of its own, a link has those of its messages.
#[test]
fn the_anonymous_terminus_judges_each_message() {
    let mut wire = Wire::new(Config::default());
    wire.amqp_as(1, "carol");
    wire.amqp(2);
    wire.receiver(2, "in", "in/a", 10);
    let out = wire.attach(1, relay());
    wire.heard(1);
    let table = [
        (sent_to("in/a", "a"), "accepted"),
        (sent_to("out/a", "b"), "rejected amqp:unauthorized-access (not-permitted)"),
        (sent_to("wharf/x", "c"), "rejected amqp:invalid-field (invalid-address)"),
        (sent_to("wharf/dynamic/x", "d"), "rejected amqp:unauthorized-access (not-permitted)"),
        (sent_to("", "e"), "rejected amqp:precondition-failed (the property to is missing)"),
        (message("f"), "rejected amqp:precondition-failed (the property to is missing)"),
        (sent_to("in/a", "g"), "accepted"),
    ];
    for (cookie, (message, outcome)) in (1..).zip(table) {
        wire.publish(1, out, &message);
        assert_eq!(wire.heard(1), [format!("out {cookie} {outcome}")]);
    }
    assert_eq!(wire.heard(2), ["in #0 a", "in #1 g"]);
}

/// AMQP 3.5.8: a filter that is not applied is not named in the answer.
#[test]
fn filters_are_not_said_to_be_applied() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    let filter = vec![("f".to_owned(), Value::described(Value::symbol("f"), Value::from("x")))];
    let distribution_mode = Some(DistributionMode::Copy);
    let asked = Source { filter, distribution_mode, ..source("orders") };
    wire.attach(1, receive("in", asked));
    let attach = wire.attached(1, "in");
    let granted = attach.source.expect("granted");
    assert_eq!(granted.filter, []);
    assert_eq!(granted.distribution_mode, Some(DistributionMode::Copy));
    assert_eq!(granted.outcomes.len(), 4);
}

/// What is at an address that goes.
#[test]
fn a_deleted_address_closes_its_links() {
    let mut wire = Wire::new(Config::default());
    wire.amqp(1);
    wire.amqp(2);
    let replies = wire.attach(1, receive("in", Source { dynamic: true, ..Source::default() }));
    let address = dynamic_address(&wire.heard(1));
    wire.sender(2, "out", &address);
    wire.receiver(2, "also", &address, 10);
    wire.detach(1, replies, true);
    let mut heard = wire.heard(2);
    heard.sort_unstable();
    let gone = "closed: amqp:resource-deleted (the address was deleted)";
    assert_eq!(heard, [format!("also {gone}"), format!("out {gone}")]);
}
