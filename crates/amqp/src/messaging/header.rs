//! The header and the annotations of a message (AMQP 3.2.1 to 3.2.3, 3.2.9, 3.2.10).

use crate::codec::composite;
use crate::value::Value;

/// How a message is to be carried (AMQP 3.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The message survives a restart. Without a value, `false`.
    pub durable: bool,
    /// How urgent the message is. Without a value, 4.
    pub priority: u8,
    /// How long the message is worth anything, in milliseconds from its arrival.
    pub ttl: Option<u32>,
    /// Nobody else has acquired the message before. Without a value, `false`.
    pub first_acquirer: bool,
    /// How many attempts to deliver the message have failed. Without a value, 0.
    pub delivery_count: u32,
}

impl Header {
    /// The priority of a message that says none.
    pub const PRIORITY_DEFAULT: u8 = 4;
}

impl Default for Header {
    /// What a message without a header has.
    fn default() -> Self {
        Header {
            durable: false,
            priority: Header::PRIORITY_DEFAULT,
            ttl: None,
            first_acquirer: false,
            delivery_count: 0,
        }
    }
}

composite! {
    Header, "header", 0x70, {
        durable: default boolean (false),
        priority: default ubyte (Header::PRIORITY_DEFAULT),
        ttl: optional uint,
        first_acquirer: default boolean (false),
        delivery_count: default uint (0),
    }
}

/// Annotations of a delivery or of a message, and its footer (AMQP 3.2.10).
pub type Annotations = Vec<(AnnotationKey, Value)>;

/// What an annotation is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnnotationKey {
    /// A name; those that do not begin with `x-` are reserved.
    Symbol(String),
    /// A number; all are reserved.
    Ulong(u64),
}

impl AnnotationKey {
    /// A key that a receiver must ignore when it does not know it.
    pub fn is_optional(&self) -> bool {
        matches!(self, AnnotationKey::Symbol(name) if name.starts_with("x-opt-"))
    }
}

impl From<&str> for AnnotationKey {
    fn from(name: &str) -> Self {
        AnnotationKey::Symbol(name.to_owned())
    }
}
