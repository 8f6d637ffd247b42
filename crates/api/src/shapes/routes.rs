//! Other ways for messages and clients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a route does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// The address is another name of one address: for senders and for receivers.
    #[default]
    Alias,
    /// What is sent to the address is sent to several.
    FanOut,
    /// Addresses that match the pattern are served elsewhere: clients whose protocol has redirects
    /// are sent there. It is for connections that come after it was made.
    Redirect,
}

/// What a route says.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RouteRule {
    /// What it does.
    pub kind: RouteKind,
    /// The virtual host; the first one when empty. A redirect is for every host.
    #[serde(default)]
    pub host: String,
    /// The address, or for a redirect a pattern of addresses.
    pub address: String,
    /// The address that an alias stands for, or those that a fan-out sends to.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub to: Vec<String>,
    /// Where a redirect leads: a URL such as `amqps://other.example`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// A route.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// What it says.
    #[serde(flatten)]
    pub rule: RouteRule,
}
