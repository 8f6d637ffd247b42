//! Settings of addresses by pattern.

use super::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to messages for a queue that is full.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// The new one dies.
    #[default]
    Reject,
    /// The oldest that is not out dies.
    DropOldest,
}

/// What a policy says.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// Address pattern.
    pub pattern: String,
    /// What a matching address becomes when it is made by its first use.
    #[serde(default)]
    pub kind: Kind,
    /// Which policy applies where several match: that of the highest priority, then the first by
    /// name. Those of the configuration file come after all of these.
    #[serde(default)]
    pub priority: i32,
    /// Deliveries before a message is dead-lettered. 0: without end.
    #[serde(default = "deliveries_max")]
    pub deliveries_max: u16,
    /// Where dead messages go. Empty: nowhere, they are dropped.
    #[serde(default = "dead_letter_address")]
    pub dead_letter_address: String,
    /// How long a message waits in each queue before it dies. 0: without end.
    #[serde(default)]
    pub ttl_ms: u64,
    /// Messages in each queue. 0: without bound.
    #[serde(default)]
    pub messages_max: u64,
    /// Their bodies, in bytes. 0: without bound.
    #[serde(default)]
    pub bytes_max: u64,
    /// What happens at these bounds.
    #[serde(default)]
    pub overflow: Overflow,
}

fn deliveries_max() -> u16 {
    20
}

fn dead_letter_address() -> String {
    "wharf/dead-letter".to_owned()
}

/// A policy.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Policy {
    /// Its name; those of the configuration file are called `file:` and their number, and are
    /// changed there.
    pub name: String,
    /// What it says.
    #[serde(flatten)]
    pub rule: PolicyRule,
}
