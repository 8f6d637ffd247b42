//! A client of XMPP: our engine on a WebSocket made by hand.

use super::socket::frame;
use super::{handshake, read_head, status};
use std::collections::VecDeque;
use std::io::{Read, Write};
use wharf_gateway::{ChannelBinding, Nonce};
use wharf_sasl::client::{Credentials, Settings};
use wharf_sasl::{Mechanism, Password};
use wharf_xmpp::client::{Config, Connection, Event, Resumption};
use wharf_xmpp::stream::{Input, Ledger};

/// Someone who is online, or on the way to it.
pub(crate) struct Person<S> {
    stream: S,
    pub(crate) engine: Connection,
    said: VecDeque<String>,
    /// To go on with, once there is something.
    pub(crate) resumption: Option<Resumption>,
}

/// Who logs in, and how.
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) binding: Option<ChannelBinding>,
    pub(crate) secure: bool,
    pub(crate) resume: Option<Resumption>,
}

impl<'a> Login<'a> {
    pub(crate) fn plain(user: &'a str, resource: &'a str) -> Self {
        Self { user, resource, binding: None, secure: false, resume: None }
    }
}

impl<S: Read + Write> Person<S> {
    /// Upgrades and begins; the password is `secret`.
    pub(crate) fn begin(mut stream: S, login: Login<'_>) -> Self {
        let request = handshake("/ws", "Sec-WebSocket-Protocol: xmpp\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let head = read_head(&mut stream);
        assert_eq!(status(&head), 101, "{head}");
        let password = Password::new("secret");
        let credentials = Credentials::Password { user: login.user.to_owned(), password };
        let settings = Settings {
            channel_binding: login.binding,
            weakest: Mechanism::Plain,
            ..Settings::new(credentials, Nonce::from_seed(&[7; 32]))
        };
        let config = Config {
            resource: Some(login.resource.to_owned()),
            resume: login.resume,
            ..Config::new("localhost", login.secure, settings)
        };
        let engine = Connection::new(config, [9; 32]);
        let mut person = Self { stream, engine, said: VecDeque::new(), resumption: None };
        person.flush();
        person
    }

    fn flush(&mut self) {
        let mut message = Vec::new();
        while self.engine.poll_transmit(&mut message) > 0 {
            self.stream.write_all(&frame(0x81, &message)).unwrap();
            message.clear();
        }
    }

    /// Sends a stanza.
    pub(crate) fn send(&mut self, stanza: &str) {
        self.engine.send(&[stanza.as_bytes()]).unwrap();
        self.flush();
    }

    /// What happens next.
    pub(crate) fn next(&mut self) -> String {
        loop {
            if let Some(said) = self.said.pop_front() {
                return said;
            }
            let payload = self.read();
            let mut input = Input::text(&payload);
            while let Some(event) = self.engine.poll_event(&mut input) {
                let said = match event {
                    Event::Online(online) => {
                        self.resumption = online.managed.and_then(|managed| managed.id).map(|id| {
                            let jid = online.jid.clone();
                            Resumption { id, jid, ledger: Ledger::default() }
                        });
                        let resumed = online.resumed.map(|at| format!(" resumed at {at}"));
                        format!("online {}{}", online.jid, resumed.unwrap_or_default())
                    }
                    Event::NotResumed { .. } => "not resumed".to_owned(),
                    Event::Stanza(received) => {
                        if let Some(seq) = received.seq {
                            self.engine.acknowledge(seq).unwrap();
                        }
                        received.stanza.raw().to_owned()
                    }
                    Event::Handled { up_to } => format!("handled {up_to}"),
                    Event::LoginFailed(failure) => format!("no login: {failure}"),
                    Event::Closed(closed) => format!("closed {:?}", closed.error),
                };
                self.said.push_back(said);
            }
            self.flush();
        }
    }

    /// The payload of the next text message.
    fn read(&mut self) -> Vec<u8> {
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).unwrap();
            let mut len = usize::from(head[1]);
            if len == 126 {
                let mut long = [0; 2];
                self.stream.read_exact(&mut long).unwrap();
                len = usize::from(u16::from_be_bytes(long));
            }
            let mut payload = vec![0; len];
            self.stream.read_exact(&mut payload).unwrap();
            match head[0] {
                0x81 => return payload,
                0x89 => {}
                other => panic!("frame {other:#x} with {payload:?}"),
            }
        }
    }

    /// What is to be gone on with when the connection is lost now.
    pub(crate) fn leave(self) -> Resumption {
        let ledger = self.engine.ledger().unwrap();
        Resumption { ledger, ..self.resumption.unwrap() }
    }
}
