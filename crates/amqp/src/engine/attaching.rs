//! Links come: attach (AMQP 2.6.1 to 2.6.3, 2.7.3).

use super::connection::{Connection, Fault, Step};
use super::event::{Event, LinkId, Misuse, SessionId};
use super::link::{Link, LinkState};
use super::violation::Violation;
use crate::condition::{Condition, Error};
use crate::messaging::{Source, TargetArchetype};
use crate::performative::{Attach, Performative, ReceiverSettleMode, Role, SenderSettleMode};
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
        // AMQP 2.7.2: "MUST close the connection with the framing-error error-code".
        if attach.handle > self.config.handle_max {
            return Err(Violation::HandleMax.into());
        }
        let Some(live) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        let broken = |violation| Fault::Session(SessionId(session), violation);
        if let Some(handle) = live.handle_of(attach.handle) {
            // AMQP 2.6.5: the link that was detached with an error cannot be attached again.
            let errant = live.links.get(&handle).is_some_and(|link| link.errant);
            let why = if errant { Violation::ErrantLink } else { Violation::HandleInUse };
            return Err(broken(why));
        }
        if attach.role == Role::Sender && attach.initial_delivery_count.is_none() {
            return Err(broken(Violation::InvalidField("initial-delivery-count is missing")));
        }
        if let Some(handle) = live.take_unanswered(&attach.name, attach.role.other()) {
            let id = live.link_id(handle);
            return Ok(self.on_attach_answer(id, attach));
        }
        let key = (attach.role == Role::Receiver, attach.name.clone());
        if let Some(known) = self.names.get(&key).copied() {
            // AMQP 2.6.1: "the second attach succeeds and the first attach MUST then be closed with
            // a link error of stolen".
            self.fault(Fault::Link(known, Violation::Stolen));
        }
        let id = self.make_link(session, key, LinkState::AttachReceived).map_err(broken)?;
        if let Some(link) = self.bind(id, &attach) {
            link.snd_settle_mode = attach.snd_settle_mode;
            link.rcv_settle_mode = attach.rcv_settle_mode;
        }
        self.events.push_back(Event::Attaching(id, attach));
        Ok(Step::Again)
    }

    fn on_attach_answer<'a>(&mut self, id: LinkId, attach: Box<Attach>) -> Step<'a> {
        let Some(link) = self.bind(id, &attach) else { return Step::Again };
        if link.state != LinkState::AttachSent {
            // Detached before it was answered; the peer's detach is to come.
            return Step::Again;
        }
        link.state = LinkState::Attached;
        // AMQP 2.7.3: each end says how it settles; what it says of the other is a wish.
        if link.is_sender() {
            link.rcv_settle_mode = attach.rcv_settle_mode;
        } else {
            link.snd_settle_mode = attach.snd_settle_mode;
        }
        Step::Event(Event::Attached(id, attach))
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

    fn make_link(
        &mut self,
        session: u16,
        key: (bool, String),
        state: LinkState,
    ) -> Result<LinkId, Violation> {
        if self.link_count >= LINKS_MAX {
            return Err(Violation::TooManyLinks);
        }
        let role = if key.0 { Role::Sender } else { Role::Receiver };
        let Some(session) = self.sessions.get_mut(&session) else {
            return Err(Violation::Unexpected("attach without a session"));
        };
        let handle = session.free_handle().ok_or(Violation::TooManyLinks)?;
        let number = session.number_link();
        let link = Link::new(number, key.1.clone(), role, state);
        session.links.insert(handle, Box::new(link));
        let id = session.link_id(handle);
        self.names.insert(key, id);
        self.link_count = self.link_count.saturating_add(1);
        Ok(id)
    }

    /// Grants a link that the peer asked for. An answer that does not fit a frame that the peer
    /// takes ends the session, which is told by `Ended`.
    ///
    /// # Errors
    /// If it is gone, was answered before, or the answer is too large.
    pub fn accept_attach(&mut self, id: LinkId, answer: AttachAnswer) -> Result<(), Misuse> {
        self.answer(id)?;
        self.send_answer(id, answer)?;
        if let Some(session) = self.sessions.get_mut(&id.session.0)
            && session.links.get(&id.handle).is_some_and(|link| link.flow_due)
        {
            // The peer has asked before.
            session.flows_due.push(id.handle);
            self.awake.insert(id.session);
        }
        Ok(())
    }

    /// Refuses a link that the peer asked for: attaches it without a terminus of ours, and closes
    /// it at once.
    ///
    /// # Errors
    /// As `accept_attach`.
    // AMQP 2.6.3, figure 2.33.
    pub fn refuse_attach(
        &mut self,
        id: LinkId,
        asked: &Attach,
        error: Error,
    ) -> Result<(), Misuse> {
        self.answer(id)?;
        let ours_is_target = asked.role == Role::Sender;
        let answer = AttachAnswer {
            source: asked.source.clone().filter(|_| ours_is_target),
            target: asked.target.clone().filter(|_| !ours_is_target),
            ..AttachAnswer::default()
        };
        self.send_answer(id, answer)?;
        self.detach(id, true, Some(error))
    }

    /// The link is answered now.
    fn answer(&mut self, id: LinkId) -> Result<(), Misuse> {
        let link = self.link_mut(id)?;
        if link.state != LinkState::AttachReceived {
            return Err(Misuse::NoLink);
        }
        link.state = LinkState::Attached;
        Ok(())
    }

    // AMQP 2.8.15, frame-size-too-small.
    pub(super) fn send_answer(&mut self, id: LinkId, answer: AttachAnswer) -> Result<(), Misuse> {
        let sent = self.send_attach(id, answer);
        if sent == Err(Misuse::TooLarge) {
            let why = "the attach does not fit a frame that the peer takes";
            self.break_session(id.session, Error::new(Condition::FrameSizeTooSmall, why));
        }
        sent
    }

    /// Asks for a link. The peer's answer comes as `Attached`; a refusal as `Attached` without the
    /// peer's terminus and `Detached`.
    ///
    /// # Errors
    /// If there is no such session, all handles or the name are in use, or the attach does not fit
    /// a frame that the peer takes.
    pub fn attach(&mut self, session: SessionId, request: AttachRequest) -> Result<LinkId, Misuse> {
        self.sessions.get(&session.0).filter(|s| s.is_live()).ok_or(Misuse::NoSession)?;
        let key = (request.role == Role::Sender, request.name);
        if self.names.contains_key(&key) {
            return Err(Misuse::Exhausted);
        }
        let id =
            self.make_link(session.0, key, LinkState::AttachSent).map_err(|_| Misuse::Exhausted)?;
        if let Err(misuse) = self.send_attach(id, request.terms) {
            self.forget_link(id);
            return Err(misuse);
        }
        if let Some(session) = self.sessions.get_mut(&session.0) {
            session.unanswered.push_back(id.handle);
        }
        Ok(id)
    }

    fn send_attach(&mut self, id: LinkId, answer: AttachAnswer) -> Result<(), Misuse> {
        let connection_max = self.config.message_size_max_bytes;
        let link = self.link_mut(id)?;
        let sender = link.is_sender();
        let snd_settle_mode = answer.snd_settle_mode.unwrap_or(link.snd_settle_mode);
        let rcv_settle_mode = answer.rcv_settle_mode.unwrap_or(link.rcv_settle_mode);
        // AMQP 2.7.3: what is said of the other end is a wish.
        if sender {
            link.snd_settle_mode = snd_settle_mode;
        } else {
            link.rcv_settle_mode = rcv_settle_mode;
        }
        link.message_size_max_bytes = match answer.message_size_max_bytes {
            0 => connection_max,
            link_max => link_max.min(connection_max),
        };
        let attach = Attach {
            snd_settle_mode,
            rcv_settle_mode,
            source: answer.source,
            target: answer.target,
            initial_delivery_count: sender.then_some(link.delivery_count),
            max_message_size: (!sender).then_some(link.message_size_max_bytes),
            offered_capabilities: answer.offered_capabilities,
            properties: answer.properties,
            ..Attach::new(link.name.clone(), id.handle, link.role)
        };
        let sent =
            self.send(id.session.0, |out| Performative::Attach(Box::new(attach)).encode(out));
        if sent { Ok(()) } else { Err(Misuse::TooLarge) }
    }
}
