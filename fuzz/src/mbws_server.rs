//! A server's session: frames of a client and commands of a broker, in any order.

use crate::mbws_script::{KINDS, Said, Sent, TINY, UNITS, read_frame};
use crate::script::Script;
use wharf_mbws::recovery::{Claim, LedgerView, Verdict, judge};
use wharf_mbws::server::{Connection, Event};
use wharf_mbws::{Flavour, Kind, Limits, Misuse, NUMBER_MAX, encode_content};

/// Reads `data` as what happens to a session.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let flavour = if choice & 1 == 0 { Flavour::Full } else { Flavour::Light };
    let unit = UNITS[usize::from(choice >> 1) % 3];
    let limits = if choice & 0x80 == 0 { Limits::default() } else { TINY };
    let mut session = Session {
        engine: Connection::new(flavour, unit, limits),
        sent: Sent::new(unit),
        asked: None,
        received: 0,
        acked: 0,
        delivered: 0,
        ever_sent: 0,
    };
    while !script.is_empty() {
        if !session.step(&mut script) {
            break;
        }
        session.check_sent();
    }
}

/// What the client asked and nobody has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Open,
    Reopen(String, Claim),
}

/// The engine, and what is known of it from outside.
struct Session {
    engine: Connection,
    sent: Sent,
    asked: Option<Asked>,
    received: u64,
    acked: u64,
    delivered: u64,
    ever_sent: u64,
}

impl Session {
    /// One thing happens. `false` when the session has failed.
    fn step(&mut self, script: &mut Script<'_>) -> bool {
        match script.byte() % 8 {
            0 => {
                let kind = script.one_of(&KINDS);
                return self.hear(kind, script.piece());
            }
            1 | 2 => {
                let (kind, said) = (script.one_of(&KINDS), read_frame(script));
                let frame = said.encode(kind, self.engine.unit());
                return frame.is_none_or(|frame| self.hear(kind, &frame));
            }
            3 => self.accept_open(&script.text()),
            4 => self.accept_reopen(script),
            5 => self.refuse(&script.text()),
            6 => {
                let up_to = script.number();
                let told = self.engine.acknowledge(up_to, &mut self.sent);
                let fits = self.engine.is_open() && up_to <= self.received;
                assert_eq!(told.is_ok(), fits, "{told:?}");
            }
            _ => self.deliver(script),
        }
        true
    }

    fn hear(&mut self, kind: Kind, payload: &[u8]) -> bool {
        let was_open = self.engine.is_open();
        match self.engine.handle_message(kind, payload) {
            Event::Open => {
                assert_eq!(self.asked.replace(Asked::Open), None);
            }
            Event::Reopen { name, claim } => {
                assert!(!name.is_empty());
                assert_eq!(self.asked.replace(Asked::Reopen(name.to_owned(), claim)), None);
            }
            Event::Message { seq, kind: told, message } => {
                assert!(was_open && told == kind);
                assert_eq!(seq, self.received + 1);
                self.received = seq;
                assert!(message.addresses.iter().count() == message.addresses.count());
            }
            Event::Acknowledged { up_to } => {
                assert!(was_open && up_to > self.acked && up_to <= self.ever_sent);
                self.acked = up_to;
            }
            Event::Ignored => {}
            Event::Violated(violation) => {
                assert!(violation.reason().len() <= 123);
                return false;
            }
        }
        assert_eq!(self.engine.received(), self.received);
        true
    }

    fn accept_open(&mut self, name: &str) {
        let answered = self.engine.accept_open(name, &mut self.sent);
        match &self.asked {
            Some(Asked::Open) if !name.is_empty() && answered.is_ok() => self.start(),
            Some(Asked::Open) => assert_eq!(answered, Err(Misuse::NameEmpty)),
            _ => assert_eq!(answered, Err(Misuse::NothingAsked)),
        }
    }

    fn refuse(&mut self, name: &str) {
        let answered = self.engine.refuse(name, &mut self.sent);
        match &self.asked {
            Some(Asked::Reopen(old, _)) if old == name => {
                assert_eq!(answered, Err(Misuse::NameNotNew));
            }
            Some(Asked::Reopen(..)) if name.is_empty() => {
                assert_eq!(answered, Err(Misuse::NameEmpty));
            }
            Some(Asked::Reopen(..)) => {
                assert_eq!(answered, Ok(()));
                self.start();
            }
            _ => assert_eq!(answered, Err(Misuse::NothingAsked)),
        }
    }

    fn accept_reopen(&mut self, script: &mut Script<'_>) {
        let number = |script: &mut Script<'_>| script.number().min(NUMBER_MAX);
        let (taken, acked) = (number(script), number(script));
        let sent = (acked + u64::from(script.byte())).min(NUMBER_MAX);
        let ledger = LedgerView { taken, acked, sent };
        let answered = self.engine.accept_reopen(&ledger, &mut self.sent);
        let Some(Asked::Reopen(_, claim)) = &self.asked else {
            return assert_eq!(answered, Err(Misuse::NothingAsked));
        };
        match judge(claim, &ledger) {
            Verdict::Refuse(_) => assert_eq!(answered, Err(Misuse::LedgerMismatch)),
            Verdict::Resume { resume_with, sslr } => {
                assert_eq!(answered, Ok(()));
                assert_eq!((resume_with, sslr), (claim.cslr + 1, taken));
                (self.received, self.acked, self.delivered) = (taken, claim.cslr, claim.cslr);
                self.ever_sent = sent;
                self.asked = None;
            }
        }
    }

    fn start(&mut self) {
        self.asked = None;
        assert!(self.engine.is_open());
    }

    fn deliver(&mut self, script: &mut Script<'_>) {
        let (kind, address) = (script.one_of(&KINDS), script.text());
        let body = script.piece();
        let mut content = Vec::new();
        let properties = [("p", "ä𝄞")].into_iter();
        let unit = self.engine.unit();
        if encode_content(kind, unit, "", properties, body, &mut content).is_err() {
            return;
        }
        match self.engine.deliver(kind, &address, &content, &mut self.sent) {
            Ok(seq) => {
                assert_eq!(seq, self.delivered + 1);
                self.delivered = seq;
                self.ever_sent = self.ever_sent.max(seq);
            }
            Err(Misuse::NotOpen) => assert!(!self.engine.is_open()),
            Err(misuse) => assert_eq!(misuse, Misuse::SequenceExhausted),
        }
    }

    fn check_sent(&mut self) {
        for said in self.sent.take() {
            // MBWS-060, MBWS-062: the light flavour has messages alone.
            let is_message = matches!(said, Said::Message { .. });
            assert!(is_message || self.engine.flavour() == Flavour::Full, "{said:?}");
            if let Said::Message { addresses, .. } = said {
                assert_eq!(addresses.len(), 1);
            }
        }
    }
}
