//! XEP-0198.

use crate::trace::{BIND, ENABLE, LOGIN, Trace, config, offer};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::stream::{Ledger, Misuse};

fn managed() -> Trace {
    Trace::after(&[LOGIN, BIND, ENABLE])
}

#[test]
fn a_stream_is_managed_and_resumable() {
    managed();
}

#[test]
fn a_stream_that_cannot_be_resumed() {
    Trace::after(&[LOGIN, BIND]).play(
        "
        C: <enable xmlns='urn:xmpp:sm:3'/>
        E: enable
        A: enable
        S: <enabled xmlns='urn:xmpp:sm:3'/>
        X: gone
        E: closed by Peer code=1000",
    );
}

#[test]
fn stanzas_are_acknowledged_when_they_are_stored() {
    // XEP-0198 4, XWS-081; DESIGN 5: only after it is stored.
    managed().play(
        "
        C: <message xmlns='jabber:client' id='1'/>
        C: <message xmlns='jabber:client' id='2'/>
        E: 1 <message xmlns='jabber:client' id='1'/>
        E: 2 <message xmlns='jabber:client' id='2'/>
        C: $r
        A: taken 1
        A: taken 2
        S: <a xmlns='urn:xmpp:sm:3' h='2'/>
        C: $r
        S: <a xmlns='urn:xmpp:sm:3' h='2'/>",
    );
}

#[test]
fn an_acknowledgement_is_not_withheld_for_ever() {
    // XEP-0198 4.
    managed().play(
        "
        C: <message xmlns='jabber:client' id='1'/>
        C: <message xmlns='jabber:client' id='2'/>
        E: 1 <message xmlns='jabber:client' id='1'/>
        E: 2 <message xmlns='jabber:client' id='2'/>
        C: $r
        A: taken 1
        T: 4
        T: 1
        S: <a xmlns='urn:xmpp:sm:3' h='1'/>
        A: taken 2
        T: 10
        C: $r
        S: <a xmlns='urn:xmpp:sm:3' h='2'/>",
    );
}

#[test]
fn the_client_acknowledges() {
    managed().play(
        "
        A: send 1 <message xmlns='jabber:client' id='a'/>
        S: <message xmlns='jabber:client' id='a'/>
        A: send 2 <message xmlns='jabber:client' id='b'/>
        S: <message xmlns='jabber:client' id='b'/>
        C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        E: handled 1
        C: <a xmlns='urn:xmpp:sm:3' h='1'/>
        C: <a xmlns='urn:xmpp:sm:3' h='2'/>
        E: handled 2",
    );
}

#[test]
fn acknowledgement_is_asked_for_in_time() {
    let mut config = config();
    config.pacing.request_after_stanzas = 3;
    let mut trace = Trace::with(config, offer());
    trace.play(LOGIN).play(BIND).play(ENABLE).play(
        "
        A: send 1 <message xmlns='jabber:client'/>
        A: send 2 <message xmlns='jabber:client'/>
        A: send 3 <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>
        S: $r
        T: 5
        A: send 4 <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>
        T: 2
        S: $r
        C: <a xmlns='urn:xmpp:sm:3' h='4'/>
        E: handled 4
        T: 10",
    );
}

#[test]
fn more_acknowledged_than_sent_ends_the_stream() {
    // XEP-0198 6.
    managed().play(
        "
        A: send 1 <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>
        C: <a xmlns='urn:xmpp:sm:3' h='2'/>
        S: error undefined-condition h=2 sent=1
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=2 stanzas are acknowledged, 1 were sent",
    );
    for h in ["", " h=''", " h='-1'", " h='x'", " h='4294967296'"] {
        let mut trace = managed();
        trace.hear(format!("<a xmlns='urn:xmpp:sm:3'{h}/>").as_bytes());
        trace.play_ignoring_events(
            "
            S: error bad-format
            S: $close",
        );
    }
}

#[test]
fn it_is_asked_for_once() {
    // XEP-0198 3.
    managed().play(
        "
        C: <enable xmlns='urn:xmpp:sm:3'/>
        S: error bad-format
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=unexpected here: a second <enable/>",
    );
    Trace::after(&[LOGIN, BIND]).play("
        C: <enable xmlns='urn:xmpp:sm:3'/>
        E: enable
        A: refuse-enable internal-server-error
        S: <failed xmlns='urn:xmpp:sm:3'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
        C: <presence xmlns='jabber:client'/>
        E: - <presence xmlns='jabber:client'/>");
}

#[test]
fn the_order_of_things_is_enforced() {
    // XEP-0198 3: not before a resource is bound; and 5: not after.
    Trace::after(&[LOGIN])
        .play(
            "
        C: <enable xmlns='urn:xmpp:sm:3'/>
        S: $failed
        C: $r
        S: $failed",
        )
        .play(BIND)
        .play(
            "
        C: <resume xmlns='urn:xmpp:sm:3' previd='s0' h='0'/>
        S: $failed
        C: $r
        S: $failed
        C: <a xmlns='urn:xmpp:sm:3' h='0'/>",
        )
        .play(ENABLE);
}

#[test]
fn a_stream_goes_on() {
    // XEP-0198 5, XWS-055: the counts are carried over, and what was lost is sent again by its
    // old numbers.
    Trace::after(&[LOGIN]).play(
        "
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/>
        E: resume s1 h=4
        C: <message xmlns='jabber:client'/>
        A: resume tim@example.com/old 7 6 3
        S: <resumed xmlns='urn:xmpp:sm:3' previd='s1' h='7'/>
        E: 8 <message xmlns='jabber:client'/>
        A: send 5 <message xmlns='jabber:client' id='5'/>
        A: send 6 <message xmlns='jabber:client' id='6'/>
        S: <message xmlns='jabber:client' id='5'/>
        S: <message xmlns='jabber:client' id='6'/>
        C: <a xmlns='urn:xmpp:sm:3' h='6'/>
        E: handled 6
        A: taken 8
        C: $r
        S: <a xmlns='urn:xmpp:sm:3' h='8'/>
        X: gone
        E: closed by Peer code=1000 resumable",
    );
}

#[test]
fn counts_wrap() {
    // XEP-0198 4.
    Trace::after(&[LOGIN]).play(
        "
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4294967295'/>
        E: resume s1 h=4294967295
        A: resume tim@example.com/old 4294967295 4294967296 4294967290
        S: <resumed xmlns='urn:xmpp:sm:3' previd='s1' h='4294967295'/>
        C: <message xmlns='jabber:client'/>
        E: 4294967296 <message xmlns='jabber:client'/>
        A: taken 4294967296
        C: $r
        S: <a xmlns='urn:xmpp:sm:3' h='0'/>
        A: send 4294967296 <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>
        C: <a xmlns='urn:xmpp:sm:3' h='0'/>
        E: handled 4294967296",
    );
}

#[test]
fn a_stream_that_is_gone() {
    // XEP-0198 5: a resource may be bound then, and another managed stream begun.
    Trace::after(&[LOGIN]).play("
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/>
        E: resume s1 h=4
        A: refuse-resume item-not-found 4294967299
        S: <failed xmlns='urn:xmpp:sm:3' h='3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>").play(BIND).play(ENABLE);
}

#[test]
fn a_request_that_says_too_little_or_too_much() {
    for resume in [
        "<resume xmlns='urn:xmpp:sm:3' h='4'/>",
        "<resume xmlns='urn:xmpp:sm:3' previd='s1'/>",
        "<resume xmlns='urn:xmpp:sm:3' previd='' h='1'/>",
        "<resume xmlns='urn:xmpp:sm:3' previd='s1' h='many'/>",
    ] {
        Trace::after(&[LOGIN]).play(&format!("
            C: {resume}
            S: <failed xmlns='urn:xmpp:sm:3'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"));
    }
    let mut trace = Trace::after(&[LOGIN]);
    trace.play(
        "
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='7'/>
        E: resume s1 h=7",
    );
    let ledger = Ledger { taken: 0, sent: 6, acked: 3 };
    let jid = Jid::parse("tim@example.com/old").unwrap();
    assert_eq!(trace.us.resume(&jid, &ledger), Err(Misuse::LedgerMismatch));
    trace.play("
        A: refuse-resume item-not-found
        S: <failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
}

#[test]
fn where_it_is_not_offered() {
    let mut config = config();
    config.stream_management = false;
    let mut trace = Trace::with(config, offer());
    trace.play("
        C: $open
        E: opening to=example.com
        A: accept
        S: $opened
        S: $logins
        C: $plain
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN
        C: $open
        S: $opened
        S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session><csi xmlns='urn:xmpp:csi:0'/></stream:features>
        C: <resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/>
        S: <failed xmlns='urn:xmpp:sm:3'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>").play(BIND).play("
        C: <enable xmlns='urn:xmpp:sm:3'/>
        S: <failed xmlns='urn:xmpp:sm:3'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
}

#[test]
fn what_was_not_received_cannot_be_acknowledged() {
    let mut trace = managed();
    trace.play(
        "
        C: <message xmlns='jabber:client'/>
        E: 1 <message xmlns='jabber:client'/>",
    );
    assert_eq!(trace.us.acknowledge(2), Err(Misuse::AcknowledgedUnreceived));
    assert_eq!(trace.us.acknowledge(1), Ok(()));
    assert_eq!(trace.us.ledger(), Some(Ledger { taken: 1, sent: 0, acked: 0 }));
}
