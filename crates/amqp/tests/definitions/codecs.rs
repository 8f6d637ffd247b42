//! For every composite of the standard, the code that reads and writes it.

use std::fmt::Debug;
use wharf_amqp::codec::{Composite, DecodeError};
use wharf_amqp::condition::Error;
use wharf_amqp::messaging::{
    Coordinator, DeliveryState, Header, LifetimePolicy, Modified, Properties, Source, Target,
};
use wharf_amqp::performative::{
    Attach, Begin, Close, Detach, Disposition, End, Flow, Open, Performative, Transfer,
};
use wharf_amqp::sasl_frame::{Challenge, Init, Mechanisms, Outcome, Response, SaslFrame};
use wharf_amqp::transaction::{Declare, Declared, Discharge, TransactionalState};
use wharf_amqp::value::Value;

/// What was read, printed, and written again.
pub(crate) type Decoded = Result<(String, Vec<u8>), DecodeError>;

type Codec = fn(&[u8]) -> Decoded;

/// Every way of reading the type `name`, of which all must say the same.
pub(crate) fn codecs(name: &str) -> Vec<Codec> {
    match name {
        "open" => vec![composite::<Open>, performative],
        "begin" => vec![composite::<Begin>, performative],
        "attach" => vec![composite::<Attach>, performative],
        "flow" => vec![composite::<Flow>, performative],
        "transfer" => vec![composite::<Transfer>, performative],
        "disposition" => vec![composite::<Disposition>, performative],
        "detach" => vec![composite::<Detach>, performative],
        "end" => vec![composite::<End>, performative],
        "close" => vec![composite::<Close>, performative],
        "error" => vec![composite::<Error>],
        "header" => vec![composite::<Header>],
        "properties" => vec![composite::<Properties>],
        "received" | "accepted" | "rejected" | "released" => vec![delivery_state],
        "modified" => vec![composite::<Modified>, delivery_state],
        "source" => vec![composite::<Source>],
        "target" => vec![composite::<Target>],
        "delete-on-close"
        | "delete-on-no-links"
        | "delete-on-no-messages"
        | "delete-on-no-links-or-messages" => vec![lifetime_policy],
        "coordinator" => vec![composite::<Coordinator>],
        "declare" => vec![composite::<Declare>],
        "discharge" => vec![composite::<Discharge>],
        "declared" => vec![composite::<Declared>, delivery_state],
        "transactional-state" => vec![composite::<TransactionalState>, delivery_state],
        "sasl-mechanisms" => vec![composite::<Mechanisms>, sasl_frame],
        "sasl-init" => vec![composite::<Init>, sasl_frame],
        "sasl-challenge" => vec![composite::<Challenge>, sasl_frame],
        "sasl-response" => vec![composite::<Response>, sasl_frame],
        "sasl-outcome" => vec![composite::<Outcome>, sasl_frame],
        other => panic!("nothing reads {other}"),
    }
}

fn composite<T: Composite + Debug>(octets: &[u8]) -> Decoded {
    let (composite, len) = T::decode(octets)?;
    assert_eq!(len, octets.len());
    let mut out = Vec::new();
    composite.encode(&mut out);
    Ok((format!("{composite:?}"), out))
}

fn performative(octets: &[u8]) -> Decoded {
    let mut frame = octets.to_vec();
    frame.extend(b"payload");
    let (performative, len) = Performative::decode(&frame)?;
    assert_eq!(len, octets.len());
    let mut out = Vec::new();
    performative.encode(&mut out);
    Ok((format!("{performative:?}"), out))
}

fn sasl_frame(octets: &[u8]) -> Decoded {
    let frame = SaslFrame::decode(octets)?;
    let mut out = Vec::new();
    frame.encode(&mut out);
    Ok((format!("{frame:?}"), out))
}

fn delivery_state(octets: &[u8]) -> Decoded {
    let (state, len) = DeliveryState::decode(octets)?;
    assert_eq!(len, octets.len());
    assert!(!matches!(state, DeliveryState::Other(_)), "{state:?}");
    let mut out = Vec::new();
    state.encode(&mut out);
    Ok((format!("{state:?}"), out))
}

fn lifetime_policy(octets: &[u8]) -> Decoded {
    let (value, _) = Value::decode(octets)?;
    match LifetimePolicy::from_value(&value) {
        Some(policy) => {
            let mut out = Vec::new();
            policy.to_value().encode(&mut out);
            Ok((format!("{policy:?}"), out))
        }
        // It has no error of its own; any will do here.
        None => Err(Error::decode(&[]).expect_err("nothing")),
    }
}
