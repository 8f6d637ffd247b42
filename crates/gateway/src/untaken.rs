//! Messages handed to the shard and not durable yet.

use crate::limits::{UNTAKEN_MAX, UNTAKEN_MAX_BYTES};
use std::collections::VecDeque;

/// How many there are, and how large.
#[derive(Debug, Default)]
pub(crate) struct Untaken {
    /// One entry a burst, however many messages it had: its last sequence and its bytes.
    bursts: VecDeque<(u64, usize)>,
    /// Bytes of the burst that is being read.
    burst_bytes: usize,
    bytes: usize,
    newest: u64,
    oldest: u64,
}

impl Untaken {
    pub(crate) fn add(&mut self, seq: u64, bytes: usize) {
        self.newest = seq;
        self.burst_bytes = self.burst_bytes.saturating_add(bytes);
    }

    pub(crate) fn end_burst(&mut self) {
        let bytes = std::mem::take(&mut self.burst_bytes);
        if bytes > 0 {
            self.bursts.push_back((self.newest, bytes));
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// Everything up to this one is durable.
    pub(crate) fn settle(&mut self, up_to: u64) {
        self.oldest = up_to;
        while let Some((_, bytes)) = self.bursts.pop_front_if(|(last, _)| *last <= up_to) {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        if self.bursts.is_empty() {
            self.bursts.shrink_to(0);
        }
    }

    /// A session goes on from here.
    pub(crate) fn resume(&mut self, taken: u64) {
        self.newest = taken;
        self.oldest = taken;
    }

    /// Whether more may be read.
    pub(crate) fn has_room(&self) -> bool {
        let len = usize::try_from(self.newest.saturating_sub(self.oldest)).unwrap_or(usize::MAX);
        self.bytes < UNTAKEN_MAX_BYTES && len < UNTAKEN_MAX
    }
}
