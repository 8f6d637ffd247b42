//! Messages from the client: how many it may send, their inbound sequences, and their outcomes
//! when they are durable.

use super::{Face, error};
use crate::convert::{self, Unfit};
use crate::limits::{ARENA_BYTES, UNTAKEN_MAX, UNTAKEN_MAX_BYTES};
use crate::people::{Sender, person};
use crate::request::Requests;
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{LinkId, SessionId, Transferred};
use wharf_amqp::messaging::{DeliveryState, MESSAGE_FORMAT};
use wharf_broker::{DeathReason, Message, Unroutable};

/// Credit of a new link: a round trip's worth for most clients.
const CREDIT_FIRST: u32 = 512;

/// Most credit of a link, however far away the client and however slow the disk. The bytes are
/// bounded by not reading any more.
const CREDIT_MAX: u32 = 32_768;

/// A link the client sends on.
#[derive(Debug)]
pub(super) struct Producer {
    /// The address; `None` if each message names its own (the anonymous terminus).
    pub(super) to: Option<Arc<[String]>>,
    /// Deliveries not durable yet.
    untaken: u32,
    /// Untaken deliveries and credit together. Grows while the client uses all of it up within
    /// one sync of the journal, so that it adapts to how long that takes.
    window: u32,
}

impl Producer {
    pub(super) fn new(to: Option<Arc<[String]>>) -> Self {
        // The first grant doubles it, as nothing is left of no credit.
        Self { to, untaken: 0, window: CREDIT_FIRST / 2 }
    }

    /// Whether the broker is asked for the address when the link begins. Otherwise each message
    /// is judged by itself: it names its own, or it is for people.
    pub(super) fn is_resolved(&self) -> bool {
        let to = self.to.as_deref().and_then(<[String]>::first);
        to.is_some_and(|address| person(address).is_none())
    }

    /// The credit to grant, if it is time to: when half of the window may be given.
    fn top_up(&mut self, credit: u32) -> Option<u32> {
        if credit == 0 && self.untaken == 0 {
            self.window = self.window.saturating_mul(2).min(CREDIT_MAX);
        }
        let wanted = self.window.saturating_sub(self.untaken);
        (credit <= self.window / 4 && wanted > credit).then_some(wanted)
    }
}

/// When who settles a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Settling {
    /// The sender has: nobody wants to hear of it.
    Sent,
    /// The receiver, with its outcome.
    First,
    /// The sender, after the receiver's outcome.
    Second,
}

/// Deliveries whose sequences and ids follow each other on one link.
#[derive(Debug)]
struct Run {
    first_seq: u64,
    len: u32,
    link: LinkId,
    first_id: u32,
    settling: Settling,
    bytes: usize,
}

impl Run {
    fn goes_on(&self, seq: u64, link: LinkId, id: u32, settling: Settling) -> bool {
        self.first_seq.checked_add(u64::from(self.len)) == Some(seq)
            && self.first_id.wrapping_add(self.len) == id
            && (self.link, self.settling) == (link, settling)
    }
}

/// Everything received and not durable yet.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    /// Last inbound sequence given.
    seq: u64,
    runs: VecDeque<Run>,
    count: usize,
    bytes: usize,
    declined: BTreeMap<u64, DeathReason>,
    arena: BytesMut,
}

impl Receiving {
    pub(super) fn has_room(&self) -> bool {
        self.bytes < UNTAKEN_MAX_BYTES && self.count < UNTAKEN_MAX
    }

    pub(super) fn end_burst(&mut self) {
        self.arena = BytesMut::new();
    }

    pub(super) fn declined(&mut self, seq: u64, reason: DeathReason) {
        self.declined.insert(seq, reason);
    }

    /// The one copy of a message between socket and journal.
    fn keep(&mut self, octets: &[u8]) -> Bytes {
        if self.arena.capacity() < octets.len() {
            self.arena = BytesMut::with_capacity(octets.len().max(ARENA_BYTES));
        }
        self.arena.extend_from_slice(octets);
        self.arena.split().freeze()
    }

    fn add(&mut self, link: LinkId, id: u32, settling: Settling, bytes: usize) -> u64 {
        self.seq = self.seq.saturating_add(1);
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        let seq = self.seq;
        match self.runs.back_mut().filter(|run| run.goes_on(seq, link, id, settling)) {
            Some(run) => {
                run.len = run.len.saturating_add(1);
                run.bytes = run.bytes.saturating_add(bytes);
            }
            None => self.runs.push_back(Run {
                first_seq: seq,
                len: 1,
                link,
                first_id: id,
                settling,
                bytes,
            }),
        }
        seq
    }

    /// The next part of what is taken up to `up_to`: all accepted, or one declined.
    fn next_taken(&mut self, up_to: u64) -> Option<Taken> {
        let run = self.runs.front_mut()?;
        let taken = up_to.checked_sub(run.first_seq)?.saturating_add(1);
        let mut len = u32::try_from(taken).unwrap_or(u32::MAX).min(run.len);
        let mut reason = None;
        if let Some((&seq, _)) = self.declined.first_key_value() {
            let before = u32::try_from(seq.saturating_sub(run.first_seq)).unwrap_or(u32::MAX);
            if before == 0 {
                len = 1;
                reason = self.declined.pop_first().map(|(_, reason)| reason);
            } else {
                len = len.min(before);
            }
        }
        let part = Taken {
            link: run.link,
            first: run.first_id,
            last: run.first_id.wrapping_add(len.saturating_sub(1)),
            len,
            settling: run.settling,
            reason,
        };
        self.count = self.count.saturating_sub(len as usize);
        // A run that goes on gives back its share: what one sender keeps going may never end.
        let share = run.bytes.checked_div(run.len as usize).unwrap_or(0);
        let freed = if len < run.len { share.saturating_mul(len as usize) } else { run.bytes };
        run.bytes = run.bytes.saturating_sub(freed);
        self.bytes = self.bytes.saturating_sub(freed);
        run.first_seq = run.first_seq.saturating_add(u64::from(len));
        run.first_id = run.first_id.wrapping_add(len);
        run.len = run.len.saturating_sub(len);
        if run.len == 0 {
            self.runs.pop_front();
            if self.runs.is_empty() {
                self.runs.shrink_to(0);
            }
        }
        Some(part)
    }
}

/// Deliveries that are durable, or were declined.
#[derive(Debug)]
struct Taken {
    link: LinkId,
    first: u32,
    last: u32,
    len: u32,
    settling: Settling,
    reason: Option<DeathReason>,
}

impl Face {
    /// A message of the client.
    pub(super) fn publish(&mut self, transferred: Transferred<'_>, commands: &mut Requests) {
        let Transferred { link, delivery_id, payload, settled, settles_second, .. } = transferred;
        let settling = match (settled, settles_second) {
            (true, _) => Settling::Sent,
            (false, false) => Settling::First,
            (false, true) => Settling::Second,
        };
        let Some(producer) = self.links.producer(link) else { return };
        let known = producer.to.clone();
        let transactional = matches!(transferred.state, Some(DeliveryState::Transactional(_)));
        let fit = if transferred.message_format != MESSAGE_FORMAT || transactional {
            Err(Unfit::NotImplemented)
        } else {
            convert::amqp_stored(&payload)
        };
        let judged = fit.and_then(|stored| {
            let to = match known {
                Some(to) => to,
                None => convert::amqp_destination(&payload).map(|to| Arc::from([to]))?,
            };
            Ok((stored, to))
        });
        let (stored, to) = match judged {
            Ok(judged) => judged,
            Err(unfit) => return self.reject(link, delivery_id, settling, unfit, commands),
        };
        producer.untaken = producer.untaken.saturating_add(1);
        let seq = self.receiving.add(link, delivery_id, settling, stored.len());
        let body = self.receiving.keep(&stored);
        let message = Message { format: convert::AMQP, body };
        // Of a settled message nobody would hear that it was declined.
        let unroutable = match settling {
            Settling::Sent => Unroutable::DeadLetter,
            Settling::First | Settling::Second => Unroutable::Decline,
        };
        let sender = Sender {
            user: self.caller.user.as_deref().unwrap_or_default(),
            host: &self.caller.host,
            size_max_bytes: self.config.xmpp.stanza_size_max_bytes(),
        };
        commands.push_back(sender.send(seq, to, message, unroutable));
    }

    /// A message that the broker is not asked to take.
    fn reject(
        &mut self,
        link: LinkId,
        delivery_id: u32,
        settling: Settling,
        unfit: Unfit,
        commands: &mut Requests,
    ) {
        let (condition, why) = match unfit {
            Unfit::Malformed => (Condition::DecodeError, "the message cannot be decoded"),
            Unfit::NoAddress => (Condition::PreconditionFailed, "the property to is missing"),
            Unfit::NotImplemented => {
                (Condition::NotImplemented, "a message format or transaction not known here")
            }
        };
        let error = error(condition, why);
        if settling == Settling::Sent {
            // AMQP 2.6.5: no outcome can say it, so the end of the link does.
            let _ = self.engine.detach(link, true, Some(error));
            return self.detached(link, true, commands);
        }
        let state = DeliveryState::Rejected(Some(Box::new(error)));
        self.dispose(link.session, delivery_id, delivery_id, settling, state);
        self.top_up(link);
    }

    /// Everything up to a sequence is durable.
    // AMQP 3.4.2; dispositions as ranges, once for all that one frame of the journal holds.
    pub(super) fn taken(&mut self, up_to: u64) {
        let mut last_link = None;
        while let Some(taken) = self.receiving.next_taken(up_to) {
            let state = match taken.reason {
                None => DeliveryState::Accepted,
                Some(reason) => DeliveryState::Rejected(Some(Box::new(declined(reason)))),
            };
            let link = taken.link;
            self.dispose(link.session, taken.first, taken.last, taken.settling, state);
            if let Some(producer) = self.links.producer(link) {
                producer.untaken = producer.untaken.saturating_sub(taken.len);
            }
            if last_link != Some(link)
                && let Some(before) = last_link.replace(link)
            {
                self.top_up(before);
            }
        }
        if let Some(link) = last_link {
            self.top_up(link);
        }
    }

    fn dispose(
        &mut self,
        session: SessionId,
        first: u32,
        last: u32,
        settling: Settling,
        state: DeliveryState,
    ) {
        if settling != Settling::Sent {
            let settled = settling == Settling::First;
            // Fails only when the session has ended, and then nobody listens.
            let _ = self.engine.dispose(session, first, last, settled, state);
        }
    }

    /// Grants credit if it is time to.
    pub(super) fn top_up(&mut self, link: LinkId) {
        let credit = self.engine.credit(link);
        let wanted = self.links.producer(link).and_then(|producer| producer.top_up(credit));
        if let Some(credit) = wanted {
            let _ = self.engine.grant(link, credit, false);
        }
    }
}

/// Why a message was declined, as a client of AMQP is told.
fn declined(reason: DeathReason) -> wharf_amqp::condition::Error {
    let condition = match reason {
        DeathReason::NotPermitted => Condition::UnauthorizedAccess,
        DeathReason::UnknownAddress => Condition::NotFound,
        DeathReason::NoAddress => Condition::PreconditionFailed,
        DeathReason::InvalidAddress => Condition::InvalidField,
        DeathReason::QueueFull => Condition::ResourceLimitExceeded,
        DeathReason::DeliveriesMax | DeathReason::Rejected | DeathReason::Expired => {
            Condition::InternalError
        }
    };
    error(condition, reason.name())
}
