//! One connection: its stages, its sessions, and what is done with each frame.

use super::config::{Config, Role};
use super::event::{By, Closed, Event, LinkId, Misuse, SessionId};
use super::link::Link;
use super::outgoing::Awake;
use super::session::{Session, SessionState};
use super::timers::{Due, Timers};
use super::violation::Violation;
use super::wire::{Inbound, Input, Kept, Outbound, RawFrame};
use crate::codec::DecodeError;
use crate::condition::Error;
use crate::frame::{FrameType, put_frame};
use crate::performative::{Begin, End, Flow, Performative};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// Octets kept while the caller thinks about a SASL response: what a pipelining client sends ahead.
const KEPT_MAX_BYTES: usize = 64 << 10;

/// How far the connection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The peer's first header is awaited.
    Header,
    /// A SASL frame of the peer is awaited.
    Sasl,
    /// The caller's answer to a SASL frame is awaited; nothing is read meanwhile.
    SaslAnswer,
    /// The AMQP header after a SASL layer is awaited.
    SecondHeader,
    /// The peer's open is awaited.
    Opening,
    /// The peer's open has come.
    Open,
    /// Our close is sent, the peer's is awaited; everything else is passed over.
    Closing,
    /// Nothing more is read.
    Over,
}

/// What the peer's open allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeerLimits {
    pub(super) max_frame_size_bytes: u32,
    pub(super) channel_max: u16,
}

/// An AMQP connection as a machine without IO. The module's page shows how it is driven.
#[derive(Debug)]
pub struct Connection {
    pub(super) config: Arc<Config>,
    pub(super) stage: Stage,
    inbound: Inbound,
    kept: VecDeque<Kept>,
    pub(super) outbound: Outbound,
    pub(super) events: VecDeque<Event<'static>>,
    pub(super) timers: Timers,
    pub(super) peer: PeerLimits,
    pub(super) sessions: BTreeMap<u16, Session>,
    /// Local channels by the peer's.
    pub(super) channels: BTreeMap<u16, u16>,
    /// Sessions with something to send.
    pub(super) awake: Awake,
    /// Links by direction (true: this side sends) and name.
    pub(super) names: BTreeMap<(bool, String), LinkId>,
    /// Octets of deliveries whose frames have come in part.
    pub(super) partial_bytes: u64,
    /// The SASL exchange has begun.
    pub(super) sasl_begun: bool,
    /// Our open is sent.
    pub(super) opened: bool,
    /// How the connection ends, once it does.
    pub(super) ending: Option<Closed>,
}

/// What the peer did wrong, and how much of the connection that costs.
#[derive(Debug)]
pub(super) enum Fault {
    Connection(Violation),
    Session(SessionId, Violation),
    Link(LinkId, Violation),
}

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Self::Connection(violation)
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Connection(Violation::Decode(error))
    }
}

/// What came of a step.
pub(super) enum Step<'a> {
    Event(Event<'a>),
    /// There may be more in the input.
    Again,
    /// More octets are needed.
    Starved,
}

impl Connection {
    /// A connection on a new transport.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let mut connection = Self {
            stage: Stage::Header,
            inbound: Inbound::default(),
            kept: VecDeque::new(),
            outbound: Outbound::default(),
            events: VecDeque::new(),
            timers: Timers::default(),
            peer: PeerLimits { max_frame_size_bytes: u32::MAX, channel_max: u16::MAX },
            sessions: BTreeMap::new(),
            channels: BTreeMap::new(),
            awake: Awake::new(),
            names: BTreeMap::new(),
            partial_bytes: 0,
            sasl_begun: false,
            opened: false,
            ending: None,
            config,
        };
        connection.timers.begin_stage(connection.config.open_timeout);
        if connection.config.role == Role::Initiator {
            connection.send_first_header();
        }
        connection
    }

    /// The next event of `input`; `None` when all of it is read. Call it until then.
    pub fn poll_event<'a>(&mut self, input: &mut Input<'a>) -> Option<Event<'a>> {
        if !input.is_empty() {
            self.timers.heard = true;
        }
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            match self.stage {
                Stage::Over => {
                    input.discard();
                    return self.ending.take().map(Event::Closed);
                }
                Stage::SaslAnswer => {
                    self.keep(input);
                    if self.stage == Stage::SaslAnswer {
                        return None;
                    }
                }
                _ if !self.kept.is_empty() => {
                    self.keep(input);
                    self.replay();
                }
                _ => match self.step(input) {
                    Ok(Step::Event(event)) => return Some(event),
                    Ok(Step::Again) => {}
                    Ok(Step::Starved) => return None,
                    Err(fault) => self.fault(fault),
                },
            }
        }
    }

    /// The transport has ended.
    pub fn handle_transport_closed(&mut self) {
        if self.stage != Stage::Over {
            let closed = self.ending.take();
            self.end(closed.unwrap_or(Closed {
                by: By::Peer,
                error: None,
                violation: None,
                clean: false,
            }));
        }
    }

    /// The time of `poll_timeout` has come. Spurious calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        let fired = self.timers.tick(now);
        if self.stage == Stage::Over {
            return;
        }
        if fired.stage {
            match self.ending.take() {
                Some(closed) => self.end(closed),
                None => self.fault(Violation::OpenTimeout.into()),
            }
        } else if fired.idle {
            self.fault(Violation::Idle.into());
        }
        if fired.beat && self.opened && self.outbound.is_empty() {
            // AMQP 2.4.5, WSB-A07: an empty frame says that we are there.
            self.send(0, |_| {});
        }
    }

    /// When `handle_timeout` is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Due> {
        if self.stage == Stage::Over { None } else { self.timers.due() }
    }

    /// Whether nothing more will be read; what is left to send is still to be polled.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Whether `poll_transmit` has something.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.outbound.is_empty() || self.has_session_output()
    }

    /// Whether both opens were exchanged and no close was.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened && self.stage == Stage::Open
    }

    /// Appends one frame on a channel.
    pub(super) fn send(&mut self, channel: u16, write: impl FnOnce(&mut Vec<u8>)) {
        self.timers.spoke = true;
        self.outbound.frames(|out| {
            put_frame(out, channel, write);
        });
    }

    fn keep(&mut self, input: &mut Input<'_>) {
        if let Some(kept) = input.keep() {
            self.kept.push_back(kept);
        }
        // An empty message counts too: it takes memory.
        let cost = |kept: &Kept| kept.len().saturating_add(size_of::<Kept>());
        let kept = self.kept.iter().fold(0usize, |sum, kept| sum.saturating_add(cost(kept)));
        if kept > KEPT_MAX_BYTES {
            self.kept = VecDeque::new();
            self.fault(Violation::TooMuchBeforeLogin.into());
        }
    }

    /// Reads what was kept, up to the next event: the caller may have to answer it before the next.
    fn replay(&mut self) {
        let Some(mut kept) = self.kept.pop_front() else { return };
        let mut input = kept.input();
        while self.events.is_empty() && !matches!(self.stage, Stage::SaslAnswer | Stage::Over) {
            match self.step(&mut input) {
                Ok(Step::Event(event)) => self.events.push_back(event.into_owned()),
                Ok(Step::Again) => {}
                Ok(Step::Starved) => break,
                Err(fault) => self.fault(fault),
            }
        }
        let left = input.left();
        kept.left(left);
        if !kept.is_read() {
            self.kept.push_front(kept);
        }
    }

    fn step<'a>(&mut self, input: &mut Input<'a>) -> Result<Step<'a>, Fault> {
        match self.stage {
            Stage::Header | Stage::SecondHeader => {
                match self.inbound.take_header(input, self.config.framing)? {
                    Some(header) => self.on_header(header),
                    None => Ok(Step::Starved),
                }
            }
            Stage::Sasl => match self.take_frame(input)? {
                Some(frame) => self.on_sasl_frame(&frame),
                None => Ok(Step::Starved),
            },
            Stage::SaslAnswer | Stage::Over => Ok(Step::Starved),
            Stage::Opening | Stage::Open | Stage::Closing => match self.take_frame(input)? {
                Some(frame) => self.on_frame(frame),
                None => Ok(Step::Starved),
            },
        }
    }

    fn take_frame<'a>(&mut self, input: &mut Input<'a>) -> Result<Option<RawFrame<'a>>, Violation> {
        self.inbound.take_frame(input, self.frame_size_max_bytes())
    }

    fn on_frame<'a>(&mut self, frame: RawFrame<'a>) -> Result<Step<'a>, Fault> {
        let RawFrame { header, body } = frame;
        if header.frame_type != FrameType::Amqp {
            return Err(Violation::Frame("not an AMQP frame").into());
        }
        if body.is_empty() {
            return Ok(Step::Again);
        }
        let (performative, used) = Performative::decode(&body)?;
        match (self.stage, performative) {
            // WSB-033.
            (Stage::Opening, Performative::Open(open)) => self.on_open(open),
            (Stage::Opening, _) => Err(Violation::Unexpected("a frame before open").into()),
            (_, Performative::Close(close)) => Ok(self.on_close(*close)),
            (Stage::Closing, _) => Ok(Step::Again),
            (_, Performative::Open(_)) => Err(Violation::Unexpected("a second open").into()),
            (_, Performative::Begin(begin)) => self.on_begin(header.channel, begin),
            (_, performative) => {
                let Some(session) = self.channels.get(&header.channel).copied() else {
                    return Err(Violation::Channel("no session on this channel").into());
                };
                self.on_session_frame(session, performative, tail(body, used))
            }
        }
    }

    fn on_session_frame<'a>(
        &mut self,
        session: u16,
        performative: Performative,
        payload: Cow<'a, [u8]>,
    ) -> Result<Step<'a>, Fault> {
        let live = self.sessions.get(&session).is_some_and(Session::is_live);
        match performative {
            Performative::End(end) => Ok(self.on_end(session, *end)),
            _ if !live => Ok(Step::Again),
            Performative::Attach(attach) => self.on_attach(session, attach),
            Performative::Flow(flow) => self.on_flow(session, &flow),
            Performative::Transfer(transfer) => self.on_transfer(session, transfer, payload),
            Performative::Disposition(disposition) => self.on_disposition(session, &disposition),
            Performative::Detach(detach) => self.on_detach(session, *detach),
            Performative::Open(_) | Performative::Begin(_) | Performative::Close(_) => {
                Ok(Step::Again)
            }
        }
    }

    // AMQP 2.5.1.
    fn on_begin<'a>(&mut self, channel: u16, begin: Box<Begin>) -> Result<Step<'a>, Fault> {
        if channel > self.config.channel_max {
            return Err(Violation::Channel("the channel is above channel-max").into());
        }
        if self.channels.contains_key(&channel) {
            return Err(Violation::Channel("the channel is in use").into());
        }
        if let Some(local) = begin.remote_channel {
            let session = self.sessions.get_mut(&local);
            let awaiting = |s: &&mut Session| s.remote_channel.is_none();
            let Some(session) = session.filter(awaiting) else {
                return Err(Violation::Unexpected("begin for no session of ours").into());
            };
            let ending = session.state == SessionState::EndSent;
            session.mapped(channel, &begin);
            let id = session.id;
            self.channels.insert(channel, local);
            if ending {
                session.state = SessionState::EndSent;
                return Ok(Step::Again);
            }
            return Ok(Step::Event(Event::Begun(id, begin)));
        }
        let Ok(id) = self.make_session(SessionState::Mapped) else {
            return Err(Violation::Channel("no channel is free").into());
        };
        self.channels.insert(channel, id.0);
        let handle_max = self.config.handle_max;
        if let Some(session) = self.sessions.get_mut(&id.0) {
            session.mapped(channel, &begin);
            let answer = session.begin(Some(channel), handle_max);
            self.send(id.0, |out| Performative::Begin(Box::new(answer)).encode(out));
        }
        Ok(Step::Event(Event::Begun(id, begin)))
    }

    fn on_end<'a>(&mut self, session: u16, end: End) -> Step<'a> {
        let Some(ended) = self.sessions.get(&session) else { return Step::Again };
        if let Some(channel) = ended.remote_channel {
            self.channels.remove(&channel);
        }
        if ended.is_live() {
            self.send(session, |out| Performative::End(Box::default()).encode(out));
            self.clear_session(session);
            let error = end.error.map(|error| (By::Peer, error));
            self.events.push_back(Event::Ended { session: SessionId(session), error });
        }
        self.sessions.remove(&session);
        Step::Again
    }

    /// Begins a session; the peer's answer comes as `Begun`, but links may be asked for at once.
    ///
    /// # Errors
    /// If no channel is free, or the connection is not open.
    pub fn begin(&mut self) -> Result<SessionId, Misuse> {
        if !self.opened || matches!(self.stage, Stage::Closing | Stage::Over) {
            return Err(Misuse::WrongStage);
        }
        let id = self.make_session(SessionState::BeginSent)?;
        let begin = self.sessions.get(&id.0).map(|s| s.begin(None, self.config.handle_max));
        if let Some(begin) = begin {
            self.send(id.0, |out| Performative::Begin(Box::new(begin)).encode(out));
        }
        Ok(id)
    }

    /// Ends a session with all its links.
    ///
    /// # Errors
    /// If there is none.
    pub fn end_session(&mut self, id: SessionId, error: Option<Error>) -> Result<(), Misuse> {
        let session = self.sessions.get_mut(&id.0).filter(|session| session.is_live());
        session.ok_or(Misuse::NoSession)?.state = SessionState::EndSent;
        self.clear_session(id.0);
        let end = End { error };
        self.send(id.0, |out| Performative::End(Box::new(end)).encode(out));
        Ok(())
    }

    fn make_session(&mut self, state: SessionState) -> Result<SessionId, Misuse> {
        let highest = self.config.channel_max.min(self.peer.channel_max);
        let free = (0..=highest).find(|channel| !self.sessions.contains_key(channel));
        let id = SessionId(free.ok_or(Misuse::Exhausted)?);
        let window = self.config.incoming_window_frames;
        self.sessions.insert(id.0, Session::new(id, state, window));
        Ok(id)
    }

    // AMQP 2.7.4.
    fn on_flow<'a>(&mut self, session: u16, flow: &Flow) -> Result<Step<'a>, Fault> {
        let Some(session) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        let id = session.id;
        session.allow(flow);
        let Some(remote) = flow.handle else {
            session.flow_due |= flow.echo;
            self.awake.insert(id.0);
            return Ok(Step::Again);
        };
        let Some(handle) = session.handle_of(remote) else {
            return Err(Fault::Session(session.id, Violation::UnattachedHandle));
        };
        session.link_flows_due |= flow.echo;
        let id = session.link_id(handle);
        let Some(link) = session.live_link(handle) else { return Ok(Step::Again) };
        link.flow_due |= flow.echo;
        let event = if link.is_sender() {
            let event = Self::credit_of(id, link, flow);
            session.revive(handle);
            event
        } else {
            Self::given_back(id, link, flow)
        };
        self.wake(id);
        Ok(event.map_or(Step::Again, Step::Event))
    }

    fn given_back<'a>(id: LinkId, link: &mut Link, flow: &Flow) -> Option<Event<'a>> {
        let there = flow.delivery_count?;
        let advanced = there.wrapping_sub(link.delivery_count);
        if advanced > u32::MAX / 2 {
            return None;
        }
        link.delivery_count = there;
        let receiving = &mut link.receiving;
        receiving.credit = receiving.credit.saturating_sub(advanced);
        let drained = receiving.drain && receiving.credit == 0;
        receiving.drain &= !drained;
        drained.then_some(Event::Drained(id))
    }

    /// What a fault costs: the connection, a session or a link.
    pub(super) fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Connection(violation) => self.fail(violation),
            Fault::Session(id, violation) => {
                if self.end_session(id, Some(violation.error())).is_ok() {
                    let error = Some((By::Local, violation.error()));
                    self.events.push_back(Event::Ended { session: id, error });
                }
            }
            Fault::Link(id, violation) => {
                if self.detach(id, true, Some(violation.error())).is_ok() {
                    let error = Some((By::Local, violation.error()));
                    self.events.push_back(Event::Detached { link: id, closed: true, error });
                }
            }
        }
    }

    /// Nothing more is read. The caller is told after what it was owed.
    pub(super) fn end(&mut self, closed: Closed) {
        self.stage = Stage::Over;
        self.ending = Some(closed);
        self.sessions.clear();
        self.channels.clear();
        self.names.clear();
        self.kept.clear();
        self.inbound = Inbound::default();
    }
}

/// What follows the performative in a frame.
fn tail(body: Cow<'_, [u8]>, used: usize) -> Cow<'_, [u8]> {
    match body {
        Cow::Borrowed(body) => Cow::Borrowed(body.get(used..).unwrap_or_default()),
        Cow::Owned(mut body) => {
            body.drain(..used.min(body.len()));
            Cow::Owned(body)
        }
    }
}
