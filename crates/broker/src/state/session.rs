//! One session and its ledger.

use crate::command::{ConsumerId, SessionKey, SessionKind};
use crate::output::Ledger;
use crate::record::QueueId;
use std::collections::VecDeque;

/// What the broker knows of a client's logical connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) key: SessionKey,
    pub(crate) kind: SessionKind,
    /// The client has shown that it knows the session: our answer has reached it.
    pub(crate) proven: bool,
    /// Highest inbound sequence recorded.
    pub(crate) taken: u64,
    /// Everything up to here is settled.
    settled: u64,
    /// `settled + 1 ..`; `None` where one was settled out of order.
    outbound: VecDeque<Option<Outbound>>,
    unsettled: usize,
    unsettled_bytes: u64,
    /// In the order of queue and name.
    consumers: Vec<Consumer>,
    /// Volatile subscriptions, which end with the session.
    pub(crate) owned: Vec<QueueId>,
}

/// A delivery that is not settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Outbound {
    pub(crate) queue: QueueId,
    pub(crate) entry: u64,
    pub(crate) consumer: ConsumerId,
    pub(crate) len_bytes: u32,
}

/// A session's wish for the messages of one queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Consumer {
    pub(crate) queue: QueueId,
    pub(crate) name: ConsumerId,
    /// Most unsettled deliveries; `None` where the connection says how far they flow.
    pub(crate) window: Option<u32>,
    /// Its deliveries that are not settled.
    pub(crate) unsettled: u32,
}

impl Consumer {
    fn key(&self) -> (QueueId, ConsumerId) {
        (self.queue, self.name)
    }

    /// Whether its window lets one more delivery pass.
    pub(crate) fn has_room(&self) -> bool {
        self.window.is_none_or(|window| self.unsettled < window)
    }
}

impl Session {
    pub(crate) fn new(key: SessionKey, kind: SessionKind) -> Self {
        Self {
            key,
            kind,
            proven: false,
            taken: 0,
            settled: 0,
            outbound: VecDeque::new(),
            unsettled: 0,
            unsettled_bytes: 0,
            consumers: Vec::new(),
            owned: Vec::new(),
        }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger { taken: self.taken, settled: self.settled, sent: self.sent() }
    }

    /// Highest outbound sequence.
    pub(crate) fn sent(&self) -> u64 {
        self.settled.saturating_add(self.outbound.len() as u64)
    }

    /// Everything below this outbound sequence is settled.
    pub(crate) fn first_unsettled(&self) -> u64 {
        self.settled.saturating_add(1)
    }

    /// Deliveries not settled.
    pub(crate) fn unsettled(&self) -> usize {
        self.unsettled
    }

    pub(crate) fn unsettled_bytes(&self) -> u64 {
        self.unsettled_bytes
    }

    pub(crate) fn consumers(&self) -> &[Consumer] {
        &self.consumers
    }

    pub(crate) fn consumer(&self, queue: QueueId, name: ConsumerId) -> Option<&Consumer> {
        let at = self.consumers.binary_search_by_key(&(queue, name), Consumer::key).ok()?;
        self.consumers.get(at)
    }

    fn consumer_mut(&mut self, queue: QueueId, name: ConsumerId) -> Option<&mut Consumer> {
        let at = self.consumers.binary_search_by_key(&(queue, name), Consumer::key).ok()?;
        self.consumers.get_mut(at)
    }

    /// Adds a consumer or changes its window.
    pub(crate) fn consume(&mut self, queue: QueueId, name: ConsumerId, window: Option<u32>) {
        match self.consumers.binary_search_by_key(&(queue, name), Consumer::key) {
            Ok(at) => {
                if let Some(known) = self.consumers.get_mut(at) {
                    known.window = window;
                }
            }
            Err(at) => {
                let is_its = |out: &Outbound| out.queue == queue && out.consumer == name;
                let out = self.outbound.iter().flatten().filter(|out| is_its(out)).count();
                let unsettled = u32::try_from(out).unwrap_or(u32::MAX);
                if self.consumers.is_empty() {
                    // An idle session keeps no room for more.
                    self.consumers.reserve_exact(1);
                }
                self.consumers.insert(at, Consumer { queue, name, window, unsettled });
            }
        }
    }

    /// Takes a consumer off; what is out to it stays.
    pub(crate) fn cancel(&mut self, queue: QueueId, name: ConsumerId) {
        if let Ok(at) = self.consumers.binary_search_by_key(&(queue, name), Consumer::key) {
            self.consumers.remove(at);
        }
    }

    pub(crate) fn dispatch(&mut self, outbound: Outbound) {
        self.outbound.push_back(Some(outbound));
        self.unsettled = self.unsettled.saturating_add(1);
        self.unsettled_bytes = self.unsettled_bytes.saturating_add(u64::from(outbound.len_bytes));
        if let Some(consumer) = self.consumer_mut(outbound.queue, outbound.consumer) {
            consumer.unsettled = consumer.unsettled.saturating_add(1);
        }
    }

    /// Settles one delivery and tells what it was.
    pub(crate) fn settle(&mut self, seq: u64) -> Option<Outbound> {
        let at = seq.checked_sub(self.settled)?.checked_sub(1)?;
        let outbound = self.outbound.get_mut(usize::try_from(at).ok()?)?.take()?;
        self.unsettled = self.unsettled.saturating_sub(1);
        self.unsettled_bytes = self.unsettled_bytes.saturating_sub(u64::from(outbound.len_bytes));
        if let Some(consumer) = self.consumer_mut(outbound.queue, outbound.consumer) {
            consumer.unsettled = consumer.unsettled.saturating_sub(1);
        }
        while let Some(None) = self.outbound.front() {
            self.outbound.pop_front();
            self.settled = self.settled.saturating_add(1);
        }
        Some(outbound)
    }

    /// The delivery of one sequence, if it is not settled.
    pub(crate) fn unsettled_delivery(&self, seq: u64) -> Option<Outbound> {
        let at = seq.checked_sub(self.settled)?.checked_sub(1)?;
        *self.outbound.get(usize::try_from(at).ok()?)?
    }

    /// Everything not settled, in order, with its sequence.
    pub(crate) fn outbound(&self) -> impl Iterator<Item = (u64, Outbound)> + '_ {
        let first = self.settled.saturating_add(1);
        (first..).zip(&self.outbound).filter_map(|(seq, slot)| slot.map(|out| (seq, out)))
    }

    /// The next sequences are used by something that is not kept here: settled from the start.
    pub(crate) fn pass(&mut self, count: u64) {
        if self.outbound.is_empty() {
            self.settled = self.settled.saturating_add(count);
        } else {
            self.outbound.extend((0..count).map(|_| None));
        }
    }

    /// Everything up to `at` has arrived; what is unsettled follows without gaps.
    pub(crate) fn compact(&mut self, at: u64) {
        self.outbound.retain(Option::is_some);
        self.settled = at;
    }

    /// Restores the ledger of a snapshot.
    pub(crate) fn restore(&mut self, taken: u64, settled: u64) {
        self.taken = taken;
        self.settled = settled;
    }

    /// Restores the next sequence of the ledger; `None` was settled out of order.
    pub(crate) fn restore_next(&mut self, outbound: Option<Outbound>) {
        match outbound {
            Some(outbound) => self.dispatch(outbound),
            None => self.outbound.push_back(None),
        }
    }
}
