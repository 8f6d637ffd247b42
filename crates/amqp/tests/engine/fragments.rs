//! Messages sent in many frames: the peer's frame size, its window, and its second thoughts
//! (AMQP 2.6.14, 2.7.1).

use crate::trace::{LINK, Trace, attach, config, credit, delivery, detach, frame, windows};
use wharf_amqp::engine::{Framing, OutgoingDelivery, Role as Side};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Begin, Disposition, Flow, Open, Performative, Role};

/// A sending link whose peer takes frames of 512 octets.
fn sending(window: u32) -> Trace {
    let open = Open { max_frame_size: 512, ..Open::new("peer") };
    let stream = config(Side::Acceptor, Framing::Stream);
    let mut t = Trace::mapped_with(stream, open, Begin::new(0, window, 100));
    t.accept(attach("out", 3, Role::Receiver), LINK);
    t.peer(7, Flow { incoming_window: window, ..credit(0, 100) });
    t.forget();
    t
}

fn large(cookie: u64, head: usize, rest: usize) -> OutgoingDelivery {
    let octet = |at: usize| (at % 251) as u8;
    let payload = [
        (0..head).map(octet).collect::<Vec<_>>().into(),
        (head..head + rest).map(octet).collect::<Vec<_>>().into(),
    ];
    OutgoingDelivery { payload, ..delivery(cookie, "") }
}

/// Frames of 512 octets and any window: what comes out is what went in.
#[test]
fn a_large_message_leaves_in_frames_the_peer_takes() {
    for (head, rest) in [(0, 0), (3, 0), (0, 3000), (3000, 0), (500, 500), (1, 4000), (408, 408)] {
        for window in [1, 2, 100] {
            let mut t = sending(window);
            t.us.deliver(LINK, large(1, head, rest)).unwrap();
            let (mut got, mut frames, mut done) = (Vec::new(), 0u32, false);
            while !done {
                let mut out = Vec::new();
                while t.us.poll_transmit(&mut out, 1000) > 0 {}
                assert!(!out.is_empty());
                let before = frames;
                for (header, body) in crate::trace::frames(&out) {
                    assert!(header.size <= 512);
                    let (transfer, used) = match Performative::decode(body).unwrap() {
                        (Performative::Transfer(transfer), used) => (transfer, used),
                        other => panic!("{other:?}"),
                    };
                    assert_eq!(transfer.delivery_id.is_some(), frames == 0);
                    assert_eq!(transfer.delivery_tag.is_some(), frames == 0);
                    got.extend_from_slice(&body[used..]);
                    frames += 1;
                    done = !transfer.more;
                }
                assert!(frames - before <= window);
                t.hear(7, windows(frames, window, 0));
            }
            let expected: Vec<u8> = (0..head + rest).map(|at| (at % 251) as u8).collect();
            assert_eq!(got, expected);
        }
    }
}

/// A frame is no larger than what is asked for at once, even if the peer takes any.
#[test]
fn a_large_message_does_not_fill_more_than_the_budget() {
    let mut t = Trace::sending();
    t.peer(7, credit(0, 9));
    t.forget();
    t.us.deliver(LINK, large(1, 0, 1_000_000)).unwrap();
    let mut out = Vec::new();
    let mut total = 0;
    loop {
        let len = t.us.poll_transmit(&mut out, 16 << 10);
        assert!(len <= 2 * (16 << 10), "{len}");
        if len == 0 {
            break;
        }
        total += len;
        out.clear();
    }
    assert!(total > 1_000_000);
}

/// Deliveries leave in the order in which they were given, each whole before the next of its link.
#[test]
fn large_and_small_messages_keep_their_order() {
    let mut t = sending(2);
    t.us.deliver(LINK, large(1, 0, 1000)).unwrap();
    t.deliver(2, "small");
    t.forget();
    t.peer(7, windows(2, 100, 0));
    t.forget_peer();
    let log = t.take_log();
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(log[0].starts_with("us< 0 transfer handle=0 "), "{log:?}");
    assert_eq!(log[1], "us< 0 transfer handle=0 id=1 tag=t2 \"small\"");
}

/// A message whose link goes away half way comes back.
#[test]
fn a_message_sent_in_part_comes_back() {
    for closed in [true, false] {
        let mut t = sending(2);
        t.us.deliver(LINK, large(1, 0, 3000)).unwrap();
        t.deliver(2, "small");
        t.forget();
        t.peer(7, detach(3, closed));
        let flag = if closed { " closed" } else { "" };
        t.forget_peer();
        t.told(&format!(
            "event unsent 0/0 cookie=1
             event unsent 0/0 cookie=2
             event detached 0/0{flag}
             us< 0 detach handle=0{flag}"
        ));
    }
}

/// A receiver may decide before it has seen all of a message.
#[test]
fn a_message_is_settled_before_its_end() {
    let mut t = sending(2);
    t.us.deliver(LINK, large(1, 0, 1000)).unwrap();
    t.forget();
    t.peer(
        7,
        Disposition {
            role: Role::Receiver,
            first: 0,
            last: None,
            settled: true,
            state: Some(DeliveryState::Rejected(None)),
            batchable: false,
        },
    );
    t.forget_peer();
    t.told("event outcome 0/0 cookies=1..1 settled state=rejected");
    // Its end is told by an abort, as nobody wants the rest (AMQP 2.6.14).
    t.peer(7, windows(2, 100, 0));
    t.deliver(2, "small");
    t.forget_peer();
    t.told(
        "us< 0 transfer handle=0 aborted \"\"
         us< 0 transfer handle=0 id=1 tag=t2 \"small\"",
    );
    // Or it is the last there is to hear of it.
    let mut t = sending(2);
    t.us.deliver(LINK, large(1, 0, 1000)).unwrap();
    t.forget();
    t.octets(&frame(
        7,
        &Performative::Disposition(Disposition {
            role: Role::Receiver,
            first: 0,
            last: None,
            settled: true,
            state: None,
            batchable: false,
        }),
        b"",
    ));
    t.peer(7, detach(3, true));
    t.forget_peer();
    t.told(
        "event outcome 0/0 cookies=1..1 settled
         event detached 0/0 closed
         us< 0 detach handle=0 closed",
    );
}
