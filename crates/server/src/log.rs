//! Logs: to stderr, text on a terminal and JSON elsewhere, each line with the id of its event.
//!
//! Secrets are never logged: no password, no `Authorization` header, no query of a URL, no
//! message body.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// The ids of events, as documented in `docs/reference/configuration.md` for alerts and searches.
pub(crate) mod event {
    /// A listener is open.
    pub(crate) const LISTENING: &str = "listening";
    /// The journal is recovered; clients are served.
    pub(crate) const READY: &str = "ready";
    /// A user was made because there was none, or was changed by the command line.
    pub(crate) const USER_PUT: &str = "user-put";
    /// A socket could not be accepted.
    pub(crate) const ACCEPT_FAILED: &str = "accept-failed";
    /// A connection was closed at once: too many.
    pub(crate) const CONNECTION_LIMIT: &str = "connection-limit";
    /// TLS did not come about.
    pub(crate) const TLS_FAILED: &str = "tls-failed";
    /// Certificates were read again.
    pub(crate) const TLS_RELOADED: &str = "tls-reloaded";
    /// Certificates could not be read again; the old ones stay.
    pub(crate) const TLS_RELOAD_FAILED: &str = "tls-reload-failed";
    /// A WebSocket handshake was refused.
    pub(crate) const HANDSHAKE_REFUSED: &str = "handshake-refused";
    /// A wrong user name or password.
    pub(crate) const LOGIN_FAILED: &str = "login-failed";
    /// Too many wrong passwords from one address.
    pub(crate) const LOGIN_THROTTLED: &str = "login-throttled";
    /// A WebSocket connection is open.
    pub(crate) const CONNECTION_OPENED: &str = "connection-opened";
    /// A WebSocket connection has ended.
    pub(crate) const CONNECTION_CLOSED: &str = "connection-closed";
    /// The journal failed: nothing more is acknowledged, and Wharf exits.
    pub(crate) const JOURNAL_FAILED: &str = "journal-failed";
    /// Wharf was told to stop.
    pub(crate) const DRAINING: &str = "draining";
    /// Wharf has stopped.
    pub(crate) const STOPPED: &str = "stopped";
}

/// Starts logging. Does nothing when logging was started before.
pub(crate) fn start(config: &Log) {
    let filter = EnvFilter::try_new(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let on_terminal = std::io::stderr().is_terminal();
    let json = match config.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !on_terminal,
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error here means that a subscriber exists already: its owner decides.
    let _ = if json {
        lines.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        let colour = on_terminal && std::env::var_os("NO_COLOR").is_none();
        lines.with_ansi(colour).with_target(false).try_init()
    };
}
