//! The durable records. A frame's payload is a sequence of them, and the state is what they
//! make of an empty one: live and recovered shards go through the same `State::apply`.
//! Byte by byte in `docs/design/records.md`.

use crate::codec::{Malformed, Put, Reader};
use crate::command::{SessionId, SessionKey, SessionKind};
use crate::output::DeathReason;
use crate::permission::Permission;
use crate::policy::AddressKind;

/// An address, numbered in the order of creation.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct AddressId(pub(crate) u64);

/// A queue: the one of a queue address, or a subscription of a topic.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct QueueId(pub(crate) u64);

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
    },
    /// A subscription of a topic: durable with a name, else owned by a session.
    Subscribe {
        address: AddressId,
        name: Option<String>,
        owner: Option<SessionId>,
    },
    Unsubscribe {
        queue: QueueId,
    },
    /// One body, put into each of the queues. `death` where it goes to dead letters unheard.
    Publish {
        queues: Vec<QueueId>,
        death: Option<(DeathReason, String)>,
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
    Consume {
        session: SessionId,
        queue: QueueId,
        credit: u32,
    },
    Cancel {
        session: SessionId,
        queue: QueueId,
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
    },
    /// An entry that is not out moves to a dead-letter queue.
    DeadLetter {
        queue: QueueId,
        entry: u64,
        to: QueueId,
        reason: DeathReason,
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
            Self::Address { host, name, kind } => {
                out.put_int(ADDRESS);
                out.put_str(host);
                out.put_str(name);
                put_kind(out, *kind);
            }
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
                put_death(out, death.as_ref().map(|(reason, address)| (*reason, address.as_str())));
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

    /// The records of ids and numbers alone.
    fn encode_of_session(&self, out: &mut Vec<u8>) {
        match self {
            Self::EndSession { session } => put_ints(out, &[END_SESSION, session.0]),
            Self::Prove { session } => put_ints(out, &[PROVE, session.0]),
            Self::Taken { session, seq } => put_ints(out, &[TAKEN, session.0, *seq]),
            Self::Consume { session, queue, credit } => {
                put_ints(out, &[CONSUME, session.0, queue.0, u64::from(*credit)]);
            }
            Self::Cancel { session, queue } => put_ints(out, &[CANCEL, session.0, queue.0]),
            Self::Dispatch { session, queue, entry } => {
                put_ints(out, &[DISPATCH, session.0, queue.0, *entry]);
            }
            Self::Accept { session, first, last } => {
                put_ints(out, &[ACCEPT, session.0, *first, *last]);
            }
            Self::Return { session, first, last, counted } => {
                put_ints(out, &[RETURN, session.0, *first, *last, u64::from(*counted)]);
            }
            Self::DeadLetter { queue, entry, to, reason } => {
                put_ints(out, &[DEAD_LETTER, queue.0, *entry, to.0, reason_code(*reason)]);
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
            },
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
        Ok(Self::Publish { queues, death, format, body: from.bytes("body")? })
    }

    /// The records that begin with a session, and `DeadLetter`.
    fn decode_of_session(tag: u64, from: &mut Reader<'a>) -> Result<Self, Malformed> {
        let first = from.int("id")?;
        let session = SessionId(first);
        let mut int = |what| from.int(what);
        Ok(match tag {
            END_SESSION => Self::EndSession { session },
            PROVE => Self::Prove { session },
            TAKEN => Self::Taken { session, seq: int("sequence")? },
            CONSUME => Self::Consume {
                session,
                queue: QueueId(int("queue id")?),
                credit: from.int32("credit")?,
            },
            CANCEL => Self::Cancel { session, queue: QueueId(int("queue id")?) },
            DISPATCH => {
                Self::Dispatch { session, queue: QueueId(int("queue id")?), entry: int("entry")? }
            }
            ACCEPT => Self::Accept { session, first: int("first")?, last: int("last")? },
            RETURN => Self::Return {
                session,
                first: int("first")?,
                last: int("last")?,
                counted: from.flag("counted")?,
            },
            DEAD_LETTER => Self::DeadLetter {
                queue: QueueId(first),
                entry: int("entry")?,
                to: QueueId(int("queue id")?),
                reason: read_reason(from)?,
            },
            _ => return Err(Malformed { what: "record tag" }),
        })
    }
}

fn put_ints(out: &mut Vec<u8>, ints: &[u64]) {
    ints.iter().for_each(|int| out.put_int(*int));
}

pub(crate) fn put_user(out: &mut Vec<u8>, name: &str, verifier: &str, rules: &[Permission]) {
    out.put_str(name);
    out.put_str(verifier);
    out.put_int(rules.len() as u64);
    for rule in rules {
        out.put_str(&rule.pattern);
        out.put_flag(rule.send);
        out.put_flag(rule.receive);
        out.put_flag(rule.manage);
    }
}

pub(crate) fn read_user(
    from: &mut Reader<'_>,
) -> Result<(String, String, Vec<Permission>), Malformed> {
    let name = from.string("user")?;
    let verifier = from.string("verifier")?;
    let mut rules = Vec::new();
    for _ in 0..from.len("permission count")? {
        rules.push(Permission {
            pattern: from.string("pattern")?,
            send: from.flag("send")?,
            receive: from.flag("receive")?,
            manage: from.flag("manage")?,
        });
    }
    Ok((name, verifier, rules))
}

pub(crate) fn put_kind(out: &mut Vec<u8>, kind: AddressKind) {
    out.put_flag(kind == AddressKind::Topic);
}

pub(crate) fn read_kind(from: &mut Reader<'_>) -> Result<AddressKind, Malformed> {
    Ok(if from.flag("address kind")? { AddressKind::Topic } else { AddressKind::Queue })
}

pub(crate) fn put_owner(out: &mut Vec<u8>, owner: Option<SessionId>) {
    // Sessions are numbered from 1, so that 0 is nobody.
    out.put_int(owner.map_or(0, |session| session.0));
}

pub(crate) fn read_owner(from: &mut Reader<'_>) -> Result<Option<SessionId>, Malformed> {
    let id = from.int("session id")?;
    Ok((id != 0).then_some(SessionId(id)))
}

pub(crate) fn put_key(out: &mut Vec<u8>, key: &SessionKey) {
    out.put_str(&key.host);
    out.put_str(&key.user);
    out.put_option(key.origin.as_deref());
    out.put_str(&key.name);
}

pub(crate) fn read_key(from: &mut Reader<'_>) -> Result<SessionKey, Malformed> {
    Ok(SessionKey {
        host: from.string("host")?,
        user: from.string("user")?,
        origin: from.option("origin")?,
        name: from.string("session name")?,
    })
}

pub(crate) fn read_session_kind(from: &mut Reader<'_>) -> Result<SessionKind, Malformed> {
    let recoverable = from.flag("session kind")?;
    Ok(if recoverable { SessionKind::Recoverable } else { SessionKind::Volatile })
}

pub(crate) fn put_death(out: &mut Vec<u8>, death: Option<(DeathReason, &str)>) {
    match death {
        None => out.put_int(0),
        Some((reason, address)) => {
            out.put_int(reason_code(reason));
            out.put_str(address);
        }
    }
}

pub(crate) fn read_death(
    from: &mut Reader<'_>,
) -> Result<Option<(DeathReason, String)>, Malformed> {
    match from.int("death reason")? {
        0 => Ok(None),
        code => Ok(Some((reason_of(code)?, from.string("address")?))),
    }
}

pub(crate) fn read_format(from: &mut Reader<'_>) -> Result<u8, Malformed> {
    u8::try_from(from.int("format")?).map_err(|_| Malformed { what: "format" })
}

fn read_reason(from: &mut Reader<'_>) -> Result<DeathReason, Malformed> {
    reason_of(from.int("death reason")?)
}

/// 1 and up; 0 says that there is none.
fn reason_code(reason: DeathReason) -> u64 {
    DeathReason::ALL
        .iter()
        .position(|known| *known == reason)
        .map_or(0, |at| at as u64)
        .saturating_add(1)
}

fn reason_of(code: u64) -> Result<DeathReason, Malformed> {
    let at = code.checked_sub(1).and_then(|at| usize::try_from(at).ok());
    at.and_then(|at| DeathReason::ALL.get(at).copied()).ok_or(Malformed { what: "death reason" })
}
