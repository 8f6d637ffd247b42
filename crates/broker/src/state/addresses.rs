//! Addresses and their queues come and go.

use super::queue::Queue;
use super::{Address, Inconsistent, NO_ADDRESS, NO_QUEUE, State};
use crate::command::{ConsumerId, SessionId};
use crate::policy::AddressKind;
use crate::record::{AddressId, Dynamic, QueueId};
use std::sync::Arc;

impl State {
    pub(crate) fn find_address(&self, host: &str, name: &str) -> Option<AddressId> {
        self.names.get(host)?.get(name).copied()
    }

    /// Messages may go another way from now on.
    pub(super) fn reroute(&mut self) {
        self.routes_version = self.routes_version.wrapping_add(1);
    }

    pub(super) fn make_address(
        &mut self,
        host: &str,
        name: &str,
        kind: AddressKind,
        dynamic: Option<Dynamic>,
    ) -> AddressId {
        self.addresses_made = self.addresses_made.saturating_add(1);
        let id = AddressId(self.addresses_made);
        let mut queues = Vec::new();
        if kind == AddressKind::Queue {
            let mut queue = Queue::new(id, None, None, &self.totals);
            queue.dynamic = dynamic.is_some();
            queues.push(self.number_queue(queue));
        }
        let address = Address {
            host: host.to_owned(),
            name: Arc::from(name),
            kind,
            queues,
            dynamic,
            closed_queues: 0,
            deleted: false,
        };
        self.place_address(id, address);
        id
    }

    /// Puts an address where it is found.
    pub(super) fn place_address(&mut self, id: AddressId, address: Address) {
        // Nothing is published to mailboxes by name: who comes and goes there changes no route.
        let reroutes = !address.is_mailbox();
        if !address.deleted {
            let names = self.names.entry(address.host.clone()).or_default();
            names.insert(Arc::clone(&address.name), id);
        }
        self.addresses.insert(id, address);
        if reroutes {
            self.reroute();
        }
    }

    fn number_queue(&mut self, queue: Queue) -> QueueId {
        self.queues_made = self.queues_made.saturating_add(1);
        let id = QueueId(self.queues_made);
        self.queues.insert(id, queue);
        id
    }

    pub(super) fn make_queue(
        &mut self,
        address: AddressId,
        name: Option<String>,
        owner: Option<(SessionId, ConsumerId)>,
    ) -> Result<QueueId, Inconsistent> {
        let mut queue = Queue::new(address, name, owner, &self.totals);
        let dynamic = self.addresses.get(&address).and_then(|address| address.dynamic);
        queue.dynamic = dynamic.is_some();
        let id = self.number_queue(queue);
        if let Some((session, _)) = owner {
            self.session_mut(session)?.owned.push(id);
        }
        let address = self.addresses.get_mut(&address).ok_or(NO_ADDRESS)?;
        address.queues.push(id);
        if !address.is_mailbox() {
            self.reroute();
        }
        Ok(id)
    }

    /// The address is found no more. It is kept as long as something of it is out.
    pub(super) fn delete_address(&mut self, id: AddressId) -> Result<(), Inconsistent> {
        let address = self.addresses.get_mut(&id).ok_or(NO_ADDRESS)?;
        let reroutes = !address.is_mailbox();
        address.deleted = true;
        let queues = address.queues.clone();
        if let Some(names) = self.names.get_mut(&address.host)
            && names.get(&address.name) == Some(&id)
        {
            names.remove(&address.name);
        }
        queues.into_iter().try_for_each(|queue| self.close_queue(queue))?;
        self.drop_address_if_over(id);
        if reroutes {
            self.reroute();
        }
        Ok(())
    }

    /// Nothing goes in any more, nobody consumes it, and what is not out is gone.
    pub(super) fn close_queue(&mut self, id: QueueId) -> Result<(), Inconsistent> {
        let queue = self.queues.get_mut(&id).filter(|queue| !queue.closed).ok_or(NO_QUEUE)?;
        queue.closed = true;
        let dropped = queue.drop_ready();
        let consumers = queue.take_consumers();
        let mut reroutes = true;
        if let Some(address) = self.addresses.get_mut(&queue.address) {
            address.queues.retain(|other| *other != id);
            address.closed_queues = address.closed_queues.saturating_add(1);
            reroutes = !address.is_mailbox();
        }
        dropped.into_iter().for_each(|message| self.bodies.release(message));
        for (session, consumer) in consumers {
            if let Some(session) = self.sessions.get_mut(&session) {
                session.cancel(id, consumer);
            }
        }
        if reroutes {
            self.reroute();
        }
        self.look_at(id);
        Ok(())
    }

    /// After something left a queue: a closed one goes with its last entry, and an empty one may
    /// be the end of a dynamic address.
    pub(super) fn look_at(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get(&id).filter(|queue| queue.is_empty()) else {
            return;
        };
        let address = queue.address;
        if queue.dynamic {
            self.emptied.push(address);
        }
        if !queue.closed {
            return;
        }
        let owner = queue.owner.and_then(|(session, _)| self.sessions.get_mut(&session));
        if let Some(owner) = owner {
            owner.owned.retain(|owned| *owned != id);
        }
        self.queues.remove(&id);
        if let Some(address) = self.addresses.get_mut(&address) {
            address.closed_queues = address.closed_queues.saturating_sub(1);
        }
        self.drop_address_if_over(address);
    }

    fn drop_address_if_over(&mut self, id: AddressId) {
        let over = |address: &Address| {
            address.deleted && address.closed_queues == 0 && address.queues.is_empty()
        };
        if self.addresses.get(&id).is_some_and(over) {
            self.addresses.remove(&id);
        }
    }
}
