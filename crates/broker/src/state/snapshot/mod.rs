//! The state as bytes and back. A snapshot is taken between two frames, when the places of the
//! newest frames are not known yet; they are put in front of it once they are, see
//! `shard::log`.

mod queues;
mod sessions;

use super::bodies::{MessageKey, NewMessage, Place};
use super::queue::Queue;
use super::{Address, State, User};
use crate::codec::{Malformed, Put, Reader};
use crate::journal::{Extent, Location, Lsn};
use crate::record::{
    AddressId, put_death, put_dynamic, put_kind, put_user, read_death, read_dynamic, read_format,
    read_kind, read_user,
};
use bytes::Bytes;
use std::sync::Arc;

/// Version of the encoding below.
const VERSION: u64 = 2;
/// The version before: messages had no times.
const VERSION_WITHOUT_TIMES: u64 = 1;

/// Where frames and extents are: the part of a snapshot that is known last.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) frames: Vec<(Lsn, Location)>,
    pub(crate) extents: Vec<(Extent, Lsn)>,
}

impl Places {
    /// The head of a snapshot; what `State::encode` wrote follows it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_int(VERSION);
        out.put_int(self.frames.len() as u64);
        for (lsn, location) in &self.frames {
            out.put_int(lsn.0);
            out.put_int(location.extent.0);
            out.put_int(location.position);
        }
        out.put_int(self.extents.len() as u64);
        for (extent, last_lsn) in &self.extents {
            out.put_int(extent.0);
            out.put_int(last_lsn.0);
        }
        out
    }

    /// Tells too whether messages have times.
    fn decode(from: &mut Reader<'_>) -> Result<(Self, bool), Malformed> {
        let version = from.int("snapshot version")?;
        if !matches!(version, VERSION | VERSION_WITHOUT_TIMES) {
            return Err(Malformed { what: "snapshot version (written by a newer release?)" });
        }
        let mut places = Self::default();
        for _ in 0..from.len("frame count")? {
            let lsn = Lsn(from.int("lsn")?);
            let extent = Extent(from.int("extent")?);
            places.frames.push((lsn, Location { extent, position: from.int("position")? }));
        }
        for _ in 0..from.len("extent count")? {
            places.extents.push((Extent(from.int("extent")?), Lsn(from.int("lsn")?)));
        }
        Ok((places, version == VERSION))
    }
}

impl State {
    /// Everything but the places.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_int(self.addresses_made);
        out.put_int(self.queues_made);
        out.put_int(self.sessions_made);
        out.put_int(self.clock_ms);
        out.put_int(self.users.len() as u64);
        for (name, user) in &self.users {
            put_user(&mut out, name, &user.verifier, &user.permissions);
        }
        out.put_int(self.addresses.len() as u64);
        for (id, address) in &self.addresses {
            encode_address(&mut out, *id, address);
        }
        let order = self.message_order();
        self.encode_messages(&order, &mut out);
        out.put_int(self.queues.len() as u64);
        for (id, queue) in &self.queues {
            queues::encode(&mut out, *id, queue, &order);
        }
        out.put_int(self.sessions.len() as u64);
        for (id, session) in &self.sessions {
            sessions::encode(&mut out, *id, session);
        }
        out.put_int(self.documents.len() as u64);
        for (key, value) in &self.documents {
            out.put_str(key);
            out.put_bytes(value);
        }
        out
    }

    /// Messages are numbered as the queues hold them, so that equal states are equal bytes,
    /// whatever happened before.
    fn message_order(&self) -> Order {
        let mut order = Order::default();
        self.queues.values().flat_map(Queue::messages).for_each(|message| order.note(message));
        order
    }

    fn encode_messages(&self, order: &Order, out: &mut Vec<u8>) {
        out.put_int(order.messages.len() as u64);
        for message in order.messages.iter().filter_map(|key| self.bodies.get(*key)) {
            out.put_int(message.place.lsn.0);
            out.put_int(u64::from(message.place.offset_bytes));
            out.put_int(u64::from(message.place.len_bytes));
            out.put_int(u64::from(message.format));
            put_death(out, message.death.as_deref());
            out.put_int(message.at_ms);
        }
    }

    /// Rebuilds the state from what `encode` and `Places::encode` wrote.
    pub(crate) fn decode(snapshot: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(snapshot);
        let (places, has_times) = Places::decode(&mut from)?;
        let mut state = Self {
            addresses_made: from.int("counter")?,
            queues_made: from.int("counter")?,
            sessions_made: from.int("counter")?,
            clock_ms: if has_times { from.int("clock")? } else { 0 },
            ..Self::default()
        };
        for _ in 0..from.len("user count")? {
            let (name, verifier, permissions) = read_user(&mut from)?;
            state.users.insert(name, User { verifier, permissions });
        }
        for _ in 0..from.len("address count")? {
            state.decode_address(&mut from)?;
        }
        let messages = decode_messages(&mut from, has_times)?;
        let keys = state.restore_bodies(places, messages)?;
        for _ in 0..from.len("queue count")? {
            state.decode_queue(&mut from, &keys)?;
        }
        for _ in 0..from.len("session count")? {
            state.decode_session(&mut from)?;
        }
        // Snapshots from before there were documents end here.
        let documents = if from.is_empty() { 0 } else { from.len("document count")? };
        for _ in 0..documents {
            let key = from.string("key")?;
            let value = Bytes::copy_from_slice(from.bytes("document")?);
            state.documents.insert(Arc::from(key), value);
        }
        state.give_queues_to_owners();
        if !from.is_empty() {
            return Err(Malformed { what: "end of snapshot" });
        }
        Ok(state)
    }

    fn decode_address(&mut self, from: &mut Reader<'_>) -> Result<(), Malformed> {
        let id = AddressId(from.int("address id")?);
        let host = from.string("host")?;
        let address = Address {
            host,
            name: Arc::from(from.string("address")?),
            kind: read_kind(from)?,
            queues: Vec::new(),
            dynamic: read_dynamic(from)?,
            closed_queues: 0,
            deleted: from.flag("deleted")?,
        };
        self.place_address(id, address);
        Ok(())
    }

    fn restore_bodies(
        &mut self,
        places: Places,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<MessageKey>, Malformed> {
        for (extent, last_lsn) in places.extents {
            self.bodies.restore_extent(extent, last_lsn);
        }
        for (lsn, location) in places.frames {
            self.bodies.restore_place(lsn, location);
        }
        let mut keys = Vec::with_capacity(messages.len());
        for saved in messages {
            let key = self.bodies.insert(saved);
            keys.push(key.ok_or(Malformed { what: "message count" })?);
        }
        Ok(keys)
    }
}

fn encode_address(out: &mut Vec<u8>, id: AddressId, address: &Address) {
    out.put_int(id.0);
    out.put_str(&address.host);
    out.put_str(&address.name);
    put_kind(out, address.kind);
    put_dynamic(out, address.dynamic.as_ref());
    out.put_flag(address.deleted);
}

/// Which messages, in which order, and the number each has got.
#[derive(Debug, Default)]
struct Order {
    messages: Vec<MessageKey>,
    numbers: Vec<Option<u32>>,
}

impl Order {
    fn note(&mut self, key: MessageKey) {
        let at = key.0 as usize;
        if at >= self.numbers.len() {
            self.numbers.resize(at.saturating_add(1), None);
        }
        if let Some(number @ None) = self.numbers.get_mut(at) {
            *number = u32::try_from(self.messages.len()).ok();
            self.messages.push(key);
        }
    }

    fn number(&self, key: MessageKey) -> u32 {
        self.numbers.get(key.0 as usize).copied().flatten().unwrap_or_default()
    }
}

fn decode_messages(from: &mut Reader<'_>, has_times: bool) -> Result<Vec<NewMessage>, Malformed> {
    let mut messages = Vec::new();
    for _ in 0..from.len("message count")? {
        let place = Place {
            lsn: Lsn(from.int("lsn")?),
            offset_bytes: from.int32("offset")?,
            len_bytes: from.int32("length")?,
        };
        let format = read_format(from)?;
        let death = read_death(from)?.map(Arc::new);
        let at_ms = if has_times { from.int("time")? } else { 0 };
        messages.push(NewMessage { place, format, death, cached: None, at_ms });
    }
    Ok(messages)
}
