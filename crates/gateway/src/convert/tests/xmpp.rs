//! Stanzas: from and to MBWS and AMQP, and there and back.

use super::*;
use crate::convert::{Unsayable, xmpp_message, xmpp_stanza, xmpp_stored};
use proptest::prelude::*;
use wharf_chat::XMPP;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::stanza::Stanza;

const FROM: &str = "orders@mq.example.com";
const TO: &str = "bob@example.com/pc";
const SIZE_MAX_BYTES: usize = 10_000;

/// What a delivery is to a client of XMPP.
fn stanza(delivery: &Delivery) -> Result<String, Unsayable> {
    let stanza = xmpp_stanza(delivery, FROM, TO, SIZE_MAX_BYTES)?;
    Ok(String::from_utf8(stanza).expect("UTF-8"))
}

/// What is inside it.
fn inside(delivery: &Delivery) -> String {
    let stanza = stanza(delivery).expect("sayable");
    let parsed = Stanza::parse(&stanza, &XmlLimits::default()).expect("a stanza");
    parsed.element().content().to_owned()
}

/// A delivery of a stanza that a client has sent to a queue.
fn sent(stanza: &str) -> Delivery {
    let parsed = Stanza::parse(stanza, &XmlLimits::default()).expect("a stanza");
    delivery(XMPP, xmpp_stored(&parsed, "alice@example.com/x", None))
}

fn message(inside: &str) -> Delivery {
    sent(&format!("<message xmlns='jabber:client' to='{FROM}'>{inside}</message>"))
}

/// What the server says of every message.
const ORIGIN: [(&str, &str); 2] =
    [("reply-to", "xmpp:alice@example.com/x"), ("xmpp-from", "alice@example.com/x")];

fn with_origin(content: Content) -> Content {
    ORIGIN.iter().fold(content, |content, (name, value)| content.with(name, value))
}

#[test]
fn from_mbws_to_xmpp() {
    let table = [
        (text(&[], "1 < 2"), "<body>1 &lt; 2</body>"),
        (text(&[], ""), "<body/>"),
        (
            content(Kind::Text, "text/html", &[], b"<b>x</b>"),
            "<body>&lt;b&gt;x&lt;/b&gt;</body><content xmlns='urn:wharf:content:0' type='text/html'/>",
        ),
        (
            content(Kind::Text, "application/json", &[], b"{\"a\":1}"),
            "<json xmlns='urn:xmpp:json:0'>{\"a\":1}</json>",
        ),
        (
            content(Kind::Text, "application/geo+json", &[], b"{}"),
            "<json xmlns='urn:xmpp:json:0'>{}</json><content xmlns='urn:wharf:content:0' type='application/geo+json'/>",
        ),
        (
            binary("application/json", &[], b"[]"),
            "<json xmlns='urn:xmpp:json:0'>[]</json><content xmlns='urn:wharf:content:0' kind='binary'/>",
        ),
        (
            binary("text/plain", &[], b"x"),
            "<body>x</body><content xmlns='urn:wharf:content:0' type='text/plain' kind='binary'/>",
        ),
        (binary("", &[], b""), "<content xmlns='urn:wharf:content:0'/>"),
        (
            binary("image/png", &[], b"\xff\0"),
            "<content xmlns='urn:wharf:content:0' type='image/png'>/wA=</content>",
        ),
        // A text with a character that XML has not.
        (text(&[], "\u{1}"), "<content xmlns='urn:wharf:content:0' kind='text'>AQ==</content>"),
        (
            text(&[("k", "v"), ("k", "'w'")], "x"),
            "<body>x</body><headers xmlns='http://jabber.org/protocol/shim'><header name='k'>v</header><header name='k'>'w'</header></headers>",
        ),
    ];
    for (content, expected) in table {
        let delivery = content.delivery();
        assert_eq!(inside(&delivery), expected);
        // And back, as if the client of XMPP had sent it.
        assert_eq!(Content::of(&message(expected), UNIT), with_origin(content));
    }
}

#[test]
fn the_stanza_around_it() {
    let named = text(&[("message-id", "7")], "x");
    assert_eq!(
        stanza(&named.delivery()).unwrap(),
        "<message xmlns='jabber:client' from='orders@mq.example.com' to='bob@example.com/pc' id='7'><body>x</body><headers xmlns='http://jabber.org/protocol/shim'><header name='message-id'>7</header></headers></message>"
    );
    let Delivery { format, body, .. } = text(&[], "x").delivery();
    let to_people = xmpp_message(format, body, "alice@example.com", SIZE_MAX_BYTES).unwrap();
    assert_eq!(
        String::from_utf8(to_people).unwrap(),
        "<message xmlns='jabber:client' from='alice@example.com' type='chat'><body>x</body></message>"
    );
}

#[test]
fn what_cannot_be_said() {
    let table = [
        (text(&[("k\u{0}", "v")], "x"), Unsayable::Characters),
        (text(&[("k", "\u{ffff}")], "x"), Unsayable::Characters),
        (content(Kind::Text, "\u{2}", &[], b""), Unsayable::Characters),
        (binary("", &[], &[0; 9000]), Unsayable::TooLong),
    ];
    for (content, unsayable) in table {
        assert_eq!(stanza(&content.delivery()), Err(unsayable));
    }
    assert_eq!(stanza(&delivery(0xff, Vec::new())), Err(Unsayable::Format));
}

#[test]
fn from_amqp_to_xmpp() {
    let sections = Message {
        properties: properties(|it| it.content_type = Some("application/json".to_owned())),
        application_properties: application(&[("n", "1")]),
        body: body(|out| wharf_amqp::messaging::append_data(out, b"{}")),
        ..Message::default()
    };
    assert_eq!(
        inside(&sections.delivery()),
        "<json xmlns='urn:xmpp:json:0'>{}</json><content xmlns='urn:wharf:content:0' kind='binary'/><headers xmlns='http://jabber.org/protocol/shim'><header name='n'>1</header></headers>"
    );
}

#[test]
fn from_xmpp_to_mbws() {
    let chat = sent(
        "<message xmlns='jabber:client' to='orders@mq.example.com' type='chat' id='m1' xml:lang='de'>\
         <subject>s</subject><thread>t</thread><body>x</body>\
         <active xmlns='http://jabber.org/protocol/chatstates'/>\
         <origin-id xmlns='urn:xmpp:sid:0' id='m1'/>\
         <addresses xmlns='http://jabber.org/protocol/address'><address type='ofrom' jid='eve@example.com'/></addresses>\
         </message>",
    );
    let expected = text(
        &[
            ("message-id", "m1"),
            ("subject", "s"),
            ("group-id", "t"),
            ("reply-to", "xmpp:alice@example.com/x"),
            ("xmpp-type", "chat"),
            ("content-language", "de"),
            ("xmpp-from", "alice@example.com/x"),
        ],
        "x",
    );
    assert_eq!(Content::of(&chat, UNIT), expected);
    // What a header says is not said otherwise, but who it is from is not the sender's to say.
    let headers = message(
        "<body>x</body><headers xmlns='http://jabber.org/protocol/shim'>\
         <header name='reply-to'>r</header><header name='xmpp-from'>eve@example.com</header></headers>",
    );
    let expected = text(&[("reply-to", "r"), ("xmpp-from", "alice@example.com/x")], "x");
    assert_eq!(Content::of(&headers, UNIT), expected);
}

#[test]
fn a_stanza_that_holds_more_is_handed_on_whole() {
    for inside in [
        "<body>x</body><body xml:lang='de'>y</body>",
        "<body>x</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>",
        "<body>x</body><json xmlns='urn:xmpp:json:0'>{}</json>",
        "<content xmlns='urn:wharf:content:0'>no digits</content>",
        "<content xmlns='urn:wharf:content:0' kind='text'>/w==</content>",
        "<content xmlns='urn:wharf:content:0' kind='other'/>",
    ] {
        let whole = format!(
            "<message xmlns='jabber:client' to='{FROM}' from='alice@example.com/x'>{inside}</message>"
        );
        let expected = content(Kind::Text, "application/xmpp+xml", &[], whole.as_bytes());
        assert_eq!(Content::of(&message(inside), UNIT), expected);
    }
}

#[test]
fn from_xmpp_to_amqp() {
    let amqp = Message::of(&message("<subject>s</subject><json xmlns='urn:xmpp:json:0'>{}</json>"));
    let expected = properties(|it| {
        it.to = Some("orders".to_owned());
        it.subject = Some("s".to_owned());
        it.reply_to = Some("xmpp:alice@example.com/x".to_owned());
        it.content_type = Some("application/json".to_owned());
    });
    assert_eq!(amqp.properties, expected);
    assert_eq!(amqp.application_properties, application(&[("xmpp-from", "alice@example.com/x")]));
    assert_eq!(amqp.body, body(|out| wharf_amqp::messaging::append_value(out, &Value::from("{}"))));
}

#[test]
fn from_xmpp_to_xmpp() {
    let delivery = message("<body>x</body><thing xmlns='urn:x'/>");
    assert_eq!(
        stanza(&delivery).unwrap(),
        "<message xmlns='jabber:client' from='orders@mq.example.com' to='bob@example.com/pc'><body>x</body><thing xmlns='urn:x'/><addresses xmlns='http://jabber.org/protocol/address'><address type='ofrom' jid='alice@example.com/x'/></addresses></message>"
    );
    let dead = dead(delivery, "orders", Some("no"));
    assert!(inside(&dead).ends_with(
        "<headers xmlns='http://jabber.org/protocol/shim'><header name='wharf-death-reason'>rejected</header><header name='wharf-death-address'>orders</header><header name='wharf-death-detail'>no</header></headers>"
    ));
}

proptest! {
    /// MBWS, XMPP, MBWS: all is as it was, and then what is said of a stanza.
    #[test]
    fn there_and_back(
        kind in prop_oneof![Just(Kind::Text), Just(Kind::Binary)],
        content_type in prop_oneof![Just(String::new()), Just("text/plain".to_owned()), Just("application/json".to_owned()), "[ -~]{0,12}"],
        pairs in proptest::collection::vec(("[a-z]{1,8}", "\\PC{0,12}"), 0..4),
        said in "[\\PC\r\n\t\u{1}]{0,24}",
        octets in proptest::collection::vec(any::<u8>(), 0..24),
    ) {
        let body = if kind == Kind::Text { said.into_bytes() } else { octets };
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
        let content = content(kind, &content_type, &pairs, &body);
        let delivery = content.delivery();
        prop_assert_eq!(Content::of(&message(&inside(&delivery)), UNIT), with_origin(content));
    }
}
