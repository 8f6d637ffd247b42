//! Credit: granted, used, taken back, drained, both ways (AMQP 2.6.7 to 2.6.10).

use crate::trace::{LINK, SESSION, Trace, attach, credit, delivery, detach, on, transfer};
use wharf_amqp::engine::{AttachAnswer, LinkId};
use wharf_amqp::performative::{Attach, End, Flow, Role, Transfer};

/// AMQP 2.6.7; 2.8.18, transfer-limit-exceeded.
#[test]
fn a_sender_may_send_as_much_as_it_has_credit() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 2, false).unwrap();
    t.told("us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=0 credit=2");
    t.peer_with(7, transfer(0), b"a");
    assert_eq!(t.us.credit(LINK), 1);
    t.peer_with(7, transfer(1), b"b");
    assert_eq!(t.us.credit(LINK), 0);
    t.peer_with(7, transfer(2), b"c");
    t.forget_peer();
    t.told(
        "event transferred 0/0 id=0 tag=t0 \"a\"
         event transferred 0/0 id=1 tag=t1 \"b\"
         event detached 0/0 closed error=amqp:link:transfer-limit-exceeded by=Local
         us< 0 detach handle=0 closed error=amqp:link:transfer-limit-exceeded",
    );
    // What follows on its way is passed over.
    t.peer_with(7, transfer(3), b"d");
    t.peer(7, detach(3, true));
    t.forget_peer();
    t.told("");
}

#[test]
fn no_credit_is_none() {
    let mut t = Trace::receiving();
    t.peer_with(7, transfer(0), b"a");
    t.forget_peer();
    t.told(
        "event detached 0/0 closed error=amqp:link:transfer-limit-exceeded by=Local
         us< 0 detach handle=0 closed error=amqp:link:transfer-limit-exceeded",
    );
}

/// A delivery costs one, however many frames it has.
#[test]
fn a_delivery_of_several_frames_costs_one() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 1, false).unwrap();
    t.forget();
    t.peer_with(7, Transfer { more: true, ..transfer(0) }, b"a");
    assert_eq!(t.us.credit(LINK), 0);
    t.peer_with(7, on(true), b"b");
    t.peer_with(7, on(false), b"c");
    t.forget_peer();
    t.told("event transferred 0/0 id=0 tag=t0 \"abc\"");
}

/// The count of the sender goes around, and credit follows.
#[test]
fn the_senders_count_wraps() {
    let mut t = Trace::mapped();
    let first = u32::MAX - 1;
    t.accept(Attach { initial_delivery_count: Some(first), ..attach("in", 3, Role::Sender) }, LINK);
    t.us.grant(LINK, 4, false).unwrap();
    t.told("us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=4294967294 credit=4");
    for id in 0..3 {
        t.peer_with(7, transfer(id), b"a");
    }
    t.us.grant(LINK, 10, false).unwrap();
    t.forget_events();
    t.told("us< 0 flow next-in=3 in=8192 next-out=0 handle=0 count=1 credit=10");
    // The sender gives three back across zero of nothing: its own count.
    t.peer(7, credit(4, 7));
    assert_eq!(t.us.credit(LINK), 7);
}

/// Deliveries that were on their way when credit was taken back are taken (AMQP 2.6.7: "MAY either
/// handle the excess messages normally").
#[test]
fn credit_is_taken_back_with_deliveries_on_their_way() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 10, false).unwrap();
    t.forget();
    t.us.grant(LINK, 1, false).unwrap();
    t.told("us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=0 credit=1");
    for id in 0..3 {
        t.peer_with(7, transfer(id), b"a");
    }
    assert_eq!(t.us.credit(LINK), 0);
    t.forget_peer();
    t.told(
        "event transferred 0/0 id=0 tag=t0 \"a\"
         event transferred 0/0 id=1 tag=t1 \"a\"
         event transferred 0/0 id=2 tag=t2 \"a\"",
    );
    // The sender has seen it now: it has sent three, and has none left.
    t.peer(7, credit(3, 0));
    t.us.grant(LINK, 1, false).unwrap();
    t.forget_peer();
    t.told("us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=3 credit=1");
}

/// No more than was ever granted, whatever was taken back.
#[test]
fn what_may_be_on_its_way_is_bounded() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 5, false).unwrap();
    t.forget();
    t.us.grant(LINK, 0, false).unwrap();
    t.forget();
    for id in 0..6 {
        t.peer_with(7, transfer(id), b"a");
    }
    let log = t.take_log();
    assert_eq!(log.iter().filter(|line| line.starts_with("event transferred")).count(), 5);
    assert!(log.iter().any(|line| line.contains("transfer-limit-exceeded")));
}

/// AMQP 2.6.7, drain, from the receiver's side: messages, and then the rest of the credit.
#[test]
fn a_drained_sender_gives_credit_back() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 10, true).unwrap();
    t.told("us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=0 credit=10 drain");
    t.peer_with(7, transfer(0), b"a");
    t.peer(7, Flow { drain: true, ..credit(10, 0) });
    t.forget_peer();
    t.told(
        "event transferred 0/0 id=0 tag=t0 \"a\"
         event drained 0/0",
    );
    assert_eq!(t.us.credit(LINK), 0);
    t.us.grant(LINK, 3, false).unwrap();
    t.told("us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=10 credit=3");
}

/// A sender that uses all of it up has nothing to give back, and need not say so.
#[test]
fn credit_used_up_is_drained_too() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 2, true).unwrap();
    t.forget();
    t.peer_with(7, transfer(0), b"a");
    t.peer_with(7, Transfer { more: true, ..transfer(1) }, b"b");
    t.forget_peer();
    t.told("event transferred 0/0 id=0 tag=t0 \"a\"");
    t.peer_with(7, on(false), b"c");
    // It may say so nevertheless.
    t.peer(7, Flow { drain: true, ..credit(2, 0) });
    t.forget_peer();
    t.told(
        "event transferred 0/0 id=1 tag=t1 \"bc\"
         event drained 0/0",
    );
}

/// The last of the credit goes for a delivery that is given up.
#[test]
fn a_delivery_given_up_drains_too() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 1, true).unwrap();
    t.forget();
    t.peer_with(7, Transfer { more: true, ..transfer(0) }, b"a");
    t.peer(7, Transfer { aborted: true, ..on(false) });
    t.forget_peer();
    t.told(
        "event aborted 0/0
         event drained 0/0",
    );
}

/// A flow of the sender that gives back only a part, or none, is no answer yet.
#[test]
fn credit_is_drained_when_all_of_it_is_gone() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 10, true).unwrap();
    t.forget();
    t.peer(7, credit(0, 10));
    t.peer(7, Flow { drain: true, ..credit(4, 6) });
    t.forget_peer();
    t.told("");
    assert_eq!(t.us.credit(LINK), 6);
    t.peer(7, Flow { drain: true, ..credit(10, 0) });
    t.forget_peer();
    t.told("event drained 0/0");
}

/// A sender's count never goes back; a flow that says so says nothing.
#[test]
fn a_senders_count_behind_is_passed_over() {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 10, false).unwrap();
    t.forget();
    t.peer_with(7, transfer(0), b"a");
    t.peer(7, credit(0, 10));
    assert_eq!(t.us.credit(LINK), 9);
    t.peer(7, Flow { delivery_count: None, ..credit(0, 10) });
    assert_eq!(t.us.credit(LINK), 9);
}

#[test]
fn this_side_sends_as_much_as_it_has_credit() {
    let mut t = Trace::sending();
    for (cookie, text) in [(1, "a"), (2, "b"), (3, "c")] {
        t.deliver(cookie, text);
    }
    t.told("");
    t.peer(7, credit(0, 2));
    t.told(
        "peer> 7 flow next-in=0 in=100 next-out=0 handle=3 count=0 credit=2
         event credit 0/0 limit=2
         us<   0 transfer handle=0 id=0 tag=t1 \"a\"
         us<   0 transfer handle=0 id=1 tag=t2 \"b\"",
    );
    // The receiver has seen one of them: what it says is what it said.
    t.peer(7, credit(1, 1));
    t.peer(7, credit(0, 2));
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=2
         event credit 0/0 limit=2",
    );
    t.peer(7, credit(2, 5));
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=7
         us< 0 transfer handle=0 id=2 tag=t3 \"c\"",
    );
}

/// A receiver that has not seen the attach counts from its beginning (AMQP 2.6.7).
#[test]
fn a_receiver_without_a_count_means_the_first() {
    let mut t = Trace::sending();
    t.peer(7, Flow { delivery_count: None, ..credit(0, 2) });
    t.deliver(1, "a");
    t.peer(7, Flow { delivery_count: None, ..credit(0, 2) });
    t.deliver(2, "b");
    t.deliver(3, "c");
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=2
         us< 0 transfer handle=0 id=0 tag=t1 \"a\"
         event credit 0/0 limit=2
         us< 0 transfer handle=0 id=1 tag=t2 \"b\"",
    );
}

/// Credit taken back: what is queued is held, goes on with new credit in its order, and comes back
/// when there is none.
#[test]
fn deliveries_without_credit_are_held() {
    let mut t = Trace::sending();
    t.peer(7, credit(0, 5));
    t.forget();
    t.peer(7, credit(0, 0));
    for (cookie, text) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        t.deliver(cookie, text);
    }
    t.told(
        "peer> 7 flow next-in=0 in=100 next-out=0 handle=3 count=0 credit=0
         event credit 0/0 limit=0",
    );
    t.peer(7, credit(0, 1));
    t.deliver(5, "e");
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=1
         us< 0 transfer handle=0 id=0 tag=t1 \"a\"",
    );
    // AMQP 2.7.4: an echo tells how many wait.
    t.peer(7, Flow { echo: true, ..credit(1, 0) });
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=1
         us< 0 flow next-in=0 in=8192 next-out=1 handle=0 count=1 credit=0 available=4",
    );
    t.peer(7, credit(1, 2));
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=3
         us< 0 transfer handle=0 id=1 tag=t2 \"b\"
         us< 0 transfer handle=0 id=2 tag=t3 \"c\"",
    );
    t.peer(7, detach(3, false));
    t.told(
        "peer> 7 detach handle=3
         event unsent 0/0 cookie=4
         event unsent 0/0 cookie=5
         event detached 0/0
         us<   0 detach handle=0",
    );
}

/// A link without credit is no reason for others to wait.
#[test]
fn links_do_not_wait_for_one_another() {
    let mut t = Trace::sending();
    t.peer(7, attach("other", 4, Role::Receiver));
    let other = LinkId { session: SESSION, handle: 1 };
    t.us.accept_attach(other, AttachAnswer::default()).unwrap();
    t.peer(7, Flow { handle: Some(4), ..credit(0, 9) });
    t.forget();
    t.deliver(1, "held");
    t.us.deliver(other, delivery(2, "goes")).unwrap();
    t.told("us< 0 transfer handle=1 id=0 tag=t2 \"goes\"");
    t.peer(7, End::default());
    t.forget_peer();
    t.told(
        "event unsent 0/0 cookie=1
         event outcome 0/1 cookies=2..2 settled
         event ended 0
         us< 0 end",
    );
}

/// AMQP 2.6.7, drain, from the sender's side.
#[test]
fn this_side_gives_credit_back() {
    let mut t = Trace::sending();
    t.peer(7, Flow { drain: true, ..credit(0, 10) });
    t.deliver(1, "a");
    t.us.drained(LINK).unwrap();
    t.told(
        "peer> 7 flow next-in=0 in=100 next-out=0 handle=3 count=0 credit=10 drain
         event credit 0/0 limit=10 drain
         us<   0 transfer handle=0 id=0 tag=t1 \"a\"
         us<   0 flow next-in=0 in=8192 next-out=1 handle=0 count=10 credit=0 drain",
    );
    t.deliver(2, "b");
    t.told("");
    // The count went on by what was given back, and around.
    t.peer(7, credit(10, 1));
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=2
         us< 0 transfer handle=0 id=1 tag=t2 \"b\"",
    );
    t.peer(7, Flow { drain: true, ..credit(11, u32::MAX / 2) });
    t.us.drained(LINK).unwrap();
    t.forget();
    t.peer(7, Flow { drain: true, ..credit(0x8000_000a, u32::MAX / 2) });
    t.us.drained(LINK).unwrap();
    t.forget();
    t.peer(7, credit(9, 1));
    t.deliver(3, "c");
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=3
         us< 0 transfer handle=0 id=2 tag=t3 \"c\"",
    );
}

/// A receiver that changed its mind keeps the credit it gave.
#[test]
fn a_drain_that_was_withdrawn_is_none() {
    let mut t = Trace::sending();
    t.peer(7, Flow { drain: true, ..credit(0, 10) });
    t.peer(7, credit(0, 10));
    t.us.drained(LINK).unwrap();
    t.deliver(1, "a");
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=10 drain
         event credit 0/0 limit=10
         us< 0 transfer handle=0 id=0 tag=t1 \"a\"",
    );
}

/// The caller's word on one drain says nothing about the next: that one has its own.
#[test]
fn each_drain_is_answered_by_its_own_word() {
    let mut t = Trace::sending();
    t.peer(7, Flow { drain: true, incoming_window: 0, ..credit(0, 1) });
    t.deliver(1, "a");
    t.us.drained(LINK).unwrap();
    t.forget();
    // Before the window lets the first one go, there is more credit, to be drained too.
    t.peer(7, Flow { drain: true, ..credit(0, 5) });
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=5 drain
         us< 0 transfer handle=0 id=0 tag=t1 \"a\"",
    );
    t.deliver(2, "b");
    t.us.drained(LINK).unwrap();
    t.told(
        "us< 0 transfer handle=0 id=1 tag=t2 \"b\"
         us< 0 flow next-in=0 in=8192 next-out=2 handle=0 count=5 credit=0 drain",
    );
}

/// AMQP 2.7.4: a flow about a link answers a flow about it.
#[test]
fn the_state_of_a_link_is_echoed() {
    let mut t = Trace::sending();
    t.peer(7, credit(0, 4));
    t.deliver(1, "a");
    t.forget();
    t.peer(7, Flow { echo: true, ..credit(0, 4) });
    t.forget_peer();
    t.told(
        "event credit 0/0 limit=4
         us< 0 flow next-in=0 in=8192 next-out=1 handle=0 count=1 credit=3",
    );
    let mut t = Trace::receiving();
    t.us.grant(LINK, 5, false).unwrap();
    t.forget();
    t.peer(7, Flow { echo: true, ..credit(0, 5) });
    t.forget_peer();
    t.told("us< 0 flow next-in=0 in=8192 next-out=0 handle=0 count=0 credit=5");
}
