//! What is offered at each stage (RFC 6120, section 4.3).

use super::connection::{Connection, Stage};
use crate::ns;
use crate::xml::{element, text};
use wharf_sasl::Mechanism;

impl Connection {
    // XWS-015: the prefix is declared. XWS-033: in their own message.
    pub(super) fn write_features(&mut self) {
        let mut features = Vec::new();
        if self.is_logged_in() {
            self.put_after_login(&mut features);
        } else {
            self.put_logins(&mut features);
        }
        self.link.message(|out| {
            let attributes = [("xmlns:stream", ns::STREAM)];
            element(out, "stream:features", &attributes, |out| out.extend_from_slice(&features));
        });
    }

    // XWS-083, XWS-084: TLS is below the WebSocket; there is no STARTTLS among them.
    fn put_logins(&self, out: &mut Vec<u8>) {
        let Some(login) = &self.login else { return };
        let offer = &login.offer;
        // RFC 6120 6.4.1, XEP-0388 2.1: none is offered where there is no mechanism.
        if !offer.mechanisms.is_empty() {
            element(out, "mechanisms", &[("xmlns", ns::SASL)], |out| {
                put_mechanisms(out, &offer.mechanisms);
            });
            if offer.sasl2 {
                element(out, "authentication", &[("xmlns", ns::SASL2)], |out| {
                    put_mechanisms(out, &offer.mechanisms);
                    element(out, "inline", &[], |out| self.put_inline(out));
                });
            }
        }
        // XEP-0440 3: where a mechanism can make use of it.
        let bindings = &offer.settings.channel_bindings;
        let binds = |mechanism: &Mechanism| matches!(mechanism, Mechanism::ScramPlus(_));
        if !bindings.is_empty() && offer.mechanisms.iter().any(binds) {
            element(out, "sasl-channel-binding", &[("xmlns", ns::CHANNEL_BINDING)], |out| {
                for binding in bindings {
                    element(out, "channel-binding", &[("type", binding.name())], |_| {});
                }
            });
        }
        if offer.registration {
            element(out, "register", &[("xmlns", ns::REGISTER_FEATURE)], |_| {});
        }
    }

    // XEP-0386 3.1, XEP-0198 9.
    fn put_inline(&self, out: &mut Vec<u8>) {
        let managed = self.config.stream_management;
        element(out, "bind", &[("xmlns", ns::BIND2)], |out| {
            element(out, "inline", &[], |out| {
                let offered =
                    [(ns::SM, managed), (ns::CARBONS, self.config.carbons), (ns::CSI, true)];
                for (feature, _) in offered.iter().filter(|(_, offered)| *offered) {
                    element(out, "feature", &[("var", feature)], |_| {});
                }
            });
        });
        if managed {
            element(out, "sm", &[("xmlns", ns::SM)], |_| {});
        }
    }

    fn put_after_login(&self, out: &mut Vec<u8>) {
        // RFC 6120 7.4. After XEP-0386 a resource is bound already.
        if self.stage != Stage::Bound {
            element(out, "bind", &[("xmlns", ns::BIND)], |_| {});
            element(out, "session", &[("xmlns", ns::SESSION)], |out| {
                element(out, "optional", &[], |_| {});
            });
        }
        if self.config.stream_management && !self.link.is_managed() {
            element(out, "sm", &[("xmlns", ns::SM)], |_| {});
        }
        element(out, "csi", &[("xmlns", ns::CSI)], |_| {});
        out.extend_from_slice(self.config.features.as_bytes());
    }
}

fn put_mechanisms(out: &mut Vec<u8>, mechanisms: &[Mechanism]) {
    for mechanism in mechanisms {
        element(out, "mechanism", &[], |out| text(out, mechanism.name()));
    }
}
