//! A stream at a server: messages of a client and answers of a caller, in any order. Whatever is
//! said is XML by itself, nothing is said after `<close/>`, numbers follow each other.

use crate::script::Script;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_sasl::server::{Answer, Question, Settings};
use wharf_sasl::{ChannelBinding, Hash, Mechanism, Nonce, ScramKeys};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::ns;
use wharf_xmpp::server::{Config, Connection, Enabled, Event, Offer};
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::stream::{Backlog, Due, Input, Ledger};
use wharf_xmpp::xml::parse;

/// What a client may say; `$` is replaced by data.
const MESSAGES: [&str; 24] = [
    "$",
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' version='1.0'/>",
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' from='$' version='1.0'/>",
    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHRpbQBzZWNyZXQ=</auth>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='$'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj10aW0scj1h</auth>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>$</response>",
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response><resume xmlns='urn:xmpp:sm:3' previd='s' h='2'/><bind xmlns='urn:xmpp:bind:0'><tag>$</tag><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind></authenticate>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response>$</authenticate>",
    "<response xmlns='urn:xmpp:sasl:2'>$</response>",
    "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>$</resource></bind></iq>",
    "<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
    "<resume xmlns='urn:xmpp:sm:3' previd='s' h='$'/>",
    "<resume xmlns='urn:xmpp:sm:3' previd='s' h='2'/>",
    "<r xmlns='urn:xmpp:sm:3'/>",
    "<a xmlns='urn:xmpp:sm:3' h='$'/>",
    "<inactive xmlns='urn:xmpp:csi:0'/>",
    "<iq xmlns='jabber:client' type='get' id='$'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<message xmlns='jabber:client' to='$'><body>$</body></message>",
    "<presence xmlns='jabber:client'/>",
    "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:register'/></iq>",
];

/// Reads `data` as what happens to a stream.
pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let mut config = Config::new("a.example");
    config.stream_management = choice & 1 == 0;
    config.carbons = choice & 2 == 0;
    config.pacing.ping_after = (choice & 4 == 0).then(|| Duration::from_secs(10));
    let now = Instant::now();
    let mut stream = Stream {
        engine: Connection::new(Arc::new(config), choice & 8 == 0, [choice; 32]),
        offer: offer(choice & 16 == 0),
        backlog: Backlog::default(),
        received: 0,
        sent: 0,
        closing: false,
        closed: false,
        now,
    };
    while !script.is_empty() && !stream.closed {
        stream.step(&mut script);
    }
}

fn offer(sasl2: bool) -> Offer {
    let mut settings = Settings::new(Nonce::from_seed(&[1; 32]), [2; 32]);
    settings.channel_bindings = vec![ChannelBinding::tls_exporter([3; 32])];
    let mechanisms = vec![
        Mechanism::Scram(Hash::Sha1),
        Mechanism::Plain,
        Mechanism::Anonymous,
        Mechanism::External,
    ];
    Offer { mechanisms, settings, sasl2, registration: sasl2 }
}

struct Stream {
    engine: Connection,
    offer: Offer,
    backlog: Backlog,
    received: u64,
    sent: u64,
    /// It has said `<close/>`.
    closing: bool,
    closed: bool,
    now: Instant,
}

impl Stream {
    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 => self.poll(&mut Input::binary()),
            1 => self.engine.handle_transport_closed(),
            2 => {
                self.now += Duration::from_secs(u64::from(script.byte()));
                if self.engine.poll_timeout().is_some_and(|due| self.is_due(due)) {
                    self.engine.handle_timeout(self.now);
                }
            }
            3 => {
                let _ = self.engine.close(None);
            }
            4 => {
                let _ = self.engine.redirect(&script.text());
            }
            5 => {
                if let Ok(Some(seq)) = self.engine.send(&[b"<message xmlns='jabber:client'/>"]) {
                    assert_eq!(seq, self.sent + 1);
                    self.sent = seq;
                }
            }
            6 => {
                let fits = self.engine.acknowledge(script.number());
                assert!(fits.is_ok() || self.engine.ledger().is_some());
            }
            _ => {
                let message = script.one_of(&MESSAGES);
                let message = message.replace('$', &script.text());
                self.hear(message.as_bytes());
            }
        }
        self.poll(&mut Input::empty());
        self.answer(script);
        self.check_said();
    }

    fn is_due(&self, due: Due) -> bool {
        match due {
            Due::Now => true,
            Due::At(at) => at <= self.now,
        }
    }

    fn hear(&mut self, message: &[u8]) {
        if self.backlog.is_empty() {
            let mut input = Input::text(message);
            self.poll(&mut input);
            if input.is_empty() {
                return;
            }
        }
        if !self.backlog.push(message, self.engine.kept_max_bytes()) {
            self.engine.overflow();
        }
    }

    /// One of the answers that a caller might give, fitting or not.
    fn answer(&mut self, script: &mut Script<'_>) {
        let engine = &mut self.engine;
        let condition = StanzaCondition::ItemNotFound;
        let ledger = Ledger { taken: 5, sent: 4, acked: 1 };
        let _ = match script.byte() % 12 {
            0..=3 => engine.accept("a.example", self.offer.clone()),
            4 => engine.answer(Answer::Is { user: "tim".to_owned() }),
            5 => {
                let keys = ScramKeys::derive(Hash::Sha1, "pencil", b"salt", 4096).expect("keys");
                engine.answer(Answer::Keys(keys))
            }
            6 => engine.answer(Answer::Refused),
            7 => engine.bind(&script.text(), b""),
            8 => {
                let jid = Jid::parse("tim@a.example/r").expect("an address");
                let resumed = engine.resume(&jid, &ledger);
                if resumed.is_ok() {
                    let told = engine.ledger().expect("a ledger");
                    (self.received, self.sent) = (told.taken, told.acked);
                }
                resumed
            }
            9 => engine.enable(Enabled { id: Some("s"), ..Enabled::default() }),
            10 => engine.refuse_bind(condition).or(engine.refuse_enable(condition)),
            _ => engine.refuse_resume(condition, Some(7)),
        };
        while let Some(kept) = self.backlog.pop() {
            let mut input = Input::text(&kept);
            self.poll(&mut input);
            if !input.is_empty() {
                self.backlog.put_back(kept);
                break;
            }
        }
        self.poll(&mut Input::empty());
    }

    fn poll(&mut self, input: &mut Input<'_>) {
        while let Some(event) = self.engine.poll_event(input) {
            assert!(!self.closed, "{event:?} after the end");
            match event {
                Event::Stanza(received) => {
                    if let Some(seq) = received.seq {
                        assert_eq!(seq, self.received + 1);
                        self.received = seq;
                    }
                    assert!(self.engine.jid().is_some_and(|jid| !jid.is_bare()));
                }
                Event::Handled { up_to } => assert!(up_to <= self.sent),
                Event::Question(Question::Authorize { .. }) => panic!("answered by the engine"),
                Event::Closed(_) => self.closed = true,
                _ => {}
            }
        }
    }

    fn check_said(&mut self) {
        let mut out = Vec::new();
        while self.engine.poll_transmit(&mut out) > 0 {
            let said = String::from_utf8(std::mem::take(&mut out)).expect("text");
            assert!(!self.closing, "{said} after <close/>");
            let element = parse(&said, &XmlLimits::NONE).expect("XML");
            assert!(!element.namespace().is_empty(), "{said}");
            self.closing = element.is("close", ns::FRAMING);
        }
    }
}
