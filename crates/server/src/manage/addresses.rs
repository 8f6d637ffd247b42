//! Addresses: lists, one of them, declaring and deleting, subscriptions.

use super::access::{Rights, host_of};
use super::reply::{Reply, bad_cursor, no_such, number, page_by_number};
use super::request::Asked;
use crate::net::registry::Login;
use crate::node::{Node, Unanswered};
use crate::rules::broker_kind;
use std::sync::Arc;
use wharf_api::shapes::{Address, AddressDeclaration, Kind, Page, Subscription};
use wharf_api::{Code, Problem};
use wharf_broker::{AddressCounts, AddressView, QueueView, Refusal, Shard, matches_pattern};

/// Addresses looked at while the shard does nothing else: a fraction of a millisecond.
const LOOKED_AT_MAX: usize = 1000;

/// Which addresses are wanted.
#[derive(Clone, Debug)]
struct Filter {
    host: String,
    pattern: Option<String>,
    kind: Option<Kind>,
    rights: Rights,
}

impl Filter {
    fn takes(&self, name: &str) -> bool {
        self.pattern.as_deref().is_none_or(|pattern| matches_pattern(pattern, name))
            && self.rights.may_look_into(&self.host, name)
    }

    fn takes_kind(&self, is_topic: bool) -> bool {
        self.kind.is_none_or(|kind| (kind == Kind::Topic) == is_topic)
    }
}

/// A part of the addresses of a host.
struct Part {
    found: Vec<Address>,
    /// The last name looked at, if there are more.
    last: Option<String>,
}

pub(super) async fn list(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let filter = Filter {
        host: host_of(node, asked),
        pattern: asked.query("pattern").map(str::to_owned),
        kind: asked.query("kind").map(|kind| match kind {
            "topic" => Kind::Topic,
            _ => Kind::Queue,
        }),
        rights: Rights::of(node, asked),
    };
    let descending = asked.query("order") == Some("desc");
    match asked.query("sort") {
        Some(by) if by != "name" || descending => sorted(node, asked, filter, by, descending).await,
        None if descending => sorted(node, asked, filter, "name", true).await,
        _ => by_name(node, asked, filter).await,
    }
}

/// A page in the order of names: no more is looked at than is needed for it.
async fn by_name(node: &Node, asked: &Asked, filter: Filter) -> Result<Reply, Problem> {
    let limit = asked.limit();
    let mut items = Vec::new();
    let mut after = asked.query("cursor").map(str::to_owned);
    loop {
        let left = limit - items.len();
        let Part { found, last } = part(node, filter.clone(), after, left).await?;
        items.extend(found);
        after = last;
        if after.is_none() || items.len() >= limit {
            return Reply::ok(&Page { items, next: after });
        }
    }
}

/// A page in another order, for which all must be looked at; in parts, so that nobody waits.
async fn sorted(
    node: &Node,
    asked: &Asked,
    filter: Filter,
    by: &str,
    descending: bool,
) -> Result<Reply, Problem> {
    let passed = match asked.query("cursor") {
        None => 0,
        Some(cursor) => number(cursor).ok_or_else(bad_cursor)?,
    };
    let passed = usize::try_from(passed).unwrap_or(usize::MAX);
    let (host, limit) = (filter.host.clone(), asked.limit());
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let (found, last) = keys(node, filter.clone(), by_of(by), after).await?;
        all.extend(found);
        after = last;
        if after.is_none() {
            break;
        }
    }
    let needed = passed.saturating_add(limit);
    let next = (all.len() > needed).then(|| needed.to_string());
    let names = page_of(all, descending, passed, limit);
    let views = node.ask(move |shard, _| {
        let view = |name: &Arc<str>| shard.address_view(&host, name).map(shown);
        names.iter().filter_map(view).collect()
    });
    Reply::ok(&Page::<Address> { items: views.await?, next })
}

/// An address by what it is sorted by; those that are equal are in the order of their names.
type Key = (u64, Arc<str>);

fn by_of(by: &str) -> fn(&AddressCounts) -> u64 {
    match by {
        "messages_ready" => |it| it.messages_ready,
        "messages_out" => |it| it.messages_out,
        "messages_bytes" => |it| it.messages_bytes,
        "consumers" => |it| it.consumers,
        _ => |_| 0,
    }
}

/// The names of a page: no more is put in order than is needed for it.
fn page_of(mut all: Vec<Key>, descending: bool, passed: usize, limit: usize) -> Vec<Arc<str>> {
    let order = |one: &Key, other: &Key| {
        if descending { other.cmp(one) } else { one.cmp(other) }
    };
    let needed = passed.saturating_add(limit);
    if needed < all.len() {
        all.select_nth_unstable_by(needed, order);
        all.truncate(needed);
    }
    all.sort_unstable_by(order);
    all.into_iter().skip(passed).map(|(_, name)| name).collect()
}

/// What a part of the addresses is sorted by, and the last name looked at, if there are more.
async fn keys(
    node: &Node,
    filter: Filter,
    by: fn(&AddressCounts) -> u64,
    after: Option<Arc<str>>,
) -> Result<(Vec<Key>, Option<Arc<str>>), Unanswered> {
    node.ask(move |shard, _| {
        let mut found = Vec::new();
        let mut last: Option<&Arc<str>> = None;
        let all = shard.counts_after(&filter.host, after.as_deref());
        for (looked_at, (name, counts)) in all.enumerate() {
            if looked_at >= LOOKED_AT_MAX {
                return (found, last.cloned());
            }
            last = Some(name);
            if filter.takes(name) && filter.takes_kind(counts.is_topic) {
                found.push((by(&counts), Arc::clone(name)));
            }
        }
        (found, None)
    })
    .await
}

async fn part(
    node: &Node,
    filter: Filter,
    after: Option<String>,
    limit: usize,
) -> Result<Part, Unanswered> {
    node.ask(move |shard, _| {
        let mut found = Vec::new();
        let mut last = None;
        let names = shard.addresses_after(&filter.host, after.as_deref());
        for (looked_at, name) in names.enumerate() {
            if looked_at >= LOOKED_AT_MAX || found.len() >= limit {
                return Part { found, last };
            }
            last = Some(name.to_owned());
            if filter.takes(name) {
                let view = shard.address_view(&filter.host, name);
                let wanted = |view: &AddressView| filter.takes_kind(view.is_topic);
                found.extend(view.filter(wanted).map(shown));
            }
        }
        Part { found, last: None }
    })
    .await
}

fn shown(view: AddressView) -> Address {
    Address {
        host: view.host,
        name: view.name,
        kind: if view.is_topic { Kind::Topic } else { Kind::Queue },
        dynamic: view.is_dynamic,
        subscriptions: view.subscriptions,
        messages_ready: view.messages_ready,
        messages_out: view.messages_out,
        messages_bytes: view.messages_bytes,
        consumers: view.consumers,
    }
}

/// A page of the metrics of addresses: `limit`, `cursor`, `host` and `pattern` are those of the list.
/// The next cursor is the last comment before the end.
pub(super) async fn metrics(node: &Node, who: Login, query: &str) -> Result<String, Problem> {
    let asked = Asked::of_list(who, query)?;
    let filter = Filter {
        host: host_of(node, &asked),
        pattern: asked.query("pattern").map(str::to_owned),
        kind: None,
        rights: Rights::of(node, &asked),
    };
    let host = filter.host.clone();
    let (mut items, mut after) = (Vec::new(), asked.query("cursor").map(str::to_owned));
    while items.len() < asked.limit() {
        let left = asked.limit() - items.len();
        let Part { found, last } = part(node, filter.clone(), after, left).await?;
        items.extend(found);
        after = last;
        if after.is_none() {
            break;
        }
    }
    let mut text = String::new();
    for (name, help, value) in OF_ADDRESS {
        text += &format!("# TYPE wharf_{name} gauge\n# HELP wharf_{name} {help}.\n");
        for address in &items {
            let (host, label) = (escaped(&host), escaped(&address.name));
            let value = value(address);
            text += &format!("wharf_{name}{{host=\"{host}\",address=\"{label}\"}} {value}\n");
        }
    }
    if let Some(next) = after {
        text += &format!("# HELP wharf_next_cursor {}\n", escaped(&next));
    }
    text += "# EOF\n";
    Ok(text)
}

type OfAddress = (&'static str, &'static str, fn(&Address) -> u64);

const OF_ADDRESS: [OfAddress; 4] = [
    ("address_messages_ready", "Messages that wait for a consumer", |it| it.messages_ready),
    ("address_messages_out", "Messages that are out to a consumer", |it| it.messages_out),
    ("address_messages_bytes", "Bodies of both", |it| it.messages_bytes),
    ("address_consumers", "Consumers", |it| it.consumers),
];

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

pub(super) async fn get(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let (host, name) = (host_of(node, asked), asked.name().to_owned());
    let view = node.ask(move |shard, _| shard.address_view(&host, &name)).await?;
    Reply::ok(&shown(view.ok_or_else(|| no_such("address", asked.name()))?))
}

pub(super) async fn put(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let AddressDeclaration { kind } = asked.body()?;
    let (host, name) = (host_of(node, asked), asked.name().to_owned());
    check_host(&node.live().config.listen.hosts, &host)?;
    let declared = node.ask(move |shard, _| {
        shard.declare_address(&host, &name, kind.map(broker_kind))?;
        Ok::<_, Refusal>(shard.address_view(&host, &name))
    });
    let view = declared.await?.map_err(|refusal| refused(refusal, asked.name()))?;
    Reply::ok(&shown(view.ok_or_else(|| no_such("address", asked.name()))?))
}

/// Whether addresses may be made on a host.
pub(super) fn check_host(hosts: &[String], host: &str) -> Result<(), Problem> {
    if hosts.iter().any(|known| known == host) {
        return Ok(());
    }
    let what = format!("`{host}` is no virtual host; listen.hosts: {}", hosts.join(", "));
    Err(Problem::new(Code::InvalidValue, what))
}

/// Why an address cannot be had.
pub(super) fn refused(refusal: Refusal, name: &str) -> Problem {
    let code = match refusal {
        Refusal::NotPermitted => Code::NotPermitted,
        Refusal::UnknownAddress => Code::NotFound,
        Refusal::InvalidAddress => Code::InvalidValue,
        _ => Code::Conflict,
    };
    Problem::new(code, format!("address `{name}`: {refusal}"))
}

pub(super) async fn delete(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let (host, name) = (host_of(node, asked), asked.name().to_owned());
    if node.ask(move |shard, _| shard.delete_address(&host, &name)).await? {
        return Ok(Reply::done());
    }
    Err(no_such("address", asked.name()))
}

pub(super) async fn subscriptions(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let (host, name) = (host_of(node, asked), asked.name().to_owned());
    let views = node.ask(move |shard, _| views_of(shard, &host, &name)).await?;
    let views = views.ok_or_else(|| no_such("address", asked.name()))?;
    page_by_number(views, asked.query("cursor"), asked.limit())
}

fn views_of(shard: &Shard, host: &str, name: &str) -> Option<Vec<Subscription>> {
    let shown = |view: QueueView| Subscription {
        name: view.subscription,
        session: view.owner.map(|owner| owner.to_string()),
        messages_ready: view.messages_ready,
        messages_out: view.messages_out,
        messages_bytes: view.messages_bytes,
        consumers: view.consumers,
        oldest_age_ms: view.oldest_age_ms,
    };
    Some(shard.queue_views(host, name)?.into_iter().map(|(_, view)| shown(view)).collect())
}

pub(super) async fn delete_subscription(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let (host, name) = (host_of(node, asked), asked.name().to_owned());
    let subscription = asked.second().to_owned();
    let deleted =
        node.ask(move |shard, _| shard.delete_subscription(&host, &name, &subscription)).await?;
    if deleted { Ok(Reply::done()) } else { Err(no_such("subscription", asked.second())) }
}

#[cfg(test)]
mod tests {
    use super::{Key, page_of};

    fn names(descending: bool, passed: usize, limit: usize) -> Vec<String> {
        let all = [(2, "a"), (0, "b"), (2, "c"), (1, "d"), (0, "e")];
        let all: Vec<Key> = all.into_iter().map(|(count, name)| (count, name.into())).collect();
        page_of(all, descending, passed, limit).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pages_follow_one_another_and_equals_are_in_the_order_of_names() {
        assert_eq!(names(false, 0, 9), ["b", "e", "d", "a", "c"]);
        assert_eq!(names(true, 0, 9), ["c", "a", "d", "e", "b"]);
        for limit in 1..5 {
            let pages = (0..5).step_by(limit).flat_map(|passed| names(true, passed, limit));
            assert_eq!(pages.collect::<Vec<_>>(), names(true, 0, 5), "{limit}");
        }
        assert_eq!(names(true, 5, 1), [""; 0]);
        assert_eq!(names(true, usize::MAX, 1), [""; 0]);
    }
}
