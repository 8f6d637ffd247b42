//! What is written is read again, whatever it is and however it was written.

use crate::arbitrary::{delivery_state, value};
use crate::arbitrary_frames::{performative, sasl_frame};
use crate::verbose;
use proptest::prelude::*;
use wharf_amqp::codec::Reader;
use wharf_amqp::frame::{FRAME_HEADER_BYTES, FrameHeader, FrameType, put_frame, put_sasl_frame};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::Performative;
use wharf_amqp::sasl_frame::SaslFrame;
use wharf_amqp::value::Value;

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

proptest! {
    #[test]
    fn values_come_back(value in value()) {
        let mut octets = encoded(&value);
        let len = octets.len();
        octets.extend_from_slice(b"and more");
        prop_assert_eq!(Value::decode(&octets), Ok((value, len)));
        prop_assert_eq!(Reader::new(&octets).skip_value(), Ok(&octets[..len]));
    }

    #[test]
    fn values_cut_off_are_refused(value in value()) {
        let octets = encoded(&value);
        for end in 0..octets.len() {
            prop_assert!(Value::decode(&octets[..end]).is_err());
            prop_assert!(Reader::new(&octets[..end]).skip_value().is_err());
        }
    }

    #[test]
    fn every_encoding_of_a_value_is_read_and_none_is_shorter(value in value(), rng in any_rng()) {
        let mut octets = Vec::new();
        verbose::encode(&mut octets, &value, &mut rng.clone());
        let len = octets.len();
        prop_assert_eq!(Value::decode(&octets), Ok((value.clone(), len)), "{:x?}", octets);
        prop_assert_eq!(Reader::new(&octets).skip_value().map(<[u8]>::len), Ok(len));
        let has_arrays = octets.iter().any(|octet| matches!(octet, 0xe0 | 0xf0));
        // Elements without octets are written with one, so that their count is bounded.
        prop_assert!(has_arrays || encoded(&value).len() <= len);
    }

    #[test]
    fn octets_that_are_read_come_back(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
        let skipped = Reader::new(&octets).skip_value().map(<[u8]>::len);
        if let Ok((value, len)) = Value::decode(&octets) {
            prop_assert_eq!(skipped, Ok(len));
            let again = encoded(&value);
            prop_assert_eq!(Value::decode(&again), Ok((value, again.len())));
        }
    }

    #[test]
    fn performatives_come_back_and_leave_the_payload(
        performative in performative(), channel: u16, payload: Vec<u8>,
    ) {
        let mut out = b"before".to_vec();
        let size = put_frame(&mut out, channel, |out| {
            performative.encode(out);
            out.extend_from_slice(&payload);
        });
        let frame = &out[6..];
        prop_assert_eq!(size, frame.len());
        let header = FrameHeader::parse(frame).expect("a frame").expect("a whole header");
        prop_assert_eq!((header.frame_type, header.channel), (FrameType::Amqp, channel));
        prop_assert_eq!(header.body_start() + header.body_len(), size);
        let body = &frame[header.body_start()..];
        let (again, len) = Performative::decode(body).expect("a performative");
        prop_assert_eq!(&again, &performative);
        prop_assert_eq!(&body[len..], &payload);
        for end in 0..len {
            prop_assert!(Performative::decode(&body[..end]).is_err());
        }
    }

    #[test]
    fn performatives_are_read_in_every_encoding(
        performative in performative(), rng in any_rng(),
    ) {
        let mut short = Vec::new();
        performative.encode(&mut short);
        let (value, _) = Value::decode(&short).expect("a value");
        let mut long = Vec::new();
        verbose::encode(&mut long, &value, &mut rng.clone());
        prop_assert_eq!(Performative::decode(&long), Ok((performative, long.len())));
    }

    #[test]
    fn damaged_performatives_do_no_harm(
        performative in performative(), at: prop::sample::Index, octet: u8,
    ) {
        let mut octets = Vec::new();
        performative.encode(&mut octets);
        let at = at.index(octets.len());
        octets[at] = octet;
        if let Ok((read, len)) = Performative::decode(&octets) {
            prop_assert!(len <= octets.len());
            let mut again = Vec::new();
            read.encode(&mut again);
            prop_assert_eq!(Performative::decode(&again), Ok((read, again.len())));
        }
    }

    #[test]
    fn sasl_frames_come_back(frame in sasl_frame()) {
        let mut out = Vec::new();
        put_sasl_frame(&mut out, |out| frame.encode(out));
        let header = FrameHeader::parse(&out).expect("a frame").expect("a whole header");
        prop_assert_eq!((header.frame_type, header.channel), (FrameType::Sasl, 0));
        let body = &out[FRAME_HEADER_BYTES..];
        prop_assert_eq!(SaslFrame::decode(body), Ok(frame));
        for end in 0..body.len() {
            prop_assert!(SaslFrame::decode(&body[..end]).is_err());
        }
        prop_assert!(SaslFrame::decode(&[body, &[0x40]].concat()).is_err());
    }

    #[test]
    fn delivery_states_come_back(state in delivery_state()) {
        let mut octets = Vec::new();
        state.encode(&mut octets);
        prop_assert_eq!(DeliveryState::decode(&octets), Ok((state, octets.len())));
    }
}

fn any_rng() -> impl Strategy<Value = proptest::test_runner::TestRng> {
    Just(()).prop_perturb(|(), rng| rng)
}
