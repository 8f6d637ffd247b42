//! Messages: looking at them, sending one, purging, moving, redriving.

use super::access::{Rights, denied, host_of};
use super::addresses::check_host;
use super::inside::{Inside, Unserved};
use super::reply::{Reply, no_such};
use super::request::Asked;
use crate::node::Node;
use wharf_api::shapes::{Death, Message, Moved, Moving, Peeked, Publishing, Purged, Redriving};
use wharf_api::{Code, Problem};
use wharf_broker::{Delivery, QueueId, Right, Shard};
use wharf_gateway::Readable;

/// Messages moved while the shard does nothing else.
const MOVED_AT_ONCE_MAX: u64 = 1000;

/// Messages that one request moves.
const MOVED_MAX: u64 = 1_000_000;

/// Longest content type.
const CONTENT_TYPE_MAX_CHARS: usize = 255;

/// Messages shown, if the request does not say how many.
const PEEKED_DEFAULT: u64 = 20;

/// The queue that a request is about.
async fn queue(node: &Node, asked: &Asked) -> Result<QueueId, Problem> {
    let (host, name) = (host_of(node, asked), asked.name().to_owned());
    let subscription = asked.query("subscription").map(str::to_owned);
    node.ask(move |shard, _| find(shard, &host, &name, subscription.as_deref())).await?
}

fn find(
    shard: &Shard,
    host: &str,
    name: &str,
    subscription: Option<&str>,
) -> Result<QueueId, Problem> {
    let views = shard.queue_views(host, name).ok_or_else(|| no_such("address", name))?;
    let is_topic = shard.address_view(host, name).is_some_and(|view| view.is_topic);
    match (is_topic, subscription) {
        (true, None) => {
            let what = "the address is a topic: say which `subscription`";
            Err(Problem::new(Code::Conflict, what))
        }
        (false, Some(_)) => {
            let what = "the address is a queue, which has no subscriptions";
            Err(Problem::new(Code::Conflict, what))
        }
        (_, wanted) => {
            let found = views.iter().find(|(_, view)| view.subscription.as_deref() == wanted);
            let found = found.map(|(queue, _)| *queue);
            found.ok_or_else(|| no_such("subscription", wanted.unwrap_or_default()))
        }
    }
}

pub(super) async fn peek(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let queue = queue(node, asked).await?;
    let limit = asked.query("limit").and_then(|it| it.parse().ok()).unwrap_or(PEEKED_DEFAULT);
    let inside = Inside::open(node, &host_of(node, asked), &asked.who.user).await?;
    let deliveries = inside.browse(queue, limit).await?;
    Reply::ok(&Peeked { items: deliveries.iter().map(shown).collect() })
}

fn shown(delivery: &Delivery) -> Message {
    let readable = Readable::of(delivery);
    let (text, base64) = match String::from_utf8(readable.body) {
        Ok(text) if readable.is_text => (Some(text), None),
        Ok(text) => (None, Some(data_encoding::BASE64.encode(text.as_bytes()))),
        Err(octets) => (None, Some(data_encoding::BASE64.encode(octets.as_bytes()))),
    };
    Message {
        text,
        base64,
        content_type: readable.content_type,
        properties: readable.properties.into_iter().collect(),
        len_bytes: delivery.body.len() as u64,
        deliveries: delivery.count,
        death: delivery.death.as_ref().map(|death| Death {
            reason: death.reason.name().to_owned(),
            address: death.address.clone(),
            detail: death.detail.clone(),
        }),
    }
}

pub(super) async fn publish(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let Publishing { text, base64, content_type, properties } = asked.body()?;
    let host = host_of(node, asked);
    check_host(&node.live().config.listen.hosts, &host)?;
    let wrong = |what: &str| Problem::new(Code::InvalidValue, what);
    if content_type.chars().count() > CONTENT_TYPE_MAX_CHARS {
        return Err(wrong("content_type: at most 255 characters"));
    }
    let (is_text, body) = match (text, base64) {
        (Some(_), Some(_)) => return Err(wrong("either text or base64")),
        (text, None) => (true, text.unwrap_or_default().into_bytes()),
        (None, Some(base64)) => {
            let octets = data_encoding::BASE64.decode(base64.as_bytes());
            (false, octets.map_err(|_| wrong("base64: not the standard alphabet with padding"))?)
        }
    };
    let properties = properties.into_iter().collect();
    let readable = Readable { is_text, content_type, properties, body };
    let message = readable.into_message().ok_or_else(|| wrong("a property cannot be said"))?;
    let inside = Inside::open(node, &host, &asked.who.user).await?;
    inside.publish(asked.name(), message).await.map_err(|unserved| match unserved {
        Unserved::Declined(reason) => {
            let what = format!("address `{}`: {}", asked.name(), reason.name());
            Problem::new(Code::Conflict, what)
        }
        Unserved::Problem(problem) => problem,
    })?;
    Ok(Reply::done())
}

pub(super) async fn purge(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let queue = queue(node, asked).await?;
    let messages = node.ask(move |shard, _| shard.purge(queue)).await?;
    Reply::ok(&Purged { messages })
}

/// How many messages a request may move.
fn check_max(messages_max: u64) -> Result<u64, Problem> {
    if (1..=MOVED_MAX).contains(&messages_max) {
        return Ok(messages_max);
    }
    let what = format!("messages_max: expected 1 to {MOVED_MAX}");
    Err(Problem::new(Code::InvalidValue, what))
}

pub(super) async fn move_messages(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let Moving { to, messages_max } = asked.body()?;
    let messages_max = check_max(messages_max)?;
    let host = host_of(node, asked);
    if !Rights::of(node, asked).may(Right::Send, &host, &to) {
        return Err(denied(&asked.who.user, &format!("`send` on `{to}`")));
    }
    let queue = queue(node, asked).await?;
    let mut moved = Moved::default();
    while moved.messages < messages_max {
        let at_once = (messages_max - moved.messages).min(MOVED_AT_ONCE_MAX);
        let (host, target) = (host.clone(), to.clone());
        let part = node.ask(move |shard, _| shard.move_messages(queue, &host, &target, at_once));
        let part = part.await?.ok_or_else(|| {
            let what = format!(
                "`{to}`: expected another address of this host that exists, and that has a \
                 subscription if it is a topic"
            );
            Problem::new(Code::Conflict, what)
        })?;
        moved = Moved { messages: moved.messages + part.messages, remaining: part.remaining };
        if part.messages < at_once {
            break;
        }
    }
    Reply::ok(&moved)
}

pub(super) async fn redrive(node: &Node, asked: &Asked) -> Result<Reply, Problem> {
    let Redriving { messages_max } = asked.body()?;
    let messages_max = check_max(messages_max)?;
    let host = host_of(node, asked);
    let queue = queue(node, asked).await?;
    // Those that have nowhere to go come to the end of the queue: no more are looked at than there
    // are now.
    let len = node.ask(move |shard, _| shard.queue_len(queue) as u64).await?;
    let mut left = messages_max.min(len);
    let mut moved = Moved { messages: 0, remaining: len };
    while left > 0 {
        let at_once = left.min(MOVED_AT_ONCE_MAX);
        let host = host.clone();
        let part = node.ask(move |shard, _| shard.redrive(queue, &host, at_once)).await?;
        moved = Moved { messages: moved.messages + part.messages, remaining: part.remaining };
        left -= at_once;
    }
    Reply::ok(&moved)
}
