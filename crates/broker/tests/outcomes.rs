//! How deliveries end: modified, rejected with a reason, confirmed.

mod bench;

use bench::{
    Bench, attach, cancel_as, consume, consume_as, key, modify, open, publish, reject, settle,
};
use wharf_broker::limits::{ANNOTATIONS_MAX_BYTES, DETAIL_MAX_BYTES, QUEUE_ANNOTATIONS_MAX_BYTES};
use wharf_broker::{Command, Config, Credit, DEAD_LETTER_ADDRESS, Outcome, Policy, SessionKind};

fn with_messages(count: u64) -> Bench {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    for seq in 1..=count {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    bench.told.clear();
    bench
}

/// AMQP 3.4.5: delivery-failed raises the count.
#[test]
fn modified_raises_the_count_if_it_failed() {
    let mut bench = with_messages(1);
    bench.run(1, consume("q", 1));
    bench.run(1, modify(1, false, false, None));
    bench.run(1, modify(2, true, false, None));
    assert_eq!(
        bench.told_to(1),
        ["consuming q", "deliver 1 q m1", "deliver 2 q m1", "deliver 3 q m1 count=1"]
    );
}

#[test]
fn annotations_stay_with_the_message_until_they_are_replaced() {
    let mut bench = with_messages(1);
    bench.run(1, consume("q", 1));
    bench.run(1, modify(1, false, false, Some("first")));
    bench.run(1, settle(2, 2, Outcome::Failed));
    assert_eq!(
        bench.told_to(1),
        [
            "consuming q",
            "deliver 1 q m1",
            "deliver 2 q m1 notes=first",
            "deliver 3 q m1 count=1 notes=first"
        ]
    );
    bench.crash();
    bench.run(2, attach("s"));
    bench.run(2, Command::Resume { received: 0 });
    bench.run(2, modify(3, false, false, Some("second")));
    // What is too long is not kept.
    bench.run(2, modify(4, false, false, Some(&"x".repeat(ANNOTATIONS_MAX_BYTES + 1))));
    assert_eq!(
        bench.told_to(2)[1..],
        [
            "deliver 3 q m1 count=1 notes=first",
            "deliver 4 q m1 count=1 notes=second",
            "deliver 5 q m1 count=1 notes=second",
        ]
    );
}

#[test]
fn annotations_of_a_queue_are_bounded_and_go_with_their_messages() {
    let fitting = (QUEUE_ANNOTATIONS_MAX_BYTES / ANNOTATIONS_MAX_BYTES) as u64;
    let mut bench = with_messages(fitting + 1);
    bench.run(1, consume("q", 10_000));
    bench.told.clear();
    let notes = "x".repeat(ANNOTATIONS_MAX_BYTES);
    let annotations = Some(notes.clone().into());
    let modified = Outcome::Modified { failed: false, elsewhere: false, annotations };
    bench.run(1, settle(1, fitting + 1, modified));
    let told = bench.told_to(1);
    let kept = told.iter().filter(|line| line.ends_with(&notes)).count();
    assert_eq!((told.len() as u64, kept as u64), (fitting + 1, fitting));
    // With a message its annotations go, and there is room again.
    bench.run(1, settle(fitting + 2, fitting + 2, Outcome::Accepted));
    bench.run(1, modify(2 * (fitting + 1), false, false, Some(&notes)));
    assert!(bench.told_to(1)[0].ends_with(&notes));
}

#[test]
fn annotations_go_with_a_dead_letter_and_into_snapshots() {
    let config = Config { snapshot_every_bytes: 1, ..Config::default() };
    let mut bench = Bench::with(config);
    bench.run(1, open("s"));
    bench.run(1, publish(1, &["q"], "m1"));
    bench.run(1, consume("q", 1));
    bench.run(1, modify(1, false, false, Some("noted")));
    bench.run(1, reject(2, "never"));
    bench.crash();
    bench.run(2, attach("s"));
    bench.run(2, Command::Resume { received: 2 });
    bench.run(2, consume(DEAD_LETTER_ADDRESS, 1));
    assert_eq!(
        bench.told_to(2)[2..],
        ["deliver 3 wharf/dead-letter m1 dead=rejected of=q said=never notes=noted"]
    );
}

/// AMQP 3.4.5: undeliverable-here.
#[test]
fn what_is_undeliverable_here_goes_to_another_consumer() {
    let mut bench = with_messages(3);
    bench.run(1, consume_as(5, "q", None, Credit::Window(1)));
    bench.run(1, modify(1, false, true, None));
    bench.run(1, modify(2, false, true, None));
    bench.run(1, settle(3, 3, Outcome::Released));
    // The others go on to this consumer; those it cannot have wait for another one.
    assert_eq!(
        bench.told_to(1),
        [
            "consuming q",
            "deliver 1 q m1 to=5",
            "deliver 2 q m2 to=5",
            "deliver 3 q m3 to=5",
            "deliver 4 q m3 to=5",
        ]
    );
    bench.run(2, open("other"));
    bench.run(2, consume_as(5, "q", None, Credit::Window(1)));
    bench.run(2, settle(1, 1, Outcome::Released));
    assert_eq!(
        bench.told_to(2),
        ["opened", "consuming q", "deliver 1 q m1 to=5", "deliver 2 q m1 to=5"]
    );
    assert_eq!(bench.told_to(1), [""; 0]);
    bench.run(2, settle(2, 2, Outcome::Accepted));
    assert_eq!(bench.told_to(2), ["deliver 3 q m2 to=5"]);
    // A new consumer of the same name is another consumer.
    bench.run(2, cancel_as(5, "q", None));
    bench.run(2, settle(3, 3, Outcome::Released));
    bench.run(1, cancel_as(5, "q", None));
    bench.run(1, consume_as(5, "q", None, Credit::Window(10)));
    assert_eq!(bench.told_to(1), ["consuming q", "deliver 5 q m2 to=5"]);
}

#[test]
fn what_another_consumer_gives_back_is_not_passed_over() {
    let mut bench = with_messages(2);
    bench.run(2, open("other"));
    bench.run(2, consume("q", 1));
    bench.run(1, consume("q", 10));
    bench.run(1, modify(1, false, true, None));
    bench.run(1, publish(3, &["q"], "m3"));
    assert_eq!(bench.told_to(1), ["consuming q", "deliver 1 q m2", "deliver 2 q m3", "taken 3"]);
    // The older one comes back behind the one that was sent elsewhere.
    bench.run(2, cancel_as(0, "q", None));
    bench.run(2, settle(1, 1, Outcome::Released));
    assert_eq!(bench.told_to(1), ["deliver 3 q m1"]);
}

#[test]
fn undeliverable_here_holds_until_the_consumer_ends() {
    let mut bench = with_messages(200);
    bench.run(1, consume_as(5, "q", None, Credit::Window(50)));
    bench.run(2, open("other"));
    bench.told.clear();
    for seq in 1..=200 {
        bench.run(1, modify(seq, true, true, None));
    }
    bench.run(1, Command::Detach);
    bench.run(3, attach("s"));
    bench.run(3, Command::Resume { received: 200 });
    assert_eq!(bench.told_to(1).len(), 150, "the other fifty came with the Consume");
    assert_eq!(bench.told_to(3), ["attached taken=200 settled=200 sent=200"]);
    bench.run(2, consume_as(5, "q", None, Credit::Window(1000)));
    assert_eq!(bench.told_to(2).len(), 201);
    // And what it has shunned is passed over when it comes back among the rest.
    bench.run(1, open("s2"));
    bench.run(1, publish(1, &["q"], "late"));
    bench.run(2, settle(1, 201, Outcome::Released));
    bench.run(2, cancel_as(5, "q", None));
    bench.run(2, Command::End { unsettled: Outcome::Released });
    assert_eq!(bench.told_to(3), ["deliver 201 q late to=5"]);
}

#[test]
fn a_rejection_keeps_what_the_consumer_said() {
    let mut bench = with_messages(2);
    bench.run(1, consume("q", 1));
    bench.run(1, reject(1, "no such customer"));
    let long = "é".repeat(DETAIL_MAX_BYTES);
    bench.run(1, reject(2, &long));
    bench.crash();
    bench.run(2, attach("s"));
    bench.run(2, Command::Resume { received: 2 });
    bench.run(2, consume(DEAD_LETTER_ADDRESS, 10));
    let cut = &long[..DETAIL_MAX_BYTES];
    assert_eq!(
        bench.told_to(2)[2..],
        [
            "deliver 3 wharf/dead-letter m1 dead=rejected of=q said=no such customer".to_owned(),
            format!("deliver 4 wharf/dead-letter m2 dead=rejected of=q said={cut}"),
        ]
    );
}

#[test]
fn a_rejected_dead_letter_stays_where_it_is() {
    let mut bench = with_messages(1);
    bench.run(1, consume("q", 1));
    bench.run(1, reject(1, "once"));
    bench.run(1, consume(DEAD_LETTER_ADDRESS, 1));
    bench.run(1, reject(2, "twice"));
    assert_eq!(
        bench.told_to(1)[2..],
        [
            "consuming wharf/dead-letter",
            "deliver 2 wharf/dead-letter m1 dead=rejected of=q said=once",
            "deliver 3 wharf/dead-letter m1 dead=rejected of=q said=once",
        ]
    );
}

#[test]
fn a_settlement_is_confirmed_when_it_is_durable() {
    let mut bench = with_messages(3);
    bench.run(1, consume("q", 1));
    bench.told.clear();
    let confirm = |first, last, outcome| Command::Settle { first, last, outcome, confirm: true };
    bench.command(1, confirm(1, 1, Outcome::Accepted));
    assert_eq!(bench.told_to(1), [""; 0]);
    bench.settle();
    // Before what follows from it.
    assert_eq!(bench.told_to(1), ["settled 1..=1", "deliver 2 q m2"]);
    // And also where there is nothing left to do.
    bench.run(1, confirm(1, 1, Outcome::Accepted));
    assert_eq!(bench.told_to(1), ["settled 1..=1"]);
}

#[test]
fn an_end_may_modify_what_is_out() {
    let mut policies = Policy::defaults();
    policies.iter_mut().for_each(|policy| policy.deliveries_max = 1);
    let mut bench = Bench::with(Config { policies, ..Config::default() });
    bench.run(1, open("s"));
    bench.run(1, publish(1, &["q"], "m1"));
    bench.run(1, consume("q", 1));
    let (failed, elsewhere, annotations) = (false, true, Some("left".into()));
    let unsettled = Outcome::Modified { failed, elsewhere, annotations };
    bench.run(1, Command::End { unsettled });
    bench.run(2, open("other"));
    bench.run(2, consume("q", 1));
    assert_eq!(bench.told_to(2), ["opened", "consuming q", "deliver 1 q m1 notes=left"]);
}

/// Of what a lost consumer had, the oldest may have been its end; the rest it had only fetched.
#[test]
fn lost_consumers_are_the_end_of_what_they_worked_on_alone() {
    let mut policies = Policy::defaults();
    policies.iter_mut().for_each(|policy| policy.deliveries_max = 3);
    let mut bench = Bench::with(Config { policies, ..Config::default() });
    bench.run(1, open("producer"));
    for seq in 1..=10 {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    for consumer in 2..=4 {
        let kind = SessionKind::Volatile;
        bench.run(consumer, Command::Open { key: key("consumer"), kind });
        bench.run(consumer, consume("q", 100));
        assert_eq!(bench.told_to(consumer).len(), 12, "opened, consuming, and all ten");
        bench.run(consumer, Command::Detach);
    }
    bench.run(5, open("after"));
    bench.run(5, consume("q", 100));
    let told = bench.told_to(5);
    assert_eq!(told[2..], ["deliver 1 q m9 count=3", "deliver 2 q m10 count=3"]);
    bench.run(5, consume(DEAD_LETTER_ADDRESS, 100));
    assert_eq!(bench.told_to(5).len(), 9, "consuming, and the eight oldest");
}
