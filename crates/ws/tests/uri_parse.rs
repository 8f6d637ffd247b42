//! ws and wss URIs (RFC 6455, section 3).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use wharf_ws::uri::{Uri, UriError};

fn uri(text: &str) -> Uri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_parts_of_a_uri() {
    // WS-URI-01, WS-URI-02, WS-URI-04, HYBI-031 (the same for every version).
    for (text, secure, host, port, resource) in [
        ("ws://example.com", false, "example.com", 80, "/"),
        ("ws://example.com/", false, "example.com", 80, "/"),
        ("wss://example.com/chat", true, "example.com", 443, "/chat"),
        ("ws://example.com:9001/a/b", false, "example.com", 9001, "/a/b"),
        ("wss://example.com?x=1", true, "example.com", 443, "/?x=1"),
        ("ws://example.com/?", false, "example.com", 80, "/"),
        ("ws://example.com/a?", false, "example.com", 80, "/a"),
        ("ws://example.com/a?b?c/d", false, "example.com", 80, "/a?b?c/d"),
        ("ws://example.com:/a", false, "example.com", 80, "/a"),
        ("ws://127.0.0.1:80/", false, "127.0.0.1", 80, "/"),
        ("ws://[::1]/", false, "[::1]", 80, "/"),
        ("ws://[2001:DB8::1]:8080/x", false, "[2001:db8::1]", 8080, "/x"),
        ("ws://my_service.local./", false, "my_service.local.", 80, "/"),
        // WS-RG-08.
        ("wss://example.com/.well-known/amqp", true, "example.com", 443, "/.well-known/amqp"),
        ("ws://a/!$&'()*+,;=:@-._~", false, "a", 80, "/!$&'()*+,;=:@-._~"),
        ("ws://a/%23%2F%c3%A9", false, "a", 80, "/%23%2F%c3%A9"),
        ("ws://a//double", false, "a", 80, "//double"),
    ] {
        let uri = uri(text);
        assert_eq!(
            (uri.is_secure(), uri.host(), uri.port(), uri.resource_name()),
            (secure, host, port, resource),
            "{text}"
        );
    }
}

#[test]
fn the_scheme_in_any_case() {
    // WS-URI-03.
    assert!(uri("WSS://example.com").is_secure());
    assert!(uri("wSs://example.com").is_secure());
    assert!(!uri("Ws://example.com").is_secure());
    for text in [
        "http://a",
        "https://a",
        "wsss://a",
        "w://a",
        "://a",
        "//a",
        "a",
        "",
        "ws:/a",
        "ws:a",
        " ws://a",
        "ws ://a",
    ] {
        assert_eq!(Uri::parse(text), Err(UriError::Scheme), "{text}");
    }
}

#[test]
fn there_is_no_fragment() {
    // WS-URI-05, HYBI-030.
    for text in ["ws://a/#", "ws://a/x#y", "ws://a#x", "ws://a/?q#x", "ws://a:1#x"] {
        assert_eq!(Uri::parse(text), Err(UriError::Fragment), "{text}");
    }
    assert_eq!(uri("ws://a/%23").resource_name(), "/%23");
}

#[test]
fn there_is_no_user() {
    // WS-URI-01.
    for text in ["ws://user@a/", "ws://user:secret@a/", "ws://@a/"] {
        assert_eq!(Uri::parse(text), Err(UriError::UserInfo), "{text}");
    }
    assert_eq!(uri("ws://a/user@b").resource_name(), "/user@b");
}

#[test]
fn the_host_is_valid() {
    // WS-URI-06.
    for text in [
        "ws://",
        "ws:///path",
        "ws://:80/",
        "ws://a b/",
        "ws://a\\b/",
        "ws://a<b/",
        "ws://[::1/",
        "ws://[::1]x/",
        "ws://[]/",
        "ws://[127.0.0.1]/",
        "ws://[fe80::1%25eth0]/",
        "ws://a\r\nb/",
        "ws://a\0/",
        "ws://%/",
        "ws://%zz/",
        "ws://%00/",
        "ws://a%2Fb/",
        "ws://a%0d%0ab/",
        "ws://%ff/",
    ] {
        assert_eq!(Uri::parse(text), Err(UriError::Host), "{text:?}");
    }
    let long = format!("ws://{}/", "a".repeat(254));
    assert_eq!(Uri::parse(&long), Err(UriError::Host));
}

#[test]
fn the_port_is_valid() {
    // WS-URI-06.
    for text in [
        "ws://a:0/",
        "ws://a:65536/",
        "ws://a:99999999999/",
        "ws://a:+80/",
        "ws://a:-1/",
        "ws://a:8o/",
        "ws://a:80:80/",
        "ws://::1/",
        "ws://a: 80/",
    ] {
        assert_eq!(Uri::parse(text), Err(UriError::Port), "{text}");
    }
    assert_eq!(uri("ws://a:65535/").port(), 65535);
    assert_eq!(uri("ws://a:0080/").port(), 80);
}

#[test]
fn path_and_query_are_valid() {
    // WS-URI-06, HYBI-030 (octets U+0021 to U+007E in the resource name).
    for text in [
        "ws://a/ ",
        "ws://a/b c",
        "ws://a/\"",
        "ws://a/<",
        "ws://a/\\",
        "ws://a/^",
        "ws://a/`",
        "ws://a/{",
        "ws://a/|",
        "ws://a/%",
        "ws://a/%2",
        "ws://a/%2x",
        "ws://a/%+1",
        "ws://a/\t",
        "ws://a/\r\n",
        "ws://a/\0",
        "ws://a/\u{7f}",
        "ws://a/?a b",
        "ws://a/?%",
        "ws://a/[",
        "ws://a/?[",
        "ws://a/%\u{e9}",
    ] {
        assert_eq!(Uri::parse(text), Err(UriError::Resource), "{text:?}");
    }
}

#[test]
fn a_uri_is_bounded() {
    let text = format!("ws://a/{}", "b".repeat(8 * 1024));
    assert_eq!(Uri::parse(&text), Err(UriError::TooLong));
}

#[test]
fn all_of_unicode_becomes_ascii() {
    // WS-URI-07, HYBI-030 (the host is punycoded).
    for (text, host, resource) in [
        ("ws://b\u{fc}cher.example/", "xn--bcher-kva.example", "/"),
        ("ws://B\u{dc}CHER.example/", "xn--bcher-kva.example", "/"),
        ("ws://b%C3%BCcher.example/", "xn--bcher-kva.example", "/"),
        ("ws://\u{4f8b}\u{3048}.\u{30c6}\u{30b9}\u{30c8}/", "xn--r8jz45g.xn--zckzah", "/"),
        ("ws://ex%41mple.com/", "example.com", "/"),
        ("ws://a/caf\u{e9}", "a", "/caf%C3%A9"),
        ("ws://a/?q=\u{1f600}", "a", "/?q=%F0%9F%98%80"),
        ("ws://a/\u{e9}%20", "a", "/%C3%A9%20"),
    ] {
        let uri = uri(text);
        assert_eq!((uri.host(), uri.resource_name()), (host, resource), "{text}");
    }
    for text in
        ["ws://\u{ad}/", "ws://xn--\u{e9}/", "ws://a\u{3002}\u{3002}b/", "ws://\u{2f}\u{e9}"]
    {
        assert!(Uri::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_host_for_headers_and_one_for_resolvers() {
    // WS-HC-09, HYBI-012, WS-HC-06 (TLS wants the bare name).
    let v6 = uri("wss://[::1]:443/");
    assert_eq!(v6.host_header(), "[::1]");
    assert_eq!(v6.authority(), "[::1]:443");
    assert_eq!(v6.host_unbracketed(), "::1");
    let name = uri("ws://Example.com:8080");
    assert_eq!(name.host_header(), "example.com:8080");
    assert_eq!(name.host_unbracketed(), "example.com");
    assert_eq!(name.to_string(), "ws://example.com:8080/");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_normalised_uri_means_the_same(
        text in "(ws|WSS)://([a-zA-Z0-9.-]{1,12}|[\u{e0}-\u{ff}]{1,5})(:[0-9]{0,5})?(/[ -~\u{e9}]{0,12})?"
    ) {
        if let Ok(uri) = Uri::parse(&text) {
            let again = uri.to_string();
            prop_assert!(again.bytes().all(|octet| octet.is_ascii_graphic()));
            prop_assert!(uri.resource_name().starts_with('/'));
            prop_assert_eq!(Uri::parse(&again).unwrap(), uri);
        }
    }

    #[test]
    fn no_text_upsets_the_parser(text in ".{0,40}", rest in ".{0,40}") {
        let _ = Uri::parse(&text);
        if let Ok(uri) = Uri::parse(&format!("ws://{rest}")) {
            prop_assert!(uri.host_header().bytes().all(|octet| octet.is_ascii_graphic()));
            prop_assert!(uri.resource_name().bytes().all(|octet| octet.is_ascii_graphic()));
        }
    }
}
