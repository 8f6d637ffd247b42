//! Features, the choice of a mechanism, and SASL in both profiles.

use super::connection::{Connection, Stage};
use super::event::LoginFailure;
use crate::ns;
use crate::stream::{Violation, decode_base64, encode_base64, write_nonza};
use crate::xml::{Element, element, text};
use wharf_sasl::Mechanism;
use wharf_sasl::client::{Exchange, Settings, choose};

/// The least of channel bindings, which servers are to have (XEP-0440, section 3).
const LEAST_BINDING: &str = "tls-server-end-point";

/// What a server offers for a login.
#[derive(Debug, Default)]
struct Logins {
    first: Vec<String>,
    second: Vec<String>,
    bindings: Vec<String>,
    /// What may come with a login of the second profile.
    resume: bool,
    bind: bool,
    enable: bool,
}

impl Logins {
    // XWS-085: whatever else is offered, STARTTLS among it, is passed over.
    fn read(features: &Element<'_>) -> Self {
        let mut logins = Self::default();
        for feature in features.children() {
            match (feature.name(), feature.namespace()) {
                ("mechanisms", ns::SASL) => logins.first = mechanisms(&feature, ns::SASL),
                ("authentication", ns::SASL2) => {
                    logins.second = mechanisms(&feature, ns::SASL2);
                    if let Some(inline) = feature.child("inline", ns::SASL2) {
                        logins.read_inline(&inline);
                    }
                }
                ("sasl-channel-binding", ns::CHANNEL_BINDING) => {
                    let types = feature.children().filter_map(|one| one.attribute("type"));
                    logins.bindings = types.map(|name| name.into_owned()).collect();
                }
                _ => {}
            }
        }
        logins
    }

    fn read_inline(&mut self, inline: &Element<'_>) {
        self.resume = inline.child("sm", ns::SM).is_some();
        if let Some(bind) = inline.child("bind", ns::BIND2) {
            self.bind = true;
            let is_management =
                |feature: Element<'_>| feature.attribute("var").as_deref() == Some(ns::SM);
            let features = bind.child("inline", ns::BIND2);
            self.enable = features.is_some_and(|it| it.children().any(is_management));
        }
    }
}

fn mechanisms(parent: &Element<'_>, namespace: &str) -> Vec<String> {
    let mechanisms = parent.children().filter(|child| child.is("mechanism", namespace));
    mechanisms.map(|mechanism| mechanism.text().into_owned()).collect()
}

impl Connection {
    pub(super) fn on_features(&mut self, features: &Element<'_>) -> Result<(), Violation> {
        match self.stage {
            Stage::Features if self.logged_in => self.on_session_features(features),
            Stage::Features => {
                self.begin_login(&Logins::read(features));
                Ok(())
            }
            // After a resource was bound with the login they come again.
            Stage::Bound => Ok(()),
            _ => Err(Violation::Unexpected("features")),
        }
    }

    fn begin_login(&mut self, logins: &Logins) {
        let second = self.config.sasl2 && !logins.second.is_empty();
        let offered = if second { &logins.second } else { &logins.first };
        let Some(settings) = self.settings(offered, &logins.bindings, second) else {
            return self.fail_login(LoginFailure::NoMechanism);
        };
        // RFC 6120 6.3.3: the strongest that both sides have, and nothing weaker after it.
        let Some(mechanism) = choose(offered, &settings) else {
            return self.fail_login(LoginFailure::NoMechanism);
        };
        let (exchange, response) = match Exchange::begin(mechanism, settings) {
            Ok(begun) => begun,
            Err(misuse) => return self.fail_login(LoginFailure::Settings(misuse)),
        };
        self.exchange = Some((exchange, second));
        self.stage = Stage::Exchange;
        if second {
            self.authenticate(logins, mechanism, &response);
        } else {
            let attributes = [("xmlns", ns::SASL), ("mechanism", mechanism.name())];
            self.link.message(|out| {
                element(out, "auth", &attributes, |out| text(out, &encode_base64(&response)));
            });
        }
    }

    /// The settings of an exchange. `None`: the lists of mechanisms and of channel bindings do not
    /// fit each other, so someone has changed them (XEP-0440, section 3).
    fn settings(
        &mut self,
        offered: &[String],
        bindings: &[String],
        second: bool,
    ) -> Option<Settings> {
        let mut settings = Settings { nonce: self.random.nonce(), ..self.config.login.clone() };
        let is_plus =
            |name: &String| matches!(Mechanism::from_name(name), Some(Mechanism::ScramPlus(_)));
        let plus = offered.iter().any(is_plus);
        let Some(binding) = &settings.channel_binding else { return Some(settings) };
        let named = |name: &str| bindings.iter().any(|known| known == name);
        match (plus, bindings.is_empty()) {
            (false, true) => {}
            // With the first profile there are servers that do not announce types.
            (true, true) if !second => {}
            (true, false) if named(binding.name()) => {}
            (true, false) if named(LEAST_BINDING) => settings.channel_binding = None,
            _ => return None,
        }
        Some(settings)
    }

    // XEP-0388 2.3, XEP-0386 3.2, XEP-0198 9.
    fn authenticate(&mut self, logins: &Logins, mechanism: Mechanism, response: &[u8]) {
        let config = &self.config;
        let attributes = [("xmlns", ns::SASL2), ("mechanism", mechanism.name())];
        let resume = config.resume.as_ref().filter(|_| logins.resume);
        let max = config.resume_max_secs.map(|max| max.to_string());
        self.link.message(|out| {
            element(out, "authenticate", &attributes, |out| {
                // Nothing within the element is a message without octets.
                let initial = data_encoding::BASE64.encode(response);
                element(out, "initial-response", &[], |out| text(out, &initial));
                if let Some(agent) = &config.user_agent {
                    let id: Vec<_> = agent.id.iter().map(|id| ("id", id.as_str())).collect();
                    element(out, "user-agent", &id, |out| {
                        let said = [("software", &agent.software), ("device", &agent.device)];
                        for (name, value) in said {
                            if let Some(value) = value {
                                element(out, name, &[], |out| text(out, value));
                            }
                        }
                    });
                }
                if let Some(resume) = resume {
                    let h = (resume.ledger.taken as u32).to_string();
                    let attributes = [("previd", Some(&*resume.id)), ("h", Some(&*h))];
                    write_nonza(out, "resume", &attributes, |_| {});
                }
                // A stream that cannot be resumed here is resumed before anything is bound.
                if logins.bind && (config.resume.is_none() || resume.is_some()) {
                    element(out, "bind", &[("xmlns", ns::BIND2)], |out| {
                        if let Some(tag) = &config.tag {
                            element(out, "tag", &[], |out| text(out, tag));
                        }
                        if logins.enable && config.stream_management {
                            let resume = max.as_ref().map(|_| "true");
                            let attributes = [("resume", resume), ("max", max.as_deref())];
                            write_nonza(out, "enable", &attributes, |_| {});
                        }
                    });
                }
            });
        });
    }

    pub(super) fn on_sasl(&mut self, element: &Element<'_>) -> Result<(), Violation> {
        let second = self.exchange.as_ref().is_some_and(|(_, second)| *second);
        let namespace = if second { ns::SASL2 } else { ns::SASL };
        if element.namespace() != namespace {
            return Err(Violation::Unexpected("another element within a login"));
        }
        match element.name() {
            "challenge" => self.on_challenge(element, namespace),
            "success" => self.on_success(element, second)?,
            "failure" => {
                let said = element.child("text", namespace).map(|said| said.text().into_owned());
                let condition = element.children().find(|child| child.name() != "text");
                let condition = condition.map_or("not-authorized", |condition| condition.name());
                self.fail_login(LoginFailure::Refused {
                    condition: condition.to_owned(),
                    text: said,
                });
            }
            "continue" => return Err(Violation::NothingOffered("a login without more tasks")),
            _ => return Err(Violation::UnknownElement),
        }
        Ok(())
    }

    fn on_challenge(&mut self, challenge: &Element<'_>, namespace: &str) {
        let octets = decode_base64(&challenge.text()).map(Option::unwrap_or_default);
        let exchange = self.exchange.as_mut().map(|(exchange, _)| exchange);
        let step = match (octets, exchange) {
            (Some(octets), Some(exchange)) => exchange.step(&octets),
            _ => Err(wharf_sasl::Violation::InvalidUtf8.into()),
        };
        match step {
            Ok(response) => {
                let response = data_encoding::BASE64.encode(&response);
                self.link.message(|out| {
                    element(out, "response", &[("xmlns", namespace)], |out| text(out, &response));
                });
            }
            Err(failure) => {
                // RFC 6120 6.4.4.
                self.link.message(|out| element(out, "abort", &[("xmlns", namespace)], |_| {}));
                self.fail_login(LoginFailure::Exchange(failure));
            }
        }
    }

    fn on_success(&mut self, success: &Element<'_>, second: bool) -> Result<(), Violation> {
        let said = if second {
            success.child("additional-data", ns::SASL2).map(|data| data.text().into_owned())
        } else {
            Some(success.text().into_owned())
        };
        let additional = said.and_then(|said| decode_base64(&said)).flatten();
        let finished =
            self.exchange.take().map(|(mut exchange, _)| exchange.finish(additional.as_deref()));
        if let Some(Err(failure)) = finished {
            self.fail_login(LoginFailure::Exchange(failure));
            return Ok(());
        }
        self.logged_in = true;
        if second {
            return self.on_second_success(success);
        }
        // XWS-070, XWS-071, XWS-072.
        self.write_header();
        Ok(())
    }
}
