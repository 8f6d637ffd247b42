//! The shard as a protocol trace: what goes in, what each connection is told.

mod bench;

use bench::{Bench, accept, attach, consume, open, publish, settle, subscribe};
use wharf_broker::{Command, Config, ConsumerId, Gaps, Outcome, Permission, Policy};

#[test]
fn a_message_goes_from_sender_to_consumer() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, publish(1, &["orders"], "a"));
    bench.run(2, open("r"));
    bench.run(2, consume("orders", 10));
    bench.run(1, publish(2, &["orders"], "b"));
    assert_eq!(bench.told_to(1), ["opened", "taken 1", "taken 2"]);
    assert_eq!(
        bench.told_to(2),
        ["opened", "consuming orders", "deliver 1 orders a", "deliver 2 orders b"]
    );
}

/// MBWS-A11: nothing is told before it is durable.
#[test]
fn nothing_is_acknowledged_before_it_is_stored() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(2, open("r"));
    bench.run(2, consume("q", 10));
    bench.told.clear();
    bench.command(1, publish(1, &["q"], "a"));
    assert!(bench.told.is_empty(), "told before stored: {:?}", bench.told);
    assert!(bench.step());
    assert_eq!(bench.told_to(1), ["taken 1"]);
    assert_eq!(bench.told_to(2), ["deliver 1 q a"]);
}

#[test]
fn one_frame_for_a_batch_and_one_answer() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.told.clear();
    let frames = bench.disk.stored.len();
    for seq in 1..=100 {
        let command = publish(seq, &["q"], "x");
        let input = wharf_broker::Input::Command(wharf_broker::ConnectionId(1), command);
        bench.shard.handle(bench.now, input);
    }
    bench.settle();
    assert_eq!(bench.disk.stored.len(), frames + 1);
    assert_eq!(bench.told_to(1), ["taken 100"]);
}

#[test]
fn competing_consumers_share_a_queue_in_turn() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    for (connection, name) in [(2, "r2"), (3, "r3")] {
        bench.run(connection, open(name));
        bench.run(connection, consume("q", 10));
    }
    bench.told.clear();
    for seq in 1..=4 {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    assert_eq!(bench.told_to(2), ["deliver 1 q m1", "deliver 2 q m3"]);
    assert_eq!(bench.told_to(3), ["deliver 1 q m2", "deliver 2 q m4"]);
}

#[test]
fn credit_bounds_what_is_unsettled() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    for seq in 1..=5 {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    bench.run(2, open("r"));
    bench.run(2, consume("q", 2));
    assert_eq!(bench.told_to(2), ["opened", "consuming q", "deliver 1 q m1", "deliver 2 q m2"]);
    bench.run(2, accept(1));
    assert_eq!(bench.told_to(2), ["deliver 3 q m3"]);
    bench.run(2, consume("q", 3));
    assert_eq!(bench.told_to(2), ["consuming q", "deliver 4 q m4"]);
    bench.run(2, consume("q", 0));
    assert_eq!(bench.told_to(2), ["consuming q"], "no credit named, none changed");
}

/// MBWS-043, MBWS-046..048, MBWS-A23: the ledger survives the socket.
#[test]
fn a_session_is_taken_up_again_with_the_same_numbers() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, consume("q", 10));
    for seq in 1..=3 {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    bench.run(1, Command::Detach);
    bench.told.clear();
    bench.run(2, attach("s"));
    assert_eq!(bench.told_to(2), ["attached taken=3 settled=0 sent=3"]);
    bench.run(2, Command::Resume { received: 1 });
    assert_eq!(bench.told_to(2), ["deliver 2 q m2", "deliver 3 q m3"]);
    bench.run(2, publish(4, &["q"], "m4"));
    assert_eq!(bench.told_to(2), ["deliver 4 q m4", "taken 4"]);
}

#[test]
fn a_session_survives_a_crash_with_the_same_numbers() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, consume("q", 10));
    for seq in 1..=3 {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    bench.run(1, accept(1));
    bench.crash();
    bench.run(2, attach("s"));
    assert_eq!(bench.told_to(2), ["attached taken=3 settled=1 sent=3"]);
    bench.run(2, Command::Resume { received: 1 });
    assert_eq!(bench.told_to(2), ["deliver 2 q m2", "deliver 3 q m3"]);
}

/// A repeat after a crash is recognised by its number, not stored again.
#[test]
fn a_repeated_publish_is_suppressed() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, publish(1, &["q"], "a"));
    bench.run(1, publish(1, &["q"], "a"));
    bench.run(2, open("r"));
    bench.run(2, consume("q", 10));
    assert_eq!(bench.told_to(1), ["opened", "taken 1", "taken 1"]);
    assert_eq!(bench.told_to(2), ["opened", "consuming q", "deliver 1 q a"]);
    assert_eq!(bench.shard.statistics().duplicates_suppressed, 1);
}

/// MBWS-A14: the new connection takes over while the old one still looks alive.
#[test]
fn a_second_connection_takes_over() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, consume("q", 10));
    bench.told.clear();
    bench.run(2, attach("s"));
    bench.run(2, Command::Resume { received: 0 });
    bench.run(1, publish(1, &["q"], "from the old one"));
    assert_eq!(bench.told_to(1), ["taken over"]);
    bench.run(2, publish(1, &["q"], "from the new one"));
    assert_eq!(
        bench.told_to(2),
        ["attached taken=0 settled=0 sent=0", "deliver 1 q from the new one", "taken 1"]
    );
}

/// What was taken but not stored when another connection attaches is in the ledger it is told,
/// and the ledger is told only when that is durable.
#[test]
fn the_ledger_told_is_durable() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.told.clear();
    bench.command(1, publish(1, &["q"], "a"));
    bench.command(2, attach("s"));
    assert_eq!(bench.told_to(2), [""; 0]);
    bench.settle();
    assert_eq!(bench.told_to(2), ["attached taken=1 settled=0 sent=0"]);
}

/// MBWS-014, MBWS-A07: only the same user and origin find a session.
#[test]
fn another_user_or_origin_finds_no_session() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    let mut other = bench::key("s");
    other.user = "bob".to_owned();
    bench.run(2, Command::Attach { key: other });
    let mut other = bench::key("s");
    other.origin = Some("https://example.com".to_owned());
    bench.run(3, Command::Attach { key: other });
    assert_eq!(bench.told_to(2), ["unknown"]);
    assert_eq!(bench.told_to(3), ["unknown"]);
    assert_eq!(bench.told_to(1), ["opened"]);
}

#[test]
fn an_expired_session_gives_its_deliveries_back_with_their_count_raised() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, consume("q", 10));
    bench.run(1, publish(1, &["q"], "a"));
    bench.run(1, Command::Detach);
    bench.run(2, open("r"));
    bench.run(2, consume("q", 10));
    bench.told.clear();
    bench.pass_ms(Config::default().session_retention_ms);
    assert_eq!(bench.told_to(2), ["deliver 1 q a count=1"]);
    bench.run(3, attach("s"));
    assert_eq!(bench.told_to(3), ["unknown"]);
}

/// How long a client was away is counted when it comes back, and only then.
#[test]
fn gaps_of_sessions_are_counted() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, open("t"));
    bench.run(2, attach("t"));
    assert_eq!(bench.shard.statistics().session_gaps, Gaps::default(), "taken over: no gap");
    bench.run(2, Command::Detach);
    bench.pass_ms(1_000);
    bench.run(3, attach("t"));
    let mut gaps = Gaps { sum_ms: 1_000, ..Gaps::default() };
    gaps.counts[2] = 1;
    assert_eq!(bench.shard.statistics().session_gaps, gaps);
    bench.run(3, Command::Detach);
    bench.pass_ms(Config::default().session_retention_ms);
    bench.run(4, attach("t"));
    assert_eq!(bench.told_to(4), ["unknown"]);
    assert_eq!(bench.shard.statistics().session_gaps, gaps);
}

/// A session whose Connect answer may have been lost cannot hold messages for long.
#[test]
fn an_unproven_session_expires_early() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, consume("q", 10));
    bench.run(1, Command::Detach);
    bench.pass_ms(Config::default().session_unproven_retention_ms);
    bench.run(2, attach("s"));
    assert_eq!(bench.told_to(2), ["unknown"]);
}

#[test]
fn a_message_delivered_too_often_is_dead_lettered_with_the_reason() {
    let mut policies = Policy::defaults();
    policies.iter_mut().for_each(|policy| policy.deliveries_max = 2);
    let mut bench = Bench::with(Config { policies, ..Config::default() });
    bench.run(1, open("s"));
    bench.run(1, publish(1, &["q"], "a"));
    bench.run(1, consume("q", 10));
    bench.run(1, settle(1, 1, Outcome::Failed));
    bench.run(1, settle(2, 2, Outcome::Failed));
    bench.run(1, consume("wharf/dead-letter", 10));
    assert_eq!(
        bench.told_to(1)[2..],
        [
            "consuming q",
            "deliver 1 q a",
            "deliver 2 q a count=1",
            "consuming wharf/dead-letter",
            "deliver 3 wharf/dead-letter a dead=deliveries-max of=q",
        ]
    );
}

#[test]
fn released_keeps_the_count_and_rejected_dies() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, publish(1, &["q"], "a"));
    bench.run(1, publish(2, &["q"], "b"));
    bench.run(1, consume("q", 1));
    bench.run(1, consume("wharf/dead-letter", 10));
    bench.told.clear();
    bench.run(1, settle(1, 1, Outcome::Released));
    bench.run(1, settle(2, 2, Outcome::Rejected { detail: None }));
    assert_eq!(
        bench.told_to(1),
        ["deliver 2 q a", "deliver 3 q b", "deliver 4 wharf/dead-letter a dead=rejected of=q"]
    );
}

/// MBWS-035, MBWS-072, MBWS-077, MBWS-A19: everything is acknowledged; what has nowhere to go
/// is dead-lettered for each address.
#[test]
fn undeliverable_messages_are_taken_and_dead_lettered() {
    let mut bench = Bench::new();
    bench.define_user(
        "alice",
        vec![
            Permission { pattern: "ok/**".to_owned(), send: true, ..Permission::default() },
            Permission { pattern: "wharf/**".to_owned(), receive: true, ..Permission::default() },
        ],
    );
    bench.run(1, open("s"));
    bench.run(1, publish(1, &[], "none"));
    bench.run(1, publish(2, &["", ""], "empty"));
    bench.run(1, publish(3, &["ok/1", "secret", "wharf/consume"], "mixed"));
    bench.run(1, consume("wharf/dead-letter", 10));
    assert_eq!(
        bench.told_to(1),
        [
            "opened",
            "taken 1",
            "taken 2",
            "taken 3",
            "consuming wharf/dead-letter",
            "deliver 1 wharf/dead-letter none dead=no-address of=",
            "deliver 2 wharf/dead-letter empty dead=no-address of=",
            "deliver 3 wharf/dead-letter mixed dead=not-permitted of=secret",
            "deliver 4 wharf/dead-letter mixed dead=invalid-address of=wharf/consume",
        ]
    );
}

#[test]
fn consuming_needs_permission() {
    let mut bench = Bench::new();
    bench.define_user("alice", vec![]);
    bench.run(1, open("s"));
    bench.run(1, consume("q", 10));
    bench.run(1, consume("wharf/consume", 10));
    bench.run(1, consume("", 10));
    assert_eq!(
        bench.told_to(1),
        [
            "opened",
            "refused q: not permitted",
            "refused wharf/consume: not a valid address",
            "refused : not a valid address",
        ]
    );
}

/// MBWS-074: once per address, as separate messages.
#[test]
fn a_topic_reaches_every_subscription() {
    let mut bench = Bench::new();
    for (connection, name) in [(1, "a"), (2, "b"), (3, "c")] {
        bench.run(connection, open(name));
    }
    bench.run(1, consume("topic/news", 10));
    bench.run(2, subscribe("topic/news", "archive"));
    bench.run(3, subscribe("topic/news", "archive"));
    bench.run(3, consume("q", 10));
    bench.told.clear();
    bench.run(1, publish(1, &["topic/news", "q"], "m1"));
    bench.run(1, publish(2, &["topic/news"], "m2"));
    assert_eq!(
        bench.told_to(1),
        ["deliver 1 topic/news m1", "taken 1", "deliver 2 topic/news m2", "taken 2"]
    );
    assert_eq!(bench.told_to(2), ["deliver 1 topic/news m1"]);
    assert_eq!(bench.told_to(3), ["deliver 1 q m1", "deliver 2 topic/news m2"]);
}

#[test]
fn a_durable_subscription_outlives_its_session_and_a_volatile_one_does_not() {
    let mut bench = Bench::new();
    bench.run(1, open("a"));
    bench.run(1, consume("topic/t", 10));
    bench.run(1, subscribe("topic/t", "kept"));
    bench.run(1, Command::End { unsettled: Outcome::Released });
    bench.run(2, open("b"));
    bench.run(2, publish(1, &["topic/t"], "while nobody is there"));
    bench.crash();
    bench.run(3, open("c"));
    bench.run(3, consume("topic/t", 10));
    bench.run(3, subscribe("topic/t", "kept"));
    assert_eq!(
        bench.told_to(3),
        [
            "opened",
            "consuming topic/t",
            "consuming topic/t",
            "deliver 1 topic/t while nobody is there"
        ]
    );
}

#[test]
fn cancelling_stops_the_flow_and_keeps_what_is_out() {
    let mut bench = Bench::new();
    bench.run(1, open("a"));
    bench.run(1, consume("topic/t", 10));
    bench.run(1, publish(1, &["topic/t"], "before"));
    bench.run(
        1,
        Command::Cancel {
            seq: Some(2),
            consumer: ConsumerId(0),
            address: "topic/t".to_owned(),
            subscription: None,
            forget: false,
        },
    );
    bench.run(1, publish(3, &["topic/t"], "after"));
    assert_eq!(
        bench.told_to(1)[2..],
        ["deliver 1 topic/t before", "taken 1", "taken 2", "taken 3"]
    );
    bench.crash();
    bench.run(2, attach("a"));
    bench.run(2, Command::Resume { received: 0 });
    assert_eq!(bench.told_to(2), ["attached taken=3 settled=0 sent=1", "deliver 1 topic/t before"]);
}

#[test]
fn a_volatile_session_ends_with_its_connection_and_with_the_process() {
    let mut bench = Bench::new();
    let volatile =
        |name| Command::Open { key: bench::key(name), kind: wharf_broker::SessionKind::Volatile };
    bench.run(1, volatile("a"));
    bench.run(1, consume("q", 10));
    bench.run(1, publish(1, &["q"], "x"));
    bench.run(1, Command::Detach);
    bench.run(2, volatile("b"));
    bench.run(2, consume("q", 10));
    assert_eq!(bench.told_to(2), ["opened", "consuming q", "deliver 1 q x count=1"]);
    bench.crash();
    bench.run(3, open("c"));
    bench.run(3, consume("q", 10));
    assert_eq!(bench.told_to(3), ["opened", "consuming q", "deliver 1 q x count=2"]);
}

#[test]
fn bodies_beyond_the_budget_are_read_back_in_order() {
    let config = Config { bodies_in_memory_max_bytes: 0, ..Config::default() };
    let mut bench = Bench::with(config);
    bench.run(1, open("s"));
    for seq in 1..=5 {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    assert_eq!(bench.shard.statistics().bodies_in_memory_bytes, 0);
    bench.run(2, open("r"));
    bench.run(2, consume("q", 3));
    bench.run(2, accept(2));
    bench.run(1, publish(6, &["q"], "m6"));
    assert_eq!(
        bench.told_to(2)[2..],
        ["deliver 1 q m1", "deliver 2 q m2", "deliver 3 q m3", "deliver 4 q m4", "deliver 5 q m5"]
    );
}

#[test]
fn extents_are_freed_when_their_messages_are_settled_and_a_snapshot_covers_them() {
    let config = Config { snapshot_every_bytes: 200, ..Config::default() };
    let mut bench = Bench::with(config);
    bench.run(1, open("s"));
    bench.run(1, consume("q", 100));
    for seq in 1..=60 {
        bench.run(1, publish(seq, &["q"], "0123456789"));
        bench.run(1, accept(seq));
    }
    assert!(bench.disk.freed.len() > 10, "freed {:?}", bench.disk.freed);
    bench.crash();
    assert_eq!(bench.shard.statistics().messages, 0);
}

#[test]
fn a_removed_user_loses_its_sessions() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    let name = "alice".to_owned();
    let remove = wharf_broker::Input::Define(wharf_broker::Definition::RemoveUser { name });
    bench.shard.handle(bench.now, remove);
    bench.settle();
    assert_eq!(bench.told_to(1), ["opened", "revoked"]);
    bench.run(2, attach("s"));
    assert_eq!(bench.told_to(2), ["unknown"]);
}
