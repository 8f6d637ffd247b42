//! Dispositions, both ways (AMQP 2.6.12, 2.7.6).

use super::connection::{Connection, Fault, Step};
use super::event::{Event, LinkId, Misuse, Outcome, SessionId};
use super::runs::Run;
use super::violation::Violation;
use crate::messaging::DeliveryState;
use crate::performative::{Disposition, Performative, Role};

impl Connection {
    pub(super) fn on_disposition<'a>(
        &mut self,
        session: u16,
        disposition: &Disposition,
    ) -> Result<Step<'a>, Fault> {
        // A sender that settles what it sent: nothing is kept of it here.
        if disposition.role == Role::Sender {
            return Ok(Step::Again);
        }
        let Some(session) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        let last = disposition.last.unwrap_or(disposition.first);
        if last.wrapping_sub(disposition.first) > u32::MAX / 2 {
            let why = Violation::InvalidField("last is before first");
            return Err(Fault::Session(session.id, why));
        }
        // AMQP 2.8.10: ids are serial numbers. Those not sent yet say nothing.
        let Some(first) = session.sent_id(disposition.first) else { return Ok(Step::Again) };
        let last = session.sent_id(last).filter(|last| *last >= first);
        let last = last.unwrap_or(session.next_delivery);
        let runs = if disposition.settled {
            session.unsettled.take(first, last)
        } else {
            session.unsettled.within(first, last)
        };
        let (id, settled) = (session.id, disposition.settled);
        for run in &runs {
            let state = disposition.state.clone();
            self.events.push_back(outcome(id, run, state, settled));
        }
        Ok(Step::Again)
    }

    /// Tells the sender the state of deliveries `first..=last` received in a session, and settles
    /// them unless the sender is to do so.
    ///
    /// # Errors
    /// If there is no such session.
    pub fn dispose(
        &mut self,
        id: SessionId,
        first: u32,
        last: u32,
        settled: bool,
        state: DeliveryState,
    ) -> Result<(), Misuse> {
        let live = self.sessions.get(&id.0).is_some_and(|session| session.is_live());
        if !live {
            return Err(Misuse::NoSession);
        }
        self.send_disposition(id, Role::Receiver, first, last, settled, Some(state));
        Ok(())
    }

    /// Settles deliveries sent on a link whose cookies are `first..=last`, after the receiver told
    /// their state.
    ///
    /// # Errors
    /// If there is no such session.
    // AMQP 2.8.3: a receiver of mode second waits for this.
    pub fn settle_sent(
        &mut self,
        id: LinkId,
        first: u64,
        last: u64,
        state: Option<&DeliveryState>,
    ) -> Result<(), Misuse> {
        let session = self.sessions.get_mut(&id.session.0).ok_or(Misuse::NoSession)?;
        let runs = session.unsettled.with_cookies(first, last);
        for run in &runs {
            session.unsettled.take(run.first, run.last());
        }
        for run in runs {
            let (first, last) = (run.first as u32, run.last() as u32);
            self.send_disposition(id.session, Role::Sender, first, last, true, state.cloned());
        }
        Ok(())
    }

    fn send_disposition(
        &mut self,
        id: SessionId,
        role: Role,
        first: u32,
        last: u32,
        settled: bool,
        state: Option<DeliveryState>,
    ) {
        let last = Some(last).filter(|last| *last != first);
        let disposition = Disposition { role, first, last, settled, state, batchable: false };
        self.send(id.0, |out| Performative::Disposition(disposition).encode(out));
    }
}

fn outcome(
    session: SessionId,
    run: &Run,
    state: Option<DeliveryState>,
    settled: bool,
) -> Event<'static> {
    let link = LinkId { session, handle: run.handle };
    let last = run.cookie.saturating_add(run.len.saturating_sub(1));
    Event::Outcome(Outcome { link, first: run.cookie, last, state, settled })
}
