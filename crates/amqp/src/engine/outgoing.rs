//! Deliveries sent: in the order given, as far as the peer's window and credit go, in frames of
//! the peer's size (AMQP 2.5.6, 2.6.7, 2.6.14).

use super::connection::{Connection, PeerLimits, Stage};
use super::event::{CreditView, Event, LinkId, Misuse, Outcome, SessionId};
use super::link::Link;
use super::runs::Run;
use super::session::{OutgoingWindow, Session};
use crate::codec::Composite;
use crate::frame::{FRAME_HEADER_BYTES, put_frame};
use crate::messaging::DeliveryState;
use crate::performative::{Flow, Performative, Transfer};
use crate::tag::Tag;
use bytes::Bytes;
use std::collections::BTreeSet;

/// A message to send.
#[derive(Clone, Debug)]
pub struct OutgoingDelivery {
    /// The caller's name for it; deliveries that follow each other best have cookies that do.
    pub cookie: u64,
    /// The tag, unique among the unsettled deliveries of the link.
    pub tag: Tag,
    /// Message format code.
    pub message_format: u32,
    /// Sent settled; its `Outcome` says accepted as soon as it is on the wire.
    pub settled: bool,
    /// The encoded message: what was put before it, and the rest.
    pub payload: [Bytes; 2],
}

/// What waits in a session.
#[derive(Debug)]
pub(super) enum Queued {
    Delivery {
        handle: u32,
        delivery: OutgoingDelivery,
        begun: Option<Begun>,
    },
    /// The rest of the link's credit goes back.
    Drained {
        handle: u32,
    },
}

/// A delivery whose first frame is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    id: u64,
    /// Octets of the payload sent.
    sent_bytes: usize,
}

impl Connection {
    /// Queues a delivery on a link that sends. It leaves when window and credit allow.
    ///
    /// # Errors
    /// If there is no such link, or it receives.
    pub fn deliver(&mut self, id: LinkId, delivery: OutgoingDelivery) -> Result<(), Misuse> {
        if !self.link_mut(id)?.is_sender() {
            return Err(Misuse::WrongDirection);
        }
        self.wake(id);
        if let Some(session) = self.sessions.get_mut(&id.session.0) {
            session.queue.push_back(Queued::Delivery { handle: id.handle, delivery, begun: None });
        }
        Ok(())
    }

    /// Gives the rest of the credit of a link back, behind what is queued.
    ///
    /// # Errors
    /// If there is no such link, or it receives.
    pub fn drained(&mut self, id: LinkId) -> Result<(), Misuse> {
        if !self.link_mut(id)?.is_sender() {
            return Err(Misuse::WrongDirection);
        }
        self.wake(id);
        if let Some(session) = self.sessions.get_mut(&id.session.0) {
            session.queue.push_back(Queued::Drained { handle: id.handle });
        }
        Ok(())
    }

    /// Appends the next unit of output: a protocol header, or frames, about `budget` octets of
    /// them. 0: nothing is left, or what is left waits for the peer.
    ///
    /// Poll events again afterwards: deliveries sent settled are told as outcomes.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>, budget: usize) -> usize {
        let start = out.len();
        if self.outbound.pop(out) || !self.opened || self.stage != Stage::Open {
            return out.len().saturating_sub(start);
        }
        let full_at = start.saturating_add(budget);
        // WSB-038: frames share a unit.
        while out.len() < full_at {
            let Some(id) = self.awake.pop_first() else { break };
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            session.put_flows(out);
            if session.put_deliveries(out, full_at, self.peer, &mut self.events) {
                self.awake.insert(id);
            }
        }
        if out.len() > start {
            self.timers.spoke = true;
        }
        out.len().saturating_sub(start)
    }

    /// The session has something to send.
    pub(super) fn wake(&mut self, id: LinkId) {
        self.awake.insert(id.session.0);
    }

    pub(super) fn has_session_output(&self) -> bool {
        self.opened && self.stage == Stage::Open && !self.awake.is_empty()
    }

    pub(super) fn credit_of<'a>(id: LinkId, link: &mut Link, flow: &Flow) -> Option<Event<'a>> {
        link.allow(flow.delivery_count, flow.link_credit.unwrap_or(0));
        link.sending.drain = flow.drain;
        let limit = link.sending.limit;
        Some(Event::Credit(id, CreditView { limit, drain: flow.drain }))
    }
}

/// Sessions with something to send.
pub(super) type Awake = BTreeSet<u16>;

/// What a link that is detached leaves behind.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) events: Vec<Event<'static>>,
    pub(super) partial_bytes: Option<u64>,
}

impl Session {
    /// Says what changed of windows and credit.
    fn put_flows(&mut self, out: &mut Vec<u8>) {
        let mut said = false;
        if self.link_flows_due {
            self.link_flows_due = false;
            let base = self.flow();
            for (handle, link) in &mut self.links {
                if std::mem::take(&mut link.flow_due) {
                    put_flow(out, self.id, link.flow(*handle, base.clone()));
                    said = true;
                }
            }
        }
        if std::mem::take(&mut self.flow_due) && !said {
            put_flow(out, self.id, self.flow());
        }
    }

    /// Sends what window and credit allow, up to `full_at`. Says whether there is more to send now.
    fn put_deliveries(
        &mut self,
        out: &mut Vec<u8>,
        full_at: usize,
        peer: PeerLimits,
        events: &mut std::collections::VecDeque<Event<'static>>,
    ) -> bool {
        let mut settled = SentSettled { session: self.id, run: None };
        let mut more = false;
        while let Some(next) = self.queue.pop_front() {
            let (handle, delivery, begun) = match next {
                Queued::Drained { handle } => {
                    self.put_drained(out, handle);
                    continue;
                }
                Queued::Delivery { handle, delivery, begun } => (handle, delivery, begun),
            };
            let Some(link) = self.links.get_mut(&handle) else { continue };
            if begun.is_none() && !link.sending.has_credit() {
                link.sending.stalled.push_back(delivery);
                continue;
            }
            if self.outgoing.window == 0 || out.len() >= full_at {
                more = self.outgoing.window > 0;
                self.queue.push_front(Queued::Delivery { handle, delivery, begun });
                break;
            }
            let mut begun = begun.unwrap_or_else(|| {
                link.delivery_count = link.delivery_count.wrapping_add(1);
                link.sending.sent = link.sending.sent.saturating_add(1);
                let id = self.next_delivery;
                self.next_delivery = id.saturating_add(1);
                Begun { id, sent_bytes: 0 }
            });
            let line = Line { channel: self.id.0, handle, peer, full_at };
            if !line.put(out, &delivery, &mut begun, &mut self.outgoing) {
                more = self.outgoing.window > 0;
                let begun = Some(begun);
                self.queue.push_front(Queued::Delivery { handle, delivery, begun });
                break;
            }
            if delivery.settled {
                settled.add(handle, delivery.cookie, events);
            } else {
                self.unsettled.push(begun.id, delivery.cookie, handle, link.id);
            }
        }
        settled.flush(events);
        if self.queue.is_empty() {
            self.queue.shrink_to(0);
        }
        more
    }

    // AMQP 2.6.7: advance the count by what is left of the credit, and say so.
    fn put_drained(&mut self, out: &mut Vec<u8>, handle: u32) {
        let base = self.flow();
        let Some(link) = self.links.get_mut(&handle) else { return };
        if link.sending.drain {
            link.use_up_credit();
            put_flow(out, self.id, link.flow(handle, base));
        }
    }

    /// New credit: what was held for want of it goes first.
    pub(super) fn revive(&mut self, handle: u32) {
        let Some(link) = self.links.get_mut(&handle) else { return };
        if !link.sending.has_credit() {
            return;
        }
        while let Some(delivery) = link.sending.stalled.pop_back() {
            self.queue.push_front(Queued::Delivery { handle, delivery, begun: None });
        }
    }

    /// Takes everything of a link out of the queues; with `closed` its unsettled deliveries too.
    pub(super) fn leave(&mut self, handle: u32, closed: bool) -> Left {
        let mut left = Left::default();
        let link = self.link_id(handle);
        let Some(leaving) = self.links.get_mut(&handle) else { return left };
        left.partial_bytes = Some(leaving.partial_len());
        leaving.receiving.partial = None;
        let unsent = |delivery: &OutgoingDelivery| Event::Unsent { link, cookie: delivery.cookie };
        let number = leaving.id;
        let stalled = std::mem::take(&mut leaving.sending.stalled);
        self.queue.retain(|queued| match queued {
            Queued::Delivery { handle: of, delivery, .. } if *of == handle => {
                left.events.push(unsent(delivery));
                false
            }
            Queued::Drained { handle: of } => *of != handle,
            Queued::Delivery { .. } => true,
        });
        left.events.extend(stalled.iter().map(unsent));
        if closed {
            let session = self.id;
            let runs = self.unsettled.take_link(number);
            left.events.extend(runs.iter().map(|run| Self::undecided(session, run)));
        }
        left
    }

    /// Deliveries that nobody can settle any more.
    pub(super) fn undecided(session: SessionId, run: &Run) -> Event<'static> {
        let link = LinkId { session, handle: run.handle };
        let last = run.cookie.saturating_add(run.len.saturating_sub(1));
        Event::Outcome(Outcome { link, first: run.cookie, last, state: None, settled: true })
    }
}

impl Link {
    /// The link's part of a flow.
    fn flow(&self, handle: u32, base: Flow) -> Flow {
        let sender = self.is_sender();
        let credit = if sender { self.sending.credit() } else { self.receiving.credit };
        let drain = if sender { self.sending.drain } else { self.receiving.drain };
        // AMQP 2.7.4: a receiver that has not seen the sender's attach knows no count.
        let known = sender || self.remote_handle.is_some();
        Flow {
            handle: Some(handle),
            delivery_count: known.then_some(self.delivery_count),
            link_credit: Some(credit),
            available: sender.then_some(0),
            drain,
            ..base
        }
    }
}

fn put_flow(out: &mut Vec<u8>, session: SessionId, flow: Flow) {
    put_frame(out, session.0, |out| Performative::Flow(flow).encode(out));
}

/// Deliveries sent settled, told as accepted in one event for each run.
struct SentSettled {
    session: SessionId,
    run: Option<(u32, u64, u64)>,
}

impl SentSettled {
    fn add(
        &mut self,
        handle: u32,
        cookie: u64,
        events: &mut std::collections::VecDeque<Event<'static>>,
    ) {
        if let Some((of, _, last)) = &mut self.run
            && *of == handle
            && last.checked_add(1) == Some(cookie)
        {
            *last = cookie;
            return;
        }
        self.flush(events);
        self.run = Some((handle, cookie, cookie));
    }

    fn flush(&mut self, events: &mut std::collections::VecDeque<Event<'static>>) {
        if let Some((handle, first, last)) = self.run.take() {
            let link = LinkId { session: self.session, handle };
            let state = Some(DeliveryState::Accepted);
            events.push_back(Event::Outcome(Outcome { link, first, last, state, settled: true }));
        }
    }
}

/// Where the frames of a delivery go.
struct Line {
    channel: u16,
    handle: u32,
    peer: PeerLimits,
    full_at: usize,
}

/// Room for a transfer performative: constructor, list, and eleven fields with a tag of 32 octets.
const TRANSFER_MAX_BYTES: usize = 96;

impl Line {
    /// Appends frames of one delivery; false if the window or the budget ended first.
    fn put(
        &self,
        out: &mut Vec<u8>,
        delivery: &OutgoingDelivery,
        begun: &mut Begun,
        window: &mut OutgoingWindow,
    ) -> bool {
        let [head, rest] = &delivery.payload;
        let len = head.len().saturating_add(rest.len());
        let frame_max = usize::try_from(self.peer.max_frame_size_bytes).unwrap_or(usize::MAX);
        let room = frame_max.saturating_sub(FRAME_HEADER_BYTES + TRANSFER_MAX_BYTES).max(1);
        let mut first = begun.sent_bytes == 0;
        loop {
            let left = len.saturating_sub(begun.sent_bytes);
            let now = left.min(room);
            let more = now < left;
            let transfer = Transfer {
                handle: self.handle,
                delivery_id: first.then_some(begun.id as u32),
                delivery_tag: first.then_some(delivery.tag),
                message_format: first.then_some(delivery.message_format),
                settled: Some(delivery.settled).filter(|settled| *settled),
                more,
                ..Transfer::default()
            };
            let (from, to) = (begun.sent_bytes, begun.sent_bytes.saturating_add(now));
            put_frame(out, self.channel, |out| {
                transfer.encode(out);
                out.extend_from_slice(part(head, from, to));
                let before = head.len();
                let (from, to) = (from.saturating_sub(before), to.saturating_sub(before));
                out.extend_from_slice(part(rest, from, to));
            });
            begun.sent_bytes = to;
            window.next_id = window.next_id.wrapping_add(1);
            window.window = window.window.saturating_sub(1);
            first = false;
            if !more {
                return true;
            }
            if window.window == 0 || out.len() >= self.full_at {
                return false;
            }
        }
    }
}

fn part(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from.min(bytes.len())..to.min(bytes.len())).unwrap_or_default()
}
