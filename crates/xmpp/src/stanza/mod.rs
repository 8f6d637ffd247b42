//! Stanzas: `<message/>`, `<presence/>` and `<iq/>` of `jabber:client` (RFC 6120, section 8).
//!
//! A [`Stanza`] is a view of received octets. To route one, its opening tag is written anew by a
//! [`Rewrite`] and everything behind it is copied. Each message declares all its namespaces
//! (RFC 7395, section 3.3.3), so what is copied stays right wherever it goes.
//!
//! | module | what it owns |
//! |---|---|
//! | `condition` | errors of stanzas |
//! | `rewrite` | stanzas out of stanzas |
//! | `reply` | results and errors for a stanza |

mod condition;
mod reply;
mod rewrite;

pub use condition::{ErrorType, StanzaCondition, StanzaError};
pub use reply::{write_error, write_result};
pub use rewrite::Rewrite;

use crate::jid::{Jid, JidFault};
use crate::limits::XmlLimits;
use crate::ns;
use crate::xml::{Element, XmlFault, parse};
use std::borrow::Cow;

/// Which kind a stanza is of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Something for someone.
    Message,
    /// Whether someone is there.
    Presence,
    /// A question, or the answer to one.
    Iq,
}

impl Kind {
    /// The name of its element.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Presence => "presence",
            Self::Iq => "iq",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Message, Self::Presence, Self::Iq].into_iter().find(|kind| kind.name() == name)
    }
}

/// What an `<iq/>` is for (RFC 6120, section 8.2.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IqType {
    /// A question.
    Get,
    /// A request to change something.
    Set,
    /// The answer.
    Result,
    /// The answer that it did not work.
    Error,
}

impl IqType {
    /// Whether an answer is due.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Set)
    }
}

/// A stanza in its octets.
#[derive(Clone, Debug)]
pub struct Stanza<'a> {
    kind: Kind,
    element: Element<'a>,
}

impl<'a> Stanza<'a> {
    /// The element as a stanza; `None` if it is none.
    // XWS-020: the namespace is declared by the stanza itself, or it is not there.
    #[must_use]
    pub fn from_element(element: Element<'a>) -> Option<Self> {
        let kind = Kind::from_name(element.name()).filter(|_| element.namespace() == ns::CLIENT)?;
        Some(Self { kind, element })
    }

    /// Reads a stanza, for example one that was stored.
    ///
    /// # Errors
    /// It is not what XMPP allows, or over a limit.
    pub fn parse(text: &'a str, limits: &XmlLimits) -> Result<Self, XmlFault> {
        let element = parse(text, limits)?;
        Self::from_element(element).ok_or(XmlFault::NotWellFormed("not a stanza"))
    }

    /// Reads a stanza that was read before: see [`Element::reread`].
    #[must_use]
    pub fn reread(text: &'a str) -> Option<Self> {
        Self::from_element(Element::reread(text)?)
    }

    /// Which kind it is of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The element.
    #[must_use]
    pub fn element(&self) -> &Element<'a> {
        &self.element
    }

    /// The octets.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.element.raw()
    }

    /// Whom it is for.
    ///
    /// # Errors
    /// What is there is no address.
    pub fn to(&self) -> Result<Option<Jid>, JidFault> {
        self.address("to")
    }

    /// Whom it is from, as the sender says.
    ///
    /// # Errors
    /// What is there is no address.
    pub fn from(&self) -> Result<Option<Jid>, JidFault> {
        self.address("from")
    }

    fn address(&self, name: &str) -> Result<Option<Jid>, JidFault> {
        self.element.attribute(name).map(|text| Jid::parse(&text)).transpose()
    }

    /// The sender's name for it.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'a, str>> {
        self.element.attribute("id")
    }

    /// The attribute `type`.
    #[must_use]
    pub fn type_name(&self) -> Option<Cow<'a, str>> {
        self.element.attribute("type")
    }

    /// Whether it tells of an error. Such a stanza is never answered with another
    /// (RFC 6120, section 8.3.1).
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.type_name().as_deref() == Some("error")
    }

    /// What an `<iq/>` is for; `None` for anything else, and where the type is missing or unknown.
    #[must_use]
    pub fn iq_type(&self) -> Option<IqType> {
        if self.kind != Kind::Iq {
            return None;
        }
        match self.type_name()?.as_ref() {
            "get" => Some(IqType::Get),
            "set" => Some(IqType::Set),
            "result" => Some(IqType::Result),
            "error" => Some(IqType::Error),
            _ => None,
        }
    }

    /// The first element in it: what an `<iq/>` asks.
    #[must_use]
    pub fn payload(&self) -> Option<Element<'a>> {
        self.element.children().next()
    }

    /// Whether it is a request of that element in that namespace.
    #[must_use]
    pub fn asks(&self, iq_type: IqType, name: &str, namespace: &str) -> bool {
        self.iq_type() == Some(iq_type)
            && self.payload().is_some_and(|payload| payload.is(name, namespace))
    }

    /// What makes the stanza unfit to be routed, and must be said to the sender with
    /// [`write_error`], unless the stanza is itself an answer.
    // RFC 6120 8.1.3, 8.2.3: an iq has an id, a type, and one element if it is a request.
    // RFC 6120 8.3.3.8: addresses are addresses.
    #[must_use]
    pub fn fault(&self) -> Option<StanzaCondition> {
        self.recipient().err()
    }

    /// Whom it is for, if nothing else makes it unfit: [`Stanza::fault`], for who needs both.
    ///
    /// # Errors
    /// The fault.
    pub fn recipient(&self) -> Result<Option<Jid>, StanzaCondition> {
        let to = self.to().map_err(|_| StanzaCondition::JidMalformed)?;
        self.fault_of_shape().map_or(Ok(to), Err)
    }

    fn fault_of_shape(&self) -> Option<StanzaCondition> {
        if self.kind != Kind::Iq {
            return None;
        }
        let fits = match self.iq_type() {
            Some(IqType::Get | IqType::Set) => self.element.children().take(2).count() == 1,
            Some(IqType::Result) => self.element.children().take(2).count() <= 1,
            Some(IqType::Error) => true,
            None => false,
        };
        (!fits || self.id().is_none()).then_some(StanzaCondition::BadRequest)
    }
}
