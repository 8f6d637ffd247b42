//! RFC 7622, section 3.5, and addresses around its rules.

use wharf_xmpp::jid::{Jid, JidFault};

#[test]
fn legal_addresses_of_the_standard() {
    // Table 1: address, local, domain, resource.
    let table = [
        ("juliet@example.com", Some("juliet"), "example.com", None),
        ("juliet@example.com/foo", Some("juliet"), "example.com", Some("foo")),
        ("juliet@example.com/foo bar", Some("juliet"), "example.com", Some("foo bar")),
        ("juliet@example.com/foo@bar", Some("juliet"), "example.com", Some("foo@bar")),
        ("foo\\20bar@example.com", Some("foo\\20bar"), "example.com", None),
        ("fussball@example.com", Some("fussball"), "example.com", None),
        ("fu\u{df}ball@example.com", Some("fu\u{df}ball"), "example.com", None),
        ("\u{3c0}@example.com", Some("\u{3c0}"), "example.com", None),
        ("\u{3a3}@example.com/foo", Some("\u{3c3}"), "example.com", Some("foo")),
        ("\u{3c3}@example.com/foo", Some("\u{3c3}"), "example.com", Some("foo")),
        ("\u{3c2}@example.com/foo", Some("\u{3c2}"), "example.com", Some("foo")),
        ("king@example.com/\u{265a}", Some("king"), "example.com", Some("\u{265a}")),
        ("example.com", None, "example.com", None),
        ("example.com/foobar", None, "example.com", Some("foobar")),
        ("a.example.com/b@example.net", None, "a.example.com", Some("b@example.net")),
    ];
    for (text, local, domain, resource) in table {
        let jid = Jid::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(
            (jid.local(), jid.domain(), jid.resource()),
            (local, domain, resource),
            "{text}"
        );
    }
}

#[test]
fn strings_that_are_no_addresses() {
    // Table 2.
    let table = [
        ("\"juliet\"@example.com", JidFault::Local),
        ("foo bar@example.com", JidFault::Local),
        ("juliet@example.com/ foo", JidFault::Resource),
        ("@example.com/", JidFault::Local),
        ("henry\u{2163}@example.com", JidFault::Local),
        ("\u{265a}@example.com", JidFault::Local),
        ("juliet@", JidFault::Domain),
        ("/foobar", JidFault::Domain),
    ];
    for (text, fault) in table {
        assert_eq!(Jid::parse(text), Err(fault), "{text}");
    }
}

#[test]
fn the_form_is_enforced() {
    let table = [
        ("Juliet@Example.COM/Foo", "juliet@example.com/Foo"),
        ("juliet@example.com.", "juliet@example.com"),
        ("\u{c4}rger@example.com", "\u{e4}rger@example.com"),
        ("\u{ff4a}uliet@example.com", "juliet@example.com"),
        ("e\u{301}@example.com/e\u{301}", "\u{e9}@example.com/\u{e9}"),
        ("a@example.com/x\u{a0}y", "a@example.com/x y"),
        ("a@B\u{fc}cher.example", "a@b\u{fc}cher.example"),
        ("a@xn--bcher-kva.example", "a@b\u{fc}cher.example"),
        ("a@[2001:DB8::0:1]", "a@[2001:db8::1]"),
        ("a@[fe80::1%25eth0]/r", "a@[fe80::1%25eth0]/r"),
        ("a@127.0.0.1", "a@127.0.0.1"),
        ("localhost", "localhost"),
    ];
    for (text, enforced) in table {
        assert_eq!(Jid::parse(text).unwrap().as_str(), enforced, "{text}");
    }
}

#[test]
fn domains_that_are_none() {
    let domains = [
        "",
        ".",
        "a..b",
        ".a",
        "a.",
        "-a",
        "a-",
        "a_b",
        "a b",
        "ab--c",
        "127.0.0.256",
        "1.2",
        "[::1",
        "[::1]x",
        "[127.0.0.1]",
        "[::1%25]",
        "xn--\u{fc}",
        "xn--a",
        "\u{265a}.example",
        "a\u{ff0f}b",
    ];
    for domain in domains {
        let told = Jid::from_parts(None, domain, None);
        // One dot at the end is no part of a name.
        assert_eq!(told.is_ok(), domain == "a.", "{domain}: {told:?}");
    }
    assert!(Jid::parse(&"a".repeat(64)).is_err());
    assert!(Jid::parse(&["a"; 127].join(".")).is_ok());
    assert!(Jid::parse(&["a"; 128].join(".")).is_err());
}

#[test]
fn parts_have_bounds() {
    // RFC 7622 3.1: 1 to 1023 octets each.
    let part = |len: usize| "a".repeat(len);
    assert!(Jid::parse(&format!("{}@b", part(1023))).is_ok());
    assert_eq!(Jid::parse(&format!("{}@b", part(1024))), Err(JidFault::Local));
    assert!(Jid::parse(&format!("a@b/{}", part(1023))).is_ok());
    assert_eq!(Jid::parse(&format!("a@b/{}", part(1024))), Err(JidFault::Resource));
    assert_eq!(Jid::parse(&part(1 << 20)), Err(JidFault::TooLong));
    // Octets, not characters.
    assert_eq!(Jid::parse(&format!("a@b/{}", "\u{20ac}".repeat(342))), Err(JidFault::Resource));
    // Before mapping it was longer.
    assert!(Jid::parse(&format!("a@b/{}", "e\u{301}".repeat(400))).is_ok());
}

#[test]
fn characters_younger_than_the_tables_of_precis() {
    // RFC 8264, section 8: derived from Unicode as it is. A face of 2015, a letter of 2017.
    assert!(Jid::parse("room@example.com/\u{1f917}").is_ok());
    assert_eq!(Jid::parse("\u{1f917}@example.com"), Err(JidFault::Local));
    assert!(Jid::parse("\u{1e900}@example.com").is_ok());
    assert_eq!(Jid::parse("\u{1e900}@example.com").unwrap().local(), Some("\u{1e922}"));
    // Not assigned at all, and a mark that says nothing.
    assert_eq!(Jid::parse("a@example.com/\u{50000}"), Err(JidFault::Resource));
    assert_eq!(Jid::parse("a@example.com/\u{180f}"), Err(JidFault::Resource));
}

#[test]
fn hidden_characters_are_refused() {
    for c in ['\u{0}', '\u{7f}', '\u{200b}', '\u{202e}', '\u{feff}', '\u{e000}', '\u{ad}'] {
        assert_eq!(Jid::parse(&format!("a{c}@example.com")), Err(JidFault::Local), "{c:?}");
        assert_eq!(Jid::parse(&format!("a@example.com/b{c}")), Err(JidFault::Resource), "{c:?}");
    }
    // The bidi rule of RFC 5893.
    assert!(Jid::parse("\u{5d0}\u{5d1}@example.com").is_ok());
    assert_eq!(Jid::parse("\u{5d0}a@example.com"), Err(JidFault::Local));
}

#[test]
fn parts_of_an_address() {
    let jid = Jid::parse("juliet@example.com/balcony").unwrap();
    assert_eq!(jid.bare_str(), "juliet@example.com");
    assert_eq!(jid.bare(), Jid::parse("juliet@example.com").unwrap());
    assert_eq!(jid.to_domain(), Jid::parse("example.com").unwrap());
    assert_eq!(jid.with_resource("x").unwrap().as_str(), "juliet@example.com/x");
    assert!(!jid.is_bare() && jid.bare().is_bare() && jid.to_domain().is_domain());
    assert_eq!(jid.bare().local(), Some("juliet"));
}
