//! The accept loop.

use super::connection;
use crate::log::event;
use crate::node::Node;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

/// Connections the system may hold for us: a returning fleet comes all at once.
const BACKLOG: u32 = 4096;

/// How long accepting rests when the system has no more files or memory to give.
const REST: Duration = Duration::from_millis(100);

/// Opens the listening socket.
///
/// # Errors
/// The address cannot be had.
pub(crate) fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until the task is dropped.
pub(crate) async fn accept(node: Arc<Node>, listener: TcpListener, tls: Option<TlsAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                let Some(admitted) = node.admission.admit(peer.ip()) else {
                    tracing::debug!(event = event::CONNECTION_LIMIT, %peer, "closed: too many");
                    node.metrics.connections_refused.inc();
                    continue;
                };
                // Small writes are whole batches already; waiting for more helps no one.
                let _ = socket.set_nodelay(true);
                let serving =
                    connection::serve(Arc::clone(&node), socket, peer, tls.clone(), admitted);
                tokio::spawn(serving);
            }
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::error!(event = event::ACCEPT_FAILED, %error, "cannot accept");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// The peer was gone before it was accepted: no reason to rest.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
