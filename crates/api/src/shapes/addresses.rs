//! Addresses and what is in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an address is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Each message to one consumer.
    #[default]
    Queue,
    /// Each message to every subscription.
    Topic,
}

/// An address and what is in it now.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Address {
    /// The virtual host.
    pub host: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Whether a client made it for as long as it needs it.
    pub dynamic: bool,
    /// Subscriptions of a topic.
    pub subscriptions: u64,
    /// Messages that wait for a consumer, in all subscriptions.
    pub messages_ready: u64,
    /// Messages that are out to a consumer.
    pub messages_out: u64,
    /// Bodies of both, in bytes.
    pub messages_bytes: u64,
    /// Consumers.
    pub consumers: u64,
}

/// An address as it shall be.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressDeclaration {
    /// What it is; its policy says it if this does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

/// A queue of an address: its own, or a subscription of a topic.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Subscription {
    /// Name of a durable subscription; absent for the queue of a queue address, and for a
    /// subscription that ends with its consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The session that a subscription ends with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Messages that wait for a consumer.
    pub messages_ready: u64,
    /// Messages that are out to a consumer.
    pub messages_out: u64,
    /// Bodies of both, in bytes.
    pub messages_bytes: u64,
    /// Consumers.
    pub consumers: u64,
    /// How long the oldest message that was never out has waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_age_ms: Option<u64>,
}

/// Where messages shall go.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Moving {
    /// An address of the same host that exists.
    pub to: String,
    /// Most messages to move, the oldest first.
    #[serde(default = "all")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub messages_max: u64,
}

/// How many dead letters shall go back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redriving {
    /// Most messages to send back, the oldest first.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub messages_max: u64,
}

impl Default for Redriving {
    fn default() -> Self {
        Self { messages_max: all() }
    }
}

/// Most messages that one request moves.
fn all() -> u64 {
    1_000_000
}

/// What a move has done.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Moved {
    /// Messages that are elsewhere now.
    pub messages: u64,
    /// Messages that stay: they are out to a consumer, more than asked for, or have nowhere to go.
    pub remaining: u64,
}

/// What a purge has done.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Purged {
    /// Messages dropped.
    pub messages: u64,
}
