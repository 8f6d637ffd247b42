//! However the octets are cut, they mean the same.

use crate::show;
use crate::trace::{attach, begin, config, detach, frame, tag, windows};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;
use wharf_amqp::engine::{
    AttachAnswer, Config, Connection, Event, Framing, Input, OutgoingDelivery, Role as Side,
    SaslPolicy, SessionId,
};
use wharf_amqp::frame::{ProtocolHeader, put_sasl_frame};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::{Disposition, Flow, Open, Performative, Role, Transfer};
use wharf_amqp::sasl_frame::{Code, Init, SaslFrame};

/// A caller that grants everything at once, and says so in `log`.
struct Caller {
    us: Connection,
    log: Vec<String>,
    out: Vec<u8>,
    /// The answer to a login is given late: after so many more polls.
    login: Option<usize>,
    patience: usize,
    cookie: u64,
}

impl Caller {
    fn new(framing: Framing, sasl: SaslPolicy, patience: usize) -> Self {
        let config =
            Config { sasl, message_size_max_bytes: 300, ..config(Side::Acceptor, framing) };
        let us = Connection::new(Arc::new(config));
        Self { us, log: Vec::new(), out: Vec::new(), login: None, patience, cookie: 0 }
    }

    fn hear(&mut self, mut input: Input<'_>) {
        while let Some(event) = self.us.poll_event(&mut input) {
            self.log.push(show::event(&event));
            self.answer(event);
        }
        if let Some(polls) = &mut self.login {
            match polls.checked_sub(1) {
                Some(fewer) => *polls = fewer,
                None => self.let_in(),
            }
        }
    }

    fn let_in(&mut self) {
        if self.login.take().is_some() {
            self.us.sasl_outcome(Code::Ok, None).unwrap();
        }
    }

    fn answer(&mut self, event: Event<'_>) {
        match event {
            Event::SaslInit(_) => self.login = Some(self.patience),
            Event::Opened(_) => self.us.open(Open::new("us")).unwrap(),
            Event::Attaching(id, attach) if attach.name.len() % 5 == 4 => {
                let error = wharf_amqp::condition::Condition::NotFound.into();
                self.us.refuse_attach(id, &attach, error).unwrap();
            }
            Event::Attaching(id, attach) => {
                self.us.accept_attach(id, AttachAnswer::default()).unwrap();
                if attach.role == Role::Sender {
                    self.us.grant(id, 7, false).unwrap();
                }
            }
            Event::Credit(id, view) => {
                self.cookie += 1;
                let delivery = OutgoingDelivery {
                    cookie: self.cookie,
                    tag: tag("t"),
                    message_format: 0,
                    settled: self.cookie.is_multiple_of(3),
                    payload: [b"pay".as_slice().into(), b"load".as_slice().into()],
                };
                let _ = self.us.deliver(id, delivery);
                if view.drain {
                    let _ = self.us.drained(id);
                }
            }
            Event::Transferred(it) if !it.settled => {
                let (session, id) = (it.link.session, it.delivery_id);
                self.us.dispose(session, id, id, true, DeliveryState::Accepted).unwrap();
            }
            Event::Ended { session: SessionId(1), .. } => drop(self.us.begin()),
            _ => {}
        }
    }

    /// Everything said and sent, once there is no more to hear.
    fn end(mut self) -> (Vec<String>, Vec<u8>) {
        self.let_in();
        self.hear(Input::empty());
        self.us.handle_transport_closed();
        self.hear(Input::empty());
        while self.us.poll_transmit(&mut self.out, 1 << 20) > 0 {}
        self.hear(Input::empty());
        (self.log, self.out)
    }
}

fn performative() -> impl Strategy<Value = (Performative, Vec<u8>)> {
    let handle = 0u32..4;
    let role = prop_oneof![Just(Role::Sender), Just(Role::Receiver)];
    let plain = |performative: Performative| (performative, Vec::new());
    let flow = (handle.clone(), 0u32..30, any::<(bool, bool, bool)>());
    let transfer = (handle.clone(), 0u32..9, any::<[bool; 4]>(), vec(any::<u8>(), 0..200));
    let disposition = (role.clone(), 0u32..9, 0u32..9, any::<bool>());
    prop_oneof![
        1 => Just(plain(Performative::Begin(Box::new(begin())))),
        3 => ("[a-e]{1,5}", handle.clone(), role).prop_map(move |(name, handle, role)| {
            plain(Performative::Attach(Box::new(attach(&name, handle, role))))
        }),
        4 => flow.prop_map(move |(handle, credit, (link, drain, echo))| {
            let handle = link.then_some(handle);
            let link_credit = link.then_some(credit);
            let flow = Flow { handle, link_credit, drain, echo, ..windows(0, 50, 0) };
            plain(Performative::Flow(flow))
        }),
        6 => transfer.prop_map(|(handle, id, [first, more, settled, aborted], payload)| {
            let transfer = Transfer {
                handle,
                delivery_id: first.then_some(id),
                delivery_tag: first.then(|| tag("x")),
                settled: settled.then_some(true),
                more,
                aborted: aborted && more,
                ..Transfer::default()
            };
            (Performative::Transfer(transfer), payload)
        }),
        2 => disposition.prop_map(move |(role, first, last, settled)| {
            let state = Some(DeliveryState::Released);
            let last = Some(last);
            let it = Disposition { role, first, last, settled, state, batchable: false };
            plain(Performative::Disposition(it))
        }),
        1 => (handle, any::<bool>()).prop_map(move |(handle, closed)| {
            plain(Performative::Detach(Box::new(detach(handle, closed))))
        }),
        1 => Just(plain(Performative::End(Box::default()))),
    ]
}

/// What a peer sends behind the headers: frames, and now and then anything.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let body = (0u16..3, performative())
        .prop_map(|(channel, (it, payload))| frame(channel, &it, &payload));
    let piece = prop_oneof![
        40 => body,
        2 => Just(vec![0, 0, 0, 8, 2, 0, 0, 1]),
        1 => Just(frame(0, &Performative::Close(Box::default()), b"")),
        1 => vec(any::<u8>(), 1..30),
    ];
    vec(piece, 0..40).prop_map(|pieces| {
        let start = [
            frame(0, &Performative::Open(Box::new(Open::new("peer"))), b""),
            frame(0, &Performative::Begin(Box::new(begin())), b""),
        ];
        [start.concat(), pieces.concat()].concat()
    })
}

/// The headers, each with what is sent before the next one.
fn conversation(login: bool, frames: Vec<u8>) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    if login {
        let mut init = Vec::new();
        let (mechanism, initial_response) = ("PLAIN".to_owned(), Some(b"\0u\0p".to_vec()));
        let frame = SaslFrame::Init(Init { mechanism, initial_response, hostname: None });
        put_sasl_frame(&mut init, |out| frame.encode(out));
        parts.extend([ProtocolHeader::SASL.octets().to_vec(), init]);
    }
    parts.extend([ProtocolHeader::AMQP.octets().to_vec(), frames]);
    parts
}

/// Cuts of these lengths, again and again.
fn cut<'a>(mut octets: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for len in lengths.iter().cycle() {
        let (piece, rest) = octets.split_at(octets.len().min(*len));
        pieces.push(piece);
        octets = rest;
        if octets.is_empty() {
            break;
        }
    }
    pieces
}

fn sasl(login: bool) -> SaslPolicy {
    let mechanisms = vec!["PLAIN".to_owned()];
    if login { SaslPolicy::Required(mechanisms) } else { SaslPolicy::Absent }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_means_the_same_however_it_is_cut(
        login in any::<bool>(),
        frames in frames(),
        lengths in vec(1usize..60, 1..10),
        patience in 0usize..20,
    ) {
        let stream = conversation(login, frames).concat();
        let mut whole = Caller::new(Framing::Stream, sasl(login), 0);
        whole.hear(Input::stream(&stream));
        let mut parts = Caller::new(Framing::Stream, sasl(login), patience);
        for piece in cut(&stream, &lengths) {
            parts.hear(Input::stream(piece));
        }
        prop_assert_eq!(whole.end(), parts.end());
    }

    /// WSB-037, WSB-038: and behind the headers in messages, empty ones among them.
    #[test]
    fn messages_mean_the_same_however_they_are_cut(
        login in any::<bool>(),
        frames in frames(),
        mut lengths in vec(0usize..60, 1..10),
        patience in 0usize..20,
    ) {
        lengths.push(17);
        let parts = conversation(login, frames);
        let stream = parts.concat();
        let mut whole = Caller::new(Framing::Stream, sasl(login), 0);
        whole.hear(Input::stream(&stream));
        let mut messages = Caller::new(Framing::Messages, sasl(login), patience);
        for part in &parts {
            if part.starts_with(b"AMQP") {
                messages.hear(Input::message(part));
                continue;
            }
            for piece in cut(part, &lengths) {
                messages.hear(Input::message(piece));
            }
        }
        prop_assert_eq!(whole.end(), messages.end());
    }
}
