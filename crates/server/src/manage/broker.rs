//! The broker itself: how it is, its settings, reading them again, draining it.

use super::access::Rights;
use super::reply::{Reply, page_by_number};
use super::request::Asked;
use super::users::shown_permissions;
use crate::log::LINES;
use crate::node::{Node, Order, Phase, now_ms};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
use wharf_api::shapes::{
    self, Check, Configuration, Draining, Health, Host, LogEntry, LogLevel, Overview, Page, Whoami,
};
use wharf_api::{Code, Needs, OPERATIONS, Problem};
use wharf_broker::Statistics;

/// Longest time for sending everybody away.
const DRAIN_MAX_MS: u64 = 3_600_000;

fn phase(phase: Phase) -> shapes::Phase {
    match phase {
        Phase::Starting => shapes::Phase::Starting,
        Phase::Ready => shapes::Phase::Ready,
        Phase::Draining => shapes::Phase::Draining,
        Phase::Failed => shapes::Phase::Failed,
    }
}

pub(super) async fn overview(node: &Node) -> Result<Reply, Problem> {
    let statistics = node.ask(|shard, _| shard.statistics()).await?;
    Reply::ok(&overview_of(node, &statistics))
}

pub(crate) fn overview_of(node: &Node, s: &Statistics) -> Overview {
    let since = node.started_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let started_at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Overview {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        phase: phase(node.phase()),
        pid: std::process::id(),
        started_at_ms,
        uptime_ms: now_ms().saturating_sub(started_at_ms),
        hosts: node.live().config.listen.hosts.clone(),
        connections: node.open() as u64,
        sessions: s.sessions,
        sessions_resumable: s.sessions.saturating_sub(s.sessions_attached),
        addresses: s.addresses,
        messages: s.messages,
        messages_bytes: s.messages_bytes,
        messages_received_total: s.published,
        messages_delivered_total: s.delivered,
        messages_acknowledged_total: s.settled,
        messages_redelivered_total: s.redelivered,
        messages_duplicate_suppressed_total: s.duplicates_suppressed,
        messages_dead_lettered_total: s.dead_lettered.iter().sum(),
        session_resumes_total: s.sessions_resumed,
        sessions_expired_total: s.sessions_expired,
        store_frames_total: s.frames,
        store_frames_bytes_total: s.frames_bytes,
    }
}

/// What is looked at for `/readyz?verbose` too.
pub(crate) async fn checks(node: &Node) -> Health {
    let is_ready = node.phase() == Phase::Ready;
    let mut checks = vec![Check {
        name: "phase".to_owned(),
        ok: is_ready,
        detail: match node.phase() {
            Phase::Ready => "clients are served",
            Phase::Starting => "the journal is being recovered",
            Phase::Draining => "clients are being sent away",
            Phase::Failed => "the journal failed: nothing is acknowledged any more",
        }
        .to_owned(),
    }];
    let answered = is_ready && node.ask(|shard, _| shard.barrier()).await.is_ok();
    checks.push(Check {
        name: "journal".to_owned(),
        ok: answered,
        detail: if answered {
            "frames become durable".to_owned()
        } else {
            "no answer within its time".to_owned()
        },
    });
    let free = crate::disk::free_bytes(&node.config.data.directory);
    let segment = node.config.data.segment_size_bytes;
    checks.push(match free {
        Some(free) => Check {
            name: "disk".to_owned(),
            ok: free > segment.saturating_mul(2),
            detail: format!("{free} bytes free; two segments take {}", segment.saturating_mul(2)),
        },
        None => Check {
            name: "disk".to_owned(),
            ok: false,
            detail: format!("{} cannot be looked at", node.config.data.directory.display()),
        },
    });
    Health { ready: checks.iter().all(|check| check.ok), checks }
}

pub(super) async fn health(node: &Node) -> Result<Reply, Problem> {
    Reply::ok(&checks(node).await)
}

pub(super) fn whoami(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let user = asked.who.user.clone();
    let rules = node.auth.permissions_of(&user).unwrap_or_default();
    let permissions = shown_permissions(&rules);
    let rights = Rights::of(node, asked);
    let areas = OPERATIONS.iter().filter_map(|operation| match operation.needs {
        Needs::Read(area) => Some(area),
        _ => None,
    });
    let areas: BTreeSet<&str> = areas.filter(|area| rights.may_read(area)).collect();
    let reads = areas.into_iter().map(str::to_owned).collect();
    Reply::ok(&Whoami { user, permissions, reads })
}

pub(super) async fn hosts(node: &Node) -> Result<Reply, Problem> {
    let configured = node.live().config.listen.hosts.clone();
    let used = node.ask(|shard, _| shard.host_names().map(str::to_owned).collect::<BTreeSet<_>>());
    let others = used.await?.into_iter().filter(|host| !configured.contains(host));
    let host = |(at, name): (usize, &String)| Host {
        name: name.clone(),
        default: at == 0,
        configured: true,
    };
    let mut items: Vec<Host> = configured.iter().enumerate().map(host).collect();
    items.extend(others.map(|name| Host { name, default: false, configured: false }));
    Reply::ok(&Page { items, next: None })
}

pub(super) fn configuration(node: &Node) -> Result<Reply, Problem> {
    let mut config = node.live().config.clone();
    for user in &mut config.users {
        if !user.password_verifier.is_empty() {
            "(secret)".clone_into(&mut user.password_verifier);
        }
    }
    let toml = toml::to_string(&config)
        .map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    Reply::ok(&Configuration { toml })
}

pub(super) async fn reload(node: &Node) -> Result<Reply, Problem> {
    let (answer, answered) = oneshot::channel();
    let gone = || Problem::new(Code::Unavailable, "the broker is stopping");
    node.orders.send(Order::Reload(answer)).map_err(|_| gone())?;
    let outcome = answered.await.map_err(|_| gone())?;
    Reply::ok(&outcome.map_err(|reason| Problem::new(Code::Conflict, reason))?)
}

pub(super) fn drain(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let Draining { over_ms, close_code, stop } = asked.body()?;
    let close_code = close_code.unwrap_or(node.live().config.shutdown.close_code);
    if !matches!(close_code, 1001 | 1012) || over_ms > DRAIN_MAX_MS {
        let what = format!("close_code: 1001 or 1012; over_ms: at most {DRAIN_MAX_MS}");
        return Err(Problem::new(Code::InvalidValue, what));
    }
    let over = Duration::from_millis(over_ms);
    // True when it is answered: who asks next whether the broker is ready hears that it is not.
    node.enter(Phase::Draining);
    let order = Order::Drain { over, close_code, stop };
    let gone = || Problem::new(Code::Unavailable, "the broker is stopping");
    node.orders.send(order).map_err(|_| gone())?;
    Ok(Reply::done())
}

pub(super) fn audit(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    page_by_number(node.audit.entries().latest(|_| true), asked.query("cursor"), asked.limit())
}

/// The latest lines of the log.
pub(super) fn logs(asked: &Asked) -> Result<Reply, Problem> {
    let least = match asked.query("level") {
        Some("error") => LogLevel::Error,
        Some("warn") => LogLevel::Warn,
        Some("info") => LogLevel::Info,
        Some("debug") => LogLevel::Debug,
        _ => LogLevel::Trace,
    };
    let event = asked.query("event");
    let wanted = |line: &LogEntry| {
        line.level >= least && event.is_none_or(|event| line.event.as_deref() == Some(event))
    };
    page_by_number(LINES.latest(wanted), asked.query("cursor"), asked.limit())
}
