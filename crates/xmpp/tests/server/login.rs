//! SASL by RFC 6120, section 6.

use crate::trace::{LOGIN, Trace, config, offer};
use wharf_sasl::Mechanism;
use wharf_xmpp::server::Offer;

const OPENED: &str = "
    C: $open
    E: opening to=example.com
    A: accept
    S: $opened
    S: $logins";

fn opened() -> Trace {
    Trace::after(&[OPENED])
}

/// A stream where only these are offered.
fn offering(mechanisms: &[Mechanism], tls: bool) -> Trace {
    let mut offer = Offer { mechanisms: mechanisms.to_vec(), ..offer() };
    offer.sasl2 = false;
    let mut trace =
        if tls { Trace::with(config(), offer) } else { Trace::on_plain_channel(config(), offer) };
    trace.open();
    trace
}

#[test]
fn a_login_restarts_the_stream() {
    // XWS-070, XWS-073, RFC 6120 6.4.6: no `<close/>` on either side.
    Trace::after(&[LOGIN]);
}

#[test]
fn the_restarted_stream_is_for_the_same_host() {
    opened().play(
        "
        C: $plain
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='other.example' version='1.0'/>
        S: $opened
        S: error host-unknown
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=another host than before the login",
    );
}

#[test]
fn after_a_login_only_a_header_may_come() {
    // XWS-071.
    opened().play("
        C: $plain
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN
        C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        S: $opened
        S: error not-authorized
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=too early: a stanza before <open/>");
}

#[test]
fn a_wrong_password_may_be_tried_again_but_not_for_ever() {
    // RFC 6120 6.4.5.
    let failure = "
        C: $plain
        E: question password tim secret
        A: denied
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>
        E: login failed PLAIN: unknown user or wrong password";
    let mut trace = opened();
    trace.play(failure).play(failure);
    trace.play(
        "
        C: $plain
        E: question password tim secret
        A: denied
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>
        E: login failed PLAIN: unknown user or wrong password
        S: error policy-violation
        S: $close
        C: $close
        E: closed by Local code=1008 clean violation=too many logins failed",
    );
    opened().play(failure).play(
        "
        C: $plain
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN",
    );
}

#[test]
fn a_busy_database_is_temporary() {
    opened().play(
        "
        C: $plain
        E: question password tim secret
        A: busy
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><temporary-auth-failure/></failure>
        E: login failed PLAIN: no answer from the user database",
    );
}

#[test]
fn an_initial_response_may_be_absent() {
    // RFC 6120 6.3.10, 6.4.2: the less efficient mode, and `=`.
    opened().play(
        "
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>
        S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
        C: <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AHRpbQBzZWNyZXQ=</response>
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN",
    );
    for response in ["", "="] {
        opened().play(&format!("
            C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>{response}</auth>
            E: question anonymous None
            A: is guest-1
            S: $success
            E: authenticated guest-1 guest-1@example.com ANONYMOUS"));
    }
}

#[test]
fn what_is_wrong_with_a_login_is_told() {
    // RFC 6120 6.5.
    let cases = [
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='CRAM-MD5'/>",
            "invalid-mechanism",
            "",
        ),
        ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "invalid-mechanism", ""),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
            "invalid-mechanism",
            "",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHRpbQ</auth>",
            "incorrect-encoding",
            "",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'> AHRpbQBzZWNyZXQ=</auth>",
            "incorrect-encoding",
            "",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHRpbQB=</auth>",
            "incorrect-encoding",
            "",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHRpbQ==</auth>",
            "malformed-request",
            "E: login failed PLAIN: expected three strings between two NULs",
        ),
        ("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "aborted", ""),
    ];
    for (message, condition, event) in cases {
        opened().play(&format!(
            "
            C: {message}
            S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>
            {event}"
        ));
    }
}

#[test]
fn an_exchange_can_be_aborted() {
    // RFC 6120 6.4.4.
    opened().play(
        "
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>
        S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
        C: <abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>
        C: $plain
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN",
    );
}

#[test]
fn another_auth_takes_the_place_of_the_one_before() {
    // RFC 6120 6.4.2.
    opened().play(
        "
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'/>
        S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
        C: $plain
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN",
    );
}

#[test]
fn who_names_itself_acts_as_itself() {
    // RFC 6120 6.3.8: "tim@example.com\0tim\0secret".
    opened().play("
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>dGltQGV4YW1wbGUuY29tAHRpbQBzZWNyZXQ=</auth>
        E: question password tim secret
        A: is tim
        S: $success
        E: authenticated tim tim@example.com PLAIN");
    // "tom@example.com\0tim\0secret".
    opened().play("
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>dG9tQGV4YW1wbGUuY29tAHRpbQBzZWNyZXQ=</auth>
        E: question password tim secret
        A: is tim
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-authzid/></failure>
        E: login failed PLAIN: may not act as another");
}

#[test]
fn users_whose_names_are_no_localparts() {
    opened().play(
        "
        C: $plain
        E: question password tim secret
        A: is tim o'neil
        S: $success
        E: authenticated tim o'neil tim\\20o\\27neil@example.com PLAIN",
    );
    opened().play(
        "
        C: $plain
        E: question password tim secret
        A: is \u{265a}
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
    );
}

#[test]
fn plain_takes_an_encrypted_channel() {
    // RFC 6120 6.5.4.
    let scram = [Mechanism::Scram(wharf_sasl::Hash::Sha256)];
    offering(&scram, false).play(
        "
        C: $plain
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>",
    );
    offering(&scram, true).play(
        "
        C: $plain
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>",
    );
}

#[test]
fn external_is_whoever_the_channel_says() {
    // RFC 6120 6.3.4, XEP-0178.
    offering(&[Mechanism::External], true).play(
        "
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>
        E: question external None
        A: is tim
        S: $success
        E: authenticated tim tim@example.com EXTERNAL",
    );
}

#[test]
fn before_the_login_nothing_else_is_done() {
    // RFC 6120 4.3.5, 4.9.3.12, XEP-0198 3.
    for message in [
        "<message xmlns='jabber:client' to='tom@example.com'/>",
        "<iq xmlns='jabber:client' type='get' id='1'><query xmlns='jabber:iq:register'/></iq>",
        "<active xmlns='urn:xmpp:csi:0'/>",
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    ] {
        let mut trace = opened();
        trace.hear(message.as_bytes());
        trace.play_ignoring_events(
            "
            S: error not-authorized
            S: $close",
        );
    }
    opened().play(
        "
        C: <enable xmlns='urn:xmpp:sm:3'/>
        S: $failed
        C: <resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>
        S: $failed
        C: $r
        S: $failed
        C: <a xmlns='urn:xmpp:sm:3' h='0'/>",
    );
}

#[test]
fn a_from_that_is_not_who_logged_in() {
    // RFC 6120 6.4.6.
    Trace::new().play("
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' from='tom@example.com' version='1.0'/>
        E: opening to=example.com from=tom@example.com
        A: accept
        S: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' to='tom@example.com' id='*' xml:lang='en' version='1.0'/>
        S: $logins
        C: $plain
        E: question password tim secret
        A: is tim
        S: error invalid-from
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=from is not who logged in");
}

#[test]
fn a_client_may_register_where_that_is_offered() {
    let mut trace = Trace::with(config(), Offer { registration: true, ..offer() });
    trace.open();
    trace.play("
        C: <iq xmlns='jabber:client' type='get' id='1'><query xmlns='jabber:iq:register'/></iq>
        E: register <iq xmlns='jabber:client' type='get' id='1'><query xmlns='jabber:iq:register'/></iq>
        A: send - <iq xmlns='jabber:client' type='result' id='1'/>
        S: <iq xmlns='jabber:client' type='result' id='1'/>
        C: <iq xmlns='jabber:client' type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>
        S: error not-authorized
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=too early: a stanza before the login");
}

#[test]
fn what_is_sent_ahead_waits_for_the_answer() {
    let mut trace = opened();
    trace.play("
        C: $plain
        E: question password tim secret
        C: $open
        C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>pc</resource></bind></iq>
        C: <presence xmlns='jabber:client'/>
        A: is tim
        S: $success
        S: $opened
        S: $features
        E: authenticated tim tim@example.com PLAIN
        E: bind wanted=pc
        A: bind pc
        S: <iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/pc</jid></bind></iq>
        E: - <presence xmlns='jabber:client'/>");
}
