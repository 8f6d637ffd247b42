//! Sessions of resources: conflicts, resumption, kills, and what a session leaves behind.

use crate::node::Node;
use proptest::prelude::*;

const TO_BOB: &str = "<message to='bob@localhost' type='chat'><body>hi</body></message>";
const HEARD: &str = "<message to='bob@localhost' type='chat' from='alice@localhost/phone'><body>hi</body></message>";

// RFC 6120 7.7.2.2.
#[test]
fn the_newer_of_two_has_the_resource() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.say("alice/phone", TO_BOB);
    // Not settled yet: it is for the account, and there is nobody else.
    node.bind("bob/phone");
    node.say("bob/phone", "<presence/>");
    assert_eq!(node.messages("bob/phone"), [format!("late {HEARD}")]);
}

// XEP-0198 5: the same numbers, nothing lost, nothing twice.
#[test]
fn a_session_is_resumed_after_a_cut_and_after_a_kill() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come_managed("bob/phone");
    node.say("alice/phone", TO_BOB);
    assert_eq!(node.heard("bob/phone"), [HEARD]);
    node.cut("bob/phone");
    node.say("alice/phone", TO_BOB);
    node.resume("bob/phone");
    assert_eq!(node.heard("bob/phone"), ["resumed h=1", HEARD]);
    node.acknowledge("bob/phone");

    node.crash();
    node.come("alice/phone");
    node.say("alice/phone", TO_BOB);
    node.resume("bob/phone");
    let heard = node.heard("bob/phone");
    assert_eq!(heard, ["resumed h=1", HEARD]);
    // It is still available for others, as its last presence says.
    node.say("alice/phone", TO_BOB);
    assert_eq!(node.heard("bob/phone"), [HEARD]);
}

// A session that nobody resumes hands on what it had, once.
#[test]
fn what_is_not_acknowledged_finds_another_way() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come_managed("bob/phone");
    node.say("alice/phone", TO_BOB);
    node.cut("bob/phone");
    node.say("alice/phone", TO_BOB);
    // The retention is over.
    node.pass_ms(48 * 3600 * 1000);
    let mut late = Vec::new();
    for name in ["bob/desk", "bob/other"] {
        node.bind(name);
        node.say(name, "<presence/>");
        late.extend(node.messages(name));
    }
    assert_eq!(late, [format!("late {HEARD}"), format!("late {HEARD}")], "both, once");
    node.heard("bob/phone");
    node.resume("bob/phone");
    assert_eq!(node.heard("bob/phone"), ["Unknown"]);
}

#[test]
fn another_resource_gets_it_at_once() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come_managed("bob/phone");
    node.say("bob/phone", "<presence><priority>1</priority></presence>");
    node.say(
        "alice/phone",
        "<message to='bob@localhost/phone' type='chat'><body>hi</body></message>",
    );
    node.cut("bob/phone");
    node.come("bob/desk");
    node.pass_ms(48 * 3600 * 1000);
    let heard = node.heard("bob/desk");
    assert!(heard.iter().any(|line| line.contains("<body>hi</body>")), "{heard:?}");
    assert!(heard.iter().any(|line| line.contains("type='unavailable'")), "{heard:?}");
}

// A stream without management loses its session with its socket: the killed server finds it gone.
#[test]
fn a_killed_server_keeps_what_no_client_has_settled() {
    let mut node = Node::new();
    node.come("alice/phone");
    node.come("bob/phone");
    node.say("alice/phone", TO_BOB);
    node.crash();
    node.bind("bob/desk");
    node.say("bob/desk", "<presence/>");
    assert_eq!(node.messages("bob/desk"), [format!("late {HEARD}")]);
}

#[derive(Clone, Debug)]
enum Step {
    Say,
    SayPresence,
    Acknowledge,
    CutSender,
    CutReceiver,
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Say),
        3 => Just(Step::SayPresence),
        3 => Just(Step::Acknowledge),
        1 => Just(Step::CutSender),
        1 => Just(Step::CutReceiver),
        1 => Just(Step::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_or_doubled(steps in prop::collection::vec(step(), 1..60)) {
        let mut node = Node::new();
        node.come_managed("alice/phone");
        node.come_managed("bob/phone");
        node.befriend("alice/phone", "bob/phone");
        let (mut said, mut heard) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Say => {
                    node.say(
                        "alice/phone",
                        &format!("<message to='bob@localhost' type='chat'><body>{said}</body></message>"),
                    );
                    said += 1;
                }
                Step::SayPresence => node.say("alice/phone", "<presence><show>away</show></presence>"),
                Step::Acknowledge => node.acknowledge("bob/phone"),
                Step::CutSender => {
                    node.cut("alice/phone");
                    node.resume("alice/phone");
                }
                Step::CutReceiver => {
                    node.cut("bob/phone");
                    node.resume("bob/phone");
                }
                Step::Kill => {
                    node.crash();
                    node.resume("bob/phone");
                    node.resume("alice/phone");
                }
            }
            heard.extend(node.heard("bob/phone"));
        }
        let bodies: Vec<usize> = heard
            .iter()
            .filter_map(|line| line.split_once("<body>")?.1.split_once('<')?.0.parse().ok())
            .collect();
        prop_assert_eq!(bodies, (0..said).collect::<Vec<_>>());
    }
}

// RFC 6120 7.7.2.2, XEP-0198 5: another session of the same resource gets what the one before has
// not acknowledged, and what comes then.
#[test]
fn a_resource_that_comes_again_goes_on() {
    let mut node = Node::new();
    for round in 0..4 {
        node.come_managed("alice/load");
        node.manage("bob/load");
        node.say("bob/load", "<presence/>");
        for number in 0..3 {
            let body = format!("{round}.{number}");
            node.say(
                "alice/load",
                &format!(
                    "<message to='bob@localhost/load' type='chat'><body>{body}</body></message>"
                ),
            );
        }
        let heard = node.messages("bob/load");
        for number in 0..3 {
            let body = format!("<body>{round}.{number}</body>");
            assert_eq!(
                heard.iter().filter(|it| it.contains(&body)).count(),
                1,
                "{body} in {heard:?}"
            );
        }
        node.cut("bob/load");
        node.cut("alice/load");
    }
}
