//! The SASL layer: an exchange between the engine's frames and the user database's answers.

use std::collections::VecDeque;
use wharf_amqp::sasl_frame::Code;
use wharf_sasl::server::{Answer, Done, Exchange, Failure, Question, Settings, Step};
use wharf_sasl::{Mechanism, Misuse};

/// What the engine is to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing yet: the user database has been asked.
    Wait,
    Challenge(Vec<u8>),
    Outcome {
        code: Code,
        additional: Option<Vec<u8>>,
        user: Option<String>,
    },
}

/// What a connection needs to log in.
#[derive(Debug)]
pub(crate) struct Login {
    mechanisms: Vec<Mechanism>,
    settings: Option<Box<Settings>>,
    exchange: Option<Box<Exchange>>,
    questions: VecDeque<Question>,
    /// Who the layer below has let in: whom EXTERNAL means.
    known: Option<String>,
    failed: bool,
    ended: Option<Ended>,
}

/// The mechanism that was chosen, and how it went.
pub(crate) type Ended = (Mechanism, Result<(), Failure>);

impl Login {
    pub(crate) fn new(mechanisms: Vec<Mechanism>, settings: Settings) -> Self {
        Self {
            mechanisms,
            settings: Some(Box::new(settings)),
            exchange: None,
            questions: VecDeque::new(),
            known: None,
            failed: false,
            ended: None,
        }
    }

    pub(super) fn mechanisms(&self) -> &[Mechanism] {
        &self.mechanisms
    }

    /// The layer below has let `user` in.
    // WSB-012: that user need not log in twice; a SASL layer may name another.
    pub(super) fn known(&mut self, user: Option<&str>) {
        self.known = user.map(str::to_owned);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    pub(super) fn take_ended(&mut self) -> Option<Ended> {
        self.ended.take()
    }

    pub(super) fn poll_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    // AMQP 5.3.3.2: a mechanism that was not offered cannot succeed.
    pub(super) fn begin(&mut self, mechanism: &str, initial_response: Option<&[u8]>) -> Next {
        let offered = Mechanism::from_name(mechanism).filter(|one| self.mechanisms.contains(one));
        let (Some(mechanism), Some(settings)) = (offered, self.settings.take()) else {
            return self.fail(Code::Auth);
        };
        let mut exchange = Exchange::new(mechanism, *settings);
        // The trace of ANONYMOUS means nothing here; some clients put a NUL before it, as in PLAIN.
        let traced = initial_response.filter(|_| mechanism == Mechanism::Anonymous);
        let trace = traced.and_then(|response| response.strip_prefix(b"\0"));
        let step = exchange.step(trace.or(initial_response));
        self.exchange = Some(Box::new(exchange));
        self.go_on(step)
    }

    pub(super) fn respond(&mut self, response: &[u8]) -> Next {
        match &mut self.exchange {
            Some(exchange) => {
                let step = exchange.step(Some(response));
                self.go_on(step)
            }
            None => self.fail(Code::Auth),
        }
    }

    pub(super) fn answer(&mut self, answer: Answer) -> Next {
        let answered = self.exchange.as_mut().map(|exchange| exchange.answer(answer));
        match answered {
            Some(Ok(step)) => self.go_on(step),
            // Late: the exchange has ended meanwhile.
            Some(Err(Misuse::AnswerUnasked)) | None => Next::Wait,
            Some(Err(_)) => self.fail(Code::Sys),
        }
    }

    fn go_on(&mut self, step: Step) -> Next {
        match step {
            Step::Challenge(challenge) => Next::Challenge(challenge),
            Step::Ask(Question::External { authzid }) => {
                let known = self.known.clone();
                let known = known.filter(|user| authzid.is_none_or(|authzid| authzid == *user));
                self.answer(known.map_or(Answer::Refused, |user| Answer::Is { user }))
            }
            Step::Ask(question) => {
                self.questions.push_back(question);
                Next::Wait
            }
            Step::Done(Done { user, additional }) => {
                self.end(Ok(()));
                Next::Outcome { code: Code::Ok, additional, user: Some(user) }
            }
            Step::Failed(failure) => {
                self.end(Err(failure));
                self.fail(if failure == Failure::Busy { Code::SysTemp } else { Code::Auth })
            }
        }
    }

    fn end(&mut self, outcome: Result<(), Failure>) {
        if let Some(exchange) = self.exchange.take() {
            self.ended = Some((exchange.mechanism(), outcome));
        }
    }

    fn fail(&mut self, code: Code) -> Next {
        self.exchange = None;
        self.failed = true;
        Next::Outcome { code, additional: None, user: None }
    }
}
