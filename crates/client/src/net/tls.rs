//! TLS below a `wss` or `amqps` URL.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, ProtocolVersion, RootCertStore,
    SignatureScheme,
};

use crate::{Error, Tls};

/// What is needed for every handshake, made once.
pub(crate) fn configure(tls: &Tls) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = match tls {
        Tls::Config(config) => return Ok(Arc::clone(config)),
        Tls::PublicRoots => {
            Ok(RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()))
        }
        Tls::Roots(pem) => Ok(read_roots(pem)?),
        Tls::Insecure => Err(Arc::new(AnyServer(Arc::clone(&provider)))),
    };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| Error::Roots)?;
    let config = match verifier {
        Ok(roots) => builder.with_root_certificates(roots).with_no_client_auth(),
        Err(anyone) => {
            builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()
        }
    };
    Ok(Arc::new(config))
}

fn read_roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|_| Error::Roots)?).map_err(|_| Error::Roots)?;
    }
    if roots.is_empty() { Err(Error::Roots) } else { Ok(roots) }
}

/// Performs the handshake, which comes before any data, and makes sure that the peer is `host`; a
/// failure fails the connection (WS-HC-05). The name goes along as SNI.
// WS-HC-06, HYBI-022
pub(crate) async fn handshake(
    stream: TcpStream,
    host: &str,
    config: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, Error> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Error::Tls(Arc::new(io::ErrorKind::InvalidInput.into())))?;
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect(name, stream).await.map_err(|error| match error.kind() {
        // What rustls says of the peer; the rest is the network's.
        io::ErrorKind::InvalidData => Error::Tls(Arc::new(error)),
        _ => Error::Network(Arc::new(error)),
    })
}

/// What both ends of the connection know, and no one in between: `tls-exporter` (RFC 9266), for TLS
/// 1.3 alone.
pub(crate) fn exported(stream: &TlsStream<TcpStream>) -> Option<[u8; 32]> {
    let (_, connection) = stream.get_ref();
    let is_current = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let label = b"EXPORTER-Channel-Binding";
    let export = || connection.export_keying_material([0; 32], label, Some(b"")).ok();
    is_current.then(export).flatten()
}

/// Trusts every certificate, as long as the peer has its key.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
