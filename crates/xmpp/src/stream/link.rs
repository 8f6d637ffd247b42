//! What both ends do alike: count, acknowledge, ask, close.

use super::closed::{By, Closed, Misuse};
use super::frame::Frame;
use super::header::write_close;
use super::managed::{Acknowledged, Ledger, Managed, read_count, write_nonza};
use super::outbound::Outbound;
use super::timers::{Due, Fired, Timers};
use super::violation::Violation;
use crate::stanza::Stanza;
use crate::xml::Element;
use std::time::{Duration, Instant};

/// Whether the stream goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// Our `<close/>` is sent, the peer's is awaited.
    Closing,
    /// Nothing more is read.
    Over,
}

/// When things are said that nobody has asked for, and how long others may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pacing {
    /// Time from the beginning until stanzas flow.
    pub login_timeout: Duration,
    /// Time for the peer's `<close/>` after ours.
    pub close_timeout: Duration,
    /// The peer is pinged after so long a silence. `None`: WebSocket pings are enough.
    pub ping_after: Option<Duration>,
    /// Time for any sign of life after a ping.
    pub ping_timeout: Duration,
    /// Acknowledgement is asked for after so many stanzas.
    pub request_after_stanzas: u64,
    /// Or after so long, where there are fewer.
    pub request_after: Duration,
    /// The longest that an acknowledgement is withheld because stanzas are not stored yet.
    pub answer_within: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            login_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(2),
            ping_after: None,
            ping_timeout: Duration::from_secs(20),
            request_after_stanzas: 16,
            request_after: Duration::from_secs(2),
            answer_within: Duration::from_secs(5),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Link {
    pacing: Pacing,
    pub(crate) phase: Phase,
    outbound: Outbound,
    timers: Timers,
    managed: Option<Managed>,
    ending: Option<Box<Closed>>,
}

impl Link {
    pub(crate) fn new(pacing: Pacing) -> Self {
        let mut timers = Timers::default();
        timers.begin_stage(pacing.login_timeout);
        if let Some(after) = pacing.ping_after {
            timers.watch(after, pacing.ping_timeout);
        }
        Self {
            pacing,
            phase: Phase::Open,
            outbound: Outbound::default(),
            timers,
            managed: None,
            ending: None,
        }
    }

    /// Appends one message.
    pub(crate) fn message(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.outbound.message(write);
    }

    pub(crate) fn transmit(&mut self, out: &mut Vec<u8>) -> usize {
        self.outbound.pop(out)
    }

    pub(crate) fn pending_bytes(&self) -> usize {
        self.outbound.len()
    }

    /// Something came.
    pub(crate) fn heard(&mut self) {
        self.timers.heard = true;
    }

    /// Stanzas flow.
    pub(crate) fn flows(&mut self) {
        self.timers.end_stage();
    }

    pub(crate) fn due(&self) -> Option<Due> {
        if self.phase == Phase::Over { None } else { self.timers.due() }
    }

    /// What the time brings. What is common is done; the violation is left to the caller, and
    /// whether to ping.
    pub(crate) fn tick(&mut self, now: Instant) -> Result<bool, Violation> {
        let Fired { stage, ping, gone, request, answer } = self.timers.tick(now);
        match self.phase {
            Phase::Over => {}
            Phase::Closing if stage => self.end_as_begun(),
            Phase::Closing => {}
            Phase::Open if stage => return Err(Violation::TooSlow),
            Phase::Open if gone => return Err(Violation::Silent),
            Phase::Open => {
                if request {
                    self.request();
                }
                if answer {
                    self.answer();
                }
                return Ok(ping);
            }
        }
        Ok(false)
    }

    // Stream management.

    pub(crate) fn is_managed(&self) -> bool {
        self.managed.is_some()
    }

    pub(crate) fn is_resumable(&self) -> bool {
        self.managed.as_ref().is_some_and(|managed| managed.resumable)
    }

    pub(crate) fn manage(&mut self, managed: Managed) {
        self.managed = Some(managed);
    }

    pub(crate) fn ledger(&self) -> Option<Ledger> {
        self.managed.as_ref().map(Managed::ledger)
    }

    /// Counts a stanza that came.
    pub(crate) fn count(&mut self) -> Option<u64> {
        self.managed.as_mut().map(Managed::receive)
    }

    /// Sends a stanza and counts it.
    // XWS-014.
    pub(crate) fn send(&mut self, pieces: &[&[u8]]) -> Option<u64> {
        self.outbound.message(|out| {
            for piece in pieces {
                out.extend_from_slice(piece);
            }
        });
        let managed = self.managed.as_mut()?;
        let seq = managed.send();
        if managed.unrequested() >= self.pacing.request_after_stanzas {
            self.request();
        } else {
            self.timers.request_within(self.pacing.request_after);
        }
        Some(seq)
    }

    /// `<r/>` and `<a/>` on a managed stream; what is newly acknowledged. `None`: something else.
    // XEP-0198 4, XWS-081.
    pub(crate) fn on_acknowledging(
        &mut self,
        element: &Element<'_>,
    ) -> Option<Result<Option<u64>, Violation>> {
        let managed = self.managed.as_mut()?;
        match element.name() {
            "r" => {
                if managed.want() {
                    self.answer();
                } else {
                    self.timers.answer_within(self.pacing.answer_within);
                }
                Some(Ok(None))
            }
            "a" => {
                let Some(handled) = read_count(element) else {
                    return Some(Err(Violation::HandledUnreadable));
                };
                Some(managed.acknowledge(handled).map(|acknowledged| match acknowledged {
                    Acknowledged::UpTo(up_to) => Some(up_to),
                    Acknowledged::Nothing => None,
                }))
            }
            _ => None,
        }
    }

    pub(crate) fn acknowledge(&mut self, up_to: u64) -> Result<(), Misuse> {
        let Some(managed) = &mut self.managed else { return Ok(()) };
        let waited_for = managed.take(up_to).ok_or(Misuse::AcknowledgedUnreceived)?;
        if waited_for && self.phase == Phase::Open {
            self.answer();
        }
        Ok(())
    }

    /// Tells what is taken.
    fn answer(&mut self) {
        self.timers.stop_answer();
        if let Some(managed) = &mut self.managed {
            let h = managed.tell().to_string();
            self.outbound.message(|out| write_nonza(out, "a", &[("h", Some(&h))], |_| {}));
        }
    }

    /// Asks what has been received, if there is anything.
    pub(crate) fn request(&mut self) {
        if let Some(managed) = &mut self.managed
            && managed.unrequested() > 0
        {
            managed.requested();
            self.ask();
        }
    }

    /// Asks what has been received.
    pub(crate) fn ask(&mut self) {
        self.outbound.message(|out| write_nonza(out, "r", &[], |_| {}));
    }

    // The end.

    pub(crate) fn check_open(&self) -> Result<(), Misuse> {
        if self.phase == Phase::Open { Ok(()) } else { Err(Misuse::WrongStage) }
    }

    /// Says what there is to say, and `<close/>`. The peer's is awaited.
    // XWS-040, XWS-042, XWS-050, XWS-051.
    pub(crate) fn begin_close(&mut self, closed: Closed) {
        match &closed.error {
            Some(error) if closed.by == By::Local => self.outbound.message(|out| error.write(out)),
            Some(_) => {}
            None => self.tell_news(),
        }
        self.outbound.message(|out| write_close(out, closed.see_other_uri.as_deref()));
        self.ending = Some(Box::new(closed));
        self.phase = Phase::Closing;
        self.timers.stop();
        self.timers.begin_stage(self.pacing.close_timeout);
    }

    /// The peer closes; what is queued goes out before our `<close/>`.
    // XWS-052, XWS-053.
    pub(crate) fn on_close(&mut self, see_other_uri: Option<String>) {
        self.tell_news();
        self.outbound.message(|out| write_close(out, None));
        // Who is sent elsewhere goes on there.
        let resumable = see_other_uri.is_some() && self.is_resumable();
        self.end(Closed {
            see_other_uri,
            resumable,
            clean: true,
            peer_ends_transport: true,
            ..Closed::new(By::Peer)
        });
    }

    /// XEP-0198 4: before the stream is closed the peer is told what it does not know.
    pub(crate) fn tell_news(&mut self) {
        if self.managed.as_ref().is_some_and(Managed::has_news) {
            self.answer();
        }
    }

    // XWS-056, RFC 6120 4.4: what the peer has sent before its `<close/>` still counts, unless
    // the stream was closed with an error.
    pub(crate) fn step_closing<'a>(
        &mut self,
        frame: Result<Frame<'a>, Violation>,
    ) -> Option<Stanza<'a>> {
        let orderly = self.ending.as_ref().is_some_and(|ending| ending.error.is_none());
        match frame {
            Ok(Frame::Close { .. }) => {
                if let Some(ending) = &mut self.ending {
                    ending.clean = true;
                }
                self.end_as_begun();
                None
            }
            Ok(Frame::Stanza(stanza)) if orderly => Some(stanza),
            Ok(_) => None,
            Err(_) => {
                self.end_as_begun();
                None
            }
        }
    }

    // XWS-054, XWS-055.
    pub(crate) fn on_transport_closed(&mut self) {
        match self.phase {
            Phase::Over => {}
            Phase::Closing => self.end_as_begun(),
            Phase::Open => {
                let resumable = self.is_resumable();
                self.end(Closed { resumable, ..Closed::new(By::Peer) });
            }
        }
    }

    /// How a stream ends that the peer has broken.
    pub(crate) fn broken(&self, violation: Violation) -> Closed {
        // A peer that is silent may be back.
        let resumable = violation == Violation::Silent && self.is_resumable();
        let (error, code) = (violation.error(), violation.close_code());
        let violation = Some(violation);
        Closed { error, violation, code, resumable, ..Closed::new(By::Local) }
    }

    /// The end of what `begin_close` began.
    pub(crate) fn end_as_begun(&mut self) {
        let closed = self.ending.take().map_or(Closed::new(By::Local), |closed| *closed);
        self.end(closed);
    }

    pub(crate) fn end(&mut self, closed: Closed) {
        self.ending = Some(Box::new(closed));
        self.phase = Phase::Over;
        self.timers.stop();
        self.timers.end_stage();
    }

    pub(crate) fn take_ending(&mut self) -> Option<Closed> {
        self.ending.take().map(|closed| *closed)
    }
}
