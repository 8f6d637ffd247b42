//! Sessions: begin and end from both sides, their windows, and what breaks them (AMQP 2.5).

use crate::trace::{
    LINK, SESSION, Trace, attach, begin, config, credit, delivery, detach, request, transfer,
    windows,
};
use wharf_amqp::condition::Condition;
use wharf_amqp::engine::{AttachAnswer, Config, Framing, LinkId, Misuse, Role as Side, SessionId};
use wharf_amqp::performative::{Begin, Close, End, Flow, Open, Role};

fn opened() -> Trace {
    Trace::opened(config(Side::Acceptor, Framing::Stream), Open::new("peer"))
}

/// Our begin is sent; the peer's is awaited.
fn begun() -> Trace {
    let mut t = Trace::opened(config(Side::Initiator, Framing::Stream), Open::new("peer"));
    assert_eq!(t.us.begin(), Ok(SESSION));
    t.told("us< 0 begin next=0 in=8192 handles=1023");
    t
}

fn answer(channel: u16) -> Begin {
    Begin { remote_channel: Some(channel), ..begin() }
}

/// AMQP 2.5.1: the lowest free channel, whatever the peer's is.
#[test]
fn the_peer_begins_and_ends_sessions() {
    let mut t = opened();
    t.peer(9, begin());
    t.peer(4, begin());
    t.told(
        "peer> 9 begin next=0 in=100
         event begun 0
         us<   0 begin remote=9 next=0 in=8192 handles=1023
         peer> 4 begin next=0 in=100
         event begun 1
         us<   1 begin remote=4 next=0 in=8192 handles=1023",
    );
    t.peer(9, End { error: Some(Condition::InternalError.into()) });
    t.peer(9, begin());
    t.told(
        "peer> 9 end error=amqp:internal-error
         event ended 0 error=amqp:internal-error by=Peer
         us<   0 end
         peer> 9 begin next=0 in=100
         event begun 0
         us<   0 begin remote=9 next=0 in=8192 handles=1023",
    );
}

#[test]
fn this_side_begins_and_ends_a_session() {
    let mut t = begun();
    t.peer(5, answer(0));
    t.us.end_session(SESSION, None).unwrap();
    assert_eq!(t.us.end_session(SESSION, None), Err(Misuse::NoSession));
    // AMQP 2.5.5, END SENT: what is still on its way is passed over.
    t.peer(5, attach("late", 0, Role::Sender));
    t.peer(5, windows(0, 10, 0));
    // The channel is not free before the peer's end.
    assert_eq!(t.us.begin(), Ok(SessionId(1)));
    t.peer(5, End::default());
    assert_eq!(t.us.begin(), Ok(SessionId(0)));
    t.forget_peer();
    t.told(
        "event begun 0
         us< 0 end
         us< 1 begin next=0 in=8192 handles=1023
         us< 0 begin next=0 in=8192 handles=1023",
    );
}

/// AMQP 2.5.3.
#[test]
fn both_end_a_session_at_once() {
    let mut t = begun();
    t.peer(5, answer(0));
    t.us.end_session(SESSION, Some(Condition::NotFound.into())).unwrap();
    t.peer(5, End { error: Some(Condition::InternalError.into()) });
    t.peer(5, answer(0));
    t.forget_peer();
    t.told(
        "event begun 0
         us< 0 end error=amqp:not-found
         us< 0 close error=amqp:illegal-state",
    );
}

/// A session may be ended before it is answered.
#[test]
fn a_session_ends_before_it_is_begun_by_the_peer() {
    let mut t = begun();
    t.us.end_session(SESSION, None).unwrap();
    t.peer(5, answer(0));
    t.peer(5, attach("late", 0, Role::Sender));
    t.peer(5, End::default());
    t.peer(5, begin());
    t.forget_peer();
    t.told(
        "us< 0 end
         event begun 0
         us< 0 begin remote=5 next=0 in=8192 handles=1023",
    );
}

/// Both begin sessions at once: the numbers of one side say nothing about the other's.
#[test]
fn channels_of_both_sides_have_nothing_in_common() {
    let mut t = begun();
    t.peer(0, begin());
    t.peer(1, answer(0));
    t.forget_peer();
    t.told(
        "event begun 1
         us< 1 begin remote=0 next=0 in=8192 handles=1023
         event begun 0",
    );
    t.peer(0, attach("l", 3, Role::Receiver));
    t.forget_peer();
    t.told("event attaching 1/0 l");
}

#[test]
fn the_peer_answers_what_was_not_asked() {
    for (channel, begin, error) in
        [(5, answer(0), "amqp:illegal-state"), (256, begin(), "amqp:connection:framing-error")]
    {
        let mut t = opened();
        t.peer(channel, begin);
        t.forget_peer();
        t.told(&format!("us< 0 close error={error}"));
    }
    // A channel that is taken; a session that has its channel.
    for begin in [begin(), answer(0)] {
        let mut t = Trace::mapped();
        t.peer(7, begin);
        t.forget_peer();
        t.told("us< 0 close error=amqp:connection:framing-error");
    }
    let mut t = begun();
    t.peer(5, answer(0));
    t.peer(6, answer(0));
    t.forget_peer();
    t.told(
        "event begun 0
         us< 0 close error=amqp:illegal-state",
    );
}

/// AMQP 2.7.1: both channel-max count.
#[test]
fn there_are_as_many_sessions_as_both_sides_allow() {
    let small = Config { channel_max: 1, ..config(Side::Acceptor, Framing::Stream) };
    let mut t = Trace::opened(small, Open::new("peer"));
    t.us.begin().unwrap();
    t.us.begin().unwrap();
    assert_eq!(t.us.begin(), Err(Misuse::Exhausted));
    t.forget();
    t.peer(2, begin());
    t.forget_peer();
    t.told("us< 0 close error=amqp:connection:framing-error");

    let open = Open { channel_max: 0, ..Open::new("peer") };
    let mut t = Trace::opened(config(Side::Acceptor, Framing::Stream), open);
    t.us.begin().unwrap();
    assert_eq!(t.us.begin(), Err(Misuse::Exhausted));
    t.forget();
    // The peer cannot be answered.
    t.peer(0, begin());
    t.forget_peer();
    t.told("us< 0 close error=amqp:connection:framing-error");
}

/// Links may be asked for and credit given before the peer has answered; deliveries wait.
#[test]
fn a_session_is_used_before_it_is_answered() {
    let mut t = begun();
    let out = t.us.attach(SESSION, request("out", Role::Sender)).unwrap();
    let into = t.us.attach(SESSION, request("in", Role::Receiver)).unwrap();
    t.us.grant(into, 5, false).unwrap();
    t.us.deliver(out, delivery(1, "m")).unwrap();
    t.told(
        "us< 0 attach out handle=0 sender source=s target=t count=0
         us< 0 attach in handle=1 receiver source=s target=t size=16777216
         us< 0 flow in=8192 next-out=0 handle=1 credit=5",
    );
    t.peer(5, answer(0));
    t.peer(5, attach("out", 8, Role::Receiver));
    t.peer(5, Flow { handle: Some(8), delivery_count: None, ..credit(0, 1) });
    t.forget_peer();
    t.told(
        "event begun 0
         event attached 0/0 out
         event credit 0/0 limit=1
         us< 0 transfer handle=0 id=0 tag=t1 \"m\"",
    );
}

/// AMQP 2.7.4: a peer that has not seen our begin has no next-incoming-id.
#[test]
fn a_flow_before_our_begin_counts_from_its_beginning() {
    let mut t = opened();
    t.peer(7, Begin::new(50, 0, 100));
    t.peer(7, Flow { next_incoming_id: None, ..windows(0, 1, 50) });
    t.accept(attach("out", 3, Role::Receiver), LINK);
    t.peer(7, credit(0, 9));
    t.peer(7, Flow { next_incoming_id: None, ..windows(0, 1, 50) });
    t.forget();
    t.deliver(1, "a");
    t.deliver(2, "b");
    t.told("us< 0 transfer handle=0 id=0 tag=t1 \"a\"");
    t.peer(7, Flow { next_incoming_id: None, ..windows(0, 2, 50) });
    t.forget_peer();
    t.told("us< 0 transfer handle=0 id=1 tag=t2 \"b\"");
}

/// AMQP 2.5.6: window = next-incoming-id + incoming-window - next-outgoing-id.
#[test]
fn transfers_stop_at_the_peers_window() {
    let stream = config(Side::Acceptor, Framing::Stream);
    let mut t = Trace::mapped_with(stream, Open::new("peer"), Begin::new(0, 2, 100));
    t.accept(attach("out", 3, Role::Receiver), LINK);
    t.peer(7, Flow { incoming_window: 2, ..credit(0, 100) });
    t.forget();
    for (cookie, text) in [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")] {
        t.deliver(cookie, text);
    }
    t.told(
        "us< 0 transfer handle=0 id=0 tag=t1 \"a\"
         us< 0 transfer handle=0 id=1 tag=t2 \"b\"",
    );
    // The peer has seen one of two: there is room for one more.
    t.peer(7, windows(1, 2, 0));
    // The same again, and less than what is on its way: nothing changes.
    t.peer(7, windows(1, 2, 0));
    t.peer(7, windows(0, 1, 0));
    t.forget_peer();
    t.told("us< 0 transfer handle=0 id=2 tag=t3 \"c\"");
    t.peer(7, windows(3, u32::MAX, 0));
    t.forget_peer();
    t.told(
        "us< 0 transfer handle=0 id=3 tag=t4 \"d\"
         us< 0 transfer handle=0 id=4 tag=t5 \"e\"",
    );
}

/// The window of ours: told again at half, from whatever id the peer begins at.
#[test]
fn the_window_of_ours_follows_the_transfers_from_any_id() {
    for first in [0u32, 0xffff_fffc, 0x7fff_fffe] {
        let stream = config(Side::Acceptor, Framing::Stream);
        let small = Config { incoming_window_frames: 4, ..stream };
        let mut t = Trace::mapped_with(small, Open::new("peer"), Begin::new(first, 100, 100));
        t.accept(attach("in", 3, Role::Sender), LINK);
        t.us.grant(LINK, 1000, false).unwrap();
        t.forget();
        for n in 0..12 {
            t.peer_with(7, transfer(n), b"x");
            t.forget_peer();
            let next = first.wrapping_add(n + 1);
            let flow = format!("us< 0 flow next-in={next} in=4 next-out=0");
            t.told(&format!(
                "event transferred 0/0 id={n} tag=t{n} \"x\"
                 {}",
                if n % 2 == 1 { flow } else { String::new() }
            ));
        }
    }
}

/// A window of one frame, too, is opened again.
#[test]
fn the_smallest_window_is_opened_again() {
    for window in [1, 2, 3] {
        let stream = config(Side::Acceptor, Framing::Stream);
        let small = Config { incoming_window_frames: window, ..stream };
        let mut t = Trace::mapped_with(small, Open::new("peer"), begin());
        t.accept(attach("in", 3, Role::Sender), LINK);
        t.us.grant(LINK, 1000, false).unwrap();
        t.forget();
        let mut open = window;
        for n in 0..10 {
            assert!(open > 0);
            t.peer_with(7, transfer(n), b"x");
            open -= 1;
            if t.take_log().iter().any(|line| line.contains(&format!("in={window}"))) {
                open = window;
            }
        }
    }
}

#[test]
fn a_transfer_beyond_the_window_ends_the_session() {
    let stream = config(Side::Acceptor, Framing::Stream);
    let small = Config { incoming_window_frames: 4, ..stream };
    let mut t = Trace::mapped_with(small, Open::new("peer"), begin());
    t.accept(attach("in", 3, Role::Sender), LINK);
    t.us.grant(LINK, 1000, false).unwrap();
    t.forget();
    // In one burst: no flow has told of more room. Two frames are read as room is made again.
    let burst: Vec<u8> = (0..9)
        .flat_map(|n| {
            let body = wharf_amqp::performative::Performative::Transfer(transfer(n));
            crate::trace::frame(7, &body, b"x")
        })
        .collect();
    t.octets(&burst);
    let log = t.take_log();
    assert_eq!(log.iter().filter(|line| line.starts_with("event transferred")).count(), 4);
    assert_eq!(
        log[4..],
        [
            "event ended 0 error=amqp:session:window-violation by=Local",
            "us< 0 end error=amqp:session:window-violation"
        ]
    );
    t.peer(7, End::default());
    t.forget_peer();
    t.told("");
}

/// AMQP 2.7.4: an echo is answered once, and by a flow that asks for none.
#[test]
fn an_echo_is_answered_and_not_asked_for() {
    let mut t = Trace::mapped();
    t.peer(7, Flow { echo: true, ..windows(0, 100, 0) });
    t.told(
        "peer> 7 flow next-in=0 in=100 next-out=0 echo
         us<   0 flow next-in=0 in=8192 next-out=0",
    );
    t.peer(7, windows(0, 100, 0));
    t.forget_peer();
    t.told("");
}

/// AMQP 2.5.6: "MUST update the next-incoming-id directly from the next-outgoing-id of the frame".
#[test]
fn the_peers_word_on_its_next_transfer_counts() {
    let mut t = Trace::mapped();
    t.peer(7, Flow { echo: true, ..windows(0, 100, 41) });
    t.forget_peer();
    t.told("us< 0 flow next-in=41 in=8192 next-out=0");
}

/// AMQP 2.7.4, 2.8.17: a handle that no link has.
#[test]
fn frames_for_no_link_end_the_session() {
    type Feed = fn(&mut Trace);
    let feeds: [Feed; 3] = [
        |t| t.peer(7, Flow { handle: Some(9), ..windows(0, 100, 0) }),
        |t| t.peer_with(7, wharf_amqp::performative::Transfer { handle: 9, ..transfer(0) }, b"x"),
        |t| t.peer(7, detach(9, false)),
    ];
    for feed in feeds {
        let mut t = Trace::mapped();
        feed(&mut t);
        t.forget_peer();
        t.told(
            "event ended 0 error=amqp:session:unattached-handle by=Local
             us< 0 end error=amqp:session:unattached-handle",
        );
        // AMQP 2.5.4: everything is passed over until the peer's end.
        feed(&mut t);
        t.forget_peer();
        t.told("");
        t.peer(7, End::default());
        t.peer(7, begin());
        t.forget_peer();
        t.told(
            "event begun 0
             us< 0 begin remote=7 next=0 in=8192 handles=1023",
        );
    }
}

/// What was about to be told of windows and credit is not told after the end.
#[test]
fn no_flow_follows_an_end() {
    let stream = config(Side::Acceptor, Framing::Stream);
    let small = Config { incoming_window_frames: 2, ..stream };
    let mut t = Trace::mapped_with(small, Open::new("peer"), begin());
    t.accept(attach("in", 3, Role::Sender), LINK);
    t.us.grant(LINK, 10, false).unwrap();
    t.forget();
    let body = wharf_amqp::performative::Performative::Transfer(transfer(0));
    let octets = crate::trace::frame(7, &body, b"x");
    // The window is due to be told, and credit, and an echo; then the session ends.
    let mut input = wharf_amqp::engine::Input::stream(&octets);
    while t.us.poll_event(&mut input).is_some() {}
    t.us.grant(LINK, 20, false).unwrap();
    t.us.end_session(SESSION, None).unwrap();
    t.told("us< 0 end");
}

/// What a session leaves behind: what was not sent, and what was not settled.
#[test]
fn a_session_that_ends_tells_what_is_left() {
    let mut t = Trace::sending();
    t.peer(7, credit(0, 2));
    t.forget();
    for (cookie, text) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        t.deliver(cookie, text);
    }
    t.forget();
    t.peer(7, End::default());
    t.told(
        "peer> 7 end
         event unsent 0/0 cookie=3
         event unsent 0/0 cookie=4
         event outcome 0/0 cookies=1..2 settled
         event ended 0
         us<   0 end",
    );
    assert_eq!(t.us.deliver(LINK, delivery(5, "e")), Err(Misuse::NoSession));
}

/// A session that has much to send leaves room for the others.
#[test]
fn sessions_take_turns() {
    let mut t = Trace::mapped();
    t.peer(8, begin());
    for channel in [7, 8] {
        t.peer(channel, attach(&format!("out{channel}"), 3, Role::Receiver));
        let session = SessionId(channel - 7);
        t.us.accept_attach(LinkId { session, handle: 0 }, AttachAnswer::default()).unwrap();
        t.peer(channel, credit(0, 100));
    }
    t.forget();
    for cookie in 0..50 {
        for session in [SessionId(0), SessionId(1)] {
            t.us.deliver(LinkId { session, handle: 0 }, delivery(cookie, "some octets")).unwrap();
        }
    }
    let mut sent = [0, 0];
    let mut out = Vec::new();
    while t.us.poll_transmit(&mut out, 64) > 0 {
        for (header, _) in crate::trace::frames(&out) {
            sent[usize::from(header.channel)] += 1;
        }
        out.clear();
        let ahead = i32::abs(sent[0] - sent[1]);
        assert!(ahead <= 4, "{sent:?}");
    }
    assert_eq!(sent, [50, 50]);
}

/// Answers that nobody fetches are counted, for the caller to stop reading.
#[test]
fn answers_that_wait_are_counted() {
    let mut t = opened();
    assert_eq!(t.us.answer_bytes(), 0);
    for _ in 0..10 {
        t.hear(7, begin());
        t.hear(7, End::default());
    }
    // A begin of 33 octets and an end of 12, each time.
    assert_eq!(t.us.answer_bytes(), 450);
    t.forget();
    assert_eq!(t.us.answer_bytes(), 0);
}

/// The connection goes on when a session is broken.
#[test]
fn other_sessions_do_not_notice() {
    let mut t = Trace::mapped();
    t.peer(8, begin());
    t.peer(7, detach(9, false));
    t.peer(8, attach("l", 0, Role::Sender));
    t.forget_peer();
    t.told(
        "event begun 1
         us< 1 begin remote=8 next=0 in=8192 handles=1023
         event ended 0 error=amqp:session:unattached-handle by=Local
         us< 0 end error=amqp:session:unattached-handle
         event attaching 1/0 l",
    );
    t.peer(0, Close::default());
    t.forget_peer();
    t.told("event closed by Peer clean\n us< 0 close");
}
