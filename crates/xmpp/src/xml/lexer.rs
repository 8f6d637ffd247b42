//! Tags, attributes, text and references: the grammar of XML 1.0 below the element.

use super::chars::{is_char, is_space, ncname_len};
use super::fault::XmlFault;
use std::borrow::Cow;

/// A name with its prefix, as it stands in the document.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct QName<'a> {
    pub(crate) whole: &'a str,
    /// Empty if there is none.
    pub(crate) prefix: &'a str,
    pub(crate) local: &'a str,
}

/// A value between quotes, or the text between two tags.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    /// It says itself: no references, nothing to normalise.
    pub(crate) plain: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct RawAttribute<'a> {
    pub(crate) name: QName<'a>,
    pub(crate) value: Raw<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'a> {
    /// `<name`; the attributes and the end of the tag are to be read next.
    Start(QName<'a>),
    End(QName<'a>),
    Text(Raw<'a>),
    /// The content of a CDATA section.
    CData(&'a str),
    /// The document ends here.
    Done,
}

/// A place in a document.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

fn bad(what: &'static str) -> XmlFault {
    XmlFault::NotWellFormed(what)
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What lies between two places.
    pub(crate) fn between(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, len: usize) {
        self.at = self.at.saturating_add(len);
    }

    /// Whether there was any.
    pub(crate) fn space(&mut self) -> bool {
        let rest = self.rest().as_bytes();
        let len = rest.iter().position(|&byte| !is_space(byte)).unwrap_or(rest.len());
        self.skip(len);
        len > 0
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), XmlFault> {
        if self.peek() != Some(byte) {
            return Err(bad(what));
        }
        self.skip(1);
        Ok(())
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.skip(word.len());
        }
        found
    }

    fn ncname(&mut self) -> Result<&'a str, XmlFault> {
        let rest = self.rest();
        let len = ncname_len(rest);
        if len == 0 {
            return Err(bad("a name was expected"));
        }
        self.skip(len);
        Ok(rest.get(..len).unwrap_or_default())
    }

    fn qname(&mut self) -> Result<QName<'a>, XmlFault> {
        let start = self.at;
        let first = self.ncname()?;
        if self.peek() != Some(b':') {
            return Ok(QName { whole: first, prefix: "", local: first });
        }
        self.skip(1);
        let local = self.ncname()?;
        Ok(QName { whole: self.between(start, self.at), prefix: first, local })
    }

    /// The next token. After `Start`, `attribute` until `None` and then `tag_end`.
    pub(crate) fn token(&mut self) -> Result<Token<'a>, XmlFault> {
        match self.peek() {
            None => Ok(Token::Done),
            Some(b'<') => self.markup(),
            Some(_) => self.character_data().map(Token::Text),
        }
    }

    fn markup(&mut self) -> Result<Token<'a>, XmlFault> {
        self.skip(1);
        match self.peek() {
            Some(b'/') => {
                self.skip(1);
                let name = self.qname()?;
                self.space();
                self.expect(b'>', "an end tag does not end")?;
                Ok(Token::End(name))
            }
            // RFC 6120 11.1, XWS-021.
            Some(b'?') => Err(XmlFault::Restricted("a processing instruction")),
            Some(b'!') if self.eat("!--") => Err(XmlFault::Restricted("a comment")),
            Some(b'!') if self.eat("!DOCTYPE") => Err(XmlFault::Restricted("a DTD")),
            Some(b'!') if self.eat("![CDATA[") => {
                let rest = self.rest();
                let len = rest.find("]]>").ok_or(bad("a CDATA section does not end"))?;
                let content = rest.get(..len).unwrap_or_default();
                if !content.chars().all(is_char) {
                    return Err(bad("a character that XML has not"));
                }
                self.skip(len.saturating_add(3));
                Ok(Token::CData(content))
            }
            _ => Ok(Token::Start(self.qname()?)),
        }
    }

    /// XML 1.0, production 14.
    fn character_data(&mut self) -> Result<Raw<'a>, XmlFault> {
        let start = self.at;
        let mut plain = true;
        loop {
            let rest = self.rest().as_bytes();
            let stop = |&byte: &u8| matches!(byte, 0..=0x1f | b'<' | b'&' | b']' | 0xef);
            let len = rest.iter().position(stop).unwrap_or(rest.len());
            self.skip(len);
            match self.peek() {
                None | Some(b'<') => break,
                Some(b'&') => {
                    self.reference()?;
                    plain = false;
                }
                Some(b']') if self.rest().starts_with("]]>") => {
                    return Err(bad("]]> in a text"));
                }
                Some(b'\r') => {
                    self.skip(1);
                    plain = false;
                }
                Some(_) => self.any_char()?,
            }
        }
        Ok(Raw { text: self.between(start, self.at), plain })
    }

    fn any_char(&mut self) -> Result<(), XmlFault> {
        match self.rest().chars().next() {
            Some(c) if is_char(c) => {
                self.skip(c.len_utf8());
                Ok(())
            }
            _ => Err(bad("a character that XML has not")),
        }
    }

    /// The next attribute of the tag; `None` when its end is next.
    pub(crate) fn attribute(&mut self) -> Result<Option<RawAttribute<'a>>, XmlFault> {
        let spaced = self.space();
        if matches!(self.peek(), Some(b'>' | b'/')) {
            return Ok(None);
        }
        if !spaced {
            return Err(bad("no white space before an attribute"));
        }
        let name = self.qname()?;
        self.equals()?;
        let value = self.quoted()?;
        Ok(Some(RawAttribute { name, value }))
    }

    fn equals(&mut self) -> Result<(), XmlFault> {
        self.space();
        self.expect(b'=', "an attribute without a value")?;
        self.space();
        Ok(())
    }

    /// The end of a start tag; true if it is the end of the element too.
    pub(crate) fn tag_end(&mut self) -> Result<bool, XmlFault> {
        let empty = self.eat("/");
        self.expect(b'>', "a start tag does not end")?;
        Ok(empty)
    }

    /// XML 1.0, production 10.
    fn quoted(&mut self) -> Result<Raw<'a>, XmlFault> {
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return Err(bad("a value without quotes")),
        };
        self.skip(1);
        let start = self.at;
        let mut plain = true;
        loop {
            let rest = self.rest().as_bytes();
            let stop = |&byte: &u8| byte == quote || matches!(byte, 0..=0x1f | b'<' | b'&' | 0xef);
            let len = rest.iter().position(stop).ok_or(bad("a value does not end"))?;
            self.skip(len);
            match self.peek() {
                Some(byte) if byte == quote => break,
                Some(b'<') => return Err(bad("< in a value")),
                Some(b'&') => {
                    self.reference()?;
                    plain = false;
                }
                Some(b'\t' | b'\r' | b'\n') => {
                    self.skip(1);
                    plain = false;
                }
                _ => self.any_char()?,
            }
        }
        let text = self.between(start, self.at);
        self.skip(1);
        Ok(Raw { text, plain })
    }

    /// XML 1.0, production 67; of entities there are the five of section 4.6.
    fn reference(&mut self) -> Result<char, XmlFault> {
        let rest = self.rest();
        let name = rest.strip_prefix('&').unwrap_or_default();
        let (name, _) = name.split_once(';').ok_or(bad("& that begins no reference"))?;
        self.skip(name.len().saturating_add(2));
        let c = match name.strip_prefix('#') {
            Some(number) => character_reference(number),
            None => match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "apos" => Some('\''),
                "quot" => Some('"'),
                // RFC 6120 11.1, XWS-021.
                _ if ncname_len(name) == name.len() && !name.is_empty() => {
                    return Err(XmlFault::Restricted("an entity"));
                }
                _ => None,
            },
        };
        c.ok_or(bad("a reference to no character"))
    }

    /// The declaration that a document may begin with, though it is not recommended to.
    // XWS-012, XWS-A02: of version 1.0 and in UTF-8 alone. RFC 6120 11.5: what it says of being
    // standalone is passed over.
    pub(crate) fn declaration(&mut self) -> Result<(), XmlFault> {
        let Some(after) = self.rest().strip_prefix("<?xml") else { return Ok(()) };
        if !after.starts_with([' ', '\t', '\r', '\n']) {
            return Ok(());
        }
        self.skip("<?xml".len());
        self.space();
        if !self.eat("version") {
            return Err(bad("an XML declaration without a version"));
        }
        self.equals()?;
        if self.quoted()?.text != "1.0" {
            return Err(bad("another version of XML"));
        }
        let mut spaced = self.space();
        if spaced && self.eat("encoding") {
            self.equals()?;
            if !self.quoted()?.text.eq_ignore_ascii_case("utf-8") {
                return Err(XmlFault::Encoding);
            }
            spaced = self.space();
        }
        if spaced && self.eat("standalone") {
            self.equals()?;
            if !matches!(self.quoted()?.text, "yes" | "no") {
                return Err(bad("an XML declaration that is neither standalone nor not"));
            }
            self.space();
        }
        if !self.eat("?>") {
            return Err(bad("an XML declaration does not end"));
        }
        self.space();
        Ok(())
    }
}

fn character_reference(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // `from_str_radix` takes signs.
    let well_written = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    let code = well_written.then(|| u32::from_str_radix(digits, radix).ok())??;
    char::from_u32(code).filter(|&c| is_char(c))
}

/// The text that a value or a text stands for.
impl<'a> Raw<'a> {
    /// As an attribute: white space that is written as itself is a blank (XML 1.0, 3.3.3).
    pub(crate) fn value(self) -> Cow<'a, str> {
        if self.plain { Cow::Borrowed(self.text) } else { Cow::Owned(resolve(self.text, true)) }
    }

    /// As content: line ends are line feeds (XML 1.0, 2.11).
    pub(crate) fn content(self) -> Cow<'a, str> {
        if self.plain { Cow::Borrowed(self.text) } else { Cow::Owned(resolve(self.text, false)) }
    }
}

fn resolve(text: &str, is_attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lexer = Lexer::new(text);
    while let Some(byte) = lexer.peek() {
        if byte == b'&' {
            match lexer.reference() {
                Ok(c) => out.push(c),
                Err(_) => break,
            }
            continue;
        }
        let Some(c) = lexer.rest().chars().next() else { break };
        lexer.skip(c.len_utf8());
        match c {
            '\r' if lexer.peek() == Some(b'\n') => {}
            '\r' | '\n' | '\t' if is_attribute => out.push(' '),
            '\r' => out.push('\n'),
            c => out.push(c),
        }
    }
    out
}

/// The content of a CDATA section, with line feeds as line ends.
pub(crate) fn cdata(content: &str) -> Cow<'_, str> {
    if content.contains('\r') {
        Cow::Owned(content.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(content)
    }
}
