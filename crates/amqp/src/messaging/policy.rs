//! Choices and policies of sources and targets (AMQP 3.5.5 to 3.5.13).

use crate::codec::numeric_choice;
use crate::value::Value;

/// What of a terminus survives a restart (AMQP 3.5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TerminusDurability {
    /// Nothing.
    #[default]
    None,
    /// That it is there, and how it is set up.
    Configuration,
    /// That, and what is unsettled.
    UnsettledState,
}

numeric_choice!(TerminusDurability, u32, "not a terminus-durability" {
    0 => None,
    1 => Configuration,
    2 => UnsettledState,
});

/// When a terminus begins to expire (AMQP 3.5.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TerminusExpiryPolicy {
    /// When its link is detached.
    LinkDetach,
    /// When the last session it was in is ended.
    #[default]
    SessionEnd,
    /// When the last connection it was in is closed.
    ConnectionClose,
    /// Never.
    Never,
}

impl TerminusExpiryPolicy {
    /// The symbol on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            TerminusExpiryPolicy::LinkDetach => "link-detach",
            TerminusExpiryPolicy::SessionEnd => "session-end",
            TerminusExpiryPolicy::ConnectionClose => "connection-close",
            TerminusExpiryPolicy::Never => "never",
        }
    }

    /// The policy with this symbol.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "link-detach" => TerminusExpiryPolicy::LinkDetach,
            "session-end" => TerminusExpiryPolicy::SessionEnd,
            "connection-close" => TerminusExpiryPolicy::ConnectionClose,
            "never" => TerminusExpiryPolicy::Never,
            _ => return None,
        })
    }
}

/// Whether a message that was sent over a link is there for others still (AMQP 3.5.7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DistributionMode {
    /// It is not: consuming.
    Move,
    /// It is: browsing.
    Copy,
    /// A mode of somebody else's.
    Other(String),
}

impl DistributionMode {
    /// The symbol on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            DistributionMode::Move => "move",
            DistributionMode::Copy => "copy",
            DistributionMode::Other(symbol) => symbol,
        }
    }
}

impl From<&str> for DistributionMode {
    fn from(symbol: &str) -> Self {
        match symbol {
            "move" => DistributionMode::Move,
            "copy" => DistributionMode::Copy,
            other => DistributionMode::Other(other.to_owned()),
        }
    }
}

/// When a dynamic node is deleted (AMQP 3.5.10 to 3.5.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LifetimePolicy {
    /// With the link that made it (AMQP 3.5.10).
    DeleteOnClose,
    /// When no link has it as source or target (AMQP 3.5.11).
    DeleteOnNoLinks,
    /// When the link that made it is gone, and it holds no message (AMQP 3.5.12).
    DeleteOnNoMessages,
    /// When no link has it and it holds no message (AMQP 3.5.13).
    DeleteOnNoLinksOrMessages,
}

/// Each policy is a composite without fields.
macro_rules! lifetime_policies {
    ($($variant:ident, $name:literal, $code:literal;)*) => {
        impl LifetimePolicy {
            /// All of them.
            pub const ALL: [LifetimePolicy; 4] = [$(LifetimePolicy::$variant,)*];

            /// The numeric descriptor.
            pub fn code(self) -> u64 {
                match self {
                    $(LifetimePolicy::$variant => $code,)*
                }
            }

            /// The symbolic descriptor.
            pub fn symbol(self) -> &'static str {
                match self {
                    $(LifetimePolicy::$variant => concat!("amqp:", $name, ":list"),)*
                }
            }
        }
    };
}

lifetime_policies! {
    DeleteOnClose, "delete-on-close", 0x2b;
    DeleteOnNoLinks, "delete-on-no-links", 0x2c;
    DeleteOnNoMessages, "delete-on-no-messages", 0x2d;
    DeleteOnNoLinksOrMessages, "delete-on-no-links-or-messages", 0x2e;
}

impl LifetimePolicy {
    /// As the value of `lifetime-policy` in `dynamic-node-properties` (AMQP 3.5.9).
    pub fn to_value(self) -> Value {
        Value::described(Value::Ulong(self.code()), Value::List(Vec::new()))
    }

    /// The policy that this value is.
    pub fn from_value(value: &Value) -> Option<Self> {
        let Value::Described(described) = value else { return None };
        if !matches!(&described.1, Value::List(fields) if fields.is_empty()) {
            return None;
        }
        LifetimePolicy::ALL.into_iter().find(|policy| match &described.0 {
            Value::Ulong(code) => *code == policy.code(),
            Value::Symbol(name) => name == policy.symbol(),
            _ => false,
        })
    }
}
