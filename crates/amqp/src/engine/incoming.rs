//! Transfers received: window, credit, and deliveries of several frames (AMQP 2.5.6, 2.6.14,
//! 2.7.5).

use super::connection::{Connection, Fault, Step};
use super::event::{Event, LinkId, Transferred};
use super::link::{Link, Partial};
use super::violation::Violation;
use crate::performative::{ReceiverSettleMode, SenderSettleMode, Transfer};
use std::borrow::Cow;

/// Octets of unfinished deliveries one connection may hold, in messages of the largest size.
const PARTIAL_MESSAGES_MAX: u64 = 2;

impl Connection {
    pub(super) fn on_transfer<'a>(
        &mut self,
        session: u16,
        transfer: Transfer,
        payload: Cow<'a, [u8]>,
    ) -> Result<Step<'a>, Fault> {
        let Some(session) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        if !session.count_transfer() {
            return Err(Fault::Session(session.id, Violation::WindowViolation));
        }
        if session.flow_due {
            self.awake.insert(session.id);
        }
        let Some(handle) = session.handle_of(transfer.handle) else {
            return Err(Fault::Session(session.id, Violation::UnattachedHandle));
        };
        let id = session.link_id(handle);
        // In flight when we detached. AMQP 2.6.5 would end the session for it if that was with an
        // error, and so punish the peer for what it could not know.
        let Some(link) = session.live_link(handle) else { return Ok(Step::Again) };
        if link.is_sender() {
            let why = Violation::Unexpected("a transfer to the sender of a link");
            return Err(Fault::Session(id.session, why));
        }
        let before = link.partial_len();
        let taken = link.take_transfer(id, transfer, payload);
        let after = link.partial_len();
        if link.receiving.end_drain() {
            self.events.push_back(Event::Drained(id));
        }
        self.partial_bytes = self.partial_bytes.saturating_add(after).saturating_sub(before);
        let partial_max = self.config.message_size_max_bytes.saturating_mul(PARTIAL_MESSAGES_MAX);
        match taken {
            Ok(Some(event)) => Ok(Step::Event(event)),
            Ok(None) if after > before && self.partial_bytes > partial_max => {
                Err(Fault::Link(id, Violation::TooMuchInParts))
            }
            Ok(None) => Ok(Step::Again),
            Err(violation) => Err(Fault::Link(id, violation)),
        }
    }
}

impl Link {
    fn partial_len(&self) -> u64 {
        self.receiving.partial.as_ref().map_or(0, |partial| partial.payload.len() as u64)
    }

    fn take_transfer<'a>(
        &mut self,
        id: LinkId,
        transfer: Transfer,
        payload: Cow<'a, [u8]>,
    ) -> Result<Option<Event<'a>>, Violation> {
        match self.receiving.partial.take() {
            Some(partial) => self.go_on(id, partial, transfer, &payload),
            None => self.begin_delivery(id, transfer, payload),
        }
    }

    // AMQP 2.7.5: the first transfer has an id and a tag. AMQP 2.6.7: it costs one credit.
    fn begin_delivery<'a>(
        &mut self,
        id: LinkId,
        transfer: Transfer,
        payload: Cow<'a, [u8]>,
    ) -> Result<Option<Event<'a>>, Violation> {
        let (Some(delivery_id), Some(tag)) = (transfer.delivery_id, transfer.delivery_tag) else {
            return Err(Violation::InvalidField("delivery-id and delivery-tag are missing"));
        };
        if !self.receiving.count_delivery() {
            return Err(Violation::TransferLimit);
        }
        self.delivery_count = self.delivery_count.wrapping_add(1);
        let given_up = transfer.aborted || (transfer.resume && !transfer.more);
        if given_up {
            return Ok(Some(Event::Aborted(id)));
        }
        let settled = transfer.settled.unwrap_or(false);
        let message_format = transfer.message_format.unwrap_or(0);
        if transfer.more {
            let mut partial = Box::new(Partial {
                delivery_id,
                tag,
                message_format,
                settled,
                rcv_settle_mode: transfer.rcv_settle_mode,
                state: transfer.state,
                resumed: transfer.resume,
                payload: Vec::new(),
            });
            self.extend(&mut partial, payload)?;
            self.receiving.partial = Some(partial);
            return Ok(None);
        }
        self.check_size(payload.len())?;
        self.check_settled(settled)?;
        let settles_second = self.settles_second(settled, transfer.rcv_settle_mode)?;
        Ok(Some(Event::Transferred(Transferred {
            link: id,
            delivery_id,
            tag,
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
        self.extend(&mut partial, Cow::Borrowed(payload))?;
        partial.settled |= transfer.settled.unwrap_or(false);
        partial.rcv_settle_mode = transfer.rcv_settle_mode.or(partial.rcv_settle_mode);
        partial.state = transfer.state.or(partial.state.take());
        if transfer.more {
            self.receiving.partial = Some(partial);
            return Ok(None);
        }
        if partial.resumed {
            return Ok(Some(Event::Aborted(id)));
        }
        self.check_settled(partial.settled)?;
        let settles_second = self.settles_second(partial.settled, partial.rcv_settle_mode)?;
        Ok(Some(Event::Transferred(Transferred {
            link: id,
            delivery_id: partial.delivery_id,
            tag: partial.tag,
            message_format: partial.message_format,
            payload: Cow::Owned(partial.payload),
            settled: partial.settled,
            settles_second,
            state: partial.state,
        })))
    }

    // AMQP 2.7.5: "MUST ignore resumed deliveries that are not in its local unsettled map". There
    // is no such map here: links are not resumed.
    fn extend(&self, partial: &mut Partial, payload: Cow<'_, [u8]>) -> Result<(), Violation> {
        if partial.resumed {
            return Ok(());
        }
        self.check_size(partial.payload.len().saturating_add(payload.len()))?;
        if partial.payload.is_empty() {
            partial.payload = payload.into_owned();
        } else {
            partial.payload.extend_from_slice(&payload);
        }
        Ok(())
    }

    // AMQP 2.7.5: "If the negotiated value for snd-settle-mode at attachment is [...]".
    fn check_settled(&self, settled: bool) -> Result<(), Violation> {
        match self.snd_settle_mode {
            SenderSettleMode::Settled if !settled => {
                Err(Violation::InvalidField("not settled, on a link of mode settled"))
            }
            SenderSettleMode::Unsettled if settled => {
                Err(Violation::InvalidField("settled, on a link of mode unsettled"))
            }
            _ => Ok(()),
        }
    }

    // AMQP 2.7.5: first on the link allows no second on a transfer; "if the message is being sent
    // settled by the sender, the value of this field is ignored".
    fn settles_second(
        &self,
        settled: bool,
        asked: Option<ReceiverSettleMode>,
    ) -> Result<bool, Violation> {
        let asked = asked.unwrap_or(self.rcv_settle_mode);
        if settled || asked == ReceiverSettleMode::First {
            return Ok(false);
        }
        if self.rcv_settle_mode == ReceiverSettleMode::First {
            return Err(Violation::InvalidField("rcv-settle-mode second on a link of mode first"));
        }
        Ok(true)
    }

    // AMQP 2.7.3, max-message-size.
    fn check_size(&self, len: usize) -> Result<(), Violation> {
        let fits = len as u64 <= self.message_size_max_bytes;
        if fits { Ok(()) } else { Err(Violation::MessageSize) }
    }
}
