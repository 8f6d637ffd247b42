//! The message being put together.

use super::check_text;
use crate::connection::Role;
use crate::deflate::{Fault, Inflater};
use crate::event::{MessageKind, Payload};
use crate::handshake::{Agreement, Compression, DeflateParams};
use crate::limits::Config;
use crate::utf8::{self, Validator};
use crate::violation::Violation;

/// How much more than has arrived of a frame is reserved. A message of a megabyte that is read in
/// quarters is so allocated once.
const GROWTH_FACTOR: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Open {
    kind: MessageKind,
    compressed: bool,
}

/// One message at a time.
#[derive(Debug)]
pub(super) struct Assembly {
    open: Option<Open>,
    bytes: Vec<u8>,
    text: Validator,
    inflater: Option<Box<Inflater>>,
    /// Of the peer's compressor.
    window_bits: u8,
    takeover: bool,
    /// HYBI-080: bad text is repaired, not refused.
    lenient: bool,
    size_max_bytes: usize,
}

impl Assembly {
    pub(super) fn new(role: Role, config: &Config, agreement: &Agreement) -> Assembly {
        let params = match agreement.compression {
            Compression::PerMessage(params) => params,
            Compression::None | Compression::Stream => DeflateParams::default(),
        };
        // WS-PD-12: what binds the peer's compressor shapes our decompressor.
        let (window_bits, no_takeover) = match role {
            Role::Server => (params.client_max_window_bits, params.client_no_context_takeover),
            Role::Client => (params.server_max_window_bits, params.server_no_context_takeover),
        };
        Assembly {
            open: None,
            bytes: Vec::new(),
            text: Validator::default(),
            inflater: None,
            window_bits,
            takeover: !no_takeover,
            lenient: role == Role::Client && agreement.version.is_interim(),
            size_max_bytes: config.message_size_max_bytes,
        }
    }

    /// Nothing more will come: what was put together goes, however much it is.
    pub(super) fn discard(&mut self) {
        self.open = None;
        self.bytes = Vec::new();
        self.inflater = None;
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Begins a message.
    #[inline]
    pub(super) fn open(&mut self, kind: MessageKind, compressed: bool) {
        self.open = Some(Open { kind, compressed });
    }

    /// A frame of `size_bytes` is about to add to the message.
    #[inline]
    pub(super) fn expect(&mut self, size_bytes: u64) -> Result<(), Violation> {
        // What compressed octets become is bounded while they are inflated.
        if self.open.is_some_and(|open| open.compressed) {
            return Ok(());
        }
        let room = self.size_max_bytes.saturating_sub(self.bytes.len());
        // WS-FR-10: fragments count together.
        if size_bytes > room as u64 { Err(Violation::MessageTooBig) } else { Ok(()) }
    }

    /// Whether a message that lies wholly in the buffer can be lent from there.
    #[inline]
    pub(super) fn may_lend(&self) -> bool {
        self.bytes.is_empty() && self.open.is_some_and(|open| !open.compressed)
    }

    /// The message is `payload`, whose first `seen` octets were checked before.
    #[inline]
    pub(super) fn lend<'b>(
        &mut self,
        payload: &'b mut [u8],
        seen: usize,
    ) -> Result<(MessageKind, Payload<'b>), Violation> {
        let kind = self.open.take().map_or(MessageKind::Binary, |open| open.kind);
        if kind == MessageKind::Text {
            if self.lenient {
                if utf8::check(payload).is_err() {
                    return Ok((kind, Payload::Owned(utf8::repair(payload.to_vec()))));
                }
            } else if seen == 0 {
                check_text(payload)?;
            } else {
                self.check_piece(payload.get(seen..).unwrap_or_default())?;
                self.text.finish().map_err(|utf8::Invalid| Violation::TextNotUtf8)?;
            }
        }
        Ok((kind, Payload::Borrowed(payload)))
    }

    /// Takes octets that were given back to the caller's buffer, once more.
    pub(super) fn restore(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Makes room for `here_bytes`, and for more of the `missing_bytes` of its frame in proportion
    /// to what has arrived: what was only announced is worth no memory.
    pub(super) fn reserve(&mut self, here_bytes: usize, missing_bytes: usize) {
        if self.open.is_none_or(|open| open.compressed) {
            return;
        }
        let needed = self.bytes.len().saturating_add(here_bytes);
        if needed > self.bytes.capacity() {
            let all = self.bytes.len().saturating_add(missing_bytes);
            // At least twice as much, or a message of many small fragments would be copied for each.
            let twice = self.bytes.capacity().saturating_mul(2);
            let capacity = needed.saturating_mul(GROWTH_FACTOR).min(all).max(twice);
            self.bytes.reserve_exact(capacity.saturating_sub(self.bytes.len()));
        }
    }

    /// Adds a piece of the payload.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Violation> {
        let Some(open) = self.open else { return Ok(()) };
        let start = self.bytes.len();
        if !open.compressed {
            self.bytes.extend_from_slice(piece);
            return self.check_from(start);
        }
        let inflater = self
            .inflater
            .get_or_insert_with(|| Box::new(Inflater::new(self.window_bits, self.takeover)));
        let result = inflater.push(piece, &mut self.bytes, self.size_max_bytes);
        // What was inflated before a fault is judged before the fault, whatever the pieces are.
        self.check_from(start)?;
        result.map_err(violation)
    }

    /// Ends the message.
    pub(super) fn finish(&mut self) -> Result<(MessageKind, Vec<u8>), Violation> {
        let Some(open) = self.open.take() else { return Err(Violation::NothingToContinue) };
        if open.compressed {
            let start = self.bytes.len();
            let inflater = self.inflater.as_mut().ok_or(Violation::NotDeflate)?;
            let result = inflater.finish(&mut self.bytes, self.size_max_bytes);
            if open.kind == MessageKind::Text && !self.lenient {
                self.check_piece_from(start)?;
            }
            result.map_err(violation)?;
        }
        let bytes = std::mem::take(&mut self.bytes);
        if open.kind == MessageKind::Binary {
            return Ok((open.kind, bytes));
        }
        if self.lenient {
            return Ok((open.kind, utf8::repair(bytes)));
        }
        self.text.finish().map_err(|utf8::Invalid| Violation::TextNotUtf8)?;
        Ok((open.kind, bytes))
    }

    /// The size of what is here, if it is as it was on the wire.
    pub(super) fn uncompressed_bytes(&self) -> usize {
        if self.open.is_some_and(|open| !open.compressed) { self.bytes.len() } else { 0 }
    }

    /// Moves what is here to `buf`, which is as long.
    pub(super) fn give_back(&mut self, buf: &mut [u8]) {
        let bytes = std::mem::take(&mut self.bytes);
        if buf.len() == bytes.len() {
            buf.copy_from_slice(&bytes);
        }
    }

    /// Drops a decompressor that has nothing to remember.
    pub(super) fn trim(&mut self) {
        if self.open.is_none() && self.inflater.as_ref().is_some_and(|it| it.is_stateless()) {
            self.inflater = None;
        }
    }

    fn check_from(&mut self, start: usize) -> Result<(), Violation> {
        match self.open {
            Some(Open { kind: MessageKind::Text, .. }) if !self.lenient => {
                self.check_piece_from(start)
            }
            _ => Ok(()),
        }
    }

    fn check_piece_from(&mut self, start: usize) -> Result<(), Violation> {
        let piece = self.bytes.get(start..).unwrap_or_default();
        self.text.push(piece).map_err(|utf8::Invalid| Violation::TextNotUtf8)
    }

    /// WS-U8-04: an invalid octet is found in the piece it comes in.
    fn check_piece(&mut self, piece: &[u8]) -> Result<(), Violation> {
        self.text.push(piece).map_err(|utf8::Invalid| Violation::TextNotUtf8)
    }
}

fn violation(fault: Fault) -> Violation {
    match fault {
        Fault::Corrupt => Violation::NotDeflate,
        Fault::TooBig => Violation::MessageTooBig,
    }
}
