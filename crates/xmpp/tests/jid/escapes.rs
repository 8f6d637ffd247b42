//! XEP-0106.

use proptest::prelude::*;
use wharf_xmpp::jid::{Jid, escape_local, unescape_local};

#[test]
fn the_examples_of_the_standard() {
    let table = [
        ("space cadet", "space\\20cadet"),
        ("call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22"),
        ("at&t guy", "at\\26t\\20guy"),
        ("d'artagnan", "d\\27artagnan"),
        ("/.fanboy", "\\2f.fanboy"),
        ("::foo::", "\\3a\\3afoo\\3a\\3a"),
        ("<foo>", "\\3cfoo\\3e"),
        ("user@host", "user\\40host"),
        ("c:\\net", "c\\3a\\net"),
        ("c:\\\\net", "c\\3a\\\\net"),
        ("c:\\cool stuff", "c\\3a\\cool\\20stuff"),
        ("c:\\5commas", "c\\3a\\5c5commas"),
        ("\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool"),
        ("foo\\bar", "foo\\bar"),
        ("foob\\41r", "foob\\41r"),
    ];
    for (name, escaped) in table {
        assert_eq!(escape_local(name).as_deref(), Some(escaped), "{name}");
        assert_eq!(unescape_local(escaped), name, "{escaped}");
    }
    assert_eq!(escape_local(" a"), None);
    assert_eq!(escape_local("a "), None);
    // Case is significant.
    assert_eq!(unescape_local("a\\2Fb"), "a\\2Fb");
}

#[test]
fn users_with_any_name_have_an_address() {
    let jid = Jid::of_user("d'artagnan", "musketeers.lit").unwrap();
    assert_eq!(jid.as_str(), "d\\27artagnan@musketeers.lit");
    assert!(Jid::of_user(" ", "musketeers.lit").is_err());
}

proptest! {
    #[test]
    fn a_name_comes_back(name in any::<String>()) {
        if let Some(escaped) = escape_local(&name) {
            let disallowed = |c: char| matches!(c, ' ' | '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@');
            prop_assert!(!escaped.contains(disallowed));
            prop_assert_eq!(unescape_local(&escaped), &*name);
        }
    }

    #[test]
    fn a_name_of_codes_comes_back(name in r"[\\ 2057cf@a]{0,12}") {
        if let Some(escaped) = escape_local(&name) {
            prop_assert_eq!(unescape_local(&escaped), &*name);
        }
    }
}
