//! The examples of the RFCs as traces, and vectors made with another implementation (Python's
//! `hashlib` and `hmac`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, also outside #[test]")]

mod support;

use support::{User, client_settings, serve, server, server_settings};
use wharf_sasl::client::{self, Credentials};
use wharf_sasl::server::{Answer, Done, Exchange, Failure, Question, Step};
use wharf_sasl::{ChannelBinding, Hash, Mechanism, Nonce, Password, ScramKeys};

struct Trace {
    mechanism: Mechanism,
    salt: &'static [u8],
    iterations: u32,
    nonces: (&'static str, &'static str),
    authzid: &'static str,
    binding: Option<ChannelBinding>,
    messages: [&'static str; 4],
}

/// Plays the trace on both sides: each sends exactly the other's next message.
fn play(trace: Trace) {
    let [client_first, server_first, client_final, server_final] = trace.messages;
    let (Mechanism::Scram(hash) | Mechanism::ScramPlus(hash)) = trace.mechanism else { panic!() };
    let keys = ScramKeys::derive(hash, "pencil", trace.salt, trace.iterations).unwrap();

    let mut settings = server_settings();
    settings.nonce = Nonce::new(trace.nonces.1).unwrap();
    settings.channel_bindings.extend(trace.binding.clone());
    let mut server = Exchange::new(trace.mechanism, settings);
    let asked = server.step(Some(client_first.as_bytes()));
    assert_eq!(asked, Step::Ask(Question::ScramKeys { user: "user".to_owned(), hash }));
    let challenge = server.answer(Answer::Keys(keys)).unwrap();
    assert_eq!(challenge, Step::Challenge(server_first.into()));
    let mut step = server.step(Some(client_final.as_bytes()));
    let mut user = "user".to_owned();
    if !trace.authzid.is_empty() {
        let authzid = trace.authzid.to_owned();
        assert_eq!(step, Step::Ask(Question::Authorize { user, authzid: authzid.clone() }));
        user = authzid.clone();
        step = server.answer(Answer::Is { user: authzid }).unwrap();
    }
    assert_eq!(step, Step::Done(Done { user, additional: Some(server_final.into()) }));

    let mut settings = client_settings(&User::new("user", "pencil"));
    settings.nonce = Nonce::new(trace.nonces.0).unwrap();
    settings.authzid = trace.authzid.to_owned();
    settings.channel_binding = trace.binding;
    let (mut client, initial) = client::Exchange::begin(trace.mechanism, settings).unwrap();
    assert_eq!(initial, client_first.as_bytes());
    assert_eq!(client.step(server_first.as_bytes()), Ok(client_final.into()));
    assert_eq!(client.finish(Some(server_final.as_bytes())), Ok(()));
}

/// RFC 5802, section 5.
#[test]
fn scram_sha_1() {
    play(Trace {
        mechanism: Mechanism::Scram(Hash::Sha1),
        salt: b"\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d\xff\x76",
        iterations: 4096,
        nonces: ("fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j"),
        authzid: "",
        binding: None,
        messages: [
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ],
    });
}

const SALT_7677: &[u8] = b"\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";

/// RFC 7677, section 3.
#[test]
fn scram_sha_256() {
    play(Trace {
        mechanism: Mechanism::Scram(Hash::Sha256),
        salt: SALT_7677,
        iterations: 4096,
        nonces: ("rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),
        authzid: "",
        binding: None,
        messages: [
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ],
    });
}

#[test]
fn scram_sha_512() {
    play(Trace {
        mechanism: Mechanism::Scram(Hash::Sha512),
        salt: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        iterations: 10_000,
        nonces: ("rOprNGfwEbeRWgbNEkqO", "Yl0cVGYs2mTqN7xa"),
        authzid: "",
        binding: None,
        messages: [
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqOYl0cVGYs2mTqN7xa,s=AAECAwQFBgcICQoLDA0ODw==,i=10000",
            "c=biws,r=rOprNGfwEbeRWgbNEkqOYl0cVGYs2mTqN7xa,\
             p=W2qlqQEAOboqD3qj3YVg3VDRJuAJ4nmZRyjjNjL1arVoTKYPI6ZmxL5IQbSPSKY27U5fnIQMatKAj0aD\
             2J+hVg==",
            "v=owazOh9pLBLhkoc23IsiFjHskgRRrabs13Z/iSvuwj9Y7X4lba+mOFcON3roeT+y3QeLd7y3q0Bz28e5\
             dNwOkQ==",
        ],
    });
}

/// With a channel and with someone to act as, whose name needs escaping.
#[test]
fn scram_sha_256_plus() {
    let exported: Vec<u8> = (0..32).collect();
    play(Trace {
        mechanism: Mechanism::ScramPlus(Hash::Sha256),
        salt: SALT_7677,
        iterations: 4096,
        nonces: ("rOprNGfwEbeRWgbNEkqO", "Yl0cVGYs2mTqN7xa"),
        authzid: "adm,in",
        binding: Some(ChannelBinding::tls_exporter(exported.try_into().unwrap())),
        messages: [
            "p=tls-exporter,a=adm=2Cin,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqOYl0cVGYs2mTqN7xa,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=cD10bHMtZXhwb3J0ZXIsYT1hZG09MkNpbiwAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==,\
             r=rOprNGfwEbeRWgbNEkqOYl0cVGYs2mTqN7xa,p=3h0UgXuhxFds10wHzJty/R6plarV8+xuddttkW0sx/4=",
            "v=/BFo9nGu3K6IKeYT5UUYoe3d3Hi/rpk4pCIqYo3ELX4=",
        ],
    });
}

/// The characters that RFC 5802, section 3, asks to test: prepared by either side, and signed as
/// they were sent.
#[test]
fn names_and_passwords_are_prepared() {
    let keys = ScramKeys::derive(Hash::Sha256, "\u{bd}\u{b4}", b"salt", 4096).unwrap();
    let mut settings = server_settings();
    settings.nonce = Nonce::new("def").unwrap();
    let mut server = Exchange::new(Mechanism::Scram(Hash::Sha256), settings);
    let Step::Ask(Question::ScramKeys { user, .. }) =
        server.step(Some("n,,n=\u{bd},r=abc".as_bytes()))
    else {
        panic!()
    };
    assert_eq!(user, "1\u{2044}2");
    server.answer(Answer::Keys(keys)).unwrap();
    let done = server.step(Some(b"c=biws,r=abcdef,p=XJ4e0X6HhXw2L3xC0CyZcBem+syZseHc91wnyTCzWkM="));
    let additional = Some(b"v=dq2dDobxRuD6W8PutB+wToFKQXc1LNd+GRyF2t6f8so=".to_vec());
    assert_eq!(done, Step::Done(Done { user, additional }));
}

/// RFC 4616, section 4.
#[test]
fn plain() {
    let user = User::new("tim", "tanstaaftanstaaf");
    let done = Done { user: "tim".to_owned(), additional: None };
    let mut exchange = server(Mechanism::Plain);
    assert_eq!(exchange.step(None), Step::Challenge(Vec::new()));
    let step = serve(&mut exchange, Some(b"\0tim\0tanstaaftanstaaf"), &user);
    assert_eq!(step, Step::Done(done));

    let kurt = User::new("Kurt", "xipj3plmq");
    let step = serve(&mut server(Mechanism::Plain), Some(b"Ursel\0Kurt\0xipj3plmq"), &kurt);
    assert_eq!(step, Step::Failed(Failure::Unauthorized));

    let mut settings = client_settings(&kurt);
    settings.authzid = "Ursel".to_owned();
    let (mut client, initial) = client::Exchange::begin(Mechanism::Plain, settings).unwrap();
    assert_eq!(initial, b"Ursel\0Kurt\0xipj3plmq");
    assert_eq!(client.finish(None), Ok(()));
}

/// RFC 4505, section 4.
#[test]
fn anonymous() {
    let trace = Some("sirhc".to_owned());
    let mut exchange = server(Mechanism::Anonymous);
    assert_eq!(exchange.step(None), Step::Challenge(Vec::new()));
    assert_eq!(exchange.step(Some(b"sirhc")), Step::Ask(Question::Anonymous { trace }));
    let user = "guest".to_owned();
    let step = exchange.answer(Answer::Is { user: user.clone() });
    assert_eq!(step, Ok(Step::Done(Done { user, additional: None })));

    let credentials = Credentials::Anonymous { trace: "sirhc".to_owned() };
    let settings = client::Settings::new(credentials, support::nonce(2));
    let (mut client, initial) = client::Exchange::begin(Mechanism::Anonymous, settings).unwrap();
    assert_eq!((initial.as_slice(), client.finish(None)), (b"sirhc".as_slice(), Ok(())));
}

/// RFC 4422, appendix A.2.
#[test]
fn external() {
    let mut exchange = server(Mechanism::External);
    assert_eq!(exchange.step(None), Step::Challenge(Vec::new()));
    assert_eq!(exchange.step(Some(b"")), Step::Ask(Question::External { authzid: None }));
    let user = "fred".to_owned();
    let step = exchange.answer(Answer::Is { user: user.clone() });
    assert_eq!(step, Ok(Step::Done(Done { user, additional: None })));

    let mut exchange = server(Mechanism::External);
    let authzid = Some("fred@example.com".to_owned());
    let step = exchange.step(Some(b"fred@example.com"));
    assert_eq!(step, Step::Ask(Question::External { authzid }));
    assert_eq!(exchange.answer(Answer::Refused), Ok(Step::Failed(Failure::Denied)));

    let mut settings = client::Settings::new(Credentials::External, support::nonce(2));
    settings.authzid = "fred@example.com".to_owned();
    let (_, initial) = client::Exchange::begin(Mechanism::External, settings).unwrap();
    assert_eq!(initial, b"fred@example.com");
}

/// A message that may be empty, in a protocol that cannot say so.
#[test]
fn an_absent_response_can_be_an_empty_one() {
    for (mechanism, is_empty) in
        [(Mechanism::Anonymous, true), (Mechanism::External, true), (Mechanism::Plain, false)]
    {
        let mut settings = server_settings();
        settings.absent_is_empty = true;
        let step = Exchange::new(mechanism, settings).step(None);
        assert_eq!(matches!(step, Step::Ask(_)), is_empty, "{mechanism}: {step:?}");
        assert_eq!(step == Step::Challenge(Vec::new()), !is_empty, "{mechanism}: {step:?}");
    }
}

/// RFC 4422, section 3.6: where success has no room for the server's proof, it is one more
/// challenge.
#[test]
fn the_servers_proof_can_come_as_a_challenge() {
    let user = User::new("user", "pencil");
    let mechanism = Mechanism::Scram(Hash::Sha256);
    let mut server = server(mechanism);
    let (mut client, initial) = client::Exchange::begin(mechanism, client_settings(&user)).unwrap();
    let Step::Challenge(first) = serve(&mut server, Some(&initial), &user) else { panic!() };
    let last = client.step(&first).unwrap();
    let Step::Done(done) = serve(&mut server, Some(&last), &user) else { panic!() };
    assert_eq!(client.step(&done.additional.unwrap()), Ok(Vec::new()));
    assert_eq!(client.finish(None), Ok(()));
}

#[test]
fn secrets_are_in_no_debug_output() {
    let password = Password::new("open sesame");
    let keys = ScramKeys::derive(Hash::Sha1, "open sesame", b"salty", 4096).unwrap();
    let question = Question::Password { user: "ali".to_owned(), password: password.clone() };
    let user = User::new("ali", "open sesame");
    let (client, _) =
        client::Exchange::begin(Mechanism::Scram(Hash::Sha1), client_settings(&user)).unwrap();
    let mut server = server(Mechanism::Scram(Hash::Sha1));
    serve(&mut server, Some(b"n,,n=ali,r=abc"), &user);
    let shown = format!(
        "{password:?} {question:?} {client:?} {:?} {:?}",
        client_settings(&user),
        (&keys, Answer::Keys(keys.clone()), server),
    );
    let text = keys.to_text();
    let secrets = text.split(['$', ':']).skip(3);
    for secret in ["sesame", "3, 3, 3"].into_iter().chain(secrets) {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
