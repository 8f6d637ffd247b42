//! Headers, features, and SASL in both profiles.

use crate::trace::{BIND, LOGIN, Trace, config};
use wharf_sasl::{ChannelBinding, Hash, Mechanism};
use wharf_xmpp::client::{Config, may_follow};
use wharf_xmpp::server::UserAgent;

/// Features with these mechanisms and types of channel binding.
fn features(mechanisms: &str, bindings: &str, second: bool) -> String {
    let each = |names: &str, open: &str, close: &str| -> String {
        names.split_whitespace().map(|name| format!("{open}{name}{close}")).collect()
    };
    let mechanisms = each(mechanisms, "<mechanism>", "</mechanism>");
    let bindings = match bindings {
        "" => String::new(),
        bindings => format!(
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>{}</sasl-channel-binding>",
            each(bindings, "<channel-binding type='", "'/>")
        ),
    };
    let list = if second {
        format!("<authentication xmlns='urn:xmpp:sasl:2'>{mechanisms}</authentication>")
    } else {
        format!("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{mechanisms}</mechanisms>")
    };
    format!("<features xmlns='http://etherx.jabber.org/streams'>{list}{bindings}</features>")
}

#[test]
fn a_login_and_a_managed_stream() {
    // XWS-016, XWS-017, XWS-018, XWS-030, XWS-070, XWS-071, XWS-072, XWS-085, XWS-086.
    Trace::new().play(LOGIN).play(BIND);
}

#[test]
fn who_the_client_is_is_said_on_encrypted_channels_alone() {
    // RFC 6120 4.7.1.
    let mut config = config();
    (config.secure, config.lang) = (false, Some("de".to_owned()));
    Trace::with(config).play("
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' xml:lang='de' version='1.0'/>");
}

#[test]
fn the_server_answers_with_its_header() {
    for (answer, violation) in [
        ("<features xmlns='http://etherx.jabber.org/streams'/>", "not-authorized"),
        ("<open xmlns='jabber:client' version='1.0'/>", "invalid-namespace"),
        ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "unsupported-version"),
        (" ", "not-well-formed"),
        ("<!-- --><a/>", "restricted-xml"),
    ] {
        let mut trace = Trace::new();
        trace.play("C: $open");
        trace.play(&format!(
            "
            S: {answer}
            C: error {violation}
            C: $close
            X: gone
            E: {}",
            trace_end(violation)
        ));
    }
}

fn trace_end(condition: &str) -> &'static str {
    match condition {
        "not-authorized" => "closed by Local violation=too early: an element before <open/>",
        "invalid-namespace" => "closed by Local violation=a stream header in another namespace",
        "unsupported-version" => "closed by Local violation=a version of XMPP below 1.0",
        "not-well-formed" => {
            "closed by Local violation=not well-formed: the first character is not <"
        }
        _ => "closed by Local violation=a comment is not allowed",
    }
}

#[test]
fn a_server_may_refuse_at_once() {
    // XWS-A05, XWS-031.
    Trace::new().play(
        "
        C: $open
        S: $close
        C: $close
        E: closed by Peer clean peer-ends",
    );
    Trace::new().play("
        C: $open
        S: $opened
        S: <stream:error xmlns:stream='http://etherx.jabber.org/streams'><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        C: $close
        S: $close
        E: closed by Peer clean error=host-unknown");
}

#[test]
fn a_server_may_send_elsewhere() {
    // XWS-060, XWS-061.
    Trace::new().play(
        "
        C: $open
        S: <close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" see-other-uri='wss://b.example/ws' />
        C: $close
        E: closed by Peer clean peer-ends to=wss://b.example/ws",
    );
    for uri in ["wss://b.example/ws", "WSS://b.example", "https://b.example/bosh"] {
        assert!(may_follow(uri, true) && may_follow(uri, false), "{uri}");
    }
    for uri in ["ws://b.example/ws", "http://b.example/bosh"] {
        assert!(!may_follow(uri, true) && may_follow(uri, false), "{uri}");
    }
    for uri in ["", "b.example", "ftp://b.example", "javascript:alert(1)"] {
        assert!(!may_follow(uri, true) && !may_follow(uri, false), "{uri}");
    }
}

#[test]
fn the_strongest_that_both_have() {
    // RFC 6120 6.3.3.
    let scram = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cj14</challenge>";
    let mut trace = Trace::new();
    trace.play(
        "
        C: $open
        S: $opened",
    );
    let offered = features("PLAIN X-FOO SCRAM-SHA-1 SCRAM-SHA-512 SCRAM-SHA-1-PLUS", "", false);
    trace.play_quietly(&format!("S: {offered}"));
    assert!(trace.take_said().contains("mechanism='SCRAM-SHA-512'"));
    // A challenge that does not go on from our nonce.
    trace.play(&format!(
        "
        S: {scram}
        C: <abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
        C: $close
        E: login failed: wrong nonce
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>
        S: $close
        E: closed by Local clean"
    ));
}

#[test]
fn no_mechanism_in_common() {
    // RFC 6120 6.4.5; PLAIN only where the settings allow it.
    for offered in ["", "X-FOO GSSAPI", "PLAIN"] {
        let mut config = config();
        config.login.weakest = Mechanism::Scram(Hash::Sha256);
        Trace::with(config).play(&format!(
            "
            C: $open
            S: $opened
            S: {}
            C: $close
            E: login failed: no mechanism that both sides have
            S: $close
            E: closed by Local clean",
            features(offered, "", false)
        ));
    }
}

#[test]
fn a_refusal_is_told() {
    Trace::new().play("
        C: $open
        S: $opened
        S: $logins
        C: $plain
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><account-disabled/><text xml:lang='en'>Call us.</text></failure>
        E: login failed: the server refuses: account-disabled: Call us.
        C: $close
        S: $close
        E: closed by Local clean");
}

#[test]
fn a_server_that_has_not_proved_itself_is_not_trusted() {
    let mut trace = Trace::new();
    trace.play(
        "
        C: $open
        S: $opened",
    );
    trace.play_quietly(&format!("S: {}", features("SCRAM-SHA-256", "", false)));
    trace.take_said();
    trace.play(
        "
        S: $success
        E: login failed: the server has not proved itself
        C: $close
        S: $close
        E: closed by Local clean",
    );
}

fn binding() -> Config {
    let mut config = config();
    config.login.channel_binding = Some(ChannelBinding::tls_exporter([1; 32]));
    config
}

/// What is chosen with a channel binding; empty if the login is given up.
fn chosen(mechanisms: &str, bindings: &str, second: bool) -> String {
    let mut trace = Trace::with(binding());
    trace.play(
        "
        C: $open
        S: $opened",
    );
    trace.play_quietly(&format!("S: {}", features(mechanisms, bindings, second)));
    let said = trace.take_said();
    said.split("mechanism='")
        .nth(1)
        .map_or(String::new(), |rest| rest.split('\'').next().unwrap().to_owned())
}

#[test]
fn lists_that_someone_has_changed() {
    // XEP-0440 3.
    let both = "SCRAM-SHA-256 SCRAM-SHA-256-PLUS";
    for second in [false, true] {
        assert_eq!(chosen(both, "tls-exporter", second), "SCRAM-SHA-256-PLUS");
        assert_eq!(chosen(both, "tls-server-end-point", second), "SCRAM-SHA-256");
        assert_eq!(chosen(both, "tls-unique", second), "");
        assert_eq!(chosen("SCRAM-SHA-256", "tls-exporter", second), "");
        assert_eq!(chosen("SCRAM-SHA-256", "", second), "SCRAM-SHA-256");
    }
    assert_eq!(chosen(both, "", false), "SCRAM-SHA-256-PLUS");
    assert_eq!(chosen(both, "", true), "");
}

#[test]
fn all_in_one_exchange() {
    // XEP-0388, XEP-0386, XEP-0198 9, XWS-A11.
    let mut config = config();
    config.tag = Some("Wharf".to_owned());
    config.user_agent = Some(UserAgent {
        id: Some("d4565fa7-4d72-4749-b3d3-740edbf87770".to_owned()),
        software: Some("wharf".to_owned()),
        device: None,
    });
    Trace::with(config).play("
        C: $open
        S: $opened
        S: <features xmlns='http://etherx.jabber.org/streams'><authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism>\
<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/></inline></authentication></features>
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response>\
<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>wharf</software></user-agent>\
<bind xmlns='urn:xmpp:bind:0'><tag>Wharf</tag><enable xmlns='urn:xmpp:sm:3' resume='true' max='86400'/></bind></authenticate>
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com/Wharf/1</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='s1' resume='1'/></bound></success>
        S: <features xmlns='http://etherx.jabber.org/streams'/>
        E: online tim@example.com/Wharf/1 managed s1
        S: <message xmlns='jabber:client'/>
        E: 1 <message xmlns='jabber:client'/>");
}

#[test]
fn the_second_profile_alone() {
    Trace::new().play(&format!("
        C: $open
        S: $opened
        S: {}
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response></authenticate>
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com</authorization-identifier></success>", features("PLAIN", "", true)))
        .play(BIND);
    Trace::new().play(&format!("
        C: $open
        S: $opened
        S: {}
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response></authenticate>
        S: <continue xmlns='urn:xmpp:sasl:2'><tasks><task>TOTP</task></tasks></continue>
        C: error unsupported-feature
        C: $close
        X: gone
        E: closed by Local violation=not offered: a login without more tasks", features("PLAIN", "", true)));
}
