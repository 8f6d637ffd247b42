//! A stream as a script, from the client's side.
//!
//! - `S: xml`: the server says it.
//! - `C: xml`: the client has said it next. Identifiers of requests are `*`, and so is what it
//!   says within an exchange of SCRAM.
//! - `E: event`: the next event.
//! - `A: command`: what the caller does.
//! - `T: seconds`, `X: gone`: time passes, the WebSocket is gone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use wharf_sasl::client::{Credentials, Settings};
use wharf_sasl::{Mechanism, Nonce, Password};
use wharf_xmpp::client::{Config, Connection, Event};
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::stream::{Due, Input};
use wharf_xmpp::xml::parse;
use wharf_xmpp::{StreamError, ns};

const WORDS: [(&str, &str); 10] = [
    (
        "$opened",
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' id='x1' xml:lang='en' version='1.0'/>",
    ),
    (
        "$open",
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' from='tim@example.com' version='1.0'/>",
    ),
    ("$close", "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />"),
    (
        "$logins",
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
    ),
    (
        "$features",
        "<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session><sm xmlns='urn:xmpp:sm:3'/></features>",
    ),
    (
        "$plain",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHRpbQBzZWNyZXQ=</auth>",
    ),
    ("$success", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    (
        "$bind",
        "<iq xmlns='jabber:client' type='set' id='*'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    ),
    (
        "$bound",
        "<iq xmlns='jabber:client' type='result' id='*'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/r</jid></bind></iq>",
    ),
    ("$enable", "<enable xmlns='urn:xmpp:sm:3' resume='true' max='86400'/>"),
];

/// From the beginning to a managed stream.
pub(crate) const LOGIN: &str = "
    C: $open
    S: $opened
    S: $logins
    C: $plain
    S: $success
    C: $open
    S: $opened";

pub(crate) const BIND: &str = "
    S: $features
    C: $bind
    S: $bound
    C: $enable
    S: <enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true' max='300' location='b.example'/>
    E: online tim@example.com/r managed s1 300 b.example";

pub(crate) struct Trace {
    pub(crate) us: Connection,
    said: VecDeque<String>,
    events: VecDeque<String>,
    /// The id of the request said last.
    id: String,
    now: Instant,
}

pub(crate) fn settings() -> Settings {
    let (user, password) = ("tim".to_owned(), Password::new("secret"));
    let mut settings =
        Settings::new(Credentials::Password { user, password }, Nonce::from_seed(&[3; 32]));
    settings.weakest = Mechanism::Plain;
    settings
}

pub(crate) fn config() -> Config {
    Config::new("example.com", true, settings())
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut trace = Self {
            us: Connection::new(config, [5; 32]),
            said: VecDeque::new(),
            events: VecDeque::new(),
            id: String::new(),
            now: Instant::now(),
        };
        trace.poll(&mut Input::empty());
        trace
    }

    pub(crate) fn play(&mut self, script: &str) -> &mut Self {
        self.play_quietly(script);
        assert_eq!(self.said, VecDeque::<String>::new(), "left of the output");
        assert_eq!(self.events, VecDeque::<String>::new(), "left of the events");
        self
    }

    /// All that was said and not looked at.
    pub(crate) fn take_said(&mut self) -> String {
        self.said.drain(..).map(|line| line + "\n").collect()
    }

    /// The same, and something may be left.
    pub(crate) fn play_quietly(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (who, what) = line.split_once(':').unwrap();
            let what = WORDS
                .iter()
                .fold(what.trim().to_owned(), |text, (word, meaning)| text.replace(word, meaning));
            match who {
                "S" => {
                    let text = what.replace("id='*'", &format!("id='{}'", self.id));
                    self.poll(&mut Input::text(text.as_bytes()));
                }
                "C" => assert_eq!(self.said.pop_front().as_deref(), Some(&*what), "{line}"),
                "E" => assert_eq!(self.events.pop_front().as_deref(), Some(&*what), "{line}"),
                "T" => (0..what.parse().unwrap()).for_each(|_: u32| self.pass()),
                "X" => {
                    self.us.handle_transport_closed();
                    self.poll(&mut Input::empty());
                }
                "A" => self.command(&what),
                _ => panic!("{line}"),
            }
        }
    }

    fn command(&mut self, command: &str) {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        match verb {
            "send" => {
                let (seq, stanza) = rest.split_once(' ').unwrap();
                let sent = self.us.send(&[stanza.as_bytes()]).unwrap();
                assert_eq!(sent.map_or("-".to_owned(), |seq| seq.to_string()), seq);
            }
            "taken" => self.us.acknowledge(rest.parse().unwrap()).unwrap(),
            "request" => self.us.request().unwrap(),
            "active" => self.us.set_active(rest == "true").unwrap(),
            "close" => self.us.close(None).unwrap(),
            "disconnect" => self.us.disconnect(rest.parse().unwrap()).unwrap(),
            _ => panic!("{command}"),
        }
        self.poll(&mut Input::empty());
    }

    fn pass(&mut self) {
        self.now += Duration::from_secs(1);
        if let Some(Due::At(at)) = self.us.poll_timeout()
            && at <= self.now
        {
            self.us.handle_timeout(self.now);
        }
        self.poll(&mut Input::empty());
    }

    fn poll(&mut self, input: &mut Input<'_>) {
        while let Some(event) = self.us.poll_event(input) {
            self.events.push_back(show(&event));
        }
        let mut out = Vec::new();
        while self.us.poll_transmit(&mut out) > 0 {
            let text = String::from_utf8(std::mem::take(&mut out)).unwrap();
            let shown = self.shown(&text);
            self.said.push_back(shown);
        }
        while let (Some(Due::Now), false) = (self.us.poll_timeout(), self.us.is_over()) {
            self.us.handle_timeout(self.now);
        }
    }

    /// What the client said. Each message is a document of its own (XWS-011).
    fn shown(&mut self, text: &str) -> String {
        assert!(text.starts_with('<'), "XWS-013: {text}");
        roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let element = parse(text, &XmlLimits::default()).unwrap();
        if let Some(error) = StreamError::read(&element) {
            return format!("error {}", error.condition);
        }
        if element.is("response", ns::SASL) || element.is("response", ns::SASL2) {
            return format!("response {}", element.namespace());
        }
        match element.attribute("id") {
            Some(id) if element.is("iq", ns::CLIENT) && id.len() == 20 => {
                self.id = id.into_owned();
                text.replace(&self.id, "*")
            }
            _ => text.to_owned(),
        }
    }
}

pub(crate) fn show(event: &Event<'_>) -> String {
    match event {
        Event::Online(online) => {
            let resumed = online.resumed.map(|acked| format!(" resumed acked={acked}"));
            let managed = online.managed.as_ref().map(|managed| {
                let max = managed.max_secs.map(|max| max.to_string());
                let said = [managed.id.clone(), max, managed.location.clone()];
                let said: Vec<_> = said.into_iter().flatten().collect();
                format!(" managed {}", said.join(" ")).trim_end().to_owned()
            });
            let (resumed, managed) = (resumed.unwrap_or_default(), managed.unwrap_or_default());
            format!("online {}{resumed}{managed}", online.jid)
        }
        Event::NotResumed { acked } => format!("not resumed acked={acked:?}"),
        Event::Stanza(received) => match received.seq {
            Some(seq) => format!("{seq} {}", received.stanza.raw()),
            None => format!("- {}", received.stanza.raw()),
        },
        Event::Handled { up_to } => format!("handled {up_to}"),
        Event::LoginFailed(failure) => format!("login failed: {failure}"),
        Event::Closed(closed) => {
            let mut line = format!("closed by {:?}", closed.by);
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
