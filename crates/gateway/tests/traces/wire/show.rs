//! Events of an AMQP client as one line each.

use std::collections::BTreeMap;
use wharf_amqp::condition::Error;
use wharf_amqp::engine::{By, Event, LinkId, Transferred};
use wharf_amqp::frame::FrameHeader;
use wharf_amqp::messaging::{AnnotationKey, BodyKind, DeliveryState, Sections, TargetArchetype};
use wharf_amqp::performative::{Attach, Performative, Role};
use wharf_amqp::value::Value;

pub(super) fn event(event: &Event<'_>, links: &BTreeMap<LinkId, String>) -> Option<String> {
    let name = |link: &LinkId| links.get(link).map_or("?", String::as_str);
    Some(match event {
        Event::SaslMechanisms(it) => format!("mechanisms {}", it.sasl_server_mechanisms.join(" ")),
        Event::SaslChallenge(challenge) => format!("challenge {}", text(challenge)),
        Event::SaslOutcome(outcome) => format!("login {:?}", outcome.code),
        Event::Opened(open) => format!("open {}", open.container_id),
        Event::Attached(_, it) => attached(it),
        Event::Transferred(it) => format!("{} {}", name(&it.link), transferred(it)),
        Event::Credit(link, view) => format!("{} credit {}", name(link), view.limit),
        Event::Drained(link) => format!("{} drained", name(link)),
        Event::Outcome(it) => {
            let mut line = format!("{} {}", name(&it.link), it.first);
            if it.last > it.first {
                line.push_str(&format!("..{}", it.last));
            }
            match &it.state {
                Some(state) => line.push_str(&format!(" {}", outcome(state))),
                None => line.push_str(" settled"),
            }
            if !it.settled {
                line.push_str(", unsettled");
            }
            line
        }
        Event::Unsent { link, cookie } => format!("{} unsent {cookie}", name(link)),
        Event::Detached { link, closed, error } => {
            let what = if *closed { "closed" } else { "detached" };
            format!("{} {what}{}", name(link), of(error.as_ref()))
        }
        Event::Ended { error, .. } => format!("ended{}", of(error.as_ref())),
        Event::Closed(closed) => {
            let error = closed.error.as_ref().map(|error| (closed.by, error.clone()));
            let clean = if closed.clean { "" } else { ", unclean" };
            format!("closed by {:?}{}{clean}", closed.by, of(error.as_ref()))
        }
        // An acceptor's, or of no interest.
        Event::Begun(..)
        | Event::SaslInit(_)
        | Event::SaslResponse(_)
        | Event::Attaching(..)
        | Event::Aborted(_) => return None,
    })
}

/// Dispositions of a sender among the frames of a message.
pub(super) fn settled_by_sender(mut frames: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    while let Ok(Some(header)) = FrameHeader::parse(frames) {
        let Some((frame, rest)) = frames.split_at_checked(header.size as usize) else { break };
        frames = rest;
        let body = &frame[header.body_start()..];
        if let Ok((Performative::Disposition(it), _)) = Performative::decode(body)
            && it.role == Role::Sender
        {
            let state = it.state.as_ref().map(outcome).unwrap_or_default();
            lines.push(format!("#{}..{} settled {state}", it.first, it.last.unwrap_or(it.first)));
        }
    }
    lines
}

/// The peer's terminus, which a refused link has none of.
fn attached(attach: &Attach) -> String {
    let source = |it: &wharf_amqp::messaging::Source| it.address.clone().unwrap_or_default();
    let target = |it: &TargetArchetype| match it {
        TargetArchetype::Target(target) => target.address.clone().unwrap_or_default(),
        TargetArchetype::Coordinator(_) => "coordinator".to_owned(),
    };
    let (name, end) = match attach.role {
        Role::Sender => ("source", attach.source.as_ref().map(source)),
        Role::Receiver => ("target", attach.target.as_ref().map(target)),
    };
    match end {
        Some(address) => format!("attached {} {name}={address}", attach.name),
        None => format!("attached {} without a {name}", attach.name),
    }
}

/// The id of a delivery, its body, and what is not as in most messages.
fn transferred(it: &Transferred<'_>) -> String {
    let message = &*it.payload;
    let sections = Sections::scan(message).expect("a message");
    let mut line = format!("#{}", it.delivery_id);
    if it.settled {
        line.push_str(" settled");
    }
    match sections.body {
        Some(body) if body.kind == BodyKind::Value => match body.value(message).expect("valid") {
            Value::String(text) => line.push_str(&format!(" {text}")),
            other => line.push_str(&format!(" {other:?}")),
        },
        Some(body) if body.kind == BodyKind::Data => {
            let data: Result<Vec<&[u8]>, _> = body.data(message).collect();
            line.push_str(&format!(" data {}", text(&data.expect("valid").concat())));
        }
        Some(_) => line.push_str(" sequence"),
        None => line.push_str(" nothing"),
    }
    if let Some(header) = sections.decode_header(message).expect("valid")
        && header.delivery_count > 0
    {
        line.push_str(&format!(" count={}", header.delivery_count));
    }
    for (key, value) in sections.decode_message_annotations(message).expect("valid") {
        let key = match key {
            AnnotationKey::Symbol(name) => name,
            AnnotationKey::Ulong(number) => number.to_string(),
        };
        match value.as_str() {
            Some(text) => line.push_str(&format!(" {key}={text}")),
            None => line.push_str(&format!(" {key}={value:?}")),
        }
    }
    line
}

fn outcome(state: &DeliveryState) -> String {
    match state {
        DeliveryState::Accepted => "accepted".to_owned(),
        DeliveryState::Rejected(Some(why)) => format!("rejected {}", error(why)),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// An error of the broker's.
fn of(told: Option<&(By, Error)>) -> String {
    match told {
        Some((By::Peer, told)) => format!(": {}", error(told)),
        Some((By::Local, told)) => format!(" by us: {}", error(told)),
        None => String::new(),
    }
}

fn error(error: &Error) -> String {
    let condition = error.condition.as_str();
    match &error.description {
        Some(description) => format!("{condition} ({description})"),
        None => condition.to_owned(),
    }
}

fn text(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) if text.chars().all(|c| !c.is_control()) => text.to_owned(),
        _ => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
    }
}
