//! Namespaces and language at one element.

use super::lexer::RawAttribute;
use crate::ns;
use std::borrow::Cow;
use std::sync::Arc;

/// What holds inside an element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope<'a> {
    default: Cow<'a, str>,
    /// The latest first. Most messages have none.
    prefixes: Option<Arc<Prefix<'a>>>,
    pub(crate) lang: Option<Cow<'a, str>>,
}

#[derive(Debug)]
struct Prefix<'a> {
    prefix: &'a str,
    uri: Cow<'a, str>,
    outer: Option<Arc<Prefix<'a>>>,
}

/// What an attribute declares, if it declares a namespace: the prefix, empty for the default.
pub(crate) fn declares<'a>(attribute: &RawAttribute<'a>) -> Option<&'a str> {
    match (attribute.name.prefix, attribute.name.local) {
        ("", "xmlns") => Some(""),
        ("xmlns", prefix) => Some(prefix),
        _ => None,
    }
}

impl<'a> Scope<'a> {
    /// What an attribute of the element changes.
    pub(crate) fn learn(&mut self, attribute: &RawAttribute<'a>) {
        match declares(attribute) {
            Some("") => self.default = attribute.value.value(),
            Some("xml") => {}
            Some(prefix) => {
                let (uri, outer) = (attribute.value.value(), self.prefixes.take());
                self.prefixes = Some(Arc::new(Prefix { prefix, uri, outer }));
            }
            None if attribute.name.whole == "xml:lang" => {
                self.lang = Some(attribute.value.value());
            }
            None => {}
        }
    }

    /// The namespace of elements with this prefix.
    pub(crate) fn namespace(&self, prefix: &str) -> Cow<'a, str> {
        match prefix {
            "" => self.default.clone(),
            "xml" => Cow::Borrowed(ns::XML),
            _ => {
                let found = self.declared().find(|(known, _)| *known == prefix);
                found.map(|(_, uri)| uri.clone()).unwrap_or_default()
            }
        }
    }

    /// Prefixes with their namespaces, the innermost first; outer ones of the same name follow.
    pub(crate) fn declared(&self) -> impl Iterator<Item = (&'a str, &Cow<'a, str>)> {
        let mut next = self.prefixes.as_deref();
        std::iter::from_fn(move || {
            let prefix = next?;
            next = prefix.outer.as_deref();
            Some((prefix.prefix, &prefix.uri))
        })
    }
}
