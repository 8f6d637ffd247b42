//! The way from a request to a session: place, readiness, handshake, login.

use super::Accepted;
use super::answers::{self, Answer};
use crate::auth::Denied;
use crate::net::peer::Peer;
use crate::net::registry::Login;
use crate::node::{Node, Phase};
use hyper::http::request::Parts;
use hyper::{Version, header};
use std::time::Instant;
use wharf_gateway::{Mechanism, Opening, Transport};
use wharf_ws::handshake::Refusal;
use wharf_ws::handshake::request::{Header, Request};
use wharf_ws::handshake::server::evaluate;

/// What the handshake looks at, from what hyper has read. Repeated fields stay repeated.
pub(super) fn request_of<'a>(head: &'a Parts, target: &'a str) -> Request<'a> {
    let header = |(name, value): (&'a header::HeaderName, &'a header::HeaderValue)| Header {
        name: name.as_str(),
        value: value.as_bytes(),
    };
    Request {
        method: head.method.as_str(),
        target,
        version_minor: u8::from(head.version != Version::HTTP_10),
        headers: head.headers.iter().map(header).collect(),
    }
}

/// Judges a handshake: where to, is this the time, is it right, may this origin, who is it.
// WS-HS-10, WS-SV-03, MBWS-008: who it is from is asked last, and before it is accepted. WSB-001,
// WSB-006: AMQP begins like every subprotocol.
pub(super) async fn judge(
    node: &Node,
    peer: &Peer,
    request: &Request<'_>,
) -> Result<(Answer, Accepted), Refusal> {
    let resource = request.resource_name().unwrap_or_default();
    let (path, query) = match resource.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (&*resource, None),
    };
    // WS-HS-13. A target that cannot be read at all is left to `evaluate`. WSB-003: to a client of
    // AMQP the path means nothing.
    if !matches!(path, "/ws" | "/" | "") && !offers_login(request) {
        return Err(Refusal::with_status(404));
    }
    let open = node.admit().ok_or_else(|| elsewhere(node))?;
    let live = node.live();
    let acceptance = evaluate(request, &live.policy)?;
    let subprotocol = acceptance.agreement.subprotocol.as_deref().unwrap_or_default();
    // WSB-008, WSB-012: whoever logs in by SASL need not do so by HTTP.
    let later = wharf_gateway::logs_in(subprotocol)
        && header(request, "authorization").next().is_none()
        && offered_token(request).is_none()
        && peer.user.is_none()
        && !node.auth.has_anonymous();
    let came_as = if later { None } else { Some(login(node, peer, request).await?) };
    let user = came_as.as_ref().map(|login| login.user.clone());
    let front = live.fronts.of(peer, request);
    let mut login = node.offer(user.as_deref(), peer.binding.as_deref());
    // RFC 6120 6.3.4, 13.8.3: a password does not go over a network in the clear. What comes from
    // this machine, and from no proxy, goes over none.
    let from = peer.address.ip();
    let is_local = from.to_canonical().is_loopback()
        && !live.fronts.speaks_proxy_protocol(from)
        && header(request, "forwarded").next().is_none()
        && header(request, "x-forwarded-for").next().is_none();
    if subprotocol == "xmpp" && !front.secure && !is_local {
        let shows = [Mechanism::Plain, Mechanism::OAuthBearer];
        login.mechanisms.retain(|mechanism| !shows.contains(mechanism));
    }
    let opening = Opening {
        connection: node.next_connection(),
        host: host_of(&live.config.listen.hosts, front.authority.as_deref()),
        user,
        origin: acceptance.origin.clone(),
        transport: Transport::WebSocket(acceptance.agreement.clone()),
        secure: front.secure,
        login,
        query: query.map(str::to_owned),
        seed: crate::entropy::bytes(),
    };
    Ok((answers::switching(&acceptance), Accepted { opening, open, login: came_as.map(Box::new) }))
}

pub(super) async fn login(
    node: &Node,
    peer: &Peer,
    request: &Request<'_>,
) -> Result<Login, Refusal> {
    let mut given = header(request, "authorization");
    let authorization = given.next();
    if given.next().is_some() {
        return Err(Refusal::with_status(400));
    }
    // A script in a browser can send no header with a WebSocket but this one.
    let offered = authorization.is_none().then(|| offered_token(request)).flatten();
    let (from, now) = (peer.address.ip(), Instant::now());
    let result = match offered {
        None if authorization.is_none() && peer.user.is_some() => {
            Ok(Login { user: peer.user.clone().unwrap_or_default(), ..Login::default() })
        }
        Some(token) => node.auth.check_token(token, from, now),
        None => node.auth.authenticate(authorization, from, now).await,
    };
    result.map_err(|denied| {
        node.metrics.login_failed(denied);
        match denied {
            Denied::Challenge => challenge(),
            Denied::Throttled { retry_after_s } => try_later(429, retry_after_s),
            Denied::Busy => try_later(503, 1),
        }
    })
}

/// The values of a header field.
pub(crate) fn header<'r>(
    request: &'r Request<'_>,
    name: &'static str,
) -> impl Iterator<Item = &'r [u8]> {
    let named = move |header: &&Header<'_>| header.name.eq_ignore_ascii_case(name);
    request.headers.iter().filter(named).map(|header| header.value)
}

/// A bearer token among the subprotocols that a WebSocket offers: `wharf.bearer.TOKEN`. It is never
/// the one agreed on.
fn offered_token<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    header(request, "sec-websocket-protocol")
        .filter_map(|value| str::from_utf8(value).ok())
        .flat_map(|value| value.split(','))
        .find_map(|name| name.trim().strip_prefix("wharf.bearer."))
}

/// Whether a subprotocol is offered that logs in by itself.
fn offers_login(request: &Request<'_>) -> bool {
    header(request, "sec-websocket-protocol").any(|value| {
        let names = value.split(|byte| *byte == b',').filter_map(|name| str::from_utf8(name).ok());
        names.map(str::trim).any(wharf_gateway::logs_in)
    })
}

fn challenge() -> Refusal {
    let value = "Basic realm=\"wharf\", charset=\"UTF-8\"";
    let refusal = Refusal::with_status(401);
    refusal.header("WWW-Authenticate", value).unwrap_or_else(|_| Refusal::with_status(401))
}

/// This is not the time. While the node drains, somebody else may have it.
fn elsewhere(node: &Node) -> Refusal {
    let live = node.live();
    let url = &live.config.shutdown.redirect_url;
    // It is a WebSocket that was asked for, so that another is all that helps.
    if node.phase() == Phase::Draining && url.starts_with("ws") {
        let refusal = Refusal::with_status(307).header("Location", url);
        return refusal.unwrap_or_else(|_| try_later(503, 1));
    }
    try_later(503, 1)
}

fn try_later(status: u16, retry_after_s: u64) -> Refusal {
    let refusal = Refusal::with_status(status).header("Retry-After", &retry_after_s.to_string());
    refusal.unwrap_or_else(|_| Refusal::with_status(status))
}

/// The virtual host: the one that the client has named, else the first.
fn host_of(hosts: &[String], authority: Option<&str>) -> String {
    let authority = authority.unwrap_or_default();
    let without_port = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let named = hosts.iter().find(|host| host.eq_ignore_ascii_case(without_port));
    named.or(hosts.first()).cloned().unwrap_or_default()
}
