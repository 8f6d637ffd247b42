//! Links go: detach, and what a link leaves behind (AMQP 2.6.4 to 2.6.6, 2.7.7).

use super::attaching::AttachAnswer;
use super::connection::{Connection, Fault, Step};
use super::event::{By, Event, LinkId, Misuse};
use super::link::{Link, LinkState};
use super::violation::Violation;
use crate::condition::Error;
use crate::performative::{Detach, Performative};

impl Connection {
    // AMQP 2.6.4, 2.6.6.
    pub(super) fn on_detach<'a>(
        &mut self,
        session: u16,
        detach: Detach,
    ) -> Result<Step<'a>, Fault> {
        let Some(live) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        let Some(handle) = live.handles.remove(&detach.handle) else {
            return Err(Fault::Session(live.id, Violation::UnattachedHandle));
        };
        let id = live.link_id(handle);
        match live.links.get(&handle).map(|link| link.state) {
            // Ours is sent already. AMQP 2.6.6: if ours was no close and this is one, attaching
            // again only to close is left to the caller.
            None | Some(LinkState::DetachSent) => {
                self.forget_link(id);
                return Ok(Step::Again);
            }
            // Both halves are owed: the caller has not answered, and need not any more.
            Some(LinkState::AttachReceived) if !self.send_unasked(id) => return Ok(Step::Again),
            Some(_) => {}
        }
        let closed = detach.closed;
        self.send_detach(id, closed, None);
        // AMQP 2.7.6: deliveries live on unless the link was "closed or detached with an error".
        self.clear_link(id, closed || detach.error.is_some());
        self.forget_link(id);
        let error = detach.error.map(|error| (By::Peer, error));
        self.events.push_back(Event::Detached { link: id, closed, error });
        Ok(Step::Again)
    }

    /// Detaches or closes a link. What it had queued comes back as `Unsent`, and what is not
    /// settled as `Outcome` if the link is closed or in error; nothing else is said. A link that the
    /// peer asked for and nobody has answered is attached first.
    ///
    /// # Errors
    /// If there is no such link.
    pub fn detach(&mut self, id: LinkId, closed: bool, error: Option<Error>) -> Result<(), Misuse> {
        let answered = self.link_mut(id)?.state != LinkState::AttachReceived;
        if !answered && !self.send_unasked(id) {
            return Ok(());
        }
        let over = closed || error.is_some();
        let link = self.link_mut(id)?;
        link.state = LinkState::DetachSent;
        link.errant = error.is_some();
        self.send_detach(id, closed, error);
        self.clear_link(id, over);
        self.forget_name(id);
        Ok(())
    }

    /// Attaches a link that nobody has answered, to detach it. False: it does not fit a frame, and
    /// the session is over.
    fn send_unasked(&mut self, id: LinkId) -> bool {
        self.send_answer(id, AttachAnswer::default()).is_ok()
    }

    fn send_detach(&mut self, id: LinkId, closed: bool, error: Option<Error>) {
        let handle = id.handle;
        self.send_with_error(id.session.0, error, |error| {
            Performative::Detach(Box::new(Detach { handle, closed, error }))
        });
    }

    /// The link's handle is free again.
    pub(super) fn forget_link(&mut self, id: LinkId) {
        self.forget_name(id);
        if let Some(session) = self.sessions.get_mut(&id.session.0)
            && session.links.remove(&id.handle).is_some()
        {
            self.link_count = self.link_count.saturating_sub(1);
        }
    }

    fn forget_name(&mut self, id: LinkId) {
        let link = self.sessions.get(&id.session.0).and_then(|s| s.links.get(&id.handle));
        let Some(link) = link else { return };
        let key = (link.is_sender(), link.name.clone());
        if self.names.get(&key) == Some(&id) {
            self.names.remove(&key);
        }
    }

    /// A link that may be used or answered.
    pub(super) fn link_mut(&mut self, id: LinkId) -> Result<&mut Link, Misuse> {
        let session = self.sessions.get_mut(&id.session.0).filter(|s| s.is_live());
        session.ok_or(Misuse::NoSession)?.live_link(id.handle).ok_or(Misuse::NoLink)
    }

    /// A link that may be used.
    pub(super) fn answered_link(&mut self, id: LinkId) -> Result<&mut Link, Misuse> {
        let link = self.link_mut(id)?;
        if link.is_answered() { Ok(link) } else { Err(Misuse::NoLink) }
    }

    /// What a link leaves behind; with `over` its unsettled deliveries too.
    pub(super) fn clear_link(&mut self, id: LinkId, over: bool) {
        let Some(session) = self.sessions.get_mut(&id.session.0) else { return };
        if let Some(link) = session.links.get_mut(&id.handle) {
            let partial = link.receiving.partial.take();
            let len = partial.map_or(0, |partial| partial.payload.len() as u64);
            self.partial_bytes = self.partial_bytes.saturating_sub(len);
        }
        session.leave(id.handle, over, &mut self.events);
    }
}
