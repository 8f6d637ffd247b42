//! Topics of the broker's own, as traces: who may listen, what is kept for whom is away.
#![allow(clippy::disallowed_methods, reason = "tests may unwrap")]

mod bench;

use bench::{Bench, attach, consume, open, publish, subscribe};
use bytes::Bytes;
use wharf_broker::{AddressKind, Command, Message, Permission, SystemTopic};

fn announce(bench: &mut Bench, topic: SystemTopic, body: &str) {
    let body = Bytes::copy_from_slice(body.as_bytes());
    bench.shard.announce(topic, &Message { format: 1, body });
    bench.settle();
}

fn receive(pattern: &str) -> Permission {
    Permission { pattern: pattern.to_owned(), receive: true, ..Permission::default() }
}

#[test]
fn who_listens_hears_the_broker_and_nobody_else() {
    let mut bench = Bench::new();
    assert!(!bench.shard.audience().is_any());
    announce(&mut bench, SystemTopic::Overview, "nobody hears this");
    bench.run(1, open("s"));
    bench.run(1, consume("$wharf/overview", 10));
    assert!(bench.shard.audience().of(SystemTopic::Overview));
    assert!(!bench.shard.audience().of(SystemTopic::Audit));
    announce(&mut bench, SystemTopic::Audit, "of another topic");
    announce(&mut bench, SystemTopic::Overview, "one");
    bench.run(1, publish(1, &["$wharf/overview"], "forged"));
    bench.run(1, consume("$wharf/other", 10));
    assert_eq!(
        bench.told_to(1),
        [
            "opened",
            "consuming $wharf/overview",
            "deliver 1 $wharf/overview one",
            "taken 1",
            "refused $wharf/other: not a valid address",
        ]
    );
    assert_eq!(bench.shard.addresses_after("localhost", None).next(), None, "not in lists");
    let declared = bench.shard.declare_address("localhost", "$wharf/x", Some(AddressKind::Topic));
    assert!(declared.is_err());
    assert_eq!(bench.shard.statistics().published, 1, "what the broker says is no one's message");
    bench.run(1, bench::cancel("$wharf/overview", None));
    assert!(!bench.shard.audience().is_any());
}

#[test]
fn who_may_receive_everything_does_not_hear_the_broker() {
    for (rule, hears) in [
        ("**", false),
        ("**/overview", false),
        ("wharf/audit", false),
        ("wharf/overview", true),
        ("wharf/**", true),
        ("$wharf/overview", true),
        ("$wharf/**", true),
    ] {
        let mut bench = Bench::new();
        bench.define_user("alice", vec![receive(rule)]);
        bench.run(1, open("s"));
        bench.told.clear();
        bench.run(1, consume("$wharf/overview", 10));
        let told = match hears {
            true => "consuming $wharf/overview",
            false => "refused $wharf/overview: not permitted",
        };
        assert_eq!(bench.told_to(1), [told], "{rule}");
    }
}

#[test]
fn a_listener_that_is_away_finds_everything_and_after_a_restart_too() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, subscribe("$wharf/audit", "mine"));
    bench.run(1, Command::Known);
    bench.run(1, Command::Detach);
    announce(&mut bench, SystemTopic::Audit, "a");
    bench.crash();
    assert!(bench.shard.audience().of(SystemTopic::Audit));
    announce(&mut bench, SystemTopic::Audit, "b");
    bench.run(2, attach("s"));
    bench.run(2, Command::Resume { received: 0 });
    let told = bench.told_to(2);
    assert_eq!(told[1..], ["deliver 1 $wharf/audit a", "deliver 2 $wharf/audit b"]);
}

#[test]
fn what_waits_for_a_listener_is_bounded() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(1, subscribe("$wharf/logs", "mine"));
    bench.run(1, Command::Known);
    bench.run(1, Command::Detach);
    for number in 0..10_003 {
        let body = Bytes::from(number.to_string());
        bench.shard.announce(SystemTopic::Logs, &Message { format: 1, body });
    }
    bench.settle();
    let view = bench.shard.address_view("localhost", "$wharf/logs").unwrap();
    assert_eq!(view.messages_ready, 10_000);
    bench.run(2, attach("s"));
    bench.run(2, Command::Resume { received: 0 });
    assert_eq!(bench.told_to(2)[1], "deliver 1 $wharf/logs 3", "the oldest give way");
}
