//! Spans to a collector: OTLP over HTTP, in its JSON encoding (OpenTelemetry Protocol 1.x).

use super::{Exporter, Span};
use crate::log::event;
use crate::node::Node;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http_body_util::Full;
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Spans in one request.
const BATCH_MAX: usize = 512;

/// How long the first of them waits for more.
const BATCH_WAIT: Duration = Duration::from_secs(1);

/// Between two words about a collector that does not answer.
const WORD_REST: Duration = Duration::from_secs(60);

/// `SPAN_KIND_SERVER` and `STATUS_CODE_ERROR` of the protocol.
const KIND_SERVER: u8 = 2;
const STATUS_ERROR: u8 = 2;

pub(super) async fn run(mut exporter: Exporter, node: Arc<Node>) {
    let instance: [u8; 8] = crate::entropy::bytes();
    let instance = HEXLOWER.encode(&instance);
    let mut said: Option<Instant> = None;
    let mut batch = Vec::new();
    while exporter.spans.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let full = async {
            while batch.len() < BATCH_MAX {
                let room = BATCH_MAX - batch.len();
                if exporter.spans.recv_many(&mut batch, room).await == 0 {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(BATCH_WAIT, full).await;
        let body = document(&exporter.entry.service_name, &instance, &batch);
        if let Err(reason) = exporter.send(body).await {
            node.metrics.traces_dropped.inc_by(batch.len() as u64);
            if said.is_none_or(|at| at.elapsed() >= WORD_REST) {
                said = Some(Instant::now());
                let (url, dropped) = (&exporter.entry.url, batch.len());
                tracing::warn!(event = event::TRACES_DROPPED, url, reason, dropped, "no collector");
            }
        }
        batch.clear();
    }
}

impl Exporter {
    async fn send(&self, body: Vec<u8>) -> Result<(), String> {
        let request = Request::post(&self.entry.url)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let status = self.outgoing.send(request).await?.status();
        if status.is_success() { Ok(()) } else { Err(format!("answered {status}")) }
    }
}

/// `ExportTraceServiceRequest` as JSON: names of the protocol, ids in hex, 64-bit numbers as text.
fn document(service: &str, instance: &str, spans: &[Span]) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let resource = json!({ "attributes": [
        text("service.name", service),
        text("service.version", version),
        text("service.instance.id", instance),
    ] });
    let spans: Vec<Value> = spans.iter().map(span).collect();
    let scope = json!({ "name": "wharf", "version": version });
    let document = json!({ "resourceSpans": [
        { "resource": resource, "scopeSpans": [{ "scope": scope, "spans": spans }] }
    ] });
    document.to_string().into_bytes()
}

fn span(span: &Span) -> Value {
    let status = if span.failed {
        json!({ "code": STATUS_ERROR, "message": span.outcome })
    } else {
        json!({})
    };
    json!({
        "traceId": HEXLOWER.encode(&span.context.trace),
        "spanId": HEXLOWER.encode(&span.id),
        "parentSpanId": HEXLOWER.encode(&span.context.parent),
        "name": format!("{} {}", span.operation, span.address),
        "kind": KIND_SERVER,
        "startTimeUnixNano": nanoseconds(span.began),
        "endTimeUnixNano": nanoseconds(span.ended),
        "attributes": [
            text("messaging.system", "wharf"),
            text("messaging.operation.name", span.operation),
            text("messaging.destination.name", &span.address),
            text("network.protocol.name", span.protocol),
            json!({
                "key": "messaging.message.body.size",
                "value": { "intValue": span.body_bytes.to_string() },
            }),
            text("wharf.outcome", span.outcome),
        ],
        "status": status,
    })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
