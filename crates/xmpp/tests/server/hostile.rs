//! Messages that are to hurt: the stream ends with the right word, and nothing was kept.

use crate::trace::{BIND, LOGIN, Trace, config, offer};
use wharf_xmpp::limits::{Limits, XmlLimits};

fn violated(message: &str, code: u16, what: &str) {
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.hear(message.as_bytes());
    trace.play(&format!(
        "
        S: error policy-violation
        S: $close
        C: $close
        E: closed by Local code={code} clean violation={what}"
    ));
}

#[test]
fn nesting() {
    // The anchors: one server echoes 20,000 levels, the other dies of them.
    for depth in [64, 20_000] {
        let text = format!(
            "<message xmlns='jabber:client'>{}{}</message>",
            "<a>".repeat(depth),
            "</a>".repeat(depth)
        );
        violated(&text, 1008, "elements are nested too deeply");
    }
}

#[test]
fn nesting_without_an_end() {
    violated(&"<a>".repeat(80_000), 1008, "elements are nested too deeply");
}

#[test]
fn attributes() {
    let attributes: String = (0..20_000).map(|n| format!(" a{n}=''")).collect();
    let text = format!("<message xmlns='jabber:client'{attributes}/>");
    violated(&text, 1008, "an element has too many attributes");
}

#[test]
fn namespaces() {
    let declared: String = (0..40).map(|n| format!(" xmlns:p{n}='u'")).collect();
    let text = format!("<message xmlns='jabber:client'{declared}/>");
    violated(&text, 1008, "too many namespaces are declared");
}

#[test]
fn octets() {
    // XWS-A06, XWS-A07.
    let text = |len: usize| format!("<message xmlns='jabber:client'>{}</message>", "x".repeat(len));
    violated(&text(300_000), 1009, "the message is too large");
    violated(&text(1_100_000), 1009, "the message is too large");
    let mut trace = Trace::after(&[LOGIN, BIND]);
    let fits = text(200_000);
    trace.hear(fits.as_bytes());
    trace.play(&format!("E: - {fits}"));
}

#[test]
fn octets_before_the_login() {
    // DESIGN 10. RFC 6120 13.12 leaves no less than 10,000.
    let mut trace = Trace::new();
    let long = "x".repeat(10_000);
    trace.hear(
        format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{long}'/>").as_bytes(),
    );
    trace.play_ignoring_events(
        "
        S: $opened
        S: error policy-violation
        S: $close",
    );
}

#[test]
fn limits_are_those_of_the_configuration() {
    let xml = XmlLimits { size_max_bytes: 10_000, depth_max: 3, ..XmlLimits::default() };
    let mut config = config();
    config.limits = Limits { xml, ..Limits::default() };
    let mut trace = Trace::with(config, offer());
    trace.play(LOGIN).play(BIND).play(
        "
        C: <message xmlns='jabber:client'><a><b/></a></message>
        E: - <message xmlns='jabber:client'><a><b/></a></message>
        C: <message xmlns='jabber:client'><a><b><c/></b></a></message>
        S: error policy-violation
        S: $close
        C: $close
        E: closed by Local code=1008 clean violation=elements are nested too deeply",
    );
}

#[test]
fn entities() {
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.hear(
        b"<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]><lolz>&lol2;</lolz>",
    );
    trace.play_ignoring_events(
        "
        S: error restricted-xml
        S: $close",
    );
}

#[test]
fn after_an_error_nothing_is_looked_at() {
    let mut trace = Trace::after(&[LOGIN, BIND]);
    trace.play(
        "
        C: <presence/>
        S: error invalid-namespace
        S: $close
        C: <message xmlns='jabber:client'/>
        C: <iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'/>
        C: not even xml
        E: closed by Local code=1000 violation=a stanza in another namespace
        C: $close
        C: <message xmlns='jabber:client'/>",
    );
}
