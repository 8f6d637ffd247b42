//! The one pass over a message that decides whether it may be used.

use super::element::Element;
use super::fault::{Bound, XmlFault};
use super::lexer::{Lexer, QName, Raw, RawAttribute, Token};
use super::scope::declares;
use super::stack::Stack;
use crate::limits::XmlLimits;
use crate::ns;
use std::borrow::Cow;

/// Reads a message: one element, alone.
///
/// # Errors
/// It is not what XMPP allows, or over a limit.
// XWS-011, XWS-014, XWS-021, RFC 6120 11.3.
pub fn parse<'a>(text: &'a str, limits: &XmlLimits) -> Result<Element<'a>, XmlFault> {
    if text.len() > limits.size_max_bytes {
        return Err(XmlFault::OverLimit(Bound::Size));
    }
    // XWS-013.
    if !text.starts_with('<') {
        return Err(XmlFault::NotWellFormed("the first character is not <"));
    }
    let mut lexer = Lexer::new(text);
    lexer.declaration()?;
    let start = lexer.at();
    let mut check = Check {
        lexer,
        limits,
        open: Stack::new(),
        bindings: Stack::new(),
        attributes: Stack::new(),
        content: None,
    };
    let end = check.document()?;
    let within = |at: usize| at.saturating_sub(start);
    let content = check.content.map(|(from, to)| (within(from), within(to)));
    Ok(Element::root(text.get(start..end).unwrap_or_default(), content))
}

/// An element whose end tag has not come.
#[derive(Clone, Copy, Debug, Default)]
struct Open<'a> {
    name: &'a str,
    /// Namespaces declared outside.
    bindings: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Binding<'a> {
    prefix: &'a str,
    uri: Raw<'a>,
}

struct Check<'a, 'l> {
    lexer: Lexer<'a>,
    limits: &'l XmlLimits,
    open: Stack<Open<'a>, 12>,
    bindings: Stack<Binding<'a>, 6>,
    /// Attributes of the element that is being read.
    attributes: Stack<QName<'a>, 8>,
    /// Where the content of the outermost element begins and ends.
    content: Option<(usize, usize)>,
}

impl<'a> Check<'a, '_> {
    /// Where the outermost element ends.
    fn document(&mut self) -> Result<usize, XmlFault> {
        match self.lexer.token()? {
            Token::Start(name) => self.start(name)?,
            _ => return Err(XmlFault::NotWellFormed("there is no element")),
        }
        if self.open.len() == 0 {
            return self.after();
        }
        loop {
            let at = self.lexer.at();
            match self.lexer.token()? {
                Token::Start(name) => self.start(name)?,
                Token::End(name) => self.end(name)?,
                Token::Text(_) | Token::CData(_) => {}
                Token::Done => return Err(XmlFault::NotWellFormed("an element does not end")),
            }
            if self.open.len() == 0 {
                self.content = self.content.map(|(from, _)| (from, at));
                return self.after();
            }
        }
    }

    /// Behind the element there may be white space (XWS-A02), and nothing else.
    fn after(&mut self) -> Result<usize, XmlFault> {
        let end = self.lexer.at();
        self.lexer.space();
        match self.lexer.token()? {
            Token::Done => Ok(end),
            Token::Start(_) => Err(XmlFault::NotWellFormed("two elements in one message")),
            _ => Err(XmlFault::NotWellFormed("something behind the element")),
        }
    }

    fn end(&mut self, name: QName<'a>) -> Result<(), XmlFault> {
        match self.open.pop() {
            Some(open) if open.name == name.whole => {
                self.bindings.truncate(open.bindings);
                Ok(())
            }
            _ => Err(XmlFault::NotWellFormed("an end tag of another element")),
        }
    }

    fn start(&mut self, name: QName<'a>) -> Result<(), XmlFault> {
        if self.open.len() >= self.limits.depth_max {
            return Err(XmlFault::OverLimit(Bound::Depth));
        }
        let outside = self.bindings.len();
        self.attributes.truncate(0);
        let mut count = 0usize;
        while let Some(attribute) = self.lexer.attribute()? {
            if count >= self.limits.attribute_count_max {
                return Err(XmlFault::OverLimit(Bound::Attributes));
            }
            count = count.saturating_add(1);
            match declares(&attribute) {
                Some(prefix) => self.declare(outside, prefix, &attribute)?,
                None => {
                    if self.is_known(attribute.name.whole) {
                        return Err(XmlFault::NotWellFormed("an attribute that is there twice"));
                    }
                    self.attributes.push(attribute.name);
                }
            }
        }
        let empty = self.lexer.tag_end()?;
        if !name.prefix.is_empty() && self.namespace(name.prefix)? == ns::CLIENT {
            return Err(XmlFault::ContentPrefix);
        }
        self.prefixed()?;
        if empty {
            self.bindings.truncate(outside);
        } else {
            if self.open.len() == 0 {
                self.content = Some((self.lexer.at(), self.lexer.at()));
            }
            self.open.push(Open { name: name.whole, bindings: outside });
        }
        Ok(())
    }

    /// Whether the element has an attribute that is written so.
    fn is_known(&self, name: &str) -> bool {
        self.attributes.since(0).any(|known| known.whole == name)
    }

    // Namespaces in XML 1.0, sections 2.2 and 3.
    fn declare(
        &mut self,
        outside: usize,
        prefix: &'a str,
        attribute: &RawAttribute<'a>,
    ) -> Result<(), XmlFault> {
        if self.bindings.len() >= self.limits.namespace_count_max {
            return Err(XmlFault::OverLimit(Bound::Namespaces));
        }
        if self.bindings.since(outside).any(|known| known.prefix == prefix) {
            return Err(XmlFault::NotWellFormed("a namespace that is declared twice"));
        }
        let uri = attribute.value.value();
        if prefix == "xmlns" || uri == ns::XMLNS || (prefix == "xml") != (uri == ns::XML) {
            return Err(XmlFault::NotWellFormed("a reserved prefix or namespace is declared"));
        }
        if uri.is_empty() && !prefix.is_empty() {
            return Err(XmlFault::NotWellFormed("a prefix for no namespace"));
        }
        self.bindings.push(Binding { prefix, uri: attribute.value });
        Ok(())
    }

    /// Prefixes of attributes are declared, and no two of them are the same attribute.
    fn prefixed(&self) -> Result<(), XmlFault> {
        let prefixed = |name: &&QName<'a>| !name.prefix.is_empty();
        for (at, name) in self.attributes.since(0).enumerate() {
            if name.prefix.is_empty() {
                continue;
            }
            let namespace = self.namespace(name.prefix)?;
            let before = self.attributes.since(0).take(at).filter(prefixed);
            for other in before.filter(|other| other.local == name.local) {
                if self.namespace(other.prefix)? == namespace {
                    return Err(XmlFault::NotWellFormed("an attribute that is there twice"));
                }
            }
        }
        Ok(())
    }

    fn namespace(&self, prefix: &str) -> Result<Cow<'a, str>, XmlFault> {
        if prefix == "xml" {
            return Ok(Cow::Borrowed(ns::XML));
        }
        let declared = self.bindings.since(0).rev().find(|known| known.prefix == prefix);
        let declared = declared.ok_or(XmlFault::NotWellFormed("an undeclared prefix"))?;
        Ok(declared.uri.value())
    }
}
