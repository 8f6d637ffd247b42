//! Random performatives and SASL frames.

use crate::arbitrary::{
    delivery_state, distinct, error, fields, number, octets, source, symbol, symbols, tag, target,
    text,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wharf_amqp::performative::{
    Attach, Begin, Close, Detach, Disposition, End, Flow, Open, Performative, ReceiverSettleMode,
    Role, SenderSettleMode, Transfer,
};
use wharf_amqp::sasl_frame::{Challenge, Code, Init, Mechanisms, Outcome, Response, SaslFrame};

fn role() -> impl Strategy<Value = Role> {
    any::<bool>().prop_map(Role::from)
}

fn receiver_settle_mode() -> impl Strategy<Value = ReceiverSettleMode> {
    (0..2_u8).prop_map(|code| ReceiverSettleMode::from_code(code).expect("a code"))
}

fn sender_settle_mode() -> impl Strategy<Value = SenderSettleMode> {
    (0..3_u8).prop_map(|code| SenderSettleMode::from_code(code).expect("a code"))
}

prop_compose! {
    fn open()(
        container_id in text(),
        hostname in option::of(text()),
        max_frame_size in prop_oneof![Just(u32::MAX), any::<u32>()],
        channel_max in prop_oneof![Just(u16::MAX), any::<u16>()],
        idle_time_out in option::of(number()),
        outgoing_locales in symbols(),
        incoming_locales in symbols(),
        offered_capabilities in symbols(),
        desired_capabilities in symbols(),
        properties in fields(),
    ) -> Open {
        Open {
            container_id, hostname, max_frame_size, channel_max, idle_time_out, outgoing_locales,
            incoming_locales, offered_capabilities, desired_capabilities, properties,
        }
    }
}

prop_compose! {
    fn begin()(
        remote_channel in option::of(any::<u16>()),
        next_outgoing_id in number(),
        incoming_window in number(),
        outgoing_window in number(),
        handle_max in prop_oneof![Just(u32::MAX), any::<u32>()],
        offered_capabilities in symbols(),
        desired_capabilities in symbols(),
        properties in fields(),
    ) -> Begin {
        Begin {
            remote_channel, next_outgoing_id, incoming_window, outgoing_window, handle_max,
            offered_capabilities, desired_capabilities, properties,
        }
    }
}

prop_compose! {
    fn attach()(
        (name, handle, role) in (text(), number(), role()),
        snd_settle_mode in sender_settle_mode(),
        rcv_settle_mode in receiver_settle_mode(),
        source in option::of(source().boxed()),
        target in option::of(target().boxed()),
        unsettled in option::of(
            vec((tag(), option::of(delivery_state().boxed())), 0..4).prop_map(distinct),
        ),
        incomplete_unsettled in any::<bool>(),
        initial_delivery_count in option::of(number()),
        max_message_size in option::of(any::<u64>()),
        offered_capabilities in symbols(),
        desired_capabilities in symbols(),
        properties in fields(),
    ) -> Attach {
        Attach {
            name, handle, role, snd_settle_mode, rcv_settle_mode, source, target, unsettled,
            incomplete_unsettled, initial_delivery_count, max_message_size, offered_capabilities,
            desired_capabilities, properties,
        }
    }
}

prop_compose! {
    pub(crate) fn flow()(
        next_incoming_id in option::of(number()),
        incoming_window in number(),
        next_outgoing_id in number(),
        outgoing_window in number(),
        handle in option::of(number()),
        delivery_count in option::of(number()),
        link_credit in option::of(number()),
        available in option::of(number()),
        drain in any::<bool>(),
        echo in any::<bool>(),
        properties in fields(),
    ) -> Flow {
        Flow {
            next_incoming_id, incoming_window, next_outgoing_id, outgoing_window, handle,
            delivery_count, link_credit, available, drain, echo, properties,
        }
    }
}

prop_compose! {
    pub(crate) fn transfer()(
        handle in number(),
        delivery_id in option::of(number()),
        delivery_tag in option::of(tag()),
        message_format in option::of(number()),
        settled in option::of(any::<bool>()),
        more in any::<bool>(),
        rcv_settle_mode in option::of(receiver_settle_mode()),
        state in option::of(delivery_state().boxed()),
        resume in any::<bool>(),
        aborted in any::<bool>(),
        batchable in any::<bool>(),
    ) -> Transfer {
        Transfer {
            handle, delivery_id, delivery_tag, message_format, settled, more, rcv_settle_mode,
            state, resume, aborted, batchable,
        }
    }
}

prop_compose! {
    pub(crate) fn disposition()(
        role in role(),
        first in number(),
        last in option::of(number()),
        settled in any::<bool>(),
        state in option::of(delivery_state().boxed()),
        batchable in any::<bool>(),
    ) -> Disposition {
        Disposition { role, first, last, settled, state, batchable }
    }
}

pub(crate) fn performative() -> impl Strategy<Value = Performative> {
    let detach =
        (number(), any::<bool>(), option::of(error())).prop_map(|(handle, closed, error)| {
            Performative::Detach(Box::new(Detach { handle, closed, error }))
        });
    let end = option::of(error()).prop_map(|error| Performative::End(Box::new(End { error })));
    let close =
        option::of(error()).prop_map(|error| Performative::Close(Box::new(Close { error })));
    prop_oneof![
        open().prop_map(|open| Performative::Open(Box::new(open))).boxed(),
        begin().prop_map(|begin| Performative::Begin(Box::new(begin))).boxed(),
        attach().prop_map(|attach| Performative::Attach(Box::new(attach))).boxed(),
        flow().prop_map(Performative::Flow).boxed(),
        transfer().prop_map(Performative::Transfer).boxed(),
        disposition().prop_map(Performative::Disposition).boxed(),
        detach.boxed(),
        end.boxed(),
        close.boxed(),
    ]
}

pub(crate) fn sasl_frame() -> impl Strategy<Value = SaslFrame> {
    let init = (symbol(), option::of(octets()), option::of(text())).prop_map(
        |(mechanism, initial_response, hostname)| {
            SaslFrame::Init(Init { mechanism, initial_response, hostname })
        },
    );
    let outcome = (0..5_u8, option::of(octets())).prop_map(|(code, additional_data)| {
        SaslFrame::Outcome(Outcome {
            code: Code::from_code(code).expect("a code"),
            additional_data,
        })
    });
    prop_oneof![
        vec(symbol(), 1..4).prop_map(|sasl_server_mechanisms| {
            SaslFrame::Mechanisms(Mechanisms { sasl_server_mechanisms })
        }),
        init,
        octets().prop_map(|challenge| SaslFrame::Challenge(Challenge { challenge })),
        octets().prop_map(|response| SaslFrame::Response(Response { response })),
        outcome,
    ]
}
