//! The broker itself.

use super::Permission;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a broker is in its life.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The journal is being recovered.
    #[default]
    Starting,
    /// Clients are served.
    Ready,
    /// No new clients; the others are sent away.
    Draining,
    /// The journal failed: nothing is acknowledged any more.
    Failed,
}

/// The broker at a glance. What ends in `_total` counts from the start of the process.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each is called what it is")]
pub struct Overview {
    pub version: String,
    pub phase: Phase,
    pub pid: u32,
    pub started_at_ms: u64,
    pub uptime_ms: u64,
    pub hosts: Vec<String>,
    pub connections: u64,
    pub sessions: u64,
    pub sessions_resumable: u64,
    pub addresses: u64,
    pub messages: u64,
    pub messages_bytes: u64,
    pub messages_received_total: u64,
    pub messages_delivered_total: u64,
    pub messages_acknowledged_total: u64,
    pub messages_redelivered_total: u64,
    pub messages_duplicate_suppressed_total: u64,
    pub messages_dead_lettered_total: u64,
    pub session_resumes_total: u64,
    pub sessions_expired_total: u64,
    pub store_frames_total: u64,
    pub store_frames_bytes_total: u64,
}

/// Whether the broker is well, and why not.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Health {
    /// Whether clients are served.
    pub ready: bool,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Check {
    /// What it is.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// How it is.
    pub detail: String,
}

/// A virtual host.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Whether requests for names that are not listed belong to it.
    pub default: bool,
    /// Whether it is configured; one that is not any more may still have addresses.
    pub configured: bool,
}

/// Who asks.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Whoami {
    /// The user.
    pub user: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// The areas of the broker itself that it may look into, and whose topics, `$wharf/AREA`, it
    /// may receive from where there are any.
    pub reads: Vec<String>,
}

/// How to drain.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draining {
    /// Over which time clients are sent away, evenly.
    #[schemars(range(max = 3_600_000))]
    pub over_ms: u64,
    /// WebSocket close code: 1001 (going away) or 1012 (back at once); the configured one when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1001, max = 1012))]
    pub close_code: Option<u16>,
    /// Whether the process ends afterwards.
    pub stop: bool,
}

impl Default for Draining {
    fn default() -> Self {
        Self { over_ms: 0, close_code: None, stop: true }
    }
}

/// What a reload has done.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Reloaded {
    /// Sections whose new values are in use.
    pub changed: Vec<String>,
    /// Keys whose new values need a restart.
    pub needs_restart: Vec<String>,
}

/// The configuration in use, as TOML, without secrets.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Configuration {
    /// The text.
    pub toml: String,
}

/// What an administrator has done.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct AuditEntry {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who.
    pub user: String,
    /// From where.
    pub peer: String,
    /// Which operation.
    pub operation: String,
    /// On what.
    pub target: String,
    /// HTTP status of the answer.
    pub status: u16,
}

/// How much a line of the log matters.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For those who look for a mistake in Wharf itself.
    Trace,
    /// What each connection does.
    Debug,
    /// What an operator wants to know.
    #[default]
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something has failed.
    Error,
}

impl LogLevel {
    /// As they are written.
    pub const NAMES: &[&str] = &["trace", "debug", "info", "warn", "error"];
}

/// A line of the log.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LogEntry {
    /// How many lines this process wrote before it.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// How much it matters.
    pub level: LogLevel,
    /// The id of its event, if it is one of Wharf's own lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What it says.
    pub message: String,
    /// What else it names.
    pub fields: BTreeMap<String, String>,
}

/// In a topic of the broker's own: more has happened than could be told.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Missed {
    /// How many entries are missing here.
    pub missed: u64,
}
