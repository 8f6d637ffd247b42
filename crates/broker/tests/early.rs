//! Deliveries that do not wait for their own record: those of volatile sessions, when everything
//! they tell of is durable.

mod bench;

use bench::{Bench, consume_to_limit, drain, flow, open, open_volatile, publish, reject, settle};
use wharf_broker::{DEAD_LETTER_ADDRESS, Outcome};

/// A sender on connection 1 and a volatile consumer 5 of `q` on connection 2; `m1` to `m3` stored.
fn backlog() -> Bench {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    bench.run(2, open_volatile("r"));
    for seq in 1..=3 {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    bench.run(2, consume_to_limit(5, "q"));
    bench.told.clear();
    bench
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_backlog_is_handed_out_while_the_journal_is_busy() {
    let mut bench = backlog();
    bench.command(2, flow(5, 2));
    assert_eq!(bench.told_to(2), ["deliver 1 q m1 to=5", "deliver 2 q m2 to=5"]);
    bench.command(2, drain(5, 10));
    assert_eq!(bench.told_to(2), ["deliver 3 q m3 to=5"]);
    bench.settle();
    assert_eq!(bench.told_to(2), ["drained 5 at 3"], "that it was drained waits");
}

#[test]
fn what_a_crash_forgets_is_that_it_was_tried() {
    let mut bench = backlog();
    bench.command(2, flow(5, 1));
    assert_eq!(bench.told_to(2), ["deliver 1 q m1 to=5"]);
    bench.crash();
    bench.run(2, open_volatile("r"));
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, flow(5, 1));
    assert_eq!(bench.told_to(2), ["opened", "consuming q", "deliver 1 q m1 to=5"]);
    // What was stored is remembered.
    bench.crash();
    bench.run(2, open_volatile("r"));
    bench.run(2, consume_to_limit(5, "q"));
    bench.run(2, flow(5, 1));
    assert_eq!(bench.told_to(2), ["opened", "consuming q", "deliver 1 q m1 to=5 count=1"]);
}

#[test]
fn a_session_that_can_be_resumed_is_told_when_its_ledger_is_durable() {
    let mut bench = backlog();
    bench.run(3, open("kept"));
    bench.run(3, consume_to_limit(5, "q"));
    bench.told.clear();
    bench.command(3, flow(5, 1));
    assert_eq!(bench.told_to(3), NOTHING);
    bench.settle();
    assert_eq!(bench.told_to(3), ["deliver 1 q m1 to=5"]);
}

#[test]
fn a_message_waits_for_its_own_frame() {
    let mut bench = backlog();
    bench.run(2, flow(5, 10));
    bench.told.clear();
    bench.command(1, publish(4, &["q"], "m4"));
    assert_eq!(bench.told_to(2), NOTHING);
    bench.settle();
    assert_eq!(bench.told_to(2), ["deliver 4 q m4 to=5"]);
}

#[test]
fn what_came_back_waits_until_that_is_durable() {
    let mut bench = backlog();
    bench.run(3, open("kept"));
    bench.run(3, consume_to_limit(5, "q"));
    bench.run(3, flow(5, 1));
    bench.run(2, flow(5, 10));
    bench.told.clear();
    bench.command(3, settle(1, 1, Outcome::Released));
    assert_eq!(bench.told_to(2), NOTHING);
    bench.settle();
    assert_eq!(bench.told_to(2), ["deliver 3 q m1 to=5"]);
}

#[test]
fn a_dead_letter_waits_until_it_is_one() {
    let mut bench = backlog();
    bench.run(2, consume_to_limit(6, DEAD_LETTER_ADDRESS));
    bench.run(2, flow(6, 10));
    bench.run(3, open("kept"));
    bench.run(3, consume_to_limit(5, "q"));
    bench.run(3, flow(5, 1));
    bench.told.clear();
    bench.command(3, reject(1, "no"));
    assert_eq!(bench.told_to(2), NOTHING);
    bench.settle();
    let told = bench.told_to(2);
    assert_eq!(told, ["deliver 1 wharf/dead-letter m1 to=6 dead=rejected of=q said=no"]);
}

#[test]
fn nothing_is_overtaken() {
    let mut bench = backlog();
    bench.run(2, consume_to_limit(6, "other"));
    bench.run(2, flow(6, 10));
    bench.told.clear();
    bench.command(1, publish(4, &["other"], "first"));
    bench.command(2, flow(5, 1));
    assert_eq!(bench.told_to(2), NOTHING, "m1 is durable, and behind what is not");
    bench.settle();
    assert_eq!(bench.told_to(2), ["deliver 1 other first to=6", "deliver 2 q m1 to=5"]);
    // And when that is told, the way is free again.
    bench.command(2, flow(5, 2));
    assert_eq!(bench.told_to(2), ["deliver 3 q m2 to=5"]);
}
