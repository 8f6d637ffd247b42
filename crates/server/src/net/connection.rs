//! One connection from its socket to its end: TLS, HTTP, then the driver.

use super::admission::Admitted;
use super::certificate;
use super::driver::Driver;
use super::peer::Peer;
use super::proxy::{self, Client};
use super::registry::Login;
use super::tls::{self, Certificates};
use crate::http::{self, Accepted, Upgraded};
use crate::log::event;
use crate::node::Node;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use wharf_gateway::{Opening, Transport};

/// What a listener's connections begin with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Speaks {
    /// HTTP, until an upgrade.
    Http,
    /// AMQP at once.
    Amqp {
        /// On TLS.
        secure: bool,
    },
}

impl Speaks {
    /// Its name in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Amqp { .. } => "amqp",
        }
    }
}

/// How a listener encrypts.
#[derive(Clone)]
pub(crate) struct Encryption {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) certificates: Arc<Certificates>,
}

/// Serves one accepted socket.
pub(crate) async fn serve(
    node: Arc<Node>,
    socket: TcpStream,
    mut peer: Box<Peer>,
    tls: Option<Encryption>,
    speaks: Speaks,
    admitted: Admitted,
) {
    // One deadline for TLS and the request head together.
    let deadline = deadline(&node);
    match tls {
        None => converse(node, socket, peer, deadline, speaks).await,
        Some(Encryption { acceptor, certificates }) => {
            let encrypted = Box::pin(encrypt(acceptor, socket, peer.address, deadline)).await;
            if let Some(stream) = encrypted {
                let connection = stream.get_ref().1;
                if connection.alpn_protocol() == Some(tls::CHALLENGE) {
                    // The handshake was all that the authority wants.
                    return;
                }
                peer.binding = tls::binding(connection).map(Arc::new);
                let chain = connection.peer_certificates().unwrap_or_default();
                let named = certificate::user_of(chain, &certificates.authorities);
                // A certificate of somebody unknown is as good as none.
                peer.user = named.filter(|user| node.auth.permissions_of(user).is_some());
                converse(node, stream, peer, deadline, speaks).await;
            }
        }
    }
    drop(admitted);
}

fn deadline(node: &Node) -> Instant {
    Instant::now() + Duration::from_millis(node.live().config.listen.handshake_timeout_ms)
}

/// The same for a socket of a proxy that says first who it is for.
pub(crate) async fn serve_introduced(
    node: Arc<Node>,
    mut socket: TcpStream,
    mut peer: Box<Peer>,
    tls: Option<Encryption>,
    speaks: Speaks,
    mut admitted: Admitted,
) {
    let until = deadline(&node);
    if Box::pin(introduce(&mut socket, &mut peer, &mut admitted, until)).await {
        serve(node, socket, peer, tls, speaks, admitted).await;
    }
}

/// The proxy says who has come. Whether the connection may go on.
async fn introduce(
    socket: &mut TcpStream,
    peer: &mut Peer,
    admitted: &mut Admitted,
    deadline: Instant,
) -> bool {
    let proxy = peer.address;
    let reason = match tokio::time::timeout_at(deadline, proxy::read(socket)).await {
        Ok(Ok(Client { address, secure })) => {
            peer.secure = secure;
            let Some(address) = address else { return true };
            peer.address = address;
            if admitted.move_to(address.ip()) {
                return true;
            }
            tracing::debug!(event = event::CONNECTION_LIMIT, peer = %address, "closed: too many");
            return false;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "took too long".to_owned(),
    };
    tracing::warn!(event = event::PROXY_FAILED, %proxy, reason, "nobody was introduced");
    false
}

/// WS-HS-09, WSB-090, WSB-093: TLS first; what fails here is closed without a word of HTTP.
async fn encrypt(
    acceptor: TlsAcceptor,
    socket: TcpStream,
    peer: SocketAddr,
    deadline: Instant,
) -> Option<Box<TlsStream<TcpStream>>> {
    match tokio::time::timeout_at(deadline, acceptor.accept(socket)).await {
        // Boxed: a TLS session is ten times the size of the task around it.
        Ok(Ok(stream)) => return Some(Box::new(stream)),
        Ok(Err(error)) => tracing::debug!(event = event::TLS_FAILED, %peer, %error, "no TLS"),
        Err(_) => tracing::debug!(event = event::TLS_FAILED, %peer, "TLS took too long"),
    }
    None
}

async fn converse<S>(node: Arc<Node>, stream: S, peer: Box<Peer>, deadline: Instant, speaks: Speaks)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let address = peer.address;
    let driver = match speaks {
        // Boxed, so that the memory of the HTTP phase is given back when a WebSocket begins.
        Speaks::Http => Box::pin(begin(&node, stream, *peer, deadline)).await,
        Speaks::Amqp { secure } => {
            let secure = secure || peer.secure;
            begin_amqp(&node, stream, *peer, secure)
        }
    };
    let Some(driver) = driver else { return };
    let (connection, protocol) = (driver.connection().0, driver.protocol());
    let ending = driver.await;
    node.metrics.closed(protocol, ending);
    let reason = ending.name();
    tracing::debug!(event = event::CONNECTION_CLOSED, peer = %address, connection, reason, "closed");
}

/// HTTP, and the start of a session if there is to be one.
async fn begin<S>(node: &Arc<Node>, stream: S, peer: Peer, deadline: Instant) -> Option<Driver<S>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let address = peer.address;
    let upgraded = http::serve(Arc::clone(node), stream, peer, deadline).await?;
    let (connection, user) =
        (upgraded.accepted.opening.connection.0, &upgraded.accepted.opening.user);
    tracing::debug!(event = event::CONNECTION_OPENED, peer = %address, connection, user, "open");
    node.metrics.opened(upgraded.accepted.opening.transport.protocol());
    Some(Driver::start(node, upgraded, address))
}

/// AMQP without a WebSocket. Its login is its own, and so is the time for it.
fn begin_amqp<S>(node: &Arc<Node>, stream: S, peer: Peer, secure: bool) -> Option<Driver<S>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let open = node.admit()?;
    let live = node.live();
    let no_sasl_user = Some(&live.config.amqp.no_sasl_user).filter(|user| !user.is_empty());
    let user = peer.user.as_ref().or(no_sasl_user);
    let opening = Opening {
        connection: node.next_connection(),
        host: node.config.listen.hosts.first().cloned().unwrap_or_default(),
        user: user.cloned(),
        origin: None,
        transport: Transport::AmqpStream,
        secure,
        login: node.offer(peer.user.as_deref(), peer.binding.as_deref()),
        query: None,
        seed: crate::entropy::bytes(),
    };
    let connection = opening.connection.0;
    tracing::debug!(event = event::CONNECTION_OPENED, peer = %peer.address, connection, "open");
    node.metrics.opened(opening.transport.protocol());
    let login = opening.user.clone().map(|user| Box::new(Login { user, ..Login::default() }));
    let accepted = Accepted { opening, open, login };
    let upgraded = Upgraded { stream, leftover: Bytes::new(), accepted };
    Some(Driver::start(node, upgraded, peer.address))
}

#[cfg(test)]
mod tests {
    use super::{Admitted, Driver, Encryption, Node, Peer, Speaks, serve};
    use std::sync::Arc;
    use tokio::net::TcpStream;
    use wharf_gateway::Session;

    type Serve<F> = fn(Arc<Node>, TcpStream, Box<Peer>, Option<Encryption>, Speaks, Admitted) -> F;

    fn size_of_task<F>(_: Serve<F>) -> usize {
        size_of::<F>()
    }

    /// What every idle connection costs, besides what its session keeps on the heap.
    #[test]
    fn an_idle_connection_is_small() {
        let sizes = [size_of_task(serve), size_of::<Driver<TcpStream>>(), size_of::<Session>()];
        let limits = [1024, 256, 512];
        assert!(sizes.iter().zip(limits).all(|(size, limit)| *size <= limit), "{sizes:?}");
    }
}
