//! Errors, of stanzas and of streams, and answers.

use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::stanza::{
    ErrorType, Stanza, StanzaCondition, StanzaError, write_error, write_result,
};
use wharf_xmpp::xml::{element, parse};
use wharf_xmpp::{StreamCondition, StreamError};

fn read(text: &str) -> Stanza<'_> {
    Stanza::parse(text, &XmlLimits::default()).unwrap()
}

fn error(text: &str, error: &StanzaError) -> Option<String> {
    let mut out = Vec::new();
    let answers = write_error(&read(text), Some("host"), Some("a@a/r"), error, &mut out);
    answers.then(|| String::from_utf8(out).unwrap())
}

#[test]
fn an_error_answers_what_asked() {
    // RFC 6120 8.3.1.
    let unavailable = StanzaError::from(StanzaCondition::ServiceUnavailable);
    let body = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    let request = "<iq xmlns='jabber:client' id='a&amp;b' type='get'><q xmlns='q'/></iq>";
    assert_eq!(
        error(request, &unavailable).unwrap(),
        format!(
            "<iq xmlns='jabber:client' type='error' from='host' to='a@a/r' id='a&amp;b'>{body}</iq>"
        )
    );
    let message = "<message xmlns='jabber:client'/>";
    assert_eq!(
        error(message, &unavailable).unwrap(),
        format!(
            "<message xmlns='jabber:client' type='error' from='host' to='a@a/r'>{body}</message>"
        )
    );
}

#[test]
fn an_answer_is_not_answered() {
    // RFC 6120 8.2.3, 8.3.1: no loops.
    let bad = StanzaError::new(StanzaCondition::BadRequest, "no");
    for text in [
        "<message xmlns='jabber:client' type='error'/>",
        "<presence xmlns='jabber:client' type='error'/>",
        "<iq xmlns='jabber:client' type='error' id='1'/>",
        "<iq xmlns='jabber:client' type='result' id='1'/>",
    ] {
        assert_eq!(error(text, &bad), None, "{text}");
    }
    assert!(error("<iq xmlns='jabber:client' type='x' id='1'/>", &bad).is_some());
}

#[test]
fn an_error_is_read_as_it_was_written() {
    for &condition in StanzaCondition::ALL {
        let told = StanzaError::new(condition, "a < b");
        let text = error("<message xmlns='jabber:client'/>", &told).unwrap();
        assert_eq!(StanzaError::within(read(&text).element()), Some(told));
    }
    let unknown = "<message xmlns='jabber:client' type='error'><error type='wait'>\
                   <new-thing xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    let told = StanzaError::within(read(unknown).element()).unwrap();
    assert_eq!(
        (told.condition, told.error_type),
        (StanzaCondition::UndefinedCondition, ErrorType::Wait)
    );
}

#[test]
fn a_result_keeps_the_id() {
    let mut out = Vec::new();
    let request = read("<iq xmlns='jabber:client' id='7' type='set'><q xmlns='q'/></iq>");
    write_result(&request, None, None, &mut out, |out| {
        element(out, "q", &[("xmlns", "q")], |_| {})
    });
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, "<iq xmlns='jabber:client' type='result' id='7'><q xmlns='q'/></iq>");
}

#[test]
fn errors_of_streams_are_read_with_any_prefix() {
    // XWS-015, XWS-040.
    for &condition in StreamCondition::ALL {
        let told =
            StreamError { handled_too_high: Some((10, 8)), ..StreamError::new(condition, "x") };
        let mut out = Vec::new();
        told.write(&mut out);
        let text = String::from_utf8(out).unwrap();
        let error = parse(&text, &XmlLimits::default()).unwrap();
        assert_eq!(StreamError::read(&error), Some(told));
    }
    let bare = "<error xmlns='http://etherx.jabber.org/streams'>\
                <new xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>";
    let told = StreamError::read(&parse(bare, &XmlLimits::default()).unwrap());
    assert_eq!(told, Some(StreamCondition::UndefinedCondition.into()));
}
