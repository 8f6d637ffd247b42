//! Any user and any password, and any flipped bit.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, also outside #[test]")]

mod support;

use proptest::prelude::*;
use proptest::string::string_regex;
use support::{MESSAGES, User, bound_server, channel, client_settings, meet, server};
use wharf_sasl::client;
use wharf_sasl::server::{Exchange, Step};
use wharf_sasl::{Hash, Mechanism, Nonce, ScramKeys, Use, Violation, saslprep};

fn mechanism() -> impl Strategy<Value = Mechanism> {
    let with_password = Mechanism::ALL.into_iter().filter(|mechanism| {
        matches!(mechanism, Mechanism::Plain | Mechanism::Scram(_) | Mechanism::ScramPlus(_))
    });
    prop::sample::select(with_password.collect::<Vec<_>>())
}

fn scram() -> impl Strategy<Value = Mechanism> {
    mechanism().prop_filter("SCRAM", |mechanism| *mechanism != Mechanism::Plain)
}

/// A string that can be stored, prepared.
fn stored() -> impl Strategy<Value = String> {
    let texts = ["[ -~]{1,20}", "\\PC{1,8}", "[a,=\u{e9}\u{bd}\u{2168}\u{5d0}]{1,6}"];
    let [ascii, any, telling] = texts.map(|regex| string_regex(regex).unwrap());
    let text = prop_oneof![ascii, any, telling];
    text.prop_filter_map("SASLprep refuses", |text| {
        let prepared = saslprep(&text, Use::Stored)?.into_owned();
        // Normalising may compose anew what mapping has left: take what stays.
        (saslprep(&prepared, Use::Stored)? == prepared).then_some(prepared)
    })
}

/// Server and client settings of one channel.
fn sides(mechanism: Mechanism, user: &User) -> (Exchange, client::Settings) {
    let mut settings = client_settings(user);
    match mechanism {
        Mechanism::ScramPlus(_) => {
            settings.channel_binding = Some(channel());
            (bound_server(mechanism), settings)
        }
        _ => (server(mechanism), settings),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_sides_meet(mechanism in mechanism(), name in stored(), password in stored()) {
        let user = User::new(&name, &password);
        let (server, settings) = sides(mechanism, &user);
        let end = meet((server, &user), mechanism, settings, |_, _| {});
        prop_assert!(end.is_good(), "{end:?}");
        prop_assert_eq!(end.server.unwrap().user, name);
    }

    #[test]
    fn a_wrong_password_or_name_is_refused(
        mechanism in mechanism(),
        name in stored(),
        passwords in (stored(), stored()),
    ) {
        prop_assume!(passwords.0 != passwords.1);
        let (right, wrong) = (User::new(&name, &passwords.0), User::new(&name, &passwords.1));
        let other = User::new(&format!("{name}x"), &passwords.0);
        for claimed in [wrong, other] {
            let (server, settings) = sides(mechanism, &claimed);
            let Ok(_) = client::Exchange::begin(mechanism, settings.clone()) else { continue };
            let end = meet((server, &right), mechanism, settings, |_, _| {});
            prop_assert!(end.server.is_err(), "{end:?}");
        }
    }

    #[test]
    fn any_cut_message_is_noticed(
        mechanism in scram(),
        message in 0..MESSAGES,
        at in any::<prop::sample::Index>(),
    ) {
        let user = User::new("ada", "secret");
        let (server, settings) = sides(mechanism, &user);
        let end = meet((server, &user), mechanism, settings, |number, octets| {
            if number == message {
                octets.truncate(at.index(octets.len()));
            }
        });
        prop_assert!(!end.is_good(), "{end:?}");
    }

    /// Nothing panics, and nothing but a question or a failure comes of it.
    #[test]
    fn any_octets_at_all(
        mechanism in prop::sample::select(Mechanism::ALL.to_vec()),
        octets in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "[nyp]=?[a-z-]{0,4},(a=[a-z=,]{0,4})?,[nmr]=[ -~]{0,9},[rm]=[ -~]{0,9}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let step = server(mechanism).step(Some(&octets));
        prop_assert!(matches!(step, Step::Ask(_) | Step::Failed(_)), "{:?}", step);
    }

    #[test]
    fn any_challenge_at_all(
        octets in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "r=[a-z]{0,4},[si]=[A-Za-z0-9=]{0,8},[si]=[0-9]{0,4}".prop_map(String::into_bytes),
        ],
    ) {
        let user = User::new("ada", "secret");
        let (mut client, _) =
            client::Exchange::begin(Mechanism::Scram(Hash::Sha1), client_settings(&user)).unwrap();
        prop_assert!(client.step(&octets).is_err());
    }

    #[test]
    fn keys_survive_their_text_form(
        hash in prop::sample::select(Hash::ALL.to_vec()),
        password in stored(),
        salt in prop::collection::vec(any::<u8>(), 1..64),
        iterations in 1..50u32,
    ) {
        let keys = ScramKeys::derive(hash, &password, &salt, iterations).unwrap();
        prop_assert_eq!(ScramKeys::parse(&keys.to_text()), Some(keys));
    }

    #[test]
    fn any_text_is_keys_or_none(text in "SCRAM-SHA-(1|256)\\$[0-9]{0,3}:[A-Za-z0-9+/=]{0,8}\\$\\PC{0,40}") {
        prop_assert_eq!(ScramKeys::parse(&text), None);
    }
}

/// Whatever is changed on the way, someone notices: the server if it was said to it, else the client.
#[test]
fn every_flipped_bit_is_noticed() {
    let user = User::new("a\u{e9},=", "secret");
    for mechanism in [Mechanism::Scram(Hash::Sha256), Mechanism::ScramPlus(Hash::Sha1)] {
        let mut lengths = [0; MESSAGES];
        let (server, settings) = sides(mechanism, &user);
        let end = meet((server, &user), mechanism, settings, |number, octets| {
            lengths[number] = octets.len();
        });
        assert!(end.is_good(), "{end:?}");
        for (message, length) in lengths.into_iter().enumerate() {
            for bit in 0..length * 8 {
                let (server, settings) = sides(mechanism, &user);
                let end = meet((server, &user), mechanism, settings, |number, octets| {
                    if number == message {
                        octets[bit / 8] ^= 1 << (bit % 8);
                    }
                });
                assert!(!end.is_good(), "bit {bit} of message {message}: {end:?}");
                assert_eq!(end.server.is_ok(), message == MESSAGES - 1, "{bit} {message} {end:?}");
            }
        }
    }
}

#[test]
fn nonces_differ_with_their_seeds() {
    assert_eq!(Nonce::from_seed(&[1; 32]), Nonce::from_seed(&[1; 32]));
    assert_ne!(Nonce::from_seed(&[1; 32]), Nonce::from_seed(&[2; 32]));
    for wrong in ["", "a,b", "a b", "\u{e9}", &"x".repeat(257)] {
        assert_eq!(Nonce::new(wrong), None, "{wrong}");
    }
    assert!(Nonce::new(&"x".repeat(256)).is_some());
}

/// RFC 4013, section 3.
#[test]
fn saslprep_examples() {
    let long = "x".repeat(1025);
    let grows = "\u{fdfa}".repeat(100);
    for (text, stored) in [
        ("I\u{ad}X", Some("IX")),
        ("user", Some("user")),
        ("USER", Some("USER")),
        ("\u{aa}", Some("a")),
        ("\u{2168}", Some("IX")),
        ("a\u{a0}b", Some("a b")),
        ("\u{5d0}\u{5d1}", Some("\u{5d0}\u{5d1}")),
        ("\u{7}", None),
        ("\u{627}1", None),
        ("\u{627}a\u{627}", None),
        ("\u{e000}", None),
        ("\u{2ff0}", None),
        ("", None),
        ("\u{ad}", None),
        ("\u{1f980}", None), // not assigned in Unicode 3.2
        (&long, None),
        (&grows, None),
    ] {
        assert_eq!(saslprep(text, Use::Stored).as_deref(), stored, "{text:.20?}");
        let query = if text == "\u{1f980}" { Some(text) } else { stored };
        assert_eq!(saslprep(text, Use::Query).as_deref(), query, "{text:.20?}");
    }
}

#[test]
fn keys_that_cannot_be_made_or_read() {
    use wharf_sasl::Misuse;
    let derive = |password: &str, salt: &[u8], iterations| {
        ScramKeys::derive(Hash::Sha1, password, salt, iterations).err()
    };
    assert_eq!(derive("secret", b"", 4096), Some(Misuse::Parameters));
    assert_eq!(derive("secret", &[0; 257], 4096), Some(Misuse::Parameters));
    assert_eq!(derive("secret", b"salt", 0), Some(Misuse::Parameters));
    assert_eq!(derive("", b"salt", 4096), Some(Misuse::Password));
    assert_eq!(derive("\u{7}", b"salt", 4096), Some(Misuse::Password));

    let keys = ScramKeys::derive(Hash::Sha1, "pencil", b"0123456789ab", 4096).unwrap();
    let text = keys.to_text();
    assert!(text.starts_with("SCRAM-SHA-1$4096:MDEyMzQ1Njc4OWFi$"), "{text}");
    assert_eq!((keys.hash(), keys.iterations()), (Hash::Sha1, 4096));
    let wrong = [
        text.replace("SHA-1", "SHA-1-PLUS"),
        text.replace("SHA-1", "SHA-256"),
        text.replace("SCRAM-SHA-1", "PLAIN"),
        text.replace("4096", "0"),
        text.replace("4096", ""),
        text.replace("MDEyMzQ1Njc4OWFi", ""),
        text.replace("MDEyMzQ1Njc4OWFi", "?"),
        text.replace('$', " "),
        format!("{text}$"),
        format!("{text}:"),
        format!("{text}x"),
        format!(" {text}"),
        text[..text.len() - 4].to_owned(),
        String::new(),
    ];
    for text in wrong {
        assert_eq!(ScramKeys::parse(&text), None, "{text}");
    }
    assert_ne!(keys, ScramKeys::derive(Hash::Sha1, "pencil", b"0123456789ab", 4097).unwrap());
    assert_eq!(Violation::AttributeMissing('r').to_string(), "expected r=");
}
