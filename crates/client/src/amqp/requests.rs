//! What the application asks for: messages to send, decisions on deliveries, a wish to receive, and
//! the end.

use std::collections::BTreeSet;
use std::task::{Context, Poll};

use super::content;
use super::lane::{End, Lane};
use super::receivers::{Asking, Receiver, state_of};
use super::senders::Outbound;
use super::spot::Spot;
use super::task::Task;
use crate::Error;
use crate::channels::{Control, Decision, Outgoing, Reply, Ticket, What, Wish};

impl Task {
    pub(super) fn poll_controls(&mut self, cx: &mut Context<'_>) {
        let mut close = false;
        let mut decided = false;
        while let Poll::Ready(control) = self.channels.controls.poll_recv(cx) {
            match control {
                Some(Control::Decide(ticket, decision)) => {
                    decided = true;
                    self.decide(ticket, decision);
                }
                Some(Control::Close) => close = true,
                None => {
                    close = true;
                    break;
                }
            }
        }
        if decided {
            for receiver in &self.ends.receivers {
                let lane = receiver.spot.attached().and_then(|(id, _)| self.lanes.get_mut(&id));
                if let Some(up) = lane.and_then(Lane::ready) {
                    receiver.top_up(&mut up.engine);
                }
            }
        }
        if close {
            self.channels.sends.close();
            self.closing.begin(self.options.close_timeout);
        }
    }

    fn decide(&mut self, ticket: Ticket, decision: Decision) {
        let receiver = self.ends.receivers.get_mut(ticket.link);
        // Those of an earlier link went back when it ended.
        let receiver = receiver.filter(|receiver| receiver.generation == ticket.generation);
        let Some(receiver) = receiver else { return };
        let Some((id, _)) = receiver.spot.attached() else { return };
        receiver.decided();
        let Some(up) = self.lanes.get_mut(&id).and_then(Lane::ready) else { return };
        if !ticket.settled
            && let Ok(delivery_id) = u32::try_from(ticket.seq)
        {
            up.decide(delivery_id, state_of(decision));
        }
    }

    pub(super) fn poll_sends(&mut self, cx: &mut Context<'_>) {
        loop {
            let (address, outbound) = match self.held.take() {
                Some(held) => held,
                None => match self.channels.sends.poll_recv(cx) {
                    Poll::Ready(Some(outgoing)) => match self.prepare(outgoing) {
                        Some(next) => next,
                        None => continue,
                    },
                    Poll::Ready(None) => {
                        self.sends_ended = true;
                        return;
                    }
                    Poll::Pending => return,
                },
            };
            if let Some(back) = self.send(address, outbound) {
                self.held = Some(back);
                return;
            }
        }
    }

    /// Encodes a message. What cannot be sent is answered, and so is a wish.
    fn prepare(&mut self, outgoing: Outgoing) -> Option<(String, Outbound)> {
        let Outgoing { what, reply } = outgoing;
        match what {
            What::Message(message) => match content::encode(message) {
                Ok((address, encoded)) => {
                    Some((address, Outbound { encoded, reply, again: false }))
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                    None
                }
            },
            What::Consume(wish) => {
                self.consume(wish, reply);
                None
            }
        }
    }

    /// Puts a message on its way; gives it back if there is no room.
    fn send(&mut self, address: String, outbound: Outbound) -> Option<(String, Outbound)> {
        let len = outbound.encoded.len();
        if !self.ends.window.has_room(len) {
            return Some((address, outbound));
        }
        let number = match self.ends.senders.of_address(&address) {
            Some(number) => number,
            None => {
                if self.ends.senders.is_full() && !self.evict_sender() {
                    return Some((address, outbound));
                }
                let spot = self.spot(address);
                self.ends.senders.insert(spot)
            }
        };
        self.ends.window.add(len);
        let sender = self.ends.senders.get_mut(number)?;
        sender.push(outbound);
        if sender.spot.at().is_none() {
            self.ends.free.insert(End::Sender(number));
        }
        let lane = sender.spot.attached().and_then(|(id, _)| self.lanes.get_mut(&id));
        if let Some(up) = lane.and_then(Lane::ready) {
            sender.pump(&mut up.engine, self.options.presettled, &mut self.ends.window);
        }
        None
    }

    /// Makes room for another address.
    fn evict_sender(&mut self) -> bool {
        let Some((number, spot)) = self.ends.senders.evict() else { return false };
        self.ends.free.remove(&End::Sender(number));
        self.leave(&spot, true);
        true
    }

    /// Gives a link up, before others are asked for.
    fn leave(&mut self, spot: &Spot, closed: bool) {
        self.ends.leaving.extend(spot.at().map(|at| (at, closed)));
        self.again = true;
    }

    fn spot(&self, address: String) -> Spot {
        Spot::new(address, self.options.retry, self.options.follow_less_secure)
    }

    /// The application wants to receive.
    fn consume(&mut self, wish: Wish, reply: Reply) {
        let Wish { mut addresses, credit, subscription } = wish;
        // Naming an address twice is naming it once.
        let mut known = BTreeSet::new();
        addresses.retain(|address| known.insert(address.clone()));
        if subscription.is_some() && self.options.container.is_none() {
            let _ = reply.send(Err(Error::ContainerUnnamed));
            return;
        }
        if addresses.is_empty() {
            let _ = reply.send(Err(Error::NotInProtocol("no receiving without an address")));
            return;
        }
        let single = addresses.len() == 1;
        self.ends.asking = Some(Asking { reply, left: addresses.len() });
        for address in addresses {
            // AMQP 2.6.1: the name of the link is that of the subscription.
            let name = match &subscription {
                Some(subscription) if single => subscription.clone(),
                Some(subscription) => format!("{subscription}/{address}"),
                None => address.clone(),
            };
            let spot = self.spot(address);
            self.ends.free.insert(End::Receiver(self.ends.receivers.len()));
            let receiver = Receiver::new(spot, name, subscription.is_some(), credit);
            self.ends.receivers.push(receiver);
        }
    }

    /// What cannot be received: the wish is taken back, and with it all its links.
    pub(super) fn refuse_wish(&mut self, why: Error) {
        let Some(asking) = self.ends.asking.take() else { return };
        for receiver in std::mem::take(&mut self.ends.receivers) {
            // AMQP 2.6.6: closing would end the subscription.
            self.leave(&receiver.spot, !receiver.durable);
        }
        self.ends.free.retain(|end| matches!(end, End::Sender(_)));
        let _ = asking.reply.send(Err(why));
    }
}
