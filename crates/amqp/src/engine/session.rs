//! One session: its windows, its delivery ids, and its links by handle (AMQP 2.5).

use super::event::{LinkId, SessionId};
use super::link::{Link, LinkState};
use super::outgoing::Queued;
use super::runs::Runs;
use crate::performative::{Begin, Flow, Role};
use std::collections::{BTreeMap, VecDeque};

/// How far the begin exchange is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SessionState {
    /// Ours is sent, the peer's awaited.
    BeginSent,
    /// Both are sent.
    Mapped,
    /// Our end is sent; everything but the peer's is passed over.
    EndSent,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) state: SessionState,
    pub(super) remote_channel: Option<u16>,
    pub(super) incoming: IncomingWindow,
    pub(super) outgoing: OutgoingWindow,
    /// Boxed: a map makes room for eleven, and most sessions have one or two.
    pub(super) links: BTreeMap<u32, Box<Link>>,
    /// Local handles by the peer's.
    pub(super) handles: BTreeMap<u32, u32>,
    /// Local handles of links asked for here whose attach the peer has not answered, in order.
    pub(super) unanswered: VecDeque<u32>,
    pub(super) remote_handle_max: u32,
    pub(super) links_made: u64,
    /// Deliveries to send, in order.
    pub(super) queue: VecDeque<Queued>,
    /// Id of the next delivery sent; on the wire its low 32 bits.
    pub(super) next_delivery: u64,
    /// Deliveries begun and not settled.
    pub(super) unsettled: Runs,
    /// The windows are to be told.
    pub(super) flow_due: bool,
    /// Links whose state is to be told.
    pub(super) flows_due: Vec<u32>,
}

/// Transfers the peer may send.
#[derive(Debug, Default)]
pub(super) struct IncomingWindow {
    pub(super) next_id: u32,
    /// As far as the peer was told.
    pub(super) window: u32,
    pub(super) window_max: u32,
}

/// Transfers this side may send.
#[derive(Debug, Default)]
pub(super) struct OutgoingWindow {
    pub(super) next_id: u32,
    pub(super) window: u32,
}

/// The id of our first transfer. Any would do (AMQP 2.5.6).
const FIRST_OUTGOING_ID: u32 = 0;

/// What is told as our outgoing window: we are ready to send as much as is allowed.
const OUTGOING_WINDOW: u32 = i32::MAX as u32;

impl OutgoingWindow {
    /// One transfer frame is sent.
    pub(super) fn count(&mut self) {
        self.next_id = self.next_id.wrapping_add(1);
        self.window = self.window.saturating_sub(1);
    }
}

impl Session {
    pub(super) fn new(id: SessionId, state: SessionState, window_max: u32) -> Self {
        Self {
            id,
            state,
            remote_channel: None,
            incoming: IncomingWindow { next_id: 0, window: window_max, window_max },
            outgoing: OutgoingWindow { next_id: FIRST_OUTGOING_ID, window: 0 },
            links: BTreeMap::new(),
            handles: BTreeMap::new(),
            unanswered: VecDeque::new(),
            remote_handle_max: u32::MAX,
            links_made: 0,
            queue: VecDeque::new(),
            next_delivery: 0,
            unsettled: Runs::default(),
            flow_due: false,
            flows_due: Vec::new(),
        }
    }

    /// Takes over what the peer's begin says.
    // AMQP 2.5.6: any initial transfer id.
    pub(super) fn map_to(&mut self, channel: u16, begin: &Begin) {
        self.remote_channel = Some(channel);
        self.state = SessionState::Mapped;
        self.incoming.next_id = begin.next_outgoing_id;
        self.outgoing.window = begin.incoming_window;
        self.remote_handle_max = begin.handle_max;
    }

    pub(super) fn begin(&self, remote_channel: Option<u16>, handle_max: u32) -> Begin {
        let (next, window) = (self.outgoing.next_id, self.incoming.window);
        Begin { remote_channel, handle_max, ..Begin::new(next, window, OUTGOING_WINDOW) }
    }

    /// The session's part of a flow. Whoever asks for it sends it: the peer has room again.
    // AMQP 2.7.4: next-incoming-id only after the peer's begin.
    pub(super) fn flow(&mut self) -> Flow {
        self.incoming.window = self.incoming.window_max;
        Flow {
            next_incoming_id: self.remote_channel.map(|_| self.incoming.next_id),
            incoming_window: self.incoming.window,
            next_outgoing_id: self.outgoing.next_id,
            outgoing_window: OUTGOING_WINDOW,
            ..Flow::default()
        }
    }

    /// The peer's windows.
    // AMQP 2.5.6: window here = next id there + window there - next id here; who has not seen our
    // begin yet counts from its beginning.
    pub(super) fn allow(&mut self, flow: &Flow) {
        let next_there = flow.next_incoming_id.unwrap_or(FIRST_OUTGOING_ID);
        let end = next_there.wrapping_add(flow.incoming_window);
        let ahead = end.wrapping_sub(self.outgoing.next_id);
        let behind = ahead > u32::MAX / 2 && flow.incoming_window <= u32::MAX / 2;
        self.outgoing.window = if behind { 0 } else { ahead };
        self.incoming.next_id = flow.next_outgoing_id;
    }

    /// A transfer frame has come. False: it is beyond what the peer was told.
    // AMQP 2.5.6. Said again when half of the window is used.
    pub(super) fn count_transfer(&mut self) -> bool {
        let window = &mut self.incoming;
        let Some(left) = window.window.checked_sub(1) else { return false };
        window.window = left;
        window.next_id = window.next_id.wrapping_add(1);
        self.flow_due |= left <= window.window_max / 2;
        true
    }

    /// Whether links may be used.
    pub(super) fn is_live(&self) -> bool {
        self.state != SessionState::EndSent
    }

    pub(super) fn link_id(&self, handle: u32) -> LinkId {
        LinkId { session: self.id, handle }
    }

    /// The lowest handle that is free, if the peer allows it.
    // AMQP 2.7.3: "always assign the lowest available handle".
    pub(super) fn free_handle(&self) -> Option<u32> {
        let mut free = 0u32;
        for handle in self.links.keys() {
            if *handle != free {
                break;
            }
            free = free.checked_add(1)?;
        }
        (free <= self.remote_handle_max).then_some(free)
    }

    pub(super) fn number_link(&mut self) -> u64 {
        self.links_made = self.links_made.saturating_add(1);
        self.links_made
    }

    /// The local handle of the peer's.
    pub(super) fn handle_of(&self, remote_handle: u32) -> Option<u32> {
        self.handles.get(&remote_handle).copied()
    }

    /// A link that is not on its way out.
    pub(super) fn live_link(&mut self, handle: u32) -> Option<&mut Link> {
        let link = self.links.get_mut(&handle).map(Box::as_mut);
        link.filter(|link| link.state != LinkState::DetachSent)
    }

    /// The first link asked for here that an attach of the peer answers; it is answered now.
    pub(super) fn take_unanswered(&mut self, name: &str, role: Role) -> Option<u32> {
        let links = &self.links;
        let fits = |handle: &u32| {
            links.get(handle).is_some_and(|link| link.role == role && link.name == name)
        };
        let at = self.unanswered.iter().position(fits)?;
        self.unanswered.remove(at)
    }

    /// The state of a link is to be told.
    pub(super) fn tell_of(&mut self, handle: u32) {
        let Some(link) = self.links.get_mut(&handle) else { return };
        if !std::mem::replace(&mut link.flow_due, true) {
            self.flows_due.push(handle);
        }
    }

    /// Nothing is said of it any more.
    pub(super) fn clear(&mut self) {
        self.handles.clear();
        self.unanswered.clear();
        self.queue.clear();
        self.flow_due = false;
        self.flows_due.clear();
    }

    /// The whole id of a delivery sent, from its low half. `None` if none such was sent.
    pub(super) fn sent_id(&self, low: u32) -> Option<u64> {
        let newest = self.next_delivery.checked_sub(1)?;
        let back = u64::from((newest as u32).wrapping_sub(low));
        newest.checked_sub(back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(next_id: u32, next_delivery: u64) -> Session {
        let mut session = Session::new(SessionId(0), SessionState::Mapped, 10);
        session.outgoing.next_id = next_id;
        session.next_delivery = next_delivery;
        session
    }

    fn allowed(next_id: u32, next_there: u32, window: u32) -> u32 {
        let mut session = session(next_id, 0);
        session.allow(&Flow {
            next_incoming_id: Some(next_there),
            incoming_window: window,
            ..Flow::default()
        });
        session.outgoing.window
    }

    /// AMQP 2.5.6, with ids that wrap (AMQP 2.8.10).
    #[test]
    fn the_peers_window_is_seen_from_the_next_transfer() {
        assert_eq!(allowed(5, 5, 10), 10);
        assert_eq!(allowed(5, 3, 10), 8);
        assert_eq!(allowed(5, 3, 2), 0);
        assert_eq!(allowed(5, 3, 1), 0);
        assert_eq!(allowed(2, u32::MAX, 10), 7);
        assert_eq!(allowed(u32::MAX, u32::MAX - 1, 10), 9);
        assert_eq!(allowed(2, u32::MAX, 1), 0);
        assert_eq!(allowed(9, 4, u32::MAX), u32::MAX - 5);
        assert_eq!(allowed(0, 0, i32::MAX as u32), i32::MAX as u32);
    }

    /// AMQP 2.8.10: the wire has the low half of an id.
    #[test]
    fn ids_on_the_wire_are_those_sent_last() {
        assert_eq!(session(0, 0).sent_id(0), None);
        assert_eq!(session(0, 3).sent_id(2), Some(2));
        assert_eq!(session(0, 3).sent_id(3), None);
        let around = session(0, (1 << 32) + 3);
        assert_eq!(around.sent_id(2), Some((1 << 32) + 2));
        assert_eq!(around.sent_id(3), Some(3));
        assert_eq!(around.sent_id(u32::MAX), Some(u64::from(u32::MAX)));
    }
}
