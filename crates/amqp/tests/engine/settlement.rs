//! Dispositions, both ways (AMQP 2.6.12, 2.7.6, 2.8.2, 2.8.3).

use crate::trace::{
    LINK, SESSION, Trace, attach, begin, config, credit, delivery, detach, transfer,
};
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::engine::{AttachAnswer, Framing, LinkId, OutgoingDelivery, Role as Side};
use wharf_amqp::messaging::{DeliveryState, Modified};
use wharf_amqp::performative::{Attach, Disposition, Flow, Open, ReceiverSettleMode, Role};

const OTHER: LinkId = LinkId { session: SESSION, handle: 1 };

/// Two links that send; cookies 1, 2, 3 are sent on the first, 10, 11 on the second, 4 on the
/// first: ids 0 to 5.
fn sent() -> Trace {
    let mut t = Trace::sending();
    t.peer(7, attach("other", 4, Role::Receiver));
    t.us.accept_attach(OTHER, AttachAnswer::default()).unwrap();
    t.peer(7, credit(0, 1000));
    t.peer(7, Flow { handle: Some(4), ..credit(0, 1000) });
    for cookie in [1, 2, 3] {
        t.deliver(cookie, "m");
    }
    for cookie in [10, 11] {
        t.us.deliver(OTHER, delivery(cookie, "m")).unwrap();
    }
    t.deliver(4, "m");
    t.forget();
    t
}

fn told(first: u32, last: u32, settled: bool, state: Option<DeliveryState>) -> Disposition {
    let last = Some(last).filter(|last| *last != first);
    Disposition { role: Role::Receiver, first, last, settled, state, batchable: false }
}

fn accepted(first: u32, last: u32) -> Disposition {
    told(first, last, true, Some(DeliveryState::Accepted))
}

#[test]
fn a_range_settles_what_is_in_it_over_all_links() {
    let mut t = sent();
    t.peer(7, accepted(1, 4));
    t.told(
        "peer> 7 disposition receiver ids=1..4 settled state=accepted
         event outcome 0/0 cookies=2..3 settled state=accepted
         event outcome 0/1 cookies=10..11 settled state=accepted",
    );
    // Once settled is settled; the rest is still there.
    t.peer(7, accepted(0, 5));
    t.peer(7, accepted(0, 5));
    t.forget_peer();
    t.told(
        "event outcome 0/0 cookies=1..1 settled state=accepted
         event outcome 0/0 cookies=4..4 settled state=accepted",
    );
}

/// Ids that were never given, or are settled, say nothing.
#[test]
fn unknown_ids_are_passed_over() {
    let mut t = sent();
    for (first, last) in [(6, 9), (100, 100), (u32::MAX - 5, u32::MAX)] {
        t.peer(7, accepted(first, last));
    }
    t.forget_peer();
    t.told("");
    // Beyond what was sent, and before it began.
    t.peer(7, accepted(5, 1000));
    t.peer(7, accepted(u32::MAX - 3, 0));
    t.forget_peer();
    t.told(
        "event outcome 0/0 cookies=4..4 settled state=accepted
         event outcome 0/0 cookies=1..1 settled state=accepted",
    );
}

#[test]
fn a_range_that_ends_before_it_begins_ends_the_session() {
    let mut t = sent();
    t.peer(7, accepted(4, 2));
    t.forget_events();
    t.told("us< 0 end error=amqp:invalid-field");
}

/// AMQP 2.8.3, mode second, this side sending: the receiver's outcome, and then our settling.
#[test]
fn the_sender_settles_after_the_receiver_has_decided() {
    let mut t = sent();
    t.peer(7, told(0, 2, false, Some(DeliveryState::Accepted)));
    t.forget_peer();
    t.told("event outcome 0/0 cookies=1..3 state=accepted");
    t.us.settle_sent(LINK, 1, 2, Some(&DeliveryState::Accepted)).unwrap();
    t.us.settle_sent(LINK, 1, 2, Some(&DeliveryState::Accepted)).unwrap();
    t.told("us< 0 disposition sender ids=0..1 settled state=accepted");
    // The receiver may settle first nevertheless.
    t.peer(7, told(0, 2, true, None));
    t.us.settle_sent(LINK, 3, 3, None).unwrap();
    t.forget_peer();
    t.told("event outcome 0/0 cookies=3..3 settled");
}

/// AMQP 2.6.12: a state that is not the last word.
#[test]
fn states_may_change_until_they_are_settled() {
    let mut t = sent();
    let received = DeliveryState::Received { section_number: 0, section_offset: 5 };
    t.peer(7, told(0, 0, false, Some(received)));
    t.peer(7, told(0, 0, false, Some(DeliveryState::Modified(Box::default()))));
    t.peer(7, told(0, 0, true, Some(DeliveryState::Released)));
    t.forget_peer();
    t.told(
        "event outcome 0/0 cookies=1..1 state=received:0:5
         event outcome 0/0 cookies=1..1 state=modified
         event outcome 0/0 cookies=1..1 settled state=released",
    );
}

/// Cookies are names on a link: the same on another link is another delivery.
#[test]
fn settling_concerns_one_link() {
    let mut t = sent();
    t.us.deliver(OTHER, delivery(2, "m")).unwrap();
    t.forget();
    t.us.settle_sent(OTHER, 0, 20, None).unwrap();
    t.told(
        "us< 0 disposition sender ids=3..4 settled
         us< 0 disposition sender ids=6 settled",
    );
    t.peer(7, accepted(0, 10));
    t.forget_peer();
    t.told(
        "event outcome 0/0 cookies=1..3 settled state=accepted
         event outcome 0/0 cookies=4..4 settled state=accepted",
    );
}

/// AMQP 2.6.12, figure 2.55: what is sent settled is done when it is on the wire.
#[test]
fn what_is_sent_settled_is_accepted_at_once() {
    let mut t = Trace::sending();
    t.peer(7, credit(0, 10));
    t.forget();
    for cookie in [5, 6, 8] {
        let settled = OutgoingDelivery { settled: true, ..delivery(cookie, "m") };
        t.us.deliver(LINK, settled).unwrap();
    }
    t.told(
        "us< 0 transfer handle=0 id=0 tag=t5 settled=true \"m\"
         us< 0 transfer handle=0 id=1 tag=t6 settled=true \"m\"
         us< 0 transfer handle=0 id=2 tag=t8 settled=true \"m\"
         event outcome 0/0 cookies=5..6 settled state=accepted
         event outcome 0/0 cookies=8..8 settled state=accepted",
    );
    t.peer(7, accepted(0, 2));
    t.peer(7, detach(3, true));
    t.forget_peer();
    t.told(
        "event detached 0/0 closed
         us< 0 detach handle=0 closed",
    );
}

/// Settled and not, in turn.
#[test]
fn what_is_sent_settled_leaves_the_others_alone() {
    let mut t = Trace::sending();
    t.peer(7, credit(0, 10));
    t.forget();
    for cookie in 1..6 {
        let settled = cookie % 2 == 0;
        t.us.deliver(LINK, OutgoingDelivery { settled, ..delivery(cookie, "m") }).unwrap();
    }
    t.forget();
    t.peer(7, accepted(0, 4));
    t.forget_peer();
    t.told(
        "event outcome 0/0 cookies=1..1 settled state=accepted
         event outcome 0/0 cookies=3..3 settled state=accepted
         event outcome 0/0 cookies=5..5 settled state=accepted",
    );
}

/// AMQP 2.8.3, this side receiving: settled at once, or when the sender has.
#[test]
fn this_side_decides_as_the_link_says() {
    let mut t = Trace::mapped();
    let second =
        Attach { rcv_settle_mode: ReceiverSettleMode::Second, ..attach("in", 3, Role::Sender) };
    t.accept(second, LINK);
    t.us.grant(LINK, 100, false).unwrap();
    t.forget();
    for id in [0xffff_fffe, 0xffff_ffff, 0, 1] {
        t.peer_with(7, transfer(id), b"m");
    }
    t.forget();
    t.us.dispose(SESSION, 0xffff_fffe, 1, false, DeliveryState::Accepted).unwrap();
    t.told("us< 0 disposition receiver ids=4294967294..1 state=accepted");
    let settled = told(0xffff_fffe, 1, true, Some(DeliveryState::Accepted));
    t.peer(7, Disposition { role: Role::Sender, ..settled });
    t.forget_peer();
    t.told("");
    t.us.dispose(SESSION, 1, 1, true, DeliveryState::Released).unwrap();
    t.told("us< 0 disposition receiver ids=1 settled state=released");
}

/// AMQP 2.7.1: a state that does not fit a frame is told without its details.
#[test]
fn a_state_too_large_for_the_peer_is_told_in_short() {
    let open = Open { max_frame_size: 512, ..Open::new("peer") };
    let stream = config(Side::Acceptor, Framing::Stream);
    let mut t = Trace::mapped_with(stream, open, begin());
    t.accept(attach("in", 3, Role::Sender), LINK);
    let long = || "x".repeat(600);
    let rejected = DeliveryState::rejected(Error::new(Condition::NotFound, long()));
    t.us.dispose(SESSION, 0, 0, true, rejected).unwrap();
    let annotations = vec![(long(), wharf_amqp::value::Value::Null)];
    let modified = Modified {
        delivery_failed: Some(true),
        message_annotations: annotations,
        ..Modified::default()
    };
    t.us.dispose(SESSION, 1, 1, true, DeliveryState::Modified(Box::new(modified))).unwrap();
    t.told(
        "us< 0 disposition receiver ids=0 settled state=rejected:amqp:not-found
         us< 0 disposition receiver ids=1 settled state=modified",
    );
}

/// Many deliveries in many ranges: every one is told once.
#[test]
fn every_delivery_is_told_once() {
    let mut t = Trace::sending();
    t.peer(7, Flow { incoming_window: 10_000, ..credit(0, 10_000) });
    t.forget();
    for cookie in 0..1000 {
        t.deliver(cookie, "m");
    }
    t.forget();
    let mut told = vec![0; 1000];
    // Each third alone, then ranges over everything.
    let thirds = (0..1000).step_by(3).map(|id| (id, id));
    for (first, last) in thirds.chain((0..1000).step_by(100).map(|id| (id, id + 99))) {
        t.peer(7, accepted(first, last));
        for line in t.take_log() {
            if let Some(cookies) = line.split("cookies=").nth(1) {
                let cookies = cookies.split(' ').next().unwrap();
                let (first, last) = cookies.split_once("..").unwrap();
                let cookies = first.parse::<usize>().unwrap()..=last.parse().unwrap();
                cookies.for_each(|cookie| told[cookie] += 1);
            }
        }
    }
    assert!(told.iter().all(|times| *times == 1));
}
