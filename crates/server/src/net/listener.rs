//! The accept loop.

use super::connection::{self, Encryption, Speaks};
use super::peer::Peer;
use crate::log::event;
use crate::node::Node;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

/// Connections the system may hold for us: a returning fleet comes all at once.
const BACKLOG: u32 = 4096;

/// How long accepting rests when the system has no more files or memory to give.
const REST: Duration = Duration::from_millis(100);

/// Where a node listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    /// HTTP and WebSocket.
    pub(crate) http: Option<SocketAddr>,
    /// AMQP on TCP.
    pub(crate) amqp: Option<SocketAddr>,
    /// AMQP on TLS.
    pub(crate) amqps: Option<SocketAddr>,
}

/// Why a node cannot listen.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// This is no address.
    Address(String),
    /// It cannot be had.
    Socket(SocketAddr, io::Error),
}

/// Listening sockets that nobody is accepted from yet.
#[derive(Default)]
pub(crate) struct Sockets {
    opened: Vec<(TcpListener, Speaks, Option<Encryption>)>,
}

impl Sockets {
    /// Opens one, unless `address` is empty. Says where it is.
    ///
    /// # Errors
    /// The address cannot be had.
    pub(crate) fn open(
        &mut self,
        address: &str,
        speaks: Speaks,
        tls: Option<Encryption>,
    ) -> Result<Option<SocketAddr>, OpenError> {
        if address.is_empty() {
            return Ok(None);
        }
        let address: SocketAddr =
            address.parse().map_err(|error| OpenError::Address(format!("{address}: {error}")))?;
        let failed = |error| OpenError::Socket(address, error);
        let socket = open(address).map_err(failed)?;
        let bound = socket.local_addr().map_err(failed)?;
        let (protocol, encrypted) = (speaks.name(), tls.is_some());
        tracing::info!(event = event::LISTENING, address = %bound, protocol, tls = encrypted, "listening");
        self.opened.push((socket, speaks, tls));
        Ok(Some(bound))
    }

    /// Accepts on all of them until the tasks are aborted.
    pub(crate) fn accept(self, node: &Arc<Node>) -> Vec<JoinHandle<()>> {
        let accept =
            |(socket, speaks, tls)| tokio::spawn(accept(Arc::clone(node), socket, tls, speaks));
        self.opened.into_iter().map(accept).collect()
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until the task is dropped.
async fn accept(node: Arc<Node>, listener: TcpListener, tls: Option<Encryption>, speaks: Speaks) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                let proxied = node.live().fronts.speaks_proxy_protocol(peer.ip());
                let Some(admitted) = node.admission.admit(peer.ip(), proxied) else {
                    tracing::debug!(event = event::CONNECTION_LIMIT, %peer, "closed: too many");
                    node.metrics.connections_refused.inc();
                    continue;
                };
                // Small writes are whole batches already; waiting for more helps no one.
                let _ = socket.set_nodelay(true);
                let (node, tls) = (Arc::clone(&node), tls.clone());
                let address = peer;
                let peer = Box::new(Peer { address, secure: false, binding: None, user: None });
                if proxied {
                    let it =
                        connection::serve_introduced(node, socket, peer, tls, speaks, admitted);
                    tokio::spawn(it);
                } else {
                    tokio::spawn(connection::serve(node, socket, peer, tls, speaks, admitted));
                }
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
