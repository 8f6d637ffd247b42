//! Reading an HTTP request head from octets: strict, bounded, and alike in pieces of any size.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake_trace;

use handshake_trace::{Lines, read};
use proptest::prelude::*;
use wharf_ws::handshake::request::{Parsed, Reader, parse};
use wharf_ws::handshake::{HeadLimits, Malformed, Refusal};

fn malformed(bytes: &[u8]) -> Malformed {
    match parse(bytes, HeadLimits::default()) {
        Parsed::Malformed(malformed) => malformed,
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(bytes)),
    }
}

#[test]
fn a_head_is_taken_and_what_follows_is_left() {
    // WS-A05, WS-HS-19: octets sent too early are frames, once the handshake is accepted.
    let mut bytes = Lines::request().bytes();
    let length = bytes.len();
    bytes.extend_from_slice(&[0x81, 0x80, 1, 2, 3, 4]);
    let Parsed::Complete { request, consumed } = parse(&bytes, HeadLimits::default()) else {
        panic!("not complete");
    };
    assert_eq!(consumed, length);
    assert_eq!((request.method, request.target, request.version_minor), ("GET", "/chat", 1));
    assert_eq!(request.headers.len(), 5);
    assert_eq!(request.headers[0].name, "Host");
    assert_eq!(request.headers[0].value, b"server.example.com");
}

#[test]
fn nothing_is_complete_before_the_last_octet() {
    let bytes = Lines::request().bytes();
    for length in 0..bytes.len() {
        assert_eq!(parse(&bytes[..length], HeadLimits::default()), Parsed::Incomplete);
    }
}

#[test]
fn empty_lines_before_the_request_are_skipped() {
    // RFC 9112, section 2.2.
    let bytes = [b"\r\n\r\n".as_slice(), &Lines::request().bytes()].concat();
    assert_eq!(read(&bytes).method, "GET");
}

#[test]
fn lines_end_in_cr_lf() {
    // WS-HS-01, WS-SV-02.
    let text = String::from_utf8(Lines::request().bytes()).unwrap();
    assert_eq!(malformed(text.replace("\r\n", "\n").as_bytes()), Malformed::LineEnd);
    assert_eq!(malformed(text.replacen("\r\nHost", "\nHost", 1).as_bytes()), Malformed::LineEnd);
    assert_eq!(malformed(text.replacen("/chat", "/ch\rat", 1).as_bytes()), Malformed::LineEnd);
    assert_eq!(malformed(text.replacen("example", "ex\rample", 1).as_bytes()), Malformed::LineEnd);
    assert_eq!(malformed(text.replacen("\r\n", "\r\r\n", 1).as_bytes()), Malformed::LineEnd);
    assert_eq!(malformed(b"\n"), Malformed::LineEnd);
}

#[test]
fn the_start_line_is_that_of_http_1() {
    // WS-HS-01, WS-HS-02, WS-HS-21.
    let start = |line| malformed(&Lines::request().start(line).bytes());
    assert_eq!(start("GET /chat HTTP/2.0"), Malformed::HttpVersion);
    assert_eq!(start("GET /chat HTTP/1.2"), Malformed::HttpVersion);
    assert_eq!(start("GET /chat http/1.1"), Malformed::HttpVersion);
    assert_eq!(start("GET  /chat HTTP/1.1"), Malformed::StartLine);
    assert_eq!(start("GET /chat"), Malformed::StartLine);
    assert_eq!(start("GET"), Malformed::StartLine);
    assert_eq!(start("G(T /chat HTTP/1.1"), Malformed::StartLine);
    assert_eq!(start(" GET /chat HTTP/1.1"), Malformed::StartLine);
    assert_eq!(start("\u{16}\u{3}\u{1}"), Malformed::StartLine);
    for line in ["GET /a b HTTP/1.1", "GET /chat HTTP/1.1 ", "GET /chat HTTP/1.1x"] {
        let _any_of_them = start(line);
    }
}

#[test]
fn header_fields_are_not_folded_and_have_clean_names_and_values() {
    // WS-HS-01, WS-SV-02.
    for line in [
        " folded: x",
        "\tfolded",
        "Sec-WebSocket-Protocol : a",
        ": no name",
        "No colon",
        "Bad(name): x",
        "N\u{e9}: x",
        "X: a\0b",
        "X: a\u{1}b",
        "X: a\u{7f}b",
    ] {
        let bytes = Lines::request().add(line).bytes();
        assert_eq!(malformed(&bytes), Malformed::HeaderField, "{line:?}");
    }
    // Octets above 7F are allowed in values that nobody looks at.
    assert_eq!(read(&Lines::request().add("X: \u{e9}\t\u{fc}").bytes()).headers.len(), 6);
}

#[test]
fn the_head_is_bounded() {
    let limits = HeadLimits { head_max_bytes: 300, headers_max: 8 };
    let sized = |total: usize| {
        let bytes = Lines::request().add("X: ").bytes();
        let filler = total.saturating_sub(bytes.len());
        Lines::request().add(&format!("X: {}", "a".repeat(filler))).bytes()
    };
    assert!(matches!(parse(&sized(300), limits), Parsed::Complete { consumed: 300, .. }));
    assert_eq!(parse(&sized(301), limits), Parsed::Malformed(Malformed::HeadTooLarge));
    // Before the end is seen, and whatever the octets are.
    assert_eq!(parse(&[b'a'; 299], limits), Parsed::Incomplete);
    assert_eq!(parse(&[b'a'; 300], limits), Parsed::Malformed(Malformed::HeadTooLarge));
    assert_eq!(parse(&[b'a'; 9000], limits), Parsed::Malformed(Malformed::HeadTooLarge));
    assert_eq!(Refusal::from(Malformed::HeadTooLarge).status(), 431);
}

#[test]
fn the_number_of_fields_is_bounded() {
    let flood =
        |count| (0..count).fold(Lines::request(), |lines, n| lines.add(&format!("X{n}: y")));
    let limits = HeadLimits { headers_max: 8, ..HeadLimits::default() };
    assert!(matches!(parse(&flood(3).bytes(), limits), Parsed::Complete { .. }));
    assert_eq!(parse(&flood(4).bytes(), limits), Parsed::Malformed(Malformed::TooManyHeaders));
    assert_eq!(malformed(&flood(96).bytes()), Malformed::TooManyHeaders);
    // No setting allows more than the table holds.
    let limits = HeadLimits { head_max_bytes: 1 << 20, headers_max: 100_000 };
    assert_eq!(parse(&flood(200).bytes(), limits), Parsed::Malformed(Malformed::TooManyHeaders));
    assert_eq!(Refusal::from(Malformed::TooManyHeaders).status(), 431);
}

#[test]
fn what_cannot_be_read_is_answered_with_a_status() {
    // WS-HS-21.
    assert_eq!(Refusal::from(Malformed::HttpVersion).status(), 505);
    for malformed in [Malformed::LineEnd, Malformed::StartLine, Malformed::HeaderField] {
        assert_eq!(Refusal::from(malformed).status(), 400);
    }
}

/// Reads `bytes` as they would arrive when cut at `cuts`.
fn read_in_pieces(bytes: &[u8], cuts: &[usize]) -> Parsed<'static> {
    let mut reader = Reader::new(HeadLimits { head_max_bytes: 400, headers_max: 8 });
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    for end in ends {
        match reader.read(&bytes[..end]) {
            Parsed::Incomplete => {}
            Parsed::Malformed(malformed) => return Parsed::Malformed(malformed),
            Parsed::Complete { request, consumed } => {
                let leaked: &'static [u8] = bytes[..consumed].to_vec().leak();
                let Parsed::Complete { request: whole, .. } = parse(leaked, HeadLimits::default())
                else {
                    panic!("complete in pieces only");
                };
                assert_eq!(whole, request);
                return Parsed::Complete { request: whole, consumed };
            }
        }
    }
    Parsed::Incomplete
}

/// A request with a few octets changed, so that most faults come up.
fn damaged_request() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b':'), any::<u8>()];
    prop::collection::vec((any::<prop::sample::Index>(), octet), 0..3).prop_map(|changes| {
        let mut bytes = Lines::request().bytes();
        bytes.extend_from_slice(b"frames");
        for (at, octet) in changes {
            let at = at.index(bytes.len());
            bytes[at] = octet;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn pieces_of_any_size_read_alike(
        bytes in damaged_request(),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        prop_assert_eq!(read_in_pieces(&bytes, &cuts), read_in_pieces(&bytes, &[]));
        let every: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(read_in_pieces(&bytes, &every), read_in_pieces(&bytes, &[]));
    }
}
