//! A client's connection: frames of a server, commands of an application, lost sessions and
//! restarts, in any order.

use crate::mbws_script::{KINDS, Said, Sent, TINY, UNITS, read_frame};
use crate::script::Script;
use wharf_mbws::client::{Connection, Event, Options, SendRefused};
use wharf_mbws::{Flavour, Kind, Limits, Misuse, WindowLimits};

/// Reads `data` as what happens to a connection.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let options = Options {
        flavour: if choice & 1 == 0 { Flavour::Full } else { Flavour::Light },
        kind: KINDS[usize::from(choice >> 1 & 1)],
        unit: UNITS[usize::from(choice >> 2) % 3],
        limits: if choice & 0x80 == 0 { Limits::default() } else { TINY },
        window: WindowLimits { messages_max: 3, size_max_bytes: 200 },
    };
    // Arbitrary octets are refused or are a connection, which is then saved as it was read.
    if choice & 0x40 != 0 {
        return restore(options, script.rest());
    }
    let mut client = Client {
        engine: Connection::new(options),
        options,
        sent: Sent::new(options.unit),
        acked: 0,
        kept: 0,
        handed: 0,
    };
    while !script.is_empty() {
        client.step(&mut script);
        client.check();
    }
}

fn restore(options: Options, saved: &[u8]) {
    let Ok(connection) = Connection::restore(options, saved) else { return };
    let (mut again, mut third) = (Vec::new(), Vec::new());
    connection.save(&mut again);
    let restored = Connection::restore(options, &again).expect("saved just now");
    restored.save(&mut third);
    assert_eq!(again, third);
}

/// The engine, and what is known of it from outside.
struct Client {
    engine: Connection,
    options: Options,
    sent: Sent,
    acked: u64,
    /// Messages kept until acknowledged.
    kept: u64,
    /// The last message given to the application.
    handed: u64,
}

impl Client {
    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 12 {
            0 => {
                let kind = script.one_of(&KINDS);
                self.hear(kind, script.piece());
            }
            1 | 2 => {
                let (kind, said) = (script.one_of(&KINDS), read_frame(script));
                self.hear_said(kind, &said);
            }
            3 => {
                let (kind, number) = (script.one_of(&KINDS), script.number());
                let name = self.engine.name().unwrap_or("urn:ä").to_owned();
                let numbers = if script.flag() { vec![number] } else { vec![] };
                self.hear_said(kind, &Said::Connect { name, numbers });
            }
            4 | 5 => self.send(script),
            6 => match self.engine.connect(&mut self.sent) {
                Ok(()) => {}
                Err(Misuse::StillRecoverable) => assert!(self.engine.name().is_some()),
                Err(misuse) => assert_eq!(misuse, Misuse::AlreadyAsked),
            },
            7 => match self.engine.reconnect(&mut self.sent) {
                Ok(()) => {}
                Err(Misuse::NothingToRecover) => assert_eq!(self.engine.name(), None),
                Err(misuse) => assert_eq!(misuse, Misuse::AlreadyAsked),
            },
            8 => {
                self.engine.session_lost();
                if self.options.flavour == Flavour::Light {
                    self.forget();
                }
            }
            9 => {
                let up_to = script.number();
                let taken = self.engine.acknowledge(up_to, &mut self.sent);
                assert_eq!(taken.is_ok(), up_to <= self.handed, "{taken:?}");
            }
            10 => self.restart(),
            _ => {
                assert_eq!(self.engine.give_up().len() as u64, self.kept);
                self.forget();
            }
        }
    }

    fn hear_said(&mut self, kind: Kind, said: &Said) {
        if let Some(frame) = said.encode(kind, self.options.unit) {
            self.hear(kind, &frame);
        }
    }

    fn hear(&mut self, kind: Kind, payload: &[u8]) {
        match self.engine.handle_message(kind, payload, &mut self.sent) {
            Event::Opened { name } => {
                assert!(!name.is_empty());
                self.handed = 0;
            }
            Event::Resumed { acknowledged, resent } => {
                self.acknowledged(acknowledged);
                assert_eq!(resent as u64, self.kept);
            }
            Event::Refused { name, unacknowledged } => {
                assert!(!name.is_empty());
                assert_eq!(unacknowledged.len() as u64, self.kept);
                self.forget();
                for message in unacknowledged {
                    let again = self.engine.send_again(message, &mut self.sent);
                    self.count_sent(again);
                }
            }
            Event::Delivered { seq, message, .. } => {
                assert_eq!(seq, self.handed + 1);
                assert_eq!(message.addresses.count(), 1);
                self.handed = seq;
            }
            Event::Repeated { seq } => assert!(seq <= self.handed),
            Event::Acknowledged { up_to } => {
                assert!(up_to > self.acked);
                self.acknowledged(up_to);
            }
            Event::Ignored => {}
            Event::Violated(_) => {
                self.engine.session_lost();
                if self.options.flavour == Flavour::Light {
                    self.forget();
                }
            }
        }
    }

    fn acknowledged(&mut self, up_to: u64) {
        assert!(up_to >= self.acked && up_to - self.acked <= self.kept);
        self.kept -= up_to - self.acked;
        self.acked = up_to;
    }

    fn forget(&mut self) {
        (self.acked, self.kept, self.handed) = (0, 0, 0);
    }

    fn send(&mut self, script: &mut Script<'_>) {
        let kind = script.one_of(&KINDS);
        let (to, count, body) = (script.text(), script.below(5), script.piece());
        let addresses = vec![to.as_str(); count];
        let properties = [("p", "ä𝄞")].into_iter();
        let sent = self.engine.send(kind, &addresses, "t", properties, body, &mut self.sent);
        match sent {
            Err(SendRefused::NotRepresentable) => {
                assert!(kind == Kind::Text && std::str::from_utf8(body).is_err());
            }
            other => self.count_sent(other),
        }
    }

    fn count_sent(&mut self, sent: Result<u64, SendRefused>) {
        match (sent, self.options.flavour) {
            (Ok(seq), Flavour::Full) => {
                self.kept += 1;
                assert_eq!(seq, self.acked + self.kept);
            }
            (Ok(seq), Flavour::Light) => {
                self.acked += 1;
                assert_eq!(seq, self.acked);
            }
            (Err(SendRefused::WindowFull), _) => assert!(self.kept > 0),
            (Err(SendRefused::NotConnected), _) => assert!(!self.engine.is_open()),
            (Err(refused), _) => assert_eq!(refused, SendRefused::SequenceExhausted),
        }
    }

    /// The process is started again from what it saved. MBLWS has nothing to save.
    fn restart(&mut self) {
        if self.options.flavour == Flavour::Light {
            return;
        }
        let (mut saved, mut again) = (Vec::new(), Vec::new());
        self.engine.save(&mut saved);
        self.engine = Connection::restore(self.options, &saved).expect("saved just now");
        self.engine.save(&mut again);
        assert_eq!(saved, again);
        // What the application had not taken is delivered again.
        let taken = (0..=self.handed).rev();
        let known = |up_to: &u64| self.engine.acknowledge(*up_to, &mut self.sent).is_ok();
        self.handed = taken.clone().find(known).unwrap_or(0);
    }

    fn check(&mut self) {
        assert_eq!(self.engine.unacknowledged() as u64, self.kept);
        assert!(self.kept <= 3);
        for said in self.sent.take() {
            let is_message = matches!(said, Said::Message { .. });
            assert!(is_message || self.options.flavour == Flavour::Full, "{said:?}");
        }
    }
}
