//! RFC 7395, section 3.4: headers, hosts, versions, redirects.

use crate::trace::Trace;
use std::collections::BTreeSet;
use std::sync::Arc;
use wharf_xmpp::server::{Config, Connection, Event};
use wharf_xmpp::stream::Input;

#[test]
fn a_stream_begins_with_open_and_features() {
    // XWS-016, XWS-017, XWS-018, XWS-030, XWS-031, XWS-033, XWS-084.
    Trace::new().play("
        C: <open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" to=\"example.com\" version=\"1.0\" />
        E: opening to=example.com
        A: accept
        S: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' id='*' xml:lang='en' version='1.0'/>
        S: $logins");
}

#[test]
fn the_header_answers_what_the_client_says_of_itself() {
    // RFC 6120 4.7.2, 4.7.4.
    Trace::new().play("
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='EXAMPLE.com' from='Tim@example.com/x' id='7' xml:lang='de-CH' version='1.0'/>
        E: opening to=example.com from=tim@example.com lang=de-CH
        A: accept
        S: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' to='tim@example.com' id='*' xml:lang='en' version='1.0'/>
        S: $logins");
}

#[test]
fn an_unknown_host_is_told_after_our_header() {
    // XWS-041, XWS-A04, RFC 6120 4.9.1.3.
    Trace::new().play(
        "
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='other.example' version='1.0'/>
        E: opening to=other.example
        A: refuse host-unknown
        S: $opened
        S: error host-unknown
        S: $close
        C: $close
        E: closed by Local code=1000 clean error=host-unknown",
    );
}

#[test]
fn a_header_without_a_host_is_the_callers_to_judge() {
    Trace::new().play(
        "
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>
        E: opening
        A: accept
        S: $opened
        S: $logins",
    );
}

#[test]
fn a_header_in_another_namespace_is_invalid() {
    // XWS-019, XWS-016.
    for header in [
        "<open xmlns='jabber:client' to='example.com' version='1.0'/>",
        "<open to='example.com' version='1.0'/>",
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='example.com' version='1.0'/>",
        "<close/>",
    ] {
        Trace::new().play(&format!(
            "
            C: {header}
            S: $opened
            S: error invalid-namespace
            S: $close
            C: $close
            E: closed by Local code=1000 clean violation=a stream header in another namespace"
        ));
    }
}

#[test]
fn the_first_message_is_open() {
    // XWS-030.
    for first in [
        "<message xmlns='jabber:client'/>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
    ] {
        let mut trace = Trace::new();
        trace.hear(first.as_bytes());
        trace.play_ignoring_events(
            "
            S: $opened
            S: error not-authorized
            S: $close",
        );
    }
}

#[test]
fn versions_are_numbers() {
    // RFC 6120 4.7.5.
    for version in [
        " version='1.0'",
        " version='01.00'",
        " version='1.13'",
        " version='2.4'",
        " version='11.0'",
    ] {
        Trace::new().play(&format!(
            "
            C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com'{version}/>
            E: opening to=example.com
            A: accept
            S: $opened
            S: $logins"
        ));
    }
    for version in [
        "",
        " version='0.9'",
        " version='1'",
        " version='one'",
        " version='1.0.0'",
        " version='+1.0'",
    ] {
        Trace::new().play(&format!(
            "
            C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com'{version}/>
            S: $opened
            S: error unsupported-version
            S: $close
            C: $close
            E: closed by Local code=1000 clean violation=a version of XMPP below 1.0"
        ));
    }
}

#[test]
fn there_is_one_stream_on_a_websocket() {
    // XWS-032.
    Trace::new().play(
        "
        C: $open
        E: opening to=example.com
        A: accept
        S: $opened
        S: $logins
        C: $open
        S: error bad-format
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=unexpected here: a second <open/>",
    );
}

#[test]
fn a_client_can_be_sent_elsewhere_at_once() {
    // XWS-031, XWS-060: the answer is `<close/>` alone.
    Trace::new().play("
        C: $open
        E: opening to=example.com
        A: redirect wss://other.example/ws?a=1&b='2'
        S: <close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" see-other-uri='wss://other.example/ws?a=1&amp;b=&apos;2&apos;' />
        C: $close
        E: closed by Local code=1000 clean to=wss://other.example/ws?a=1&b='2'");
}

#[test]
fn identifiers_of_streams_are_never_the_same() {
    // XWS-034, XWS-073.
    let mut seen = BTreeSet::new();
    for seed in 0..50 {
        let mut us = Connection::new(Arc::new(Config::new("example.com")), true, [seed; 32]);
        for _ in 0..2 {
            let mut input = Input::text(b"<open/>");
            while let Some(event) = us.poll_event(&mut input) {
                assert!(!matches!(event, Event::Opening(_)));
            }
            let mut out = Vec::new();
            us.poll_transmit(&mut out);
            let text = String::from_utf8(out).unwrap();
            let id = text.split(" id='").nth(1).map(|rest| rest.split('\'').next().unwrap());
            if let Some(id) = id {
                assert!(id.len() >= 20 && seen.insert(id.to_owned()));
            }
        }
    }
    assert_eq!(seen.len(), 50);
}
