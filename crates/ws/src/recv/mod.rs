//! The receiving half: octets in, messages and control frames out.
//!
//! Fragments of any size, in order (WS-FG-01, WS-FG-05). This is an end of the connection, never
//! an intermediary: nothing is passed on (WS-FG-07, HYBI-067).
//!
//! State is split by who owns it: [`intake`] the header that has come in part, [`message`] the
//! message being put together, this file the frame between the two.

mod intake;
mod message;

use intake::Intake;
use message::Assembly;

use crate::close::CloseBody;
use crate::connection::Role;
use crate::event::{MessageKind, Payload};
use crate::handshake::{Agreement, Compression};
use crate::header::{Header, Opcode, RSV1, Wire};
use crate::input::Input;
use crate::limits::{CONTROL_MAX_BYTES, Config, RECLAIM_MAX_BYTES};
use crate::mask;
use crate::utf8;
use crate::version::Version;
use crate::violation::Violation;

/// Something complete.
pub(crate) enum Received<'b> {
    Message { kind: MessageKind, payload: Payload<'b> },
    Ping(Payload<'b>),
    Pong(Payload<'b>),
    Close(CloseBody),
}

/// A frame whose header has been read and accepted.
#[derive(Debug)]
struct Frame {
    header: Header,
    /// Octets of the payload taken so far.
    received_bytes: u64,
    /// Its beginning went back to the caller's buffer, and yet it was not completed there. That
    /// is not tried again, so that a frame in many reads is not moved back and forth for each.
    reclaimed: bool,
}

enum Progress<'b> {
    Received(Received<'b>),
    /// The frame is complete, its message is not.
    FrameDone,
    /// All input is used up within this frame.
    Starved(Frame),
}

/// Parses what the peer sends.
#[derive(Debug)]
pub(crate) struct Receiver {
    wire: Wire,
    /// WS-PD-08, WS-EX-05: whether RSV1 has a meaning.
    deflate: bool,
    intake: Intake,
    frame: Option<Frame>,
    /// The payload of a control frame that has come in part.
    control: Vec<u8>,
    assembly: Assembly,
    /// How many octets at the head of the next input are payload that was looked at before:
    /// what [`Self::reclaim`] put there.
    in_place_bytes: usize,
    frame_size_max_bytes: u64,
}

impl Receiver {
    pub(crate) fn new(role: Role, config: &Config, agreement: &Agreement) -> Receiver {
        let wire = Wire { version: agreement.version, masked: role == Role::Server };
        Receiver {
            wire,
            deflate: matches!(agreement.compression, Compression::PerMessage(_)),
            intake: Intake::default(),
            frame: None,
            control: Vec::new(),
            assembly: Assembly::new(role, config, agreement),
            in_place_bytes: 0,
            frame_size_max_bytes: config.frame_size_max_bytes,
        }
    }

    /// The next complete thing; `None` when all input is used up.
    #[inline]
    pub(crate) fn poll<'b>(
        &mut self,
        input: &mut Input<'b>,
    ) -> Result<Option<Received<'b>>, Violation> {
        loop {
            let frame = match self.frame.take() {
                Some(frame) => frame,
                None => {
                    let mut header = Header::BLANK;
                    if !self.intake.next_header(self.wire, input, &mut header)? {
                        return Ok(None);
                    }
                    self.admit(&header)?;
                    if self.lies_whole(&header, input) {
                        return self.lend(&header, input, 0).map(Some);
                    }
                    Frame { header, received_bytes: 0, reclaimed: false }
                }
            };
            match self.take_frame(frame, input)? {
                Progress::Received(received) => return Ok(Some(received)),
                Progress::FrameDone => {}
                Progress::Starved(frame) => {
                    self.frame = Some(frame);
                    return Ok(None);
                }
            }
        }
    }

    /// Judges a well-formed header by what came before it.
    #[inline]
    fn admit(&mut self, header: &Header) -> Result<(), Violation> {
        let starts_message = matches!(header.opcode, Opcode::Text | Opcode::Binary);
        // WS-FR-02, HYBI-065: reserved bits are zero unless negotiated. WS-PD-08: RSV1 is, on the
        // first frame of a message, and never on control frames or continuations.
        let meaningful = if self.deflate && starts_message { RSV1 } else { 0 };
        if header.rsv & !meaningful != 0 {
            return Err(Violation::ReservedBits);
        }
        if header.opcode.is_control() {
            // WS-CT-01, HYBI-046, HYBI-068.
            if !header.fin {
                return Err(Violation::ControlFragmented);
            }
            if header.payload_size_bytes > CONTROL_MAX_BYTES as u64 {
                return Err(Violation::ControlTooLong);
            }
        } else {
            // WS-FG-03, WS-FG-04: messages come one after the other.
            match (starts_message, self.assembly.is_open()) {
                (true, true) => return Err(Violation::MessageInterleaved),
                (false, false) => return Err(Violation::NothingToContinue),
                _ => {}
            }
            // WS-FR-10: before anything is allocated.
            if header.payload_size_bytes > self.frame_size_max_bytes {
                return Err(Violation::FrameTooBig);
            }
            match header.opcode {
                Opcode::Text => self.assembly.open(MessageKind::Text, header.rsv & RSV1 != 0),
                Opcode::Binary => self.assembly.open(MessageKind::Binary, header.rsv & RSV1 != 0),
                _ => {}
            }
            self.assembly.expect(header.payload_size_bytes)?;
        }
        Ok(())
    }

    /// Whether all of a message is in `input`, as it shall be delivered.
    #[inline]
    fn lies_whole(&self, header: &Header, input: &Input<'_>) -> bool {
        header.fin
            && matches!(header.opcode, Opcode::Text | Opcode::Binary)
            && header.payload_size_bytes <= input.len() as u64
            && self.assembly.may_lend()
    }

    /// Lends the message out of `input`; its first `seen` octets were looked at before.
    #[inline]
    fn lend<'b>(
        &mut self,
        header: &Header,
        input: &mut Input<'b>,
        seen: usize,
    ) -> Result<Received<'b>, Violation> {
        // No larger than the input, so the cast cuts nothing off.
        let payload = input.take(header.payload_size_bytes as usize);
        if let Some(key) = header.key {
            // WS-MK-07.
            let fresh = payload.get_mut(seen..).unwrap_or_default();
            mask::apply(mask::rotate(key, seen), fresh);
        }
        let (kind, payload) = self.assembly.lend(payload, seen)?;
        Ok(Received::Message { kind, payload })
    }

    /// A frame that is not a whole message in the buffer.
    #[inline(never)]
    fn take_frame<'b>(
        &mut self,
        frame: Frame,
        input: &mut Input<'b>,
    ) -> Result<Progress<'b>, Violation> {
        if frame.header.opcode.is_control() {
            self.take_control(frame, input)
        } else {
            self.take_data(frame, input)
        }
    }

    fn take_control<'b>(
        &mut self,
        mut frame: Frame,
        input: &mut Input<'b>,
    ) -> Result<Progress<'b>, Violation> {
        let missing = missing_bytes(&frame);
        if input.len() >= missing && self.control.is_empty() {
            let payload = input.take(missing);
            unmask(&frame, payload);
            let received = self.finish_control(frame.header, Payload::Borrowed(payload))?;
            return Ok(Progress::Received(received));
        }
        let piece = input.take(missing);
        unmask(&frame, piece);
        self.control.extend_from_slice(piece);
        frame.received_bytes = frame.received_bytes.saturating_add(piece.len() as u64);
        if missing_bytes(&frame) > 0 {
            return Ok(Progress::Starved(frame));
        }
        let payload = Payload::Owned(std::mem::take(&mut self.control));
        Ok(Progress::Received(self.finish_control(frame.header, payload)?))
    }

    fn finish_control<'b>(
        &self,
        header: Header,
        payload: Payload<'b>,
    ) -> Result<Received<'b>, Violation> {
        Ok(match header.opcode {
            Opcode::Ping => Received::Ping(payload),
            Opcode::Close => {
                let role = if self.wire.masked { Role::Server } else { Role::Client };
                Received::Close(CloseBody::parse(self.wire.version, role, &payload)?)
            }
            _ => Received::Pong(payload),
        })
    }

    fn take_data<'b>(
        &mut self,
        mut frame: Frame,
        input: &mut Input<'b>,
    ) -> Result<Progress<'b>, Violation> {
        let seen = std::mem::take(&mut self.in_place_bytes);
        if frame.received_bytes == seen as u64 && self.lies_whole(&frame.header, input) {
            return self.lend(&frame.header, input, seen).map(Progress::Received);
        }
        // What came back through the caller's buffer was checked before it went there.
        self.assembly.restore(input.take(seen));
        frame.reclaimed |= seen > 0 && !input.is_empty();
        let missing = missing_bytes(&frame);
        self.assembly.reserve(missing.min(input.len()), missing);
        // WS-MK-07; block by block, so that each is still in the cache when it is used.
        while missing_bytes(&frame) > 0 && !input.is_empty() {
            let block = input.take(missing_bytes(&frame).min(mask::BLOCK_BYTES));
            unmask(&frame, block);
            frame.received_bytes = frame.received_bytes.saturating_add(block.len() as u64);
            self.assembly.push(block)?;
        }
        if missing_bytes(&frame) > 0 {
            return Ok(Progress::Starved(frame));
        }
        if !frame.header.fin {
            return Ok(Progress::FrameDone);
        }
        // WS-FR-09: the application data of all frames, with the type of the first.
        let (kind, payload) = self.assembly.finish()?;
        Ok(Progress::Received(Received::Message { kind, payload: Payload::Owned(payload) }))
    }

    /// How many octets [`Self::reclaim`] would move.
    pub(crate) fn reclaimable_bytes(&self) -> usize {
        match &self.frame {
            Some(frame)
                if frame.header.fin
                    && matches!(frame.header.opcode, Opcode::Text | Opcode::Binary)
                    && frame.header.payload_size_bytes <= RECLAIM_MAX_BYTES as u64
                    && !frame.reclaimed =>
            {
                self.assembly.uncompressed_bytes()
            }
            _ => 0,
        }
    }

    /// Moves the beginning of an incomplete frame to the head of `buf`.
    pub(crate) fn reclaim(&mut self, buf: &mut [u8]) -> usize {
        let size = self.reclaimable_bytes();
        let Some(head) = buf.get_mut(..size) else { return 0 };
        self.assembly.give_back(head);
        self.in_place_bytes = size;
        size
    }

    /// Gives memory back that only the last burst needed.
    pub(crate) fn trim(&mut self) {
        self.assembly.trim();
    }

    /// Nothing more is received. The connection may linger; its memory does not.
    pub(crate) fn discard(&mut self) {
        self.control = Vec::new();
        self.assembly.discard();
    }

    pub(crate) fn version(&self) -> Version {
        self.wire.version
    }
}

/// WS-MK-06: `bytes` follow the octets of the frame that were taken before.
#[inline]
fn unmask(frame: &Frame, bytes: &mut [u8]) {
    if let Some(key) = frame.header.key {
        // Only the last two bits matter, so the cast may cut the rest off.
        mask::apply(mask::rotate(key, frame.received_bytes as usize), bytes);
    }
}

#[inline]
fn missing_bytes(frame: &Frame) -> usize {
    let missing = frame.header.payload_size_bytes.saturating_sub(frame.received_bytes);
    usize::try_from(missing).unwrap_or(usize::MAX)
}

/// WS-U8-01; HYBI-081: servers refuse bad text in every version.
fn check_text(bytes: &[u8]) -> Result<(), Violation> {
    utf8::check(bytes).map_err(|utf8::Invalid| Violation::TextNotUtf8)
}
