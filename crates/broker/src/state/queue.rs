//! One queue: what was never dispatched, in order, and what was dispatched and is not settled.

use super::bodies::MessageKey;
use crate::command::{ConsumerId, SessionId};
use crate::limits::{ANNOTATIONS_MAX_BYTES, QUEUE_ANNOTATIONS_MAX_BYTES};
use crate::record::AddressId;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A queue of an address, or a subscription of a topic.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) address: AddressId,
    /// Name of a durable subscription.
    pub(crate) subscription: Option<String>,
    /// The consumer a volatile subscription lives and dies with.
    pub(crate) owner: Option<(SessionId, ConsumerId)>,
    /// Who consumes it; every one of them has it among its session's consumers.
    consumers: Vec<(SessionId, ConsumerId)>,
    /// Neither fed nor consumed any more. What is out stays, because its session may yet have to
    /// deliver it again; what comes back is gone, and with the last entry the queue is.
    pub(crate) closed: bool,
    /// Whether its address is dynamic.
    pub(crate) dynamic: bool,
    /// Number of the first entry in `fresh`; every entry below was dispatched at least once.
    fresh_from: u64,
    /// Never dispatched, numbered without gaps.
    fresh: VecDeque<MessageKey>,
    /// Dispatched and not settled: what one stuck consumer holds costs no more than that.
    dispatched: BTreeMap<u64, EntryView>,
    /// Those of `dispatched` that came back.
    returned: BTreeSet<u64>,
    /// What consumers left with entries. Few have any, and so it is kept apart.
    annotations: BTreeMap<u64, Bytes>,
    annotations_bytes: usize,
    /// Entries that are out.
    out: usize,
    /// Bodies of all entries.
    bytes: u64,
    /// Of all queues.
    totals: Arc<Totals>,
}

/// Entries of all queues together, so that nobody has to look at each. Written by the shard alone.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    entries: AtomicU64,
    out: AtomicU64,
}

impl Totals {
    /// Entries, those that are out among them.
    pub(crate) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// Entries that are out.
    pub(crate) fn out(&self) -> u64 {
        self.out.load(Ordering::Relaxed)
    }

    fn add(to: &AtomicU64, count: usize) {
        to.store(to.load(Ordering::Relaxed).saturating_add(count as u64), Ordering::Relaxed);
    }

    fn sub(from: &AtomicU64, count: usize) {
        from.store(from.load(Ordering::Relaxed).saturating_sub(count as u64), Ordering::Relaxed);
    }
}

/// How a delivery came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attempt {
    /// As if it had not been made.
    None,
    /// It may have been seen.
    Made,
    /// It failed.
    Failed,
}

/// An entry that is not settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct EntryView {
    pub(crate) message: MessageKey,
    /// How often it was delivered and came back: a consumer may have seen it.
    pub(crate) count: u16,
    /// How many of these times a consumer had something to do with that.
    pub(crate) failures: u16,
    pub(crate) out: bool,
}

impl EntryView {
    fn new(message: MessageKey, out: bool) -> Self {
        Self { message, count: 0, failures: 0, out }
    }
}

impl Queue {
    /// Who consumes it, in their order.
    pub(crate) fn consumers(&self) -> &[(SessionId, ConsumerId)] {
        &self.consumers
    }

    pub(crate) fn add_consumer(&mut self, consumer: (SessionId, ConsumerId)) {
        if let Err(at) = self.consumers.binary_search(&consumer) {
            if self.consumers.is_empty() {
                // Most queues of people have one.
                self.consumers.reserve_exact(1);
            }
            self.consumers.insert(at, consumer);
        }
    }

    pub(crate) fn remove_consumer(&mut self, consumer: (SessionId, ConsumerId)) {
        if let Ok(at) = self.consumers.binary_search(&consumer) {
            self.consumers.remove(at);
        }
    }

    pub(crate) fn take_consumers(&mut self) -> Vec<(SessionId, ConsumerId)> {
        std::mem::take(&mut self.consumers)
    }

    pub(crate) fn new(
        address: AddressId,
        subscription: Option<String>,
        owner: Option<(SessionId, ConsumerId)>,
        totals: &Arc<Totals>,
    ) -> Self {
        Self {
            totals: Arc::clone(totals),
            address,
            subscription,
            owner,
            consumers: Vec::new(),
            closed: false,
            dynamic: false,
            fresh_from: 0,
            fresh: VecDeque::new(),
            dispatched: BTreeMap::new(),
            returned: BTreeSet::new(),
            annotations: BTreeMap::new(),
            annotations_bytes: 0,
            out: 0,
            bytes: 0,
        }
    }

    /// Entries, those that are out among them.
    pub(crate) fn len(&self) -> usize {
        self.fresh.len().saturating_add(self.dispatched.len())
    }

    /// Entries that are out.
    pub(crate) fn out_len(&self) -> usize {
        self.out
    }

    /// Bodies of all entries, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// An entry with a body of so many bytes was added.
    pub(crate) fn grow(&mut self, len_bytes: u32) {
        self.bytes = self.bytes.saturating_add(u64::from(len_bytes));
    }

    /// An entry with a body of so many bytes has gone.
    pub(crate) fn shrink(&mut self, len_bytes: u32) {
        self.bytes = self.bytes.saturating_sub(u64::from(len_bytes));
    }

    /// Whether a message waits for a consumer.
    pub(crate) fn has_ready(&self) -> bool {
        !self.fresh.is_empty() || !self.returned.is_empty()
    }

    /// Whether it holds nothing, not even a message that is out.
    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.dispatched.is_empty()
    }

    /// Adds a message at the end and tells its entry.
    pub(crate) fn push(&mut self, message: MessageKey) -> u64 {
        let entry = self.fresh_from.saturating_add(self.fresh.len() as u64);
        self.fresh.push_back(message);
        Totals::add(&self.totals.entries, 1);
        entry
    }

    /// The next entry to dispatch: what came back first, else the oldest fresh one.
    pub(crate) fn next_ready(&self) -> Option<u64> {
        self.returned.first().copied().or_else(|| self.first_fresh())
    }

    /// The first entry from `from` on that is not out.
    pub(crate) fn next_in(&self, from: u64) -> Option<u64> {
        if let Some(returned) = self.returned.range(from..).next() {
            return Some(*returned);
        }
        let entry = from.max(self.fresh_from);
        self.fresh_at(entry).map(|_| entry)
    }

    /// The first entry from `from` on that came back.
    pub(crate) fn next_returned(&self, from: u64) -> Option<u64> {
        self.returned.range(from..).next().copied()
    }

    /// The oldest entry that was never dispatched.
    pub(crate) fn first_fresh(&self) -> Option<u64> {
        (!self.fresh.is_empty()).then_some(self.fresh_from)
    }

    fn fresh_at(&self, entry: u64) -> Option<MessageKey> {
        let at = usize::try_from(entry.checked_sub(self.fresh_from)?).ok()?;
        self.fresh.get(at).copied()
    }

    /// An entry that is not settled.
    pub(crate) fn entry(&self, entry: u64) -> Option<EntryView> {
        let dispatched = self.dispatched.get(&entry).copied();
        let fresh = || self.fresh_at(entry).map(|message| EntryView::new(message, false));
        dispatched.or_else(fresh)
    }

    /// What was left with an entry.
    pub(crate) fn annotations(&self, entry: u64) -> Option<&Bytes> {
        if self.annotations.is_empty() { None } else { self.annotations.get(&entry) }
    }

    pub(crate) fn all_annotations(&self) -> impl ExactSizeIterator<Item = (u64, &Bytes)> + '_ {
        self.annotations.iter().map(|(entry, annotations)| (*entry, annotations))
    }

    /// Leaves `annotations` with an entry, in the place of older ones. Too many are not kept.
    pub(crate) fn annotate(&mut self, entry: u64, annotations: Bytes) {
        let before = self.annotations(entry).map_or(0, Bytes::len);
        let bytes = self.annotations_bytes.saturating_sub(before).saturating_add(annotations.len());
        if annotations.len() > ANNOTATIONS_MAX_BYTES || bytes > QUEUE_ANNOTATIONS_MAX_BYTES {
            return;
        }
        self.annotations_bytes = bytes;
        self.annotations.insert(entry, annotations);
    }

    /// The entry is gone: what was left with it.
    pub(crate) fn take_annotations(&mut self, entry: u64) -> Option<Bytes> {
        if self.annotations.is_empty() {
            return None;
        }
        let taken = self.annotations.remove(&entry)?;
        self.annotations_bytes = self.annotations_bytes.saturating_sub(taken.len());
        Some(taken)
    }

    /// Takes the next ready entry out. `None` if that is not `entry`.
    #[must_use]
    pub(crate) fn dispatch(&mut self, entry: u64) -> Option<MessageKey> {
        if self.returned.remove(&entry) {
            let view = self.dispatched.get_mut(&entry)?;
            view.out = true;
            let message = view.message;
            self.one_out();
            return Some(message);
        }
        if entry != self.fresh_from {
            return None;
        }
        let message = self.fresh.pop_front()?;
        self.fresh_from = self.fresh_from.saturating_add(1);
        self.dispatched.insert(entry, EntryView::new(message, true));
        self.one_out();
        if self.fresh.is_empty() {
            self.fresh.shrink_to(64);
        }
        Some(message)
    }

    /// Whether an entry may be taken off without being dispatched: it came back, or is the oldest
    /// that was never out.
    pub(crate) fn can_take(&self, entry: u64) -> bool {
        self.returned.contains(&entry) || self.first_fresh() == Some(entry)
    }

    /// Takes such an entry off, and gives back its message.
    pub(crate) fn take(&mut self, entry: u64) -> Option<MessageKey> {
        if self.returned.contains(&entry) {
            return self.remove(entry);
        }
        if self.first_fresh() != Some(entry) {
            return None;
        }
        self.fresh_from = self.fresh_from.saturating_add(1);
        self.take_annotations(entry);
        let taken = self.fresh.pop_front();
        Totals::sub(&self.totals.entries, usize::from(taken.is_some()));
        taken
    }

    /// Takes a dispatched entry off the queue, and gives back its message. What was left with it
    /// goes too, unless it was taken before.
    pub(crate) fn remove(&mut self, entry: u64) -> Option<MessageKey> {
        let view = self.dispatched.remove(&entry)?;
        Totals::sub(&self.totals.entries, 1);
        if view.out {
            self.one_back();
        } else {
            self.returned.remove(&entry);
        }
        self.take_annotations(entry);
        Some(view.message)
    }

    /// Puts an entry that is out back to its place.
    pub(crate) fn give_back(&mut self, entry: u64, attempt: Attempt, annotations: Option<&Bytes>) {
        let Some(view) = self.dispatched.get_mut(&entry).filter(|view| view.out) else { return };
        view.out = false;
        view.count = view.count.saturating_add(u16::from(attempt != Attempt::None));
        view.failures = view.failures.saturating_add(u16::from(attempt == Attempt::Failed));
        self.one_back();
        self.returned.insert(entry);
        if let Some(annotations) = annotations {
            self.annotate(entry, annotations.clone());
        }
    }

    /// Takes off every entry that is not out.
    pub(crate) fn drop_ready(&mut self) -> Vec<MessageKey> {
        let returned = std::mem::take(&mut self.returned);
        let mut dropped: Vec<MessageKey> =
            returned.iter().filter_map(|entry| self.remove(*entry)).collect();
        self.fresh_from = self.fresh_from.saturating_add(self.fresh.len() as u64);
        Totals::sub(&self.totals.entries, self.fresh.len());
        dropped.extend(std::mem::take(&mut self.fresh));
        // A dead letter brings annotations along before it is ever dispatched.
        self.annotations.retain(|entry, _| self.dispatched.contains_key(entry));
        self.annotations_bytes = self.annotations.values().map(Bytes::len).sum();
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
        if view.out {
            self.one_out();
        } else {
            self.returned.insert(entry);
        }
        self.dispatched.insert(entry, view);
        Totals::add(&self.totals.entries, 1);
    }

    fn one_out(&mut self) {
        self.out = self.out.saturating_add(1);
        Totals::add(&self.totals.out, 1);
    }

    fn one_back(&mut self) {
        self.out = self.out.saturating_sub(1);
        Totals::sub(&self.totals.out, 1);
    }
}
