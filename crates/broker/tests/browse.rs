//! Browsers: who looks at a queue and leaves everything there.

mod bench;

use bench::{
    Bench, attach, browse, cancel_as, consume, consume_as, drain, flow, open, publish, settle,
    subscribe,
};
use wharf_broker::limits::BROWSED_MAX_BYTES;
use wharf_broker::{Command, Config, Credit, Mode, Outcome};

fn with_messages(config: Config, count: u64) -> Bench {
    let mut bench = Bench::with(config);
    bench.run(1, open("s"));
    for seq in 1..=count {
        bench.run(1, publish(seq, &["q"], &format!("m{seq}")));
    }
    bench.run(2, open("r"));
    bench.told.clear();
    bench
}

#[test]
fn a_browser_sees_every_message_once_and_takes_none() {
    let mut bench = with_messages(Config::default(), 2);
    let frames = bench.disk.stored.len();
    bench.run(2, browse(5, "q"));
    bench.run(2, flow(5, 100));
    assert_eq!(bench.disk.stored.len(), frames, "nothing is recorded");
    bench.run(1, publish(3, &["q"], "m3"));
    assert_eq!(
        bench.told_to(2),
        ["consuming q", "deliver 0 q m1 to=5", "deliver 0 q m2 to=5", "deliver 0 q m3 to=5"]
    );
    bench.run(2, settle(0, 10, Outcome::Accepted));
    bench.run(2, consume("q", 10));
    assert_eq!(
        bench.told_to(2),
        ["consuming q", "deliver 1 q m1", "deliver 2 q m2", "deliver 3 q m3"]
    );
    bench.run(2, settle(2, 2, Outcome::Failed));
    bench.run(2, settle(1, 1, Outcome::Accepted));
    assert_eq!(bench.told_to(2), ["deliver 4 q m2 count=1"], "seen before, not shown again");
    // Another one begins at the beginning, and sees what is not out.
    bench.run(2, settle(3, 4, Outcome::Accepted));
    bench.run(1, publish(4, &["q"], "m4"));
    bench.run(1, publish(5, &["other"], "m5"));
    bench.run(2, browse(6, "q"));
    bench.run(2, flow(6, 100));
    bench.run(2, browse(7, "other"));
    bench.run(2, flow(7, 100));
    assert_eq!(
        bench.told_to(2),
        [
            "deliver 0 q m4 to=5",
            "deliver 5 q m4",
            "consuming q",
            "consuming other",
            "deliver 0 other m5 to=7"
        ]
    );
}

#[test]
fn a_browser_is_told_of_nothing_that_is_not_durable() {
    let mut bench = with_messages(Config::default(), 0);
    bench.run(2, browse(5, "q"));
    bench.run(2, flow(5, 10));
    bench.told.clear();
    bench.command(1, publish(1, &["q"], "m1"));
    assert_eq!(bench.told_to(2), [""; 0]);
    bench.settle();
    assert_eq!(bench.told_to(2), ["deliver 0 q m1 to=5"]);
}

#[test]
fn a_browser_goes_as_far_as_its_limit_and_drains() {
    let mut bench = with_messages(Config::default(), 4);
    bench.run(2, browse(5, "q"));
    bench.run(2, flow(5, 1));
    bench.run(2, drain(5, 2));
    bench.run(2, drain(5, 100));
    bench.run(1, publish(5, &["q"], "m5"));
    bench.run(2, flow(5, 5));
    assert_eq!(
        bench.told_to(2),
        [
            "consuming q",
            "deliver 0 q m1 to=5",
            "deliver 0 q m2 to=5",
            "drained 5 at 2",
            "deliver 0 q m3 to=5",
            "deliver 0 q m4 to=5",
            "drained 5 at 4",
            "deliver 0 q m5 to=5",
        ]
    );
}

#[test]
fn what_is_on_its_way_to_a_browser_is_bounded() {
    let mut bench = with_messages(Config::default(), 0);
    let half = usize::try_from(BROWSED_MAX_BYTES / 2).expect("it fits");
    for seq in 1..=5 {
        bench.run(1, publish(seq, &["q"], &seq.to_string().repeat(half)));
    }
    bench.run(2, browse(5, "q"));
    bench.told.clear();
    let told = |bench: &mut Bench| -> Vec<String> {
        let told = bench.told_to(2);
        told.iter().map(|line| line.chars().take(16).collect()).collect()
    };
    bench.run(2, drain(5, 100));
    assert_eq!(told(&mut bench), ["deliver 0 q 1111", "deliver 0 q 2222"]);
    bench.run(2, drain(5, 100));
    assert_eq!(told(&mut bench), ["deliver 0 q 3333", "deliver 0 q 4444"]);
    bench.run(2, drain(5, 100));
    assert_eq!(told(&mut bench), ["deliver 0 q 5555", "drained 5 at 5"]);
}

#[test]
fn a_browser_reads_bodies_back_in_order() {
    let config = Config { bodies_in_memory_max_bytes: 0, ..Config::default() };
    let mut bench = with_messages(config, 3);
    bench.run(2, browse(5, "q"));
    bench.run(2, drain(5, 10));
    assert_eq!(
        bench.told_to(2),
        [
            "consuming q",
            "deliver 0 q m1 to=5",
            "deliver 0 q m2 to=5",
            "deliver 0 q m3 to=5",
            "drained 5 at 3"
        ]
    );
}

#[test]
fn a_browser_ends_when_it_is_cancelled_and_with_its_connection() {
    let mut bench = with_messages(Config::default(), 1);
    bench.run(2, browse(5, "q"));
    bench.run(2, flow(5, 100));
    bench.run(2, browse(6, "q"));
    bench.run(2, cancel_as(6, "q", None));
    bench.run(2, flow(6, 100));
    assert_eq!(bench.told_to(2), ["consuming q", "deliver 0 q m1 to=5", "consuming q"]);
    bench.run(2, Command::Detach);
    bench.run(3, attach("r"));
    bench.run(3, Command::Resume { received: 0 });
    bench.run(3, flow(5, 100));
    bench.run(1, publish(2, &["q"], "m2"));
    assert_eq!(bench.told_to(3), ["attached taken=0 settled=0 sent=0"]);
}

/// A topic hands out copies anyhow: only a subscription that is shared can be looked at.
#[test]
fn browsing_a_topic_is_consuming_it() {
    let mut bench = with_messages(Config::default(), 0);
    bench.run(2, browse(5, "topic/t"));
    bench.run(2, flow(5, 10));
    bench.run(2, subscribe("topic/t", "kept"));
    let mut look = consume_as(6, "topic/t", Some("kept"), Credit::Window(1));
    if let Command::Consume { mode, .. } = &mut look {
        *mode = Mode::Copy;
    }
    bench.run(2, look);
    bench.run(2, flow(6, 10));
    bench.run(1, publish(1, &["topic/t"], "m1"));
    assert_eq!(
        bench.told_to(2)[3..],
        ["deliver 1 topic/t m1 to=5", "deliver 0 topic/t m1 to=6", "deliver 2 topic/t m1"]
    );
}
