//! What administrators did: in the log for good, and the latest of it in memory to look at.

use crate::log::event;
use crate::net::registry::Login;
use crate::recent::Recent;
use std::net::SocketAddr;
use wharf_api::Found;
use wharf_api::shapes::AuditEntry;

/// What was asked for, before it is done.
#[derive(Debug)]
pub(super) struct Trace {
    user: String,
    operation: &'static str,
    target: String,
}

impl Trace {
    pub(super) fn of(found: &Found, who: &Login) -> Self {
        let user = who.user.clone();
        Self { user, operation: found.operation.name, target: found.path.join(" ") }
    }
}

/// The latest of what was done.
#[derive(Debug, Default)]
pub(crate) struct Audit(Recent<AuditEntry>);

impl Audit {
    pub(super) fn note(&self, trace: Trace, peer: SocketAddr, status: u16) {
        let Trace { user, operation, target } = trace;
        tracing::info!(event = event::AUDIT, user, %peer, operation, target, status, "audit");
        self.0.add(AuditEntry {
            at_ms: crate::node::now_ms(),
            user,
            peer: peer.to_string(),
            operation: operation.to_owned(),
            target,
            status,
        });
    }

    pub(crate) fn entries(&self) -> &Recent<AuditEntry> {
        &self.0
    }
}
