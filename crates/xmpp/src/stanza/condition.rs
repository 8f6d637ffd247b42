//! Errors of stanzas (RFC 6120, section 8.3).

use crate::ns;
use crate::xml::{Element, element, text};
use std::fmt;

/// What the sender may do about an error (RFC 6120, section 8.3.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorType {
    /// Log in, and try again.
    Auth,
    /// Nothing.
    Cancel,
    /// Go on; it was only a warning.
    Continue,
    /// Change it, and try again.
    Modify,
    /// Wait, and try again.
    Wait,
}

impl ErrorType {
    /// The value of the attribute `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Auth, Self::Cancel, Self::Continue, Self::Modify, Self::Wait];
        all.into_iter().find(|known| known.name() == name)
    }
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $kind:ident,)*) => {
        /// A defined condition of a stanza error (RFC 6120, section 8.3.3).
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum StanzaCondition {
            $($(#[$doc])* $variant,)*
        }

        impl StanzaCondition {
            /// Every condition.
            pub const ALL: &[StanzaCondition] = &[$(StanzaCondition::$variant,)*];

            /// The name of its element.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(StanzaCondition::$variant => $name,)*
                }
            }

            /// The type of error that the standard gives it.
            #[must_use]
            pub const fn error_type(self) -> ErrorType {
                match self {
                    $(StanzaCondition::$variant => ErrorType::$kind,)*
                }
            }
        }
    };
}

conditions! {
    /// Malformed, or with values that cannot be processed.
    BadRequest = "bad-request" Modify,
    /// There is already something of that name.
    Conflict = "conflict" Cancel,
    /// Not implemented here.
    FeatureNotImplemented = "feature-not-implemented" Cancel,
    /// Not permitted to the sender.
    Forbidden = "forbidden" Auth,
    /// Not at this address any more.
    Gone = "gone" Cancel,
    /// The server is at fault.
    InternalServerError = "internal-server-error" Cancel,
    /// There is nothing of that name.
    ItemNotFound = "item-not-found" Cancel,
    /// Not an address.
    JidMalformed = "jid-malformed" Modify,
    /// Against criteria that the recipient has.
    NotAcceptable = "not-acceptable" Modify,
    /// Nobody may do that.
    NotAllowed = "not-allowed" Cancel,
    /// Takes a login.
    NotAuthorized = "not-authorized" Auth,
    /// Against the rules of this service.
    PolicyViolation = "policy-violation" Modify,
    /// The recipient is away for some time.
    RecipientUnavailable = "recipient-unavailable" Wait,
    /// At another address.
    Redirect = "redirect" Modify,
    /// Takes a registration.
    RegistrationRequired = "registration-required" Auth,
    /// The recipient's server does not exist.
    RemoteServerNotFound = "remote-server-not-found" Cancel,
    /// The recipient's server does not answer.
    RemoteServerTimeout = "remote-server-timeout" Wait,
    /// There is not enough of something.
    ResourceConstraint = "resource-constraint" Wait,
    /// Not offered here.
    ServiceUnavailable = "service-unavailable" Cancel,
    /// Takes a subscription.
    SubscriptionRequired = "subscription-required" Auth,
    /// Something else, which an element of its own tells.
    UndefinedCondition = "undefined-condition" Cancel,
    /// Understood, but not now.
    UnexpectedRequest = "unexpected-request" Wait,
}

impl StanzaCondition {
    /// The condition of this name. One that is not known is
    /// [`StanzaCondition::UndefinedCondition`] (RFC 6120, section 8.3.2).
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let known = Self::ALL.iter().find(|condition| condition.name() == name);
        known.copied().unwrap_or(Self::UndefinedCondition)
    }

    /// Appends the element of the condition alone.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        element(out, self.name(), &[("xmlns", ns::STANZA_ERRORS)], |_| {});
    }

    /// The condition among the children of an element.
    pub(crate) fn within(parent: &Element<'_>) -> Option<Self> {
        let is_condition =
            |child: &Element<'_>| child.namespace() == ns::STANZA_ERRORS && child.name() != "text";
        parent.children().find(is_condition).map(|child| Self::from_name(child.name()))
    }
}

impl fmt::Display for StanzaCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What `<error/>` in a stanza says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StanzaError {
    /// What it is.
    pub condition: StanzaCondition,
    /// What may be done about it.
    pub error_type: ErrorType,
    /// More of it, for people.
    pub text: Option<String>,
}

impl StanzaError {
    /// An error with the type that the standard gives its condition.
    #[must_use]
    pub fn new(condition: StanzaCondition, text: impl Into<String>) -> Self {
        let text = Some(text.into()).filter(|text| !text.is_empty());
        Self { condition, error_type: condition.error_type(), text }
    }

    /// Reads the `<error/>` of a stanza; `None` if there is none.
    #[must_use]
    pub fn within(stanza: &Element<'_>) -> Option<Self> {
        let error = stanza.child("error", ns::CLIENT)?;
        let condition = StanzaCondition::within(&error);
        let condition = condition.unwrap_or(StanzaCondition::UndefinedCondition);
        let told = error.attribute("type").and_then(|name| ErrorType::from_name(&name));
        let said = error.child("text", ns::STANZA_ERRORS);
        Some(Self {
            condition,
            error_type: told.unwrap_or(condition.error_type()),
            text: said.map(|said| said.text().into_owned()),
        })
    }

    /// Appends `<error/>`, for a stanza.
    pub fn write(&self, out: &mut Vec<u8>) {
        element(out, "error", &[("type", self.error_type.name())], |out| {
            self.condition.write(out);
            if let Some(said) = &self.text {
                let attributes = [("xmlns", ns::STANZA_ERRORS), ("xml:lang", "en")];
                element(out, "text", &attributes, |out| text(out, said));
            }
        });
    }
}

impl From<StanzaCondition> for StanzaError {
    fn from(condition: StanzaCondition) -> Self {
        Self { condition, error_type: condition.error_type(), text: None }
    }
}
