//! Where frames go.

use crate::Kind;

/// Takes whole WebSocket messages at once: the engines queue nothing.
pub trait MessageSink {
    /// Sends one message whose payload is `parts` joined.
    fn message(&mut self, kind: Kind, parts: &[&[u8]]);
}
