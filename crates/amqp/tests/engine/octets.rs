//! A conversation in octets, written by hand from the standard's definitions: nothing here is
//! encoded or decoded by this crate but what is tested.

use crate::trace::{LINK, hex};
use std::sync::Arc;
use wharf_amqp::engine::{
    AttachAnswer, Config, Connection, Event, Framing, Input, OutgoingDelivery, Role as Side,
    SaslPolicy, SessionId,
};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::Open;
use wharf_amqp::sasl_frame::Code;
use wharf_amqp::tag::Tag;

/// Hands octets over, and gives the events to `each`.
fn hear(us: &mut Connection, digits: &str, mut each: impl FnMut(&mut Connection, Event<'_>)) {
    let octets = hex(digits);
    let mut input = Input::stream(&octets);
    while let Some(event) = us.poll_event(&mut input) {
        each(us, event);
    }
}

fn sent(us: &mut Connection) -> Vec<u8> {
    let mut out = Vec::new();
    while us.poll_transmit(&mut out, 1 << 16) > 0 {}
    out
}

#[track_caller]
fn expect(us: &mut Connection, digits: &str) {
    let (sent, expected) = (sent(us), hex(digits));
    assert!(sent == expected, "\n  {sent:02x?}\n  {expected:02x?}");
}

fn acceptor(sasl: SaslPolicy) -> Connection {
    Connection::new(Arc::new(Config {
        sasl,
        idle_time_out: None,
        ..Config::new(Side::Acceptor, Framing::Stream)
    }))
}

/// AMQP 2.2, 2.7.1, 2.7.2, 2.7.9, with performatives spelled out in several encodings.
#[test]
fn opening_and_closing() {
    let mut us = acceptor(SaslPolicy::Absent);
    hear(&mut us, r#""AMQP" 00 01 00 00"#, |_, _| panic!());
    expect(&mut us, r#""AMQP" 00 01 00 00"#);

    // open: list32, the container "c" as str32, the descriptor as ulong; nothing else.
    let open = r#"00000022 02 00 0000  00 80 0000000000000010
                  d0 0000000b 00000002 b1 00000001 "c" 40"#;
    hear(&mut us, open, |us, event| match event {
        Event::Opened(open) => {
            assert_eq!((open.container_id.as_str(), open.hostname), ("c", None));
            assert_eq!((open.max_frame_size, open.channel_max), (u32::MAX, u16::MAX));
            us.open(Open::new("w")).unwrap();
        }
        other => panic!("{other:?}"),
    });
    // open: list8 of 4 fields: "w", null, 65536, 255.
    expect(&mut us, r#"0000001a 02 00 0000  00 53 10 c0 0d 04 a1 01 "w" 40 70 00010000 60 00ff"#);

    // begin, by its symbolic descriptor: null, 1, 2, 3.
    let begin = r#"00000024 02 00 0005  00 a3 0f "amqp:begin:list" c0 08 04 40 52 01 52 02 52 03"#;
    hear(&mut us, begin, |_, event| {
        assert!(matches!(event, Event::Begun(SessionId(0), _)), "{event:?}");
    });
    // begin: remote channel 5, next 0, window 8192, 2^31 - 1, handle-max 1023.
    expect(
        &mut us,
        "00000021 02 00 0000  00 53 11 c0 14 05 60 0005 43 70 00002000 70 7fffffff 70 000003ff",
    );

    // end: an empty list. close: an error with a condition.
    hear(&mut us, "0000000c 02 00 0005  00 53 17 45", |_, event| {
        assert!(matches!(event, Event::Ended { error: None, .. }), "{event:?}");
    });
    expect(&mut us, "0000000c 02 00 0000  00 53 17 45");
    let close = r#"0000002a 02 00 0000  00 53 18 c0 1d 01
                   00 53 1d c0 17 01 a3 14 "amqp:internal-error!""#;
    hear(&mut us, close, |_, event| match event {
        Event::Closed(closed) => {
            let error = closed.error.unwrap();
            assert_eq!(error.condition.as_str(), "amqp:internal-error!");
            assert!(closed.clean);
        }
        other => panic!("{other:?}"),
    });
    expect(&mut us, "0000000c 02 00 0000  00 53 18 45");
}

/// AMQP 5.3.
#[test]
fn logging_in() {
    let mut us = acceptor(SaslPolicy::Required(vec!["PLAIN".to_owned(), "ANONYMOUS".to_owned()]));
    hear(&mut us, r#""AMQP" 03 01 00 00"#, |_, _| panic!());
    // sasl-mechanisms: an array of two symbols.
    expect(
        &mut us,
        r#""AMQP" 03 01 00 00
           00000022 02 01 0000  00 53 40 c0 15 01 e0 12 02 a3 05 "PLAIN" 09 "ANONYMOUS""#,
    );
    // sasl-init: PLAIN, the response, a hostname.
    let init =
        r#"00000021 02 01 0000  00 53 41 c0 14 03 a3 05 "PLAIN" a0 04 00 "u" 00 "p" a1 04 "host""#;
    hear(&mut us, init, |us, event| match event {
        Event::SaslInit(init) => {
            assert_eq!(init.mechanism, "PLAIN");
            assert_eq!(init.initial_response.as_deref(), Some(b"\0u\0p".as_slice()));
            assert_eq!(init.hostname.as_deref(), Some("host"));
            us.sasl_outcome(Code::Ok, None).unwrap();
        }
        other => panic!("{other:?}"),
    });
    expect(&mut us, "00000010 02 01 0000  00 53 44 c0 03 01 50 00");
}

/// Opens and a begin, on channel 0 both.
fn mapped() -> Connection {
    let mut us = acceptor(SaslPolicy::Absent);
    let start = r#""AMQP" 00 01 00 00
        00000011 02 00 0000  00 53 10 c0 04 01 a1 01 "c"
        00000015 02 00 0000  00 53 11 c0 08 04 40 52 64 52 10 52 10"#;
    hear(&mut us, start, |us, event| {
        if let Event::Opened(_) = event {
            us.open(Open::new("w")).unwrap();
        }
    });
    sent(&mut us);
    us
}

/// AMQP 2.7.3 to 2.7.6.
#[test]
fn a_message_is_received() {
    let mut us = mapped();
    // attach "i", handle 0, sender (false), modes mixed and first, source with address "s", target
    // with address "t", unsettled null, complete, initial-delivery-count 2^32 - 1.
    let attach = r#"00000030 02 00 0000  00 53 12 c0 23 0a
        a1 01 "i" 43 42 50 02 50 00
        00 53 28 c0 04 01 a1 01 "s"
        00 53 29 c0 04 01 a1 01 "t"
        40 42 70 ffffffff"#;
    hear(&mut us, attach, |us, event| match event {
        Event::Attaching(link, attach) => {
            let answer = AttachAnswer {
                source: attach.source,
                target: attach.target,
                message_size_max_bytes: 1000,
                ..AttachAnswer::default()
            };
            us.accept_attach(link, answer).unwrap();
            us.grant(link, 5, false).unwrap();
        }
        other => panic!("{other:?}"),
    });
    // attach "i", handle 0, receiver (true), modes null, the termini, max-message-size 1000 in the
    // 11th field. flow: next-incoming-id 100, window 8192, next-outgoing-id 0, 2^31 - 1, handle 0,
    // delivery-count 2^32 - 1, link-credit 5.
    expect(
        &mut us,
        r#"00000033 02 00 0000  00 53 12 c0 26 0b
           a1 01 "i" 43 41 40 40
           00 53 28 c0 04 01 a1 01 "s"
           00 53 29 c0 04 01 a1 01 "t"
           40 40 40 80 00000000000003e8
           00000023 02 00 0000  00 53 13 c0 16 07
           52 64 70 00002000 43 70 7fffffff 43 70 ffffffff 52 05"#,
    );

    // transfer: handle 0, delivery-id 9, tag "x", format 0; then the payload "hi".
    let transfer = r#"00000017 02 00 0000  00 53 14 c0 08 04 43 52 09 a0 01 "x" 43 "hi""#;
    hear(&mut us, transfer, |us, event| match event {
        Event::Transferred(message) => {
            assert_eq!(&*message.payload, b"hi");
            assert_eq!((message.delivery_id, message.tag.as_slice()), (9, b"x".as_slice()));
            assert!(!message.settled);
            us.dispose(SessionId(0), 9, 9, true, DeliveryState::Accepted).unwrap();
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(us.credit(LINK), 4);
    // disposition: role receiver (true), first 9, last null, settled, state accepted.
    expect(&mut us, "00000017 02 00 0000  00 53 15 c0 0a 05 41 52 09 40 41 00 53 24 45");
}

/// AMQP 2.7.3 to 2.7.7.
#[test]
fn a_message_is_sent() {
    let mut us = mapped();
    // attach "o", handle 1, receiver; flow of 1 credit.
    let attach = r#"00000014 02 00 0000  00 53 12 c0 07 03 a1 01 "o" 52 01 41
        0000001a 02 00 0000  00 53 13 c0 0d 07 43 52 10 52 65 52 10 52 01 43 52 01"#;
    hear(&mut us, attach, |us, event| match event {
        Event::Attaching(id, _) => us.accept_attach(id, AttachAnswer::default()).unwrap(),
        Event::Credit(id, view) => assert_eq!((id, view.limit), (LINK, 1)),
        other => panic!("{other:?}"),
    });
    // attach "o", handle 0, sender (false), initial-delivery-count 0 in the 10th field.
    expect(
        &mut us,
        r#"0000001a 02 00 0000  00 53 12 c0 0d 0a a1 01 "o" 43 42 40 40 40 40 40 40 43"#,
    );
    let delivery = OutgoingDelivery {
        cookie: 1,
        tag: Tag::new(&[7]).unwrap(),
        message_format: 0,
        settled: false,
        payload: [b"he".as_slice().into(), b"llo".as_slice().into()],
    };
    us.deliver(LINK, delivery).unwrap();
    expect(&mut us, r#"00000019 02 00 0000  00 53 14 c0 07 04 43 43 a0 01 07 43 "hello""#);

    // transfer above: handle 0, delivery-id 0, tag 7, format 0.
    // disposition: receiver, first 0, last 0, settled, released.
    let disposition = "00000016 02 00 0000  00 53 15 c0 09 05 41 43 43 41 00 53 26 45";
    hear(&mut us, disposition, |_, event| match event {
        Event::Outcome(outcome) => {
            assert_eq!(outcome.state, Some(DeliveryState::Released));
            assert_eq!((outcome.first, outcome.last, outcome.settled), (1, 1, true));
        }
        other => panic!("{other:?}"),
    });
    // detach: handle 1, closed.
    hear(&mut us, "00000011 02 00 0000  00 53 16 c0 04 02 52 01 41", |_, event| {
        assert!(matches!(event, Event::Detached { closed: true, error: None, .. }), "{event:?}");
    });
    expect(&mut us, "00000010 02 00 0000  00 53 16 c0 03 02 43 41");
}
