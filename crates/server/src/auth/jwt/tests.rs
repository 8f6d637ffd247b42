//! Tokens of an issuer, made with keys of their own and with those of RFC 7515.

use super::{BASE64URL, Issuer, NotValid};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

const NOW_MS: u64 = 1_800_000_000_000;

fn base64(text: &str) -> String {
    BASE64URL.encode(text.as_bytes())
}

/// An issuer with one Ed25519 key, and what signs with it.
fn issuer(issuer: &str, audience: &str) -> (Issuer, impl Fn(&str, &str) -> String) {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let x = BASE64URL.encode(pair.public_key().as_ref());
    let jwks = format!(
        r#"{{"keys":[{{"kty":"oct","k":"AAAA"}},
            {{"kty":"OKP","crv":"Ed25519","kid":"1","x":"{x}","use":"sig"}}]}}"#
    );
    let issuer = Issuer::new(&jwks, issuer, audience, "sub").unwrap();
    let sign = move |head: &str, claims: &str| {
        let signed = format!("{}.{}", base64(head), base64(claims));
        format!("{signed}.{}", BASE64URL.encode(pair.sign(signed.as_bytes()).as_ref()))
    };
    (issuer, sign)
}

const HEAD: &str = r#"{"alg":"EdDSA","kid":"1"}"#;

#[test]
fn a_token_is_right_for_whom_and_when_it_says() {
    let (issuer, sign) = issuer("https://id.example", "wharf");
    let check = |claims: &str| issuer.check(&sign(HEAD, claims), NOW_MS);
    let good = r#"{"iss":"https://id.example","aud":["x","wharf"],"sub":"ada","exp":1800000100}"#;
    let claims = check(good).unwrap();
    assert_eq!((claims.user.as_str(), claims.expires_at_ms), ("ada", NOW_MS + 160_000));
    for (change, to, why) in [
        ("https://id.example", "https://other.example", "issuer"),
        (r#"["x","wharf"]"#, r#""wharfs""#, "audience"),
        (r#"["x","wharf"]"#, "null", "audience"),
        (r#","exp":1800000100"#, "", "without an end"),
        ("1800000100", r#""1800000100""#, "without an end"),
        ("1800000100", "-1", "without an end"),
        ("1800000100", "1799999940", "over"),
        ("1800000100", r#"1800000100,"nbf":1800000061"#, "not yet"),
        (r#""ada""#, r#""""#, "without a user"),
        (r#""ada""#, "7", "without a user"),
    ] {
        assert_eq!(check(&good.replace(change, to)), Err(NotValid(why)), "{to}");
    }
}

#[test]
fn what_is_not_signed_by_the_key_is_wrong() {
    let (issuer, sign) = issuer("", "");
    let claims = r#"{"sub":"ada","exp":1800000100}"#;
    assert!(issuer.check(&sign(HEAD, claims), NOW_MS).is_ok());
    assert!(issuer.check(&sign(r#"{"alg":"EdDSA"}"#, claims), NOW_MS).is_ok());
    for head in [
        r#"{"alg":"none","kid":"1"}"#,
        r#"{"alg":"HS256","kid":"1"}"#,
        r#"{"alg":"RS256","kid":"1"}"#,
        r#"{"alg":"EdDSA","kid":"2"}"#,
        r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#,
        "{}",
    ] {
        assert!(issuer.check(&sign(head, claims), NOW_MS).is_err(), "{head}");
    }
    let token = sign(HEAD, claims);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = base64(r#"{"sub":"eve","exp":1800000100}"#);
    for wrong in [
        String::new(),
        signed.to_owned(),
        format!("{signed}."),
        format!("{token}.{signature}"),
        format!("{}.{other}.{signature}", base64(HEAD)),
        format!("{token}="),
        "a".repeat(20_000),
    ] {
        assert!(issuer.check(&wrong, NOW_MS).is_err(), "{wrong}");
    }
}

#[test]
fn p_256_signs_too() {
    let random = SystemRandom::new();
    let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(how, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
    let jwks = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}]}}"#);
    let issuer = Issuer::new(&jwks, "", "", "preferred_username").unwrap();
    let claims = base64(r#"{"preferred_username":"ada","exp":1800000100}"#);
    let signed = format!("{}.{claims}", base64(r#"{"alg":"ES256"}"#));
    let signature = pair.sign(&random, signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", BASE64URL.encode(signature.as_ref()));
    assert_eq!(issuer.check(&token, NOW_MS).unwrap().user, "ada");
}

/// RFC 7515, appendix A.2: RS256 by somebody else.
#[test]
fn the_example_of_the_rfc() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let jwks = format!(r#"{{"keys":[{{"kty":"RSA","n":"{n}","e":"AQAB"}}]}}"#);
    let issuer = Issuer::new(&jwks, "joe", "", "iss").unwrap();
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    assert_eq!(issuer.check(token, 1_300_819_000_000).unwrap().user, "joe");
    assert_eq!(issuer.check(token, NOW_MS), Err(NotValid("over")));
}

#[test]
fn a_set_without_a_key_is_refused() {
    for wrong in ["", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        assert!(Issuer::new(wrong, "", "", "sub").is_err(), "{wrong}");
    }
}
