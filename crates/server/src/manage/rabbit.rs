//! Definitions of RabbitMQ, as its management plugin exports them: users, permissions, queues and
//! policies, as far as they have a counterpart. What has none is named, never dropped silently.
//!
//! Passwords do not come along: RabbitMQ keeps a salted hash that no other program can check a SCRAM
//! proof against. Such users come by name, and log in when they are given a password.

use super::definitions;
use super::reply::Reply;
use super::request::Asked;
use crate::node::Node;
use serde_json::Value;
use wharf_api::shapes::{
    AddressDefinition, Applied, Definitions, Kind, Limits, Overflow, Permission, Policy,
    PolicyRule, RabbitDefinitions, UserDefinition,
};
use wharf_api::{Code, Problem};

pub(super) async fn import(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let RabbitDefinitions(value) = asked.body()?;
    if !value.is_object() {
        let what = "expected the object that RabbitMQ exports as its definitions";
        return Err(Problem::new(Code::InvalidValue, what));
    }
    let hosts = node.live().config.listen.hosts.clone();
    let (mut wanted, skipped) = translate(&value, &hosts);
    keep_passwords(node, &mut wanted).await?;
    let applied: Applied = definitions::apply(node, asked, wanted, false, skipped).await?;
    Reply::ok(&applied)
}

/// Users who are here already keep their passwords and limits.
async fn keep_passwords(node: &Node, wanted: &mut Definitions) -> Result<(), Problem> {
    let names: Vec<String> = wanted.users.iter().map(|user| user.name.clone()).collect();
    let kept = node.ask(move |shard, _| {
        let of = |name: &String| {
            let limits = crate::rules::get::<Limits>(shard, crate::rules::LIMITS, name);
            (shard.user_verifier(name).unwrap_or_default().to_owned(), limits.unwrap_or_default())
        };
        names.iter().map(of).collect::<Vec<_>>()
    });
    for (user, (verifier, limits)) in wanted.users.iter_mut().zip(kept.await?) {
        (user.password_verifier, user.limits) = (verifier, limits);
    }
    Ok(())
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// In our words, and what has none.
fn translate(value: &Value, hosts: &[String]) -> (Definitions, Vec<String>) {
    let mut skipped = Vec::new();
    let users = list(value, "users").iter().map(|user| user_of(user, value, hosts, &mut skipped));
    let users = users.filter(|user| !user.name.is_empty()).collect();
    let mut addresses = Vec::new();
    for queue in list(value, "queues") {
        let name = text(queue, "name");
        match host_of(text(queue, "vhost"), hosts) {
            Some(host) if !name.is_empty() => {
                let (host, name) = (host.to_owned(), name.to_owned());
                skipped.extend(arguments_of(queue, &name));
                addresses.push(AddressDefinition { host, name, kind: Kind::Queue });
            }
            _ => skipped.push(format!("queue {name}: {}", no_host(text(queue, "vhost")))),
        }
    }
    let policies = list(value, "policies");
    let policies = policies.iter().filter_map(|it| policy_of(it, hosts, &mut skipped));
    let policies = policies.collect();
    for kind in ["exchanges", "bindings", "topic_permissions", "parameters"] {
        for item in list(value, kind) {
            let name = format!("{} {}", text(item, "name"), text(item, "source"));
            let what = "has no counterpart; see routes and topics";
            skipped.push(format!("{kind} {}: {what}", name.trim()));
        }
    }
    (Definitions { version: 1, users, policies, routes: Vec::new(), addresses }, skipped)
}

/// What a queue was declared with and has not here. Every queue is durable and replicated to nobody,
/// whatever its type was, unless that is a log.
fn arguments_of(queue: &Value, name: &str) -> Vec<String> {
    let given = queue.get("arguments").and_then(Value::as_object).into_iter().flatten();
    let lost = given.filter(|(key, value)| {
        key.as_str() != "x-queue-type" || !matches!(value.as_str(), Some("classic" | "quorum"))
    });
    lost.map(|(key, value)| format!("queue {name}: argument `{key}` = {value}; make a policy"))
        .collect()
}

/// A virtual host of ours: `/` is the first one, every other one of the same name.
fn host_of<'h>(vhost: &str, hosts: &'h [String]) -> Option<&'h str> {
    let found = if matches!(vhost, "/" | "") {
        hosts.first()
    } else {
        hosts.iter().find(|host| *host == vhost)
    };
    found.map(String::as_str)
}

fn no_host(vhost: &str) -> String {
    format!("no virtual host `{vhost}`; add it to listen.hosts")
}

fn user_of(
    user: &Value,
    all: &Value,
    hosts: &[String],
    skipped: &mut Vec<String>,
) -> UserDefinition {
    let name = text(user, "name");
    let tags = user.get("tags");
    let is_tagged = |tag: &str| match tags {
        Some(Value::String(tags)) => tags.split(',').any(|it| it.trim() == tag),
        Some(Value::Array(tags)) => tags.iter().any(|it| it.as_str() == Some(tag)),
        _ => false,
    };
    let mut permissions = Vec::new();
    if is_tagged("administrator") {
        let pattern = "wharf/**".to_owned();
        permissions.push(Permission {
            pattern,
            receive: true,
            manage: true,
            ..Permission::default()
        });
    } else if is_tagged("monitoring") || is_tagged("management") {
        let pattern = "wharf/**".to_owned();
        permissions.push(Permission { pattern, receive: true, ..Permission::default() });
    }
    for rule in list(all, "permissions").iter().filter(|rule| text(rule, "user") == name) {
        let Some(host) = host_of(text(rule, "vhost"), hosts) else {
            skipped.push(format!("permission of {name}: {}", no_host(text(rule, "vhost"))));
            continue;
        };
        for (right, regex) in ["write", "read", "configure"].map(|it| (it, text(rule, it))) {
            let Some(pattern) = pattern_of(regex) else {
                if !matches!(regex, "" | "^$") {
                    skipped.push(format!(
                        "permission of {name}: `{right}` = `{regex}` is no pattern of ours"
                    ));
                }
                continue;
            };
            let host = host.to_owned();
            permissions.push(Permission {
                host,
                pattern,
                send: right == "write",
                receive: right == "read",
                manage: right == "configure",
            });
        }
    }
    if !text(user, "password_hash").is_empty() {
        skipped.push(format!("password of {name}: set a new one with `wharf user put {name}`"));
    }
    let limits = Limits::default();
    UserDefinition {
        name: name.to_owned(),
        password_verifier: String::new(),
        permissions: merge(permissions),
        limits,
    }
}

/// Rules of one host and pattern become one.
fn merge(rules: Vec<Permission>) -> Vec<Permission> {
    let mut merged: Vec<Permission> = Vec::new();
    for rule in rules {
        match merged.iter_mut().find(|it| it.host == rule.host && it.pattern == rule.pattern) {
            Some(known) => {
                known.send |= rule.send;
                known.receive |= rule.receive;
                known.manage |= rule.manage;
            }
            None => merged.push(rule),
        }
    }
    merged
}

/// The pattern that matches what a regular expression does, where there is one: everything, a
/// beginning, or one name.
fn pattern_of(regex: &str) -> Option<String> {
    let inner = regex.strip_prefix('^').unwrap_or(regex);
    let anchored = inner.len() < regex.len();
    if matches!(inner, ".*" | ".*$") {
        return Some("**".to_owned());
    }
    let (literal, open) = match inner.strip_suffix(".*").or_else(|| inner.strip_suffix(".*$")) {
        Some(literal) => (literal, true),
        None => match inner.strip_suffix('$') {
            Some(literal) => (literal, false),
            None => (inner, true),
        },
    };
    let mut plain = String::new();
    let mut chars = literal.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => plain.push(chars.next().filter(|it| !it.is_ascii_alphanumeric())?),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => {
                return None;
            }
            _ => plain.push(char),
        }
    }
    if plain.is_empty() || plain.contains('*') {
        return None;
    }
    let (before, after) = (if anchored { "" } else { "**" }, if open { "**" } else { "" });
    Some(format!("{before}{plain}{after}"))
}

fn policy_of(policy: &Value, hosts: &[String], skipped: &mut Vec<String>) -> Option<Policy> {
    let (name, vhost) = (text(policy, "name"), text(policy, "vhost"));
    if host_of(vhost, hosts).is_none() {
        skipped.push(format!("policy {name}: {}", no_host(vhost)));
        return None;
    }
    if hosts.len() > 1 {
        skipped.push(format!("policy {name}: was of `{vhost}` alone; here it is of every host"));
    }
    let Some(pattern) = pattern_of(text(policy, "pattern")) else {
        skipped.push(format!("policy {name}: `{}` is no pattern of ours", text(policy, "pattern")));
        return None;
    };
    if text(policy, "apply-to") == "exchanges" {
        skipped.push(format!("policy {name}: it is for exchanges"));
        return None;
    }
    let mut rule: PolicyRule =
        serde_json::from_value(serde_json::json!({ "pattern": pattern })).ok()?;
    // What RabbitMQ does where nothing is said.
    rule.overflow = Overflow::DropOldest;
    rule.priority = policy.get("priority").and_then(Value::as_i64).unwrap_or(0) as i32;
    let definition = policy.get("definition").and_then(Value::as_object);
    for (key, value) in definition.into_iter().flatten() {
        let number = value.as_u64();
        match (key.as_str(), number, value.as_str()) {
            ("message-ttl", Some(ms), _) => rule.ttl_ms = ms,
            ("max-length", Some(count), _) => rule.messages_max = count,
            ("max-length-bytes", Some(bytes), _) => rule.bytes_max = bytes,
            ("delivery-limit", Some(count), _) => {
                rule.deliveries_max = u16::try_from(count).unwrap_or(u16::MAX);
            }
            ("overflow", _, Some("drop-head")) => rule.overflow = Overflow::DropOldest,
            ("overflow", _, Some(_)) => rule.overflow = Overflow::Reject,
            ("dead-letter-routing-key", _, Some(address)) => {
                address.clone_into(&mut rule.dead_letter_address);
            }
            _ => skipped.push(format!("policy {name}: `{key}` has no counterpart")),
        }
    }
    Some(Policy { name: name.to_owned(), rule })
}

#[cfg(test)]
mod tests {
    use super::{Overflow, pattern_of, translate};
    use serde_json::json;

    #[test]
    fn regular_expressions_that_are_patterns() {
        for (regex, pattern) in [
            (".*", Some("**")),
            ("^.*$", Some("**")),
            ("^orders$", Some("orders")),
            ("^orders\\.", Some("orders.**")),
            ("^orders.*", Some("orders**")),
            ("orders", Some("**orders**")),
            ("^(a|b)$", None),
            ("^a[0-9]$", None),
            ("^a\\d$", None),
            ("^$", None),
            ("", None),
        ] {
            assert_eq!(pattern_of(regex).as_deref(), pattern, "{regex}");
        }
    }

    #[test]
    fn what_rabbitmq_exports() {
        let exported = json!({
            "users": [
                { "name": "guest", "password_hash": "x", "tags": ["administrator"] },
                { "name": "app", "password_hash": "", "tags": "" },
            ],
            "permissions": [
                { "user": "app", "vhost": "/", "configure": "^$", "write": "^orders", "read": ".*" },
                { "user": "app", "vhost": "other", "configure": "", "write": "", "read": ".*" },
            ],
            "queues": [
                { "name": "orders", "vhost": "/", "arguments": { "x-queue-type": "quorum", "x-message-ttl": 7 } },
                { "name": "x", "vhost": "other" },
            ],
            "exchanges": [{ "name": "logs", "vhost": "/" }],
            "policies": [{
                "name": "ttl", "vhost": "/", "pattern": "^orders", "apply-to": "queues", "priority": 3,
                "definition": { "message-ttl": 1000, "max-length": 5, "ha-mode": "all" },
            }, {
                "name": "elsewhere", "vhost": "other", "pattern": ".*", "definition": { "message-ttl": 1 },
            }],
        });
        let (wanted, skipped) = translate(&exported, &["localhost".to_owned()]);
        assert_eq!(wanted.users.len(), 2);
        let app = &wanted.users[1].permissions;
        assert_eq!((app[0].pattern.as_str(), app[0].send), ("orders**", true));
        assert_eq!((app[1].pattern.as_str(), app[1].receive), ("**", true));
        assert_eq!(wanted.addresses.len(), 1);
        let rule = &wanted.policies[0].rule;
        assert_eq!((rule.ttl_ms, rule.messages_max, rule.priority), (1000, 5, 3));
        assert_eq!((rule.overflow, wanted.policies.len()), (Overflow::DropOldest, 1));
        assert_eq!(skipped.len(), 7, "{skipped:?}");
        let says = |what: &str| skipped.iter().any(|line| line.contains(what));
        assert!(says("queue orders: argument `x-message-ttl` = 7"), "{skipped:?}");
        assert!(says("policy elsewhere: no virtual host `other`"), "{skipped:?}");
    }
}
