//! Both sides of the opening handshake on arbitrary heads, in arbitrary reads.

use crate::cuts::Cuts;
use crate::script::Script;
use wharf_ws::handshake::client::{Failure, Handshake, Offer, Outcome, versions_listed};
use wharf_ws::handshake::request::{Parsed, Reader, Request, is_upgrade};
use wharf_ws::handshake::server::{Acceptance, Policy, evaluate};
use wharf_ws::handshake::{DeflateOffer, DeflatePolicy, HeadLimits, OriginPolicy, Refusal};
use wharf_ws::{Compression, Version, Versions};

/// Reads the first bytes as settings, the rest as a request or as a response.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let limits = match choice & 2 {
        0 => HeadLimits::default(),
        _ => HeadLimits { head_max_bytes: 200, headers_max: 6 },
    };
    let cuts = Cuts::Random(u64::from(script.byte()));
    match choice & 1 {
        0 => server(&mut script, limits, cuts),
        _ => client(&mut script, limits, cuts),
    }
}

fn server(script: &mut Script<'_>, limits: HeadLimits, cuts: Cuts) {
    let policy = read_policy(script);
    let head = script.rest();
    let whole = Reader::new(limits).read(head);
    for cuts in [cuts, Cuts::Bytes] {
        let (mut reader, mut buffer, mut last) = (Reader::new(limits), Vec::new(), None);
        for read in cuts.of(head) {
            buffer.extend_from_slice(read);
            match reader.read(&buffer) {
                Parsed::Incomplete => {}
                ended => {
                    last = Some(format!("{ended:?}"));
                    break;
                }
            }
        }
        let last = last.unwrap_or_else(|| format!("{:?}", Parsed::Incomplete));
        assert_eq!(last, format!("{whole:?}"), "with {cuts:?}");
    }
    match whole {
        Parsed::Incomplete => assert!(head.len() < limits.head_max_bytes),
        Parsed::Malformed(malformed) => check_refusal(&Refusal::from(malformed)),
        Parsed::Complete { request, consumed } => {
            assert!(consumed <= limits.head_max_bytes.min(head.len()));
            assert!(request.headers.len() <= limits.headers_max);
            judge(&request, &policy);
        }
    }
}

fn read_policy(script: &mut Script<'_>) -> Policy {
    let choice = script.byte();
    let versions = if choice & 1 == 0 { Versions::RFC6455 } else { Versions::WITH_INTERIM };
    let deflate = (choice & 2 != 0).then(|| DeflatePolicy {
        server_no_context_takeover: choice & 4 != 0,
        server_max_window_bits: script.byte(),
        client_max_window_bits: script.byte(),
        ..DeflatePolicy::default()
    });
    let origins = match choice >> 3 & 3 {
        0 | 1 => OriginPolicy::Any,
        2 => OriginPolicy::SameHost,
        _ => OriginPolicy::List(vec!["https://app.example.com".to_owned(), "null".to_owned()]),
    };
    Policy {
        versions,
        subprotocols: vec!["chat".to_owned(), "superchat".to_owned()],
        require_subprotocol: choice & 0x20 != 0,
        deflate,
        deflate_stream: choice & 0x40 != 0,
        origins,
    }
}

fn judge(request: &Request<'_>, policy: &Policy) {
    let _ = (request.authority(), is_upgrade(request));
    match evaluate(request, policy) {
        Err(refusal) => check_refusal(&refusal),
        Ok(acceptance) => {
            assert!(is_upgrade(request));
            let resource = request.resource_name().expect("judged valid");
            assert!(resource.starts_with('/'));
            check_acceptance(&acceptance, policy);
        }
    }
}

fn check_acceptance(acceptance: &Acceptance, policy: &Policy) {
    let agreement = &acceptance.agreement;
    assert!(policy.versions.contains(agreement.version));
    if let Some(name) = &agreement.subprotocol {
        assert!(policy.subprotocols.contains(name));
    }
    match agreement.compression {
        Compression::None => assert_eq!(acceptance.extensions, None),
        Compression::PerMessage(params) => {
            assert!(policy.deflate.is_some() && agreement.version == Version::Rfc6455);
            assert!((9..=15).contains(&params.server_max_window_bits));
            assert!((8..=15).contains(&params.client_max_window_bits));
        }
        Compression::Stream => assert!(policy.deflate_stream && agreement.version.is_interim()),
    }
    let mut response = Vec::new();
    acceptance.write(&mut response);
    check_head(&response);
}

fn check_refusal(refusal: &Refusal) {
    assert!((400..=599).contains(&refusal.status()));
    let mut response = Vec::new();
    refusal.write(&mut response);
    let end = response.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    check_head(&response[..end]);
    assert_eq!(&response[end..], refusal.body().as_bytes());
}

/// Lines of printable ASCII that end in CR LF, none of them empty but the last.
fn check_head(head: &[u8]) {
    let lines = head.strip_suffix(b"\r\n\r\n").expect("ends with an empty line");
    for line in lines.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(!line.is_empty() && line.iter().all(|o| *o == b' ' || o.is_ascii_graphic()));
    }
}

fn client(script: &mut Script<'_>, limits: HeadLimits, cuts: Cuts) {
    let offer = read_offer(script, limits);
    // The nonce of the RFC's example: seeds hold its answer.
    let start = || Handshake::new(offer.clone(), *b"the sample nonce").expect("a valid offer");
    let whole = start().handle_input(script.rest());
    for cuts in [cuts, Cuts::Bytes] {
        let (mut handshake, mut before, mut last) = (start(), 0, Outcome::Incomplete);
        for read in cuts.of(script.rest()) {
            last = handshake.handle_input(read);
            if last != Outcome::Incomplete {
                let after = handshake.handle_input(b"HTTP/1.1 ");
                assert_eq!(after, Outcome::Failed(Failure::Ended));
                break;
            }
            before += read.len();
        }
        assert_eq!(counted_from(last, before), whole, "with {cuts:?}");
    }
    match whole {
        Outcome::Upgraded { agreement, consumed } => {
            assert!(consumed <= script.rest().len());
            assert_eq!(agreement.version, offer.version);
            assert!(agreement.subprotocol.is_none_or(|name| offer.subprotocols.contains(&name)));
        }
        Outcome::Http { status, headers, consumed } => {
            assert!(status != 101 && status >= 200 && consumed <= script.rest().len());
            let _ = versions_listed(&headers);
        }
        Outcome::Incomplete | Outcome::Failed(_) => {}
    }
}

fn read_offer(script: &mut Script<'_>, limits: HeadLimits) -> Offer {
    let choice = script.byte();
    let mut offer = Offer::new("ws://server.example.com/chat".parse().expect("a valid URI"));
    offer.version = Version::ALL[usize::from(choice & 3)];
    offer.subprotocols = vec!["chat".to_owned(), "superchat".to_owned()];
    if choice & 4 != 0 {
        offer.deflate = vec![DeflateOffer::default()];
        let server_max_window_bits = Some(8 + (choice >> 5));
        let strict = DeflateOffer { server_max_window_bits, ..DeflateOffer::default() };
        if choice & 8 != 0 {
            offer.deflate.insert(0, strict);
        }
    }
    offer.deflate_stream = choice & 16 != 0;
    offer.limits = limits;
    offer
}

/// The outcome with its count of octets taken from the beginning of the stream.
fn counted_from(outcome: Outcome, before: usize) -> Outcome {
    match outcome {
        Outcome::Upgraded { agreement, consumed } => {
            Outcome::Upgraded { agreement, consumed: before + consumed }
        }
        Outcome::Http { status, headers, consumed } => {
            Outcome::Http { status, headers, consumed: before + consumed }
        }
        ended => ended,
    }
}
