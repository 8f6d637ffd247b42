//! Hosts, redirects, the login and the questions it has.

use super::Face;
use crate::place::{Located, Place};
use crate::session::Offer;
use std::collections::VecDeque;
use wharf_sasl::Mechanism;
use wharf_sasl::server::{Answer, Failure, Question};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::server::{Authenticated, Offer as StreamOffer};
use wharf_xmpp::stream::{Header, Misuse};
use wharf_xmpp::{StreamCondition, StreamError};

/// Requests for an account on one stream (XEP-0077): what is needed, and a name that is free.
const REGISTRATIONS_MAX: u8 = 8;

/// The mechanism that was chosen, and how it went.
type Ended = (Mechanism, Result<(), Failure>);

/// What a stream needs until it has a resource.
#[derive(Debug)]
pub(super) struct Login {
    /// What is offered; taken when the stream begins.
    offer: Option<Offer>,
    questions: VecDeque<Question>,
    ended: VecDeque<Ended>,
    /// Who the layer below has let in: whom EXTERNAL means.
    known: Option<String>,
    /// Requests for an account that may yet be made.
    registrations: u8,
    /// The client's name for itself, the same as long as it is installed (XEP-0388).
    pub(super) client_id: Option<String>,
}

impl Login {
    pub(super) fn new(offer: Offer) -> Self {
        Self {
            offer: Some(offer),
            questions: VecDeque::new(),
            ended: VecDeque::new(),
            known: None,
            registrations: 0,
            client_id: None,
        }
    }

    pub(super) fn poll_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    pub(super) fn take_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// Whether one more request for an account is heard.
    pub(super) fn may_register(&mut self) -> bool {
        let left = self.registrations.checked_sub(1);
        self.registrations = left.unwrap_or_default();
        left.is_some()
    }

    /// Whether all is told.
    pub(super) fn is_over(&self) -> bool {
        self.ended.is_empty()
    }
}

impl Face {
    // RFC 6120 4.7.2, 4.9.3.6, 4.9.3.19.
    pub(super) fn open(&mut self, header: &Header) {
        let named = header.to.as_ref();
        let named = match named {
            Some(jid) if jid.is_domain() => jid.domain(),
            Some(_) => return self.refuse(StreamCondition::HostUnknown, "not the name of a host"),
            // The one that HTTP has named.
            None => self.caller.host.as_str(),
        };
        let known = self.config.hosts.iter().find(|host| host.eq_ignore_ascii_case(named));
        if let Some(place) = self.elsewhere(named) {
            match self.uri_of(place) {
                // XWS-060.
                Some(uri) => {
                    let _ = self.engine.redirect(&uri);
                }
                None => self.refuse(StreamCondition::HostUnknown, "the host is served elsewhere"),
            }
            return;
        }
        let Some(host) = known.cloned() else {
            return self.refuse(StreamCondition::HostUnknown, "not served here");
        };
        let Some(login) = &mut self.login else { return };
        let Some(offer) = login.offer.take() else { return };
        login.known.clone_from(&self.caller.user);
        let secure = self.caller.secure;
        // A password is shown there as it is with PLAIN.
        let registration =
            self.config.xmpp.registration() && offer.mechanisms.contains(&Mechanism::Plain);
        login.registrations = if registration { REGISTRATIONS_MAX } else { 0 };
        let offer = StreamOffer {
            mechanisms: offer.mechanisms,
            settings: offer.settings,
            // XEP-0388 4.
            sasl2: secure,
            registration,
        };
        if self.engine.accept(&host, offer).is_err() {
            return self.refuse(StreamCondition::HostUnknown, "not served here");
        }
        self.caller.host = host;
    }

    fn refuse(&mut self, condition: StreamCondition, why: &str) {
        let _ = self.engine.refuse(StreamError::new(condition, why));
    }

    /// Where a host is, if it is not here.
    fn elsewhere(&self, host: &str) -> Option<&Place> {
        self.config.locations.iter().find_map(|location| match &location.what {
            Located::Host(name) if name.eq_ignore_ascii_case(host) => Some(&location.place),
            _ => None,
        })
    }

    /// The URI of a place that the client may be sent to.
    // XWS-060, XWS-061: never to something less secure.
    pub(super) fn uri_of(&self, place: &Place) -> Option<String> {
        let may_follow = place.scheme.is_secure() || !self.caller.secure;
        (place.scheme.is_websocket() && may_follow).then(|| place.to_string())
    }

    pub(super) fn question(&mut self, question: Question) {
        let Some(login) = &mut self.login else { return };
        let Question::External { authzid } = &question else {
            return login.questions.push_back(question);
        };
        // XEP-0178 3: whoever names itself, by its name or its address.
        let host = &self.caller.host;
        let is_itself = |user: &String| {
            authzid.as_deref().is_none_or(|authzid| {
                let address = Jid::of_user(user, host);
                authzid == user || address.is_ok_and(|address| address.as_str() == authzid)
            })
        };
        let known = login.known.clone().filter(is_itself);
        self.answered(known.map_or(Answer::Refused, |user| Answer::Is { user }));
    }

    pub(super) fn answered(&mut self, answer: Answer) {
        match self.engine.answer(answer) {
            // The second: late, the exchange has ended meanwhile.
            Ok(()) | Err(Misuse::NothingAsked) => {}
            Err(_) => self.end_with(StreamCondition::InternalServerError, "the login failed"),
        }
    }

    pub(super) fn logged_in(&mut self, mechanism: Mechanism, outcome: Result<(), Failure>) {
        if let Some(login) = &mut self.login {
            login.ended.push_back((mechanism, outcome));
        }
    }

    pub(super) fn authenticated(&mut self, authenticated: Authenticated) {
        self.logged_in(authenticated.mechanism, Ok(()));
        self.caller.user = Some(authenticated.user);
        if let Some(login) = &mut self.login {
            login.client_id = authenticated.user_agent.and_then(|agent| agent.id);
        }
    }
}
