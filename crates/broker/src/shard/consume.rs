//! Consumers come and go.

use super::Shard;
use super::publish::is_valid_name;
use crate::command::{ConnectionId, ConsumerId, SessionId};
use crate::limits::{CREDIT_DEFAULT, CREDIT_MAX, SESSION_CONSUMERS_MAX};
use crate::output::{Event, Refusal};
use crate::permission::Right;
use crate::policy::{AddressKind, DEAD_LETTER_ADDRESS};
use crate::record::{AddressId, QueueId, Record};

impl Shard {
    pub(super) fn consume(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        address: String,
        subscription: Option<String>,
        credit: u32,
    ) {
        match self.find_or_make_source(session, &address, subscription) {
            Ok(queue) => {
                let known = self.state.sessions.get(&session);
                let known = known.and_then(|session| session.consumer(queue));
                let known = known.map(|consumer| consumer.credit);
                // Who names no credit asks for no change.
                let credit = match credit {
                    0 => known.unwrap_or(CREDIT_DEFAULT),
                    named => named.min(CREDIT_MAX),
                };
                if known != Some(credit) {
                    self.record(&Record::Consume { session, queue, credit });
                }
                self.feeds.add(queue, session);
                self.tell(connection, Event::Consuming { consumer: ConsumerId(0), address });
            }
            Err(refusal) => {
                self.tell(connection, Event::Refused { consumer: ConsumerId(0), address, refusal })
            }
        }
    }

    pub(super) fn cancel(&mut self, session: SessionId, address: &str, subscription: Option<&str>) {
        let host = self.state.sessions.get(&session).map(|session| session.key.host.as_str());
        let Some(id) = self.state.find_address(host.unwrap_or_default(), address) else {
            return;
        };
        if let Some(queue) = self.find_source(session, id, subscription) {
            self.feeds.remove(queue, session);
            self.record(&Record::Cancel { session, queue });
        }
    }

    fn find_or_make_source(
        &mut self,
        session: SessionId,
        address: &str,
        subscription: Option<String>,
    ) -> Result<QueueId, Refusal> {
        let reserved = address.starts_with("wharf/") && address != DEAD_LETTER_ADDRESS;
        let named = subscription.as_deref().is_none_or(is_valid_name);
        if !is_valid_name(address) || reserved || !named {
            return Err(Refusal::InvalidAddress);
        }
        if !self.permits(session, Right::Receive, address) {
            return Err(Refusal::NotPermitted);
        }
        let id = self.find_or_make_address(session, address);
        let kind = self.state.addresses.get(&id).map(|address| address.kind);
        if kind == Some(AddressKind::Queue) && subscription.is_some() {
            return Err(Refusal::NotATopic);
        }
        let found = self.find_source(session, id, subscription.as_deref());
        let consumers = self.state.sessions.get(&session).map_or(0, |s| s.consumers.len());
        let consumed =
            |queue| self.state.sessions.get(&session).is_some_and(|s| s.consumer(queue).is_some());
        if !found.is_some_and(consumed) && consumers >= SESSION_CONSUMERS_MAX {
            return Err(Refusal::TooManyConsumers);
        }
        Ok(found.unwrap_or_else(|| self.subscribe(session, id, subscription)))
    }

    fn subscribe(
        &mut self,
        session: SessionId,
        address: AddressId,
        name: Option<String>,
    ) -> QueueId {
        let owner = name.is_none().then_some(session);
        self.record(&Record::Subscribe { address, name, owner }).queue.unwrap_or_default()
    }

    /// The queue a session would consume: of a queue address its queue, of a topic the named
    /// subscription, or without a name the session's own.
    fn find_source(
        &self,
        session: SessionId,
        address: AddressId,
        subscription: Option<&str>,
    ) -> Option<QueueId> {
        let address = self.state.addresses.get(&address)?;
        let wanted = |id: &&QueueId| {
            self.state.queues.get(id).is_some_and(|queue| match address.kind {
                AddressKind::Queue => true,
                AddressKind::Topic if subscription.is_none() => queue.owner == Some(session),
                AddressKind::Topic => queue.subscription.as_deref() == subscription,
            })
        };
        address.queues.iter().find(wanted).copied()
    }
}
