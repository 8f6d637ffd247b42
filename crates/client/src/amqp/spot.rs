//! Where an address is served, and the link to it.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};
use wharf_amqp::engine::LinkId;

use crate::net::{Outage, Place, RedirectFault, Trail, dice};
use crate::{Error, Retry};

/// One connection, by a number that no other ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneId(pub(super) u64);

/// A link of a connection.
pub(super) type At = (LaneId, LinkId);

/// How far the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// There is none.
    Free,
    /// Asked for.
    Asked(At),
    /// Granted.
    Attached(At),
}

/// An address of the application, and where it is served.
pub(super) struct Spot {
    pub(super) address: String,
    /// Where; `None` where everything is unless it is sent elsewhere.
    pub(super) place: Option<Place>,
    /// Its name there.
    pub(super) remote: String,
    pub(super) stage: Stage,
    /// It was granted once: what refuses it later may pass.
    pub(super) proven: bool,
    trail: Trail,
    outage: Outage,
    /// Something came of the link.
    useful: bool,
    /// Not to be asked for before this has passed.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Spot {
    pub(super) fn new(address: String, retry: Retry, follow_less_secure: bool) -> Self {
        Spot {
            remote: address.clone(),
            address,
            place: None,
            stage: Stage::Free,
            proven: false,
            trail: Trail::new(follow_less_secure),
            outage: Outage::new(retry),
            useful: false,
            pause: None,
        }
    }

    /// The link, if it is granted.
    pub(super) fn attached(&self) -> Option<At> {
        match self.stage {
            Stage::Attached(at) => Some(at),
            Stage::Free | Stage::Asked(_) => None,
        }
    }

    /// The link, granted or not.
    pub(super) fn at(&self) -> Option<At> {
        match self.stage {
            Stage::Asked(at) | Stage::Attached(at) => Some(at),
            Stage::Free => None,
        }
    }

    /// The link is granted.
    pub(super) fn grant(&mut self) {
        if let Stage::Asked(at) = self.stage {
            self.stage = Stage::Attached(at);
            self.proven = true;
        }
    }

    /// Something came of the link: the way to it was right.
    pub(super) fn worked(&mut self) {
        if !self.useful {
            self.useful = true;
            self.trail.forget();
        }
    }

    /// The broker at `from` says that the address is at `to`.
    // WSB-070, WSB-071
    pub(super) fn redirect(
        &mut self,
        from: &Place,
        to: Place,
        address: Option<&str>,
    ) -> Result<(), RedirectFault> {
        let address = address.unwrap_or(&self.remote).to_owned();
        self.trail.follow((from, &self.remote), (&to, &address))?;
        (self.place, self.remote) = (Some(to), address);
        (self.stage, self.useful) = (Stage::Free, false);
        Ok(())
    }

    /// The connection under the link is gone and will be back.
    pub(super) fn free(&mut self) {
        self.stage = Stage::Free;
    }

    /// The link is gone: it is asked for again where it was first, after a pause. `Err` if it is
    /// time to give up.
    pub(super) fn retry(&mut self, because: Error, now: Instant) -> Result<(), Error> {
        self.stage = Stage::Free;
        (self.place, self.remote) = (None, self.address.clone());
        self.trail.forget();
        self.outage.session_lost(Duration::ZERO, std::mem::take(&mut self.useful), now);
        let passes = match &because {
            // Whoever was here before may find that brokers are just being moved.
            Error::Redirect(_) => self.proven,
            Error::LinkRefused { .. } => because.is_passing(),
            // Of the connection to where it was sent: home may know better by now.
            _ => self.proven || because.is_passing(),
        };
        if !passes {
            return Err(because);
        }
        let pause = self.outage.next_pause(dice(), now).ok_or(because)?;
        self.pause = Some(Box::pin(sleep(pause)));
        Ok(())
    }

    /// Whether the link may be asked for now. If not, the task is woken when it may.
    pub(super) fn poll_due(&mut self, cx: &mut std::task::Context<'_>) -> bool {
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.pause = None;
        }
        self.stage == Stage::Free
    }
}
