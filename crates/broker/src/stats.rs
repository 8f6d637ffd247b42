//! What a shard counts. Plain additions on the hot path, read by copy.

use crate::output::DeathReason;

/// Counters since the start of the process, and sizes now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// Messages taken from senders.
    pub published: u64,
    /// Inbound repeats recognised and passed over.
    pub duplicates_suppressed: u64,
    /// Deliveries told to connections, repeats included.
    pub delivered: u64,
    /// Deliveries of messages that were delivered before and came back.
    pub redelivered: u64,
    /// Deliveries settled.
    pub settled: u64,
    /// Messages dead-lettered, in the order of [`DeathReason::ALL`].
    pub dead_lettered: [u64; DeathReason::ALL.len()],
    /// Sessions opened.
    pub sessions_opened: u64,
    /// Sessions taken up again by a new connection.
    pub sessions_resumed: u64,
    /// Sessions asked for that are not there: ended, or never were.
    pub sessions_unknown: u64,
    /// Sessions ended by retention.
    pub sessions_expired: u64,
    /// How long those were without a connection that were taken up again.
    pub session_gaps: Gaps,
    /// Frames given to the journal.
    pub frames: u64,
    /// Their payload.
    pub frames_bytes: u64,
    /// Snapshots given to the journal.
    pub snapshots: u64,
    /// Sessions now.
    pub sessions: u64,
    /// Sessions with a connection now.
    pub sessions_attached: u64,
    /// Addresses now.
    pub addresses: u64,
    /// Messages now, each counted once however many queues hold it.
    pub messages: u64,
    /// Messages that wait in queues now, once for each queue that holds one.
    pub queue_messages_ready: u64,
    /// Messages that are out to sessions now.
    pub queue_messages_unacked: u64,
    /// Their bodies.
    pub messages_bytes: u64,
    /// Bodies in memory.
    pub bodies_in_memory_bytes: u64,
    /// Newest durable frame.
    pub stored_lsn: u64,
}

/// How long sessions were without a connection, counted by length. A restart begins all anew.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Gaps {
    /// By the first of [`Gaps::BOUNDS_MS`] that is no shorter; the last counts what is longer
    /// than all.
    pub counts: [u64; Gaps::BOUNDS_MS.len() + 1],
    /// Of all, in milliseconds.
    pub sum_ms: u64,
}

impl Gaps {
    /// Upper bounds, in milliseconds: from a reload of a page to a night.
    pub const BOUNDS_MS: [u64; 11] = [
        100, 300, 1_000, 3_000, 10_000, 30_000, 120_000, 600_000, 3_600_000, 14_400_000, 57_600_000,
    ];

    pub(crate) fn note(&mut self, gap_ms: u64) {
        let at = Self::BOUNDS_MS.partition_point(|bound| *bound < gap_ms);
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(1);
        }
        self.sum_ms = self.sum_ms.saturating_add(gap_ms);
    }
}

impl Statistics {
    /// A message was dead-lettered.
    pub(crate) fn note_death(&mut self, reason: DeathReason) {
        let of = DeathReason::ALL.iter().position(|known| *known == reason);
        if let Some(count) = of.and_then(|at| self.dead_lettered.get_mut(at)) {
            *count = count.saturating_add(1);
        }
    }
}
