//! Where the bodies of live messages are: which frame, which extent, and whether in memory.

use crate::journal::{Extent, Location, Lsn, Slice};
use crate::output::Death;
use bytes::Bytes;
use slab::Slab;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Index of a live message; says nothing once the message is gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct MessageKey(pub(crate) u32);

/// A place inside the journal's frames.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) lsn: Lsn,
    pub(crate) offset_bytes: u32,
    pub(crate) len_bytes: u32,
}

/// A live message: referred to by one queue entry or more.
#[derive(Debug)]
pub(crate) struct StoredMessage {
    pub(crate) place: Place,
    pub(crate) format: u8,
    pub(crate) references: u32,
    /// The body, while the budget allows it.
    pub(crate) cached: Option<Bytes>,
    pub(crate) death: Option<Arc<Death>>,
    /// When it came, by the shard's clock; 0 if nobody knows.
    pub(crate) at_ms: u64,
}

/// What a message is made of.
#[derive(Debug, Default)]
pub(crate) struct NewMessage {
    pub(crate) place: Place,
    pub(crate) format: u8,
    pub(crate) death: Option<Arc<Death>>,
    pub(crate) cached: Option<Bytes>,
    pub(crate) at_ms: u64,
}

/// A frame that still holds live bodies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameUse {
    pub(crate) live: u64,
    /// Known once the frame is stored.
    pub(crate) location: Option<Location>,
}

/// An extent that holds, or held, frames.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExtentUse {
    pub(crate) live_frames: u64,
    pub(crate) last_lsn: Lsn,
}

/// All live messages and what they keep alive.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    messages: Slab<StoredMessage>,
    frames: BTreeMap<Lsn, FrameUse>,
    extents: BTreeMap<Extent, ExtentUse>,
    cached_bytes: u64,
    live_bytes: u64,
}

impl Bodies {
    pub(crate) fn get(&self, key: MessageKey) -> Option<&StoredMessage> {
        self.messages.get(key.0 as usize)
    }

    /// Messages alive.
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn cached_bytes(&self) -> u64 {
        self.cached_bytes
    }

    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Adds a message that nothing refers to yet. `None` if there are 2^32 already.
    pub(crate) fn insert(&mut self, message: NewMessage) -> Option<MessageKey> {
        let NewMessage { place, format, death, cached, at_ms } = message;
        let key = u32::try_from(self.messages.vacant_key()).ok()?;
        self.cached_bytes = self.cached_bytes.saturating_add(cached_len(cached.as_ref()));
        self.live_bytes = self.live_bytes.saturating_add(u64::from(place.len_bytes));
        let stored = StoredMessage { place, format, references: 0, cached, death, at_ms };
        self.messages.insert(stored);
        let frame = self.frames.entry(place.lsn).or_default();
        frame.live = frame.live.saturating_add(1);
        if frame.live == 1
            && let Some(location) = frame.location
        {
            self.revive(location.extent);
        }
        Some(MessageKey(key))
    }

    pub(crate) fn refer(&mut self, key: MessageKey) {
        if let Some(message) = self.messages.get_mut(key.0 as usize) {
            message.references = message.references.saturating_add(1);
        }
    }

    /// Drops one reference, and with the last one the message.
    pub(crate) fn release(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(key.0 as usize) else {
            return;
        };
        message.references = message.references.saturating_sub(1);
        if message.references == 0 {
            let message = self.messages.remove(key.0 as usize);
            let len = u64::from(message.place.len_bytes);
            self.live_bytes = self.live_bytes.saturating_sub(len);
            self.cached_bytes =
                self.cached_bytes.saturating_sub(cached_len(message.cached.as_ref()));
            self.leave_frame(message.place.lsn);
        }
    }

    /// Drops a message that was put into no queue.
    pub(crate) fn discard_unreferenced(&mut self, key: MessageKey) {
        self.refer(key);
        self.release(key);
    }

    /// A copy of the message under another death notice; both share the stored bytes.
    pub(crate) fn copy(
        &mut self,
        key: MessageKey,
        death: Option<Arc<Death>>,
        at_ms: u64,
    ) -> Option<MessageKey> {
        let message = self.get(key)?;
        let (place, format, cached) = (message.place, message.format, message.cached.clone());
        self.insert(NewMessage { place, format, death, cached, at_ms })
    }

    /// Length of a message's body.
    pub(crate) fn len_bytes(&self, key: MessageKey) -> u32 {
        self.get(key).map_or(0, |message| message.place.len_bytes)
    }

    /// Forgets the body in memory if the message at `key` is still the one at `place`.
    pub(crate) fn evict(&mut self, key: MessageKey, place: Place) {
        if let Some(message) = self.messages.get_mut(key.0 as usize)
            && message.place == place
        {
            let freed = cached_len(message.cached.take().as_ref());
            self.cached_bytes = self.cached_bytes.saturating_sub(freed);
        }
    }

    /// What to ask the journal for; `None` before the frame is stored.
    pub(crate) fn slice(&self, place: Place) -> Option<Slice> {
        let location = self.frames.get(&place.lsn)?.location?;
        Some(Slice {
            location,
            lsn: place.lsn,
            offset_bytes: place.offset_bytes,
            len_bytes: place.len_bytes,
        })
    }

    /// The frame is stored, at `location`.
    pub(crate) fn locate(&mut self, lsn: Lsn, location: Location) {
        let extent = self.extents.entry(location.extent).or_default();
        extent.last_lsn = extent.last_lsn.max(lsn);
        if let Some(frame) = self.frames.get_mut(&lsn) {
            frame.location = Some(location);
            extent.live_frames = extent.live_frames.saturating_add(1);
        }
    }

    /// Takes out every extent without live bodies whose frames are all up to `covered`, but not
    /// `newest`, which the journal still appends to.
    pub(crate) fn take_dead_extents(
        &mut self,
        covered: Lsn,
        newest: Option<Extent>,
    ) -> Vec<Extent> {
        let dead = |id: Extent, extent: &ExtentUse| {
            extent.live_frames == 0 && extent.last_lsn <= covered && Some(id) != newest
        };
        self.extents.extract_if(.., |id, extent| dead(*id, extent)).map(|(id, _)| id).collect()
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = (Lsn, FrameUse)> + '_ {
        self.frames.iter().map(|(lsn, frame)| (*lsn, *frame))
    }

    pub(crate) fn extents(&self) -> impl Iterator<Item = (Extent, ExtentUse)> + '_ {
        self.extents.iter().map(|(id, extent)| (*id, *extent))
    }

    /// Restores what a snapshot says of frames and extents, before its messages are inserted.
    pub(crate) fn restore_place(&mut self, lsn: Lsn, location: Location) {
        self.frames.insert(lsn, FrameUse { live: 0, location: Some(location) });
    }

    pub(crate) fn restore_extent(&mut self, extent: Extent, last_lsn: Lsn) {
        self.extents.insert(extent, ExtentUse { live_frames: 0, last_lsn });
    }

    fn revive(&mut self, extent: Extent) {
        let extent = self.extents.entry(extent).or_default();
        extent.live_frames = extent.live_frames.saturating_add(1);
    }

    fn leave_frame(&mut self, lsn: Lsn) {
        let Some(frame) = self.frames.get_mut(&lsn) else {
            return;
        };
        frame.live = frame.live.saturating_sub(1);
        if frame.live > 0 {
            return;
        }
        let location = frame.location;
        self.frames.remove(&lsn);
        if let Some(extent) = location.and_then(|at| self.extents.get_mut(&at.extent)) {
            extent.live_frames = extent.live_frames.saturating_sub(1);
        }
    }
}

fn cached_len(cached: Option<&Bytes>) -> u64 {
    cached.map_or(0, |body| body.len() as u64)
}
