//! From a URL to an upgraded stream.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;
use wharf_ws::handshake::client::Offer;
use wharf_ws::tokio::{ConnectError, Opened, dial, upgrade};
use wharf_ws::uri::Uri;

use crate::{Error, Options, tls};

/// TCP, or TLS on it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Everything needed to open one session after another.
#[derive(Debug)]
pub(crate) struct Transport {
    offer: Offer,
    tls: Option<Arc<ClientConfig>>,
    timeout: Duration,
}

impl Transport {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let uri: Uri = options.url.parse().map_err(Error::Url)?;
        let tls = if uri.is_secure() { Some(tls::configure(&options.tls)?) } else { None };
        let mut offer = Offer::new(uri);
        // MBWS-004
        offer.subprotocols = vec![options.flavour.subprotocol().to_owned()];
        offer.origin.clone_from(&options.origin);
        // MBWS-008: who asks is known before the upgrade.
        if let Some((user, password)) = &options.credentials {
            let basic = BASE64.encode(format!("{user}:{password}").as_bytes());
            offer.extra_headers.push(("Authorization".to_owned(), format!("Basic {basic}")));
        }
        Ok(Transport { offer, tls, timeout: options.connect_timeout })
    }

    /// Opens a session.
    pub(crate) async fn open(&self) -> Result<Opened<Box<dyn Stream>>, Error> {
        timeout(self.timeout, self.dial()).await.map_err(|_elapsed| Error::Timeout)?
    }

    async fn dial(&self) -> Result<Opened<Box<dyn Stream>>, Error> {
        let uri = &self.offer.uri;
        // The turn is kept until the handshake has ended (WS-HC-01).
        let (tcp, _turn) = dial(uri).await?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(config) => Box::new(tls::handshake(tcp, uri.host_unbracketed(), config).await?),
        };
        let opened = upgrade(stream, self.offer.clone()).await?;
        // MBWS-A24
        if opened.agreement.subprotocol != self.offer.subprotocols.first().cloned() {
            return Err(Error::Subprotocol);
        }
        Ok(opened)
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
