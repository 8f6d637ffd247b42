//! Dispositions, both ways (AMQP 2.6.12, 2.7.6).

use super::connection::{Connection, Fault};
use super::event::{Event, LinkId, Misuse, SessionId};
use super::outgoing::outcome;
use super::session::Session;
use super::violation::Violation;
use crate::messaging::{DeliveryState, Modified};
use crate::performative::{Disposition, Performative, Role};
use std::collections::VecDeque;

impl Session {
    pub(super) fn on_disposition(
        &mut self,
        disposition: &Disposition,
        events: &mut VecDeque<Event<'static>>,
    ) -> Result<(), Fault> {
        // A sender that settles what it sent: nothing is kept of it here.
        if disposition.role == Role::Sender {
            return Ok(());
        }
        let Disposition { first, last, settled, state, .. } = disposition;
        let last = last.unwrap_or(*first);
        // AMQP 2.8.10: more than half of the circle ahead is behind.
        if last.wrapping_sub(*first) > u32::MAX / 2 {
            let why = Violation::InvalidField("last is before first");
            return Err(Fault::Session(self.id, why));
        }
        let Some((first, last)) = self.sent_range(*first, last) else { return Ok(()) };
        let id = self.id;
        let tell = |run| events.push_back(outcome(id, &run, state.clone(), *settled));
        if *settled {
            self.unsettled.take(first, last, tell);
        } else {
            self.unsettled.each(first, last, tell);
        }
        Ok(())
    }

    /// The whole ids of a range, as far as they were given to deliveries.
    fn sent_range(&self, first: u32, last: u32) -> Option<(u64, u64)> {
        let newest = self.next_delivery.checked_sub(1)?;
        match (self.sent_id(first), self.sent_id(last)) {
            (Some(first), Some(last)) if first <= last => Some((first, last)),
            // Beyond what was sent.
            (Some(first), _) => Some((first, newest)),
            // From before the first.
            (None, Some(last)) => Some((0, last)),
            (None, None) => None,
        }
    }
}

impl Connection {
    /// Tells the sender the state of deliveries `first..=last` received in a session, and settles
    /// them unless the sender is to do so. What does not fit a frame that the peer takes is told
    /// without its details.
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
        let session = self.sessions.get_mut(&id.session.0).filter(|s| s.is_live());
        let unsettled = &mut session.ok_or(Misuse::NoSession)?.unsettled;
        let runs = unsettled.with_cookies(id.handle, first, last);
        for run in &runs {
            unsettled.take(run.first, run.last(), |_| {});
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
        let mut disposition = Performative::Disposition(disposition);
        if !self.send(id.0, |out| disposition.encode(out)) {
            if let Performative::Disposition(long) = &mut disposition {
                long.state = long.state.take().and_then(in_short);
            }
            self.send(id.0, |out| disposition.encode(out));
        }
    }
}

/// A state without what a peer with small frames need not know.
fn in_short(state: DeliveryState) -> Option<DeliveryState> {
    match state {
        DeliveryState::Rejected(error) => {
            let short = |error: Box<crate::condition::Error>| Box::new(error.condition.into());
            Some(DeliveryState::Rejected(error.map(short)))
        }
        DeliveryState::Modified(modified) => {
            let message_annotations = Vec::new();
            Some(DeliveryState::Modified(Box::new(Modified { message_annotations, ..*modified })))
        }
        _ => None,
    }
}
