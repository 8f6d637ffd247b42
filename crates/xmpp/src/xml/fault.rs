//! Why a document is refused.

use std::fmt;

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum XmlFault {
    /// It is not well formed, or not namespace-well-formed (RFC 6120, section 11.3).
    NotWellFormed(&'static str),
    /// It has a feature of XML that XMPP has not (RFC 6120, section 11.1).
    Restricted(&'static str),
    /// It is not in UTF-8, or says so (RFC 6120, section 11.6).
    Encoding,
    /// An element of `jabber:client` has a prefix (RFC 6120, section 4.8.5).
    ContentPrefix,
    /// It is over a limit of this side.
    OverLimit(Bound),
}

/// Which limit was passed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bound {
    /// Octets of the message.
    Size,
    /// Elements within elements.
    Depth,
    /// Attributes of one element.
    Attributes,
    /// Namespaces declared at one place.
    Namespaces,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "the message is too large",
            Self::Depth => "elements are nested too deeply",
            Self::Attributes => "an element has too many attributes",
            Self::Namespaces => "too many namespaces are declared",
        })
    }
}

impl fmt::Display for XmlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWellFormed(what) => write!(f, "not well-formed: {what}"),
            Self::Restricted(what) => write!(f, "{what} is not allowed"),
            Self::Encoding => f.write_str("not UTF-8"),
            Self::ContentPrefix => f.write_str("elements of jabber:client take no prefix"),
            Self::OverLimit(bound) => bound.fmt(f),
        }
    }
}

impl std::error::Error for XmlFault {}
