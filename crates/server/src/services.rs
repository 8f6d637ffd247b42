//! What the services of XMPP ask of the server: users, whose passwords they do not keep.

use crate::log::event;
use crate::mailbox::Letter;
use crate::node::Node;
use std::sync::Arc;
use tokio::runtime::Handle;
use wharf_broker::{Definition, Input, PERSON_PREFIX, Permission, Shard, Timestamp};
use wharf_chat::{Answer, Request, RequestId};

/// A verifier that was made for the services.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) id: RequestId,
    pub(crate) user: String,
    /// Whether there must be no such user yet.
    pub(crate) is_new: bool,
    pub(crate) verifier: Result<String, String>,
}

/// Does what the services ask, or begins to. The answer, if there is one already.
pub(crate) fn serve(
    node: &Arc<Node>,
    runtime: &Handle,
    shard: &mut Shard,
    now: Timestamp,
    request: Request,
) -> Option<(RequestId, Answer)> {
    match request {
        Request::PutUser { id, name, is_new: true, .. } if shard.has_user(&name) => {
            Some((id, Answer::Exists))
        }
        Request::PutUser { id, name: user, password, is_new } => {
            let node = Arc::clone(node);
            // Making a verifier is slow on purpose; the shard's thread does not wait for it.
            runtime.spawn(async move {
                let verifier = node.auth.verifier_of(password).await;
                let made = Made { id, user, is_new, verifier };
                node.mailbox.push(&mut vec![Letter::Made(Box::new(made))]);
            });
            None
        }
        Request::RemoveUser { id, name } => {
            shard.handle(now, Input::Define(Definition::RemoveUser { name: name.clone() }));
            node.auth.remove_user(&name);
            tracing::info!(event = event::USER_REMOVED, name, "user removed");
            Some((id, Answer::Done))
        }
    }
}

/// Defines the user that a verifier was made for. Permissions stay what they are; a new user may
/// write to people, and nothing else.
pub(crate) fn define(
    node: &Node,
    shard: &mut Shard,
    now: Timestamp,
    made: Made,
) -> (RequestId, Answer) {
    let Made { id, user: name, is_new, verifier } = made;
    if is_new && shard.has_user(&name) {
        return (id, Answer::Exists);
    }
    let verifier = match verifier {
        Ok(verifier) => verifier,
        Err(reason) => return (id, Answer::Failed(reason)),
    };
    tracing::info!(event = event::USER_PUT, name, "user defined");
    let mut permissions = shard.user_permissions(&name).to_vec();
    if is_new {
        let pattern = format!("{PERSON_PREFIX}**");
        permissions = vec![Permission { pattern, send: true, ..Permission::default() }];
    }
    node.auth.put_user(&name, &verifier, &permissions);
    shard.handle(now, Input::Define(Definition::PutUser { name, verifier, permissions }));
    (id, Answer::Done)
}
