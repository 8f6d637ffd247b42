//! Senders, and dynamic addresses, which go when their lifetime is over (AMQP 3.5.10 to 3.5.13).

use super::Shard;
use super::route::{is_person, is_reserved, is_valid_name};
use crate::command::{ConnectionId, ConsumerId, SessionId};
use crate::limits::SESSION_SENDERS_MAX;
use crate::output::{Event, Refusal};
use crate::permission::Right;
use crate::policy::{AddressKind, Lifetime};
use crate::record::{AddressId, Dynamic, QueueId, Record};
use crate::state::queue::Queue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Links that no record tells of: senders, browsers and creators, by session and name.
#[derive(Debug, Default)]
pub(super) struct Links {
    by_name: BTreeMap<(SessionId, ConsumerId), AddressId>,
    counts: BTreeMap<AddressId, usize>,
}

impl Links {
    /// Gives back the address that this name was a link of.
    pub(super) fn join(
        &mut self,
        session: SessionId,
        name: ConsumerId,
        address: AddressId,
    ) -> Option<AddressId> {
        let count = self.counts.entry(address).or_default();
        *count = count.saturating_add(1);
        let before = self.by_name.insert((session, name), address);
        before.inspect(|before| self.count_down(*before))
    }

    /// Gives back the address that this name was a link of.
    pub(super) fn leave(&mut self, session: SessionId, name: ConsumerId) -> Option<AddressId> {
        let before = self.by_name.remove(&(session, name));
        before.inspect(|before| self.count_down(*before))
    }

    fn count_down(&mut self, address: AddressId) {
        if let Some(count) = self.counts.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&address);
            }
        }
    }

    fn has(&self, (session, name): (SessionId, ConsumerId), address: AddressId) -> bool {
        self.by_name.get(&(session, name)) == Some(&address)
    }

    /// Every link of a session.
    pub(super) fn of_session(
        &self,
        session: SessionId,
    ) -> impl Iterator<Item = (ConsumerId, AddressId)> + '_ {
        let names = (session, ConsumerId(0))..=(session, ConsumerId(u32::MAX));
        self.by_name.range(names).map(|((_, name), address)| (*name, *address))
    }

    /// The session is gone.
    pub(super) fn forget(&mut self, session: SessionId) {
        let names: Vec<ConsumerId> = self.of_session(session).map(|(name, _)| name).collect();
        for name in names {
            self.leave(session, name);
        }
    }

    /// Takes off every link of an address and tells which they were.
    fn take_links_of(&mut self, address: AddressId) -> Vec<(SessionId, ConsumerId)> {
        if self.counts.remove(&address).is_none() {
            return Vec::new();
        }
        let of_it = |_: &(SessionId, ConsumerId), of: &mut AddressId| *of == address;
        self.by_name.extract_if(.., of_it).map(|(name, _)| name).collect()
    }
}

impl Shard {
    pub(super) fn resolve(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        consumer: ConsumerId,
        address: String,
        wanted: Option<AddressKind>,
    ) {
        if is_person(&address) {
            return self.resolve_person(connection, session, consumer, address);
        }
        let event = match self.find_or_make_target(session, &address, wanted) {
            Ok((id, kind)) => {
                self.join(session, consumer, id);
                Event::Resolved { consumer, kind }
            }
            Err(refusal) => Event::Refused { consumer, address, refusal },
        };
        self.tell(connection, event);
    }

    /// A person is reached through a service: all that can be said here is whether one may.
    fn resolve_person(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        consumer: ConsumerId,
        address: String,
    ) {
        let refusal = if !is_valid_name(&address) {
            Refusal::InvalidAddress
        } else if !self.permits(session, Right::Send, &address) {
            Refusal::NotPermitted
        } else {
            let kind = AddressKind::Queue;
            return self.tell(connection, Event::Resolved { consumer, kind });
        };
        self.tell(connection, Event::Refused { consumer, address, refusal });
    }

    fn find_or_make_target(
        &mut self,
        session: SessionId,
        address: &str,
        wanted: Option<AddressKind>,
    ) -> Result<(AddressId, AddressKind), Refusal> {
        if !is_valid_name(address) || is_reserved(address) {
            return Err(Refusal::InvalidAddress);
        }
        if !self.permits(session, Right::Send, address) {
            return Err(Refusal::NotPermitted);
        }
        let address = self.detours.alias(self.host_of(session), address).to_owned();
        let address = address.as_str();
        let (found, kind) = self.look_up(session, address, wanted)?;
        self.check_senders(session)?;
        Ok((found.unwrap_or_else(|| self.make_address(session, address, kind)), kind))
    }

    pub(super) fn create(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        address: String,
        kind: AddressKind,
        dynamic: Dynamic,
    ) {
        let (_, consumer) = dynamic.owner;
        let event = match self.make_dynamic(session, &address, kind, dynamic) {
            Ok(id) => {
                self.join(session, consumer, id);
                Event::Created { consumer }
            }
            Err(refusal) => Event::Refused { consumer, address, refusal },
        };
        self.tell(connection, event);
    }

    fn make_dynamic(
        &mut self,
        session: SessionId,
        address: &str,
        kind: AddressKind,
        dynamic: Dynamic,
    ) -> Result<AddressId, Refusal> {
        if !is_valid_name(address) || is_reserved(address) {
            return Err(Refusal::InvalidAddress);
        }
        // Who may use such an address may have one.
        let rights = [Right::Send, Right::Receive, Right::Manage];
        if !rights.into_iter().any(|right| self.permits(session, right, address)) {
            return Err(Refusal::NotPermitted);
        }
        let host = self.host_of(session).to_owned();
        if self.state.find_address(&host, address).is_some() {
            return Err(Refusal::Exists);
        }
        self.check_senders(session)?;
        let (name, dynamic) = (address.to_owned(), Some(dynamic));
        let record = Record::Address { host, name, kind, dynamic };
        Ok(self.record(&record).address.unwrap_or_default())
    }

    pub(super) fn check_senders(&self, session: SessionId) -> Result<(), Refusal> {
        let count = self.links.of_session(session).count();
        if count < SESSION_SENDERS_MAX { Ok(()) } else { Err(Refusal::TooManySenders) }
    }

    pub(super) fn join(&mut self, session: SessionId, name: ConsumerId, address: AddressId) {
        if let Some(before) = self.links.join(session, name, address) {
            self.collect(before);
        }
    }

    pub(super) fn leave(&mut self, session: SessionId, name: ConsumerId) {
        if let Some(address) = self.links.leave(session, name) {
            self.collect(address);
        }
    }

    /// The connection of a session is gone, and its senders and browsers with it. What the
    /// session created stays.
    pub(super) fn leave_all_but_created(&mut self, session: SessionId) {
        let links: Vec<(ConsumerId, AddressId)> = self.links.of_session(session).collect();
        for (name, id) in links {
            let dynamic = self.state.addresses.get(&id).and_then(|address| address.dynamic);
            if dynamic.is_none_or(|dynamic| dynamic.owner != (session, name)) {
                self.leave(session, name);
            }
        }
    }

    /// Looks at dynamic addresses that have run empty.
    pub(super) fn collect_emptied(&mut self) {
        for address in std::mem::take(&mut self.state.emptied) {
            self.collect(address);
        }
    }

    /// Deletes a dynamic address if its lifetime is over.
    pub(super) fn collect(&mut self, id: AddressId) {
        let Some(address) = self.state.addresses.get(&id).filter(|it| !it.is_deleted()) else {
            return;
        };
        let Some(Dynamic { lifetime, owner }) = address.dynamic else {
            return;
        };
        let queues = || address.queues.iter().filter_map(|queue| self.state.queues.get(queue));
        let has_creator = || self.links.has(owner, id);
        let has_links =
            || self.links.counts.contains_key(&id) || queues().any(|it| !it.consumers().is_empty());
        let has_messages = || !queues().all(Queue::is_empty);
        let lives = match lifetime {
            Lifetime::DeleteOnClose => has_creator(),
            Lifetime::DeleteOnNoLinks => has_links(),
            Lifetime::DeleteOnNoMessages => has_creator() || has_messages(),
            Lifetime::DeleteOnNoLinksOrMessages => has_links() || has_messages(),
        };
        if !lives {
            self.delete(id);
        }
    }

    pub(super) fn delete(&mut self, id: AddressId) {
        let Some(address) = self.state.addresses.get(&id) else {
            return;
        };
        let (name, queues) = (Arc::clone(&address.name), address.queues.clone());
        self.record(&Record::Delete { address: id });
        for queue in queues {
            self.close_feed(queue, &name);
        }
        for (session, consumer) in self.links.take_links_of(id) {
            if let Some(connection) = self.attachments.connection_of(session) {
                self.tell(connection, Event::Gone { consumer, address: Arc::clone(&name) });
            }
        }
    }

    /// The queue is closed: whoever is left is told.
    pub(super) fn close_feed(&mut self, queue: QueueId, address: &Arc<str>) {
        for link in self.feeds.close(queue) {
            // A browser is a link of its own, and told as such.
            self.links.leave(link.session, link.consumer);
            let (consumer, address) = (link.consumer, Arc::clone(address));
            self.tell(link.connection, Event::Gone { consumer, address });
        }
    }
}
