//! Stanzas once a resource is bound, pings, client state.

use crate::trace::{BIND, ENABLE, LOGIN, Trace};
use wharf_xmpp::stream::{Input, Misuse};

#[test]
fn stanzas_come_as_they_were_sent() {
    Trace::after(&[LOGIN, BIND]).play(
        "
        C: <message xmlns=\"jabber:client\"  to='tom@example.com' ><body>a &lt; b</body></message>
        E: - <message xmlns=\"jabber:client\"  to='tom@example.com' ><body>a &lt; b</body></message>
        C: <iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>
        E: - <iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
    );
}

#[test]
fn stanzas_are_sent_in_their_own_messages() {
    // XWS-014.
    Trace::after(&[LOGIN, BIND]).play(
        "
        A: send - <message xmlns='jabber:client' id='1'/>
        A: send - <message xmlns='jabber:client' id='2'/>
        S: <message xmlns='jabber:client' id='1'/>
        S: <message xmlns='jabber:client' id='2'/>",
    );
}

#[test]
fn pieces_of_a_stanza_are_put_together() {
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.us.send(&[b"<message xmlns='jabber:client'>", b"<body/>", b"</message>"]).unwrap();
    assert!(trace.us.pending_bytes() > 40);
    let mut out = Vec::new();
    assert_eq!(trace.us.poll_transmit(&mut out), out.len());
    assert_eq!(out, b"<message xmlns='jabber:client'><body/></message>");
    assert_eq!(trace.us.pending_bytes(), 0);
}

#[test]
fn who_does_not_listen_is_not_listened_to() {
    let mut trace = Trace::after(&[LOGIN, BIND]);
    let ping = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
    let mut asked = 0;
    while trace.us.wants_input() {
        let mut input = Input::text(ping.as_bytes());
        assert!(trace.us.poll_event(&mut input).is_none());
        asked += 1;
        assert!(asked < 10_000);
    }
    let mut out = Vec::new();
    while trace.us.poll_transmit(&mut out) > 0 {}
    assert!(trace.us.wants_input());
    trace.play(
        "
        C: <enable xmlns='urn:xmpp:sm:3'/>
        E: enable",
    );
    assert!(!trace.us.wants_input());
}

#[test]
fn pings_are_answered() {
    // XEP-0199 4.2, XWS-081.
    Trace::after(&[LOGIN, BIND]).play("
        C: $ping
        S: <iq xmlns='jabber:client' type='result' from='example.com' to='tim@example.com/pc' id='p'/>
        C: <iq xmlns='jabber:client' type='get' id='p' to='example.com'><ping xmlns='urn:xmpp:ping'/></iq>
        S: <iq xmlns='jabber:client' type='result' from='example.com' to='tim@example.com/pc' id='p'/>
        C: <iq xmlns='jabber:client' type='get' id='p' to='tim@example.com'><ping xmlns='urn:xmpp:ping'/></iq>
        S: <iq xmlns='jabber:client' type='result' from='tim@example.com' to='tim@example.com/pc' id='p'/>");
}

#[test]
fn pings_to_others_are_stanzas() {
    Trace::after(&[LOGIN, BIND]).play("
        C: <iq xmlns='jabber:client' type='get' id='p' to='tom@example.com/x'><ping xmlns='urn:xmpp:ping'/></iq>
        E: - <iq xmlns='jabber:client' type='get' id='p' to='tom@example.com/x'><ping xmlns='urn:xmpp:ping'/></iq>
        C: <iq xmlns='jabber:client' type='get' to='example.com'><ping xmlns='urn:xmpp:ping'/></iq>
        E: - <iq xmlns='jabber:client' type='get' to='example.com'><ping xmlns='urn:xmpp:ping'/></iq>");
}

#[test]
fn on_a_managed_stream_every_stanza_has_a_number() {
    Trace::after(&[LOGIN, BIND, ENABLE]).play("
        C: $ping
        E: 1 <iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>
        C: <iq xmlns='jabber:client' type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
        E: 2 <iq xmlns='jabber:client' type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
}

#[test]
fn the_client_says_whether_someone_is_looking() {
    // XEP-0352.
    Trace::after(&[LOGIN, BIND, ENABLE]).play(
        "
        C: <inactive xmlns='urn:xmpp:csi:0'/>
        E: active false
        C: <active xmlns='urn:xmpp:csi:0'/>
        E: active true
        C: <presence xmlns='jabber:client'/>
        E: 1 <presence xmlns='jabber:client'/>",
    );
}

#[test]
fn nothing_is_sent_before_a_resource_is_bound() {
    let mut trace = Trace::new();
    assert_eq!(trace.us.send(&[b"<message xmlns='jabber:client'/>"]), Err(Misuse::WrongStage));
    trace.play(LOGIN);
    assert_eq!(trace.us.send(&[b"<message xmlns='jabber:client'/>"]), Err(Misuse::WrongStage));
    assert!(!trace.us.is_bound());
    trace.play(BIND);
    assert!(trace.us.is_bound());
    assert_eq!(trace.us.jid().unwrap().as_str(), "tim@example.com/pc");
}

#[test]
fn answers_that_nobody_asked_for_are_misuse() {
    let mut trace = Trace::after(&[LOGIN, BIND]);
    assert_eq!(trace.us.bind("x", b""), Err(Misuse::NothingAsked));
    assert_eq!(trace.us.enable(Default::default()), Err(Misuse::NothingAsked));
    let denied = wharf_sasl::server::Answer::Refused;
    assert_eq!(trace.us.answer(denied), Err(Misuse::NothingAsked));
    let mut trace = Trace::after(&[LOGIN]);
    trace.play("
        C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        E: bind");
    assert_eq!(trace.us.bind(" ", b""), Err(Misuse::BadResource));
    trace.play("
        A: bind x
        S: <iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/x</jid></bind></iq>");
}
