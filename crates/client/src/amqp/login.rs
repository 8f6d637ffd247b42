//! The SASL layer (AMQP 5.3): which mechanism, and its exchange.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::task::{JoinHandle, spawn_blocking};
use wharf_amqp::sasl_frame::{Code, Init, Outcome};
use wharf_sasl::Password;
use wharf_sasl::client::{Credentials, Exchange, Failure, Settings, choose};

use crate::Error;
use crate::login::sasl;
use crate::net::Security;

/// Who logs in, and what is known of the way.
#[derive(Clone)]
pub(super) struct Who {
    pub(super) credentials: Option<(String, String)>,
    /// PLAIN may be used without TLS.
    pub(super) plain_without_tls: bool,
    pub(super) hostname: String,
    pub(super) security: Security,
}

/// One exchange, as far as it is.
#[derive(Default)]
pub(super) struct Login {
    exchange: Option<Exchange>,
    /// A challenge is being answered: computing the keys is slow on purpose, and other connections
    /// go on meanwhile.
    answering: Option<JoinHandle<Answered>>,
}

/// The exchange, and its answer to a challenge.
type Answered = (Exchange, Result<Vec<u8>, Failure>);

impl Login {
    /// Takes the strongest mechanism that is offered and may be used.
    pub(super) fn begin(&mut self, offered: Vec<String>, who: &Who) -> Result<Init, Error> {
        let chosen = who.settings()?.into_iter().find_map(|settings| {
            let mechanism = choose(&offered, &settings)?;
            Some((mechanism, settings))
        });
        let (mechanism, settings) = chosen.ok_or(Error::NoMechanism { offered })?;
        let (exchange, response) =
            Exchange::begin(mechanism, settings).map_err(Error::Credentials)?;
        self.exchange = Some(exchange);
        Ok(Init {
            mechanism: mechanism.name().to_owned(),
            initial_response: Some(response),
            // WSB-004, WSB-061
            hostname: Some(who.hostname.clone()),
        })
    }

    /// Begins to answer a challenge.
    pub(super) fn challenge(&mut self, challenge: Vec<u8>) -> Result<(), Error> {
        // AMQP 5.3.2: one challenge, one response.
        let mut exchange =
            self.exchange.take().ok_or(Error::Protocol("a challenge during another"))?;
        self.answering = Some(spawn_blocking(move || {
            let response = exchange.step(&challenge);
            (exchange, response)
        }));
        Ok(())
    }

    /// The answer to a challenge; pending when there is none to come.
    pub(super) fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, Error>> {
        let Some(answering) = &mut self.answering else { return Poll::Pending };
        let answered = ready!(Pin::new(answering).poll(cx));
        self.answering = None;
        Poll::Ready(match answered {
            Ok((exchange, response)) => {
                self.exchange = Some(exchange);
                response.map_err(Error::from)
            }
            Err(_) => Err(Error::Closed),
        })
    }

    /// The broker has decided; and whether it is the one that knows the user.
    pub(super) fn outcome(&mut self, outcome: &Outcome) -> Result<(), Error> {
        match outcome.code {
            Code::Ok => {
                let mut exchange =
                    self.exchange.take().ok_or(Error::Protocol("an outcome too early"))?;
                exchange.finish(outcome.additional_data.as_deref()).map_err(Error::from)
            }
            Code::Auth => Err(Error::LoginRefused),
            Code::Sys | Code::SysPerm | Code::SysTemp => Err(Error::LoginUnavailable),
        }
    }
}

impl Who {
    /// What may be tried, the best first.
    fn settings(&self) -> Result<Vec<Settings>, Error> {
        let all = match &self.credentials {
            Some((user, password)) => {
                let (user, password) = (user.clone(), Password::new(password.clone()));
                vec![Credentials::Password { user, password }]
            }
            None => {
                vec![Credentials::External, Credentials::Anonymous { trace: String::new() }]
            }
        };
        let settings = |credentials| sasl(credentials, self.security, self.plain_without_tls);
        all.into_iter().map(settings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(credentials: bool, security: Security) -> Who {
        let credentials = credentials.then(|| ("ada".to_owned(), "secret".to_owned()));
        Who { credentials, plain_without_tls: false, hostname: "host".to_owned(), security }
    }

    fn chosen(who: &Who, offered: &[&str]) -> Option<String> {
        let offered = offered.iter().map(|&name| name.to_owned()).collect();
        match Login::default().begin(offered, who) {
            Ok(init) => {
                assert_eq!(init.hostname.as_deref(), Some("host"));
                Some(init.mechanism)
            }
            Err(Error::NoMechanism { .. }) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn the_strongest_that_may_be_used_is_taken() {
        let far = Security { encrypted: false, loopback: false, exported: None };
        let near = Security { loopback: true, ..far };
        let secure = Security { encrypted: true, ..far };
        let bound = Security { exported: Some([7; 32]), ..secure };
        let all = ["ANONYMOUS", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "EXTERNAL"];
        let table = [
            (true, bound, &all[..], Some("SCRAM-SHA-256-PLUS")),
            (true, secure, &all, Some("SCRAM-SHA-256")),
            (true, secure, &["PLAIN", "ANONYMOUS"], Some("PLAIN")),
            (true, near, &["PLAIN"], Some("PLAIN")),
            (true, far, &["PLAIN"], None),
            (true, far, &all, Some("SCRAM-SHA-256")),
            (true, secure, &["ANONYMOUS", "EXTERNAL"], None),
            (false, far, &all, Some("EXTERNAL")),
            (false, far, &["PLAIN", "ANONYMOUS"], Some("ANONYMOUS")),
            (false, secure, &["PLAIN"], None),
        ];
        for (login, security, offered, expected) in table {
            let found = chosen(&who(login, security), offered);
            assert_eq!(found.as_deref(), expected, "{login} {security:?} {offered:?}");
        }
        let told = Who { plain_without_tls: true, ..who(true, far) };
        assert_eq!(chosen(&told, &["PLAIN"]).as_deref(), Some("PLAIN"));
    }
}
