//! One queue: what was never dispatched, in order, and what was dispatched and is not settled.

use super::bodies::MessageKey;
use crate::command::SessionId;
use crate::record::AddressId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A queue of an address, or a subscription of a topic.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) address: AddressId,
    /// Name of a durable subscription.
    pub(crate) subscription: Option<String>,
    /// The session a volatile subscription lives and dies with.
    pub(crate) owner: Option<SessionId>,
    /// Number of the first entry in `fresh`; every entry below was dispatched at least once.
    fresh_from: u64,
    /// Never dispatched, numbered without gaps.
    fresh: VecDeque<MessageKey>,
    /// Dispatched and not settled: what one stuck consumer holds costs no more than that.
    dispatched: BTreeMap<u64, EntryView>,
    /// Those of `dispatched` that came back.
    returned: BTreeSet<u64>,
}

/// An entry that is not settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct EntryView {
    pub(crate) message: MessageKey,
    /// How often it was delivered and came back.
    pub(crate) count: u16,
    pub(crate) out: bool,
}

impl Queue {
    pub(crate) fn new(
        address: AddressId,
        subscription: Option<String>,
        owner: Option<SessionId>,
    ) -> Self {
        Self {
            address,
            subscription,
            owner,
            fresh_from: 0,
            fresh: VecDeque::new(),
            dispatched: BTreeMap::new(),
            returned: BTreeSet::new(),
        }
    }

    /// Whether a message waits for a consumer.
    pub(crate) fn has_ready(&self) -> bool {
        !self.fresh.is_empty() || !self.returned.is_empty()
    }

    pub(crate) fn push(&mut self, message: MessageKey) {
        self.fresh.push_back(message);
    }

    /// The next entry to dispatch: what came back first, else the oldest fresh one.
    pub(crate) fn next_ready(&self) -> Option<u64> {
        let fresh = (!self.fresh.is_empty()).then_some(self.fresh_from);
        self.returned.first().copied().or(fresh)
    }

    /// An entry that was dispatched and is not settled.
    pub(crate) fn entry(&self, entry: u64) -> Option<EntryView> {
        self.dispatched.get(&entry).copied()
    }

    /// Takes the next ready entry out. `None` if that is not `entry`.
    #[must_use]
    pub(crate) fn dispatch(&mut self, entry: u64) -> Option<MessageKey> {
        if self.returned.remove(&entry) {
            let view = self.dispatched.get_mut(&entry)?;
            view.out = true;
            return Some(view.message);
        }
        if entry != self.fresh_from {
            return None;
        }
        let message = self.fresh.pop_front()?;
        self.fresh_from = self.fresh_from.saturating_add(1);
        self.dispatched.insert(entry, EntryView { message, count: 0, out: true });
        if self.fresh.is_empty() {
            self.fresh.shrink_to(64);
        }
        Some(message)
    }

    /// Takes a dispatched entry off the queue, and gives back its message.
    pub(crate) fn remove(&mut self, entry: u64) -> Option<MessageKey> {
        let view = self.dispatched.remove(&entry)?;
        if !view.out {
            self.returned.remove(&entry);
        }
        Some(view.message)
    }

    /// Puts an entry that is out back to its place.
    pub(crate) fn give_back(&mut self, entry: u64, counted: bool) {
        let Some(view) = self.dispatched.get_mut(&entry).filter(|view| view.out) else { return };
        view.out = false;
        view.count = view.count.saturating_add(u16::from(counted));
        self.returned.insert(entry);
    }

    /// Takes off every entry that is not out.
    pub(crate) fn drop_ready(&mut self) -> Vec<MessageKey> {
        let returned = std::mem::take(&mut self.returned);
        let mut dropped: Vec<MessageKey> =
            returned.iter().filter_map(|entry| self.remove(*entry)).collect();
        self.fresh_from = self.fresh_from.saturating_add(self.fresh.len() as u64);
        dropped.extend(std::mem::take(&mut self.fresh));
        dropped
    }

    /// Every message, oldest entry first.
    pub(crate) fn messages(&self) -> impl Iterator<Item = MessageKey> + '_ {
        let dispatched = self.dispatched.values().map(|view| view.message);
        dispatched.chain(self.fresh.iter().copied())
    }

    pub(crate) fn fresh_from(&self) -> u64 {
        self.fresh_from
    }

    pub(crate) fn fresh(&self) -> impl ExactSizeIterator<Item = MessageKey> + '_ {
        self.fresh.iter().copied()
    }

    pub(crate) fn dispatched(&self) -> impl ExactSizeIterator<Item = (u64, EntryView)> + '_ {
        self.dispatched.iter().map(|(entry, view)| (*entry, *view))
    }

    /// Restores the numbering of an empty queue.
    pub(crate) fn restore_fresh_from(&mut self, fresh_from: u64) {
        self.fresh_from = fresh_from;
    }

    /// Restores a dispatched entry.
    pub(crate) fn restore_dispatched(&mut self, entry: u64, view: EntryView) {
        if !view.out {
            self.returned.insert(entry);
        }
        self.dispatched.insert(entry, view);
    }
}
