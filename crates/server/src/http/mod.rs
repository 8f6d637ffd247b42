//! HTTP/1.1 up to the upgrade: probes, metrics, a page that says what this is, and `/ws`.

pub(crate) mod answers;
mod docs;
pub(crate) mod front;
mod host_meta;
mod pages;
pub(crate) mod upgrade;

use crate::manage;
use crate::net::peer::Peer;
use crate::net::registry::Login;
use crate::node::{Node, Open, Phase};
use answers::{Answer, Body};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Method, Request};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;
use wharf_gateway::Opening;
use wharf_ws::handshake::request::Request as Head;

/// Header fields of a request: browsers send some twenty.
const HEADERS_MAX: usize = 100;

/// Time for a client to take the last answer and close.
const LINGER: Duration = Duration::from_secs(1);

/// A connection that has left HTTP behind.
pub(crate) struct Upgraded<S> {
    /// The transport.
    pub(crate) stream: S,
    /// What the client sent behind its request (WS-HS-19).
    pub(crate) leftover: Bytes,
    /// What was agreed on the way.
    pub(crate) accepted: Accepted,
}

/// A handshake that succeeded.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// What the session begins with.
    pub(crate) opening: Opening,
    /// Counts the connection.
    pub(crate) open: Open,
    /// Who was let in by HTTP or by the listener.
    pub(crate) login: Option<Box<Login>>,
}

/// Answers requests until the connection is upgraded (`Some`) or over (`None`).
pub(crate) async fn serve<S>(
    node: Arc<Node>,
    stream: S,
    peer: Peer,
    deadline: Instant,
) -> Option<Upgraded<S>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = node.live().config.http.clone();
    let idle_timeout = Duration::from_millis(limits.idle_timeout_ms);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size((limits.head_size_max_bytes as usize).max(8192))
        .max_headers(HEADERS_MAX)
        .title_case_headers(true);
    let exchange = Arc::new(Exchange {
        node,
        peer,
        idle_timeout,
        state: Mutex::new(State { deadline, accepted: None, owed: None }),
    });
    let service = Front(Arc::clone(&exchange));
    let mut connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut timer = std::pin::pin!(tokio::time::sleep_until(deadline));
    let in_time = poll_fn(|cx| {
        if connection.poll_without_shutdown(cx).is_ready() {
            return Poll::Ready(true);
        }
        // A request that came meanwhile has moved the deadline.
        let deadline = exchange.lock().deadline;
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).map(|()| false)
    });
    if !in_time.await {
        return None;
    }
    let parts = connection.into_parts();
    let stream = parts.io.into_inner();
    let accepted = exchange.lock().accepted.take();
    match accepted {
        Some(accepted) => Some(Upgraded { stream, leftover: parts.read_buf, accepted }),
        None => {
            let _ = tokio::time::timeout(LINGER, linger(stream)).await;
            None
        }
    }
}

/// Ends our side and reads the rest: closing at once would reset the connection, and the answer
/// (to a head that is too large, say) could be lost on its way.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    if stream.shutdown().await.is_ok() {
        let mut rest = [0; 1024];
        while matches!(stream.read(&mut rest).await, Ok(len) if len > 0) {}
    }
}

/// One HTTP connection.
struct Exchange {
    node: Arc<Node>,
    peer: Peer,
    idle_timeout: Duration,
    state: Mutex<State>,
}

struct State {
    /// When the connection is given up.
    deadline: Instant,
    /// Set when a handshake was accepted.
    accepted: Option<Accepted>,
    /// Set when an answer must be told before the process ends.
    owed: Option<Open>,
}

impl Exchange {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        // The head is here: from now on the time between requests counts.
        self.lock().deadline = Instant::now() + self.idle_timeout;
        let (head, body) = request.into_parts();
        let target = head.uri.to_string();
        let handshake = upgrade::request_of(&head, &target);
        if wharf_ws::handshake::request::is_upgrade(&handshake) {
            return match upgrade::judge(&self.node, &self.peer, &handshake).await {
                Ok((answer, accepted)) => {
                    self.lock().accepted = Some(accepted);
                    answer
                }
                Err(refusal) => {
                    self.node.metrics.refused(refusal.status());
                    tracing::debug!(
                        event = crate::log::event::HANDSHAKE_REFUSED,
                        peer = %self.peer.address,
                        status = refusal.status(),
                        reason = %refusal.reason(),
                        "handshake refused"
                    );
                    answers::refusal(&refusal)
                }
            };
        }
        if head.uri.path().starts_with(manage::PREFIX) {
            // A change may take as long as the shard needs for it.
            self.lock().deadline = Instant::now() + manage::ANSWER_MAX;
            let owed = self.node.owe();
            let mut answer = manage::answer(&self.node, &self.peer, &handshake, body).await;
            let mut state = self.lock();
            state.deadline = Instant::now() + self.idle_timeout;
            if self.node.phase() == Phase::Draining {
                // The process waits until it is told, which it may have been with this request.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                state.owed = Some(owed);
            }
            return answer;
        }
        if head.uri.path() == "/login" && head.method == Method::GET {
            // Browsers ask for a login on behalf of a page, never of a WebSocket, and then use it
            // for both.
            return match upgrade::login(&self.node, &self.peer, &handshake).await {
                Ok(_) => answers::logged_in(),
                Err(refusal) => answers::refusal(&refusal),
            };
        }
        if let Some(form) = host_meta::form_of(head.uri.path()) {
            return self.host_meta(form, &head.method, &handshake);
        }
        if head.uri.path() == "/readyz" && head.uri.query() == Some("verbose") {
            return manage::health_answer(&self.node, &head.method).await;
        }
        if head.uri.path() == "/metrics/addresses" {
            let query = head.uri.query().unwrap_or_default();
            return manage::metrics_of_addresses(&self.node, &self.peer, &handshake, query).await;
        }
        self.route(&head.method, head.uri.path()).await
    }

    /// Where the WebSocket is, as this client reaches it.
    fn host_meta(&self, form: host_meta::Form, method: &Method, request: &Head<'_>) -> Answer {
        if method != Method::GET && method != Method::HEAD {
            return answers::method_not_allowed();
        }
        let fronts = &self.node.live().fronts;
        match fronts.websocket_url(&fronts.of(&self.peer, request)) {
            Some(url) => host_meta::document(form, &url),
            None => answers::text(400, "the request names no host\n"),
        }
    }

    async fn route(&self, method: &Method, path: &str) -> Answer {
        if let Some(page) = pages::find(path) {
            let read = method == Method::GET || method == Method::HEAD;
            return if read { page } else { answers::method_not_allowed() };
        }
        if !matches!(path, "/" | "/ws" | "/livez" | "/readyz" | "/metrics") {
            return answers::text(404, "not found; the WebSocket is at /ws\n");
        }
        if method != Method::GET && method != Method::HEAD {
            return answers::method_not_allowed();
        }
        match path {
            "/livez" => answers::text(200, "alive\n"),
            "/readyz" => answers::readiness(self.node.phase()),
            "/metrics" => answers::metrics(self.node.metrics_text().await),
            "/ws" => answers::upgrade_required(self.node.live().policy.versions),
            _ => answers::page(),
        }
    }
}

/// What hyper calls.
struct Front(Arc<Exchange>);

impl Service<Request<Incoming>> for Front {
    type Response = hyper::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let exchange = Arc::clone(&self.0);
        Box::pin(async move { Ok(exchange.answer(request).await) })
    }
}
