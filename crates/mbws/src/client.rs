//! The client's side of a connection, which outlives its WebSocket sessions.
//!
//! Every message sent is kept until the server acknowledges it. After a session is lost the
//! connection is recovered on a new one: the engine claims what it has, sends again what the
//! server lacks, and drops what the server sends again. The application sees each message once.

use std::fmt;

use crate::frame::FrameIds;
use crate::integer::Integer;
use crate::window::Window;
use crate::{
    Flavour, Frame, Kind, LengthUnit, Limits, Message, MessageSink, Misuse, NUMBER_MAX, Numbers,
    Retained, Violation, WindowLimits, decode, encode_content, encode_message_header,
};

/// How a client speaks and what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The subprotocol that is offered.
    pub flavour: Flavour,
    /// The kind of Connect and Acknowledge frames.
    pub kind: Kind,
    /// What string lengths count; must be the server's.
    pub unit: LengthUnit,
    /// Bounds of what is received.
    pub limits: Limits,
    /// Bounds of what is kept until acknowledged.
    pub window: WindowLimits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            flavour: Flavour::Full,
            kind: Kind::Binary,
            unit: LengthUnit::default(),
            limits: Limits::of_client(),
            window: WindowLimits::default(),
        }
    }
}

/// What one received WebSocket message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A new connection. Messages kept from before were sent on it.
    Opened {
        /// Its name, which the engine remembers.
        name: &'a str,
    },
    /// The connection goes on. What the server lacked was sent again.
    Resumed {
        /// SSLR: everything up to here is acknowledged (MBWS-A23).
        acknowledged: u64,
        /// How many messages were sent again.
        resent: usize,
    },
    /// The old connection is gone and this is a new one; numbers begin at 1 in both directions.
    // MBWS-023, MBWS-050, MBWS-052
    Refused {
        /// The name of the new connection.
        name: &'a str,
        /// What the server never acknowledged, oldest first. It may have taken some of them all
        /// the same, so the caller decides: [`Connection::send_again`] risks a second copy.
        unacknowledged: Vec<Retained>,
    },
    /// A message for the application, for the first time. Acknowledge it when the application has
    /// taken it (MBWS-A11).
    Delivered {
        /// Its number.
        seq: u64,
        /// The kind of its frame.
        kind: Kind,
        /// The message, with the one address it comes from.
        message: Message<'a>,
    },
    /// A message that the application has had already: the server did not know. Nothing to do.
    Repeated {
        /// Its number.
        seq: u64,
    },
    /// The server has taken responsibility for everything up to this number.
    Acknowledged {
        /// Above every number acknowledged before.
        up_to: u64,
    },
    /// Nothing to do.
    Ignored,
    /// The server broke the protocol: fail the session with [`Violation::close_code`].
    Violated(Violation),
}

/// Why a message was not accepted. Nothing was kept or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendRefused {
    /// The window is full: wait for an acknowledgement.
    WindowFull,
    /// MBLWS keeps nothing, so it needs a session.
    NotConnected,
    /// The body is not UTF-8 and the kind is text.
    NotRepresentable,
    /// All sequence numbers are used: open a new connection.
    SequenceExhausted,
}

impl fmt::Display for SendRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendRefused::WindowFull => "too many messages wait for their acknowledgement",
            SendRefused::NotConnected => "not connected, and MBLWS keeps nothing for later",
            SendRefused::NotRepresentable => "the body of a text message must be UTF-8",
            SendRefused::SequenceExhausted => "all sequence numbers are used",
        })
    }
}

impl std::error::Error for SendRefused {}

/// A connection and, if there is one, its session.
#[derive(Debug)]
pub struct Connection {
    pub(crate) options: Options,
    pub(crate) session: Session,
    /// What to recover by.
    // MBWS-012
    pub(crate) name: Option<Box<str>>,
    pub(crate) window: Window,
    pub(crate) inbound: Inbound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    Lost,
    /// A new connection was asked for.
    Opening,
    /// The old connection was asked for.
    Reopening,
    Open,
}

/// Numbers of received messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inbound {
    /// The last one received in this session, or resumed after.
    received: u64,
    /// The last one given to the application.
    handed: u64,
    /// The last one the application has taken. This is what a reconnect claims as CSLR, since a
    /// message counts as received when losing it would be the application's loss.
    taken: u64,
    /// The last one the server knows of.
    told: u64,
}

impl Inbound {
    /// Messages up to `taken` are dealt with, and nothing beyond was seen.
    pub(crate) fn after(taken: u64) -> Self {
        Inbound { received: taken, handed: taken, taken, told: taken }
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }
}

impl Connection {
    /// A connection that does not exist yet. Messages may be sent at once: they are kept.
    pub fn new(options: Options) -> Self {
        Connection {
            options,
            session: Session::Lost,
            name: None,
            window: Window::new(options.window),
            inbound: Inbound::default(),
        }
    }

    /// Asks for a new connection on a WebSocket session that was just opened. An MBLWS connection
    /// is open by this (MBWS-063), without a frame.
    ///
    /// # Errors
    /// A session is there already, or a connection that could be recovered.
    // MBWS-010, MBWS-060
    pub fn connect(&mut self, sink: &mut impl MessageSink) -> Result<(), Misuse> {
        if self.session != Session::Lost {
            return Err(Misuse::AlreadyAsked);
        }
        if self.name.is_some() {
            return Err(Misuse::StillRecoverable);
        }
        match self.options.flavour {
            Flavour::Light => self.session = Session::Open,
            Flavour::Full => {
                self.session = Session::Opening;
                self.send_connect("", &[], sink);
            }
        }
        Ok(())
    }

    /// Asks to go on with this connection on a WebSocket session that was just opened.
    ///
    /// # Errors
    /// A session is there already, or no connection was ever opened.
    // MBWS-040, MBWS-041, MBWS-042
    pub fn reconnect(&mut self, sink: &mut impl MessageSink) -> Result<(), Misuse> {
        if self.session != Session::Lost {
            return Err(Misuse::AlreadyAsked);
        }
        let name = self.name.as_deref().ok_or(Misuse::NothingToRecover)?;
        let (cslr, cslw, csuw) = (self.inbound.taken, self.window.lowest(), self.window.highest());
        self.send_connect(name, &[cslr, cslw, csuw], sink);
        self.inbound.received = cslr;
        self.inbound.told = cslr;
        self.session = Session::Reopening;
        Ok(())
    }

    fn send_connect(&self, name: &str, numbers: &[u64], sink: &mut impl MessageSink) {
        let Options { kind, unit, .. } = self.options;
        let mut frame = Vec::new();
        crate::encode_connect(kind, unit, name, numbers, &mut frame);
        sink.message(kind, &[&frame]);
    }

    /// The WebSocket session is gone without a normal close. What is kept stays (MBWS-020,
    /// MBWS-022); an MBLWS connection is over (MBWS-064).
    pub fn session_lost(&mut self) {
        self.session = Session::Lost;
        if self.options.flavour == Flavour::Light {
            self.give_up();
        }
    }

    /// The connection is over: closed normally (MBWS-015), or to be forgotten. Gives what was
    /// never acknowledged.
    pub fn give_up(&mut self) -> Vec<Retained> {
        self.session = Session::Lost;
        self.name = None;
        self.inbound = Inbound::default();
        self.window.take()
    }

    /// Sends one message and gives its number. It is kept until acknowledged; without an open
    /// session it is kept alone and sent when there is one.
    ///
    /// # Errors
    /// The message was not accepted.
    pub fn send<'p>(
        &mut self,
        kind: Kind,
        addresses: &[&str],
        content_type: &str,
        properties: impl ExactSizeIterator<Item = (&'p str, &'p str)>,
        body: &[u8],
        sink: &mut impl MessageSink,
    ) -> Result<u64, SendRefused> {
        let unit = self.options.unit;
        let mut frame = Vec::new();
        encode_message_header(kind, unit, addresses, &mut frame);
        encode_content(kind, unit, content_type, properties, body, &mut frame)
            .map_err(|_| SendRefused::NotRepresentable)?;
        self.send_frame(Retained { kind, frame }, sink)
    }

    /// Sends a message of a connection that is gone, under a new number.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn send_again(
        &mut self,
        message: Retained,
        sink: &mut impl MessageSink,
    ) -> Result<u64, SendRefused> {
        self.send_frame(message, sink)
    }

    fn send_frame(
        &mut self,
        message: Retained,
        sink: &mut impl MessageSink,
    ) -> Result<u64, SendRefused> {
        if self.window.highest() >= NUMBER_MAX {
            return Err(SendRefused::SequenceExhausted);
        }
        let open = self.session == Session::Open;
        if self.options.flavour == Flavour::Light {
            if !open {
                return Err(SendRefused::NotConnected);
            }
            sink.message(message.kind, &[&message.frame]);
            return Ok(self.window.pass());
        }
        if !self.window.has_room(message.frame.len()) {
            return Err(SendRefused::WindowFull);
        }
        // Before the server's Connect a number could still change (MBWS-A13).
        if open {
            sink.message(message.kind, &[&message.frame]);
        }
        Ok(self.window.push(message))
    }

    /// Takes the payload of one WebSocket message.
    pub fn handle_message<'a>(
        &mut self,
        kind: Kind,
        payload: &'a [u8],
        sink: &mut impl MessageSink,
    ) -> Event<'a> {
        let frame = decode(kind, self.options.unit, payload, &self.options.limits);
        let event = match (self.options.flavour, frame) {
            (_, Err(violation)) => Err(violation),
            (_, Ok(Frame::Message(message))) => self.handle_delivered(kind, message),
            // No MBLWS server says this (MBWS-062).
            (Flavour::Light, Ok(_)) => Ok(Event::Ignored),
            (Flavour::Full, Ok(Frame::Acknowledge(up_to))) => self.handle_acknowledge(up_to),
            (Flavour::Full, Ok(Frame::Connect { name, numbers })) => {
                self.handle_answer(name, &numbers, sink)
            }
        };
        event.unwrap_or_else(Event::Violated)
    }

    fn handle_answer<'a>(
        &mut self,
        name: &'a str,
        numbers: &Numbers,
        sink: &mut impl MessageSink,
    ) -> Result<Event<'a>, Violation> {
        let ours = self.name.as_deref() == Some(name);
        match (self.session, numbers.as_slice()) {
            (Session::Lost | Session::Open, _) => Err(Violation::SecondConnect),
            _ if name.is_empty() => Err(Violation::AnswerName),
            // MBWS-A08: our own name comes with SSLR, a new one alone.
            (Session::Reopening, Some(&[sslr])) if ours => self.resume(sslr, sink),
            (Session::Reopening, Some([])) if !ours => {
                let unacknowledged = self.give_up();
                self.open(name, sink);
                Ok(Event::Refused { name, unacknowledged })
            }
            (Session::Opening, Some([])) => {
                self.open(name, sink);
                Ok(Event::Opened { name })
            }
            (Session::Opening | Session::Reopening, _) => Err(Violation::AnswerNumbers),
        }
    }

    fn open(&mut self, name: &str, sink: &mut impl MessageSink) {
        self.name = Some(name.into());
        self.session = Session::Open;
        self.inbound = Inbound::default();
        self.send_window(sink);
    }

    // MBWS-047
    fn resume<'a>(
        &mut self,
        sslr: u64,
        sink: &mut impl MessageSink,
    ) -> Result<Event<'a>, Violation> {
        if sslr < self.window.acked() || sslr > self.window.highest() {
            return Err(Violation::ResumedOutsideWindow);
        }
        self.window.release(sslr);
        self.session = Session::Open;
        let resent = self.send_window(sink);
        self.tell(sink);
        Ok(Event::Resumed { acknowledged: sslr, resent })
    }

    fn send_window(&self, sink: &mut impl MessageSink) -> usize {
        for message in self.window.iter() {
            sink.message(message.kind, &[&message.frame]);
        }
        self.window.iter().len()
    }

    fn handle_delivered<'a>(
        &mut self,
        kind: Kind,
        message: Message<'a>,
    ) -> Result<Event<'a>, Violation> {
        if self.session != Session::Open {
            return Err(Violation::BeforeConnect);
        }
        // MBWS-073
        if message.addresses.count() != 1 {
            return Err(Violation::DeliveredAddresses);
        }
        if self.inbound.received >= NUMBER_MAX {
            return Err(Violation::SequenceExhausted);
        }
        // MBWS-031
        let seq = self.inbound.received.saturating_add(1);
        self.inbound.received = seq;
        // MBWS-026: the same number is the same message, in whatever session it comes.
        if seq <= self.inbound.handed {
            return Ok(Event::Repeated { seq });
        }
        self.inbound.handed = seq;
        Ok(Event::Delivered { seq, kind, message })
    }

    fn handle_acknowledge<'a>(&mut self, up_to: u64) -> Result<Event<'a>, Violation> {
        if self.session != Session::Open {
            return Err(Violation::BeforeConnect);
        }
        // MBWS-A12
        if up_to > self.window.highest() {
            return Err(Violation::AcknowledgedUnsent);
        }
        if up_to <= self.window.acked() {
            return Ok(Event::Ignored);
        }
        self.window.release(up_to);
        Ok(Event::Acknowledged { up_to })
    }

    /// The application has taken every message up to this one. Without a session the server is
    /// told at the next reconnect.
    ///
    /// # Errors
    /// No such message was delivered.
    // MBWS-033
    pub fn acknowledge(&mut self, up_to: u64, sink: &mut impl MessageSink) -> Result<(), Misuse> {
        if up_to > self.inbound.handed {
            return Err(Misuse::AcknowledgedUnreceived);
        }
        self.inbound.taken = self.inbound.taken.max(up_to);
        self.tell(sink);
        Ok(())
    }

    fn tell(&mut self, sink: &mut impl MessageSink) {
        let Options { flavour, kind, .. } = self.options;
        let news = self.inbound.taken > self.inbound.told;
        if news && self.session == Session::Open && flavour == Flavour::Full {
            self.inbound.told = self.inbound.taken;
            let number = Integer::of(kind, self.inbound.told);
            sink.message(kind, &[FrameIds::of(kind).acknowledge, number.as_bytes()]);
        }
    }

    /// The connection's name, once it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether messages flow.
    pub fn is_open(&self) -> bool {
        self.session == Session::Open
    }

    /// Messages that the server has not acknowledged. Wait for 0 before a normal close, which
    /// forgets them (MBWS-A10).
    pub fn unacknowledged(&self) -> usize {
        self.window.iter().len()
    }
}
