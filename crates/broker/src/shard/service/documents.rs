//! Small durable values of services: rosters, settings, what a page of a person says.

use crate::limits::{DOCUMENT_KEY_MAX_BYTES, DOCUMENT_MAX_BYTES};
use crate::record::Record;
use crate::shard::Shard;
use bytes::Bytes;
use std::ops::Bound;

impl Shard {
    /// Keeps a value under a key, or forgets it. False: it is too large, and nothing is changed.
    /// Like everything else it is durable with the frame that is open now.
    pub fn put_document(&mut self, key: &str, value: Option<Bytes>) -> bool {
        let fits = value.as_ref().is_none_or(|value| value.len() <= DOCUMENT_MAX_BYTES);
        if !fits || key.len() > DOCUMENT_KEY_MAX_BYTES {
            return false;
        }
        if self.document(key) != value.as_ref() {
            self.record(&Record::PutDocument { key: key.to_owned(), value });
        }
        true
    }

    /// The value of a key.
    #[must_use]
    pub fn document(&self, key: &str) -> Option<&Bytes> {
        self.state.documents.get(key)
    }

    /// Every document whose key begins so, in the order of keys.
    pub fn documents<'a>(
        &'a self,
        prefix: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Bytes)> + use<'a> {
        let bounds = (Bound::Included(prefix), Bound::Unbounded);
        let from = self.state.documents.range::<str, _>(bounds);
        let prefix = prefix.to_owned();
        let matching = from.take_while(move |(key, _)| key.starts_with(&prefix));
        matching.map(|(key, value)| (key.as_ref(), value))
    }
}
