//! Policies and routes.

use super::reply::{Reply, no_such, page_by_number, page_of};
use super::request::Asked;
use super::users::full;
use crate::config::{OverflowRule, PolicyKind};
use crate::node::Node;
use crate::rules::{self, POLICY, ROUTE};
use wharf_api::shapes::{Kind, Overflow, Policy, PolicyRule, Route, RouteKind, RouteRule};
use wharf_api::{Code, Problem};
use wharf_broker::{OWN_PREFIX, PERSON_PREFIX, SYSTEM_PREFIX};
use wharf_gateway::Place;

/// Targets of one route.
const TARGETS_MAX: usize = 64;

/// Longest pattern or address.
const NAME_MAX_BYTES: usize = 1024;

/// What the names of the configuration file's policies begin with.
const OF_FILE: &str = "file:";

async fn all(node: &Node) -> Result<Vec<Policy>, Problem> {
    let mut policies = node.ask(|shard, _| rules::policies(shard)).await?;
    let of_file = node.live().config.policies.clone().into_iter().enumerate();
    policies.extend(of_file.map(|(at, rule)| Policy {
        name: format!("{OF_FILE}{at}"),
        rule: PolicyRule {
            pattern: rule.pattern,
            kind: match rule.kind {
                PolicyKind::Queue => Kind::Queue,
                PolicyKind::Topic => Kind::Topic,
            },
            priority: i32::MIN,
            deliveries_max: rule.deliveries_max,
            dead_letter_address: rule.dead_letter_address,
            ttl_ms: rule.ttl_ms,
            messages_max: rule.messages_max,
            bytes_max: rule.bytes_max,
            overflow: match rule.overflow {
                OverflowRule::Reject => Overflow::Reject,
                OverflowRule::DropOldest => Overflow::DropOldest,
            },
        },
    }));
    Ok(policies)
}

pub(super) async fn list_policies(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    page_by_number(all(node).await?, asked.query("cursor"), asked.limit())
}

pub(super) async fn get_policy(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let found = all(node).await?.into_iter().find(|policy| policy.name == asked.name());
    Reply::ok(&found.ok_or_else(|| no_such("policy", asked.name()))?)
}

pub(super) async fn put_policy(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let policy = Policy { name: asked.name().to_owned(), rule: asked.body()? };
    check_policy(&policy)?;
    let stored = policy.clone();
    let put = node.change(move |shard, _| rules::put(shard, POLICY, &stored.name, &stored.rule));
    if put.await? { Reply::ok(&policy) } else { Err(full()) }
}

/// Whether this can be a policy.
pub(super) fn check_policy(policy: &Policy) -> Result<(), Problem> {
    check_name(&policy.name)?;
    if policy.name.starts_with(OF_FILE) {
        let what = format!("names that begin with {OF_FILE} are those of the configuration file");
        return Err(Problem::new(Code::InvalidValue, what));
    }
    check_text("pattern", &policy.rule.pattern)?;
    let dead = &policy.rule.dead_letter_address;
    if dead.is_empty() { Ok(()) } else { check_text("dead_letter_address", dead) }
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=255).contains(&name.len()) && !name.chars().any(char::is_control);
    let what = "a name has 1 to 255 bytes and no control character";
    if fits { Ok(()) } else { Err(Problem::new(Code::InvalidValue, what)) }
}

fn check_text(what: &str, text: &str) -> Result<(), Problem> {
    let fits = (1..=NAME_MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    let what = format!("{what}: expected 1 to {NAME_MAX_BYTES} bytes without control characters");
    if fits { Ok(()) } else { Err(Problem::new(Code::InvalidValue, what)) }
}

pub(super) async fn delete_policy(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    delete(node, asked, POLICY, "policy").await
}

pub(super) async fn list_routes(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let routes = node.ask(|shard, _| rules::routes(shard)).await?;
    page_of(routes, asked.query("cursor"), asked.limit(), |route: &Route| route.name.clone())
}

pub(super) async fn get_route(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let name = asked.name().to_owned();
    let rule = node.ask(move |shard, _| rules::get::<RouteRule>(shard, ROUTE, &name)).await?;
    let rule = rule.ok_or_else(|| no_such("route", asked.name()))?;
    Reply::ok(&Route { name: asked.name().to_owned(), rule })
}

pub(super) async fn put_route(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let route = Route { name: asked.name().to_owned(), rule: asked.body()? };
    check_route(&route)?;
    if !route.rule.host.is_empty() {
        super::addresses::check_host(&node.live().config.listen.hosts, &route.rule.host)?;
    }
    let stored = route.clone();
    let put = node.change(move |shard, _| rules::put(shard, ROUTE, &stored.name, &stored.rule));
    if put.await? { Reply::ok(&route) } else { Err(full()) }
}

/// Whether this can be a route.
pub(super) fn check_route(route: &Route) -> Result<(), Problem> {
    check_name(&route.name)?;
    let RouteRule { kind, host, address, to, url } = &route.rule;
    check_text("address", address)?;
    let wrong = |what: &str| Err(Problem::new(Code::InvalidValue, what));
    if host.len() > 255 || host.chars().any(char::is_control) {
        return wrong("host: at most 255 bytes without control characters");
    }
    let is_own = |name: &str| {
        [OWN_PREFIX, SYSTEM_PREFIX, PERSON_PREFIX].iter().any(|own| name.starts_with(own))
    };
    if to.iter().any(|target| is_own(target)) || (*kind != RouteKind::Redirect && is_own(address)) {
        return wrong("addresses that begin with wharf/, $wharf/ or xmpp: are the broker's own");
    }
    for target in to {
        check_text("to", target)?;
        if target == address && to.len() == 1 {
            return wrong("to: an address is no other name of itself");
        }
    }
    match kind {
        RouteKind::Alias if to.len() != 1 => wrong("an alias stands `to` one address"),
        RouteKind::FanOut if to.is_empty() || to.len() > TARGETS_MAX => {
            wrong("a fan-out sends `to` 1 to 64 addresses")
        }
        RouteKind::Alias | RouteKind::FanOut if !url.is_empty() => {
            wrong("only a redirect has a `url`")
        }
        RouteKind::Redirect if !to.is_empty() => {
            wrong("a redirect has a `url`, and nothing in `to`")
        }
        RouteKind::Redirect => match url.parse::<Place>() {
            Ok(_) => Ok(()),
            Err(problem) => wrong(&format!("url: {problem}")),
        },
        RouteKind::Alias | RouteKind::FanOut => Ok(()),
    }
}

pub(super) async fn delete_route(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    delete(node, asked, ROUTE, "route").await
}

async fn delete(
    node: &Node,
    asked: &Asked,
    prefix: &'static str,
    kind: &str,
) -> Result<Reply, Problem> {
    let name = asked.name().to_owned();
    let removed = node.change(move |shard, _| rules::remove(shard, prefix, &name)).await?;
    if removed { Ok(Reply::done()) } else { Err(no_such(kind, asked.name())) }
}
