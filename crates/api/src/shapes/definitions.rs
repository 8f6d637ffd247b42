//! Everything an operator has defined, to carry elsewhere or to keep in a repository.

use super::{Kind, Limits, Permission, Policy, Route};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything an operator has defined.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Definitions {
    /// Version of this form: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Users.
    #[serde(default)]
    pub users: Vec<UserDefinition>,
    /// Policies, without those of the configuration file.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// Routes.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Addresses, without dynamic ones.
    #[serde(default)]
    pub addresses: Vec<AddressDefinition>,
}

/// A user with what is kept instead of its password.
#[derive(Clone, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserDefinition {
    /// Login name.
    pub name: String,
    /// What `wharf passwd hash` prints: a secret, as passwords can be guessed with it. Empty: the
    /// user has no password.
    #[serde(default)]
    pub password_verifier: String,
    /// What the user may do.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// What the user may use.
    #[serde(default)]
    pub limits: Limits,
}

impl std::fmt::Debug for UserDefinition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserDefinition").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An address that shall exist.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AddressDefinition {
    /// The virtual host; the first one when empty.
    #[serde(default)]
    pub host: String,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
}

/// What applying definitions has changed, or would.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Applied {
    /// What is new: `user ada`, `address orders`, and so on.
    pub created: Vec<String>,
    /// What is otherwise now.
    pub changed: Vec<String>,
    /// What is gone; only with `prune`.
    pub removed: Vec<String>,
    /// What cannot be taken over, and why.
    pub skipped: Vec<String>,
}

/// What is read of a definitions file of RabbitMQ.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RabbitDefinitions(pub serde_json::Value);
