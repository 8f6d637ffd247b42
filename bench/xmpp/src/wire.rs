//! One stream: a socket, a WebSocket, and the engine of XMPP on it.

use crate::Failure;
use crate::target::Target;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use wharf_sasl::client::{Credentials, Settings};
use wharf_sasl::{Mechanism, Nonce, Password};
use wharf_ws::handshake::client::{Handshake, Offer, Outcome};
use wharf_ws::{Event as WebSocketEvent, MessageKind};
use wharf_xmpp::client::{Config, Connection, Event};
use wharf_xmpp::stream::Input;

/// What one read may take.
const READ_MAX_BYTES: usize = 256 << 10;
/// Room before it for the incomplete frame of the read before.
const HELD_MAX_BYTES: usize = 512 << 10;
/// How long the login may take.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Memory for input. Lent to a stream, so that thousands of idle ones need only one.
pub struct Buffer(Vec<u8>);

impl Default for Buffer {
    fn default() -> Self {
        Self(vec![0; HELD_MAX_BYTES + READ_MAX_BYTES])
    }
}

/// One stream.
pub struct Wire {
    /// The socket, for whoever polls it.
    pub stream: TcpStream,
    websocket: Box<wharf_ws::Connection>,
    /// The stream of XMPP.
    pub engine: Connection,
    message: Vec<u8>,
    out: Vec<u8>,
    written: usize,
    leftover: Vec<u8>,
}

impl Wire {
    /// Connects, logs in, binds a resource and begins a managed stream.
    pub fn connect(
        target: &Target,
        number: usize,
        resource: &str,
        buffer: &mut Buffer,
    ) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(&target.authority)
            .map_err(|error| format!("{}: {error}", target.authority))?;
        stream.set_nodelay(true)?;
        let mut entropy = [0; 112];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut entropy)?;
        let mut leftover = Vec::new();
        let websocket = Box::new(upgrade(&mut stream, target, &entropy[..48], &mut leftover)?);
        stream.set_read_timeout(Some(Duration::from_millis(100)))?;
        let credentials = Credentials::Password {
            user: target.user(number),
            password: Password::new(target.password.clone()),
        };
        let seed = |at: usize| entropy[at..at + 32].try_into().unwrap_or_default();
        let settings = Settings {
            weakest: Mechanism::Plain,
            ..Settings::new(credentials, Nonce::from_seed(&seed(48)))
        };
        let mut config = Config::new(&target.domain, false, settings);
        config.resource = Some(resource.to_owned());
        config.pacing.login_timeout = LOGIN_TIMEOUT;
        let engine = Connection::new(config, seed(80));
        let (message, out, written) = (Vec::new(), Vec::new(), 0);
        let mut wire = Self { stream, websocket, engine, message, out, written, leftover };
        wire.log_in(buffer)?;
        Ok(wire)
    }

    fn log_in(&mut self, buffer: &mut Buffer) -> Result<(), Failure> {
        let deadline = Instant::now() + LOGIN_TIMEOUT;
        let mut online = false;
        while !online {
            if Instant::now() > deadline {
                return Err("the server does not answer".into());
            }
            self.flush()?;
            self.read(buffer, |_, event| {
                match event {
                    Event::Online(told) if told.managed.is_some() => online = true,
                    Event::Online(_) => return Err("the stream is not managed".into()),
                    Event::LoginFailed(failure) => return Err(failure.to_string().into()),
                    Event::Closed(closed) => return Err(format!("{closed:?}").into()),
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// From now on nothing blocks.
    pub fn unblock(&mut self) -> Result<(), Failure> {
        Ok(self.stream.set_nonblocking(true)?)
    }

    /// Sends a stanza with the next `flush`.
    pub fn say(&mut self, stanza: &str) -> Result<(), Failure> {
        self.engine.send(&[stanza.as_bytes()])?;
        Ok(())
    }

    /// Writes what there is to say. False: the socket is full, and there is more.
    pub fn flush(&mut self) -> Result<bool, Failure> {
        loop {
            self.message.clear();
            if self.engine.poll_transmit(&mut self.message) == 0 {
                break;
            }
            self.websocket.send(MessageKind::Text, &[&self.message], &mut self.out)?;
        }
        self.websocket.poll_transmit(&mut self.out, usize::MAX);
        while self.written < self.out.len() {
            match self.stream.write(&self.out[self.written..]) {
                Ok(0) => return Err("the server has ended the connection".into()),
                Ok(len) => self.written += len,
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(true)
    }

    /// One read, and its events. False: nothing came.
    pub fn read(
        &mut self,
        buffer: &mut Buffer,
        mut on_event: impl FnMut(&mut Connection, Event<'_>) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let Buffer(buffer) = buffer;
        let len = if self.leftover.is_empty() {
            match self.stream.read(&mut buffer[HELD_MAX_BYTES..]) {
                Ok(0) => return Err("the server has ended the connection".into()),
                Ok(len) => len,
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        } else {
            let leftover = std::mem::take(&mut self.leftover);
            buffer[HELD_MAX_BYTES..HELD_MAX_BYTES + leftover.len()].copy_from_slice(&leftover);
            leftover.len()
        };
        // What was held back goes right before what was read.
        let held = self.websocket.reclaim(&mut buffer[..HELD_MAX_BYTES]);
        let start = HELD_MAX_BYTES - held;
        buffer.copy_within(..held, start);
        let mut burst = wharf_ws::Input::new(&mut buffer[start..HELD_MAX_BYTES + len]);
        while let Some(event) = self.websocket.poll_event(&mut burst) {
            match event {
                WebSocketEvent::Message { payload, .. } => {
                    let mut input = Input::text(&payload);
                    while let Some(event) = self.engine.poll_event(&mut input) {
                        on_event(&mut self.engine, event)?;
                    }
                }
                WebSocketEvent::Ping(_) | WebSocketEvent::Pong(_) => {}
                WebSocketEvent::Closed(closed) => return Err(format!("{closed:?}").into()),
            }
        }
        Ok(true)
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn upgrade(
    stream: &mut TcpStream,
    target: &Target,
    entropy: &[u8],
    leftover: &mut Vec<u8>,
) -> Result<wharf_ws::Connection, Failure> {
    let (key, seed) = entropy.split_at(16);
    let uri = format!("ws://{}{}", target.authority, target.path).parse()?;
    let offer = Offer { subprotocols: vec!["xmpp".to_owned()], ..Offer::new(uri) };
    let mut handshake = Handshake::new(offer, key.try_into()?)?;
    stream.write_all(handshake.request_bytes())?;
    let mut buffer = [0; 4096];
    loop {
        let len = stream.read(&mut buffer)?;
        match handshake.handle_input(&buffer[..len]) {
            Outcome::Incomplete if len > 0 => {}
            Outcome::Upgraded { agreement, consumed } => {
                leftover.extend_from_slice(&buffer[consumed..len]);
                let config = wharf_ws::Config { ping_interval: None, ..Default::default() };
                let role = wharf_ws::Role::Client;
                return Ok(wharf_ws::Connection::new(role, &config, &agreement, seed.try_into()?));
            }
            other => return Err(format!("upgrade: {other:?}").into()),
        }
    }
}
