//! Frames and messages against another implementation: what one writes, the other reads.

use crate::arbitrary::{header, properties, source};
use crate::arbitrary_frames::{disposition, flow, performative, sasl_frame, transfer};
use fe2o3_amqp_types::messaging as their_messaging;
use fe2o3_amqp_types::performatives as their;
use fe2o3_amqp_types::sasl as their_sasl;
use fe2o3_amqp_types::transaction as their_transaction;
use proptest::prelude::*;
use serde_amqp::serde::Serialize;
use serde_amqp::serde::de::DeserializeOwned;
use std::fmt::Debug;
use wharf_amqp::codec::Composite;
use wharf_amqp::messaging::{Header, Properties, Source};
use wharf_amqp::performative::Performative;
use wharf_amqp::sasl_frame::SaslFrame;
use wharf_amqp::tag::Tag;
use wharf_amqp::transaction::{Declare, Discharge};

/// What the other side makes of these octets, and what it writes for it.
fn through<T: Serialize + DeserializeOwned>(octets: &[u8]) -> (T, Vec<u8>) {
    let read: T = serde_amqp::from_slice(octets)
        .unwrap_or_else(|error| panic!("read by them: {error}: {octets:x?}"));
    let written = serde_amqp::to_vec(&read).expect("written by them");
    (read, written)
}

/// A composite goes to the other side and comes back.
fn composite<T: Composite + Debug + PartialEq, U: Serialize + DeserializeOwned>(ours: &T) -> U {
    let mut octets = Vec::new();
    ours.encode(&mut octets);
    let (read, written) = through::<U>(&octets);
    let (again, len) = T::decode(&written).expect("read by us");
    assert_eq!((&again, len), (ours, written.len()), "{written:x?}");
    read
}

/// The other side knows no delivery states and distribution modes but those of the standard.
fn is_standard(it: &impl Debug) -> bool {
    let shown = format!("{it:?}");
    !shown.contains("Other(Described") && !shown.contains("distribution_mode: Some(Other")
}

proptest! {
    #[test]
    fn performatives_go_there_and_back(ours in performative().prop_filter("standard", is_standard)) {
        let mut octets = Vec::new();
        ours.encode(&mut octets);
        let (_, written) = through::<their::Performative>(&octets);
        prop_assert_eq!(Performative::decode(&written), Ok((ours, written.len())), "{:x?}", written);
    }

    #[test]
    fn a_transfer_means_the_same(ours in transfer().prop_filter("standard", is_standard)) {
        let read: their::Transfer = composite(&ours);
        prop_assert_eq!(read.handle.0, ours.handle);
        prop_assert_eq!(read.delivery_id, ours.delivery_id);
        prop_assert_eq!(read.delivery_tag.as_deref().map(Vec::as_slice), ours.delivery_tag.as_deref());
        prop_assert_eq!(read.message_format, ours.message_format);
        prop_assert_eq!(read.settled, ours.settled);
        prop_assert_eq!(
            (read.more, read.resume, read.aborted, read.batchable),
            (ours.more, ours.resume, ours.aborted, ours.batchable)
        );
        prop_assert_eq!(read.state.is_some(), ours.state.is_some());
    }

    #[test]
    fn a_disposition_means_the_same(ours in disposition().prop_filter("standard", is_standard)) {
        let read: their::Disposition = composite(&ours);
        prop_assert_eq!((read.first, read.last), (ours.first, ours.last));
        prop_assert_eq!((read.settled, read.batchable), (ours.settled, ours.batchable));
        prop_assert_eq!(format!("{:?}", read.role), format!("{:?}", ours.role));
    }

    #[test]
    fn a_flow_means_the_same(ours in flow()) {
        let read: their::Flow = composite(&ours);
        prop_assert_eq!(
            (read.next_incoming_id, read.incoming_window, read.next_outgoing_id, read.outgoing_window),
            (ours.next_incoming_id, ours.incoming_window, ours.next_outgoing_id, ours.outgoing_window)
        );
        prop_assert_eq!(read.handle.map(|handle| handle.0), ours.handle);
        prop_assert_eq!(
            (read.delivery_count, read.link_credit, read.available),
            (ours.delivery_count, ours.link_credit, ours.available)
        );
        prop_assert_eq!((read.drain, read.echo), (ours.drain, ours.echo));
    }

    #[test]
    fn a_source_means_the_same(ours in source().prop_filter("standard", is_standard)) {
        let read: their_messaging::Source = composite::<Source, _>(&ours);
        prop_assert_eq!(read.address, ours.address);
        prop_assert_eq!((read.timeout, read.dynamic), (ours.timeout, ours.dynamic));
        prop_assert_eq!(read.filter.map_or(0, |filter| filter.len()), ours.filter.len());
    }

    #[test]
    fn a_header_means_the_same(ours in header()) {
        let read: their_messaging::Header = composite::<Header, _>(&ours);
        prop_assert_eq!((read.durable, read.priority.0, read.ttl), (ours.durable, ours.priority, ours.ttl));
        prop_assert_eq!(
            (read.first_acquirer, read.delivery_count),
            (ours.first_acquirer, ours.delivery_count)
        );
    }

    #[test]
    fn properties_mean_the_same(ours in properties()) {
        let read: their_messaging::Properties = composite::<Properties, _>(&ours);
        prop_assert_eq!((read.to, read.subject, read.reply_to), (ours.to, ours.subject, ours.reply_to));
        prop_assert_eq!((read.group_id, read.group_sequence), (ours.group_id, ours.group_sequence));
        prop_assert_eq!(read.reply_to_group_id, ours.reply_to_group_id);
    }

    #[test]
    fn transactions_mean_the_same(octets in proptest::collection::vec(any::<u8>(), 0..=32), fail: bool) {
        let txn_id = Tag::new(&octets).expect("short");
        let read: their_transaction::Discharge = composite(&Discharge { txn_id, fail: Some(fail) });
        prop_assert_eq!((read.txn_id.as_slice(), read.fail), (&octets[..], Some(fail)));
        let read: their_transaction::Declare = composite(&Declare { global_id: None });
        prop_assert!(read.global_id.is_none());
    }

    #[test]
    fn sasl_frames_go_there_and_back(ours in sasl_frame()) {
        let mut octets = Vec::new();
        ours.encode(&mut octets);
        let written = match &ours {
            SaslFrame::Mechanisms(_) => through::<their_sasl::SaslMechanisms>(&octets).1,
            SaslFrame::Init(_) => through::<their_sasl::SaslInit>(&octets).1,
            SaslFrame::Challenge(_) => through::<their_sasl::SaslChallenge>(&octets).1,
            SaslFrame::Response(_) => through::<their_sasl::SaslResponse>(&octets).1,
            SaslFrame::Outcome(_) => through::<their_sasl::SaslOutcome>(&octets).1,
        };
        prop_assert_eq!(SaslFrame::decode(&written), Ok(ours));
    }
}
