//! One connection from its socket to its end: TLS, HTTP, then the driver.

use super::admission::Admitted;
use super::certificate;
use super::driver::Driver;
use super::peer::Peer;
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
    peer: SocketAddr,
    tls: Option<Encryption>,
    speaks: Speaks,
    admitted: Admitted,
) {
    // One deadline for TLS and the request head together.
    let handshake_timeout = Duration::from_millis(node.live().config.listen.handshake_timeout_ms);
    let deadline = Instant::now() + handshake_timeout;
    match tls {
        None => {
            converse(
                node,
                socket,
                Box::new(Peer { address: peer, binding: None, user: None }),
                deadline,
                speaks,
            )
            .await
        }
        Some(Encryption { acceptor, certificates }) => {
            if let Some(stream) = Box::pin(encrypt(acceptor, socket, peer, deadline)).await {
                let connection = stream.get_ref().1;
                if connection.alpn_protocol() == Some(tls::CHALLENGE) {
                    // The handshake was all that the authority wants.
                    return;
                }
                let binding = tls::binding(connection).map(Arc::new);
                let chain = connection.peer_certificates().unwrap_or_default();
                let named = certificate::user_of(chain, &certificates.authorities);
                // A certificate of somebody unknown is as good as none.
                let user = named.filter(|user| node.auth.permissions_of(user).is_some());
                let peer = Box::new(Peer { address: peer, binding, user });
                converse(node, stream, peer, deadline, speaks).await;
            }
        }
    }
    drop(admitted);
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
        Speaks::Amqp { secure } => begin_amqp(&node, stream, *peer, secure),
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
    use super::{Admitted, Driver, Encryption, Node, Speaks, serve};
    use std::net::SocketAddr;
    use std::sync::Arc;
    use tokio::net::TcpStream;
    use wharf_gateway::Session;

    type Serve<F> = fn(Arc<Node>, TcpStream, SocketAddr, Option<Encryption>, Speaks, Admitted) -> F;

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
