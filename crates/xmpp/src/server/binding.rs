//! Resources (RFC 6120, section 7).

use super::connection::{Asked, Connection, Stage};
use super::event::{BindRequest, Event};
use crate::jid::prepare_resource;
use crate::ns;
use crate::stanza::{IqType, Kind, Stanza, StanzaCondition, StanzaError};
use crate::stream::{Frame, Misuse, Violation};
use crate::xml::{element, text};

impl Connection {
    /// After the login and before a resource.
    pub(super) fn on_binding(&mut self, frame: Frame<'_>) -> Result<(), Violation> {
        match frame {
            Frame::Stanza(stanza) => self.on_bind(&stanza),
            Frame::Other(element) => match (element.name(), element.namespace()) {
                ("resume", ns::SM) => {
                    self.on_resume(&element);
                    Ok(())
                }
                // XEP-0198 3: not before a resource is bound.
                ("enable" | "r" | "a", ns::SM) => {
                    self.refuse_management(&element);
                    Ok(())
                }
                ("active" | "inactive", ns::CSI) => {
                    self.on_client_state(element.name());
                    Ok(())
                }
                // XEP-0388 7.10: one login, and no more.
                ("auth", ns::SASL) | ("authenticate", ns::SASL2) => {
                    Err(Violation::Unexpected("a second login"))
                }
                _ => Err(Violation::UnknownElement),
            },
            _ => Err(Violation::Unexpected("a second <open/>")),
        }
    }

    fn on_bind(&mut self, stanza: &Stanza<'_>) -> Result<(), Violation> {
        if !stanza.asks(IqType::Set, "bind", ns::BIND) {
            // RFC 6120 7.1.
            return Err(Violation::TooEarly("a stanza before a resource is bound"));
        }
        let Some(id) = stanza.id().filter(|_| stanza.fault().is_none()) else {
            let id = stanza.id().unwrap_or_default();
            return self.refuse_resource(&id, StanzaCondition::BadRequest);
        };
        let payload = stanza.payload();
        let wanted = payload.and_then(|bind| bind.child("resource", ns::BIND));
        // RFC 6120 7.7.2.1: one that is none is replaced, not refused.
        let wanted = wanted.map(|resource| resource.text().into_owned());
        let wanted = wanted.and_then(|text| Some(prepare_resource(&text).ok()?.into_owned()));
        let generated = self.random.token();
        self.asked = Some(Asked::Bind(Some(id.as_ref().into())));
        self.events.push_back(Event::Bind(BindRequest {
            wanted,
            generated,
            with_login: false,
            carbons: false,
        }));
        Ok(())
    }

    /// Answers `Bind`. The resource is the one wanted, or another; `metadata` is XML for
    /// `<bound/>` where the request came with the login, such as the state of the archive
    /// (XEP-0386, section 3.2).
    ///
    /// # Errors
    /// Nothing was asked, or the resource is none.
    // RFC 6120 4.3.6, 7.6, 7.7: the address that the client is told is its address.
    pub fn bind(&mut self, resource: &str, metadata: &[u8]) -> Result<(), Misuse> {
        let (Some(Asked::Bind(id)), Some(jid)) = (&self.asked, &self.jid) else {
            return Err(Misuse::NothingAsked);
        };
        let id = id.clone();
        self.jid = Some(jid.with_resource(resource).map_err(|_| Misuse::BadResource)?);
        self.asked = None;
        match id {
            None => self.inline_bound(Some(metadata.to_vec())),
            Some(id) => {
                self.write_bound(&id);
                self.stage = Stage::Bound;
                self.link.flows();
            }
        }
        Ok(())
    }

    /// Answers `Bind`: no such resource, or none at all. The client may try again.
    ///
    /// # Errors
    /// Nothing was asked.
    // RFC 6120 7.6.2, 7.7.2.
    pub fn refuse_bind(&mut self, condition: StanzaCondition) -> Result<(), Misuse> {
        let Some(Asked::Bind(id)) = &self.asked else { return Err(Misuse::NothingAsked) };
        let id = id.clone();
        self.asked = None;
        match id {
            None => self.inline_bound(None),
            Some(id) => {
                if let Err(violation) = self.refuse_resource(&id, condition) {
                    self.fail(violation);
                }
            }
        }
        Ok(())
    }

    fn refuse_resource(&mut self, id: &str, condition: StanzaCondition) -> Result<(), Violation> {
        let attributes = [("xmlns", ns::CLIENT), ("type", "error"), ("id", id)];
        self.link.message(|out| {
            element(out, Kind::Iq.name(), &attributes, |out| {
                StanzaError::from(condition).write(out);
            });
        });
        self.resources_refused = self.resources_refused.saturating_add(1);
        // RFC 6120 7.7.3.
        if self.resources_refused >= self.config.limits.bind_failures_max {
            return Err(Violation::TooManyResources);
        }
        Ok(())
    }

    fn write_bound(&mut self, id: &str) {
        let Some(jid) = &self.jid else { return };
        let attributes = [("xmlns", ns::CLIENT), ("type", "result"), ("id", id)];
        self.link.message(|out| {
            element(out, Kind::Iq.name(), &attributes, |out| {
                element(out, "bind", &[("xmlns", ns::BIND)], |out| {
                    element(out, "jid", &[], |out| text(out, jid.as_str()));
                });
            });
        });
    }
}
