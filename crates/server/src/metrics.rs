//! What `/metrics` says.

use crate::auth::Denied;
use crate::net::driver::Ending;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use wharf_broker::{DeathReason, Gaps, Statistics};
use wharf_gateway::{PROTOCOLS, protocol_of};

type Labels = [(&'static str, &'static str); 1];

/// The label of what counts by protocol.
const PROTOCOL: &str = "protocol";

/// Counters of the server's own; the broker's come with each scrape.
#[derive(Debug)]
pub(crate) struct Metrics {
    opened: Family<Labels, Counter>,
    received: Family<Labels, Counter>,
    delivered: Family<Labels, Counter>,
    bridged: Family<[(&'static str, &'static str); 2], Counter>,
    /// Connections whose peers do not take what is sent to them.
    pub(crate) slow_consumers: Gauge,
    /// Sockets closed at once because there were too many.
    pub(crate) connections_refused: Counter,
    closed: Family<[(&'static str, &'static str); 2], Counter>,
    handshakes_refused: Family<[(&'static str, u16); 1], Counter>,
    logins_failed: Family<Labels, Counter>,
    /// From giving a frame to the journal until it is durable.
    pub(crate) store_fsync_seconds: Histogram,
    /// From reading the first message of a burst until the shard says that it is durable.
    pub(crate) publish_to_confirm_seconds: Histogram,
    /// Spans of traces that did not reach the collector.
    pub(crate) traces_dropped: Counter,
    /// When the certificate in use is over, in seconds since 1970; 0 without one.
    certificate_not_after: AtomicI64,
}

impl Default for Metrics {
    fn default() -> Self {
        let by_protocol = || {
            let family = Family::default();
            // A rate is not known of what is not there.
            for protocol in PROTOCOLS {
                let _: &Counter = &family.get_or_create(&[(PROTOCOL, protocol)]);
            }
            family
        };
        Self {
            opened: by_protocol(),
            received: by_protocol(),
            delivered: by_protocol(),
            bridged: between_protocols(),
            slow_consumers: Gauge::default(),
            connections_refused: Counter::default(),
            closed: Family::default(),
            handshakes_refused: Family::default(),
            logins_failed: Family::default(),
            // From 50 microseconds to 1.6 seconds.
            store_fsync_seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
            publish_to_confirm_seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
            traces_dropped: Counter::default(),
            certificate_not_after: AtomicI64::new(0),
        }
    }
}

impl Metrics {
    /// A connection of this protocol is open.
    pub(crate) fn opened(&self, protocol: &'static str) {
        self.opened.get_or_create(&[(PROTOCOL, protocol)]).inc();
    }

    /// So many messages came by a connection of this protocol, repeats included.
    pub(crate) fn received(&self, protocol: &'static str, messages: usize) {
        self.received.get_or_create(&[(PROTOCOL, protocol)]).inc_by(messages as u64);
    }

    /// These deliveries went to one, repeats included.
    pub(crate) fn delivered(&self, to: &'static str, deliveries: &Deliveries) {
        let counts = PROTOCOLS.into_iter().zip(deliveries.by_source);
        for (from, count) in counts.filter(|(_, count)| *count > 0) {
            self.delivered.get_or_create(&[(PROTOCOL, to)]).inc_by(count);
            if from != to {
                self.bridged.get_or_create(&[("from", from), ("to", to)]).inc_by(count);
            }
        }
    }

    pub(crate) fn closed(&self, protocol: &'static str, ending: Ending) {
        self.closed.get_or_create(&[(PROTOCOL, protocol), ("reason", ending.name())]).inc();
    }

    /// The certificate in use is another.
    pub(crate) fn certificate(&self, not_after_s: i64) {
        self.certificate_not_after.store(not_after_s, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, status: u16) {
        self.handshakes_refused.get_or_create(&[("status", status)]).inc();
    }

    pub(crate) fn login_failed(&self, denied: Denied) {
        let reason = match denied {
            Denied::Challenge => "denied",
            Denied::Throttled { .. } => "throttled",
            Denied::Busy => "busy",
        };
        self.logins_failed.get_or_create(&[("reason", reason)]).inc();
    }

    /// What becomes of messages.
    fn register_messages(&self, registry: &mut Registry, broker: &Statistics) {
        registry.register(
            "messages_received",
            "Messages that came by connections, repeats included",
            self.received.clone(),
        );
        registry.register(
            "messages_delivered",
            "Deliveries told to connections, repeats included",
            self.delivered.clone(),
        );
        registry.register(
            "messages_bridged",
            "Deliveries by another protocol than the message came in by, repeats included",
            self.bridged.clone(),
        );
        registry.register("session_resumes", "Sessions asked for again", resumes(broker));
        registry.register("messages_dead_lettered", "Messages dead-lettered", deaths(broker));
        registry.register(
            "publish_to_confirm_seconds",
            "From reading the first message of a burst until it is durable",
            self.publish_to_confirm_seconds.clone(),
        );
    }

    /// The text of a scrape; `connections` is how many WebSockets are open.
    pub(crate) fn text(&self, connections: usize, disk: Disk, broker: Statistics) -> String {
        let mut registry = Registry::with_prefix("wharf");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        registry.register(
            "connections_opened",
            "Connections opened, by protocol",
            self.opened.clone(),
        );
        registry.register(
            "slow_consumers",
            "Connections whose peers do not take what is sent to them",
            self.slow_consumers.clone(),
        );
        self.register_messages(&mut registry, &broker);
        registry.register(
            "connections_refused",
            "Sockets closed at once because there were too many",
            self.connections_refused.clone(),
        );
        registry.register("connections_closed", "Connections ended", self.closed.clone());
        registry.register(
            "handshakes_refused",
            "WebSocket handshakes refused",
            self.handshakes_refused.clone(),
        );
        registry.register("logins_failed", "Logins refused", self.logins_failed.clone());
        registry.register(
            "store_fsync_seconds",
            "From giving a frame to the journal until it is durable",
            self.store_fsync_seconds.clone(),
        );
        registry.register(
            "traces_dropped",
            "Spans that did not reach the collector",
            self.traces_dropped.clone(),
        );
        let not_after = self.certificate_not_after.load(Ordering::Relaxed);
        if not_after > 0 {
            let gauge: Gauge = Gauge::default();
            gauge.set(not_after);
            registry.register(
                "tls_cert_not_after_seconds",
                "When the certificate in use is over, in seconds since 1970",
                gauge,
            );
        }
        disk.register(&mut registry);
        registry.register_collector(Box::new(Broker { connections, broker }));
        let mut page = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut page, &registry);
        page
    }
}

/// The deliveries of one burst, counted by the protocol that their messages came in by.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    by_source: [u64; PROTOCOLS.len()],
}

impl Deliveries {
    /// One more, of a message that is stored in this format.
    pub(crate) fn note(&mut self, format: u8) {
        let from = protocol_of(format);
        let known = PROTOCOLS.into_iter().zip(&mut self.by_source);
        for (_, count) in known.filter(|(name, _)| Some(*name) == from) {
            *count += 1;
        }
    }
}

/// What is known of the disk; `None` of what cannot be said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disk {
    pub(crate) free_bytes: Option<u64>,
    pub(crate) used_bytes: Option<u64>,
}

impl Disk {
    fn register(self, registry: &mut Registry) {
        let gauges = [
            ("disk_free_bytes", "Room where the journal is", self.free_bytes),
            ("store_bytes", "Room that the data directory takes", self.used_bytes),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register(name, help, gauge);
        }
    }
}

fn between_protocols() -> Family<[(&'static str, &'static str); 2], Counter> {
    let family = Family::default();
    for from in PROTOCOLS {
        for to in PROTOCOLS.into_iter().filter(|to| *to != from) {
            let _: &Counter = &family.get_or_create(&[("from", from), ("to", to)]);
        }
    }
    family
}

/// Why messages have died.
fn deaths(broker: &Statistics) -> Family<Labels, Counter> {
    let names = DeathReason::ALL.iter().map(|reason| reason.name());
    counted("reason", names.zip(broker.dead_lettered))
}

/// How asking for a session again has ended.
fn resumes(broker: &Statistics) -> Family<Labels, Counter> {
    let counts = [("ok", broker.sessions_resumed), ("unknown", broker.sessions_unknown)];
    counted("outcome", counts.into_iter())
}

/// What the broker has counted by one label.
fn counted(
    label: &'static str,
    counts: impl Iterator<Item = (&'static str, u64)>,
) -> Family<Labels, Counter> {
    let family = Family::default();
    for (value, count) in counts {
        let counter: &Counter = &family.get_or_create(&[(label, value)]);
        counter.inc_by(count);
    }
    family
}

#[derive(Debug)]
struct Broker {
    connections: usize,
    broker: Statistics,
}

impl Collector for Broker {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let s = &self.broker;
        let counters = [
            ("messages_confirmed", "Messages taken from senders, each once", s.published),
            ("messages_acknowledged", "Deliveries settled", s.settled),
            ("messages_redelivered", "Deliveries of messages that came back", s.redelivered),
            ("messages_duplicate_suppressed", "Repeats recognised", s.duplicates_suppressed),
            ("sessions_opened", "Sessions opened", s.sessions_opened),
            ("sessions_expired", "Sessions ended by retention", s.sessions_expired),
            ("store_frames", "Frames given to the journal", s.frames),
            ("store_frames_bytes", "Payload given to the journal", s.frames_bytes),
            ("store_snapshots", "Snapshots given to the journal", s.snapshots),
        ];
        for (name, help, value) in counters {
            add(&mut encoder, name, help, &ConstCounter::new(value))?;
        }
        let gauges = [
            ("connections", "WebSocket connections open", self.connections as u64),
            ("sessions", "Sessions", s.sessions),
            ("sessions_attached", "Sessions with a connection", s.sessions_attached),
            (
                "sessions_resumable",
                "Sessions without one",
                s.sessions - s.sessions_attached.min(s.sessions),
            ),
            ("addresses", "Addresses", s.addresses),
            ("queue_messages_ready", "Messages that wait, in each queue", s.queue_messages_ready),
            ("queue_messages_unacked", "Messages that are out", s.queue_messages_unacked),
            ("messages", "Messages held", s.messages),
            ("messages_bytes", "Their bodies", s.messages_bytes),
            ("bodies_in_memory_bytes", "Bodies in memory", s.bodies_in_memory_bytes),
            ("store_stored_lsn", "Newest durable frame", s.stored_lsn),
        ];
        for (name, help, value) in gauges {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            add(&mut encoder, name, help, &ConstGauge::new(value))?;
        }
        let gap = "How long sessions were without a connection that were taken up again";
        add(&mut encoder, "session_gap_seconds", gap, &Seconds(&s.session_gaps))
    }
}

/// The gaps as a histogram.
#[derive(Debug)]
struct Seconds<'a>(&'a Gaps);

impl EncodeMetric for Seconds<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let seconds = |ms: u64| Duration::from_millis(ms).as_secs_f64();
        let bounds = Gaps::BOUNDS_MS.into_iter().map(seconds).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(self.0.counts).collect();
        let count = self.0.counts.iter().sum();
        encoder.encode_histogram::<Labels>(seconds(self.0.sum_ms), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

fn add(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

#[cfg(test)]
mod tests {
    use super::{Deliveries, Disk, Metrics};
    use wharf_broker::{Gaps, Statistics};

    fn text(metrics: &Metrics, statistics: Statistics) -> String {
        metrics.text(0, Disk { free_bytes: None, used_bytes: Some(7) }, statistics)
    }

    #[test]
    fn what_came_by_another_protocol_is_bridged() {
        let metrics = Metrics::default();
        let mut deliveries = Deliveries::default();
        // Two of MBWS, one of AMQP.
        [0x10, 0x15, 0x20].into_iter().for_each(|format| deliveries.note(format));
        metrics.delivered("amqp", &deliveries);
        let page = text(&metrics, Statistics::default());
        for line in [
            "wharf_messages_delivered_total{protocol=\"amqp\"} 3",
            "wharf_messages_bridged_total{from=\"mbws\",to=\"amqp\"} 2",
            "wharf_messages_bridged_total{from=\"amqp\",to=\"xmpp\"} 0",
            "wharf_store_bytes 7",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
    }

    #[test]
    fn gaps_are_a_histogram() {
        let mut session_gaps = Gaps { sum_ms: 60_000_500, ..Gaps::default() };
        session_gaps.counts[2] = 3;
        session_gaps.counts[Gaps::BOUNDS_MS.len()] = 1;
        let page = text(&Metrics::default(), Statistics { session_gaps, ..Statistics::default() });
        for line in [
            "wharf_session_gap_seconds_sum 60000.5",
            "wharf_session_gap_seconds_count 4",
            "wharf_session_gap_seconds_bucket{le=\"0.3\"} 0",
            "wharf_session_gap_seconds_bucket{le=\"1.0\"} 3",
            "wharf_session_gap_seconds_bucket{le=\"+Inf\"} 4",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
    }
}
