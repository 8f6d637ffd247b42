//! Errors of a stream, which end it (RFC 6120, section 4.9).

use crate::ns;
use crate::xml::{Element, element, text};
use std::fmt;

macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A defined condition of a stream error (RFC 6120, section 4.9.3).
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum StreamCondition {
            $($(#[$doc])* $variant,)*
        }

        impl StreamCondition {
            /// Every condition.
            pub const ALL: &[StreamCondition] = &[$(StreamCondition::$variant,)*];

            /// The name of its element.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(StreamCondition::$variant => $name,)*
                }
            }
        }
    };
}

conditions! {
    /// XML that cannot be processed.
    BadFormat = "bad-format",
    /// A prefix where there may be none, or another one.
    BadNamespacePrefix = "bad-namespace-prefix",
    /// A new stream is in conflict with this one.
    Conflict = "conflict",
    /// The peer seems to be gone.
    ConnectionTimeout = "connection-timeout",
    /// A host that is no longer served here.
    HostGone = "host-gone",
    /// A host that is not served here.
    HostUnknown = "host-unknown",
    /// An address that is missing, or is none.
    ImproperAddressing = "improper-addressing",
    /// The server is at fault.
    InternalServerError = "internal-server-error",
    /// A `from` that is not the sender's.
    InvalidFrom = "invalid-from",
    /// A namespace that is not supported here.
    InvalidNamespace = "invalid-namespace",
    /// XML that is not valid.
    InvalidXml = "invalid-xml",
    /// Something that takes a login, before it.
    NotAuthorized = "not-authorized",
    /// XML that is not well formed.
    NotWellFormed = "not-well-formed",
    /// Against the rules of this service.
    PolicyViolation = "policy-violation",
    /// A server that is needed cannot be reached.
    RemoteConnectionFailed = "remote-connection-failed",
    /// The stream must be negotiated again.
    Reset = "reset",
    /// There is not enough of something.
    ResourceConstraint = "resource-constraint",
    /// A feature of XML that XMPP has not.
    RestrictedXml = "restricted-xml",
    /// Another host serves this.
    SeeOtherHost = "see-other-host",
    /// The server is going down.
    SystemShutdown = "system-shutdown",
    /// Something else, which an element of its own tells.
    UndefinedCondition = "undefined-condition",
    /// Not UTF-8.
    UnsupportedEncoding = "unsupported-encoding",
    /// A mandatory feature that is not supported here.
    UnsupportedFeature = "unsupported-feature",
    /// An element of the first level that is not supported here.
    UnsupportedStanzaType = "unsupported-stanza-type",
    /// A version of XMPP that is not supported here.
    UnsupportedVersion = "unsupported-version",
}

impl StreamCondition {
    /// The condition of this name. One that is not known is [`StreamCondition::UndefinedCondition`]
    /// (RFC 6120, section 4.9.2).
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let known = Self::ALL.iter().find(|condition| condition.name() == name);
        known.copied().unwrap_or(Self::UndefinedCondition)
    }
}

impl fmt::Display for StreamCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An error of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StreamError {
    /// What it is.
    pub condition: StreamCondition,
    /// More of it, for people.
    pub text: Option<String>,
    /// The stanzas that the peer acknowledged, and those it was sent, if that is what is wrong
    /// (XEP-0198, section 6).
    pub handled_too_high: Option<(u32, u32)>,
}

impl StreamError {
    /// An error with a text.
    #[must_use]
    pub fn new(condition: StreamCondition, text: impl Into<String>) -> Self {
        let text = Some(text.into()).filter(|text| !text.is_empty());
        Self { condition, text, handled_too_high: None }
    }

    /// Reads `<stream:error/>`; `None` if the element is another.
    // XWS-015: with a prefix or without.
    #[must_use]
    pub fn read(error: &Element<'_>) -> Option<Self> {
        if !error.is("error", ns::STREAM) {
            return None;
        }
        let mut condition = StreamCondition::UndefinedCondition;
        let mut said = None;
        let mut handled_too_high = None;
        for child in error.children() {
            if child.is("text", ns::STREAM_ERRORS) {
                said = Some(child.text().into_owned());
            } else if child.namespace() == ns::STREAM_ERRORS {
                condition = StreamCondition::from_name(child.name());
            } else if child.is("handled-count-too-high", ns::SM) {
                let number = |name| child.attribute(name)?.parse().ok();
                handled_too_high = number("h").zip(number("send-count"));
            }
        }
        Some(Self { condition, text: said, handled_too_high })
    }

    /// Appends `<stream:error/>`, with its prefix declared.
    // XWS-015, XWS-040: complete, in a message of its own.
    pub fn write(&self, out: &mut Vec<u8>) {
        element(out, "stream:error", &[("xmlns:stream", ns::STREAM)], |out| {
            element(out, self.condition.name(), &[("xmlns", ns::STREAM_ERRORS)], |_| {});
            if let Some(said) = &self.text {
                let attributes = [("xmlns", ns::STREAM_ERRORS), ("xml:lang", "en")];
                element(out, "text", &attributes, |out| text(out, said));
            }
            if let Some((handled, sent)) = self.handled_too_high {
                let (handled, sent) = (handled.to_string(), sent.to_string());
                let attributes = [("xmlns", ns::SM), ("h", &*handled), ("send-count", &*sent)];
                element(out, "handled-count-too-high", &attributes, |_| {});
            }
        });
    }
}

impl From<StreamCondition> for StreamError {
    fn from(condition: StreamCondition) -> Self {
        Self { condition, text: None, handled_too_high: None }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{}: {text}", self.condition),
            None => self.condition.fmt(f),
        }
    }
}

impl std::error::Error for StreamError {}
