//! Users and what they may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule of a user. Without one that fits, a user may do nothing.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The virtual host it is for; every one when empty.
    #[serde(default)]
    pub host: String,
    /// Address pattern: `*` stands for one level, `**` for any number of them.
    pub pattern: String,
    /// May send to matching addresses.
    #[serde(default)]
    pub send: bool,
    /// May receive from matching addresses.
    #[serde(default)]
    pub receive: bool,
    /// May declare, delete, purge, move and look into matching addresses. `wharf/users`,
    /// `wharf/policies` and so on are what the areas of this API are called, so that `**` is
    /// everything.
    #[serde(default)]
    pub manage: bool,
}

/// What a user may use. 0 is without limit.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: u32,
    /// Sessions at once, those that wait for their client among them.
    pub sessions_max: u32,
    /// Messages sent in a second, over all connections; more are read later.
    pub messages_per_second_max: u32,
    /// Octets sent in a second, over all connections; more are read later.
    pub bytes_per_second_max: u64,
}

/// A user.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct User {
    /// Login name.
    pub name: String,
    /// What the user may do.
    pub permissions: Vec<Permission>,
    /// What the user may use.
    pub limits: Limits,
    /// The hashes that the user can log in with by SCRAM.
    pub scram: Vec<String>,
    /// Whether there is a password; without one a user comes by certificate or token.
    pub has_password: bool,
}

/// A user as it shall be.
#[derive(Clone, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserChange {
    /// The password. Without it and without `password_verifier`, a user who exists keeps what it
    /// has, and a new one cannot log in with a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub password: Option<String>,
    /// What `wharf passwd hash` prints, instead of a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_verifier: Option<String>,
    /// What the user may do; nothing when empty.
    #[schemars(length(max = 256))]
    pub permissions: Vec<Permission>,
    /// What the user may use.
    pub limits: Limits,
}

impl std::fmt::Debug for UserChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserChange")
            .field("permissions", &self.permissions)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A rule, and whose it is.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct UserPermission {
    /// The user.
    pub user: String,
    /// The rule.
    #[serde(flatten)]
    pub permission: Permission,
}
