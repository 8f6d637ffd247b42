//! Every way in which a message can be wrong, and how it is named.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, also outside #[test]")]

mod support;

use support::{User, bound_server, client_settings, credentials, nonce, serve, server, violation};
use wharf_sasl::client::{self, Failure, Refusal};
use wharf_sasl::server::Step;
use wharf_sasl::{Hash, Mechanism, Violation};

const SCRAM: Mechanism = Mechanism::Scram(Hash::Sha256);
const PLUS: Mechanism = Mechanism::ScramPlus(Hash::Sha256);

fn check(mechanism: Mechanism, table: &[(&[u8], Violation)]) {
    for (message, expected) in table {
        let step = bound_server(mechanism).step(Some(message));
        let shown = String::from_utf8_lossy(message);
        assert_eq!(step, violation(*expected), "{mechanism}: {shown:.80?}");
    }
}

#[test]
fn plain() {
    use Violation::{
        InvalidUtf8, MessageTooLong, PlainFields, PlainPassword, StringTooLong, UserName,
    };
    let long = "x".repeat(1025);
    let long_fields = [
        format!("{long}\0tim\0secret"),
        format!("\0{long}\0secret"),
        format!("\0tim\0{long}"),
        format!("\0tim\0{}", "x".repeat(4092)),
    ];
    check(
        Mechanism::Plain,
        &[
            (b"", PlainFields),
            (b"tim", PlainFields),
            (b"tim\0secret", PlainFields),
            (b"\0tim\0secret\0", PlainFields),
            (b"\0\0\0", PlainFields),
            (b"\0tim\0", PlainPassword),
            (b"\0\0", PlainPassword),
            (b"\0\0secret", UserName),
            (b"\0ti\x07m\0secret", UserName),
            (b"\0\xc2\xad\0secret", UserName),
            (b"\0\xd8\xa71\0secret", UserName),
            (b"\0t\xffm\0secret", InvalidUtf8),
            (b"\0tim\0\xed\xa0\x80", InvalidUtf8),
            (b"\0tim\0secr\xc0\x80t", InvalidUtf8),
            (long_fields[0].as_bytes(), StringTooLong),
            (long_fields[1].as_bytes(), StringTooLong),
            (long_fields[2].as_bytes(), StringTooLong),
            (long_fields[3].as_bytes(), MessageTooLong),
        ],
    );
}

#[test]
fn anonymous_and_external() {
    use Violation::{
        AuthorizationIdentity, InvalidUtf8, MessageTooLong, StringTooLong, TraceProhibited,
        TraceTooLong,
    };
    let (long, too_long) = ("\u{e9}".repeat(256), "x".repeat(4097));
    check(
        Mechanism::Anonymous,
        &[
            (b"\xff", InvalidUtf8),
            (b"a\nb", TraceProhibited),
            (b"a\0b", TraceProhibited),
            (b"\x1b[31mred", TraceProhibited),
            (b"\xe2\x80\xae", TraceProhibited),
            (b"\xd8\xa7a", TraceProhibited),
            (long.as_bytes(), TraceTooLong),
            (too_long.as_bytes(), MessageTooLong),
        ],
    );
    let fits = "\u{e9}".repeat(255);
    assert!(matches!(server(Mechanism::Anonymous).step(Some(fits.as_bytes())), Step::Ask(_)));
    let long = "x".repeat(1025);
    check(
        Mechanism::External,
        &[
            (b"fr\0ed", AuthorizationIdentity),
            (b"\xff", InvalidUtf8),
            (long.as_bytes(), StringTooLong),
            (too_long.as_bytes(), MessageTooLong),
        ],
    );
}

#[test]
fn scram_client_first_header() {
    use Violation::{
        AuthorizationIdentity, BindingFlag, BindingMissing, BindingUnexpected, BindingUnknown,
        Downgrade, Header, NameEscape, StringTooLong,
    };
    let long_identity = format!("n,a={},n=tim,r=abc", "=2C".repeat(1025));
    check(
        SCRAM,
        &[
            (b"", BindingFlag),
            (b"x,,n=tim,r=abc", BindingFlag),
            (b"N,,n=tim,r=abc", BindingFlag),
            (b"F,n,,n=tim,r=abc", BindingFlag),
            (b"p,,n=tim,r=abc", BindingFlag),
            (b"p=,,n=tim,r=abc", BindingFlag),
            (b"p=tls exporter,,n=tim,r=abc", BindingFlag),
            (b"n=tim,r=abc", BindingFlag),
            (b"n", Header),
            (b"n,", Header),
            (b"n,n=tim,r=abc", Header),
            (b"n,b=tom,n=tim,r=abc", Header),
            (b"n,a=,n=tim,r=abc", AuthorizationIdentity),
            (b"n,a=t\0m,n=tim,r=abc", AuthorizationIdentity),
            (b"n,a=t=m,n=tim,r=abc", NameEscape),
            (long_identity.as_bytes(), StringTooLong),
            (b"p=tls-exporter,,n=tim,r=abc", BindingUnexpected),
            (b"y,,n=tim,r=abc", Downgrade),
        ],
    );
    check(
        PLUS,
        &[
            (b"y,,n=tim,r=abc", BindingMissing),
            (b"p=tls-unique,,n=tim,r=abc", BindingUnknown),
            (b"p=TLS-EXPORTER,,n=tim,r=abc", BindingUnknown),
        ],
    );
}

#[test]
fn scram_client_first_bare() {
    use Violation::{
        Attribute, AttributeMissing, InvalidUtf8, MandatoryExtension, MessageTooLong, NameEscape,
        Nonce, StringTooLong, UserName,
    };
    let long_nonce = format!("n,,n=tim,r={}", "x".repeat(257));
    let long_name = format!("n,,n={},r=abc", "x".repeat(1025));
    let longer_name = format!("n,,n={},r=abc", "x".repeat(3073));
    let too_long = format!("n,,n=tim,r=abc,x={}", "x".repeat(4096));
    check(
        SCRAM,
        &[
            (b"n,,m=1,n=tim,r=abc", MandatoryExtension),
            (b"n,,n=tim,m=1,r=abc", MandatoryExtension),
            (b"n,,n=tim,r=abc,m=1", MandatoryExtension),
            (b"n,,n=tim,r=abc,x=1,m=", MandatoryExtension),
            (b"n,,", AttributeMissing('n')),
            (b"n,,r=abc,n=tim", AttributeMissing('n')),
            (b"n,,ntim,r=abc", AttributeMissing('n')),
            (b"n,,n=tim", AttributeMissing('r')),
            (b"n,,n=tim,x=1,r=abc", AttributeMissing('r')),
            (b"n,,n=,r=abc", UserName),
            (b"n,,n=t\0m,r=abc", UserName),
            (b"n,,n=\xc2\xad,r=abc", UserName),
            (b"n,,n=t=m,r=abc", NameEscape),
            (b"n,,n=t=2cm,r=abc", NameEscape),
            (b"n,,n=tim=,r=abc", NameEscape),
            (b"n,,n=tim=2,r=abc", NameEscape),
            (b"n,,n=tim,r=", Nonce),
            (b"n,,n=tim,r=a c", Nonce),
            (b"n,,n=tim,r=a\x7f", Nonce),
            (b"n,,n=tim,r=\xc3\xa9", Nonce),
            (b"n,,n=tim,r=abc,", Attribute),
            (b"n,,n=tim,r=abc,x", Attribute),
            (b"n,,n=tim,r=abc,x=", Attribute),
            (b"n,,n=tim,r=abc,1=x", Attribute),
            (b"n,,n=tim,r=abc,xy=z", Attribute),
            (b"n,,n=tim,r=abc,x=\0", Attribute),
            (b"n,,n=t\xffm,r=abc", InvalidUtf8),
            (long_nonce.as_bytes(), Nonce),
            (long_name.as_bytes(), StringTooLong),
            (longer_name.as_bytes(), StringTooLong),
            (too_long.as_bytes(), MessageTooLong),
        ],
    );
    for extended in [&b"n,,n=tim,r=abc,x=1,Y=a=b\xc3\xa9"[..], b"n,a=tom,n=t=2C=3Dm,r=~!"] {
        assert!(matches!(server(SCRAM).step(Some(extended)), Step::Ask(_)), "{extended:?}");
    }
}

/// A server that has sent its challenge, and both parts of the nonce.
fn challenged() -> (wharf_sasl::server::Exchange, String) {
    let mut server = server(SCRAM);
    let step = serve(&mut server, Some(b"n,,n=tim,r=abc"), &User::new("tim", "secret"));
    let Step::Challenge(challenge) = step else { panic!("{step:?}") };
    let challenge = String::from_utf8(challenge).unwrap();
    let nonce = challenge.split(',').next().unwrap().strip_prefix("r=").unwrap();
    (server, nonce.to_owned())
}

#[test]
fn scram_client_final() {
    use Violation::{
        Attribute, AttributeMissing, BindingMismatch, MandatoryExtension, NonceMismatch,
        ProofEncoding,
    };
    let proof = "A".repeat(43) + "=";
    let short = "A".repeat(27) + "=";
    let long = "A".repeat(86) + "==";
    let table: &[(&str, Violation)] = &[
        ("", AttributeMissing('p')),
        ("c=biws", AttributeMissing('p')),
        ("c=biws,r=NONCE", AttributeMissing('p')),
        ("c=biws,r=NONCE,p=PROOF,x=1", AttributeMissing('p')),
        ("p=PROOF", AttributeMissing('p')),
        ("c=biws,p=PROOF", AttributeMissing('r')),
        ("r=NONCE,c=biws,p=PROOF", AttributeMissing('c')),
        (",c=biws,r=NONCE,p=PROOF", AttributeMissing('c')),
        ("m=1,c=biws,r=NONCE,p=PROOF", MandatoryExtension),
        ("c=biws,m=1,r=NONCE,p=PROOF", MandatoryExtension),
        ("c=biws,r=NONCE,m=1,p=PROOF", MandatoryExtension),
        ("c=biws,r=NONCE,m=1", MandatoryExtension),
        ("c=biws,r=NONCE,,p=PROOF", Attribute),
        ("c=biws,r=NONCE,x,p=PROOF", Attribute),
        ("c=,r=NONCE,p=PROOF", BindingMismatch),
        ("c=eSws,r=NONCE,p=PROOF", BindingMismatch),
        ("c=biw,r=NONCE,p=PROOF", BindingMismatch),
        ("c=biws=,r=NONCE,p=PROOF", BindingMismatch),
        ("c=biws,r=,p=PROOF", NonceMismatch),
        ("c=biws,r=abc,p=PROOF", NonceMismatch),
        ("c=biws,r=NONCEx,p=PROOF", NonceMismatch),
        ("c=biws,r=xNONCE,p=PROOF", NonceMismatch),
        ("c=biws,r=NONCE,p=", ProofEncoding),
        ("c=biws,r=NONCE,p=PROOF=", ProofEncoding),
        ("c=biws,r=NONCE,p=?ROOF", ProofEncoding),
        ("c=biws,r=NONCE,p=SHORT", ProofEncoding),
        ("c=biws,r=NONCE,p=LONG", ProofEncoding),
    ];
    for (message, expected) in table {
        let (mut server, nonce) = challenged();
        let message = message.replace("NONCE", &nonce).replace("PROOF", &proof);
        let message = message.replace("SHORT", &short).replace("LONG", &long);
        assert_eq!(server.step(Some(message.as_bytes())), violation(*expected), "{message}");
        let again = server.step(Some(message.as_bytes()));
        assert_eq!(again, violation(Violation::OutOfTurn), "nothing comes after a failure");
    }
    let (mut server, _) = challenged();
    assert_eq!(server.step(Some(b"c=biws,r=\xff")), violation(Violation::InvalidUtf8));
    let (mut server, _) = challenged();
    assert_eq!(server.step(Some(&[b'x'; 4097])), violation(Violation::MessageTooLong));
    let (mut server, _) = challenged();
    assert_eq!(server.step(None), violation(Violation::Absent));
}

#[test]
fn responses_out_of_turn() {
    let mut never_sent = server(Mechanism::Plain);
    assert_eq!(never_sent.step(None), Step::Challenge(Vec::new()));
    assert_eq!(never_sent.step(None), violation(Violation::Absent));
    let mut impatient = server(Mechanism::Plain);
    assert!(matches!(impatient.step(Some(b"\0tim\0secret")), Step::Ask(_)));
    assert_eq!(impatient.step(Some(b"\0tim\0other")), violation(Violation::OutOfTurn));
    let mut talkative = server(Mechanism::Anonymous);
    let done = serve(&mut talkative, Some(b""), &User::new("tim", "secret"));
    assert!(matches!(done, Step::Done(_)), "{done:?}");
    assert_eq!(talkative.step(Some(b"")), violation(Violation::OutOfTurn));
}

/// A client that has sent its first message, and its nonce.
fn begun() -> (client::Exchange, String) {
    let settings = client::Settings::new(credentials(&User::new("tim", "secret")), nonce(2));
    let (client, initial) = client::Exchange::begin(SCRAM, settings).unwrap();
    let initial = String::from_utf8(initial).unwrap();
    (client, initial.strip_prefix("n,,n=tim,r=").unwrap().to_owned())
}

#[test]
fn scram_server_first() {
    use Violation::{
        Attribute, AttributeMissing, Iterations, IterationsRefused, MandatoryExtension, Nonce,
        NonceMismatch, Salt,
    };
    let long_salt = format!("r=NONCEx,s={},i=4096", "AAAA".repeat(86));
    let table: &[(&str, Violation)] = &[
        ("", AttributeMissing('r')),
        ("s=QSXC,r=NONCEx,i=4096", AttributeMissing('r')),
        ("r=NONCEx", AttributeMissing('s')),
        ("r=NONCEx,i=4096,s=QSXC", AttributeMissing('s')),
        ("r=NONCEx,s=QSXC", AttributeMissing('i')),
        ("m=1,r=NONCEx,s=QSXC,i=4096", MandatoryExtension),
        ("r=NONCEx,s=QSXC,i=4096,m=1", MandatoryExtension),
        ("r=NONCEx,s=QSXC,i=4096,", Attribute),
        ("r=,s=QSXC,i=4096", NonceMismatch),
        ("r=x,s=QSXC,i=4096", NonceMismatch),
        ("r=xNONCE,s=QSXC,i=4096", NonceMismatch),
        ("r=NONCE,s=QSXC,i=4096", Nonce), // the server adds nothing
        ("r=NONCE x,s=QSXC,i=4096", Nonce),
        ("r=NONCEx,s=,i=4096", Salt),
        ("r=NONCEx,s=QSX,i=4096", Salt),
        ("r=NONCEx,s=Q?XC,i=4096", Salt),
        ("r=NONCEx,s=QR==,i=4096", Salt), // bits that say nothing
        (&long_salt, Salt),
        ("r=NONCEx,s=QSXC,i=", Iterations),
        ("r=NONCEx,s=QSXC,i=0", Iterations),
        ("r=NONCEx,s=QSXC,i=04096", Iterations),
        ("r=NONCEx,s=QSXC,i=+4096", Iterations),
        ("r=NONCEx,s=QSXC,i=4096 ", Iterations),
        ("r=NONCEx,s=QSXC,i=4294967296", Iterations),
        ("r=NONCEx,s=QSXC,i=1", IterationsRefused),
        ("r=NONCEx,s=QSXC,i=4095", IterationsRefused),
        ("r=NONCEx,s=QSXC,i=1500001", IterationsRefused),
        ("r=NONCEx,s=QSXC,i=4294967295", IterationsRefused),
    ];
    for (message, expected) in table {
        let (mut client, nonce) = begun();
        let message = message.replace("NONCE", &nonce);
        let expected = Err(Failure::Violation(*expected));
        assert_eq!(client.step(message.as_bytes()), expected, "{message}");
        let out_of_turn = Failure::Violation(Violation::OutOfTurn);
        assert_eq!(client.finish(None), Err(out_of_turn), "nothing comes after a failure");
    }
    let (mut client, nonce) = begun();
    let extended = format!("r={nonce}x,s=QSXC,i=4096,x=1");
    assert!(client.step(extended.as_bytes()).is_ok());
}

#[test]
fn scram_server_final() {
    use Violation::{
        Attribute, AttributeMissing, MandatoryExtension, ProofEncoding, ServerUnproved,
    };
    let wrong = format!("v={}=", "A".repeat(43));
    let table: &[(&str, Failure)] = &[
        ("", Failure::Violation(ServerUnproved)),
        (&wrong, Failure::Violation(ServerUnproved)),
        ("v", Failure::Violation(AttributeMissing('v'))),
        ("x=1,v=AAAA", Failure::Violation(AttributeMissing('v'))),
        ("m=1,v=AAAA", Failure::Violation(MandatoryExtension)),
        ("v=", Failure::Violation(ProofEncoding)),
        ("v=AAAA", Failure::Violation(ProofEncoding)),
        ("v=?", Failure::Violation(ProofEncoding)),
        ("e=", Failure::Violation(Attribute)),
        ("e=unknown-user,x", Failure::Violation(Attribute)),
        ("e=unknown-user", Failure::Refused(Refusal::UnknownUser)),
        ("e=invalid-proof,x=1", Failure::Refused(Refusal::InvalidProof)),
        ("e=something-new", Failure::Refused(Refusal::Other)),
    ];
    for (message, expected) in table {
        for as_challenge in [true, false] {
            let (mut client, nonce) = begun();
            client.step(format!("r={nonce}x,s=QSXC,i=4096").as_bytes()).unwrap();
            let got = match as_challenge {
                true => client.step(message.as_bytes()).map(drop),
                false => client.finish(Some(message.as_bytes())),
            };
            assert_eq!(got, Err(*expected), "{message}");
        }
    }
    // Success without any proof, at either moment.
    let unproved = Err(Failure::Violation(ServerUnproved));
    let (mut client, nonce) = begun();
    assert_eq!(client.finish(None), unproved);
    let (mut client, _) = begun();
    assert_eq!(client.step(b"e=no-resources"), Err(Failure::Refused(Refusal::NoResources)));
    let (mut client, _) = begun();
    client.step(format!("r={nonce}x,s=QSXC,i=4096").as_bytes()).unwrap();
    assert_eq!(client.finish(None), unproved);
}

#[test]
fn challenges_out_of_turn() {
    let settings = client_settings(&User::new("tim", "secret"));
    let (mut client, _) = client::Exchange::begin(Mechanism::Plain, settings).unwrap();
    assert_eq!(client.step(b""), Err(Failure::Violation(Violation::OutOfTurn)));
}
