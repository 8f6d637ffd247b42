//! The durable state: what the records say. Everything here changes through [`State::apply`]
//! alone, live and in recovery, so that both arrive at the same place.

mod addresses;
pub(crate) mod bodies;
mod deliveries;
pub(crate) mod queue;
pub(crate) mod session;
pub(crate) mod snapshot;

use crate::command::{SessionId, SessionKey};
use crate::journal::Lsn;
use crate::permission::Permission;
use crate::policy::{AddressKind, PERSON_PREFIX};
use crate::record::{AddressId, Dynamic, QueueId, Record};
use bodies::{Bodies, MessageKey, Place};
use bytes::Bytes;
use queue::{Queue, Totals};
use session::Session;
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
    /// What makes it go again, if it is dynamic.
    pub(crate) dynamic: Option<Dynamic>,
    /// Closed queues whose entries came from here. An address that was deleted is kept for them.
    closed_queues: u32,
    deleted: bool,
}

impl Address {
    /// Whether it is a person's, which services alone fill.
    pub(crate) fn is_mailbox(&self) -> bool {
        self.name.starts_with(PERSON_PREFIX)
    }

    /// Whether it can still be found by its name.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted
    }
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
    /// What is in all of them. Not durable: it follows from them.
    pub(crate) totals: Arc<Totals>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) keys: BTreeMap<SessionKey, SessionId>,
    pub(crate) bodies: Bodies,
    /// The time when messages come, as far as it was recorded; in milliseconds.
    pub(crate) clock_ms: u64,
    /// What services keep.
    pub(crate) documents: BTreeMap<Arc<str>, Bytes>,
    addresses_made: u64,
    queues_made: u64,
    sessions_made: u64,
    /// Grows with every change to where messages may go. Not durable.
    pub(crate) routes_version: u64,
    /// Dynamic addresses that a queue of ran empty; for the shard to look at. Not durable.
    pub(crate) emptied: Vec<AddressId>,
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
const NO_ADDRESS: Inconsistent = Inconsistent { what: "no such address" };
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
                self.reroute();
            }
            Record::RemoveUser { name } => {
                self.users.remove(name);
                self.reroute();
            }
            Record::Address { host, name, kind, dynamic } => {
                applied.address = Some(self.make_address(host, name, *kind, *dynamic));
            }
            Record::Delete { address } => self.delete_address(*address)?,
            Record::Subscribe { address, name, owner } => {
                applied.queue = Some(self.make_queue(*address, name.clone(), *owner)?);
            }
            Record::Unsubscribe { queue } => self.close_queue(*queue)?,
            Record::Publish { queues, death, format, .. } => {
                applied.message = self.publish(queues, death.as_ref(), *format, body)?;
            }
            Record::Clock { at_ms } => self.clock_ms = *at_ms,
            Record::PutDocument { key, value } => match value {
                Some(value) => {
                    self.documents.insert(Arc::from(key.as_str()), value.clone());
                }
                None => {
                    self.documents.remove(key.as_str());
                }
            },
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
            Record::Consume { session, queue, consumer, window } => {
                self.consume(session, queue, consumer, window)
            }
            Record::Cancel { session, queue, consumer } => self.cancel(session, queue, consumer),
            Record::Dispatch { session, queue, entry, consumer } => {
                self.dispatch(session, queue, entry, consumer)
            }
            Record::Accept { session, first, last } => self.accept(session, first, last),
            Record::Return { session, first, last, counted, ref annotations } => {
                self.give_back(session, first, last, counted, annotations.as_ref())
            }
            Record::DeadLetter { queue, entry, to, reason, ref detail } => {
                self.dead_letter(queue, entry, to, reason, detail.clone())
            }
            _ => self.apply_of_service(record),
        }
    }

    /// What services do.
    fn apply_of_service(&mut self, record: &Record<'_>) -> Result<(), Inconsistent> {
        match *record {
            Record::Pass { session, count } => {
                self.session_mut(session)?.pass(count);
                Ok(())
            }
            Record::Compact { session, at } => {
                self.session_mut(session)?.compact(at);
                Ok(())
            }
            Record::Note { queue, entry, ref note } => {
                self.queues.get_mut(&queue).ok_or(NO_QUEUE)?.annotate(entry, note.clone());
                Ok(())
            }
            Record::Move { queue, entry, ref to } => self.move_entry(queue, entry, to),
            Record::Revive { queue, entry, ref to } => self.revive(queue, entry, to),
            Record::Trim { queue, below } => self.trim(queue, below),
            _ => Err(Inconsistent { what: "record of no session" }),
        }
    }

    fn session_mut(&mut self, session: SessionId) -> Result<&mut Session, Inconsistent> {
        self.sessions.get_mut(&session).ok_or(NO_SESSION)
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
