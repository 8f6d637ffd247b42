//! One connection from its socket to its end: TLS, HTTP, then the driver.

use super::admission::Admitted;
use super::driver::Driver;
use crate::http;
use crate::log::event;
use crate::node::Node;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Serves one accepted socket.
pub(crate) async fn serve(
    node: Arc<Node>,
    socket: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    admitted: Admitted,
) {
    // One deadline for TLS and the request head together.
    let handshake_timeout = Duration::from_millis(node.config.listen.handshake_timeout_ms);
    let deadline = Instant::now() + handshake_timeout;
    match tls {
        None => converse(node, socket, peer, deadline).await,
        Some(acceptor) => {
            if let Some(stream) = Box::pin(encrypt(acceptor, socket, peer, deadline)).await {
                converse(node, stream, peer, deadline).await;
            }
        }
    }
    drop(admitted);
}

/// WS-HS-09: TLS first; what fails here is closed without a word of HTTP.
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

async fn converse<S>(node: Arc<Node>, stream: S, peer: SocketAddr, deadline: Instant)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // Boxed, so that the memory of the HTTP phase is given back when a WebSocket begins.
    let Some(driver) = Box::pin(begin(&node, stream, peer, deadline)).await else { return };
    let connection = driver.connection().0;
    let ending = driver.await;
    node.metrics.closed(ending);
    let reason = ending.name();
    tracing::debug!(event = event::CONNECTION_CLOSED, %peer, connection, reason, "closed");
}

/// HTTP, and the start of a session if there is to be one.
async fn begin<S>(
    node: &Arc<Node>,
    stream: S,
    peer: SocketAddr,
    deadline: Instant,
) -> Option<Driver<S>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let upgraded = http::serve(Arc::clone(node), stream, peer, deadline).await?;
    let (connection, user) =
        (upgraded.accepted.opening.connection.0, &upgraded.accepted.opening.user);
    tracing::debug!(event = event::CONNECTION_OPENED, %peer, connection, user, "open");
    node.metrics.connections_opened.inc();
    Some(Driver::start(node, upgraded))
}

#[cfg(test)]
mod tests {
    use super::{Admitted, Driver, Node, TlsAcceptor, serve};
    use std::net::SocketAddr;
    use std::sync::Arc;
    use tokio::net::TcpStream;
    use wharf_gateway::Session;

    type Serve<F> = fn(Arc<Node>, TcpStream, SocketAddr, Option<TlsAcceptor>, Admitted) -> F;

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
