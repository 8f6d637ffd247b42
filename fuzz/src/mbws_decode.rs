//! Frames: whatever is read means the same when it is written again, in either kind and every
//! unit (MBWS-100, MBWS-A01).

use crate::mbws_script::{KINDS, Said, SaidContent, TINY, UNITS, UNLIMITED};
use crate::script::Script;
use wharf_mbws::{Content, Frame, Kind, Limits, content_from_stored, convert, decode};

/// Reads the first byte as kind, unit and limits, the rest as one WebSocket message.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let (kind, unit) = (KINDS[usize::from(choice & 1)], UNITS[usize::from(choice >> 1) % 3]);
    let limits = if choice & 0x80 == 0 { Limits::default() } else { TINY };
    let frame = match decode(kind, unit, script.rest(), &limits) {
        Ok(frame) => frame,
        Err(violation) => {
            assert!(matches!(violation.close_code(), 1002 | 1007 | 1009));
            assert!(violation.reason().len() <= 123);
            return;
        }
    };
    let Some(said) = Said::of(&frame) else {
        assert!(matches!(frame, Frame::Connect { numbers, .. } if numbers.count() > 3));
        return;
    };
    let shortest = said.encode(kind, unit).expect("it was this kind");
    assert!(shortest.len() <= script.rest().len(), "written as short as it can be");
    for kind in KINDS {
        for unit in UNITS {
            let Some(written) = said.encode(kind, unit) else {
                assert!(kind == Kind::Text, "binary carries everything");
                continue;
            };
            let again = decode(kind, unit, &written, &UNLIMITED).expect("what was written");
            assert_eq!(Said::of(&again), Some(said.clone()), "{kind:?} {unit:?}");
        }
    }
    if let Frame::Message(message) = &frame {
        check_content(&message.content);
        assert!(message.addresses.destinations().count() <= message.addresses.count());
    }
}

/// What is stored is what came, and converts to anything that can carry it.
fn check_content(content: &Content<'_>) {
    let said = SaidContent::of(content);
    let stored = content_from_stored(content.kind(), content.unit(), content.raw());
    assert_eq!(SaidContent::of(&stored.expect("it was read before")), said);
    for kind in KINDS {
        for unit in UNITS {
            let mut out = b"before".to_vec();
            if convert(content, kind, unit, &mut out).is_err() {
                assert!(kind == Kind::Text && std::str::from_utf8(content.body()).is_err());
                assert_eq!(out, b"before", "nothing was appended");
                continue;
            }
            let converted = content_from_stored(kind, unit, &out["before".len()..]);
            assert_eq!(SaidContent::of(&converted.expect("converted")), said, "{kind:?} {unit:?}");
        }
    }
}
