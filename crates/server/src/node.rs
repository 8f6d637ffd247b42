//! One running broker: what every connection shares, and how it starts and stops.

use crate::auth::Authenticator;
use crate::auth::sasl::Channel;
use crate::config::Config;
use crate::http::front::Fronts;
use crate::log::event;
use crate::mailbox::{Letter, Mailbox};
use crate::metrics::Metrics;
use crate::net::admission::Admission;
use crate::settings;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use wharf_broker::ConnectionId;
use wharf_gateway::{ChannelBinding, Nonce, Offer, SaslSettings};
use wharf_ws::handshake::server::Policy;

/// Time for the shard to answer a question of the server's own.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

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
    pub(crate) config: Config,
    pub(crate) gateway: Arc<wharf_gateway::Config>,
    pub(crate) policy: Policy,
    pub(crate) fronts: Fronts,
    pub(crate) auth: Authenticator,
    pub(crate) admission: Arc<Admission>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) metrics: Metrics,
    phase: watch::Sender<Phase>,
    failure: OnceLock<String>,
    connections: AtomicU64,
    open: Arc<AtomicUsize>,
}

/// Counts one WebSocket, from the moment its handshake is judged.
#[derive(Debug)]
pub(crate) struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Node {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            gateway: Arc::new(settings::gateway(&config)),
            policy: settings::policy(&config),
            fronts: Fronts::new(&config),
            auth: Authenticator::new(&config.auth),
            admission: Admission::new(
                config.listen.connections_max,
                config.listen.connections_per_ip_max,
            ),
            mailbox: Arc::default(),
            metrics: Metrics::default(),
            phase: watch::Sender::new(Phase::Starting),
            failure: OnceLock::new(),
            connections: AtomicU64::new(0),
            open: Arc::default(),
            config,
        }
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
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Admits a WebSocket, unless this is not the time for it. It counts until the guard is
    /// dropped. Counted before the phase is looked at: who drains the node either sees it, or has
    /// it refused.
    pub(crate) fn admit(&self) -> Option<Open> {
        self.open.fetch_add(1, Ordering::SeqCst);
        let open = Open(Arc::clone(&self.open));
        (self.phase() == Phase::Ready).then_some(open)
    }

    /// WebSockets open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// The text of `/metrics`, unless the shard is too busy to say.
    pub(crate) async fn metrics_text(&self) -> Option<String> {
        let (ask, answer) = oneshot::channel();
        self.mailbox.push(&mut vec![Letter::Statistics(ask)]);
        let statistics = tokio::time::timeout(ANSWER_TIMEOUT, answer).await.ok()?.ok()?;
        Some(self.metrics.text(self.open(), statistics))
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Phase};
    use crate::config::Config;

    #[tokio::test]
    async fn phases_only_go_forward() {
        let node = Node::new(Config::default());
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
