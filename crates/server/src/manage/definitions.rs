//! Everything that is defined, at once: to take away, to compare, to make true.

use super::access::Rights;
use super::addresses::check_host;
use super::reply::Reply;
use super::request::Asked;
use super::rules::{check_policy, check_route};
use super::users::{self, broker_permissions, check_name};
use crate::auth::verifier;
use crate::node::Node;
use crate::rules::{self, LIMITS, POLICY, ROUTE, broker_kind};
use blake2::{Blake2s256, Digest};
use std::collections::BTreeSet;
use wharf_api::shapes::{
    AddressDefinition, Applied, Definitions, Kind, Policy, Route, UserDefinition,
};
use wharf_api::{Code, Problem};
use wharf_broker::{Shard, Timestamp};

/// The only version of the form.
const VERSION: u32 = 1;

/// Most addresses that are carried at once.
const ADDRESSES_MAX: usize = 200_000;

/// Everything that is defined now.
fn collect(shard: &Shard) -> Definitions {
    let limits = rules::limits(shard);
    let user = |(name, kept): (&str, &str)| UserDefinition {
        name: name.to_owned(),
        password_verifier: kept.to_owned(),
        permissions: users::shown_permissions(shard.user_permissions(name)),
        limits: limits.get(name).copied().unwrap_or_default(),
    };
    let mut addresses = Vec::new();
    for host in shard.host_names() {
        for name in shard.addresses_after(host, None).take(ADDRESSES_MAX) {
            let view = shard.address_view(host, name).filter(|it| !it.is_dynamic && !is_own(name));
            addresses.extend(view.map(|view| AddressDefinition {
                host: view.host,
                name: view.name,
                kind: if view.is_topic { Kind::Topic } else { Kind::Queue },
            }));
        }
    }
    let mut policies = rules::policies(shard);
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    Definitions {
        version: VERSION,
        users: shard.users().map(user).collect(),
        policies,
        routes: rules::routes(shard),
        addresses,
    }
}

/// What the broker makes for itself.
fn is_own(name: &str) -> bool {
    name.starts_with("wharf/")
}

fn etag(definitions: &Definitions) -> String {
    let encoded = serde_json::to_vec(definitions).unwrap_or_default();
    let hash = Blake2s256::digest(encoded);
    format!("\"{}\"", data_encoding::HEXLOWER.encode(&hash[..16]))
}

pub(super) async fn get(node: &Node) -> Result<Reply, Problem> {
    let definitions = node.ask(|shard, _| collect(shard)).await?;
    Ok(Reply::ok(&definitions)?.tagged(etag(&definitions)))
}

pub(super) async fn put(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let wanted: Definitions = asked.body()?;
    let applied = apply(node, asked, wanted, asked.flag("prune"), Vec::new()).await?;
    Reply::ok(&applied)
}

/// Makes definitions true, or says what would change.
pub(super) async fn apply(
    node: &Node,
    asked: &Asked,
    mut wanted: Definitions,
    prune: bool,
    skipped: Vec<String>,
) -> Result<Applied, Problem> {
    settle_hosts(&node.live().config.listen.hosts, &mut wanted);
    check(&node.live().config.listen.hosts, &wanted)?;
    // Who may write definitions has all areas in them in hand; a part of the rights is not enough.
    let rights = Rights::of(node, asked);
    let areas = [
        ("users", !wanted.users.is_empty() || prune),
        ("policies", !wanted.policies.is_empty() || prune),
        ("routes", !wanted.routes.is_empty() || prune),
    ];
    for (area, touched) in areas {
        if touched && !rights.may_manage(area) {
            return Err(super::access::denied(
                &asked.who.user,
                &format!("`manage` on wharf/{area}"),
            ));
        }
    }
    let (dry_run, if_match) = (asked.flag("dry_run"), asked.if_match.clone());
    let me = asked.who.user.clone();
    let work = move |shard: &mut Shard, now: Timestamp| {
        let before = collect(shard);
        if if_match.is_some_and(|tag| tag != "*" && tag != etag(&before)) {
            return Err(Problem::new(Code::Changed, "the definitions are not those of this ETag"));
        }
        let mut applied = compare(&before, &wanted, prune, &me);
        applied.skipped.extend(skipped);
        if !dry_run {
            make_true(shard, now, &before, &wanted, prune, &me);
        }
        Ok((applied, wanted.users))
    };
    let (applied, wanted_users) = node.change(work).await??;
    if !dry_run {
        for user in &wanted_users {
            let rules = broker_permissions(&user.permissions)?;
            node.auth.put_user(&user.name, &user.password_verifier, &rules);
        }
        for name in applied.removed.iter().filter_map(|line| line.strip_prefix("user ")) {
            users::forget(node, name);
        }
    }
    Ok(applied)
}

/// Whether a broker of these virtual hosts would take a file of definitions.
///
/// # Errors
/// What it would refuse.
pub(crate) fn check_text(hosts: &[String], text: &[u8]) -> Result<(), String> {
    let mut wanted = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    settle_hosts(hosts, &mut wanted);
    check(hosts, &wanted).map_err(|problem| problem.detail)
}

/// An address of no named host is of the first.
fn settle_hosts(hosts: &[String], wanted: &mut Definitions) {
    for address in wanted.addresses.iter_mut().filter(|address| address.host.is_empty()) {
        address.host.clone_from(hosts.first().unwrap_or(&String::new()));
    }
}

fn check(hosts: &[String], wanted: &Definitions) -> Result<(), Problem> {
    let wrong = |what: String| Err(Problem::new(Code::InvalidValue, what));
    if wanted.version != VERSION {
        return wrong(format!("version: expected {VERSION}"));
    }
    let mut seen = BTreeSet::new();
    for user in &wanted.users {
        check_name(&user.name)?;
        broker_permissions(&user.permissions)?;
        if !user.password_verifier.is_empty() && !verifier::is_verifier(&user.password_verifier) {
            return wrong(format!("user `{}`: password_verifier is none", user.name));
        }
        if !seen.insert(format!("user {}", user.name)) {
            return wrong(format!("user `{}` is there twice", user.name));
        }
    }
    wanted.policies.iter().try_for_each(check_policy)?;
    wanted.routes.iter().try_for_each(check_route)?;
    for address in &wanted.addresses {
        check_host(hosts, &address.host)?;
        let fits = (1..=1024).contains(&address.name.len())
            && !address.name.chars().any(char::is_control)
            && !is_own(&address.name)
            && !address.name.starts_with("xmpp:");
        if !fits {
            return wrong(format!("address `{}` cannot be had", address.name));
        }
    }
    let max = rules::DEFINITIONS_MAX;
    if wanted.policies.len().max(wanted.routes.len()) > max
        || wanted.addresses.len() > ADDRESSES_MAX
    {
        return wrong(format!("at most {max} policies and routes, {ADDRESSES_MAX} addresses"));
    }
    Ok(())
}

/// What would be new, otherwise or gone.
fn compare(before: &Definitions, wanted: &Definitions, prune: bool, me: &str) -> Applied {
    let mut applied = Applied::default();
    let user = |it: &UserDefinition| format!("user {}", it.name);
    let policy = |it: &Policy| format!("policy {}", it.name);
    let route = |it: &Route| format!("route {}", it.name);
    let address = |it: &AddressDefinition| format!("address {} {}", it.host, it.name);
    compare_kind(&before.users, &wanted.users, user, &mut applied, prune);
    compare_kind(&before.policies, &wanted.policies, policy, &mut applied, prune);
    compare_kind(&before.routes, &wanted.routes, route, &mut applied, prune);
    // What an address is does not change; it may have messages, so that pruning leaves it.
    let mut addresses = Applied::default();
    compare_kind(&before.addresses, &wanted.addresses, address, &mut addresses, false);
    applied.created.extend(addresses.created);
    let kept = addresses.changed.into_iter();
    applied.skipped.extend(kept.map(|line| format!("{line}: it is of another kind, and stays so")));
    let myself = format!("user {me}");
    applied.removed.retain(|line| *line != myself);
    applied
}

fn compare_kind<T: PartialEq>(
    before: &[T],
    wanted: &[T],
    name: impl Fn(&T) -> String,
    applied: &mut Applied,
    prune: bool,
) {
    use std::collections::BTreeMap;
    let known: BTreeMap<String, &T> = before.iter().map(|it| (name(it), it)).collect();
    let mut named = BTreeSet::new();
    for item in wanted {
        let line = name(item);
        match known.get(&line) {
            None => applied.created.push(line.clone()),
            Some(known) if **known != *item => applied.changed.push(line.clone()),
            Some(_) => {}
        }
        named.insert(line);
    }
    if prune {
        applied.removed.extend(known.into_keys().filter(|line| !named.contains(line)));
    }
}

fn make_true(
    shard: &mut Shard,
    now: Timestamp,
    before: &Definitions,
    wanted: &Definitions,
    prune: bool,
    me: &str,
) {
    for user in &wanted.users {
        if before.users.contains(user) {
            continue;
        }
        let permissions = broker_permissions(&user.permissions).unwrap_or_default();
        let verifier = user.password_verifier.clone();
        users::define(shard, now, &user.name, verifier, permissions, user.limits);
    }
    for Policy { name, rule } in &wanted.policies {
        rules::put(shard, POLICY, name, rule);
    }
    for Route { name, rule } in &wanted.routes {
        rules::put(shard, ROUTE, name, rule);
    }
    for address in &wanted.addresses {
        // One of another kind stays what it is, and is told as skipped.
        let _ =
            shard.declare_address(&address.host, &address.name, Some(broker_kind(address.kind)));
    }
    if !prune {
        return;
    }
    for user in &before.users {
        if user.name != me && !wanted.users.iter().any(|it| it.name == user.name) {
            users::remove(shard, now, &user.name);
            rules::remove(shard, LIMITS, &user.name);
        }
    }
    for policy in &before.policies {
        if !wanted.policies.iter().any(|it| it.name == policy.name) {
            rules::remove(shard, POLICY, &policy.name);
        }
    }
    for route in &before.routes {
        if !wanted.routes.iter().any(|it| it.name == route.name) {
            rules::remove(shard, ROUTE, &route.name);
        }
    }
}
