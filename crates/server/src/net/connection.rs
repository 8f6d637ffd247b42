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
            // WS-HS-09: TLS first; what fails here is closed without a word of HTTP.
            let accepting = Box::pin(acceptor.accept(socket));
            match tokio::time::timeout_at(deadline, accepting).await {
                Ok(Ok(stream)) => {
                    // Boxed: a TLS session is ten times the size of the task around it.
                    let stream = Box::new(stream);
                    converse(node, stream, peer, deadline).await;
                }
                Ok(Err(error)) => {
                    tracing::debug!(event = event::TLS_FAILED, %peer, %error, "no TLS");
                }
                Err(_) => {
                    tracing::debug!(event = event::TLS_FAILED, %peer, "TLS took too long");
                }
            }
        }
    }
    drop(admitted);
}

async fn converse<S>(node: Arc<Node>, stream: S, peer: SocketAddr, deadline: Instant)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // Boxed, so that the memory of the HTTP phase is given back when a WebSocket begins.
    let upgraded = Box::pin(http::serve(Arc::clone(&node), stream, peer, deadline)).await;
    let Some(upgraded) = upgraded else { return };
    let user = upgraded.opening.user.clone();
    let connection = upgraded.opening.connection;
    let open = node.opened();
    tracing::debug!(
        event = event::CONNECTION_OPENED,
        %peer,
        connection = connection.0,
        user,
        "WebSocket open"
    );
    let ending = Driver::start(&node, upgraded).await;
    drop(open);
    node.metrics.closed(ending);
    tracing::debug!(
        event = event::CONNECTION_CLOSED,
        %peer,
        connection = connection.0,
        reason = ending.name(),
        "WebSocket closed"
    );
}
