//! Certificates of clients: whose they are. Each authority has its own rule for it, so that none
//! can name the users of another.

use crate::config::{ClientCertificates, NameFrom};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::path::Path;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// An authority, and what its certificates call their user.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    verifier: Arc<dyn ClientCertVerifier>,
    name_from: NameFrom,
}

/// What asks for certificates of any authority, and the authorities.
type Loaded = (Arc<dyn ClientCertVerifier>, Vec<Authority>);

/// Reads the authorities of the configuration, and makes what asks clients for certificates of any
/// of them. `None` without authorities.
///
/// # Errors
/// A file cannot be used.
pub(crate) fn load(entries: &[ClientCertificates]) -> Result<Option<Loaded>, String> {
    if entries.is_empty() {
        return Ok(None);
    }
    let (mut all, mut authorities) = (RootCertStore::empty(), Vec::new());
    for ClientCertificates { ca_file, name_from } in entries {
        let mut own = RootCertStore::empty();
        for certificate in read(ca_file)? {
            let wrong = |error| format!("{}: {error}", ca_file.display());
            all.add(certificate.clone()).map_err(wrong)?;
            own.add(certificate).map_err(wrong)?;
        }
        authorities.push(Authority { verifier: verifier(own)?, name_from: *name_from });
    }
    Ok(Some((verifier(all)?, authorities)))
}

/// The certificates of a PEM file.
///
/// # Errors
/// It cannot be read, or holds none.
pub(crate) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(format!("{}: holds no certificate", path.display())),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Asks for a certificate, and goes on without one: other ways to log in stay open.
fn verifier(roots: RootCertStore) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let provider = Arc::new(ring::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated()
        .build()
        .map_err(|error| error.to_string())
}

/// The user that a certificate names, by the rule of the authority that has signed it.
pub(crate) fn user_of(chain: &[CertificateDer<'_>], authorities: &[Authority]) -> Option<String> {
    let (own, others) = chain.split_first()?;
    let now = UnixTime::now();
    let signed =
        |authority: &&Authority| authority.verifier.verify_client_cert(own, others, now).is_ok();
    let authority = authorities.iter().find(signed)?;
    let (_, certificate) = X509Certificate::from_der(own).ok()?;
    name_in(&certificate, authority.name_from).filter(|name| !name.is_empty())
}

/// When a certificate is over, in seconds since 1970.
pub(super) fn not_after_s(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// Whether a certificate is for all of these names.
pub(crate) fn is_for(certificate: &CertificateDer<'_>, names: &[String]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let Ok(Some(known)) = certificate.subject_alternative_name() else { return false };
    let known = |name: &String| {
        known.value.general_names.iter().any(|known| {
            matches!(known, GeneralName::DNSName(known) if known.eq_ignore_ascii_case(name))
        })
    };
    names.iter().all(known)
}

/// When a certificate is to be renewed, in seconds since 1970: when a third of its time is left.
pub(crate) fn renewal_s(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let validity = certificate.validity();
    let (from, to) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Some(to.saturating_sub(to.saturating_sub(from) / 3))
}

fn name_in(certificate: &X509Certificate<'_>, from: NameFrom) -> Option<String> {
    if from == NameFrom::CommonName {
        // With two of them nobody knows which is meant.
        let mut names = certificate.subject().iter_common_name();
        let name = names.next()?.as_str().ok()?.to_owned();
        return names.next().is_none().then_some(name);
    }
    let names = certificate.subject_alternative_name().ok()??;
    let mut fitting = names.value.general_names.iter().filter_map(|name| match (from, name) {
        (NameFrom::Dns, GeneralName::DNSName(name))
        | (NameFrom::Email, GeneralName::RFC822Name(name))
        | (NameFrom::Uri, GeneralName::URI(name)) => Some((*name).to_owned()),
        _ => None,
    });
    let name = fitting.next()?;
    fitting.next().is_none().then_some(name)
}
