//! What is seen in a document, and pieces of it that stand alone.

use proptest::prelude::*;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::xml::{Element, parse};

fn read(text: &str) -> Element<'_> {
    parse(text, &XmlLimits::default()).unwrap()
}

fn alone(element: &Element<'_>) -> String {
    let mut out = Vec::new();
    element.write_alone(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn names_attributes_children_and_text() {
    let message = read(
        "<message xmlns='jabber:client' to='a&amp;b' xml:lang='de'> x <body>1 &lt; 2</body>\
         <x:y xmlns:x='urn:x' z=''/><![CDATA[<y>]]></message>",
    );
    assert!(message.is("message", "jabber:client"));
    assert_eq!(message.attribute("to").as_deref(), Some("a&b"));
    assert_eq!(message.attribute("from"), None);
    assert_eq!(message.attribute("xmlns").as_deref(), Some("jabber:client"));
    assert_eq!(message.lang(), Some("de"));
    assert_eq!(message.text(), " x <y>");
    let names: Vec<_> = message
        .children()
        .map(|child| format!("{{{}}}{}", child.namespace(), child.name()))
        .collect();
    assert_eq!(names, ["{jabber:client}body", "{urn:x}y"]);
    assert_eq!(message.child("body", "jabber:client").unwrap().text(), "1 < 2");
    assert_eq!(message.child("body", "").map(|_| ()), None);
    let attributes: Vec<_> = message.attributes().map(|attribute| attribute.name).collect();
    assert_eq!(attributes, ["to", "xml:lang"]);
}

#[test]
fn white_space_in_values_and_line_ends_in_texts() {
    // XML 1.0, 2.11 and 3.3.3.
    let element = read("<a b='1\r\n2\t3\n&#10;&#13;'>1\r\n2\r3&#13;<![CDATA[\r\n]]></a>");
    assert_eq!(element.attribute("b").unwrap(), "1 2 3 \n\r");
    assert_eq!(element.text(), "1\n2\n3\r\n");
}

#[test]
fn the_octets_of_an_element_are_those_that_came() {
    let text = "<iq xmlns='jabber:client'  id = \"1\" ><query xmlns='q'><a/> <b></b></query></iq >";
    let iq = read(text);
    assert_eq!(iq.raw(), text);
    let query = iq.children().next().unwrap();
    assert_eq!(query.raw(), "<query xmlns='q'><a/> <b></b></query>");
    assert_eq!(query.content(), "<a/> <b></b>");
    let raws: Vec<_> = query.children().map(|child| child.raw()).collect();
    assert_eq!(raws, ["<a/>", "<b></b>"]);
}

#[test]
fn a_declaration_and_white_space_around_are_no_part_of_it() {
    assert_eq!(read("<?xml version='1.0'?>\n<a/>\n").raw(), "<a/>");
}

#[test]
fn a_piece_takes_its_declarations_along() {
    // XWS-011.
    let iq = read(
        "<iq xmlns='jabber:client' xmlns:p='urn:p' xml:lang='en'><q xmlns='urn:q'>\
         <p:a/><b xmlns:p='urn:other' xml:lang='de'/><c xmlns=''/></q></iq>",
    );
    let query = iq.children().next().unwrap();
    let pieces: Vec<_> = query.children().map(|child| alone(&child)).collect();
    assert_eq!(
        pieces,
        [
            "<p:a xmlns='urn:q' xmlns:p='urn:p' xml:lang='en'/>",
            "<b xmlns='urn:q' xmlns:p='urn:other' xml:lang='de'/>",
            "<c xmlns:p='urn:p' xml:lang='en' xmlns=''/>",
        ]
    );
    for piece in &pieces {
        read(piece);
    }
}

proptest! {
    /// A piece that stands alone says what it said in its place.
    #[test]
    fn a_piece_alone_is_the_same(
        outer in "( xmlns='[uv]')?( xmlns:p='[uv]')?( xml:lang='e[nm]')?",
        inner in "( xmlns='[uv]?')?( xmlns:q='[uv]')?( x='1')?",
        name in "(p:)?[ab]",
    ) {
        let text = format!("<r xmlns:p='w'><o{outer}><{name}{inner}><p:c/><d/></{name}></o></r>");
        let Ok(root) = parse(&text, &XmlLimits::default()) else { return Ok(()) };
        let piece = root.children().next().unwrap().children().next().unwrap();
        let alone = alone(&piece);
        let read = parse(&alone, &XmlLimits::default()).unwrap();
        prop_assert_eq!(read.name(), piece.name());
        prop_assert_eq!(read.namespace(), piece.namespace());
        prop_assert_eq!(read.lang(), piece.lang());
        let of = |element: &Element<'_>| -> Vec<_> {
            let names = element.children();
            names.map(|child| (child.name().to_owned(), child.namespace().to_owned())).collect()
        };
        prop_assert_eq!(of(&read), of(&piece));
    }
}

/// What was read once is read again without a check, to the same views.
#[test]
fn a_text_that_was_checked_is_read_again() {
    let table = [
        "<message xmlns='jabber:client' to='a@b'><body>x &lt; y</body><z xmlns='n'><z/></z></message>",
        "<presence xmlns='jabber:client'/>",
        "<iq xmlns='jabber:client' type=\"get\" id='1'><q xmlns='n'></q></iq >",
        "<message xmlns='jabber:client'></message>",
    ];
    for text in table {
        let read = parse(text, &XmlLimits::default()).unwrap();
        let again = Element::reread(text).unwrap();
        assert_eq!(format!("{read:?}"), format!("{again:?}"));
    }
    for text in ["", "x", "<", "<a", "</a>", "<a x", "<a>", "\u{e9}<a></a>"] {
        if let Some(element) = Element::reread(text) {
            assert_eq!(element.children().count(), 0, "{text}");
        }
    }
}
