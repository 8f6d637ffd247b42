//! The buffers of a thread, lent to one connection for the length of one poll.

use std::cell::Cell;

/// How much one read takes. Larger reads mean fewer system calls per message, until input and
/// output together no longer fit the second-level cache.
pub(super) const READ_BYTES: usize = 256 * 1024;

/// An output buffer that grew beyond this for one connection is cut back.
const OUTPUT_KEPT_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Buffers {
    pub(super) input: Vec<u8>,
    pub(super) output: Vec<u8>,
}

thread_local! {
    static SHARED: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

impl Buffers {
    /// Lends the thread's buffers to `f`. Within `f` a second loan gets buffers of its own.
    pub(super) fn with<T>(f: impl FnOnce(&mut Buffers) -> T) -> T {
        let mut buffers = SHARED.take().unwrap_or_else(|| {
            Box::new(Buffers { input: vec![0; READ_BYTES], output: Vec::new() })
        });
        let result = f(&mut buffers);
        buffers.output.clear();
        buffers.output.shrink_to(OUTPUT_KEPT_BYTES);
        SHARED.set(Some(buffers));
        result
    }
}
