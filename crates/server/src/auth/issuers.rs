//! Issuers of tokens by the configuration: their keys from a file, or from where they publish them
//! (RFC 7517, section 5), fetched again as time passes and when a token names a new one.

use super::jwt::Issuer;
use crate::config::IssuerEntry;
use crate::log::event;
use crate::outgoing::Outgoing;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::header::ACCEPT;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// From one fetch of the keys to the next.
const REFRESH: Duration = Duration::from_secs(600);

/// Between two fetches, whatever tokens name.
const REST: Duration = Duration::from_secs(10);

/// One issuer, and what was said of it.
#[derive(Debug)]
pub(crate) struct Known {
    entry: IssuerEntry,
    pub(super) issuer: Arc<Issuer>,
    /// What fetches its keys, until that has begun.
    fetch: Option<Fetch>,
}

struct Fetch {
    url: String,
    outgoing: Outgoing,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)
    }
}

/// Reads what can be read now. An issuer that is known already keeps the keys that were fetched.
///
/// # Errors
/// A file cannot be used.
pub(crate) fn load(entries: &[IssuerEntry], known: &[Arc<Known>]) -> Result<Vec<Known>, String> {
    entries.iter().map(|entry| one(entry, known)).collect()
}

fn one(entry: &IssuerEntry, known: &[Arc<Known>]) -> Result<Known, String> {
    let IssuerEntry { jwks_file, jwks_url, ca_file, issuer, audience, user_claim } = entry;
    let entry = entry.clone();
    if jwks_url.is_empty() {
        let wrong = |what: String| format!("issuers: {}: {what}", jwks_file.display());
        let text = std::fs::read_to_string(jwks_file).map_err(|error| wrong(error.to_string()))?;
        let issuer = Issuer::new(&text, issuer, audience, user_claim).map_err(wrong)?;
        return Ok(Known { entry, issuer: Arc::new(issuer), fetch: None });
    }
    let outgoing = Outgoing::new(ca_file).map_err(|error| format!("issuers: {error}"))?;
    if let Some(same) = known.iter().find(|known| known.entry == entry) {
        return Ok(Known { entry, issuer: Arc::clone(&same.issuer), fetch: None });
    }
    let issuer = Arc::new(Issuer::without_keys(issuer, audience, user_claim));
    let fetch = Some(Fetch { url: jwks_url.clone(), outgoing });
    Ok(Known { entry, issuer, fetch })
}

impl Known {
    /// Begins to fetch the keys, if they are fetched and nobody does so yet.
    pub(super) fn begin(&mut self) {
        if let Some(fetch) = self.fetch.take() {
            let missed = Arc::clone(&self.issuer.missed);
            tokio::spawn(keep(Arc::downgrade(&self.issuer), missed, fetch));
        }
    }
}

/// Fetches keys for as long as the issuer is in use.
async fn keep(issuer: Weak<Issuer>, missed: Arc<Notify>, fetch: Fetch) {
    while issuer.strong_count() > 0 {
        let fetched = fetch.once().await;
        let Some(issuer) = issuer.upgrade() else { return };
        let outcome = fetched.and_then(|text| issuer.set_keys(&text));
        drop(issuer);
        let url = &fetch.url;
        let wait = match outcome {
            Ok(()) => {
                tracing::debug!(event = event::KEYS_FETCHED, url, "keys of an issuer");
                REFRESH
            }
            Err(reason) => {
                tracing::warn!(
                    event = event::KEYS_NOT_FETCHED,
                    url,
                    reason,
                    "the keys before stay in use"
                );
                REST
            }
        };
        tokio::time::sleep(REST).await;
        let _ = tokio::time::timeout(wait.saturating_sub(REST), missed.notified()).await;
    }
}

impl Fetch {
    async fn once(&self) -> Result<String, String> {
        let request = Request::get(&self.url)
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let response = self.outgoing.send(request).await?;
        if !response.status().is_success() {
            return Err(format!("answered {}", response.status()));
        }
        let Ok(body) = response.into_body().collect().await;
        String::from_utf8(body.to_bytes().to_vec()).map_err(|_| "no text".to_owned())
    }
}
