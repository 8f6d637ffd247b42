//! One connection's bytes under way.

use crate::random::Random;
use std::collections::VecDeque;

/// Both directions of a connection.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    pub(crate) to_node: VecDeque<u8>,
    pub(crate) to_client: VecDeque<u8>,
}

/// Takes any number of bytes off a direction: a read sees whatever has arrived.
pub(crate) fn some_of(direction: &mut VecDeque<u8>, random: &mut Random) -> Vec<u8> {
    let len = match random.below(4) {
        0 => random.below(8),
        1 => random.below(200),
        _ => direction.len(),
    };
    direction.drain(..len.min(direction.len())).collect()
}
