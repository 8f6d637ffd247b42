//! What is written is read as it was meant.

use proptest::prelude::*;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::xml::{element, is_text, parse, text};

fn write(value: &str) -> String {
    let mut out = Vec::new();
    element(&mut out, "a", &[("b", value)], |out| text(out, value));
    String::from_utf8(out).unwrap()
}

#[test]
fn an_element_without_content_has_one_tag() {
    assert_eq!(write(""), "<a b=''/>");
    assert_eq!(
        write("'<>&\"\r\n\t"),
        "<a b='&apos;&lt;&gt;&amp;&quot;&#13;&#10;&#9;'>'&lt;&gt;&amp;\"&#13;\n\t</a>"
    );
}

#[test]
fn what_cannot_be_said_is_not_sent() {
    // RFC 6120 11.3: an entity generates nothing that is not well formed.
    assert_eq!(
        write("1\u{1}\u{ffff}\u{feff}"),
        "<a b='1\u{fffd}\u{fffd}\u{feff}'>1\u{fffd}\u{fffd}\u{feff}</a>"
    );
    assert!(is_text("\t\r\n \u{feff}\u{fffd}\u{10ffff}"));
    assert!(!is_text("\u{1f}") && !is_text("\u{fffe}"));
}

proptest! {
    #[test]
    fn any_value_is_read_again(value in any::<String>()) {
        let written = write(&value);
        let read = parse(&written, &XmlLimits::NONE).unwrap();
        if is_text(&value) {
            prop_assert_eq!(read.text(), &*value);
            prop_assert_eq!(read.attribute("b").unwrap(), &*value);
        }
    }
}
