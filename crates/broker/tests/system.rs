//! Topics of the broker's own, as traces: who may listen, what is kept for whom is away.
#![allow(clippy::disallowed_methods, reason = "tests may unwrap")]

mod bench;

use bench::{Bench, attach, consume, open, publish, subscribe};
use bytes::Bytes;
use wharf_broker::{
    AddressKind, Command, Config, DEAD_LETTER_ADDRESS, Message, Outcome, Permission, Policy, Right,
    SystemTopic, allows,
};

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
    assert_eq!(bench.shard.statistics().dead_lettered.iter().sum::<u64>(), 0);
    bench.run(2, attach("s"));
    bench.run(2, Command::Resume { received: 0 });
    assert_eq!(bench.told_to(2)[1], "deliver 1 $wharf/logs 3", "the oldest give way");
}

#[test]
fn dead_letters_do_not_go_there() {
    for own in ["$wharf/audit", "wharf/own", "xmpp:ada@localhost"] {
        let mut policy = Policy::new("**", AddressKind::Queue);
        policy.dead_letter_address = own.to_owned();
        let mut bench = Bench::with(Config { policies: vec![policy], ..Config::default() });
        bench.run(1, open("s"));
        bench.run(1, publish(1, &["q"], "a"));
        bench.run(1, consume("q", 10));
        bench.run(1, bench::settle(1, 1, Outcome::Rejected { detail: None }));
        bench.run(1, consume(DEAD_LETTER_ADDRESS, 10));
        let told = bench.told_to(1);
        let last = told.last().unwrap();
        assert!(last.starts_with("deliver 2 wharf/dead-letter a"), "{own}: {told:?}");
    }
}

#[test]
fn nobody_makes_a_queue_of_them() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    let Command::Consume { seq, consumer, address, subscription, credit, mode, .. } =
        consume("$wharf/logs", 10)
    else {
        unreachable!()
    };
    let kind = Some(AddressKind::Queue);
    let wish = Command::Consume { seq, consumer, address, subscription, kind, credit, mode };
    bench.run(1, wish);
    assert_eq!(bench.told_to(1)[1..], ["refused $wharf/logs: the address is of another kind"]);
    assert!(!bench.shard.audience().is_any());
}

/// Who manages the area ends what others left there; nobody sends.
#[test]
fn the_rights_of_a_manager() {
    let manage = |pattern: &str| Permission {
        pattern: pattern.to_owned(),
        send: true,
        manage: true,
        ..Permission::default()
    };
    let may = |pattern, right| allows(&[manage(pattern)], right, "localhost", "$wharf/audit");
    for pattern in ["wharf/audit", "**"] {
        assert!(may(pattern, Right::Manage) && may(pattern, Right::Receive), "{pattern}");
        assert!(!may(pattern, Right::Send), "{pattern}");
    }
    assert!(!may("$wharf/audit", Right::Manage) && !may("$wharf/audit", Right::Send));
}
