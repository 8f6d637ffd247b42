//! Resources, managed streams, resumption, pings, closing.

use crate::trace::{BIND, LOGIN, Trace, config};
use std::time::Duration;
use wharf_xmpp::client::{Config, Resumption};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::stream::{Ledger, Misuse};

fn online() -> Trace {
    let mut trace = Trace::new();
    trace.play(LOGIN).play(BIND);
    trace
}

fn unmanaged(config: Config) -> Trace {
    let mut trace = Trace::with(Config { stream_management: false, ..config });
    trace.play(LOGIN).play(
        "
        S: $features
        C: $bind
        S: $bound
        E: online tim@example.com/r",
    );
    trace
}

fn resuming() -> Trace {
    let resumption = Resumption {
        id: "s1".to_owned(),
        jid: Jid::parse("tim@example.com/old").unwrap(),
        ledger: Ledger { taken: 4, sent: 9, acked: 6 },
    };
    Trace::with(Config { resume: Some(resumption), ..config() })
}

#[test]
fn a_resource_of_ones_own() {
    Trace::with(Config { resource: Some("a&b".to_owned()), ..config() }).play(LOGIN).play("
        S: $features
        C: <iq xmlns='jabber:client' type='set' id='*'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>a&amp;b</resource></bind></iq>
        S: <iq xmlns='jabber:client' type='result' id='*'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/other</jid></bind></iq>
        C: $enable
        S: <failed xmlns='urn:xmpp:sm:3'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
        E: online tim@example.com/other");
}

#[test]
fn a_session_is_asked_for_where_it_must_be() {
    // RFC 3921 3.
    Trace::new().play(LOGIN).play("
        S: <features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></features>
        C: $bind
        S: $bound
        C: <iq xmlns='jabber:client' type='set' id='*'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
        S: <iq xmlns='jabber:client' type='result' id='*'/>
        E: online tim@example.com/r");
}

#[test]
fn a_resource_that_is_refused() {
    for answer in [
        "<iq xmlns='jabber:client' type='error' id='*'><error type='cancel'/></iq>",
        "<iq xmlns='jabber:client' type='result' id='*'/>",
        "<iq xmlns='jabber:client' type='result' id='*'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com</jid></bind></iq>",
    ] {
        Trace::new().play(LOGIN).play(&format!(
            "
            S: $features
            C: $bind
            S: {answer}
            C: error unsupported-feature
            C: $close
            S: $close
            E: closed by Local clean violation=not offered: a resource"
        ));
    }
}

#[test]
fn stanzas_have_numbers_and_are_acknowledged() {
    // XEP-0198 4, XWS-086.
    online().play(
        "
        A: send 1 <message xmlns='jabber:client' id='1'/>
        C: <message xmlns='jabber:client' id='1'/>
        A: request
        C: <r xmlns='urn:xmpp:sm:3'/>
        A: request
        S: <a xmlns='urn:xmpp:sm:3' h='1'/>
        E: handled 1
        S: <message xmlns='jabber:client'/>
        E: 1 <message xmlns='jabber:client'/>
        S: <r xmlns='urn:xmpp:sm:3'/>
        A: taken 1
        C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        S: <a xmlns='urn:xmpp:sm:3' h='2'/>
        C: error undefined-condition
        C: $close
        X: gone
        E: closed by Local violation=2 stanzas are acknowledged, 1 were sent",
    );
}

#[test]
fn a_stream_goes_on() {
    // XEP-0198 5.
    resuming().play(LOGIN).play(
        "
        S: $features
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/>
        S: <resumed xmlns='urn:xmpp:sm:3' previd='s1' h='8'/>
        E: online tim@example.com/old resumed acked=8 managed s1
        A: send 9 <message xmlns='jabber:client' id='9'/>
        C: <message xmlns='jabber:client' id='9'/>
        S: <message xmlns='jabber:client'/>
        E: 5 <message xmlns='jabber:client'/>
        X: gone
        E: closed by Peer resumable",
    );
}

#[test]
fn a_stream_that_is_gone() {
    resuming().play(LOGIN).play("
        S: $features
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/>
        S: <failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
        E: not resumed acked=Some(7)
        C: $bind
        S: $bound
        C: $enable
        S: <enabled xmlns='urn:xmpp:sm:3'/>
        E: online tim@example.com/r managed
        S: <message xmlns='jabber:client'/>
        E: 1 <message xmlns='jabber:client'/>
        X: gone
        E: closed by Peer");
    resuming().play(LOGIN).play("
        S: <features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>
        E: not resumed acked=None
        C: $bind
        S: $bound
        E: online tim@example.com/r");
}

#[test]
fn a_server_that_counts_wrong() {
    resuming().play(LOGIN).play(
        "
        S: $features
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/>
        S: <resumed xmlns='urn:xmpp:sm:3' previd='s1' h='10'/>
        C: error undefined-condition
        C: $close
        S: $close
        E: closed by Local clean violation=10 stanzas are acknowledged, 9 were sent",
    );
}

#[test]
fn a_stream_goes_on_in_one_exchange() {
    // XEP-0198 9.2.
    let offered = "<features xmlns='http://etherx.jabber.org/streams'><authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism>\
<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/></inline></authentication></features>";
    let asked = "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response>\
<resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/><bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true' max='86400'/></bind></authenticate>";
    resuming().play(&format!("
        C: $open
        S: $opened
        S: {offered}
        C: {asked}
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com/old</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='s1' h='6'/></success>
        E: online tim@example.com/old resumed acked=6 managed s1
        A: send 7 <message xmlns='jabber:client'/>
        C: <message xmlns='jabber:client'/>"));
    resuming().play(&format!("
        C: $open
        S: $opened
        S: {offered}
        C: {asked}
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com/n</authorization-identifier><failed xmlns='urn:xmpp:sm:3' h='9'/>\
<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='s2' resume='true'/></bound></success>
        S: <features xmlns='http://etherx.jabber.org/streams'/>
        E: not resumed acked=Some(9)
        E: online tim@example.com/n managed s2"));
}

#[test]
fn a_stream_is_resumed_before_anything_is_bound() {
    // The server resumes, but not with the login: then nothing is bound with it either.
    resuming().play("
        C: $open
        S: $opened
        S: <features xmlns='http://etherx.jabber.org/streams'><authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication></features>
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response></authenticate>
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com</authorization-identifier></success>
        S: $features
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/>
        S: <resumed xmlns='urn:xmpp:sm:3' previd='s1' h='9'/>
        E: online tim@example.com/old resumed acked=9 managed s1");
}

#[test]
fn pings_both_ways() {
    // XEP-0199, XWS-081.
    let mut config = config();
    config.pacing.ping_after = Some(Duration::from_secs(10));
    unmanaged(config).play("
        S: <iq xmlns='jabber:client' type='get' id='p' from='example.com'><ping xmlns='urn:xmpp:ping'/></iq>
        C: <iq xmlns='jabber:client' type='result' to='example.com' id='p'/>
        S: <iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>
        C: <iq xmlns='jabber:client' type='result' id='p'/>
        S: <iq xmlns='jabber:client' type='get' id='p' from='tom@example.com/x'><ping xmlns='urn:xmpp:ping'/></iq>
        E: - <iq xmlns='jabber:client' type='get' id='p' from='tom@example.com/x'><ping xmlns='urn:xmpp:ping'/></iq>
        T: 20
        C: <iq xmlns='jabber:client' type='get' id='wharf-ping-1'><ping xmlns='urn:xmpp:ping'/></iq>
        S: <iq xmlns='jabber:client' type='result' id='wharf-ping-1'/>");
}

#[test]
fn whether_someone_is_looking() {
    // XEP-0352.
    online().play(
        "
        A: active false
        C: <inactive xmlns='urn:xmpp:csi:0'/>
        A: active true
        C: <active xmlns='urn:xmpp:csi:0'/>",
    );
}

#[test]
fn closing_and_leaving() {
    // XWS-050, XWS-051, XWS-056; XEP-0198 4: what was received is told before.
    online().play(
        "
        S: <message xmlns='jabber:client'/>
        E: 1 <message xmlns='jabber:client'/>
        A: taken 1
        A: close
        C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        C: $close
        S: <message xmlns='jabber:client'/>
        E: 2 <message xmlns='jabber:client'/>
        S: $close
        E: closed by Local clean",
    );
    let mut trace = online();
    trace.play(
        "
        A: disconnect 1000
        E: closed by Local resumable",
    );
    assert_eq!(trace.us.send(&[b"<message xmlns='jabber:client'/>"]), Err(Misuse::WrongStage));
    assert_eq!(trace.us.ledger(), Some(Ledger::default()));
    online().play(
        "
        S: <close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" see-other-uri='wss://b.example/' />
        C: $close
        E: closed by Peer clean resumable peer-ends to=wss://b.example/",
    );
}

#[test]
fn a_login_has_its_time() {
    Trace::new().play(
        "
        C: $open
        T: 30
        C: error connection-timeout
        C: $close
        T: 2
        E: closed by Local violation=the stream was not ready in time",
    );
}

#[test]
fn a_server_that_breaks_the_rules() {
    for (message, condition) in [
        ("<presence/>", "invalid-namespace"),
        ("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>", "not-well-formed"),
        ("<foo xmlns='urn:x'/>", "unsupported-stanza-type"),
        ("<enabled xmlns='urn:xmpp:sm:3'/>", "bad-format"),
        ("$opened", "bad-format"),
    ] {
        let mut trace = online();
        trace.play_quietly(&format!("S: {message}"));
        let said = trace.take_said();
        assert!(said.starts_with(&format!("error {condition}\n")), "{message}: {said}");
    }
}
