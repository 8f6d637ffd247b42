//! TCP connections of clients, one attempt at a time for each remote address.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use ::tokio::net::{TcpStream, lookup_host};
use ::tokio::sync::OwnedMutexGuard;

use crate::uri::Uri;

/// Addresses this process is connecting to, each with the lock its attempts take in turn.
type Attempts = HashMap<SocketAddr, Weak<::tokio::sync::Mutex<()>>>;

static ATTEMPTS: LazyLock<Mutex<Attempts>> = LazyLock::new(Mutex::default);

/// The right to have a connection to one address in the CONNECTING state. Keep it until the
/// opening handshake has ended, then drop it.
#[derive(Debug)]
pub struct Turn(#[allow(dead_code, reason = "held, not read")] OwnedMutexGuard<()>);

/// Connects to the host of a URI. Attempts to the same IP address and port, whatever name they
/// came by, wait for each other (WS-HC-01, HYBI-021).
///
/// # Errors
/// When the name cannot be resolved or no address answers: the WebSocket connection has failed
/// (WS-HC-04).
pub async fn dial(uri: &Uri) -> io::Result<(TcpStream, Turn)> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in lookup_host((uri.host_unbracketed(), uri.port())).await? {
        let turn = Turn(attempt(address).lock_owned().await);
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok((stream, turn));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn attempt(address: SocketAddr) -> Arc<::tokio::sync::Mutex<()>> {
    let mut attempts = ATTEMPTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = attempts.get(&address).and_then(Weak::upgrade) {
        return known;
    }
    // Whoever is done has dropped its lock; what is left are names without a body.
    attempts.retain(|_, known| known.strong_count() > 0);
    let new = Arc::default();
    attempts.insert(address, Arc::downgrade(&new));
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WS-HC-01, HYBI-021: the second attempt begins when the first has ended.
    #[::tokio::test]
    async fn attempts_to_one_address_take_turns() {
        let listener = ::tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let uri: Uri = format!("ws://127.0.0.1:{port}/").parse().unwrap();
        let (_stream, turn) = dial(&uri).await.unwrap();
        let mut second = Box::pin(dial(&uri));
        let waits = ::tokio::select! {
            biased;
            _ = &mut second => false,
            () = ::tokio::task::yield_now() => true,
        };
        assert!(waits);
        drop(turn);
        second.await.unwrap();
    }

    /// WS-HC-04.
    #[::tokio::test]
    async fn a_refused_connection_is_a_failure() {
        let listener = ::tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let uri: Uri = format!("ws://127.0.0.1:{port}/").parse().unwrap();
        let failure = dial(&uri).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
    }
}
