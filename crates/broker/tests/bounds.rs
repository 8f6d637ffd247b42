//! Policies of age and length.

mod bench;

use bench::{Bench, accept, consume, open, publish, publish_or_decline};
use wharf_broker::{AddressKind, Config, Overflow, Policy};

const HOST: &str = "localhost";

fn bench(policy: Policy) -> Bench {
    let mut bench = Bench::with(Config { policies: vec![policy], ..Config::default() });
    bench.run(1, open("a"));
    bench.told.clear();
    bench
}

fn policy() -> Policy {
    Policy::new("q/**", AddressKind::Queue)
}

fn ready(bench: &Bench, name: &str) -> u64 {
    bench.shard.address_view(HOST, name).map_or(0, |view| view.messages_ready)
}

#[test]
fn old_messages_die_also_after_a_restart() {
    let mut bench = bench(Policy { ttl_ms: 10_000, ..policy() });
    bench.run(1, publish(1, &["q/a"], "one"));
    bench.pass_ms(6_000);
    bench.run(1, publish(2, &["q/a", "other"], "two"));
    assert!(bench.shard.poll_timeout().is_some());
    bench.crash();
    bench.pass_ms(4_100);
    assert_eq!((ready(&bench, "q/a"), ready(&bench, "other")), (1, 1));
    bench.run(2, open("b"));
    bench.run(2, consume("wharf/dead-letter", 10));
    let told = bench.told_to(2);
    assert_eq!(told.last().unwrap(), "deliver 1 wharf/dead-letter one dead=expired of=q/a");
    bench.pass_ms(10_000);
    assert_eq!((ready(&bench, "q/a"), ready(&bench, "other")), (0, 1));
}

#[test]
fn what_is_out_does_not_die() {
    let mut bench = bench(Policy { ttl_ms: 1_000, dead_letter_address: String::new(), ..policy() });
    bench.run(1, publish(1, &["q/a"], "one"));
    bench.run(1, publish(2, &["q/a"], "two"));
    bench.run(1, consume("q/a", 1));
    bench.pass_ms(60_000);
    let view = bench.shard.address_view(HOST, "q/a").unwrap();
    assert_eq!((view.messages_ready, view.messages_out), (0, 1));
    bench.run(1, accept(1));
    assert!(bench.shard.address_view(HOST, "wharf/dead-letter").is_none(), "dropped");
}

#[test]
fn a_full_queue_refuses() {
    let mut bench = bench(Policy { messages_max: 2, ..policy() });
    for seq in 1..=4 {
        bench.run(1, publish_or_decline(seq, &["q/a"], "x"));
    }
    let told = bench.told_to(1);
    let expected =
        ["taken 1", "taken 2", "declined 3: queue-full", "taken 3", "declined 4: queue-full"];
    assert_eq!(told[..5], expected);
    // Who cannot be told finds it among the dead, and the other address has it.
    bench.run(1, publish(5, &["q/a", "free"], "y"));
    assert_eq!((ready(&bench, "q/a"), ready(&bench, "free")), (2, 1));
    assert_eq!(ready(&bench, "wharf/dead-letter"), 1);
    bench.run(1, consume("q/a", 1));
    bench.run(1, accept(1));
    bench.run(1, publish_or_decline(6, &["q/a"], "room"));
    assert_eq!(bench.told_to(1).last().unwrap(), "taken 6");
}

#[test]
fn a_full_queue_drops_the_oldest() {
    let bounds = Policy {
        bytes_max: 6,
        overflow: Overflow::DropOldest,
        dead_letter_address: String::new(),
        ..policy()
    };
    let mut bench = bench(bounds);
    for (seq, body) in [(1, "aaa"), (2, "bbb"), (3, "c"), (4, "ddd")] {
        bench.run(1, publish(seq, &["q/a"], body));
    }
    bench.crash();
    bench.run(2, open("b"));
    bench.run(2, consume("q/a", 10));
    let told = bench.told_to(2);
    assert_eq!(told[2..], ["deliver 1 q/a c", "deliver 2 q/a ddd"]);
}

#[test]
fn policies_change_at_once() {
    let mut bench = bench(policy());
    for seq in 1..=3 {
        bench.run(1, publish(seq, &["q/a"], "x"));
    }
    let now = bench.now;
    bench.shard.set_policies(now, vec![Policy { ttl_ms: 5_000, ..policy() }]);
    bench.pass_ms(5_000);
    assert_eq!((ready(&bench, "q/a"), ready(&bench, "wharf/dead-letter")), (0, 3));
    bench.shard.set_policies(now, vec![Policy { messages_max: 1, ..policy() }]);
    bench.run(1, publish_or_decline(4, &["q/a"], "x"));
    bench.run(1, publish_or_decline(5, &["q/a"], "x"));
    assert_eq!(bench.told_to(1).iter().filter(|it| it.starts_with("declined")).count(), 1);
}
