//! Flows, both ways: the windows of a session, the credit of a link (AMQP 2.5.6, 2.6.7, 2.7.4).

use super::connection::{Connection, Fault, Step};
use super::event::{CreditView, Event, LinkId, Misuse};
use super::link::Link;
use super::outgoing::Queued;
use super::session::Session;
use super::violation::Violation;
use crate::frame::put_frame;
use crate::performative::{Flow, Performative};

impl Connection {
    // AMQP 2.7.4.
    pub(super) fn on_flow<'a>(&mut self, session: u16, flow: &Flow) -> Result<Step<'a>, Fault> {
        let Some(session) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        session.allow(flow);
        self.awake.insert(session.id);
        let Some(remote) = flow.handle else {
            session.flow_due |= flow.echo;
            return Ok(Step::Again);
        };
        let Some(handle) = session.handle_of(remote) else {
            return Err(Fault::Session(session.id, Violation::UnattachedHandle));
        };
        let id = session.link_id(handle);
        let Some(link) = session.live_link(handle) else {
            // Its state is nobody's any more, but the session's is.
            session.flow_due |= flow.echo;
            return Ok(Step::Again);
        };
        let answered = link.is_answered();
        let event = if link.is_sender() {
            let credit = link.on_credit(flow);
            session.revive(handle);
            Some(Event::Credit(id, credit))
        } else {
            link.on_count(flow).then_some(Event::Drained(id))
        };
        if flow.echo {
            // A link that is not answered is told of when it is.
            session.flow_due |= !answered;
            session.tell_of(handle);
        }
        Ok(event.map_or(Step::Again, Step::Event))
    }

    /// Lets the peer send so many more deliveries on a link that receives. With `drain` it is asked
    /// to use them up or to give them back, which ends with `Drained`. Fewer than before take
    /// credit back; deliveries that are on their way nevertheless are taken.
    ///
    /// # Errors
    /// If there is no such link, it is not answered yet, or it sends.
    pub fn grant(&mut self, id: LinkId, credit: u32, drain: bool) -> Result<(), Misuse> {
        let link = self.answered_link(id)?;
        if link.is_sender() {
            return Err(Misuse::WrongDirection);
        }
        link.receiving.grant(credit, drain);
        self.tell_of(id);
        Ok(())
    }

    /// Deliveries the peer may still send on a link.
    #[must_use]
    pub fn credit(&self, id: LinkId) -> u32 {
        let link = self.sessions.get(&id.session.0).and_then(|s| s.links.get(&id.handle));
        link.map_or(0, |link| link.receiving.credit)
    }

    /// Gives the rest of the credit of a link back, behind what is queued, in answer to the last
    /// `Credit` with `drain`. Does nothing if that was withdrawn, or another has come since.
    ///
    /// # Errors
    /// If there is no such link, it is not answered yet, or it receives.
    pub fn drained(&mut self, id: LinkId) -> Result<(), Misuse> {
        let link = self.answered_link(id)?;
        if !link.is_sender() {
            return Err(Misuse::WrongDirection);
        }
        let drain = link.sending.drains;
        if let Some(session) = self.sessions.get_mut(&id.session.0) {
            session.queue.push_back(Queued::Drained { handle: id.handle, drain });
        }
        self.awake.insert(id.session);
        Ok(())
    }

    /// The state of a link is to be told.
    pub(super) fn tell_of(&mut self, id: LinkId) {
        if let Some(session) = self.sessions.get_mut(&id.session.0) {
            session.tell_of(id.handle);
            self.awake.insert(id.session);
        }
    }
}

impl Session {
    /// Says what changed of windows and credit.
    pub(super) fn put_flows(&mut self, out: &mut Vec<u8>) {
        let mut due = std::mem::take(&mut self.flows_due);
        for handle in due.drain(..) {
            let told = |link: &mut &mut Link| link.is_answered() && link.flow_due;
            if self.live_link(handle).as_mut().is_some_and(told) {
                self.put_link_flow(out, handle);
            }
        }
        self.flows_due = due;
        if self.flow_due {
            self.flow_due = false;
            let flow = self.flow();
            put_flow(out, self, flow);
        }
    }

    /// Tells the state of one link, and the windows with it.
    fn put_link_flow(&mut self, out: &mut Vec<u8>, handle: u32) {
        let base = self.flow();
        self.flow_due = false;
        if let Some(link) = self.links.get_mut(&handle) {
            link.flow_due = false;
            let flow = link.flow(handle, base);
            put_flow(out, self, flow);
        }
    }

    // AMQP 2.6.7: advance the count by what is left of the credit, and say so.
    pub(super) fn put_drained(&mut self, out: &mut Vec<u8>, handle: u32, drain: u32) {
        let Some(link) = self.live_link(handle) else { return };
        if link.sending.drain && link.sending.drains == drain {
            link.use_up_credit();
            self.put_link_flow(out, handle);
        }
    }
}

impl Link {
    /// The receiver's word on credit.
    fn on_credit(&mut self, flow: &Flow) -> CreditView {
        self.allow(flow.delivery_count, flow.link_credit.unwrap_or(0));
        let sending = &mut self.sending;
        sending.drain = flow.drain;
        if flow.drain {
            sending.drains = sending.drains.wrapping_add(1);
        }
        CreditView { limit: sending.limit, drain: flow.drain }
    }

    /// The sender's word on its count: what it went on by without a delivery is given back. True:
    /// all of it is, as it was asked to.
    fn on_count(&mut self, flow: &Flow) -> bool {
        let Some(there) = flow.delivery_count else { return false };
        let advanced = there.wrapping_sub(self.delivery_count);
        // AMQP 2.8.10: more than half of the circle ahead is behind.
        if advanced > u32::MAX / 2 {
            return false;
        }
        self.delivery_count = there;
        self.receiving.give_back(advanced);
        self.receiving.end_drain()
    }

    /// The link's part of a flow.
    fn flow(&self, handle: u32, base: Flow) -> Flow {
        let sender = self.is_sender();
        let credit = if sender { self.sending.credit() } else { self.receiving.credit };
        let drain = if sender { self.sending.drain } else { self.receiving.drain };
        // AMQP 2.7.4: a receiver that has not seen the sender's attach knows no count.
        let known = sender || self.remote_handle.is_some();
        let waiting = u32::try_from(self.sending.stalled.len()).unwrap_or(u32::MAX);
        Flow {
            handle: Some(handle),
            delivery_count: known.then_some(self.delivery_count),
            link_credit: Some(credit),
            available: sender.then_some(waiting),
            drain,
            ..base
        }
    }
}

fn put_flow(out: &mut Vec<u8>, session: &Session, flow: Flow) {
    put_frame(out, session.id.0, |out| Performative::Flow(flow).encode(out));
}
