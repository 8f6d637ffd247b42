//! The user database as SASL asks for it: what the driver of a connection needs beside a
//! `wharf_sasl::server::Exchange`.
//!
//! For one exchange: offer [`Authenticator::mechanisms`], answer each question with
//! [`Authenticator::answer`], and tell the end with [`Authenticator::sasl_ended`].

use super::basic::Credentials;
use super::{Authenticator, Denied};
use crate::log::event;
use crate::net::registry::Login;
use std::net::IpAddr;
use std::time::Instant;
use wharf_sasl::server::{Answer, Failure, Question};
use wharf_sasl::{Hash, Mechanism, ScramKeys};

/// What is known of a connection before its exchange begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Channel<'a> {
    /// Who was let in already, by HTTP or a certificate: whom EXTERNAL means.
    pub(crate) user: Option<&'a str>,
    /// Whether there is something to bind to: `-PLUS`.
    pub(crate) can_bind: bool,
}

impl From<Denied> for Answer {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Challenge => Self::Refused,
            Denied::Throttled { .. } | Denied::Busy => Self::Busy,
        }
    }
}

impl Authenticator {
    /// What to offer, best first; never nothing. It does not depend on who will log in.
    ///
    /// SCRAM comes with the first user that has keys for it. From then on a client that prefers
    /// it fails for users whose verifiers have none: they need new ones.
    pub(crate) fn mechanisms(&self, channel: Channel<'_>) -> Vec<Mechanism> {
        let hashes = self.users.hashes();
        let strongest_first = || hashes.iter().rev().copied();
        let mut offer = Vec::new();
        offer.extend(channel.user.map(|_| Mechanism::External));
        if channel.can_bind {
            offer.extend(strongest_first().map(Mechanism::ScramPlus));
        }
        offer.extend(strongest_first().map(Mechanism::Scram));
        if self.tokens.are_taken() {
            offer.push(Mechanism::OAuthBearer);
        }
        offer.push(Mechanism::Plain);
        // RFC 4505, section 5: only where it was decided.
        offer.extend(self.anonymous_user.as_ref().map(|_| Mechanism::Anonymous));
        offer
    }

    /// What the keys of unknown users are made of, for the settings of an exchange.
    pub(crate) fn decoy_key(&self) -> [u8; 32] {
        self.users.decoy_key()
    }

    /// Answers a question of an exchange, and says who is in with it. `Err` is a refused login, to be counted; it becomes an
    /// answer with `into()`.
    pub(crate) async fn answer(
        &self,
        question: Question,
        channel: Channel<'_>,
        from: IpAddr,
        now: Instant,
    ) -> Result<(Answer, Option<Login>), Denied> {
        let user = match question {
            Question::Password { user, password } => {
                let password = password.as_str().as_bytes();
                self.check_password(&user, password, from, now).await.map(Some)?
            }
            Question::ScramKeys { user, hash } => {
                let keys = self.scram_keys(&user, hash, from, now)?;
                return Ok((keys.map_or(Answer::Refused, Answer::Keys), None));
            }
            Question::Token { token, authzid } => {
                let login = self.check_token(token.as_str(), from, now)?;
                // No one acts as another.
                if authzid.is_some_and(|authzid| authzid != login.user) {
                    return Err(Denied::Challenge);
                }
                return Ok((Answer::Is { user: login.user.clone() }, Some(login)));
            }
            Question::Anonymous { .. } => self.anonymous_user.clone(),
            Question::External { authzid } => {
                let user = channel.user.map(str::to_owned);
                user.filter(|user| authzid.is_none_or(|authzid| authzid == *user))
            }
            // No one acts as another.
            Question::Authorize { .. } => None,
        };
        let user = user.ok_or(Denied::Challenge)?;
        let login = Login { user: user.clone(), ..Login::default() };
        Ok((Answer::Is { user }, Some(login)))
    }

    /// Checks a name and a password as HTTP Basic does: with the same memory, ration and queue.
    pub(crate) async fn check_password(
        &self,
        user: &str,
        password: &[u8],
        from: IpAddr,
        now: Instant,
    ) -> Result<String, Denied> {
        let credentials = Credentials { user: user.to_owned(), password: password.to_vec() };
        self.check_credentials(credentials, from, now).await
    }

    /// The keys of a user for a hash, if there are any. It takes one of the address's wrong
    /// passwords, which [`Authenticator::sasl_ended`] gives back when the proof was right: a proof
    /// costs the server nothing to check, so only the ration slows those who guess.
    pub(crate) fn scram_keys(
        &self,
        user: &str,
        hash: Hash,
        from: IpAddr,
        now: Instant,
    ) -> Result<Option<ScramKeys>, Denied> {
        self.take_try(from, now)?;
        Ok(self.users.scram_keys_of(user, hash))
    }

    /// Accounts for an exchange of SCRAM whose connection was lost before a proof came: nothing
    /// was guessed. Whoever is on a bad line is not locked out for it.
    pub(crate) fn sasl_lost(&self, from: IpAddr) {
        self.throttle.give_back(from);
    }

    /// Accounts for the end of an exchange; to be called once for each. One that the client gives
    /// up in the middle counts as wrong.
    pub(crate) fn sasl_ended(
        &self,
        mechanism: Mechanism,
        outcome: Result<(), Failure>,
        from: IpAddr,
    ) {
        // The passwords of PLAIN were accounted for when they were checked.
        if !matches!(mechanism, Mechanism::Scram(_) | Mechanism::ScramPlus(_)) {
            return;
        }
        match outcome {
            // A user who may not act as another has proved who it is.
            Ok(()) | Err(Failure::Unauthorized) => self.throttle.give_back(from),
            Err(Failure::Denied) => {
                tracing::info!(event = event::LOGIN_FAILED, %from, "wrong user name or password");
            }
            Err(Failure::Violation(_) | Failure::Busy) => {}
        }
    }
}

#[cfg(test)]
mod tests;
