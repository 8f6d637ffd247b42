//! What operators define while the broker runs: policies, routes, limits of users, tokens. Each is
//! a document of the shard, so that it is journaled with what follows from it, and all of them are
//! applied again after every change.

use crate::auth::tokens::Kept;
use crate::live::Live;
use crate::log::event;
use crate::node::Node;
use crate::settings;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use wharf_api::shapes::{Kind, Limits, Overflow, Policy, PolicyRule, Route, RouteKind, RouteRule};
use wharf_broker::{AddressKind, Detour, Shard, Timestamp};
use wharf_gateway::{Located, Location};

/// Policies, by name.
pub(crate) const POLICY: &str = "manage/policy/";
/// Routes, by name.
pub(crate) const ROUTE: &str = "manage/route/";
/// Limits, by user.
pub(crate) const LIMITS: &str = "manage/limits/";
/// Tokens, by number.
pub(crate) const TOKEN: &str = "manage/token/";

/// Most definitions of one kind: all of them are read at every change.
pub(crate) const DEFINITIONS_MAX: usize = 4096;

/// A token as it is kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct StoredToken {
    pub(crate) user: String,
    pub(crate) note: String,
    pub(crate) expires_at_ms: u64,
    /// In hexadecimal.
    pub(crate) hash: String,
}

/// What of the rules is needed outside the shard.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    redirects: Mutex<Vec<Location>>,
}

impl Rules {
    /// What is served elsewhere.
    pub(crate) fn redirects(&self) -> Vec<Location> {
        self.redirects.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Every document of a kind that can be read, by name.
fn all<T: DeserializeOwned>(shard: &Shard, prefix: &str) -> Vec<(String, T)> {
    let read = |(key, value): (&str, &Bytes)| match serde_json::from_slice(value) {
        Ok(read) => Some((key.get(prefix.len()..)?.to_owned(), read)),
        Err(error) => {
            tracing::error!(event = event::RULES_SKIPPED, key, %error, "a definition is passed over");
            None
        }
    };
    shard.documents(prefix).filter_map(read).collect()
}

/// One of them.
pub(crate) fn get<T: DeserializeOwned>(shard: &Shard, prefix: &str, name: &str) -> Option<T> {
    serde_json::from_slice(shard.document(&format!("{prefix}{name}"))?).ok()
}

/// Keeps one, if there is room for it.
pub(crate) fn put<T: Serialize>(shard: &mut Shard, prefix: &str, name: &str, value: &T) -> bool {
    let key = format!("{prefix}{name}");
    let is_new = shard.document(&key).is_none();
    if is_new && shard.documents(prefix).count() >= DEFINITIONS_MAX {
        return false;
    }
    let encoded = serde_json::to_vec(value);
    encoded.is_ok_and(|encoded| shard.put_document(&key, Some(Bytes::from(encoded))))
}

/// Forgets one; tells whether there was one.
pub(crate) fn remove(shard: &mut Shard, prefix: &str, name: &str) -> bool {
    let key = format!("{prefix}{name}");
    let known = shard.document(&key).is_some();
    shard.put_document(&key, None);
    known
}

/// The policies of operators, in the order in which they apply.
pub(crate) fn policies(shard: &Shard) -> Vec<Policy> {
    let mut found: Vec<Policy> =
        all(shard, POLICY).into_iter().map(|(name, rule)| Policy { name, rule }).collect();
    // Stable: those of one priority stay in the order of their names.
    found.sort_by_key(|policy| std::cmp::Reverse(policy.rule.priority));
    found
}

/// The routes of operators, by name.
pub(crate) fn routes(shard: &Shard) -> Vec<Route> {
    all(shard, ROUTE).into_iter().map(|(name, rule)| Route { name, rule }).collect()
}

/// The limits of users who have any.
pub(crate) fn limits(shard: &Shard) -> HashMap<String, Limits> {
    all(shard, LIMITS).into_iter().collect()
}

/// The tokens that are valid at this time, by number.
pub(crate) fn tokens(shard: &Shard, now: Timestamp) -> Vec<(String, StoredToken)> {
    let mut found: Vec<(String, StoredToken)> = all(shard, TOKEN);
    found.retain(|(_, token)| now.0 < token.expires_at_ms);
    found
}

/// Makes everything that is defined true.
pub(crate) fn apply(node: &Node, shard: &mut Shard, now: Timestamp) {
    let live = node.live();
    let given = policies(shard).into_iter().map(|policy| broker_policy(policy.rule));
    // The file's come behind, and then what is said of all.
    let given = given.chain(settings::shard(&live.config).policies).collect();
    shard.set_policies(now, given);
    shard.set_session_retention_ms(live.config.session.retention_ms);
    apply_routes(node, shard, &live);
    let limits = limits(shard);
    let sessions_max = limits.iter().filter(|(_, limits)| limits.sessions_max > 0);
    shard.set_sessions_max(
        sessions_max.map(|(user, limits)| (user.clone(), limits.sessions_max as usize)).collect(),
    );
    if node.auth.set_limits(limits) {
        node.limit_again();
    }
    apply_tokens(node, shard, now);
}

fn apply_routes(node: &Node, shard: &mut Shard, live: &Live) {
    let default_host = live.config.listen.hosts.first().cloned().unwrap_or_default();
    let (mut detours, mut redirects) = (Vec::new(), Vec::new());
    for Route { rule: RouteRule { kind, host, address, to, url }, .. } in routes(shard) {
        match kind {
            RouteKind::Alias | RouteKind::FanOut => {
                let host = if host.is_empty() { default_host.clone() } else { host };
                detours.push(Detour { host, address, to });
            }
            RouteKind::Redirect => {
                let place = url.parse().ok();
                let what = Located::Addresses(address);
                redirects.extend(place.map(|place| Location { what, place }));
            }
        }
    }
    shard.set_detours(detours);
    let mut known = node.rules.redirects.lock().unwrap_or_else(PoisonError::into_inner);
    if *known != redirects {
        node.set_live(Live::new(live.config.clone(), &redirects));
        *known = redirects;
    }
}

fn apply_tokens(node: &Node, shard: &mut Shard, now: Timestamp) {
    let over: Vec<String> = all::<StoredToken>(shard, TOKEN)
        .into_iter()
        .filter(|(_, token)| now.0 >= token.expires_at_ms)
        .map(|(id, _)| id)
        .collect();
    for id in over {
        remove(shard, TOKEN, &id);
    }
    node.auth.set_tokens(kept(tokens(shard, now)));
}

fn kept(tokens: Vec<(String, StoredToken)>) -> HashMap<String, Kept> {
    let kept = |(id, token): (String, StoredToken)| {
        let hash = data_encoding::HEXLOWER.decode(token.hash.as_bytes()).ok()?;
        let StoredToken { user, expires_at_ms, .. } = token;
        Some((id, Kept { user, expires_at_ms, hash: hash.try_into().ok()? }))
    };
    tokens.into_iter().filter_map(kept).collect()
}

/// A policy in the broker's words.
fn broker_policy(rule: PolicyRule) -> wharf_broker::Policy {
    wharf_broker::Policy {
        kind: broker_kind(rule.kind),
        pattern: rule.pattern,
        deliveries_max: rule.deliveries_max,
        dead_letter_address: rule.dead_letter_address,
        ttl_ms: rule.ttl_ms,
        messages_max: rule.messages_max,
        bytes_max: rule.bytes_max,
        overflow: match rule.overflow {
            Overflow::Reject => wharf_broker::Overflow::Reject,
            Overflow::DropOldest => wharf_broker::Overflow::DropOldest,
        },
    }
}

/// A kind in the broker's words.
pub(crate) fn broker_kind(kind: Kind) -> AddressKind {
    match kind {
        Kind::Queue => AddressKind::Queue,
        Kind::Topic => AddressKind::Topic,
    }
}
