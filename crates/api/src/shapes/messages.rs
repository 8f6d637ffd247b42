//! Messages, as the API shows and takes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A message to send.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publishing {
    /// The body, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The body in base64, if it is octets. Neither: the body is empty text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Content type.
    #[schemars(length(max = 255))]
    pub content_type: String,
    /// Properties.
    pub properties: BTreeMap<String, String>,
}

/// A message in a queue.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Message {
    /// The body, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The body in base64, if it is octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Content type.
    pub content_type: String,
    /// Properties.
    pub properties: BTreeMap<String, String>,
    /// Length of the message as it is stored, in bytes.
    pub len_bytes: u64,
    /// How often it was delivered and came back.
    pub deliveries: u16,
    /// Why it is a dead letter, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub death: Option<Death>,
}

/// Why a message died.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Death {
    /// `deliveries-max`, `rejected`, `no-address`, `invalid-address`, `not-permitted`,
    /// `unknown-address`, `queue-full` or `expired`.
    pub reason: String,
    /// The address it was meant for or came from.
    pub address: String,
    /// What the consumer that rejected it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The oldest messages of a queue that are not out.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Peeked {
    /// The messages, the oldest first.
    pub items: Vec<Message>,
}
