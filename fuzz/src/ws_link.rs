//! One end of a WebSocket connection: what the handshake settled, and what is heard of a stream
//! however it is cut.

use crate::cuts::Cuts;
use crate::script::Script;
use wharf_ws::limits::{CONTROL_FRAME_MAX_BYTES, CONTROL_MAX_BYTES, RECLAIM_MAX_BYTES};
use wharf_ws::{
    Agreement, Closed, Compression, Config, Connection, DeflateParams, Event, Input, MessageKind,
    Payload, Role, Version,
};

/// What the handshake settled, and the limits.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) agreement: Agreement,
    pub(crate) config: Config,
}

impl Setup {
    pub(crate) fn read(script: &mut Script<'_>) -> Setup {
        let choice = script.byte();
        let version = Version::ALL[usize::from(choice & 3)];
        let compression = match (choice >> 2 & 3, version) {
            (0 | 1, _) => Compression::None,
            (_, Version::Rfc6455) => Compression::PerMessage(read_params(script.byte())),
            _ => Compression::Stream,
        };
        let mut config = Config { compression_level: 1 + choice % 9, ..Config::default() };
        (config.frame_size_max_bytes, config.message_size_max_bytes) =
            if choice & 0x10 == 0 { (64 << 10, 128 << 10) } else { (500, 700) };
        config.compress_min_bytes = if choice & 0x20 == 0 { 0 } else { 64 };
        Setup { agreement: Agreement { version, subprotocol: None, compression }, config }
    }

    pub(crate) fn link(&self, role: Role) -> Link {
        Link {
            connection: Connection::new(role, &self.config, &self.agreement, [7; 32]),
            told: Vec::new(),
            sent: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// The longest message an end may be told of. HYBI-080: a client of the drafts repairs text,
    /// and U+FFFD takes three octets for one.
    fn told_max_bytes(&self, role: Role) -> usize {
        let repairs = role == Role::Client && self.agreement.version.is_interim();
        self.config.message_size_max_bytes * if repairs { 3 } else { 1 }
    }
}

fn read_params(choice: u8) -> DeflateParams {
    DeflateParams {
        server_no_context_takeover: choice & 1 != 0,
        client_no_context_takeover: choice & 2 != 0,
        server_max_window_bits: 8 + (choice >> 2 & 7),
        client_max_window_bits: 8 + (choice >> 5),
    }
}

/// An event that outlives its buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Closed(Closed),
}

/// One end, and everything it told and sent.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connection: Connection,
    pub(crate) told: Vec<Told>,
    pub(crate) sent: Vec<u8>,
    buffer: Vec<u8>,
}

impl Link {
    /// Reads a stream as it is cut. With `reclaim`, incomplete frames go back to the buffer
    /// before each read.
    pub(crate) fn read(&mut self, stream: &[u8], cuts: Cuts, reclaim: bool) {
        for read in cuts.of(stream) {
            let mut held = 0;
            if reclaim {
                let expected = self.connection.reclaimable_bytes();
                self.buffer.resize(expected.max(self.buffer.len()), 0);
                held = self.connection.reclaim(&mut self.buffer);
                assert_eq!(held, expected, "reclaimed as announced");
                assert!(held <= RECLAIM_MAX_BYTES);
            }
            self.buffer.truncate(held);
            self.buffer.extend_from_slice(read);
            let mut buffer = std::mem::take(&mut self.buffer);
            self.drain(&mut Input::new(&mut buffer));
            self.buffer = buffer;
        }
    }

    /// The transport ends.
    pub(crate) fn end(&mut self) {
        self.connection.handle_eof();
        self.drain(&mut Input::empty());
        assert!(self.connection.is_finished() && !self.connection.is_open());
        assert!(matches!(self.told.last(), Some(Told::Closed(_))), "the end is told");
        assert!(self.connection.poll_event(&mut Input::new(&mut [0x89, 0])).is_none());
    }

    /// What was sent since the last call.
    pub(crate) fn take_sent(&mut self) -> Vec<u8> {
        self.connection.poll_transmit(&mut self.sent, usize::MAX);
        std::mem::take(&mut self.sent)
    }

    fn drain(&mut self, input: &mut Input<'_>) {
        while let Some(event) = self.connection.poll_event(input) {
            let is_ping = matches!(event, Event::Ping(_));
            assert!(!matches!(self.told.last(), Some(Told::Closed(_))), "nothing after the end");
            self.told.push(own(event));
            if is_ping {
                self.transmit();
            }
        }
        assert!(input.is_empty(), "all input is consumed");
        self.transmit();
    }

    fn transmit(&mut self) {
        let budget = 3 * CONTROL_FRAME_MAX_BYTES;
        let appended = self.connection.poll_transmit(&mut self.sent, budget);
        // A compressed stream has its own overhead.
        assert!(appended <= budget + 64, "{appended} bytes of control frames");
    }
}

fn own(event: Event<'_>) -> Told {
    match event {
        Event::Message { kind, payload } => {
            assert!(kind == MessageKind::Binary || payload.as_text().is_some(), "text is UTF-8");
            Told::Message(kind, payload.into_vec())
        }
        Event::Ping(payload) => Told::Ping(control(payload)),
        Event::Pong(payload) => Told::Pong(control(payload)),
        Event::Closed(closed) => Told::Closed(closed),
    }
}

fn control(payload: Payload<'_>) -> Vec<u8> {
    assert!(payload.len() <= CONTROL_MAX_BYTES);
    payload.into_vec()
}

/// An arbitrary stream into one end: whatever the cuts, the same is told and sent.
pub(crate) fn run(role: Role, data: &[u8]) {
    let mut script = Script::new(data);
    let setup = Setup::read(&mut script);
    let seed = u64::from(script.int16());
    let stored = setup.agreement.compression == Compression::Stream && seed & 1 == 0;
    let stream = if stored { deflate_stored(script.rest()) } else { script.rest().to_vec() };

    let whole = hear(&setup, role, &stream, Cuts::Whole, false);
    for told in &whole.told {
        if let Told::Message(_, payload) = told {
            assert!(payload.len() <= setup.told_max_bytes(role), "{} bytes told", payload.len());
        }
    }
    for (cuts, reclaim) in [
        (Cuts::Random(seed), false),
        (Cuts::Random(seed ^ 0x5555), true),
        (Cuts::Bytes, seed & 2 == 0),
    ] {
        let cut = hear(&setup, role, &stream, cuts, reclaim);
        assert_eq!(cut.told, whole.told, "told with {cuts:?}, reclaim {reclaim}");
        assert!(cut.sent == whole.sent, "sent with {cuts:?}, reclaim {reclaim}");
    }
}

fn hear(setup: &Setup, role: Role, stream: &[u8], cuts: Cuts, reclaim: bool) -> Link {
    let mut link = setup.link(role);
    link.read(stream, cuts, reclaim);
    link.end();
    link
}

/// A DEFLATE stream that inflates to `plain`, so that frames get through `deflate-stream`.
fn deflate_stored(plain: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for block in plain.chunks(100) {
        let len = u16::try_from(block.len()).expect("at most 100");
        stream.push(0);
        stream.extend(len.to_le_bytes());
        stream.extend((!len).to_le_bytes());
        stream.extend_from_slice(block);
    }
    stream
}
