//! Properties of the codec: what is written is read back, in any kind and unit; both kinds say the
//! same; and no octets whatever make the reader fail otherwise than by name.

use proptest::prelude::*;
use wharf_mbws::{
    Content, Frame, Kind, LengthUnit, Limits, Message, NotRepresentable, content_from_stored,
    convert, decode, encode_acknowledge, encode_connect, encode_content, encode_message_header,
};

#[derive(Clone, Debug)]
struct Sample {
    addresses: Vec<String>,
    content_type: String,
    properties: Vec<(String, String)>,
    body: Vec<u8>,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Text), Just(Kind::Binary)]
}

fn units() -> impl Strategy<Value = LengthUnit> {
    use LengthUnit::{CodePoints, Octets, Utf16};
    prop_oneof![Just(CodePoints), Just(Octets), Just(Utf16)]
}

/// Strings of every width, with the digits and spaces that a text frame could trip over.
fn strings() -> impl Strategy<Value = String> {
    let characters = prop_oneof![
        4 => prop::char::range(' ', '~'),
        1 => prop::char::range('0', '9'),
        1 => Just(' '),
        2 => any::<char>(),
    ];
    prop::collection::vec(characters, 0..24).prop_map(String::from_iter)
}

fn samples() -> impl Strategy<Value = Sample> {
    let lists = (
        prop::collection::vec(strings(), 0..4),
        strings(),
        prop::collection::vec((strings(), strings()), 0..4),
        prop_oneof![
            strings().prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..64)
        ],
    );
    lists.prop_map(|(addresses, content_type, properties, body)| Sample {
        addresses,
        content_type,
        properties,
        body,
    })
}

fn write(sample: &Sample, kind: Kind, unit: LengthUnit) -> Result<Vec<u8>, NotRepresentable> {
    let mut out = Vec::new();
    let addresses: Vec<&str> = sample.addresses.iter().map(String::as_str).collect();
    encode_message_header(kind, unit, &addresses, &mut out);
    let properties = sample.properties.iter().map(|(name, value)| (&**name, &**value));
    encode_content(kind, unit, &sample.content_type, properties, &sample.body, &mut out)?;
    Ok(out)
}

fn read(kind: Kind, unit: LengthUnit, payload: &[u8]) -> Message<'_> {
    match decode(kind, unit, payload, &Limits::default()) {
        Ok(Frame::Message(message)) => message,
        other => panic!("not a Message: {other:?}"),
    }
}

fn assert_content(content: &Content<'_>, sample: &Sample) {
    assert_eq!(content.content_type(), sample.content_type);
    let properties = content.properties().map(|(name, value)| (name.into(), value.into()));
    assert_eq!(properties.collect::<Vec<(String, String)>>(), sample.properties);
    assert_eq!(content.body(), sample.body);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// MBWS-003, MBWS-079, MBWS-103, MBWS-115, MBWS-A18
    #[test]
    fn messages_are_read_as_written(sample in samples(), kind in kinds(), unit in units()) {
        let Ok(payload) = write(&sample, kind, unit) else {
            prop_assert_eq!(kind, Kind::Text);
            prop_assert!(std::str::from_utf8(&sample.body).is_err());
            return Ok(());
        };
        let message = read(kind, unit, &payload);
        prop_assert_eq!(message.addresses.iter().collect::<Vec<_>>(), &sample.addresses[..]);
        prop_assert_eq!(message.addresses.count(), sample.addresses.len());
        assert_content(&message.content, &sample);
        let stored = content_from_stored(kind, unit, message.content.raw());
        prop_assert_eq!(stored.as_ref(), Ok(&message.content));
    }

    /// MBWS-003, MBWS-A03: there and back is the same octets.
    #[test]
    fn content_converts_and_comes_back(
        sample in samples(), from in (kinds(), units()), to in (kinds(), units())
    ) {
        let Ok(payload) = write(&sample, from.0, from.1) else { return Ok(()) };
        let content = read(from.0, from.1, &payload).content;
        let mut there = Vec::new();
        if convert(&content, to.0, to.1, &mut there).is_err() {
            prop_assert_eq!((from.0, to.0), (Kind::Binary, Kind::Text));
            prop_assert!(std::str::from_utf8(&sample.body).is_err());
            prop_assert!(there.is_empty());
            return Ok(());
        }
        let converted = content_from_stored(to.0, to.1, &there).unwrap();
        assert_content(&converted, &sample);
        let mut back = Vec::new();
        convert(&converted, from.0, from.1, &mut back).unwrap();
        prop_assert_eq!(back, content.raw());
    }

    /// MBWS-101, MBWS-102, MBWS-105, MBWS-111
    #[test]
    fn connects_and_acknowledges_are_read_as_written(
        name in strings(), numbers in prop::collection::vec(0..1u64 << 56, 0..4),
        kind in kinds(), unit in units(),
    ) {
        let mut payload = Vec::new();
        encode_connect(kind, unit, &name, &numbers, &mut payload);
        let Ok(Frame::Connect { name: got, numbers: got_numbers }) =
            decode(kind, unit, &payload, &Limits::default()) else { panic!("not a Connect") };
        prop_assert_eq!(got, &name);
        prop_assert_eq!(got_numbers.as_slice(), Some(&numbers[..]));
        for number in numbers {
            payload.clear();
            encode_acknowledge(kind, number, &mut payload);
            let frame = decode(kind, unit, &payload, &Limits::default());
            prop_assert_eq!(frame, Ok(Frame::Acknowledge(number)));
        }
    }

    /// MBWS-120: any octets are a frame or a named violation, and a frame cut short is neither
    /// the same frame nor a panic.
    #[test]
    fn damaged_frames_do_no_harm(
        sample in samples(), kind in kinds(), unit in units(),
        at in any::<prop::sample::Index>(), octet in any::<u8>(), cut in any::<bool>(),
    ) {
        let Ok(mut payload) = write(&sample, kind, unit) else { return Ok(()) };
        let at = at.index(payload.len());
        if cut { payload.truncate(at) } else { payload[at] = octet }
        for kind in [Kind::Text, Kind::Binary] {
            if let Ok(Frame::Message(message)) = decode(kind, unit, &payload, &Limits::default()) {
                // Walking what was validated gives every entry.
                prop_assert_eq!(message.addresses.iter().count(), message.addresses.count());
                let properties = message.content.properties();
                prop_assert_eq!(properties.len(), properties.count());
            }
        }
    }
}
