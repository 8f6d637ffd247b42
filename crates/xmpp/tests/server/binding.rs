//! RFC 6120, section 7.

use crate::trace::{BIND, LOGIN, Trace};

#[test]
fn a_resource_of_the_client() {
    // RFC 6120 7.7.1.
    Trace::after(&[LOGIN, BIND]);
}

#[test]
fn a_resource_of_the_server() {
    // RFC 6120 7.6: random.
    let mut trace = Trace::after(&[LOGIN]);
    trace.play("
        C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        E: bind");
    let first = trace.generated.clone();
    assert!(first.len() >= 20);
    trace.play(&format!("
        A: bind GENERATED
        S: <iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/{first}</jid></bind></iq>"));
}

#[test]
fn a_resource_in_its_enforced_form_or_another() {
    // RFC 6120 7.7.2.1: what is none is replaced.
    for resource in ["", " pc", "\u{202e}", "<![CDATA[\u{7f}]]>"] {
        Trace::after(&[LOGIN]).play(&format!("
            C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>
            E: bind"));
    }
    Trace::after(&[LOGIN]).play("
        C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>a&amp;b \u{1f917}e\u{301}</resource></bind></iq>
        E: bind wanted=a&b \u{1f917}\u{e9}
        A: bind a&b \u{1f917}\u{e9}
        S: <iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/a&amp;b \u{1f917}\u{e9}</jid></bind></iq>");
}

#[test]
fn a_refused_resource_may_be_tried_again_but_not_for_ever() {
    // RFC 6120 7.6.2, 7.7.2, 7.7.3.
    let refused = "
        C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>pc</resource></bind></iq>
        E: bind wanted=pc
        A: refuse-bind conflict
        S: <iq xmlns='jabber:client' type='error' id='b'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    let mut trace = Trace::after(&[LOGIN]);
    for _ in 0..4 {
        trace.play(refused);
    }
    trace.play(&format!(
        "{refused}
        S: error policy-violation
        S: $close
        C: $close
        E: closed by Local code=1008 clean violation=too many resources were refused"
    ));
    Trace::after(&[LOGIN, refused, BIND]);
}

#[test]
fn a_request_that_cannot_be_answered_is_an_error() {
    Trace::after(&[LOGIN]).play("
        C: <iq xmlns='jabber:client' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        S: <iq xmlns='jabber:client' type='error' id=''><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
}

#[test]
fn before_a_resource_nothing_is_routed() {
    // RFC 6120 7.1.
    for message in [
        "<message xmlns='jabber:client' to='tom@example.com'/>",
        "<presence xmlns='jabber:client'/>",
        "<iq xmlns='jabber:client' type='get' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    ] {
        let mut trace = Trace::after(&[LOGIN]);
        trace.hear(message.as_bytes());
        trace.play_ignoring_events(
            "
            S: error not-authorized
            S: $close",
        );
    }
}

#[test]
fn a_session_is_nothing() {
    // RFC 3921 3.
    Trace::after(&[LOGIN, BIND]).play("
        C: <iq xmlns='jabber:client' type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
        S: <iq xmlns='jabber:client' type='result' from='example.com' to='tim@example.com/pc' id='s'/>");
}
