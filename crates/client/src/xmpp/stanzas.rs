//! Messages as stanzas, both ways, and the few other stanzas that a client says.

use std::borrow::Cow;

use wharf_xmpp::content::{self, BodyKind, Content, WHOLE_TYPE};
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{IqType, Stanza, StanzaCondition, StanzaError, write_error, write_result};
use wharf_xmpp::xml::{element, is_text};

use super::names::Names;
use crate::{Error, Kind, Message};

/// `<consume/>` in presence for a queue: how to consume.
const CONSUME: &str = "urn:wharf:consume:0";

/// Property that is the stanza's id.
const MESSAGE_ID: &str = "message-id";

/// The name that a message has: its own, or the one given.
pub(super) fn id_of<'m>(message: &'m Message, given: &'m str) -> &'m str {
    let named = message.properties.iter().find(|(name, _)| name == MESSAGE_ID);
    named.map(|(_, id)| id.as_str()).filter(|id| is_text(id)).unwrap_or(given)
}

/// A message as a stanza.
pub(super) fn write_message(message: &Message, to: &str, id: &str) -> Result<Vec<u8>, Error> {
    let Message { addresses, kind, content_type, properties, body } = message;
    let kind = match kind {
        Kind::Text if std::str::from_utf8(body).is_err() => return Err(Error::NotText),
        Kind::Text => BodyKind::Text,
        Kind::Binary => BodyKind::Binary,
    };
    let mut inside = Vec::with_capacity(body.len().saturating_add(64));
    // The stanza says it itself.
    let properties = properties.iter().filter(|(name, value)| name != MESSAGE_ID || value != id);
    let properties = properties.map(|(name, value)| (&**name, &**value));
    content::write(kind, content_type, properties, body, &mut inside)
        .map_err(|_| Error::NotInProtocol("no such characters"))?;
    let mut attributes = vec![("xmlns", ns::CLIENT), ("to", to), ("id", id)];
    if addresses.first().is_some_and(|address| Names::is_person(address)) {
        // RFC 6121 5.2.2: shown in a conversation, and kept for who is away.
        attributes.push(("type", "chat"));
    }
    let mut out = Vec::with_capacity(inside.len().saturating_add(128));
    element(&mut out, "message", &attributes, |out| out.extend_from_slice(&inside));
    Ok(out)
}

/// A stanza as a message that comes from an address.
pub(super) fn read_message(stanza: &Stanza<'_>, address: String) -> Message {
    let whole = || Content {
        kind: BodyKind::Text,
        content_type: WHOLE_TYPE.to_owned(),
        properties: Vec::new(),
        body: stanza.raw().as_bytes().to_vec(),
    };
    let Content { kind, content_type, properties, body } =
        content::read(stanza).unwrap_or_else(whole);
    let kind = match kind {
        BodyKind::Text => Kind::Text,
        BodyKind::Binary => Kind::Binary,
    };
    Message { addresses: vec![address], kind, content_type, properties, body }
}

/// The account is there, for whoever writes to it (RFC 6121, section 4.2).
pub(super) fn write_presence() -> Vec<u8> {
    let mut out = Vec::new();
    element(&mut out, "presence", &[("xmlns", ns::CLIENT)], |_| {});
    out
}

/// Begins to consume a queue.
pub(super) fn write_consume(to: &str, window: u32, subscription: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    let window = window.to_string();
    let mut how = vec![("xmlns", CONSUME), ("window", &*window)];
    how.extend(subscription.map(|name| ("subscription", name)));
    element(&mut out, "presence", &[("xmlns", ns::CLIENT), ("to", to)], |out| {
        element(out, "consume", &how, |_| {});
    });
    out
}

/// The answer to a request of the server or of someone else (RFC 6120, section 8.2.3).
// XWS-081: pings are answered.
pub(super) fn answer(request: &Stanza<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let from: Option<Cow<'_, str>> = request.element().attribute("from");
    if request.asks(IqType::Get, "ping", ns::PING) {
        write_result(request, None, from.as_deref(), &mut out, |_| {});
        return Some(out);
    }
    let error = StanzaError::from(StanzaCondition::ServiceUnavailable);
    write_error(request, None, from.as_deref(), &error, &mut out).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_xmpp::limits::XmlLimits;

    fn there_and_back(message: &Message) -> Message {
        let stanza = write_message(message, "orders@mq.localhost", "m1").unwrap();
        let text = String::from_utf8(stanza).unwrap();
        let stanza = Stanza::parse(&text, &XmlLimits::default()).unwrap();
        read_message(&stanza, "orders".to_owned())
    }

    #[test]
    fn messages_come_back_as_they_were() {
        let table = [
            Message::text("orders", "un th\u{e9} & <more>").with_content_type("text/plain"),
            Message::text("orders", "{\"a\":1}").with_content_type("application/json"),
            Message::text("orders", "\u{1} is no character of XML"),
            Message::binary("orders", *b"\x00\xff"),
            Message::binary("orders", *b"text all the same"),
            Message::text("orders", "").with_property("k", "1").with_property("k", "2"),
        ];
        for message in table {
            let expected = message.clone().with_property("message-id", "m1");
            assert_eq!(there_and_back(&message), expected);
        }
    }

    #[test]
    fn what_xml_has_not_cannot_be_a_property() {
        let message = Message::text("orders", "").with_property("k", "\u{1}");
        assert!(matches!(write_message(&message, "a@b", "1"), Err(Error::NotInProtocol(_))));
        let message = Message { body: vec![0xff], ..Message::text("orders", "") };
        assert!(matches!(write_message(&message, "a@b", "1"), Err(Error::NotText)));
    }

    #[test]
    fn a_stanza_that_holds_more_is_handed_on_whole() {
        let text = "<message xmlns='jabber:client'><x xmlns='y'/></message>";
        let stanza = Stanza::parse(text, &XmlLimits::default()).unwrap();
        let message = read_message(&stanza, "orders".to_owned());
        assert_eq!((&*message.content_type, &*message.body), (WHOLE_TYPE, text.as_bytes()));
    }

    /// XEP-0199 4.1, RFC 6120 8.4.
    #[test]
    fn requests_are_answered() {
        let table = [
            (
                "<iq xmlns='jabber:client' type='get' id='1' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
                Some("<iq xmlns='jabber:client' type='result' to='localhost' id='1'/>"),
            ),
            ("<iq xmlns='jabber:client' type='result' id='1'/>", None),
        ];
        for (request, expected) in table {
            let stanza = Stanza::parse(request, &XmlLimits::default()).unwrap();
            let answered = answer(&stanza).map(|it| String::from_utf8(it).unwrap());
            assert_eq!(answered.as_deref(), expected);
        }
        let request = "<iq xmlns='jabber:client' type='get' id='1' from='b@c'><x xmlns='y'/></iq>";
        let stanza = Stanza::parse(request, &XmlLimits::default()).unwrap();
        let answered = String::from_utf8(answer(&stanza).unwrap()).unwrap();
        assert!(answered.contains("service-unavailable") && answered.contains("to='b@c'"));
    }
}
