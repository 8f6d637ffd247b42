//! Traces (OTLP) of messages whose senders trace them: a span from when a message came until it was
//! durable, and one from each delivery until it was settled.
//!
//! A message is traced if it has the property `traceparent` (W3C Trace Context) and its sender has
//! decided to record the trace. It goes on to its consumers unchanged, whatever they speak: the
//! mapping carries properties. Names of spans and attributes follow the conventions for messaging
//! of OpenTelemetry, which are not stable yet.
//!
//! | module | what it owns |
//! |---|---|
//! | `context` | what `traceparent` says |
//! | `spans` | the spans of one connection |
//! | `export` | the way to the collector |

mod context;
mod export;
mod spans;

use crate::config::TracesEntry;
use crate::metrics::Metrics;
use crate::node::Node;
use crate::outgoing::Outgoing;
use context::Context;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::mpsc;

pub(crate) use spans::Spans;

/// Spans that wait for the collector; what comes then is dropped, and counted.
const WAITING_MAX: usize = 8192;

/// One span.
#[derive(Debug)]
struct Span {
    context: Context,
    id: [u8; 8],
    operation: &'static str,
    address: Arc<str>,
    protocol: &'static str,
    began: SystemTime,
    ended: SystemTime,
    body_bytes: usize,
    /// How it ended; an error if it is one.
    outcome: &'static str,
    failed: bool,
}

/// Where spans go.
#[derive(Debug)]
pub(crate) struct Traces(mpsc::Sender<Span>);

/// What takes spans from there.
pub(crate) struct Exporter {
    entry: TracesEntry,
    outgoing: Outgoing,
    spans: mpsc::Receiver<Span>,
}

/// A way to a collector, and what is to be run at its end.
///
/// # Errors
/// The file with the collector's authority cannot be used.
pub(crate) fn new(entry: &TracesEntry) -> Result<(Arc<Traces>, Exporter), String> {
    let outgoing = Outgoing::new(&entry.ca_file).map_err(|error| format!("traces: {error}"))?;
    let (sender, spans) = mpsc::channel(WAITING_MAX);
    Ok((Arc::new(Traces(sender)), Exporter { entry: entry.clone(), outgoing, spans }))
}

impl Traces {
    fn push(&self, span: Span, metrics: &Metrics) {
        if self.0.try_send(span).is_err() {
            metrics.traces_dropped.inc();
        }
    }
}

impl Exporter {
    /// Sends spans for as long as the process runs.
    pub(crate) async fn run(self, node: Arc<Node>) {
        export::run(self, node).await;
    }
}
