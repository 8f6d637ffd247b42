//! What a peer can do wrong, by name, and the one place where names become stream errors and
//! close codes.

use super::closed::CLOSE_NORMAL;
use crate::stream_error::{StreamCondition, StreamError};
use crate::xml::{Bound, XmlFault};
use std::fmt;

/// What the peer did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Violation {
    /// A binary message (XWS-010).
    Binary,
    /// A message that is not the XML of XMPP, or over a limit.
    Xml(XmlFault),
    /// A header in another namespace than that of RFC 7395 (XWS-019).
    HeaderNamespace,
    /// A stanza in another namespace than `jabber:client` (XWS-020).
    StanzaNamespace,
    /// A version of XMPP below 1.0, or none (RFC 6120, section 4.7.5).
    Version,
    /// A header that says another host than the one before the login.
    OtherHost,
    /// Something that takes a login, or a resource, before it (RFC 6120, section 4.3.5).
    TooEarly(&'static str),
    /// An element that is known, where it does not belong.
    Unexpected(&'static str),
    /// An element that is not known (RFC 6120, section 4.9.3.24).
    UnknownElement,
    /// A `from` that is not who logged in (RFC 6120, section 6.4.6).
    InvalidFrom,
    /// Too many logins failed (RFC 6120, section 6.4.5).
    TooManyLogins,
    /// Too many resources were refused (RFC 6120, section 7.7.3).
    TooManyResources,
    /// More was sent ahead than is kept.
    TooMuchAhead,
    /// More stanzas acknowledged than were sent (XEP-0198, section 6).
    HandledTooHigh {
        /// The count that the peer says.
        handled: u32,
        /// The count that it was sent.
        sent: u32,
    },
    /// A count of stanzas that is no number.
    HandledUnreadable,
    /// The stream was not ready in time.
    TooSlow,
    /// Nothing came, although it was asked for.
    Silent,
    /// A server offers nothing that the client could go on with.
    NothingOffered(&'static str),
}

impl Violation {
    /// The condition told to the peer; `None` where the WebSocket's close code says it all.
    #[must_use]
    pub fn condition(&self) -> Option<StreamCondition> {
        Some(match self {
            // XWS-A01.
            Self::Binary => return None,
            // XWS-021, RFC 6120 11.
            Self::Xml(XmlFault::NotWellFormed(_)) => StreamCondition::NotWellFormed,
            Self::Xml(XmlFault::Restricted(_)) => StreamCondition::RestrictedXml,
            Self::Xml(XmlFault::Encoding) => StreamCondition::UnsupportedEncoding,
            Self::Xml(XmlFault::ContentPrefix) => StreamCondition::BadNamespacePrefix,
            // RFC 6120 13.12.
            Self::Xml(XmlFault::OverLimit(_))
            | Self::TooManyLogins
            | Self::TooManyResources
            | Self::TooMuchAhead => StreamCondition::PolicyViolation,
            // XWS-019.
            Self::HeaderNamespace | Self::StanzaNamespace => StreamCondition::InvalidNamespace,
            Self::Version => StreamCondition::UnsupportedVersion,
            Self::OtherHost => StreamCondition::HostUnknown,
            Self::TooEarly(_) => StreamCondition::NotAuthorized,
            Self::Unexpected(_) | Self::HandledUnreadable => StreamCondition::BadFormat,
            Self::UnknownElement => StreamCondition::UnsupportedStanzaType,
            Self::InvalidFrom => StreamCondition::InvalidFrom,
            Self::HandledTooHigh { .. } => StreamCondition::UndefinedCondition,
            Self::TooSlow | Self::Silent => StreamCondition::ConnectionTimeout,
            Self::NothingOffered(_) => StreamCondition::UnsupportedFeature,
        })
    }

    /// The error told to the peer.
    #[must_use]
    pub fn error(&self) -> Option<StreamError> {
        let mut error = StreamError::new(self.condition()?, self.to_string());
        if let Self::HandledTooHigh { handled, sent } = *self {
            error.handled_too_high = Some((handled, sent));
        }
        Some(error)
    }

    /// The code to close the WebSocket with.
    // XWS-A01, XWS-A06.
    #[must_use]
    pub fn close_code(&self) -> u16 {
        match (self, self.condition()) {
            (Self::Binary, _) => 1003,
            (Self::Xml(XmlFault::OverLimit(Bound::Size)), _) => 1009,
            (_, Some(StreamCondition::PolicyViolation)) => 1008,
            _ => CLOSE_NORMAL,
        }
    }
}

impl From<XmlFault> for Violation {
    fn from(fault: XmlFault) -> Self {
        Self::Xml(fault)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary => f.write_str("a binary message"),
            Self::Xml(fault) => fault.fmt(f),
            Self::HeaderNamespace => f.write_str("a stream header in another namespace"),
            Self::StanzaNamespace => f.write_str("a stanza in another namespace"),
            Self::Version => f.write_str("a version of XMPP below 1.0"),
            Self::OtherHost => f.write_str("another host than before the login"),
            Self::TooEarly(what) => write!(f, "too early: {what}"),
            Self::Unexpected(what) => write!(f, "unexpected here: {what}"),
            Self::UnknownElement => f.write_str("an unknown element"),
            Self::InvalidFrom => f.write_str("from is not who logged in"),
            Self::TooManyLogins => f.write_str("too many logins failed"),
            Self::TooManyResources => f.write_str("too many resources were refused"),
            Self::TooMuchAhead => f.write_str("too much was sent ahead"),
            Self::HandledTooHigh { handled, sent } => {
                write!(f, "{handled} stanzas are acknowledged, {sent} were sent")
            }
            Self::HandledUnreadable => f.write_str("h is no count"),
            Self::TooSlow => f.write_str("the stream was not ready in time"),
            Self::Silent => f.write_str("no answer to a ping"),
            Self::NothingOffered(what) => write!(f, "not offered: {what}"),
        }
    }
}
