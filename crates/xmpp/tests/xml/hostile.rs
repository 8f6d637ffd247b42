//! Documents that are to hurt: refused before anything is kept of them.

use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::xml::{Bound, XmlFault, parse};

fn fault(text: &str, limits: &XmlLimits) -> Option<XmlFault> {
    parse(text, limits).err()
}

/// As large as a hostile message may be where nobody has set a limit of octets.
fn any_size() -> XmlLimits {
    XmlLimits { size_max_bytes: usize::MAX, ..XmlLimits::default() }
}

#[test]
fn nesting_has_a_bound() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(fault(&nested(64), &any_size()), None);
    assert_eq!(fault(&nested(65), &any_size()), Some(XmlFault::OverLimit(Bound::Depth)));
    assert_eq!(fault(&nested(200_000), &any_size()), Some(XmlFault::OverLimit(Bound::Depth)));
    let unclosed = "<a>".repeat(1_000_000);
    assert_eq!(fault(&unclosed, &any_size()), Some(XmlFault::OverLimit(Bound::Depth)));
    assert!(matches!(
        fault(&"<a>".repeat(20), &any_size()),
        Some(XmlFault::NotWellFormed("an element does not end"))
    ));
}

#[test]
fn attributes_have_a_bound() {
    let with = |count: usize| {
        let attributes: String = (0..count).map(|n| format!(" a{n}=''")).collect();
        format!("<a{attributes}/>")
    };
    assert_eq!(fault(&with(64), &any_size()), None);
    assert_eq!(fault(&with(65), &any_size()), Some(XmlFault::OverLimit(Bound::Attributes)));
    assert_eq!(fault(&with(1_000_000), &any_size()), Some(XmlFault::OverLimit(Bound::Attributes)));
}

#[test]
fn namespaces_have_a_bound() {
    let with = |count: usize| {
        let declared: String = (0..count).map(|n| format!(" xmlns:p{n}='u'")).collect();
        format!("<a{declared}/>")
    };
    assert_eq!(fault(&with(32), &any_size()), None);
    assert_eq!(fault(&with(33), &any_size()), Some(XmlFault::OverLimit(Bound::Namespaces)));
    // Those of elements around count, those of elements that ended do not.
    let nested =
        |depth: usize| format!("{}{}", "<a xmlns:p='u'>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(fault(&nested(32), &any_size()), None);
    assert_eq!(fault(&nested(33), &any_size()), Some(XmlFault::OverLimit(Bound::Namespaces)));
    let beside = format!("<a>{}</a>", "<b xmlns='u'/>".repeat(1000));
    assert_eq!(fault(&beside, &any_size()), None);
}

#[test]
fn octets_have_a_bound() {
    let limits = XmlLimits::default();
    let with = |len: usize| format!("<a>{}</a>", "x".repeat(len - 7));
    assert_eq!(fault(&with(limits.size_max_bytes), &limits), None);
    let over = fault(&with(limits.size_max_bytes + 1), &limits);
    assert_eq!(over, Some(XmlFault::OverLimit(Bound::Size)));
}

#[test]
fn entities_are_not_expanded() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;&lol;'>\
                <!ENTITY lol3 '&lol2;&lol2;&lol2;&lol2;'>]><lolz>&lol3;</lolz>";
    assert_eq!(fault(bomb, &any_size()), Some(XmlFault::Restricted("a DTD")));
    let external = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
    assert_eq!(fault(external, &any_size()), Some(XmlFault::Restricted("a DTD")));
}

#[test]
fn a_long_reference_is_read_once() {
    let text = format!("<a>&{};</a>", "x".repeat(200_000));
    assert_eq!(fault(&text, &any_size()), Some(XmlFault::Restricted("an entity")));
    let text = format!("<a>{}</a>", "&".repeat(200_000));
    assert!(matches!(fault(&text, &any_size()), Some(XmlFault::NotWellFormed(_))));
    let zeros = format!("<a>&#{}65;</a>", "0".repeat(10_000));
    assert_eq!(fault(&zeros, &any_size()), None);
}
