//! Rosters, subscriptions and presence (RFC 6121, sections 2 to 4).

use crate::node::Node;

// RFC 6121 2.1.3, 2.3, 2.5.
#[test]
fn a_roster_is_asked_for_changed_and_told() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.say("alice/phone", "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>");
    assert_eq!(
        node.heard("alice/phone"),
        [
            "<iq type='result' to='alice@localhost/phone' id='1'><query xmlns='jabber:iq:roster'/></iq>"
        ]
    );
    node.say(
        "alice/phone",
        "<iq type='set' id='2'><query xmlns='jabber:iq:roster'>\
         <item jid='bob@localhost' name='Bob &amp; Co'><group>Work</group></item></query></iq>",
    );
    assert_eq!(
        node.heard("alice/phone"),
        [
            "<iq type='set' id='push-2' to='alice@localhost/phone'><query xmlns='jabber:iq:roster' ver='2'>\
             <item jid='bob@localhost' subscription='none' name='Bob &amp; Co'><group>Work</group></item></query></iq>",
            "<iq type='result' to='alice@localhost/phone' id='2'/>"
        ]
    );
    node.crash();
    node.come("alice/phone");
    node.say("alice/phone", "<iq type='get' id='3'><query xmlns='jabber:iq:roster' ver='1'/></iq>");
    assert_eq!(
        node.heard("alice/phone"),
        [
            "<iq type='result' to='alice@localhost/phone' id='3'><query xmlns='jabber:iq:roster' ver='2'>\
          <item jid='bob@localhost' subscription='none' name='Bob &amp; Co'><group>Work</group></item></query></iq>"
        ]
    );
    // RFC 6121 2.6.2.
    node.say("alice/phone", "<iq type='get' id='4'><query xmlns='jabber:iq:roster' ver='2'/></iq>");
    assert_eq!(
        node.heard("alice/phone"),
        ["<iq type='result' to='alice@localhost/phone' id='4'/>"]
    );
    node.say(
        "alice/phone",
        "<iq type='set' id='5'><query xmlns='jabber:iq:roster'>\
         <item jid='bob@localhost' subscription='remove'/></query></iq>",
    );
    assert_eq!(
        node.heard("alice/phone"),
        [
            "<iq type='set' id='push-3' to='alice@localhost/phone'><query xmlns='jabber:iq:roster' ver='3'>\
             <item jid='bob@localhost' subscription='remove'/></query></iq>",
            "<iq type='result' to='alice@localhost/phone' id='5'/>"
        ]
    );
}

// RFC 6121 2.3.3, 2.5.3.
#[test]
fn what_a_roster_does_not_take() {
    let mut node = Node::new();
    node.come("alice/phone");
    let long = "x".repeat(2000);
    for (items, condition) in [
        ("".to_owned(), "bad-request"),
        ("<item jid='a@b'/><item jid='c@d'/>".to_owned(), "bad-request"),
        ("<item/>".to_owned(), "bad-request"),
        ("<item jid='a@b@c'/>".to_owned(), "bad-request"),
        ("<item jid='a@b'><group>x</group><group>x</group></item>".to_owned(), "bad-request"),
        ("<item jid='a@b'><group/></item>".to_owned(), "not-acceptable"),
        (format!("<item jid='a@b' name='{long}'/>"), "not-acceptable"),
        ("<item jid='alice@localhost'/>".to_owned(), "not-allowed"),
        ("<item jid='a@b' subscription='remove'/>".to_owned(), "item-not-found"),
    ] {
        node.say(
            "alice/phone",
            &format!("<iq type='set' id='1'><query xmlns='jabber:iq:roster'>{items}</query></iq>"),
        );
        let heard = node.heard("alice/phone");
        assert!(heard.len() == 1 && heard[0].contains(condition), "{items}: {heard:?}");
    }
}

// RFC 6121 3.1: the whole handshake.
#[test]
fn a_subscription_is_asked_for_and_granted() {
    let mut node = Node::new();
    for name in ["alice/phone", "bob/phone"] {
        node.come(name);
        node.say(name, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
        node.heard(name);
    }
    node.say("alice/phone", "<presence to='bob@localhost' type='subscribe' id='s'/>");
    assert_eq!(
        node.heard("alice/phone"),
        [
            "<iq type='set' id='push-2' to='alice@localhost/phone'><query xmlns='jabber:iq:roster' ver='2'>\
          <item jid='bob@localhost' subscription='none' ask='subscribe'/></query></iq>"
        ]
    );
    assert_eq!(
        node.heard("bob/phone"),
        ["<presence type='subscribe' id='s' from='alice@localhost' to='bob@localhost'/>"]
    );
    node.say("bob/phone", "<presence to='alice@localhost' type='subscribed'/>");
    assert_eq!(
        node.heard("bob/phone"),
        [
            "<iq type='set' id='push-2' to='bob@localhost/phone'><query xmlns='jabber:iq:roster' ver='2'>\
          <item jid='alice@localhost' subscription='from'/></query></iq>"
        ]
    );
    let heard = node.heard("alice/phone");
    assert_eq!(
        heard,
        [
            "<presence type='subscribed' from='bob@localhost' to='alice@localhost'/>",
            "<iq type='set' id='push-3' to='alice@localhost/phone'><query xmlns='jabber:iq:roster' ver='3'>\
             <item jid='bob@localhost' subscription='to'/></query></iq>",
            "<presence to='alice@localhost' from='bob@localhost/phone'/>"
        ]
    );
}

// RFC 6121 3.1.3: a request waits for who is away, and is told until it is answered.
#[test]
fn a_request_waits_until_it_is_answered() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.say("alice/phone", "<presence to='bob@localhost' type='subscribe'/>");
    for _ in 0..2 {
        node.crash();
        node.bind("bob/phone");
        node.say("bob/phone", "<presence/>");
        let heard = node.heard("bob/phone");
        // RFC 6121 4.2.2: its own presence, and the request.
        assert_eq!(heard.len(), 2);
        assert_eq!(
            heard[1..],
            ["<presence type='subscribe' from='alice@localhost' to='bob@localhost'/>"]
        );
    }
    node.say("bob/phone", "<presence to='alice@localhost' type='unsubscribed'/>");
    node.bind("bob/desk");
    node.say("bob/desk", "<presence/>");
    let heard = node.heard("bob/desk");
    assert!(!heard.iter().any(|line| line.contains("type='subscribe'")), "{heard:?}");
}

// RFC 6121 3.4.
#[test]
fn an_approval_ahead_grants_at_once() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.say("bob/phone", "<presence to='alice@localhost' type='subscribed'/>");
    assert_eq!(node.heard("alice/phone"), [""; 0], "nothing is routed");
    node.say("alice/phone", "<presence to='bob@localhost' type='subscribe'/>");
    assert_eq!(node.heard("bob/phone"), [""; 0], "nobody is asked");
    let heard = node.heard("alice/phone");
    assert_eq!(heard, ["<presence to='alice@localhost' from='bob@localhost/phone'/>"]);
}

// RFC 6121 4.2 to 4.5.
#[test]
fn presence_is_told_to_whom_it_concerns() {
    let mut node = Node::new();
    for name in ["alice/phone", "bob/phone", "carol/phone"] {
        node.come(name);
    }
    node.befriend("alice/phone", "bob/phone");
    node.say("alice/phone", "<presence><show>away</show></presence>");
    let away =
        "<presence to='bob@localhost' from='alice@localhost/phone'><show>away</show></presence>";
    assert_eq!(node.heard("bob/phone"), [away]);
    assert_eq!(node.heard("carol/phone"), [""; 0]);
    // The newcomer learns who is there, and its other resources learn of it.
    node.bind("bob/desk");
    node.say("bob/desk", "<presence/>");
    let heard = node.heard("bob/desk");
    assert!(heard.contains(&"<presence to='bob@localhost/desk' from='alice@localhost/phone'><show>away</show></presence>".to_owned()), "{heard:?}");
    assert!(
        heard
            .contains(&"<presence to='bob@localhost/desk' from='bob@localhost/phone'/>".to_owned()),
        "{heard:?}"
    );
    assert!(
        node.heard("alice/phone")
            .contains(&"<presence to='alice@localhost' from='bob@localhost/desk'/>".to_owned())
    );
    node.heard("bob/phone");
    // RFC 6121 4.5.2: the socket breaks.
    node.cut("alice/phone");
    let gone = "<presence to='bob@localhost' from='alice@localhost/phone' type='unavailable'/>";
    assert_eq!(node.heard("bob/phone"), [gone]);
}

// RFC 6121 4.6.
#[test]
fn directed_presence_ends_with_the_resource() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("carol/phone");
    node.say(
        "alice/phone",
        "<presence to='carol@localhost/phone'><status>psst</status></presence>",
    );
    assert_eq!(
        node.heard("carol/phone"),
        [
            "<presence to='carol@localhost/phone' from='alice@localhost/phone'><status>psst</status></presence>"
        ]
    );
    node.end("alice/phone");
    assert_eq!(
        node.heard("carol/phone"),
        ["<presence to='carol@localhost/phone' from='alice@localhost/phone' type='unavailable'/>"]
    );
}

// RFC 6121 4.7.
#[test]
fn presence_that_is_none() {
    let mut node = Node::new();
    node.come("alice/phone");
    for said in [
        "<presence><priority>128</priority></presence>",
        "<presence><priority>high</priority></presence>",
        "<presence type='invisible'/>",
    ] {
        node.say("alice/phone", said);
        let heard = node.heard("alice/phone");
        assert!(heard.len() == 1 && heard[0].contains("bad-request"), "{said}: {heard:?}");
    }
}

// RFC 6121 2.5.3: a contact that is removed sees one no more, and is told.
#[test]
fn who_is_removed_is_parted_with() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.befriend("alice/phone", "bob/phone");
    node.say("bob/phone", "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    node.heard("bob/phone");
    node.say(
        "alice/phone",
        "<iq type='set' id='5'><query xmlns='jabber:iq:roster'>\
         <item jid='bob@localhost' subscription='remove'/></query></iq>",
    );
    let heard = node.heard("bob/phone");
    for part in
        ["type='unsubscribe'", "type='unsubscribed'", "type='unavailable'", "subscription='none'"]
    {
        assert!(heard.iter().any(|line| line.contains(part)), "{part}: {heard:?}");
    }
    node.say("alice/phone", "<presence/>");
    assert_eq!(node.heard("bob/phone"), [""; 0]);
}

// XEP-0352.
#[test]
fn presence_waits_for_who_is_not_looking() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.befriend("alice/phone", "bob/phone");
    node.active("bob/phone", false);
    node.say("alice/phone", "<presence><show>away</show></presence>");
    node.say("alice/phone", "<presence><show>dnd</show></presence>");
    assert_eq!(node.heard("bob/phone"), [""; 0]);
    node.active("bob/phone", true);
    let heard = node.heard("bob/phone");
    assert!(heard.len() == 1 && heard[0].contains("dnd"), "{heard:?}");
}
