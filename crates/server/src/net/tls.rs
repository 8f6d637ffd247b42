//! TLS: certificates from PEM files, read again on SIGHUP.

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ProtocolVersion, ServerConfig, ServerConnection};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use wharf_gateway::ChannelBinding;

use super::certificate::{self, Authority};
use crate::config;

/// What is wrong with a certificate or key file.
#[derive(Debug)]
pub(crate) struct CertificateError(String);

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The certificate in use.
#[derive(Debug)]
pub(crate) struct Certificates {
    current: RwLock<Arc<CertifiedKey>>,
    /// Who may sign certificates of clients.
    pub(crate) authorities: Vec<Authority>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl Certificates {
    /// Reads both files.
    ///
    /// # Errors
    /// A file cannot be read or used, or the key is not the certificate's.
    pub(crate) fn load(
        files: &config::Tls,
        clients: &[config::ClientCertificates],
    ) -> Result<Arc<Self>, CertificateError> {
        let current = RwLock::new(Arc::new(read(files)?));
        let loaded = certificate::load(clients).map_err(CertificateError)?;
        let (verifier, authorities) = loaded.unzip();
        let authorities = authorities.unwrap_or_default();
        Ok(Arc::new(Self { current, authorities, verifier }))
    }

    /// Reads both files again; connections made from now on see the new certificate.
    ///
    /// # Errors
    /// As for `load`; the old certificate stays.
    pub(crate) fn reload(&self, files: &config::Tls) -> Result<(), CertificateError> {
        let new = Arc::new(read(files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// When the certificate in use is over, in seconds since 1970.
    pub(crate) fn not_after_s(&self) -> Option<i64> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        certificate::not_after_s(current.cert.first()?)
    }

    /// Speaks TLS with these certificates.
    ///
    /// # Errors
    /// The library refuses the protocol versions.
    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, CertificateError> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| CertificateError(error.to_string()))?;
        let config = match &self.verifier {
            Some(verifier) => config.with_client_cert_verifier(Arc::clone(verifier)),
            None => config.with_no_client_auth(),
        };
        let mut config = config.with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// What names a channel for `-PLUS` mechanisms (RFC 9266, section 2). Of TLS 1.3 alone: in earlier
/// versions it takes an extension that the peer may not have.
pub(crate) fn binding(connection: &ServerConnection) -> Option<ChannelBinding> {
    let of_1_3 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let exported = of_1_3.then(|| {
        connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
    });
    exported?.ok().map(ChannelBinding::tls_exporter)
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &config::Tls) -> Result<CertifiedKey, CertificateError> {
    let wrong = |path: &Path, what: &dyn fmt::Display| {
        CertificateError(format!("{}: {what}", path.display()))
    };
    let certificate_file = &files.certificate_file;
    let chain = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate_file, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificate_file, &"holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key_file)
        .map_err(|error| wrong(&files.key_file, &error))?;
    let key = ring::sign::any_supported_type(&key).map_err(|e| wrong(&files.key_file, &e))?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|error| {
        wrong(&files.key_file, &format!("is not the certificate's key: {error}"))
    })?;
    Ok(certified)
}
