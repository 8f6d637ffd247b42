//! The durable state: what the records say. Everything here changes through [`State::apply`]
//! alone, live and in recovery, so that both arrive at the same place.

pub(crate) mod bodies;
pub(crate) mod queue;
pub(crate) mod session;
pub(crate) mod snapshot;

use crate::command::{SessionId, SessionKey};
use crate::journal::Lsn;
use crate::output::{Death, DeathReason};
use crate::permission::Permission;
use crate::policy::AddressKind;
use crate::record::{AddressId, QueueId, Record};
use bodies::{Bodies, MessageKey, Place};
use bytes::Bytes;
use queue::Queue;
use session::{Consumer, Outbound, Session};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// An address of a host.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) name: Arc<str>,
    pub(crate) kind: AddressKind,
    /// The queue of a queue address, or the subscriptions of a topic.
    pub(crate) queues: Vec<QueueId>,
}

/// A user as defined.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct User {
    pub(crate) verifier: String,
    pub(crate) permissions: Vec<Permission>,
}

/// Everything a shard must not forget.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) addresses: BTreeMap<AddressId, Address>,
    /// By host, then by name.
    pub(crate) names: BTreeMap<String, BTreeMap<Arc<str>, AddressId>>,
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) keys: BTreeMap<SessionKey, SessionId>,
    pub(crate) bodies: Bodies,
    addresses_made: u64,
    queues_made: u64,
    sessions_made: u64,
}

/// Where a record is applied from: its body's place, and its body if it is at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyAt {
    pub(crate) place: Place,
    pub(crate) cached: Option<Bytes>,
}

/// A record does not fit the state it is applied to: a bug, or a journal that is not ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Inconsistent {
    /// What does not fit.
    pub(crate) what: &'static str,
}

impl fmt::Display for Inconsistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a record does not fit the state: {}", self.what)
    }
}

const NO_QUEUE: Inconsistent = Inconsistent { what: "no such queue" };
const NO_SESSION: Inconsistent = Inconsistent { what: "no such session" };

/// What `apply` made of a record, where the caller goes on with it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Applied {
    pub(crate) message: Option<MessageKey>,
    pub(crate) address: Option<AddressId>,
    pub(crate) queue: Option<QueueId>,
    pub(crate) session: Option<SessionId>,
}

impl State {
    /// Makes one record true.
    pub(crate) fn apply(
        &mut self,
        record: &Record<'_>,
        body: BodyAt,
    ) -> Result<Applied, Inconsistent> {
        let mut applied = Applied::default();
        match record {
            Record::PutUser { name, verifier, permissions } => {
                let user = User { verifier: verifier.clone(), permissions: permissions.clone() };
                self.users.insert(name.clone(), user);
            }
            Record::RemoveUser { name } => {
                self.users.remove(name);
            }
            Record::Address { host, name, kind } => {
                applied.address = Some(self.make_address(host, name, *kind));
            }
            Record::Subscribe { address, name, owner } => {
                applied.queue = Some(self.make_queue(*address, name.clone(), *owner)?);
            }
            Record::Unsubscribe { queue } => self.drop_queue(*queue)?,
            Record::Publish { queues, death, format, .. } => {
                applied.message = self.publish(queues, death.as_ref(), *format, body)?;
            }
            Record::OpenSession { key, kind } => {
                self.sessions_made = self.sessions_made.saturating_add(1);
                let session = SessionId(self.sessions_made);
                self.sessions.insert(session, Session::new(key.clone(), *kind));
                self.keys.insert(key.clone(), session);
                applied.session = Some(session);
            }
            _ => self.apply_to_session(record)?,
        }
        Ok(applied)
    }

    /// The records that change a ledger, and what comes of its deliveries.
    fn apply_to_session(&mut self, record: &Record<'_>) -> Result<(), Inconsistent> {
        match *record {
            Record::EndSession { session } => self.end_session(session),
            Record::Prove { session } => {
                self.session_mut(session)?.proven = true;
                Ok(())
            }
            Record::Taken { session, seq } => {
                self.session_mut(session)?.taken = seq;
                Ok(())
            }
            Record::Consume { session, queue, credit } => self.consume(session, queue, credit),
            Record::Cancel { session, queue } => self.cancel(session, queue),
            Record::Dispatch { session, queue, entry } => self.dispatch(session, queue, entry),
            Record::Accept { session, first, last } => self.accept(session, first, last),
            Record::Return { session, first, last, counted } => {
                self.give_back(session, first, last, counted)
            }
            Record::DeadLetter { queue, entry, to, reason } => {
                self.dead_letter(queue, entry, to, reason)
            }
            _ => Err(Inconsistent { what: "record of no session" }),
        }
    }

    pub(crate) fn find_address(&self, host: &str, name: &str) -> Option<AddressId> {
        self.names.get(host)?.get(name).copied()
    }

    fn session_mut(&mut self, session: SessionId) -> Result<&mut Session, Inconsistent> {
        self.sessions.get_mut(&session).ok_or(NO_SESSION)
    }

    fn make_address(&mut self, host: &str, name: &str, kind: AddressKind) -> AddressId {
        self.addresses_made = self.addresses_made.saturating_add(1);
        let id = AddressId(self.addresses_made);
        let name: Arc<str> = Arc::from(name);
        self.names.entry(host.to_owned()).or_default().insert(Arc::clone(&name), id);
        let mut queues = Vec::new();
        if kind == AddressKind::Queue {
            queues.push(self.number_queue(Queue::new(id, None, None)));
        }
        self.addresses.insert(id, Address { host: host.to_owned(), name, kind, queues });
        id
    }

    fn number_queue(&mut self, queue: Queue) -> QueueId {
        self.queues_made = self.queues_made.saturating_add(1);
        let id = QueueId(self.queues_made);
        self.queues.insert(id, queue);
        id
    }

    fn make_queue(
        &mut self,
        address: AddressId,
        name: Option<String>,
        owner: Option<SessionId>,
    ) -> Result<QueueId, Inconsistent> {
        let id = self.number_queue(Queue::new(address, name, owner));
        if let Some(owner) = owner {
            self.session_mut(owner)?.owned.push(id);
        }
        let address = self.addresses.get_mut(&address);
        address.ok_or(Inconsistent { what: "no such address" })?.queues.push(id);
        Ok(id)
    }

    fn drop_queue(&mut self, id: QueueId) -> Result<(), Inconsistent> {
        let queue = self.queues.remove(&id).ok_or(NO_QUEUE)?;
        queue.messages().for_each(|message| self.bodies.release(message));
        if let Some(address) = self.addresses.get_mut(&queue.address) {
            address.queues.retain(|other| *other != id);
        }
        Ok(())
    }

    fn publish(
        &mut self,
        queues: &[QueueId],
        death: Option<&(DeathReason, String)>,
        format: u8,
        body: BodyAt,
    ) -> Result<Option<MessageKey>, Inconsistent> {
        let death = death.map(|(reason, address)| {
            Arc::new(Death { reason: *reason, address: address.clone(), detail: None })
        });
        let key = self
            .bodies
            .insert(body.place, format, death, body.cached)
            .ok_or(Inconsistent { what: "too many messages" })?;
        for queue in queues {
            self.queues.get_mut(queue).ok_or(NO_QUEUE)?.push(key);
            self.bodies.refer(key);
        }
        if queues.is_empty() {
            self.bodies.discard_unreferenced(key);
            return Ok(None);
        }
        Ok(Some(key))
    }

    fn consume(
        &mut self,
        session: SessionId,
        queue: QueueId,
        credit: u32,
    ) -> Result<(), Inconsistent> {
        let session = self.session_mut(session)?;
        if let Some(known) = session.consumers.iter_mut().find(|other| other.queue == queue) {
            known.credit = credit;
            return Ok(());
        }
        let out = session.outbound().filter(|(_, outbound)| outbound.queue == queue).count();
        let unsettled = u32::try_from(out).unwrap_or(u32::MAX);
        session.consumers.push(Consumer { queue, credit, unsettled });
        Ok(())
    }

    fn cancel(&mut self, session: SessionId, queue: QueueId) -> Result<(), Inconsistent> {
        let consumers = &mut self.session_mut(session)?.consumers;
        consumers.retain(|consumer| consumer.queue != queue);
        // A volatile subscription is fed no more, but what is out stays: the session may yet
        // have to deliver it again.
        let Some(slot) = self.queues.get_mut(&queue).filter(|slot| slot.owner == Some(session))
        else {
            return Ok(());
        };
        slot.drop_ready().into_iter().for_each(|message| self.bodies.release(message));
        if let Some(address) = self.addresses.get_mut(&slot.address) {
            address.queues.retain(|other| *other != queue);
        }
        Ok(())
    }

    fn dispatch(
        &mut self,
        session: SessionId,
        queue: QueueId,
        entry: u64,
    ) -> Result<(), Inconsistent> {
        let slot = self.queues.get_mut(&queue).ok_or(NO_QUEUE)?;
        let message = slot
            .dispatch(entry)
            .ok_or(Inconsistent { what: "dispatch of an entry that is not next" })?;
        let message = self.bodies.get(message);
        let len_bytes = message.map_or(0, |message| message.place.len_bytes);
        self.session_mut(session)?.dispatch(Outbound { queue, entry, len_bytes });
        Ok(())
    }

    fn accept(&mut self, session: SessionId, first: u64, last: u64) -> Result<(), Inconsistent> {
        let Self { sessions, queues, bodies, .. } = self;
        let session = sessions.get_mut(&session).ok_or(NO_SESSION)?;
        for seq in first.max(session.first_unsettled())..=last.min(session.sent()) {
            let Some(outbound) = session.settle(seq) else {
                continue;
            };
            let queue = queues.get_mut(&outbound.queue);
            if let Some(message) = queue.and_then(|queue| queue.remove(outbound.entry)) {
                bodies.release(message);
            }
        }
        Ok(())
    }

    fn give_back(
        &mut self,
        session: SessionId,
        first: u64,
        last: u64,
        counted: bool,
    ) -> Result<(), Inconsistent> {
        let Self { sessions, queues, .. } = self;
        let session = sessions.get_mut(&session).ok_or(NO_SESSION)?;
        for seq in first.max(session.first_unsettled())..=last.min(session.sent()) {
            let Some(outbound) = session.settle(seq) else {
                continue;
            };
            if let Some(queue) = queues.get_mut(&outbound.queue) {
                queue.give_back(outbound.entry, counted);
            }
        }
        Ok(())
    }

    fn end_session(&mut self, id: SessionId) -> Result<(), Inconsistent> {
        let session = self.sessions.remove(&id).ok_or(NO_SESSION)?;
        if self.keys.get(&session.key) == Some(&id) {
            self.keys.remove(&session.key);
        }
        for (_, outbound) in session.outbound() {
            if let Some(queue) = self.queues.get_mut(&outbound.queue) {
                queue.give_back(outbound.entry, true);
            }
        }
        session.owned.into_iter().try_for_each(|queue| self.drop_queue(queue))
    }

    fn dead_letter(
        &mut self,
        queue: QueueId,
        entry: u64,
        to: QueueId,
        reason: DeathReason,
    ) -> Result<(), Inconsistent> {
        let from = self.queues.get_mut(&queue).ok_or(NO_QUEUE)?;
        let address = self.addresses.get(&from.address);
        let address = address.map(|address| address.name.to_string()).unwrap_or_default();
        let message =
            from.remove(entry).ok_or(Inconsistent { what: "dead letter without an entry" })?;
        let dead = self.bodies.copy_as_dead(message, Death { reason, address, detail: None });
        self.bodies.release(message);
        let dead = dead.ok_or(Inconsistent { what: "too many messages" })?;
        self.queues.get_mut(&to).ok_or(NO_QUEUE)?.push(dead);
        self.bodies.refer(dead);
        Ok(())
    }

    /// Replays one frame's payload.
    pub(crate) fn replay(&mut self, lsn: Lsn, payload: &[u8]) -> Result<(), ReplayError> {
        let mut reader = crate::codec::Reader::new(payload);
        while !reader.is_empty() {
            let record = Record::decode(&mut reader).map_err(ReplayError::Malformed)?;
            let mut body = BodyAt::default();
            if let Record::Publish { body: bytes, .. } = &record {
                let end = u32::try_from(reader.position()).unwrap_or(u32::MAX);
                let len_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let offset_bytes = end.saturating_sub(len_bytes);
                body.place = Place { lsn, offset_bytes, len_bytes };
            }
            self.apply(&record, body).map_err(ReplayError::Inconsistent)?;
        }
        Ok(())
    }
}

/// Why a frame could not be replayed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ReplayError {
    Malformed(crate::codec::Malformed),
    Inconsistent(Inconsistent),
}
