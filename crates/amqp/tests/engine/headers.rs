//! Protocol headers, and what may be in a message with them (AMQP 2.2; WSB-020 to WSB-041, WSB-092).

use crate::trace::{Trace, attach, begin, config, frame, hex};
use wharf_amqp::engine::{Config, Framing, Input, Role as Side, SaslPolicy};
use wharf_amqp::frame::ProtocolHeader;
use wharf_amqp::performative::{Open, Performative, Role};
use wharf_amqp::sasl_frame::Code;

const FRAMINGS: [Framing; 2] = [Framing::Stream, Framing::Messages];

fn plain() -> Vec<String> {
    vec!["PLAIN".to_owned()]
}

fn acceptor(framing: Framing, sasl: SaslPolicy) -> Trace {
    Trace::new(Config { sasl, ..config(Side::Acceptor, framing) })
}

/// WSB-030, WSB-032.
#[test]
fn an_acceptor_answers_the_header_it_speaks() {
    for framing in FRAMINGS {
        for sasl in [SaslPolicy::Absent, SaslPolicy::Offered(plain())] {
            let mut t = acceptor(framing, sasl);
            t.told("");
            t.header(ProtocolHeader::AMQP);
            t.told(
                "peer> header AMQP
                 us<   header AMQP",
            );
        }
    }
}

/// WSB-020, WSB-022, WSB-024.
#[test]
fn an_acceptor_with_mechanisms_offers_them() {
    for framing in FRAMINGS {
        for sasl in [SaslPolicy::Offered(plain()), SaslPolicy::Required(plain())] {
            let mut t = acceptor(framing, sasl);
            t.header(ProtocolHeader::SASL);
            t.told(
                "peer> header SASL
                 us<   header SASL
                 us<   mechanisms PLAIN",
            );
        }
    }
}

/// AMQP 2.2, WSB-032, WSB-092: any other header is answered with one that would do.
#[test]
fn an_acceptor_answers_other_headers_with_its_own_and_ends() {
    let version = |id, major, minor, revision| ProtocolHeader { id, major, minor, revision };
    let absent = || SaslPolicy::Absent;
    let required = || SaslPolicy::Required(plain());
    for framing in FRAMINGS {
        for (sasl, header, answer) in [
            (absent(), ProtocolHeader::SASL, "AMQP"),
            (absent(), ProtocolHeader::TLS, "AMQP"),
            (absent(), version(0, 1, 1, 0), "AMQP"),
            (absent(), version(0, 0, 9, 1), "AMQP"),
            (absent(), version(0, 1, 0, 1), "AMQP"),
            (SaslPolicy::Offered(plain()), ProtocolHeader::TLS, "AMQP"),
            (SaslPolicy::Offered(Vec::new()), ProtocolHeader::SASL, "AMQP"),
            (required(), ProtocolHeader::AMQP, "SASL"),
            (required(), ProtocolHeader::TLS, "SASL"),
            (required(), version(3, 1, 1, 0), "SASL"),
        ] {
            let mut t = acceptor(framing, sasl);
            t.octets(&header.octets());
            t.told(&format!(
                "event closed by Local error=amqp:connection:framing-error violation=UnsupportedHeader
                 us< header {answer}"
            ));
            assert!(t.us.is_over());
        }
    }
}

/// AMQP 2.2, figure 2.12: what cannot be a header is not waited for.
#[test]
fn an_acceptor_answers_what_is_no_header_at_the_first_wrong_octet() {
    for octets in [b"G".as_slice(), b"GET / HTTP/1.1\r\n", b"AMQp", b"\x16\x03\x01", b"AM\0"] {
        let mut t = acceptor(Framing::Stream, SaslPolicy::Absent);
        t.octets(octets);
        t.told(
            "event closed by Local error=amqp:connection:framing-error violation=UnsupportedHeader
             us< header AMQP",
        );
    }
}

#[test]
fn a_header_in_a_stream_may_come_in_any_pieces() {
    let mut t = acceptor(Framing::Stream, SaslPolicy::Absent);
    for octet in &ProtocolHeader::AMQP.octets()[..7] {
        t.octets(&[*octet]);
        t.told("");
    }
    t.octets(&[0]);
    t.told("us< header AMQP");
}

/// WSB-023, WSB-031, WSB-A03, WSB-A06.
#[test]
fn a_header_is_the_whole_content_of_one_message() {
    let header = ProtocolHeader::AMQP.octets();
    let open = frame(0, &Performative::Open(Box::new(Open::new("peer"))), b"");
    let with_frame = [header.as_slice(), &open].concat();
    for message in [&header[..7], &header[..1], b"", &with_frame, b"AMQP"] {
        let mut t = acceptor(Framing::Messages, SaslPolicy::Absent);
        t.octets(message);
        t.told(
            "event closed by Local error=amqp:connection:framing-error violation=HeaderNotAlone
             us< header AMQP",
        );
    }
}

/// The same of the second header, after a SASL layer.
#[test]
fn the_header_after_a_login_is_alone_too() {
    let header = ProtocolHeader::AMQP.octets();
    for message in [b"".as_slice(), &header[..3], &[header.as_slice(), &[0]].concat()] {
        let mut t = acceptor(Framing::Messages, SaslPolicy::Required(plain()));
        t.header(ProtocolHeader::SASL);
        t.octets(&init());
        t.us.sasl_outcome(Code::Ok, None).unwrap();
        t.forget();
        t.octets(message);
        t.told(
            "event closed by Local error=amqp:connection:framing-error violation=HeaderNotAlone
             us< header AMQP",
        );
    }
}

/// WSB-025.
#[test]
fn after_a_login_only_amqp_follows() {
    for framing in FRAMINGS {
        for header in [ProtocolHeader::SASL, ProtocolHeader::TLS] {
            let mut t = acceptor(framing, SaslPolicy::Required(plain()));
            t.header(ProtocolHeader::SASL);
            t.octets(&init());
            t.us.sasl_outcome(Code::Ok, None).unwrap();
            t.forget();
            t.octets(&header.octets());
            t.told(
                "event closed by Local error=amqp:connection:framing-error violation=UnsupportedHeader
                 us< header AMQP",
            );
        }
    }
}

/// WSB-037, WSB-038, WSB-041, WSB-A06: messages and frames have nothing to do with each other.
#[test]
fn frames_are_cut_over_messages_anywhere() {
    let frames = pipelined();
    for len in 1..=frames.len() {
        let mut t = acceptor(Framing::Messages, SaslPolicy::Absent);
        t.header(ProtocolHeader::AMQP);
        for part in frames.chunks(len) {
            t.octets(part);
            t.octets(b"");
        }
        t.told_apart(
            "event opened \"peer\"
             event begun 0
             event attaching 0/0 l",
            "us< header AMQP
             us< 0 open \"us\" frame=65536 channels=255
             us< 0 begin remote=7 next=0 in=8192 handles=1023",
        );
    }
}

/// AMQP 2.4.2: what is sent ahead is read as if it had waited.
#[test]
fn everything_may_be_sent_ahead_in_a_stream() {
    let burst = [ProtocolHeader::AMQP.octets().as_slice(), &pipelined()].concat();
    let mut t = acceptor(Framing::Stream, SaslPolicy::Absent);
    t.octets(&burst);
    t.told(
        "event opened \"peer\"
         event begun 0
         event attaching 0/0 l
         us<   header AMQP
         us<   0 open \"us\" frame=65536 channels=255
         us<   0 begin remote=7 next=0 in=8192 handles=1023",
    );
}

/// WSB-A04: each header in its message, and nobody waits for anything.
#[test]
fn everything_may_be_sent_ahead_of_the_answer_to_a_login() {
    let sasl = ProtocolHeader::SASL.octets();
    let amqp = ProtocolHeader::AMQP.octets();
    let messages = [sasl.to_vec(), init(), amqp.to_vec(), pipelined()];
    for framing in FRAMINGS {
        let mut t = acceptor(framing, SaslPolicy::Required(plain()));
        match framing {
            Framing::Stream => t.octets(&messages.concat()),
            Framing::Messages => messages.iter().for_each(|message| t.octets(message)),
        }
        t.told_apart(
            "event init PLAIN response=00610062",
            "us< header SASL
             us< mechanisms PLAIN",
        );
        // More comes while the answer is awaited.
        t.octets(&frame(7, &Performative::End(Box::default()), b""));
        t.told("");
        t.us.sasl_outcome(Code::Ok, None).unwrap();
        t.told(
            "event opened \"peer\"
             event begun 0
             event attaching 0/0 l
             event ended 0
             us<   outcome Ok
             us<   header AMQP
             us<   0 open \"us\" frame=65536 channels=255
             us<   0 begin remote=7 next=0 in=8192 handles=1023
             us<   0 end",
        );
    }
}

/// The memory for what is sent ahead of an answer is bounded.
#[test]
fn not_everything_is_kept_for_a_login() {
    for framing in FRAMINGS {
        let mut t = acceptor(framing, SaslPolicy::Required(plain()));
        t.header(ProtocolHeader::SASL);
        t.octets(&init());
        t.forget();
        for _ in 0..63 {
            t.octets(&[0; 1000]);
        }
        t.told("");
        t.octets(&[0; 10_000]);
        t.told(
            "event closed by Local error=amqp:resource-limit-exceeded violation=TooMuchBeforeLogin",
        );
    }
}

#[test]
fn empty_messages_are_not_kept_for_nothing() {
    let mut t = acceptor(Framing::Messages, SaslPolicy::Required(plain()));
    t.header(ProtocolHeader::SASL);
    t.octets(&init());
    t.forget();
    let kept = (0..100_000).take_while(|_| {
        t.octets(b"");
        !t.us.is_over()
    });
    assert!(kept.count() < 4000);
}

/// What comes after the answer is not what came before it, however much it is.
#[test]
fn a_large_read_after_the_login_is_fine() {
    let mut t = acceptor(Framing::Stream, SaslPolicy::Required(plain()));
    t.header(ProtocolHeader::SASL);
    let ahead = [ProtocolHeader::AMQP.octets().as_slice(), &pipelined()].concat();
    t.octets(&init());
    t.octets(&ahead[..20]);
    t.us.sasl_outcome(Code::Ok, None).unwrap();
    t.forget();
    let beats = [0, 0, 0, 8, 2, 0, 0, 0].repeat(20_000);
    let rest = [&ahead[20..], &beats].concat();
    // Nobody asks for events between the answer and the next read.
    let mut input = Input::stream(&rest);
    t.poll(&mut input);
    t.told(
        "event opened \"peer\"
         event begun 0
         event attaching 0/0 l
         us<   0 open \"us\" frame=65536 channels=255
         us<   0 begin remote=7 next=0 in=8192 handles=1023",
    );
}

/// AMQP 2.2: who opened the transport sends the first header at once.
#[test]
fn an_initiator_begins_and_goes_on_with_nothing_but_what_it_asked_for() {
    for framing in FRAMINGS {
        for (sasl, ours) in [
            (SaslPolicy::Absent, ProtocolHeader::AMQP),
            (SaslPolicy::Required(Vec::new()), ProtocolHeader::SASL),
        ] {
            for theirs in [ProtocolHeader::AMQP, ProtocolHeader::SASL, ProtocolHeader::TLS] {
                let config = Config { sasl: sasl.clone(), ..config(Side::Initiator, framing) };
                let mut t = Trace::new(config);
                let name = if ours == ProtocolHeader::AMQP { "AMQP" } else { "SASL" };
                t.told(&format!("us< header {name}"));
                t.octets(&theirs.octets());
                t.told(if theirs == ours {
                    ""
                } else {
                    "event closed by Local error=amqp:connection:framing-error violation=UnsupportedHeader"
                });
            }
        }
    }
}

/// AMQP 2.2: nothing is said on a transport whose peer said nothing.
#[test]
fn the_transport_may_end_at_any_stage() {
    let mut t = acceptor(Framing::Stream, SaslPolicy::Absent);
    t.us.handle_transport_closed();
    t.told("event closed by Peer");
    t.us.handle_transport_closed();
    t.told("");

    let mut t = acceptor(Framing::Stream, SaslPolicy::Required(plain()));
    t.header(ProtocolHeader::SASL);
    t.octets(&init());
    t.forget();
    t.us.handle_transport_closed();
    t.told("event closed by Peer");
    assert!(t.us.sasl_outcome(Code::Ok, None).is_err());
}

/// Open, begin and attach as they are sent ahead.
fn pipelined() -> Vec<u8> {
    let open = Performative::Open(Box::new(Open::new("peer")));
    let begin = Performative::Begin(Box::new(begin()));
    let attach = Performative::Attach(Box::new(attach("l", 3, Role::Receiver)));
    [frame(0, &open, b""), frame(7, &begin, b""), frame(7, &attach, b"")].concat()
}

/// A SASL frame with an init: PLAIN, and a response.
fn init() -> Vec<u8> {
    hex(r#"0000001b 02 01 0000 00 53 41 c0 0e 02 a3 05 "PLAIN" a0 04 00 61 00 62"#)
}
