//! What is read in a stanza.

use wharf_xmpp::jid::Jid;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Kind, Stanza, StanzaCondition};

fn read(text: &str) -> Stanza<'_> {
    Stanza::parse(text, &XmlLimits::default()).unwrap()
}

#[test]
fn the_five_attributes() {
    let stanza = read(
        "<message xmlns='jabber:client' to='b@b.example' from='A@a.example/x' id='1' type='chat' \
         xml:lang='en'><body/></message>",
    );
    assert_eq!(stanza.kind(), Kind::Message);
    assert_eq!(stanza.to(), Ok(Some(Jid::parse("b@b.example").unwrap())));
    assert_eq!(stanza.from(), Ok(Some(Jid::parse("a@a.example/x").unwrap())));
    assert_eq!(stanza.id().as_deref(), Some("1"));
    assert_eq!(stanza.type_name().as_deref(), Some("chat"));
    assert_eq!(stanza.element().lang(), Some("en"));
    assert!(!stanza.is_error());
}

#[test]
fn only_three_elements_of_one_namespace_are_stanzas() {
    // XWS-020.
    for text in [
        "<message/>",
        "<message xmlns=''/>",
        "<message xmlns='jabber:server'/>",
        "<message xmlns='urn:x'/>",
        "<pubsub xmlns='jabber:client'/>",
        "<Message xmlns='jabber:client'/>",
    ] {
        assert!(Stanza::parse(text, &XmlLimits::default()).is_err(), "{text}");
    }
}

#[test]
fn an_iq_that_cannot_be_answered_is_a_bad_request() {
    // RFC 6120 8.2.3.
    let faulty = [
        "<iq xmlns='jabber:client' type='get'><q xmlns='q'/></iq>",
        "<iq xmlns='jabber:client' id='1'><q xmlns='q'/></iq>",
        "<iq xmlns='jabber:client' id='1' type='subscribe'><q xmlns='q'/></iq>",
        "<iq xmlns='jabber:client' id='1' type='get'/>",
        "<iq xmlns='jabber:client' id='1' type='set'><q xmlns='q'/><r xmlns='q'/></iq>",
        "<iq xmlns='jabber:client' id='1' type='result'><q xmlns='q'/><r xmlns='q'/></iq>",
    ];
    for text in faulty {
        assert_eq!(read(text).fault(), Some(StanzaCondition::BadRequest), "{text}");
    }
    for text in [
        "<iq xmlns='jabber:client' id='' type='get'><q xmlns='q'/></iq>",
        "<iq xmlns='jabber:client' id='1' type='result'/>",
        "<iq xmlns='jabber:client' id='1' type='error'><q xmlns='q'/><error/></iq>",
        "<message xmlns='jabber:client' type='subscribe'/>",
    ] {
        assert_eq!(read(text).fault(), None, "{text}");
    }
    let lost = "<presence xmlns='jabber:client' to='@b'/>";
    assert_eq!(read(lost).fault(), Some(StanzaCondition::JidMalformed));
}

#[test]
fn a_request_is_known_by_its_payload() {
    let ping =
        read("<iq xmlns='jabber:client' id='1' type='get'> <ping xmlns='urn:xmpp:ping'/></iq>");
    assert!(ping.asks(IqType::Get, "ping", ns::PING));
    assert!(!ping.asks(IqType::Set, "ping", ns::PING));
    assert!(!ping.asks(IqType::Get, "ping", ns::BIND));
}
