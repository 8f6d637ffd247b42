//! One WebSocket: the stream's engine, its timers, and what it says.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;

use tokio::time::{Instant, Sleep, sleep_until};
use wharf_ws::tokio::{Handler, Outbox};
use wharf_ws::{CloseCode, MessageKind, Payload};
use wharf_xmpp::client::Connection;
use wharf_xmpp::stream::{Due, Input};

use super::conversation::{Core, finish};

/// Messages wait while more octets than this are unsent.
const UNSENT_MAX_BYTES: usize = 256 * 1024;

/// Drives a [`Core`] on one WebSocket.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    core: &'c mut Core,
    engine: Connection,
    sleep: Option<Pin<Box<Sleep>>>,
    /// The last message of the engine.
    scratch: Vec<u8>,
    is_closed: bool,
}

impl<'c> Session<'c> {
    pub(super) fn new(core: &'c mut Core, engine: Connection) -> Self {
        Session { core, engine, sleep: None, scratch: Vec::new(), is_closed: false }
    }

    fn poll_timers(&mut self, cx: &mut Context<'_>) {
        while let Some(due) = self.engine.poll_timeout() {
            if let Due::At(at) = due {
                let at = Instant::from_std(at);
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
                if sleep.deadline() != at {
                    sleep.as_mut().reset(at);
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return;
                }
            }
            self.engine.handle_timeout(Instant::now().into_std());
            self.core.handle_events(&mut self.engine, &mut Input::empty());
        }
        self.sleep = None;
    }

    /// What the application sends; the server is asked at once what it has taken.
    fn poll_sends(&mut self, cx: &mut Context<'_>, out: &Outbox<'_>) {
        let mut said = false;
        while self.engine.is_online()
            && self.engine.pending_bytes().saturating_add(out.unsent_bytes()) < UNSENT_MAX_BYTES
        {
            let Some(next) = self.core.poll_next(cx) else { break };
            self.core.say(next, &mut self.engine);
            said = true;
        }
        if said {
            let _ = self.engine.request();
        }
    }

    /// Tells the server what the application has taken.
    // XWS-086: never more than came on this WebSocket; the rest was told when it was resumed.
    fn acknowledge(&mut self) {
        if !self.engine.is_online() {
            return;
        }
        let inbound = &self.core.inbound;
        let up_to = inbound.acks.up_to().min(inbound.heard);
        let told = self.engine.acknowledge(up_to).and_then(|()| self.engine.tell());
        debug_assert_eq!(told, Ok(()), "only what was received is acknowledged");
    }

    // XWS-014: each element is a message of its own.
    fn transmit(&mut self, out: &mut Outbox<'_>) {
        self.scratch.clear();
        while self.engine.poll_transmit(&mut self.scratch) > 0 {
            // Refused only after a Close; what matters is kept until it is acknowledged.
            let _ = out.send(MessageKind::Text, &self.scratch);
            self.scratch.clear();
        }
        if self.engine.is_over() && !self.is_closed {
            self.is_closed = true;
            let code = self.core.closed.as_ref().map_or(1000, |closed| closed.code);
            let _ = out.close(CloseCode::new(code), "");
        }
    }
}

impl Handler for Session<'_> {
    // XWS-010.
    fn message(&mut self, kind: MessageKind, payload: Payload<'_>, out: &mut Outbox<'_>) {
        let mut input = match kind {
            MessageKind::Text => Input::text(&payload),
            MessageKind::Binary => Input::binary(),
        };
        self.core.handle_events(&mut self.engine, &mut input);
        self.transmit(out);
    }

    fn poll(&mut self, cx: &mut Context<'_>, out: &mut Outbox<'_>) {
        self.core.handle_events(&mut self.engine, &mut Input::empty());
        self.core.poll_controls(cx);
        self.acknowledge();
        self.poll_sends(cx, out);
        self.core.poll_close(cx, &mut self.engine);
        self.poll_timers(cx);
        self.transmit(out);
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        finish(self.core, &mut self.engine);
    }
}
