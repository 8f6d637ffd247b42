//! Negotiation of permessage-deflate (RFC 7692, section 7.1) and the grammar of
//! Sec-WebSocket-Extensions (RFC 6455, section 9.1).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake_trace;

use handshake_trace::{Lines, NONCE, field};
use wharf_ws::handshake::client::{Failure, Handshake, InvalidOffer, Offer, Outcome};
use wharf_ws::handshake::server::Policy;
use wharf_ws::handshake::{
    AnswerFault, Compression, DeflateOffer, DeflateParams, DeflatePolicy, Reason,
};

fn with(deflate: DeflatePolicy) -> Policy {
    Policy { deflate: Some(deflate), ..Policy::default() }
}

/// The answer to an offer, as written, and what it means.
fn answer(offer: &str, policy: &Policy) -> Option<(String, DeflateParams)> {
    let request = Lines::request().add(&format!("Sec-WebSocket-Extensions: {offer}"));
    let acceptance = request.ask(policy).unwrap();
    let written = field(acceptance.headers(), "Sec-WebSocket-Extensions").map(str::to_owned);
    match acceptance.agreement.compression {
        Compression::None => {
            assert_eq!(written, None);
            None
        }
        Compression::PerMessage(params) => Some((written.unwrap(), params)),
        Compression::Stream => panic!("deflate-stream is not for version 13"),
    }
}

fn accepted(offer: &str) -> Option<String> {
    answer(offer, &with(DeflatePolicy::default())).map(|(written, _)| written)
}

#[test]
fn nothing_is_used_that_is_not_enabled_or_not_offered() {
    // WS-EX-02, WS-EX-03, WS-HS-15, WS-EX-05.
    assert_eq!(answer("permessage-deflate", &Policy::default()), None);
    let acceptance = Lines::request().ask(&with(DeflatePolicy::default())).unwrap();
    assert_eq!(acceptance.agreement.compression, Compression::None);
    for offer in ["permessage-bzip2", "x-webkit-deflate-frame", "deflate-stream", "mux; max=4"] {
        assert_eq!(accepted(offer), None, "{offer}");
    }
}

#[test]
fn the_examples_of_rfc_7692() {
    // Section 7.1.3.
    assert_eq!(accepted("permessage-deflate").as_deref(), Some("permessage-deflate"));
    assert_eq!(
        accepted("permessage-deflate; client_max_window_bits; server_max_window_bits=10")
            .as_deref(),
        Some("permessage-deflate; server_max_window_bits=10")
    );
    assert_eq!(
        accepted(
            "permessage-deflate; client_max_window_bits; server_max_window_bits=10, \
             permessage-deflate; client_max_window_bits"
        )
        .as_deref(),
        Some("permessage-deflate; server_max_window_bits=10")
    );
}

#[test]
fn the_answer_and_the_agreement_say_the_same() {
    // WS-PD-04, WS-PD-06, WS-PD-07, WS-EX-04.
    let params = |server_nct, client_nct, server_bits, client_bits| DeflateParams {
        server_no_context_takeover: server_nct,
        client_no_context_takeover: client_nct,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
    };
    for (offer, written, meant) in [
        ("", "", params(false, false, 15, 15)),
        (
            "; server_no_context_takeover",
            "; server_no_context_takeover",
            params(true, false, 15, 15),
        ),
        (
            "; client_no_context_takeover",
            "; client_no_context_takeover",
            params(false, true, 15, 15),
        ),
        (
            "; server_max_window_bits=15",
            "; server_max_window_bits=15",
            params(false, false, 15, 15),
        ),
        ("; server_max_window_bits=9", "; server_max_window_bits=9", params(false, false, 9, 15)),
        ("; client_max_window_bits", "", params(false, false, 15, 15)),
        ("; client_max_window_bits=15", "", params(false, false, 15, 15)),
        (
            "; client_max_window_bits=11",
            "; client_max_window_bits=11",
            params(false, false, 15, 11),
        ),
        ("; client_max_window_bits=8", "; client_max_window_bits=8", params(false, false, 15, 8)),
    ] {
        let got = answer(&format!("permessage-deflate{offer}"), &with(DeflatePolicy::default()));
        assert_eq!(got, Some((format!("permessage-deflate{written}"), meant)), "{offer}");
    }
}

#[test]
fn the_servers_own_wishes_are_in_the_answer() {
    // WS-PD-04 and WS-PD-06 (may be added unasked), WS-PD-07 (must not).
    let frugal = with(DeflatePolicy {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 12,
        client_max_window_bits: 10,
    });
    let (written, params) = answer("permessage-deflate", &frugal).unwrap();
    assert_eq!(
        written,
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=12"
    );
    assert_eq!((params.server_max_window_bits, params.client_max_window_bits), (12, 15));

    let (written, params) =
        answer("permessage-deflate; client_max_window_bits; server_max_window_bits=14", &frugal)
            .unwrap();
    assert_eq!(
        written,
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=12; client_max_window_bits=10"
    );
    assert_eq!((params.server_max_window_bits, params.client_max_window_bits), (12, 10));

    // Never larger than what was offered.
    let (_, params) =
        answer("permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", &frugal)
            .unwrap();
    assert_eq!((params.server_max_window_bits, params.client_max_window_bits), (9, 9));
}

#[test]
fn wishes_outside_the_range_are_moved_into_it() {
    let odd = with(DeflatePolicy {
        server_max_window_bits: 3,
        client_max_window_bits: 99,
        ..DeflatePolicy::default()
    });
    let (_, params) = answer("permessage-deflate; client_max_window_bits", &odd).unwrap();
    assert_eq!((params.server_max_window_bits, params.client_max_window_bits), (9, 15));
}

#[test]
fn faulty_offers_are_declined_and_the_next_one_is_taken() {
    // WS-PD-01, WS-PD-03, WS-PD-06 (no leading zeros).
    for faulty in [
        "permessage-deflate; unknown",
        "permessage-deflate; unknown=1",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=+10",
        "permessage-deflate; server_max_window_bits=1e1",
        "permessage-deflate; client_max_window_bits=0",
        "permessage-deflate; client_max_window_bits=255",
        "permessage-deflate; SERVER_NO_CONTEXT_TAKEOVER",
        // A raw window of 256 octets is not supported by the compressor.
        "permessage-deflate; server_max_window_bits=8",
    ] {
        assert_eq!(accepted(faulty), None, "{faulty}");
        let and_another = format!("{faulty}, permessage-deflate; server_no_context_takeover");
        assert_eq!(
            accepted(&and_another).as_deref(),
            Some("permessage-deflate; server_no_context_takeover"),
            "{faulty}"
        );
    }
}

#[test]
fn the_first_acceptable_offer_wins_and_only_it() {
    // WS-PD-03, WS-PD-14, WS-HS-18 (several fields are one list).
    let request = Lines::request()
        .add("Sec-WebSocket-Extensions: mux, x-webkit-deflate-frame")
        .add("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10")
        .add("Sec-WebSocket-Extensions: permessage-deflate");
    let acceptance = request.ask(&with(DeflatePolicy::default())).unwrap();
    assert_eq!(
        field(acceptance.headers(), "Sec-WebSocket-Extensions"),
        Some("permessage-deflate; server_max_window_bits=10")
    );
}

#[test]
fn the_list_grammar_is_that_of_rfc_2616() {
    // WS-EX-01: blanks between words, quoted tokens, empty elements.
    for offer in [
        "permessage-deflate;client_max_window_bits=10",
        "  permessage-deflate \t;\t client_max_window_bits = 10  ",
        "permessage-deflate; client_max_window_bits=\"10\"",
        "permessage-deflate; client_max_window_bits=\"\\1\\0\"",
        ",, permessage-deflate; client_max_window_bits=10 ,",
        "foo; a=\"x\"; b, permessage-deflate; client_max_window_bits=10, bar",
    ] {
        assert_eq!(
            accepted(offer).as_deref(),
            Some("permessage-deflate; client_max_window_bits=10"),
            "{offer}"
        );
    }
}

#[test]
fn a_broken_list_is_a_bad_request() {
    // WS-EX-01, WS-HS-01, WS-SV-02, even if no extension is enabled.
    for offer in [
        "",
        ",",
        ";",
        "=",
        "permessage-deflate;",
        "permessage-deflate; ;",
        "permessage-deflate; =10",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=10=10",
        "permessage-deflate server_no_context_takeover",
        "permessage-deflate; a=\"\"",
        "permessage-deflate; a=\"b c\"",
        "permessage-deflate; a=\"b",
        "permessage-deflate; a=\"b\\",
        "permessage-deflate; a=\"b\"c",
        "permessage-deflate; a=\"\u{e9}\"",
        "\"permessage-deflate\"",
        "permessage-deflate, (comment)",
        "a/b",
        "\u{e9}",
    ] {
        let request = Lines::request().add(&format!("Sec-WebSocket-Extensions: {offer}"));
        for policy in [Policy::default(), with(DeflatePolicy::default())] {
            assert_eq!(request.refused(&policy), (400, Reason::ExtensionsMalformed), "{offer}");
        }
    }
}

#[test]
fn floods_of_offers_are_refused() {
    let offers = ["a"; 65].join(", ");
    let request = Lines::request().add(&format!("Sec-WebSocket-Extensions: {offers}"));
    assert_eq!(request.refused(&Policy::default()), (400, Reason::ExtensionsMalformed));
    let params = ["a"; 66].join("; ");
    let request = Lines::request().add(&format!("Sec-WebSocket-Extensions: {params}"));
    assert_eq!(request.refused(&Policy::default()), (400, Reason::ExtensionsMalformed));
    let names: Vec<String> = (0..65).map(|n| format!("p{n}")).collect();
    let request = Lines::request().add(&format!("Sec-WebSocket-Protocol: {}", names.join(",")));
    assert_eq!(request.refused(&Policy::default()), (400, Reason::SubprotocolsMalformed));
}

/// What a client that offered `deflate` makes of an answer.
fn client(deflate: &[DeflateOffer], answer: &str) -> Result<Compression, Failure> {
    let uri = "ws://server.example.com/chat".parse().unwrap();
    let offer = Offer { deflate: deflate.to_vec(), ..Offer::new(uri) };
    let mut handshake = Handshake::new(offer, NONCE).unwrap();
    let response = Lines::response().add(&format!("Sec-WebSocket-Extensions: {answer}"));
    match handshake.handle_input(&response.bytes()) {
        Outcome::Upgraded { agreement, .. } => Ok(agreement.compression),
        Outcome::Failed(failure) => Err(failure),
        other => panic!("neither open nor failed: {other:?}"),
    }
}

#[test]
fn a_client_writes_its_offers_in_order() {
    // WS-PD-03.
    let strict = DeflateOffer {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: Some(10),
        client_max_window_bits: Some(12),
    };
    let bare = DeflateOffer { client_max_window_bits: None, ..DeflateOffer::default() };
    let offer = Offer {
        deflate: vec![strict, DeflateOffer::default(), bare],
        ..Offer::new("ws://a/".parse().unwrap())
    };
    let handshake = Handshake::new(offer, NONCE).unwrap();
    let wire = std::str::from_utf8(handshake.request_bytes()).unwrap();
    assert!(
        wire.contains(
            "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
             client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=12, \
             permessage-deflate; client_max_window_bits, permessage-deflate\r\n"
        ),
        "{wire}"
    );
}

#[test]
fn a_client_takes_what_answers_its_offer() {
    // WS-PD-05, WS-PD-06, WS-PD-07.
    let open = [DeflateOffer::default()];
    let params = |answer| match client(&open, answer) {
        Ok(Compression::PerMessage(params)) => params,
        other => panic!("{answer}: {other:?}"),
    };
    assert_eq!(params("permessage-deflate"), DeflateParams::default());
    assert!(params("permessage-deflate; client_no_context_takeover").client_no_context_takeover);
    assert!(params("permessage-deflate; server_no_context_takeover").server_no_context_takeover);
    assert_eq!(params("permessage-deflate; server_max_window_bits=8").server_max_window_bits, 8);
    assert_eq!(params("permessage-deflate; client_max_window_bits=9").client_max_window_bits, 9);
    // The smallest window is taken too; the engine then sends uncompressed (WS-PD-13).
    assert_eq!(params("permessage-deflate; client_max_window_bits=8").client_max_window_bits, 8);
    assert_eq!(
        params("permessage-deflate; client_max_window_bits=\"9\"").client_max_window_bits,
        9
    );
}

#[test]
fn a_client_keeps_its_promises_even_if_they_are_not_repeated() {
    // RFC 7692, sections 7.1.1.2 and 7.1.2.2.
    let promise = [DeflateOffer {
        client_no_context_takeover: true,
        client_max_window_bits: Some(10),
        ..DeflateOffer::default()
    }];
    let Ok(Compression::PerMessage(params)) = client(&promise, "permessage-deflate") else {
        panic!("not accepted");
    };
    assert!(params.client_no_context_takeover);
    assert_eq!(params.client_max_window_bits, 10);
}

#[test]
fn a_client_fails_on_answers_to_nothing_it_offered() {
    // WS-HC-21, WS-EX-02, WS-PD-14 (two extensions at once).
    let open = [DeflateOffer::default()];
    let not_offered = Err(Failure::Extensions(AnswerFault::NotOffered));
    assert_eq!(client(&[], "permessage-deflate"), not_offered);
    assert_eq!(client(&open, "mux"), not_offered);
    assert_eq!(client(&open, "deflate-stream"), not_offered);
    assert_eq!(client(&open, "permessage-deflate, mux"), not_offered);
    assert_eq!(
        client(&open, "permessage-deflate, permessage-deflate"),
        Err(Failure::Extensions(AnswerFault::Repeated))
    );
}

#[test]
fn a_client_fails_on_faulty_parameters() {
    // WS-PD-02, WS-PD-07 (value required in an answer), WS-EX-04.
    for answer in [
        "permessage-deflate; unknown",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=7",
    ] {
        assert_eq!(
            client(&[DeflateOffer::default()], answer),
            Err(Failure::Extensions(AnswerFault::Parameter)),
            "{answer}"
        );
    }
}

#[test]
fn a_client_fails_on_answers_that_ignore_its_demands() {
    // WS-PD-04, WS-PD-06, WS-PD-07.
    let answers_no_offer = Err(Failure::Extensions(AnswerFault::AnswersNoOffer));
    let narrow = [DeflateOffer { server_max_window_bits: Some(10), ..DeflateOffer::default() }];
    assert_eq!(client(&narrow, "permessage-deflate"), answers_no_offer);
    assert_eq!(client(&narrow, "permessage-deflate; server_max_window_bits=11"), answers_no_offer);
    assert!(client(&narrow, "permessage-deflate; server_max_window_bits=10").is_ok());
    assert!(client(&narrow, "permessage-deflate; server_max_window_bits=9").is_ok());

    let fresh = [DeflateOffer { server_no_context_takeover: true, ..DeflateOffer::default() }];
    assert_eq!(client(&fresh, "permessage-deflate"), answers_no_offer);

    let unlimited = [DeflateOffer { client_max_window_bits: None, ..DeflateOffer::default() }];
    assert_eq!(
        client(&unlimited, "permessage-deflate; client_max_window_bits=15"),
        answers_no_offer
    );
    let limited = [DeflateOffer { client_max_window_bits: Some(10), ..DeflateOffer::default() }];
    assert_eq!(client(&limited, "permessage-deflate; client_max_window_bits=11"), answers_no_offer);

    // WS-PD-03: with a second offer that demands nothing, the same answer is fine.
    let either = [narrow[0], DeflateOffer::default()];
    assert!(client(&either, "permessage-deflate").is_ok());
}

#[test]
fn a_client_fails_on_a_broken_list() {
    // WS-EX-01.
    for answer in ["", ",", "permessage-deflate;", "permessage-deflate; a=\"b c\"", "a b"] {
        assert_eq!(
            client(&[DeflateOffer::default()], answer),
            Err(Failure::ExtensionsMalformed),
            "{answer}"
        );
    }
}

#[test]
fn offers_that_cannot_be_kept_are_not_sent() {
    let uri = || "ws://a/".parse().unwrap();
    for deflate in [
        DeflateOffer { server_max_window_bits: Some(7), ..DeflateOffer::default() },
        DeflateOffer { server_max_window_bits: Some(16), ..DeflateOffer::default() },
        DeflateOffer { client_max_window_bits: Some(8), ..DeflateOffer::default() },
        DeflateOffer { client_max_window_bits: Some(16), ..DeflateOffer::default() },
    ] {
        let offer = Offer { deflate: vec![deflate], ..Offer::new(uri()) };
        assert_eq!(Handshake::new(offer, NONCE).unwrap_err(), InvalidOffer::WindowBits);
    }
}
