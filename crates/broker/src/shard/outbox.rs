//! What connections are told, held back until it is true on disk.

use crate::command::ConnectionId;
use crate::journal::{Lsn, Ticket};
use crate::output::{Delivery, Event};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// An event, or a delivery whose body is still being read.
#[derive(Debug)]
enum Pending {
    Ready(Event),
    /// The body is put in without so many octets at its head.
    Waiting {
        event: Box<Event>,
        skip_bytes: usize,
        ticket: Ticket,
        index: usize,
    },
}

/// Events in the order they were decided.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Each with the frame that must be durable first; in the order of frames.
    held: VecDeque<(Lsn, ConnectionId, Pending)>,
    /// Connections whose next delivery waits for its body, and what waits behind it.
    blocked: BTreeMap<ConnectionId, VecDeque<Pending>>,
    ready: VecDeque<(ConnectionId, Event)>,
}

impl Outbox {
    /// Tells `connection` of `event` as soon as `barrier` is durable.
    pub(crate) fn push(&mut self, barrier: Lsn, connection: ConnectionId, event: Event) {
        self.held.push_back((barrier, connection, Pending::Ready(event)));
    }

    /// The same for a delivery whose body comes as number `index` of fetch `ticket`.
    pub(crate) fn push_waiting(
        &mut self,
        barrier: Lsn,
        connection: ConnectionId,
        delivery: Delivery,
        answer: (Ticket, usize),
    ) {
        self.push_reading(barrier, connection, Event::Deliver(delivery), 0, answer);
    }

    /// The same for any event with a body.
    pub(crate) fn push_reading(
        &mut self,
        barrier: Lsn,
        connection: ConnectionId,
        event: Event,
        skip_bytes: usize,
        (ticket, index): (Ticket, usize),
    ) {
        let pending = Pending::Waiting { event: Box::new(event), skip_bytes, ticket, index };
        self.held.push_back((barrier, connection, pending));
    }

    /// Tells `connection` now, ahead of everything held: for what rests on no frame.
    pub(crate) fn push_now(&mut self, connection: ConnectionId, event: Event) {
        self.ready.push_back((connection, event));
    }

    /// Everything up to `stored` is durable.
    pub(crate) fn release(&mut self, stored: Lsn) {
        while self.held.front().is_some_and(|(barrier, ..)| *barrier <= stored) {
            let Some((_, connection, pending)) = self.held.pop_front() else {
                return;
            };
            if let Some(queue) = self.blocked.get_mut(&connection) {
                queue.push_back(pending);
                continue;
            }
            match pending {
                Pending::Ready(event) => self.ready.push_back((connection, event)),
                waiting @ Pending::Waiting { .. } => {
                    self.blocked.insert(connection, VecDeque::from([waiting]));
                }
            }
        }
    }

    /// Bodies have come.
    pub(crate) fn fill(&mut self, fetched: Ticket, bodies: &[Bytes]) {
        let held = self.held.iter_mut().map(|(_, _, pending)| pending);
        for pending in held.chain(self.blocked.values_mut().flatten()) {
            let Pending::Waiting { event, skip_bytes, ticket, index } = pending else {
                continue;
            };
            if *ticket == fetched
                && let Some(read) = bodies.get(*index)
            {
                let mut event = event.as_ref().clone();
                if let Event::Deliver(Delivery { body, .. }) | Event::Transmit { body, .. } =
                    &mut event
                {
                    *body = read.slice((*skip_bytes).min(read.len())..);
                }
                *pending = Pending::Ready(event);
            }
        }
        self.unblock();
    }

    /// The connection is gone; the driver passes over what it is still told.
    pub(crate) fn forget(&mut self, connection: ConnectionId) {
        self.blocked.remove(&connection);
    }

    pub(crate) fn pop(&mut self) -> Option<(ConnectionId, Event)> {
        self.ready.pop_front()
    }

    fn unblock(&mut self) {
        let ready = &mut self.ready;
        self.blocked.retain(|connection, queue| {
            while let Some(front) = queue.pop_front() {
                match front {
                    Pending::Ready(event) => ready.push_back((*connection, event)),
                    waiting @ Pending::Waiting { .. } => {
                        queue.push_front(waiting);
                        return true;
                    }
                }
            }
            false
        });
    }
}
