//! Links are asked for, each on the connection to where its address is.

use std::task::Context;

use wharf_amqp::engine::{AttachAnswer, AttachRequest, LinkId, Misuse};
use wharf_amqp::messaging::{
    Source, Target, TargetArchetype, TerminusDurability, TerminusExpiryPolicy,
};
use wharf_amqp::performative::{ReceiverSettleMode, Role, SenderSettleMode};

use super::lane::{End, Lane, Up};
use super::spot::{LaneId, Stage};
use super::task::{LANES_MAX, Task};
use crate::net::{Place, RedirectFault, Trail};
use crate::{Error, Options};

impl Task {
    /// Asks for the links that are wanted and due.
    pub(super) fn attach_free(&mut self, cx: &mut Context<'_>) {
        // First: their names and numbers may be used again.
        for ((id, link), closed) in std::mem::take(&mut self.ends.leaving) {
            if let Some(up) = self.lanes.get_mut(&id).and_then(Lane::ready) {
                up.ends.remove(&link);
                // It may be gone already.
                let _ = up.engine.detach(link, closed, None);
            }
        }
        let wanting: Vec<End> = self.ends.free.iter().copied().collect();
        for end in wanting {
            let Some(spot) = self.spot_mut(end) else {
                self.ends.free.remove(&end);
                continue;
            };
            if !spot.poll_due(cx) {
                continue;
            }
            let place = spot.place.clone();
            match self.lane_of(place) {
                Ok(Some(id)) => self.attach_on(id, end),
                // It is being opened.
                Ok(None) => {}
                Err(because) => self.retry(end, because),
            }
        }
    }

    /// The connection to a place, opened if there is none.
    fn lane_of(&mut self, place: Option<Place>) -> Result<Option<LaneId>, Error> {
        let Some(place) = place else { return Ok(self.home.lane) };
        let is_there = |(_, lane): &(&LaneId, &Lane)| lane.asked == place;
        if let Some((id, _)) = self.lanes.iter().find(is_there) {
            return Ok(Some(*id));
        }
        if self.lanes.len() >= LANES_MAX {
            return Err(Error::Redirect(RedirectFault::TooMany));
        }
        let trail = Trail::new(self.options.follow_less_secure);
        self.open_lane(place, trail);
        Ok(None)
    }

    fn attach_on(&mut self, id: LaneId, end: End) {
        let Some(up) = self.lanes.get_mut(&id).and_then(Lane::ready) else { return };
        let asked = match end {
            End::Sender(number) => {
                let Some(sender) = self.ends.senders.get_mut(number) else { return };
                if !sender.has_work() {
                    // It is asked for with the next message.
                    self.ends.free.remove(&end);
                    return;
                }
                let terms = sending_terms(&sender.spot.remote, &self.options);
                let asked = ask(up, sender.spot.address.clone(), Role::Sender, terms);
                asked.map(|link| sender.spot.stage = Stage::Asked((id, link)))
            }
            End::Receiver(number) => {
                let Some(receiver) = self.ends.receivers.get_mut(number) else { return };
                let terms = receiving_terms(&receiver.spot.remote, receiver.durable, &self.options);
                let asked = ask(up, receiver.name.clone(), Role::Receiver, terms);
                self.ends.generation = self.ends.generation.saturating_add(1);
                receiver.bind(self.ends.generation);
                asked.map(|link| receiver.spot.stage = Stage::Asked((id, link)))
            }
        };
        let link = self.spot_mut(end).and_then(|spot| spot.at()).map(|(_, link)| link);
        let up = self.lanes.get_mut(&id).and_then(Lane::ready);
        match (asked, link, up) {
            (Ok(()), Some(link), Some(up)) => {
                up.ends.insert(link, end);
                self.ends.free.remove(&end);
            }
            // No handle is free: others may become so.
            _ => self.retry(end, Error::Timeout),
        }
    }
}

fn ask(up: &mut Up, name: String, role: Role, terms: AttachAnswer) -> Result<LinkId, Misuse> {
    let session = up.session.ok_or(Misuse::NoSession)?;
    up.engine.attach(session, AttachRequest { name, role, terms })
}

fn sending_terms(address: &str, options: &Options) -> AttachAnswer {
    let mode =
        if options.presettled { SenderSettleMode::Settled } else { SenderSettleMode::Unsettled };
    let target = Target { address: Some(address.to_owned()), ..Target::default() };
    AttachAnswer {
        source: Some(Source::default()),
        target: Some(TargetArchetype::Target(target)),
        snd_settle_mode: Some(mode),
        rcv_settle_mode: Some(ReceiverSettleMode::First),
        ..AttachAnswer::default()
    }
}

fn receiving_terms(address: &str, durable: bool, options: &Options) -> AttachAnswer {
    let mode =
        if options.presettled { SenderSettleMode::Settled } else { SenderSettleMode::Unsettled };
    let mut source = Source { address: Some(address.to_owned()), ..Source::default() };
    if durable {
        source.durable = TerminusDurability::UnsettledState;
        source.expiry_policy = TerminusExpiryPolicy::Never;
    }
    AttachAnswer {
        source: Some(source),
        target: Some(TargetArchetype::Target(Target::default())),
        snd_settle_mode: Some(mode),
        rcv_settle_mode: Some(ReceiverSettleMode::First),
        message_size_max_bytes: options.message_size_max_bytes as u64,
        ..AttachAnswer::default()
    }
}
