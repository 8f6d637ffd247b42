//! Consumers come and go.

use super::Shard;
use super::feeds::Link;
use super::route::{is_reserved, is_valid_name};
use crate::command::{ConnectionId, ConsumerId, Credit, Mode, SessionId};
use crate::limits::{CREDIT_DEFAULT, CREDIT_MAX, SESSION_CONSUMERS_MAX};
use crate::output::{Event, Refusal};
use crate::permission::Right;
use crate::policy::{AddressKind, DEAD_LETTER_ADDRESS, SystemTopic};
use crate::record::{AddressId, QueueId, Record};

/// What a consumer asks for.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) consumer: ConsumerId,
    pub(super) address: String,
    pub(super) subscription: Option<String>,
    pub(super) kind: Option<AddressKind>,
    pub(super) credit: Credit,
    pub(super) mode: Mode,
}

/// Whom a subscription or queue is for.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    address: AddressId,
    kind: AddressKind,
    subscription: Option<&'a str>,
    owner: (SessionId, ConsumerId),
}

/// What a consumer is no more.
#[derive(Debug)]
pub(super) struct Farewell {
    pub(super) consumer: ConsumerId,
    pub(super) address: String,
    pub(super) subscription: Option<String>,
    pub(super) forget: bool,
}

impl Shard {
    pub(super) fn consume(&mut self, connection: ConnectionId, session: SessionId, wish: Wish) {
        let consumer = wish.consumer;
        let link = Link { session, consumer, connection };
        let answer = match self.begin(link, &wish) {
            Ok(()) => Event::Consuming { consumer, address: wish.address },
            Err(refusal) => Event::Refused { consumer, address: wish.address, refusal },
        };
        self.tell(connection, answer);
    }

    /// Consumes a subscription by its name alone.
    pub(super) fn recall(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        consumer: ConsumerId,
        subscription: String,
    ) {
        let Some(address) = self.topic_with(session, &subscription) else {
            let (address, refusal) = (String::new(), Refusal::UnknownAddress);
            return self.tell(connection, Event::Refused { consumer, address, refusal });
        };
        let wish = Wish {
            consumer,
            address,
            subscription: Some(subscription),
            kind: Some(AddressKind::Topic),
            credit: Credit::Limit,
            mode: Mode::Move,
        };
        self.consume(connection, session, wish);
    }

    /// The first topic of the session's host with a subscription of that name, among those that
    /// the user may receive from. All are looked at: who asks so is about to end it.
    fn topic_with(&self, session: SessionId, subscription: &str) -> Option<String> {
        let names = self.state.names.get(self.host_of(session))?;
        let has_it = |id: &AddressId| {
            let queues = self.state.addresses.get(id).map(|address| &address.queues);
            queues.into_iter().flatten().filter_map(|id| self.state.queues.get(id)).any(|queue| {
                !queue.closed
                    && queue.owner.is_none()
                    && queue.subscription.as_deref() == Some(subscription)
            })
        };
        let mut found = names.iter().filter(|(_, id)| has_it(id)).map(|(name, _)| name);
        found.find(|name| self.permits(session, Right::Receive, name)).map(|name| name.to_string())
    }

    fn begin(&mut self, link: Link, wish: &Wish) -> Result<(), Refusal> {
        let Link { session, consumer, .. } = link;
        let (found, kind) = self.check_source(session, wish)?;
        let subscription = wish.subscription.as_deref();
        // A topic's subscription is a copy already; to copy that would only fill it.
        let browses =
            wish.mode == Mode::Copy && (kind == AddressKind::Queue || subscription.is_some());
        let owner = (session, consumer);
        let known = found
            .and_then(|address| self.find_source(Source { address, kind, subscription, owner }));
        if browses {
            self.check_senders(session)?;
        } else {
            self.check_consumers(session, known, consumer)?;
        }
        let address = found.unwrap_or_else(|| {
            let name = self.detours.alias(self.host_of(session), &wish.address).to_owned();
            self.make_address(session, &name, kind)
        });
        let source = Source { address, kind, subscription, owner };
        let queue = match known.or_else(|| self.find_source(source)) {
            Some(queue) => queue,
            None => self.subscribe(source),
        };
        if browses {
            self.feeds.add_browser(queue, link);
            self.join(session, consumer, address);
            return Ok(());
        }
        let window = self.window(session, queue, consumer, wish);
        let known = self.state.sessions.get(&session);
        let known = known.and_then(|session| session.consumer(queue, consumer));
        if known.is_none_or(|known| known.window != window) {
            self.record(&Record::Consume { session, queue, consumer, window });
        }
        self.feeds.add(queue, link, window.is_none());
        Ok(())
    }

    /// The window recorded: who names none asks for no change.
    fn window(
        &self,
        session: SessionId,
        queue: QueueId,
        consumer: ConsumerId,
        wish: &Wish,
    ) -> Option<u32> {
        match wish.credit {
            Credit::Limit => None,
            Credit::Window(0) => {
                let known = self.state.sessions.get(&session);
                let known = known.and_then(|session| session.consumer(queue, consumer));
                Some(known.and_then(|known| known.window).unwrap_or(CREDIT_DEFAULT))
            }
            Credit::Window(named) => Some(named.min(CREDIT_MAX)),
        }
    }

    fn check_source(
        &self,
        session: SessionId,
        wish: &Wish,
    ) -> Result<(Option<AddressId>, AddressKind), Refusal> {
        let address = wish.address.as_str();
        let is_for_all = address == DEAD_LETTER_ADDRESS || SystemTopic::of(address).is_some();
        let reserved = is_reserved(address) && !is_for_all;
        let named = wish.subscription.as_deref().is_none_or(is_valid_name);
        if !is_valid_name(address) || reserved || !named {
            return Err(Refusal::InvalidAddress);
        }
        if !self.permits(session, Right::Receive, address) {
            return Err(Refusal::NotPermitted);
        }
        let address = self.detours.alias(self.host_of(session), address);
        let (found, kind) = self.look_up(session, address, wish.kind)?;
        if kind == AddressKind::Queue && wish.subscription.is_some() {
            return Err(Refusal::NotATopic);
        }
        Ok((found, kind))
    }

    fn check_consumers(
        &self,
        session: SessionId,
        queue: Option<QueueId>,
        consumer: ConsumerId,
    ) -> Result<(), Refusal> {
        let Some(session) = self.state.sessions.get(&session) else {
            return Ok(());
        };
        let is_known = queue.is_some_and(|queue| session.consumer(queue, consumer).is_some());
        let full = session.consumers().len() >= SESSION_CONSUMERS_MAX;
        if full && !is_known { Err(Refusal::TooManyConsumers) } else { Ok(()) }
    }

    pub(super) fn cancel(&mut self, session: SessionId, farewell: &Farewell) {
        let Farewell { consumer, address, subscription, forget } = farewell;
        let consumer = *consumer;
        let host = self.host_of(session);
        let found = self.state.find_address(host, self.detours.alias(host, address));
        let known = found.and_then(|id| self.state.addresses.get(&id));
        let source = found.zip(known).map(|(address, known)| Source {
            address,
            kind: known.kind,
            subscription: subscription.as_deref(),
            owner: (session, consumer),
        });
        let queue = source.and_then(|source| self.find_source(source));
        self.feeds.remove_browser(session, consumer);
        if let Some(queue) = queue {
            self.stop(session, queue, consumer);
            if *forget && self.permits(session, Right::Receive, address) {
                self.forget_subscription(queue);
            }
        }
        self.leave(session, consumer);
        if let Some(address) = found {
            self.collect(address);
        }
    }

    pub(super) fn stop(&mut self, session: SessionId, queue: QueueId, consumer: ConsumerId) {
        self.feeds.remove(queue, session, consumer);
        self.feeds.shunned().forget(queue, session, consumer);
        let known = self.state.sessions.get(&session);
        if known.is_some_and(|session| session.consumer(queue, consumer).is_some()) {
            self.record(&Record::Cancel { session, queue, consumer });
        }
    }

    /// Ends a durable subscription that nobody consumes.
    fn forget_subscription(&mut self, queue: QueueId) {
        let Some(slot) = self.state.queues.get(&queue) else {
            return;
        };
        if slot.subscription.is_none() || !slot.consumers().is_empty() {
            return;
        }
        let address = self.state.addresses.get(&slot.address);
        let name = address.map(|address| address.name.clone());
        self.record(&Record::Unsubscribe { queue });
        self.close_feed(queue, &name.unwrap_or_default());
    }

    fn subscribe(&mut self, source: Source<'_>) -> QueueId {
        let Source { address, subscription, .. } = source;
        let (name, owner) = match subscription {
            Some(name) => (Some(name.to_owned()), None),
            None => (None, Some(source.owner)),
        };
        self.record(&Record::Subscribe { address, name, owner }).queue.unwrap_or_default()
    }

    /// The queue a consumer would have: of a queue address its queue, of a topic the named
    /// subscription, or without a name its own.
    fn find_source(&self, source: Source<'_>) -> Option<QueueId> {
        let Source { address, kind, subscription, owner } = source;
        let queue = |id: &QueueId| self.state.queues.get(id).filter(|queue| !queue.closed);
        if kind == AddressKind::Topic && subscription.is_none() {
            let owned = &self.state.sessions.get(&owner.0)?.owned;
            let is_its = |id: &&QueueId| {
                queue(id).is_some_and(|it| it.address == address && it.owner == Some(owner))
            };
            return owned.iter().find(is_its).copied();
        }
        let queues = &self.state.addresses.get(&address)?.queues;
        let is_named = |id: &&QueueId| {
            queue(id)
                .is_some_and(|it| it.owner.is_none() && it.subscription.as_deref() == subscription)
        };
        queues.iter().find(is_named).copied()
    }
}
