//! The sending half: messages and control frames in, octets out.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::connection::Role;
use crate::deflate::{Compressor, StreamOut};
use crate::event::MessageKind;
use crate::handshake::{Agreement, Compression, DeflateParams};
use crate::header::{self, HEADER_MAX_BYTES, Header, Opcode, RSV1, Wire};
use crate::limits::Config;
use crate::mask;
use crate::misuse::Misuse;
use crate::utf8::{self, Validator};

/// A message that is sent in fragments.
#[derive(Debug)]
struct Open {
    kind: MessageKind,
    compressed: bool,
    /// Whether the first fragment is out.
    begun: bool,
    text: Validator,
}

/// Writes what we send, straight behind what the caller has in its buffer.
#[derive(Debug)]
pub(crate) struct Sender {
    wire: Wire,
    /// Where a client's masking keys come from; servers have none.
    keys: Option<Box<ChaCha20Rng>>,
    /// `None`: permessage-deflate is not agreed.
    deflate: Option<Own>,
    compressor: Option<Box<Compressor>>,
    stream: Option<Box<StreamOut>>,
    open: Option<Open>,
}

/// What binds our compressor (WS-PD-11), and when to use it.
#[derive(Clone, Copy, Debug)]
struct Own {
    window_bits: u8,
    takeover: bool,
    level: u8,
    min_bytes: usize,
}

impl Sender {
    pub(crate) fn new(
        role: Role,
        config: &Config,
        agreement: &Agreement,
        seed: [u8; 32],
    ) -> Sender {
        let masked = role == Role::Client;
        let own = |params: DeflateParams| {
            let (window_bits, no_takeover) = match role {
                Role::Server => (params.server_max_window_bits, params.server_no_context_takeover),
                Role::Client => (params.client_max_window_bits, params.client_no_context_takeover),
            };
            let (level, min_bytes) = (config.compression_level, config.compress_min_bytes);
            Own { window_bits, takeover: !no_takeover, level, min_bytes }
        };
        let (deflate, stream) = match agreement.compression {
            Compression::None => (None, None),
            Compression::PerMessage(params) => (Some(own(params)), None),
            Compression::Stream => (None, Some(StreamOut::new(config.compression_level))),
        };
        Sender {
            wire: Wire { version: agreement.version, masked },
            keys: masked.then(|| Box::new(ChaCha20Rng::from_seed(seed))),
            deflate,
            compressor: None,
            stream: stream.map(Box::new),
            open: None,
        }
    }

    /// Appends one message in one frame.
    #[inline]
    pub(crate) fn message(
        &mut self,
        kind: MessageKind,
        parts: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        if self.open.is_some() {
            return Err(Misuse::MessageOpen);
        }
        if kind == MessageKind::Text {
            check_text(parts)?;
        }
        let compressed = self.deflate.is_some_and(|own| own.min_bytes <= size_of(parts))
            && self.ready_compressor();
        self.data_frame(true, opcode(kind), compressed, parts, out);
        Ok(())
    }

    /// Begins a message of several fragments.
    pub(crate) fn begin(&mut self, kind: MessageKind) -> Result<(), Misuse> {
        if self.open.is_some() {
            return Err(Misuse::MessageOpen);
        }
        let compressed = self.deflate.is_some() && self.ready_compressor();
        self.open = Some(Open { kind, compressed, begun: false, text: Validator::default() });
        Ok(())
    }

    /// Appends the next fragment of the message begun.
    pub(crate) fn fragment(
        &mut self,
        parts: &[&[u8]],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        let open = self.open.as_mut().ok_or(Misuse::NoMessageOpen)?;
        if open.kind == MessageKind::Text {
            let mut text = open.text;
            let mut checked = parts.iter().try_for_each(|part| text.push(part));
            if last {
                checked = checked.and_then(|()| text.finish());
            }
            checked.map_err(|utf8::Invalid| Misuse::TextNotUtf8)?;
            open.text = text;
        }
        // WS-FR-08, WS-FG-02: the first frame tells the type, the last has FIN.
        let opcode = if open.begun { Opcode::Continuation } else { opcode(open.kind) };
        let compressed = open.compressed;
        open.begun = true;
        if last {
            self.open = None;
        }
        self.data_frame(last, opcode, compressed, parts, out);
        Ok(())
    }

    #[inline]
    fn data_frame(
        &mut self,
        fin: bool,
        opcode: Opcode,
        compressed: bool,
        parts: &[&[u8]],
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        match &mut self.compressor {
            Some(compressor) if compressed => {
                compressor.push(parts, fin, out);
                let size = out.len().saturating_sub(start);
                // WS-PD-08: RSV1 on the first frame only.
                let rsv = if opcode == Opcode::Continuation { 0 } else { RSV1 };
                let payload_end = out.len();
                let key = self.header(fin, rsv, opcode, size, out);
                let header_size = out.len().saturating_sub(payload_end);
                // The header's size is known after its payload's.
                let frame = out.get_mut(start..).unwrap_or_default();
                frame.rotate_right(header_size);
                if let Some(key) = key {
                    mask::apply(key, frame.get_mut(header_size..).unwrap_or_default());
                }
            }
            _ => self.plain_frame(fin, opcode, parts, out),
        }
        self.compress_stream(start, out);
    }

    /// Appends a control frame.
    pub(crate) fn control(&mut self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        self.plain_frame(true, opcode, &[payload], out);
        self.compress_stream(start, out);
    }

    #[inline]
    fn plain_frame(&mut self, fin: bool, opcode: Opcode, parts: &[&[u8]], out: &mut Vec<u8>) {
        let size = size_of(parts);
        // WS-FR-06: no extension data is ever sent.
        out.reserve(size.saturating_add(HEADER_MAX_BYTES));
        match self.header(fin, 0, opcode, size, out) {
            // WS-MK-03, HYBI-044: servers do not mask.
            None => parts.iter().for_each(|part| out.extend_from_slice(part)),
            // WS-MK-01, HYBI-061: clients mask every frame.
            Some(mut key) => {
                for part in parts {
                    mask::append(key, part, out);
                    key = mask::rotate(key, part.len());
                }
            }
        }
    }

    /// Appends a header; the key is for its payload.
    #[inline]
    fn header(
        &mut self,
        fin: bool,
        rsv: u8,
        opcode: Opcode,
        size: usize,
        out: &mut Vec<u8>,
    ) -> Option<[u8; 4]> {
        // WS-MK-05, HYBI-045: a new key for each frame, which nobody can foresee.
        let key = self.keys.as_mut().map(|keys| keys.next_u32().to_le_bytes());
        let payload_size_bytes = size as u64;
        let header = Header { fin, rsv, opcode, key, payload_size_bytes };
        header::append(self.wire.version, &header, out)
    }

    /// HYBI-093: `deflate-stream` comes after masking.
    #[inline]
    fn compress_stream(&mut self, start: usize, out: &mut Vec<u8>) {
        if let Some(stream) = &mut self.stream {
            stream.compress_from(start, out);
        }
    }

    /// Makes the compressor when it is first needed; a few hundred KiB that most connections
    /// never pay for. `false`: none is possible.
    fn ready_compressor(&mut self) -> bool {
        if self.compressor.is_none()
            && let Some(own) = self.deflate
        {
            self.compressor =
                Compressor::new(own.window_bits, own.takeover, own.level).map(Box::new);
        }
        self.compressor.is_some()
    }

    /// Drops a compressor that has nothing to remember.
    pub(crate) fn trim(&mut self) {
        if self.open.is_none() && self.compressor.as_ref().is_some_and(|it| it.is_stateless()) {
            self.compressor = None;
        }
    }
}

const fn opcode(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}

#[inline]
fn size_of(parts: &[&[u8]]) -> usize {
    parts.iter().fold(0, |size, part| size.saturating_add(part.len()))
}

/// WS-U8-01: what is not text is not sent as text.
fn check_text(parts: &[&[u8]]) -> Result<(), Misuse> {
    let checked = match parts {
        [whole] => utf8::check(whole),
        parts => {
            let mut text = Validator::default();
            let checked = parts.iter().try_for_each(|part| text.push(part));
            checked.and_then(|()| text.finish())
        }
    };
    checked.map_err(|utf8::Invalid| Misuse::TextNotUtf8)
}
