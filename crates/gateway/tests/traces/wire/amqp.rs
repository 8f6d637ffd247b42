//! A client of AMQP: the engine as initiator, with names for its links.

use super::{Answer, Mechanism, Offer, SaslSettings, Wire, agreement, opening, show};
use std::collections::BTreeMap;
use std::sync::Arc;
use wharf_amqp::engine::{
    AttachAnswer, AttachRequest, Config, Connection, Event, Framing, Input, LinkId,
    OutgoingDelivery, Role as Side, SaslPolicy, SessionId,
};
use wharf_amqp::messaging::{DeliveryState, MESSAGE_FORMAT, Source, Target, append_value};
use wharf_amqp::performative::{Attach, Open, Role};
use wharf_amqp::sasl_frame::Init;
use wharf_amqp::tag::Tag;
use wharf_amqp::value::Value;
use wharf_gateway::Opening;
use wharf_ws::MessageKind;

/// The far end of an AMQP connection.
pub(crate) struct Peer {
    pub(crate) engine: Connection,
    links: BTreeMap<LinkId, String>,
    /// The broker's last attach of each name.
    attached: BTreeMap<String, Attach>,
    cookie: u64,
}

impl Peer {
    fn new(sasl: SaslPolicy) -> Self {
        let config =
            Config { sasl, idle_time_out: None, ..Config::new(Side::Initiator, Framing::Messages) };
        Self {
            engine: Connection::new(Arc::new(config)),
            links: BTreeMap::new(),
            attached: BTreeMap::new(),
            cookie: 0,
        }
    }

    pub(super) fn hear(&mut self, payload: &[u8], heard: &mut Vec<String>) {
        // The engine has nothing more to do with what its sender settles.
        heard.extend(show::settled_by_sender(payload));
        self.poll(Input::message(payload), heard);
    }

    fn poll(&mut self, mut input: Input<'_>, heard: &mut Vec<String>) {
        while let Some(event) = self.engine.poll_event(&mut input) {
            if let Event::Attached(link, attach) = &event {
                self.links.insert(*link, attach.name.clone());
                self.attached.insert(attach.name.clone(), Attach::clone(attach));
            }
            heard.extend(show::event(&event, &self.links));
        }
    }

    /// One WebSocket message for each unit of output.
    pub(super) fn say(
        &mut self,
        websocket: &mut wharf_ws::Connection,
        out: &mut Vec<u8>,
        heard: &mut Vec<String>,
    ) {
        let mut unit = Vec::new();
        while self.engine.poll_transmit(&mut unit, 1000) > 0 {
            // Fails when the WebSocket is closed already.
            let _ = websocket.send(MessageKind::Binary, &[&unit], out);
            unit.clear();
            self.poll(Input::empty(), heard);
        }
        self.poll(Input::empty(), heard);
    }
}

/// A link to send on.
pub(crate) fn send(name: &str, address: &str) -> AttachRequest {
    let target = Target { address: Some(address.to_owned()), ..Target::default() };
    let terms = AttachAnswer {
        source: Some(Source::default()),
        target: Some(target.into()),
        ..AttachAnswer::default()
    };
    AttachRequest { name: name.to_owned(), role: Role::Sender, terms }
}

/// A link to receive on.
pub(crate) fn receive(name: &str, source: Source) -> AttachRequest {
    let terms = AttachAnswer {
        source: Some(source),
        target: Some(Target::default().into()),
        ..AttachAnswer::default()
    };
    AttachRequest { name: name.to_owned(), role: Role::Receiver, terms }
}

/// A message with a string for its body.
pub(crate) fn message(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    append_value(&mut out, &Value::from(text));
    out
}

impl Wire {
    /// An AMQP client of `alice`, whose container is `c1` if it is client 1, with a session begun.
    pub(crate) fn amqp(&mut self, client: u64) {
        self.amqp_as(client, "alice");
    }

    pub(crate) fn amqp_as(&mut self, client: u64, user: &str) {
        let opening =
            Opening { user: Some(user.to_owned()), ..opening(client, &agreement("amqp")) };
        self.enter(client, "amqp", opening, Some(Peer::new(SaslPolicy::Absent)));
        self.open(client, Open::new(format!("c{client}")));
        assert_eq!(self.heard(client), ["open wharf"]);
    }

    /// Sends the client's open, and begins a session.
    pub(crate) fn open(&mut self, client: u64, open: Open) {
        self.engine(client, |engine| {
            engine.open(open).expect("not open");
            engine.begin().expect("not closed");
        });
    }

    /// An AMQP client that has to log in, or may.
    pub(crate) fn stranger(
        &mut self,
        client: u64,
        user: Option<&str>,
        mechanisms: Vec<Mechanism>,
        sasl: SaslPolicy,
    ) {
        let settings = SaslSettings::new(wharf_gateway::Nonce::from_seed(&[1; 32]), [0; 32]);
        let opening = Opening {
            user: user.map(str::to_owned),
            login: Offer { mechanisms, settings },
            ..opening(client, &agreement("amqp"))
        };
        self.enter(client, "amqp", opening, Some(Peer::new(sasl)));
    }

    /// Chooses PLAIN.
    pub(crate) fn plain(&mut self, client: u64, user: &str, password: &str) {
        let response = format!("\0{user}\0{password}").into_bytes();
        let mechanism = "PLAIN".to_owned();
        let init = Init { mechanism, initial_response: Some(response), hostname: None };
        self.engine(client, |engine| engine.sasl_init(init).expect("mechanisms have come"));
    }

    /// Lets the user in.
    pub(crate) fn let_in(&mut self, client: u64, user: &str) {
        self.answer(client, Answer::Is { user: user.to_owned() });
    }

    fn peer(&mut self, client: u64) -> &mut Peer {
        let client = self.clients.get_mut(&client).expect("connected");
        client.peer.as_mut().expect("a client of AMQP")
    }

    /// Does something with a client's engine.
    pub(crate) fn engine<T>(&mut self, client: u64, f: impl FnOnce(&mut Connection) -> T) -> T {
        let done = f(&mut self.peer(client).engine);
        self.settle();
        done
    }

    pub(crate) fn attach(&mut self, client: u64, request: AttachRequest) -> LinkId {
        self.engine(client, |engine| engine.attach(SessionId(0), request).expect("not in use"))
    }

    /// What the broker said of a link.
    pub(crate) fn attached(&mut self, client: u64, name: &str) -> Attach {
        self.peer(client).attached[name].clone()
    }

    /// Attaches a link to send on; nothing of it is told.
    pub(crate) fn sender(&mut self, client: u64, name: &str, address: &str) -> LinkId {
        let link = self.attach(client, send(name, address));
        let heard = self.heard(client);
        assert_eq!(heard[0], format!("attached {name} target={address}"), "{heard:?}");
        link
    }

    /// Attaches a link to receive on, with credit; nothing of it is told, but its deliveries are.
    pub(crate) fn receiver(
        &mut self,
        client: u64,
        name: &str,
        address: &str,
        credit: u32,
    ) -> LinkId {
        let source = Source { address: Some(address.to_owned()), ..Source::default() };
        let link = self.attach(client, receive(name, source));
        assert_eq!(self.heard(client), [format!("attached {name} source={address}")]);
        self.grant(client, link, credit, false);
        link
    }

    pub(crate) fn grant(&mut self, client: u64, link: LinkId, credit: u32, drain: bool) {
        self.engine(client, |engine| engine.grant(link, credit, drain).expect("a receiver"));
    }

    /// Sends messages in one burst; their cookies count those of the client, from 1.
    pub(crate) fn publish_all(&mut self, client: u64, link: LinkId, messages: &[Vec<u8>]) {
        for message in messages {
            self.queue(client, link, false, MESSAGE_FORMAT, message);
        }
        self.settle();
    }

    pub(crate) fn publish(&mut self, client: u64, link: LinkId, message: &[u8]) {
        self.publish_with(client, link, false, MESSAGE_FORMAT, message);
    }

    pub(crate) fn publish_with(
        &mut self,
        client: u64,
        link: LinkId,
        settled: bool,
        message_format: u32,
        message: &[u8],
    ) {
        self.queue(client, link, settled, message_format, message);
        self.settle();
    }

    fn queue(
        &mut self,
        client: u64,
        link: LinkId,
        settled: bool,
        message_format: u32,
        message: &[u8],
    ) {
        let peer = self.peer(client);
        peer.cookie += 1;
        let (cookie, tag) = (peer.cookie, Tag::from(peer.cookie));
        let payload = [Default::default(), message.to_vec().into()];
        let delivery = OutgoingDelivery { cookie, tag, message_format, settled, payload };
        peer.engine.deliver(link, delivery).expect("a sender");
    }

    /// Settles a delivery with an outcome.
    pub(crate) fn dispose(&mut self, client: u64, id: u32, state: DeliveryState) {
        self.dispose_with(client, id..=id, true, state);
    }

    pub(crate) fn dispose_with(
        &mut self,
        client: u64,
        ids: std::ops::RangeInclusive<u32>,
        settled: bool,
        state: DeliveryState,
    ) {
        let (first, last) = ids.into_inner();
        self.engine(client, |engine| {
            engine.dispose(SessionId(0), first, last, settled, state).expect("a session");
        });
    }

    /// Closes a link, or detaches it.
    pub(crate) fn detach(&mut self, client: u64, link: LinkId, closed: bool) {
        self.engine(client, |engine| engine.detach(link, closed, None).expect("attached"));
    }

    /// Whether the transport of a client may be closed by the broker.
    pub(crate) fn is_finished(&self, client: u64) -> bool {
        self.clients[&client].session.is_finished()
    }
}
