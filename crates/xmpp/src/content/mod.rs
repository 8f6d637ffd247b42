//! Messages that are not talk: a body of any type, with properties, in a `<message/>`.
//!
//! | what | where |
//! |---|---|
//! | text | `<body/>` (RFC 6121, section 5.2.3) |
//! | JSON | `<json/>` (XEP-0335) |
//! | anything else | `<content/>` of `urn:wharf:content:0`, in base64 |
//! | properties | `<headers/>` (XEP-0131), and what stanzas have themselves |
//!
//! A `<content/>` without octets says what the body beside it is, where that does not go without
//! saying. The elements are documented in `docs/protocols/mapping.md`.

mod read;
mod write;

pub use read::{Content, WHOLE_TYPE, read};
pub use write::{CharacterFault, write, write_headers};

/// Stanza headers and Internet metadata: properties (XEP-0131).
pub const SHIM: &str = "http://jabber.org/protocol/shim";

/// JSON containers (XEP-0335).
pub const JSON: &str = "urn:xmpp:json:0";

/// `<content/>`: the content type of what is beside it, or the octets of any other body.
pub const CONTENT: &str = "urn:wharf:content:0";

/// Extended addresses: who it was from before a queue had it (XEP-0033).
pub const ADDRESSES: &str = "http://jabber.org/protocol/address";

/// The content type that a JSON container means.
const JSON_TYPE: &str = "application/json";

/// What a body is, besides its content type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyKind {
    /// Text, in UTF-8.
    Text,
    /// Octets.
    Binary,
}

impl BodyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }
}
