//! Deadlines, and whether the client is there.

use crate::trace::{BIND, ENABLE, LOGIN, Trace, config, offer};
use std::time::Duration;
use wharf_xmpp::server::Config;

fn pinging() -> Config {
    let mut config = config();
    config.pacing.ping_after = Some(Duration::from_secs(10));
    config.pacing.ping_timeout = Duration::from_secs(5);
    config
}

#[test]
fn a_login_has_its_time() {
    // DESIGN 10: one deadline; half-open sessions end.
    Trace::new().play(
        "
        T: 29
        T: 1
        S: $opened
        S: error connection-timeout
        S: $close
        T: 2
        E: closed by Local code=1000 violation=the stream was not ready in time",
    );
    Trace::after(&[LOGIN]).play(
        "
        T: 30
        S: error connection-timeout
        S: $close
        X: gone
        E: closed by Local code=1000 violation=the stream was not ready in time",
    );
    Trace::after(&[LOGIN, BIND]).play("T: 100");
}

#[test]
fn a_question_does_not_stop_the_clock() {
    Trace::new().play(
        "
        C: $open
        E: opening to=example.com
        T: 30
        S: $opened
        S: error connection-timeout
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=the stream was not ready in time",
    );
}

#[test]
fn a_silent_client_is_pinged() {
    // XWS-081, XEP-0199 4.1.
    let mut trace = Trace::with(pinging(), offer());
    trace.play(LOGIN).play(BIND).play("
        T: 10
        T: 10
        S: <iq xmlns='jabber:client' type='get' from='example.com' to='tim@example.com/pc' id='wharf-ping-1'><ping xmlns='urn:xmpp:ping'/></iq>
        C: <iq xmlns='jabber:client' type='result' id='wharf-ping-1'/>
        T: 5
        T: 10
        S: <iq xmlns='jabber:client' type='get' from='example.com' to='tim@example.com/pc' id='wharf-ping-2'><ping xmlns='urn:xmpp:ping'/></iq>
        C: <iq xmlns='jabber:client' type='error' id='wharf-ping-2'><error type='cancel'/></iq>
        C: <iq xmlns='jabber:client' type='result' id='wharf-ping-1'/>
        E: - <iq xmlns='jabber:client' type='result' id='wharf-ping-1'/>");
}

#[test]
fn a_client_that_is_gone_is_given_up() {
    let mut trace = Trace::with(pinging(), offer());
    trace.play(LOGIN).play(BIND).play("
        T: 20
        S: <iq xmlns='jabber:client' type='get' from='example.com' to='tim@example.com/pc' id='wharf-ping-1'><ping xmlns='urn:xmpp:ping'/></iq>
        T: 5
        S: error connection-timeout
        S: $close
        T: 2
        E: closed by Local code=1000 violation=no answer to a ping");
}

#[test]
fn on_a_managed_stream_an_acknowledgement_is_asked_for() {
    // XWS-081: and a client that does not answer may come back.
    let mut trace = Trace::with(pinging(), offer());
    trace.play(LOGIN).play(BIND).play(ENABLE).play(
        "
        T: 20
        S: $r
        C: <a xmlns='urn:xmpp:sm:3' h='0'/>
        T: 15
        S: $r
        T: 5
        S: error connection-timeout
        S: $close
        T: 2
        E: closed by Local code=1000 resumable violation=no answer to a ping",
    );
}
