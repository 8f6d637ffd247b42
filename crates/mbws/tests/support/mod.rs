//! What the tests share.
#![allow(dead_code, reason = "each test file uses its own part")]

use wharf_mbws::{Kind, MessageSink};

/// Keeps what was sent, one entry for each WebSocket message.
#[derive(Debug, Default)]
pub(crate) struct Wire(pub(crate) Vec<(Kind, Vec<u8>)>);

impl MessageSink for Wire {
    fn message(&mut self, kind: Kind, parts: &[&[u8]]) {
        self.0.push((kind, parts.concat()));
    }
}

impl Wire {
    /// Everything sent since the last call, which must be text.
    pub(crate) fn take_text(&mut self) -> Vec<String> {
        let text = |(kind, payload)| {
            assert_eq!(kind, Kind::Text);
            String::from_utf8(payload).expect("UTF-8")
        };
        std::mem::take(&mut self.0).into_iter().map(text).collect()
    }

    /// Everything sent since the last call.
    pub(crate) fn take(&mut self) -> Vec<(Kind, Vec<u8>)> {
        std::mem::take(&mut self.0)
    }
}
