//! Resources, resumption, managed streams.

use super::connection::{Connection, Stage};
use super::event::{Event, ManagedStream, Online};
use crate::jid::Jid;
use crate::ns;
use crate::stanza::{IqType, Stanza};
use crate::stream::{Managed, Violation, read_count, write_nonza};
use crate::xml::{Element, element, text};

impl Connection {
    /// What came with a login of the second profile.
    // XEP-0388 2.5.1, XWS-A11.
    pub(super) fn on_second_success(&mut self, success: &Element<'_>) -> Result<(), Violation> {
        if let Some(resumed) = success.child("resumed", ns::SM) {
            return self.on_resumed(&resumed);
        }
        if let Some(failed) = success.child("failed", ns::SM) {
            self.on_not_resumed(&failed);
        }
        if let Some(bound) = success.child("bound", ns::BIND2) {
            let said = success.child("authorization-identifier", ns::SASL2);
            let jid = said.and_then(|said| Jid::parse(&said.text()).ok());
            let jid = jid.filter(|jid| !jid.is_bare());
            self.jid = Some(jid.ok_or(Violation::Unexpected("a resource without an address"))?);
            if let Some(enabled) = bound.child("enabled", ns::SM) {
                self.on_enabled(&enabled);
            }
        }
        self.stage = Stage::Features;
        Ok(())
    }

    /// Features after the login.
    pub(super) fn on_session_features(&mut self, features: &Element<'_>) -> Result<(), Violation> {
        self.offers_management = features.child("sm", ns::SM).is_some();
        if self.jid.is_some() {
            self.go_on_bound();
            return Ok(());
        }
        // RFC 3921 3; some servers still want it.
        let session = features.child("session", ns::SESSION);
        self.wants_session =
            session.is_some_and(|session| session.child("optional", ns::SESSION).is_none());
        if let Some(resume) = self.config.resume.as_ref().filter(|_| self.offers_management) {
            let h = (resume.ledger.taken as u32).to_string();
            let attributes = [("previd", Some(&*resume.id)), ("h", Some(&*h))];
            self.link.message(|out| write_nonza(out, "resume", &attributes, |_| {}));
            self.stage = Stage::Resuming;
            return Ok(());
        }
        if self.config.resume.take().is_some() {
            self.events.push_back(Event::NotResumed { acked: None });
        }
        // RFC 6120 7.4.
        if features.child("bind", ns::BIND).is_none() {
            return Err(Violation::NothingOffered("a resource"));
        }
        self.ask_resource();
        Ok(())
    }

    fn ask_resource(&mut self) {
        let resource = self.config.resource.clone();
        self.ask(Stage::Binding, |out| {
            element(out, "bind", &[("xmlns", ns::BIND)], |out| {
                if let Some(resource) = &resource {
                    element(out, "resource", &[], |out| text(out, resource));
                }
            });
        });
    }

    /// Sends a request and awaits its answer.
    fn ask(&mut self, stage: Stage, payload: impl FnOnce(&mut Vec<u8>)) {
        self.request = self.random.token();
        self.stage = stage;
        let attributes = [("xmlns", ns::CLIENT), ("type", "set"), ("id", &*self.request)];
        self.link.message(|out| element(out, "iq", &attributes, payload));
    }

    /// The answer to a request of ours.
    pub(super) fn on_answer(&mut self, answer: &Stanza<'_>) -> Result<(), Violation> {
        let worked = answer.iq_type() == Some(IqType::Result);
        match self.stage {
            Stage::Binding => {
                let jid = answer.element().child("bind", ns::BIND);
                let jid = jid.and_then(|bind| bind.child("jid", ns::BIND));
                let jid = jid.and_then(|jid| Jid::parse(&jid.text()).ok());
                // RFC 6120 4.3.6: the address is what the server says.
                self.jid = jid.filter(|jid| worked && !jid.is_bare());
                if self.jid.is_none() {
                    return Err(Violation::NothingOffered("a resource"));
                }
                if std::mem::take(&mut self.wants_session) {
                    self.ask(Stage::Session, |out| {
                        element(out, "session", &[("xmlns", ns::SESSION)], |_| {});
                    });
                } else {
                    self.go_on_bound();
                }
            }
            _ => self.go_on_bound(),
        }
        Ok(())
    }

    /// A resource is bound.
    fn go_on_bound(&mut self) {
        let wanted = self.config.stream_management && self.offers_management;
        if !wanted || self.managed.is_some() {
            return self.online(None);
        }
        let max = self.config.resume_max_secs.map(|max| max.to_string());
        let attributes = [("resume", max.as_ref().map(|_| "true")), ("max", max.as_deref())];
        self.link.message(|out| write_nonza(out, "enable", &attributes, |_| {}));
        self.stage = Stage::Enabling;
    }

    fn online(&mut self, resumed: Option<u64>) {
        let Some(jid) = self.jid.clone() else { return };
        self.stage = Stage::Bound;
        self.link.flows();
        let managed = self.managed.clone();
        self.events.push_back(Event::Online(Online { jid, resumed, managed }));
    }

    /// Elements of stream management.
    pub(super) fn on_management<'a>(
        &mut self,
        element: &Element<'_>,
    ) -> Result<Option<Event<'a>>, Violation> {
        if element.namespace() != ns::SM {
            return Err(Violation::UnknownElement);
        }
        if let Some(told) = self.link.on_acknowledging(element) {
            return Ok(told?.map(|up_to| Event::Handled { up_to }));
        }
        match (element.name(), self.stage) {
            ("resumed", Stage::Resuming) => self.on_resumed(element)?,
            ("failed", Stage::Resuming) => {
                self.on_not_resumed(element);
                // XEP-0198 5: a resource can be bound at this point.
                self.ask_resource();
            }
            ("enabled", Stage::Enabling) => {
                self.on_enabled(element);
                self.online(None);
            }
            ("failed", Stage::Enabling) => self.online(None),
            ("a" | "r", _) => {}
            _ => return Err(Violation::Unexpected("an element of stream management")),
        }
        Ok(None)
    }

    fn on_enabled(&mut self, enabled: &Element<'_>) {
        let resume = enabled.attribute("resume");
        let resumable = matches!(resume.as_deref(), Some("true" | "1"));
        let id = enabled.attribute("id").filter(|_| resumable);
        self.link.manage(Managed::new(id.is_some()));
        self.managed = Some(ManagedStream {
            id: id.map(|id| id.into_owned()),
            max_secs: enabled.attribute("max").and_then(|max| max.parse().ok()),
            location: enabled.attribute("location").map(|location| location.into_owned()),
        });
    }

    fn on_resumed(&mut self, resumed: &Element<'_>) -> Result<(), Violation> {
        let handled = read_count(resumed).ok_or(Violation::HandledUnreadable)?;
        let Some(resume) = self.config.resume.take() else {
            return Err(Violation::Unexpected("<resumed/>"));
        };
        let acked = resume.ledger.acknowledged(handled);
        let acked =
            acked.ok_or(Violation::HandledTooHigh { handled, sent: resume.ledger.sent as u32 })?;
        self.link.manage(Managed::resumed(&resume.ledger, acked));
        self.managed = Some(ManagedStream { id: Some(resume.id), ..ManagedStream::default() });
        self.jid = Some(resume.jid);
        self.online(Some(acked));
        Ok(())
    }

    fn on_not_resumed(&mut self, failed: &Element<'_>) {
        let resume = self.config.resume.take();
        let acked = resume.and_then(|resume| resume.ledger.acknowledged(read_count(failed)?));
        self.events.push_back(Event::NotResumed { acked });
    }
}
