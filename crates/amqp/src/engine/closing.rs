//! The last steps of a connection: close (AMQP 2.4.3, 2.4.4, 2.7.9), and what breaks it.

use super::connection::{Connection, Stage, Step};
use super::event::{By, Closed, Misuse};
use super::violation::Violation;
use crate::condition::Error;
use crate::performative::{Close, Open, Performative};

impl Connection {
    // AMQP 2.4.3, 2.4.4, WSB-080.
    pub(super) fn on_close<'a>(&mut self, close: Close) -> Step<'a> {
        let closed = match self.ending.take() {
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
    /// Nothing of its sessions and links is told any more, and nothing is sent.
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
        // Where the next frame begins is not known any more.
        let readable = !matches!(violation, Violation::Frame(_));
        let closed = Closed { by: By::Local, error, violation: Some(violation), clean: false };
        match self.stage {
            Stage::Header | Stage::SecondHeader => {
                self.send_supported_header();
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

    // AMQP 2.4.3: who closes with an error has opened first. AMQP 2.7.9: no frame follows a close.
    fn begin_close(&mut self, closed: Closed) {
        if !self.opened {
            self.send_open(Open::new(String::new()));
        }
        self.send_close(closed.error.clone());
        self.ending = Some(closed);
        self.stage = Stage::Closing;
        self.forget_sessions();
        self.timers.stop_idle();
        self.timers.begin_stage(self.config.close_timeout);
    }

    fn send_close(&mut self, error: Option<Error>) {
        self.send_with_error(0, error, |error| Performative::Close(Box::new(Close { error })));
    }

    /// Sends a frame with an error, in short if it does not fit.
    pub(super) fn send_with_error(
        &mut self,
        channel: u16,
        error: Option<Error>,
        with: impl Fn(Option<Error>) -> Performative,
    ) {
        let condition = error.as_ref().map(|error| error.condition.clone());
        if self.send(channel, |out| with(error).encode(out)) {
            return;
        }
        let short = condition.map(Error::from);
        if !self.send(channel, |out| with(short).encode(out)) {
            self.send(channel, |out| with(None).encode(out));
        }
    }
}
