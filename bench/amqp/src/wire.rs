//! One connection: a blocking socket, a WebSocket or none, and the AMQP engine on it.

use crate::Failure;
use crate::target::Target;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wharf_amqp::engine::{
    AttachAnswer, AttachRequest, Config, Connection, Event, Framing, Input, LinkId, Role,
    SaslPolicy, SessionId,
};
use wharf_amqp::messaging::{Source, Target as Sink, TargetArchetype};
use wharf_amqp::performative::{Open, Role as Direction, SenderSettleMode};
use wharf_amqp::sasl_frame::{Code, Init};
use wharf_amqp::value::Fields;
use wharf_ws::handshake::client::{Handshake, Offer, Outcome};
use wharf_ws::{Event as WebSocketEvent, MessageKind};

/// What one read may take.
const READ_MAX_BYTES: usize = 256 << 10;
/// Room before it for the incomplete frame of the read before.
const HELD_MAX_BYTES: usize = 512 << 10;
/// What one unit of output may have.
const UNIT_MAX_BYTES: usize = 64 << 10;
/// How long a blocking read waits before it looks around.
pub const READ_TIMEOUT: Duration = Duration::from_millis(50);
/// How long a step of the set-up may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// What a link is to be.
#[derive(Clone, Debug)]
pub struct LinkWish<'a> {
    /// The name.
    pub name: &'a str,
    /// The address at the broker's end.
    pub address: &'a str,
    /// Sends to the broker.
    pub sends: bool,
    /// Deliveries are sent settled.
    pub settled: bool,
    /// Properties of the attach.
    pub properties: Fields,
}

/// Memory for input. Lent to a connection, so that a thousand idle ones need only one.
pub struct Buffer(Vec<u8>);

impl Default for Buffer {
    fn default() -> Self {
        Self(vec![0; HELD_MAX_BYTES + READ_MAX_BYTES])
    }
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    websocket: Option<Box<wharf_ws::Connection>>,
    /// The AMQP connection.
    pub engine: Connection,
    unit: Vec<u8>,
    out: Vec<u8>,
    /// Frames that came with the answer to the upgrade.
    leftover: Vec<u8>,
}

impl Wire {
    /// Connects, logs in, opens and begins a session.
    pub fn connect(
        target: &Target,
        container: &str,
        buffer: &mut Buffer,
    ) -> Result<(Self, SessionId), Failure> {
        let mut stream = TcpStream::connect(&target.authority)
            .map_err(|error| format!("{}: {error}", target.authority))?;
        stream.set_nodelay(true)?;
        let mut leftover = Vec::new();
        let websocket = match target.websocket {
            true => Some(Box::new(upgrade(&mut stream, target, &mut leftover)?)),
            false => None,
        };
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        let framing = if target.websocket { Framing::Messages } else { Framing::Stream };
        let config = Config {
            sasl: SaslPolicy::Required(Vec::new()),
            idle_time_out: None,
            ..Config::new(Role::Initiator, framing)
        };
        let engine = Connection::new(Arc::new(config));
        let (unit, out) = (Vec::new(), Vec::new());
        let mut wire = Self { stream, websocket, engine, unit, out, leftover };
        let session = wire.open(target, container, buffer)?;
        Ok((wire, session))
    }

    fn open(
        &mut self,
        target: &Target,
        container: &str,
        buffer: &mut Buffer,
    ) -> Result<SessionId, Failure> {
        let login = format!("\0{}\0{}", target.user, target.password).into_bytes();
        let host = target.authority.split(':').next().unwrap_or_default().to_owned();
        let mut opened = false;
        self.step(buffer, |engine, event| {
            match event {
                Event::SaslMechanisms(offer) => {
                    if !offer.sasl_server_mechanisms.iter().any(|name| name == "PLAIN") {
                        return Err("the broker offers no PLAIN".into());
                    }
                    engine.sasl_init(Init {
                        mechanism: "PLAIN".to_owned(),
                        initial_response: Some(login.clone()),
                        hostname: Some(host.clone()),
                    })?;
                }
                Event::SaslOutcome(outcome) if outcome.code == Code::Ok => {
                    engine.open(Open { hostname: Some(host.clone()), ..Open::new(container) })?;
                }
                Event::SaslOutcome(outcome) => return Err(format!("login: {outcome:?}").into()),
                Event::Opened(_) => opened = true,
                other => return Err(format!("while opening: {other:?}").into()),
            }
            Ok(opened)
        })?;
        let session = self.engine.begin()?;
        self.step(buffer, |_, event| match event {
            Event::Begun(..) => Ok(true),
            other => Err(format!("while beginning: {other:?}").into()),
        })?;
        Ok(session)
    }

    /// Attaches a link and waits for the answer.
    pub fn attach(
        &mut self,
        session: SessionId,
        wish: &LinkWish<'_>,
        buffer: &mut Buffer,
    ) -> Result<LinkId, Failure> {
        let address = Some(wish.address.to_owned());
        let mode =
            if wish.settled { SenderSettleMode::Settled } else { SenderSettleMode::Unsettled };
        let terms = AttachAnswer {
            source: Some(Source { address: address.clone(), ..Source::default() }),
            target: Some(TargetArchetype::Target(Sink { address, ..Sink::default() })),
            snd_settle_mode: Some(mode),
            properties: wish.properties.clone(),
            ..AttachAnswer::default()
        };
        let role = if wish.sends { Direction::Sender } else { Direction::Receiver };
        let request = AttachRequest { name: wish.name.to_owned(), role, terms };
        let link = self.engine.attach(session, request)?;
        let sends = wish.sends;
        self.step(buffer, |_, event| match event {
            Event::Attached(id, attach) if id == link => {
                let there = if sends { attach.target.is_some() } else { attach.source.is_some() };
                // If not, a detach follows and says why.
                Ok(there)
            }
            Event::Attached(..) | Event::Credit(..) => Ok(false),
            other => Err(format!("while attaching to {}: {other:?}", wish.address).into()),
        })?;
        Ok(link)
    }

    /// Sends and receives until `is_done` says so.
    pub fn step(
        &mut self,
        buffer: &mut Buffer,
        mut is_done: impl FnMut(&mut Connection, Event<'_>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + STEP_TIMEOUT;
        let mut done = false;
        loop {
            self.flush()?;
            if done {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err("the broker does not answer".into());
            }
            self.read(buffer, |engine, event| {
                done |= is_done(engine, event)?;
                Ok(())
            })?;
        }
    }

    /// Writes everything there is to say. False: there was nothing.
    pub fn flush(&mut self) -> Result<bool, Failure> {
        self.out.clear();
        loop {
            self.unit.clear();
            if self.engine.poll_transmit(&mut self.unit, UNIT_MAX_BYTES) == 0 {
                break;
            }
            match &mut self.websocket {
                None => self.out.extend_from_slice(&self.unit),
                Some(websocket) => {
                    websocket.send(MessageKind::Binary, &[&self.unit], &mut self.out)?;
                }
            }
        }
        if let Some(websocket) = &mut self.websocket {
            websocket.poll_transmit(&mut self.out, UNIT_MAX_BYTES);
        }
        if self.out.is_empty() {
            return Ok(false);
        }
        self.stream.write_all(&self.out)?;
        Ok(true)
    }

    /// Events that need no input.
    pub fn events(
        &mut self,
        mut on_event: impl FnMut(&mut Connection, Event<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while let Some(event) = self.engine.poll_event(&mut Input::empty()) {
            on_event(&mut self.engine, event)?;
        }
        Ok(())
    }

    /// One read, and its events. False: nothing came within `READ_TIMEOUT`.
    pub fn read(
        &mut self,
        buffer: &mut Buffer,
        mut on_event: impl FnMut(&mut Connection, Event<'_>) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let Buffer(buffer) = buffer;
        let len = if self.leftover.is_empty() {
            match self.stream.read(&mut buffer[HELD_MAX_BYTES..]) {
                Ok(0) => return Err("the broker has ended the connection".into()),
                Ok(len) => len,
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        } else {
            let leftover = std::mem::take(&mut self.leftover);
            buffer[HELD_MAX_BYTES..HELD_MAX_BYTES + leftover.len()].copy_from_slice(&leftover);
            leftover.len()
        };
        let engine = &mut self.engine;
        let Some(websocket) = &mut self.websocket else {
            let mut input = Input::stream(&buffer[HELD_MAX_BYTES..HELD_MAX_BYTES + len]);
            while let Some(event) = engine.poll_event(&mut input) {
                on_event(engine, event)?;
            }
            return Ok(true);
        };
        // What was held back goes right before what was read.
        let held = websocket.reclaim(&mut buffer[..HELD_MAX_BYTES]);
        let start = HELD_MAX_BYTES - held;
        buffer.copy_within(..held, start);
        let mut burst = wharf_ws::Input::new(&mut buffer[start..HELD_MAX_BYTES + len]);
        while let Some(event) = websocket.poll_event(&mut burst) {
            match event {
                WebSocketEvent::Message { payload, .. } => {
                    let mut input = Input::message(&payload);
                    while let Some(event) = engine.poll_event(&mut input) {
                        on_event(engine, event)?;
                    }
                }
                WebSocketEvent::Ping(_) | WebSocketEvent::Pong(_) => {}
                WebSocketEvent::Closed(closed) => return Err(format!("{closed:?}").into()),
            }
        }
        Ok(true)
    }

    /// Waits until there is something to read, at most until `until`.
    pub fn wait(&self, until: Instant) -> Result<bool, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left)?;
        let mut fds = [PollFd::new(&self.stream, PollFlags::IN)];
        match poll(&mut fds, Some(&left)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Says goodbye.
    pub fn close(mut self, buffer: &mut Buffer) -> Result<(), Failure> {
        self.engine.close(None)?;
        self.step(buffer, |_, event| Ok(matches!(event, Event::Closed(_))))
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn upgrade(
    stream: &mut TcpStream,
    target: &Target,
    leftover: &mut Vec<u8>,
) -> Result<wharf_ws::Connection, Failure> {
    let mut entropy = [0; 48];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut entropy)?;
    let (key, seed) = entropy.split_at(16);
    let uri = format!("ws://{}{}", target.authority, target.path).parse()?;
    let offer = Offer { subprotocols: vec!["amqp".to_owned()], ..Offer::new(uri) };
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
