//! One session: its windows, its delivery ids, and its links by handle (AMQP 2.5).

use super::event::{LinkId, SessionId};
use super::link::{Link, LinkState};
use super::outgoing::Queued;
use super::runs::Runs;
use crate::performative::{Begin, Flow};
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
    pub(super) links: BTreeMap<u32, Link>,
    /// Local handles by the peer's.
    pub(super) handles: BTreeMap<u32, u32>,
    pub(super) remote_handle_max: u32,
    pub(super) links_made: u64,
    /// Deliveries to send, in order.
    pub(super) queue: VecDeque<Queued>,
    /// Id of the next delivery sent; on the wire its low 32 bits.
    pub(super) next_delivery: u64,
    /// Deliveries sent and not settled.
    pub(super) unsettled: Runs,
    /// The windows are to be told.
    pub(super) flow_due: bool,
    /// The state of some link is to be told.
    pub(super) link_flows_due: bool,
}

/// Transfers the peer may send.
#[derive(Debug, Default)]
pub(super) struct IncomingWindow {
    pub(super) next_id: u32,
    pub(super) window: u32,
    pub(super) window_max: u32,
}

/// Transfers this side may send.
#[derive(Debug, Default)]
pub(super) struct OutgoingWindow {
    pub(super) next_id: u32,
    pub(super) window: u32,
}

/// What is told as our outgoing window: we are ready to send as much as is allowed.
const OUTGOING_WINDOW: u32 = i32::MAX as u32;

impl Session {
    pub(super) fn new(id: SessionId, state: SessionState, window_max: u32) -> Self {
        Self {
            id,
            state,
            remote_channel: None,
            incoming: IncomingWindow { next_id: 0, window: window_max, window_max },
            outgoing: OutgoingWindow::default(),
            links: BTreeMap::new(),
            handles: BTreeMap::new(),
            remote_handle_max: u32::MAX,
            links_made: 0,
            queue: VecDeque::new(),
            next_delivery: 0,
            unsettled: Runs::default(),
            flow_due: false,
            link_flows_due: false,
        }
    }

    /// Takes over what the peer's begin says.
    // AMQP 2.5.6: any initial transfer id.
    pub(super) fn mapped(&mut self, channel: u16, begin: &Begin) {
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

    /// The session's part of a flow.
    // AMQP 2.7.4: next-incoming-id only after the peer's begin.
    pub(super) fn flow(&self) -> Flow {
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
    // begin yet counts from its beginning, which is 0.
    pub(super) fn allow(&mut self, flow: &Flow) {
        let next_there = flow.next_incoming_id.unwrap_or(0);
        let end = next_there.wrapping_add(flow.incoming_window);
        let ahead = end.wrapping_sub(self.outgoing.next_id);
        let behind = ahead > u32::MAX / 2 && flow.incoming_window <= u32::MAX / 2;
        self.outgoing.window = if behind { 0 } else { ahead };
        self.incoming.next_id = flow.next_outgoing_id;
    }

    /// Whether links may be used.
    pub(super) fn is_live(&self) -> bool {
        self.state != SessionState::EndSent
    }

    pub(super) fn link_id(&self, handle: u32) -> LinkId {
        LinkId { session: self.id, handle }
    }

    /// The lowest handle that is free, if the peer allows it.
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
        let link = self.links.get_mut(&handle);
        link.filter(|link| link.state != LinkState::DetachSent)
    }

    /// The whole id of a delivery sent, from its low half. `None` if none such was sent.
    pub(super) fn sent_id(&self, low: u32) -> Option<u64> {
        let newest = self.next_delivery.checked_sub(1)?;
        let back = u64::from((newest as u32).wrapping_sub(low));
        newest.checked_sub(back)
    }
}
