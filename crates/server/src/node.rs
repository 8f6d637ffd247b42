//! One running broker: what every connection shares, and how it starts and stops.

use crate::auth::Authenticator;
use crate::auth::sasl::Channel;
use crate::config::Config;
use crate::live::Live;
use crate::log::event;
use crate::mailbox::{Job, Letter, Mailbox, Outbox};
use crate::manage::audit::Audit;
use crate::metrics::{Disk, Metrics};
use crate::net::admission::Admission;
use crate::net::allowance::{self, Allowances};
use crate::net::registry::{Login, Registry};
use crate::rules::{self, Rules};
use crate::traces::Traces;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot, watch};
use wharf_api::shapes::Reloaded;
use wharf_broker::{ConnectionId, Shard, Timestamp};
use wharf_gateway::{ChannelBinding, Nonce, Offer, SaslSettings};

/// Time for the shard to answer a question of the server's own.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for the shard to do what it is asked, and to make it durable.
const JOB_TIMEOUT: Duration = Duration::from_secs(30);

/// Close code for those who have, or do, more than they may.
pub(crate) const CLOSE_POLICY: u16 = 1008;

/// Close code for those whose login is over: it is registered for that (3000, Unauthorized).
pub(crate) const CLOSE_LOGIN_OVER: u16 = 3000;

/// The shard does not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unanswered;

/// What a client of the management API tells the process to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Read the settings again, and say what came of it.
    Reload(oneshot::Sender<Result<Reloaded, String>>),
    /// Send everybody away over this time, with this close code; then stop, or not.
    Drain { over: Duration, close_code: u16, stop: bool },
}

/// Where a node is in its life; it only goes forward.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    /// The journal is being recovered.
    Starting,
    /// Clients are served.
    Ready,
    /// No new clients; the others are sent away.
    Draining,
    /// The journal failed: nothing is acknowledged any more.
    Failed,
}

/// What every connection shares.
pub(crate) struct Node {
    /// The settings of the start. What may change meanwhile is in `live`.
    pub(crate) config: Config,
    live: RwLock<Arc<Live>>,
    pub(crate) started_at: SystemTime,
    pub(crate) connections: Registry,
    pub(crate) allowances: Allowances,
    pub(crate) rules: Rules,
    pub(crate) audit: Audit,
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) auth: Authenticator,
    pub(crate) admission: Arc<Admission>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) metrics: Metrics,
    /// Where spans go, if messages are traced.
    pub(crate) traces: Option<Arc<Traces>>,
    phase: watch::Sender<Phase>,
    failure: OnceLock<String>,
    numbered: AtomicU64,
    open: Arc<AtomicUsize>,
    owed: Arc<AtomicUsize>,
}

/// Counts one WebSocket, from the moment its handshake is judged; or an answer that is owed.
#[derive(Debug)]
pub(crate) struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(counter))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Node {
    /// `orders`: where to say that the process shall stop, or read its settings again.
    pub(crate) fn new(
        config: Config,
        orders: mpsc::UnboundedSender<Order>,
        traces: Option<Arc<Traces>>,
    ) -> Self {
        Self {
            live: RwLock::new(Arc::new(Live::new(config.clone(), &[]))),
            started_at: SystemTime::now(),
            connections: Registry::default(),
            allowances: Allowances::default(),
            rules: Rules::default(),
            audit: Audit::default(),
            orders,
            auth: Authenticator::new(&config.auth),
            admission: Admission::new(
                config.listen.connections_max,
                config.listen.connections_per_ip_max,
            ),
            mailbox: Arc::default(),
            metrics: Metrics::default(),
            traces,
            phase: watch::Sender::new(Phase::Starting),
            failure: OnceLock::new(),
            numbered: AtomicU64::new(0),
            open: Arc::default(),
            owed: Arc::default(),
            config,
        }
    }

    /// The settings in use now.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses other settings from now on.
    pub(crate) fn set_live(&self, live: Live) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Enters a phase, unless the node is past it: one that was told to stop while it was
    /// recovering does not become ready.
    pub(crate) fn enter(&self, next: Phase) {
        self.phase.send_if_modified(|phase| {
            let enters = next > *phase;
            *phase = next.max(*phase);
            enters
        });
    }

    /// The journal is lost: nothing more is acknowledged, and the process is to end.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(event = event::JOURNAL_FAILED, reason, "the journal failed");
        // The first failure is the cause; what follows is its consequence.
        let _ = self.failure.set(reason);
        self.enter(Phase::Failed);
    }

    /// Waits for a failure.
    pub(crate) async fn failed(&self) -> String {
        let mut phase = self.phase.subscribe();
        // The sender lives as long as the node, so this does not fail.
        let _ = phase.wait_for(|phase| *phase == Phase::Failed).await;
        self.failure.get().cloned().unwrap_or_default()
    }

    /// What a SASL layer offers to a connection.
    /// `user`: who was let in already. `binding`: what names its channel.
    pub(crate) fn offer(&self, user: Option<&str>, binding: Option<&ChannelBinding>) -> Offer {
        let channel = Channel { user, can_bind: binding.is_some() };
        let nonce = Nonce::from_seed(&crate::entropy::bytes());
        let settings = SaslSettings::new(nonce, self.auth.decoy_key());
        // In AMQP an empty initial response and none are the same (AMQP 5.3.3.2).
        let settings = SaslSettings {
            absent_is_empty: true,
            channel_bindings: binding.cloned().into_iter().collect(),
            ..settings
        };
        Offer { mechanisms: self.auth.mechanisms(channel), settings }
    }

    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.numbered.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Admits a WebSocket, unless this is not the time for it. It counts until the guard is
    /// dropped. Counted before the phase is looked at: who drains the node either sees it, or has
    /// it refused.
    pub(crate) fn admit(&self) -> Option<Open> {
        let open = Open::count(&self.open);
        (self.phase() == Phase::Ready).then_some(open)
    }

    /// Counts an answer that must be told before the process ends.
    pub(crate) fn owe(&self) -> Open {
        Open::count(&self.owed)
    }

    /// How many answers are owed.
    pub(crate) fn owed(&self) -> usize {
        self.owed.load(Ordering::SeqCst)
    }

    /// Notes who has logged in on a connection, which ends at once if that user has too many.
    pub(crate) fn log_in(&self, connection: ConnectionId, login: Login, outbox: &Outbox) {
        let limits = self.auth.limits_of(&login.user);
        if let Some((known, _)) = self.connections.get(connection) {
            allowance::allow(&known.allowance, &self.allowances, &login, limits);
        }
        let connections_max = limits.connections_max;
        let user = login.user.clone();
        if self.connections.log_in(connection, login, connections_max).is_err() {
            tracing::info!(event = event::USER_LIMIT, user, "closed: too many connections");
            outbox.drain(CLOSE_POLICY);
        }
    }

    /// Limits have changed: who is here keeps to them from now on. Nobody is sent away for it.
    pub(crate) fn limit_again(&self) {
        let limits_of = |user: &str| self.auth.limits_of(user);
        self.allowances.set(limits_of);
        self.connections.each(|known, login| {
            let limits = limits_of(&login.user);
            allowance::allow(&known.allowance, &self.allowances, login, limits);
        });
    }

    /// WebSockets open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Works on the shard between two batches, and gives back what comes of it when that is
    /// durable. The shard does nothing else meanwhile: what is long comes in parts.
    ///
    /// # Errors
    /// The shard does not answer: it is starting, or has failed.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Shard, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        self.have_done(|_, shard, now| work(shard, now)).await
    }

    /// The same for what changes rules, which apply at once.
    ///
    /// # Errors
    /// As for `ask`.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Shard, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let changing = |node: &Self, shard: &mut Shard, now| {
            let result = work(shard, now);
            rules::apply(node, shard, now);
            result
        };
        self.have_done(changing).await
    }

    async fn have_done<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &mut Shard, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let job = Job::new(move |node, shard, now| {
            let result = work(node, shard, now);
            // Who asked may have lost patience.
            Box::new(move || drop(answer.send(result)))
        });
        self.mailbox.push(&mut vec![Letter::Job(job)]);
        let in_time = tokio::time::timeout(JOB_TIMEOUT, answered).await;
        in_time.map_err(|_| Unanswered)?.map_err(|_| Unanswered)
    }

    /// The text of `/metrics`, unless the shard is too busy to say.
    pub(crate) async fn metrics_text(&self) -> Option<String> {
        let (ask, answer) = oneshot::channel();
        self.mailbox.push(&mut vec![Letter::Statistics(ask)]);
        let statistics = tokio::time::timeout(ANSWER_TIMEOUT, answer).await.ok()?.ok()?;
        let directory = &self.config.data.directory;
        let disk = Disk {
            free_bytes: crate::disk::free_bytes(directory),
            used_bytes: crate::disk::used_bytes(directory),
        };
        Some(self.metrics.text(self.open(), disk, statistics))
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Node, Phase};
    use crate::config::Config;

    #[tokio::test]
    async fn phases_only_go_forward() {
        let node = Node::new(Config::default(), tokio::sync::mpsc::unbounded_channel().0, None);
        assert!(node.admit().is_none(), "not ready");
        node.enter(Phase::Ready);
        let open = node.admit();
        assert!(open.is_some() && node.open() == 1);
        node.enter(Phase::Draining);
        node.enter(Phase::Ready);
        assert_eq!(node.phase(), Phase::Draining);
        assert!(node.admit().is_none() && node.open() == 1, "a refusal does not count");
        drop(open);
        assert_eq!(node.open(), 0);
        node.fail("no disk".to_owned());
        node.fail("and what follows from it".to_owned());
        assert_eq!(node.failed().await, "no disk");
    }
}
