//! From a place to a stream, upgraded if it is a WebSocket.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;
use wharf_ws::handshake::client::Offer;
use wharf_ws::tokio::{ConnectError, Opened, dial, upgrade};

use super::{Place, RedirectFault, Trail, tls};
use crate::{Error, Options, Protocol, Tls};

/// Subprotocol of AMQP in a WebSocket (WSB-005, WSB-A01).
const AMQP_SUBPROTOCOL: &str = "amqp";

/// TCP, or TLS on it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream of either kind.
pub(crate) type BoxStream = Box<dyn Stream>;

/// What the protocol is spoken on.
pub(crate) enum Carrier {
    WebSocket(Opened<BoxStream>),
    Stream(BoxStream),
}

/// What is known of the way to a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Security {
    pub(crate) encrypted: bool,
    /// The peer is on this machine.
    pub(crate) loopback: bool,
    /// What both ends of a TLS 1.3 connection know, and no one in between (RFC 9266).
    pub(crate) exported: Option<[u8; 32]>,
}

/// A connection to a broker, on which nothing was said yet.
pub(crate) struct Reached {
    pub(crate) carrier: Carrier,
    pub(crate) place: Place,
    pub(crate) trail: Trail,
    pub(crate) security: Security,
}

/// Everything needed to open one connection after another.
#[derive(Debug)]
pub(crate) struct Transport {
    subprotocol: &'static str,
    origin: Option<String>,
    /// The login of a protocol that has none of its own.
    authorization: Option<String>,
    tls: Tls,
    configured: OnceLock<Arc<ClientConfig>>,
    timeout: Duration,
}

/// What an attempt came to.
enum Dialled {
    Open(Carrier, Security),
    /// HTTP says that it is there.
    Elsewhere(Place),
}

impl Transport {
    /// A transport, and the place it leads to.
    pub(crate) fn new(options: &Options) -> Result<(Self, Place), Error> {
        let place = Place::parse(&options.url).map_err(Error::Url)?;
        let subprotocol = match options.protocol {
            // MBWS-004
            Protocol::Mbws if place.scheme().is_websocket() => options.flavour.subprotocol(),
            // XWS-002
            Protocol::Xmpp if place.scheme().is_websocket() => wharf_xmpp::SUBPROTOCOL,
            Protocol::Mbws | Protocol::Xmpp => {
                return Err(Error::Url(wharf_ws::uri::UriError::Scheme));
            }
            Protocol::Amqp => AMQP_SUBPROTOCOL,
        };
        // MBWS-008: who asks is known before the upgrade.
        let login = options.credentials.as_ref().filter(|_| options.protocol == Protocol::Mbws);
        let authorization = login.map(|(user, password)| {
            format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()))
        });
        let transport = Transport {
            subprotocol,
            origin: options.origin.clone(),
            authorization,
            tls: options.tls.clone(),
            configured: OnceLock::new(),
            timeout: options.connect_timeout,
        };
        if place.is_secure() {
            transport.configure()?;
        }
        Ok((transport, place))
    }

    fn configure(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.configured.get() {
            return Ok(Arc::clone(config));
        }
        let config = tls::configure(&self.tls)?;
        Ok(Arc::clone(self.configured.get_or_init(|| config)))
    }

    /// Opens a connection to a place, or to where HTTP sends from there.
    pub(crate) async fn open(&self, place: Place, trail: Trail) -> Result<Reached, Error> {
        let reached = timeout(self.timeout, self.follow(place, trail)).await;
        reached.map_err(|_elapsed| Error::Timeout)?
    }

    // WSB-010, WSB-A13: on a new connection each time.
    async fn follow(&self, mut place: Place, mut trail: Trail) -> Result<Reached, Error> {
        loop {
            match self.dial(&place).await? {
                Dialled::Open(carrier, security) => {
                    return Ok(Reached { carrier, place, trail, security });
                }
                Dialled::Elsewhere(next) => {
                    // The request shows the password to whoever gets it.
                    if self.authorization.is_some() && next.hostname() != place.hostname() {
                        return Err(Error::Redirect(RedirectFault::OtherHost));
                    }
                    trail.follow((&place, ""), (&next, "")).map_err(Error::Redirect)?;
                    place = next;
                }
            }
        }
    }

    async fn dial(&self, place: &Place) -> Result<Dialled, Error> {
        // The turn is kept until the handshake has ended (WS-HC-01).
        let (tcp, _turn) = dial(place.reached()).await?;
        let (stream, security) = self.secure(tcp, place).await?;
        if !place.scheme().is_websocket() {
            return Ok(Dialled::Open(Carrier::Stream(stream), security));
        }
        match upgrade(stream, self.offer(place)).await {
            Ok(opened) if opened.agreement.subprotocol.as_deref() == Some(self.subprotocol) => {
                Ok(Dialled::Open(Carrier::WebSocket(opened), security))
            }
            // MBWS-A24, WSB-009
            Ok(_) => Err(Error::Subprotocol),
            Err(ConnectError::Http { status: status @ (301..=303 | 307 | 308), headers }) => {
                let named = |(name, _): &&(String, _)| name.eq_ignore_ascii_case("location");
                let location = headers.iter().find(named).map(|(_, value)| value.as_slice());
                let location = location.and_then(|value| std::str::from_utf8(value).ok());
                let location = location.ok_or(Error::Http { status })?;
                place.located(location).map(Dialled::Elsewhere).map_err(Error::Redirect)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn secure(&self, tcp: TcpStream, place: &Place) -> Result<(BoxStream, Security), Error> {
        let loopback = tcp.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
        if !place.is_secure() {
            let security = Security { encrypted: false, loopback, exported: None };
            return Ok((Box::new(tcp), security));
        }
        // XWS-093: it proves the name of the endpoint, whatever the domain of the service is.
        // AMQP 2.8.16: the container's name, wherever it is reached.
        let host = place.named().host_unbracketed();
        let stream = tls::handshake(tcp, host, &self.configure()?).await?;
        let exported = tls::exported(&stream);
        Ok((Box::new(stream), Security { encrypted: true, loopback, exported }))
    }

    // WSB-002, WSB-005, WSB-061, WSB-069.
    fn offer(&self, place: &Place) -> Offer {
        let mut offer = Offer::new(place.named().clone());
        offer.subprotocols = vec![self.subprotocol.to_owned()];
        offer.origin.clone_from(&self.origin);
        if let Some(authorization) = &self.authorization {
            offer.extra_headers.push(("Authorization".to_owned(), authorization.clone()));
        }
        offer
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Offer(invalid) => Error::Option(invalid),
            ConnectError::Http { status: status @ (401 | 403), .. } => Error::Denied { status },
            ConnectError::Http { status, .. } => Error::Http { status },
            ConnectError::Handshake(failure) => Error::NotWebSocket(failure),
            ConnectError::Timeout => Error::Timeout,
            ConnectError::Io(error) => Error::from(error),
            // What else the adapter may learn to say.
            _ => Error::Protocol("unknown answer to the handshake"),
        }
    }
}
