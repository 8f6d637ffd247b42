//! Requests that the broker makes itself: for keys of issuers, certificates, and to a collector of
//! traces. Each has a connection of its own, a time and a size.

use crate::net::certificate;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// From the name's lookup to the last octet of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Largest body of an answer.
const BODY_MAX_BYTES: usize = 1 << 20;

/// Makes requests over HTTP/1.1, `https` and `http`.
#[derive(Clone)]
pub(crate) struct Outgoing {
    tls: Arc<ClientConfig>,
}

impl Outgoing {
    /// Trusts the authorities of the system and those of `ca_file`, unless it is empty.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(crate) fn new(ca_file: &Path) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // One that cannot be read is one that signs nothing here.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if !ca_file.as_os_str().is_empty() {
            for certificate in certificate::read(ca_file)? {
                let wrong = |error| format!("{}: {error}", ca_file.display());
                roots.add(certificate).map_err(wrong)?;
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(config) })
    }

    /// Sends one request and reads the answer, whatever its status.
    ///
    /// # Errors
    /// Nobody answers, not in time, or too much.
    pub(crate) async fn send<B>(&self, request: Request<B>) -> Result<Response<Full<Bytes>>, String>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let place = Place::of(request.uri())?;
        match tokio::time::timeout(TIMEOUT, self.exchange(&place, request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(format!("{}: {error}", place.authority)),
            Err(_) => Err(format!("{}: no answer within {TIMEOUT:?}", place.authority)),
        }
    }

    async fn exchange<B>(
        &self,
        place: &Place,
        request: Request<B>,
    ) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let socket = TcpStream::connect((place.host.as_str(), place.port)).await?;
        if !place.secure {
            return exchange(place, socket, request).await;
        }
        let name = ServerName::try_from(place.host.clone())?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        exchange(place, connector.connect(name, socket).await?, request).await
    }
}

async fn exchange<S, B>(
    place: &Place,
    stream: S,
    mut request: Request<B>,
) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this exchange, however that ends.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    request.headers_mut().insert(HOST, HeaderValue::from_str(&place.authority)?);
    // Origin form: the path alone.
    let target = request.uri().path_and_query().map_or("/", |it| it.as_str()).parse()?;
    *request.uri_mut() = target;
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, BODY_MAX_BYTES).collect().await?.to_bytes();
    Ok(Response::from_parts(head, Full::new(body)))
}

/// Where a request goes.
struct Place {
    secure: bool,
    host: String,
    port: u16,
    authority: String,
}

impl Place {
    fn of(uri: &Uri) -> Result<Self, String> {
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("{uri}: expected https:// or http://")),
        };
        let authority = uri.authority().ok_or_else(|| format!("{uri}: without a host"))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { secure, host, port, authority: authority.to_string() })
    }
}

/// What is wrong with a URL for a request, if anything.
pub(crate) fn url_problem(url: &str) -> Option<String> {
    match url.parse::<Uri>() {
        Ok(uri) => Place::of(&uri).err(),
        Err(error) => Some(format!("{url}: {error}")),
    }
}
