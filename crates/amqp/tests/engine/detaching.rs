//! Detach: from either side, from both, before an answer, and what outlives it (AMQP 2.6.4 to 2.6.6,
//! 2.7.6, 2.7.7).

use crate::trace::{LINK, SESSION, Trace, attach, credit, detach, failing, request, transfer};
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{AttachAnswer, LinkId, Misuse};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Detach, Flow, Role};

const OTHER: LinkId = LinkId { session: SESSION, handle: 1 };

/// AMQP 2.6.6, figure 2.39; 2.6.4, figure 2.37.
#[test]
fn the_peer_detaches() {
    for (closed, flag) in [(true, " closed"), (false, "")] {
        let mut t = Trace::receiving();
        t.peer(7, detach(3, closed));
        t.told(&format!(
            "peer> 7 detach handle=3{flag}
             event detached 0/0{flag}
             us<   0 detach handle=0{flag}"
        ));
        assert_eq!(t.us.grant(LINK, 1, false), Err(Misuse::NoLink));
        assert_eq!(t.us.detach(LINK, true, None), Err(Misuse::NoLink));
    }
    let mut t = Trace::receiving();
    t.peer(7, failing(3, Condition::ResourceDeleted));
    t.told(
        "peer> 7 detach handle=3 closed error=amqp:resource-deleted
         event detached 0/0 closed error=amqp:resource-deleted by=Peer
         us<   0 detach handle=0 closed",
    );
}

#[test]
fn this_side_detaches() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 10, false).unwrap();
    t.us.detach(LINK, true, Some(Condition::ResourceDeleted.into())).unwrap();
    // Credit that was not told yet is not told behind the detach.
    t.told("us< 0 detach handle=0 closed error=amqp:resource-deleted");
    assert_eq!(t.us.detach(LINK, true, None), Err(Misuse::NoLink));
    // In flight when we detached.
    t.peer_with(7, transfer(0), b"early");
    t.peer(7, Flow { echo: true, ..credit(0, 0) });
    t.told(
        "peer> 7 transfer handle=3 id=0 tag=t0 \"early\"
         peer> 7 flow next-in=0 in=100 next-out=0 handle=3 count=0 credit=0 echo
         us<   0 flow next-in=0 in=8192 next-out=0",
    );
    t.peer(7, detach(3, true));
    t.peer(7, attach("in", 3, Role::Sender));
    t.forget_peer();
    t.told("event attaching 0/0 in");
}

/// Both at once: each is the answer to the other.
#[test]
fn both_detach_at_once() {
    let mut t = Trace::receiving();
    t.us.detach(LINK, true, None).unwrap();
    t.peer(7, failing(3, Condition::InternalError));
    t.forget_peer();
    t.told("us< 0 detach handle=0 closed");
    t.peer(7, attach("in", 3, Role::Sender));
    t.forget_peer();
    t.told("event attaching 0/0 in");
}

/// A peer may give a link up before it is answered: both halves are owed, and nobody asks for them.
#[test]
fn the_peer_detaches_before_it_is_answered() {
    for (role, ours) in
        [(Role::Sender, "receiver size=16777216"), (Role::Receiver, "sender count=0")]
    {
        let mut t = Trace::mapped();
        t.peer(7, attach("l", 3, role));
        t.peer(7, detach(3, true));
        t.forget_peer();
        t.told(&format!(
            "event attaching 0/0 l
             event detached 0/0 closed
             us< 0 attach l handle=0 {ours}
             us< 0 detach handle=0 closed"
        ));
        assert_eq!(t.us.accept_attach(LINK, AttachAnswer::default()), Err(Misuse::NoLink));
    }
}

/// So may this side.
#[test]
fn a_link_is_detached_without_an_answer() {
    let mut t = Trace::mapped();
    t.peer(7, attach("l", 3, Role::Sender));
    t.us.detach(LINK, true, Some(Condition::NotAllowed.into())).unwrap();
    t.forget_peer();
    t.told(
        "event attaching 0/0 l
         us< 0 attach l handle=0 receiver size=16777216
         us< 0 detach handle=0 closed error=amqp:not-allowed",
    );
}

/// A link given up before its answer: the answer and the peer's detach close it, and nobody hears
/// of it. The name may be used again at once, with the answers in their order.
#[test]
fn a_link_of_ours_is_closed_before_it_is_answered() {
    let mut t = Trace::initiator();
    let first = t.us.attach(SESSION, request("l", Role::Sender)).unwrap();
    t.us.detach(first, true, None).unwrap();
    let second = t.us.attach(SESSION, request("l", Role::Sender)).unwrap();
    assert_eq!((first, second), (LINK, OTHER));
    t.told(
        "us< 0 attach l handle=0 sender source=s target=t count=0
         us< 0 detach handle=0 closed
         us< 0 attach l handle=1 sender source=s target=t count=0",
    );
    t.peer(7, attach("l", 8, Role::Receiver));
    t.peer(7, detach(8, true));
    t.forget_peer();
    t.told("");
    t.peer(7, attach("l", 8, Role::Receiver));
    t.forget_peer();
    t.told("event attached 0/1 l");
    t.peer(7, detach(8, true));
    t.forget_peer();
    t.told(
        "event detached 0/1 closed
         us< 0 detach handle=1 closed",
    );
}

/// AMQP 2.6.4, figure 2.38: detached and attached again in one go, on the same handle.
#[test]
fn a_link_is_attached_again_at_once() {
    let mut t = Trace::receiving();
    t.peer(7, detach(3, false));
    t.peer(7, attach("in", 3, Role::Sender));
    t.forget_peer();
    t.told(
        "event detached 0/0
         us< 0 detach handle=0
         event attaching 0/0 in",
    );
    t.us.accept_attach(LINK, AttachAnswer::default()).unwrap();
    t.told("us< 0 attach in handle=0 receiver size=16777216");
}

/// AMQP 2.7.6: deliveries outlive a detach, but not a close and not an error.
#[test]
fn deliveries_of_a_detached_link_may_still_be_settled() {
    let error = || Some(Condition::InternalError.into());
    for (detach, lives) in [
        (Detach { handle: 3, closed: false, error: None }, true),
        (Detach { handle: 3, closed: true, error: None }, false),
        (Detach { handle: 3, closed: false, error: error() }, false),
    ] {
        let mut t = Trace::sending();
        t.peer(7, credit(0, 10));
        t.deliver(5, "m");
        t.forget();
        t.peer(7, detach);
        let log = t.take_log();
        let told = log.iter().any(|line| line == "event outcome 0/0 cookies=5..5 settled");
        assert_eq!(told, !lives, "{log:?}");
        t.peer(7, disposition(0));
        t.forget_peer();
        t.told(if lives { "event outcome 0/0 cookies=5..5 settled state=accepted" } else { "" });
    }
}

/// The same, detached from here.
#[test]
fn deliveries_of_a_link_detached_here_may_still_be_settled() {
    let error = || Some(Condition::InternalError.into());
    for (closed, error, lives) in
        [(false, None, true), (true, None, false), (false, error(), false), (true, error(), false)]
    {
        let mut t = Trace::sending();
        t.peer(7, credit(0, 10));
        t.deliver(5, "m");
        t.forget();
        t.us.detach(LINK, closed, error).unwrap();
        let log = t.take_log();
        let told = log.iter().any(|line| line == "event outcome 0/0 cookies=5..5 settled");
        assert_eq!(told, !lives, "{log:?}");
        t.peer(7, detach(3, closed));
        t.peer(7, disposition(0));
        t.forget_peer();
        t.told(if lives { "event outcome 0/0 cookies=5..5 settled state=accepted" } else { "" });
    }
}

fn disposition(id: u32) -> wharf_amqp::performative::Disposition {
    wharf_amqp::performative::Disposition {
        role: Role::Receiver,
        first: id,
        last: None,
        settled: true,
        state: Some(DeliveryState::Accepted),
        batchable: false,
    }
}
