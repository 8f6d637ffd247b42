//! The states of an exchange.

use super::choose::is_allowed;
use super::{Credentials, Failure, Refusal, Settings};
use crate::bearer::{Bearer, DUMMY};
use crate::hash::Hash;
use crate::keys::SaltedPassword;
use crate::limits::{STRING_MAX_BYTES, TRACE_MAX_CHARS};
use crate::mechanism::Mechanism;
use crate::plain::{Plain, text};
use crate::prepare::{Use, is_trace, saslprep};
use crate::scram::{ClientFinal, ClientFirst, Flag, ServerFinal, ServerFirst, bound};
use crate::violation::{Misuse, Violation};
use std::fmt;
use std::ops::RangeInclusive;
use subtle::ConstantTimeEq;

/// One exchange of one mechanism. The protocol tells whether the server is content;
/// [`Exchange::finish`] tells whether the client may be.
pub struct Exchange {
    state: State,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

enum State {
    /// SCRAM waits for salt and count.
    Salt(Box<Begun>),
    /// SCRAM waits for the server's own proof.
    Signature { hash: Hash, expected: Vec<u8> },
    /// The token is sent; the outcome, or a word about why there is none, is awaited.
    Token,
    /// All is said; the outcome is awaited.
    Said,
    /// Finished, or failed.
    Over,
}

impl Exchange {
    /// Begins an exchange; the octets are the initial response, which may be empty.
    ///
    /// # Errors
    /// The settings do not allow the mechanism, or hold what cannot be sent.
    pub fn begin(mechanism: Mechanism, settings: Settings) -> Result<(Self, Vec<u8>), Misuse> {
        if !is_allowed(mechanism, &settings) {
            return Err(Misuse::Credentials);
        }
        if settings.authzid.contains('\0') || settings.authzid.len() > STRING_MAX_BYTES {
            return Err(Misuse::Name);
        }
        let (state, response) = match mechanism {
            Mechanism::Anonymous => (State::Said, anonymous(settings)?),
            Mechanism::Plain => (State::Said, plain(&settings)?),
            Mechanism::OAuthBearer => (State::Token, bearer(&settings)?),
            Mechanism::External => (State::Said, settings.authzid.into_bytes()),
            Mechanism::Scram(hash) | Mechanism::ScramPlus(hash) => {
                let bind = mechanism == Mechanism::ScramPlus(hash);
                let (begun, response) = Begun::new(hash, bind, settings)?;
                (State::Salt(Box::new(begun)), response)
            }
        };
        Ok((Self { state }, response))
    }

    /// Answers a challenge. With SCRAM it computes the keys, which is slow on purpose.
    ///
    /// # Errors
    /// The server broke the rules, or refuses. Abort the exchange.
    pub fn step(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Salt(begun) => {
                let (state, response) = begun.prove(text(challenge)?)?;
                self.state = state;
                Ok(response)
            }
            State::Signature { hash, expected } => {
                check_signature(challenge, hash, &expected)?;
                self.state = State::Said;
                Ok(Vec::new())
            }
            State::Token => {
                // RFC 7628, section 3.2.3: the client says that it has heard, and is refused.
                self.state = State::Said;
                Ok(DUMMY.to_vec())
            }
            State::Said | State::Over => Err(Violation::OutOfTurn.into()),
        }
    }

    /// Takes the news that the server is content, with the additional data that came with it. Only
    /// after this is the server known to be the one that knows the user, where the mechanism can
    /// say so at all.
    ///
    /// # Errors
    /// The server has not proved itself: whatever it is, it must not be trusted.
    pub fn finish(&mut self, additional: Option<&[u8]>) -> Result<(), Failure> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Said | State::Token => Ok(()),
            State::Signature { hash, expected } => {
                check_signature(additional.unwrap_or_default(), hash, &expected)
            }
            State::Salt(_) => Err(Violation::ServerUnproved.into()),
            State::Over => Err(Violation::OutOfTurn.into()),
        }
    }
}

fn anonymous(settings: Settings) -> Result<Vec<u8>, Misuse> {
    let Credentials::Anonymous { trace } = settings.credentials else {
        return Err(Misuse::Credentials);
    };
    if trace.chars().count() > TRACE_MAX_CHARS || !is_trace(&trace) {
        return Err(Misuse::Name);
    }
    Ok(trace.into_bytes())
}

fn plain(settings: &Settings) -> Result<Vec<u8>, Misuse> {
    let Credentials::Password { user, password } = &settings.credentials else {
        return Err(Misuse::Credentials);
    };
    let user = saslprep(user, Use::Query).ok_or(Misuse::Name)?;
    let password = password.as_str();
    if password.is_empty() || password.contains('\0') || password.len() > STRING_MAX_BYTES {
        return Err(Misuse::Password);
    }
    Ok(Plain::write(&settings.authzid, &user, password))
}

fn bearer(settings: &Settings) -> Result<Vec<u8>, Misuse> {
    let Credentials::Token { token } = &settings.credentials else {
        return Err(Misuse::Credentials);
    };
    let message = Bearer::write(&settings.authzid, token.as_str());
    // What cannot be read here cannot be read there.
    Bearer::parse(&message).map_err(|_| Misuse::Password)?;
    Ok(message)
}

/// SCRAM's first message is sent.
struct Begun {
    hash: Hash,
    /// Prepared.
    password: String,
    iterations: RangeInclusive<u32>,
    nonce: String,
    bare: String,
    /// What `c=` has to be.
    binding: String,
}

impl Begun {
    fn new(hash: Hash, bind: bool, settings: Settings) -> Result<(Self, Vec<u8>), Misuse> {
        let Credentials::Password { user, password } = settings.credentials else {
            return Err(Misuse::Credentials);
        };
        let user = saslprep(&user, Use::Query).ok_or(Misuse::Name)?;
        let password = saslprep(password.as_str(), Use::Stored).ok_or(Misuse::Password)?;
        let password = password.into_owned();
        // RFC 5802, section 6: a client that can bind, and does not, says that it could.
        let (flag, binding) = match settings.channel_binding {
            Some(binding) if bind => (Flag::Bound(binding.name().to_owned()), Some(binding)),
            Some(_) => (Flag::NotOffered, None),
            None => (Flag::Unable, None),
        };
        let nonce = settings.nonce.as_str().to_owned();
        let (header, bare) = ClientFirst::write(&flag, &settings.authzid, &user, &nonce);
        let binding = bound(&header, binding.as_ref());
        let response = format!("{header}{bare}").into_bytes();
        let iterations = settings.iterations;
        Ok((Self { hash, password, iterations, nonce, bare, binding }, response))
    }

    fn prove(self, server_first: &str) -> Result<(State, Vec<u8>), Failure> {
        if let Some(error) = server_first.strip_prefix("e=") {
            return Err(refused(error));
        }
        let first = ServerFirst::parse(server_first, &self.nonce)?;
        if !self.iterations.contains(&first.iterations) {
            return Err(Violation::IterationsRefused.into());
        }
        let without_proof = ClientFinal::write_without_proof(&self.binding, first.nonce);
        let messages =
            [self.bare.as_bytes(), b",", server_first.as_bytes(), b",", without_proof.as_bytes()];
        let salted =
            SaltedPassword::derive(self.hash, &self.password, &first.salt, first.iterations);
        let expected = salted.server_signature(&messages);
        let response = ClientFinal::write(&without_proof, &salted.proof(&messages));
        Ok((State::Signature { hash: self.hash, expected }, response))
    }
}

/// RFC 5802, section 3: the server proves that it knows the user, or the exchange has failed.
fn check_signature(message: &[u8], hash: Hash, expected: &[u8]) -> Result<(), Failure> {
    if message.is_empty() {
        return Err(Violation::ServerUnproved.into());
    }
    match ServerFinal::parse(text(message)?, hash)? {
        ServerFinal::Error(error) => Err(refused(error)),
        ServerFinal::Signature(signature) if signature.ct_eq(expected).into() => Ok(()),
        ServerFinal::Signature(_) => Err(Violation::ServerUnproved.into()),
    }
}

fn refused(error: &str) -> Failure {
    let value = error.split(',').next().unwrap_or_default();
    Failure::Refused(Refusal::from_value(value))
}
