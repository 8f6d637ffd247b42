//! The SASL layer, either side (AMQP 5.3; WSB-021 to WSB-025, WSB-A12).

use crate::trace::{Trace, config};
use wharf_amqp::engine::{Config, Framing, Misuse, Role as Side, SaslPolicy};
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::performative::{Open, Role};
use wharf_amqp::sasl_frame::{Challenge, Code, Init, Mechanisms, Outcome, Response, SaslFrame};

fn mechanisms(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn init(mechanism: &str, response: &[u8]) -> Init {
    let initial_response = Some(response.to_vec());
    Init { mechanism: mechanism.to_owned(), initial_response, hostname: None }
}

fn offer(names: &[&str]) -> SaslFrame {
    SaslFrame::Mechanisms(Mechanisms { sasl_server_mechanisms: mechanisms(names) })
}

fn outcome(code: Code) -> SaslFrame {
    SaslFrame::Outcome(Outcome { code, additional_data: None })
}

fn challenge(text: &str) -> SaslFrame {
    SaslFrame::Challenge(Challenge { challenge: text.into() })
}

fn response(text: &str) -> SaslFrame {
    SaslFrame::Response(Response { response: text.into() })
}

/// An acceptor that was greeted.
fn server() -> Trace {
    let sasl = SaslPolicy::Required(mechanisms(&["SCRAM-SHA-256", "PLAIN"]));
    let mut t = Trace::new(Config { sasl, ..config(Side::Acceptor, Framing::Messages) });
    t.header(ProtocolHeader::SASL);
    t.told(
        "peer> header SASL
         us<   header SASL
         us<   mechanisms SCRAM-SHA-256 PLAIN",
    );
    t
}

/// An initiator whose peer speaks SASL.
fn client() -> Trace {
    let sasl = SaslPolicy::Required(Vec::new());
    let mut t = Trace::new(Config { sasl, ..config(Side::Initiator, Framing::Messages) });
    t.header(ProtocolHeader::SASL);
    t.told(
        "us<   header SASL
         peer> header SASL",
    );
    t
}

#[test]
fn a_client_logs_in_at_once() {
    let mut t = server();
    t.sasl(SaslFrame::Init(init("PLAIN", b"xy")));
    t.us.sasl_outcome(Code::Ok, None).unwrap();
    t.header(ProtocolHeader::AMQP);
    t.peer(0, Open::new("peer"));
    t.told(
        "peer> init PLAIN response=xy
         event init PLAIN response=xy
         us<   outcome Ok
         peer> header AMQP
         us<   header AMQP
         peer> 0 open \"peer\"
         event opened \"peer\"
         us<   0 open \"us\" frame=65536 channels=255",
    );
}

#[test]
fn a_client_logs_in_by_challenges() {
    let mut t = server();
    t.sasl(SaslFrame::Init(init("SCRAM-SHA-256", b"n")));
    t.us.sasl_challenge(b"c1".to_vec()).unwrap();
    t.sasl(response("r1"));
    t.us.sasl_challenge(b"c2".to_vec()).unwrap();
    t.sasl(response("r2"));
    t.us.sasl_outcome(Code::Ok, Some(b"v".to_vec())).unwrap();
    t.told(
        "peer> init SCRAM-SHA-256 response=n
         event init SCRAM-SHA-256 response=n
         us<   challenge c1
         peer> response r1
         event response r1
         us<   challenge c2
         peer> response r2
         event response r2
         us<   outcome Ok data=v",
    );
}

/// Challenges and responses that were sent ahead wait for their turn.
#[test]
fn a_response_ahead_of_its_challenge_waits() {
    let mut t = server();
    t.sasl(SaslFrame::Init(init("SCRAM-SHA-256", b"n")));
    t.sasl(response("r1"));
    t.header(ProtocolHeader::AMQP);
    t.told(
        "peer> init SCRAM-SHA-256 response=n
         event init SCRAM-SHA-256 response=n
         peer> response r1
         peer> header AMQP",
    );
    t.us.sasl_challenge(b"c1".to_vec()).unwrap();
    t.told(
        "event response r1
         us<   challenge c1",
    );
    t.us.sasl_outcome(Code::Ok, None).unwrap();
    t.told(
        "us< outcome Ok
         us< header AMQP",
    );
}

/// AMQP 5.3.3.5: a login that fails has no additional data. WSB-A12: the transport is closed then.
#[test]
fn a_login_that_fails_ends_the_connection() {
    for (code, name) in [
        (Code::Auth, "Auth"),
        (Code::Sys, "Sys"),
        (Code::SysPerm, "SysPerm"),
        (Code::SysTemp, "SysTemp"),
    ] {
        let mut t = server();
        t.sasl(SaslFrame::Init(init("PLAIN", b"xy")));
        t.us.sasl_outcome(code, Some(b"no".to_vec())).unwrap();
        t.told(&format!(
            "peer> init PLAIN response=xy
             event init PLAIN response=xy
             event closed by Local
             us<   outcome {name}",
        ));
        t.header(ProtocolHeader::AMQP);
        t.told("peer> header AMQP");
        assert!(t.us.is_over());
    }
}

#[test]
fn frames_that_do_not_belong_to_a_login_end_it() {
    for frame in [response("r"), challenge("c"), offer(&["PLAIN"]), outcome(Code::Ok)] {
        let mut t = server();
        t.sasl(frame);
        t.forget_peer();
        t.told(
            "event closed by Local error=amqp:illegal-state violation=Unexpected(\"this SASL frame\")",
        );
    }
    let mut t = server();
    t.sasl(SaslFrame::Init(init("PLAIN", b"xy")));
    t.us.sasl_challenge(Vec::new()).unwrap();
    t.forget();
    t.sasl(SaslFrame::Init(init("PLAIN", b"xy")));
    t.forget_peer();
    t.told(
        "event closed by Local error=amqp:illegal-state violation=Unexpected(\"this SASL frame\")",
    );
}

/// AMQP 5.3.1: at most 512 octets, exactly one body, and no frame of AMQP.
#[test]
fn what_is_no_sasl_frame_ends_a_login() {
    for (octets, end) in [
        // Empty.
        ("00000008 02 01 0000", "amqp:decode-error"),
        // An AMQP frame.
        ("00000008 02 00 0000", "amqp:connection:framing-error"),
        // 513 octets.
        ("00000201 02 01 0000", "amqp:connection:framing-error"),
        // An end after the init.
        (r#"00000019 02 01 0000 00 53 41 c0 08 01 a3 05 "PLAIN" 00 53 17 45"#, "amqp:decode-error"),
        // An end.
        ("0000000c 02 01 0000 00 53 17 45", "amqp:decode-error"),
        // An init without a mechanism.
        ("0000000c 02 01 0000 00 53 41 45", "amqp:invalid-field"),
    ] {
        let mut t = server();
        t.hex(octets);
        let log = t.take_log();
        assert_eq!(log.len(), 1, "{log:?}");
        assert!(log[0].starts_with(&format!("event closed by Local error={end}")), "{log:?}");
    }
}

/// AMQP 5.3.1: channel and extended header are ignored.
#[test]
fn the_rest_of_a_sasl_frames_header_says_nothing() {
    let mut t = server();
    t.hex(r#"0000001c 04 01 1234 ffffffffffffffff 00 53 41 c0 07 01 a3 04 "PLAI""#);
    t.told("event init PLAI");
}

#[test]
fn an_initiator_logs_in_and_opens_behind_it() {
    let mut t = client();
    // AMQP 2.4.2: open, begin and attach need not wait, but they go behind the header.
    t.us.open(Open::new("us")).unwrap();
    let session = t.us.begin().unwrap();
    t.us.attach(session, crate::trace::request("l", Role::Sender)).unwrap();
    t.told("");
    t.sasl(offer(&["SCRAM-SHA-256", "PLAIN"]));
    t.us.sasl_init(init("SCRAM-SHA-256", b"n")).unwrap();
    t.sasl(challenge("c1"));
    t.us.sasl_respond(b"r1".to_vec()).unwrap();
    t.sasl(outcome(Code::Ok));
    t.told(
        "peer> mechanisms SCRAM-SHA-256 PLAIN
         event mechanisms SCRAM-SHA-256 PLAIN
         us<   init SCRAM-SHA-256 response=n
         peer> challenge c1
         event challenge c1
         us<   response r1
         peer> outcome Ok
         event outcome Ok
         us<   header AMQP
         us<   0 open \"us\" frame=65536 channels=255
         us<   0 begin next=0 in=8192 handles=1023
         us<   0 attach l handle=0 sender source=s target=t count=0",
    );
    t.header(ProtocolHeader::AMQP);
    t.peer(0, Open::new("peer"));
    t.told(
        "peer> header AMQP
         peer> 0 open \"peer\"
         event opened \"peer\"",
    );
}

#[test]
fn an_initiator_that_is_refused_is_told_so() {
    let mut t = client();
    t.sasl(offer(&["PLAIN"]));
    t.us.sasl_init(init("PLAIN", b"xy")).unwrap();
    t.forget();
    t.sasl(outcome(Code::Auth));
    t.told(
        "peer> outcome Auth
         event outcome Auth
         event closed by Peer",
    );
}

/// Commands out of order are mistakes of the caller.
#[test]
fn an_initiator_answers_what_was_asked() {
    let mut t = client();
    assert_eq!(t.us.sasl_init(init("PLAIN", b"xy")), Err(Misuse::WrongStage));
    assert_eq!(t.us.sasl_respond(Vec::new()), Err(Misuse::WrongStage));
    t.sasl(offer(&["PLAIN"]));
    assert_eq!(t.us.sasl_respond(Vec::new()), Err(Misuse::WrongStage));
    t.us.sasl_init(init("PLAIN", b"xy")).unwrap();
    assert_eq!(t.us.sasl_init(init("PLAIN", b"xy")), Err(Misuse::WrongStage));
    assert_eq!(t.us.sasl_respond(Vec::new()), Err(Misuse::WrongStage));
    assert_eq!(t.us.sasl_challenge(Vec::new()), Err(Misuse::WrongStage));
    assert_eq!(t.us.sasl_outcome(Code::Ok, None), Err(Misuse::WrongStage));
    t.sasl(challenge("c"));
    t.us.sasl_respond(b"r".to_vec()).unwrap();
    assert_eq!(t.us.sasl_respond(b"r".to_vec()), Err(Misuse::WrongStage));
}

/// AMQP 5.3.2: a server that ends an exchange it has not begun is none.
#[test]
fn an_initiator_takes_the_steps_of_an_exchange_in_order() {
    let unexpected =
        "event closed by Local error=amqp:illegal-state violation=Unexpected(\"this SASL frame\")";
    for frame in [outcome(Code::Ok), challenge("c"), response("r")] {
        let mut t = client();
        t.sasl(frame.clone());
        t.forget_peer();
        t.told(unexpected);

        // Before the client has chosen a mechanism.
        let mut t = client();
        t.sasl(offer(&["PLAIN"]));
        t.forget();
        t.sasl(frame);
        t.forget_peer();
        t.told(unexpected);
    }
    let mut t = client();
    t.sasl(offer(&["PLAIN"]));
    t.us.sasl_init(init("PLAIN", b"xy")).unwrap();
    t.forget();
    t.sasl(offer(&["PLAIN"]));
    t.forget_peer();
    t.told(unexpected);
}

/// A frame of ours has 512 octets at the most, too.
#[test]
fn an_initiator_does_not_send_what_nobody_takes() {
    let mut t = client();
    t.sasl(offer(&["PLAIN"]));
    assert_eq!(t.us.sasl_init(init("PLAIN", &[b'x'; 512])), Err(Misuse::TooLarge));
    t.us.sasl_init(init("PLAIN", b"xy")).unwrap();
    t.told(
        "peer> mechanisms PLAIN
         event mechanisms PLAIN
         us<   init PLAIN response=xy",
    );
}
