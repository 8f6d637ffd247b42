//! What several records and the snapshot have in common.

use super::Dynamic;
use crate::codec::{Malformed, Put, Reader};
use crate::command::{ConsumerId, SessionId, SessionKey, SessionKind};
use crate::output::{Death, DeathReason};
use crate::permission::Permission;
use crate::policy::{AddressKind, Lifetime};

/// Beside the flag `send` of a rule: a host follows.
const OF_ONE_HOST: u64 = 2;

pub(crate) fn put_ints(out: &mut Vec<u8>, ints: &[u64]) {
    ints.iter().for_each(|int| out.put_int(*int));
}

pub(crate) fn put_user(out: &mut Vec<u8>, name: &str, verifier: &str, rules: &[Permission]) {
    out.put_str(name);
    out.put_str(verifier);
    out.put_int(rules.len() as u64);
    for rule in rules {
        out.put_str(&rule.pattern);
        // Most rules are for every host, and are written as when there were no others.
        let here = if rule.host.is_empty() { 0 } else { OF_ONE_HOST };
        out.put_int(u64::from(rule.send) | here);
        if here != 0 {
            out.put_str(&rule.host);
        }
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
        let pattern = from.string("pattern")?;
        let first = from.int("send")?;
        if first > OF_ONE_HOST | 1 {
            return Err(Malformed { what: "send" });
        }
        let one_host = first & OF_ONE_HOST != 0;
        let host = if one_host { from.string("host")? } else { String::new() };
        let (receive, manage) = (from.flag("receive")?, from.flag("manage")?);
        rules.push(Permission { host, pattern, send: first & 1 != 0, receive, manage });
    }
    Ok((name, verifier, rules))
}

pub(crate) fn put_kind(out: &mut Vec<u8>, kind: AddressKind) {
    out.put_flag(kind == AddressKind::Topic);
}

pub(crate) fn read_kind(from: &mut Reader<'_>) -> Result<AddressKind, Malformed> {
    Ok(if from.flag("address kind")? { AddressKind::Topic } else { AddressKind::Queue })
}

pub(crate) fn read_consumer(from: &mut Reader<'_>) -> Result<ConsumerId, Malformed> {
    from.int32("consumer").map(ConsumerId)
}

/// The consumer of a volatile subscription, or nobody.
pub(crate) fn put_owner(out: &mut Vec<u8>, owner: Option<(SessionId, ConsumerId)>) {
    match owner {
        // Sessions are numbered from 1, so that 0 is nobody.
        None => out.put_int(0),
        Some((session, consumer)) => put_ints(out, &[session.0, u64::from(consumer.0)]),
    }
}

pub(crate) fn read_owner(
    from: &mut Reader<'_>,
) -> Result<Option<(SessionId, ConsumerId)>, Malformed> {
    match from.int("session id")? {
        0 => Ok(None),
        session => Ok(Some((SessionId(session), read_consumer(from)?))),
    }
}

pub(crate) fn put_dynamic(out: &mut Vec<u8>, dynamic: Option<&Dynamic>) {
    match dynamic {
        None => out.put_int(0),
        Some(Dynamic { lifetime, owner: (session, link) }) => {
            let lifetime = match lifetime {
                Lifetime::DeleteOnClose => 1,
                Lifetime::DeleteOnNoLinks => 2,
                Lifetime::DeleteOnNoMessages => 3,
                Lifetime::DeleteOnNoLinksOrMessages => 4,
            };
            put_ints(out, &[lifetime, session.0, u64::from(link.0)]);
        }
    }
}

pub(crate) fn read_dynamic(from: &mut Reader<'_>) -> Result<Option<Dynamic>, Malformed> {
    let lifetime = match from.int("lifetime")? {
        0 => return Ok(None),
        1 => Lifetime::DeleteOnClose,
        2 => Lifetime::DeleteOnNoLinks,
        3 => Lifetime::DeleteOnNoMessages,
        4 => Lifetime::DeleteOnNoLinksOrMessages,
        _ => return Err(Malformed { what: "lifetime" }),
    };
    let owner = (SessionId(from.int("session id")?), read_consumer(from)?);
    Ok(Some(Dynamic { lifetime, owner }))
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

pub(crate) fn put_death(out: &mut Vec<u8>, death: Option<&Death>) {
    match death {
        None => out.put_int(0),
        Some(Death { reason, address, detail }) => {
            out.put_int(reason_code(*reason));
            out.put_str(address);
            out.put_option(detail.as_deref());
        }
    }
}

pub(crate) fn read_death(from: &mut Reader<'_>) -> Result<Option<Death>, Malformed> {
    let reason = match from.int("death reason")? {
        0 => return Ok(None),
        code => reason_of(code)?,
    };
    let (address, detail) = (from.string("address")?, from.option("detail")?);
    Ok(Some(Death { reason, address, detail }))
}

pub(crate) fn read_format(from: &mut Reader<'_>) -> Result<u8, Malformed> {
    u8::try_from(from.int("format")?).map_err(|_| Malformed { what: "format" })
}

pub(crate) fn read_reason(from: &mut Reader<'_>) -> Result<DeathReason, Malformed> {
    reason_of(from.int("death reason")?)
}

/// 1 and up; 0 says that there is none.
pub(crate) fn reason_code(reason: DeathReason) -> u64 {
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
