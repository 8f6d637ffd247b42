//! `wharf connection` and `wharf session`: who is here.

use super::api::Call;
use super::output::Column;
use super::{Admin, act, list, show};
use crate::cli::exit::Outcome;
use clap::{Args, Subcommand};
use wharf_api::Op;

/// Arguments of `wharf connection`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Connection {
    #[command(flatten)]
    admin: Admin,
    #[command(subcommand)]
    verb: ConnectionVerb,
}

#[derive(Debug, Subcommand)]
enum ConnectionVerb {
    /// List connections.
    List {
        /// Only those of this user; `me` is who you are.
        #[arg(long)]
        of: Option<String>,
        /// Only those of this protocol: mbws, amqp or xmpp.
        #[arg(long)]
        protocol: Option<String>,
        /// Most to list.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show one connection.
    Show {
        /// Its number.
        id: String,
    },
    /// Close a connection; its session stays.
    Close {
        /// Its number.
        id: String,
        /// Without a word, as if the wire were cut.
        #[arg(long)]
        abrupt: bool,
    },
}

const CONNECTION: &[Column] = &[
    ("ID", "id"),
    ("PROTOCOL", "protocol"),
    ("USER", "user"),
    ("HOST", "host"),
    ("PEER", "peer"),
    ("SECURE", "secure"),
    ("OPENED", "opened_at_ms"),
    ("SESSION", "session"),
];

impl Connection {
    pub(in crate::cli) fn run(self) -> Outcome {
        let admin = &self.admin;
        match self.verb {
            ConnectionVerb::List { of, protocol, limit } => {
                let call = Call::new(Op::ListConnections);
                let call = call.with("user", of).with("protocol", protocol);
                list(admin, &call, limit, CONNECTION)
            }
            ConnectionVerb::Show { id } => {
                show(admin, &Call::new(Op::GetConnection).at(&id), CONNECTION)
            }
            ConnectionVerb::Close { id, abrupt } => {
                let call = Call::new(Op::CloseConnection).at(&id);
                let call = call.with("abrupt", abrupt.then_some("true"));
                act(admin, &call, &format!("connection {id} is told to end"))
            }
        }
    }
}

/// Arguments of `wharf session`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Session {
    #[command(flatten)]
    admin: Admin,
    #[command(subcommand)]
    verb: SessionVerb,
}

#[derive(Debug, Subcommand)]
enum SessionVerb {
    /// List sessions.
    List {
        /// Only those of this user.
        #[arg(long)]
        of: Option<String>,
        /// Only those with a connection.
        #[arg(long, conflicts_with = "waiting")]
        attached: bool,
        /// Only those that wait for their client.
        #[arg(long)]
        waiting: bool,
        /// Most to list.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show one session.
    Show {
        /// Its number.
        id: String,
    },
    /// End a session for good; what it has not settled goes back.
    End {
        /// Its number.
        id: String,
        /// Needed, as its client cannot take it up again.
        #[arg(long)]
        yes: bool,
    },
}

const SESSION: &[Column] = &[
    ("ID", "id"),
    ("USER", "user"),
    ("HOST", "host"),
    ("CONNECTION", "connection"),
    ("RESUMABLE UNTIL", "resumable_until_ms"),
    ("UNSETTLED", "deliveries_unsettled"),
    ("CONSUMERS", "consumers"),
    ("RECEIVED", "messages_received"),
    ("DELIVERED", "messages_delivered"),
];

impl Session {
    pub(in crate::cli) fn run(self) -> Outcome {
        let admin = &self.admin;
        match self.verb {
            SessionVerb::List { of, attached, waiting, limit } => {
                let which = attached.then_some("true").or(waiting.then_some("false"));
                let call = Call::new(Op::ListSessions).with("user", of).with("attached", which);
                list(admin, &call, limit, SESSION)
            }
            SessionVerb::Show { id } => show(admin, &Call::new(Op::GetSession).at(&id), SESSION),
            SessionVerb::End { id, yes } => {
                super::confirm(yes)?;
                act(admin, &Call::new(Op::EndSession).at(&id), &format!("session {id} ended"))
            }
        }
    }
}
