//! Tokens of the broker's own.

use super::access::{Rights, denied};
use super::reply::{Reply, no_such, page_of};
use super::request::Asked;
use crate::auth::tokens::{hash_of, mint as make};
use crate::node::Node;
use crate::rules::{self, StoredToken, TOKEN};
use wharf_api::shapes::{Minted, Minting, Token};
use wharf_api::{Code, Problem};

/// Longest life of a token: a year.
const VALID_MAX_S: u64 = 31_536_000;

fn shown(id: String, token: StoredToken) -> Token {
    let StoredToken { user, note, expires_at_ms, .. } = token;
    Token { id, user, note, expires_at_ms }
}

pub(super) async fn list(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let tokens = node.ask(|shard, now| rules::tokens(shard, now)).await?;
    let tokens = tokens.into_iter().map(|(id, token)| shown(id, token)).collect();
    page_of(tokens, asked.query("cursor"), asked.limit(), |token: &Token| token.id.clone())
}

pub(super) async fn mint(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let Minting { user, valid_s, note } = asked.body()?;
    if !(1..=VALID_MAX_S).contains(&valid_s) || note.len() > 255 {
        let what = format!("valid_s: expected 1 to {VALID_MAX_S}; note: 255 bytes at most");
        return Err(Problem::new(Code::InvalidValue, what));
    }
    let user = user.unwrap_or_else(|| asked.who.user.clone());
    // A token is its user: who may make one for another may do what that one may.
    if user != asked.who.user && !Rights::of(node, asked).may_manage("users") {
        return Err(denied(&asked.who.user, "`manage` on wharf/users to make tokens for others"));
    }
    if node.auth.permissions_of(&user).is_none() {
        return Err(no_such("user", &user));
    }
    let (id, secret) = make();
    let stored = StoredToken {
        user,
        note,
        expires_at_ms: crate::node::now_ms().saturating_add(valid_s.saturating_mul(1000)),
        hash: data_encoding::HEXLOWER.encode(&hash_of(&secret)),
    };
    let (kept, number) = (stored.clone(), id.clone());
    let put = node.change(move |shard, _| rules::put(shard, TOKEN, &number, &kept));
    if !put.await? {
        return Err(super::users::full());
    }
    Reply::created(&Minted { secret, token: shown(id, stored) })
}

pub(super) async fn revoke(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let id = asked.name().to_owned();
    if !node.change(move |shard, _| rules::remove(shard, TOKEN, &id)).await? {
        return Err(no_such("token", asked.name()));
    }
    for outbox in node.connections.outboxes(|login| login.token.as_deref() == Some(asked.name())) {
        outbox.drain(crate::node::CLOSE_LOGIN_OVER);
    }
    Ok(Reply::done())
}
