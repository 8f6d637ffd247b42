//! Stanzas out of stanzas: the opening tag anew, the rest as it came.

use super::Stanza;
use crate::xml::{Element, attribute};

/// What becomes of an attribute.
#[derive(Clone, Copy, Debug, Default)]
enum Change<'s> {
    #[default]
    Keep,
    Remove,
    Set(&'s str),
}

/// What is to be different in a stanza.
///
/// ```
/// use wharf_xmpp::limits::XmlLimits;
/// use wharf_xmpp::stanza::{Rewrite, Stanza};
///
/// let text = "<message xmlns='jabber:client' from='x' to='bob@b.example'><body>hi</body></message>";
/// let stanza = Stanza::parse(text, &XmlLimits::default())?;
/// let mut out = Vec::new();
/// Rewrite::new().from("al@a.example/1").write(&stanza, &mut out);
/// let routed: &[u8] =
///     b"<message xmlns='jabber:client' to='bob@b.example' from='al@a.example/1'><body>hi</body></message>";
/// assert_eq!(out, routed);
/// # Ok::<(), wharf_xmpp::xml::XmlFault>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Rewrite<'s> {
    from: Change<'s>,
    to: Change<'s>,
    id: Change<'s>,
    type_name: Change<'s>,
    lang: Option<&'s str>,
    without: Option<&'s dyn Fn(&Element<'_>) -> bool>,
    appended: &'s [u8],
}

impl<'s> Rewrite<'s> {
    /// Nothing is different.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whom it is from (RFC 6120, section 8.1.2.1).
    #[must_use]
    pub fn from(self, address: &'s str) -> Self {
        Self { from: Change::Set(address), ..self }
    }

    /// Says whom it is for.
    #[must_use]
    pub fn to(self, address: &'s str) -> Self {
        Self { to: Change::Set(address), ..self }
    }

    /// Says nothing of whom it is for.
    #[must_use]
    pub fn without_to(self) -> Self {
        Self { to: Change::Remove, ..self }
    }

    /// Gives it another name.
    #[must_use]
    pub fn id(self, id: &'s str) -> Self {
        Self { id: Change::Set(id), ..self }
    }

    /// Gives it another type.
    #[must_use]
    pub fn type_name(self, name: &'s str) -> Self {
        Self { type_name: Change::Set(name), ..self }
    }

    /// Says the language, where the stanza says none (RFC 6120, section 8.1.5).
    #[must_use]
    pub fn lang(self, lang: &'s str) -> Self {
        Self { lang: Some(lang), ..self }
    }

    /// Leaves out the children that fit.
    #[must_use]
    pub fn without(self, fits: &'s dyn Fn(&Element<'_>) -> bool) -> Self {
        Self { without: Some(fits), ..self }
    }

    /// Puts elements behind the last child. They declare their namespaces themselves.
    #[must_use]
    pub fn append(self, elements: &'s [u8]) -> Self {
        Self { appended: elements, ..self }
    }

    /// Appends the stanza, changed.
    pub fn write(&self, stanza: &Stanza<'_>, out: &mut Vec<u8>) {
        let element = stanza.element();
        self.write_tag(element, out);
        let before = out.len();
        match self.without {
            Some(fits) => write_without(element, fits, out),
            None => out.extend_from_slice(element.content().as_bytes()),
        }
        out.extend_from_slice(self.appended);
        if out.len() == before {
            out.pop();
            out.extend_from_slice(b"/>");
        } else {
            out.extend_from_slice(b"</");
            out.extend_from_slice(element.whole_name().as_bytes());
            out.push(b'>');
        }
    }

    fn write_tag(&self, element: &Element<'_>, out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(element.whole_name().as_bytes());
        let changes =
            [("from", self.from), ("to", self.to), ("id", self.id), ("type", self.type_name)];
        let mut has_lang = false;
        for old in element.raw_attributes() {
            let name = old.name.whole;
            has_lang |= name == "xml:lang";
            let change = changes.iter().find(|(changed, _)| *changed == name);
            if matches!(change, None | Some((_, Change::Keep))) {
                out.push(b' ');
                out.extend_from_slice(name.as_bytes());
                // The value may hold one kind of quotes; a reference stands for the other.
                let quote = if old.value.text.contains('\'') { b'"' } else { b'\'' };
                out.extend_from_slice(&[b'=', quote]);
                out.extend_from_slice(old.value.text.as_bytes());
                out.push(quote);
            }
        }
        for (name, change) in changes {
            if let Change::Set(value) = change {
                attribute(out, name, value);
            }
        }
        if let Some(lang) = self.lang.filter(|_| !has_lang) {
            attribute(out, "xml:lang", lang);
        }
        out.push(b'>');
    }
}

fn write_without(element: &Element<'_>, fits: &dyn Fn(&Element<'_>) -> bool, out: &mut Vec<u8>) {
    let content = element.content();
    let mut copied = 0;
    for (child, at) in element.children_at() {
        if fits(&child) {
            out.extend_from_slice(content.get(copied..at).unwrap_or_default().as_bytes());
            copied = at.saturating_add(child.raw().len());
        }
    }
    out.extend_from_slice(content.get(copied..).unwrap_or_default().as_bytes());
}

impl std::fmt::Debug for Rewrite<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewrite")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("id", &self.id)
            .field("type", &self.type_name)
            .field("lang", &self.lang)
            .finish_non_exhaustive()
    }
}
