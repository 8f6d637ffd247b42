//! Two engines that talk to each other, whatever their callers do: neither ever breaks the rules
//! in the other's eyes, and every message arrives once and in order, or comes back.

use crate::pair_world::{Act, NAMES, World};
use proptest::collection::vec;
use proptest::prelude::*;
use wharf_amqp::engine::Framing;
use wharf_amqp::messaging::DeliveryState;

fn state() -> impl Strategy<Value = DeliveryState> {
    prop_oneof![
        Just(DeliveryState::Accepted),
        Just(DeliveryState::Released),
        Just(DeliveryState::Rejected(None)),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let which = 0usize..12;
    let attach = (which.clone(), 0usize..NAMES, any::<(bool, bool)>());
    let grant = (which.clone(), 0u32..12, prop::bool::weighted(0.3));
    let len = prop_oneof![4 => 0usize..40, 1 => 400usize..2500];
    let deliver = (which.clone(), len, prop::bool::weighted(0.2), 1usize..6);
    let dispose = (which.clone(), 1usize..20, prop::bool::weighted(0.8), state());
    prop_oneof![
        1 => Just(Act::Begin),
        1 => which.clone().prop_map(Act::End),
        5 => attach.prop_map(|(session, name, (sends, second))| {
            Act::Attach { session, name, sends, second }
        }),
        6 => (which.clone(), prop::bool::weighted(0.1))
            .prop_map(|(which, refuse)| Act::Answer { which, refuse }),
        12 => grant.prop_map(|(link, credit, drain)| Act::Grant { link, credit, drain }),
        10 => deliver.prop_map(|(link, len, settled, times)| {
            Act::Deliver { link, len, settled, times }
        }),
        3 => which.clone().prop_map(Act::Drained),
        6 => dispose.prop_map(|(session, many, settled, state)| {
            Act::Dispose { session, many, settled, state }
        }),
        3 => which.clone().prop_map(Act::SettleSent),
        1 => (which, any::<bool>()).prop_map(|(link, closed)| Act::Detach { link, closed }),
        20 => prop_oneof![1usize..100, 100usize..3000].prop_map(Act::Transmit),
        24 => prop_oneof![1usize..20, 20usize..3000].prop_map(Act::Hear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_engines_never_quarrel(
        messages in any::<bool>(),
        windows in [1u32..6, 1u32..40],
        acts in vec((0usize..2, act()), 0..200),
    ) {
        let framing = if messages { Framing::Messages } else { Framing::Stream };
        let mut world = World::new(framing, windows);
        for (at, act) in acts {
            world.act(at, act);
        }
        world.finish();
        world.end_sessions();
        world.nodes[0].us.close(None).unwrap();
        world.flush();
        for node in &world.nodes {
            prop_assert!(node.closed.as_ref().is_some_and(|closed| closed.clean));
        }
    }
}
