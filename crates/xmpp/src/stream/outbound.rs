//! Messages to be sent.

use std::collections::VecDeque;

/// Messages in their order, octets behind each other.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    octets: Vec<u8>,
    /// Where the first message begins, and where each ends.
    at: usize,
    ends: VecDeque<usize>,
}

impl Outbound {
    /// Appends one message.
    // XWS-014: every first-level element in a message of its own.
    pub(crate) fn message(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.octets);
        self.ends.push_back(self.octets.len());
    }

    /// Appends the next message to `out`; its length, 0 if there is none.
    pub(crate) fn pop(&mut self, out: &mut Vec<u8>) -> usize {
        let Some(end) = self.ends.pop_front() else { return 0 };
        let message = self.octets.get(self.at..end).unwrap_or_default();
        out.extend_from_slice(message);
        let len = message.len();
        self.at = end;
        if self.ends.is_empty() {
            // An idle stream keeps no memory for what it has sent.
            *self = Self::default();
        }
        len
    }

    /// Octets that wait.
    pub(crate) fn len(&self) -> usize {
        self.octets.len().saturating_sub(self.at)
    }
}
