//! What the application receives: links with credit, and what it makes of deliveries.

use tokio::sync::mpsc::UnboundedSender;
use wharf_amqp::condition::{Condition, Error as Told};
use wharf_amqp::engine::{Connection, Transferred};
use wharf_amqp::messaging::{DeliveryState, Modified};

use super::content;
use super::spot::Spot;
use crate::Delivery;
use crate::channels::{Control, Decision, Reply, Ticket};

/// The link from one address.
pub(super) struct Receiver {
    pub(super) spot: Spot,
    /// The link's name.
    pub(super) name: String,
    pub(super) durable: bool,
    /// Deliveries that the application may hold.
    credit: u32,
    /// Those that it holds.
    held: u32,
    /// Changes with each link.
    pub(super) generation: u64,
}

/// A wish that is not granted yet.
pub(super) struct Asking {
    pub(super) reply: Reply,
    /// Links that are not granted yet.
    pub(super) left: usize,
}

impl Receiver {
    pub(super) fn new(spot: Spot, name: String, durable: bool, credit: u32) -> Self {
        Receiver { spot, name, durable, credit: credit.max(1), held: 0, generation: 0 }
    }

    /// A new link: nothing is held of it.
    pub(super) fn bind(&mut self, generation: u64) {
        (self.generation, self.held) = (generation, 0);
    }

    /// Allows the broker what the application has room for, if it is time to tell.
    // AMQP 2.6.7
    pub(super) fn top_up(&self, engine: &mut Connection) {
        let Some((_, link)) = self.spot.attached() else { return };
        let left = engine.credit(link);
        let room = self.credit.saturating_sub(self.held);
        let new = room.saturating_sub(left);
        if new > 0 && (left == 0 || new >= self.credit / 4) {
            let _ = engine.grant(link, room, false);
        }
    }

    /// A message for the application; `None` if it cannot be read.
    pub(super) fn deliver(
        &mut self,
        number: usize,
        transferred: &Transferred<'_>,
        reports: UnboundedSender<Control>,
    ) -> Option<Delivery> {
        let (message, facts) = content::decode(&self.spot.address, &transferred.payload).ok()?;
        self.held = self.held.saturating_add(1);
        self.spot.worked();
        let ticket = Ticket {
            generation: self.generation,
            seq: u64::from(transferred.delivery_id),
            link: number,
            settled: transferred.settled,
        };
        Some(Delivery::new(message, ticket, facts, reports))
    }

    /// The application has decided on one delivery of this link.
    pub(super) fn decided(&mut self) {
        self.held = self.held.saturating_sub(1);
    }
}

/// What a broker is told when a message cannot be read.
pub(super) fn unreadable() -> DeliveryState {
    DeliveryState::rejected(Told::new(Condition::DecodeError, "the message cannot be decoded"))
}

// AMQP 3.4
pub(super) fn state_of(decision: Decision) -> DeliveryState {
    match decision {
        Decision::Accepted => DeliveryState::Accepted,
        Decision::Released => DeliveryState::Released,
        Decision::Rejected(reason) => {
            let condition = Condition::Other("wharf:rejected".to_owned());
            DeliveryState::rejected(Told::new(condition, reason))
        }
        Decision::Modified { failed, elsewhere } => DeliveryState::Modified(Box::new(Modified {
            delivery_failed: Some(failed),
            undeliverable_here: Some(elsewhere),
            message_annotations: Vec::new(),
        })),
    }
}
