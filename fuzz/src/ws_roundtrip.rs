//! One engine against the other: whatever is sent, and however it is cut on its way, comes out.

use crate::cuts::Cuts;
use crate::script::Script;
use crate::ws_link::{Link, Setup, Told};
use wharf_ws::{CloseCode, ClosedBy, MessageKind, Misuse, REASON_MAX_BYTES, Role};

/// What one script may put on the wire: enough for every form of length, short enough to be fast.
const WIRE_MAX_BYTES: usize = 256 << 10;

/// Reads `data` as what one side sends.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let mut setup = Setup::read(&mut script);
    setup.config.frame_size_max_bytes = 1 << 20;
    setup.config.message_size_max_bytes = 1 << 20;
    let choice = script.byte();
    let (from, to) =
        if choice & 1 == 0 { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
    let cuts = match choice >> 1 & 3 {
        0 => Cuts::Whole,
        1 => Cuts::Bytes,
        _ => Cuts::Random(u64::from(choice)),
    };
    let mut pair = Pair {
        near: setup.link(from),
        far: setup.link(to),
        expected: Vec::new(),
        cuts,
        reclaim: choice & 8 != 0,
        carried_bytes: 0,
    };
    while !script.is_empty() && pair.carried_bytes < WIRE_MAX_BYTES && pair.step(&mut script) {}
    pair.carry();
    assert_eq!(pair.far.told, pair.expected);
    pair.finish(&setup);
}

struct Pair {
    /// Who sends.
    near: Link,
    /// Who hears and answers.
    far: Link,
    expected: Vec<Told>,
    cuts: Cuts,
    reclaim: bool,
    carried_bytes: usize,
}

impl Pair {
    /// One thing is sent. `false` after a Close.
    fn step(&mut self, script: &mut Script<'_>) -> bool {
        match script.byte() % 8 {
            0 | 1 => {
                let (kind, payload) = read_message(script);
                let (head, tail) = payload.split_at(script.below(256).min(payload.len()));
                self.near.connection.send(kind, &[head, tail], &mut self.near.sent).expect("sent");
                self.expected.push(Told::Message(kind, payload));
            }
            2 | 3 => self.send_in_fragments(script),
            4 => self.ping(script),
            5 => {
                let (kind, payload) = read_message(script);
                let payload = payload.repeat(1 + script.below(256));
                self.near.connection.send(kind, &[&payload], &mut self.near.sent).expect("sent");
                self.expected.push(Told::Message(kind, payload));
            }
            6 => self.carry(),
            _ => return !self.close(script),
        }
        self.carried_bytes += self.near.sent.len();
        if self.near.sent.len() > 4096 {
            self.carry();
        }
        true
    }

    fn send_in_fragments(&mut self, script: &mut Script<'_>) {
        let (kind, payload) = read_message(script);
        self.near.connection.begin_message(kind).expect("no message is open");
        let mut rest = payload.as_slice();
        loop {
            let (fragment, after) = rest.split_at(script.below(256).min(rest.len()));
            rest = after;
            // An empty script would cut off nothing for ever.
            let last = script.is_empty() || (rest.is_empty() && script.flag());
            let parts = if last { vec![fragment, rest] } else { vec![fragment] };
            let sent = self.near.connection.send_fragment(&parts, last, &mut self.near.sent);
            sent.expect("a message is open");
            if last {
                break;
            }
            if script.flag() {
                self.ping(script);
            }
        }
        self.expected.push(Told::Message(kind, payload));
    }

    fn ping(&mut self, script: &mut Script<'_>) {
        let payload = script.piece();
        match self.near.connection.ping(payload) {
            Ok(()) => {
                self.near.connection.poll_transmit(&mut self.near.sent, usize::MAX);
                self.expected.push(Told::Ping(payload.to_vec()));
            }
            Err(misuse) => assert!(misuse == Misuse::PingTooLong && payload.len() > 125),
        }
    }

    /// `true` if the connection is closing now.
    fn close(&mut self, script: &mut Script<'_>) -> bool {
        let (code, reason) = (CloseCode::new(script.int16()), script.text());
        match self.near.connection.close(code, &reason) {
            Ok(()) => {}
            Err(Misuse::CloseCode(_)) => {
                assert!(!code.may_be_sent_by(self.near.connection.role()));
                return false;
            }
            Err(misuse) => {
                assert_eq!(misuse, Misuse::CloseReason);
                assert!(reason.len() > REASON_MAX_BYTES || code == CloseCode::NO_CODE);
                return false;
            }
        }
        let refused = self.near.connection.send(MessageKind::Binary, &[b"late"], &mut vec![]);
        assert_eq!(refused, Err(Misuse::Closed));
        true
    }

    /// What was sent arrives.
    fn carry(&mut self) {
        let wire = self.near.take_sent();
        self.far.read(&wire, self.cuts, self.reclaim);
        let ends = matches!(self.far.told.last(), Some(Told::Closed(_)));
        if ends && let Some(Told::Closed(closed)) = self.far.told.last() {
            assert!(closed.by == ClosedBy::Peer && closed.clean, "{closed:?}");
            self.expected.push(Told::Closed(closed.clone()));
        }
    }

    /// The answers arrive: a Pong for every Ping, and the Close.
    fn finish(mut self, setup: &Setup) {
        let is_closing = !self.near.connection.is_open();
        let answers = self.far.take_sent();
        self.near.read(&answers, self.cuts, self.reclaim);
        let pongs: Vec<&Vec<u8>> = pings(&self.expected).collect();
        let answered = self.near.told.iter().filter_map(|told| match told {
            Told::Pong(payload) => Some(payload),
            _ => None,
        });
        assert_eq!(answered.collect::<Vec<_>>(), pongs);
        assert_eq!(self.near.told.len(), pongs.len() + usize::from(is_closing));
        if is_closing {
            let Some(Told::Closed(closed)) = self.near.told.last() else { panic!("not closed") };
            assert!(closed.by == ClosedBy::Us && closed.clean, "{closed:?}");
            let Some(Told::Closed(theirs)) = self.expected.last() else { panic!("not closed") };
            assert_eq!(closed.code, theirs.code.for_version(setup.agreement.version));
        }
        self.near.end();
        self.far.end();
    }
}

fn pings(told: &[Told]) -> impl Iterator<Item = &Vec<u8>> {
    told.iter().filter_map(|told| match told {
        Told::Ping(payload) => Some(payload),
        _ => None,
    })
}

fn read_message(script: &mut Script<'_>) -> (MessageKind, Vec<u8>) {
    match script.flag() {
        false => (MessageKind::Binary, script.piece().to_vec()),
        true => (MessageKind::Text, script.text().into_bytes()),
    }
}
