//! The XML of XMPP (RFC 6120, section 11): one element as a document of its own, without comments,
//! processing instructions, DTD or entities of its own.
//!
//! [`parse`] reads a message once, from end to end, and says whether it may be used at all: well
//! formed, with all namespaces declared, within [`XmlLimits`](crate::limits::XmlLimits). It builds
//! nothing; the bounds on depth, attributes and namespaces hold before anything is remembered.
//! What it returns is a view, [`Element`], which finds names, attributes and children in the
//! octets when they are asked for.
//!
//! | module | what it owns |
//! |---|---|
//! | `chars` | which characters may stand where (XML 1.0, section 2) |
//! | `lexer` | tags, attributes, text, references |
//! | `stack` | small stacks that need no heap |
//! | `check` | matching tags, namespaces, limits |
//! | `element` | the view: names, attributes, children, text |
//! | `scope` | namespaces and language at one element |
//! | `write` | XML out of values |

pub(crate) mod chars;
mod check;
mod element;
mod fault;
mod lexer;
mod scope;
mod stack;
mod write;

pub use chars::is_text;
pub use check::parse;
pub use element::{Attribute, Attributes, Children, Element};
pub use fault::{Bound, XmlFault};
pub use write::{attribute, element, escape_attribute, escape_text, text};
