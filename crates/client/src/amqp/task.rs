//! The task of one client: connections, links, and what the application asks of them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep};
use wharf_amqp::engine::Input;

use super::lane::{End, Lane, Stage, Up};
use super::receivers::{Asking, Receiver};
use super::senders::{Outbound, Senders, Window};
use super::spot::{At, LaneId};
use crate::channels::Channels;
use crate::closing::Closing;
use crate::net::{Outage, Place, Reached, Trail, Transport};
use crate::{Error, Options, State};

/// Connections at a time: more places than one client's addresses should be spread over.
pub(super) const LANES_MAX: usize = 16;

/// Everything of one client.
pub(super) struct Task {
    pub(super) options: Options,
    pub(super) container: String,
    pub(super) transport: Arc<Transport>,
    pub(super) channels: Channels,
    pub(super) home: Home,
    pub(super) lanes: BTreeMap<LaneId, Lane>,
    lanes_made: u64,
    pub(super) ends: Ends,
    /// A message that found no room.
    pub(super) held: Option<(String, Outbound)>,
    /// No message will come any more.
    pub(super) sends_ended: bool,
    pub(super) closing: Closing,
    finishing: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Why the client ends.
    pub(super) lost: Option<Error>,
    /// Something has changed that is to be looked at at once.
    pub(super) again: bool,
}

/// The connection that everything is on unless it is sent elsewhere.
pub(super) struct Home {
    /// The place of the options.
    pub(super) origin: Place,
    /// Where it was last.
    pub(super) last: Place,
    pub(super) lane: Option<LaneId>,
    pub(super) outage: Outage,
    pub(super) pause: Option<Pin<Box<Sleep>>>,
    /// How often it was open.
    pub(super) opened: u64,
}

/// The links, and the messages on them.
pub(super) struct Ends {
    pub(super) senders: Senders,
    pub(super) receivers: Vec<Receiver>,
    pub(super) asking: Option<Asking>,
    /// Ends that want a link.
    pub(super) free: BTreeSet<End>,
    /// Links that nobody wants any more, each with whether it is closed for good.
    pub(super) leaving: Vec<(At, bool)>,
    pub(super) window: Window,
    /// Links made.
    pub(super) generation: u64,
}

impl Task {
    pub(super) fn new(
        options: Options,
        container: String,
        transport: Transport,
        channels: Channels,
        (origin, reached): (Place, Reached),
    ) -> Self {
        let home = Home {
            last: origin.clone(),
            origin,
            lane: None,
            outage: Outage::new(options.retry),
            pause: None,
            opened: 0,
        };
        let ends = Ends {
            senders: Senders::default(),
            receivers: Vec::new(),
            asking: None,
            free: BTreeSet::new(),
            leaving: Vec::new(),
            window: Window::new(options.window),
            generation: 0,
        };
        let mut task = Task {
            options,
            container,
            transport: Arc::new(transport),
            channels,
            home,
            lanes: BTreeMap::new(),
            lanes_made: 0,
            ends,
            held: None,
            sends_ended: false,
            closing: Closing::No,
            finishing: Vec::new(),
            lost: None,
            again: false,
        };
        let id = task.name_lane();
        let asked = task.home.origin.clone();
        let up = Up::new(id, reached, &task.options, &task.container);
        task.home.last.clone_from(&up.place);
        task.lanes.insert(id, Lane { asked, stage: Stage::Up(Box::new(up)) });
        task.home.lane = Some(id);
        task
    }

    /// Runs the client to its end.
    pub(super) async fn run(mut self) {
        let why = std::future::poll_fn(|cx| self.poll(cx)).await;
        let Task { channels, ends, held, .. } = self;
        let (sent, mut unsent) = ends.senders.into_replies();
        unsent.extend(held.map(|(_, outbound)| outbound.reply));
        unsent.extend(ends.asking.map(|asking| asking.reply));
        channels.end(why, sent.into_iter(), unsent.into_iter());
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        loop {
            self.again = false;
            if self.closing.has_said() {
                return self.poll_close(cx).map_or(Poll::Pending, Poll::Ready);
            }
            self.poll_pause(cx);
            self.poll_lanes(cx);
            self.poll_controls(cx);
            self.poll_sends(cx);
            self.attach_free(cx);
            self.transmit(cx);
            if let Some(why) = self.poll_close(cx) {
                return Poll::Ready(why);
            }
            if !self.again {
                return Poll::Pending;
            }
        }
    }

    pub(super) fn name_lane(&mut self) -> LaneId {
        self.lanes_made = self.lanes_made.saturating_add(1);
        LaneId(self.lanes_made)
    }

    /// Begins to open a connection.
    pub(super) fn open_lane(&mut self, asked: Place, trail: Trail) -> LaneId {
        let id = self.name_lane();
        let transport = Arc::clone(&self.transport);
        let place = asked.clone();
        let opening = Box::pin(async move { transport.open(place, trail).await });
        self.lanes.insert(id, Lane { asked, stage: Stage::Opening(opening) });
        self.again = true;
        id
    }

    /// After a pause, the next attempt: where the connection was last, then where it was first.
    fn poll_pause(&mut self, cx: &mut Context<'_>) {
        let Some(pause) = &mut self.home.pause else { return };
        if pause.as_mut().poll(cx).is_pending() {
            return;
        }
        self.home.pause = None;
        let from_first = self.home.outage.attempts().is_multiple_of(2);
        let home = &self.home;
        let place = if from_first { home.origin.clone() } else { home.last.clone() };
        let trail = Trail::new(self.options.follow_less_secure);
        self.home.lane = Some(self.open_lane(place, trail));
    }

    fn poll_lanes(&mut self, cx: &mut Context<'_>) {
        let all: Vec<LaneId> = self.lanes.keys().copied().collect();
        for id in all {
            // Taken out: its events may concern the others.
            let Some(mut lane) = self.lanes.remove(&id) else { continue };
            if let Stage::Opening(opening) = &mut lane.stage {
                match opening.as_mut().poll(cx) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(reached)) => {
                        let up = Up::new(id, reached, &self.options, &self.container);
                        lane.stage = Stage::Up(Box::new(up));
                    }
                    Poll::Ready(Err(because)) => {
                        self.lane_failed(id, &lane.asked, because);
                        continue;
                    }
                }
            }
            if let Stage::Up(up) = &mut lane.stage {
                self.poll_up(up, cx);
                if up.closed.is_some() || up.failure.is_some() {
                    let Stage::Up(up) = lane.stage else { continue };
                    self.lane_over(&lane.asked, *up);
                    continue;
                }
            }
            self.lanes.insert(id, lane);
        }
    }

    fn poll_up(&mut self, up: &mut Up, cx: &mut Context<'_>) {
        loop {
            up.poll_timers(cx);
            self.handle_events(up, Input::empty());
            if up.failure.is_some() || up.closed.is_some() {
                return;
            }
            match up.poll_recv(cx) {
                Poll::Ready(Some(burst)) => {
                    self.handle_events(up, burst.input());
                    up.give_back(burst);
                }
                // The engine knows, and tells.
                Poll::Ready(None) => {}
                Poll::Pending => return,
            }
        }
    }

    fn transmit(&mut self, cx: &mut Context<'_>) {
        for lane in self.lanes.values_mut() {
            if let Stage::Up(up) = &mut lane.stage {
                let sent = up.transmit(cx);
                // What was sent settled is told as settled now.
                self.again |= sent && self.options.presettled;
            }
        }
    }

    /// Hands a connection over to be closed.
    pub(super) fn retire(&mut self, up: Up) {
        let finishing = up.finish(self.options.close_timeout);
        if self.closing.has_said() {
            self.finishing.push(Box::pin(finishing));
        } else {
            tokio::spawn(finishing);
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Option<Error> {
        if self.lost.is_none() {
            match &mut self.closing {
                Closing::No => return None,
                Closing::Draining(deadline) => {
                    let done = self.sends_ended && self.held.is_none();
                    let settled = done && self.ends.window.is_empty();
                    if !settled && deadline.as_mut().poll(cx).is_pending() {
                        return None;
                    }
                    self.closing = Closing::Said;
                }
                Closing::Said => {}
            }
        }
        for lane in std::mem::take(&mut self.lanes).into_values() {
            // A connection that is not open yet needs no closing.
            if let Stage::Up(up) = lane.stage {
                self.retire(*up);
            }
        }
        if let Some(lost) = self.lost.take() {
            return Some(lost);
        }
        self.finishing.retain_mut(|finishing| finishing.as_mut().poll(cx).is_pending());
        self.finishing.is_empty().then_some(Error::Closed)
    }

    pub(super) fn set_state(&self, state: State) {
        self.channels.set_state(state);
    }

    /// The home connection is gone, and another attempt is due after a pause.
    pub(super) fn recover(&mut self, because: Error, now: Instant) {
        self.home.lane = None;
        let failed = self.home.outage.attempts();
        match self.home.outage.next_pause(crate::net::dice(), now) {
            None => self.lost = Some(because),
            Some(pause) => {
                self.home.pause = Some(Box::pin(sleep(pause)));
                self.set_state(State::Recovering { failed, because });
                self.again = true;
            }
        }
    }
}
