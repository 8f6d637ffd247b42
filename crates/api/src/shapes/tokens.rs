//! Tokens of the broker's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A token to make.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Minting {
    /// Whom it lets in; who asks, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How long it is valid.
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 31_536_000))]
    pub valid_s: u64,
    /// What it is for, to recognise it in the list.
    #[serde(default)]
    #[schemars(length(max = 255))]
    pub note: String,
}

fn hour() -> u64 {
    3600
}

/// A token, without its secret.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Token {
    /// Its number.
    pub id: String,
    /// Whom it lets in.
    pub user: String,
    /// What it is for.
    pub note: String,
    /// Until when it is valid, in milliseconds since 1970.
    pub expires_at_ms: u64,
}

/// A token that was just made.
#[derive(Clone, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Minted {
    /// The token itself: it is shown this once.
    pub secret: String,
    /// What is kept of it.
    pub token: Token,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted").field("token", &self.token).finish_non_exhaustive()
    }
}
