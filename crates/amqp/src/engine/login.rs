//! The SASL layer (AMQP 5.3; WSB-021 to WSB-025).

use super::config::Role;
use super::connection::{Connection, Fault, Stage, Step};
use super::event::{By, Closed, Event, Misuse};
use super::violation::Violation;
use super::wire::RawFrame;
use crate::frame::{FrameType, ProtocolHeader};
use crate::sasl_frame::{Challenge, Code, Init, Mechanisms, Outcome, Response, SaslFrame};

/// How far the SASL exchange is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Login {
    /// Nothing was said.
    #[default]
    Fresh,
    /// Initiator: mechanisms were offered, none is chosen.
    Offered,
    /// A mechanism is chosen; the acceptor's word is awaited.
    Begun,
    /// Initiator: a challenge has come and is not answered.
    Challenged,
}

impl Connection {
    // AMQP 5.3.2: mechanisms, init, any number of challenges and responses, outcome.
    pub(super) fn on_sasl_frame<'a>(&mut self, frame: &RawFrame<'_>) -> Result<Step<'a>, Fault> {
        if frame.header.frame_type != FrameType::Sasl {
            return Err(Violation::Frame("not a SASL frame").into());
        }
        let event = match (self.config.role, SaslFrame::decode(frame.body())?, self.login) {
            (Role::Acceptor, SaslFrame::Init(init), Login::Fresh) => {
                self.login = Login::Begun;
                self.stage = Stage::SaslAnswer;
                Event::SaslInit(init)
            }
            (Role::Acceptor, SaslFrame::Response(response), Login::Begun) => {
                self.stage = Stage::SaslAnswer;
                Event::SaslResponse(response.response)
            }
            (Role::Initiator, SaslFrame::Mechanisms(mechanisms), Login::Fresh) => {
                self.login = Login::Offered;
                Event::SaslMechanisms(mechanisms)
            }
            (Role::Initiator, SaslFrame::Challenge(challenge), Login::Begun) => {
                self.login = Login::Challenged;
                Event::SaslChallenge(challenge.challenge)
            }
            (Role::Initiator, SaslFrame::Outcome(outcome), Login::Begun | Login::Challenged) => {
                self.on_sasl_outcome(outcome)
            }
            _ => return Err(Violation::Unexpected("this SASL frame").into()),
        };
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

    /// Acceptor: says what mechanisms there are.
    pub(super) fn offer(&mut self, mechanisms: Vec<String>) {
        let offer = Mechanisms { sasl_server_mechanisms: mechanisms };
        let _ = self.send_sasl(&SaslFrame::Mechanisms(offer));
        self.stage = Stage::Sasl;
    }

    fn send_sasl(&mut self, frame: &SaslFrame) -> Result<(), Misuse> {
        if self.outbound.sasl_frame(frame) { Ok(()) } else { Err(Misuse::TooLarge) }
    }

    /// Initiator: chooses a mechanism.
    ///
    /// # Errors
    /// If no mechanisms were offered, one is chosen already, or the response is too large for a
    /// SASL frame.
    pub fn sasl_init(&mut self, init: Init) -> Result<(), Misuse> {
        self.in_login(Stage::Sasl, Login::Offered)?;
        self.send_sasl(&SaslFrame::Init(init))?;
        self.login = Login::Begun;
        Ok(())
    }

    /// Initiator: answers a challenge.
    ///
    /// # Errors
    /// If there is none, or the response is too large for a SASL frame.
    pub fn sasl_respond(&mut self, response: Vec<u8>) -> Result<(), Misuse> {
        self.in_login(Stage::Sasl, Login::Challenged)?;
        self.send_sasl(&SaslFrame::Response(Response { response }))?;
        self.login = Login::Begun;
        Ok(())
    }

    /// Acceptor: asks for more.
    ///
    /// # Errors
    /// If nothing was asked, or the challenge is too large for a SASL frame.
    pub fn sasl_challenge(&mut self, challenge: Vec<u8>) -> Result<(), Misuse> {
        self.in_login(Stage::SaslAnswer, Login::Begun)?;
        self.send_sasl(&SaslFrame::Challenge(Challenge { challenge }))?;
        self.stage = Stage::Sasl;
        Ok(())
    }

    /// Acceptor: ends the SASL exchange. After anything but `Ok` the connection is over.
    ///
    /// # Errors
    /// If nothing was asked, or the data is too large for a SASL frame.
    // WSB-021: no mechanism offered adds a security layer, so the next octets are a header.
    pub fn sasl_outcome(
        &mut self,
        code: Code,
        additional_data: Option<Vec<u8>>,
    ) -> Result<(), Misuse> {
        self.in_login(Stage::SaslAnswer, Login::Begun)?;
        // AMQP 5.3.3.5: "If the authentication is unsuccessful, this field is not set."
        let additional_data = additional_data.filter(|_| code == Code::Ok);
        self.send_sasl(&SaslFrame::Outcome(Outcome { code, additional_data }))?;
        if code == Code::Ok {
            self.stage = Stage::SecondHeader;
        } else {
            self.end(Closed { by: By::Local, error: None, violation: None, clean: false });
        }
        Ok(())
    }

    fn in_login(&self, stage: Stage, login: Login) -> Result<(), Misuse> {
        let fits = self.stage == stage && self.login == login;
        if fits { Ok(()) } else { Err(Misuse::WrongStage) }
    }
}
