//! The interim versions 6, 7 and 8: what their handshakes do differently.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake_trace;

use handshake_trace::{ACCEPT, Lines, NONCE, field};
use wharf_ws::handshake::client::{Failure, Handshake, Offer, Outcome};
use wharf_ws::handshake::server::Policy;
use wharf_ws::handshake::{AnswerFault, Compression, DeflateOffer, OriginPolicy, Reason};
use wharf_ws::version::{Version, Versions};

const INTERIM: [Version; 3] = [Version::Draft8, Version::Draft7, Version::Draft6];

fn policy() -> Policy {
    Policy { versions: Versions::WITH_INTERIM, ..Policy::default() }
}

fn request(version: Version) -> Lines {
    Lines::request_of_version(version.number())
}

fn offer(version: Version) -> Offer {
    Offer { version, ..Offer::new("ws://server.example.com/chat".parse().unwrap()) }
}

fn outcome(offer: Offer, response: &Lines) -> Outcome {
    Handshake::new(offer, NONCE).unwrap().handle_input(&response.bytes())
}

fn wire(offer: Offer) -> String {
    let handshake = Handshake::new(offer, NONCE).unwrap();
    String::from_utf8(handshake.request_bytes().to_vec()).unwrap()
}

#[test]
fn the_header_value_names_the_version() {
    // HYBI-001, HYBI-003, WS-RG-04.
    for version in Version::ALL {
        assert_eq!(version.header_value(), version.number().to_string());
        assert_eq!(Version::from_number(version.number()), Some(version));
    }
    let spoken = (0..=255).filter(|number| Version::from_number(*number).is_some());
    assert_eq!(spoken.collect::<Vec<u8>>(), [6, 7, 8, 13]);
    assert_eq!(Versions::WITH_INTERIM.to_string(), "13, 8, 7, 6");
    assert_eq!(Versions::default(), Versions::RFC6455);
    assert_eq!(Versions::WITH_INTERIM.without(Version::Draft7).to_string(), "13, 8, 6");
    assert_eq!(format!("{:?}", Versions::RFC6455), "{Rfc6455}");
}

#[test]
fn interim_versions_are_off_by_default() {
    // HYBI-101, HYBI-001, HYBI-002, WS-HS-12.
    for version in INTERIM {
        let refused = request(version).refused(&Policy::default());
        assert_eq!(refused, (426, Reason::VersionUnsupported));
        let only = Policy { versions: Versions::RFC6455.with(version), ..Policy::default() };
        for other in INTERIM {
            assert_eq!(request(other).ask(&only).is_ok(), other == version);
        }
    }
}

#[test]
fn an_enabled_version_is_agreed_with_the_same_accept() {
    // HYBI-001, HYBI-004, HYBI-005 (the agreement carries the version), HYBI-015.
    for version in INTERIM {
        let acceptance = request(version).ask(&policy()).unwrap();
        assert_eq!(acceptance.agreement.version, version);
        assert_eq!(acceptance.accept_key, ACCEPT);
        assert_eq!(field(acceptance.headers(), "Connection"), Some("Upgrade"));
        assert_eq!(field(acceptance.headers(), "Upgrade"), Some("websocket"));
        // HYBI-A05: the origin is not answered. Nor is the version.
        assert_eq!(field(acceptance.headers(), "Sec-WebSocket-Origin"), None);
        assert_eq!(field(acceptance.headers(), "Sec-WebSocket-Version"), None);
    }
}

#[test]
fn upgrade_and_connection_are_checked_in_every_version() {
    // HYBI-013, HYBI-014, HYBI-023 (an HTTP error, not just a closed connection).
    for version in INTERIM {
        let lists =
            request(version).set("Upgrade: x, WebSocket").set("Connection: keep-alive, upgrade");
        assert!(lists.ask(&policy()).is_ok());
        let refused = request(version).drop("Upgrade").refused(&policy());
        assert_eq!(refused, (426, Reason::UpgradeMissing));
        let refused = request(version).drop("Connection").refused(&policy());
        assert_eq!(refused, (400, Reason::ConnectionMissing));
        let refused = request(version).set("Sec-WebSocket-Key: short").refused(&policy());
        assert_eq!(refused, (400, Reason::KeyInvalid));
    }
}

#[test]
fn a_host_may_leave_out_any_port() {
    // HYBI-012, HYBI-A04.
    for version in INTERIM {
        for host in ["server.example.com", "server.example.com:9001", "server.example.com:80"] {
            assert!(request(version).set(&format!("Host: {host}")).ask(&policy()).is_ok());
        }
    }
}

#[test]
fn the_origin_has_another_name() {
    // HYBI-010, HYBI-011, HYBI-100.
    let list = OriginPolicy::List(vec!["http://good.example".to_owned()]);
    let policy = Policy { origins: list, ..policy() };
    let bad = (403, Reason::OriginNotAllowed);
    for version in INTERIM {
        let good = request(version).add("Sec-WebSocket-Origin: http://good.example");
        let acceptance = good.ask(&policy).unwrap();
        assert_eq!(acceptance.origin.as_deref(), Some("http://good.example"));
        let evil = request(version).add("Sec-WebSocket-Origin: http://evil.example");
        assert_eq!(evil.refused(&policy), bad);

        // Clients of -11 and -12 say 8 and use the new name.
        assert!(request(version).add("Origin: http://good.example").ask(&policy).is_ok());
        assert_eq!(request(version).add("Origin: http://evil.example").refused(&policy), bad);

        let both = good.clone().add("Origin: http://good.example");
        assert!(both.ask(&policy).is_ok());
        let both = good.clone().add("Origin: http://evil.example");
        assert_eq!(both.refused(&policy), (403, Reason::OriginsDisagree));
        let twice = good.add("Sec-WebSocket-Origin: http://good.example");
        assert_eq!(twice.refused(&policy), (400, Reason::OriginRepeated));
    }
    // In version 13 the old name is a field like any other.
    let old_name = Lines::request().add("Sec-WebSocket-Origin: http://evil.example");
    assert!(old_name.ask(&policy).is_ok());
}

#[test]
fn subprotocols_may_be_quoted_in_versions_6_and_7() {
    // HYBI-017, HYBI-018.
    let policy = Policy { subprotocols: vec!["amqp".to_owned(), "a,b".to_owned()], ..policy() };
    for version in [Version::Draft6, Version::Draft7] {
        let request = request(version).add("Sec-WebSocket-Protocol: \"x y\", \"am\\qp\"");
        // A blank is not within U+0021 to U+007E.
        assert_eq!(request.refused(&policy), (400, Reason::SubprotocolsMalformed));
        let request = self::request(version).add("Sec-WebSocket-Protocol: \"x;y\", \"am\\qp\"");
        let acceptance = request.ask(&policy).unwrap();
        assert_eq!(acceptance.agreement.subprotocol.as_deref(), Some("amqp"));
        // What is not a token is never chosen: it could not be answered as one.
        let request = self::request(version).add("Sec-WebSocket-Protocol: \"a,b\"");
        assert_eq!(request.ask(&policy).unwrap().agreement.subprotocol, None);
        let request = self::request(version).add("Sec-WebSocket-Protocol: \"\"");
        assert_eq!(request.refused(&policy), (400, Reason::SubprotocolsMalformed));
    }
    for version in [Version::Draft8, Version::Rfc6455] {
        let request = request(version).add("Sec-WebSocket-Protocol: \"amqp\"");
        assert_eq!(request.refused(&policy), (400, Reason::SubprotocolsMalformed));
    }
}

#[test]
fn extension_values_follow_the_grammar_of_their_time() {
    // HYBI-020, HYBI-095 (at most one extension, so its order is trivial).
    let with = |version, list: &str| {
        request(version).add(&format!("Sec-WebSocket-Extensions: {list}")).ask(&policy())
    };
    for version in INTERIM {
        assert!(with(version, "x-private; a; b=c, foo").is_ok());
        assert_eq!(with(version, "a b").unwrap_err().reason(), Reason::ExtensionsMalformed);
    }
    for version in [Version::Draft6, Version::Draft7] {
        assert!(with(version, "foo; a=\"b c, d\"").is_ok());
    }
    let refusal = with(Version::Draft8, "foo; a=\"b\"").unwrap_err();
    assert_eq!(refusal.reason(), Reason::ExtensionsMalformed);
    assert!(with(Version::Rfc6455, "foo; a=\"b\"").is_ok());
    assert!(with(Version::Rfc6455, "foo; a=\"b c\"").is_err());
}

#[test]
fn deflate_stream_is_for_those_who_switch_it_on() {
    // HYBI-090, HYBI-093: Firefox 7 offers it with version 8.
    let on = Policy { deflate_stream: true, ..policy() };
    for version in INTERIM {
        let request = request(version).add("Sec-WebSocket-Extensions: deflate-stream");
        let declined = request.ask(&policy()).unwrap();
        assert_eq!(declined.agreement.compression, Compression::None);
        assert_eq!(declined.extensions, None);
        let accepted = request.ask(&on).unwrap();
        assert_eq!(accepted.agreement.compression, Compression::Stream);
        assert_eq!(field(accepted.headers(), "Sec-WebSocket-Extensions"), Some("deflate-stream"));
        // It has no parameters.
        let request =
            self::request(version).add("Sec-WebSocket-Extensions: deflate-stream; level=9");
        assert_eq!(request.ask(&on).unwrap().agreement.compression, Compression::None);
    }
    let request = Lines::request().add("Sec-WebSocket-Extensions: deflate-stream");
    assert_eq!(request.ask(&on).unwrap().agreement.compression, Compression::None);
}

#[test]
fn permessage_deflate_is_for_version_13_only() {
    // HYBI-094.
    let on = Policy { deflate: Some(Default::default()), deflate_stream: true, ..policy() };
    for version in INTERIM {
        let request = request(version).add("Sec-WebSocket-Extensions: permessage-deflate");
        assert_eq!(request.ask(&on).unwrap().agreement.compression, Compression::None);
        let both = request.add("Sec-WebSocket-Extensions: deflate-stream");
        assert_eq!(both.ask(&on).unwrap().agreement.compression, Compression::Stream);

        let offer = Offer { deflate: vec![DeflateOffer::default()], ..offer(version) };
        assert!(!wire(offer.clone()).contains("permessage-deflate"));
        let response = Lines::response().add("Sec-WebSocket-Extensions: permessage-deflate");
        assert_eq!(
            outcome(offer, &response),
            Outcome::Failed(Failure::Extensions(AnswerFault::NotOffered))
        );
    }
}

#[test]
fn later_subprotocols_may_be_served_over_interim_versions() {
    // HYBI-102: an extension of this project; the handshake makes no difference.
    let policy = Policy { subprotocols: vec!["amqp".to_owned()], ..policy() };
    for version in INTERIM {
        let request = request(version).add("Sec-WebSocket-Protocol: amqp");
        assert_eq!(request.ask(&policy).unwrap().agreement.subprotocol.as_deref(), Some("amqp"));
    }
}

#[test]
fn a_client_of_version_6_asks_like_one() {
    // HYBI-001, HYBI-010 (lower case), HYBI-012 (the authority as it stands in the URI),
    // HYBI-013, HYBI-024, HYBI-030.
    let uri = "ws://Server.Example.com:80/chat?x".parse().unwrap();
    let offer = Offer {
        version: Version::Draft6,
        origin: Some("HTTP://Www.Example.com".to_owned()),
        deflate_stream: true,
        ..Offer::new(uri)
    };
    assert_eq!(
        wire(offer),
        "GET /chat?x HTTP/1.1\r\n\
         Host: server.example.com:80\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 6\r\n\
         Sec-WebSocket-Origin: http://www.example.com\r\n\
         Sec-WebSocket-Extensions: deflate-stream\r\n\
         \r\n"
    );
}

#[test]
fn clients_of_versions_7_and_8_name_their_version_and_origin() {
    // HYBI-001, HYBI-010, HYBI-012.
    for version in [Version::Draft7, Version::Draft8] {
        let uri = "ws://server.example.com:80/".parse().unwrap();
        let origin = Some("http://a.example".to_owned());
        let wire = wire(Offer { version, origin, ..Offer::new(uri) });
        assert!(wire.contains(&format!("\r\nSec-WebSocket-Version: {version}\r\n")), "{wire}");
        assert!(wire.contains("\r\nHost: server.example.com\r\n"), "{wire}");
        assert!(wire.contains("\r\nSec-WebSocket-Origin: http://a.example\r\n"), "{wire}");
        assert!(!wire.contains("\r\nOrigin:"), "{wire}");
    }
}

#[test]
fn clients_of_versions_6_and_7_want_connection_to_equal_upgrade() {
    // HYBI-015.
    for (version, is_strict) in
        [(Version::Draft6, true), (Version::Draft7, true), (Version::Draft8, false)]
    {
        let equal = Lines::response().set("Connection: upgrade");
        assert!(matches!(outcome(offer(version), &equal), Outcome::Upgraded { .. }));
        let list = Lines::response().set("Connection: keep-alive, Upgrade");
        let expected = outcome(offer(version), &list);
        assert_eq!(expected == Outcome::Failed(Failure::Connection), is_strict, "{version}");
        let wrong = Lines::response().set("Upgrade: websocket, x");
        assert_eq!(outcome(offer(version), &wrong), Outcome::Failed(Failure::Upgrade));
    }
}

#[test]
fn a_client_of_version_6_knows_no_other_status() {
    // HYBI-016; WS-HC-17 for the others.
    let response = Lines::of(&["HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Basic"]);
    assert_eq!(outcome(offer(Version::Draft6), &response), Outcome::Failed(Failure::Status(401)));
    for version in [Version::Draft7, Version::Draft8] {
        let outcome = outcome(offer(version), &response);
        assert!(matches!(outcome, Outcome::Http { status: 401, .. }), "{outcome:?}");
    }
}

#[test]
fn unrequested_answers_fail_in_every_version() {
    // HYBI-019, HYBI-A05 (an origin in the answer is ignored).
    for version in INTERIM {
        let response = Lines::response().add("Sec-WebSocket-Protocol: chat");
        assert_eq!(outcome(offer(version), &response), Outcome::Failed(Failure::Subprotocol));
        let response = Lines::response().add("Sec-WebSocket-Extensions: deflate-stream");
        assert_eq!(
            outcome(offer(version), &response),
            Outcome::Failed(Failure::Extensions(AnswerFault::NotOffered))
        );
        let response = Lines::response().add("Sec-WebSocket-Origin: http://a");
        assert!(matches!(outcome(offer(version), &response), Outcome::Upgraded { .. }));
    }
}

#[test]
fn a_client_uses_deflate_stream_when_it_was_offered_and_accepted() {
    // HYBI-090.
    for version in INTERIM {
        let offer = Offer { deflate_stream: true, ..offer(version) };
        let response = Lines::response().add("Sec-WebSocket-Extensions: deflate-stream");
        let Outcome::Upgraded { agreement, .. } = outcome(offer.clone(), &response) else {
            panic!("not open");
        };
        assert_eq!(agreement.compression, Compression::Stream);
        assert_eq!(agreement.version, version);
        let response = Lines::response().add("Sec-WebSocket-Extensions: deflate-stream; x");
        assert_eq!(
            outcome(offer, &response),
            Outcome::Failed(Failure::Extensions(AnswerFault::Parameter))
        );
    }
}
