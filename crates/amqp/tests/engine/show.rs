//! Frames and events as one line each.

use std::fmt::{Display, Write};
use wharf_amqp::condition::Error;
use wharf_amqp::engine::{By, Closed, Event, LinkId};
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::messaging::{DeliveryState, Source, Target, TargetArchetype};
use wharf_amqp::performative::{
    Attach, Begin, Disposition, Flow, Open, Performative, ReceiverSettleMode, Role,
    SenderSettleMode, Transfer,
};
use wharf_amqp::sasl_frame::SaslFrame;

/// A line that grows by fields.
struct Line(String);

impl Line {
    fn new(start: impl Display) -> Self {
        Self(start.to_string())
    }

    fn put(mut self, field: &str, value: impl Display) -> Self {
        write!(self.0, " {field}={value}").unwrap();
        self
    }

    fn maybe(self, field: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.put(field, value),
            None => self,
        }
    }

    fn flag(mut self, name: &str, set: bool) -> Self {
        if set {
            write!(self.0, " {name}").unwrap();
        }
        self
    }

    fn error(self, error: Option<&Error>) -> Self {
        self.maybe("error", error.map(|error| error.condition.as_str().to_owned()))
    }
}

pub(crate) fn header(header: ProtocolHeader) -> String {
    match header {
        ProtocolHeader::AMQP => "header AMQP".to_owned(),
        ProtocolHeader::SASL => "header SASL".to_owned(),
        other => format!("header {}.{}.{}.{}", other.id, other.major, other.minor, other.revision),
    }
}

pub(crate) fn sasl(frame: &SaslFrame) -> String {
    match frame {
        SaslFrame::Mechanisms(it) => format!("mechanisms {}", it.sasl_server_mechanisms.join(" ")),
        SaslFrame::Init(init) => {
            let response = init.initial_response.as_deref().map(text);
            Line::new(format!("init {}", init.mechanism)).maybe("response", response).0
        }
        SaslFrame::Challenge(it) => format!("challenge {}", text(&it.challenge)),
        SaslFrame::Response(it) => format!("response {}", text(&it.response)),
        SaslFrame::Outcome(it) => {
            let data = it.additional_data.as_deref().map(text);
            Line::new(format!("outcome {:?}", it.code)).maybe("data", data).0
        }
    }
}

pub(crate) fn frame(channel: u16, performative: &Performative, payload: &[u8]) -> String {
    let line = match performative {
        Performative::Open(it) => open(it),
        Performative::Begin(it) => begin(it),
        Performative::Attach(it) => attach(it),
        Performative::Flow(it) => flow(it),
        Performative::Transfer(it) => format!("{} {:?}", transfer(it), text(payload)),
        Performative::Disposition(it) => disposition(it),
        Performative::Detach(it) => {
            let line = Line::new(format!("detach handle={}", it.handle));
            line.flag("closed", it.closed).error(it.error.as_ref()).0
        }
        Performative::End(it) => Line::new("end").error(it.error.as_ref()).0,
        Performative::Close(it) => Line::new("close").error(it.error.as_ref()).0,
    };
    format!("{channel} {line}")
}

fn open(open: &Open) -> String {
    Line::new(format!("open {:?}", open.container_id))
        .maybe("frame", Some(open.max_frame_size).filter(|size| *size != u32::MAX))
        .maybe("channels", Some(open.channel_max).filter(|max| *max != u16::MAX))
        .maybe("idle", open.idle_time_out)
        .0
}

fn begin(begin: &Begin) -> String {
    Line::new("begin")
        .maybe("remote", begin.remote_channel)
        .put("next", begin.next_outgoing_id)
        .put("in", begin.incoming_window)
        .maybe("handles", Some(begin.handle_max).filter(|max| *max != u32::MAX))
        .0
}

fn attach(attach: &Attach) -> String {
    let target = |target: &TargetArchetype| match target {
        TargetArchetype::Target(target) => target.address.clone().unwrap_or_default(),
        TargetArchetype::Coordinator(_) => "coordinator".to_owned(),
    };
    let snd = Some(attach.snd_settle_mode).filter(|mode| *mode != SenderSettleMode::Mixed);
    let rcv = Some(attach.rcv_settle_mode).filter(|mode| *mode != ReceiverSettleMode::First);
    Line::new(format!("attach {} handle={}", attach.name, attach.handle))
        .flag("sender", attach.role == Role::Sender)
        .flag("receiver", attach.role == Role::Receiver)
        .maybe("source", attach.source.as_ref().map(|it| it.address.clone().unwrap_or_default()))
        .maybe("target", attach.target.as_ref().map(target))
        .maybe("snd", snd.map(|mode| format!("{mode:?}")))
        .maybe("rcv", rcv.map(|mode| format!("{mode:?}")))
        .maybe("count", attach.initial_delivery_count)
        .maybe("size", attach.max_message_size)
        .0
}

fn flow(flow: &Flow) -> String {
    Line::new("flow")
        .maybe("next-in", flow.next_incoming_id)
        .put("in", flow.incoming_window)
        .put("next-out", flow.next_outgoing_id)
        .maybe("handle", flow.handle)
        .maybe("count", flow.delivery_count)
        .maybe("credit", flow.link_credit)
        .maybe("available", flow.available.filter(|available| *available > 0))
        .flag("drain", flow.drain)
        .flag("echo", flow.echo)
        .0
}

fn transfer(transfer: &Transfer) -> String {
    let rcv = transfer.rcv_settle_mode.map(|mode| format!("{mode:?}"));
    Line::new(format!("transfer handle={}", transfer.handle))
        .maybe("id", transfer.delivery_id)
        .maybe("tag", transfer.delivery_tag.map(|tag| text(&tag)))
        .maybe("format", transfer.message_format.filter(|format| *format > 0))
        .maybe("settled", transfer.settled)
        .maybe("rcv", rcv)
        .maybe("state", transfer.state.as_ref().map(state))
        .flag("resume", transfer.resume)
        .flag("aborted", transfer.aborted)
        .flag("more", transfer.more)
        .0
}

fn disposition(disposition: &Disposition) -> String {
    let Disposition { first, last, .. } = disposition;
    let ids = last.map_or_else(|| first.to_string(), |last| format!("{first}..{last}"));
    Line::new("disposition")
        .flag("sender", disposition.role == Role::Sender)
        .flag("receiver", disposition.role == Role::Receiver)
        .put("ids", ids)
        .flag("settled", disposition.settled)
        .maybe("state", disposition.state.as_ref().map(state))
        .0
}

fn state(state: &DeliveryState) -> String {
    match state {
        DeliveryState::Received { section_number, section_offset } => {
            format!("received:{section_number}:{section_offset}")
        }
        DeliveryState::Accepted => "accepted".to_owned(),
        DeliveryState::Rejected(None) => "rejected".to_owned(),
        DeliveryState::Rejected(Some(error)) => format!("rejected:{}", error.condition),
        DeliveryState::Released => "released".to_owned(),
        DeliveryState::Modified(_) => "modified".to_owned(),
        other => other.symbol().unwrap_or("other").to_owned(),
    }
}

fn text(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) if text.len() > 40 => format!("{}…{}", &text[..8], text.len()),
        Ok(text) if text.chars().all(|c| !c.is_control()) => text.to_owned(),
        _ => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
    }
}

fn link(id: LinkId) -> String {
    format!("{}/{}", id.session.0, id.handle)
}

fn ended(line: Line, error: Option<&(By, Error)>) -> String {
    match error {
        Some((by, error)) => line.error(Some(error)).put("by", format!("{by:?}")).0,
        None => line.0,
    }
}

pub(crate) fn event(event: &Event<'_>) -> String {
    match event {
        Event::SaslMechanisms(it) => format!("mechanisms {}", it.sasl_server_mechanisms.join(" ")),
        Event::SaslInit(init) => sasl(&SaslFrame::Init(init.clone())),
        Event::SaslResponse(response) => format!("response {}", text(response)),
        Event::SaslChallenge(challenge) => format!("challenge {}", text(challenge)),
        Event::SaslOutcome(outcome) => format!("outcome {:?}", outcome.code),
        Event::Opened(open) => format!("opened {:?}", open.container_id),
        Event::Begun(session, _) => format!("begun {}", session.0),
        Event::Attaching(id, attach) => format!("attaching {} {}", link(*id), attach.name),
        Event::Attached(id, attach) => format!("attached {} {}", link(*id), attach.name),
        Event::Transferred(it) => {
            let line = Line::new(format!("transferred {}", link(it.link)));
            let line = line.put("id", it.delivery_id).put("tag", text(&it.tag));
            let line = line.maybe("format", Some(it.message_format).filter(|format| *format > 0));
            let line = line.flag("settled", it.settled).flag("second", it.settles_second);
            let line = line.maybe("state", it.state.as_ref().map(state));
            format!("{} {:?}", line.0, text(&it.payload))
        }
        Event::Aborted(id) => format!("aborted {}", link(*id)),
        Event::Credit(id, view) => {
            Line::new(format!("credit {}", link(*id)))
                .put("limit", view.limit)
                .flag("drain", view.drain)
                .0
        }
        Event::Drained(id) => format!("drained {}", link(*id)),
        Event::Outcome(it) => {
            let line = Line::new(format!("outcome {}", link(it.link)));
            let line = line.put("cookies", format!("{}..{}", it.first, it.last));
            line.flag("settled", it.settled).maybe("state", it.state.as_ref().map(state)).0
        }
        Event::Unsent { link: id, cookie } => format!("unsent {} cookie={cookie}", link(*id)),
        Event::Detached { link: id, closed, error } => {
            let line = Line::new(format!("detached {}", link(*id))).flag("closed", *closed);
            ended(line, error.as_ref())
        }
        Event::Ended { session, error } => {
            ended(Line::new(format!("ended {}", session.0)), error.as_ref())
        }
        Event::Closed(closed) => self::closed(closed),
    }
}

fn closed(closed: &Closed) -> String {
    let line = Line::new(format!("closed by {:?}", closed.by)).error(closed.error.as_ref());
    let line = line.maybe("violation", closed.violation.as_ref().map(|why| format!("{why:?}")));
    line.flag("clean", closed.clean).0
}

/// A source or target with an address.
pub(crate) fn source(address: &str) -> Source {
    Source { address: Some(address.to_owned()), ..Source::default() }
}

/// See `source`.
pub(crate) fn target(address: &str) -> TargetArchetype {
    Target { address: Some(address.to_owned()), ..Target::default() }.into()
}
