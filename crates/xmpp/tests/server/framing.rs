//! RFC 7395, section 3.3, and RFC 6120, section 11: what a message may be. The probes of the
//! anchors that other servers answer in different ways are all here (XWS-004).

use crate::trace::{BIND, LOGIN, Trace};
use wharf_xmpp::stream::{Backlog, Input};

/// What a client that is logged in says, and what it is told.
fn refused(message: &str, condition: &str) {
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.hear(message.as_bytes());
    trace.play_ignoring_events(&format!(
        "
        S: error {condition}
        S: $close"
    ));
}

/// The same before anything else was said.
fn refused_at_once(message: &str, condition: &str) {
    let mut trace = Trace::new();
    trace.hear(message.as_bytes());
    trace.play_ignoring_events(&format!(
        "
        S: $opened
        S: error {condition}
        S: $close"
    ));
}

#[test]
fn a_binary_message_ends_the_websocket() {
    // XWS-010, XWS-A01.
    Trace::new().play(
        "
        X: binary
        E: closed by Local code=1003 violation=a binary message",
    );
    Trace::after(&[LOGIN, BIND]).play(
        "
        X: binary
        E: closed by Local code=1003 violation=a binary message",
    );
}

#[test]
fn white_space_is_no_message() {
    // XWS-013, XWS-080, XWS-A03.
    for message in [
        " ",
        "\n",
        "",
        " <presence xmlns='jabber:client'/>",
        "\u{feff}<presence xmlns='jabber:client'/>",
    ] {
        refused(message, "not-well-formed");
        refused_at_once(message, "not-well-formed");
    }
}

#[test]
fn one_element_a_message() {
    // XWS-011, XWS-014.
    let presence = "<presence xmlns='jabber:client'/>";
    refused(&format!("{presence}{presence}"), "not-well-formed");
    refused("<presence xmlns='jabber:client'>", "not-well-formed");
    refused("<message xmlns='jabber:client'><body>No closing tag!</message>", "not-well-formed");
    refused_at_once(
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'>",
        "not-well-formed",
    );
}

#[test]
fn a_stanza_says_its_namespace() {
    // XWS-020.
    refused("<presence/>", "invalid-namespace");
    refused("<message><body>hi</body></message>", "invalid-namespace");
    refused("<iq xmlns='jabber:server' type='get' id='1'><q xmlns='q'/></iq>", "invalid-namespace");
    refused("<c:message xmlns:c='jabber:client'/>", "bad-namespace-prefix");
}

#[test]
fn what_xml_has_and_xmpp_has_not() {
    // XWS-021, RFC 6120 11.1.
    for message in [
        "<!DOCTYPE message><message xmlns='jabber:client'/>",
        "<!DOCTYPE message [<!ENTITY a 'b'>]><message xmlns='jabber:client'>&a;</message>",
        "<message xmlns='jabber:client'><!--<subject/>--><body/></message>",
        "<message xmlns='jabber:client'><?php echo?></message>",
        "<message xmlns='jabber:client'><body>&nbsp;</body></message>",
    ] {
        refused(message, "restricted-xml");
        refused_at_once(message, "restricted-xml");
    }
}

#[test]
fn prefixes_are_declared() {
    // RFC 6120 11.3.
    refused(
        "<message xmlns='jabber:client'><foo:body>What is this foo?</foo:body></message>",
        "not-well-formed",
    );
    refused("<message xmlns='jabber:client' foo:a='1'/>", "not-well-formed");
}

#[test]
fn an_xml_declaration_is_tolerated() {
    // XWS-012, XWS-A02.
    Trace::after(&[LOGIN, BIND]).play(
        "
        C: <?xml version='1.0' encoding='UTF-8'?><presence xmlns='jabber:client'/>
        E: - <presence xmlns='jabber:client'/>",
    );
    refused(
        "<?xml version='1.0' encoding='UTF-16'?><presence xmlns='jabber:client'/>",
        "unsupported-encoding",
    );
}

#[test]
fn octets_that_are_not_utf_8() {
    // XWS-010, RFC 6120 11.6. A WebSocket fails before that (WS-U8-01).
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.hear(b"<message xmlns='jabber:client'><body>\xff</body></message>");
    trace.play_ignoring_events(
        "
        S: error unsupported-encoding
        S: $close",
    );
}

#[test]
fn elements_of_the_first_level_that_nobody_knows() {
    // RFC 6120 4.9.3.24. XWS-083: STARTTLS is one of them.
    for message in [
        "<pubsub xmlns='jabber:client'/>",
        "<foo xmlns='urn:example'/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<features xmlns='http://etherx.jabber.org/streams'/>",
        "<x xmlns='urn:xmpp:sm:3'/>",
    ] {
        refused(message, "unsupported-stanza-type");
    }
}

#[test]
fn white_space_behind_the_element_is_harmless() {
    // XWS-A02.
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.hear(b"<presence xmlns='jabber:client'/>\r\n ");
    trace.play("E: - <presence xmlns='jabber:client'/>");
}

#[test]
fn messages_kept_meanwhile_have_a_bound() {
    // DESIGN 10: small limits before the login.
    let mut trace = Trace::new();
    trace.play(
        "
        C: $open
        E: opening to=example.com",
    );
    for _ in 0..9 {
        trace.hear("<a xmlns='b'/>".repeat(80).as_bytes());
    }
    trace.hear(&b"x".repeat(2000));
    trace.play_ignoring_events(
        "
        S: $opened
        S: error policy-violation
        S: $close",
    );
}

#[test]
fn a_backlog_counts_what_it_keeps() {
    let mut backlog = Backlog::default();
    assert!(backlog.push(b"12345", 60) && backlog.push(b"67890", 60));
    assert!(!backlog.push(&[b'x'; 40], 60));
    let first = backlog.pop().unwrap();
    assert_eq!(&*first, b"12345");
    backlog.put_back(first);
    assert_eq!(backlog.pop().as_deref(), Some(&b"12345"[..]));
    assert!(backlog.push(b"abc", 60));
    assert_eq!(backlog.pop().as_deref(), Some(&b"67890"[..]));
    assert_eq!(backlog.pop().as_deref(), Some(&b"abc"[..]));
    assert!(backlog.is_empty() && backlog.pop().is_none());
    assert!(Input::empty().is_empty() && !Input::binary().is_empty());
}
