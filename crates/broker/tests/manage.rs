//! What an operator does: looking, declaring, deleting, purging, moving, redriving, revoking.

mod bench;

use bench::{Bench, accept, browse, consume, flow, open, publish, reject, subscribe};
use wharf_broker::{AddressKind, Detour, Moved, Permission, Refusal, SessionId};

const HOST: &str = "localhost";

/// A bench with three messages in `in`, of which one is out.
fn three() -> Bench {
    let mut bench = Bench::new();
    bench.run(1, open("a"));
    for (seq, body) in [(1, "one"), (2, "two"), (3, "three")] {
        bench.run(1, publish(seq, &["in"], body));
    }
    bench.run(1, consume("in", 1));
    bench.told.clear();
    bench
}

fn counts(bench: &Bench, name: &str) -> (u64, u64, u64) {
    let view = bench.shard.address_view(HOST, name).expect("there is such an address");
    (view.messages_ready, view.messages_out, view.messages_bytes)
}

#[test]
fn an_address_says_what_is_in_it() {
    let mut bench = three();
    assert_eq!(counts(&bench, "in"), (2, 1, 11));
    bench.run(1, accept(1));
    assert_eq!(counts(&bench, "in"), (1, 1, 8), "the next one went out");
    bench.crash();
    assert_eq!(counts(&bench, "in"), (1, 1, 8), "a session waits for its client");
    let names: Vec<&str> = bench.shard.addresses_after(HOST, None).collect();
    assert_eq!(names, ["in"]);
    assert_eq!(bench.shard.addresses_after(HOST, Some("in")).count(), 0);
    assert_eq!(bench.shard.addresses_after("elsewhere", None).count(), 0);
}

#[test]
fn addresses_are_declared_once_and_deleted_with_what_waits() {
    let mut bench = three();
    let topic = Some(AddressKind::Topic);
    assert_eq!(bench.shard.declare_address(HOST, "news", topic), Ok(true));
    assert_eq!(bench.shard.declare_address(HOST, "news", None), Ok(false));
    assert_eq!(bench.shard.declare_address(HOST, "in", topic), Err(Refusal::WrongKind));
    assert_eq!(bench.shard.declare_address(HOST, "", None), Err(Refusal::InvalidAddress));
    assert_eq!(bench.shard.declare_address(HOST, "wharf/x", None), Err(Refusal::InvalidAddress));
    assert!(bench.shard.delete_address(HOST, "in"));
    assert!(!bench.shard.delete_address(HOST, "in"));
    bench.settle();
    assert_eq!(bench.told_to(1), ["gone 0 in"]);
    bench.run(1, accept(1));
    bench.crash();
    let names: Vec<&str> = bench.shard.addresses_after(HOST, None).collect();
    assert_eq!(names, ["news"]);
}

#[test]
fn a_purge_leaves_what_is_out() {
    let mut bench = three();
    let queue = bench.shard.queue_views(HOST, "in").unwrap()[0].0;
    assert_eq!(bench.shard.purge(queue), 2);
    bench.settle();
    assert_eq!(counts(&bench, "in"), (0, 1, 3));
    bench.crash();
    assert_eq!(counts(&bench, "in"), (0, 1, 3));
    assert_eq!(bench.shard.purge(queue), 0);
}

#[test]
fn messages_move_in_order_as_far_as_there_is_a_place() {
    let mut bench = three();
    let queue = bench.shard.queue_views(HOST, "in").unwrap()[0].0;
    assert_eq!(bench.shard.move_messages(queue, HOST, "nowhere", 9), None);
    assert_eq!(bench.shard.move_messages(queue, HOST, "in", 9), None);
    bench.shard.declare_address(HOST, "other", None).unwrap();
    let moved = bench.shard.move_messages(queue, HOST, "other", 9).unwrap();
    assert_eq!(moved, Moved { messages: 2, remaining: 1 });
    bench.settle();
    bench.run(2, open("b"));
    bench.run(2, consume("other", 10));
    let told = bench.told_to(2);
    assert_eq!(told[1..], ["consuming other", "deliver 1 other two", "deliver 2 other three"]);
}

#[test]
fn dead_letters_go_home() {
    let mut bench = three();
    bench.run(1, reject(1, "no"));
    let dead = bench.shard.queue_views(HOST, "wharf/dead-letter").unwrap()[0].0;
    assert_eq!(bench.shard.redrive(dead, HOST, 9), Moved { messages: 1, remaining: 0 });
    bench.settle();
    assert_eq!(counts(&bench, "in"), (2, 1, 11));
    // Without a home they stay.
    bench.run(1, reject(2, "no"));
    bench.shard.delete_address(HOST, "in");
    assert_eq!(bench.shard.redrive(dead, HOST, 9), Moved { messages: 0, remaining: 1 });
}

#[test]
fn subscriptions_are_seen_and_ended() {
    let mut bench = Bench::new();
    bench.run(1, open("a"));
    bench.run(1, subscribe("topic/x", "s"));
    bench.run(1, publish(1, &["topic/x"], "one"));
    bench.told.clear();
    let views = bench.shard.queue_views(HOST, "topic/x").unwrap();
    let view = &views[0].1;
    assert_eq!((view.subscription.as_deref(), view.messages_out), (Some("s"), 1));
    assert!(!bench.shard.delete_subscription(HOST, "topic/x", "t"));
    assert!(bench.shard.delete_subscription(HOST, "topic/x", "s"));
    bench.settle();
    assert_eq!(bench.told_to(1), ["gone 0 topic/x"]);
}

#[test]
fn a_revoked_session_is_told_and_gives_back() {
    let mut bench = three();
    let session = bench.shard.sessions_after(SessionId(0)).next().unwrap();
    assert_eq!((session.user.as_str(), session.deliveries_unsettled), ("alice", 1));
    assert!(session.connection.is_some() && session.expires.is_none());
    assert!(bench.shard.revoke_session(session.id));
    assert!(!bench.shard.revoke_session(session.id));
    bench.settle();
    assert_eq!(bench.told_to(1), ["revoked"]);
    assert_eq!(counts(&bench, "in"), (3, 0, 11));
}

#[test]
fn permissions_that_shrink_end_what_they_allowed() {
    let mut bench = three();
    bench.run(1, browse(7, "other"));
    bench.run(1, flow(7, 10));
    bench.run(1, consume("kept", 1));
    bench.told.clear();
    let kept = Permission { pattern: "kept".to_owned(), ..Permission::all() };
    bench.define_user("alice", vec![kept]);
    bench.settle();
    assert_eq!(bench.told_to(1), ["gone 0 in", "gone 7 other"]);
    bench.run(1, publish(4, &["in"], "no"));
    bench.run(1, accept(1));
    assert_eq!(counts(&bench, "in"), (2, 0, 8), "neither sent nor delivered any more");
}

#[test]
fn a_rule_for_one_host_is_for_no_other() {
    let mut bench = Bench::new();
    let elsewhere = Permission { host: "example.com".to_owned(), ..Permission::all() };
    bench.define_user("alice", vec![elsewhere]);
    bench.crash();
    bench.run(1, open("a"));
    bench.run(1, consume("in", 1));
    assert_eq!(bench.told_to(1), ["opened", "refused in: not permitted"]);
}

#[test]
fn a_detour_leads_elsewhere() {
    let mut bench = Bench::new();
    let detour = |address: &str, to: &[&str]| Detour {
        host: HOST.to_owned(),
        address: address.to_owned(),
        to: to.iter().map(|it| (*it).to_owned()).collect(),
    };
    bench.run(1, open("a"));
    bench.run(1, publish(1, &["old"], "before"));
    bench.shard.set_detours(vec![detour("old", &["new"]), detour("all", &["x", "new", "old"])]);
    bench.run(1, publish(2, &["old"], "alias"));
    bench.run(1, publish(3, &["all"], "fan-out"));
    bench.run(1, consume("old", 10));
    let told = bench.told_to(1);
    let delivered: Vec<&String> = told.iter().filter(|it| it.starts_with("deliver")).collect();
    assert_eq!(delivered, ["deliver 1 new alias", "deliver 2 new fan-out"]);
    assert_eq!(counts(&bench, "old"), (2, 0, 13), "a target is no name of another way");
    assert!(bench.shard.address_view(HOST, "all").is_none());
    // Who may not send to the name may not send its way; who may need not know the targets.
    let only = Permission { pattern: "all".to_owned(), ..Permission::all() };
    bench.define_user("alice", vec![only]);
    bench.run(1, publish(4, &["all", "new"], "x"));
    assert_eq!(counts(&bench, "x"), (2, 0, 8));
    assert_eq!(counts(&bench, "wharf/dead-letter"), (1, 0, 1));
    bench.shard.set_detours(Vec::new());
    bench.run(1, publish(5, &["all"], "itself"));
    assert_eq!(counts(&bench, "all"), (1, 0, 6));
}
