//! One connection: its stages, its sessions, and what is done with each frame.

use super::config::{Config, Role};
use super::event::{By, Closed, Event, LinkId, SessionId};
use super::login::Login;
use super::outgoing::Awake;
use super::session::Session;
use super::timers::{Due, Timers};
use super::violation::Violation;
use super::wire::{Inbound, Input, Kept, Outbound, RawFrame};
use crate::codec::DecodeError;
use crate::frame::FrameType;
use crate::limits::MIN_MAX_FRAME_SIZE;
use crate::performative::Performative;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// Octets kept while the caller thinks about an answer: what a pipelining client sends ahead.
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
    /// The peer's open has come. Nothing more is read before ours is given.
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

impl PeerLimits {
    /// What everybody allows.
    // AMQP 2.4.1, 2.4.2: "prior to any explicit negotiation".
    const BEFORE_OPEN: Self = Self { max_frame_size_bytes: MIN_MAX_FRAME_SIZE, channel_max: 0 };
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
    /// Boxed: a map makes room for eleven, and most connections have one.
    pub(super) sessions: BTreeMap<u16, Box<Session>>,
    /// Local channels by the peer's.
    pub(super) channels: BTreeMap<u16, u16>,
    /// Sessions with something to send.
    pub(super) awake: Awake,
    /// Links by direction (true: this side sends) and name.
    pub(super) names: BTreeMap<(bool, String), LinkId>,
    /// Links of all sessions, those included that are on their way out.
    pub(super) link_count: usize,
    /// Octets of deliveries whose frames have come in part.
    pub(super) partial_bytes: u64,
    pub(super) login: Login,
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
    /// Ahead of those that were queued meanwhile.
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
            peer: PeerLimits::BEFORE_OPEN,
            sessions: BTreeMap::new(),
            channels: BTreeMap::new(),
            awake: Awake::default(),
            names: BTreeMap::new(),
            link_count: 0,
            partial_bytes: 0,
            login: Login::default(),
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
            if self.stage == Stage::Over {
                input.discard();
                return self.ending.take().map(Event::Closed);
            }
            if self.awaits_answer() {
                self.keep(input);
                if self.awaits_answer() {
                    return None;
                }
            } else if self.kept.is_empty() {
                match self.step(input) {
                    Ok(Step::Event(event)) => return Some(event),
                    Ok(Step::Again) => {}
                    Ok(Step::Starved) => return None,
                    Err(fault) => self.fault(fault),
                }
            } else {
                self.replay();
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
        } else if fired.beat && self.opened && self.outbound.is_empty() {
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

    /// Whether `poll_transmit` may have something.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.outbound.is_empty() || self.has_session_output()
    }

    /// Octets of answers that wait to be sent. Deliveries are not counted: they are as many as the
    /// caller gave. How many answers there are is up to the peer, so a caller that cannot send reads
    /// no more when this grows.
    #[must_use]
    pub fn answer_bytes(&self) -> usize {
        self.outbound.len()
    }

    /// The caller has not read for some time what the peer may have sent: its silence is no fault.
    pub fn excuse_silence(&mut self) {
        self.timers.heard = true;
    }

    /// Whether both opens were exchanged and no close was.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened && self.stage == Stage::Open
    }

    /// Appends one frame on a channel. False: it is larger than the peer takes, and not sent.
    // AMQP 2.7.1: "MUST NOT send frames larger than its partner can handle".
    pub(super) fn send(&mut self, channel: u16, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.timers.spoke = true;
        self.outbound.frame(channel, self.peer.max_frame_size_bytes, write)
    }

    /// Whether nothing is read before the caller has answered: to a SASL frame, or to the open.
    fn awaits_answer(&self) -> bool {
        self.stage == Stage::SaslAnswer || (self.stage == Stage::Open && !self.opened)
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
        while self.events.is_empty() && !self.awaits_answer() && self.stage != Stage::Over {
            match self.step(&mut input) {
                Ok(Step::Event(event)) => self.events.push_front(event.into_owned()),
                Ok(Step::Again) => {}
                Ok(Step::Starved) => break,
                Err(fault) => self.fault(fault),
            }
        }
        let left = input.left();
        kept.left(left);
        if !kept.is_read() && self.stage != Stage::Over {
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
            Stage::Sasl => match self.inbound.take_frame(input, MIN_MAX_FRAME_SIZE)? {
                // AMQP 5.3.1: SASL frames have at most 512 octets.
                Some(frame) => self.on_sasl_frame(&frame),
                None => Ok(Step::Starved),
            },
            Stage::SaslAnswer | Stage::Over => Ok(Step::Starved),
            Stage::Opening | Stage::Open | Stage::Closing => {
                match self.inbound.take_frame(input, self.frame_size_max_bytes())? {
                    Some(frame) => self.on_frame(frame),
                    None => Ok(Step::Starved),
                }
            }
        }
    }

    /// The largest AMQP frame accepted.
    pub(super) fn frame_size_max_bytes(&self) -> u32 {
        self.config.max_frame_size_bytes.max(MIN_MAX_FRAME_SIZE)
    }

    fn on_frame<'a>(&mut self, frame: RawFrame<'a>) -> Result<Step<'a>, Fault> {
        if self.stage == Stage::Closing {
            return Ok(self.on_late_frame(&frame));
        }
        if frame.header.frame_type != FrameType::Amqp {
            return Err(Violation::Frame("not an AMQP frame").into());
        }
        // AMQP 2.4.5: an empty frame says nothing.
        if frame.body().is_empty() {
            return Ok(Step::Again);
        }
        let channel = frame.header.channel;
        let (performative, used) = Performative::decode(frame.body())?;
        match (self.stage, performative) {
            // WSB-033.
            (Stage::Opening, Performative::Open(open)) => self.on_open(channel, open),
            (Stage::Opening, _) => Err(Violation::Unexpected("a frame before open").into()),
            (_, Performative::Close(close)) => Ok(self.on_close(*close)),
            (_, Performative::Open(_)) => Err(Violation::Unexpected("a second open").into()),
            (_, Performative::Begin(begin)) => self.on_begin(channel, begin),
            (_, performative) => {
                let Some(session) = self.channels.get(&channel).copied() else {
                    return Err(Violation::Channel("no session on this channel").into());
                };
                self.on_session_frame(session, performative, frame.into_payload(used))
            }
        }
    }

    // AMQP 2.4.6: "any incoming frames on the connection MUST be silently discarded until the
    // peer's close frame is received".
    fn on_late_frame<'a>(&mut self, frame: &RawFrame<'_>) -> Step<'a> {
        match Performative::decode(frame.body()) {
            Ok((Performative::Close(close), _)) => self.on_close(*close),
            _ => Step::Again,
        }
    }

    fn on_session_frame<'a>(
        &mut self,
        session: u16,
        performative: Performative,
        payload: Cow<'a, [u8]>,
    ) -> Result<Step<'a>, Fault> {
        let Some(live) = self.sessions.get_mut(&session) else { return Ok(Step::Again) };
        match performative {
            Performative::End(end) => Ok(self.on_end(session, *end)),
            // AMQP 2.5.4, 2.5.5: our end is sent, everything but the peer's is passed over.
            _ if !live.is_live() => Ok(Step::Again),
            Performative::Transfer(transfer) => self.on_transfer(session, transfer, payload),
            Performative::Disposition(disposition) => {
                live.on_disposition(&disposition, &mut self.events)?;
                Ok(Step::Again)
            }
            Performative::Flow(flow) => self.on_flow(session, &flow),
            Performative::Attach(attach) => self.on_attach(session, attach),
            Performative::Detach(detach) => self.on_detach(session, *detach),
            Performative::Open(_) | Performative::Begin(_) | Performative::Close(_) => {
                Ok(Step::Again)
            }
        }
    }

    /// What a fault costs: the connection, a session or a link.
    pub(super) fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Connection(violation) => self.fail(violation),
            Fault::Session(id, violation) => self.break_session(id, violation.error()),
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
        self.forget_sessions();
        self.kept = VecDeque::new();
        self.inbound = Inbound::default();
    }

    /// Sessions and links are nothing any more: there is no frame for them.
    pub(super) fn forget_sessions(&mut self) {
        self.sessions.clear();
        self.channels.clear();
        self.names.clear();
        self.awake = Awake::default();
        self.link_count = 0;
        self.partial_bytes = 0;
    }
}
