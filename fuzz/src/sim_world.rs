//! Whole nodes: a history from a seed, of a size and roughness from the input. Nothing is lost,
//! nothing comes twice.

use crate::script::Script;
use wharf_sim::{Scenario, World};

/// Reads `data` as a scenario and a seed.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let by_url = script.flag();
    let scenario = Scenario {
        queues: 1 + script.below(2),
        senders: 1 + script.below(2),
        receivers: 1 + script.below(2),
        messages: 1 + script.below(20) as u64,
        by_url,
        cut_one_in: 20 + script.below(200),
        kill_one_in: 100 + 4 * script.below(256),
    };
    let seed = script.rest().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
    let account = World::new(seed, scenario).run();
    assert_eq!((account.lost, account.duplicated), (0, 0), "{scenario:?} {seed}: {account:?}");
    // Why not otherwise: see `Scenario::by_url`.
    assert!(by_url || account.reordered == 0, "{scenario:?} {seed}: {account:?}");
}
