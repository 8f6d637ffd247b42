//! `wharf address`: addresses and what is in them.

use super::api::Call;
use super::output::{Column, many, one};
use super::{Admin, act, list, partial, show};
use crate::cli::exit::Outcome;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use wharf_api::Op;

/// Arguments of `wharf address`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Address {
    #[command(flatten)]
    admin: Admin,
    /// The virtual host; the first one, if none is named.
    #[arg(long, value_name = "HOST", global = true)]
    host: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Each message to one consumer.
    Queue,
    /// Each message to every subscription.
    Topic,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Topic => "topic",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List addresses.
    List {
        /// Only those that match, such as orders/**.
        pattern: Option<String>,
        /// Only queues, or only topics.
        #[arg(long)]
        kind: Option<Kind>,
        /// By what: messages_ready, messages_out, messages_bytes, consumers; by name without it.
        #[arg(long, value_name = "COLUMN")]
        sort: Option<String>,
        /// The largest first.
        #[arg(long)]
        descending: bool,
        /// Most to list.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show one address and its queues.
    Show {
        /// The address.
        address: String,
    },
    /// Declare an address.
    Declare {
        /// The address.
        address: String,
        /// What it is; its policy says it without this.
        #[arg(long)]
        kind: Option<Kind>,
    },
    /// Delete an address with the messages that wait in it.
    Delete {
        /// The address.
        address: String,
        /// Needed, as nothing brings them back.
        #[arg(long)]
        yes: bool,
    },
    /// Look at the oldest messages without taking them.
    Peek {
        /// The address.
        address: String,
        /// Name of a subscription, if it is a topic.
        #[arg(long)]
        subscription: Option<String>,
        /// Most messages.
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        limit: u64,
    },
    /// Drop every message that is not out.
    Purge {
        /// The address.
        address: String,
        /// Name of a subscription, if it is a topic.
        #[arg(long)]
        subscription: Option<String>,
        /// Needed, as nothing brings them back.
        #[arg(long)]
        yes: bool,
    },
    /// Move messages to another address.
    Move {
        /// From here.
        from: String,
        /// To here.
        to: String,
        /// Name of a subscription, if `from` is a topic.
        #[arg(long)]
        subscription: Option<String>,
        /// Most messages.
        #[arg(long, value_name = "COUNT", default_value_t = 1_000_000)]
        max: u64,
    },
    /// Send dead letters back to where they died.
    Redrive {
        /// The address with the dead letters.
        #[arg(default_value = "wharf/dead-letter")]
        address: String,
        /// Most messages.
        #[arg(long, value_name = "COUNT", default_value_t = 1_000_000)]
        max: u64,
    },
    /// End a durable subscription with what is in it.
    Unsubscribe {
        /// The topic.
        address: String,
        /// The subscription.
        subscription: String,
    },
}

const COLUMNS: &[Column] = &[
    ("NAME", "name"),
    ("KIND", "kind"),
    ("READY", "messages_ready"),
    ("OUT", "messages_out"),
    ("BYTES", "messages_bytes"),
    ("CONSUMERS", "consumers"),
];

const QUEUES: &[Column] = &[
    ("SUBSCRIPTION", "name"),
    ("SESSION", "session"),
    ("READY", "messages_ready"),
    ("OUT", "messages_out"),
    ("BYTES", "messages_bytes"),
    ("CONSUMERS", "consumers"),
    ("OLDEST MS", "oldest_age_ms"),
];

const MESSAGES: &[Column] = &[
    ("TEXT", "text"),
    ("BASE64", "base64"),
    ("TYPE", "content_type"),
    ("BYTES", "len_bytes"),
    ("DELIVERIES", "deliveries"),
    ("DEAD", "death.reason"),
];

const MOVED: &[Column] = &[("moved", "messages"), ("remaining", "remaining")];

impl Address {
    pub(in crate::cli) fn run(self) -> Outcome {
        let admin = &self.admin;
        match &self.verb {
            Verb::List { pattern, kind, sort, descending, limit } => {
                let call = self
                    .call(Op::ListAddresses)
                    .with("pattern", pattern.as_ref())
                    .with("kind", kind.map(Kind::name))
                    .with("sort", sort.as_ref())
                    .with("order", descending.then_some("desc"));
                list(admin, &call, *limit, COLUMNS)
            }
            Verb::Show { address } => {
                show(admin, &self.call(Op::GetAddress).at(address), COLUMNS)?;
                list(admin, &self.call(Op::ListSubscriptions).at(address), None, QUEUES)
            }
            Verb::Declare { address, kind } => {
                let body = kind.map_or(json!({}), |kind| json!({ "kind": kind.name() }));
                show(admin, &self.call(Op::PutAddress).at(address).body(body), COLUMNS)
            }
            Verb::Delete { address, yes } => {
                super::confirm(*yes)?;
                let done = format!("address {address} deleted");
                act(admin, &self.call(Op::DeleteAddress).at(address), &done)
            }
            Verb::Unsubscribe { address, subscription } => {
                let call = self.call(Op::DeleteSubscription).at(address).at(subscription);
                act(admin, &call, &format!("subscription {subscription} ended"))
            }
            Verb::Peek { address, subscription, limit } => {
                let call = self
                    .call(Op::PeekMessages)
                    .at(address)
                    .with("subscription", subscription.as_ref())
                    .with("limit", Some(limit));
                let (api, form) = admin.open()?;
                let peeked = api.call(&call)?;
                let items = peeked["items"].as_array().cloned().unwrap_or_default();
                many(form, &items, MESSAGES)
            }
            Verb::Purge { address, subscription, yes } => {
                super::confirm(*yes)?;
                let call = self.call(Op::PurgeAddress).at(address);
                let call = call.with("subscription", subscription.as_ref());
                show(admin, &call, &[("dropped", "messages")])
            }
            Verb::Move { from, to, subscription, max } => {
                let call = self.call(Op::MoveMessages).at(from);
                let call = call.with("subscription", subscription.as_ref());
                self.moved(&call.body(json!({ "to": to, "messages_max": max })))
            }
            Verb::Redrive { address, max } => {
                let call = self.call(Op::RedriveMessages).at(address);
                self.moved(&call.body(json!({ "messages_max": max })))
            }
        }
    }

    fn call(&self, op: Op) -> Call {
        Call::new(op).with("host", self.host.as_ref())
    }

    fn moved(&self, call: &Call) -> Outcome {
        let (api, form) = self.admin.open()?;
        let moved = api.call(call)?;
        one(form, &moved, MOVED)?;
        match moved["remaining"].as_u64() {
            Some(remaining) if remaining > 0 => partial(format!("{remaining} messages stay")),
            _ => Ok(()),
        }
    }
}
