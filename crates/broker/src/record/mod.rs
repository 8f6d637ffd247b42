//! The durable records. A frame's payload is a sequence of them, and the state is what they
//! make of an empty one: live and recovered shards go through the same `State::apply`.
//! Byte by byte in `docs/design/records.md`.

mod parts;

use crate::codec::{Malformed, Put, Reader};
use crate::command::{ConsumerId, SessionId, SessionKey, SessionKind};
use crate::output::{Death, DeathReason};
use crate::permission::Permission;
use crate::policy::{AddressKind, Lifetime};
use bytes::Bytes;
pub(crate) use parts::{
    put_death, put_dynamic, put_key, put_kind, put_owner, put_user, read_consumer, read_death,
    read_dynamic, read_format, read_key, read_kind, read_owner, read_session_kind, read_user,
};
use parts::{put_ints, read_reason, reason_code};
use std::borrow::Cow;

/// An address, numbered in the order of creation.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct AddressId(pub(crate) u64);

/// A queue: the one of a queue address, or a subscription of a topic. Numbered in the order of
/// creation.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct QueueId(pub u64);

/// What makes an address dynamic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Dynamic {
    pub(crate) lifetime: Lifetime,
    /// The link that created it.
    pub(crate) owner: (SessionId, ConsumerId),
}

/// One change of state. Ids are not recorded where they follow from the order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Record<'a> {
    PutUser {
        name: String,
        verifier: String,
        permissions: Vec<Permission>,
    },
    RemoveUser {
        name: String,
    },
    /// A new address; a queue address brings its queue.
    Address {
        host: String,
        name: String,
        kind: AddressKind,
        dynamic: Option<Dynamic>,
    },
    /// The address goes, with its queues.
    Delete {
        address: AddressId,
    },
    /// A subscription of a topic: durable with a name, else owned by a consumer.
    Subscribe {
        address: AddressId,
        name: Option<String>,
        owner: Option<(SessionId, ConsumerId)>,
    },
    Unsubscribe {
        queue: QueueId,
    },
    /// One body, put into each of the queues. `death` where it goes to dead letters unheard.
    Publish {
        queues: Cow<'a, [QueueId]>,
        death: Option<Death>,
        format: u8,
        body: &'a [u8],
    },
    OpenSession {
        key: SessionKey,
        kind: SessionKind,
    },
    /// Its unsettled deliveries go back with their count raised.
    EndSession {
        session: SessionId,
    },
    Taken {
        session: SessionId,
        seq: u64,
    },
    /// Without a window, deliveries flow as the connection allows.
    Consume {
        session: SessionId,
        queue: QueueId,
        consumer: ConsumerId,
        window: Option<u32>,
    },
    Cancel {
        session: SessionId,
        queue: QueueId,
        consumer: ConsumerId,
    },
    /// The client has shown that it knows the session.
    Prove {
        session: SessionId,
    },
    /// The next outbound sequence of the session is this entry of the queue.
    Dispatch {
        session: SessionId,
        queue: QueueId,
        entry: u64,
        consumer: ConsumerId,
    },
    /// Deliveries `first..=last` leave the ledger; their entries leave the queue.
    Accept {
        session: SessionId,
        first: u64,
        last: u64,
    },
    /// Deliveries `first..=last` leave the ledger; their entries go back.
    Return {
        session: SessionId,
        first: u64,
        last: u64,
        counted: bool,
        annotations: Option<Bytes>,
    },
    /// An entry that was dispatched moves to a dead-letter queue.
    DeadLetter {
        queue: QueueId,
        entry: u64,
        to: QueueId,
        reason: DeathReason,
        detail: Option<String>,
    },
    /// The next outbound sequences of the session are something that is not kept.
    Pass {
        session: SessionId,
        count: u64,
    },
    /// Everything up to `at` has arrived, and what is unsettled is numbered from there without
    /// gaps.
    Compact {
        session: SessionId,
        at: u64,
    },
    /// What is kept with an entry.
    Note {
        queue: QueueId,
        entry: u64,
        note: Bytes,
    },
    /// An entry that is not out goes to other queues, or away.
    Move {
        queue: QueueId,
        entry: u64,
        to: Vec<QueueId>,
    },
    /// A dead letter that is not out goes to other queues, and is none any more.
    Revive {
        queue: QueueId,
        entry: u64,
        to: Vec<QueueId>,
    },
    /// Entries below this that were never out go away.
    Trim {
        queue: QueueId,
        below: u64,
    },
    /// The time now; messages that follow came then.
    Clock {
        at_ms: u64,
    },
    /// A value of a service; without one the key is forgotten.
    PutDocument {
        key: String,
        value: Option<Bytes>,
    },
}

const PUT_USER: u64 = 1;
const REMOVE_USER: u64 = 2;
const ADDRESS: u64 = 3;
const SUBSCRIBE: u64 = 4;
const UNSUBSCRIBE: u64 = 5;
const PUBLISH: u64 = 6;
const OPEN_SESSION: u64 = 7;
const END_SESSION: u64 = 8;
const TAKEN: u64 = 9;
const CONSUME: u64 = 10;
const CANCEL: u64 = 11;
const DISPATCH: u64 = 12;
const ACCEPT: u64 = 13;
const RETURN: u64 = 14;
const DEAD_LETTER: u64 = 15;
const PROVE: u64 = 16;
const DELETE: u64 = 17;
const PASS: u64 = 18;
const COMPACT: u64 = 19;
const NOTE: u64 = 20;
const MOVE: u64 = 21;
const TRIM: u64 = 22;
const PUT_DOCUMENT: u64 = 23;
const CLOCK: u64 = 24;
const REVIVE: u64 = 25;

impl<'a> Record<'a> {
    /// Appends the record, for `Publish` all but the bytes of its body, which come last.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::PutUser { name, verifier, permissions } => {
                out.put_int(PUT_USER);
                put_user(out, name, verifier, permissions);
            }
            Self::RemoveUser { name } => {
                out.put_int(REMOVE_USER);
                out.put_str(name);
            }
            Self::Address { host, name, kind, dynamic } => {
                out.put_int(ADDRESS);
                out.put_str(host);
                out.put_str(name);
                put_kind(out, *kind);
                put_dynamic(out, dynamic.as_ref());
            }
            Self::Delete { address } => put_ints(out, &[DELETE, address.0]),
            Self::Subscribe { address, name, owner } => {
                out.put_int(SUBSCRIBE);
                out.put_int(address.0);
                out.put_option(name.as_deref());
                put_owner(out, *owner);
            }
            Self::Unsubscribe { queue } => put_ints(out, &[UNSUBSCRIBE, queue.0]),
            Self::Publish { queues, death, format, body } => {
                put_ints(out, &[PUBLISH, queues.len() as u64]);
                queues.iter().for_each(|queue| out.put_int(queue.0));
                put_death(out, death.as_ref());
                put_ints(out, &[u64::from(*format), body.len() as u64]);
            }
            Self::OpenSession { key, kind } => {
                out.put_int(OPEN_SESSION);
                put_key(out, key);
                out.put_flag(*kind == SessionKind::Recoverable);
            }
            _ => self.encode_of_session(out),
        }
    }

    /// The records that begin with a session, and `DeadLetter`.
    fn encode_of_session(&self, out: &mut Vec<u8>) {
        match self {
            Self::EndSession { session } => put_ints(out, &[END_SESSION, session.0]),
            Self::Prove { session } => put_ints(out, &[PROVE, session.0]),
            Self::Taken { session, seq } => put_ints(out, &[TAKEN, session.0, *seq]),
            Self::Consume { session, queue, consumer, window } => {
                // A window is never 0.
                let window = u64::from(window.unwrap_or(0));
                put_ints(out, &[CONSUME, session.0, queue.0, u64::from(consumer.0), window]);
            }
            Self::Cancel { session, queue, consumer } => {
                put_ints(out, &[CANCEL, session.0, queue.0, u64::from(consumer.0)]);
            }
            Self::Dispatch { session, queue, entry, consumer } => {
                put_ints(out, &[DISPATCH, session.0, queue.0, *entry, u64::from(consumer.0)]);
            }
            Self::Accept { session, first, last } => {
                put_ints(out, &[ACCEPT, session.0, *first, *last]);
            }
            Self::Return { session, first, last, counted, annotations } => {
                put_ints(out, &[RETURN, session.0, *first, *last, u64::from(*counted)]);
                out.put_optional_bytes(annotations.as_deref());
            }
            Self::DeadLetter { queue, entry, to, reason, detail } => {
                put_ints(out, &[DEAD_LETTER, queue.0, *entry, to.0, reason_code(*reason)]);
                out.put_option(detail.as_deref());
            }
            _ => self.encode_of_service(out),
        }
    }

    /// What services do.
    fn encode_of_service(&self, out: &mut Vec<u8>) {
        match self {
            Self::Pass { session, count } => put_ints(out, &[PASS, session.0, *count]),
            Self::Compact { session, at } => put_ints(out, &[COMPACT, session.0, *at]),
            Self::Note { queue, entry, note } => {
                put_ints(out, &[NOTE, queue.0, *entry]);
                out.put_bytes(note);
            }
            Self::Move { queue, entry, to } => {
                put_ints(out, &[MOVE, queue.0, *entry, to.len() as u64]);
                to.iter().for_each(|queue| out.put_int(queue.0));
            }
            Self::Revive { queue, entry, to } => {
                put_ints(out, &[REVIVE, queue.0, *entry, to.len() as u64]);
                to.iter().for_each(|queue| out.put_int(queue.0));
            }
            Self::Trim { queue, below } => put_ints(out, &[TRIM, queue.0, *below]),
            Self::Clock { at_ms } => put_ints(out, &[CLOCK, *at_ms]),
            Self::PutDocument { key, value } => {
                out.put_int(PUT_DOCUMENT);
                out.put_str(key);
                out.put_optional_bytes(value.as_deref());
            }
            _ => {}
        }
    }

    /// Reads the next record, its body included.
    pub(crate) fn decode(from: &mut Reader<'a>) -> Result<Self, Malformed> {
        let tag = from.int("record tag")?;
        Ok(match tag {
            PUT_USER => {
                let (name, verifier, permissions) = read_user(from)?;
                Self::PutUser { name, verifier, permissions }
            }
            REMOVE_USER => Self::RemoveUser { name: from.string("user")? },
            ADDRESS => Self::Address {
                host: from.string("host")?,
                name: from.string("address")?,
                kind: read_kind(from)?,
                dynamic: read_dynamic(from)?,
            },
            DELETE => Self::Delete { address: AddressId(from.int("address id")?) },
            SUBSCRIBE => Self::Subscribe {
                address: AddressId(from.int("address id")?),
                name: from.option("subscription")?,
                owner: read_owner(from)?,
            },
            UNSUBSCRIBE => Self::Unsubscribe { queue: QueueId(from.int("queue id")?) },
            PUBLISH => Self::decode_publish(from)?,
            OPEN_SESSION => {
                Self::OpenSession { key: read_key(from)?, kind: read_session_kind(from)? }
            }
            CLOCK => Self::Clock { at_ms: from.int("time")? },
            PUT_DOCUMENT => Self::PutDocument {
                key: from.string("key")?,
                value: from.optional_bytes("document")?.map(Bytes::copy_from_slice),
            },
            _ => Self::decode_of_session(tag, from)?,
        })
    }

    fn decode_publish(from: &mut Reader<'a>) -> Result<Self, Malformed> {
        let count = from.len("queue count")?;
        let mut queues = Vec::with_capacity(count);
        for _ in 0..count {
            queues.push(QueueId(from.int("queue id")?));
        }
        let death = read_death(from)?;
        let format = read_format(from)?;
        let queues = Cow::Owned(queues);
        Ok(Self::Publish { queues, death, format, body: from.bytes("body")? })
    }

    /// The records that begin with a session, and `DeadLetter`.
    fn decode_of_session(tag: u64, from: &mut Reader<'a>) -> Result<Self, Malformed> {
        let first = from.int("id")?;
        let session = SessionId(first);
        Ok(match tag {
            END_SESSION => Self::EndSession { session },
            PROVE => Self::Prove { session },
            TAKEN => Self::Taken { session, seq: from.int("sequence")? },
            CONSUME => Self::Consume {
                session,
                queue: QueueId(from.int("queue id")?),
                consumer: read_consumer(from)?,
                window: Some(from.int32("window")?).filter(|window| *window > 0),
            },
            CANCEL => Self::Cancel {
                session,
                queue: QueueId(from.int("queue id")?),
                consumer: read_consumer(from)?,
            },
            DISPATCH => Self::Dispatch {
                session,
                queue: QueueId(from.int("queue id")?),
                entry: from.int("entry")?,
                consumer: read_consumer(from)?,
            },
            ACCEPT => Self::Accept { session, first: from.int("first")?, last: from.int("last")? },
            RETURN => Self::Return {
                session,
                first: from.int("first")?,
                last: from.int("last")?,
                counted: from.flag("counted")?,
                annotations: from.optional_bytes("annotations")?.map(Bytes::copy_from_slice),
            },
            DEAD_LETTER => Self::DeadLetter {
                queue: QueueId(first),
                entry: from.int("entry")?,
                to: QueueId(from.int("queue id")?),
                reason: read_reason(from)?,
                detail: from.option("detail")?,
            },
            _ => Self::decode_of_service(tag, first, from)?,
        })
    }

    /// What services do, behind the first number.
    fn decode_of_service(tag: u64, first: u64, from: &mut Reader<'a>) -> Result<Self, Malformed> {
        let (session, queue) = (SessionId(first), QueueId(first));
        Ok(match tag {
            PASS => Self::Pass { session, count: from.int("count")? },
            COMPACT => Self::Compact { session, at: from.int("sequence")? },
            NOTE => Self::Note {
                queue,
                entry: from.int("entry")?,
                note: Bytes::copy_from_slice(from.bytes("note")?),
            },
            MOVE => Self::Move { queue, entry: from.int("entry")?, to: read_queues(from)? },
            REVIVE => Self::Revive { queue, entry: from.int("entry")?, to: read_queues(from)? },
            TRIM => Self::Trim { queue, below: from.int("entry")? },
            _ => return Err(Malformed { what: "record tag" }),
        })
    }
}

fn read_queues(from: &mut Reader<'_>) -> Result<Vec<QueueId>, Malformed> {
    let mut queues = Vec::new();
    for _ in 0..from.len("queue count")? {
        queues.push(QueueId(from.int("queue id")?));
    }
    Ok(queues)
}
