//! Who a client is: a SASL layer, or whoever the layer below has let in (WSB section 2.2).

use crate::wire::{Wire, message};
use wharf_amqp::engine::SaslPolicy;
use wharf_amqp::performative::Open;
use wharf_amqp::sasl_frame::Init;
use wharf_gateway::{Answer, Config, Hash, Mechanism};

const MECHANISMS: [Mechanism; 2] = [Mechanism::Scram(Hash::Sha256), Mechanism::Plain];

fn required() -> SaslPolicy {
    SaslPolicy::Required(Vec::new())
}

/// The broker asks its user database, and waits for the answer.
#[test]
fn plain() {
    let mut wire = Wire::new(Config::default());
    wire.stranger(1, None, MECHANISMS.to_vec(), required());
    assert_eq!(wire.heard(1), ["mechanisms SCRAM-SHA-256 PLAIN"]);
    wire.plain(1, "carol", "secret");
    assert_eq!(wire.heard(1), [""; 0]);
    let question = wire.asked(1).expect("a question");
    assert!(question.starts_with("Password { user: \"carol\""), "{question}");
    assert!(!question.contains("secret"));
    assert_eq!(wire.asked(1), None);
    wire.let_in(1, "carol");
    assert_eq!(wire.heard(1), ["login Ok"]);
    assert_eq!(wire.login(1).as_deref(), Some("(Plain, Ok(()))"));
    wire.open(1, Open::new("c1"));
    assert_eq!(wire.heard(1), ["open wharf"]);
    // It is carol that may send there, and only there.
    let out = wire.sender(1, "out", "in/a");
    wire.publish(1, out, &message("a"));
    assert_eq!(wire.heard(1), ["out 1 accepted"]);
    wire.attach(1, crate::wire::send("no", "orders"));
    let refused = "no closed: amqp:unauthorized-access (not permitted)";
    assert_eq!(wire.heard(1), ["attached no without a target", refused]);
}

/// WSB-A12.
#[test]
fn failures() {
    for (answer, code, told) in [
        (Answer::Refused, "Auth", "(Plain, Err(Denied))"),
        (Answer::Busy, "SysTemp", "(Plain, Err(Busy))"),
    ] {
        let mut wire = Wire::new(Config::default());
        wire.stranger(1, None, MECHANISMS.to_vec(), required());
        wire.plain(1, "carol", "wrong");
        wire.heard(1);
        wire.answer(1, answer);
        assert_eq!(
            wire.heard(1),
            [&format!("login {code}"), "closed by Peer, unclean", "closed 1008 the login failed"]
        );
        assert_eq!(wire.login(1).as_deref(), Some(told));
    }
}

#[test]
fn a_mechanism_that_was_not_offered() {
    for mechanism in ["ANONYMOUS", "NONE", "SCRAM-SHA-1"] {
        let mut wire = Wire::new(Config::default());
        wire.stranger(1, None, MECHANISMS.to_vec(), required());
        wire.heard(1);
        let init = Init { mechanism: mechanism.to_owned(), initial_response: None, hostname: None };
        wire.engine(1, |engine| engine.sasl_init(init)).expect("mechanisms have come");
        assert_eq!(wire.heard(1)[0], "login Auth");
        assert_eq!(wire.asked(1), None);
    }
}

/// Without a login, and without a layer that knows the client, there is no AMQP.
#[test]
fn a_stranger_must_log_in() {
    let mut wire = Wire::new(Config::default());
    wire.stranger(1, None, MECHANISMS.to_vec(), SaslPolicy::Absent);
    let heard = wire.heard(1);
    assert_eq!(heard.last().map(String::as_str), Some("closed 1002 AMQP protocol error"));
    assert!(!heard.iter().any(|line| line.starts_with("open")), "{heard:?}");
}

/// WSB-012, WSB-020: who is known already may leave the layer out, or name another.
#[test]
fn a_known_user() {
    let mut wire = Wire::new(Config::default());
    wire.stranger(1, Some("alice"), MECHANISMS.to_vec(), SaslPolicy::Absent);
    wire.open(1, Open::new("c1"));
    assert_eq!(wire.heard(1), ["open wharf"]);
    wire.sender(1, "out", "orders");
    wire.stranger(2, Some("alice"), MECHANISMS.to_vec(), required());
    wire.plain(2, "carol", "secret");
    wire.let_in(2, "carol");
    wire.open(2, Open::new("c2"));
    wire.heard(2);
    wire.attach(2, crate::wire::send("no", "orders"));
    let refused = "no closed: amqp:unauthorized-access (not permitted)";
    assert_eq!(wire.heard(2), ["attached no without a target", refused]);
}

/// EXTERNAL is whom the layer below has let in, who needs no question.
#[test]
fn external() {
    for (authzid, code) in [(None, "Ok"), (Some("alice"), "Ok"), (Some("bob"), "Auth")] {
        let mut wire = Wire::new(Config::default());
        wire.stranger(1, Some("alice"), vec![Mechanism::External], required());
        wire.heard(1);
        let response = authzid.unwrap_or_default().as_bytes().to_vec();
        let init = Init {
            mechanism: "EXTERNAL".to_owned(),
            initial_response: Some(response),
            hostname: None,
        };
        wire.engine(1, |engine| engine.sasl_init(init)).expect("mechanisms have come");
        assert_eq!(wire.heard(1)[0], format!("login {code}"));
        assert_eq!(wire.asked(1), None);
    }
}
