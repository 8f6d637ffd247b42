//! One end of an AMQP connection, with a caller that takes part in everything: what it is told and
//! what it sends, however its input is cut.

use crate::amqp_script::put_steps;
use crate::amqp_watch::Watch;
use crate::cuts::Cuts;
use crate::script::Script;
use std::fmt::{self, Write};
use std::sync::Arc;
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{
    AttachAnswer, AttachRequest, Config, Connection, CreditView, Event, Framing, Input, LinkId,
    OutgoingDelivery, Role as Side, SaslPolicy, SessionId, Transferred, Violation,
};
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Open, Role};
use wharf_amqp::sasl_frame::{Code, Init};
use wharf_amqp::tag::Tag;

/// What is kept, as long as its text; the limits below allow a fraction of it.
const KEPT_MAX_CHARS: usize = 1 << 20;

/// Deliveries that a caller hands over in all: an engine keeps what the peer has no window for, and
/// so it is the caller who knows when that is enough.
const GIVEN_MAX: u64 = 128;

/// The end that is tried, and what it hears.
struct Setup {
    config: Arc<Config>,
    /// Messages: each header is one, the octets between are cut as one likes.
    parts: Vec<Vec<u8>>,
    cuts: Cuts,
    /// What the caller does where there is a choice.
    habits: u8,
}

/// Reads `data` as a peer and a caller.
pub(crate) fn run(role: Side, data: &[u8]) {
    let setup = Setup::read(role, &mut Script::new(data));
    let whole = setup.hear(Cuts::Whole);
    let parts = setup.hear(setup.cuts);
    // WSB-A03: what shares a message with a header is refused, and that is a matter of cuts.
    let messages = setup.config.framing == Framing::Messages;
    if !messages || !(whole.header_failed || parts.header_failed) {
        assert_eq!(whole.told, parts.told, "told by how it was cut");
        assert_eq!(whole.sent, parts.sent, "sent by how it was cut");
    }
}

impl Setup {
    fn read(role: Side, script: &mut Script<'_>) -> Setup {
        let choice = script.byte();
        let framing = if choice & 1 == 0 { Framing::Stream } else { Framing::Messages };
        let mechanisms = vec!["PLAIN".to_owned()];
        let sasl = match choice >> 1 & 3 {
            0 => SaslPolicy::Offered(mechanisms),
            1 => SaslPolicy::Required(mechanisms),
            _ => SaslPolicy::Absent,
        };
        let login = sasl != SaslPolicy::Absent && choice & 8 == 0;
        let cuts = match choice >> 4 & 3 {
            0 => Cuts::Bytes,
            _ => Cuts::Random(u64::from(script.byte())),
        };
        let config = Config {
            sasl,
            max_frame_size_bytes: 600,
            channel_max: 2,
            handle_max: 3,
            incoming_window_frames: 16,
            message_size_max_bytes: 500,
            ..Config::new(role, framing)
        };
        let mut parts = Vec::new();
        if login {
            let mut frames = Vec::new();
            let steps = script.below(4);
            put_steps(script, &mut frames, steps);
            parts.extend([ProtocolHeader::SASL.octets().to_vec(), frames]);
        }
        let mut frames = Vec::new();
        let habits = script.byte();
        put_steps(script, &mut frames, usize::MAX);
        parts.extend([ProtocolHeader::AMQP.octets().to_vec(), frames]);
        Setup { config: Arc::new(config), parts, cuts, habits }
    }

    fn hear(&self, cuts: Cuts) -> Link {
        let mut link = Link::new(Arc::clone(&self.config), self.habits);
        let joined;
        let parts: &[Vec<u8>] = match self.config.framing {
            Framing::Messages => &self.parts,
            Framing::Stream => {
                joined = [self.parts.concat()];
                &joined
            }
        };
        for part in parts {
            let header = ProtocolHeader::parse(part).is_ok_and(|header| header.is_some());
            let alone = header && self.config.framing == Framing::Messages;
            for read in if alone { Cuts::Whole } else { cuts }.of(part) {
                link.hear(match self.config.framing {
                    Framing::Stream => Input::stream(read),
                    Framing::Messages => Input::message(read),
                });
            }
        }
        link.end();
        link
    }
}

/// One end with its caller.
struct Link {
    us: Connection,
    role: Side,
    habits: u8,
    watch: Watch,
    told: Vec<String>,
    sent: Vec<u8>,
    /// Links of the peer that the caller has not answered.
    unanswered: Vec<LinkId>,
    given: u64,
    header_failed: bool,
}

impl Link {
    fn new(config: Arc<Config>, habits: u8) -> Self {
        let role = config.role;
        let mut link = Link {
            us: Connection::new(config),
            role,
            habits,
            watch: Watch::default(),
            told: Vec::new(),
            sent: Vec::new(),
            unanswered: Vec::new(),
            given: 0,
            header_failed: false,
        };
        if role == Side::Initiator {
            link.us.open(Open::new("us")).expect("nothing was sent");
            let session = link.us.begin().expect("the first");
            link.ask(session);
        }
        link
    }

    /// Asks for a link of each direction, and perhaps for one that is given up at once.
    fn ask(&mut self, session: SessionId) {
        if self.habits & 4 != 0 {
            let terms = AttachAnswer::default();
            let request = AttachRequest { name: "a".to_owned(), role: Role::Sender, terms };
            if let Ok(link) = self.us.attach(session, request) {
                self.us.detach(link, self.habits & 8 != 0, None).expect("asked for");
            }
        }
        for role in [Role::Sender, Role::Receiver] {
            let terms = AttachAnswer::default();
            let request = AttachRequest { name: "a".to_owned(), role, terms };
            if let Ok(link) = self.us.attach(session, request)
                && role == Role::Receiver
            {
                self.us.grant(link, 5, self.habits & 1 != 0).expect("asked for");
            }
        }
    }

    fn hear(&mut self, mut input: Input<'_>) {
        while let Some(event) = self.us.poll_event(&mut input) {
            self.told.push(format!("{event:?}"));
            self.answer(event);
            if self.told.len().is_multiple_of(4) {
                self.transmit();
            }
            if self.told.len().is_multiple_of(64) {
                self.check_kept();
            }
        }
        assert!(input.is_empty(), "all of it is read");
    }

    /// The transport ends.
    fn end(&mut self) {
        self.transmit();
        self.check_kept();
        self.us.handle_transport_closed();
        self.hear(Input::empty());
        assert!(self.us.is_over());
        self.transmit();
    }

    fn transmit(&mut self) {
        let mut unit = Vec::new();
        while self.us.poll_transmit(&mut unit, 700) > 0 {
            self.watch.unit(&unit);
            self.sent.append(&mut unit);
        }
        assert!(!self.us.has_output());
    }

    fn check_kept(&self) {
        let mut text = Length(0);
        write!(text, "{:?}", self.us).expect("no error");
        assert!(text.0 < KEPT_MAX_CHARS, "{} characters", text.0);
    }

    fn answer(&mut self, event: Event<'_>) {
        match event {
            Event::SaslInit(_) if self.habits & 2 == 0 => self.let_in(),
            Event::SaslInit(_) => self.us.sasl_challenge(b"why".to_vec()).expect("asked"),
            Event::SaslResponse(_) => self.let_in(),
            Event::SaslMechanisms(_) => {
                let mechanism = "PLAIN".to_owned();
                let init = Init { mechanism, initial_response: None, hostname: None };
                self.us.sasl_init(init).expect("offered");
            }
            Event::SaslChallenge(challenge) => {
                self.us.sasl_respond(challenge).expect("it fitted before");
            }
            Event::Opened(open) => {
                self.watch.frame_max(open.max_frame_size);
                if self.role == Side::Acceptor {
                    self.us.open(Open::new("us")).expect("it is time");
                }
            }
            Event::Attaching(id, attach) => self.attaching(id, &attach),
            Event::Transferred(message) => self.transferred(&message),
            Event::Aborted(link) | Event::Drained(link) => self.top_up(link),
            Event::Credit(id, view) => self.credit(id, view),
            Event::Outcome(outcome) if !outcome.settled => {
                let (first, last) = (outcome.first, outcome.last);
                let _ = self.us.settle_sent(outcome.link, first, last, outcome.state.as_ref());
            }
            Event::Detached { link, .. } => self.unanswered.retain(|id| *id != link),
            Event::Ended { session, .. } => {
                self.unanswered.retain(|id| id.session != session);
                if let Ok(session) = self.us.begin() {
                    self.ask(session);
                }
            }
            Event::Closed(closed) => {
                let header = [Violation::HeaderNotAlone, Violation::UnsupportedHeader];
                self.header_failed = closed.violation.is_some_and(|why| header.contains(&why));
            }
            Event::SaslOutcome(_)
            | Event::Begun(..)
            | Event::Attached(..)
            | Event::Outcome(_)
            | Event::Unsent { .. } => {}
        }
    }

    fn transferred(&mut self, message: &Transferred<'_>) {
        self.top_up(message.link);
        // What is said first is not said in vain, but nothing may follow it.
        match (self.habits >> 6, self.told.len() % 8) {
            (1, 7) => drop(self.us.detach(message.link, true, None)),
            (2, 7) => drop(self.us.end_session(message.link.session, None)),
            (3, 7) => drop(self.us.close(None)),
            _ => {}
        }
        if !message.settled {
            let (session, id) = (message.link.session, message.delivery_id);
            let settled = !message.settles_second;
            let _ = self.us.dispose(session, id, id, settled, DeliveryState::Accepted);
        }
        self.top_up(message.link);
    }

    fn let_in(&mut self) {
        let code = if self.habits & 6 == 6 { Code::Auth } else { Code::Ok };
        self.us.sasl_outcome(code, None).expect("asked");
    }

    fn attaching(&mut self, id: LinkId, attach: &wharf_amqp::performative::Attach) {
        let answer = AttachAnswer::default();
        match self.habits >> 3 & 3 {
            0 if attach.handle == 2 => {
                let _ = self.us.refuse_attach(id, attach, Condition::NotFound.into());
            }
            // The one before, if there is one.
            1 => {
                self.unanswered.push(id);
                if self.unanswered.len() > 1 {
                    let first = self.unanswered.remove(0);
                    let _ = self.us.accept_attach(first, answer);
                    self.top_up(first);
                }
            }
            2 if attach.handle == 1 => {
                let _ = self.us.detach(id, true, None);
            }
            _ => {
                self.us.accept_attach(id, answer).expect("it was asked for");
                self.top_up(id);
            }
        }
    }

    fn top_up(&mut self, link: LinkId) {
        if self.us.credit(link) < 3 {
            let _ = self.us.grant(link, 6, self.habits & 0x20 != 0);
        }
    }

    fn credit(&mut self, link: LinkId, view: CreditView) {
        for _ in 0..view.limit.min(GIVEN_MAX).saturating_sub(self.given).min(3) {
            let payload = [b"pay".as_slice().into(), vec![7; 900].into()];
            let delivery = OutgoingDelivery {
                cookie: self.given,
                tag: Tag::from(self.given),
                message_format: 0,
                settled: self.given.is_multiple_of(3),
                payload,
            };
            if self.us.deliver(link, delivery).is_ok() {
                self.given += 1;
            }
        }
        if view.drain {
            let _ = self.us.drained(link);
        }
        match (self.habits >> 6, self.given % 8) {
            (1, 6) => drop(self.us.detach(link, false, None)),
            (2, 6) => drop(self.us.end_session(link.session, None)),
            _ => {}
        }
    }
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
