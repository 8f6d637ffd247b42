//! A node from its first socket to its last frame.

use crate::config::Config;
use crate::log::event;
use crate::mailbox::Letter;
use crate::net::connection::Speaks;
use crate::net::listener::{self, Addresses, Sockets};
use crate::net::tls::Certificates;
use crate::node::{Node, Phase};
use crate::shard::{self, StartError};
use crate::users::{Announcement, Given};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often the end of connections is looked for while draining.
const DRAIN_TICK: Duration = Duration::from_millis(10);

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
    ready: impl FnOnce(&Addresses, &Announcement),
) -> Result<(), Failure> {
    raise_file_limit();
    let mut signals = Signals::new().map_err(Failure::System)?;
    let certificates = match config.tls.is_on() {
        true => Some(Certificates::load(&config.tls).map_err(start_failure)?),
        false => None,
    };
    let acceptor =
        certificates.as_ref().map(Certificates::acceptor).transpose().map_err(start_failure)?;
    let mut sockets = Sockets::default();
    let http = sockets.open(&config.listen.address, Speaks::Http, acceptor.clone())?;
    let amqp = sockets.open(&config.amqp.listen_address, Speaks::Amqp { secure: false }, None)?;
    let amqps =
        sockets.open(&config.amqp.tls_listen_address, Speaks::Amqp { secure: true }, acceptor)?;
    let addresses = Addresses { http, amqp, amqps };

    // Probes are answered while the journal is being recovered.
    let node = Arc::new(Node::new(config));
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
                    }
                }
                Ok(Err(StartError(reason))) => break Err(Failure::Start(reason)),
                Err(_) => break Err(Failure::Start("the shard's thread has ended".to_owned())),
            },
            reason = node.failed() => break Err(Failure::Journal(reason)),
            order = signals.next() => match order {
                Order::Reload => reload(certificates.as_deref()),
                Order::Stop => break stop(&node, shard, &mut signals).await,
            },
        }
    };
    accepting.iter().for_each(JoinHandle::abort);
    tracing::info!(event = event::STOPPED, clean = outcome.is_ok(), "stopped");
    outcome
}

fn start_failure(error: impl std::fmt::Display) -> Failure {
    Failure::Start(format!("tls: {error}"))
}

/// Sends every client away, waits for them, then for the journal; each for a bounded time. A
/// second signal ends the waiting.
async fn stop(
    node: &Arc<Node>,
    shard: thread::JoinHandle<()>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let timeout = Duration::from_millis(node.config.shutdown.drain_timeout_ms);
    tracing::info!(event = event::DRAINING, connections = node.open(), "draining");
    node.enter(Phase::Draining);
    node.mailbox.push(&mut vec![Letter::Drain(node.config.shutdown.close_code)]);
    let deadline = Instant::now() + timeout;
    while node.open() > 0 && Instant::now() < deadline {
        tokio::select! {
            () = tokio::time::sleep(DRAIN_TICK) => {}
            reason = node.failed() => return Err(Failure::Journal(reason)),
            Order::Stop = signals.next() => break,
        }
    }
    node.mailbox.push(&mut vec![Letter::Stop]);
    let finishing = tokio::task::spawn_blocking(move || shard.join());
    tokio::select! {
        joined = tokio::time::timeout(timeout, finishing) => match joined {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::Journal("the journal did not finish in time".to_owned())),
        },
        reason = node.failed() => Err(Failure::Journal(reason)),
        Order::Stop = signals.next() => {
            Err(Failure::Journal("stopped before the journal had finished".to_owned()))
        }
    }
}

fn reload(certificates: Option<&Certificates>) {
    let Some(certificates) = certificates else {
        return;
    };
    match certificates.reload() {
        Ok(()) => tracing::info!(event = event::TLS_RELOADED, "certificates read again"),
        Err(error) => tracing::error!(
            event = event::TLS_RELOAD_FAILED,
            %error,
            "the certificate before stays in use"
        ),
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

    async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Stop,
            _ = self.interrupt.recv() => Order::Stop,
            _ = self.hangup.recv() => Order::Reload,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
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
