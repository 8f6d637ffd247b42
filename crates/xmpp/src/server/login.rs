//! SASL in both profiles: RFC 6120, section 6, and XEP-0388.

use super::config::Offer;
use super::connection::{Asked, Connection, Stage};
use super::event::{Authenticated, Event, UserAgent};
use super::inline::Inline;
use crate::jid::Jid;
use crate::ns;
use crate::stanza::IqType;
use crate::stream::{Frame, Misuse, Violation, decode_base64, encode_base64};
use crate::xml::{Element, element, text};
use data_encoding::BASE64;
use wharf_sasl::server::{Answer, Done, Exchange, Failure, Question, Settings, Step};
use wharf_sasl::{Mechanism, Violation as SaslViolation};

/// Which of the two profiles a login is in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Profile {
    /// RFC 6120, section 6.
    One,
    /// XEP-0388.
    Two,
}

impl Profile {
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::One => ns::SASL,
            Self::Two => ns::SASL2,
        }
    }
}

/// What is known until a client has logged in.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) offer: Offer,
    exchange: Option<Exchange>,
    pub(super) profile: Profile,
    failures: u32,
    /// What came with a login of the second profile.
    pub(super) inline: Inline,
}

/// Why a login failed, as the client is told (RFC 6120, section 6.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Condition {
    Aborted,
    EncryptionRequired,
    IncorrectEncoding,
    InvalidAuthzid,
    InvalidMechanism,
    MalformedRequest,
    NotAuthorized,
    TemporaryAuthFailure,
}

impl Condition {
    const fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }

    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Violation(SaslViolation::AuthorizationIdentity) | Failure::Unauthorized => {
                Self::InvalidAuthzid
            }
            // Someone in between, or as if: no more is told than of a wrong password.
            Failure::Violation(
                SaslViolation::Downgrade
                | SaslViolation::BindingMismatch
                | SaslViolation::NonceMismatch,
            )
            | Failure::Denied => Self::NotAuthorized,
            Failure::Violation(_) => Self::MalformedRequest,
            Failure::Busy => Self::TemporaryAuthFailure,
        }
    }
}

impl Login {
    pub(super) fn new(offer: Offer) -> Self {
        let inline = Inline::default();
        Self { offer, exchange: None, profile: Profile::One, failures: 0, inline }
    }
}

impl Connection {
    pub(super) fn on_login<'a>(
        &mut self,
        frame: Frame<'a>,
    ) -> Result<Option<Event<'a>>, Violation> {
        let registers = self.login.as_ref().is_some_and(|login| login.offer.registration);
        match frame {
            Frame::Stanza(stanza) => {
                let asks = |iq_type| stanza.asks(iq_type, "query", ns::REGISTER);
                let fits = self.stage == Stage::Login && (asks(IqType::Get) || asks(IqType::Set));
                if registers && fits {
                    return Ok(Some(Event::Register(stanza)));
                }
                // RFC 6120 4.3.5, 4.9.3.12.
                Err(Violation::TooEarly("a stanza before the login"))
            }
            Frame::Other(element) => self.on_login_element(&element).map(|()| None),
            _ => Err(Violation::Unexpected("a second <open/>")),
        }
    }

    fn on_login_element(&mut self, element: &Element<'_>) -> Result<(), Violation> {
        let exchanging = self.stage == Stage::Exchange;
        let profile = self.login.as_ref().map(|login| login.profile);
        // XEP-0388 2.3: within its exchanges there is nothing but responses.
        let in_second = exchanging && profile == Some(Profile::Two);
        match (element.name(), element.namespace()) {
            // RFC 6120 6.4.2: another one takes the place of one that goes on.
            ("auth", ns::SASL) if !in_second => self.on_auth(element, Profile::One),
            ("authenticate", ns::SASL2) if !in_second && self.offers_second() => {
                self.on_auth(element, Profile::Two)
            }
            ("response", namespace) if exchanging && self.is_profile(namespace) => {
                self.on_response(element);
                Ok(())
            }
            // RFC 6120 6.4.4.
            ("abort", namespace) if self.is_profile(namespace) => {
                self.fail_login(Condition::Aborted)
            }
            ("enable" | "resume" | "r" | "a", ns::SM) if !in_second => {
                self.refuse_management(element);
                Ok(())
            }
            _ if in_second => Err(Violation::TooEarly("another element within a login")),
            ("active" | "inactive", ns::CSI) | ("response" | "auth", ns::SASL) => {
                Err(Violation::TooEarly("an element before the login"))
            }
            _ => Err(Violation::UnknownElement),
        }
    }

    fn offers_second(&self) -> bool {
        self.login.as_ref().is_some_and(|login| login.offer.sasl2)
    }

    fn is_profile(&self, namespace: &str) -> bool {
        self.login.as_ref().is_some_and(|login| login.profile.namespace() == namespace)
    }

    fn on_auth(&mut self, auth: &Element<'_>, profile: Profile) -> Result<(), Violation> {
        let nonce = self.random.nonce();
        let secure = self.secure;
        let Some(login) = &mut self.login else { return Ok(()) };
        login.profile = profile;
        login.exchange = None;
        login.inline = Inline::default();
        let response = match profile {
            // RFC 6120 6.3.10, 6.4.2.
            Profile::One => decode_base64(&auth.text()),
            Profile::Two => {
                login.inline = Inline::read(auth);
                let initial = auth.child("initial-response", ns::SASL2);
                initial.map_or(Some(None), |initial| {
                    decode_base64(&initial.text()).map(|octets| Some(octets.unwrap_or_default()))
                })
            }
        };
        let name = auth.attribute("mechanism").unwrap_or_default();
        let known = Mechanism::from_name(&name);
        let Some(mechanism) = known.filter(|one| login.offer.mechanisms.contains(one)) else {
            let condition = match known {
                Some(Mechanism::Plain | Mechanism::OAuthBearer) if !secure => {
                    Condition::EncryptionRequired
                }
                _ => Condition::InvalidMechanism,
            };
            return self.fail_login(condition);
        };
        let Some(response) = response else {
            return self.fail_login(Condition::IncorrectEncoding);
        };
        // XEP-0175: clients say nothing where ANONYMOUS would be an empty message.
        let settings = Settings { nonce, absent_is_empty: true, ..login.offer.settings.clone() };
        let mut exchange = Exchange::new(mechanism, settings);
        let step = exchange.step(response.as_deref());
        login.exchange = Some(exchange);
        self.go_on(step)
    }

    fn on_response(&mut self, response: &Element<'_>) {
        let octets = decode_base64(&response.text()).map(Option::unwrap_or_default);
        let step = match (octets, self.login.as_mut().and_then(|login| login.exchange.as_mut())) {
            (Some(octets), Some(exchange)) => exchange.step(Some(&octets)),
            _ => {
                let failed = self.fail_login(Condition::IncorrectEncoding);
                return self.fail_if(failed);
            }
        };
        let gone_on = self.go_on(step);
        self.fail_if(gone_on);
    }

    fn fail_if(&mut self, result: Result<(), Violation>) {
        if let Err(violation) = result {
            self.fail(violation);
        }
    }

    /// Answers `Question`.
    ///
    /// # Errors
    /// Nothing was asked, or the answer does not fit it.
    pub fn answer(&mut self, answer: Answer) -> Result<(), Misuse> {
        let exchange = self.login.as_mut().and_then(|login| login.exchange.as_mut());
        let (Some(Asked::User), Some(exchange)) = (&self.asked, exchange) else {
            return Err(Misuse::NothingAsked);
        };
        let step = exchange.answer(answer).map_err(Misuse::Login)?;
        self.asked = None;
        let gone_on = self.go_on(step);
        self.fail_if(gone_on);
        Ok(())
    }

    fn go_on(&mut self, step: Step) -> Result<(), Violation> {
        match step {
            Step::Challenge(challenge) => {
                let Some(login) = &self.login else { return Ok(()) };
                let challenge = BASE64.encode(&challenge);
                self.write_sasl("challenge", login.profile, |out| text(out, &challenge));
                self.stage = Stage::Exchange;
                Ok(())
            }
            Step::Ask(Question::Authorize { user, authzid }) => {
                // RFC 6120 6.3.8: a client that names itself, by its address, acts as itself.
                let host = self.host.as_deref().unwrap_or_default();
                let itself = Jid::of_user(&user, host).ok();
                let named = Jid::parse(&authzid).ok();
                let answer = match itself {
                    Some(itself) if named == Some(itself.clone()) => Answer::Is { user },
                    _ => Answer::Refused,
                };
                let exchange = self.login.as_mut().and_then(|login| login.exchange.as_mut());
                match exchange.map(|exchange| exchange.answer(answer)) {
                    Some(Ok(step)) => self.go_on(step),
                    _ => self.fail_login(Condition::InvalidAuthzid),
                }
            }
            Step::Ask(question) => {
                self.asked = Some(Asked::User);
                self.events.push_back(Event::Question(question));
                Ok(())
            }
            Step::Done(done) => self.on_done(done),
            Step::Failed(failure) => {
                let exchange = self.login.as_ref().and_then(|login| login.exchange.as_ref());
                if let Some(mechanism) = exchange.map(Exchange::mechanism) {
                    self.events.push_back(Event::LoginFailed { mechanism, failure });
                }
                self.fail_login(Condition::of(failure))
            }
        }
    }

    fn on_done(&mut self, done: Done) -> Result<(), Violation> {
        let host = self.host.as_deref().unwrap_or_default();
        let Ok(jid) = Jid::of_user(&done.user, host) else {
            return self.fail_login(Condition::NotAuthorized);
        };
        let Some(login) = &self.login else { return Ok(()) };
        let profile = login.profile;
        let mechanism = login.exchange.as_ref().map(Exchange::mechanism);
        self.jid = Some(jid.clone());
        if self.is_false_name() {
            self.jid = None;
            return match profile {
                Profile::One => Err(Violation::InvalidFrom),
                // XEP-0388 2.2.
                Profile::Two => self.fail_login(Condition::InvalidAuthzid),
            };
        }
        let Some(mut login) = self.login.take() else { return Ok(()) };
        let user_agent: Option<UserAgent> = login.inline.user_agent.take();
        self.events.push_back(Event::Authenticated(Authenticated {
            user: done.user,
            jid,
            mechanism: mechanism.unwrap_or(Mechanism::Anonymous),
            user_agent,
        }));
        match profile {
            Profile::One => {
                // RFC 6120 6.4.6, XWS-070: the stream is over with it, without `<close/>`.
                let additional = done.additional.map(|octets| encode_base64(&octets));
                self.write_sasl("success", profile, |out| {
                    text(out, additional.as_deref().unwrap_or_default());
                });
                self.stage = Stage::Restart;
                self.opened = false;
            }
            Profile::Two => {
                // XWS-A11: no restart.
                self.stage = Stage::Binding;
                login.inline.additional = done.additional;
                self.go_on_inline(login.inline);
            }
        }
        Ok(())
    }

    fn fail_login(&mut self, condition: Condition) -> Result<(), Violation> {
        let max = self.config.limits.login_failures_max;
        let Some(login) = &mut self.login else { return Ok(()) };
        login.exchange = None;
        login.inline = Inline::default();
        login.failures = login.failures.saturating_add(1);
        let (profile, failures) = (login.profile, login.failures);
        self.write_sasl("failure", profile, |out| match profile {
            Profile::One => element(out, condition.name(), &[], |_| {}),
            Profile::Two => element(out, condition.name(), &[("xmlns", ns::SASL)], |_| {}),
        });
        self.stage = Stage::Login;
        // RFC 6120 6.4.5.
        if failures >= max { Err(Violation::TooManyLogins) } else { Ok(()) }
    }

    fn write_sasl(&mut self, name: &str, profile: Profile, content: impl FnOnce(&mut Vec<u8>)) {
        self.link.message(|out| element(out, name, &[("xmlns", profile.namespace())], content));
    }
}
