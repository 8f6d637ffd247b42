//! A view of one element of a message that was read.

use super::lexer::{Lexer, QName, RawAttribute, Token, cdata};
use super::scope::{Scope, declares};
use super::write::attribute;
use std::borrow::Cow;

/// An element, as it stands in its message.
#[derive(Clone, Debug)]
pub struct Element<'a> {
    /// From the `<` of the start tag to the `>` of the end tag.
    raw: &'a str,
    name: QName<'a>,
    namespace: Cow<'a, str>,
    /// Where the attributes end in `raw`.
    attributes_end: usize,
    /// Where the content begins and ends in `raw`; `None` for an empty-element tag.
    content: Option<(usize, usize)>,
    scope: Scope<'a>,
}

/// An attribute that declares no namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute<'a> {
    /// The name with its prefix.
    pub name: &'a str,
    /// The value.
    pub value: Cow<'a, str>,
}

impl<'a> Element<'a> {
    /// The element of a text that `parse` has found to be one and nothing else, for example one
    /// that was handed on. Nothing is checked: of another text the views say anything.
    #[must_use]
    pub fn reread(text: &'a str) -> Option<Self> {
        let mut lexer = Lexer::new(text);
        let Ok(Token::Start(name)) = lexer.token() else { return None };
        let (scope, attributes_end) = read_tag(&mut lexer, &Scope::default());
        let is_empty = lexer.tag_end().ok()?;
        let content = (!is_empty).then(|| (lexer.at(), text.rfind("</").unwrap_or_default()));
        let namespace = scope.namespace(name.prefix);
        Some(Self { raw: text, name, namespace, attributes_end, content, scope })
    }

    /// A checked text, whose content lies there.
    pub(super) fn root(text: &'a str, content: Option<(usize, usize)>) -> Self {
        let mut lexer = Lexer::new(text);
        let name = match lexer.token() {
            Ok(Token::Start(name)) => name,
            _ => QName::default(),
        };
        let (scope, attributes_end) = read_tag(&mut lexer, &Scope::default());
        let namespace = scope.namespace(name.prefix);
        Self { raw: text, name, namespace, attributes_end, content, scope }
    }

    /// The element whose start tag's name was read last.
    fn read(lexer: &mut Lexer<'a>, start: usize, name: QName<'a>, outside: &Scope<'a>) -> Self {
        let (scope, attributes_end) = read_tag(lexer, outside);
        let content = match lexer.tag_end() {
            Ok(false) => {
                let content = lexer.at();
                Some((content, skip_content(lexer)))
            }
            _ => None,
        };
        let within = |at: usize| at.saturating_sub(start);
        Self {
            raw: lexer.between(start, lexer.at()),
            name,
            namespace: scope.namespace(name.prefix),
            attributes_end: within(attributes_end),
            content: content.map(|(from, to)| (within(from), within(to))),
            scope,
        }
    }

    /// The octets of the element.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The name without prefix.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name.local
    }

    /// The namespace; empty for none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether this is the element of that name in that namespace.
    #[must_use]
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name.local == name && self.namespace == namespace
    }

    /// An attribute by its name, with the prefix if it has one.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let found = self.raw_attributes().find(|attribute| attribute.name.whole == name);
        found.map(|attribute| attribute.value.value())
    }

    /// Attributes in their order, without declarations of namespaces.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { lexer: self.tag() }
    }

    /// The language that holds here, if one was said.
    #[must_use]
    pub fn lang(&self) -> Option<&str> {
        self.scope.lang.as_deref()
    }

    /// What lies between the tags.
    #[must_use]
    pub fn content(&self) -> &'a str {
        self.content.and_then(|(from, to)| self.raw.get(from..to)).unwrap_or_default()
    }

    /// Elements right below.
    #[must_use]
    pub fn children(&self) -> Children<'a> {
        Children { lexer: Lexer::new(self.content()), scope: self.scope.clone() }
    }

    /// The first element of that name in that namespace right below.
    #[must_use]
    pub fn child(&self, name: &str, namespace: &str) -> Option<Element<'a>> {
        self.children().find(|child| child.is(name, namespace))
    }

    /// The text right below, without that of children.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        let mut lexer = Lexer::new(self.content());
        let mut text = Cow::Borrowed("");
        loop {
            let piece = match lexer.token() {
                Ok(Token::Text(raw)) => raw.content(),
                Ok(Token::CData(content)) => cdata(content),
                Ok(Token::Start(_)) => {
                    skip_element(&mut lexer);
                    continue;
                }
                Ok(Token::End(_) | Token::Done) | Err(_) => return text,
            };
            if text.is_empty() {
                text = piece;
            } else {
                text.to_mut().push_str(&piece);
            }
        }
    }

    /// Appends the element so that it stands alone: with the namespaces, and the language, that
    /// are declared around it. Octets are copied, nothing else is changed.
    // XWS-011.
    pub fn write_alone(&self, out: &mut Vec<u8>) {
        let head = self.name.whole.len().saturating_add(1);
        let (head, rest) = self.raw.split_at_checked(head).unwrap_or((self.raw, ""));
        out.extend_from_slice(head.as_bytes());
        self.write_scope(out);
        out.extend_from_slice(rest.as_bytes());
    }

    /// Appends declarations of what holds here and is not declared by the element itself.
    pub(crate) fn write_scope(&self, out: &mut Vec<u8>) {
        let own: Vec<&str> =
            self.raw_attributes().filter_map(|attribute| declares(&attribute)).collect();
        let default = self.scope.namespace("");
        if !default.is_empty() && !own.contains(&"") {
            attribute(out, "xmlns", &default);
        }
        let mut said = own;
        for (prefix, uri) in self.scope.declared() {
            if !said.contains(&prefix) {
                attribute(out, &format!("xmlns:{prefix}"), uri);
                said.push(prefix);
            }
        }
        if let Some(lang) = &self.scope.lang
            && self.attribute("xml:lang").is_none()
        {
            attribute(out, "xml:lang", lang);
        }
    }

    /// Elements right below, each with its place in the content.
    pub(crate) fn children_at(&self) -> impl Iterator<Item = (Element<'a>, usize)> + use<'a> {
        let mut children = self.children();
        std::iter::from_fn(move || {
            let child = children.next()?;
            let end = children.lexer.at();
            let at = end.saturating_sub(child.raw.len());
            Some((child, at))
        })
    }

    /// The name as it stands in the tags.
    pub(crate) fn whole_name(&self) -> &'a str {
        self.name.whole
    }

    /// Attributes as they stand, declarations of namespaces among them.
    pub(crate) fn raw_attributes(&self) -> impl Iterator<Item = RawAttribute<'a>> + use<'a> {
        let mut lexer = self.tag();
        std::iter::from_fn(move || lexer.attribute().ok().flatten())
    }

    /// The start tag behind the name, without its end.
    fn tag(&self) -> Lexer<'a> {
        let from = self.name.whole.len().saturating_add(1);
        Lexer::new(self.raw.get(from..self.attributes_end).unwrap_or_default())
    }
}

/// Attributes of an element.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    lexer: Lexer<'a>,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        loop {
            let attribute = self.lexer.attribute().ok().flatten()?;
            if declares(&attribute).is_none() {
                let name = attribute.name.whole;
                return Some(Attribute { name, value: attribute.value.value() });
            }
        }
    }
}

/// Elements right below an element.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    lexer: Lexer<'a>,
    scope: Scope<'a>,
}

impl<'a> Iterator for Children<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        loop {
            let start = self.lexer.at();
            match self.lexer.token() {
                Ok(Token::Start(name)) => {
                    return Some(Element::read(&mut self.lexer, start, name, &self.scope));
                }
                Ok(Token::Text(_) | Token::CData(_)) => {}
                Ok(Token::End(_) | Token::Done) | Err(_) => return None,
            }
        }
    }
}

/// Reads the attributes of a tag: what holds inside, and where they end.
fn read_tag<'a>(lexer: &mut Lexer<'a>, outside: &Scope<'a>) -> (Scope<'a>, usize) {
    let mut scope = outside.clone();
    let mut end = lexer.at();
    while let Ok(Some(attribute)) = lexer.attribute() {
        scope.learn(&attribute);
        end = lexer.at();
    }
    (scope, end)
}

/// Reads on behind the end tag of an element whose start tag was read; where that end tag begins.
fn skip_content(lexer: &mut Lexer<'_>) -> usize {
    let mut depth = 0usize;
    loop {
        let at = lexer.at();
        match lexer.token() {
            Ok(Token::Start(_)) => {
                if !skip_tag(lexer) {
                    depth = depth.saturating_add(1);
                }
            }
            Ok(Token::End(_)) if depth == 0 => return at,
            Ok(Token::End(_)) => depth = depth.saturating_sub(1),
            Ok(Token::Text(_) | Token::CData(_)) => {}
            Ok(Token::Done) | Err(_) => return at,
        }
    }
}

/// Reads on behind an element whose start tag's name was read.
fn skip_element(lexer: &mut Lexer<'_>) {
    if !skip_tag(lexer) {
        skip_content(lexer);
    }
}

/// Reads on behind a start tag; true if it is the end of the element too.
fn skip_tag(lexer: &mut Lexer<'_>) -> bool {
    while let Ok(Some(_)) = lexer.attribute() {}
    lexer.tag_end().unwrap_or(true)
}
