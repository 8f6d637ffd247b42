//! The client's messages that the server has not acknowledged: kept encoded, so that sending one
//! again is a copy.

use std::collections::VecDeque;

use crate::{Kind, WindowLimits};

/// A message that was sent and never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    pub(crate) kind: Kind,
    pub(crate) frame: Vec<u8>,
}

impl Retained {
    /// The kind of its frame.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The Message frame as it was or would have been sent.
    pub fn frame(&self) -> &[u8] {
        &self.frame
    }
}

/// Sent and unacknowledged messages, numbered without gaps.
// MBWS-021
#[derive(Debug)]
pub(crate) struct Window {
    limits: WindowLimits,
    messages: VecDeque<Retained>,
    size_bytes: usize,
    /// Number of the last message acknowledged: the window begins after it.
    acked: u64,
}

impl Window {
    pub(crate) fn new(limits: WindowLimits) -> Self {
        Window { limits, messages: VecDeque::new(), size_bytes: 0, acked: 0 }
    }

    /// A window that begins after message `acked`.
    pub(crate) fn starting_after(acked: u64, limits: WindowLimits) -> Self {
        Window { acked, ..Window::new(limits) }
    }

    /// Number of the last message acknowledged.
    pub(crate) fn acked(&self) -> u64 {
        self.acked
    }

    /// CSLW: the lowest number kept, or last + 1.
    // MBWS-042, MBWS-A04
    pub(crate) fn lowest(&self) -> u64 {
        self.acked.saturating_add(1)
    }

    /// CSUW: the highest number kept, or the last ever.
    pub(crate) fn highest(&self) -> u64 {
        self.acked.saturating_add(self.messages.len() as u64)
    }

    // MBWS-A15: full means wait; nothing is ever dropped.
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.messages.is_empty()
            || (self.messages.len() < self.limits.messages_max
                && self.size_bytes.saturating_add(len) <= self.limits.size_max_bytes)
    }

    /// Keeps one message and gives its number.
    pub(crate) fn push(&mut self, retained: Retained) -> u64 {
        self.size_bytes = self.size_bytes.saturating_add(retained.frame.len());
        self.messages.push_back(retained);
        self.highest()
    }

    /// Drops everything up to one number.
    // MBWS-034
    pub(crate) fn release(&mut self, up_to: u64) {
        while self.acked < up_to {
            let Some(retained) = self.messages.pop_front() else {
                return;
            };
            self.size_bytes = self.size_bytes.saturating_sub(retained.frame.len());
            self.acked = self.acked.saturating_add(1);
        }
    }

    /// Counts a message that is not kept, and gives its number.
    pub(crate) fn pass(&mut self) -> u64 {
        self.acked = self.acked.saturating_add(1);
        self.acked
    }

    /// Empties the window and begins again at 1.
    pub(crate) fn take(&mut self) -> Vec<Retained> {
        self.acked = 0;
        self.size_bytes = 0;
        std::mem::take(&mut self.messages).into()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Retained> {
        self.messages.iter()
    }
}
