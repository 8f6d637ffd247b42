//! What comes with a login of the second profile: a stream to resume, a resource to bind, a stream
//! to manage (XEP-0388, XEP-0386, XEP-0198 section 9).

use super::connection::{Asked, Connection, Stage};
use super::event::{BindRequest, Event, UserAgent};
use super::managing::{read_enable, read_resume};
use crate::jid::prepare_resource;
use crate::ns;
use crate::xml::{Element, element, text};
use data_encoding::BASE64;

/// Longest text of a user agent, or of a resource's tag, that is looked at.
const TEXT_MAX_BYTES: usize = 256;

/// A request, and what has come of it so far.
#[derive(Debug, Default)]
pub(super) struct Inline {
    pub(super) user_agent: Option<UserAgent>,
    /// Data of the mechanism for `<success/>`.
    pub(super) additional: Option<Vec<u8>>,
    resume: Option<(String, u32)>,
    bind: Option<Bind>,
    /// XML for `<success/>`, beside `<bound/>` and within it.
    results: Vec<u8>,
    bound: Vec<u8>,
    is_bound: bool,
    is_resumed: bool,
}

/// `<bind/>` of XEP-0386.
#[derive(Debug, Default)]
struct Bind {
    tag: Option<String>,
    enable: Option<super::EnableRequest>,
    carbons: bool,
    inactive: bool,
}

impl Inline {
    pub(super) fn read(authenticate: &Element<'_>) -> Self {
        let resume = authenticate.child("resume", ns::SM);
        Self {
            user_agent: authenticate.child("user-agent", ns::SASL2).map(|it| read_agent(&it)),
            resume: resume.and_then(|resume| read_resume(&resume)),
            bind: authenticate.child("bind", ns::BIND2).map(|bind| Bind::read(&bind)),
            ..Self::default()
        }
    }
}

impl Bind {
    fn read(bind: &Element<'_>) -> Self {
        let tag = bind.child("tag", ns::BIND2).map(|tag| tag.text().into_owned());
        Self {
            tag: tag.filter(|tag| tag.len() <= TEXT_MAX_BYTES),
            enable: bind.child("enable", ns::SM).map(|enable| read_enable(&enable)),
            carbons: bind.child("enable", ns::CARBONS).is_some(),
            inactive: bind.child("inactive", ns::CSI).is_some(),
        }
    }
}

fn read_agent(agent: &Element<'_>) -> UserAgent {
    let said = |name| {
        let child = agent.child(name, ns::SASL2)?;
        Some(child.text().into_owned()).filter(|text| text.len() <= TEXT_MAX_BYTES)
    };
    let id = agent.attribute("id").filter(|id| is_uuid(id));
    UserAgent {
        id: id.map(|id| id.into_owned()),
        software: said("software"),
        device: said("device"),
    }
}

/// XEP-0388 2.2: a UUID of version 4. The version is not looked at: it says nothing.
fn is_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

impl Connection {
    /// The next step of a login that succeeded: the stream to resume first (XEP-0386 3.2).
    pub(super) fn go_on_inline(&mut self, mut inline: Inline) {
        if let Some((id, handled)) = inline.resume.take() {
            self.inline = Some(Box::new(inline));
            return self.ask_resume(id, handled);
        }
        if let Some(bind) = &inline.bind
            && !inline.is_resumed
            && !inline.is_bound
        {
            let generated = self.random.token();
            let tagged = bind.tag.as_ref().map(|tag| format!("{tag}/{generated}"));
            let tagged =
                tagged.and_then(|tagged| Some(prepare_resource(&tagged).ok()?.into_owned()));
            let request = BindRequest {
                wanted: None,
                generated: tagged.unwrap_or(generated),
                with_login: true,
                carbons: self.config.carbons && bind.carbons,
            };
            self.inline = Some(Box::new(inline));
            self.asked = Some(Asked::Bind(None));
            return self.events.push_back(Event::Bind(request));
        }
        let enable = inline.bind.as_mut().and_then(|bind| bind.enable.take());
        if let Some(request) = enable.filter(|_| inline.is_bound) {
            self.inline = Some(Box::new(inline));
            return self.ask_enable(request);
        }
        self.succeed(inline);
    }

    /// The stream was resumed: nothing of a resource is looked at.
    pub(super) fn inline_resumed(&mut self, result: Vec<u8>) {
        if let Some(mut inline) = self.inline.take() {
            inline.is_resumed = true;
            inline.results = result;
            self.succeed(*inline);
        }
    }

    /// The stream was not resumed, and the rest of the request counts.
    pub(super) fn inline_not_resumed(&mut self, result: Vec<u8>) {
        if let Some(mut inline) = self.inline.take() {
            inline.results = result;
            self.go_on_inline(*inline);
        }
    }

    /// A resource was bound, or was not; then the client may bind another.
    pub(super) fn inline_bound(&mut self, bound: Option<Vec<u8>>) {
        if let Some(mut inline) = self.inline.take() {
            match bound {
                Some(bound) => {
                    inline.bound = bound;
                    inline.is_bound = true;
                }
                None => inline.bind = None,
            }
            self.go_on_inline(*inline);
        }
    }

    /// What came of the wish for a managed stream.
    pub(super) fn inline_enabled(&mut self, result: &[u8]) {
        if let Some(mut inline) = self.inline.take() {
            inline.bound.extend_from_slice(result);
            self.succeed(*inline);
        }
    }

    // XEP-0388 2.5.1.
    fn succeed(&mut self, inline: Inline) {
        let Some(jid) = self.jid.clone() else { return };
        if inline.is_bound {
            self.stage = Stage::Bound;
            self.link.flows();
        }
        self.link.message(|out| {
            element(out, "success", &[("xmlns", ns::SASL2)], |out| {
                if let Some(additional) = &inline.additional {
                    element(out, "additional-data", &[], |out| {
                        text(out, &BASE64.encode(additional));
                    });
                }
                element(out, "authorization-identifier", &[], |out| text(out, jid.as_str()));
                out.extend_from_slice(&inline.results);
                if inline.is_bound {
                    element(out, "bound", &[("xmlns", ns::BIND2)], |out| {
                        out.extend_from_slice(&inline.bound);
                    });
                }
            });
        });
        // XEP-0198 9.2: a resumed stream has no features.
        if !inline.is_resumed {
            self.write_features();
        }
        if inline.is_bound && inline.bind.is_some_and(|bind| bind.inactive) {
            self.events.push_back(Event::Active(false));
        }
    }
}
