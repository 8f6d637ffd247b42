//! One queue: its entries in order, which of them are out, and which came back.

use super::bodies::MessageKey;
use crate::command::SessionId;
use crate::record::AddressId;
use std::collections::{BTreeSet, VecDeque};

/// A queue of an address, or a subscription of a topic.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) address: AddressId,
    /// Name of a durable subscription.
    pub(crate) subscription: Option<String>,
    /// The session a volatile subscription lives and dies with.
    pub(crate) owner: Option<SessionId>,
    /// Number of the first entry in `entries`.
    base: u64,
    entries: VecDeque<Entry>,
    /// Every entry below was dispatched at least once.
    fresh_from: u64,
    /// Entries that were out and came back, all below `fresh_from`.
    returned: BTreeSet<u64>,
    live: u64,
    out: u64,
}

/// One message in one queue.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// `None` once it is settled.
    message: Option<MessageKey>,
    /// How often it was delivered and came back.
    count: u16,
    out: bool,
}

/// What `Queue::entry` tells of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct EntryView {
    pub(crate) message: MessageKey,
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
            base: 0,
            entries: VecDeque::new(),
            fresh_from: 0,
            returned: BTreeSet::new(),
            live: 0,
            out: 0,
        }
    }

    /// Messages in the queue, those that are out included.
    pub(crate) fn len(&self) -> u64 {
        self.live
    }

    /// Messages that are out.
    pub(crate) fn out(&self) -> u64 {
        self.out
    }

    pub(crate) fn push(&mut self, message: MessageKey) {
        self.entries.push_back(Entry { message: Some(message), count: 0, out: false });
        self.live = self.live.saturating_add(1);
    }

    /// The next entry to dispatch: what came back first, else the oldest fresh one.
    pub(crate) fn next_ready(&self) -> Option<u64> {
        if let Some(returned) = self.returned.first() {
            return Some(*returned);
        }
        let end = self.base.saturating_add(self.entries.len() as u64);
        (self.fresh_from..end).find(|entry| self.entry(*entry).is_some())
    }

    pub(crate) fn entry(&self, entry: u64) -> Option<EntryView> {
        let at = usize::try_from(entry.checked_sub(self.base)?).ok()?;
        let Entry { message, count, out } = *self.entries.get(at)?;
        Some(EntryView { message: message?, count, out })
    }

    /// Marks a ready entry as out. `false` if it is not ready.
    #[must_use]
    pub(crate) fn dispatch(&mut self, entry: u64) -> bool {
        let fresh = entry >= self.fresh_from;
        let ready = fresh || self.returned.remove(&entry);
        let Some(slot) = self.slot(entry).filter(|slot| ready && slot.message.is_some()) else {
            return false;
        };
        slot.out = true;
        self.out = self.out.saturating_add(1);
        if fresh {
            self.fresh_from = entry.saturating_add(1);
        }
        true
    }

    /// Takes an entry off the queue, out or not, and gives back its message.
    pub(crate) fn remove(&mut self, entry: u64) -> Option<MessageKey> {
        let slot = self.slot(entry)?;
        let message = slot.message.take()?;
        let was_out = std::mem::take(&mut slot.out);
        self.returned.remove(&entry);
        self.live = self.live.saturating_sub(1);
        self.out = self.out.saturating_sub(u64::from(was_out));
        while self.entries.front().is_some_and(|front| front.message.is_none()) {
            self.entries.pop_front();
            self.base = self.base.saturating_add(1);
        }
        self.fresh_from = self.fresh_from.max(self.base);
        Some(message)
    }

    /// Puts an entry that is out back to its place.
    pub(crate) fn give_back(&mut self, entry: u64, counted: bool) {
        let Some(slot) = self.slot(entry).filter(|slot| slot.out) else {
            return;
        };
        slot.out = false;
        slot.count = slot.count.saturating_add(u16::from(counted));
        self.out = self.out.saturating_sub(1);
        self.returned.insert(entry);
    }

    /// Takes off every entry that is not out.
    pub(crate) fn drop_ready(&mut self) -> Vec<MessageKey> {
        let ready: Vec<u64> =
            self.entries().filter(|(_, view)| !view.out).map(|(entry, _)| entry).collect();
        ready.into_iter().filter_map(|entry| self.remove(entry)).collect()
    }

    /// Every message, for dropping the queue.
    pub(crate) fn messages(&self) -> impl Iterator<Item = MessageKey> + '_ {
        self.entries.iter().filter_map(|entry| entry.message)
    }

    /// Every live entry, for a snapshot: number, message, count, out.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, EntryView)> + '_ {
        let end = self.base.saturating_add(self.entries.len() as u64);
        (self.base..end).filter_map(|entry| self.entry(entry).map(|view| (entry, view)))
    }

    /// First entry kept, first never dispatched, next to be pushed.
    pub(crate) fn numbers(&self) -> (u64, u64, u64) {
        (self.base, self.fresh_from, self.next_entry())
    }

    /// Number the next pushed entry gets.
    fn next_entry(&self) -> u64 {
        self.base.saturating_add(self.entries.len() as u64)
    }

    /// Restores the numbering of an empty queue: everything before `fresh_from` was dispatched.
    pub(crate) fn restore_numbers(&mut self, base: u64, fresh_from: u64) {
        self.base = base;
        self.fresh_from = fresh_from;
    }

    /// Restores the next live entry of a snapshot, in order.
    pub(crate) fn restore_entry(&mut self, entry: u64, view: EntryView) {
        self.restore_end(entry);
        let EntryView { message, count, out } = view;
        self.entries.push_back(Entry { message: Some(message), count, out });
        self.live = self.live.saturating_add(1);
        self.out = self.out.saturating_add(u64::from(out));
        if !out && entry < self.fresh_from {
            self.returned.insert(entry);
        }
    }

    /// Pads the numbering after the last live entry of a snapshot.
    pub(crate) fn restore_end(&mut self, next_entry: u64) {
        while self.next_entry() < next_entry {
            self.entries.push_back(Entry { message: None, count: 0, out: false });
        }
    }

    fn slot(&mut self, entry: u64) -> Option<&mut Entry> {
        let at = usize::try_from(entry.checked_sub(self.base)?).ok()?;
        self.entries.get_mut(at)
    }
}
