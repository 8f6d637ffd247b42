//! Deliveries end: accepted, back to their queues, or dead.

use super::Shard;
use crate::command::{Outcome, SessionId};
use crate::limits::{ANNOTATIONS_MAX_BYTES, DETAIL_MAX_BYTES};
use crate::output::DeathReason;
use crate::record::{QueueId, Record};
use crate::state::session::Outbound;
use bytes::Bytes;
use std::sync::Arc;

impl Shard {
    pub(super) fn settle(&mut self, session: SessionId, first: u64, last: u64, outcome: &Outcome) {
        let Some(ledger) = self.state.sessions.get(&session).map(|session| session.ledger()) else {
            return;
        };
        if *outcome == Outcome::Accepted && first <= 1 {
            self.transients.settle(session, last);
        }
        let first = first.max(ledger.settled.saturating_add(1));
        let last = last.min(ledger.sent);
        if first > last {
            return;
        }
        self.statistics.settled =
            self.statistics.settled.saturating_add(last.saturating_sub(first).saturating_add(1));
        match outcome {
            Outcome::Accepted => {
                self.record(&Record::Accept { session, first, last });
            }
            Outcome::Released => self.send_back(session, first, last, false, None),
            Outcome::Failed => self.send_back(session, first, last, true, None),
            Outcome::Modified { failed, elsewhere, annotations } => {
                if *elsewhere {
                    self.shun(session, first, last);
                }
                let annotations = annotations.as_ref();
                self.send_back(session, first, last, *failed, annotations);
            }
            Outcome::Rejected { detail } => self.reject(session, first, last, detail.as_ref()),
        }
        self.mark_sources(session);
    }

    fn send_back(
        &mut self,
        session: SessionId,
        first: u64,
        last: u64,
        counted: bool,
        annotations: Option<&Bytes>,
    ) {
        let returned = self.unsettled_in(session, first, last);
        // A copy, because the original is a part of everything that was read with it.
        let fitting = annotations.filter(|bytes| bytes.len() <= ANNOTATIONS_MAX_BYTES);
        let annotations = fitting.map(|bytes| Bytes::copy_from_slice(bytes));
        self.record(&Record::Return { session, first, last, counted, annotations });
        self.bury_or_mark(returned.iter().map(|(_, outbound)| outbound));
    }

    fn reject(&mut self, session: SessionId, first: u64, last: u64, detail: Option<&Arc<str>>) {
        let detail = detail.map(|detail| {
            let fitting = detail.floor_char_boundary(DETAIL_MAX_BYTES);
            detail.get(..fitting).unwrap_or_default().to_owned()
        });
        for (seq, outbound) in self.unsettled_in(session, first, last) {
            if self.dead_letter(outbound, DeathReason::Rejected, detail.clone()) {
                continue;
            }
            // A dead letter that is rejected stays where dead letters are.
            let (first, last, counted) = (seq, seq, false);
            self.record(&Record::Return { session, first, last, counted, annotations: None });
            self.feeds.mark_returned(outbound.queue, outbound.entry);
        }
        self.record(&Record::Accept { session, first, last });
    }

    /// Keeps entries from the consumers they are out to, when they are back.
    fn shun(&mut self, session: SessionId, first: u64, last: u64) {
        for (_, Outbound { queue, entry, consumer, .. }) in self.unsettled_in(session, first, last)
        {
            let known = self.state.sessions.get(&session);
            let lives = known.is_some_and(|known| known.consumer(queue, consumer).is_some());
            if let Some(slot) = self.state.queues.get(&queue).filter(|_| lives) {
                self.feeds.shunned().add(queue, session, consumer, entry, slot);
            }
        }
    }

    fn unsettled_in(&self, session: SessionId, first: u64, last: u64) -> Vec<(u64, Outbound)> {
        let Some(session) = self.state.sessions.get(&session) else {
            return Vec::new();
        };
        let unsettled = |seq| session.unsettled_delivery(seq).map(|outbound| (seq, outbound));
        (first..=last).filter_map(unsettled).collect()
    }

    /// After deliveries came back: those delivered too often die, the rest is handed out again.
    pub(super) fn bury_or_mark<'a>(&mut self, returned: impl Iterator<Item = &'a Outbound>) {
        for outbound in returned {
            let Some(queue) = self.state.queues.get(&outbound.queue) else {
                continue;
            };
            let Some(view) = queue.entry(outbound.entry) else {
                continue;
            };
            // What is a person's is never too much trouble.
            let address = self.state.addresses.get(&queue.address);
            let address = address.filter(|address| !address.is_mailbox());
            let max = address.map_or(0, |address| self.policies.of(&address.name).deliveries_max);
            let dies = max > 0 && view.failures >= max;
            if !dies || !self.dead_letter(*outbound, DeathReason::DeliveriesMax, None) {
                self.feeds.mark_returned(outbound.queue, outbound.entry);
                self.watch(outbound.queue);
            }
        }
    }

    /// Moves an entry to dead letters; `false` if it is there already.
    fn dead_letter(
        &mut self,
        outbound: Outbound,
        reason: DeathReason,
        detail: Option<String>,
    ) -> bool {
        self.bury_entry(outbound.queue, outbound.entry, reason, detail)
    }

    /// Moves an entry to dead letters, or drops it where its policy has none; `false` if it is
    /// there already. One that is out and dropped is taken off by its settlement.
    pub(super) fn bury_entry(
        &mut self,
        queue: QueueId,
        entry: u64,
        reason: DeathReason,
        detail: Option<String>,
    ) -> bool {
        let Some(slot) = self.state.queues.get(&queue) else {
            return false;
        };
        let is_out = slot.entry(entry).is_some_and(|view| view.out);
        let Some(address) = self.state.addresses.get(&slot.address) else {
            return false;
        };
        let (host, name) = (address.host.clone(), Arc::clone(&address.name));
        let to = self.dead_letter_queue(&host, &name);
        if to == Some(queue) {
            return false;
        }
        self.statistics.note_death(reason);
        match to {
            Some(to) => {
                self.record(&Record::DeadLetter { queue, entry, to, reason, detail });
                self.feeds.mark(to);
                self.keep_bounds(&[to]);
            }
            None if is_out => {}
            None => {
                self.record(&Record::Move { queue, entry, to: Vec::new() });
            }
        }
        true
    }
}
