//! Stanzas out of stanzas.

use proptest::prelude::*;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::stanza::{Rewrite, Stanza};
use wharf_xmpp::xml::Element;

fn rewrite(text: &str, change: &Rewrite<'_>) -> String {
    let stanza = Stanza::parse(text, &XmlLimits::default()).unwrap();
    let mut out = Vec::new();
    change.write(&stanza, &mut out);
    let out = String::from_utf8(out).unwrap();
    Stanza::parse(&out, &XmlLimits::default()).unwrap();
    out
}

#[test]
fn only_the_opening_tag_is_written_anew() {
    let text = "<message\n xmlns=\"jabber:client\" to='b@b' xmlns:x='urn:x' id = '1'>\
                <body>a  &amp; b<![CDATA[ c ]]></body><x:y z=\"'\"/>\n</message >";
    assert_eq!(
        rewrite(text, &Rewrite::new().from("a@a/r")),
        "<message xmlns='jabber:client' to='b@b' xmlns:x='urn:x' id='1' from='a@a/r'>\
         <body>a  &amp; b<![CDATA[ c ]]></body><x:y z=\"'\"/>\n</message>"
    );
}

#[test]
fn attributes_are_set_replaced_and_removed() {
    let text = "<iq xmlns='jabber:client' from='x' to='y' id='1' type='get'/>";
    assert_eq!(
        rewrite(text, &Rewrite::new().from("a'b").without_to().id("2").type_name("set")),
        "<iq xmlns='jabber:client' from='a&apos;b' id='2' type='set'/>"
    );
    assert_eq!(
        rewrite(
            "<presence xmlns='jabber:client'/>",
            &Rewrite::new().to("y").append(b"<a xmlns='b'/>")
        ),
        "<presence xmlns='jabber:client' to='y'><a xmlns='b'/></presence>"
    );
    let quoted = "<message xmlns='jabber:client' id=\"it's\" type='\"'/>";
    assert_eq!(rewrite(quoted, &Rewrite::new()), quoted);
}

#[test]
fn a_language_is_added_and_never_changed() {
    // RFC 6120 4.7.4, 8.1.5.
    let add = Rewrite::new().lang("de");
    assert_eq!(
        rewrite("<message xmlns='jabber:client'/>", &add),
        "<message xmlns='jabber:client' xml:lang='de'/>"
    );
    let said = "<message xmlns='jabber:client' xml:lang='en'/>";
    assert_eq!(rewrite(said, &add), said);
}

#[test]
fn children_are_left_out() {
    let forged = |child: &Element<'_>| child.is("stanza-id", "urn:xmpp:sid:0");
    let text = "<message xmlns='jabber:client'><a/><stanza-id xmlns='urn:xmpp:sid:0' id='1'/>\
                text<b/><stanza-id xmlns='urn:xmpp:sid:0' id='2'><c/></stanza-id></message>";
    assert_eq!(
        rewrite(text, &Rewrite::new().without(&forged)),
        "<message xmlns='jabber:client'><a/>text<b/></message>"
    );
    let only = "<message xmlns='jabber:client'><stanza-id xmlns='urn:xmpp:sid:0'/></message>";
    assert_eq!(rewrite(only, &Rewrite::new().without(&forged)), "<message xmlns='jabber:client'/>");
}

proptest! {
    #[test]
    fn what_is_not_changed_stays(
        value in "[a-z&;'\"<>\u{e9}\t]{0,6}",
        content in "(<x xmlns='u' a=\"'\"/>|text|&amp;|<y/>){0,4}",
    ) {
        let mut out = Vec::new();
        wharf_xmpp::xml::attribute(&mut out, "other", &value);
        let other = String::from_utf8(out).unwrap();
        let text = format!("<message xmlns='jabber:client' to='x'{other}>{content}</message>");
        let rewritten = rewrite(&text, &Rewrite::new().from("me").to("you"));
        let stanza = Stanza::parse(&rewritten, &XmlLimits::default()).unwrap();
        prop_assert_eq!(stanza.element().content(), content);
        prop_assert_eq!(stanza.element().attribute("other").unwrap(), value);
        prop_assert_eq!(stanza.element().attribute("from").unwrap(), "me");
        prop_assert_eq!(stanza.element().attribute("to").unwrap(), "you");
    }
}
