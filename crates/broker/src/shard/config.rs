//! The settings of a shard.

use crate::policy::Policy;

/// The settings of a shard.
#[derive(Clone, Debug)]
pub struct Config {
    /// Settings of addresses by pattern, most specific first.
    pub policies: Vec<Policy>,
    /// How long a session without a connection is kept.
    pub session_retention_ms: u64,
    /// How long it is kept if its client never showed that it knows it.
    pub session_unproven_retention_ms: u64,
    /// Bodies kept in memory; more are read back from the journal when they are delivered.
    pub bodies_in_memory_max_bytes: u64,
    /// Frames given to the journal and not stored yet. Two keep it busy: one is synced while
    /// the next is collected.
    pub frames_in_flight_max: usize,
    /// Payload after which a snapshot is taken.
    pub snapshot_every_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            policies: Policy::defaults(),
            session_retention_ms: 24 * 3600 * 1000,
            session_unproven_retention_ms: 60 * 1000,
            bodies_in_memory_max_bytes: 256 << 20,
            frames_in_flight_max: 2,
            snapshot_every_bytes: 64 << 20,
        }
    }
}
