//! A certificate from an authority that speaks ACME (RFC 8555), proven by TLS on our own listener
//! (tls-alpn-01, RFC 8737), and renewed when a third of its time is left.

use crate::config::AcmeEntry;
use crate::log::event;
use crate::net::certificate;
use crate::net::tls::{self, Certificates};
use crate::node::Node;
use crate::outgoing::Outgoing;
use bytes::Bytes;
use hyper::Request;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType,
    Error, HttpClient, Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::sign::CertifiedKey;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Time for the authority to look at a challenge, and again to sign.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at a certificate that is not due.
const LOOK_MAX: Duration = Duration::from_secs(12 * 3600);

/// From a failure to the next try, and what it grows to.
const RETRY_MIN: Duration = Duration::from_secs(60);
const RETRY_MAX: Duration = Duration::from_secs(6 * 3600);

/// Keeps one certificate.
pub(crate) struct Acme {
    entry: AcmeEntry,
    /// Account and certificate are files in it, for nobody else to read.
    directory: PathBuf,
    outgoing: Outgoing,
}

impl Acme {
    /// `data`: the data directory.
    ///
    /// # Errors
    /// The file with the authority's own authority cannot be used.
    pub(crate) fn new(entry: &AcmeEntry, data: &Path) -> Result<Self, String> {
        let outgoing = Outgoing::new(&entry.ca_file).map_err(|error| format!("acme: {error}"))?;
        Ok(Self { entry: entry.clone(), directory: data.join("acme"), outgoing })
    }

    /// The certificate of last time; until there is one, one that we sign ourselves, so that the
    /// authority can be answered.
    pub(crate) fn first(&self) -> Result<CertifiedKey, String> {
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        let failed = |error: &dyn std::fmt::Display| format!("acme: {error}");
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let own = CertificateParams::new(self.entry.domains.clone())
            .and_then(|params| params.self_signed(&key))
            .map_err(|error| failed(&error))?;
        let pem = own.pem() + &key.serialize_pem();
        tls::certified(pem.as_bytes(), pem.as_bytes()).map_err(|error| failed(&error))
    }

    /// The certificate of last time, if it is for the names of now.
    fn kept(&self) -> Option<CertifiedKey> {
        let pem = fs::read(self.certificate_file()).ok()?;
        let kept = tls::certified(&pem, &pem).ok()?;
        certificate::is_for(kept.cert.first()?, &self.entry.domains).then_some(kept)
    }

    fn certificate_file(&self) -> PathBuf {
        self.directory.join("certificate.pem")
    }

    /// Renews the certificate when it is time, for as long as the process runs.
    pub(crate) async fn keep(self, node: Arc<Node>, certificates: Arc<Certificates>) {
        let mut retry = RETRY_MIN;
        loop {
            let due = self.kept().and_then(|kept| certificate::renewal_s(kept.cert.first()?));
            let now = i64::try_from(crate::node::now_ms() / 1000).unwrap_or(i64::MAX);
            let wait = u64::try_from(due.unwrap_or(0).saturating_sub(now)).unwrap_or(0);
            if wait > 0 {
                tokio::time::sleep(Duration::from_secs(wait).min(LOOK_MAX)).await;
                continue;
            }
            let outcome = self.renew(&certificates).await;
            certificates.forget_challenges();
            let names = self.entry.domains.join(",");
            match outcome {
                Ok(()) => {
                    retry = RETRY_MIN;
                    node.metrics.certificate(certificates.not_after_s().unwrap_or(0));
                    tracing::info!(event = event::CERTIFICATE_ISSUED, names, "new certificate");
                }
                Err(reason) => {
                    let retry_s = retry.as_secs();
                    let what = "no new certificate; the one before stays";
                    tracing::error!(
                        event = event::CERTIFICATE_NOT_ISSUED,
                        names,
                        reason,
                        retry_s,
                        "{what}"
                    );
                    tokio::time::sleep(retry).await;
                    retry = retry.saturating_mul(2).min(RETRY_MAX);
                }
            }
        }
    }

    async fn renew(&self, certificates: &Certificates) -> Result<(), String> {
        let pem = self.order(certificates).await.map_err(|error| error.to_string())?;
        let key = tls::certified(pem.as_bytes(), pem.as_bytes()).map_err(|it| it.to_string())?;
        // One that is for other names would be asked for again at once, without end.
        if !key.cert.first().is_some_and(|it| certificate::is_for(it, &self.entry.domains)) {
            return Err("the authority has certified other names".to_owned());
        }
        self.write(&self.certificate_file(), pem.as_bytes()).map_err(|it| it.to_string())?;
        certificates.replace(key);
        Ok(())
    }

    /// One certificate: the chain and its key.
    async fn order(&self, certificates: &Certificates) -> Result<String, Error> {
        let account = self.account().await?;
        let names: Vec<Identifier> =
            self.entry.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge = authorization
                .challenge(ChallengeType::TlsAlpn01)
                .ok_or(Error::Unsupported("tls-alpn-01"))?;
            let name = challenge.identifier().to_string();
            let digest = challenge.key_authorization().digest();
            let answer = answer(&name, digest.as_ref()).map_err(|it| Error::Other(it.into()))?;
            certificates.put_challenge(&name, answer);
            challenge.set_ready().await?;
        }
        let patience = RetryPolicy::new().timeout(PATIENCE);
        if order.poll_ready(&patience).await? != OrderStatus::Ready {
            return Err(Error::Str(
                "the proof was not accepted: is this port reached by that name?",
            ));
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&patience).await?;
        Ok(chain + "\n" + &key)
    }

    /// The account of last time with this authority, or a new one.
    async fn account(&self) -> Result<Account, Error> {
        let path = self.directory.join("account.json");
        let url = &self.entry.directory_url;
        let kept: Option<(String, AccountCredentials)> =
            fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let builder = Account::builder_with_http(Box::new(Client(self.outgoing.clone())));
        if let Some((_, credentials)) = kept.filter(|(of, _)| of == url) {
            return builder.from_credentials(credentials).await;
        }
        let contact = Some(format!("mailto:{}", self.entry.contact));
        let contact = contact.filter(|_| !self.entry.contact.is_empty());
        let contact: Vec<&str> = contact.as_deref().into_iter().collect();
        let account = NewAccount {
            contact: &contact,
            terms_of_service_agreed: self.entry.terms_of_service_agreed,
            only_return_existing: false,
        };
        let (account, credentials) = builder.create(&account, url.clone(), None).await?;
        let text = serde_json::to_vec(&(url, credentials))?;
        self.write(&path, &text).map_err(|error| Error::Other(error.into()))?;
        Ok(account)
    }

    /// Writes a file at once or not at all, for ourselves alone.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let new = path.with_extension("new");
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        fs::File::open(&self.directory)?.sync_all()
    }
}

/// The certificate that answers a challenge (RFC 8737, section 3).
fn answer(name: &str, digest: &[u8]) -> Result<CertifiedKey, String> {
    let made = || {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        Ok((params.self_signed(&key)?.pem() + &key.serialize_pem()).into_bytes())
    };
    let pem: Vec<u8> = made().map_err(|error: rcgen::Error| error.to_string())?;
    tls::both(&pem, &pem).map_err(|error| error.to_string())
}

/// What the library makes its requests with.
struct Client(Outgoing);

/// What it wants of a request.
type Answered = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

impl HttpClient for Client {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answered {
        let outgoing = self.0.clone();
        Box::pin(async move {
            let answered = outgoing.send(request).await;
            answered.map(BytesResponse::from).map_err(|reason| Error::Other(reason.into()))
        })
    }
}
