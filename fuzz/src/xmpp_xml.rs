//! XML: what is taken is well formed, and another reader sees the same in it; what is refused and
//! yet well formed has what XMPP leaves out. Pieces stand alone, and stanzas stay what they are on
//! their way.

use roxmltree::{Document, Node, NodeType};
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::stanza::{Rewrite, Stanza};
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

/// Elements within elements, for walks that recurse.
const DEPTH_MAX: usize = 200;

/// Reads `data` as a message.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let limits = XmlLimits { depth_max: DEPTH_MAX, ..XmlLimits::NONE };
    let ours = parse(&text, &limits);
    let theirs = Document::parse(&text);
    match (&ours, &theirs) {
        (Ok(element), Ok(document)) => {
            same(element, document.root_element());
            pieces(element);
            let again = Element::reread(element.raw()).map(|again| format!("{again:?}"));
            assert_eq!(again, Some(format!("{element:?}")));
        }
        (Ok(_), Err(error)) => panic!("taken alone: {error}: {text}"),
        (Err(XmlFault::ContentPrefix | XmlFault::OverLimit(_)), Ok(_)) | (Err(_), Err(_)) => {}
        (Err(fault), Ok(document)) => {
            let known = is_beyond_xmpp(&text, document) || is_lenience(*fault, &text);
            assert!(known, "refused alone: {fault}: {text}");
        }
    }
    // What was not checked says anything, and ends.
    if let Some(element) = Element::reread(&text) {
        element.children().for_each(drop);
    }
    // Tighter limits only refuse.
    if parse(&text, &XmlLimits::default()).is_ok() {
        assert!(ours.is_ok());
    }
    if let Ok(stanza) = Stanza::parse(&text, &limits) {
        route(&stanza, &limits);
    }
}

fn is_beyond_xmpp(text: &str, document: &Document<'_>) -> bool {
    let restricted =
        |node: Node<'_, '_>| matches!(node.node_type(), NodeType::Comment | NodeType::PI);
    !text.starts_with('<') || text.starts_with("<?") || document.descendants().any(restricted)
}

fn same(ours: &Element<'_>, theirs: Node<'_, '_>) {
    let name = theirs.tag_name();
    assert_eq!(ours.name(), name.name());
    assert_eq!(ours.namespace(), name.namespace().unwrap_or_default());
    let one: Vec<String> = ours.attributes().map(|one| one.value.into_owned()).collect();
    let other: Vec<&str> = theirs.attributes().map(|other| other.value()).collect();
    assert_eq!(one, other);
    let text: String = theirs.children().filter(Node::is_text).filter_map(|it| it.text()).collect();
    // The other reader leaves a carriage return at the end of some texts.
    assert_eq!(ours.text().replace('\r', "\n"), text.replace('\r', "\n"));
    let mut children = theirs.children().filter(Node::is_element);
    for child in ours.children() {
        same(&child, children.next().expect("a child"));
    }
    assert!(children.next().is_none());
}

/// Children, cut out with their namespaces, are what they were.
fn pieces(element: &Element<'_>) {
    for child in element.children().take(8) {
        let mut out = Vec::new();
        child.write_alone(&mut out);
        let alone = String::from_utf8(out).expect("text");
        let read = parse(&alone, &XmlLimits::NONE).expect("a piece that stands alone");
        assert_eq!((read.name(), read.namespace()), (child.name(), child.namespace()));
        assert_eq!((read.lang(), read.content()), (child.lang(), child.content()));
        for (one, other) in read.children().zip(child.children()).take(8) {
            assert_eq!(one.namespace(), other.namespace());
        }
    }
}

fn route(stanza: &Stanza<'_>, limits: &XmlLimits) {
    let mut out = Vec::new();
    Rewrite::new().from("a@b/c").to("d'e").lang("en").write(stanza, &mut out);
    let routed = String::from_utf8(out).expect("text");
    let routed = Stanza::parse(&routed, limits).expect("a stanza");
    assert_eq!(routed.kind(), stanza.kind());
    assert_eq!(routed.element().content(), stanza.element().content());
    assert_eq!(routed.element().attribute("from").as_deref(), Some("a@b/c"));
    assert_eq!(routed.element().attribute("to").as_deref(), Some("d'e"));
    assert_eq!((routed.id(), routed.type_name()), (stanza.id(), stanza.type_name()));
    let _ = (stanza.fault(), stanza.to(), stanza.from(), stanza.payload());
}
