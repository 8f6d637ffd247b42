//! Hosts, logins and the end of streams that have no resource (RFC 7395, RFC 6120 sections 4 to 6).

use crate::wire::Wire;
use crate::wire::xmpp::{CLOSE, OPEN, OPENED, config, error, with};
use std::time::Duration;
use wharf_gateway::{Answer, Config, Located, Location, XmppSettings};
use wharf_ws::MessageKind;

fn features(mechanisms: &[&str]) -> String {
    let of = |profile: &str, name: &str, rest: &str| {
        let all: String =
            mechanisms.iter().map(|one| format!("<mechanism>{one}</mechanism>")).collect();
        format!("<{name} xmlns='{profile}'>{all}{rest}</{name}>")
    };
    let inside = of("urn:ietf:params:xml:ns:xmpp-sasl", "mechanisms", "");
    format!(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{inside}</stream:features>"
    )
}

/// XWS-010, XWS-031, XWS-033, XWS-084. RFC 6120 13.8.3 is up to whoever knows the channel.
#[test]
fn a_stream_begins() {
    let mut wire = Wire::new(config());
    wire.stream(1, false);
    wire.say(1, OPEN);
    assert_eq!(wire.xml(1), [OPENED.to_owned(), features(&["SCRAM-SHA-256", "PLAIN"])]);
    wire.stream(2, true);
    wire.say(2, OPEN);
    let heard = wire.xml(2);
    assert!(heard[1].contains("<mechanism>PLAIN</mechanism>"), "{heard:?}");
    assert!(heard[1].contains("<authentication xmlns='urn:xmpp:sasl:2'>"), "{heard:?}");
}

/// XWS-A01.
#[test]
fn a_binary_message_ends_the_websocket() {
    let mut wire = Wire::new(config());
    wire.stream(1, false);
    wire.send(1, MessageKind::Binary, OPEN.as_bytes());
    assert_eq!(wire.xml(1), ["closed 1003 "]);
}

/// XWS-041, XWS-042, RFC 6120 4.9.3.6.
#[test]
fn a_host_that_is_not_served() {
    let mut wire = Wire::new(config());
    wire.stream(1, false);
    wire.say(1, &OPEN.replace("localhost", "other.example"));
    let unknown = error("host-unknown", "not served here");
    assert_eq!(wire.xml(1), [OPENED, &unknown, CLOSE]);
    wire.say(1, CLOSE);
    assert_eq!(wire.xml(1), ["closed 1000 "]);
}

/// RFC 6120 4.7.2: the host that HTTP has named will do.
#[test]
fn a_header_without_a_host() {
    let mut wire = Wire::new(config());
    wire.stream(1, false);
    wire.say(1, &OPEN.replace(" to='localhost'", ""));
    assert_eq!(wire.xml(1)[0], OPENED);
}

fn located(url: &str) -> Config {
    let what = Located::Host("example.com".to_owned());
    let locations = vec![Location { what, place: url.parse().expect("a place") }];
    Config { locations, ..config() }
}

/// XWS-060, XWS-061.
#[test]
fn a_host_that_is_served_elsewhere() {
    let open = OPEN.replace("localhost", "example.com");
    let mut wire = Wire::new(located("wss://b.example:8443/ws"));
    wire.stream(1, true);
    wire.say(1, &open);
    let elsewhere = CLOSE.replace(" />", " see-other-uri='wss://b.example:8443/ws' />");
    assert_eq!(wire.xml(1), [elsewhere]);
    // Never to something less secure.
    let mut wire = Wire::new(located("ws://b.example/ws"));
    wire.stream(1, true);
    wire.say(1, &open);
    let heard = wire.xml(1);
    assert_eq!(
        heard[1..],
        [error("host-unknown", "the host is served elsewhere"), CLOSE.to_owned()]
    );
}

/// RFC 6120 4.9.3.20, XWS-060.
#[test]
fn the_server_goes_away() {
    let mut wire = Wire::new(config());
    wire.stream(1, false);
    wire.say(1, OPEN);
    wire.xml(1);
    wire.drain(1, 1001);
    assert_eq!(wire.xml(1), [&error("system-shutdown", "the server is going away"), CLOSE]);
    wire.say(1, CLOSE);
    assert_eq!(wire.xml(1), ["closed 1001 "]);

    let drained_to = Some("wss://b.example/ws".parse().expect("a place"));
    let mut wire = Wire::new(Config { drained_to, ..config() });
    wire.stream(1, true);
    wire.drain(1, 1012);
    let elsewhere = CLOSE.replace(" />", " see-other-uri='wss://b.example/ws' />");
    assert_eq!(wire.xml(1), [elsewhere]);
    // It does not answer.
    wire.pass(Duration::from_secs(3));
    assert_eq!(wire.xml(1), ["closed 1012 "]);
}

/// XWS-052, XWS-053: who has closed the stream closes the WebSocket, or takes too long.
#[test]
fn the_client_goes_away() {
    let mut wire = Wire::new(config());
    for client in [1, 2] {
        wire.stream(client, false);
        wire.say(client, OPEN);
        wire.xml(client);
        wire.say(client, CLOSE);
        assert_eq!(wire.xml(client), [CLOSE]);
    }
    wire.close(1, 1000);
    assert_eq!(wire.xml(1), ["closed 1000 "]);
    wire.pass(Duration::from_secs(2));
    assert_eq!(wire.xml(2), ["closed 1000 "]);
}

/// RFC 6120 6.3, 6.4.
#[test]
fn a_login_asks_the_user_database() {
    let mut wire = Wire::new(config());
    wire.stream(1, true);
    wire.say(1, OPEN);
    wire.xml(1);
    let auth =
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHdyb25n</auth>";
    wire.say(1, auth);
    assert_eq!(wire.xml(1), [""; 0]);
    let question = wire.asked(1).expect("a question");
    assert!(question.starts_with("Password { user: \"alice\""), "{question}");
    wire.answer(1, Answer::Refused);
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    assert_eq!(wire.xml(1), [failure]);
    assert_eq!(wire.login(1).as_deref(), Some("(Plain, Err(Denied))"));
    wire.say(1, auth);
    wire.asked(1).expect("a question");
    wire.answer(1, Answer::Is { user: "alice".to_owned() });
    assert_eq!(wire.xml(1), ["<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"]);
    assert_eq!(wire.login(1).as_deref(), Some("(Plain, Ok(()))"));
}

/// XEP-0178 3.
#[test]
fn a_user_whom_http_knows() {
    let mut wire = Wire::new(config());
    for (client, authzid, told) in [
        (1, "=", "success"),
        (2, "YWxpY2VAbG9jYWxob3N0", "success"),
        (3, "Ym9iQGxvY2FsaG9zdA==", "failure"),
    ] {
        wire.stream_of(client, true, Some("alice"));
        wire.say(client, OPEN);
        wire.xml(client);
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>";
        wire.say(client, &format!("{auth}{authzid}</auth>"));
        assert_eq!(wire.asked(client), None);
        let heard = wire.xml(client);
        assert!(heard[0].starts_with(&format!("<{told} ")), "{authzid}: {heard:?}");
    }
}

/// RFC 6120 13.12: before a login little is read, and not for long.
#[test]
fn strangers_are_given_little() {
    let settings =
        XmppSettings { login_timeout: Duration::from_secs(5), ..XmppSettings::default() };
    let mut wire = Wire::new(with(&settings));
    wire.stream(1, false);
    wire.say(1, OPEN);
    wire.xml(1);
    let long = "x".repeat(10_001);
    wire.say(1, &format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{long}</auth>"));
    assert!(wire.xml(1)[0].contains("<policy-violation "));
    wire.stream(2, false);
    wire.pass(Duration::from_secs(5));
    let heard = wire.xml(2);
    assert!(heard[1].contains("<connection-timeout "), "{heard:?}");
}

/// What comes while an answer is due is kept, up to a bound.
#[test]
fn what_is_sent_ahead() {
    let mut wire = Wire::new(config());
    let auth =
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHdyb25n</auth>";
    wire.stream(1, true);
    wire.say(1, OPEN);
    wire.say(1, auth);
    wire.xml(1);
    assert!(!wire.wants_input(1));
    // It has come with the burst before.
    wire.say(1, OPEN);
    wire.answer(1, Answer::Is { user: "alice".to_owned() });
    let heard = wire.xml(1);
    assert_eq!(heard[..2], ["<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", OPENED]);
    wire.stream(2, true);
    wire.say(2, OPEN);
    wire.say(2, auth);
    wire.xml(2);
    for _ in 0..3 {
        wire.say(2, &format!("<x>{}</x>", "y".repeat(4000)));
    }
    assert!(wire.xml(2)[0].contains("<policy-violation "));
}
