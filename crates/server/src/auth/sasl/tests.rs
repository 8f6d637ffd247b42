use super::Channel;
use crate::auth::tests::{ELSEWHERE, HOME, argon2_of, basic_header};
use crate::auth::{Authenticator, Denied};
use crate::config;
use crate::net::registry::Login;
use std::net::IpAddr;
use std::time::Instant;
use wharf_sasl::server::{self, Answer, Failure, Question, Step};
use wharf_sasl::{Hash, Mechanism, Nonce, Password, ScramKeys, client};

/// A verifier with keys; cheap, because these tests are not about the cost.
fn verifier_of(password: &str) -> String {
    let keys =
        Hash::ALL.map(|hash| ScramKeys::derive(hash, password, b"salt", 4096).unwrap().to_text());
    format!("{} {}", argon2_of(password), keys.join(" "))
}

fn authenticator(config: config::Auth) -> Authenticator {
    let authenticator = Authenticator::new(&config);
    authenticator.put_user("ada", &verifier_of("secret"), &[]);
    authenticator.put_user("old", &argon2_of("secret"), &[]);
    authenticator
}

/// One whole exchange over a connection from `from`. `None`: this side broke off.
async fn login(
    auth: &Authenticator,
    mechanism: Mechanism,
    (user, password): (&str, &str),
    from: IpAddr,
    now: Instant,
) -> Option<Result<String, Failure>> {
    let nonce = Nonce::from_seed(&crate::entropy::bytes());
    let settings = server::Settings::new(nonce.clone(), auth.decoy_key());
    let mut server = server::Exchange::new(mechanism, settings);
    let (user, password) = (user.to_owned(), Password::new(password));
    let credentials = client::Credentials::Password { user, password };
    let mut settings = client::Settings::new(credentials, nonce);
    settings.weakest = Mechanism::Plain;
    // What is made up for nobody has the counts of new keys.
    let (mut client, mut response) = client::Exchange::begin(mechanism, settings).unwrap();
    let outcome = loop {
        let mut step = server.step(Some(&response));
        while let Step::Ask(question) = step {
            let answer = auth.answer(question, Channel::default(), from, now).await;
            step = server.answer(answer.map_or_else(Answer::from, |it| it.0)).unwrap();
        }
        match step {
            Step::Ask(_) => unreachable!("every question is answered"),
            Step::Challenge(challenge) => response = client.step(&challenge).ok()?,
            Step::Done(done) => {
                client.finish(done.additional.as_deref()).ok()?;
                break Ok(done.user);
            }
            Step::Failed(failure) => break Err(failure),
        }
    };
    auth.sasl_ended(mechanism, outcome.as_ref().map(drop).map_err(|&failure| failure), from);
    Some(outcome)
}

const PASSWORD_MECHANISMS: [Mechanism; 4] = [
    Mechanism::Plain,
    Mechanism::Scram(Hash::Sha1),
    Mechanism::Scram(Hash::Sha256),
    Mechanism::Scram(Hash::Sha512),
];

#[tokio::test]
async fn one_password_for_every_mechanism() {
    let auth = authenticator(config::Auth::default());
    let now = Instant::now();
    for mechanism in PASSWORD_MECHANISMS {
        let login =
            async |user, password| login(&auth, mechanism, (user, password), HOME, now).await;
        assert_eq!(login("ada", "secret").await, Some(Ok("ada".to_owned())), "{mechanism}");
        assert_eq!(login("ada", "Secret").await, Some(Err(Failure::Denied)), "{mechanism}");
        assert_eq!(login("eve", "secret").await, Some(Err(Failure::Denied)), "{mechanism}");
        // An older verifier holds no keys.
        let old = match mechanism {
            Mechanism::Plain => Ok("old".to_owned()),
            _ => Err(Failure::Denied),
        };
        assert_eq!(login("old", "secret").await, Some(old), "{mechanism}");
    }
}

#[tokio::test]
async fn wrong_proofs_are_rationed_like_wrong_passwords() {
    let auth = authenticator(config::Auth { failures_per_minute_max: 3, ..Default::default() });
    let now = Instant::now();
    let scram = Mechanism::Scram(Hash::Sha256);
    let login = async |mechanism, password, from| {
        login(&auth, mechanism, ("ada", password), from, now).await
    };
    let (right, wrong) = (Some(Ok("ada".to_owned())), Some(Err(Failure::Denied)));
    for _ in 0..10 {
        assert_eq!(login(scram, "secret", HOME).await, right, "right ones cost nothing");
    }
    assert_eq!(login(scram, "Secret", HOME).await, wrong);
    assert_eq!(login(Mechanism::Plain, "Secret", HOME).await, wrong);
    assert_eq!(login(scram, "Secret", HOME).await, wrong);
    for mechanism in [scram, Mechanism::Plain] {
        assert_eq!(login(mechanism, "Secret", HOME).await, Some(Err(Failure::Busy)));
    }
    let question = Question::ScramKeys { user: "ada".to_owned(), hash: Hash::Sha256 };
    let throttled = auth.answer(question, Channel::default(), HOME, now).await;
    assert!(matches!(throttled, Err(Denied::Throttled { retry_after_s: 1..=61 })));
    assert_eq!(login(scram, "secret", ELSEWHERE).await, right);
}

/// Giving up before the proof would else be free guessing of nothing, but also of the ration.
#[tokio::test]
async fn an_exchange_given_up_counts() {
    let auth = authenticator(config::Auth { failures_per_minute_max: 1, ..Default::default() });
    let now = Instant::now();
    assert!(auth.scram_keys("ada", Hash::Sha1, HOME, now).is_ok_and(|keys| keys.is_some()));
    let again = auth.scram_keys("ada", Hash::Sha1, HOME, now);
    assert!(matches!(again, Err(Denied::Throttled { .. })));
    // The proof of the first was right, after all.
    auth.sasl_ended(Mechanism::Scram(Hash::Sha1), Ok(()), HOME);
    assert_eq!(auth.scram_keys("eve", Hash::Sha1, HOME, now), Ok(None));
}

/// A line that breaks in the middle of an exchange has guessed nothing.
#[tokio::test]
async fn a_lost_connection_does_not_count() {
    let auth = authenticator(config::Auth { failures_per_minute_max: 1, ..Default::default() });
    let now = Instant::now();
    for _ in 0..3 {
        assert!(auth.scram_keys("ada", Hash::Sha1, HOME, now).is_ok_and(|keys| keys.is_some()));
        auth.sasl_lost(HOME);
    }
}

#[tokio::test]
async fn what_basic_remembers_plain_knows() {
    let auth = authenticator(config::Auth { failures_per_minute_max: 1, ..Default::default() });
    let now = Instant::now();
    let basic = auth.authenticate(Some(&basic_header("ada", "secret")), HOME, now).await;
    let basic = basic.map(|login| login.user);
    assert_eq!(basic, Ok("ada".to_owned()));
    let wrong = auth.check_password("ada", b"Secret", HOME, now).await;
    assert_eq!(wrong, Err(Denied::Challenge));
    let throttled = auth.check_password("ada", b"Secret", HOME, now).await;
    assert!(matches!(throttled, Err(Denied::Throttled { .. })));
    assert_eq!(auth.check_password("ada", b"secret", HOME, now).await, basic);
}

fn names(auth: &Authenticator, channel: Channel<'_>) -> Vec<&'static str> {
    auth.mechanisms(channel).into_iter().map(Mechanism::name).collect()
}

/// AMQP 5.3.3.1: best first, and never nothing.
#[test]
fn offers() {
    let nobody = Authenticator::new(&config::Auth::default());
    assert_eq!(names(&nobody, Channel::default()), ["PLAIN"]);
    nobody.put_user("old", &argon2_of("secret"), &[]);
    assert_eq!(names(&nobody, Channel::default()), ["PLAIN"], "no one has keys");
    nobody.put_user("ada", &verifier_of("secret"), &[]);
    let scram = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"];
    assert_eq!(names(&nobody, Channel::default()), [&scram[..], &["PLAIN"]].concat());

    let guests =
        authenticator(config::Auth { anonymous_user: "guest".to_owned(), ..Default::default() });
    let all = names(&guests, Channel { user: Some("ada"), can_bind: true });
    let plus = ["EXTERNAL", "SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"];
    assert_eq!(all, [&plus[..], &scram, &["PLAIN", "ANONYMOUS"]].concat());
}

#[tokio::test]
async fn guests_and_those_let_in_already() {
    let now = Instant::now();
    let is = |name: &str| {
        let user = name.to_owned();
        let login = Login { user: user.clone(), ..Login::default() };
        Ok((Answer::Is { user }, Some(login)))
    };
    let anonymous = || Question::Anonymous { trace: None };
    let external =
        |authzid: Option<&str>| Question::External { authzid: authzid.map(str::to_owned) };
    let auth = authenticator(config::Auth::default());
    let ask = async |question, channel| auth.answer(question, channel, HOME, now).await;
    let unknown = Channel::default();
    assert_eq!(ask(anonymous(), unknown).await, Err(Denied::Challenge));
    assert_eq!(ask(external(None), unknown).await, Err(Denied::Challenge));
    let ada = Channel { user: Some("ada"), can_bind: false };
    assert_eq!(ask(external(None), ada).await, is("ada"));
    assert_eq!(ask(external(Some("ada")), ada).await, is("ada"));
    assert_eq!(ask(external(Some("old")), ada).await, Err(Denied::Challenge));
    let (user, authzid) = ("ada".to_owned(), "old".to_owned());
    let another = ask(Question::Authorize { user, authzid }, ada).await;
    assert_eq!(another, Err(Denied::Challenge));

    let config = config::Auth { anonymous_user: "guest".to_owned(), ..Default::default() };
    let answer = authenticator(config).answer(anonymous(), unknown, HOME, now).await;
    assert_eq!(answer, is("guest"));
    assert_eq!(Answer::from(Denied::Challenge), Answer::Refused);
    assert_eq!(Answer::from(Denied::Busy), Answer::Busy);
}

/// A restart changes nothing about users that do not exist.
#[test]
fn made_up_keys_outlive_the_process() {
    let (one, other) = (verifier_of("one"), verifier_of("other"));
    let start = |users: &[(&str, &str)]| {
        let auth = Authenticator::new(&config::Auth::default());
        users.iter().for_each(|(name, verifier)| auth.put_user(name, verifier, &[]));
        auth.decoy_key()
    };
    let first = start(&[("ada", &one), ("bob", &other)]);
    assert_eq!(first, start(&[("bob", &other), ("ada", &one)]), "in whatever order");
    assert_eq!(first, start(&[("ada", &one), ("eve", &one)]));
    assert_ne!(first, start(&[("ada", &other), ("bob", &other)]));
    assert_ne!(start(&[]), start(&[]), "with nobody there, a secret of the process");
    let auth = Authenticator::new(&config::Auth::default());
    auth.put_user("ada", &one, &[]);
    assert!(!format!("{auth:?}").contains("SCRAM-SHA"), "a secret in a debug print");
}
