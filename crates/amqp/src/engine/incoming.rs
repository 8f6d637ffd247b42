//! Transfers received: window, credit, and deliveries of several frames (AMQP 2.5.6, 2.6.14).

use super::connection::{Connection, Fault, Step};
use super::event::{Event, LinkId, Misuse, Transferred};
use super::link::{Link, Partial};
use super::violation::Violation;
use crate::performative::{ReceiverSettleMode, Transfer};
use std::borrow::Cow;

/// Octets of unfinished deliveries one connection may hold, in messages of the largest size.
const PARTIAL_MESSAGES_MAX: u64 = 2;

/// The first transfer of a delivery, or all of it.
struct First {
    delivery_id: u32,
    tag: crate::tag::Tag,
}

impl Connection {
    pub(super) fn on_transfer<'a>(
        &mut self,
        session: u16,
        transfer: Transfer,
        payload: Cow<'a, [u8]>,
    ) -> Result<Step<'a>, Fault> {
        let Some(session) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        let window = &mut session.incoming;
        let Some(left) = window.window.checked_sub(1) else {
            return Err(Fault::Session(session.id, Violation::WindowViolation));
        };
        window.window = left;
        window.next_id = window.next_id.wrapping_add(1);
        if window.window < window.window_max / 2 {
            window.window = window.window_max;
            session.flow_due = true;
            self.awake.insert(session.id.0);
        }
        let Some(handle) = session.handle_of(transfer.handle) else {
            return Err(Fault::Session(session.id, Violation::UnattachedHandle));
        };
        let id = session.link_id(handle);
        // In flight when we detached.
        let Some(link) = session.live_link(handle) else { return Ok(Step::Again) };
        if link.is_sender() {
            let why = Violation::Unexpected("a transfer to the sender of a link");
            return Err(Fault::Session(id.session, why));
        }
        let before = link.partial_len();
        let mut taken = link.take_transfer(id, transfer, payload);
        let after = link.partial_len();
        let held = self.partial_bytes.saturating_add(after).saturating_sub(before);
        self.partial_bytes = held;
        let held_max = self.config.message_size_max_bytes.saturating_mul(PARTIAL_MESSAGES_MAX);
        if taken.is_ok() && held > held_max && after > before {
            taken = Err(Violation::MessageSize);
        }
        match taken {
            Ok(Some(event)) => Ok(Step::Event(event)),
            Ok(None) => Ok(Step::Again),
            Err(violation) => Err(Fault::Link(id, violation)),
        }
    }

    /// Lets the peer send so many more deliveries on a link that receives. With `drain` it is asked
    /// to use them up or to give them back.
    ///
    /// # Errors
    /// If there is no such link, or it sends.
    pub fn grant(&mut self, id: LinkId, credit: u32, drain: bool) -> Result<(), Misuse> {
        let link = self.link_mut(id)?;
        if link.is_sender() {
            return Err(Misuse::WrongDirection);
        }
        link.receiving.credit = credit;
        link.receiving.drain = drain;
        link.flow_due = true;
        if let Some(session) = self.sessions.get_mut(&id.session.0) {
            session.link_flows_due = true;
        }
        self.wake(id);
        Ok(())
    }

    /// Deliveries the peer may still send on a link.
    #[must_use]
    pub fn credit(&self, id: LinkId) -> u32 {
        let link = self.sessions.get(&id.session.0).and_then(|s| s.links.get(&id.handle));
        link.map_or(0, |link| link.receiving.credit)
    }
}

impl Link {
    pub(super) fn partial_len(&self) -> u64 {
        self.receiving.partial.as_ref().map_or(0, |partial| partial.payload.len() as u64)
    }

    fn take_transfer<'a>(
        &mut self,
        id: LinkId,
        transfer: Transfer,
        payload: Cow<'a, [u8]>,
    ) -> Result<Option<Event<'a>>, Violation> {
        let Some(partial) = self.receiving.partial.take() else {
            return self.begin_delivery(id, transfer, payload);
        };
        self.go_on(id, partial, transfer, &payload)
    }

    // AMQP 2.7.5: the first transfer has an id and a tag, and costs one credit.
    fn begin_delivery<'a>(
        &mut self,
        id: LinkId,
        transfer: Transfer,
        payload: Cow<'a, [u8]>,
    ) -> Result<Option<Event<'a>>, Violation> {
        let (Some(delivery_id), Some(tag)) = (transfer.delivery_id, transfer.delivery_tag) else {
            return Err(Violation::InvalidField("delivery-id and delivery-tag are missing"));
        };
        let first = First { delivery_id, tag };
        let Some(credit) = self.receiving.credit.checked_sub(1) else {
            return Err(Violation::TransferLimit);
        };
        self.receiving.credit = credit;
        self.delivery_count = self.delivery_count.wrapping_add(1);
        if transfer.aborted {
            return Ok(Some(Event::Aborted(id)));
        }
        self.check_size(payload.len())?;
        let settled = transfer.settled.unwrap_or(false);
        let message_format = transfer.message_format.unwrap_or(0);
        if transfer.more {
            self.receiving.partial = Some(Box::new(Partial {
                delivery_id: first.delivery_id,
                tag: first.tag,
                message_format,
                settled,
                payload: payload.into_owned(),
            }));
            return Ok(None);
        }
        let settles_second = self.settles_second(&transfer)?;
        Ok(Some(Event::Transferred(Transferred {
            link: id,
            delivery_id: first.delivery_id,
            tag: first.tag,
            message_format,
            payload,
            settled,
            settles_second,
            state: transfer.state,
        })))
    }

    // AMQP 2.7.5: what a continuation repeats must be the same; settled once is settled.
    fn go_on<'a>(
        &mut self,
        id: LinkId,
        mut partial: Box<Partial>,
        transfer: Transfer,
        payload: &[u8],
    ) -> Result<Option<Event<'a>>, Violation> {
        if transfer.aborted {
            return Ok(Some(Event::Aborted(id)));
        }
        let same = transfer.delivery_id.is_none_or(|other| other == partial.delivery_id)
            && transfer.delivery_tag.is_none_or(|other| other == partial.tag)
            && transfer.message_format.is_none_or(|other| other == partial.message_format);
        if !same {
            return Err(Violation::InvalidField("a continuation of another delivery"));
        }
        self.check_size(partial.payload.len().saturating_add(payload.len()))?;
        partial.payload.extend_from_slice(payload);
        partial.settled |= transfer.settled.unwrap_or(false);
        if transfer.more {
            self.receiving.partial = Some(partial);
            return Ok(None);
        }
        let settles_second = self.settles_second(&transfer)?;
        Ok(Some(Event::Transferred(Transferred {
            link: id,
            delivery_id: partial.delivery_id,
            tag: partial.tag,
            message_format: partial.message_format,
            payload: Cow::Owned(partial.payload),
            settled: partial.settled,
            settles_second,
            state: transfer.state,
        })))
    }

    // AMQP 2.7.5: first on the link allows no second on a transfer.
    fn settles_second(&self, transfer: &Transfer) -> Result<bool, Violation> {
        let asked = transfer.rcv_settle_mode.unwrap_or(self.rcv_settle_mode);
        let link_first = self.rcv_settle_mode == ReceiverSettleMode::First;
        if link_first && asked == ReceiverSettleMode::Second {
            return Err(Violation::InvalidField("rcv-settle-mode second on a link of mode first"));
        }
        Ok(asked == ReceiverSettleMode::Second)
    }

    fn check_size(&self, len: usize) -> Result<(), Violation> {
        let max = self.message_size_max_bytes;
        if max > 0 && len as u64 > max { Err(Violation::MessageSize) } else { Ok(()) }
    }
}
