//! Close, from either side and from both (AMQP 2.4.3, 2.4.4, 2.4.6; WSB-080, WSB-081).

use crate::trace::{
    LINK, SESSION, Trace, attach, begin, config, credit, delivery, request, transfer,
};
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{Framing, Misuse, Role as Side};
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Close, End, Open, Role};

fn opened() -> Trace {
    Trace::opened(config(Side::Acceptor, Framing::Stream), Open::new("peer"))
}

#[test]
fn the_peer_closes() {
    let mut t = opened();
    t.peer(0, Close::default());
    t.told(
        "peer> 0 close
         event closed by Peer clean
         us<   0 close",
    );
    assert!(t.us.is_over());
    // Nothing more is read, whatever it is.
    t.octets(&[0xff; 100]);
    t.told("");
    t.us.handle_transport_closed();
    t.told("");
}

/// AMQP 2.4.3: "on any channel up to the maximum channel number".
#[test]
fn the_peer_closes_with_an_error_on_another_channel() {
    let mut t = opened();
    t.peer(9, Close { error: Some(Condition::ConnectionForced.into()) });
    t.told(
        "peer> 9 close error=amqp:connection:forced
         event closed by Peer error=amqp:connection:forced clean
         us<   0 close",
    );
}

#[test]
fn this_side_closes() {
    let mut t = opened();
    t.us.close(None).unwrap();
    t.told("us< 0 close");
    assert!(!t.us.is_over() && !t.us.is_open());
    assert_eq!(t.us.close(None), Err(Misuse::WrongStage));
    t.peer(0, Close::default());
    t.told(
        "peer> 0 close
         event closed by Local clean",
    );
}

/// AMQP 2.4.4: each sees the other's close as the answer.
#[test]
fn both_close_at_once() {
    let mut t = opened();
    t.us.close(Some(Condition::ConnectionForced.into())).unwrap();
    t.peer(0, Close { error: Some(Condition::InternalError.into()) });
    t.told(
        "us<   0 close error=amqp:connection:forced
         peer> 0 close error=amqp:internal-error
         event closed by Local error=amqp:connection:forced clean",
    );
}

/// AMQP 2.4.6, CLOSE SENT: what comes is passed over, and nothing is sent.
#[test]
fn after_our_close_nothing_counts_and_nothing_is_sent() {
    let mut t = Trace::mapped();
    t.accept(attach("in", 3, Role::Sender), LINK);
    t.accept(attach("out", 4, Role::Receiver), OTHER);
    t.us.grant(LINK, 10, false).unwrap();
    t.peer(7, credit_for(4));
    t.forget();
    t.us.grant(LINK, 20, false).unwrap();
    t.us.deliver(OTHER, delivery(1, "late")).unwrap();
    t.us.close(None).unwrap();
    assert!(t.us.grant(LINK, 30, true).is_err());
    assert!(t.us.deliver(OTHER, delivery(2, "late")).is_err());
    assert!(t.us.drained(OTHER).is_err());
    assert!(t.us.dispose(SESSION, 0, 5, true, DeliveryState::Accepted).is_err());
    assert!(t.us.detach(LINK, true, None).is_err());
    assert!(t.us.end_session(SESSION, None).is_err());
    assert!(t.us.begin().is_err());
    assert!(t.us.attach(SESSION, request("x", Role::Sender)).is_err());
    assert!(t.us.settle_sent(OTHER, 0, 9, None).is_err());
    t.told("us< 0 close");

    t.peer_with(7, transfer(0), b"late");
    t.peer(7, credit_for(4));
    t.peer(8, begin());
    t.peer(7, attach("new", 9, Role::Sender));
    t.peer(7, End::default());
    t.peer(99, End::default());
    t.peer(0, Open::new("again"));
    t.forget_peer();
    t.told("");
    t.peer(0, Close::default());
    t.forget_peer();
    t.told("event closed by Local clean");
}

/// What was asked of the caller and not answered when the connection closes is void.
#[test]
fn answers_after_the_close_come_too_late() {
    let mut t = Trace::mapped();
    t.peer(7, attach("in", 3, Role::Sender));
    t.peer(0, Close::default());
    t.forget();
    assert_eq!(t.us.accept_attach(LINK, Default::default()), Err(Misuse::NoSession));
    t.told("");
}

#[test]
fn the_transport_ends_while_closing() {
    let mut t = opened();
    t.us.close(Some(Condition::ConnectionForced.into())).unwrap();
    t.forget();
    t.us.handle_transport_closed();
    t.told("event closed by Local error=amqp:connection:forced");

    let mut t = opened();
    t.us.handle_transport_closed();
    t.told("event closed by Peer");
}

/// AMQP 2.4.6, CLOSE PIPE: an initiator may close before it is answered.
#[test]
fn an_initiator_closes_what_it_has_not_seen_opened() {
    let mut t = Trace::new(config(Side::Initiator, Framing::Stream));
    t.us.open(Open::new("us")).unwrap();
    assert_eq!(t.us.close(None), Err(Misuse::WrongStage));
    t.header(ProtocolHeader::AMQP);
    t.us.close(None).unwrap();
    t.peer(0, Open::new("peer"));
    t.peer(0, Close::default());
    t.told(
        "us<   header AMQP
         us<   0 open \"us\" frame=65536 channels=255
         peer> header AMQP
         us<   0 close
         peer> 0 open \"peer\"
         peer> 0 close
         event closed by Local clean",
    );
}

/// A close is the last thing, even with a violation on top of it.
#[test]
fn a_violation_while_closing_ends_the_wait() {
    let mut t = opened();
    t.us.close(None).unwrap();
    t.forget();
    t.hex("00000007 02 00 0000");
    t.told("event closed by Local");
}

/// Frames on channels that nobody began.
#[test]
fn a_frame_on_no_channel_closes_the_connection() {
    let mut t = opened();
    t.peer(5, End::default());
    t.forget_peer();
    t.told("us< 0 close error=amqp:connection:framing-error");
    t.peer(0, Close::default());
    t.forget_peer();
    t.told(
        "event closed by Local error=amqp:connection:framing-error violation=Channel(\"no session on this channel\")",
    );
}

const OTHER: wharf_amqp::engine::LinkId =
    wharf_amqp::engine::LinkId { session: SESSION, handle: 1 };

fn credit_for(handle: u32) -> wharf_amqp::performative::Flow {
    wharf_amqp::performative::Flow { handle: Some(handle), ..credit(0, 10) }
}
