//! The management API: who asks, may they, what do they want, and what comes of it. What it offers
//! is written in `wharf_api`; here is how it is done.
//!
//! | module | what it owns |
//! |---|---|
//! | `access` | who may do what |
//! | `request`, `reply` | what a request says, and how it is answered |
//! | `addresses`, `messages` | addresses and what is in them |
//! | `users`, `tokens` | who there is |
//! | `rules` | policies and routes |
//! | `connections`, `sessions` | who is here |
//! | `definitions`, `rabbit` | everything at once; what comes from RabbitMQ |
//! | `broker` | the process itself |
//! | `inside` | a client of the shard without a socket |
//! | `audit` | what was done |

mod access;
mod addresses;
pub(crate) mod audit;
pub(crate) mod broker;
pub(crate) mod connections;
pub(crate) mod definitions;
mod inside;
mod messages;
mod rabbit;
mod reply;
mod request;
mod rules;
mod sessions;
mod tokens;
mod users;

use crate::auth::Denied;
use crate::http::answers::{self, Answer};
use crate::http::upgrade::header;
use crate::net::peer::Peer;
use crate::net::registry::Login;
use crate::node::{Node, Unanswered};
use hyper::Method;
use hyper::body::Incoming;
use reply::Reply;
use request::Asked;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_api::{Code, Missing, Op, Problem};
use wharf_ws::handshake::request::Request as Head;

/// What the paths of the API begin with.
pub(crate) const PREFIX: &str = "/api/";

/// Time for an answer, the request's body included.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Where the document is.
const DOCUMENT: &str = "/api/openapi.json";

impl From<Unanswered> for Problem {
    fn from(_: Unanswered) -> Self {
        Self::new(Code::Unavailable, "the broker is starting, or too busy; try again later")
    }
}

/// Answers one request.
pub(crate) async fn answer(
    node: &Arc<Node>,
    peer: &Peer,
    head: &Head<'_>,
    body: Incoming,
) -> Answer {
    let target = head.target;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path == DOCUMENT {
        return reply::document(head.method);
    }
    let found = match wharf_api::find(head.method, path) {
        Ok(found) => found,
        Err(missing) => return reply::missing(&missing),
    };
    let who = match who(node, peer, head).await {
        Ok(who) => who,
        Err(problem) => return reply::problem(&problem),
    };
    let trace = found.operation.changes().then(|| audit::Trace::of(&found, &who));
    let outcome = async {
        let asked = Asked::read(found, who, head, query, body).await?;
        access::check(node, &asked)?;
        serve(node, asked).await
    };
    let outcome = outcome.await;
    let status = outcome.as_ref().map_or_else(|problem| problem.status, Reply::status);
    if let Some(trace) = trace {
        node.audit.note(trace, peer.address, status);
    }
    outcome.map_or_else(|problem| reply::problem(&problem), Reply::into_answer)
}

/// Who asks. A page of an origin that may not open a WebSocket may not manage either: the browser
/// would add a login that the page does not know.
async fn who(node: &Node, peer: &Peer, head: &Head<'_>) -> Result<Login, Problem> {
    let live = node.live();
    if !live.policy.origins.admits(head) {
        let what = "the page's origin is not among websocket.origins";
        return Err(Problem::new(Code::OriginNotAllowed, what));
    }
    let mut given = header(head, "authorization");
    let authorization = given.next();
    if given.next().is_some() {
        return Err(Problem::new(Code::InvalidRequest, "Authorization is there twice"));
    }
    let from = peer.address.ip();
    let result = match (&peer.user, authorization) {
        (Some(user), None) => Ok(Login { user: user.clone(), ..Login::default() }),
        _ => node.auth.authenticate(authorization, from, Instant::now()).await,
    };
    result.map_err(|denied| {
        node.metrics.login_failed(denied);
        match denied {
            Denied::Challenge => Problem::new(
                Code::NotAuthenticated,
                "log in with HTTP Basic or a bearer token; user or password may be wrong",
            ),
            Denied::Throttled { retry_after_s } => Problem::new(
                Code::TooManyRequests,
                format!("too many wrong logins from this address; again in {retry_after_s} s"),
            ),
            Denied::Busy => Problem::new(Code::Unavailable, "too many logins are being checked"),
        }
    })
}

/// Whether the broker is well, and why not; for probes, which have no login.
pub(crate) async fn health_answer(node: &Node, method: &Method) -> Answer {
    if method != Method::GET && method != Method::HEAD {
        return answers::method_not_allowed();
    }
    let health = broker::checks(node).await;
    let body = serde_json::to_vec(&health).unwrap_or_default();
    answers::of(if health.ready { 200 } else { 503 }, "application/json", body)
}

/// What is in the addresses, for a scraper: a page of them, so that no scrape is without bound.
pub(crate) async fn metrics_of_addresses(
    node: &Node,
    peer: &Peer,
    head: &Head<'_>,
    query: &str,
) -> Answer {
    let text = async {
        let who = who(node, peer, head).await?;
        addresses::metrics(node, who, query).await
    };
    match text.await {
        Ok(text) => answers::metrics(Some(text)),
        Err(problem) => reply::problem(&problem),
    }
}

async fn serve(node: &Node, asked: Asked) -> Result<Reply, Problem> {
    match asked.op() {
        Op::GetOverview => broker::overview(node).await,
        Op::GetHealth => broker::health(node).await,
        Op::GetWhoami => broker::whoami(node, &asked),
        Op::ListHosts => broker::hosts(node).await,
        Op::GetConfiguration => broker::configuration(node),
        Op::Reload => broker::reload(node).await,
        Op::Drain => broker::drain(node, &asked),
        Op::ListAudit => broker::audit(node, &asked),
        Op::ListLogs => broker::logs(&asked),
        Op::ListUsers => users::list(node, &asked).await,
        Op::GetUser => users::get(node, &asked).await,
        Op::PutUser => users::put(node, &asked).await,
        Op::DeleteUser => users::delete(node, &asked).await,
        Op::ListPermissions => users::permissions(node, &asked).await,
        Op::ListTokens => tokens::list(node, &asked).await,
        Op::MintToken => tokens::mint(node, &asked).await,
        Op::RevokeToken => tokens::revoke(node, &asked).await,
        op => serve_more(node, op, asked).await,
    }
}

async fn serve_more(node: &Node, op: Op, asked: Asked) -> Result<Reply, Problem> {
    match op {
        Op::ListAddresses => addresses::list(node, &asked).await,
        Op::GetAddress => addresses::get(node, &asked).await,
        Op::PutAddress => addresses::put(node, &asked).await,
        Op::DeleteAddress => addresses::delete(node, &asked).await,
        Op::ListSubscriptions => addresses::subscriptions(node, &asked).await,
        Op::DeleteSubscription => addresses::delete_subscription(node, &asked).await,
        Op::PeekMessages => messages::peek(node, &asked).await,
        Op::PublishMessage => messages::publish(node, &asked).await,
        Op::PurgeAddress => messages::purge(node, &asked).await,
        Op::MoveMessages => messages::move_messages(node, &asked).await,
        Op::RedriveMessages => messages::redrive(node, &asked).await,
        Op::ListPolicies => rules::list_policies(node, &asked).await,
        Op::GetPolicy => rules::get_policy(node, &asked).await,
        Op::PutPolicy => rules::put_policy(node, &asked).await,
        Op::DeletePolicy => rules::delete_policy(node, &asked).await,
        Op::ListRoutes => rules::list_routes(node, &asked).await,
        Op::GetRoute => rules::get_route(node, &asked).await,
        Op::PutRoute => rules::put_route(node, &asked).await,
        Op::DeleteRoute => rules::delete_route(node, &asked).await,
        Op::ListConnections => connections::list(node, &asked).await,
        Op::GetConnection => connections::get(node, &asked).await,
        Op::CloseConnection => connections::close(node, &asked),
        Op::RenewLogin => connections::renew(node, &asked).await,
        Op::ListSessions => sessions::list(node, &asked).await,
        Op::GetSession => sessions::get(node, &asked).await,
        Op::EndSession => sessions::end(node, &asked).await,
        Op::GetDefinitions => definitions::get(node).await,
        Op::PutDefinitions => definitions::put(node, &asked).await,
        Op::ImportRabbit => rabbit::import(node, &asked).await,
        _ => Err(Problem::new(Code::Internal, "an operation that nobody serves")),
    }
}

/// The operation of a request that has none.
pub(crate) fn why(missing: &Missing) -> Problem {
    match missing {
        Missing::Path => Problem::new(
            Code::NotFound,
            "there is no such path; /api/openapi.json describes those that are",
        ),
        Missing::Method(methods) => {
            let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
            Problem::new(Code::MethodNotAllowed, format!("this path has {}", names.join(", ")))
        }
        Missing::Encoding => {
            Problem::new(Code::InvalidRequest, "the path is not percent-encoded UTF-8")
        }
    }
}
