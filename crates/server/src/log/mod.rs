//! Logs: to stderr, text on a terminal and JSON elsewhere, each line with the id of its event.
//!
//! Secrets are never logged: no password, no `Authorization` header, no query of a URL, no
//! message body.

mod remember;

pub(crate) use remember::LINES;

use crate::config::{Log, LogFormat};
use remember::Remember;
use std::io::IsTerminal;
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The ids of events: what alerts and searches can rely on.
pub(crate) mod event {
    pub(crate) const LISTENING: &str = "listening";
    pub(crate) const READY: &str = "ready";
    pub(crate) const USER_PUT: &str = "user-put";
    pub(crate) const USER_REMOVED: &str = "user-removed";
    pub(crate) const ACCEPT_FAILED: &str = "accept-failed";
    pub(crate) const CONNECTION_LIMIT: &str = "connection-limit";
    pub(crate) const PROXY_FAILED: &str = "proxy-failed";
    pub(crate) const TLS_FAILED: &str = "tls-failed";
    pub(crate) const TLS_RELOADED: &str = "tls-reloaded";
    pub(crate) const TLS_RELOAD_FAILED: &str = "tls-reload-failed";
    pub(crate) const CERTIFICATE_ISSUED: &str = "certificate-issued";
    pub(crate) const CERTIFICATE_NOT_ISSUED: &str = "certificate-not-issued";
    pub(crate) const HANDSHAKE_REFUSED: &str = "handshake-refused";
    pub(crate) const LOGIN_FAILED: &str = "login-failed";
    pub(crate) const LOGIN_THROTTLED: &str = "login-throttled";
    pub(crate) const CONNECTION_OPENED: &str = "connection-opened";
    pub(crate) const CONNECTION_CLOSED: &str = "connection-closed";
    pub(crate) const USER_LIMIT: &str = "user-limit";
    pub(crate) const LOGIN_EXPIRED: &str = "login-expired";
    pub(crate) const KEYS_FETCHED: &str = "keys-fetched";
    pub(crate) const KEYS_NOT_FETCHED: &str = "keys-not-fetched";
    pub(crate) const AUDIT: &str = "audit";
    pub(crate) const RELOADED: &str = "reloaded";
    pub(crate) const RELOAD_FAILED: &str = "reload-failed";
    pub(crate) const RULES_SKIPPED: &str = "rules-skipped";
    pub(crate) const TRACES_DROPPED: &str = "traces-dropped";
    pub(crate) const JOURNAL_FAILED: &str = "journal-failed";
    pub(crate) const DRAINING: &str = "draining";
    pub(crate) const STOPPED: &str = "stopped";

    /// Each with its meaning, for the reference page.
    pub(crate) const ALL: &[(&str, &str)] = &[
        (LISTENING, "A listener is open."),
        (READY, "The journal is recovered; clients are served."),
        (USER_PUT, "A user was made because there was none, or was changed by the command line."),
        (USER_REMOVED, "A user was removed by an administrator, or by itself."),
        (ACCEPT_FAILED, "A socket could not be accepted."),
        (CONNECTION_LIMIT, "A connection was closed at once: too many."),
        (PROXY_FAILED, "A proxy did not say who has come."),
        (TLS_FAILED, "TLS did not come about."),
        (TLS_RELOADED, "Certificates were read again."),
        (TLS_RELOAD_FAILED, "Certificates could not be read again; the old ones stay."),
        (CERTIFICATE_ISSUED, "The authority has issued a certificate, which is in use."),
        (CERTIFICATE_NOT_ISSUED, "It has not; the certificate before stays in use."),
        (HANDSHAKE_REFUSED, "A WebSocket handshake was refused."),
        (LOGIN_FAILED, "A wrong user name or password."),
        (LOGIN_THROTTLED, "Too many wrong passwords from one address."),
        (CONNECTION_OPENED, "A WebSocket connection is open."),
        (CONNECTION_CLOSED, "A WebSocket connection has ended."),
        (USER_LIMIT, "A connection was closed: its user has as many as it may."),
        (LOGIN_EXPIRED, "Connections were closed: the tokens they came with are over."),
        (KEYS_FETCHED, "The keys of an issuer were fetched."),
        (KEYS_NOT_FETCHED, "The keys of an issuer could not be fetched; those before stay in use."),
        (AUDIT, "An administrator has changed something, or tried to."),
        (RELOADED, "The settings were read again and are in use."),
        (RELOAD_FAILED, "The settings could not be read again; the old ones stay in use."),
        (
            RULES_SKIPPED,
            "A stored policy, route, limit or token cannot be read and is passed over.",
        ),
        (TRACES_DROPPED, "The collector of traces does not take them; said once a minute."),
        (JOURNAL_FAILED, "The journal failed: nothing more is acknowledged, and Wharf exits."),
        (DRAINING, "Wharf was told to stop."),
        (STOPPED, "Wharf has stopped."),
    ];
}

/// What changes the filter of a log that was started here.
static FILTER: OnceLock<ChangeFilter> = OnceLock::new();

/// Takes the text of the new filter.
type ChangeFilter = Box<dyn Fn(&str) + Send + Sync>;

/// Starts logging. Does nothing when logging was started before.
pub(crate) fn start(config: &Log) {
    let filter = filter_of(&config.level);
    let on_terminal = std::io::stderr().is_terminal();
    let json = match config.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !on_terminal,
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // What is no filter was refused by `config::check`. An error of `try_init` means that a
    // subscriber exists already: its owner decides.
    if json {
        let lines = lines.json().flatten_event(true).with_current_span(false);
        let lines = lines.with_filter_reloading();
        let handle = lines.reload_handle();
        if lines.finish().with(Remember).try_init().is_ok() {
            let _ = FILTER.set(Box::new(move |it| drop(handle.reload(filter_of(it)))));
        }
    } else {
        let colour = on_terminal && std::env::var_os("NO_COLOR").is_none();
        let lines = lines.with_ansi(colour).with_target(false).with_filter_reloading();
        let handle = lines.reload_handle();
        if lines.finish().with(Remember).try_init().is_ok() {
            let _ = FILTER.set(Box::new(move |it| drop(handle.reload(filter_of(it)))));
        }
    }
}

fn filter_of(level: &str) -> EnvFilter {
    EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Logs by another filter from now on.
pub(crate) fn set_level(level: &str) {
    if let Some(change) = FILTER.get() {
        change(level);
    }
}
