//! `wharf policy` and `wharf route`: settings of addresses, and other ways for messages.

use super::api::Call;
use super::output::Column;
use super::{Admin, act, list, show};
use crate::cli::exit::Outcome;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use wharf_api::Op;

/// Arguments of `wharf policy`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Policy {
    #[command(flatten)]
    admin: Admin,
    #[command(subcommand)]
    verb: PolicyVerb,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Overflow {
    /// The new message dies.
    Reject,
    /// The oldest that is not out dies.
    DropOldest,
}

#[derive(Debug, Subcommand)]
enum PolicyVerb {
    /// List policies in the order in which they apply.
    List,
    /// Show one policy.
    Show {
        /// Its name.
        name: String,
    },
    /// Make a policy, or put another in its place.
    Put {
        /// Its name.
        name: String,
        /// Address pattern.
        pattern: String,
        /// Matching addresses are topics.
        #[arg(long)]
        topic: bool,
        /// Which applies where several match: the highest.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        priority: i32,
        /// Deliveries before a message dies; 0: without end.
        #[arg(long, default_value_t = 20)]
        deliveries_max: u16,
        /// Where dead messages go; empty: nowhere.
        #[arg(long, default_value = "wharf/dead-letter")]
        dead_letter_address: String,
        /// How long a message waits before it dies; 0: without end.
        #[arg(long, default_value_t = 0)]
        ttl_ms: u64,
        /// Messages in each queue; 0: without bound.
        #[arg(long, default_value_t = 0)]
        messages_max: u64,
        /// Bodies in each queue; 0: without bound.
        #[arg(long, default_value_t = 0)]
        bytes_max: u64,
        /// What happens at these bounds.
        #[arg(long, default_value = "reject")]
        overflow: Overflow,
    },
    /// Remove a policy.
    Remove {
        /// Its name.
        name: String,
    },
}

const POLICY: &[Column] = &[
    ("NAME", "name"),
    ("PRIORITY", "priority"),
    ("PATTERN", "pattern"),
    ("KIND", "kind"),
    ("DELIVERIES MAX", "deliveries_max"),
    ("TTL MS", "ttl_ms"),
    ("MESSAGES MAX", "messages_max"),
    ("BYTES MAX", "bytes_max"),
    ("OVERFLOW", "overflow"),
    ("DEAD LETTERS", "dead_letter_address"),
];

impl Policy {
    pub(in crate::cli) fn run(self) -> Outcome {
        let admin = &self.admin;
        match self.verb {
            PolicyVerb::List => list(admin, &Call::new(Op::ListPolicies), None, POLICY),
            PolicyVerb::Show { name } => show(admin, &Call::new(Op::GetPolicy).at(&name), POLICY),
            PolicyVerb::Remove { name } => {
                let done = format!("policy {name} removed");
                act(admin, &Call::new(Op::DeletePolicy).at(&name), &done)
            }
            PolicyVerb::Put {
                name,
                pattern,
                topic,
                priority,
                deliveries_max,
                dead_letter_address,
                ttl_ms,
                messages_max,
                bytes_max,
                overflow,
            } => {
                let body = json!({
                    "pattern": pattern,
                    "kind": if topic { "topic" } else { "queue" },
                    "priority": priority,
                    "deliveries_max": deliveries_max,
                    "dead_letter_address": dead_letter_address,
                    "ttl_ms": ttl_ms,
                    "messages_max": messages_max,
                    "bytes_max": bytes_max,
                    "overflow": match overflow {
                        Overflow::Reject => "reject",
                        Overflow::DropOldest => "drop-oldest",
                    },
                });
                show(admin, &Call::new(Op::PutPolicy).at(&name).body(body), POLICY)
            }
        }
    }
}

/// Arguments of `wharf route`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Route {
    #[command(flatten)]
    admin: Admin,
    #[command(subcommand)]
    verb: RouteVerb,
}

#[derive(Debug, Subcommand)]
enum RouteVerb {
    /// List routes.
    List,
    /// Show one route.
    Show {
        /// Its name.
        name: String,
    },
    /// Another name for an address.
    Alias {
        /// Name of the route.
        name: String,
        /// The other name.
        address: String,
        /// The address that it stands for.
        to: String,
        /// The virtual host.
        #[arg(long, default_value = "")]
        host: String,
    },
    /// An address whose messages go to several.
    FanOut {
        /// Name of the route.
        name: String,
        /// The address.
        address: String,
        /// Where they go.
        #[arg(required = true)]
        to: Vec<String>,
        /// The virtual host.
        #[arg(long, default_value = "")]
        host: String,
    },
    /// Addresses that are served elsewhere.
    Redirect {
        /// Name of the route.
        name: String,
        /// Pattern of the addresses.
        pattern: String,
        /// Where that is, such as amqps://other.example.
        url: String,
    },
    /// Remove a route.
    Remove {
        /// Its name.
        name: String,
    },
}

const ROUTE: &[Column] = &[
    ("NAME", "name"),
    ("KIND", "kind"),
    ("HOST", "host"),
    ("ADDRESS", "address"),
    ("TO", "to"),
    ("URL", "url"),
];

impl Route {
    pub(in crate::cli) fn run(self) -> Outcome {
        let admin = &self.admin;
        let (name, body) = match self.verb {
            RouteVerb::List => return list(admin, &Call::new(Op::ListRoutes), None, ROUTE),
            RouteVerb::Show { name } => {
                return show(admin, &Call::new(Op::GetRoute).at(&name), ROUTE);
            }
            RouteVerb::Remove { name } => {
                let done = format!("route {name} removed");
                return act(admin, &Call::new(Op::DeleteRoute).at(&name), &done);
            }
            RouteVerb::Alias { name, address, to, host } => {
                (name, json!({ "kind": "alias", "host": host, "address": address, "to": [to] }))
            }
            RouteVerb::FanOut { name, address, to, host } => {
                (name, json!({ "kind": "fan-out", "host": host, "address": address, "to": to }))
            }
            RouteVerb::Redirect { name, pattern, url } => {
                (name, json!({ "kind": "redirect", "address": pattern, "url": url }))
            }
        };
        show(admin, &Call::new(Op::PutRoute).at(&name).body(body), ROUTE)
    }
}
