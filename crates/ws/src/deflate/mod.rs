//! Compression: `permessage-deflate` (RFC 7692) and `deflate-stream` (versions 6 to 8).

mod compress;
mod inflate;
mod stream;

pub(crate) use compress::Compressor;
pub(crate) use inflate::{Fault, Inflater};
pub(crate) use stream::{StreamIn, StreamOut};

/// What a sender strips from the end of a message and a receiver puts back (WS-PD-09, WS-PD-10):
/// the end of the empty stored block that a sync flush writes.
const FLUSH_TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// zlib has no raw window of 8 bits; one of 9 reads whatever 8 bits wrote.
const WINDOW_BITS_MIN: u8 = 9;
