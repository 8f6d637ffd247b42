//! The spans of one connection, by what it asks of the shard and what the shard tells it.

use super::{Context, Span, Traces};
use crate::metrics::Metrics;
use crate::node::Node;
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;
use wharf_broker::{Command, Event, Message, Outcome};
use wharf_gateway::{Request, property_of};

/// Spans that have begun and not ended, of each kind; what comes then is not traced.
const OPEN_MAX: usize = 1024;

/// Property of a message that says its trace.
const TRACEPARENT: &str = "traceparent";

/// What has begun.
#[derive(Debug)]
struct Begun {
    context: Context,
    address: Arc<str>,
    at: SystemTime,
    body_bytes: usize,
}

/// What of one connection is traced.
#[derive(Debug)]
pub(crate) struct Spans {
    traces: Arc<Traces>,
    protocol: &'static str,
    /// Messages that came, by inbound sequence.
    came: VecDeque<(u64, Begun)>,
    /// Deliveries, by their number.
    out: BTreeMap<u64, Begun>,
}

impl Spans {
    pub(crate) fn new(traces: Arc<Traces>, protocol: &'static str) -> Self {
        Self { traces, protocol, came: VecDeque::new(), out: BTreeMap::new() }
    }

    /// The connection asks for something.
    pub(crate) fn asked(&mut self, node: &Node, request: &Request) {
        match request {
            Request::Broker(Command::Publish { seq, to, message, .. })
            | Request::Chat(wharf_chat::Command::Publish { seq, to, message, .. }) => {
                self.take(*seq, to, message);
            }
            Request::Broker(Command::Settle { first, last, outcome, .. }) => {
                self.settle(node, *first..=*last, name_of(outcome));
            }
            Request::Chat(wharf_chat::Command::Handled { up_to }) => {
                self.settle(node, 0..=*up_to, name_of(&Outcome::Accepted));
            }
            _ => {}
        }
    }

    fn take(&mut self, seq: u64, to: &[String], message: &Message) {
        if self.came.len() >= OPEN_MAX {
            return;
        }
        if let Some(context) = context_of(message.format, &message.body) {
            let address = to.first().map_or("", String::as_str).into();
            self.came.push_back((seq, begin(context, address, message.body.len())));
        }
    }

    fn settle(
        &mut self,
        node: &Node,
        numbers: RangeInclusive<u64>,
        (outcome, failed): (&'static str, bool),
    ) {
        if numbers.is_empty() {
            return;
        }
        let settled: Vec<u64> = self.out.range(numbers).map(|(seq, _)| *seq).collect();
        for seq in settled {
            if let Some(begun) = self.out.remove(&seq) {
                self.end(&node.metrics, "deliver", begun, outcome, failed);
            }
        }
    }

    /// The shard tells the connection something.
    pub(crate) fn told(&mut self, node: &Node, event: &Event) {
        match event {
            Event::Taken { up_to } => {
                while let Some((_, begun)) = self.came.pop_front_if(|(seq, _)| *seq <= *up_to) {
                    self.end(&node.metrics, "store", begun, "stored", false);
                }
            }
            Event::Declined { seq, reason } => {
                let at = self.came.iter().position(|(came, _)| came == seq);
                if let Some((_, begun)) = at.and_then(|at| self.came.remove(at)) {
                    self.end(&node.metrics, "store", begun, reason.name(), true);
                }
            }
            Event::Deliver(delivery) if delivery.seq > 0 && self.out.len() < OPEN_MAX => {
                if let Some(context) = context_of(delivery.format, &delivery.body) {
                    let address = Arc::clone(&delivery.address);
                    let begun = begin(context, address, delivery.body.len());
                    self.out.insert(delivery.seq, begun);
                }
            }
            _ => {}
        }
    }

    /// The connection has ended, whatever is open.
    pub(crate) fn ended(&mut self, metrics: &Metrics) {
        while let Some((_, begun)) = self.came.pop_front() {
            self.end(metrics, "store", begun, "disconnected", true);
        }
        while let Some((_, begun)) = self.out.pop_first() {
            self.end(metrics, "deliver", begun, "disconnected", true);
        }
    }

    fn end(
        &self,
        metrics: &Metrics,
        operation: &'static str,
        begun: Begun,
        outcome: &'static str,
        failed: bool,
    ) {
        let Begun { context, address, at, body_bytes } = begun;
        let span = Span {
            context,
            id: crate::entropy::bytes(),
            operation,
            address,
            protocol: self.protocol,
            began: at,
            ended: SystemTime::now(),
            body_bytes,
            outcome,
            failed,
        };
        self.traces.push(span, metrics);
    }
}

fn context_of(format: u8, body: &bytes::Bytes) -> Option<Context> {
    Context::sampled(&property_of(format, body, TRACEPARENT)?)
}

fn begin(context: Context, address: Arc<str>, body_bytes: usize) -> Begun {
    Begun { context, address, at: SystemTime::now(), body_bytes }
}

fn name_of(outcome: &Outcome) -> (&'static str, bool) {
    match outcome {
        Outcome::Accepted => ("accepted", false),
        Outcome::Released => ("released", false),
        Outcome::Modified { failed: false, .. } => ("modified", false),
        Outcome::Modified { failed: true, .. } => ("modified", true),
        Outcome::Failed => ("failed", true),
        Outcome::Rejected { .. } => ("rejected", true),
    }
}
