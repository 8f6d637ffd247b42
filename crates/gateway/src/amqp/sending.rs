//! Messages to the client: how many it wants, their deliveries, and what it makes of them.

use super::Face;
use crate::convert;
use crate::request::Requests;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use wharf_amqp::engine::{CreditView, LinkId, Outcome, OutgoingDelivery};
use wharf_amqp::messaging::{DeliveryState, MESSAGE_FORMAT};
use wharf_amqp::tag::Tag;
use wharf_broker::{Command, ConsumerId, Delivery, Outcome as Decided};

/// Cookies from here on are of copies, which the broker does not want to hear of.
const COPIES_FROM: u64 = 1 << 63;

/// A link the client receives on.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) address: String,
    /// The durable subscription.
    pub(super) subscription: Option<String>,
    /// The client has everything sent settled.
    pub(super) settled: bool,
    /// Deliveries are copies: the client browses.
    pub(super) copies: bool,
    /// What becomes of deliveries that are settled without an outcome.
    pub(super) default_outcome: Option<DeliveryState>,
    /// Longest message the client takes here; 0 for any (AMQP 2.7.3).
    pub(super) message_size_max_bytes: u64,
    /// The last word on credit, told to the broker when the link is granted.
    credit: Option<CreditView>,
    granted: bool,
    /// Copies were handed over since the broker was told how far to go.
    browsed: bool,
    /// Deliveries the broker has counted and the client was not sent.
    passed_over: u64,
}

impl Consumer {
    pub(super) fn new(address: String, subscription: Option<String>) -> Self {
        Self {
            address,
            subscription,
            settled: false,
            copies: false,
            default_outcome: None,
            message_size_max_bytes: 0,
            credit: None,
            granted: false,
            browsed: false,
            passed_over: 0,
        }
    }

    fn takes(&self, payload: &[Bytes; 2]) -> bool {
        let len: u64 = payload.iter().fold(0, |len, part| len.saturating_add(part.len() as u64));
        self.message_size_max_bytes == 0 || len <= self.message_size_max_bytes
    }

    fn flow(&self, name: ConsumerId) -> Option<Command> {
        let CreditView { limit, drain } = self.credit.filter(|_| self.granted)?;
        let limit = limit.saturating_add(self.passed_over);
        Some(Command::Flow { consumer: name, limit, drain })
    }
}

/// What is kept of deliveries sent.
#[derive(Debug, Default)]
pub(super) struct Sending {
    copies: u64,
    /// Outcomes that the client did not settle, until they are durable.
    confirming: VecDeque<Outcome>,
    /// What was left with unsettled deliveries before: the client's annotations are added to it.
    /// The broker holds the octets anyhow, as long as they are unsettled.
    kept: BTreeMap<u64, Bytes>,
}

impl Sending {
    /// Splits an outcome so that each part is of one decision.
    fn parts(&mut self, first: u64, last: u64, decided: Decided) -> Vec<(u64, u64, Decided)> {
        let mut parts = Vec::with_capacity(1);
        let mut next = first;
        while let Some((seq, before)) = self.take_kept(next, last) {
            let Decided::Modified { failed, elsewhere, annotations: Some(added) } = &decided else {
                continue;
            };
            if seq > next {
                parts.push((next, seq.saturating_sub(1), decided.clone()));
            }
            let annotations = Some(convert::merged_annotations(&before, added));
            let (failed, elsewhere) = (*failed, *elsewhere);
            parts.push((seq, seq, Decided::Modified { failed, elsewhere, annotations }));
            next = seq.saturating_add(1);
        }
        if next <= last {
            parts.push((next, last, decided));
        }
        parts
    }

    fn take_kept(&mut self, first: u64, last: u64) -> Option<(u64, Bytes)> {
        let (&seq, _) = self.kept.range(first..).next().filter(|(seq, _)| **seq <= last)?;
        Some((seq, self.kept.remove(&seq)?))
    }
}

impl Face {
    /// The client says how much it wants.
    pub(super) fn credit(&mut self, link: LinkId, credit: CreditView, commands: &mut Requests) {
        let Some((name, consumer)) = self.links.consumer(link) else { return };
        consumer.credit = Some(credit);
        commands.extend(consumer.flow(name));
    }

    /// The broker hands out on this link from now on.
    pub(super) fn begin_consuming(&mut self, link: LinkId, commands: &mut Requests) {
        let Some((name, consumer)) = self.links.consumer(link) else { return };
        consumer.granted = true;
        commands.extend(consumer.flow(name));
    }

    /// The broker has handed out what there is.
    pub(super) fn drained(&mut self, consumer: ConsumerId) {
        if let Some(link) = self.links.named(consumer) {
            let _ = self.engine.drained(link);
        }
    }

    pub(super) fn deliver(&mut self, delivery: Delivery, commands: &mut Requests) {
        let seq = delivery.seq;
        let link = self.links.named(delivery.consumer);
        let consumer = link.and_then(|link| Some((link, self.links.consumer(link)?.1)));
        let Some((link, consumer)) = consumer else { return give_back(seq, commands) };
        // A topic that is browsed is consumed all the same: its deliveries have sequences.
        let cookie = if seq == 0 {
            consumer.browsed = true;
            self.sending.copies = self.sending.copies.saturating_add(1);
            COPIES_FROM.saturating_add(self.sending.copies)
        } else {
            seq
        };
        let settled = consumer.settled;
        let payload = convert::amqp_payload(&delivery);
        let Some(payload) = payload.filter(|payload| consumer.takes(payload)) else {
            return self.pass_over(link, seq, commands);
        };
        let kept = delivery.annotations;
        let delivery = OutgoingDelivery {
            cookie,
            tag: tag_of(cookie),
            message_format: MESSAGE_FORMAT,
            settled,
            payload,
        };
        if self.engine.deliver(link, delivery).is_err() {
            return give_back(seq, commands);
        }
        if let Some(kept) = kept.filter(|_| seq > 0) {
            self.sending.kept.insert(seq, kept);
        }
    }

    /// A delivery that this consumer cannot be sent is left for others; it costs no credit.
    fn pass_over(&mut self, link: LinkId, seq: u64, commands: &mut Requests) {
        if seq > 0 {
            let elsewhere = Decided::Modified { failed: false, elsewhere: true, annotations: None };
            settle(seq, seq, elsewhere, false, commands);
        }
        if let Some((name, consumer)) = self.links.consumer(link) {
            consumer.passed_over = consumer.passed_over.saturating_add(1);
            commands.extend(consumer.flow(name));
        }
    }

    /// What the client makes of deliveries.
    // AMQP 3.4; 3.5.3 for those it settles without saying.
    pub(super) fn outcome(&mut self, outcome: Outcome, commands: &mut Requests) {
        let Outcome { link, first, last, ref state, settled } = outcome;
        if first >= COPIES_FROM {
            if !settled {
                let _ = self.engine.settle_sent(link, first, last, state.as_ref());
            }
            return;
        }
        let default = self.links.consumer(link).and_then(|(_, one)| one.default_outcome.as_ref());
        let decided = match state.as_ref().and_then(decided) {
            Some(decided) => decided,
            // Not an outcome, and not settled: it may yet change.
            None if !settled => return,
            None => default.and_then(decided).unwrap_or(Decided::Released),
        };
        for (first, last, decided) in self.sending.parts(first, last, decided) {
            settle(first, last, decided, !settled, commands);
            if !settled {
                self.sending.confirming.push_back(Outcome { first, last, ..outcome.clone() });
            }
        }
    }

    /// Outcomes that wait for our settling are durable.
    pub(super) fn settled(&mut self, first: u64, last: u64) {
        let front = |one: &mut Outcome| (one.first, one.last) == (first, last);
        if let Some(outcome) = self.sending.confirming.pop_front_if(front) {
            let state = outcome.state.as_ref();
            let _ = self.engine.settle_sent(outcome.link, first, last, state);
        }
    }

    /// A delivery that never left.
    pub(super) fn unsent(&mut self, _link: LinkId, cookie: u64, commands: &mut Requests) {
        self.sending.kept.remove(&cookie);
        if cookie < COPIES_FROM {
            give_back(cookie, commands);
        }
    }

    /// Everything is on the wire: browsers may be given more.
    pub(super) fn browse_on(&mut self, commands: &mut Requests) {
        if self.sending.copies == 0 || self.engine.has_output() {
            return;
        }
        for (name, consumer) in self.links.consumers() {
            if std::mem::take(&mut consumer.browsed) {
                commands.extend(consumer.flow(name));
            }
        }
    }
}

/// The broker's word for an outcome; `None` if the state is not one.
fn decided(state: &DeliveryState) -> Option<Decided> {
    Some(match state {
        DeliveryState::Accepted => Decided::Accepted,
        DeliveryState::Released => Decided::Released,
        DeliveryState::Rejected(error) => {
            let told = error.as_ref().map(|error| {
                let description = error.description.as_deref().unwrap_or_default();
                Arc::from(format!("{} {description}", error.condition.as_str()).trim_end())
            });
            Decided::Rejected { detail: told }
        }
        DeliveryState::Modified(modified) => Decided::Modified {
            failed: modified.delivery_failed.unwrap_or(false),
            elsewhere: modified.undeliverable_here.unwrap_or(false),
            annotations: convert::kept_annotations(&modified.message_annotations),
        },
        DeliveryState::Received { .. }
        | DeliveryState::Declared(_)
        | DeliveryState::Transactional(_)
        | DeliveryState::Other(_) => return None,
    })
}

fn settle(first: u64, last: u64, outcome: Decided, confirm: bool, commands: &mut Requests) {
    commands.push_back(Command::Settle { first, last, outcome, confirm });
}

fn give_back(seq: u64, commands: &mut Requests) {
    if seq > 0 {
        settle(seq, seq, Decided::Released, false, commands);
    }
}

/// The shortest tag that no other delivery of the connection has.
fn tag_of(cookie: u64) -> Tag {
    let octets = cookie.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count().min(7);
    Tag::new(octets.get(zeros..).unwrap_or_default()).unwrap_or_default()
}
