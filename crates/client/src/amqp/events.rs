//! What is done with each event of a connection, and with its end.

use std::time::Duration;

use tokio::time::Instant;
use wharf_amqp::condition::{Condition, Error as Told};
use wharf_amqp::engine::{By, Event, Input, LinkId, Outcome, Transferred};
use wharf_amqp::performative::Attach;

use super::directions::{Leads, connection_closed, leads, link_gone};
use super::lane::{End, Up};
use super::receivers::unreadable;
use super::spot::{LaneId, Spot};
use super::task::Task;
use crate::net::Place;
use crate::{Error, State};

/// A connection that lasted so long was where it was meant to be: a redirect after that is the
/// first of its trail, even if nothing was sent or received.
const TRAIL_KEPT: Duration = Duration::from_secs(10);

impl Task {
    /// Everything that some input says.
    pub(super) fn handle_events(&mut self, up: &mut Up, mut input: Input<'_>) {
        while let Some(event) = up.engine.poll_event(&mut input) {
            self.handle(up, event);
            if up.failure.is_some() {
                break;
            }
        }
        // Their links are still there: the peer has settled without saying how.
        for (link, first, last) in std::mem::take(&mut up.undecided) {
            if let Some(End::Sender(number)) = up.ends.get(&link).copied()
                && let Some(sender) = self.ends.senders.get_mut(number)
            {
                sender.settle((first, last), None, &mut self.ends.window);
            }
        }
    }

    fn handle(&mut self, up: &mut Up, event: Event<'_>) {
        match event {
            Event::SaslMechanisms(_)
            | Event::SaslChallenge(_)
            | Event::SaslOutcome(_)
            | Event::Opened(_) => up.handle_opening(event),
            Event::Begun(session, _) if up.session == Some(session) => self.begun(up),
            Event::Attaching(link, attach) => {
                let told = Told::new(Condition::NotAllowed, "this side asks for links");
                let _ = up.engine.refuse_attach(link, &attach, told);
            }
            Event::Attached(link, attach) => self.attached(up, link, &attach),
            Event::Transferred(transferred) => self.transferred(up, &transferred),
            Event::Credit(link, credit) => {
                if let Some(End::Sender(number)) = up.ends.get(&link).copied()
                    && let Some(sender) = self.ends.senders.get_mut(number)
                {
                    sender.allow(credit);
                    sender.pump(&mut up.engine, self.options.presettled, &mut self.ends.window);
                }
            }
            Event::Outcome(outcome) => self.outcome(up, outcome),
            Event::Aborted(link) => {
                if let Some(End::Receiver(number)) = up.ends.get(&link).copied()
                    && let Some(receiver) = self.ends.receivers.get(number)
                {
                    receiver.top_up(&mut up.engine);
                }
            }
            Event::Detached { link, error, .. } => {
                let error = error.map(|(_, told)| told);
                self.detached(up, link, error.as_ref());
            }
            Event::Ended { session, error } if up.session == Some(session) => {
                // Links live in it: without it the connection is of no use.
                up.undecided.clear();
                up.fail(match error {
                    Some((By::Local, told)) => Error::Amqp(told.to_string()),
                    told => {
                        let told = told.map(|(_, told)| told);
                        let condition = told.as_ref().map(|told| told.condition.to_string());
                        let description = told.and_then(|told| told.description);
                        Error::ConnectionClosed {
                            condition: condition.unwrap_or_default(),
                            description: description.unwrap_or_default(),
                        }
                    }
                });
            }
            Event::Closed(closed) => up.closed = Some(closed),
            // A session of the peer's own, of which nothing comes. Deliveries that never left are
            // kept with their link. What this side never asks for.
            Event::Begun(..)
            | Event::Ended { .. }
            | Event::Unsent { .. }
            | Event::Drained(_)
            | Event::SaslInit(_)
            | Event::SaslResponse(_) => {}
        }
    }

    /// Links can be asked for.
    fn begun(&mut self, up: &mut Up) {
        up.begun = true;
        self.again = true;
        if self.home.lane == Some(up.id) {
            self.home.last.clone_from(&up.place);
            let recovered = self.home.opened;
            self.home.opened = recovered.saturating_add(1);
            self.set_state(State::Open { recovered });
        }
    }

    fn attached(&mut self, up: &mut Up, link: LinkId, attach: &Attach) {
        match up.ends.get(&link).copied() {
            // AMQP 2.6.3: without the peer's terminus it is refused, and the reason follows.
            Some(End::Sender(number)) if attach.target.is_some() => {
                let Some(sender) = self.ends.senders.get_mut(number) else { return };
                sender.spot.grant();
                sender.size_max_bytes = attach.max_message_size.unwrap_or(0);
                sender.pump(&mut up.engine, self.options.presettled, &mut self.ends.window);
            }
            Some(End::Receiver(number)) if attach.source.is_some() => {
                let Some(receiver) = self.ends.receivers.get_mut(number) else { return };
                let first = !receiver.spot.proven;
                receiver.spot.grant();
                receiver.top_up(&mut up.engine);
                if first && let Some(mut asking) = self.ends.asking.take() {
                    asking.left = asking.left.saturating_sub(1);
                    if asking.left == 0 {
                        let _ = asking.reply.send(Ok(()));
                    } else {
                        self.ends.asking = Some(asking);
                    }
                }
            }
            _ => {}
        }
    }

    fn transferred(&mut self, up: &mut Up, transferred: &Transferred<'_>) {
        let Some(End::Receiver(number)) = up.ends.get(&transferred.link).copied() else { return };
        let Some(receiver) = self.ends.receivers.get_mut(number) else { return };
        up.useful = true;
        // Without handles there is nobody to deliver to.
        let Some(reports) = self.channels.reports.upgrade() else { return };
        match receiver.deliver(number, transferred, reports) {
            Some(delivery) => drop(self.channels.deliveries.send(delivery)),
            None => {
                receiver.top_up(&mut up.engine);
                if !transferred.settled {
                    up.decide(transferred.delivery_id, unreadable());
                }
            }
        }
    }

    fn outcome(&mut self, up: &mut Up, outcome: Outcome) {
        let Outcome { link, first, last, state, settled } = outcome;
        let Some(End::Sender(number)) = up.ends.get(&link).copied() else { return };
        let Some(sender) = self.ends.senders.get_mut(number) else { return };
        match &state {
            None => up.undecided.push((link, first, last)),
            // AMQP 3.4: not the last word yet.
            Some(state) if !state.is_outcome() => return,
            Some(_) => {
                up.useful = true;
                sender.settle((first, last), state.as_ref(), &mut self.ends.window);
            }
        }
        if !settled {
            let _ = up.engine.settle_sent(link, first, last, state.as_ref());
        }
        // There may be room for what waits.
        self.again = true;
    }

    /// A link is gone, or was refused.
    fn detached(&mut self, up: &mut Up, link: LinkId, told: Option<&Told>) {
        up.undecided.retain(|(of, ..)| *of != link);
        let Some(end) = up.ends.remove(&link) else { return };
        self.unbind(end);
        let Some(spot) = self.spot_mut(end) else { return };
        let because = match told.map_or(Leads::Nowhere, |told| leads(told, &up.place)) {
            Leads::Nowhere => link_gone(&spot.address, told),
            Leads::Astray(fault) => Error::Redirect(fault),
            Leads::To(place, address) => match spot.redirect(&up.place, place, address) {
                Ok(()) => {
                    self.ends.free.insert(end);
                    self.again = true;
                    return;
                }
                Err(fault) => Error::Redirect(fault),
            },
        };
        self.retry(end, because);
    }

    pub(super) fn spot_mut(&mut self, end: End) -> Option<&mut Spot> {
        match end {
            End::Sender(number) => Some(&mut self.ends.senders.get_mut(number)?.spot),
            End::Receiver(number) => Some(&mut self.ends.receivers.get_mut(number)?.spot),
        }
    }

    /// The link under an end is gone, with everything on it.
    fn unbind(&mut self, end: End) {
        if let End::Sender(number) = end
            && let Some(sender) = self.ends.senders.get_mut(number)
        {
            sender.unbind();
        }
    }

    /// An end is to have a link again, where it had it first, unless it is time to give up.
    pub(super) fn retry(&mut self, end: End, because: Error) {
        self.again = true;
        let Some(spot) = self.spot_mut(end) else { return };
        let Err(why) = spot.retry(because, Instant::now()) else {
            self.ends.free.insert(end);
            return;
        };
        match end {
            End::Sender(number) => {
                self.ends.free.remove(&end);
                self.ends.senders.fail(number, &why, &mut self.ends.window);
            }
            End::Receiver(_) if self.ends.asking.is_some() => self.refuse_wish(why),
            // As with MBWS: a client that may not receive any more has ended.
            End::Receiver(_) => self.lost = Some(why),
        }
    }

    /// A connection could not be opened.
    pub(super) fn lane_failed(&mut self, id: LaneId, asked: &Place, because: Error) {
        if self.home.lane != Some(id) {
            self.ends_lost(id, asked, &because);
        } else if because.is_passing() {
            self.recover(because, Instant::now());
        } else {
            self.lost = Some(because);
        }
    }

    /// A connection is over.
    pub(super) fn lane_over(&mut self, asked: &Place, mut up: Up) {
        let (next, because) = ending(&mut up);
        if self.home.lane != Some(up.id) {
            self.ends_lost(up.id, asked, &because);
            return self.retire(up);
        }
        for end in std::mem::take(&mut up.ends).into_values() {
            self.unbind(end);
            if let Some(spot) = self.spot_mut(end) {
                spot.free();
                self.ends.free.insert(end);
            }
        }
        let now = Instant::now();
        let age = now.duration_since(up.since);
        if up.useful || age > TRAIL_KEPT {
            up.trail.forget();
        }
        self.home.outage.session_lost(age, up.useful, now);
        let mut trail = up.trail.clone();
        // WSB-060
        let because = match next.map(|next| (trail.follow((&up.place, ""), (&next, "")), next)) {
            Some((Ok(()), next)) => {
                self.home.lane = Some(self.open_lane(next, trail));
                return self.retire(up);
            }
            Some((Err(fault), _)) => Error::Redirect(fault),
            None => because,
        };
        self.retire(up);
        if because.is_passing() {
            self.recover(because, now);
        } else {
            self.lost = Some(because);
        }
    }

    /// What was served elsewhere is asked for at home again.
    fn ends_lost(&mut self, id: LaneId, asked: &Place, because: &Error) {
        let is_lost = |spot: &mut Spot| match spot.at() {
            Some((lane, _)) => lane == id,
            None => spot.place.as_ref() == Some(asked),
        };
        let senders: Vec<usize> = self.ends.senders.numbers().collect();
        let receivers = 0..self.ends.receivers.len();
        let all = senders.into_iter().map(End::Sender).chain(receivers.map(End::Receiver));
        for end in all {
            if self.spot_mut(end).is_some_and(is_lost) {
                self.unbind(end);
                self.retry(end, because.clone());
            }
        }
    }
}

/// Where a connection that is over says to go, and why it is over.
fn ending(up: &mut Up) -> (Option<Place>, Error) {
    if let Some(failure) = up.failure.take() {
        return (None, failure);
    }
    let Some(closed) = &up.closed else { return (None, Error::Timeout) };
    match closed.error.as_ref().map(|told| leads(told, &up.place)) {
        Some(Leads::To(place, _)) => (Some(place), connection_closed(closed)),
        Some(Leads::Astray(fault)) => (None, Error::Redirect(fault)),
        Some(Leads::Nowhere) | None => (None, connection_closed(closed)),
    }
}
