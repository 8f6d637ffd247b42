//! The first and the last steps of a connection: headers (AMQP 2.2), the SASL layer (AMQP 5.3),
//! open and close (AMQP 2.4).

use super::config::{Role, SaslPolicy};
use super::connection::{Connection, Fault, PeerLimits, Stage, Step};
use super::event::{By, Closed, Event, Misuse};
use super::violation::Violation;
use super::wire::RawFrame;
use crate::condition::Error;
use crate::frame::{FrameType, ProtocolHeader, put_sasl_frame};
use crate::limits::MIN_MAX_FRAME_SIZE;
use crate::performative::{Close, Open, Performative};
use crate::sasl_frame::{Challenge, Code, Init, Mechanisms, Outcome, Response, SaslFrame};
use std::time::Duration;

/// The shortest idle time-out of a peer that is served. Shorter ones only make traffic.
const IDLE_TIME_OUT_MIN_MS: u32 = 100;

impl Connection {
    pub(super) fn send_first_header(&mut self) {
        let header = match self.config.sasl {
            SaslPolicy::Absent => ProtocolHeader::AMQP,
            SaslPolicy::Offered(_) | SaslPolicy::Required(_) => ProtocolHeader::SASL,
        };
        self.outbound.push_header(header);
    }

    /// The largest frame read now.
    // AMQP 5.3.1: SASL frames have at most 512 octets.
    pub(super) fn frame_size_max_bytes(&self) -> u32 {
        match self.stage {
            Stage::Sasl => MIN_MAX_FRAME_SIZE,
            _ => self.config.max_frame_size_bytes,
        }
    }

    pub(super) fn on_header<'a>(&mut self, header: ProtocolHeader) -> Result<Step<'a>, Fault> {
        let first = self.stage == Stage::Header;
        match self.config.role {
            Role::Acceptor if first => self.accept_header(header),
            // WSB-032: an initiator goes on with nothing but what it asked for.
            Role::Initiator if first && self.config.sasl != SaslPolicy::Absent => {
                self.expect(header, ProtocolHeader::SASL)?;
                self.stage = Stage::Sasl;
                Ok(Step::Again)
            }
            // WSB-025, WSB-030.
            Role::Acceptor => {
                self.expect(header, ProtocolHeader::AMQP)?;
                self.outbound.push_header(ProtocolHeader::AMQP);
                self.stage = Stage::Opening;
                Ok(Step::Again)
            }
            Role::Initiator => {
                self.expect(header, ProtocolHeader::AMQP)?;
                self.stage = Stage::Opening;
                Ok(Step::Again)
            }
        }
    }

    fn accept_header<'a>(&mut self, header: ProtocolHeader) -> Result<Step<'a>, Fault> {
        let mechanisms = match &self.config.sasl {
            SaslPolicy::Absent => None,
            SaslPolicy::Offered(mechanisms) | SaslPolicy::Required(mechanisms) => Some(mechanisms),
        };
        let required = matches!(self.config.sasl, SaslPolicy::Required(_));
        // WSB-020, WSB-022, WSB-030.
        if header == ProtocolHeader::SASL
            && let Some(mechanisms) = mechanisms
        {
            let offer = Mechanisms { sasl_server_mechanisms: mechanisms.clone() };
            self.outbound.push_header(header);
            self.send_sasl(&SaslFrame::Mechanisms(offer));
            self.stage = Stage::Sasl;
            return Ok(Step::Again);
        }
        if header == ProtocolHeader::AMQP && !required {
            self.outbound.push_header(header);
            self.stage = Stage::Opening;
            return Ok(Step::Again);
        }
        Err(Violation::UnsupportedHeader.into())
    }

    fn expect(&self, header: ProtocolHeader, wanted: ProtocolHeader) -> Result<(), Violation> {
        if header == wanted { Ok(()) } else { Err(Violation::UnsupportedHeader) }
    }

    // WSB-024. AMQP 5.3.2: mechanisms, init, any number of challenges and responses, outcome.
    pub(super) fn on_sasl_frame<'a>(&mut self, frame: &RawFrame<'_>) -> Result<Step<'a>, Fault> {
        if frame.header.frame_type != FrameType::Sasl {
            return Err(Violation::Frame("not a SASL frame").into());
        }
        let event = match (self.config.role, SaslFrame::decode(&frame.body)?, self.sasl_begun) {
            (Role::Acceptor, SaslFrame::Init(init), false) => {
                self.sasl_begun = true;
                Event::SaslInit(init)
            }
            (Role::Acceptor, SaslFrame::Response(response), true) => {
                Event::SaslResponse(response.response)
            }
            (Role::Initiator, SaslFrame::Mechanisms(mechanisms), false) => {
                self.sasl_begun = true;
                return Ok(Step::Event(Event::SaslMechanisms(mechanisms)));
            }
            (Role::Initiator, SaslFrame::Challenge(challenge), true) => {
                return Ok(Step::Event(Event::SaslChallenge(challenge.challenge)));
            }
            (Role::Initiator, SaslFrame::Outcome(outcome), true) => {
                return Ok(Step::Event(self.on_sasl_outcome(outcome)));
            }
            _ => return Err(Violation::Unexpected("this SASL frame").into()),
        };
        self.stage = Stage::SaslAnswer;
        Ok(Step::Event(event))
    }

    fn on_sasl_outcome<'a>(&mut self, outcome: Outcome) -> Event<'a> {
        if outcome.code == Code::Ok {
            self.outbound.push_header(ProtocolHeader::AMQP);
            self.stage = Stage::SecondHeader;
        } else {
            self.end(Closed { by: By::Peer, error: None, violation: None, clean: false });
        }
        Event::SaslOutcome(outcome)
    }

    fn send_sasl(&mut self, frame: &SaslFrame) {
        self.outbound.frames(|out| {
            put_sasl_frame(out, |out| frame.encode(out));
        });
    }

    /// Initiator: chooses a mechanism.
    ///
    /// # Errors
    /// If no mechanisms were offered.
    pub fn sasl_init(&mut self, init: Init) -> Result<(), Misuse> {
        self.in_sasl(Role::Initiator, Stage::Sasl)?;
        self.send_sasl(&SaslFrame::Init(init));
        Ok(())
    }

    /// Initiator: answers a challenge.
    ///
    /// # Errors
    /// If there is no SASL exchange.
    pub fn sasl_respond(&mut self, response: Vec<u8>) -> Result<(), Misuse> {
        self.in_sasl(Role::Initiator, Stage::Sasl)?;
        self.send_sasl(&SaslFrame::Response(Response { response }));
        Ok(())
    }

    /// Acceptor: asks for more.
    ///
    /// # Errors
    /// If nothing was asked.
    pub fn sasl_challenge(&mut self, challenge: Vec<u8>) -> Result<(), Misuse> {
        self.in_sasl(Role::Acceptor, Stage::SaslAnswer)?;
        self.send_sasl(&SaslFrame::Challenge(Challenge { challenge }));
        self.stage = Stage::Sasl;
        Ok(())
    }

    /// Acceptor: ends the SASL exchange. After anything but `Ok` the connection is over.
    ///
    /// # Errors
    /// If nothing was asked.
    // WSB-021: no mechanism offered adds a security layer, so the next octets are a header.
    pub fn sasl_outcome(
        &mut self,
        code: Code,
        additional_data: Option<Vec<u8>>,
    ) -> Result<(), Misuse> {
        self.in_sasl(Role::Acceptor, Stage::SaslAnswer)?;
        self.send_sasl(&SaslFrame::Outcome(Outcome { code, additional_data }));
        if code == Code::Ok {
            self.stage = Stage::SecondHeader;
        } else {
            self.end(Closed { by: By::Local, error: None, violation: None, clean: false });
        }
        Ok(())
    }

    fn in_sasl(&self, role: Role, stage: Stage) -> Result<(), Misuse> {
        let fits = self.config.role == role && self.stage == stage;
        if fits { Ok(()) } else { Err(Misuse::WrongStage) }
    }

    pub(super) fn on_open<'a>(&mut self, open: Box<Open>) -> Result<Step<'a>, Fault> {
        // AMQP 2.7.1: nobody may ask for less than 512.
        if open.max_frame_size < MIN_MAX_FRAME_SIZE {
            return Err(Violation::InvalidField("max-frame-size is below 512").into());
        }
        self.peer =
            PeerLimits { max_frame_size_bytes: open.max_frame_size, channel_max: open.channel_max };
        self.stage = Stage::Open;
        self.timers.end_stage();
        match open.idle_time_out {
            None | Some(0) => {}
            Some(ms) if ms < IDLE_TIME_OUT_MIN_MS => {
                return Err(Violation::IdleTimeOutTooSmall.into());
            }
            Some(ms) => self.timers.beat(Duration::from_millis(u64::from(ms))),
        }
        if let Some(idle_time_out) = self.config.idle_time_out {
            self.timers.watch(idle_time_out);
        }
        Ok(Step::Event(Event::Opened(open)))
    }

    /// Sends our open. The limits in it are those of the configuration, whatever `open` says.
    ///
    /// # Errors
    /// If it was sent before. An initiator may send it at any time: it goes behind the header.
    pub fn open(&mut self, open: Open) -> Result<(), Misuse> {
        let early = self.config.role == Role::Acceptor && self.stage != Stage::Open;
        if self.opened || early || matches!(self.stage, Stage::Closing | Stage::Over) {
            return Err(Misuse::WrongStage);
        }
        self.send_open(open);
        Ok(())
    }

    fn send_open(&mut self, open: Open) {
        let idle = self.config.idle_time_out.map(|idle| idle.as_millis());
        let open = Open {
            max_frame_size: self.config.max_frame_size_bytes.max(MIN_MAX_FRAME_SIZE),
            channel_max: self.config.channel_max,
            idle_time_out: idle.map(|ms| u32::try_from(ms).unwrap_or(u32::MAX)),
            ..open
        };
        self.opened = true;
        self.send(0, |out| Performative::Open(Box::new(open)).encode(out));
    }

    // AMQP 2.4.3, WSB-080.
    pub(super) fn on_close<'a>(&mut self, close: Close) -> Step<'a> {
        let ours = self.ending.take();
        let closed = match ours {
            Some(ours) => Closed { clean: ours.violation.is_none(), ..ours },
            None => {
                self.send_close(None);
                let error = close.error;
                Closed { by: By::Peer, error, violation: None, clean: true }
            }
        };
        self.end(closed);
        Step::Again
    }

    /// Closes the connection; `Closed` follows when the peer has closed too, or takes too long.
    ///
    /// # Errors
    /// If it is closed already, or was never opened by the peer.
    pub fn close(&mut self, error: Option<Error>) -> Result<(), Misuse> {
        if self.stage != Stage::Open && !(self.stage == Stage::Opening && self.opened) {
            return Err(Misuse::WrongStage);
        }
        self.begin_close(Closed { by: By::Local, error, violation: None, clean: false });
        Ok(())
    }

    /// The peer has broken the rules.
    pub(super) fn fail(&mut self, violation: Violation) {
        let error = Some(violation.error());
        // What cannot be read any further is not listened to.
        let readable = !matches!(violation, Violation::Frame(_) | Violation::Decode(_));
        let by = By::Local;
        let closed = Closed { by, error, violation: Some(violation), clean: false };
        match self.stage {
            Stage::Header | Stage::SecondHeader => {
                // AMQP 2.2, WSB-032, WSB-092: say what would have been right.
                if self.config.role == Role::Acceptor {
                    self.outbound_supported_header();
                }
                self.end(closed);
            }
            Stage::Sasl | Stage::SaslAnswer | Stage::Over => self.end(closed),
            Stage::Closing => {
                let ours = self.ending.take();
                self.end(ours.unwrap_or(closed));
            }
            Stage::Opening | Stage::Open => {
                self.begin_close(closed);
                if !readable && let Some(closed) = self.ending.take() {
                    self.end(closed);
                }
            }
        }
    }

    fn outbound_supported_header(&mut self) {
        let second = self.stage == Stage::SecondHeader;
        if second || matches!(self.config.sasl, SaslPolicy::Absent | SaslPolicy::Offered(_)) {
            self.outbound.push_header(ProtocolHeader::AMQP);
        } else {
            self.outbound.push_header(ProtocolHeader::SASL);
        }
    }

    // AMQP 2.4.3: who closes with an error has opened first.
    fn begin_close(&mut self, closed: Closed) {
        if !self.opened {
            self.send_open(Open::new(String::new()));
        }
        self.send_close(closed.error.clone());
        self.ending = Some(closed);
        self.stage = Stage::Closing;
        self.timers.stop_idle();
        self.timers.begin_stage(self.config.close_timeout);
    }

    fn send_close(&mut self, error: Option<Error>) {
        let close = Close { error };
        self.send(0, |out| Performative::Close(Box::new(close)).encode(out));
    }
}
