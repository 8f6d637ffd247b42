//! The state as bytes and back. A snapshot is taken between two frames, when the places of the
//! newest frames are not known yet; they are put in front of it once they are, see
//! `shard::log`.

use super::bodies::{MessageKey, Place};
use super::queue::{EntryView, Queue};
use super::session::{Consumer, Outbound, Session};
use super::{Address, State, User};
use crate::codec::{Malformed, Put, Reader};
use crate::command::SessionId;
use crate::journal::{Extent, Location, Lsn};
use crate::output::Death;
use crate::record::{
    AddressId, QueueId, put_death, put_key, put_kind, put_owner, put_user, read_death, read_format,
    read_key, read_kind, read_owner, read_session_kind, read_user,
};
use std::sync::Arc;

/// Version of the encoding below.
const VERSION: u64 = 1;

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

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if from.int("snapshot version")? != VERSION {
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
        Ok(places)
    }
}

impl State {
    /// Everything but the places.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_int(self.addresses_made);
        out.put_int(self.queues_made);
        out.put_int(self.sessions_made);
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
            encode_queue_head(&mut out, *id, queue, self.is_fed(*id, queue));
            encode_entries(&mut out, queue, &order);
        }
        out.put_int(self.sessions.len() as u64);
        for (id, session) in &self.sessions {
            encode_session(&mut out, *id, session);
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
            let death = message.death.as_ref();
            put_death(out, death.map(|death| (death.reason, death.address.as_str())));
        }
    }

    /// Rebuilds the state from what `encode` and `Places::encode` wrote.
    pub(crate) fn decode(snapshot: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(snapshot);
        let places = Places::decode(&mut from)?;
        let mut state = Self {
            addresses_made: from.int("counter")?,
            queues_made: from.int("counter")?,
            sessions_made: from.int("counter")?,
            ..Self::default()
        };
        for _ in 0..from.len("user count")? {
            let (name, verifier, permissions) = read_user(&mut from)?;
            state.users.insert(name, User { verifier, permissions });
        }
        for _ in 0..from.len("address count")? {
            state.decode_address(&mut from)?;
        }
        let messages = decode_messages(&mut from)?;
        let keys = state.restore_bodies(places, messages)?;
        state.decode_queues_and_sessions(&mut from, &keys)?;
        if !from.is_empty() {
            return Err(Malformed { what: "end of snapshot" });
        }
        Ok(state)
    }

    fn decode_address(&mut self, from: &mut Reader<'_>) -> Result<(), Malformed> {
        let id = AddressId(from.int("address id")?);
        let host = from.string("host")?;
        let name: Arc<str> = Arc::from(from.string("address")?);
        let kind = read_kind(from)?;
        self.names.entry(host.clone()).or_default().insert(Arc::clone(&name), id);
        self.addresses.insert(id, Address { host, name, kind, queues: Vec::new() });
        Ok(())
    }

    fn restore_bodies(
        &mut self,
        places: Places,
        messages: Vec<SavedMessage>,
    ) -> Result<Vec<MessageKey>, Malformed> {
        for (extent, last_lsn) in places.extents {
            self.bodies.restore_extent(extent, last_lsn);
        }
        for (lsn, location) in places.frames {
            self.bodies.restore_place(lsn, location);
        }
        let mut keys = Vec::with_capacity(messages.len());
        for saved in messages {
            let key = self.bodies.insert(saved.place, saved.format, saved.death, None);
            keys.push(key.ok_or(Malformed { what: "message count" })?);
        }
        Ok(keys)
    }

    fn decode_queues_and_sessions(
        &mut self,
        from: &mut Reader<'_>,
        keys: &[MessageKey],
    ) -> Result<(), Malformed> {
        for _ in 0..from.len("queue count")? {
            self.decode_queue(from, keys)?;
        }
        for _ in 0..from.len("session count")? {
            let (id, mut session) = decode_session(from)?;
            let owned =
                |(queue, slot): (&QueueId, &Queue)| (slot.owner == Some(id)).then_some(*queue);
            session.owned = self.queues.iter().filter_map(owned).collect();
            self.keys.insert(session.key.clone(), id);
            self.sessions.insert(id, session);
        }
        Ok(())
    }

    fn decode_queue(
        &mut self,
        from: &mut Reader<'_>,
        keys: &[MessageKey],
    ) -> Result<(), Malformed> {
        let id = QueueId(from.int("queue id")?);
        let address = AddressId(from.int("address id")?);
        let mut queue = Queue::new(address, from.option("subscription")?, read_owner(from)?);
        let fed = from.flag("fed")?;
        let fresh_from = from.int("fresh")?;
        queue.restore_fresh_from(fresh_from);
        for _ in 0..from.len("dispatched count")? {
            let entry = from.int("entry")?;
            let message = self.decode_reference(from, keys)?;
            let count = u16::try_from(from.int("count")?);
            let count = count.map_err(|_| Malformed { what: "count" })?;
            if entry >= fresh_from {
                return Err(Malformed { what: "entry" });
            }
            let view = EntryView { message, count, out: from.flag("out")? };
            queue.restore_dispatched(entry, view);
        }
        for _ in 0..from.len("fresh count")? {
            queue.push(self.decode_reference(from, keys)?);
        }
        if fed && let Some(address) = self.addresses.get_mut(&address) {
            address.queues.push(id);
        }
        self.queues.insert(id, queue);
        Ok(())
    }

    fn decode_reference(
        &mut self,
        from: &mut Reader<'_>,
        keys: &[MessageKey],
    ) -> Result<MessageKey, Malformed> {
        let number = from.int32("message number")?;
        let key = keys.get(number as usize).ok_or(Malformed { what: "entry of no message" })?;
        self.bodies.refer(*key);
        Ok(*key)
    }

    /// Whether published messages reach the queue: a cancelled volatile subscription is kept
    /// for what is out, but fed no more.
    fn is_fed(&self, id: QueueId, queue: &Queue) -> bool {
        self.addresses.get(&queue.address).is_some_and(|address| address.queues.contains(&id))
    }
}

fn encode_address(out: &mut Vec<u8>, id: AddressId, address: &Address) {
    out.put_int(id.0);
    out.put_str(&address.host);
    out.put_str(&address.name);
    put_kind(out, address.kind);
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

struct SavedMessage {
    place: Place,
    format: u8,
    death: Option<Arc<Death>>,
}

fn decode_messages(from: &mut Reader<'_>) -> Result<Vec<SavedMessage>, Malformed> {
    let mut messages = Vec::new();
    for _ in 0..from.len("message count")? {
        let place = Place {
            lsn: Lsn(from.int("lsn")?),
            offset_bytes: from.int32("offset")?,
            len_bytes: from.int32("length")?,
        };
        let format = read_format(from)?;
        let death = read_death(from)?;
        let death =
            death.map(|(reason, address)| Arc::new(Death { reason, address, detail: None }));
        messages.push(SavedMessage { place, format, death });
    }
    Ok(messages)
}

fn encode_queue_head(out: &mut Vec<u8>, id: QueueId, queue: &Queue, fed: bool) {
    out.put_int(id.0);
    out.put_int(queue.address.0);
    out.put_option(queue.subscription.as_deref());
    put_owner(out, queue.owner);
    out.put_flag(fed);
}

fn encode_entries(out: &mut Vec<u8>, queue: &Queue, order: &Order) {
    out.put_int(queue.fresh_from());
    let dispatched = queue.dispatched();
    out.put_int(dispatched.len() as u64);
    for (entry, view) in dispatched {
        out.put_int(entry);
        out.put_int(u64::from(order.number(view.message)));
        out.put_int(u64::from(view.count));
        out.put_flag(view.out);
    }
    let fresh = queue.fresh();
    out.put_int(fresh.len() as u64);
    for message in fresh {
        out.put_int(u64::from(order.number(message)));
    }
}

fn encode_session(out: &mut Vec<u8>, id: SessionId, session: &Session) {
    let ledger = session.ledger();
    out.put_int(id.0);
    put_key(out, &session.key);
    out.put_flag(session.kind == crate::command::SessionKind::Recoverable);
    out.put_flag(session.proven);
    out.put_int(ledger.taken);
    out.put_int(ledger.settled);
    out.put_int(session.consumers.len() as u64);
    for consumer in &session.consumers {
        out.put_int(consumer.queue.0);
        out.put_int(u64::from(consumer.credit));
    }
    out.put_int(ledger.sent.saturating_sub(ledger.settled));
    for seq in ledger.settled.saturating_add(1)..=ledger.sent {
        let outbound = session.unsettled_delivery(seq);
        out.put_flag(outbound.is_some());
        if let Some(outbound) = outbound {
            out.put_int(outbound.queue.0);
            out.put_int(outbound.entry);
            out.put_int(u64::from(outbound.len_bytes));
        }
    }
}

fn decode_session(from: &mut Reader<'_>) -> Result<(SessionId, Session), Malformed> {
    let id = SessionId(from.int("session id")?);
    let key = read_key(from)?;
    let mut session = Session::new(key, read_session_kind(from)?);
    session.proven = from.flag("proven")?;
    session.restore(from.int("taken")?, from.int("settled")?);
    for _ in 0..from.len("consumer count")? {
        let queue = QueueId(from.int("queue id")?);
        session.consumers.push(Consumer { queue, credit: from.int32("credit")?, unsettled: 0 });
    }
    for _ in 0..from.len("outbound count")? {
        let outbound = if from.flag("outbound")? {
            let queue = QueueId(from.int("queue id")?);
            let entry = from.int("entry")?;
            Some(Outbound { queue, entry, len_bytes: from.int32("length")? })
        } else {
            None
        };
        session.restore_next(outbound);
    }
    Ok((id, session))
}
