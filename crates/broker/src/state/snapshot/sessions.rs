//! Sessions in a snapshot, after the queues.

use crate::codec::{Malformed, Put, Reader};
use crate::command::{SessionId, SessionKind};
use crate::record::{QueueId, put_key, read_consumer, read_key, read_session_kind};
use crate::state::State;
use crate::state::session::{Outbound, Session};

pub(super) fn encode(out: &mut Vec<u8>, id: SessionId, session: &Session) {
    let ledger = session.ledger();
    out.put_int(id.0);
    put_key(out, &session.key);
    out.put_flag(session.kind == SessionKind::Recoverable);
    out.put_flag(session.proven);
    out.put_int(ledger.taken);
    out.put_int(ledger.settled);
    out.put_int(session.consumers().len() as u64);
    for consumer in session.consumers() {
        out.put_int(consumer.queue.0);
        out.put_int(u64::from(consumer.name.0));
        out.put_int(u64::from(consumer.window.unwrap_or(0)));
    }
    out.put_int(ledger.sent.saturating_sub(ledger.settled));
    for seq in ledger.settled.saturating_add(1)..=ledger.sent {
        let outbound = session.unsettled_delivery(seq);
        out.put_flag(outbound.is_some());
        if let Some(outbound) = outbound {
            out.put_int(outbound.queue.0);
            out.put_int(outbound.entry);
            out.put_int(u64::from(outbound.consumer.0));
            out.put_int(u64::from(outbound.len_bytes));
        }
    }
}

impl State {
    pub(super) fn decode_session(&mut self, from: &mut Reader<'_>) -> Result<(), Malformed> {
        let id = SessionId(from.int("session id")?);
        let key = read_key(from)?;
        let mut session = Session::new(key, read_session_kind(from)?);
        session.proven = from.flag("proven")?;
        session.restore(from.int("taken")?, from.int("settled")?);
        for _ in 0..from.len("consumer count")? {
            let queue = QueueId(from.int("queue id")?);
            let name = read_consumer(from)?;
            let window = Some(from.int32("window")?).filter(|window| *window > 0);
            let slot = self.queues.get_mut(&queue).filter(|slot| !slot.closed);
            let slot = slot.ok_or(Malformed { what: "consumer of no queue" })?;
            slot.add_consumer((id, name));
            session.consume(queue, name, window);
        }
        for _ in 0..from.len("outbound count")? {
            session.restore_next(decode_outbound(from)?);
        }
        self.keys.insert(session.key.clone(), id);
        self.sessions.insert(id, session);
        Ok(())
    }

    pub(super) fn give_queues_to_owners(&mut self) {
        for (id, queue) in &self.queues {
            let owner = queue.owner.and_then(|(session, _)| self.sessions.get_mut(&session));
            if let Some(owner) = owner {
                owner.owned.push(*id);
            }
        }
    }
}

fn decode_outbound(from: &mut Reader<'_>) -> Result<Option<Outbound>, Malformed> {
    if !from.flag("outbound")? {
        return Ok(None);
    }
    Ok(Some(Outbound {
        queue: QueueId(from.int("queue id")?),
        entry: from.int("entry")?,
        consumer: read_consumer(from)?,
        len_bytes: from.int32("length")?,
    }))
}
