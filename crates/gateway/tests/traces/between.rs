//! MBWS and AMQP clients on the same addresses: `docs/protocols/mapping.md` on the wire.

use crate::wire::{Wire, message};
use wharf_amqp::codec::Composite;
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::messaging::{
    DeliveryState, MessageId, Modified, Properties, append_application_properties, append_data,
    append_value,
};
use wharf_amqp::value::Value;
use wharf_gateway::Config;
use wharf_ws::MessageKind;

/// Client 1 speaks MBWS and consumes `down`; client 2 speaks AMQP and consumes `up`.
fn both() -> Wire {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=down");
    wire.say(1, "1 0 0 ");
    wire.heard(1);
    wire.amqp(2);
    wire.receiver(2, "up", "up", 100);
    wire
}

#[test]
fn from_mbws_to_amqp() {
    let mut wire = both();
    wire.say(1, "3 1 2 up10 text/plain1 1 k1 vhello");
    wire.send(1, MessageKind::Binary, b"\x03\x01\x02up\x00\x00\xff");
    wire.say(1, "3 1 2 up0 2 1 k1 v1 k1 w");
    assert_eq!(
        wire.heard(2),
        [
            "up #0 hello",
            "up #1 data ff",
            "up #2  x-opt-mbws-properties=List([String(\"k\"), String(\"v\"), String(\"k\"), String(\"w\")])"
        ]
    );
    assert_eq!(wire.heard(1), ["2 1 ", "2 2 ", "2 3 "]);
}

#[test]
fn from_amqp_to_mbws() {
    let mut wire = both();
    let down = wire.sender(2, "down", "down");
    wire.publish(2, down, &message("hello"));
    let mut octets = Vec::new();
    Properties {
        message_id: Some(MessageId::Ulong(7)),
        to: Some("down".to_owned()),
        content_type: Some("a/b".to_owned()),
        ..Properties::default()
    }
    .encode(&mut octets);
    append_application_properties(&mut octets, &vec![("n".to_owned(), Value::Int(-1))]);
    append_data(&mut octets, b"\xff");
    wire.publish(2, down, &octets);
    let mut list = Vec::new();
    append_value(&mut list, &Value::List(Vec::new()));
    wire.publish(2, down, &list);
    let properties: [&[u8]; 4] = [b"\x0amessage-id", b"\x07ulong:7", b"\x01n", b"\x02-1"];
    let typed = [&b"\x03\x01\x04down\x03a/b\x02"[..], &properties.concat(), b"\xff"].concat();
    let body = [&b"\x03\x01\x04down\x17application/x-amqp-body\0"[..], &list].concat();
    assert_eq!(wire.heard(1), ["3 1 4 down0 0 hello".to_owned(), hex(&typed), hex(&body)]);
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What cannot be taken apart has a form too, so the numbers go on.
#[test]
fn the_numbers_of_mbws_have_no_gaps() {
    let mut wire = both();
    let down = wire.sender(2, "down", "down");
    wire.publish(2, down, &message("a"));
    // A uint where `message-id` is none.
    wire.publish(2, down, b"\0Ss\xc0\x03\x01\x52\x07\0Sw@");
    wire.publish(2, down, &message("b"));
    let heard = wire.heard(1);
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert_eq!((&*heard[0], &*heard[2]), ("3 1 4 down0 0 a", "3 1 4 down0 0 b"));
    assert!(heard[1].starts_with(&hex(b"\x03\x01\x04down\x1aapplication/x-amqp-message\0")));
    wire.say(1, "2 3 ");
    wire.publish(2, down, &message("c"));
    assert_eq!(wire.heard(1), ["3 1 4 down0 0 c"]);
}

/// MBWS-040: what was not acknowledged comes again under the same numbers, in the same form.
#[test]
fn an_mbws_client_recovers_what_amqp_sent() {
    let mut wire = both();
    let name = format!("urn:uuid:01010101-0101-4101-8101-{}", "01".repeat(6));
    let down = wire.sender(2, "down", "down");
    for text in ["a", "b", "c"] {
        wire.publish(2, down, &message(text));
    }
    assert_eq!(wire.heard(1).len(), 3);
    wire.cut(1);
    wire.connect(3);
    wire.say(3, &format!("1 45 {name}3 1 1 0 "));
    assert_eq!(
        wire.heard(3),
        [format!("1 45 {name}1 0 "), "3 1 4 down0 0 b".to_owned(), "3 1 4 down0 0 c".to_owned()]
    );
}

#[test]
fn what_amqp_rejects_says_why_to_mbws() {
    let mut wire = both();
    wire.connect_as(3, "alice", None, "MBWS.huawei.com", "address=wharf%2Fdead-letter");
    wire.say(3, "1 0 0 ");
    wire.heard(3);
    wire.say(1, "3 1 2 up0 1 1 k1 vhello");
    let error = Error::new(Condition::DecodeError, "no JSON");
    wire.dispose(2, 0, DeliveryState::rejected(error));
    assert_eq!(
        wire.heard(3),
        [
            "3 1 17 wharf/dead-letter0 4 1 k1 v18 wharf-death-reason8 rejected19 wharf-death-address2 \
          up18 wharf-death-detail25 amqp:decode-error no JSONhello"
        ]
    );
}

/// A message that AMQP clients gave back arrives as it was sent; its count is not for MBWS.
#[test]
fn what_amqp_modifies_is_unchanged_for_mbws() {
    let mut wire = both();
    wire.say(1, "3 1 2 up0 1 1 k1 vhello");
    let annotations = vec![("x-opt-a".to_owned(), Value::from("1"))];
    let modified = Modified {
        delivery_failed: Some(true),
        undeliverable_here: Some(true),
        message_annotations: annotations,
    };
    wire.dispose(2, 0, DeliveryState::Modified(Box::new(modified)));
    wire.connect_as(3, "alice", None, "MBWS.huawei.com", "address=up");
    wire.say(3, "1 0 0 ");
    assert_eq!(wire.heard(3).split_off(1), ["3 1 2 up0 1 1 k1 vhello"]);
    wire.cut(3);
}

#[test]
fn a_dead_letter_of_mbws_says_why_to_amqp() {
    let mut wire = both();
    wire.receiver(2, "dead", "wharf/dead-letter", 10);
    wire.say(1, "3 0 0 0 lost");
    let died = "x-opt-wharf-death-reason=no-address x-opt-wharf-death-address=";
    assert_eq!(wire.heard(2), [format!("dead #0 lost {died}")]);
}

/// A topic gives each its form.
#[test]
fn a_topic_of_both() {
    let mut wire = Wire::new(Config::default());
    wire.connect_as(1, "alice", None, "MBWS.huawei.com", "address=topic%2Fnews");
    wire.say(1, "1 0 0 ");
    wire.heard(1);
    wire.amqp(2);
    wire.receiver(2, "in", "topic/news", 10);
    let out = wire.sender(2, "out", "topic/news");
    wire.publish(2, out, &message("a"));
    wire.say(1, "3 1 10 topic/news0 0 b");
    assert_eq!(wire.heard(2), ["out 1 accepted", "in #0 a", "in #1 b"]);
    assert_eq!(wire.heard(1), ["3 1 10 topic/news0 0 a", "3 1 10 topic/news0 0 b", "2 1 "]);
}
