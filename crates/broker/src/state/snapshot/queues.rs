//! Queues in a snapshot.

use super::Order;
use crate::codec::{Malformed, Put, Reader};
use crate::record::{AddressId, QueueId, put_owner, read_owner};
use crate::state::State;
use crate::state::bodies::MessageKey;
use crate::state::queue::{EntryView, Queue};
use bytes::Bytes;

pub(super) fn encode(out: &mut Vec<u8>, id: QueueId, queue: &Queue, order: &Order) {
    out.put_int(id.0);
    out.put_int(queue.address.0);
    out.put_option(queue.subscription.as_deref());
    put_owner(out, queue.owner);
    out.put_flag(queue.closed);
    out.put_int(queue.fresh_from());
    let dispatched = queue.dispatched();
    out.put_int(dispatched.len() as u64);
    for (entry, view) in dispatched {
        out.put_int(entry);
        out.put_int(u64::from(order.number(view.message)));
        // In one number, because there was only the first of them once.
        out.put_int(u64::from(view.failures) << 16 | u64::from(view.count));
        out.put_flag(view.out);
    }
    let fresh = queue.fresh();
    out.put_int(fresh.len() as u64);
    for message in fresh {
        out.put_int(u64::from(order.number(message)));
    }
    let annotations = queue.all_annotations();
    out.put_int(annotations.len() as u64);
    for (entry, annotations) in annotations {
        out.put_int(entry);
        out.put_bytes(annotations);
    }
}

impl State {
    pub(super) fn decode_queue(
        &mut self,
        from: &mut Reader<'_>,
        keys: &[MessageKey],
    ) -> Result<(), Malformed> {
        let id = QueueId(from.int("queue id")?);
        let address = AddressId(from.int("address id")?);
        let mut queue =
            Queue::new(address, from.option("subscription")?, read_owner(from)?, &self.totals);
        queue.closed = from.flag("closed")?;
        let fresh_from = from.int("fresh")?;
        queue.restore_fresh_from(fresh_from);
        for _ in 0..from.len("dispatched count")? {
            let entry = from.int("entry")?;
            let message = self.decode_reference(from, keys)?;
            let counts = from.int32("count")?;
            let (count, failures) = (counts as u16, (counts >> 16) as u16);
            if entry >= fresh_from {
                return Err(Malformed { what: "entry" });
            }
            let view = EntryView { message, count, failures, out: from.flag("out")? };
            queue.restore_dispatched(entry, view);
            queue.grow(self.bodies.len_bytes(message));
        }
        for _ in 0..from.len("fresh count")? {
            let message = self.decode_reference(from, keys)?;
            queue.push(message);
            queue.grow(self.bodies.len_bytes(message));
        }
        for _ in 0..from.len("annotation count")? {
            let entry = from.int("entry")?;
            queue.annotate(entry, Bytes::copy_from_slice(from.bytes("annotations")?));
        }
        let address = self.addresses.get_mut(&address).ok_or(Malformed { what: "address id" })?;
        queue.dynamic = address.dynamic.is_some();
        if queue.closed {
            address.closed_queues = address.closed_queues.saturating_add(1);
        } else {
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
}
