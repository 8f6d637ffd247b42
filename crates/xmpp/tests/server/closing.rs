//! RFC 7395, section 3.6; RFC 6120, section 4.4.

use crate::trace::{BIND, ENABLE, LOGIN, Trace};
use wharf_xmpp::stream::Misuse;

#[test]
fn the_client_closes() {
    // XWS-050, XWS-052, XWS-053.
    Trace::after(&[LOGIN, BIND]).play(
        "
        A: send - <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>
        C: $close
        S: $close
        E: closed by Peer code=1000 clean peer-ends",
    );
    Trace::new().play(
        "
        C: $close
        S: $close
        E: closed by Peer code=1000 clean peer-ends",
    );
}

#[test]
fn the_server_closes() {
    // XWS-050, XWS-051, XWS-056: what the client has sent meanwhile still counts; nothing is sent.
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.play(
        "
        A: close
        S: $close
        C: <message xmlns='jabber:client'/>
        E: - <message xmlns='jabber:client'/>
        C: <iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>
        E: - <iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    assert_eq!(trace.us.send(&[b"<message xmlns='jabber:client'/>"]), Err(Misuse::WrongStage));
    assert_eq!(trace.us.close(None), Err(Misuse::WrongStage));
    trace.play(
        "
        C: $close
        E: closed by Local code=1000 clean",
    );
}

#[test]
fn the_server_closes_with_an_error() {
    // XWS-040, XWS-042.
    Trace::after(&[LOGIN, BIND]).play(
        "
        A: error system-shutdown
        S: error system-shutdown
        S: $close
        C: <message xmlns='jabber:client'/>
        C: $close
        E: closed by Local code=1000 clean error=system-shutdown",
    );
}

#[test]
fn a_client_that_does_not_close_is_not_waited_for() {
    // RFC 6120 4.4: a reasonable amount of time.
    Trace::after(&[LOGIN, BIND]).play(
        "
        A: close
        S: $close
        T: 1
        T: 1
        E: closed by Local code=1000",
    );
}

#[test]
fn the_client_has_an_error() {
    // RFC 6120 4.9.1.1.
    Trace::after(&[LOGIN, BIND]).play("
        C: <stream:error xmlns:stream='http://etherx.jabber.org/streams'><connection-timeout xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        S: $close
        C: $close
        E: closed by Peer code=1000 clean error=connection-timeout");
    Trace::new().play("
        C: <error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>
        S: $close
        X: gone
        E: closed by Peer code=1000 error=reset");
}

#[test]
fn a_websocket_that_is_gone_ends_the_stream() {
    // XWS-054, XWS-055.
    Trace::after(&[LOGIN, BIND]).play(
        "
        X: gone
        E: closed by Peer code=1000
        X: gone",
    );
    Trace::after(&[LOGIN, BIND, ENABLE]).play(
        "
        X: gone
        E: closed by Peer code=1000 resumable",
    );
}

#[test]
fn a_managed_stream_that_the_client_closes_is_over() {
    // XEP-0198 7; and 4: it is told before what was taken.
    Trace::after(&[LOGIN, BIND, ENABLE]).play(
        "
        C: <message xmlns='jabber:client'/>
        E: 1 <message xmlns='jabber:client'/>
        A: taken 1
        C: $close
        S: <a xmlns='urn:xmpp:sm:3' h='1'/>
        S: $close
        E: closed by Peer code=1000 clean peer-ends",
    );
}

#[test]
fn a_managed_stream_can_go_on_elsewhere() {
    // XWS-055, XWS-060.
    Trace::after(&[LOGIN, BIND, ENABLE]).play(
        "
        A: redirect wss://b.example/ws
        S: <close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" see-other-uri='wss://b.example/ws' />
        C: $close
        E: closed by Local code=1000 clean resumable to=wss://b.example/ws",
    );
    Trace::after(&[LOGIN, BIND, ENABLE]).play(
        "
        A: disconnect 1012
        E: closed by Local code=1012 resumable
        C: <message xmlns='jabber:client'/>",
    );
}

#[test]
fn a_managed_stream_that_is_broken_is_over() {
    Trace::after(&[LOGIN, BIND, ENABLE]).play(
        "
        C: <presence/>
        S: error invalid-namespace
        S: $close
        X: gone
        E: closed by Local code=1000 violation=a stanza in another namespace",
    );
}

#[test]
fn a_stream_can_be_closed_while_an_answer_is_due() {
    Trace::new().play(
        "
        C: $open
        E: opening to=example.com
        A: error system-shutdown
        S: $opened
        S: error system-shutdown
        S: $close
        C: $close
        E: closed by Local code=1000 clean error=system-shutdown",
    );
    let mut trace = Trace::new();
    trace.play(
        "
        C: $open
        E: opening to=example.com
        X: gone
        E: closed by Peer code=1000",
    );
    assert!(trace.us.is_over());
}

#[test]
fn an_answer_after_the_end_is_for_nobody() {
    let mut trace = Trace::new();
    trace.play(
        "
        C: $open
        E: opening to=example.com
        A: accept
        S: $opened
        S: $logins
        C: $plain
        E: question password tim secret
        X: gone
        E: closed by Peer code=1000",
    );
    let answer = wharf_sasl::server::Answer::Is { user: "tim".to_owned() };
    assert_eq!(trace.us.answer(answer), Err(Misuse::NothingAsked));
    trace.play("");
}
