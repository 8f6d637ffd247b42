//! A small user database, and both sides of an exchange in one place.

#![allow(dead_code, reason = "each test file uses its part")]

use wharf_sasl::client::{self, Credentials};
use wharf_sasl::limits::ITERATIONS_MAX;
use wharf_sasl::server::{self, Answer, Done, Failure, Question, Step};
use wharf_sasl::{ChannelBinding, Hash, Mechanism, Nonce, Password, ScramKeys, Violation};

/// These tests are not about the cost.
pub(crate) const ITERATIONS: u32 = 16;

pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl User {
    pub(crate) fn new(name: &str, password: &str) -> Self {
        Self { name: name.to_owned(), password: password.to_owned() }
    }

    pub(crate) fn keys(&self, hash: Hash) -> ScramKeys {
        ScramKeys::derive(hash, &self.password, b"salt of a test", ITERATIONS).unwrap()
    }

    /// What a database with this user alone says. It may act as `ROOT`, and no one else may.
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Password { user, password }
                if *user == self.name && password.as_str() == self.password =>
            {
                Answer::Is { user: user.clone() }
            }
            Question::ScramKeys { user, hash } if *user == self.name => {
                Answer::Keys(self.keys(*hash))
            }
            Question::Anonymous { .. } => Answer::Is { user: "guest".to_owned() },
            Question::External { authzid: None } => Answer::Is { user: self.name.clone() },
            Question::Authorize { user, authzid } if *user == self.name && authzid == ROOT => {
                Answer::Is { user: authzid.clone() }
            }
            _ => Answer::Refused,
        }
    }
}

pub(crate) const ROOT: &str = "ro,=ot";

pub(crate) fn nonce(seed: u8) -> Nonce {
    Nonce::from_seed(&[seed; 32])
}

pub(crate) fn channel() -> ChannelBinding {
    ChannelBinding::tls_exporter([7; 32])
}

pub(crate) fn server_settings() -> server::Settings {
    server::Settings::new(nonce(1), [3; 32])
}

pub(crate) fn server(mechanism: Mechanism) -> server::Exchange {
    server::Exchange::new(mechanism, server_settings())
}

/// The server of a channel that can be bound to.
pub(crate) fn bound_server(mechanism: Mechanism) -> server::Exchange {
    let settings = server::Settings { channel_bindings: vec![channel()], ..server_settings() };
    server::Exchange::new(mechanism, settings)
}

pub(crate) fn credentials(user: &User) -> Credentials {
    Credentials::Password { user: user.name.clone(), password: Password::new(&*user.password) }
}

pub(crate) fn client_settings(user: &User) -> client::Settings {
    let settings = client::Settings::new(credentials(user), nonce(2));
    client::Settings { weakest: Mechanism::Plain, iterations: 1..=ITERATIONS_MAX, ..settings }
}

pub(crate) fn violation(violation: Violation) -> Step {
    Step::Failed(Failure::Violation(violation))
}

/// A server's step, with every question answered at once.
pub(crate) fn serve(server: &mut server::Exchange, response: Option<&[u8]>, user: &User) -> Step {
    let mut step = server.step(response);
    while let Step::Ask(question) = step {
        step = server.answer(user.answer(&question)).unwrap();
    }
    step
}

/// How both sides see the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) server: Result<Done, Option<Failure>>,
    pub(crate) client: Result<(), client::Failure>,
}

impl End {
    pub(crate) fn is_good(&self) -> bool {
        self.server.is_ok() && self.client.is_ok()
    }
}

/// Messages in the order they are sent: two of the client, two of the server, in turn.
pub(crate) const MESSAGES: usize = 4;

/// Brings both sides together; `meddle` may change each message on its way.
pub(crate) fn meet(
    (mut server, user): (server::Exchange, &User),
    mechanism: Mechanism,
    settings: client::Settings,
    mut meddle: impl FnMut(usize, &mut Vec<u8>),
) -> End {
    let (mut client, mut response) = client::Exchange::begin(mechanism, settings).unwrap();
    let mut number = 0;
    loop {
        meddle(number, &mut response);
        let mut challenge = match serve(&mut server, Some(&response), user) {
            Step::Challenge(challenge) => challenge,
            Step::Done(done) => {
                let mut additional = done.additional.clone();
                if let Some(additional) = &mut additional {
                    meddle(number + 1, additional);
                }
                return End { server: Ok(done), client: client.finish(additional.as_deref()) };
            }
            Step::Failed(failure) => {
                return End { server: Err(Some(failure)), client: Ok(()) };
            }
            Step::Ask(_) => unreachable!("every question is answered"),
        };
        meddle(number + 1, &mut challenge);
        number += 2;
        response = match client.step(&challenge) {
            Ok(response) => response,
            Err(failure) => return End { server: Err(None), client: Err(failure) },
        };
    }
}
