//! `wharf status`, `drain`, `reload`, `audit` and `logs`: the broker itself.

use super::api::Call;
use super::output::{Column, many};
use super::{Admin, act, list, show};
use crate::cli::exit::{Code, Failure, Outcome};
use clap::Args;
use serde_json::json;
use std::time::Duration;
use wharf_api::Op;
use wharf_api::shapes::LogLevel;

/// Arguments of `wharf status`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Status {
    #[command(flatten)]
    admin: Admin,
    /// Say what was looked at; exit code 1 if something is not well.
    #[arg(long)]
    checks: bool,
}

const OVERVIEW: &[Column] = &[
    ("version", "version"),
    ("phase", "phase"),
    ("started", "started_at_ms"),
    ("hosts", "hosts"),
    ("connections", "connections"),
    ("sessions", "sessions"),
    ("sessions resumable", "sessions_resumable"),
    ("addresses", "addresses"),
    ("messages", "messages"),
    ("messages bytes", "messages_bytes"),
    ("messages received", "messages_received_total"),
    ("messages delivered", "messages_delivered_total"),
    ("messages acknowledged", "messages_acknowledged_total"),
    ("messages redelivered", "messages_redelivered_total"),
    ("duplicates suppressed", "messages_duplicate_suppressed_total"),
    ("dead letters", "messages_dead_lettered_total"),
];

impl Status {
    pub(in crate::cli) fn run(self) -> Outcome {
        if !self.checks {
            return show(&self.admin, &Call::new(Op::GetOverview), OVERVIEW);
        }
        let (api, form) = self.admin.open()?;
        let health = api.call(&Call::new(Op::GetHealth))?;
        let checks = health["checks"].as_array().cloned().unwrap_or_default();
        many(form, &checks, &[("CHECK", "name"), ("OK", "ok"), ("DETAIL", "detail")])?;
        let well = health["ready"] == true;
        if well { Ok(()) } else { Err(Failure::new(Code::Failed, "not ready")) }
    }
}

/// Arguments of `wharf drain`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Drain {
    #[command(flatten)]
    admin: Admin,
    /// Over which time clients are sent away: 60s, 5m, 1500ms.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_time)]
    over: Duration,
    /// WebSocket close code: 1001 (going away) or 1012 (back at once).
    #[arg(long, value_name = "CODE")]
    close_code: Option<u16>,
    /// Leave the process running, without clients.
    #[arg(long)]
    keep_running: bool,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let at = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| "expected a number and ms, s or m")?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err("expected a number and ms, s or m".to_owned()),
    }
}

impl Drain {
    pub(in crate::cli) fn run(self) -> Outcome {
        let over_ms = u64::try_from(self.over.as_millis()).unwrap_or(u64::MAX);
        let mut body = json!({ "over_ms": over_ms, "stop": !self.keep_running });
        if let Some(code) = self.close_code {
            body["close_code"] = json!(code);
        }
        act(&self.admin, &Call::new(Op::Drain).body(body), "draining")
    }
}

/// Arguments of `wharf reload`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Reload {
    #[command(flatten)]
    admin: Admin,
}

impl Reload {
    pub(in crate::cli) fn run(self) -> Outcome {
        let columns = &[("changed", "changed"), ("needs restart", "needs_restart")];
        show(&self.admin, &Call::new(Op::Reload), columns)
    }
}

/// Arguments of `wharf audit`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Audit {
    #[command(flatten)]
    admin: Admin,
    /// Most entries.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

impl Audit {
    pub(in crate::cli) fn run(self) -> Outcome {
        let columns = &[
            ("WHEN", "at_ms"),
            ("USER", "user"),
            ("PEER", "peer"),
            ("OPERATION", "operation"),
            ("TARGET", "target"),
            ("STATUS", "status"),
        ];
        list(&self.admin, &Call::new(Op::ListAudit), Some(self.limit), columns)
    }
}

/// Arguments of `wharf logs`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Logs {
    #[command(flatten)]
    admin: Admin,
    /// The least level.
    #[arg(long, value_parser = LogLevel::NAMES.to_vec(), default_value = "info")]
    level: String,
    /// The id of the event.
    #[arg(long)]
    event: Option<String>,
    /// Most lines.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

impl Logs {
    pub(in crate::cli) fn run(self) -> Outcome {
        let columns = &[
            ("WHEN", "at_ms"),
            ("LEVEL", "level"),
            ("EVENT", "event"),
            ("MESSAGE", "message"),
            ("FIELDS", "fields"),
        ];
        let call = Call::new(Op::ListLogs).with("level", Some(&self.level));
        list(&self.admin, &call.with("event", self.event.as_deref()), Some(self.limit), columns)
    }
}

#[cfg(test)]
mod tests {
    use super::parse_time;
    use std::time::Duration;

    #[test]
    fn times() {
        assert_eq!(parse_time("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse_time("15"), Ok(Duration::from_secs(15)));
        assert_eq!(parse_time("15ms"), Ok(Duration::from_millis(15)));
        assert!(parse_time("x").is_err() && parse_time("1h").is_err());
    }
}
