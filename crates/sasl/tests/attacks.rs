//! Someone in between, someone who comes again, someone who looks for names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, also outside #[test]")]

mod support;

use support::{
    MESSAGES, ROOT, User, bound_server, channel, client_settings, meet, nonce, serve, server,
    server_settings, violation,
};
use wharf_sasl::client::{self, Credentials, choose};
use wharf_sasl::server::{Answer, Exchange, Failure, Question, Step};
use wharf_sasl::{ChannelBinding, Hash, Mechanism, Misuse, ScramKeys, Violation};

fn ada() -> User {
    User::new("ada", "secret")
}

/// Whoever cuts the `-PLUS` names out of the list is noticed (RFC 5802, section 6).
#[test]
fn a_shortened_list_is_noticed() {
    let mut settings = client_settings(&ada());
    settings.channel_binding = Some(channel());
    let whole = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "PLAIN"];
    let plus = Mechanism::ScramPlus(Hash::Sha256);
    assert_eq!(choose(whole, &settings), Some(plus));
    let end = meet((bound_server(plus), &ada()), plus, settings.clone(), |_, _| {});
    assert!(end.is_good(), "{end:?}");

    let cut = whole.into_iter().filter(|name| !name.ends_with("-PLUS"));
    let chosen = choose(cut, &settings).unwrap();
    assert_eq!(chosen, Mechanism::Scram(Hash::Sha256));
    let end = meet((bound_server(chosen), &ada()), chosen, settings.clone(), |_, _| {});
    assert_eq!(end.server, Err(Some(Failure::Violation(Violation::Downgrade))));
    // A server that cannot bind says so truly.
    assert!(meet((server(chosen), &ada()), chosen, settings.clone(), |_, _| {}).is_good());

    // The flag cannot be changed on the way either: it is signed.
    let end = meet((bound_server(chosen), &ada()), chosen, settings, |number, message| {
        if number == 0 {
            message[0] = b'n';
        }
    });
    assert_eq!(end.server, Err(Some(Failure::Violation(Violation::BindingMismatch))));
}

/// Two channels with someone in between.
#[test]
fn another_channel_is_noticed() {
    let plus = Mechanism::ScramPlus(Hash::Sha512);
    let mut settings = client_settings(&ada());
    settings.channel_binding = Some(ChannelBinding::tls_exporter([8; 32]));
    let end = meet((bound_server(plus), &ada()), plus, settings, |_, _| {});
    assert_eq!(end.server, Err(Some(Failure::Violation(Violation::BindingMismatch))));
}

#[test]
fn the_strongest_allowed_mechanism_is_chosen() {
    let all = Mechanism::ALL.map(Mechanism::name);
    let mut settings = client_settings(&ada());
    assert_eq!(choose(all, &settings), Some(Mechanism::Scram(Hash::Sha512)));
    assert_eq!(choose(["PLAIN", "X-NEW", "ANONYMOUS"], &settings), Some(Mechanism::Plain));
    assert_eq!(choose(["plain", "ANONYMOUS", "EXTERNAL"], &settings), None);
    settings.weakest = Mechanism::Scram(Hash::Sha256);
    assert_eq!(choose(["PLAIN", "SCRAM-SHA-1"], &settings), None, "nothing weaker in its place");
    settings.channel_binding = Some(channel());
    assert_eq!(choose(all, &settings), Some(Mechanism::ScramPlus(Hash::Sha512)));
    settings.credentials = Credentials::External;
    assert_eq!(choose(all, &settings), Some(Mechanism::External));
    settings.credentials = Credentials::Anonymous { trace: String::new() };
    assert_eq!(choose(all, &settings), Some(Mechanism::Anonymous));
    assert_eq!(choose::<&str>([], &settings), None);
    for mechanism in Mechanism::ALL {
        assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
    }
    assert!(Mechanism::ALL.is_sorted());
    // WSB-021: none that would wrap what follows.
    for layered in ["DIGEST-MD5", "GSSAPI", "KERBEROS_V4"] {
        assert_eq!(Mechanism::from_name(layered), None);
    }
}

/// By default a password is not shown to the server.
#[test]
fn plain_only_where_it_is_allowed() {
    let settings = client::Settings::new(support::credentials(&ada()), nonce(2));
    assert_eq!(choose(["PLAIN", "ANONYMOUS"], &settings), None);
    let refused = client::Exchange::begin(Mechanism::Plain, settings).err();
    assert_eq!(refused, Some(Misuse::Credentials));
}

/// All that a client ever said, said again.
#[test]
fn a_replayed_proof_fails() {
    let mechanism = Mechanism::Scram(Hash::Sha256);
    let mut said = vec![Vec::new(); MESSAGES];
    let end =
        meet((server(mechanism), &ada()), mechanism, client_settings(&ada()), |at, octets| {
            said[at].clone_from(octets);
        });
    assert!(end.is_good(), "{end:?}");
    let mut settings = server_settings();
    settings.nonce = nonce(9);
    let mut again = Exchange::new(mechanism, settings);
    assert!(matches!(serve(&mut again, Some(&said[0]), &ada()), Step::Challenge(_)));
    let step = serve(&mut again, Some(&said[2]), &ada());
    assert_eq!(step, violation(Violation::NonceMismatch));
    // Only a server that repeats its nonce would believe it.
    let mut same = server(mechanism);
    serve(&mut same, Some(&said[0]), &ada());
    assert!(matches!(serve(&mut same, Some(&said[2]), &ada()), Step::Done(_)));
}

fn challenge_for(name: &str, user: &User, settings: wharf_sasl::server::Settings) -> String {
    let mut server = Exchange::new(Mechanism::Scram(Hash::Sha256), settings);
    let first = format!("n,,n={name},r=abc");
    let Step::Challenge(challenge) = serve(&mut server, Some(first.as_bytes()), user) else {
        panic!()
    };
    let last = format!("c=biws,{},p={}=", challenge_nonce(&challenge), "A".repeat(43));
    let step = serve(&mut server, Some(last.as_bytes()), user);
    assert_eq!(step, Step::Failed(Failure::Denied));
    String::from_utf8(challenge).unwrap()
}

fn challenge_nonce(challenge: &[u8]) -> String {
    String::from_utf8_lossy(challenge).split(',').next().unwrap().to_owned()
}

/// Both fail at the end and for one reason; the challenges are of one form, and stay the same.
#[test]
fn an_unknown_user_looks_like_a_wrong_password() {
    // Keys as the crate makes them, with its own salt length and count.
    let known = ScramKeys::of_password(Hash::Sha256, "secret", [5; 16]).unwrap();
    let mut exchange = server(Mechanism::Scram(Hash::Sha256));
    exchange.step(Some(b"n,,n=ada,r=abc"));
    let step = exchange.answer(Answer::Keys(known)).unwrap();
    let Step::Challenge(known) = step else { panic!("{step:?}") };
    let known = String::from_utf8(known).unwrap();

    let unknown = challenge_for("eve", &ada(), server_settings());
    assert_eq!(unknown.len(), known.len(), "{unknown} {known}");
    assert_eq!(unknown.rsplit_once(',').unwrap().1, known.rsplit_once(',').unwrap().1);
    assert_eq!(unknown, challenge_for("eve", &ada(), server_settings()), "the same every time");
    assert_ne!(unknown, challenge_for("eva", &ada(), server_settings()), "another for each name");
    let mut settings = server_settings();
    settings.decoy_key = [4; 32];
    assert_ne!(unknown, challenge_for("eve", &ada(), settings), "not to be made up outside");
}

#[test]
fn a_false_server_is_not_believed() {
    // It knows nothing of the user, and makes up salt, count and signature.
    let mechanism = Mechanism::Scram(Hash::Sha1);
    let (mut client, initial) =
        client::Exchange::begin(mechanism, client_settings(&ada())).unwrap();
    let nonce = String::from_utf8(initial).unwrap().rsplit_once("r=").unwrap().1.to_owned();
    client.step(format!("r={nonce}x,s=QSXC,i=4096").as_bytes()).unwrap();
    let forged = format!("v={}=", "A".repeat(27));
    let unproved = client::Failure::Violation(Violation::ServerUnproved);
    assert_eq!(client.finish(Some(forged.as_bytes())), Err(unproved));
}

#[test]
fn acting_as_another_is_asked_for_last() {
    for mechanism in [Mechanism::Plain, Mechanism::Scram(Hash::Sha256)] {
        let mut settings = client_settings(&ada());
        settings.authzid = ROOT.to_owned();
        let end = meet((server(mechanism), &ada()), mechanism, settings.clone(), |_, _| {});
        assert!(end.is_good(), "{end:?}");
        assert_eq!(end.server.unwrap().user, ROOT);
        settings.authzid = "bob".to_owned();
        let end = meet((server(mechanism), &ada()), mechanism, settings.clone(), |_, _| {});
        assert_eq!(end.server, Err(Some(Failure::Unauthorized)));
        settings.authzid = "ada".to_owned();
        let end = meet((server(mechanism), &ada()), mechanism, settings.clone(), |_, _| {});
        assert_eq!(end.server.unwrap().user, "ada");
        settings.authzid = ROOT.to_owned();
        let wrong = User::new("ada", "Secret");
        let end = meet((server(mechanism), &wrong), mechanism, settings, |_, _| {});
        assert_eq!(end.server, Err(Some(Failure::Denied)), "the password comes first");
    }
}

#[test]
fn a_busy_database_is_a_temporary_failure() {
    for (mechanism, first) in [
        (Mechanism::Plain, &b"\0ada\0secret"[..]),
        (Mechanism::Scram(Hash::Sha1), b"n,,n=ada,r=abc"),
        (Mechanism::Anonymous, b""),
        (Mechanism::External, b""),
    ] {
        let mut exchange = server(mechanism);
        assert!(matches!(exchange.step(Some(first)), Step::Ask(_)));
        assert_eq!(exchange.answer(Answer::Busy), Ok(Step::Failed(Failure::Busy)));
    }
    assert!(Failure::Busy.is_temporary() && !Failure::Denied.is_temporary());
}

#[test]
fn answers_that_do_not_fit_change_nothing() {
    let is = || Answer::Is { user: "ada".to_owned() };
    let mut exchange = server(Mechanism::Scram(Hash::Sha256));
    assert_eq!(exchange.answer(is()), Err(Misuse::AnswerUnasked));
    exchange.step(Some(b"n,,n=ada,r=abc"));
    assert_eq!(exchange.answer(is()), Err(Misuse::AnswerUnasked));
    let other = Answer::Keys(ada().keys(Hash::Sha1));
    assert_eq!(exchange.answer(other), Err(Misuse::KeysOfOtherHash));
    let keys = Answer::Keys(ada().keys(Hash::Sha256));
    assert!(matches!(exchange.answer(keys.clone()), Ok(Step::Challenge(_))));
    assert_eq!(exchange.answer(keys.clone()), Err(Misuse::AnswerUnasked));

    let mut exchange = server(Mechanism::Plain);
    exchange.step(Some(b"\0ada\0secret"));
    assert_eq!(exchange.answer(keys), Err(Misuse::AnswerUnasked));
    assert!(matches!(exchange.answer(is()), Ok(Step::Done(_))));
    assert_eq!(exchange.answer(Answer::Refused), Err(Misuse::AnswerUnasked));
}

#[test]
fn what_cannot_be_sent_is_refused_before() {
    let begin = |user: &str, password: &str, mechanism| {
        client::Exchange::begin(mechanism, client_settings(&User::new(user, password))).err()
    };
    let scram = Mechanism::Scram(Hash::Sha256);
    for mechanism in [Mechanism::Plain, scram] {
        assert_eq!(begin("", "secret", mechanism), Some(Misuse::Name));
        assert_eq!(begin("a\u{7}", "secret", mechanism), Some(Misuse::Name));
        assert_eq!(begin("ada", "", mechanism), Some(Misuse::Password));
        assert_eq!(begin("ada", "\0", mechanism), Some(Misuse::Password));
        assert_eq!(begin("ada", &"x".repeat(1025), mechanism), Some(Misuse::Password));
    }
    // A character that Unicode 3.2 does not know may change what it is equal to.
    assert_eq!(begin("ada", "\u{1f980}", scram), Some(Misuse::Password));
    assert_eq!(begin("ada", "\u{1f980}", Mechanism::Plain), None);
    let mut settings = client_settings(&ada());
    settings.authzid = "\0".to_owned();
    let refused = client::Exchange::begin(scram, settings).err();
    assert_eq!(refused, Some(Misuse::Name));
    let trace = "new\nline".to_owned();
    let settings = client::Settings::new(Credentials::Anonymous { trace }, nonce(2));
    let refused = client::Exchange::begin(Mechanism::Anonymous, settings).err();
    assert_eq!(refused, Some(Misuse::Name));
    let settings = client_settings(&ada());
    let refused = client::Exchange::begin(Mechanism::ScramPlus(Hash::Sha1), settings).err();
    assert_eq!(refused, Some(Misuse::Credentials), "no channel to bind to");
}

#[test]
fn the_same_name_is_asked_for_however_it_is_written() {
    for message in ["n,,n=\u{2168},r=abc", "n,,n=I\u{ad}X,r=abc", "n,,n=IX,r=abc"] {
        let step = server(Mechanism::Scram(Hash::Sha1)).step(Some(message.as_bytes()));
        let user = "IX".to_owned();
        assert_eq!(step, Step::Ask(Question::ScramKeys { user, hash: Hash::Sha1 }));
    }
}
