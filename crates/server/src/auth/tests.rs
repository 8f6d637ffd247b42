use super::throttle::Throttle;
use super::{Authenticator, Denied, basic, verifier};
use crate::config;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};
use wharf_sasl::{Hash, ScramKeys};

pub(super) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

pub(super) fn basic_header(user: &str, password: &str) -> Vec<u8> {
    let pair = format!("{user}:{password}");
    format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes())).into_bytes()
}

/// A verifier of the older form. Cheap parameters: these tests are not about the cost.
pub(super) fn argon2_of(password: &str) -> String {
    use argon2::password_hash::PasswordHasher;
    let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).unwrap();
    let cheap = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    cheap.hash_password(password.as_bytes()).unwrap().to_string()
}

fn authenticator(failures_per_minute_max: u32) -> Authenticator {
    let config = config::Auth { failures_per_minute_max, ..config::Auth::default() };
    let authenticator = Authenticator::new(&config);
    authenticator.put_user("ada", &argon2_of("secret"), &[]);
    authenticator
}

#[test]
fn basic_credentials() {
    let parsed = basic::parse(&basic_header("ada", "a:b")).unwrap();
    assert_eq!((parsed.user.as_str(), parsed.password.as_slice()), ("ada", b"a:b".as_slice()));
    assert!(!format!("{parsed:?}").contains("a:b"), "a password in a debug print");
    assert!(basic::parse(b"basic YTo=").is_some(), "the scheme's case is free");
    for wrong in [&b"Basic"[..], b"Basic ?", b"Bearer YTo=", b"Basic YQ==", b"Basic OmE=", b"\xff"]
    {
        assert!(basic::parse(wrong).is_none(), "{wrong:?}");
    }
    assert!(basic::parse(&basic_header(&"u".repeat(5000), "p")).is_none());
}

#[test]
fn verifiers() {
    let made = verifier::of_password("correct horse").unwrap();
    assert!(made.starts_with("$argon2id$") && verifier::is_verifier(&made), "{made}");
    assert!(verifier::verify(b"correct horse", &made));
    assert!(!verifier::verify(b"wrong horse", &made));
    let keys = verifier::scram_keys(&made);
    assert_eq!(keys.iter().map(ScramKeys::hash).collect::<Vec<_>>(), Hash::ALL);
    assert!(keys.iter().all(|keys| keys.iterations() == keys.hash().iterations()));
    assert!(verifier::is_current("correct horse", &made));
    assert!(!verifier::is_current("wrong horse", &made));
    for wrong in ["", "secret", "$argon2id$", "$scrypt$ln=1,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"] {
        assert!(!verifier::is_verifier(wrong), "{wrong}");
    }
    for added in [" ", " x", " SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA"] {
        assert!(!verifier::is_verifier(&format!("{made}{added}")), "{added:?}");
    }
    assert!(!verifier::is_verifier(&made.replacen(' ', "  ", 1)));
    assert!(!verifier::is_verifier(&made[..made.len() - 1]), "cut short");
}

#[test]
fn an_older_verifier_has_no_keys() {
    let old = argon2_of("secret");
    assert!(verifier::is_verifier(&old) && verifier::scram_keys(&old).is_empty());
    assert!(verifier::verify(b"secret", &old) && !verifier::is_current("secret", &old));
    // Whatever a later version adds does not stand in the way of what is known here.
    let newer = format!("{old} SCRAM-SHA3-512$4096:c2FsdA==$AAAA:AAAA");
    assert!(verifier::verify(b"secret", &newer) && verifier::scram_keys(&newer).is_empty());
}

/// The same password, typed on two keyboards; and one that SCRAM has no form for.
#[test]
fn passwords_are_prepared_where_there_are_keys() {
    let made = verifier::of_password("caf\u{e9}").unwrap();
    for same in ["caf\u{e9}", "cafe\u{301}", "ca\u{ad}f\u{e9}"] {
        assert!(verifier::verify(same.as_bytes(), &made), "{same}");
    }
    for other in [&b"cafe"[..], b"caf\xe9", b"caf\xc3\xa9\x07", b""] {
        assert!(!verifier::verify(other, &made), "{other:?}");
    }
    let old = argon2_of("caf\u{e9}");
    assert!(!verifier::verify("cafe\u{301}".as_bytes(), &old), "as it was given");
    let crab = verifier::of_password("\u{1f980}").unwrap();
    assert!(verifier::is_verifier(&crab) && verifier::scram_keys(&crab).is_empty());
    assert!(verifier::is_current("\u{1f980}", &crab));
}

#[tokio::test]
async fn right_wrong_unknown_and_absent() {
    let auth = authenticator(10);
    let now = Instant::now();
    let ask = async |header: Option<Vec<u8>>| {
        auth.authenticate(header.as_deref(), HOME, now).await.map(|login| login.user)
    };
    assert_eq!(ask(Some(basic_header("ada", "secret"))).await, Ok("ada".to_owned()));
    assert_eq!(ask(Some(basic_header("ada", "Secret"))).await, Err(Denied::Challenge));
    assert_eq!(ask(Some(basic_header("bob", "secret"))).await, Err(Denied::Challenge));
    assert_eq!(ask(None).await, Err(Denied::Challenge));
}

#[tokio::test]
async fn an_anonymous_user_is_only_for_those_without_credentials() {
    let config = config::Auth { anonymous_user: "guest".to_owned(), ..config::Auth::default() };
    let auth = Authenticator::new(&config);
    let now = Instant::now();
    let guest = auth.authenticate(None, HOME, now).await.map(|login| login.user);
    assert_eq!(guest, Ok("guest".to_owned()));
    let wrong = auth.authenticate(Some(&basic_header("guest", "")), HOME, now).await;
    assert_eq!(wrong, Err(Denied::Challenge));
}

#[tokio::test]
async fn wrong_passwords_are_rationed_by_address_and_lock_out_no_one_else() {
    let auth = authenticator(2);
    let now = Instant::now();
    let right = basic_header("ada", "secret");
    assert!(auth.authenticate(Some(&right), HOME, now).await.is_ok());
    for _ in 0..2 {
        let wrong = auth.authenticate(Some(&basic_header("ada", "x")), HOME, now).await;
        assert_eq!(wrong, Err(Denied::Challenge));
    }
    let third = auth.authenticate(Some(&basic_header("ada", "x")), HOME, now).await;
    assert!(matches!(third, Err(Denied::Throttled { retry_after_s: 1..=61 })), "{third:?}");
    // The same user from elsewhere, and a known password from here, go on.
    assert!(auth.authenticate(Some(&right), ELSEWHERE, now).await.is_ok());
    assert!(auth.authenticate(Some(&right), HOME, now).await.is_ok());
    let later = now + Duration::from_secs(60);
    let fourth = auth.authenticate(Some(&basic_header("ada", "x")), HOME, later).await;
    assert_eq!(fourth, Err(Denied::Challenge));
}

#[tokio::test]
async fn a_changed_password_is_not_remembered() {
    let auth = authenticator(10);
    let now = Instant::now();
    let old = basic_header("ada", "secret");
    assert!(auth.authenticate(Some(&old), HOME, now).await.is_ok());
    auth.put_user("ada", &argon2_of("new"), &[]);
    assert_eq!(auth.authenticate(Some(&old), HOME, now).await, Err(Denied::Challenge));
}

#[test]
fn right_passwords_cost_no_ration() {
    let throttle = Throttle::new(1);
    let now = Instant::now();
    for _ in 0..10 {
        assert_eq!(throttle.take(HOME, now), Ok(()));
        throttle.give_back(HOME);
    }
}

#[test]
fn one_ipv6_network_is_one_address() {
    let throttle = Throttle::new(1);
    let now = Instant::now();
    let [one, two, other] = [
        Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1),
    ]
    .map(IpAddr::V6);
    assert_eq!(throttle.take(one, now), Ok(()));
    assert!(throttle.take(two, now).is_err());
    assert_eq!(throttle.take(other, now), Ok(()));
}
