//! A user that is removed: the next one of that name inherits nothing.

use crate::node::Node;
use wharf_broker::{Definition, Input, Permission};

/// RFC 6121 4.2.2: a resource is told of itself.
const OWN_PRESENCE: &str = "<presence to='bob@localhost/desk' from='bob@localhost/desk'/>";

fn remove(node: &mut Node, name: &str) {
    node.shard.handle(node.now, Input::Define(Definition::RemoveUser { name: name.to_owned() }));
    node.settle();
}

fn define(node: &mut Node, name: &str) {
    let (name, verifier) = (name.to_owned(), String::new());
    let permissions = vec![Permission::all()];
    node.shard.handle(node.now, Input::Define(Definition::PutUser { name, verifier, permissions }));
    node.settle();
}

/// Bob has contacts, a card, something private, a list of the blocked, and mail.
fn live(node: &mut Node) {
    node.come("alice/phone");
    node.say("alice/phone", "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    node.come("bob/desk");
    node.befriend("alice/phone", "bob/desk");
    node.say(
        "bob/desk",
        "<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Bob</FN></vCard></iq>",
    );
    node.say(
        "bob/desk",
        "<iq type='set' id='p'><query xmlns='jabber:iq:private'><a xmlns='b'>c</a></query></iq>",
    );
    node.say(
        "bob/desk",
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='carol@localhost'/></block></iq>",
    );
    node.say("bob/desk", "<presence type='unavailable'/>");
    node.say(
        "alice/phone",
        "<message to='bob@localhost' type='chat'><body>for the old one</body></message>",
    );
    node.heard("alice/phone");
    node.heard("bob/desk");
}

fn check_nothing_is_left(node: &mut Node) {
    let documents: Vec<&str> = node.shard.documents("").map(|(key, _)| key).collect();
    let of_bob = |key: &&&str| key.contains("/bob@localhost") && !key.starts_with("roster/alice@");
    assert_eq!(documents.iter().find(of_bob), None);
    assert!(node.shard.all_mailboxes().all(|(_, address, _, _)| address != "xmpp:bob@localhost"));
}

#[test]
fn whoever_gets_the_name_next_inherits_nothing() {
    let mut node = Node::new();
    live(&mut node);
    remove(&mut node, "bob");
    assert_eq!(
        node.heard("alice/phone"),
        [
            "<presence from='bob@localhost' to='alice@localhost' type='unsubscribe'/>",
            "<iq type='set' id='push-5' to='alice@localhost/phone'><query xmlns='jabber:iq:roster' ver='5'>\
             <item jid='bob@localhost' subscription='to'/></query></iq>",
            "<presence from='bob@localhost' to='alice@localhost' type='unsubscribed'/>",
            "<iq type='set' id='push-6' to='alice@localhost/phone'><query xmlns='jabber:iq:roster' ver='6'>\
             <item jid='bob@localhost' subscription='none'/></query></iq>",
        ]
    );
    check_nothing_is_left(&mut node);
    define(&mut node, "bob");
    node.bind("bob/desk");
    node.say("bob/desk", "<presence/>");
    assert_eq!(node.heard("bob/desk"), [OWN_PRESENCE], "no mail of the one before");
    for (asked, answer) in [
        ("<query xmlns='jabber:iq:roster'/>", "<query xmlns='jabber:iq:roster'/>"),
        ("<vCard xmlns='vcard-temp'/>", "<vCard xmlns='vcard-temp'/>"),
        ("<blocklist xmlns='urn:xmpp:blocking'/>", "<blocklist xmlns='urn:xmpp:blocking'/>"),
        (
            "<query xmlns='jabber:iq:private'><a xmlns='b'/></query>",
            "<query xmlns='jabber:iq:private'><a xmlns='b'/></query>",
        ),
    ] {
        node.say("bob/desk", &format!("<iq type='get' id='1'>{asked}</iq>"));
        let told = node.heard("bob/desk");
        let expected = format!("<iq type='result' to='bob@localhost/desk' id='1'>{answer}</iq>");
        assert_eq!(told, [expected]);
    }
    // What is archived from now on is its own.
    node.say(
        "alice/phone",
        "<message to='bob@localhost' type='chat'><body>welcome</body></message>",
    );
    node.heard("bob/desk");
    node.say("bob/desk", "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let told = node.heard("bob/desk");
    assert!(told.iter().all(|stanza| !stanza.contains("for the old one")), "{told:?}");
    assert_eq!(told.iter().filter(|stanza| stanza.contains("welcome")).count(), 1);
}

#[test]
fn a_removal_survives_a_crash() {
    let mut node = Node::new();
    live(&mut node);
    remove(&mut node, "bob");
    node.crash();
    check_nothing_is_left(&mut node);
    define(&mut node, "bob");
    node.bind("bob/desk");
    node.say("bob/desk", "<presence/>");
    assert_eq!(node.heard("bob/desk"), [OWN_PRESENCE]);
}

// RFC 6121 3.4: what was approved ahead was approved for somebody else.
#[test]
fn approvals_and_requests_end_with_the_account() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.say("alice/phone", "<presence to='bob@localhost' type='subscribed'/>");
    node.come("bob/desk");
    node.say("bob/desk", "<presence to='carol@localhost' type='subscribe'/>");
    remove(&mut node, "bob");
    define(&mut node, "bob");
    node.bind("bob/desk");
    node.say("bob/desk", "<presence/>");
    node.say("bob/desk", "<presence to='alice@localhost' type='subscribe'/>");
    let told = node.heard("bob/desk");
    assert!(told.iter().all(|stanza| !stanza.contains("subscribed")), "{told:?}");
    node.bind("carol/tablet");
    node.say("carol/tablet", "<presence/>");
    let told = node.heard("carol/tablet");
    assert!(told.iter().all(|stanza| !stanza.contains("subscribe")), "{told:?}");
}
