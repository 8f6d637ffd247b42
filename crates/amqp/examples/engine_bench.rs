//! What a message costs the engine at both ends: an initiator sends to an acceptor in the same
//! process, unsettled, and is told of outcomes in ranges.
//!
//!     cargo run --release -p wharf-amqp --example engine_bench -- [MESSAGES [ROUNDS [OCTETS [RANGE]]]]
//!
//! RANGE is the most deliveries one disposition settles.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring tool"
)]

use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_amqp::engine::{
    AttachAnswer, AttachRequest, Config, Connection, Event, Framing, Input, LinkId,
    OutgoingDelivery, Role as Side, SessionId,
};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Open, Role};
use wharf_amqp::tag::Tag;

const CREDIT: u32 = 1000;

/// Octets of one write, and so of one read.
const BURST_BYTES: usize = 64 << 10;

/// Deliveries handed to the sender at once, as a queue would.
const BATCH: u64 = 256;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let mut next = |default| arguments.next().unwrap_or(default);
    let (messages, rounds) = (next(2_000_000), next(5));
    let (octets, range) = (next(16), next(u64::from(CREDIT)));
    let best = (0..rounds).map(|_| Pair::new(octets, range).run(messages)).min();
    let best = best.unwrap_or_default();
    let each = best.as_secs_f64() * 1e9 / messages as f64;
    println!("{octets} octets, ranges of {range}: {each:.1} ns a message, both ends together");
}

struct Pair {
    sender: Connection,
    receiver: Connection,
    link: LinkId,
    payload: Bytes,
    range: u64,
    /// Sender: deliveries allowed, given, and settled by the receiver.
    limit: u64,
    given: u64,
    settled: u64,
    /// Receiver: the first and the number of those not disposed of.
    open: (u32, u32),
    buffer: Vec<u8>,
}

impl Pair {
    fn new(octets: u64, range: u64) -> Self {
        let connection = |role| {
            let config = Config { idle_time_out: None, ..Config::new(role, Framing::Stream) };
            Connection::new(Arc::new(config))
        };
        let mut pair = Self {
            sender: connection(Side::Initiator),
            receiver: connection(Side::Acceptor),
            link: LinkId { session: SessionId(0), handle: 0 },
            payload: vec![7; usize::try_from(octets).unwrap()].into(),
            range,
            limit: 0,
            given: 0,
            settled: 0,
            open: (0, 0),
            buffer: Vec::with_capacity(2 * BURST_BYTES),
        };
        pair.sender.open(Open::new("sender")).unwrap();
        let session = pair.sender.begin().unwrap();
        let terms = AttachAnswer::default();
        let request = AttachRequest { name: "link".to_owned(), role: Role::Sender, terms };
        pair.link = pair.sender.attach(session, request).unwrap();
        while pair.limit == 0 {
            pair.turn();
        }
        pair
    }

    /// The time from the first message given to the last outcome told.
    fn run(mut self, messages: u64) -> Duration {
        let start = Instant::now();
        while self.settled < messages {
            let until = self.limit.min(messages).min(self.given + BATCH);
            for cookie in self.given..until {
                let delivery = OutgoingDelivery {
                    cookie,
                    tag: Tag::from(cookie as u32),
                    message_format: 0,
                    settled: false,
                    payload: [Bytes::new(), self.payload.clone()],
                };
                self.sender.deliver(self.link, delivery).unwrap();
            }
            self.given = until;
            self.turn();
        }
        start.elapsed()
    }

    /// What one end has to say, and then the other.
    fn turn(&mut self) {
        self.buffer.clear();
        self.sender.poll_transmit(&mut self.buffer, BURST_BYTES);
        let mut input = Input::stream(&self.buffer);
        while let Some(event) = self.receiver.poll_event(&mut input) {
            match event {
                Event::Transferred(message) => {
                    assert_eq!(message.payload.len(), self.payload.len());
                    if self.open.1 == 0 {
                        self.open.0 = message.delivery_id;
                    }
                    self.open.1 += 1;
                    if u64::from(self.open.1) == self.range {
                        dispose(&mut self.receiver, &mut self.open);
                    }
                }
                Event::Opened(_) => self.receiver.open(Open::new("receiver")).unwrap(),
                Event::Attaching(link, _) => {
                    self.receiver.accept_attach(link, AttachAnswer::default()).unwrap();
                    self.receiver.grant(link, CREDIT, false).unwrap();
                }
                _ => {}
            }
        }
        dispose(&mut self.receiver, &mut self.open);
        if self.receiver.credit(self.link) < CREDIT / 2 {
            // Fails before there is a link.
            let _ = self.receiver.grant(self.link, CREDIT, false);
        }
        self.buffer.clear();
        self.receiver.poll_transmit(&mut self.buffer, BURST_BYTES);
        let mut input = Input::stream(&self.buffer);
        while let Some(event) = self.sender.poll_event(&mut input) {
            match event {
                Event::Credit(_, view) => self.limit = view.limit,
                Event::Outcome(outcome) => self.settled += outcome.last - outcome.first + 1,
                _ => {}
            }
        }
    }
}

fn dispose(receiver: &mut Connection, (first, count): &mut (u32, u32)) {
    if let Some(more) = count.checked_sub(1) {
        let last = first.wrapping_add(more);
        let accepted = DeliveryState::Accepted;
        receiver.dispose(SessionId(0), *first, last, true, accepted).unwrap();
        *count = 0;
    }
}
