//! Random workloads, cut off at random: what is recovered is what the shard had when its newest
//! stored frame was sealed, and no message is lost or given out twice at the same time.

mod bench;
mod workload;

use proptest::prelude::*;
use std::sync::Arc;
use wharf_broker::{Config, Lifetime, Outcome, Policy, Shard};
use workload::{ADDRESSES, Consumer, How, SESSIONS, Step, World};

fn outcome() -> impl Strategy<Value = Outcome> {
    let modified = (any::<bool>(), any::<bool>(), prop::option::of("[a-z]{1,4}")).prop_map(
        |(failed, elsewhere, notes)| {
            let annotations = notes.map(bytes::Bytes::from);
            Outcome::Modified { failed, elsewhere, annotations }
        },
    );
    prop_oneof![
        8 => Just(Outcome::Accepted),
        1 => Just(Outcome::Released),
        1 => Just(Outcome::Failed),
        1 => prop::option::of("[a-z]{1,4}")
            .prop_map(|detail| Outcome::Rejected { detail: detail.map(Arc::from) }),
        2 => modified,
    ]
}

fn consumer() -> impl Strategy<Value = Consumer> {
    let how = prop_oneof![3 => Just(How::Window), 3 => Just(How::Limit), 1 => Just(How::Browse)];
    (0..5usize, how).prop_map(|(from, how)| Consumer { from, how })
}

fn lifetime() -> impl Strategy<Value = Lifetime> {
    prop_oneof![
        Just(Lifetime::DeleteOnClose),
        Just(Lifetime::DeleteOnNoLinks),
        Just(Lifetime::DeleteOnNoMessages),
        Just(Lifetime::DeleteOnNoLinksOrMessages),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let session = || 1..=SESSIONS;
    let to = || 0..ADDRESSES.len();
    prop_oneof![
        16 => (session(), to(), any::<bool>())
            .prop_map(|(session, to, decline)| Step::Publish { session, to, decline }),
        6 => (session(), consumer(), 1..5u32).prop_map(|(session, consumer, credit)|
            Step::Consume { session, consumer, credit }),
        6 => (session(), consumer(), 0..4u64, any::<bool>())
            .prop_map(|(session, consumer, more, drain)|
                Step::Flow { session, consumer, more, drain }),
        2 => (session(), consumer(), any::<bool>()).prop_map(|(session, consumer, forget)|
            Step::Cancel { session, consumer, forget }),
        1 => (session(), to()).prop_map(|(session, to)| Step::Resolve { session, to }),
        4 => (session(), lifetime())
            .prop_map(|(session, lifetime)| Step::Create { session, lifetime }),
        2 => (session(), prop_oneof![Just(40u32), 0..6u32])
            .prop_map(|(session, sender)| Step::Leave { session, sender }),
        10 => (session(), outcome(), any::<bool>())
            .prop_map(|(session, outcome, newest)| Step::Settle { session, outcome, newest }),
        3 => session().prop_map(|session| Step::Reconnect { session }),
        2 => session().prop_map(|session| Step::End { session }),
        10 => (0..4usize).prop_map(Step::JournalSteps),
        1 => Just(Step::Wait),
        2 => Just(Step::Crash),
    ]
}

/// Lives a history, and whether a restart arrives at the same state.
fn is_recovered(steps: &[Step], in_memory: u64, snapshot_every_bytes: u64) -> bool {
    let mut policies = Policy::defaults();
    policies.iter_mut().for_each(|policy| policy.deliveries_max = 4);
    let config = Config {
        policies,
        bodies_in_memory_max_bytes: in_memory,
        snapshot_every_bytes,
        ..Config::default()
    };
    let mut world = World::new(config);
    for step in steps {
        world.run(step);
        world.read();
    }
    world.detach_all();
    // Everything is stored, so a restart must arrive at the same state.
    let (config, now) = (world.bench.config.clone(), world.bench.now);
    let recovered = Shard::recover(config, world.bench.disk.recovery(), now);
    recovered.expect("the journal fits together").same_state(&world.bench.shard)
}

proptest! {
    #[test]
    fn a_recovered_shard_is_the_shard_that_was_stored(
        steps in prop::collection::vec(step(), 1..160),
        in_memory in prop_oneof![Just(0u64), Just(1 << 20)],
        snapshot_every_bytes in prop_oneof![Just(64u64), Just(1000), Just(1 << 20)],
    ) {
        prop_assert!(is_recovered(&steps, in_memory, snapshot_every_bytes), "states differ");
    }
}

/// Histories that once went wrong.
#[test]
fn what_was_found_before() {
    let publish = |to| Step::Publish { session: 1, to, decline: false };
    let consume = |session, from, credit| {
        let consumer = Consumer { from, how: How::Window };
        Step::Consume { session, consumer, credit }
    };
    let published = |count: usize| vec![publish(0); count];
    let histories = [
        [
            vec![Step::Crash, publish(1), consume(1, 1, 1), publish(0)],
            vec![Step::JournalSteps(0), Step::JournalSteps(3), Step::Crash],
            published(9),
        ],
        [
            [vec![consume(2, 2, 1)], published(3), vec![Step::Reconnect { session: 1 }]].concat(),
            vec![publish(2), publish(2), consume(1, 0, 1), publish(2)],
            vec![
                Step::Reconnect { session: 3 },
                Step::Crash,
                Step::Settle { session: 2, outcome: Outcome::Accepted, newest: false },
                Step::End { session: 2 },
            ],
        ],
        [
            vec![consume(1, 3, 1), publish(0), publish(3), publish(1), Step::JournalSteps(2)],
            vec![
                publish(3),
                publish(0),
                publish(3),
                Step::End { session: 1 },
                consume(1, 2, 1),
                Step::Reconnect { session: 1 },
                consume(1, 3, 1),
                Step::JournalSteps(2),
                Step::Crash,
            ],
            published(3),
        ],
    ];
    for history in histories {
        let steps = history.concat();
        assert!(is_recovered(&steps, 0, 64), "states differ after {steps:?}");
    }
}
