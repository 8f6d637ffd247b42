//! The binary `wharf`: listeners, TLS, HTTP, drivers and the command line.
//!
//! Sockets, clocks, threads and files are here; what is decided about a message is decided in
//! `wharf-gateway` and `wharf-broker`.
//!
//! | room | what it owns |
//! |---|---|
//! | `cli` | the verbs, one file each, and the exit codes |
//! | `config` | every setting: struct, file, environment, reference |
//! | `node`, `run`, `drain`, `reload`, `notify` | what connections share; start and stop, and what a service manager is told |
//! | `net` | sockets: listener, admission, TLS, and the driver of one connection |
//! | `http` | requests before the upgrade |
//! | `manage`, `rules` | the management API, and what operators define with it |
//! | `live` | the settings that may change while it runs |
//! | `auth`, `users` | who is asking, and who exists from the start |
//! | `mailbox`, `shard` | the way to the shard's thread, and that thread |
//! | `acme` | the certificate that an authority signs |
//! | `outgoing` | requests that the broker makes itself |
//! | `traces` | spans of messages whose senders trace them |
//! | `metrics`, `log`, `recent` | what the operator sees |
//! | `announce` | what is told in the topics of the broker's own |
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an adapter: it reads clocks, opens files and sockets and starts threads"
)]

mod acme;
mod announce;
mod auth;
pub mod cli;
pub mod config;
mod disk;
mod drain;
mod entropy;
mod http;
mod live;
mod log;
mod mailbox;
mod manage;
mod metrics;
mod net;
mod node;
mod notify;
mod outgoing;
mod recent;
mod reload;
mod rules;
mod run;
mod services;
mod settings;
mod shard;
mod traces;
mod users;
