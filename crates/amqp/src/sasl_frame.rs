//! The bodies of SASL frames (AMQP 5.3.3).

use crate::codec::{Composite, DecodeError, Reader, composite, numeric_choice};
use std::fmt;

/// The body of a SASL frame: exactly one of these (AMQP 5.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslFrame {
    /// AMQP 5.3.3.1.
    Mechanisms(Mechanisms),
    /// AMQP 5.3.3.2.
    Init(Init),
    /// AMQP 5.3.3.3.
    Challenge(Challenge),
    /// AMQP 5.3.3.4.
    Response(Response),
    /// AMQP 5.3.3.5.
    Outcome(Outcome),
}

/// The server says how one can log in (AMQP 5.3.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mechanisms {
    /// The mechanisms, the best first; at least one.
    pub sasl_server_mechanisms: Vec<String>,
}

composite! {
    Mechanisms, "sasl-mechanisms", 0x40, {
        sasl_server_mechanisms: mandatory some_symbols,
    }
}

/// The client chooses a mechanism (AMQP 5.3.3.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Init {
    /// The mechanism.
    pub mechanism: String,
    /// What the mechanism says first.
    pub initial_response: Option<Vec<u8>>,
    /// The host that the client wants to talk to.
    pub hostname: Option<String>,
}

composite! {
    Init, "sasl-init", 0x41, {
        mechanism: mandatory symbol,
        initial_response: optional binary,
        hostname: optional string,
    }
}

/// The server goes on with the mechanism (AMQP 5.3.3.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Octets of the mechanism.
    pub challenge: Vec<u8>,
}

composite! {
    Challenge, "sasl-challenge", 0x42, {
        challenge: mandatory binary,
    }
}

/// The client goes on with the mechanism (AMQP 5.3.3.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Octets of the mechanism.
    pub response: Vec<u8>,
}

composite! {
    Response, "sasl-response", 0x43, {
        response: mandatory binary,
    }
}

/// The server says how it ended (AMQP 5.3.3.5).
#[derive(Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub code: Code,
    /// What the mechanism says last, if it ended well.
    pub additional_data: Option<Vec<u8>>,
}

composite! {
    Outcome, "sasl-outcome", 0x44, {
        code: mandatory sasl_code,
        additional_data: optional binary,
    }
}

/// How an attempt to log in ended (AMQP 5.3.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The client is who it says.
    Ok,
    /// The credentials are wrong.
    Auth,
    /// An error inside.
    Sys,
    /// An error inside that somebody must look at.
    SysPerm,
    /// An error inside that may pass.
    SysTemp,
}

numeric_choice!(Code, u8, "not a sasl-code" {
    0 => Ok,
    1 => Auth,
    2 => Sys,
    3 => SysPerm,
    4 => SysTemp,
});

impl SaslFrame {
    /// Reads the body of a SASL frame (AMQP 5.3.1).
    ///
    /// # Errors
    /// If it is not exactly one of these.
    pub fn decode(body: &[u8]) -> Result<SaslFrame, DecodeError> {
        let mut reader = Reader::new(body);
        if reader.is_empty() {
            return Err(DecodeError::encoding("an empty SASL frame"));
        }
        let frame = SaslFrame::read(&mut reader)?;
        if !reader.is_empty() {
            return Err(DecodeError::encoding("octets after the body of a SASL frame"));
        }
        Ok(frame)
    }

    fn read(reader: &mut Reader<'_>) -> Result<SaslFrame, DecodeError> {
        let descriptor = reader.descriptor()?;
        if Mechanisms::is_described_by(descriptor) {
            Mechanisms::read_list(reader).map(SaslFrame::Mechanisms)
        } else if Init::is_described_by(descriptor) {
            Init::read_list(reader).map(SaslFrame::Init)
        } else if Challenge::is_described_by(descriptor) {
            Challenge::read_list(reader).map(SaslFrame::Challenge)
        } else if Response::is_described_by(descriptor) {
            Response::read_list(reader).map(SaslFrame::Response)
        } else if Outcome::is_described_by(descriptor) {
            Outcome::read_list(reader).map(SaslFrame::Outcome)
        } else {
            Err(DecodeError::encoding("not the body of a SASL frame"))
        }
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            SaslFrame::Mechanisms(mechanisms) => mechanisms.encode(out),
            SaslFrame::Init(init) => init.encode(out),
            SaslFrame::Challenge(challenge) => challenge.encode(out),
            SaslFrame::Response(response) => response.encode(out),
            SaslFrame::Outcome(outcome) => outcome.encode(out),
        }
    }
}

/// Octets of a mechanism are told by their number only: they may be a password.
struct Hidden(usize);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0)
    }
}

impl fmt::Debug for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Init")
            .field("mechanism", &self.mechanism)
            .field("initial_response", &self.initial_response.as_ref().map(|it| Hidden(it.len())))
            .field("hostname", &self.hostname)
            .finish()
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("challenge", &Hidden(self.challenge.len())).finish()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("response", &Hidden(self.response.len())).finish()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("code", &self.code)
            .field("additional_data", &self.additional_data.as_ref().map(|it| Hidden(it.len())))
            .finish()
    }
}
