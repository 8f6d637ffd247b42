//! The same documents to this reader and to another one, which is strict: both take them, or both
//! refuse them, and what they see in them is the same.

use proptest::prelude::*;
use roxmltree::{Document, Node, NodeType};
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::xml::{Element, XmlFault, parse};

/// Where the other reader is not strict: a prefix for no namespace, which is allowed by Namespaces
/// in XML 1.1 alone; a default namespace that is declared twice; a colon that a name begins
/// with; a number that is no character.
fn is_lenience(fault: XmlFault, text: &str) -> bool {
    match fault {
        XmlFault::NotWellFormed(
            "a prefix for no namespace" | "a namespace that is declared twice",
        ) => true,
        XmlFault::NotWellFormed("a reference to no character") => text.contains("&#"),
        XmlFault::NotWellFormed("a name was expected") => {
            ["<:", "</:", " :", "\t:", "\n:", "\r:"].iter().any(|begin| text.contains(begin))
        }
        _ => false,
    }
}

/// Everything that a reader sees, one line for each thing.
#[derive(Debug, Default, PartialEq)]
struct Seen(Vec<String>);

/// The other reader leaves a carriage return at the end of some texts; that it is a line feed is
/// tested in `views`.
fn line_ends(text: &str) -> String {
    text.replace('\r', "\n")
}

impl Seen {
    fn ours(&mut self, element: &Element<'_>) {
        self.0.push(format!("<{{{}}}{}", element.namespace(), element.name()));
        for attribute in element.attributes() {
            let local = attribute.name.rsplit(':').next().unwrap();
            self.0.push(format!("@{local}={:?}", attribute.value));
        }
        self.0.push(format!("text {:?}", line_ends(&element.text())));
        for child in element.children() {
            self.ours(&child);
        }
        self.0.push(">".to_owned());
    }

    fn theirs(&mut self, node: Node<'_, '_>) {
        let name = node.tag_name();
        self.0.push(format!("<{{{}}}{}", name.namespace().unwrap_or_default(), name.name()));
        for attribute in node.attributes() {
            self.0.push(format!("@{}={:?}", attribute.name(), attribute.value()));
        }
        let text: String =
            node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
        self.0.push(format!("text {:?}", line_ends(&text)));
        for child in node.children().filter(Node::is_element) {
            self.theirs(child);
        }
        self.0.push(">".to_owned());
    }
}

/// What XMPP refuses and the other reader takes.
fn is_beyond_xmpp(text: &str, document: &Document<'_>) -> bool {
    let restricted =
        |node: Node<'_, '_>| matches!(node.node_type(), NodeType::Comment | NodeType::PI);
    !text.starts_with('<') || text.starts_with("<?") || document.descendants().any(restricted)
}

fn compare(text: &str) {
    let ours = parse(text, &XmlLimits::NONE);
    let theirs = Document::parse(text);
    match (&ours, &theirs) {
        (Ok(element), Ok(document)) => {
            let (mut one, mut other) = (Seen::default(), Seen::default());
            one.ours(element);
            other.theirs(document.root_element());
            assert_eq!(one, other, "{text}");
        }
        (Err(_), Err(_)) => {}
        (Err(XmlFault::ContentPrefix), Ok(_)) => {}
        (Err(fault), Ok(document)) => {
            let known = is_beyond_xmpp(text, document) || is_lenience(*fault, text);
            assert!(known, "refused alone: {fault}: {text:?}");
        }
        (Ok(_), Err(error)) => panic!("taken alone: {error}: {text:?}"),
    }
}

/// A document that is well formed, with everything in it.
fn document() -> impl Strategy<Value = String> {
    let name = prop_oneof![Just("a"), Just("b"), Just("p:a"), Just("q:b"), Just("\u{e4}.1-")];
    let text = prop_oneof![
        Just("text".to_owned()),
        Just("&lt;&amp;".to_owned()),
        Just("&#x10FFFF;&#13;".to_owned()),
        Just("<![CDATA[<&\r\n]]>".to_owned()),
        Just("\r\n\t\r \u{feff}\u{20ac}".to_owned()),
        "[ -%'-;=?-~\u{a0}-\u{d7ff}]{0,8}".prop_map(|text| text.replace("]]>", "")),
    ];
    let attribute = prop_oneof![
        Just(" x='1'"),
        Just(" y=\"it's &quot; \t\r\n&#10;\""),
        Just(" p:x='2'"),
        Just(" xml:lang='en'"),
        Just(" xmlns='u&amp;v'"),
        Just(" xmlns=''"),
        Just(" xmlns:q='w'"),
        Just(""),
    ];
    let attributes = proptest::collection::vec(attribute, 0..4);
    let leaf = text.clone().boxed();
    let content = leaf.prop_recursive(4, 24, 5, move |inner| {
        let parts = proptest::collection::vec(prop_oneof![inner, text.clone()], 0..5);
        (name.clone(), attributes.clone(), parts).prop_map(|(name, mut attributes, parts)| {
            attributes.sort_unstable();
            attributes.dedup();
            if attributes.contains(&" xmlns=''") {
                attributes.retain(|attribute| *attribute != " xmlns='u&amp;v'");
            }
            format!("<{name}{}>{}</{name}>", attributes.concat(), parts.concat())
        })
    });
    content.prop_map(|content| format!("<root xmlns:p='pp' xmlns:q='qq'>{content}</root>"))
}

/// A document, damaged in some places.
fn damaged() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<".to_owned()),
        Just(">".to_owned()),
        Just("/".to_owned()),
        Just("&".to_owned()),
        Just(";".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("]]>".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("<a/>".to_owned()),
        Just("</a>".to_owned()),
        Just("xmlns:r=''".to_owned()),
        Just(" r:a='1'".to_owned()),
        Just("=".to_owned()),
        Just(":".to_owned()),
        Just("\u{fffe}".to_owned()),
        any::<char>().prop_map(String::from),
        Just(String::new()),
    ];
    let damage = (any::<prop::sample::Index>(), 0..4usize, piece);
    (document(), proptest::collection::vec(damage, 1..4)).prop_map(|(text, damages)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, removed, piece) in damages {
            let at = place.index(chars.len());
            let end = (at + removed).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn documents_are_seen_as_the_other_sees_them(text in document()) {
        prop_assert!(parse(&text, &XmlLimits::NONE).is_ok(), "{}", text);
        compare(&text);
    }

    #[test]
    fn damaged_documents_are_judged_as_the_other_judges_them(text in damaged()) {
        compare(&text);
    }

    #[test]
    fn soup_is_judged_as_the_other_judges_it(text in "<[<>/a:b='\"& ;!\\[\\]?#x\u{e9}-]{0,24}") {
        compare(&text);
    }

    /// Limits only refuse: what a tighter one takes is seen the same with a looser one.
    #[test]
    fn limits_only_refuse(text in damaged(), depth in 1..6usize, count in 1..5usize) {
        let tight = XmlLimits {
            depth_max: depth,
            attribute_count_max: count,
            namespace_count_max: count,
            size_max_bytes: 200,
        };
        if let Ok(element) = parse(&text, &tight) {
            let loose = parse(&text, &XmlLimits::NONE).unwrap();
            let (mut one, mut other) = (Seen::default(), Seen::default());
            one.ours(&element);
            other.ours(&loose);
            prop_assert_eq!(one, other);
        }
    }
}
