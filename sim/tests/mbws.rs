//! MBWS producers and consumers over cut connections and a killed broker: nothing lost, nothing
//! twice, order kept (MBWS-026). `WHARF_SIM_SEED` repeats one history, `WHARF_SIM_SEEDS` sets how
//! many are lived.

#![allow(clippy::disallowed_methods, reason = "seeds come from the environment")]

use wharf_sim::{Account, Scenario, World};

fn live(seed: u64, by_url: bool) -> Account {
    let scenario = Scenario {
        queues: 2,
        senders: 2,
        receivers: 2,
        messages: 60,
        by_url,
        cut_one_in: 40 + (seed % 7) as usize * 60,
        kill_one_in: 200 + (seed % 5) as usize * 400,
    };
    World::new(seed, scenario).run()
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    match number("WHARF_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WHARF_SIM_SEEDS").unwrap_or(60),
    }
}

#[test]
fn nothing_lost_nothing_twice_order_kept() {
    for seed in seeds() {
        let account = live(seed, false);
        let bad = (account.lost, account.duplicated, account.reordered);
        assert_eq!(bad, (0, 0, 0), "seed {seed}: {account:?}");
        assert_eq!(account.received, 240, "seed {seed}: {account:?}");
        assert!(account.kills + account.cuts > 0, "seed {seed} was no test: {account:?}");
    }
}

#[test]
fn nothing_lost_nothing_twice_when_asked_on_the_url() {
    for seed in seeds() {
        let account = live(seed, true);
        assert_eq!((account.lost, account.duplicated), (0, 0), "seed {seed}: {account:?}");
    }
}

/// The same seed is the same history.
#[test]
fn a_history_is_repeated_by_its_seed() {
    assert_eq!(live(7, false), live(7, false));
}
