//! Links come and go: attach, detach, stolen links (AMQP 2.6.1 to 2.6.6).

use super::connection::{Connection, Fault, Step};
use super::event::{By, Event, LinkId, Misuse, SessionId};
use super::link::{Link, LinkState};
use super::session::Session;
use super::violation::Violation;
use crate::condition::Error;
use crate::messaging::{Source, TargetArchetype};
use crate::performative::{
    Attach, Detach, Performative, ReceiverSettleMode, Role, SenderSettleMode,
};
use crate::value::Fields;

/// Links one connection may have, over all its sessions.
const LINKS_MAX: usize = 4096;

/// What this side says of a link that the peer asked for.
#[derive(Clone, Debug, Default)]
pub struct AttachAnswer {
    /// The source: as the peer gave it where this side receives, as it is where this side sends.
    pub source: Option<Source>,
    /// The target, likewise.
    pub target: Option<TargetArchetype>,
    /// When the sender settles; `None`: as the peer asked.
    pub snd_settle_mode: Option<SenderSettleMode>,
    /// When the receiver settles; `None`: as the peer asked.
    pub rcv_settle_mode: Option<ReceiverSettleMode>,
    /// Largest message accepted, in octets, where this side receives; 0 for no limit but the
    /// connection's.
    pub message_size_max_bytes: u64,
    /// Capabilities of the link.
    pub offered_capabilities: Vec<String>,
    /// Properties of the link.
    pub properties: Fields,
}

/// A link this side asks for.
#[derive(Clone, Debug)]
pub struct AttachRequest {
    /// Its name; unique among the links of this direction between the two containers.
    pub name: String,
    /// Whether this side sends or receives.
    pub role: Role,
    /// The rest.
    pub terms: AttachAnswer,
}

impl Connection {
    // AMQP 2.6.3, 2.7.3.
    pub(super) fn on_attach<'a>(
        &mut self,
        session: u16,
        attach: Box<Attach>,
    ) -> Result<Step<'a>, Fault> {
        if attach.handle > self.config.handle_max {
            return Err(Violation::HandleMax.into());
        }
        let Some(live) = self.sessions.get(&session) else { return Ok(Step::Again) };
        if let Some(handle) = live.handle_of(attach.handle) {
            // AMQP 2.6.5: a handle whose link was detached with an error cannot be taken again
            // before the peer has detached too.
            let ending = live.links.get(&handle).is_some_and(|l| l.state == LinkState::DetachSent);
            let why = if ending { Violation::ErrantLink } else { Violation::HandleInUse };
            return Err(Fault::Session(live.id, why));
        }
        if attach.role == Role::Sender && attach.initial_delivery_count.is_none() {
            let what = "initial-delivery-count is missing";
            return Err(Fault::Session(live.id, Violation::InvalidField(what)));
        }
        let key = (attach.role == Role::Receiver, attach.name.clone());
        if let Some(known) = self.names.get(&key).copied() {
            if known.session.0 == session && self.awaits_attach(known) {
                return Ok(Step::Event(self.on_attach_answer(known, attach)));
            }
            self.steal(known);
        }
        let id = self.make_link(session, key, LinkState::AttachReceived)?;
        if let Some(link) = self.bind(id, &attach) {
            link.snd_settle_mode = attach.snd_settle_mode;
            link.rcv_settle_mode = attach.rcv_settle_mode;
        }
        self.events.push_back(Event::Attaching(id, attach));
        Ok(Step::Again)
    }

    fn awaits_attach(&self, id: LinkId) -> bool {
        let link = self.sessions.get(&id.session.0).and_then(|s| s.links.get(&id.handle));
        link.is_some_and(|link| link.remote_handle.is_none())
    }

    fn on_attach_answer<'a>(&mut self, id: LinkId, attach: Box<Attach>) -> Event<'a> {
        if let Some(link) = self.bind(id, &attach)
            && link.state == LinkState::AttachSent
        {
            link.state = LinkState::Attached;
            link.snd_settle_mode = attach.snd_settle_mode;
            link.rcv_settle_mode = attach.rcv_settle_mode;
        }
        Event::Attached(id, attach)
    }

    /// Ties the peer's handle to a link, and learns its count if it sends.
    fn bind(&mut self, id: LinkId, attach: &Attach) -> Option<&mut Link> {
        let session = self.sessions.get_mut(&id.session.0)?;
        session.handles.insert(attach.handle, id.handle);
        let link = session.links.get_mut(&id.handle)?;
        link.remote_handle = Some(attach.handle);
        if let Some(count) = attach.initial_delivery_count
            && !link.is_sender()
        {
            link.delivery_count = count;
        }
        Some(link)
    }

    // AMQP 2.6.1: the second attach succeeds, the first is closed.
    fn steal(&mut self, id: LinkId) {
        self.fault(Fault::Link(id, Violation::Stolen));
    }

    fn make_link(
        &mut self,
        session: u16,
        key: (bool, String),
        state: LinkState,
    ) -> Result<LinkId, Violation> {
        if self.names.len() >= LINKS_MAX {
            return Err(Violation::TooManyLinks);
        }
        let role = if key.0 { Role::Sender } else { Role::Receiver };
        let Some(session) = self.sessions.get_mut(&session) else {
            return Err(Violation::Unexpected("attach without a session"));
        };
        let handle = session.free_handle().ok_or(Violation::TooManyLinks)?;
        let number = session.number_link();
        session.links.insert(handle, Link::new(number, key.1.clone(), role, state));
        let id = session.link_id(handle);
        self.names.insert(key, id);
        Ok(id)
    }

    /// Grants a link that the peer asked for.
    ///
    /// # Errors
    /// If it is gone, or was answered before.
    pub fn accept_attach(&mut self, id: LinkId, answer: AttachAnswer) -> Result<(), Misuse> {
        self.answered(id, LinkState::Attached)?;
        self.send_attach(id, answer)
    }

    /// Refuses a link that the peer asked for: attaches it without a terminus of ours, and closes
    /// it at once.
    ///
    /// # Errors
    /// If it is gone, or was answered before.
    // AMQP 2.6.3, figure 2.33.
    pub fn refuse_attach(
        &mut self,
        id: LinkId,
        asked: &Attach,
        error: Error,
    ) -> Result<(), Misuse> {
        self.answered(id, LinkState::Attached)?;
        let ours_is_target = asked.role == Role::Sender;
        let answer = AttachAnswer {
            source: asked.source.clone().filter(|_| ours_is_target),
            target: asked.target.clone().filter(|_| !ours_is_target),
            ..AttachAnswer::default()
        };
        self.send_attach(id, answer)?;
        self.detach(id, true, Some(error))
    }

    fn answered(&mut self, id: LinkId, state: LinkState) -> Result<(), Misuse> {
        let link = self.link_mut(id)?;
        if link.state != LinkState::AttachReceived {
            return Err(Misuse::NoLink);
        }
        link.state = state;
        Ok(())
    }

    /// Asks for a link. The peer's answer comes as `Attached`; a refusal as `Attached` without the
    /// peer's terminus and `Detached`.
    ///
    /// # Errors
    /// If there is no such session, or all handles are in use.
    pub fn attach(&mut self, session: SessionId, request: AttachRequest) -> Result<LinkId, Misuse> {
        self.sessions.get(&session.0).filter(|s| s.is_live()).ok_or(Misuse::NoSession)?;
        let key = (request.role == Role::Sender, request.name);
        if self.names.contains_key(&key) {
            return Err(Misuse::Exhausted);
        }
        let id =
            self.make_link(session.0, key, LinkState::AttachSent).map_err(|_| Misuse::Exhausted)?;
        if let Ok(link) = self.link_mut(id) {
            link.snd_settle_mode = request.terms.snd_settle_mode.unwrap_or_default();
            link.rcv_settle_mode = request.terms.rcv_settle_mode.unwrap_or_default();
        }
        self.send_attach(id, request.terms)?;
        Ok(id)
    }

    fn send_attach(&mut self, id: LinkId, answer: AttachAnswer) -> Result<(), Misuse> {
        let link = self.link_mut(id)?;
        link.snd_settle_mode = answer.snd_settle_mode.unwrap_or(link.snd_settle_mode);
        link.rcv_settle_mode = answer.rcv_settle_mode.unwrap_or(link.rcv_settle_mode);
        link.message_size_max_bytes = answer.message_size_max_bytes;
        let sender = link.is_sender();
        let size_max = Some(answer.message_size_max_bytes).filter(|size| *size > 0 && !sender);
        let attach = Attach {
            snd_settle_mode: link.snd_settle_mode,
            rcv_settle_mode: link.rcv_settle_mode,
            source: answer.source,
            target: answer.target,
            initial_delivery_count: sender.then_some(link.delivery_count),
            max_message_size: size_max,
            offered_capabilities: answer.offered_capabilities,
            properties: answer.properties,
            ..Attach::new(link.name.clone(), id.handle, link.role)
        };
        self.send(id.session.0, |out| Performative::Attach(Box::new(attach)).encode(out));
        Ok(())
    }

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
        let state = live.links.get(&handle).map(|link| link.state);
        match state {
            None | Some(LinkState::DetachSent) => {
                self.forget_link(id);
                return Ok(Step::Again);
            }
            Some(LinkState::AttachReceived) => {
                // Both halves are owed: the caller has not answered, and need not any more.
                let _ = self.answered(id, LinkState::Attached);
                let _ = self.send_attach(id, AttachAnswer::default());
            }
            Some(LinkState::AttachSent | LinkState::Attached) => {}
        }
        let closed = detach.closed;
        self.send_detach(id, closed, None);
        self.clear_link(id, closed);
        self.forget_link(id);
        let error = detach.error.map(|error| (By::Peer, error));
        self.events.push_back(Event::Detached { link: id, closed, error });
        Ok(Step::Again)
    }

    /// Detaches or closes a link. What it had queued comes back as `Unsent`; nothing else is said.
    ///
    /// # Errors
    /// If there is no such link.
    pub fn detach(&mut self, id: LinkId, closed: bool, error: Option<Error>) -> Result<(), Misuse> {
        let link = self.link_mut(id)?;
        let answered = link.state != LinkState::AttachReceived;
        link.state = LinkState::DetachSent;
        if !answered {
            // A link that was stolen before it was granted.
            let (name, role) = (link.name.clone(), link.role);
            let attach = Attach {
                initial_delivery_count: (role == Role::Sender).then_some(0),
                ..Attach::new(name, id.handle, role)
            };
            self.send(id.session.0, |out| Performative::Attach(Box::new(attach)).encode(out));
        }
        self.send_detach(id, closed, error);
        self.clear_link(id, closed);
        self.forget_name(id);
        Ok(())
    }

    fn send_detach(&mut self, id: LinkId, closed: bool, error: Option<Error>) {
        let detach = Detach { handle: id.handle, closed, error };
        self.send(id.session.0, |out| Performative::Detach(Box::new(detach)).encode(out));
    }

    /// The link's handle is free again.
    fn forget_link(&mut self, id: LinkId) {
        self.forget_name(id);
        if let Some(session) = self.sessions.get_mut(&id.session.0) {
            session.links.remove(&id.handle);
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

    /// A link that may be used.
    pub(super) fn link_mut(&mut self, id: LinkId) -> Result<&mut Link, Misuse> {
        let session = self.sessions.get_mut(&id.session.0).filter(|s| s.is_live());
        session.ok_or(Misuse::NoSession)?.live_link(id.handle).ok_or(Misuse::NoLink)
    }

    /// What a link that is detached leaves behind.
    fn clear_link(&mut self, id: LinkId, closed: bool) {
        let Some(session) = self.sessions.get_mut(&id.session.0) else { return };
        let left = session.leave(id.handle, closed);
        if let Some(partial) = left.partial_bytes {
            self.partial_bytes = self.partial_bytes.saturating_sub(partial);
        }
        self.events.extend(left.events);
    }

    /// What a session that ends leaves behind.
    pub(super) fn clear_session(&mut self, id: u16) {
        let handles: Vec<u32> = match self.sessions.get(&id) {
            Some(session) => session.links.keys().copied().collect(),
            None => return,
        };
        for handle in handles {
            let link = LinkId { session: SessionId(id), handle };
            self.forget_name(link);
            self.clear_link(link, true);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.links.clear();
            session.handles.clear();
            // Of links that were detached before: nobody can settle them any more.
            let rest = session.unsettled.take_all();
            let id = session.id;
            self.events.extend(rest.iter().map(|run| Session::undecided(id, run)));
        }
    }
}
