//! One connection: its engine, its login, its timers, and how it is given up.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until, timeout};
use wharf_amqp::engine::{
    By, Closed, Config, Connection, Due, Event, Input, LinkId, Role, SaslPolicy, SessionId,
};
use wharf_amqp::messaging::DeliveryState;
use wharf_amqp::performative::Open;
use wharf_amqp::value::{Array, Value};
use wharf_ws::CloseCode;

use super::login::{Login, Who};
use super::spot::LaneId;
use super::wire::Wire;
use crate::net::{Place, Reached, Scheme, Trail};
use crate::{Error, Options};

/// Property of our open: the schemes that we can follow (WSB-050).
const REDIRECT_SCHEMES: &str = "redirect-schemes";

/// How long a peer that closed AMQP first has to close the transport too (WSB-A08).
const TRANSPORT_CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Octets a WebSocket message may have beyond one AMQP message of the largest size: it may hold
/// many frames (WSB-041).
const OVERHEAD_MAX_BYTES: usize = 1 << 20;

/// One end of a link, by the number of its sender or receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Sender(usize),
    Receiver(usize),
}

/// A connection being opened, or open.
pub(super) struct Lane {
    /// Where it was asked for; it may be elsewhere.
    pub(super) asked: Place,
    pub(super) stage: Stage,
}

type Opening = Pin<Box<dyn Future<Output = Result<Reached, Error>> + Send>>;

pub(super) enum Stage {
    Opening(Opening),
    Up(Box<Up>),
}

/// A connection.
pub(super) struct Up {
    pub(super) id: LaneId,
    pub(super) place: Place,
    /// The redirects that led here.
    pub(super) trail: Trail,
    wire: Wire,
    pub(super) engine: Connection,
    login: Login,
    who: Who,
    open: Option<Open>,
    /// Links live in one session.
    pub(super) session: Option<SessionId>,
    pub(super) begun: bool,
    pub(super) since: Instant,
    /// Something was settled or delivered.
    pub(super) useful: bool,
    pub(super) ends: BTreeMap<LinkId, End>,
    /// What the application made of deliveries, to be told.
    decided: Vec<(u32, DeliveryState)>,
    /// Deliveries that the peer has settled without a state. If their link is gone by that, this
    /// is no word on them.
    pub(super) undecided: Vec<(LinkId, u64, u64)>,
    /// Why this side gives the connection up.
    pub(super) failure: Option<Error>,
    pub(super) closed: Option<Closed>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Lane {
    /// The connection, if links can be asked for on it.
    pub(super) fn ready(&mut self) -> Option<&mut Up> {
        match &mut self.stage {
            Stage::Up(up) if up.begun && up.closed.is_none() => Some(up),
            Stage::Up(_) | Stage::Opening(_) => None,
        }
    }
}

impl Up {
    pub(super) fn new(id: LaneId, reached: Reached, options: &Options, container: &str) -> Self {
        let Reached { carrier, place, trail, security } = reached;
        let size_max_bytes = options.message_size_max_bytes;
        let websocket = wharf_ws::Config {
            frame_size_max_bytes: size_max_bytes.saturating_add(OVERHEAD_MAX_BYTES) as u64,
            message_size_max_bytes: size_max_bytes.saturating_add(OVERHEAD_MAX_BYTES),
            // WSB-A07: AMQP has its own.
            ping_interval: None,
            close_timeout: options.close_timeout,
            ..wharf_ws::Config::default()
        };
        let wire = Wire::new(carrier, &websocket);
        let engine = Config {
            sasl: SaslPolicy::Required(Vec::new()),
            idle_time_out: Some(options.ping_interval),
            message_size_max_bytes: size_max_bytes as u64,
            open_timeout: options.connect_timeout,
            close_timeout: options.close_timeout,
            ..Config::new(Role::Initiator, wire.framing())
        };
        let who = Who {
            credentials: options.credentials.clone(),
            plain_without_tls: options.plain_without_tls,
            hostname: place.hostname().to_owned(),
            security,
        };
        let open = open(&place, options, container);
        Up {
            id,
            place,
            trail,
            wire,
            engine: Connection::new(Arc::new(engine)),
            login: Login::default(),
            who,
            open: Some(open),
            session: None,
            begun: false,
            since: Instant::now(),
            useful: false,
            ends: BTreeMap::new(),
            decided: Vec::new(),
            undecided: Vec::new(),
            failure: None,
            closed: None,
            sleep: None,
        }
    }

    /// Something of the login, or of the connection before its session has begun.
    pub(super) fn handle_opening(&mut self, event: Event<'_>) {
        let done = match event {
            Event::SaslMechanisms(offered) => {
                let init = self.login.begin(offered.sasl_server_mechanisms, &self.who);
                init.map(|init| {
                    let _ = self.engine.sasl_init(init);
                })
            }
            Event::SaslChallenge(challenge) => self.login.challenge(challenge),
            Event::SaslOutcome(outcome) => self.login.outcome(&outcome).map(|()| {
                // AMQP 2.4.1: behind our header, without waiting for the peer's.
                if let Some(open) = self.open.take() {
                    let _ = self.engine.open(open);
                }
            }),
            Event::Opened(_) => {
                self.session = self.engine.begin().ok();
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(failure) = done {
            self.fail(failure);
        }
    }

    /// This side gives the connection up.
    pub(super) fn fail(&mut self, failure: Error) {
        self.failure.get_or_insert(failure);
    }

    /// Fires what is due, and sends what the login has computed.
    pub(super) fn poll_timers(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready(response) = self.login.poll_response(cx) {
            match response {
                Ok(response) => drop(self.engine.sasl_respond(response)),
                Err(failure) => self.fail(failure),
            }
        }
        while let Some(due) = self.engine.poll_timeout() {
            if let Due::At(at) = due {
                let at = Instant::from_std(at);
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
                if sleep.deadline() != at {
                    sleep.as_mut().reset(at);
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return;
                }
            }
            self.engine.handle_timeout(Instant::now().into_std());
        }
        self.sleep = None;
    }

    /// The next octets, or the end of them.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<super::wire::Burst>> {
        let received = self.wire.poll_recv(cx);
        if let Poll::Ready(None) = received {
            if let Some(why) = self.wire.end() {
                self.fail(why);
            }
            self.engine.handle_transport_closed();
        }
        received
    }

    pub(super) fn give_back(&mut self, burst: super::wire::Burst) {
        self.wire.give_back(burst);
    }

    /// The application has decided on a delivery.
    pub(super) fn decide(&mut self, delivery_id: u32, state: DeliveryState) {
        self.decided.push((delivery_id, state));
    }

    /// Sends what there is. Says whether anything was sent.
    pub(super) fn transmit(&mut self, cx: &mut Context<'_>) -> bool {
        self.tell_decided();
        self.wire.transmit(&mut self.engine, cx)
    }

    /// Tells what was decided, in as few frames as it takes.
    // AMQP 2.6.12
    pub(super) fn tell_decided(&mut self) {
        let Some(session) = self.session else { return };
        self.decided.sort_by_key(|(delivery_id, _)| *delivery_id);
        let mut run: Option<(u32, u32, DeliveryState)> = None;
        for (delivery_id, state) in self.decided.drain(..) {
            match &mut run {
                Some((_, last, known))
                    if *known == state && last.wrapping_add(1) == delivery_id =>
                {
                    *last = delivery_id;
                }
                _ => {
                    if let Some((first, last, state)) =
                        run.replace((delivery_id, delivery_id, state))
                    {
                        let _ = self.engine.dispose(session, first, last, true, state);
                    }
                }
            }
        }
        if let Some((first, last, state)) = run {
            let _ = self.engine.dispose(session, first, last, true, state);
        }
    }

    /// Closes AMQP if it is not closed, and then the transport.
    // WSB-080, WSB-081, WSB-A08
    pub(super) async fn finish(mut self, within: Duration) {
        let peer_closed_first =
            self.closed.as_ref().is_some_and(|it| it.clean && it.by == By::Peer);
        let violated = self.closed.as_ref().is_some_and(|closed| closed.violation.is_some());
        if self.closed.is_none() {
            self.tell_decided();
            // Refused if it was never opened: then there is nothing to close.
            let _ = self.engine.close(None);
        }
        let _ = timeout(within, std::future::poll_fn(|cx| self.poll_over(cx))).await;
        if peer_closed_first {
            let wait = std::future::poll_fn(|cx| self.poll_transport_closed(cx));
            if timeout(TRANSPORT_CLOSE_WAIT, wait).await.is_ok() {
                return;
            }
        }
        let code = if violated { CloseCode::PROTOCOL_ERROR } else { CloseCode::NORMAL };
        let _ = timeout(
            within,
            std::future::poll_fn(|cx| {
                self.wire.start_close(code, cx);
                self.poll_transport_closed(cx)
            }),
        )
        .await;
    }

    /// Sends the rest, until AMQP is closed from both sides.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.poll_timers(cx);
            while self.engine.poll_event(&mut Input::empty()).is_some() {}
            self.wire.transmit(&mut self.engine, cx);
            let is_over = self.engine.is_over() && !self.engine.has_output();
            if is_over && self.wire.poll_flushed(cx) {
                return Poll::Ready(());
            }
            match self.wire.poll_recv(cx) {
                Poll::Ready(Some(burst)) => {
                    let mut input = burst.input();
                    while self.engine.poll_event(&mut input).is_some() {}
                    self.wire.give_back(burst);
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_transport_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(burst) = std::task::ready!(self.wire.poll_recv(cx)) {
            self.wire.give_back(burst);
        }
        Poll::Ready(())
    }
}

fn open(place: &Place, options: &Options, container: &str) -> Open {
    let from_secure = place.is_secure() && !options.follow_less_secure;
    let schemes = Scheme::ALL.into_iter().filter(|scheme| scheme.is_secure() || !from_secure);
    // WSB-050, WSB-A09
    let schemes = Array::of_symbols(schemes.map(|scheme| scheme.name().to_owned()));
    let text = |text: &str| Value::String(text.to_owned());
    Open {
        // WSB-004, WSB-061
        hostname: Some(place.hostname().to_owned()),
        properties: vec![
            (REDIRECT_SCHEMES.to_owned(), Value::Array(Box::new(schemes))),
            ("product".to_owned(), text("Wharf client")),
            ("version".to_owned(), text(env!("CARGO_PKG_VERSION"))),
        ],
        ..Open::new(container)
    }
}
