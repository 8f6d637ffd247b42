//! Deliveries sent: in the order given, as far as the peer's window and credit go, in frames of
//! the peer's size (AMQP 2.5.6, 2.6.7, 2.6.14).

use super::connection::{Connection, Stage};
use super::event::{Event, LinkId, Misuse, Outcome, SessionId};
use super::runs::Run;
use super::session::{OutgoingWindow, Session};
use crate::codec::Composite;
use crate::frame::{FRAME_HEADER_BYTES, put_frame};
use crate::limits::MIN_MAX_FRAME_SIZE;
use crate::messaging::DeliveryState;
use crate::performative::Transfer;
use crate::tag::Tag;
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque};

/// A message to send.
#[derive(Clone, Debug)]
pub struct OutgoingDelivery {
    /// The caller's name for it, unique on its link; deliveries that follow each other best have
    /// cookies that do.
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
    /// The rest of the link's credit goes back, in answer to one drain of the peer.
    Drained {
        handle: u32,
        drain: u32,
    },
}

/// A delivery whose first frame is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    id: u64,
    /// Octets of the payload sent.
    sent_bytes: usize,
}

/// Sessions with something to send, in turn.
#[derive(Debug, Default)]
pub(super) struct Awake {
    sessions: BTreeSet<u16>,
    /// Whose turn is next.
    turn: u16,
}

impl Awake {
    pub(super) fn insert(&mut self, id: SessionId) {
        self.sessions.insert(id.0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    fn next(&mut self) -> Option<SessionId> {
        let after = self.sessions.range(self.turn..).next();
        let next = *after.or_else(|| self.sessions.first())?;
        self.sessions.remove(&next);
        self.turn = next.wrapping_add(1);
        Some(SessionId(next))
    }
}

impl Connection {
    /// Queues a delivery on a link that sends. It leaves when window and credit allow.
    ///
    /// # Errors
    /// If there is no such link, it is not answered yet, or it receives.
    pub fn deliver(&mut self, id: LinkId, delivery: OutgoingDelivery) -> Result<(), Misuse> {
        let session = self.sessions.get_mut(&id.session.0).filter(|s| s.is_live());
        let session = session.ok_or(Misuse::NoSession)?;
        let link = session.live_link(id.handle).filter(|link| link.is_answered());
        if !link.ok_or(Misuse::NoLink)?.is_sender() {
            return Err(Misuse::WrongDirection);
        }
        // Behind others it goes when they do: they are awake, or wait for the peer's window.
        if session.queue.is_empty() {
            self.awake.insert(id.session);
        }
        session.queue.push_back(Queued::Delivery { handle: id.handle, delivery, begun: None });
        Ok(())
    }

    /// Appends the next unit of output: a protocol header, or frames, about `budget` octets of
    /// them. 0: nothing is left, or what is left waits for the peer.
    ///
    /// Poll events again afterwards: deliveries sent settled are told as outcomes.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>, budget: usize) -> usize {
        let start = out.len();
        let complete = self.outbound.pop(out);
        let full_at = start.saturating_add(budget);
        let sessions_speak = !complete && self.opened && self.stage == Stage::Open;
        // WSB-038: frames share a unit.
        while sessions_speak && out.len() < full_at {
            let Some(id) = self.awake.next() else { break };
            let Some(session) = self.sessions.get_mut(&id.0) else { continue };
            session.put_flows(out);
            let peer_max = usize::try_from(self.peer.max_frame_size_bytes).unwrap_or(usize::MAX);
            let frame_max = peer_max.min(budget.max(MIN_MAX_FRAME_SIZE as usize));
            let unit = Unit { out: &mut *out, full_at, frame_max, events: &mut self.events };
            if session.put_deliveries(unit) {
                self.awake.insert(id);
            }
        }
        if out.len() > start {
            self.timers.spoke = true;
        }
        out.len().saturating_sub(start)
    }

    pub(super) fn has_session_output(&self) -> bool {
        self.opened && self.stage == Stage::Open && !self.awake.is_empty()
    }
}

/// Where deliveries go.
struct Unit<'a> {
    out: &'a mut Vec<u8>,
    /// No frame begins behind this.
    full_at: usize,
    frame_max: usize,
    events: &'a mut VecDeque<Event<'static>>,
}

/// Why a delivery has no more frames now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Put {
    Whole,
    /// The rest waits for the next unit, or for the peer's window.
    Part,
}

impl Session {
    /// Sends what window and credit allow. Says whether there is more to send now.
    fn put_deliveries(&mut self, mut unit: Unit<'_>) -> bool {
        let mut settled = SentSettled { session: self.id, run: None };
        let mut more = false;
        while let Some(next) = self.queue.pop_front() {
            let (handle, delivery, begun) = match next {
                Queued::Drained { handle, drain } => {
                    self.put_drained(unit.out, handle, drain);
                    continue;
                }
                Queued::Delivery { handle, delivery, begun } => (handle, delivery, begun),
            };
            let Some(link) = self.links.get_mut(&handle) else { continue };
            if begun.is_none() && !link.sending.has_credit() {
                link.sending.stalled.push_back(delivery);
                continue;
            }
            if self.outgoing.window == 0 || unit.out.len() >= unit.full_at {
                more = self.outgoing.window > 0;
                self.queue.push_front(Queued::Delivery { handle, delivery, begun });
                break;
            }
            let mut begun = match begun {
                // AMQP 2.6.14: nobody wants the rest of what the receiver has settled.
                Some(begun) if !delivery.settled && !self.unsettled.contains(begun.id) => {
                    self.put_aborted(unit.out, handle);
                    continue;
                }
                Some(begun) => begun,
                None => {
                    link.count_sent();
                    let id = self.next_delivery;
                    self.next_delivery = id.saturating_add(1);
                    if !delivery.settled {
                        self.unsettled.push(id, delivery.cookie, handle, link.id);
                    }
                    Begun { id, sent_bytes: 0 }
                }
            };
            let line = Line { channel: self.id.0, handle };
            if line.put(&mut unit, &delivery, &mut begun, &mut self.outgoing) == Put::Part {
                more = self.outgoing.window > 0;
                let begun = Some(begun);
                self.queue.push_front(Queued::Delivery { handle, delivery, begun });
                break;
            }
            if delivery.settled {
                settled.add(handle, delivery.cookie, unit.events);
            }
        }
        settled.flush(unit.events);
        if self.queue.is_empty() {
            self.queue.shrink_to(0);
        }
        more
    }

    // AMQP 2.6.14.
    fn put_aborted(&mut self, out: &mut Vec<u8>, handle: u32) {
        let transfer = Transfer { handle, aborted: true, ..Transfer::default() };
        put_frame(out, self.id.0, |out| transfer.encode(out));
        self.outgoing.count();
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

    /// Takes everything of a link out of the queues; with `over` its unsettled deliveries too.
    pub(super) fn leave(&mut self, handle: u32, over: bool, events: &mut VecDeque<Event<'static>>) {
        let link = self.link_id(handle);
        let Some(leaving) = self.links.get_mut(&handle) else { return };
        let number = leaving.id;
        let stalled = std::mem::take(&mut leaving.sending.stalled);
        // What was held was given before what is queued, except for what is begun.
        let (mut begun_cookie, mut queued) = (None, Vec::new());
        let unsettled = &mut self.unsettled;
        self.queue.retain(|next| match next {
            Queued::Delivery { handle: of, delivery, begun } if *of == handle => {
                match begun {
                    // Its outcome may be known before its end is sent.
                    Some(begun) if !delivery.settled && !unsettled.remove(begun.id) => {}
                    Some(_) => begun_cookie = Some(delivery.cookie),
                    None => queued.push(delivery.cookie),
                }
                false
            }
            Queued::Drained { handle: of, .. } => *of != handle,
            Queued::Delivery { .. } => true,
        });
        let held = stalled.iter().map(|delivery| delivery.cookie);
        let cookies = begun_cookie.into_iter().chain(held).chain(queued);
        events.extend(cookies.map(|cookie| Event::Unsent { link, cookie }));
        if over {
            let session = self.id;
            let runs = self.unsettled.take_link(number);
            events.extend(runs.iter().map(|run| undecided(session, run)));
        }
    }
}

/// Deliveries that nobody can settle any more.
pub(super) fn undecided(session: SessionId, run: &Run) -> Event<'static> {
    outcome(session, run, None, true)
}

/// The word on a run of deliveries.
pub(super) fn outcome(
    session: SessionId,
    run: &Run,
    state: Option<DeliveryState>,
    settled: bool,
) -> Event<'static> {
    let link = LinkId { session, handle: run.handle };
    Event::Outcome(Outcome { link, first: run.cookie, last: run.last_cookie(), state, settled })
}

/// Deliveries sent settled, told as accepted in one event for each run.
struct SentSettled {
    session: SessionId,
    run: Option<(u32, u64, u64)>,
}

impl SentSettled {
    fn add(&mut self, handle: u32, cookie: u64, events: &mut VecDeque<Event<'static>>) {
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

    fn flush(&mut self, events: &mut VecDeque<Event<'static>>) {
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
}

/// The most that stands before the payload of a transfer that is sent here: frame header,
/// descriptor and list head; handle, id, tag of 32 octets, format, settled, more.
const TRANSFER_HEAD_MAX_BYTES: usize = FRAME_HEADER_BYTES + (3 + 3) + 5 + 5 + (2 + 32) + 5 + 1 + 1;

impl Line {
    /// Appends frames of one delivery, as many as the window and the unit take.
    fn put(
        &self,
        unit: &mut Unit<'_>,
        delivery: &OutgoingDelivery,
        begun: &mut Begun,
        window: &mut OutgoingWindow,
    ) -> Put {
        let [head, rest] = &delivery.payload;
        let len = head.len().saturating_add(rest.len());
        let room = unit.frame_max.saturating_sub(TRANSFER_HEAD_MAX_BYTES).max(1);
        let mut first = begun.sent_bytes == 0;
        loop {
            let from = begun.sent_bytes;
            let to = len.min(from.saturating_add(room));
            let transfer = Transfer {
                handle: self.handle,
                delivery_id: first.then_some(begun.id as u32),
                delivery_tag: first.then_some(delivery.tag),
                message_format: first.then_some(delivery.message_format),
                settled: Some(delivery.settled).filter(|settled| *settled),
                more: to < len,
                ..Transfer::default()
            };
            put_frame(unit.out, self.channel, |out| {
                transfer.encode(out);
                out.extend_from_slice(part(head, from, to));
                let before = head.len();
                let (from, to) = (from.saturating_sub(before), to.saturating_sub(before));
                out.extend_from_slice(part(rest, from, to));
            });
            begun.sent_bytes = to;
            window.count();
            first = false;
            if to == len {
                return Put::Whole;
            }
            if window.window == 0 || unit.out.len() >= unit.full_at {
                return Put::Part;
            }
        }
    }
}

fn part(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from.min(bytes.len())..to.min(bytes.len())).unwrap_or_default()
}
