//! Random values, frames and parts of messages.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::messaging::{
    AnnotationKey, Annotations, ApplicationProperties, Coordinator, DeliveryState,
    DistributionMode, Header, MessageId, Modified, Properties, Source, Target, TargetArchetype,
    TerminusDurability, TerminusExpiryPolicy,
};
use wharf_amqp::tag::Tag;
use wharf_amqp::transaction::{Capability, Declared, TransactionalState};
use wharf_amqp::value::{Array, Fields, Kind, Value};

/// Text, now and then longer than one octet can say.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let short = vec(any::<char>(), 0..12).prop_map(String::from_iter);
    prop_oneof![
        8 => short,
        1 => (250..260_usize).prop_map(|len| "ö".repeat(len / 2)),
    ]
}

pub(crate) fn symbol() -> impl Strategy<Value = String> {
    let short =
        vec(0..128_u8, 0..12).prop_map(|octets| octets.into_iter().map(char::from).collect());
    prop_oneof![
        8 => short,
        1 => (250..260_usize).prop_map(|len| "s".repeat(len)),
    ]
}

pub(crate) fn symbols() -> impl Strategy<Value = Vec<String>> {
    vec(symbol(), 0..4)
}

pub(crate) fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..12),
        1 => vec(any::<u8>(), 250..260),
    ]
}

pub(crate) fn tag() -> impl Strategy<Value = Tag> {
    vec(any::<u8>(), 0..=32).prop_map(|octets| Tag::new(&octets).expect("short"))
}

/// Numbers of every length.
pub(crate) fn number() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 0..=300_u32, any::<u32>()]
}

fn long_number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..=300_u64, any::<u64>()]
}

/// A value that holds no others.
pub(crate) fn simple_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u8>().prop_map(Value::Ubyte),
        any::<u16>().prop_map(Value::Ushort),
        number().prop_map(Value::Uint),
        long_number().prop_map(Value::Ulong),
        any::<i8>().prop_map(Value::Byte),
        any::<i16>().prop_map(Value::Short),
        prop_oneof![-130..130_i32, any::<i32>()].prop_map(Value::Int),
        prop_oneof![-130..130_i64, any::<i64>()].prop_map(Value::Long),
        any::<u32>().prop_map(|bits| Value::Float(f32::from_bits(bits))),
        any::<u64>().prop_map(|bits| Value::Double(f64::from_bits(bits))),
        any::<[u8; 4]>().prop_map(Value::Decimal32),
        any::<[u8; 8]>().prop_map(Value::Decimal64),
        any::<[u8; 16]>().prop_map(Value::Decimal128),
        any::<char>().prop_map(Value::Char),
        any::<i64>().prop_map(Value::Timestamp),
        any::<[u8; 16]>().prop_map(Value::Uuid),
        octets().prop_map(Value::Binary),
        text().prop_map(Value::String),
        symbol().prop_map(Value::Symbol),
    ]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    simple_value().prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::List),
            vec((inner.clone(), inner.clone()), 0..6).prop_map(|pairs| Value::Map(distinct(pairs))),
            (vec(inner.clone(), 1..6), vec(inner.clone(), 0..3))
                .prop_map(|(elements, by)| { Value::Array(Box::new(array(by, elements))) }),
            (inner.clone(), inner).prop_map(|(by, value)| Value::described(by, value)),
        ]
    })
}

/// An array of all elements that are of the first one's type.
fn array(descriptors: Vec<Value>, elements: Vec<Value>) -> Array {
    let kind = elements.iter().find_map(Value::kind).unwrap_or(Kind::Null);
    let elements = elements.into_iter().filter(|element| element.kind() == Some(kind)).collect();
    Array::described(descriptors, kind, elements).expect("one kind")
}

/// Without the pairs whose key came before.
pub(crate) fn distinct<K: PartialEq, V>(pairs: Vec<(K, V)>) -> Vec<(K, V)> {
    let mut kept: Vec<(K, V)> = Vec::new();
    for (key, value) in pairs {
        if kept.iter().all(|(other, _)| *other != key) {
            kept.push((key, value));
        }
    }
    kept
}

pub(crate) fn fields() -> impl Strategy<Value = Fields> {
    vec((symbol(), simple_value()), 0..4).prop_map(distinct)
}

pub(crate) fn annotations() -> impl Strategy<Value = Annotations> {
    let key = prop_oneof![
        symbol().prop_map(AnnotationKey::Symbol),
        long_number().prop_map(AnnotationKey::Ulong),
    ];
    vec((key, value()), 0..4).prop_map(distinct)
}

pub(crate) fn application_properties() -> impl Strategy<Value = ApplicationProperties> {
    vec((text(), simple_value()), 0..4).prop_map(distinct)
}

pub(crate) fn error() -> impl Strategy<Value = Error> {
    let standard = (0..Condition::STANDARD.len()).prop_map(|at| Condition::STANDARD[at].clone());
    let other = "x:[a-z]{0,9}".prop_map(Condition::Other);
    let condition = prop_oneof![4 => standard, 1 => other];
    (condition, option::of(text()), fields()).prop_map(|(condition, description, info)| Error {
        condition,
        description,
        info,
    })
}

/// A state of somebody else's.
fn other_state() -> impl Strategy<Value = DeliveryState> {
    let descriptor = prop_oneof![
        (1..9_u64).prop_map(|domain| Value::Ulong(domain << 32)),
        "x:[a-z]{0,9}".prop_map(Value::Symbol),
    ];
    (descriptor, value())
        .prop_map(|(by, value)| DeliveryState::Other(Box::new(Value::described(by, value))))
}

pub(crate) fn outcome() -> impl Strategy<Value = DeliveryState> {
    let modified = (option::of(any::<bool>()), option::of(any::<bool>()), fields()).prop_map(
        |(delivery_failed, undeliverable_here, message_annotations)| {
            let modified = Modified { delivery_failed, undeliverable_here, message_annotations };
            DeliveryState::Modified(Box::new(modified))
        },
    );
    prop_oneof![
        Just(DeliveryState::Accepted),
        Just(DeliveryState::Released),
        option::of(error()).prop_map(|error| DeliveryState::Rejected(error.map(Box::new))),
        modified,
        tag().prop_map(|txn_id| DeliveryState::Declared(Box::new(Declared { txn_id }))),
        other_state(),
    ]
}

pub(crate) fn delivery_state() -> impl Strategy<Value = DeliveryState> {
    let received = (number(), long_number()).prop_map(|(section_number, section_offset)| {
        DeliveryState::Received { section_number, section_offset }
    });
    let transactional = (tag(), option::of(outcome())).prop_map(|(txn_id, outcome)| {
        DeliveryState::Transactional(Box::new(TransactionalState { txn_id, outcome }))
    });
    prop_oneof![3 => outcome(), 1 => received, 1 => transactional]
}

fn durability() -> impl Strategy<Value = TerminusDurability> {
    (0..3_u32).prop_map(|code| TerminusDurability::from_code(code).expect("a code"))
}

fn expiry_policy() -> impl Strategy<Value = TerminusExpiryPolicy> {
    prop_oneof![
        Just(TerminusExpiryPolicy::LinkDetach),
        Just(TerminusExpiryPolicy::SessionEnd),
        Just(TerminusExpiryPolicy::ConnectionClose),
        Just(TerminusExpiryPolicy::Never),
    ]
}

prop_compose! {
    pub(crate) fn source()(
        address in option::of(text()),
        durable in durability(),
        expiry_policy in expiry_policy(),
        timeout in number(),
        dynamic in any::<bool>(),
        dynamic_node_properties in fields(),
        distribution_mode in option::of(prop_oneof![
            Just(DistributionMode::Move),
            Just(DistributionMode::Copy),
            "x-[a-z]{0,9}".prop_map(DistributionMode::Other),
        ]),
        filter in fields(),
        default_outcome in option::of(outcome()),
        outcomes in symbols(),
        capabilities in symbols(),
    ) -> Source {
        Source {
            address, durable, expiry_policy, timeout, dynamic, dynamic_node_properties,
            distribution_mode, filter, default_outcome, outcomes, capabilities,
        }
    }
}

prop_compose! {
    fn plain_target()(
        address in option::of(text()),
        durable in durability(),
        expiry_policy in expiry_policy(),
        timeout in number(),
        dynamic in any::<bool>(),
        dynamic_node_properties in fields(),
        capabilities in symbols(),
    ) -> Target {
        Target {
            address, durable, expiry_policy, timeout, dynamic, dynamic_node_properties,
            capabilities,
        }
    }
}

pub(crate) fn target() -> impl Strategy<Value = TargetArchetype> {
    let capabilities = proptest::sample::subsequence(Capability::ALL.to_vec(), 0..=5);
    let coordinator = capabilities.prop_map(|capabilities| {
        let capabilities = capabilities.into_iter().map(|it| it.as_str().to_owned()).collect();
        Coordinator { capabilities }
    });
    prop_oneof![
        3 => plain_target().prop_map(TargetArchetype::Target),
        1 => coordinator.prop_map(TargetArchetype::Coordinator),
    ]
}

prop_compose! {
    pub(crate) fn header()(
        durable in any::<bool>(),
        priority in any::<u8>(),
        ttl in option::of(number()),
        first_acquirer in any::<bool>(),
        delivery_count in number(),
    ) -> Header {
        Header { durable, priority, ttl, first_acquirer, delivery_count }
    }
}

fn message_id() -> impl Strategy<Value = MessageId> {
    prop_oneof![
        long_number().prop_map(MessageId::Ulong),
        any::<[u8; 16]>().prop_map(MessageId::Uuid),
        octets().prop_map(MessageId::Binary),
        text().prop_map(MessageId::String),
    ]
}

prop_compose! {
    pub(crate) fn properties()(
        ids in (option::of(message_id()), option::of(message_id())),
        user_id in option::of(octets()),
        to in option::of(text()),
        subject in option::of(text()),
        reply_to in option::of(text()),
        content_type in option::of(symbol()),
        content_encoding in option::of(symbol()),
        times in (option::of(any::<i64>()), option::of(any::<i64>())),
        group_id in option::of(text()),
        group_sequence in option::of(number()),
        reply_to_group_id in option::of(text()),
    ) -> Properties {
        Properties {
            message_id: ids.0, user_id, to, subject, reply_to, correlation_id: ids.1,
            content_type, content_encoding, absolute_expiry_time: times.0, creation_time: times.1,
            group_id, group_sequence, reply_to_group_id,
        }
    }
}
