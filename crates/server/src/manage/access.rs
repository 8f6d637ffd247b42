//! Who may do what. The areas of the API are addresses below `wharf/`, so that one pattern grants
//! everything and a narrow one a part.

use super::request::Asked;
use crate::node::Node;
use wharf_api::{Code, Needs, Problem};
use wharf_broker::{OWN_PREFIX, Permission, Right, allows, may_read_own};

/// What a user may do.
#[derive(Clone, Debug)]
pub(super) struct Rights(std::sync::Arc<[Permission]>);

impl Rights {
    /// What who asks may do.
    pub(super) fn of(node: &Node, asked: &Asked) -> Self {
        Self(node.auth.permissions_of(&asked.who.user).unwrap_or_default())
    }

    pub(super) fn may(&self, right: Right, host: &str, address: &str) -> bool {
        allows(&self.0, right, host, address)
    }

    /// Whether an area may be looked into. Who may receive everything is a user of messages, not of
    /// this: the rule must name what is the broker's own.
    pub(super) fn may_read(&self, area: &str) -> bool {
        may_read_own(&self.0, &format!("{OWN_PREFIX}{area}"))
    }

    pub(super) fn may_manage(&self, area: &str) -> bool {
        // An area is of no host, so that a rule for one host grants none.
        allows(&self.0, Right::Manage, "", &format!("{OWN_PREFIX}{area}"))
    }

    /// Whether an address may be looked into.
    pub(super) fn may_look_into(&self, host: &str, address: &str) -> bool {
        self.may(Right::Receive, host, address) || self.may(Right::Manage, host, address)
    }
}

/// The virtual host that a request is about.
pub(super) fn host_of(node: &Node, asked: &Asked) -> String {
    let named = asked.query("host").filter(|host| !host.is_empty());
    let first = || node.live().config.listen.hosts.first().cloned().unwrap_or_default();
    named.map_or_else(first, str::to_owned)
}

/// Whether who asks may have the operation at all.
pub(super) fn check(node: &Node, asked: &Asked) -> Result<(), Problem> {
    let rights = Rights::of(node, asked);
    let on_address = |right| rights.may(right, &host_of(node, asked), asked.name());
    let (granted, wanted) = match asked.operation().needs {
        Needs::Login => (true, String::new()),
        Needs::Read(area) => (
            rights.may_read(area),
            format!("`manage` on wharf/{area}, or `receive` by a rule that begins with wharf/"),
        ),
        Needs::Manage(area) => (rights.may_manage(area), format!("`manage` on wharf/{area}")),
        Needs::ReadAddress => (
            rights.may_look_into(&host_of(node, asked), asked.name()),
            "`receive` or `manage` on the address".to_owned(),
        ),
        Needs::ReceiveFromAddress => {
            (on_address(Right::Receive), "`receive` on the address".to_owned())
        }
        Needs::SendToAddress => (on_address(Right::Send), "`send` on the address".to_owned()),
        Needs::ManageAddress => (on_address(Right::Manage), "`manage` on the address".to_owned()),
    };
    if granted { Ok(()) } else { Err(denied(&asked.who.user, &wanted)) }
}

/// A user lacks a permission.
pub(super) fn denied(user: &str, wanted: &str) -> Problem {
    Problem::new(Code::NotPermitted, format!("user `{user}` needs {wanted}"))
}
