//! Attach: granted, refused, answered, stolen (AMQP 2.6.1 to 2.6.3, 2.7.3).

use crate::show;
use crate::trace::{
    LINK, SESSION, Trace, attach, begin, config, credit, delivery, detach, failing, request,
    transfer,
};
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::engine::{AttachAnswer, Config, Framing, LinkId, Misuse, Role as Side, SessionId};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{
    Attach, Begin, Close, End, Flow, Open, ReceiverSettleMode, Role, SenderSettleMode,
};

const OTHER: LinkId = LinkId { session: SESSION, handle: 1 };

/// AMQP 2.6.3, figure 2.32.
#[test]
fn a_link_of_the_peer_is_granted() {
    let mut t = Trace::mapped();
    t.peer(7, attach("in", 3, Role::Sender));
    t.told(
        "peer> 7 attach in handle=3 sender source=s target=t count=0
         event attaching 0/0 in",
    );
    let answer = AttachAnswer {
        source: Some(show::source("s")),
        target: Some(show::target("actual")),
        message_size_max_bytes: 1000,
        ..AttachAnswer::default()
    };
    t.us.accept_attach(LINK, answer.clone()).unwrap();
    assert_eq!(t.us.accept_attach(LINK, answer), Err(Misuse::NoLink));
    t.peer(7, attach("out", 0, Role::Receiver));
    t.us.accept_attach(OTHER, AttachAnswer::default()).unwrap();
    t.told(
        "us<   0 attach in handle=0 receiver source=s target=actual size=1000
         peer> 7 attach out handle=0 receiver source=s target=t
         event attaching 0/1 out
         us<   0 attach out handle=1 sender count=0",
    );
}

/// The peer is told the largest message that is taken, of the link or of the connection.
#[test]
fn the_largest_message_is_told() {
    for (link, told) in [(0, 5000), (10, 10), (6000, 5000)] {
        let small =
            Config { message_size_max_bytes: 5000, ..config(Side::Acceptor, Framing::Stream) };
        let mut t = Trace::mapped_with(small, Open::new("peer"), begin());
        t.peer(7, attach("in", 3, Role::Sender));
        t.forget();
        let answer = AttachAnswer { message_size_max_bytes: link, ..AttachAnswer::default() };
        t.us.accept_attach(LINK, answer).unwrap();
        t.told(&format!("us< 0 attach in handle=0 receiver size={told}"));
    }
}

/// AMQP 2.6.3, figure 2.33.
#[test]
fn a_link_of_the_peer_is_refused() {
    for (role, answer) in [
        (Role::Sender, "attach l handle=0 receiver source=s size=16777216"),
        (Role::Receiver, "attach l handle=0 sender target=t count=0"),
    ] {
        let mut t = Trace::mapped();
        let asked = attach("l", 3, role);
        t.peer(7, asked.clone());
        t.forget();
        let error = Error::new(Condition::NotFound, "no such address");
        t.us.refuse_attach(LINK, &asked, error.clone()).unwrap();
        assert_eq!(t.us.refuse_attach(LINK, &asked, error), Err(Misuse::NoLink));
        t.told(&format!(
            "us< 0 {answer}
             us< 0 detach handle=0 closed error=amqp:not-found"
        ));
        // What the peer sent before it knew is passed over.
        t.peer_with(7, transfer(0), b"early");
        t.peer(7, credit(0, 10));
        t.peer(7, detach(3, true));
        t.peer(7, asked);
        t.forget_peer();
        t.told("event attaching 0/0 l");
    }
}

/// Nothing of a link is said before it is answered, whatever is asked meanwhile.
#[test]
fn nothing_is_said_of_a_link_that_is_not_answered() {
    let mut t = Trace::mapped();
    t.peer(7, attach("out", 3, Role::Receiver));
    t.peer(7, Flow { echo: true, ..credit(0, 10) });
    t.peer(7, attach("in", 4, Role::Sender));
    t.peer(7, Flow { handle: Some(4), echo: true, link_credit: None, ..credit(0, 0) });
    t.forget_peer();
    t.told(
        "event attaching 0/0 out
         event credit 0/0 limit=10
         us< 0 flow next-in=0 in=8192 next-out=0
         event attaching 0/1 in
         us< 0 flow next-in=0 in=8192 next-out=0",
    );
    assert_eq!(t.us.grant(OTHER, 5, false), Err(Misuse::NoLink));
    assert_eq!(t.us.deliver(LINK, delivery(1, "m")), Err(Misuse::NoLink));
    assert_eq!(t.us.drained(LINK), Err(Misuse::NoLink));
    t.us.accept_attach(LINK, AttachAnswer::default()).unwrap();
    t.us.accept_attach(OTHER, AttachAnswer::default()).unwrap();
    t.deliver(1, "m");
    t.told(
        "us< 0 attach out handle=0 sender count=0
         us< 0 attach in handle=1 receiver size=16777216
         us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=0 credit=10
         us< 0 flow next-in=0 in=8192 next-out=0 handle=1 count=0 credit=0
         us< 0 transfer handle=0 id=0 tag=t1 \"m\"",
    );
}

#[test]
fn this_side_asks_for_links() {
    let mut t = Trace::initiator();
    let out = t.us.attach(SESSION, request("l", Role::Sender)).unwrap();
    // The same name in the other direction is another link.
    let into = t.us.attach(SESSION, request("l", Role::Receiver)).unwrap();
    assert_eq!((out, into), (LINK, OTHER));
    assert_eq!(t.us.attach(SESSION, request("l", Role::Sender)), Err(Misuse::Exhausted));
    assert_eq!(t.us.attach(SessionId(9), request("x", Role::Sender)), Err(Misuse::NoSession));
    t.peer(7, attach("l", 8, Role::Sender));
    t.peer(7, attach("l", 9, Role::Receiver));
    t.forget_peer();
    t.told(
        "us< 0 attach l handle=0 sender source=s target=t count=0
         us< 0 attach l handle=1 receiver source=s target=t size=16777216
         event attached 0/1 l
         event attached 0/0 l",
    );
}

/// AMQP 2.6.3, figure 2.33, from the other side.
#[test]
fn a_link_of_ours_is_refused() {
    let mut t = Trace::initiator();
    t.us.attach(SESSION, request("l", Role::Sender)).unwrap();
    t.peer(7, Attach { target: None, ..attach("l", 8, Role::Receiver) });
    t.peer(7, failing(8, Condition::NotFound));
    t.forget_peer();
    t.told(
        "us< 0 attach l handle=0 sender source=s target=t count=0
         event attached 0/0 l
         event detached 0/0 closed error=amqp:not-found by=Peer
         us< 0 detach handle=0 closed",
    );
}

/// AMQP 2.7.2: "MUST close the connection with the framing-error error-code".
#[test]
fn a_handle_above_the_maximum_closes_the_connection() {
    let mut t = Trace::mapped();
    t.peer(7, attach("in", 1023, Role::Sender));
    t.peer(7, attach("in2", 1024, Role::Sender));
    t.forget_peer();
    t.told(
        "event attaching 0/0 in
         us< 0 close error=amqp:connection:framing-error",
    );
    t.peer(0, Close::default());
    t.forget_peer();
    t.told("event closed by Local error=amqp:connection:framing-error violation=HandleMax");
}

/// AMQP 2.7.2: nor does this side use one.
#[test]
fn no_handle_is_above_the_peers_maximum() {
    let stream = || config(Side::Acceptor, Framing::Stream);
    let small = || Begin { handle_max: 1, ..begin() };
    let mut t = Trace::mapped_with(stream(), Open::new("peer"), small());
    t.us.attach(SESSION, request("a", Role::Sender)).unwrap();
    t.us.attach(SESSION, request("b", Role::Sender)).unwrap();
    assert_eq!(t.us.attach(SESSION, request("c", Role::Sender)), Err(Misuse::Exhausted));
    t.forget();
    // The peer's third link cannot be answered.
    t.peer(7, attach("d", 0, Role::Sender));
    t.forget_peer();
    t.told(
        "event ended 0 error=amqp:resource-limit-exceeded by=Local
         us< 0 end error=amqp:resource-limit-exceeded",
    );
}

/// AMQP 2.7.3: handle-in-use.
#[test]
fn a_handle_in_use_ends_the_session() {
    let mut t = Trace::receiving();
    t.peer(7, attach("other", 3, Role::Sender));
    t.forget_peer();
    let ended = "event ended 0 error=amqp:session:handle-in-use by=Local
                 us< 0 end error=amqp:session:handle-in-use";
    t.told(ended);
    // The same on a link whose detach is not answered yet.
    let mut t = Trace::receiving();
    t.us.detach(LINK, true, None).unwrap();
    t.forget();
    t.peer(7, attach("other", 3, Role::Sender));
    t.forget_peer();
    t.told(ended);
}

/// AMQP 2.6.5: the handle of a link detached with an error.
#[test]
fn an_errant_link_ends_the_session() {
    let mut t = Trace::receiving();
    t.us.detach(LINK, true, Some(Condition::InternalError.into())).unwrap();
    t.forget();
    t.peer(7, attach("in", 3, Role::Sender));
    t.forget_peer();
    t.told(
        "event ended 0 error=amqp:session:errant-link by=Local
         us< 0 end error=amqp:session:errant-link",
    );
}

/// AMQP 2.7.3: "MUST NOT be null if role is sender".
#[test]
fn a_sender_without_a_count_ends_the_session() {
    let mut t = Trace::mapped();
    t.peer(7, Attach { initial_delivery_count: None, ..attach("in", 3, Role::Sender) });
    t.forget_peer();
    t.told(
        "event ended 0 error=amqp:invalid-field by=Local
         us< 0 end error=amqp:invalid-field",
    );
}

/// AMQP 2.6.1: "the second attach succeeds and the first attach MUST then be closed with a link
/// error of stolen".
#[test]
fn a_link_is_stolen_from_another_session() {
    let mut t = Trace::receiving();
    t.peer(8, begin());
    t.forget();
    t.peer(8, attach("in", 0, Role::Sender));
    t.told(
        "peer> 8 attach in handle=0 sender source=s target=t count=0
         event detached 0/0 closed error=amqp:link:stolen by=Local
         event attaching 1/0 in
         us<   0 detach handle=0 closed error=amqp:link:stolen",
    );
    // And from the same one, before anybody has answered.
    t.peer(8, attach("in", 1, Role::Sender));
    t.forget_peer();
    t.told(
        "event detached 1/0 closed error=amqp:link:stolen by=Local
         event attaching 1/1 in
         us< 1 attach in handle=0 receiver size=16777216
         us< 1 detach handle=0 closed error=amqp:link:stolen",
    );
    // The other direction is another link.
    t.peer(8, attach("in", 2, Role::Receiver));
    t.forget_peer();
    t.told("event attaching 1/2 in");
}

/// AMQP 2.7.3: the sender says when it settles, the receiver when it does.
#[test]
fn each_end_says_how_it_settles() {
    let mut t = Trace::initiator();
    let mut asked = request("in", Role::Receiver);
    asked.terms.rcv_settle_mode = Some(ReceiverSettleMode::Second);
    asked.terms.snd_settle_mode = Some(SenderSettleMode::Unsettled);
    t.us.attach(SESSION, asked).unwrap();
    t.us.grant(LINK, 10, false).unwrap();
    // The peer's word on our settling is a wish, that on its own counts.
    t.peer(
        7,
        Attach {
            rcv_settle_mode: ReceiverSettleMode::First,
            snd_settle_mode: SenderSettleMode::Settled,
            ..attach("in", 3, Role::Sender)
        },
    );
    t.peer_with(7, transfer(0), b"m");
    t.forget_peer();
    t.told(
        "us< 0 attach in handle=0 receiver source=s target=t snd=Unsettled rcv=Second size=16777216
         us< 0 flow next-in=0 in=8192 next-out=0 handle=0 credit=10
         event attached 0/0 in
         event detached 0/0 closed error=amqp:invalid-field by=Local
         us< 0 detach handle=0 closed error=amqp:invalid-field",
    );
}

/// What a peer attaches is bounded, also when it never finishes detaching.
#[test]
fn a_connection_has_so_many_links() {
    let wide = Config { handle_max: 10_000, ..config(Side::Acceptor, Framing::Stream) };
    let mut t = Trace::mapped_with(wide, Open::new("peer"), begin());
    for handle in 0..4096 {
        let asked = attach("same", handle, Role::Sender);
        t.peer(7, asked.clone());
        t.us.refuse_attach(LinkId { session: SESSION, handle }, &asked, Condition::NotFound.into())
            .unwrap();
    }
    t.forget();
    t.peer(7, attach("same", 4096, Role::Sender));
    t.forget_peer();
    t.told(
        "event ended 0 error=amqp:resource-limit-exceeded by=Local
         us< 0 end error=amqp:resource-limit-exceeded",
    );
    // All of them are gone with the session.
    t.peer(7, End::default());
    t.peer(7, begin());
    t.peer(7, attach("same", 0, Role::Sender));
    t.forget_peer();
    t.told(
        "event begun 0
         us< 0 begin remote=7 next=0 in=8192 handles=10000
         event attaching 0/0 same",
    );
}

/// Commands on what is not there, or faces the other way.
#[test]
fn commands_need_a_link_of_their_direction() {
    let mut t = Trace::receiving();
    assert_eq!(t.us.deliver(LINK, delivery(1, "m")), Err(Misuse::WrongDirection));
    assert_eq!(t.us.drained(LINK), Err(Misuse::WrongDirection));
    assert_eq!(t.us.grant(OTHER, 1, false), Err(Misuse::NoLink));
    let nowhere = LinkId { session: SessionId(5), handle: 0 };
    assert_eq!(t.us.grant(nowhere, 1, false), Err(Misuse::NoSession));
    assert_eq!(t.us.credit(nowhere), 0);
    assert_eq!(
        t.us.dispose(SessionId(5), 0, 0, true, DeliveryState::Accepted),
        Err(Misuse::NoSession)
    );
    let mut t = Trace::sending();
    assert_eq!(t.us.grant(LINK, 1, false), Err(Misuse::WrongDirection));
}

/// AMQP 2.8.1: a transfer goes from sender to receiver.
#[test]
fn a_transfer_to_a_sender_ends_the_session() {
    let mut t = Trace::sending();
    t.peer_with(7, transfer(0), b"m");
    t.forget_peer();
    t.told(
        "event ended 0 error=amqp:illegal-state by=Local
         us< 0 end error=amqp:illegal-state",
    );
}
