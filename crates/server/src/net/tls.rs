//! TLS: certificates from PEM files, read again on SIGHUP, or from an authority.

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ProtocolVersion, ServerConfig, ServerConnection};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use wharf_gateway::ChannelBinding;

use super::certificate::{self, Authority};
use crate::config;

/// The protocol of a connection that is nothing but a proof (RFC 8737, section 6.2).
pub(crate) const CHALLENGE: &[u8] = b"acme-tls/1";

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
    /// What an authority is shown that wants a proof (RFC 8737), by name.
    challenges: RwLock<HashMap<String, Arc<CertifiedKey>>>,
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
        Self::new(read(files)?, clients)
    }

    /// With a certificate that is here.
    ///
    /// # Errors
    /// A file of an authority of clients cannot be used.
    pub(crate) fn new(
        current: CertifiedKey,
        clients: &[config::ClientCertificates],
    ) -> Result<Arc<Self>, CertificateError> {
        let current = RwLock::new(Arc::new(current));
        let loaded = certificate::load(clients).map_err(CertificateError)?;
        let (verifier, authorities) = loaded.unzip();
        let authorities = authorities.unwrap_or_default();
        let challenges = RwLock::default();
        Ok(Arc::new(Self { current, challenges, authorities, verifier }))
    }

    /// Reads both files again; connections made from now on see the new certificate.
    ///
    /// # Errors
    /// As for `load`; the old certificate stays.
    pub(crate) fn reload(&self, files: &config::Tls) -> Result<(), CertificateError> {
        self.replace(read(files)?);
        Ok(())
    }

    /// Connections made from now on see this certificate.
    pub(crate) fn replace(&self, new: CertifiedKey) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }

    /// What an authority is shown that looks for a proof of this name.
    pub(crate) fn put_challenge(&self, name: &str, answer: CertifiedKey) {
        let mut challenges = self.challenges.write().unwrap_or_else(PoisonError::into_inner);
        challenges.insert(name.to_ascii_lowercase(), Arc::new(answer));
    }

    /// Nothing is to be proven any more.
    pub(crate) fn forget_challenges(&self) {
        self.challenges.write().unwrap_or_else(PoisonError::into_inner).clear();
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
        config.alpn_protocols = vec![b"http/1.1".to_vec(), CHALLENGE.to_vec()];
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
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut offered| offered.any(|it| it == CHALLENGE)) {
            let name = hello.server_name()?.to_ascii_lowercase();
            let challenges = self.challenges.read().unwrap_or_else(PoisonError::into_inner);
            return challenges.get(&name).cloned();
        }
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &config::Tls) -> Result<CertifiedKey, CertificateError> {
    let (chain, key) = (&files.certificate_file, &files.key_file);
    let wrong = |path: &Path, what: &dyn fmt::Display| {
        CertificateError(format!("{}: {what}", path.display()))
    };
    let read = |path: &Path| std::fs::read(path).map_err(|error| wrong(path, &error));
    certified(&read(chain)?, &read(key)?).map_err(|unfit| match &unfit {
        Unfit::Chain(_) => wrong(chain, &unfit),
        Unfit::Key(_) => wrong(key, &unfit),
    })
}

/// Which of two PEM texts does not fit, and why.
#[derive(Debug)]
pub(crate) enum Unfit {
    Chain(String),
    Key(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Chain(what) | Self::Key(what)) = self;
        f.write_str(what)
    }
}

/// A certificate chain and its key from PEM texts.
///
/// # Errors
/// One of them holds nothing that can be used, or they do not belong together.
pub(crate) fn certified(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, Unfit> {
    let certified = both(chain, key)?;
    let matched = certified.keys_match();
    matched.map_err(|it| Unfit::Key(format!("is not the certificate's key: {it}")))?;
    Ok(certified)
}

/// The same without a look into the certificate: one that answers a challenge is not meant to be
/// understood by others.
///
/// # Errors
/// One of the texts holds nothing that can be used.
pub(crate) fn both(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, Unfit> {
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Unfit::Chain(error.to_string()))?;
    if chain.is_empty() {
        return Err(Unfit::Chain("holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|it| Unfit::Key(it.to_string()))?;
    let key = ring::sign::any_supported_type(&key).map_err(|it| Unfit::Key(it.to_string()))?;
    Ok(CertifiedKey::new(chain, key))
}
