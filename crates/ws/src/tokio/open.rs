//! The opening handshake over a stream.

use std::fmt;
use std::io;
use std::time::Duration;

use ::tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ::tokio::net::TcpStream;
use ::tokio::time::timeout;

use super::dial::dial;
use super::link::Link;
use super::socket::WebSocket;
use crate::handshake::client::{Failure, Handshake, InvalidOffer, Offer, Outcome};
use crate::handshake::request::{Parsed, Reader, Request};
use crate::handshake::server::{self, Policy};
use crate::handshake::{HeadLimits, Reason, Refusal};
use crate::{Agreement, Config, Connection, Role};

/// How long a peer may take for its part of the handshake. Wrap the call for a shorter time.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A stream on which the handshake has succeeded.
#[derive(Debug)]
pub struct Opened<S> {
    /// The transport.
    pub stream: S,
    /// Which side we are.
    pub role: Role,
    /// What was agreed.
    pub agreement: Agreement,
    /// Octets that came behind the handshake: the first frames (WS-HS-19, WS-A05).
    pub early: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Opened<S> {
    pub(super) fn into_link(self, config: &Config) -> (Link<S>, Vec<u8>) {
        // Servers need no keys, and so no entropy.
        let seed = if self.role == Role::Client { entropy() } else { [0; 32] };
        let conn = Connection::new(self.role, config, &self.agreement, seed);
        (Link::new(self.stream, conn), self.early)
    }
}

/// Why a server has no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// The request was refused, and the client was told.
    Refused(Reason),
    /// The request did not come in time.
    Timeout,
    /// The transport failed.
    Io(io::Error),
}

/// Accepts a connection on the terms of `policy`, whatever its resource name.
///
/// # Errors
/// When the client was refused, too slow, or is gone.
pub async fn accept<S>(stream: S, policy: &Policy) -> Result<Opened<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    accept_with(stream, policy, |_| Ok(())).await
}

/// Accepts a connection if `check` agrees: the place to authenticate (WS-HS-10) and to know
/// resource names (WS-HS-13).
///
/// # Errors
/// As [`accept`].
pub async fn accept_with<S>(
    mut stream: S,
    policy: &Policy,
    check: impl FnOnce(&Request<'_>) -> Result<(), Refusal>,
) -> Result<Opened<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // On the heap, because it is gone when the connection lives.
    let handshake = Box::pin(answer(&mut stream, policy, check));
    let (agreement, early) =
        timeout(HANDSHAKE_TIMEOUT, handshake).await.map_err(|_elapsed| AcceptError::Timeout)??;
    Ok(Opened { stream, role: Role::Server, agreement, early })
}

async fn answer<S>(
    stream: &mut S,
    policy: &Policy,
    check: impl FnOnce(&Request<'_>) -> Result<(), Refusal>,
) -> Result<(Agreement, Vec<u8>), AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut reader = Reader::new(HeadLimits::default());
    let mut head = Vec::new();
    let (verdict, consumed) = loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match reader.read(&head) {
            Parsed::Incomplete => {}
            Parsed::Complete { request, consumed } => {
                let verdict = check(&request).and_then(|()| server::evaluate(&request, policy));
                break (verdict, consumed);
            }
            Parsed::Malformed(malformed) => break (Err(Refusal::from(malformed)), head.len()),
        }
    };
    let mut response = Vec::new();
    match verdict {
        Ok(acceptance) => {
            acceptance.write(&mut response);
            stream.write_all(&response).await?;
            stream.flush().await?;
            Ok((acceptance.agreement, head.split_off(consumed)))
        }
        // WS-HS-21: a proper status, then the end.
        Err(refusal) => {
            refusal.write(&mut response);
            stream.write_all(&response).await?;
            stream.shutdown().await?;
            Err(AcceptError::Refused(refusal.reason()))
        }
    }
}

/// Why a client has no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The offer cannot be sent.
    Offer(InvalidOffer),
    /// A wss URI: make the TLS stream and hand it to [`upgrade`].
    Tls,
    /// The server answered with plain HTTP (WS-HC-17).
    Http {
        /// The status.
        status: u16,
        /// Every header field.
        headers: Vec<(String, Vec<u8>)>,
    },
    /// The server's answer is not one to a WebSocket handshake.
    Handshake(Failure),
    /// The server did not answer in time.
    Timeout,
    /// The transport failed.
    Io(io::Error),
}

/// Connects over TCP and performs the handshake.
///
/// # Errors
/// When there is no connection, or the server does not agree.
pub async fn connect(offer: Offer, config: &Config) -> Result<WebSocket<TcpStream>, ConnectError> {
    // WS-HC-05: nothing goes out in clear for a wss URI.
    if offer.uri.is_secure() {
        return Err(ConnectError::Tls);
    }
    let (stream, turn) = dial(&offer.uri).await?;
    let opened = upgrade(stream, offer).await?;
    drop(turn);
    Ok(WebSocket::new(opened, config))
}

/// Performs the client's handshake on a stream that is connected to the offer's host, through TLS
/// if its URI says so (WS-HC-05).
///
/// # Errors
/// When the server does not agree.
pub async fn upgrade<S>(mut stream: S, offer: Offer) -> Result<Opened<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let ask = Box::pin(ask(&mut stream, offer));
    let (agreement, early) =
        timeout(HANDSHAKE_TIMEOUT, ask).await.map_err(|_elapsed| ConnectError::Timeout)??;
    Ok(Opened { stream, role: Role::Client, agreement, early })
}

async fn ask<S>(stream: &mut S, offer: Offer) -> Result<(Agreement, Vec<u8>), ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // WS-HC-11.
    let mut handshake = Handshake::new(offer, entropy()).map_err(ConnectError::Offer)?;
    stream.write_all(handshake.request_bytes()).await?;
    stream.flush().await?;
    let mut piece = Vec::new();
    loop {
        piece.clear();
        if stream.read_buf(&mut piece).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match handshake.handle_input(&piece) {
            Outcome::Incomplete => {}
            Outcome::Upgraded { agreement, consumed } => {
                return Ok((agreement, piece.split_off(consumed)));
            }
            Outcome::Http { status, headers, .. } => {
                return Err(ConnectError::Http { status, headers });
            }
            Outcome::Failed(failure) => return Err(ConnectError::Handshake(failure)),
        }
    }
}

/// Octets that nobody can predict (WS-MK-05).
#[allow(clippy::expect_used, reason = "a system without entropy must not open connections")]
fn entropy<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has entropy");
    bytes
}

impl From<io::Error> for AcceptError {
    fn from(error: io::Error) -> AcceptError {
        AcceptError::Io(error)
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> ConnectError {
        ConnectError::Io(error)
    }
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcceptError::Refused(reason) => write!(f, "refused: {reason}"),
            AcceptError::Timeout => f.write_str("no request in time"),
            AcceptError::Io(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Offer(invalid) => invalid.fmt(f),
            ConnectError::Tls => f.write_str("a wss URI needs a TLS stream"),
            ConnectError::Http { status, .. } => write!(f, "the server answered with {status}"),
            ConnectError::Handshake(failure) => failure.fmt(f),
            ConnectError::Timeout => f.write_str("no answer in time"),
            ConnectError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AcceptError {}
impl std::error::Error for ConnectError {}
