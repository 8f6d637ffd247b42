//! SCRAM, in both profiles, against a client of `wharf-sasl`.

use data_encoding::BASE64;
use std::sync::Arc;
use wharf_sasl::client::{Credentials, Exchange, Settings};
use wharf_sasl::server::{Answer, Question, Settings as ServerSettings};
use wharf_sasl::{ChannelBinding, Hash, Mechanism, Nonce, Password, ScramKeys};
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::ns;
use wharf_xmpp::server::{Config, Connection, Event, Offer};
use wharf_xmpp::stream::Input;
use wharf_xmpp::xml::parse;

const BINDING: [u8; 32] = [9; 32];

/// A login; whether it worked, and the text of the last element.
fn login(mechanism: Mechanism, password: &str, second: bool) -> Result<(), String> {
    let (Mechanism::Scram(hash) | Mechanism::ScramPlus(hash)) = mechanism else { panic!() };
    let keys = ScramKeys::derive(hash, "pencil", b"salt of tim", 4096).unwrap();
    let binding = ChannelBinding::tls_exporter(BINDING);
    let mut us = Connection::new(Arc::new(Config::new("example.com")), true, [1; 32]);
    let mut settings = ServerSettings::new(Nonce::from_seed(&[1; 32]), [2; 32]);
    settings.channel_bindings = vec![binding.clone()];
    let offer = Offer { mechanisms: vec![mechanism], settings, sasl2: true, registration: false };
    let credentials =
        Credentials::Password { user: "tim".to_owned(), password: Password::new(password) };
    let mut settings = Settings::new(credentials, Nonce::from_seed(&[4; 32]));
    if matches!(mechanism, Mechanism::ScramPlus(_)) {
        settings.channel_binding = Some(binding);
    }
    let (mut exchange, first) = Exchange::begin(mechanism, settings).unwrap();

    let mut say = |text: &str| {
        let mut input = Input::text(text.as_bytes());
        while let Some(event) = us.poll_event(&mut input) {
            match event {
                Event::Opening(_) => us.accept("example.com", offer.clone()).unwrap(),
                Event::Question(Question::ScramKeys { .. }) => {
                    us.answer(Answer::Keys(keys.clone())).unwrap();
                }
                _ => {}
            }
        }
        let mut said = Vec::new();
        loop {
            let mut out = Vec::new();
            if us.poll_transmit(&mut out) == 0 {
                return said;
            }
            said.push(String::from_utf8(out).unwrap());
        }
    };
    say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'/>");
    let first = BASE64.encode(&first);
    let (namespace, begin) = if second {
        let initial = format!("<initial-response>{first}</initial-response>");
        (
            ns::SASL2,
            format!(
                "<authenticate xmlns='{}' mechanism='{mechanism}'>{initial}</authenticate>",
                ns::SASL2
            ),
        )
    } else {
        (ns::SASL, format!("<auth xmlns='{}' mechanism='{mechanism}'>{first}</auth>", ns::SASL))
    };
    let challenge = say(&begin).remove(0);
    let challenge = parse(&challenge, &XmlLimits::default()).unwrap();
    assert!(challenge.is("challenge", namespace));
    let response = exchange.step(&BASE64.decode(challenge.text().as_bytes()).unwrap()).unwrap();
    let response = BASE64.encode(&response);
    let answer = say(&format!("<response xmlns='{namespace}'>{response}</response>")).remove(0);
    let answer = parse(&answer, &XmlLimits::default()).unwrap();
    if answer.is("failure", namespace) {
        return Err(answer.children().next().unwrap().name().to_owned());
    }
    assert!(answer.is("success", namespace));
    let additional = if second {
        answer.child("additional-data", ns::SASL2).unwrap().text().into_owned()
    } else {
        answer.text().into_owned()
    };
    // RFC 6120 6.3.10: the server proves itself in the same message.
    exchange.finish(Some(&BASE64.decode(additional.as_bytes()).unwrap())).unwrap();
    Ok(())
}

#[test]
fn every_hash_in_both_profiles() {
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        for second in [false, true] {
            assert_eq!(login(Mechanism::Scram(hash), "pencil", second), Ok(()));
            assert_eq!(login(Mechanism::ScramPlus(hash), "pencil", second), Ok(()));
            let denied = login(Mechanism::Scram(hash), "pen", second);
            assert_eq!(denied, Err("not-authorized".to_owned()));
        }
    }
}
