//! Connections: who is here, and sending somebody away. One's own need no permission.

use super::access::{Rights, denied};
use super::reply::{Reply, bad_cursor, no_such, number};
use super::request::Asked;
use crate::net::registry::{Known, Login};
use crate::node::Node;
use std::sync::Arc;
use wharf_api::shapes::{Connection, Page, Protocol};
use wharf_api::{Code, Problem};
use wharf_broker::{ConnectionId, SessionId};

/// Connections looked at for one page: who has no luck with a filter goes on with the next.
const LOOKED_AT_MAX: usize = 10_000;

/// A connection as the registry knows it.
type Entry = (Arc<Known>, Option<Login>);

pub(crate) fn shown((known, login): Entry, session: Option<SessionId>) -> Connection {
    let protocol = match known.protocol {
        "amqp" => Protocol::Amqp,
        "xmpp" => Protocol::Xmpp,
        _ => Protocol::Mbws,
    };
    Connection {
        id: known.id.0.to_string(),
        protocol,
        login_expires_at_ms: login.as_ref().and_then(|login| login.expires_at_ms),
        user: login.map(|login| login.user),
        host: known.host.to_string(),
        peer: known.peer.to_string(),
        secure: known.secure,
        tag: known.tag.as_deref().map(str::to_owned),
        opened_at_ms: known.opened_at_ms,
        session: session.map(|session| session.0.to_string()),
    }
}

pub(super) async fn list(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let me = asked.who.user.as_str();
    let user = asked.query("user").map(|user| if user == "me" { me } else { user });
    if user != Some(me) && !Rights::of(node, asked).may_read("connections") {
        let wanted = "`manage` on wharf/connections for other users' connections";
        return Err(denied(me, wanted));
    }
    let after = match asked.query("cursor") {
        None => 0,
        Some(cursor) => number(cursor).ok_or_else(bad_cursor)?,
    };
    let protocol = asked.query("protocol");
    let wanted = |known: &Known, login: Option<&Login>| {
        protocol.is_none_or(|protocol| protocol == known.protocol)
            && user.is_none_or(|user| login.is_some_and(|login| login.user == user))
    };
    let after = ConnectionId(after);
    let (found, last) = node.connections.list(after, asked.limit(), LOOKED_AT_MAX, wanted);
    let ids: Vec<ConnectionId> = found.iter().map(|(known, _)| known.id).collect();
    let sessions = node
        .ask(move |shard, _| ids.into_iter().map(|id| shard.session_of(id)).collect::<Vec<_>>());
    let items =
        found.into_iter().zip(sessions.await?).map(|(entry, session)| shown(entry, session));
    Reply::ok(&Page { items: items.collect(), next: last.map(|id| id.0.to_string()) })
}

/// The connection of the path, if who asks may see it, or change it.
fn find(node: &Node, asked: &Asked, change: bool) -> Result<Entry, Problem> {
    let rights = Rights::of(node, asked);
    let number = asked.number().map(ConnectionId);
    let entry = number.and_then(|id| node.connections.get(id));
    let is_own = |entry: &Entry| entry.1.as_ref().is_some_and(|it| it.user == asked.who.user);
    let may =
        if change { rights.may_manage("connections") } else { rights.may_read("connections") };
    match entry {
        Some(entry) if may || is_own(&entry) => Ok(entry),
        None if may => Err(no_such("connection", asked.name())),
        // What is another's is not told apart from what is not there.
        _ => Err(denied(&asked.who.user, "`manage` on wharf/connections for all but its own")),
    }
}

pub(super) async fn get(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let entry = find(node, asked, false)?;
    let id = entry.0.id;
    let session = node.ask(move |shard, _| shard.session_of(id)).await?;
    Reply::ok(&shown(entry, session))
}

pub(super) fn close(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let (known, _) = find(node, asked, true)?;
    if asked.flag("abrupt") {
        known.outbox.cut();
    } else {
        known.outbox.drain(node.live().config.shutdown.close_code);
    }
    Ok(Reply::done())
}

pub(super) async fn renew(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let number = asked.number().map(ConnectionId);
    let entry = number.and_then(|id| node.connections.get(id));
    let (known, login) = entry.ok_or_else(|| no_such("connection", asked.name()))?;
    if login.is_none_or(|login| login.user != asked.who.user) {
        return Err(denied(&asked.who.user, "to be the user of the connection"));
    }
    if asked.who.expires_at_ms.is_none() {
        let what = "renew with the bearer token that the connection shall go on with";
        return Err(Problem::new(Code::Conflict, what));
    }
    // It is in already, so that no limit is asked.
    let _ = node.connections.log_in(known.id, asked.who.clone(), 0);
    get(node, asked).await
}
