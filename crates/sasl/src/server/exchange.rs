//! The states of an exchange.

use super::scram::{Asked, Proving};
use super::{Answer, Done, Failure, Question, Settings, Step};
use crate::bearer::{Bearer, DUMMY, REFUSAL};
use crate::hash::Hash;
use crate::limits::{STRING_MAX_BYTES, TRACE_MAX_CHARS};
use crate::mechanism::Mechanism;
use crate::plain::{Plain, text};
use crate::prepare::is_trace;
use crate::violation::{Misuse, Violation};

/// One exchange of one mechanism; it ends with [`Step::Done`] or [`Step::Failed`].
#[derive(Debug)]
pub struct Exchange {
    mechanism: Mechanism,
    settings: Settings,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing has come yet.
    Start {
        /// It has been asked for.
        asked: bool,
    },
    /// Is this who the client says?
    AskedUser { authzid: Option<String> },
    /// Whom does the token let in?
    AskedToken,
    /// The client has been told that its token is wrong, and has to say that it knows.
    Refusing,
    /// What is stored of the user?
    AskedKeys(Box<Asked>),
    /// SCRAM waits for the proof.
    Proving(Box<Proving>),
    /// May the user act as another?
    AskedAuthorize { additional: Option<Vec<u8>> },
    /// Done, or failed.
    Over,
}

impl Exchange {
    /// An exchange of a mechanism that was offered.
    pub fn new(mechanism: Mechanism, settings: Settings) -> Self {
        Self { mechanism, settings, state: State::Start { asked: false } }
    }

    /// The mechanism of the exchange.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Takes a message of the client: first its initial response, `None` if it sent none, then one
    /// response for each challenge. One that comes while a question is open ends the exchange.
    pub fn step(&mut self, response: Option<&[u8]>) -> Step {
        let state = std::mem::replace(&mut self.state, State::Over);
        let step = match state {
            State::Start { asked } => self.start(response, asked),
            State::Proving(proving) => self.prove(*proving, response),
            State::Refusing if response == Some(DUMMY) => Err(Failure::Denied),
            State::AskedUser { .. }
            | State::AskedToken
            | State::Refusing
            | State::AskedKeys(_)
            | State::AskedAuthorize { .. }
            | State::Over => Err(Violation::OutOfTurn.into()),
        };
        step.unwrap_or_else(Step::Failed)
    }

    /// Takes the answer to the question that [`Exchange::step`] or the last answer led to.
    ///
    /// # Errors
    /// There is no question, or the answer does not fit it. The exchange is as it was.
    pub fn answer(&mut self, answer: Answer) -> Result<Step, Misuse> {
        check_fit(&self.state, &answer)?;
        let step = match (std::mem::replace(&mut self.state, State::Over), answer) {
            (_, Answer::Busy) => Step::Failed(Failure::Busy),
            (State::AskedUser { authzid }, Answer::Is { user }) => {
                self.identified(user, authzid, None)
            }
            (State::AskedToken, Answer::Is { user }) => Step::Done(Done { user, additional: None }),
            (State::AskedToken, _) => {
                // RFC 7628, section 3.2.2.
                self.state = State::Refusing;
                Step::Challenge(REFUSAL.to_vec())
            }
            (State::AskedAuthorize { additional }, Answer::Is { user }) => {
                Step::Done(Done { user, additional })
            }
            (State::AskedAuthorize { .. }, _) => Step::Failed(Failure::Unauthorized),
            (State::AskedKeys(asked), answer) => {
                let keys = match answer {
                    Answer::Keys(keys) => Some(keys),
                    _ => None,
                };
                let (proving, challenge) = asked.challenge(keys, &self.settings);
                self.state = State::Proving(Box::new(proving));
                Step::Challenge(challenge)
            }
            _ => Step::Failed(Failure::Denied),
        };
        Ok(step)
    }

    fn start(&mut self, response: Option<&[u8]>, asked: bool) -> Result<Step, Failure> {
        let silence = self.mechanism.may_be_silent() && self.settings.absent_is_empty;
        let Some(response) = response.or(silence.then_some(&[])) else {
            if asked {
                return Err(Violation::Absent.into());
            }
            self.state = State::Start { asked: true };
            return Ok(Step::Challenge(Vec::new()));
        };
        let (state, question) = match self.mechanism {
            Mechanism::Anonymous => anonymous(response)?,
            Mechanism::Plain => plain(response)?,
            Mechanism::OAuthBearer => bearer(response)?,
            Mechanism::External => external(response)?,
            Mechanism::Scram(hash) => self.scram(hash, false, response)?,
            Mechanism::ScramPlus(hash) => self.scram(hash, true, response)?,
        };
        self.state = state;
        Ok(Step::Ask(question))
    }

    fn scram(
        &self,
        hash: Hash,
        plus: bool,
        response: &[u8],
    ) -> Result<(State, Question), Violation> {
        let asked = Asked::new(hash, plus, response, &self.settings.channel_bindings)?;
        let question = asked.question();
        Ok((State::AskedKeys(Box::new(asked)), question))
    }

    fn prove(&mut self, proving: Proving, response: Option<&[u8]>) -> Result<Step, Failure> {
        let proved = proving.prove(response.ok_or(Violation::Absent)?)?;
        Ok(self.identified(proved.user, proved.authzid, Some(proved.additional)))
    }

    /// The client is `user`; is that all it wants?
    fn identified(
        &mut self,
        user: String,
        authzid: Option<String>,
        additional: Option<Vec<u8>>,
    ) -> Step {
        match authzid {
            Some(authzid) if authzid != user => {
                self.state = State::AskedAuthorize { additional };
                Step::Ask(Question::Authorize { user, authzid })
            }
            _ => Step::Done(Done { user, additional }),
        }
    }
}

fn check_fit(state: &State, answer: &Answer) -> Result<(), Misuse> {
    match (state, answer) {
        (State::AskedKeys(asked), Answer::Keys(keys)) if keys.hash() != asked.hash() => {
            Err(Misuse::KeysOfOtherHash)
        }
        (State::Start { .. } | State::Proving(_) | State::Over, _)
        | (State::AskedKeys(_), Answer::Is { .. })
        | (State::Refusing, _)
        | (
            State::AskedUser { .. } | State::AskedToken | State::AskedAuthorize { .. },
            Answer::Keys(_),
        ) => Err(Misuse::AnswerUnasked),
        _ => Ok(()),
    }
}

/// RFC 4505, section 2.
fn anonymous(response: &[u8]) -> Result<(State, Question), Violation> {
    let trace = text(response)?;
    if trace.chars().count() > TRACE_MAX_CHARS {
        return Err(Violation::TraceTooLong);
    }
    if !is_trace(trace) {
        return Err(Violation::TraceProhibited);
    }
    let trace = (!trace.is_empty()).then(|| trace.to_owned());
    Ok((State::AskedUser { authzid: None }, Question::Anonymous { trace }))
}

fn plain(response: &[u8]) -> Result<(State, Question), Violation> {
    let Plain { authzid, user, password } = Plain::parse(response)?;
    Ok((State::AskedUser { authzid }, Question::Password { user, password }))
}

fn bearer(response: &[u8]) -> Result<(State, Question), Violation> {
    let Bearer { authzid, token } = Bearer::parse(response)?;
    Ok((State::AskedToken, Question::Token { token, authzid }))
}

/// RFC 4422, appendix A.1.
fn external(response: &[u8]) -> Result<(State, Question), Violation> {
    let authzid = text(response)?;
    if authzid.contains('\0') {
        return Err(Violation::AuthorizationIdentity);
    }
    if authzid.len() > STRING_MAX_BYTES {
        return Err(Violation::StringTooLong);
    }
    let authzid = (!authzid.is_empty()).then(|| authzid.to_owned());
    Ok((State::AskedUser { authzid: None }, Question::External { authzid }))
}
