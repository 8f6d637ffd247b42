//! Sessions, with and without a connection.

use super::reply::{Reply, bad_cursor, no_such, number};
use super::request::Asked;
use crate::node::Node;
use wharf_api::Problem;
use wharf_api::shapes::{Page, Session};
use wharf_broker::{SessionId, SessionView};

/// Sessions looked at for one page.
const LOOKED_AT_MAX: usize = 10_000;

fn shown(view: SessionView) -> Session {
    Session {
        id: view.id.0.to_string(),
        user: view.user,
        host: view.host,
        origin: view.origin,
        recoverable: view.is_recoverable,
        connection: view.connection.map(|connection| connection.0.to_string()),
        resumable_until_ms: view.expires.map(|at| at.0),
        deliveries_unsettled: view.deliveries_unsettled,
        deliveries_unsettled_bytes: view.deliveries_unsettled_bytes,
        consumers: view.consumers,
        messages_received: view.messages_taken,
        messages_delivered: view.deliveries,
    }
}

pub(super) async fn list(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let after = match asked.query("cursor") {
        None => 0,
        Some(cursor) => number(cursor).ok_or_else(bad_cursor)?,
    };
    let user = asked.query("user").map(str::to_owned);
    let attached = asked.query("attached").map(|it| it == "true");
    let limit = asked.limit();
    let wanted = move |view: &SessionView| {
        user.as_ref().is_none_or(|user| *user == view.user)
            && attached.is_none_or(|attached| attached == view.connection.is_some())
    };
    let page = node.ask(move |shard, _| {
        let mut items = Vec::new();
        let mut last = None;
        for (looked_at, view) in shard.sessions_after(SessionId(after)).enumerate() {
            if items.len() >= limit || looked_at >= LOOKED_AT_MAX {
                return Page { items, next: last };
            }
            last = Some(view.id.0.to_string());
            if wanted(&view) {
                items.push(shown(view));
            }
        }
        Page { items, next: None }
    });
    Reply::ok(&page.await?)
}

pub(super) async fn get(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let missing = || no_such("session", asked.name());
    let id = SessionId(asked.number().ok_or_else(missing)?);
    let view = node.ask(move |shard, _| shard.session_view(id)).await?;
    Reply::ok(&shown(view.ok_or_else(missing)?))
}

pub(super) async fn end(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let missing = || no_such("session", asked.name());
    let id = SessionId(asked.number().ok_or_else(missing)?);
    let ended = node.ask(move |shard, _| shard.revoke_session(id)).await?;
    if ended { Ok(Reply::done()) } else { Err(missing()) }
}
