//! Messages on their way to the broker: by address, in order, kept until they are settled.

use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;
use wharf_amqp::engine::{Connection, CreditView, OutgoingDelivery};
use wharf_amqp::messaging::{DeliveryState, MESSAGE_FORMAT};
use wharf_amqp::tag::Tag;

use super::content::Encoded;
use super::spot::Spot;
use crate::channels::Reply;
use crate::{Error, WindowLimits};

/// Addresses with a link of their own at a time. Brokers allow a session about a thousand links.
pub(super) const SENDERS_MAX: usize = 256;

/// A message on its way.
pub(super) struct Outbound {
    pub(super) encoded: Encoded,
    pub(super) reply: Reply,
    /// It may have arrived before: a connection broke under it.
    pub(super) again: bool,
}

/// The link to one address, and everything for it.
pub(super) struct Sender {
    pub(super) spot: Spot,
    /// Not on the link yet.
    backlog: VecDeque<Outbound>,
    /// On the link, by cookie from `first` on; those that are settled are gone.
    unsettled: VecDeque<Option<Outbound>>,
    first: u64,
    /// Deliveries on this link, and how many the broker allows.
    sent: u64,
    limit: u64,
    drain: bool,
    /// The largest message the broker takes here; 0 without limit.
    pub(super) size_max_bytes: u64,
    used: Instant,
}

/// What all senders together may keep.
#[derive(Debug)]
pub(super) struct Window {
    limits: WindowLimits,
    messages: usize,
    bytes: usize,
}

impl Window {
    pub(super) fn new(limits: WindowLimits) -> Self {
        Window { limits, messages: 0, bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    pub(super) fn has_room(&self, len: usize) -> bool {
        self.messages == 0
            || (self.messages < self.limits.messages_max
                && self.bytes.saturating_add(len) <= self.limits.size_max_bytes)
    }

    pub(super) fn add(&mut self, len: usize) {
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(len);
    }

    /// A message has ended.
    pub(super) fn end(&mut self, outbound: Outbound, how: Result<(), Error>) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(outbound.encoded.len());
        // Nobody may wait for it.
        let _ = outbound.reply.send(how);
    }
}

impl Sender {
    fn new(spot: Spot) -> Self {
        Sender {
            spot,
            backlog: VecDeque::new(),
            unsettled: VecDeque::new(),
            first: 1,
            sent: 0,
            limit: 0,
            drain: false,
            size_max_bytes: 0,
            used: Instant::now(),
        }
    }

    pub(super) fn push(&mut self, outbound: Outbound) {
        self.used = Instant::now();
        self.backlog.push_back(outbound);
    }

    fn is_idle(&self) -> bool {
        self.backlog.is_empty() && self.unsettled.is_empty()
    }

    /// Whether there is anything to be attached for.
    pub(super) fn has_work(&self) -> bool {
        !self.is_idle()
    }

    /// What the broker allows.
    pub(super) fn allow(&mut self, credit: CreditView) {
        (self.limit, self.drain) = (credit.limit, credit.drain);
    }

    /// Hands over what the broker allows.
    // AMQP 2.6.7
    pub(super) fn pump(&mut self, engine: &mut Connection, presettled: bool, window: &mut Window) {
        let Some((_, link)) = self.spot.attached() else { return };
        while self.sent < self.limit
            && let Some(outbound) = self.backlog.pop_front()
        {
            let max_bytes = self.size_max_bytes;
            if max_bytes > 0 && outbound.encoded.len() as u64 > max_bytes {
                window.end(outbound, Err(Error::MessageTooLarge { max_bytes }));
                continue;
            }
            let cookie = self.first.saturating_add(self.unsettled.len() as u64);
            let delivery = OutgoingDelivery {
                cookie,
                tag: tag_of(cookie),
                message_format: MESSAGE_FORMAT,
                settled: presettled,
                payload: outbound.encoded.payload(outbound.again),
            };
            if engine.deliver(link, delivery).is_err() {
                // The link is on its way out; it will be told.
                self.backlog.push_front(outbound);
                return;
            }
            self.sent = self.sent.saturating_add(1);
            self.unsettled.push_back(Some(outbound));
        }
        if self.drain && self.sent < self.limit {
            self.drain = false;
            let _ = engine.drained(link);
        }
    }

    /// The broker's word on deliveries.
    pub(super) fn settle(
        &mut self,
        (first, last): (u64, u64),
        state: Option<&DeliveryState>,
        window: &mut Window,
    ) {
        for cookie in first..=last {
            let place =
                cookie.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
            let kept = place.and_then(|place| self.unsettled.get_mut(place));
            if let Some(outbound) = kept.and_then(Option::take) {
                window.end(outbound, outcome(state));
            }
        }
        while self.unsettled.pop_front_if(|kept| kept.is_none()).is_some() {
            self.first = self.first.saturating_add(1);
        }
        if state == Some(&DeliveryState::Accepted) {
            self.spot.worked();
        }
    }

    /// The link is gone: what is unsettled is sent again on the next, and says so.
    pub(super) fn unbind(&mut self) {
        self.first = self.first.saturating_add(self.unsettled.len() as u64);
        for mut outbound in std::mem::take(&mut self.unsettled).into_iter().flatten().rev() {
            outbound.again = true;
            self.backlog.push_front(outbound);
        }
        (self.sent, self.limit, self.drain, self.size_max_bytes) = (0, 0, false, 0);
    }

    /// Everything for this address has ended.
    fn fail(self, why: &Error, window: &mut Window) {
        for outbound in self.unsettled.into_iter().flatten().chain(self.backlog) {
            window.end(outbound, Err(why.clone()));
        }
    }

    fn into_replies(self) -> (impl Iterator<Item = Reply>, impl Iterator<Item = Reply>) {
        let (old, new): (Vec<_>, Vec<_>) =
            self.backlog.into_iter().partition(|outbound| outbound.again);
        let sent = self.unsettled.into_iter().flatten().chain(old);
        (sent.map(|it| it.reply), new.into_iter().map(|it| it.reply))
    }
}

/// The meaning of a delivery's last state.
fn outcome(state: Option<&DeliveryState>) -> Result<(), Error> {
    Err(match state {
        Some(DeliveryState::Accepted) => return Ok(()),
        Some(DeliveryState::Rejected(error)) => {
            let told = error.as_deref();
            Error::MessageRejected {
                condition: told.map(|error| error.condition.to_string()).unwrap_or_default(),
                description: told.and_then(|it| it.description.clone()).unwrap_or_default(),
            }
        }
        Some(DeliveryState::Released) => Error::MessageReleased,
        Some(DeliveryState::Modified(modified)) => Error::MessageModified {
            failed: modified.delivery_failed.unwrap_or(false),
            elsewhere: modified.undeliverable_here.unwrap_or(false),
        },
        // Settled without a word on what became of it.
        _ => Error::Uncertain,
    })
}

/// The shortest tag that no other delivery of the link has.
fn tag_of(cookie: u64) -> Tag {
    let octets = cookie.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count().min(7);
    Tag::new(octets.get(zeros..).unwrap_or_default()).unwrap_or_default()
}

/// All senders, by number and by address.
#[derive(Default)]
pub(super) struct Senders {
    slots: Vec<Option<Sender>>,
    by_address: HashMap<String, usize>,
}

impl Senders {
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Sender> {
        self.slots.get_mut(number)?.as_mut()
    }

    pub(super) fn of_address(&self, address: &str) -> Option<usize> {
        self.by_address.get(address).copied()
    }

    pub(super) fn numbers(&self) -> std::ops::Range<usize> {
        0..self.slots.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.by_address.len() >= SENDERS_MAX
    }

    pub(super) fn insert(&mut self, spot: Spot) -> usize {
        let free = self.slots.iter().position(Option::is_none);
        let number = free.unwrap_or(self.slots.len());
        if free.is_none() {
            self.slots.push(None);
        }
        self.by_address.insert(spot.address.clone(), number);
        if let Some(slot) = self.slots.get_mut(number) {
            *slot = Some(Sender::new(spot));
        }
        number
    }

    fn remove(&mut self, number: usize) -> Option<Sender> {
        let sender = self.slots.get_mut(number)?.take()?;
        self.by_address.remove(&sender.spot.address);
        Some(sender)
    }

    /// Takes out the sender that was used least lately, if one has nothing to do.
    pub(super) fn evict(&mut self) -> Option<(usize, Spot)> {
        let idle = |(number, slot): (usize, &Option<Sender>)| {
            let sender = slot.as_ref().filter(|sender| sender.is_idle())?;
            Some((sender.used, number))
        };
        let (_, number) = self.slots.iter().enumerate().filter_map(idle).min()?;
        Some((number, self.remove(number)?.spot))
    }

    /// Everything for the address of this sender has ended.
    pub(super) fn fail(&mut self, number: usize, why: &Error, window: &mut Window) {
        if let Some(sender) = self.remove(number) {
            sender.fail(why, window);
        }
    }

    /// Who waits for what was sent, and for what was not.
    pub(super) fn into_replies(self) -> (Vec<Reply>, Vec<Reply>) {
        let (mut sent, mut unsent) = (Vec::new(), Vec::new());
        for sender in self.slots.into_iter().flatten() {
            let (old, new) = sender.into_replies();
            sent.extend(old);
            unsent.extend(new);
        }
        (sent, unsent)
    }
}
