//! Users: what there is of them, and changing them.

use super::reply::{Reply, no_such, page_of};
use super::request::Asked;
use crate::auth::verifier;
use crate::log::event;
use crate::node::Node;
use crate::rules::{self, LIMITS};
use wharf_api::shapes::{Limits, User, UserChange, UserPermission};
use wharf_api::{Code, Problem, shapes};
use wharf_broker::{Definition, Input, Permission, Shard, Timestamp};
use wharf_gateway::Mechanism;

/// Rules one user may have.
const PERMISSIONS_MAX: usize = 256;

pub(super) async fn list(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let users = node.ask(|shard, _| all(shard)).await?;
    page_of(users, asked.query("cursor"), asked.limit(), |user| user.name.clone())
}

pub(super) async fn permissions(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let users = node.ask(|shard, _| all(shard)).await?;
    let mut rules = Vec::new();
    for user in users {
        let of_user = user.permissions.into_iter();
        rules.extend(
            of_user.map(|permission| UserPermission { user: user.name.clone(), permission }),
        );
    }
    super::reply::page_by_number(rules, asked.query("cursor"), asked.limit())
}

fn all(shard: &mut Shard) -> Vec<User> {
    let limits = rules::limits(shard);
    let users = shard.users().map(|(name, verifier)| {
        view(name, verifier, shard.user_permissions(name), limits.get(name).copied())
    });
    users.collect()
}

fn view(name: &str, kept: &str, rules: &[Permission], limits: Option<Limits>) -> User {
    let hashes = verifier::scram_keys(kept);
    User {
        name: name.to_owned(),
        permissions: shown_permissions(rules),
        limits: limits.unwrap_or_default(),
        scram: hashes.iter().map(|keys| Mechanism::Scram(keys.hash()).to_string()).collect(),
        has_password: !kept.is_empty(),
    }
}

fn one(shard: &Shard, name: &str) -> Option<User> {
    let kept = shard.user_verifier(name)?;
    let limits = rules::get(shard, LIMITS, name);
    Some(view(name, kept, shard.user_permissions(name), limits))
}

pub(super) async fn get(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let name = asked.name().to_owned();
    let user = node.ask(move |shard, _| one(shard, &name)).await?;
    Reply::ok(&user.ok_or_else(|| no_such("user", asked.name()))?)
}

pub(super) async fn put(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let name = asked.name().to_owned();
    let change: UserChange = asked.body()?;
    check_name(&name)?;
    let permissions = broker_permissions(&change.permissions)?;
    let given = verifier_of(node, change.password, change.password_verifier).await?;
    let limits = change.limits;
    let defined = name.clone();
    let put = node.change(move |shard, now| {
        let kept = given.or_else(|| shard.user_verifier(&defined).map(str::to_owned));
        define(shard, now, &defined, kept.unwrap_or_default(), permissions, limits)
            .then(|| after(shard, &defined))
    });
    let (user, kept, rules) = put.await?.ok_or_else(full)?;
    node.auth.put_user(&name, &kept, &rules);
    tracing::info!(event = event::USER_PUT, name, "user defined");
    Reply::ok(&user)
}

/// What the rest of the broker must know of a user who was changed.
fn after(shard: &Shard, name: &str) -> (User, String, Vec<Permission>) {
    let kept = shard.user_verifier(name).unwrap_or_default().to_owned();
    let user = one(shard, name).unwrap_or_default();
    (user, kept, shard.user_permissions(name).to_vec())
}

/// Too much is defined.
pub(super) fn full() -> Problem {
    let max = rules::DEFINITIONS_MAX;
    Problem::new(Code::Conflict, format!("there are {max} of these already, or it is too long"))
}

/// Makes a user so. `false`: there is no room for its limits.
pub(super) fn define(
    shard: &mut Shard,
    now: Timestamp,
    name: &str,
    verifier: String,
    permissions: Vec<Permission>,
    limits: Limits,
) -> bool {
    if limits == Limits::default() {
        rules::remove(shard, LIMITS, name);
    } else if !rules::put(shard, LIMITS, name, &limits) {
        return false;
    }
    let name = name.to_owned();
    shard.handle(now, Input::Define(Definition::PutUser { name, verifier, permissions }));
    true
}

async fn verifier_of(
    node: &Node,
    password: Option<String>,
    given: Option<String>,
) -> Result<Option<String>, Problem> {
    let wrong = |what: &str| Err(Problem::new(Code::InvalidValue, what));
    match (password, given) {
        (Some(_), Some(_)) => wrong("either password or password_verifier"),
        (Some(password), None) if password.is_empty() || password.len() > 1024 => {
            wrong("password: expected 1 to 1024 bytes")
        }
        (Some(password), None) => {
            let made = node.auth.verifier_of(password).await;
            made.map(Some).map_err(|error| Problem::new(Code::Unavailable, error))
        }
        (None, Some(given)) if !verifier::is_verifier(&given) => {
            wrong("password_verifier: not what `wharf passwd hash` prints")
        }
        (None, given) => Ok(given),
    }
}

pub(super) async fn delete(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let name = asked.name().to_owned();
    if name == asked.who.user {
        let what = "nobody removes the user that one is logged in as";
        return Err(Problem::new(Code::Conflict, what));
    }
    let removed = node.change(move |shard, now| remove(shard, now, &name));
    if !removed.await? {
        return Err(no_such("user", asked.name()));
    }
    forget(node, asked.name());
    Ok(Reply::done())
}

/// Removes a user in the shard; tells whether there was one.
pub(super) fn remove(shard: &mut Shard, now: Timestamp, name: &str) -> bool {
    if !shard.has_user(name) {
        return false;
    }
    let tokens = rules::tokens(shard, now);
    for (id, _) in tokens.iter().filter(|(_, token)| token.user == name) {
        rules::remove(shard, rules::TOKEN, id);
    }
    rules::remove(shard, LIMITS, name);
    shard.handle(now, Input::Define(Definition::RemoveUser { name: name.to_owned() }));
    true
}

/// A user was removed: who is logged in as that user is not any more.
pub(super) fn forget(node: &Node, name: &str) {
    node.auth.remove_user(name);
    for outbox in node.connections.outboxes(|login| login.user == name) {
        outbox.drain(crate::node::CLOSE_POLICY);
    }
    tracing::info!(event = event::USER_REMOVED, name, "user removed");
}

/// Whether this can be a login name.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=255).contains(&name.len())
        && !name.contains([':', '/'])
        && !name.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    let what = "a login name has 1 to 255 bytes, no colon, no slash and no control character";
    Err(Problem::new(Code::InvalidValue, what))
}

/// Rules in the words of the API.
pub(super) fn shown_permissions(rules: &[Permission]) -> Vec<shapes::Permission> {
    let shown = |rule: &Permission| shapes::Permission {
        host: rule.host.clone(),
        pattern: rule.pattern.clone(),
        send: rule.send,
        receive: rule.receive,
        manage: rule.manage,
    };
    rules.iter().map(shown).collect()
}

/// Rules in the broker's words.
pub(super) fn broker_permissions(rules: &[shapes::Permission]) -> Result<Vec<Permission>, Problem> {
    let fits = |rule: &shapes::Permission| {
        (1..=1024).contains(&rule.pattern.len())
            && rule.host.len() <= 255
            && !rule.pattern.chars().chain(rule.host.chars()).any(char::is_control)
    };
    if rules.len() > PERMISSIONS_MAX || !rules.iter().all(fits) {
        let what = format!(
            "permissions: at most {PERMISSIONS_MAX} rules; a pattern has 1 to 1024 bytes and no \
             control character"
        );
        return Err(Problem::new(Code::InvalidValue, what));
    }
    let rule = |rule: &shapes::Permission| Permission {
        host: rule.host.clone(),
        pattern: rule.pattern.clone(),
        send: rule.send,
        receive: rule.receive,
        manage: rule.manage,
    };
    Ok(rules.iter().map(rule).collect())
}
