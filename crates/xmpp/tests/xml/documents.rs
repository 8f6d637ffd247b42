//! Documents that are taken, and documents that are not.

use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::xml::{XmlFault, parse};

fn fault(text: &str) -> Option<XmlFault> {
    parse(text, &XmlLimits::default()).err()
}

fn is_ill_formed(text: &str) -> bool {
    matches!(fault(text), Some(XmlFault::NotWellFormed(_)))
}

#[test]
fn what_rfc_7395_shows_is_taken() {
    // XWS-011, XWS-015.
    let documents = [
        "<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" to=\"example.com\" version=\"1.0\" />",
        "<message xmlns=\"jabber:client\" xml:lang=\"en\">\n  <body>Every WebSocket message is \
         parsable by itself.</body>\n</message>",
        "<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\">\
         <bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"/></stream:features>",
        "<error xmlns=\"http://etherx.jabber.org/streams\">\
         <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
    ];
    for text in documents {
        assert_eq!(fault(text), None, "{text}");
    }
}

#[test]
fn text_in_all_its_forms_is_taken() {
    let documents = [
        "<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;&#10;</a>",
        "<a b='&lt;&#9;' c=\"it's\" d='\t\r\n'/>",
        "<a><![CDATA[<b>&]] ]]></a>",
        "<a>]] ></a>",
        "<a\n>\r\n</a\t>",
        "<\u{e4}\u{b7} \u{d6}='\u{fffd}\u{feff}\u{ef00}'>\u{10ffff}</\u{e4}\u{b7}>",
        "<a/>  \n",
    ];
    for text in documents {
        assert_eq!(fault(text), None, "{text}");
    }
}

#[test]
fn the_first_character_is_the_tag() {
    // XWS-013, XWS-080, XWS-A03.
    for text in ["", " ", "\n", " <a/>", "\u{feff}<a/>", "a", "&lt;a/>"] {
        assert!(is_ill_formed(text), "{text:?}");
    }
}

#[test]
fn one_element_a_message() {
    // XWS-014.
    for text in ["<a/><b/>", "<a></a><a/>", "<a/>x", "<a/>&#32;", "<a>", "<a><b></a>", "</a>", "<a"]
    {
        assert!(is_ill_formed(text), "{text}");
    }
}

#[test]
fn a_text_is_no_element() {
    for text in [
        "<![CDATA[x]]>",
        "<?xml version='1.0'?>x",
        "<?xml version='1.0'?><![CDATA[]]>",
        "<?xml version='1.0'?> ",
    ] {
        assert!(is_ill_formed(text), "{text}");
    }
}

#[test]
fn what_xmpp_leaves_out_of_xml() {
    // XWS-021, RFC 6120 11.1.
    let documents = [
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<a><!-- comment --></a>",
        "<a/><!-- comment -->",
        "<!-- comment --><a/>",
        "<a><?target data?></a>",
        "<?target data?><a/>",
        "<a/><?target data?>",
        "<a>&e;</a>",
        "<a b='&e;'/>",
        "<a>&nbsp;</a>",
    ];
    for text in documents {
        assert!(matches!(fault(text), Some(XmlFault::Restricted(_))), "{text}: {:?}", fault(text));
    }
}

#[test]
fn an_xml_declaration_is_tolerated() {
    // XWS-012, XWS-A02.
    let tolerated = [
        "<?xml version='1.0'?><a/>",
        "<?xml version=\"1.0\" encoding='utf-8' ?>\n<a/>",
        "<?xml version='1.0' encoding='UTF-8' standalone='no'?><a/>",
        "<?xml version='1.0' standalone='yes'?><a/>",
    ];
    for text in tolerated {
        assert_eq!(fault(text), None, "{text}");
    }
    assert_eq!(fault("<?xml version='1.0' encoding='UTF-16'?><a/>"), Some(XmlFault::Encoding));
    let refused = [
        "<?xml version='1.1'?><a/>",
        "<?xml?><a/>",
        "<?xml encoding='utf-8'?><a/>",
        "<?xml version='1.0'encoding='utf-8'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<?xml version='1.0'><a/>",
        "<?xml version='1.0'?>",
        "<?xml version='1.0'?>x<a/>",
    ];
    for text in refused {
        let fault = fault(text);
        let expected = matches!(fault, Some(XmlFault::NotWellFormed(_) | XmlFault::Restricted(_)));
        assert!(expected, "{text}: {fault:?}");
    }
    // It stands at the beginning or nowhere.
    let late = fault("<a><?xml version='1.0'?></a>");
    assert!(matches!(late, Some(XmlFault::Restricted(_))));
}

#[test]
fn tags_and_attributes_are_well_formed() {
    let documents = [
        "<a b/>",
        "<a b=c/>",
        "<a b='c/>",
        "<a b='c'd='e'/>",
        "<a b='<'/>",
        "<a b='&'/>",
        "<a b='1' b='2'/>",
        "<a / >",
        "< a/>",
        "<a></ a>",
        "<a></a b='c'>",
        "<1/>",
        "<-a/>",
        "<a:/>",
        "<:a/>",
        "<a:b:c xmlns:a='u'/>",
        "<a>]]></a>",
        "<a><![CDATA[</a>",
        "<a><![cdata[]]></a>",
        "<a>&</a>",
        "<a>&;</a>",
        "<a>& ;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#+65;</a>",
        "<a>&#65</a>",
    ];
    for text in documents {
        assert!(is_ill_formed(text), "{text}: {:?}", fault(text));
    }
}

#[test]
fn characters_that_xml_has_not() {
    // RFC 6120 11.3.
    for c in ['\0', '\u{1}', '\u{8}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
        assert!(is_ill_formed(&format!("<a>{c}</a>")), "{c:?} in a text");
        assert!(is_ill_formed(&format!("<a b='{c}'/>")), "{c:?} in a value");
        assert!(is_ill_formed(&format!("<a><![CDATA[{c}]]></a>")), "{c:?} in CDATA");
        assert!(is_ill_formed(&format!("<a{c}/>")), "{c:?} in a name");
        assert!(is_ill_formed(&format!("<a>&#{};</a>", u32::from(c))), "{c:?} as a reference");
    }
    for reference in ["&#xD800;", "&#x110000;", "&#99999999999;", "&#0;"] {
        assert!(is_ill_formed(&format!("<a>{reference}</a>")), "{reference}");
    }
}

#[test]
fn namespaces_are_declared() {
    // RFC 6120 11.3, Namespaces in XML 1.0.
    let taken = [
        "<p:a xmlns:p='u'><p:b/></p:a>",
        "<a xmlns:p='u' p:b='1' b='1'/>",
        "<a xmlns:p='u' xmlns:q='v' p:b='1' q:b='1'/>",
        "<a xmlns=''/>",
        "<a xml:lang='en' xml:space='preserve'/>",
        "<xml:a/>",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:p='u'><b xmlns:p='v'/><p:c/></a>",
    ];
    for text in taken {
        assert_eq!(fault(text), None, "{text}");
    }
    let refused = [
        "<p:a/>",
        "<a p:b='1'/>",
        "<a><b xmlns:p='u'/><p:c/></a>",
        "<a xmlns:p='u'><p:b></q:b></a>",
        "<a xmlns:p=''/>",
        "<a xmlns:p='u' xmlns:p='v'/>",
        "<a xmlns='u' xmlns='v'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='1'/>",
        "<a xmlns:p='u&amp;' xmlns:q='u&#38;' p:b='1' q:b='1'/>",
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:xml='u'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<xmlns:a/>",
    ];
    for text in refused {
        assert!(is_ill_formed(text), "{text}: {:?}", fault(text));
    }
}

#[test]
fn the_namespace_of_stanzas_takes_no_prefix() {
    // RFC 6120 4.8.5.
    let refused = [
        "<c:message xmlns:c='jabber:client'/>",
        "<message xmlns='jabber:client' xmlns:c='jabber:client'><c:body/></message>",
        "<message xmlns='jabber:client' xmlns:c='jabber:&#99;lient'><c:body/></message>",
    ];
    for text in refused {
        assert_eq!(fault(text), Some(XmlFault::ContentPrefix), "{text}");
    }
    assert_eq!(fault("<message xmlns='jabber:client' xmlns:c='jabber:client'/>"), None);
}
