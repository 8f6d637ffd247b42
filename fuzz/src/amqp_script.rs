//! AMQP frames out of a script: mostly small numbers, so that frames are about each other.

use crate::script::Script;
use wharf_amqp::condition::Condition;
use wharf_amqp::frame::{put_frame, put_sasl_frame};
use wharf_amqp::messaging::{DeliveryState, Source, Target};
use wharf_amqp::performative::{
    Attach, Begin, Close, Detach, Disposition, End, Flow, Open, Performative, ReceiverSettleMode,
    Role, SenderSettleMode, Transfer,
};
use wharf_amqp::sasl_frame::{Challenge, Code, Init, Mechanisms, Outcome, Response, SaslFrame};
use wharf_amqp::tag::Tag;

/// The longest that one step makes of a few bytes: a frame may be repeated.
const REPEATED_MAX_BYTES: usize = 8 << 10;

/// Appends what the script says: frames, pieces of anything, repetitions.
pub(crate) fn put_steps(script: &mut Script<'_>, out: &mut Vec<u8>, steps: usize) {
    let mut last = 0;
    for _ in 0..steps {
        if script.is_empty() {
            return;
        }
        let start = out.len();
        match script.byte() % 32 {
            0 => out.extend_from_slice(script.piece()),
            1 | 2 => put_sasl(script, out),
            3 => {
                let channel = u16::from(script.byte() % 4);
                put_frame(out, channel, |_| {});
            }
            4 => {
                let frame = out[last..].to_vec();
                let fit = REPEATED_MAX_BYTES / frame.len().max(1);
                out.extend(frame.repeat(usize::from(script.byte()).min(fit)));
                continue;
            }
            kind => {
                let channel = u16::from(script.byte() % 4);
                let body = performative(kind, script);
                put_frame(out, channel, |out| {
                    body.encode(out);
                    if matches!(body, Performative::Transfer(_)) {
                        out.extend_from_slice(script.piece());
                    }
                });
            }
        }
        last = start;
    }
}

fn performative(kind: u8, script: &mut Script<'_>) -> Performative {
    match kind {
        5 => Performative::Open(Box::new(Open {
            max_frame_size: 500 + number(script),
            channel_max: u16::from(script.byte() % 4),
            idle_time_out: small(script).map(|ms| ms * 40),
            ..Open::new("peer")
        })),
        6 | 7 => Performative::Begin(Box::new(Begin {
            remote_channel: small(script).map(|channel| channel as u16 % 4),
            handle_max: number(script),
            ..Begin::new(serial(script), number(script), 100)
        })),
        8..=12 => Performative::Attach(Box::new(attach(script))),
        13..=16 => Performative::Flow(flow(script)),
        17..=22 => Performative::Transfer(transfer(script)),
        23..=25 => Performative::Disposition(Disposition {
            role: role(script),
            first: serial(script),
            last: small(script),
            settled: script.flag(),
            state: state(script),
            batchable: false,
        }),
        26..=28 => {
            let (handle, closed) = (handle(script), script.flag());
            Performative::Detach(Box::new(Detach { handle, closed, error: error(script) }))
        }
        29 | 30 => Performative::End(Box::new(End { error: error(script) })),
        _ => Performative::Close(Box::new(Close { error: error(script) })),
    }
}

fn attach(script: &mut Script<'_>) -> Attach {
    let name = char::from(b'a' + script.byte() % 6).to_string();
    let role = role(script);
    let choice = script.byte();
    Attach {
        snd_settle_mode: SenderSettleMode::from_code(choice % 3).unwrap_or_default(),
        rcv_settle_mode: ReceiverSettleMode::from_code(choice >> 2 & 1).unwrap_or_default(),
        source: (choice & 8 == 0).then(Source::default),
        target: (choice & 16 == 0).then(|| Target::default().into()),
        initial_delivery_count: (choice & 32 == 0).then(|| serial(script)),
        ..Attach::new(name, handle(script), role)
    }
}

fn flow(script: &mut Script<'_>) -> Flow {
    let of_link = script.flag();
    let choice = script.byte();
    Flow {
        next_incoming_id: small(script),
        incoming_window: number(script),
        next_outgoing_id: serial(script),
        outgoing_window: 100,
        handle: of_link.then(|| handle(script)),
        delivery_count: small(script),
        link_credit: (choice & 1 == 0).then(|| number(script)),
        drain: choice & 2 != 0,
        echo: choice & 4 != 0,
        ..Flow::default()
    }
}

fn transfer(script: &mut Script<'_>) -> Transfer {
    let choice = script.byte();
    let first = choice & 1 == 0;
    Transfer {
        handle: handle(script),
        delivery_id: first.then(|| serial(script)),
        delivery_tag: first.then(|| Tag::from(u32::from(choice))),
        message_format: first.then_some(0),
        settled: (choice & 2 != 0).then_some(choice & 4 != 0),
        more: choice & 8 != 0,
        rcv_settle_mode: (choice & 0x30 == 0x30).then_some(ReceiverSettleMode::Second),
        state: if choice & 0x40 == 0 { None } else { state(script) },
        resume: choice & 0xf0 == 0xf0,
        aborted: choice & 0x8e == 0x8e,
        batchable: false,
    }
}

fn put_sasl(script: &mut Script<'_>, out: &mut Vec<u8>) {
    let octets = |script: &mut Script<'_>| script.piece().to_vec();
    let frame = match script.byte() % 6 {
        0 => SaslFrame::Mechanisms(Mechanisms {
            sasl_server_mechanisms: vec!["PLAIN".to_owned(); usize::from(script.byte() % 3)],
        }),
        1 => SaslFrame::Init(Init {
            mechanism: "PLAIN".to_owned(),
            initial_response: Some(octets(script)),
            hostname: None,
        }),
        2 => SaslFrame::Challenge(Challenge { challenge: octets(script) }),
        3 => SaslFrame::Response(Response { response: octets(script) }),
        _ => {
            let code = Code::from_code(script.byte() % 2).unwrap_or(Code::Ok);
            SaslFrame::Outcome(Outcome { code, additional_data: None })
        }
    };
    put_sasl_frame(out, |out| frame.encode(out));
}

fn role(script: &mut Script<'_>) -> Role {
    Role::from(script.flag())
}

fn handle(script: &mut Script<'_>) -> u32 {
    u32::from(script.byte() % 5)
}

fn error(script: &mut Script<'_>) -> Option<wharf_amqp::condition::Error> {
    (script.byte() % 4 == 3).then(|| Condition::InternalError.into())
}

fn state(script: &mut Script<'_>) -> Option<DeliveryState> {
    match script.byte() % 6 {
        0 => None,
        1 => Some(DeliveryState::Accepted),
        2 => Some(DeliveryState::Released),
        3 => Some(DeliveryState::Rejected(None)),
        4 => Some(DeliveryState::Modified(Box::default())),
        _ => Some(DeliveryState::Received { section_number: 0, section_offset: 7 }),
    }
}

/// A number that may be absent.
fn small(script: &mut Script<'_>) -> Option<u32> {
    match script.byte() {
        0 => None,
        some => Some(u32::from(some) - 1),
    }
}

fn number(script: &mut Script<'_>) -> u32 {
    u32::try_from(script.number()).unwrap_or(u32::MAX - 1000)
}

/// Small, or close to where serial numbers go around.
fn serial(script: &mut Script<'_>) -> u32 {
    let byte = script.byte();
    let near = u32::from(byte & 0x7f);
    if byte & 0x80 == 0 { near } else { near.wrapping_sub(64) }
}
