//! XMPP against the real binary: a login over a real socket, messages, resumption.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::person::{Login, Person};
use harness::{Broker, Scratch};

#[test]
fn two_people_talk() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path(), &[]);
    let mut person = Person::begin(broker.connect(), Login::plain("ada", "x"));
    assert_eq!(person.next(), "online ada@localhost/x");
}
