//! Messages: in one frame and in many, both ways, and what a continuation may say (AMQP 2.6.12,
//! 2.6.14, 2.7.5).

use crate::trace::{LINK, SESSION, Trace, attach, begin, config, detach, on, tag, transfer};
use wharf_amqp::engine::{AttachAnswer, Config, Framing, LinkId, Role as Side};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{
    Attach, Open, ReceiverSettleMode, Role, SenderSettleMode, Transfer,
};

/// A link of the peer with some credit.
fn receiving() -> Trace {
    let mut t = Trace::receiving();
    t.us.grant(LINK, 100, false).unwrap();
    t.forget();
    t
}

fn with_modes(snd: SenderSettleMode, rcv: ReceiverSettleMode) -> Trace {
    let mut t = Trace::mapped();
    let attach = attach("in", 3, Role::Sender);
    t.accept(Attach { snd_settle_mode: snd, rcv_settle_mode: rcv, ..attach }, LINK);
    t.us.grant(LINK, 100, false).unwrap();
    t.forget();
    t
}

fn first(more: bool) -> Transfer {
    Transfer { more, ..transfer(0) }
}

const INVALID: &str = "event detached 0/0 closed error=amqp:invalid-field by=Local
                       us< 0 detach handle=0 closed error=amqp:invalid-field";

#[test]
fn a_message_comes_in_one_frame_or_in_many() {
    let mut t = receiving();
    t.peer_with(7, transfer(0), b"whole");
    t.peer_with(7, Transfer { more: true, ..transfer(1) }, b"in ");
    t.peer_with(7, on(true), b"three ");
    t.peer_with(7, on(false), b"parts");
    t.forget_peer();
    t.told(
        "event transferred 0/0 id=0 tag=t0 \"whole\"
         event transferred 0/0 id=1 tag=t1 \"in three parts\"",
    );
}

/// No payload at all, in one frame or among others.
#[test]
fn a_payload_may_be_empty() {
    let mut t = receiving();
    t.peer(7, transfer(0));
    t.peer(7, Transfer { more: true, ..transfer(1) });
    t.peer_with(7, on(true), b"x");
    t.peer(7, on(true));
    t.peer(7, on(false));
    t.forget_peer();
    t.told(
        "event transferred 0/0 id=0 tag=t0 \"\"
         event transferred 0/0 id=1 tag=t1 \"x\"",
    );
}

/// AMQP 2.6.14: links take turns, deliveries of one link do not.
#[test]
fn messages_of_several_links_are_interleaved() {
    let mut t = receiving();
    t.peer(7, attach("other", 4, Role::Sender));
    let other = LinkId { session: SESSION, handle: 1 };
    t.us.accept_attach(other, AttachAnswer::default()).unwrap();
    t.us.grant(other, 10, false).unwrap();
    t.forget();
    t.peer_with(7, first(true), b"a");
    t.peer_with(7, Transfer { handle: 4, more: true, ..transfer(1) }, b"x");
    t.peer_with(7, on(true), b"b");
    t.peer_with(7, Transfer { handle: 4, ..on(false) }, b"y");
    t.peer_with(7, on(false), b"c");
    t.forget_peer();
    t.told(
        "event transferred 0/1 id=1 tag=t1 \"xy\"
         event transferred 0/0 id=0 tag=t0 \"abc\"",
    );
}

/// A delivery under way is dropped with its link.
#[test]
fn what_has_come_of_a_message_is_dropped_with_the_link() {
    let mut t = receiving();
    t.peer_with(7, first(true), b"a");
    t.peer(7, detach(3, false));
    t.accept(attach("in", 3, Role::Sender), LINK);
    t.us.grant(LINK, 10, false).unwrap();
    t.forget();
    t.peer_with(7, Transfer { more: false, ..transfer(1) }, b"b");
    t.forget_peer();
    t.told("event transferred 0/0 id=1 tag=t1 \"b\"");
}

/// AMQP 2.7.5, aborted: dropped, settled, and `more` and payload mean nothing.
#[test]
fn a_message_may_be_given_up() {
    let mut t = receiving();
    t.peer_with(7, first(true), b"a");
    t.peer_with(7, Transfer { aborted: true, more: true, ..on(true) }, b"ignored");
    t.peer_with(7, Transfer { aborted: true, ..transfer(1) }, b"ignored");
    t.peer_with(7, transfer(2), b"b");
    t.forget_peer();
    t.told(
        "event aborted 0/0
         event aborted 0/0
         event transferred 0/0 id=2 tag=t2 \"b\"",
    );
    assert_eq!(t.us.credit(LINK), 97);
}

/// AMQP 2.7.5: what a continuation repeats is the same.
#[test]
fn a_continuation_repeats_nothing_else() {
    let same = Transfer { delivery_tag: Some(tag("t0")), delivery_id: Some(0), ..on(false) };
    let mut t = receiving();
    t.peer_with(7, first(true), b"a");
    t.peer_with(7, Transfer { message_format: Some(0), ..same.clone() }, b"b");
    t.forget_peer();
    t.told("event transferred 0/0 id=0 tag=t0 \"ab\"");
    for other in [
        Transfer { delivery_id: Some(1), ..on(false) },
        Transfer { delivery_tag: Some(tag("t1")), ..on(false) },
        Transfer { message_format: Some(1), ..same },
    ] {
        let mut t = receiving();
        t.peer_with(7, first(true), b"a");
        t.peer_with(7, other, b"b");
        t.forget_peer();
        t.told(INVALID);
    }
}

/// AMQP 2.7.5: the first transfer names the delivery.
#[test]
fn a_delivery_has_an_id_and_a_tag() {
    for nameless in [
        Transfer { delivery_id: None, ..transfer(0) },
        Transfer { delivery_tag: None, ..transfer(0) },
        on(false),
    ] {
        let mut t = receiving();
        t.peer_with(7, nameless, b"a");
        t.forget_peer();
        t.told(INVALID);
    }
}

/// AMQP 2.7.5, settled: unset means what an earlier frame said.
#[test]
fn settled_on_any_frame_is_settled() {
    let parts = [Some(true), Some(false), None];
    for one in parts {
        for two in parts {
            for three in parts {
                let mut t = receiving();
                t.peer_with(7, Transfer { settled: one, ..first(true) }, b"a");
                t.peer_with(7, Transfer { settled: two, ..on(true) }, b"b");
                t.peer_with(7, Transfer { settled: three, ..on(false) }, b"c");
                t.forget_peer();
                let settled = [one, two, three].contains(&Some(true));
                let settled = if settled { "settled" } else { "" };
                t.told(&format!("event transferred 0/0 id=0 tag=t0 {settled} \"abc\""));
            }
        }
    }
}

/// AMQP 2.7.5, settled, and the sender's mode.
#[test]
fn a_sender_settles_as_it_said() {
    let first_mode = ReceiverSettleMode::First;
    for (mode, settled, right) in [
        (SenderSettleMode::Settled, Some(true), true),
        (SenderSettleMode::Settled, Some(false), false),
        (SenderSettleMode::Settled, None, false),
        (SenderSettleMode::Unsettled, Some(true), false),
        (SenderSettleMode::Unsettled, Some(false), true),
        (SenderSettleMode::Unsettled, None, true),
        (SenderSettleMode::Mixed, Some(true), true),
        (SenderSettleMode::Mixed, None, true),
    ] {
        let mut t = with_modes(mode, first_mode);
        t.peer_with(7, Transfer { settled, ..transfer(0) }, b"a");
        t.forget_peer();
        let flag = if settled == Some(true) { "settled" } else { "" };
        let right = right.then(|| format!("event transferred 0/0 id=0 tag=t0 {flag} \"a\""));
        t.told(right.as_deref().unwrap_or(INVALID));
    }
    // Given up, it is settled in any mode.
    for mode in [SenderSettleMode::Settled, SenderSettleMode::Unsettled] {
        let mut t = with_modes(mode, first_mode);
        let given_up = Transfer { aborted: true, settled: Some(true), ..transfer(0) };
        t.peer_with(7, given_up, b"a");
        t.forget_peer();
        t.told("event aborted 0/0");
    }
    // On one frame of several is enough.
    let mut t = with_modes(SenderSettleMode::Settled, first_mode);
    t.peer_with(7, first(true), b"a");
    t.peer_with(7, Transfer { settled: Some(true), ..on(false) }, b"b");
    t.forget_peer();
    t.told("event transferred 0/0 id=0 tag=t0 settled \"ab\"");
}

/// AMQP 2.7.5, rcv-settle-mode, and 2.8.3.
#[test]
fn a_receiver_settles_as_it_said_or_as_it_is_told() {
    let (one, two) = (ReceiverSettleMode::First, ReceiverSettleMode::Second);
    for (link, frame, second) in [
        (one, None, Some("")),
        (one, Some(one), Some("")),
        (one, Some(two), None),
        (two, None, Some("second")),
        (two, Some(one), Some("")),
        (two, Some(two), Some("second")),
    ] {
        let mut t = with_modes(SenderSettleMode::Mixed, link);
        t.peer_with(7, Transfer { rcv_settle_mode: frame, ..transfer(0) }, b"a");
        // The same on the first of two frames.
        t.peer_with(7, Transfer { rcv_settle_mode: frame, more: true, ..transfer(1) }, b"b");
        t.peer_with(7, on(false), b"c");
        t.forget_peer();
        let right = second.map(|second| {
            format!(
                "event transferred 0/0 id=0 tag=t0 {second} \"a\"
                 event transferred 0/0 id=1 tag=t1 {second} \"bc\""
            )
        });
        t.told(right.as_deref().unwrap_or(INVALID));
    }
    // Of what is settled it says nothing.
    let mut t = with_modes(SenderSettleMode::Mixed, one);
    let settled = Transfer { settled: Some(true), rcv_settle_mode: Some(two), ..transfer(0) };
    t.peer_with(7, settled, b"a");
    t.forget_peer();
    t.told("event transferred 0/0 id=0 tag=t0 settled \"a\"");
}

/// AMQP 2.7.5, state: it is that of the delivery, whichever frame told it last.
#[test]
fn the_senders_state_is_kept_over_the_frames() {
    let released = Some(DeliveryState::Released);
    let mut t = receiving();
    t.peer_with(7, Transfer { state: released.clone(), ..first(true) }, b"a");
    t.peer_with(7, on(false), b"b");
    t.peer_with(7, Transfer { state: released, more: true, ..transfer(1) }, b"a");
    let accepted = Some(DeliveryState::Accepted);
    t.peer_with(7, Transfer { state: accepted, ..on(false) }, b"b");
    t.forget_peer();
    t.told(
        "event transferred 0/0 id=0 tag=t0 state=released \"ab\"
         event transferred 0/0 id=1 tag=t1 state=accepted \"ab\"",
    );
}

/// AMQP 2.7.5, resume: "MUST ignore resumed deliveries that are not in its local unsettled map".
#[test]
fn a_resumed_delivery_is_ignored() {
    let mut t = receiving();
    t.peer_with(7, Transfer { resume: true, ..transfer(0) }, b"a");
    t.peer_with(7, Transfer { resume: true, more: true, ..transfer(1) }, b"a");
    t.peer_with(7, on(true), b"b");
    t.peer_with(7, Transfer { resume: true, ..on(false) }, b"c");
    t.peer_with(7, transfer(2), b"d");
    t.forget_peer();
    t.told(
        "event aborted 0/0
         event aborted 0/0
         event transferred 0/0 id=2 tag=t2 \"d\"",
    );
    assert_eq!(t.us.credit(LINK), 97);
}

/// AMQP 2.7.3, 2.8.18: message-size-exceeded, of the link and of the connection.
#[test]
fn a_message_too_large_closes_the_link() {
    let too_large = "event detached 0/0 closed error=amqp:link:message-size-exceeded by=Local
                     us< 0 detach handle=0 closed error=amqp:link:message-size-exceeded";
    for (connection, link) in [(10, 0), (100, 10), (10, 100)] {
        let stream = config(Side::Acceptor, Framing::Stream);
        let small = Config { message_size_max_bytes: connection, ..stream };
        let greet = || {
            let mut t = Trace::mapped_with(small.clone(), Open::new("peer"), begin());
            t.peer(7, attach("in", 3, Role::Sender));
            let answer = AttachAnswer { message_size_max_bytes: link, ..AttachAnswer::default() };
            t.us.accept_attach(LINK, answer).unwrap();
            t.us.grant(LINK, 9, false).unwrap();
            t.forget();
            t
        };
        let mut t = greet();
        t.peer_with(7, transfer(0), b"0123456789");
        t.peer_with(7, Transfer { more: true, ..transfer(1) }, b"01234");
        t.peer_with(7, on(false), b"56789");
        t.forget_peer();
        t.told(
            "event transferred 0/0 id=0 tag=t0 \"0123456789\"
             event transferred 0/0 id=1 tag=t1 \"0123456789\"",
        );
        t.peer_with(7, transfer(2), b"0123456789+");
        t.forget_peer();
        t.told(too_large);
        let mut t = greet();
        t.peer_with(7, first(true), b"0123456789");
        t.peer_with(7, on(true), b"+");
        t.forget_peer();
        t.told(too_large);
    }
}

/// The memory for messages that have come in part is bounded over all links.
#[test]
fn messages_in_part_take_only_so_much_memory() {
    let stream = config(Side::Acceptor, Framing::Stream);
    let small = Config { message_size_max_bytes: 2000, ..stream };
    let mut t = Trace::mapped_with(small, Open::new("peer"), begin());
    for handle in 0..10 {
        t.peer(7, attach(&format!("in{handle}"), handle, Role::Sender));
        let id = LinkId { session: SESSION, handle };
        t.us.accept_attach(id, AttachAnswer::default()).unwrap();
        t.us.grant(id, 9, false).unwrap();
    }
    t.forget();
    let part = |handle| Transfer { handle, more: true, ..transfer(handle) };
    for handle in 0..4 {
        t.peer_with(7, part(handle), &[b'x'; 1000]);
    }
    t.forget_peer();
    t.told("");
    t.peer_with(7, part(4), b"x");
    t.forget_peer();
    t.told(
        "event detached 0/4 closed error=amqp:resource-limit-exceeded by=Local
         us< 0 detach handle=4 closed error=amqp:resource-limit-exceeded",
    );
    // Completed, given up, detached: each makes room again.
    t.peer(7, Transfer { handle: 0, ..on(false) });
    t.peer(7, Transfer { handle: 1, aborted: true, ..on(false) });
    t.peer(7, detach(2, true));
    for handle in 5..8 {
        t.peer_with(7, part(handle), &[b'x'; 1000]);
    }
    t.forget_peer();
    let log = t.take_log();
    assert!(!log.iter().any(|line| line.contains("resource-limit")), "{log:?}");
    t.peer_with(7, part(8), b"x");
    assert!(t.take_log().iter().any(|line| line.contains("resource-limit")));
}
