//! Dynamic addresses, and when they go (AMQP 3.5.10 to 3.5.13).

mod bench;

use bench::{
    Bench, attach, browse, cancel_as, consume, consume_as, create, leave, open, open_volatile,
    publish, publish_or_decline, resolve, settle,
};
use wharf_broker::Lifetime::{
    DeleteOnClose, DeleteOnNoLinks, DeleteOnNoLinksOrMessages, DeleteOnNoMessages,
};
use wharf_broker::{Command, Config, Credit, Lifetime, Outcome, Permission};

const NODE: &str = "wharf/dynamic/1";

/// A bench where the volatile session on connection 1 has created the address as its link 5, and
/// connection 2 is another session.
fn with_node(lifetime: Lifetime) -> Bench {
    let mut bench = Bench::new();
    bench.run(1, open_volatile("owner"));
    bench.run(1, create(5, NODE, lifetime));
    bench.run(2, open("other"));
    assert_eq!(bench.told_to(1), ["opened", "created 5"]);
    bench.told.clear();
    bench
}

fn exists(bench: &mut Bench) -> bool {
    bench.run(9, open_volatile("probe"));
    bench.run(9, resolve(1, NODE, None));
    bench.run(9, Command::Detach);
    match bench.told_to(9).last().map(String::as_str) {
        Some("resolved 1 Queue") => true,
        Some("refused wharf/dynamic/1: no such address") => false,
        other => panic!("told {other:?}"),
    }
}

#[test]
fn a_reply_reaches_the_one_who_asked() {
    let mut bench = with_node(DeleteOnClose);
    bench.run(1, consume_as(5, NODE, None, Credit::Window(10)));
    bench.run(2, resolve(3, NODE, None));
    bench.run(2, publish(1, &[NODE], "reply"));
    assert_eq!(
        bench.told_to(1),
        ["consuming wharf/dynamic/1", "deliver 1 wharf/dynamic/1 reply to=5"]
    );
    // The link closes, and with it the address; what is too late does not bring it back.
    bench.run(1, cancel_as(5, NODE, None));
    bench.run(2, publish_or_decline(2, &[NODE], "late"));
    assert_eq!(
        bench.told_to(2),
        [
            "resolved 3 Queue",
            "taken 1",
            "gone 3 wharf/dynamic/1",
            "declined 2: unknown-address",
            "taken 2"
        ]
    );
    assert!(!exists(&mut bench));
}

#[test]
fn on_close_it_goes_with_the_link_that_created_it() {
    let mut bench = with_node(DeleteOnClose);
    bench.run(2, consume_as(7, NODE, None, Credit::Window(1)));
    bench.run(2, browse(8, NODE));
    bench.run(1, resolve(6, NODE, None));
    bench.run(1, publish(1, &[NODE], "m1"));
    bench.run(1, leave(6));
    assert!(exists(&mut bench));
    bench.told.clear();
    bench.run(1, leave(5));
    let mut told = bench.told_to(2);
    told.sort();
    assert_eq!(told, ["gone 7 wharf/dynamic/1", "gone 8 wharf/dynamic/1"]);
    assert!(!exists(&mut bench));
    assert_eq!(bench.shard.statistics().messages, 1, "the message that is out");
    bench.run(2, settle(1, 1, Outcome::Failed));
    assert_eq!(bench.shard.statistics().messages, 0, "it has no queue to go back to");
    assert_eq!(bench.shard.statistics().addresses, 0);
}

#[test]
fn on_no_links_it_goes_with_the_last_of_them() {
    let mut bench = with_node(DeleteOnNoLinks);
    bench.run(2, consume_as(7, NODE, None, Credit::Window(1)));
    bench.run(2, resolve(8, NODE, None));
    bench.run(1, browse(9, NODE));
    bench.run(1, publish(1, &[NODE], "m1"));
    bench.run(1, leave(5));
    bench.run(2, cancel_as(7, NODE, None));
    bench.run(2, leave(8));
    bench.run(1, Command::Leave { consumer: wharf_broker::ConsumerId(77) });
    assert_eq!(bench.shard.statistics().addresses, 1);
    bench.run(1, cancel_as(9, NODE, None));
    assert_eq!(bench.shard.statistics().messages, 1, "the message that is out");
    assert!(!exists(&mut bench));
}

#[test]
fn senders_and_browsers_end_with_their_connection() {
    let mut bench = with_node(DeleteOnNoLinks);
    bench.run(2, resolve(8, NODE, None));
    bench.run(2, browse(9, NODE));
    bench.run(1, leave(5));
    assert_eq!(bench.shard.statistics().addresses, 1);
    // Its session can come back; they cannot.
    bench.run(2, Command::Detach);
    assert_eq!(bench.shard.statistics().addresses, 0);
    let mut bench = with_node(DeleteOnNoLinks);
    bench.run(2, resolve(8, NODE, None));
    bench.run(1, leave(5));
    bench.run(3, attach("other"));
    assert_eq!(bench.shard.statistics().addresses, 0, "the new connection has no senders yet");
}

#[test]
fn on_no_messages_it_goes_when_it_is_empty_and_its_creator_is_gone() {
    let mut bench = with_node(DeleteOnNoMessages);
    bench.run(2, consume_as(7, NODE, None, Credit::Window(1)));
    bench.run(2, publish(1, &[NODE], "m1"));
    bench.run(2, settle(1, 1, Outcome::Accepted));
    assert!(exists(&mut bench), "empty, but its creator is there");
    bench.run(2, publish(2, &[NODE], "m2"));
    bench.run(1, leave(5));
    bench.run(2, settle(2, 2, Outcome::Released));
    assert!(exists(&mut bench), "not empty");
    bench.told.clear();
    bench.run(2, settle(3, 3, Outcome::Accepted));
    assert_eq!(bench.told_to(2), ["gone 7 wharf/dynamic/1"]);
    assert!(!exists(&mut bench));
}

#[test]
fn on_no_links_or_messages_it_goes_when_it_has_neither() {
    let mut bench = with_node(DeleteOnNoLinksOrMessages);
    bench.run(2, publish(1, &[NODE], "m1"));
    bench.run(1, Command::Detach);
    assert!(exists(&mut bench), "it has a message");
    bench.run(2, consume_as(7, NODE, None, Credit::Window(1)));
    bench.run(2, settle(1, 1, Outcome::Accepted));
    assert!(exists(&mut bench), "it has a link");
    bench.run(2, cancel_as(7, NODE, None));
    assert!(!exists(&mut bench));
}

#[test]
fn a_volatile_owner_takes_it_along() {
    for lifetime in [DeleteOnClose, DeleteOnNoLinks, DeleteOnNoMessages, DeleteOnNoLinksOrMessages]
    {
        let mut bench = with_node(lifetime);
        bench.run(1, Command::Detach);
        assert!(!exists(&mut bench), "{lifetime:?} with its connection");
        let mut bench = with_node(lifetime);
        bench.crash();
        assert!(!exists(&mut bench), "{lifetime:?} with the process");
    }
}

#[test]
fn what_others_hold_survives_a_restart() {
    let mut bench = with_node(DeleteOnNoLinks);
    bench.run(2, consume_as(7, NODE, None, Credit::Window(10)));
    bench.run(2, publish(1, &[NODE], "m1"));
    bench.crash();
    assert!(exists(&mut bench), "a consumer of a session that will be back");
    bench.run(3, attach("other"));
    bench.run(3, Command::Resume { received: 0 });
    bench.run(3, cancel_as(7, NODE, None));
    assert!(!exists(&mut bench));
    assert_eq!(bench.told_to(3)[1..], ["deliver 1 wharf/dynamic/1 m1 to=7"]);
}

/// A recoverable owner has what it created until it closes the link or ends.
#[test]
fn a_recoverable_owner_comes_back_to_it() {
    let mut bench = Bench::new();
    bench.run(1, open("owner"));
    bench.run(1, create(5, NODE, DeleteOnClose));
    bench.run(1, Command::Detach);
    assert!(exists(&mut bench));
    bench.crash();
    assert!(exists(&mut bench));
    bench.run(2, attach("owner"));
    bench.run(2, Command::Resume { received: 0 });
    bench.run(2, leave(5));
    assert!(!exists(&mut bench));
    bench.run(2, create(5, NODE, DeleteOnClose));
    bench.run(2, Command::Detach);
    bench.pass_ms(Config::default().session_retention_ms);
    assert!(!exists(&mut bench));
}

/// Its numbers are promised: a session without links must be told every one of them again.
#[test]
fn what_is_out_of_a_deleted_address_is_delivered_again() {
    let mut bench = with_node(DeleteOnClose);
    bench.run(2, consume(NODE, 10));
    bench.run(2, consume("q", 10));
    bench.run(2, publish(1, &[NODE], "m1"));
    bench.run(2, publish(2, &["q"], "m2"));
    bench.run(1, leave(5));
    bench.crash();
    bench.run(3, attach("other"));
    bench.run(3, Command::Resume { received: 0 });
    assert_eq!(
        bench.told_to(3),
        ["attached taken=2 settled=0 sent=2", "deliver 1 wharf/dynamic/1 m1", "deliver 2 q m2"]
    );
    assert_eq!(bench.shard.statistics().addresses, 2);
    bench.run(3, settle(1, 2, Outcome::Rejected { detail: None }));
    bench.run(3, consume("wharf/dead-letter", 10));
    assert_eq!(
        bench.told_to(3),
        [
            "consuming wharf/dead-letter",
            "deliver 3 wharf/dead-letter m1 dead=rejected of=wharf/dynamic/1",
            "deliver 4 wharf/dead-letter m2 dead=rejected of=q",
        ]
    );
    assert_eq!(bench.shard.statistics().addresses, 2, "q and the dead letters");
}

#[test]
fn a_name_may_be_used_again_while_something_of_the_old_one_is_out() {
    let mut bench = with_node(DeleteOnClose);
    bench.run(2, consume(NODE, 10));
    bench.run(2, publish(1, &[NODE], "old"));
    bench.run(1, leave(5));
    bench.run(1, create(6, NODE, DeleteOnClose));
    bench.run(2, publish(2, &[NODE], "new"));
    bench.crash();
    bench.run(3, attach("other"));
    bench.run(3, Command::Resume { received: 0 });
    assert_eq!(bench.told_to(3)[1..], ["deliver 1 wharf/dynamic/1 old"]);
}

#[test]
fn creating_is_refused_with_a_reason() {
    let mut bench = with_node(DeleteOnClose);
    bench.run(2, create(6, NODE, DeleteOnClose));
    bench.run(2, create(6, "wharf/mine", DeleteOnClose));
    let pattern = "wharf/dynamic/*".to_owned();
    let receive = Permission { pattern, receive: true, ..Permission::default() };
    bench.define_user("alice", vec![receive]);
    bench.run(2, create(6, "wharf/dynamic/2", DeleteOnClose));
    bench.run(2, create(7, "elsewhere", DeleteOnClose));
    assert_eq!(
        bench.told_to(2),
        [
            "refused wharf/dynamic/1: the address exists already",
            "refused wharf/mine: not a valid address",
            "created 6",
            "refused elsewhere: not permitted",
        ]
    );
}

#[test]
fn a_link_that_is_named_anew_leaves_the_address_before() {
    let mut bench = with_node(DeleteOnNoLinks);
    bench.run(1, resolve(5, "q", None));
    assert_eq!(bench.told_to(1), ["resolved 5 Queue"]);
    assert!(!exists(&mut bench));
}

#[test]
fn a_session_may_have_so_many_senders() {
    let mut bench = Bench::new();
    bench.run(1, open("s"));
    let max = u32::try_from(wharf_broker::limits::SESSION_SENDERS_MAX).expect("it fits");
    for sender in 0..=max {
        bench.command(1, resolve(sender, "q", None));
    }
    bench.settle();
    assert_eq!(
        bench.told_to(1).last().map(String::as_str),
        Some("refused q: too many senders on this session")
    );
}
