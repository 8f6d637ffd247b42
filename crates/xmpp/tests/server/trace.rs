//! A stream as a script.
//!
//! Each line of a script is one of:
//! - `C: xml`: the client says it.
//! - `S: xml`: the server has said it next. Stream errors are `error CONDITION`; identifiers of
//!   streams are `*`.
//! - `E: event`: the next event, as [`show`] has it.
//! - `A: command`: the caller answers, or commands.
//! - `T: seconds`: time passes, second by second.
//! - `X: what`: something happens to the WebSocket: `binary`, `gone`.
//!
//! At the end of a script nothing may be left, neither output nor events. `$words` stand for what
//! is said often.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_sasl::server::{Answer, Question, Settings};
use wharf_sasl::{Mechanism, Nonce};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::server::{Config, Connection, Enabled, Event, Offer};
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::stream::{Backlog, Due, Input, Ledger};
use wharf_xmpp::xml::parse;
use wharf_xmpp::{StreamCondition, StreamError, limits::XmlLimits};

const WORDS: [(&str, &str); 10] = [
    (
        "$opened",
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' id='*' xml:lang='en' version='1.0'/>",
    ),
    ("$open", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'/>"),
    ("$close", "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />"),
    (
        "$logins",
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>",
    ),
    (
        "$features",
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/></stream:features>",
    ),
    (
        "$plain",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHRpbQBzZWNyZXQ=</auth>",
    ),
    ("$success", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    (
        "$failed",
        "<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
    ),
    ("$r", "<r xmlns='urn:xmpp:sm:3'/>"),
    ("$ping", "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"),
];

/// From the beginning to a bound resource.
pub(crate) const LOGIN: &str = "
    C: $open
    E: opening to=example.com
    A: accept
    S: $opened
    S: $logins
    C: $plain
    E: question password tim secret
    A: is tim
    S: $success
    E: authenticated tim tim@example.com PLAIN
    C: $open
    S: $opened
    S: $features";

pub(crate) const BIND: &str = "
    C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>pc</resource></bind></iq>
    E: bind wanted=pc
    A: bind pc
    S: <iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/pc</jid></bind></iq>";

pub(crate) const ENABLE: &str = "
    C: <enable xmlns='urn:xmpp:sm:3' resume='true' max='60'/>
    E: enable resume max=60
    A: enable s1 300
    S: <enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true' max='300'/>";

pub(crate) struct Trace {
    pub(crate) us: Connection,
    offer: Offer,
    said: VecDeque<String>,
    events: VecDeque<String>,
    backlog: Backlog,
    now: Instant,
    /// The resource that was made up last.
    pub(crate) generated: String,
}

pub(crate) fn config() -> Config {
    Config::new("example.com")
}

pub(crate) fn offer() -> Offer {
    let mut settings = Settings::new(Nonce::from_seed(&[1; 32]), [2; 32]);
    settings.absent_is_empty = false;
    Offer {
        mechanisms: vec![
            Mechanism::Scram(wharf_sasl::Hash::Sha256),
            Mechanism::Plain,
            Mechanism::Anonymous,
        ],
        settings,
        sasl2: false,
        registration: false,
    }
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self::with(config(), offer())
    }

    pub(crate) fn with(config: Config, offer: Offer) -> Self {
        Self::on(config, offer, true)
    }

    pub(crate) fn on_plain_channel(config: Config, offer: Offer) -> Self {
        Self::on(config, offer, false)
    }

    fn on(config: Config, offer: Offer, secure: bool) -> Self {
        let now = Instant::now();
        let mut us = Connection::new(Arc::new(config), secure, [7; 32]);
        us.handle_timeout(now);
        Self {
            us,
            offer,
            said: VecDeque::new(),
            events: VecDeque::new(),
            backlog: Backlog::default(),
            now,
            generated: String::new(),
        }
    }

    /// A stream that has got as far as these scripts.
    pub(crate) fn after(scripts: &[&str]) -> Self {
        let mut trace = Self::new();
        for script in scripts {
            trace.play(script);
        }
        trace
    }

    pub(crate) fn play(&mut self, script: &str) -> &mut Self {
        self.run(script);
        assert_eq!(self.said, VecDeque::<String>::new(), "left of the output");
        assert_eq!(self.events, VecDeque::<String>::new(), "left of the events");
        self
    }

    fn run(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (who, what) = line.split_once(':').unwrap();
            let what = words(what.trim());
            match who {
                "C" => self.hear(what.as_bytes()),
                "S" => assert_eq!(self.said.pop_front().as_deref(), Some(&*what), "{line}"),
                "E" => assert_eq!(self.events.pop_front().as_deref(), Some(&*what), "{line}"),
                "A" => self.command(&what),
                "T" => (0..what.parse().unwrap()).for_each(|_: u32| self.pass()),
                "X" => self.happen(&what),
                _ => panic!("{line}"),
            }
        }
    }

    /// Until a login may begin, whatever is offered.
    pub(crate) fn open(&mut self) -> &mut Self {
        self.run(
            "
            C: $open
            E: opening to=example.com
            A: accept",
        );
        self.said.clear();
        self
    }

    /// The same, where events do not matter.
    pub(crate) fn play_ignoring_events(&mut self, script: &str) -> &mut Self {
        self.events.clear();
        self.play(script)
    }

    /// A message as a gateway handles it: kept while an answer is due.
    pub(crate) fn hear(&mut self, payload: &[u8]) {
        if self.backlog.is_empty() {
            let mut input = Input::text(payload);
            self.poll(&mut input);
            if input.is_empty() {
                return;
            }
        }
        if !self.backlog.push(payload, self.us.kept_max_bytes()) {
            self.us.overflow();
            self.poll(&mut Input::empty());
        }
    }

    fn happen(&mut self, what: &str) {
        match what {
            "binary" => self.poll(&mut Input::binary()),
            "gone" => {
                self.us.handle_transport_closed();
                self.poll(&mut Input::empty());
            }
            _ => panic!("{what}"),
        }
    }

    fn pass(&mut self) {
        self.now += Duration::from_secs(1);
        // A timer may have begun; then it learns the time.
        while matches!(self.us.poll_timeout(), Some(Due::Now)) {
            self.us.handle_timeout(self.now);
        }
        if let Some(Due::At(at)) = self.us.poll_timeout()
            && at <= self.now
        {
            self.us.handle_timeout(self.now);
        }
        self.poll(&mut Input::empty());
    }

    fn poll(&mut self, input: &mut Input<'_>) {
        while let Some(event) = self.us.poll_event(input) {
            if let Event::Bind(bind) = &event {
                self.generated.clone_from(&bind.generated);
            }
            self.events.push_back(show(&event));
        }
        let mut out = Vec::new();
        loop {
            out.clear();
            let len = self.us.poll_transmit(&mut out);
            assert_eq!(len, out.len());
            if len == 0 {
                break;
            }
            self.said.push_back(shown(&String::from_utf8(out.clone()).unwrap()));
        }
        while let (Some(Due::Now), false) = (self.us.poll_timeout(), self.us.is_over()) {
            self.us.handle_timeout(self.now);
        }
    }

    fn command(&mut self, command: &str) {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let condition = || StanzaCondition::from_name(rest.split(' ').next().unwrap());
        let user = || rest.to_owned();
        match verb {
            "accept" => self.us.accept("Example.COM", self.offer.clone()).unwrap(),
            "refuse" => self.us.refuse(StreamCondition::from_name(rest).into()).unwrap(),
            "redirect" => self.us.redirect(rest).unwrap(),
            "is" => self.us.answer(Answer::Is { user: user() }).unwrap(),
            "denied" => self.us.answer(Answer::Refused).unwrap(),
            "busy" => self.us.answer(Answer::Busy).unwrap(),
            "bind" => self.us.bind(&rest.replace("GENERATED", &self.generated), b"").unwrap(),
            "bind-with" => self.us.bind(&self.generated.clone(), rest.as_bytes()).unwrap(),
            "refuse-bind" => self.us.refuse_bind(condition()).unwrap(),
            "enable" => {
                let mut parts = rest.split(' ').filter(|part| !part.is_empty());
                let id = parts.next();
                let max_secs = parts.next().map(|max| max.parse().unwrap());
                self.us.enable(Enabled { id, max_secs, location: parts.next() }).unwrap();
            }
            "refuse-enable" => self.us.refuse_enable(condition()).unwrap(),
            "resume" => {
                let counts: Vec<u64> =
                    rest.split(' ').skip(1).map(|count| count.parse().unwrap()).collect();
                let ledger = Ledger { taken: counts[0], sent: counts[1], acked: counts[2] };
                let jid = Jid::parse(rest.split(' ').next().unwrap()).unwrap();
                self.us.resume(&jid, &ledger).unwrap();
            }
            "refuse-resume" => {
                let taken = rest.split(' ').nth(1).map(|count| count.parse().unwrap());
                self.us.refuse_resume(condition(), taken).unwrap();
            }
            "taken" => self.us.acknowledge(rest.parse().unwrap()).unwrap(),
            "send" => {
                let (seq, stanza) = rest.split_once(' ').unwrap();
                let sent = self.us.send(&[stanza.as_bytes()]).unwrap();
                assert_eq!(sent.map_or("-".to_owned(), |seq| seq.to_string()), seq);
            }
            "close" => self.us.close(None).unwrap(),
            "error" => {
                let error = StreamError::from(StreamCondition::from_name(rest));
                self.us.close(Some(error)).unwrap();
            }
            "disconnect" => self.us.disconnect(rest.parse().unwrap()).unwrap(),
            _ => panic!("{command}"),
        }
        self.poll(&mut Input::empty());
        while let Some(kept) = self.backlog.pop() {
            let mut input = Input::text(&kept);
            self.poll(&mut input);
            if !input.is_empty() {
                self.backlog.put_back(kept);
                break;
            }
        }
    }
}

pub(crate) fn words(text: &str) -> String {
    WORDS.iter().fold(text.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
}

/// What the server said. Each message is a document of its own (XWS-011).
fn shown(text: &str) -> String {
    assert!(text.starts_with('<') && text.ends_with('>'), "XWS-013: {text}");
    roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let element = parse(text, &XmlLimits::default()).unwrap();
    if let Some(error) = StreamError::read(&element) {
        let counts = error.handled_too_high.map(|(h, sent)| format!(" h={h} sent={sent}"));
        return format!("error {}{}", error.condition, counts.unwrap_or_default());
    }
    match element.attribute("id") {
        Some(id) if element.name() == "open" => text.replace(&*id, "*"),
        _ => text.to_owned(),
    }
}

/// An event as one line.
pub(crate) fn show(event: &Event<'_>) -> String {
    match event {
        Event::Opening(header) => {
            let to = header.to.as_ref().map_or(String::new(), |to| format!(" to={to}"));
            let from = header.from.as_ref().map_or(String::new(), |from| format!(" from={from}"));
            let lang = header.lang.as_ref().map_or(String::new(), |lang| format!(" lang={lang}"));
            format!("opening{to}{from}{lang}")
        }
        Event::Question(Question::Password { user, password }) => {
            format!("question password {user} {}", password.as_str())
        }
        Event::Question(Question::Anonymous { trace }) => format!("question anonymous {trace:?}"),
        Event::Question(Question::ScramKeys { user, hash }) => {
            format!("question keys {user} {hash:?}")
        }
        Event::Question(Question::External { authzid }) => format!("question external {authzid:?}"),
        Event::Question(question) => panic!("{question:?}"),
        Event::LoginFailed { mechanism, failure } => format!("login failed {mechanism}: {failure}"),
        Event::Authenticated(it) => {
            let agent = it.user_agent.as_ref().map(|agent| {
                let said = [&agent.id, &agent.software, &agent.device];
                let said: Vec<_> = said.into_iter().flatten().map(String::as_str).collect();
                format!(" agent={}", said.join(","))
            });
            format!(
                "authenticated {} {} {}{}",
                it.user,
                it.jid,
                it.mechanism,
                agent.unwrap_or_default()
            )
        }
        Event::Resume(resume) => format!("resume {} h={}", resume.id, resume.handled),
        Event::Bind(bind) => {
            let wanted = bind.wanted.as_ref().map(|wanted| format!(" wanted={wanted}"));
            let with_login = if bind.with_login { " with-login" } else { "" };
            let carbons = if bind.carbons { " carbons" } else { "" };
            format!("bind{}{with_login}{carbons}", wanted.unwrap_or_default())
        }
        Event::Enable(enable) => {
            let max = enable.max_secs.map(|max| format!(" max={max}"));
            let resume = if enable.resume { " resume" } else { "" };
            format!("enable{resume}{}", max.unwrap_or_default())
        }
        Event::Register(stanza) => format!("register {}", stanza.raw()),
        Event::Stanza(received) => match received.seq {
            Some(seq) => format!("{seq} {}", received.stanza.raw()),
            None => format!("- {}", received.stanza.raw()),
        },
        Event::Handled { up_to } => format!("handled {up_to}"),
        Event::Active(active) => format!("active {active}"),
        Event::Closed(closed) => {
            let mut line = format!("closed by {:?} code={}", closed.by, closed.code);
            let flags = [
                (closed.clean, " clean"),
                (closed.resumable, " resumable"),
                (closed.peer_ends_transport, " peer-ends"),
            ];
            flags.iter().filter(|(set, _)| *set).for_each(|(_, name)| line.push_str(name));
            if let Some(violation) = &closed.violation {
                line.push_str(&format!(" violation={violation}"));
            } else if let Some(error) = &closed.error {
                line.push_str(&format!(" error={error}"));
            }
            if let Some(uri) = &closed.see_other_uri {
                line.push_str(&format!(" to={uri}"));
            }
            line
        }
    }
}
