//! Who is told of presence and who is not (RFC 6121, section 4; XEP-0191).

use crate::node::Node;

fn said(node: &mut Node, name: &str, stanza: &str) -> Vec<String> {
    node.say(name, stanza);
    node.heard(name)
}

/// Alice and Bob see each other.
fn friends() -> Node {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/desk");
    node.befriend("alice/phone", "bob/desk");
    node
}

// RFC 6121 3.2.2, 3.2.3: unavailable first, then the cancellation, then the push.
#[test]
fn a_cancellation_is_told_in_order() {
    let mut node = friends();
    node.say("bob/desk", "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    node.heard("bob/desk");
    let alice = said(
        &mut node,
        "alice/phone",
        "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
    );
    assert_eq!(alice.len(), 1);
    let bob = said(&mut node, "bob/desk", "<presence to='alice@localhost' type='unsubscribed'/>");
    assert_eq!(bob.len(), 1);
    assert!(bob[0].contains("<item jid='alice@localhost' subscription='to'/>"), "{bob:?}");
    let alice = node.heard("alice/phone");
    assert_eq!(
        alice[..2],
        [
            "<presence to='alice@localhost' from='bob@localhost/desk' type='unavailable'/>",
            "<presence type='unsubscribed' from='bob@localhost' to='alice@localhost'/>",
        ]
    );
    assert!(alice[2].contains("<item jid='bob@localhost' subscription='from'/>"), "{alice:?}");
    assert_eq!(alice.len(), 3);
}

// RFC 6121 4.5.2: the resource is told itself; 4.6.3: whoever it told by itself is told, once.
#[test]
fn whoever_was_told_is_told_that_it_ends() {
    let mut node = friends();
    node.come("carol/tablet");
    for to in ["carol@localhost/tablet", "bob@localhost/desk"] {
        node.say("alice/phone", &format!("<presence to='{to}'/>"));
    }
    node.heard("carol/tablet");
    node.heard("bob/desk");
    let gone = "<presence type='unavailable'><status>bye</status></presence>";
    let told = |to: &str| {
        format!(
            "<presence to='{to}' type='unavailable' from='alice@localhost/phone'><status>bye</status></presence>"
        )
    };
    assert_eq!(said(&mut node, "alice/phone", gone), [told("alice@localhost/phone")]);
    assert_eq!(node.heard("bob/desk"), [told("bob@localhost")]);
    assert_eq!(node.heard("carol/tablet"), [told("carol@localhost/tablet")]);
    // Not available, and seen by one alone.
    node.say("alice/phone", "<presence to='carol@localhost/tablet'/>");
    node.heard("carol/tablet");
    node.say("alice/phone", gone);
    assert_eq!(node.heard("carol/tablet"), [told("carol@localhost/tablet")]);
    assert_eq!(node.heard("bob/desk"), Vec::<String>::new());
}

// RFC 6121 4.3.2, 4.6.6.
#[test]
fn probes_are_answered_as_the_prober_may_know() {
    let mut node = friends();
    node.come("carol/tablet");
    let probe = |to: &str| format!("<presence to='{to}' type='probe'/>");
    let table = [
        (
            "alice/phone",
            "bob@localhost",
            "<presence to='alice@localhost/phone' from='bob@localhost/desk'/>",
        ),
        (
            "alice/phone",
            "bob@localhost/desk",
            "<presence to='alice@localhost/phone' from='bob@localhost/desk'/>",
        ),
        (
            "alice/phone",
            "bob@localhost/none",
            "<presence to='alice@localhost/phone' from='bob@localhost/none' type='unavailable'/>",
        ),
        (
            "carol/tablet",
            "bob@localhost",
            "<presence from='bob@localhost' to='carol@localhost' type='unsubscribed'/>",
        ),
        (
            "carol/tablet",
            "nobody@localhost",
            "<presence from='nobody@localhost' to='carol@localhost' type='unsubscribed'/>",
        ),
    ];
    for (who, to, expected) in table {
        assert_eq!(said(&mut node, who, &probe(to)), [expected], "{who} asks {to}");
    }
    node.say("bob/desk", "<presence to='carol@localhost/tablet'><show>dnd</show></presence>");
    node.heard("carol/tablet");
    assert_eq!(
        said(&mut node, "carol/tablet", &probe("bob@localhost/desk")),
        ["<presence to='carol@localhost' from='bob@localhost/desk'/>"]
    );
    node.end("bob/desk");
    node.heard("alice/phone");
    let told = said(&mut node, "alice/phone", &probe("bob@localhost"));
    assert_eq!(
        told,
        ["<presence to='alice@localhost/phone' from='bob@localhost' type='unavailable'>\
          <delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00.000000Z'/></presence>"]
    );
}

// XEP-0191 3.2, 3.3: only who sees the account sees it go, and whoever blocks is told why nothing
// is sent.
#[test]
fn blocking_tells_strangers_nothing() {
    let mut node = friends();
    node.come("carol/tablet");
    let block = |jid: &str| {
        format!(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{jid}'/></block></iq>"
        )
    };
    node.say("alice/phone", &block("carol@localhost"));
    assert_eq!(node.heard("carol/tablet"), Vec::<String>::new());
    node.heard("alice/phone");
    node.say("alice/phone", &block("bob@localhost/desk"));
    let gone = "<presence to='bob@localhost' from='alice@localhost/phone' type='unavailable'/>";
    assert_eq!(node.heard("bob/desk"), [gone]);
    node.heard("alice/phone");
    // One resource is blocked, the others are not.
    node.come("bob/phone");
    node.heard("bob/desk");
    node.heard("alice/phone");
    node.say("alice/phone", "<presence><show>away</show></presence>");
    node.heard("alice/phone");
    assert_eq!(node.heard("bob/desk"), Vec::<String>::new());
    assert_eq!(node.heard("bob/phone").len(), 1);
    node.say("bob/desk", "<presence><show>xa</show></presence>");
    node.heard("bob/desk");
    assert_eq!(node.heard("alice/phone"), Vec::<String>::new());
    for stanza in [
        "<presence to='carol@localhost'/>",
        "<iq type='get' id='q' to='carol@localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        "<message to='carol@localhost' type='chat'><body>x</body></message>",
    ] {
        let told = said(&mut node, "alice/phone", stanza);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].contains("not-acceptable") && told[0].contains("urn:xmpp:blocking:errors"),
            "{told:?}"
        );
    }
    // A whole domain.
    let unblock = "<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>";
    node.say("alice/phone", unblock);
    assert_eq!(node.heard("bob/desk").len(), 1, "it is seen again");
    node.heard("bob/phone");
    node.heard("alice/phone");
    node.say("alice/phone", &block("localhost"));
    assert_eq!(node.heard("bob/phone"), [gone]);
}

// RFC 6121 2.3.3: a roster is its owner's.
#[test]
fn other_rosters_are_forbidden() {
    let mut node = friends();
    for request in [
        "<iq type='get' id='1' to='bob@localhost'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq type='set' id='1' to='bob@localhost'><query xmlns='jabber:iq:roster'><item jid='x@y'/></query></iq>",
    ] {
        let told = said(&mut node, "alice/phone", request);
        assert!(told[0].contains("<forbidden "), "{told:?}");
    }
}

// XEP-0198 5: those who went away in a crash did so for a stream that goes on, too.
#[test]
fn a_resumed_stream_learns_who_is_gone() {
    let mut node = friends();
    node.come_managed("alice/laptop");
    node.acknowledge("alice/laptop");
    node.crash();
    node.resume("alice/laptop");
    let heard = node.heard("alice/laptop");
    assert_eq!(
        heard.last().map(String::as_str),
        Some("<presence to='alice@localhost/laptop' from='bob@localhost' type='unavailable'/>"),
        "{heard:?}"
    );
    node.cut("alice/laptop");
    node.resume("alice/laptop");
    assert_eq!(node.heard("alice/laptop"), ["resumed h=1"]);
}

// A presence that looks like another's does not take its place while nobody looks (XEP-0352).
#[test]
fn a_sender_is_who_the_server_says() {
    let mut node = friends();
    node.come("carol/tablet");
    node.befriend("alice/phone", "carol/tablet");
    node.active("alice/phone", false);
    node.say("bob/desk", "<presence><status>mine</status></presence>");
    node.say("carol/tablet", "<presence id=\" from='bob@localhost/desk'\"/>");
    node.active("alice/phone", true);
    let heard = node.heard("alice/phone");
    assert!(heard.iter().any(|stanza| stanza.contains("mine")), "{heard:?}");
    assert_eq!(heard.len(), 2);
}

#[test]
fn requests_and_presence_are_bounded() {
    let mut node = friends();
    let long = "x".repeat(17_000);
    let told =
        said(&mut node, "alice/phone", &format!("<presence><status>{long}</status></presence>"));
    assert!(told[0].contains("policy-violation"), "{told:?}");
    assert_eq!(node.heard("bob/desk"), Vec::<String>::new());
}
