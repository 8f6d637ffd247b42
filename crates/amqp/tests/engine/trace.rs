//! The engine with the peer as a script, and a log of all that happens.

use crate::show;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{
    AttachAnswer, AttachRequest, Config, Connection, Due, Event, Framing, Input, LinkId,
    OutgoingDelivery, Role as Side, SessionId,
};
use wharf_amqp::frame::{
    FRAME_HEADER_BYTES, FrameHeader, FrameType, PROTOCOL_HEADER_BYTES, ProtocolHeader, put_frame,
    put_sasl_frame,
};
use wharf_amqp::performative::{
    Attach, Begin, Close, Detach, Disposition, End, Flow, Open, Performative, Role, Transfer,
};
use wharf_amqp::sasl_frame::SaslFrame;
use wharf_amqp::tag::Tag;

/// The first session and its first link, wherever a test has no more.
pub(crate) const SESSION: SessionId = SessionId(0);
pub(crate) const LINK: LinkId = LinkId { session: SESSION, handle: 0 };

/// Octets of output asked for at once.
const BUDGET: usize = 64 << 10;

pub(crate) struct Trace {
    pub(crate) us: Connection,
    framing: Framing,
    log: Vec<String>,
    /// Open is answered at once.
    answers_open: bool,
    start: Instant,
    now: Instant,
}

/// The settings of most tests.
pub(crate) fn config(side: Side, framing: Framing) -> Config {
    Config { idle_time_out: None, ..Config::new(side, framing) }
}

impl Trace {
    pub(crate) fn new(config: Config) -> Self {
        let framing = config.framing;
        let now = Instant::now();
        let mut us = Connection::new(Arc::new(config));
        us.handle_timeout(now);
        Self { us, framing, log: Vec::new(), answers_open: true, start: now, now }
    }

    pub(crate) fn acceptor() -> Self {
        Self::new(config(Side::Acceptor, Framing::Stream))
    }

    /// An acceptor whose open the test answers.
    pub(crate) fn unanswered(mut self) -> Self {
        self.answers_open = false;
        self
    }

    /// Both opens are exchanged; the log begins after them.
    pub(crate) fn opened(config: Config, peer: Open) -> Self {
        let initiator = config.role == Side::Initiator;
        let mut trace = Self::new(config);
        if initiator {
            trace.us.open(Open::new("us")).unwrap();
        }
        trace.header(ProtocolHeader::AMQP);
        trace.peer(0, peer);
        trace.forget();
        assert!(trace.us.is_open());
        trace
    }

    /// A session is begun by the peer: ours is channel 0, the peer's 7.
    pub(crate) fn mapped() -> Self {
        Self::mapped_with(config(Side::Acceptor, Framing::Stream), Open::new("peer"), begin())
    }

    pub(crate) fn mapped_with(config: Config, open: Open, begin: Begin) -> Self {
        let mut trace = Self::opened(config, open);
        trace.peer(7, begin);
        trace.forget();
        trace
    }

    /// An initiator that has begun a session: channel 0 here, 7 there.
    pub(crate) fn initiator() -> Self {
        let stream = config(Side::Initiator, Framing::Stream);
        let mut trace = Self::opened(stream, Open::new("peer"));
        trace.us.begin().unwrap();
        trace.peer(7, Begin { remote_channel: Some(0), ..begin() });
        trace.forget();
        trace
    }

    /// The peer sends on `LINK`, whose handle there is 3.
    pub(crate) fn receiving() -> Self {
        let mut trace = Self::mapped();
        trace.accept(attach("in", 3, Role::Sender), LINK);
        trace
    }

    /// The peer receives on `LINK`, whose handle there is 3.
    pub(crate) fn sending() -> Self {
        let mut trace = Self::mapped();
        trace.accept(attach("out", 3, Role::Receiver), LINK);
        trace
    }

    /// A link of the peer, granted.
    pub(crate) fn accept(&mut self, attach: Attach, id: LinkId) {
        self.peer(7, attach);
        self.us.accept_attach(id, AttachAnswer::default()).unwrap();
        self.forget();
    }

    /// Octets of the peer: a part of the stream, or one message.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        let mut input = match self.framing {
            Framing::Stream => Input::stream(octets),
            Framing::Messages => Input::message(octets),
        };
        self.poll(&mut input);
        assert!(input.is_empty(), "everything is read");
    }

    /// The same, from hexadecimal digits with spaces anywhere, and text in quotes.
    pub(crate) fn hex(&mut self, digits: &str) {
        self.octets(&hex(digits));
    }

    pub(crate) fn header(&mut self, header: ProtocolHeader) {
        self.poll(&mut Input::empty());
        self.log.push(format!("peer> {}", show::header(header)));
        self.octets(&header.octets());
    }

    pub(crate) fn sasl(&mut self, frame: SaslFrame) {
        self.poll(&mut Input::empty());
        self.log.push(format!("peer> {}", show::sasl(&frame)));
        let mut octets = Vec::new();
        put_sasl_frame(&mut octets, |out| frame.encode(out));
        self.octets(&octets);
    }

    /// A frame of the peer.
    pub(crate) fn peer(&mut self, channel: u16, performative: impl Into<Body>) {
        self.peer_with(channel, performative, b"");
    }

    pub(crate) fn peer_with(&mut self, channel: u16, body: impl Into<Body>, payload: &[u8]) {
        let body = body.into().0;
        self.poll(&mut Input::empty());
        self.log.push(format!("peer> {}", show::frame(channel, &body, payload)));
        let octets = frame(channel, &body, payload);
        self.octets(&octets);
    }

    /// A frame of the peer, after which the test takes the output.
    pub(crate) fn hear(&mut self, channel: u16, body: impl Into<Body>) {
        let octets = frame(channel, &body.into().0, b"");
        self.poll_events(&mut Input::stream(&octets));
    }

    /// Queues a small delivery.
    pub(crate) fn deliver(&mut self, cookie: u64, payload: &'static str) {
        self.us.deliver(LINK, delivery(cookie, payload)).unwrap();
    }

    /// Time passes.
    pub(crate) fn at(&mut self, since_start: Duration) {
        self.now = self.start + since_start;
        self.us.handle_timeout(self.now);
    }

    /// When something is due, since the start.
    pub(crate) fn due(&mut self) -> Option<Duration> {
        match self.us.poll_timeout()? {
            Due::At(at) => Some(at - self.start),
            Due::Now => panic!("due again"),
        }
    }

    /// Reads all of `input`, takes all output, and begins timers.
    pub(crate) fn poll(&mut self, input: &mut Input<'_>) {
        loop {
            self.poll_events(input);
            let mut out = Vec::new();
            if self.us.poll_transmit(&mut out, BUDGET) == 0 {
                break;
            }
            self.log_output(&out);
        }
        assert!(!self.us.has_output());
        if self.us.poll_timeout() == Some(Due::Now) {
            self.us.handle_timeout(self.now);
        }
    }

    fn poll_events(&mut self, input: &mut Input<'_>) {
        while let Some(event) = self.us.poll_event(input) {
            self.log.push(format!("event {}", show::event(&event)));
            if matches!(event, Event::Opened(_)) && self.answers_open {
                let _ = self.us.open(Open::new("us"));
            }
        }
    }

    fn log_output(&mut self, unit: &[u8]) {
        if unit.starts_with(b"AMQP") {
            assert_eq!(unit.len(), PROTOCOL_HEADER_BYTES, "a header is alone");
            let header = ProtocolHeader::parse(unit).unwrap().unwrap();
            self.log.push(format!("us< {}", show::header(header)));
            return;
        }
        for (header, body) in frames(unit) {
            self.log.push(format!("us< {}", show_frame(&header, body)));
        }
    }

    /// Everything since the last call is as `expected` says. Spaces do not count.
    #[track_caller]
    pub(crate) fn told(&mut self, expected: &str) {
        self.poll(&mut Input::empty());
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let log: Vec<String> = self.log.drain(..).map(|line| words(&line)).collect();
        let expected = expected.lines().map(words).filter(|line| !line.is_empty());
        let expected: Vec<String> = expected.collect();
        assert!(
            log == expected,
            "it was\n  {}\nand not\n  {}",
            log.join("\n  "),
            expected.join("\n  ")
        );
    }

    /// What the caller was told and what was sent since the last call, without what stood where
    /// among the other: that depends on how the input was cut.
    #[track_caller]
    pub(crate) fn told_apart(&mut self, events: &str, sent: &str) {
        self.poll(&mut Input::empty());
        let mut log = std::mem::take(&mut self.log);
        let lines = |start: &str| log.extract_if(.., |line| line.starts_with(start)).collect();
        let [told, frames]: [Vec<String>; 2] = ["event", "us<"].map(lines);
        self.log = told;
        self.told(events);
        self.log = frames;
        self.told(sent);
    }

    /// Everything since the last call.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        self.poll(&mut Input::empty());
        std::mem::take(&mut self.log)
    }

    /// Passes over what the peer sent.
    pub(crate) fn forget_peer(&mut self) {
        self.log.retain(|line| !line.starts_with("peer>"));
    }

    /// Passes over everything but what was sent.
    pub(crate) fn forget_events(&mut self) {
        self.poll(&mut Input::empty());
        self.log.retain(|line| line.starts_with("us<"));
    }

    /// Passes over everything up to here.
    pub(crate) fn forget(&mut self) {
        self.poll(&mut Input::empty());
        self.log.clear();
    }
}

/// The frames in a unit of output.
pub(crate) fn frames(mut unit: &[u8]) -> Vec<(FrameHeader, &[u8])> {
    let mut frames = Vec::new();
    while !unit.is_empty() {
        let header = FrameHeader::parse(unit).unwrap().expect("a whole header");
        let (frame, rest) = unit.split_at(header.size as usize);
        assert_eq!(header.body_start(), FRAME_HEADER_BYTES);
        frames.push((header, &frame[FRAME_HEADER_BYTES..]));
        unit = rest;
    }
    frames
}

fn show_frame(header: &FrameHeader, body: &[u8]) -> String {
    match header.frame_type {
        FrameType::Sasl => show::sasl(&SaslFrame::decode(body).unwrap()),
        FrameType::Amqp if body.is_empty() => format!("{} empty", header.channel),
        FrameType::Amqp => {
            let (performative, used) = Performative::decode(body).unwrap();
            show::frame(header.channel, &performative, &body[used..])
        }
    }
}

pub(crate) fn frame(channel: u16, performative: &Performative, payload: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    put_frame(&mut octets, channel, |out| {
        performative.encode(out);
        out.extend_from_slice(payload);
    });
    octets
}

/// Octets written as hexadecimal digits, or as text in quotes.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for (index, part) in digits.split('"').enumerate() {
        if index % 2 == 1 {
            octets.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: String = part.split_whitespace().collect();
        assert_eq!(digits.len() % 2, 0, "{digits}");
        let octet = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        octets.extend((0..digits.len()).step_by(2).map(octet));
    }
    octets
}

/// Any performative.
pub(crate) struct Body(pub(crate) Performative);

macro_rules! bodies {
    (boxed: $($boxed:ident)*; plain: $($plain:ident)*) => {
        $(impl From<$boxed> for Body {
            fn from(it: $boxed) -> Self {
                Body(Performative::$boxed(Box::new(it)))
            }
        })*
        $(impl From<$plain> for Body {
            fn from(it: $plain) -> Self {
                Body(Performative::$plain(it))
            }
        })*
    };
}

bodies!(boxed: Open Begin Attach Detach End Close; plain: Flow Transfer Disposition);

/// The peer's begin of most tests.
pub(crate) fn begin() -> Begin {
    Begin::new(0, 100, 100)
}

pub(crate) fn attach(name: &str, handle: u32, role: Role) -> Attach {
    Attach {
        source: Some(show::source("s")),
        target: Some(show::target("t")),
        initial_delivery_count: (role == Role::Sender).then_some(0),
        ..Attach::new(name, handle, role)
    }
}

/// Credit of the peer for `LINK`, whose handle there is 3.
pub(crate) fn credit(count: u32, credit: u32) -> Flow {
    Flow {
        next_incoming_id: Some(0),
        incoming_window: 100,
        outgoing_window: 100,
        handle: Some(3),
        delivery_count: Some(count),
        link_credit: Some(credit),
        ..Flow::default()
    }
}

/// The windows of the peer.
pub(crate) fn windows(next_in: u32, window: u32, next_out: u32) -> Flow {
    Flow {
        next_incoming_id: Some(next_in),
        incoming_window: window,
        next_outgoing_id: next_out,
        outgoing_window: 100,
        ..Flow::default()
    }
}

/// The first transfer of a delivery on the peer's handle 3.
pub(crate) fn transfer(id: u32) -> Transfer {
    Transfer {
        handle: 3,
        delivery_id: Some(id),
        delivery_tag: Some(tag(&format!("t{id}"))),
        message_format: Some(0),
        ..Transfer::default()
    }
}

/// A transfer that goes on with a delivery.
pub(crate) fn on(more: bool) -> Transfer {
    Transfer { handle: 3, more, ..Transfer::default() }
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::new(text.as_bytes()).unwrap()
}

pub(crate) fn detach(handle: u32, closed: bool) -> Detach {
    Detach { handle, closed, error: None }
}

pub(crate) fn failing(handle: u32, condition: Condition) -> Detach {
    Detach { handle, closed: true, error: Some(condition.into()) }
}

pub(crate) fn delivery(cookie: u64, payload: &'static str) -> OutgoingDelivery {
    OutgoingDelivery {
        cookie,
        tag: tag(&format!("t{cookie}")),
        message_format: 0,
        settled: false,
        payload: [payload.as_bytes().into(), b"".as_slice().into()],
    }
}

pub(crate) fn request(name: &str, role: Role) -> AttachRequest {
    let terms = AttachAnswer {
        source: Some(show::source("s")),
        target: Some(show::target("t")),
        ..AttachAnswer::default()
    };
    AttachRequest { name: name.to_owned(), role, terms }
}
