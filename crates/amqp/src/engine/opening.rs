//! The first steps of a connection: headers (AMQP 2.2) and open (AMQP 2.4.1, 2.7.1).

use super::config::{Role, SaslPolicy};
use super::connection::{Connection, Fault, PeerLimits, Stage, Step};
use super::event::{Event, Misuse};
use super::violation::Violation;
use crate::frame::ProtocolHeader;
use crate::limits::MIN_MAX_FRAME_SIZE;
use crate::performative::{Open, Performative};
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

    pub(super) fn on_header<'a>(&mut self, header: ProtocolHeader) -> Result<Step<'a>, Fault> {
        let first = self.stage == Stage::Header;
        match self.config.role {
            Role::Acceptor if first => self.accept_header(header)?,
            // WSB-032: an initiator goes on with nothing but what it asked for.
            Role::Initiator if first && self.config.sasl != SaslPolicy::Absent => {
                expect(header, ProtocolHeader::SASL)?;
                self.stage = Stage::Sasl;
            }
            // WSB-025, WSB-030.
            Role::Acceptor => {
                expect(header, ProtocolHeader::AMQP)?;
                self.outbound.push_header(ProtocolHeader::AMQP);
                self.stage = Stage::Opening;
            }
            Role::Initiator => {
                expect(header, ProtocolHeader::AMQP)?;
                self.stage = Stage::Opening;
            }
        }
        Ok(Step::Again)
    }

    // WSB-020, WSB-022, WSB-030.
    fn accept_header(&mut self, header: ProtocolHeader) -> Result<(), Violation> {
        let mechanisms = match &self.config.sasl {
            SaslPolicy::Absent => &[],
            SaslPolicy::Offered(mechanisms) | SaslPolicy::Required(mechanisms) => {
                mechanisms.as_slice()
            }
        };
        let required = matches!(self.config.sasl, SaslPolicy::Required(_));
        if header == ProtocolHeader::SASL && !mechanisms.is_empty() {
            let mechanisms = mechanisms.to_vec();
            self.outbound.push_header(header);
            self.offer(mechanisms);
            return Ok(());
        }
        if header == ProtocolHeader::AMQP && !required {
            self.outbound.push_header(header);
            self.stage = Stage::Opening;
            return Ok(());
        }
        Err(Violation::UnsupportedHeader)
    }

    /// Says what header would have been right.
    // AMQP 2.2, WSB-032, WSB-092.
    pub(super) fn send_supported_header(&mut self) {
        if self.config.role == Role::Initiator {
            return;
        }
        let before_login = self.stage == Stage::Header;
        let required = matches!(self.config.sasl, SaslPolicy::Required(_));
        let sasl = before_login && required;
        self.outbound.push_header(if sasl { ProtocolHeader::SASL } else { ProtocolHeader::AMQP });
    }

    pub(super) fn on_open<'a>(&mut self, channel: u16, open: Box<Open>) -> Result<Step<'a>, Fault> {
        // AMQP 2.4.1: "The open frame can only be sent on channel 0".
        if channel != 0 {
            return Err(Violation::Channel("open is not on channel 0").into());
        }
        // AMQP 2.7.1: nobody may ask for less than 512.
        if open.max_frame_size < MIN_MAX_FRAME_SIZE {
            return Err(Violation::InvalidField("max-frame-size is below 512").into());
        }
        let idle_time_out = open.idle_time_out.filter(|ms| *ms > 0);
        if idle_time_out.is_some_and(|ms| ms < IDLE_TIME_OUT_MIN_MS) {
            return Err(Violation::IdleTimeOutTooSmall.into());
        }
        self.peer =
            PeerLimits { max_frame_size_bytes: open.max_frame_size, channel_max: open.channel_max };
        self.stage = Stage::Open;
        self.timers.end_stage();
        if let Some(ms) = idle_time_out {
            self.timers.beat(Duration::from_millis(u64::from(ms)));
        }
        if let Some(idle_time_out) = self.idle_time_out() {
            self.timers.watch(idle_time_out);
        }
        Ok(Step::Event(Event::Opened(open)))
    }

    /// How long the peer may be silent.
    // AMQP 2.7.1: "A value of zero is the same as if it was not set".
    fn idle_time_out(&self) -> Option<Duration> {
        self.config.idle_time_out.filter(|idle| idle.as_millis() > 0)
    }

    /// Sends our open. The limits in it are those of the configuration, whatever `open` says.
    ///
    /// # Errors
    /// If it was sent before, or is larger than the peer takes: 512 octets for an initiator, who
    /// knows no better. An initiator may send it at any time: it goes behind the header.
    pub fn open(&mut self, open: Open) -> Result<(), Misuse> {
        let early = self.config.role == Role::Acceptor && self.stage != Stage::Open;
        if self.opened || early || matches!(self.stage, Stage::Closing | Stage::Over) {
            return Err(Misuse::WrongStage);
        }
        if self.send_open(open) { Ok(()) } else { Err(Misuse::TooLarge) }
    }

    pub(super) fn send_open(&mut self, open: Open) -> bool {
        let idle = self.idle_time_out().map(|idle| idle.as_millis());
        let open = Open {
            max_frame_size: self.frame_size_max_bytes(),
            channel_max: self.config.channel_max,
            idle_time_out: idle.map(|ms| u32::try_from(ms).unwrap_or(u32::MAX)),
            ..open
        };
        self.opened = self.send(0, |out| Performative::Open(Box::new(open)).encode(out));
        self.opened
    }
}

fn expect(header: ProtocolHeader, wanted: ProtocolHeader) -> Result<(), Violation> {
    if header == wanted { Ok(()) } else { Err(Violation::UnsupportedHeader) }
}
