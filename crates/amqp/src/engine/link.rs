//! One link endpoint: its state and its credit (AMQP 2.6).

use super::outgoing::OutgoingDelivery;
use crate::messaging::DeliveryState;
use crate::performative::{ReceiverSettleMode, Role, SenderSettleMode};
use crate::tag::Tag;
use std::collections::VecDeque;

/// How far the attach exchange is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LinkState {
    /// Ours is sent, the peer's awaited.
    AttachSent,
    /// The peer's is here, the caller's answer awaited.
    AttachReceived,
    /// Both are sent.
    Attached,
    /// Ours is sent; everything but the peer's is passed over.
    DetachSent,
}

/// One link.
#[derive(Debug)]
pub(super) struct Link {
    /// Differs from every link before it on the same handle.
    pub(super) id: u64,
    pub(super) name: String,
    /// Ours: a sender sends.
    pub(super) role: Role,
    pub(super) state: LinkState,
    /// It was detached from here with an error.
    pub(super) errant: bool,
    pub(super) remote_handle: Option<u32>,
    /// When the sender settles, by the sender's word.
    pub(super) snd_settle_mode: SenderSettleMode,
    /// When the receiver settles, by the receiver's word.
    pub(super) rcv_settle_mode: ReceiverSettleMode,
    /// The sequence number both sides count by (AMQP 2.6.7).
    pub(super) delivery_count: u32,
    /// Largest message this side takes.
    pub(super) message_size_max_bytes: u64,
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
    /// The state of this link is to be told.
    pub(super) flow_due: bool,
}

/// What a receiving link keeps.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    /// Deliveries the peer may still send.
    pub(super) credit: u32,
    /// Deliveries that may still come: more than the credit after some of it was taken back, for
    /// what is on its way then.
    on_its_way_max: u32,
    /// The peer was asked to use the credit up or give it back.
    pub(super) drain: bool,
    /// A delivery whose frames have come in part.
    pub(super) partial: Option<Box<Partial>>,
}

/// A delivery under way.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) delivery_id: u32,
    pub(super) tag: Tag,
    pub(super) message_format: u32,
    pub(super) settled: bool,
    pub(super) rcv_settle_mode: Option<ReceiverSettleMode>,
    pub(super) state: Option<DeliveryState>,
    /// It goes on with a delivery of which nothing is known here.
    pub(super) resumed: bool,
    pub(super) payload: Vec<u8>,
}

impl Receiving {
    pub(super) fn grant(&mut self, credit: u32, drain: bool) {
        self.on_its_way_max = self.on_its_way_max.max(credit);
        self.credit = credit;
        self.drain = drain;
    }

    /// A delivery has begun. False: there was no credit for it.
    // AMQP 2.6.7: "If the link-credit is reduced by the receiver when transfers are in-flight, the
    // receiver MAY [...] handle the excess messages normally".
    pub(super) fn count_delivery(&mut self) -> bool {
        let Some(left) = self.on_its_way_max.checked_sub(1) else { return false };
        self.on_its_way_max = left;
        self.credit = self.credit.saturating_sub(1);
        true
    }

    pub(super) fn give_back(&mut self, credit: u32) {
        self.on_its_way_max = self.on_its_way_max.saturating_sub(credit);
        self.credit = self.credit.saturating_sub(credit);
    }

    /// Whether the credit was to be drained, and now is.
    pub(super) fn end_drain(&mut self) -> bool {
        let drained = self.drain && self.credit == 0 && self.partial.is_none();
        self.drain &= !drained;
        drained
    }
}

/// What a sending link keeps.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// The delivery-count of the attach.
    pub(super) initial_count: u32,
    /// Deliveries begun.
    pub(super) sent: u64,
    /// Deliveries allowed, counted like `sent`.
    pub(super) limit: u64,
    pub(super) drain: bool,
    /// How often the peer has asked to drain.
    pub(super) drains: u32,
    /// Deliveries whose credit was taken back before they were sent.
    pub(super) stalled: VecDeque<OutgoingDelivery>,
}

impl Sending {
    pub(super) fn has_credit(&self) -> bool {
        self.sent < self.limit
    }

    pub(super) fn credit(&self) -> u32 {
        u32::try_from(self.limit.saturating_sub(self.sent)).unwrap_or(u32::MAX)
    }
}

impl Link {
    pub(super) fn new(id: u64, name: String, role: Role, state: LinkState) -> Self {
        Self {
            id,
            name,
            role,
            state,
            errant: false,
            remote_handle: None,
            snd_settle_mode: SenderSettleMode::Mixed,
            rcv_settle_mode: ReceiverSettleMode::First,
            delivery_count: 0,
            message_size_max_bytes: 0,
            receiving: Receiving::default(),
            sending: Sending::default(),
            flow_due: false,
        }
    }

    pub(super) fn is_sender(&self) -> bool {
        self.role == Role::Sender
    }

    /// Whether something may be said of it: our attach is sent, and our detach is not.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.state, LinkState::AttachSent | LinkState::Attached)
    }

    /// The receiver's word on how much may be sent.
    // AMQP 2.6.7: credit here = count there + credit there - count here, in serial arithmetic;
    // who has not seen the attach yet counts from its beginning.
    pub(super) fn allow(&mut self, count_there: Option<u32>, credit_there: u32) {
        let count_there = count_there.unwrap_or(self.sending.initial_count);
        let limit = count_there.wrapping_add(credit_there);
        let ahead = limit.wrapping_sub(self.delivery_count);
        // More than half of the circle ahead is behind: credit was taken back.
        let credit = if ahead > u32::MAX / 2 && credit_there <= u32::MAX / 2 { 0 } else { ahead };
        self.sending.limit = self.sending.sent.saturating_add(u64::from(credit));
    }

    /// A delivery is begun.
    pub(super) fn count_sent(&mut self) {
        self.delivery_count = self.delivery_count.wrapping_add(1);
        self.sending.sent = self.sending.sent.saturating_add(1);
    }

    /// Gives all credit back to the receiver.
    pub(super) fn use_up_credit(&mut self) {
        self.delivery_count = self.delivery_count.wrapping_add(self.sending.credit());
        self.sending.limit = self.sending.sent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(count: u32) -> Link {
        let mut link = Link::new(1, "l".to_owned(), Role::Sender, LinkState::Attached);
        link.delivery_count = count;
        link.sending.initial_count = count;
        link
    }

    /// AMQP 2.6.7, with counts that wrap.
    #[test]
    fn credit_is_the_receivers_limit_seen_from_here() {
        let mut link = sender(u32::MAX - 1);
        link.allow(None, 10);
        assert_eq!(link.sending.credit(), 10);
        link.delivery_count = link.delivery_count.wrapping_add(4);
        link.sending.sent = 4;
        link.allow(Some(u32::MAX - 1), 10);
        assert_eq!((link.sending.limit, link.sending.credit()), (10, 6));
        link.allow(Some(u32::MAX), 1);
        assert_eq!(link.sending.credit(), 0);
        link.allow(Some(link.delivery_count), u32::MAX);
        assert_eq!(link.sending.credit(), u32::MAX);
    }

    #[test]
    fn what_is_given_back_moves_the_count() {
        let mut link = sender(7);
        link.allow(Some(7), 5);
        link.use_up_credit();
        assert_eq!((link.delivery_count, link.sending.credit()), (12, 0));
    }
}
