//! Requests to accounts and the server, copies, archives, blocking.

use crate::node::Node;
use wharf_chat::{Config, Request};

fn get(node: &mut Node, name: &str, to: &str, payload: &str) -> String {
    ask(node, name, "get", to, payload)
}

fn ask(node: &mut Node, name: &str, kind: &str, to: &str, payload: &str) -> String {
    let to = if to.is_empty() { String::new() } else { format!(" to='{to}'") };
    node.say(name, &format!("<iq type='{kind}' id='q'{to}>{payload}</iq>"));
    let heard = node.heard(name);
    let answer = heard.iter().find(|line| line.contains("id='q'"));
    answer.unwrap_or_else(|| panic!("no answer: {heard:?}")).clone()
}

// XEP-0199, XEP-0092, XEP-0202, XEP-0030, RFC 3921 3.
#[test]
fn the_server_answers_for_itself() {
    let mut node = Node::new();
    node.come("alice/phone");
    let result = "<iq type='result' from='localhost' to='alice@localhost/phone' id='q'/>";
    assert_eq!(get(&mut node, "alice/phone", "localhost", "<ping xmlns='urn:xmpp:ping'/>"), result);
    for (payload, part) in [
        ("<query xmlns='jabber:iq:version'/>", "<name>Wharf</name>"),
        ("<time xmlns='urn:xmpp:time'/>", "<utc>2026-01-01T00:00:00.000000Z</utc>"),
        (
            "<query xmlns='http://jabber.org/protocol/disco#info'/>",
            "<feature var='urn:xmpp:ping'/>",
        ),
        ("<query xmlns='http://jabber.org/protocol/disco#items'/>", "jid='mq.localhost'"),
        ("<query xmlns='jabber:iq:last'/>", "seconds='0'"),
        ("<unknown xmlns='x'/>", "service-unavailable"),
    ] {
        let answer = get(&mut node, "alice/phone", "localhost", payload);
        assert!(answer.contains(part), "{payload}: {answer}");
    }
}

// RFC 6121 8.5.3: a request for a resource goes there and comes back.
#[test]
fn a_request_for_a_resource_goes_there() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.say(
        "alice/phone",
        "<iq type='get' id='v' to='bob@localhost/phone'><query xmlns='jabber:iq:version'/></iq>",
    );
    assert_eq!(
        node.heard("bob/phone"),
        [
            "<iq type='get' id='v' to='bob@localhost/phone' from='alice@localhost/phone'><query xmlns='jabber:iq:version'/></iq>"
        ]
    );
    node.say("bob/phone", "<iq type='result' id='v' to='alice@localhost/phone'/>");
    assert_eq!(
        node.heard("alice/phone"),
        ["<iq type='result' id='v' to='alice@localhost/phone' from='bob@localhost/phone'/>"]
    );
    let answer =
        get(&mut node, "alice/phone", "bob@localhost/gone", "<ping xmlns='urn:xmpp:ping'/>");
    assert!(answer.contains("service-unavailable"), "{answer}");
}

// XEP-0049, XEP-0054.
#[test]
fn documents_are_kept_as_they_are() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    let note = "<n xmlns='my:notes'><a>1 &lt; 2</a></n>";
    let set = format!("<query xmlns='jabber:iq:private'>{note}</query>");
    assert!(ask(&mut node, "alice/phone", "set", "", &set).contains("type='result'"));
    let vcard = "<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>";
    assert!(ask(&mut node, "alice/phone", "set", "", vcard).contains("type='result'"));
    node.crash();
    node.come("alice/phone");
    node.come("bob/phone");
    let found = get(
        &mut node,
        "alice/phone",
        "",
        "<query xmlns='jabber:iq:private'><n xmlns='my:notes'/></query>",
    );
    assert!(found.contains("<a>1 &lt; 2</a>"), "{found}");
    let found = get(&mut node, "bob/phone", "alice@localhost", "<vCard xmlns='vcard-temp'/>");
    assert!(found.contains("<FN>Alice</FN>"), "{found}");
    let found = get(&mut node, "alice/phone", "bob@localhost", "<vCard xmlns='vcard-temp'/>");
    assert!(found.contains("item-not-found"), "{found}");
    let answer = ask(&mut node, "bob/phone", "set", "alice@localhost", vcard);
    assert!(answer.contains("service-unavailable"), "{answer}");
}

// XEP-0280.
#[test]
fn carbons_are_copies_for_the_others() {
    let mut node = Node::new();
    for name in ["alice/phone", "alice/desk", "bob/phone", "bob/desk"] {
        node.come(name);
    }
    for name in ["alice/desk", "bob/desk"] {
        assert!(
            ask(&mut node, name, "set", "", "<enable xmlns='urn:xmpp:carbons:2'/>")
                .contains("result")
        );
    }
    for name in ["alice/phone", "alice/desk", "bob/phone", "bob/desk"] {
        node.heard(name);
    }
    node.say(
        "alice/phone",
        "<message to='bob@localhost/phone' type='chat'><body>hi</body></message>",
    );
    assert_eq!(node.heard("bob/phone").len(), 1);
    let received = node.heard("bob/desk");
    assert_eq!(received.len(), 1);
    assert!(received[0].starts_with("<message from='bob@localhost' to='bob@localhost/desk' type='chat'><received xmlns='urn:xmpp:carbons:2'>"), "{received:?}");
    let sent = node.heard("alice/desk");
    assert!(sent.len() == 1 && sent[0].contains("<sent xmlns='urn:xmpp:carbons:2'>"), "{sent:?}");
    // XEP-0280 6.1, XEP-0334.
    for hidden in ["<private xmlns='urn:xmpp:carbons:2'/>", "<no-copy xmlns='urn:xmpp:hints'/>"] {
        node.say(
            "alice/phone",
            &format!(
                "<message to='bob@localhost/phone' type='chat'><body>hi</body>{hidden}</message>"
            ),
        );
        assert_eq!(node.heard("bob/desk"), [""; 0]);
        assert_eq!(node.heard("alice/desk"), [""; 0]);
    }
}

fn ids(results: &[String]) -> Vec<String> {
    let id = |line: &String| {
        Some(line.split_once("<result ")?.1.split_once(" id='")?.1.split_once('\'')?.0.to_owned())
    };
    results.iter().filter_map(id).collect()
}

// XEP-0313, XEP-0059, XEP-0359.
#[test]
fn an_archive_has_both_ends_and_is_paged() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    for at in 0..5 {
        node.say(
            "alice/phone",
            &format!("<message to='bob@localhost' type='chat'><body>m{at}</body></message>"),
        );
        node.pass_ms(10);
    }
    node.say("bob/phone", "<message to='carol@localhost' type='chat'><body>other</body></message>");
    node.crash();
    node.come("alice/phone");
    node.come("bob/phone");
    let query = |max: usize, more: &str, filter: &str| {
        format!(
            "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2' queryid='x'><x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>{filter}</x>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>{max}</max>{more}</set></query></iq>"
        )
    };
    node.say("alice/phone", &query(2, "", ""));
    let first = node.heard("alice/phone");
    assert_eq!(first.len(), 3, "{first:?}");
    assert!(
        first[0].contains("<body>m0</body>")
            && first[0].contains("<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00"),
        "{first:?}"
    );
    assert!(first[2].contains("<count>5</count>") && !first[2].contains("complete"), "{first:?}");
    let last = ids(&first)[1].clone();
    node.say("alice/phone", &query(10, &format!("<after>{last}</after>"), ""));
    let rest = node.heard("alice/phone");
    assert_eq!(ids(&rest).len(), 3);
    assert!(rest[3].contains("complete='true'"), "{rest:?}");
    // The last page; and only what was said with one contact.
    node.say(
        "bob/phone",
        &query(1, "<before/>", "<field var='with'><value>alice@localhost</value></field>"),
    );
    let with = node.heard("bob/phone");
    assert!(with.len() == 2 && with[0].contains("<body>m4</body>"), "{with:?}");
    // Both ends know a message by the same name.
    assert_eq!(ids(&with)[0], ids(&rest)[2]);
    node.say("alice/phone", &query(1, "<after>77</after>", ""));
    assert!(node.heard("alice/phone")[0].contains("item-not-found"));
}

#[test]
fn an_archive_has_an_end_and_can_be_refused() {
    let mut node = Node::with(Config { archive_messages_max: 3, ..Config::default() });
    node.come("alice/phone");
    node.come("bob/phone");
    for at in 0..5 {
        node.say(
            "alice/phone",
            &format!("<message to='bob@localhost' type='chat'><body>m{at}</body></message>"),
        );
    }
    node.heard("bob/phone");
    let all = "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>";
    node.say("alice/phone", all);
    let kept = node.heard("alice/phone");
    assert!(ids(&kept).len() == 3 && kept[0].contains("m2"), "{kept:?}");
    let prefs = "<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>carol@localhost</jid></always></prefs>";
    let answer = ask(&mut node, "alice/phone", "set", "", prefs);
    assert!(
        answer.contains("default='never'") && answer.contains("<jid>carol@localhost</jid>"),
        "{answer}"
    );
    node.say("alice/phone", "<message to='bob@localhost' type='chat'><body>m5</body></message>");
    node.say("alice/phone", "<message to='carol@localhost' type='chat'><body>m6</body></message>");
    node.say("alice/phone", all);
    let kept = node.heard("alice/phone");
    assert!(
        !kept.iter().any(|line| line.contains("m5")) && kept.iter().any(|line| line.contains("m6")),
        "{kept:?}"
    );
}

// XEP-0191.
#[test]
fn who_is_blocked_neither_speaks_nor_sees() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.befriend("alice/phone", "bob/phone");
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='bob@localhost'/></block>";
    node.say("alice/phone", &format!("<iq type='set' id='b'>{block}</iq>"));
    let heard = node.heard("alice/phone");
    assert!(heard[0].contains("type='result'") && heard[1].contains(block), "{heard:?}");
    let heard = node.heard("bob/phone");
    assert!(heard.len() == 1 && heard[0].contains("type='unavailable'"), "{heard:?}");
    node.say(
        "bob/phone",
        "<message to='alice@localhost' type='chat' id='m'><body>hi</body></message>",
    );
    assert!(node.heard("bob/phone")[0].contains("service-unavailable"));
    node.say(
        "alice/phone",
        "<message to='bob@localhost' type='chat' id='m'><body>hi</body></message>",
    );
    let heard = node.heard("alice/phone");
    assert!(
        heard[0].contains("not-acceptable")
            && heard[0].contains("<blocked xmlns='urn:xmpp:blocking:errors'/>"),
        "{heard:?}"
    );
    node.say("bob/phone", "<presence><show>away</show></presence>");
    assert_eq!(node.heard("alice/phone"), [""; 0]);
    node.say("alice/phone", "<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>");
    node.heard("alice/phone");
    assert!(
        node.heard("bob/phone").iter().any(|line| line.contains("from='alice@localhost/phone'"))
    );
}

// XEP-0077: off, unless it is on.
#[test]
fn accounts_change_themselves_where_that_is_on() {
    let set = "<query xmlns='jabber:iq:register'><username>alice</username><password>new</password></query>";
    let mut node = Node::new();
    node.come("alice/phone");
    assert!(ask(&mut node, "alice/phone", "set", "localhost", set).contains("service-unavailable"));
    let mut node = Node::with(Config { registration: true, ..Config::default() });
    node.come("alice/phone");
    node.say("alice/phone", &format!("<iq type='set' id='q' to='localhost'>{set}</iq>"));
    let requests = node.requests();
    assert!(
        matches!(&requests[..], [Request::PutUser { name, password, is_new: false, .. }] if name == "alice" && password == "new"),
        "{requests:?}"
    );
    assert!(node.heard("alice/phone")[0].contains("type='result'"));
}

// XEP-0133 over XEP-0050.
#[test]
fn administrators_have_commands() {
    let mut node = Node::new();
    node.come("admin/desk");
    node.come("bob/phone");
    let command = |node: &str, rest: &str| {
        format!(
            "<command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#{node}'{rest}"
        )
    };
    let denied =
        ask(&mut node, "bob/phone", "set", "localhost", &command("get-registered-users-num", "/>"));
    assert!(denied.contains("forbidden"), "{denied}");
    let count = ask(
        &mut node,
        "admin/desk",
        "set",
        "localhost",
        &command("get-registered-users-num", "/>"),
    );
    assert!(count.contains("<value>4</value>"), "{count}");
    let form = ask(
        &mut node,
        "admin/desk",
        "set",
        "localhost",
        &command("add-user", " action='execute'/>"),
    );
    assert!(form.contains("status='executing'") && form.contains("accountjid"), "{form}");
    let id = form.split_once("sessionid='").unwrap().1.split_once('\'').unwrap().0.to_owned();
    let field =
        |name: &str, value: &str| format!("<field var='{name}'><value>{value}</value></field>");
    let filled = format!(
        " sessionid='{id}'><x xmlns='jabber:x:data' type='submit'>{}{}{}</x></command>",
        field("accountjid", "dave@localhost"),
        field("password", "secret"),
        field("password-verify", "secret")
    );
    node.say(
        "admin/desk",
        &format!("<iq type='set' id='q' to='localhost'>{}</iq>", command("add-user", &filled)),
    );
    assert_eq!(node.requests().len(), 1);
    assert!(node.heard("admin/desk")[0].contains("status='completed'"));
    assert!(node.shard.has_user("dave"));
}
