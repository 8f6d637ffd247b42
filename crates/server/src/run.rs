//! A node from its first socket to its last frame.

use crate::acme::Acme;
use crate::auth::issuers;
use crate::config::Config;
use crate::drain;
use crate::log::event;
use crate::mailbox::Letter;
use crate::net::connection::{Encryption, Speaks};
use crate::net::listener::{self, Addresses, Sockets};
use crate::net::tls::Certificates;
use crate::node::{self, Node, Order, Phase};
use crate::notify;
use crate::reload::{ReadAgain, Reloader};
use crate::shard::{self, StartError};
use crate::traces;
use crate::users::{Announcement, Given};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often the end of connections is looked for while draining.
const DRAIN_TICK: Duration = Duration::from_millis(10);

/// How often logins that are over are looked for.
const EXPIRY_TICK: Duration = Duration::from_secs(1);

/// Why a node ended otherwise than it was told to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not start: certificate, data directory.
    Start(String),
    /// Its address is in use, or not its own.
    Listen(SocketAddr, io::Error),
    /// The journal failed while it served.
    Journal(String),
    /// The system refused what every process needs.
    System(io::Error),
}

impl From<listener::OpenError> for Failure {
    fn from(error: listener::OpenError) -> Self {
        match error {
            listener::OpenError::Address(reason) => Self::Start(reason),
            listener::OpenError::Socket(address, error) => Self::Listen(address, error),
        }
    }
}

/// Runs a node until it is told to stop. `ready` is called when clients are served.
///
/// # Errors
/// Whatever ended it before.
pub(crate) async fn run(
    config: Config,
    users: Vec<Given>,
    read_again: ReadAgain,
    ready: impl FnOnce(&Addresses, &Announcement),
) -> Result<(), Failure> {
    raise_file_limit();
    let mut signals = Signals::new().map_err(Failure::System)?;
    let acme = config.acme.first().map(|entry| Acme::new(entry, &config.data.directory));
    let acme = acme.transpose().map_err(Failure::Start)?;
    let certificates = certificates_of(&config, acme.as_ref())?;
    let (sockets, addresses) = open_sockets(&config, certificates.as_ref())?;

    // Probes are answered while the journal is being recovered.
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let node = node_of(config, orders)?;
    if let Some(not_after) = certificates.as_ref().and_then(|it| it.not_after_s()) {
        node.metrics.certificate(not_after);
    }
    if let (Some(acme), Some(certificates)) = (acme, &certificates) {
        tokio::spawn(acme.keep(Arc::clone(&node), Arc::clone(certificates)));
    }
    let reloader = Reloader { node: Arc::clone(&node), certificates, read_again };
    tokio::spawn(close_expired(Arc::clone(&node)));
    let accepting = sockets.accept(&node);
    let (say_started, mut started) = oneshot::channel();
    let shard = shard::spawn(Arc::clone(&node), users, move |outcome| {
        // Nobody listens if the process was stopped meanwhile.
        let _ = say_started.send(outcome);
    })
    .map_err(Failure::System)?;
    let mut ready = Some(ready);
    let outcome = loop {
        tokio::select! {
            outcome = &mut started, if ready.is_some() => match outcome {
                Ok(Ok(announcement)) => {
                    if let Some(ready) = ready.take() {
                        ready(&addresses, &announcement);
                        notify::say(notify::READY);
                    }
                }
                Ok(Err(StartError(reason))) => break Err(Failure::Start(reason)),
                Err(_) => break Err(Failure::Start("the shard's thread has ended".to_owned())),
            },
            reason = node.failed() => break Err(Failure::Journal(reason)),
            signal = signals.next() => match signal {
                Heard::Reload => drop(reloader.reload().await),
                Heard::Stop => break stop(&node, shard, &mut signals, None).await,
            },
            Some(order) = ordered.recv() => match order {
                Order::Reload(answer) => drop(answer.send(reloader.reload().await)),
                Order::Drain { over, close_code, stop: true } => {
                    let spread = Some((over, close_code));
                    break stop(&node, shard, &mut signals, spread).await;
                }
                Order::Drain { over, close_code, stop: false } => {
                    begin_drain(&node);
                    tokio::spawn(drain::send_away(Arc::clone(&node), over, close_code));
                }
            },
        }
    };
    accepting.iter().for_each(JoinHandle::abort);
    tracing::info!(event = event::STOPPED, clean = outcome.is_ok(), "stopped");
    outcome
}

/// The node, with whose tokens are taken, and where traces go.
fn node_of(config: Config, orders: mpsc::UnboundedSender<Order>) -> Result<Arc<Node>, Failure> {
    let issuers = issuers::load(&config.issuers, &[]).map_err(Failure::Start)?;
    let traces = config.traces.first().map(traces::new).transpose().map_err(Failure::Start)?;
    let (traces, exporter) = traces.unzip();
    let node = Arc::new(Node::new(config, orders, traces));
    if let Some(exporter) = exporter {
        tokio::spawn(exporter.run(Arc::clone(&node)));
    }
    node.auth.set_issuers(issuers);
    Ok(node)
}

fn certificates_of(
    config: &Config,
    acme: Option<&Acme>,
) -> Result<Option<Arc<Certificates>>, Failure> {
    let clients = &config.client_certificates;
    let loaded = match acme {
        Some(acme) => Certificates::new(acme.first().map_err(Failure::Start)?, clients),
        None if config.tls.is_on() => Certificates::load(&config.tls, clients),
        None => return Ok(None),
    };
    loaded.map(Some).map_err(start_failure)
}

/// The listeners, before anybody is accepted from them.
fn open_sockets(
    config: &Config,
    certificates: Option<&Arc<Certificates>>,
) -> Result<(Sockets, Addresses), Failure> {
    let mut encryption = None;
    if let Some(certificates) = certificates {
        let acceptor = certificates.acceptor().map_err(start_failure)?;
        encryption = Some(Encryption { acceptor, certificates: Arc::clone(certificates) });
    }
    let mut sockets = Sockets::default();
    let http = sockets.open(&config.listen.address, Speaks::Http, encryption.clone())?;
    let amqp = sockets.open(&config.amqp.listen_address, Speaks::Amqp { secure: false }, None)?;
    let speaks = Speaks::Amqp { secure: true };
    let amqps = sockets.open(&config.amqp.tls_listen_address, speaks, encryption)?;
    Ok((sockets, Addresses { http, amqp, amqps }))
}

fn start_failure(error: impl std::fmt::Display) -> Failure {
    Failure::Start(format!("tls: {error}"))
}

/// Nobody new is let in from now on.
fn begin_drain(node: &Node) {
    tracing::info!(event = event::DRAINING, connections = node.open(), "draining");
    node.enter(Phase::Draining);
    notify::say(notify::STOPPING);
}

/// Sends every client away, waits for them, then for the journal; each for a bounded time. A
/// second signal ends the waiting. `spread`: over which time, and with which close code.
async fn stop(
    node: &Arc<Node>,
    shard: thread::JoinHandle<()>,
    signals: &mut Signals,
    spread: Option<(Duration, u16)>,
) -> Result<(), Failure> {
    let live = node.live();
    let shutdown = &live.config.shutdown;
    let timeout = Duration::from_millis(shutdown.drain_timeout_ms);
    let (over, close_code) = spread.unwrap_or((Duration::ZERO, shutdown.close_code));
    begin_drain(node);
    let sending = tokio::spawn(drain::send_away(Arc::clone(node), over, close_code));
    let deadline = Instant::now() + over + timeout;
    while node.open() + node.owed() > 0 && Instant::now() < deadline {
        tokio::select! {
            () = tokio::time::sleep(DRAIN_TICK) => {}
            reason = node.failed() => return Err(Failure::Journal(reason)),
            Heard::Stop = signals.next() => break,
        }
    }
    sending.abort();
    node.mailbox.push(&mut vec![Letter::Stop]);
    let finishing = tokio::task::spawn_blocking(move || shard.join());
    tokio::select! {
        joined = tokio::time::timeout(timeout, finishing) => match joined {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::Journal("the journal did not finish in time".to_owned())),
        },
        reason = node.failed() => Err(Failure::Journal(reason)),
        Heard::Stop = signals.next() => {
            Err(Failure::Journal("stopped before the journal had finished".to_owned()))
        }
    }
}

/// Closes connections whose logins are over, once a second.
async fn close_expired(node: Arc<Node>) {
    let mut ticks = tokio::time::interval(EXPIRY_TICK);
    loop {
        ticks.tick().await;
        let expired = node.connections.take_expired(node::now_ms());
        if !expired.is_empty() {
            let connections = expired.len();
            tracing::info!(event = event::LOGIN_EXPIRED, connections, "logins are over");
        }
        expired.iter().for_each(|outbox| outbox.drain(node::CLOSE_LOGIN_OVER));
    }
}

/// What the operating system tells us to do.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Heard {
        tokio::select! {
            _ = self.terminate.recv() => Heard::Stop,
            _ = self.interrupt.recv() => Heard::Stop,
            _ = self.hangup.recv() => Heard::Reload,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Heard {
    Stop,
    Reload,
}

/// Each connection is a file, and the usual soft limit is 1,024.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it fewer connections are possible; accepting will say so.
    let _ = setrlimit(Resource::Nofile, limit);
}
