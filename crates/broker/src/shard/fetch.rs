//! Bodies that have left memory are read back, and extents are freed when nobody reads them.

use super::Shard;
use crate::journal::{Slice, Ticket};
use crate::limits::FETCH_MAX;
use crate::output::Output;
use bytes::Bytes;
use std::collections::BTreeSet;

/// Bodies to be asked of the journal.
#[derive(Debug, Default)]
pub(super) struct Fetching {
    /// Number of the fetch being collected.
    ticket: Ticket,
    slices: Vec<Slice>,
    /// Fetches collected or under way.
    open: BTreeSet<Ticket>,
}

impl Shard {
    /// Asks for a body; the answer is number `.1` of fetch `.0`.
    pub(super) fn fetch(&mut self, slice: Slice) -> (Ticket, usize) {
        if self.fetching.slices.len() >= FETCH_MAX {
            self.request_fetch();
        }
        self.fetching.slices.push(slice);
        self.fetching.open.insert(self.fetching.ticket);
        (self.fetching.ticket, self.fetching.slices.len().saturating_sub(1))
    }

    pub(super) fn request_fetch(&mut self) {
        if self.fetching.slices.is_empty() {
            return;
        }
        let slices = std::mem::take(&mut self.fetching.slices);
        self.journal_requests.push_back(Output::Fetch(self.fetching.ticket, slices));
        self.fetching.ticket = Ticket(self.fetching.ticket.0.saturating_add(1));
    }

    /// Bodies have come.
    pub(super) fn fetched(&mut self, ticket: Ticket, bodies: &[Bytes]) {
        self.fetching.open.remove(&ticket);
        self.outbox.fill(ticket, bodies);
        self.free_extents();
    }

    pub(super) fn free_extents(&mut self) {
        let Fetching { ticket, open, .. } = &self.fetching;
        let free = self.log.take_free(&mut self.state, *ticket, open.first().copied());
        if !free.is_empty() {
            self.journal_requests.push_back(Output::Free(free));
        }
    }
}
