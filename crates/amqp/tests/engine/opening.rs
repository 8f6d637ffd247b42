//! Open: its limits, and who may say what before it (AMQP 2.4.1, 2.4.2, 2.7.1).

use crate::trace::{Trace, attach, begin, config, detach, frame, hex, request};
use std::time::Duration;
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{Config, Framing, Input, Misuse, Role as Side};
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::performative::{Close, End, Flow, Open, Performative, Role};
use wharf_amqp::value::Value;

fn greeted() -> Trace {
    let mut t = Trace::acceptor();
    t.header(ProtocolHeader::AMQP);
    t.forget();
    t
}

/// The limits of the configuration are told, whatever the caller's open says.
#[test]
fn open_tells_the_limits_of_the_configuration() {
    let config = Config {
        max_frame_size_bytes: 4096,
        channel_max: 9,
        idle_time_out: Some(Duration::from_secs(30)),
        ..config(Side::Acceptor, Framing::Stream)
    };
    let mut t = Trace::new(config).unanswered();
    t.header(ProtocolHeader::AMQP);
    t.peer(0, Open::new("peer"));
    t.forget();
    assert!(!t.us.is_open());
    let open = Open { max_frame_size: 1, channel_max: 1, idle_time_out: None, ..Open::new("us") };
    t.us.open(open).unwrap();
    t.told("us< 0 open \"us\" frame=4096 channels=9 idle=30000");
    assert!(t.us.is_open());
    assert_eq!(t.us.open(Open::new("us")), Err(Misuse::WrongStage));
}

/// AMQP 2.7.1: 512 octets are accepted by everyone.
#[test]
fn a_small_max_frame_size_of_ours_is_512() {
    let config = Config { max_frame_size_bytes: 100, ..config(Side::Acceptor, Framing::Stream) };
    let mut t = Trace::new(config);
    t.header(ProtocolHeader::AMQP);
    let long = Open { hostname: Some("h".repeat(400)), ..Open::new("peer") };
    t.peer(0, long);
    t.forget_peer();
    t.told(
        "us< header AMQP
         event opened \"peer\"
         us< 0 open \"us\" frame=512 channels=255",
    );
}

#[test]
fn a_max_frame_size_below_512_is_refused() {
    for size in [0, 8, 511] {
        let mut t = greeted();
        t.peer(0, Open { max_frame_size: size, ..Open::new("peer") });
        t.forget_peer();
        t.told(
            "us< 0 open \"\" frame=65536 channels=255
             us< 0 close error=amqp:invalid-field",
        );
        t.peer(0, Close::default());
        t.forget_peer();
        t.told(
            "event closed by Local error=amqp:invalid-field violation=InvalidField(\"max-frame-size is below 512\")",
        );
    }
    let mut t = greeted();
    t.peer(0, Open { max_frame_size: 512, ..Open::new("peer") });
    assert!(t.us.is_open());
}

/// AMQP 2.7.1: "the first frame sent on a connection".
#[test]
fn nothing_comes_before_open() {
    let frames = [
        Performative::Begin(Box::new(begin())),
        Performative::Flow(Flow::default()),
        Performative::End(Box::default()),
        Performative::Close(Box::default()),
    ];
    for body in frames {
        let mut t = greeted();
        t.octets(&frame(0, &body, b""));
        t.told(
            "us< 0 open \"\" frame=65536 channels=255
             us< 0 close error=amqp:illegal-state",
        );
    }
}

/// AMQP 2.4.1: "can only be sent on channel 0"; the highest channel before is 0.
#[test]
fn open_comes_on_channel_0() {
    let mut t = greeted();
    t.peer(1, Open::new("peer"));
    t.forget_peer();
    t.told(
        "us< 0 open \"\" frame=65536 channels=255
         us< 0 close error=amqp:connection:framing-error",
    );
}

#[test]
fn open_comes_once() {
    let mut t = Trace::opened(config(Side::Acceptor, Framing::Stream), Open::new("peer"));
    t.peer(0, Open::new("again"));
    t.forget_peer();
    t.told("us< 0 close error=amqp:illegal-state");
}

/// An acceptor that thinks about the open reads nothing meanwhile: answers to what follows may not
/// go ahead of its own open.
#[test]
fn what_follows_open_waits_for_the_answer() {
    let mut t = Trace::acceptor().unanswered();
    t.header(ProtocolHeader::AMQP);
    t.peer(0, Open::new("peer"));
    t.peer(7, begin());
    t.peer(7, attach("l", 3, Role::Receiver));
    t.peer(7, detach(3, true));
    t.forget_peer();
    t.told(
        "us< header AMQP
         event opened \"peer\"",
    );
    t.us.open(Open::new("us")).unwrap();
    t.told(
        "event begun 0
         event attaching 0/0 l
         event detached 0/0 closed
         us<   0 open \"us\" frame=65536 channels=255
         us<   0 begin remote=7 next=0 in=8192 handles=1023
         us<   0 attach l handle=0 sender count=0
         us<   0 detach handle=0 closed",
    );
}

/// AMQP 2.4.3: who refuses an open has opened first.
#[test]
fn an_acceptor_may_answer_open_with_close() {
    let mut t = Trace::acceptor().unanswered();
    t.header(ProtocolHeader::AMQP);
    t.peer(0, Open::new("peer"));
    t.peer(7, begin());
    t.forget();
    t.us.close(Some(Condition::NotFound.into())).unwrap();
    t.told(
        "us< 0 open \"\" frame=65536 channels=255
         us< 0 close error=amqp:not-found",
    );
    t.peer(0, Close::default());
    t.told(
        "peer> 0 close
         event closed by Local error=amqp:not-found clean",
    );
}

/// The same with everything in one burst, and the peer's close in it.
#[test]
fn a_peer_may_have_closed_before_its_open_is_answered() {
    let mut t = Trace::acceptor().unanswered();
    t.header(ProtocolHeader::AMQP);
    t.peer(0, Open::new("peer"));
    t.peer(0, Close::default());
    t.forget_peer();
    t.told(
        "us< header AMQP
         event opened \"peer\"",
    );
    t.us.open(Open::new("us")).unwrap();
    t.told(
        "event closed by Peer clean
         us< 0 open \"us\" frame=65536 channels=255
         us< 0 close",
    );
}

/// AMQP 2.7.1: "MUST close the connection with the framing-error error-code". What cannot be read
/// any further is not read.
#[test]
fn an_oversized_frame_closes_the_connection() {
    let config = Config { max_frame_size_bytes: 600, ..config(Side::Acceptor, Framing::Stream) };
    let mut t = Trace::opened(config.clone(), Open::new("peer"));
    let beat = |size: u32| [size.to_be_bytes().as_slice(), &[2, 0, 0, 0]].concat();
    t.octets(&[beat(600), hex("00 53 99 45"), vec![0; 588]].concat());
    t.told("us< 0 close error=amqp:decode-error");

    let mut t = Trace::opened(config, Open::new("peer"));
    t.octets(&beat(601));
    t.told(
        "event closed by Local error=amqp:connection:framing-error violation=Frame(\"larger than max-frame-size\")
         us< 0 close error=amqp:connection:framing-error",
    );
}

/// AMQP 2.4.2: an initiator may go on before it is answered, within what everybody takes: frames of
/// 512 octets, and channel 0.
#[test]
fn an_initiator_may_send_ahead() {
    let mut t = Trace::new(config(Side::Initiator, Framing::Stream));
    assert_eq!(t.us.begin(), Err(Misuse::WrongStage));
    t.us.open(Open::new("us")).unwrap();
    assert_eq!(t.us.open(Open::new("us")), Err(Misuse::WrongStage));
    let session = t.us.begin().unwrap();
    assert_eq!(t.us.begin(), Err(Misuse::Exhausted));
    let link = t.us.attach(session, request("l", Role::Receiver)).unwrap();
    let long = request(&"l".repeat(500), Role::Receiver);
    assert_eq!(t.us.attach(session, long.clone()), Err(Misuse::TooLarge));
    t.us.grant(link, 10, false).unwrap();
    t.told(
        "us< header AMQP
         us< 0 open \"us\" frame=65536 channels=255
         us< 0 begin next=0 in=8192 handles=1023
         us< 0 attach l handle=0 receiver source=s target=t size=16777216",
    );
    t.header(ProtocolHeader::AMQP);
    t.peer(0, Open { channel_max: 1, ..Open::new("peer") });
    t.told(
        "peer> header AMQP
         peer> 0 open \"peer\" channels=1
         event opened \"peer\"
         us<   0 flow in=8192 next-out=0 handle=0 credit=10",
    );
    t.us.begin().unwrap();
    assert_eq!(t.us.begin(), Err(Misuse::Exhausted));
    t.us.attach(session, long).unwrap();
}

/// An initiator whose limits do not suffice for its own open cannot open.
#[test]
fn an_open_that_nobody_need_accept_is_not_sent() {
    let mut t = Trace::new(config(Side::Initiator, Framing::Stream));
    let properties = vec![("p".to_owned(), Value::String("x".repeat(600)))];
    let open = Open { properties, ..Open::new("us") };
    assert_eq!(t.us.open(open), Err(Misuse::TooLarge));
    t.us.open(Open::new("us")).unwrap();
    t.told(
        "us< header AMQP
         us< 0 open \"us\" frame=65536 channels=255",
    );
}

/// AMQP 2.7.1: no frame is larger than the peer takes; 2.8.15: frame-size-too-small.
#[test]
fn frames_are_no_larger_than_the_peer_takes() {
    let open = Open { max_frame_size: 512, ..Open::new("peer") };
    let stream = config(Side::Acceptor, Framing::Stream);
    let mut t = Trace::mapped_with(stream, open, begin());
    // The answer would repeat a name that came in a frame of ours.
    t.peer(7, attach(&"n".repeat(600), 3, Role::Sender));
    t.forget();
    let link = crate::trace::LINK;
    assert_eq!(t.us.accept_attach(link, Default::default()), Err(Misuse::TooLarge));
    t.told(
        "event ended 0 error=amqp:frame-size-too-small by=Local
         us< 0 end error=amqp:frame-size-too-small",
    );
    // An error is told without its details.
    t.peer(7, End::default());
    let mut error = wharf_amqp::condition::Error::new(Condition::NotFound, "x".repeat(600));
    error.info = vec![("address".to_owned(), Value::String("y".repeat(600)))];
    t.forget();
    t.us.close(Some(error)).unwrap();
    t.told("us< 0 close error=amqp:not-found");
}

/// Nothing that is not a frame of AMQP.
#[test]
fn a_sasl_frame_does_not_belong_behind_open() {
    let mut t = Trace::opened(config(Side::Acceptor, Framing::Stream), Open::new("peer"));
    t.hex("00000008 02 01 0000");
    t.told(
        "event closed by Local error=amqp:connection:framing-error violation=Frame(\"not an AMQP frame\")
         us< 0 close error=amqp:connection:framing-error",
    );
}

/// AMQP 2.3.1.
#[test]
fn malformed_frame_headers_close_the_connection() {
    for octets in [
        "00000007 02 00 0000",
        "00000008 01 00 0000",
        "0000000b 03 00 0000 000000",
        "00000008 02 02 0000",
    ] {
        let mut t = Trace::opened(config(Side::Acceptor, Framing::Stream), Open::new("peer"));
        t.hex(octets);
        let log = t.take_log();
        assert_eq!(
            log.last().map(String::as_str),
            Some("us< 0 close error=amqp:connection:framing-error"),
            "{octets}"
        );
        assert!(t.us.is_over());
    }
}

/// A body that cannot be decoded does not hide where the next frame begins: the peer's close is
/// still awaited (AMQP 2.4.6, DISCARDING).
#[test]
fn a_frame_that_cannot_be_decoded_closes_the_connection() {
    let mut t = Trace::opened(config(Side::Acceptor, Framing::Stream), Open::new("peer"));
    t.hex("0000000c 02 00 0000 00 53 99 45");
    t.told("us< 0 close error=amqp:decode-error");
    t.hex("0000000c 02 00 0000 00 53 99 45");
    t.peer(7, begin());
    t.peer(0, Close::default());
    let log = t.take_log();
    let last = log.last().unwrap();
    assert!(last.starts_with("event closed by Local error=amqp:decode-error violation=Decode"));
}

/// The caller may poll with nothing at all at any time.
#[test]
fn nothing_received_is_nothing_said() {
    let mut t = Trace::opened(config(Side::Acceptor, Framing::Messages), Open::new("peer"));
    let mut input = Input::empty();
    for _ in 0..3 {
        assert!(t.us.poll_event(&mut input).is_none());
    }
    t.octets(b"");
    t.told("");
}
