//! Where messages go (RFC 6121, section 8).

use crate::node::Node;

const TO_BARE: &str = "<message to='bob@localhost' type='chat'><body>hi</body></message>";

/// What bob hears of `TO_BARE` when alice's phone says it.
fn heard_by_bob() -> String {
    "<message to='bob@localhost' type='chat' from='alice@localhost/phone'><body>hi</body></message>"
        .to_owned()
}

// RFC 6121 8.5.2.1.1: every resource that is available with a priority that is not negative.
#[test]
fn a_message_for_an_account_goes_to_all_that_take_it() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.come("bob/desk");
    node.bind("bob/silent");
    node.bind("bob/low");
    node.say("bob/low", "<presence><priority>-1</priority></presence>");
    for name in ["bob/phone", "bob/desk", "bob/low", "bob/silent"] {
        node.heard(name);
    }
    node.say("alice/phone", TO_BARE);
    assert_eq!(node.heard("bob/phone"), [heard_by_bob()]);
    assert_eq!(node.heard("bob/desk"), [heard_by_bob()]);
    assert_eq!(node.heard("bob/silent"), [""; 0]);
    assert_eq!(node.heard("bob/low"), [""; 0]);
    assert_eq!(node.taken("alice/phone"), 2);
}

// RFC 6121 8.5.3.1: the whole address, whatever the type and whether it is available.
#[test]
fn a_message_for_a_resource_goes_there() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.bind("bob/silent");
    for kind in ["chat", "normal", "headline", "groupchat", "error"] {
        let said =
            format!("<message to='bob@localhost/silent' type='{kind}'><body>x</body></message>");
        node.say("alice/phone", &said);
        let heard = format!(
            "<message to='bob@localhost/silent' type='{kind}' from='alice@localhost/phone'><body>x</body></message>"
        );
        assert_eq!(node.heard("bob/silent"), [heard], "{kind}");
    }
    assert_eq!(node.heard("bob/phone"), [""; 0]);
    assert_eq!(node.heard("alice/phone"), [""; 0]);
}

// RFC 6121 8.5.2.2.1, 8.5.3.2.1; XEP-0160.
#[test]
fn what_finds_nobody_waits_or_not_by_its_type() {
    for (kind, to, waits, error) in [
        ("chat", "bob@localhost", true, false),
        ("normal", "bob@localhost", true, false),
        ("chat", "bob@localhost/gone", true, false),
        ("headline", "bob@localhost", false, false),
        ("headline", "bob@localhost/gone", false, false),
        ("groupchat", "bob@localhost", false, true),
        ("groupchat", "bob@localhost/gone", false, true),
        ("error", "bob@localhost", false, false),
    ] {
        let mut node = Node::new();
        node.come("alice/phone");
        let said = format!("<message to='{to}' type='{kind}' id='1'><body>x</body></message>");
        node.say("alice/phone", &said);
        let answered = node.heard("alice/phone");
        assert_eq!(!answered.is_empty(), error, "{kind} {to}: {answered:?}");
        assert!(!error || answered[0].contains("service-unavailable"), "{answered:?}");
        node.bind("bob/phone");
        node.say("bob/phone", "<presence/>");
        let late = node.heard("bob/phone");
        let late = late.iter().filter(|line| line.starts_with("late ")).count();
        assert_eq!(late == 1, waits, "{kind} {to}");
        // Once.
        node.come("bob/desk");
        assert_eq!(node.heard("bob/desk"), [""; 0]);
    }
}

#[test]
fn a_negative_priority_takes_nothing_that_waits() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.say("alice/phone", TO_BARE);
    node.bind("bob/phone");
    node.say("bob/phone", "<presence><priority>-1</priority></presence>");
    assert_eq!(node.messages("bob/phone").len(), 0);
    node.say("bob/phone", "<presence><priority>0</priority></presence>");
    assert_eq!(node.messages("bob/phone"), [format!("late {}", heard_by_bob())]);
}

// XEP-0160 3, XEP-0334 4.3, XEP-0085.
#[test]
fn what_is_worth_nothing_later_does_not_wait() {
    let mut node = Node::new();
    node.come("alice/phone");
    let composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    let no_store = "<body>x</body><no-store xmlns='urn:xmpp:hints'/>";
    for content in [composing, no_store, ""] {
        node.say(
            "alice/phone",
            &format!("<message to='bob@localhost' type='chat'>{content}</message>"),
        );
    }
    node.bind("bob/phone");
    node.say("bob/phone", "<presence/>");
    assert_eq!(node.messages("bob/phone"), [""; 0]);
}

// RFC 6121 8.5.1; RFC 6120 10.4, 10.5.2, 8.1.2.1.
#[test]
fn who_is_not_there_and_who_one_is_not() {
    let mut node = Node::new();
    node.come("alice/phone");
    for (to, condition) in [
        ("nobody@localhost", "service-unavailable"),
        ("bob@elsewhere.example", "remote-server-not-found"),
        ("room@rooms.localhost", "item-not-found"),
        ("localhost", "service-unavailable"),
    ] {
        node.say("alice/phone", &format!("<message to='{to}' id='7'><body>x</body></message>"));
        let heard = node.heard("alice/phone");
        assert_eq!(heard.len(), 1, "{to}");
        assert!(
            heard[0].contains(condition) && heard[0].contains(&format!("from='{to}'")),
            "{heard:?}"
        );
    }
    node.say(
        "alice/phone",
        "<message from='bob@localhost' to='bob@localhost'><body>x</body></message>",
    );
    assert!(node.heard("alice/phone")[0].contains("bad-request"));
    // RFC 6120 10.3.1: to nobody is to oneself.
    node.say("alice/phone", "<message><body>note</body></message>");
    assert_eq!(
        node.heard("alice/phone"),
        ["<message from='alice@localhost/phone' to='alice@localhost'><body>note</body></message>"]
    );
}

// XEP-0359 3: what this server has not said is not said in its name.
#[test]
fn names_that_a_client_gives_in_our_name_are_taken_off() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.heard("alice/phone");
    node.say(
        "alice/phone",
        "<message to='bob@localhost' type='chat'><body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='bob@localhost' id='forged'/></message>",
    );
    let heard = node.heard("bob/phone");
    assert!(!heard[0].contains("forged"), "{heard:?}");
}

// A repeat after a resume has no second effect, and is answered.
#[test]
fn a_repeat_is_taken_once() {
    let mut node = Node::new();
    node.come_managed("alice/phone");
    node.come("bob/phone");
    node.say("alice/phone", TO_BARE);
    assert_eq!(node.heard("bob/phone").len(), 1);
    node.cut("alice/phone");
    node.resume("alice/phone");
    assert_eq!(node.heard("alice/phone"), ["resumed h=2"]);
    node.say_again("alice/phone", 2, TO_BARE);
    assert_eq!(node.heard("bob/phone"), [""; 0]);
    assert_eq!(node.taken("alice/phone"), 2);
}

#[test]
fn too_much_does_not_wait() {
    let config = wharf_chat::Config { offline_messages_max: 2, ..Default::default() };
    let mut node = Node::with(config);
    node.come("alice/phone");
    for _ in 0..3 {
        node.say("alice/phone", TO_BARE);
    }
    let heard = node.heard("alice/phone");
    assert!(heard.len() == 1 && heard[0].contains("service-unavailable"), "{heard:?}");
}

// RFC 6120 8.3.1, XEP-0198 4: who knows that a stanza is handled knows that it was refused.
#[test]
fn a_refusal_comes_before_the_acknowledgement() {
    let mut node = Node::new();
    node.come_managed("alice/phone");
    node.hear_taken("alice/phone");
    node.publish("alice/phone", "orders", "m1");
    assert_eq!(
        node.heard("alice/phone"),
        [
            "<message type='error' from='orders@mq.localhost' to='alice@localhost/phone' id='m1'>\
             <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>not-permitted</text></error></message>",
            "taken 2"
        ]
    );
    node.come_managed("admin/desk");
    node.hear_taken("admin/desk");
    node.publish("admin/desk", "orders", "m1");
    assert_eq!(node.heard("admin/desk"), ["taken 2"]);
}
