//! Counters of a managed stream (XEP-0198). On the wire they are counted modulo 2^32; here they
//! never wrap, so that they can be kept in a ledger.

use super::violation::Violation;
use crate::ns;
use crate::xml::{Element, element};

/// What is known of a managed stream that is to be resumed: what its ledger says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    /// Stanzas received, and taken responsibility for.
    pub taken: u64,
    /// Stanzas sent, acknowledged or not.
    pub sent: u64,
    /// Stanzas sent that the peer has acknowledged.
    pub acked: u64,
}

impl Ledger {
    /// The count of acknowledged stanzas that a peer means by `h`. `None`: it acknowledges more
    /// than it was sent.
    #[must_use]
    pub fn acknowledged(&self, h: u32) -> Option<u64> {
        let more = u64::from(h.wrapping_sub(self.acked as u32));
        self.acked.checked_add(more).filter(|&acked| acked <= self.sent)
    }
}

/// What `<a/>` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Acknowledged {
    /// All up to this one.
    UpTo(u64),
    /// Nothing that was not known.
    Nothing,
}

#[derive(Debug, Default)]
pub(crate) struct Managed {
    /// The stream can be resumed.
    pub(crate) resumable: bool,
    received: u64,
    taken: u64,
    /// The last `h` that the peer was told.
    told: u64,
    /// The peer asked when so many were received.
    wanted: Option<u64>,
    sent: u64,
    acked: u64,
    /// Sent when the peer was asked last.
    requested: u64,
}

impl Managed {
    pub(crate) fn new(resumable: bool) -> Self {
        Self { resumable, ..Self::default() }
    }

    /// A stream that goes on. What was sent and not acknowledged is sent again, by the same
    /// numbers.
    pub(crate) fn resumed(ledger: &Ledger, acked: u64) -> Self {
        Self {
            resumable: true,
            received: ledger.taken,
            taken: ledger.taken,
            told: ledger.taken,
            wanted: None,
            sent: acked,
            acked,
            requested: acked,
        }
    }

    /// Counts a stanza of the peer.
    pub(crate) fn receive(&mut self) -> u64 {
        self.received = self.received.saturating_add(1);
        self.received
    }

    /// Counts a stanza for the peer.
    pub(crate) fn send(&mut self) -> u64 {
        self.sent = self.sent.saturating_add(1);
        self.sent
    }

    /// Stanzas whose acknowledgement was not asked for.
    pub(crate) fn unrequested(&self) -> u64 {
        self.sent.saturating_sub(self.requested.max(self.acked))
    }

    pub(crate) fn requested(&mut self) {
        self.requested = self.sent;
    }

    /// The peer asks. True: it can be answered at once.
    // XEP-0198 4: handled means that responsibility was taken. An answer before that would say
    // too little; it is given when all that came before the question is taken, or after a delay.
    pub(crate) fn want(&mut self) -> bool {
        let settled = self.taken >= self.received;
        self.wanted = (!settled).then_some(self.received);
        settled
    }

    /// Responsibility is taken for all up to this one. `None`: it was not received. True: the
    /// peer waits for it.
    pub(crate) fn take(&mut self, up_to: u64) -> Option<bool> {
        if up_to > self.received {
            return None;
        }
        self.taken = self.taken.max(up_to);
        Some(self.wanted.is_some_and(|wanted| wanted <= self.taken))
    }

    /// There is something to tell that the peer does not know.
    pub(crate) fn has_news(&self) -> bool {
        self.taken > self.told
    }

    /// The `h` to be told now.
    pub(crate) fn tell(&mut self) -> u32 {
        self.told = self.taken;
        self.wanted = None;
        self.taken as u32
    }

    pub(crate) fn acknowledge(&mut self, h: u32) -> Result<Acknowledged, Violation> {
        let ledger = Ledger { taken: self.taken, sent: self.sent, acked: self.acked };
        match ledger.acknowledged(h) {
            Some(acked) if acked == self.acked => Ok(Acknowledged::Nothing),
            Some(acked) => {
                self.acked = acked;
                Ok(Acknowledged::UpTo(acked))
            }
            None => Err(Violation::HandledTooHigh { handled: h, sent: self.sent as u32 }),
        }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger { taken: self.taken, sent: self.sent, acked: self.acked }
    }
}

/// The attribute `h`.
pub(crate) fn read_count(element: &Element<'_>) -> Option<u32> {
    let text = element.attribute("h")?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Appends an element of stream management, of which most are empty.
pub(crate) fn write_nonza(
    out: &mut Vec<u8>,
    name: &str,
    attributes: &[(&str, Option<&str>)],
    content: impl FnOnce(&mut Vec<u8>),
) {
    let mut all = vec![("xmlns", ns::SM)];
    all.extend(attributes.iter().filter_map(|&(name, value)| Some((name, value?))));
    element(out, name, &all, content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_wrap_on_the_wire_alone() {
        let near = (1 << 32) - 2;
        let ledger = Ledger { taken: near, sent: near, acked: near };
        let mut managed = Managed::resumed(&ledger, near);
        for _ in 0..4 {
            managed.send();
            managed.receive();
        }
        assert_eq!(managed.acknowledge(u32::MAX), Ok(Acknowledged::UpTo(near + 1)));
        assert_eq!(managed.acknowledge(0), Ok(Acknowledged::UpTo(1 << 32)));
        assert_eq!(managed.acknowledge(0), Ok(Acknowledged::Nothing));
        assert_eq!(managed.acknowledge(2), Ok(Acknowledged::UpTo(near + 4)));
        let too_high = Violation::HandledTooHigh { handled: 3, sent: 2 };
        assert_eq!(managed.acknowledge(3), Err(too_high));
        assert_eq!(managed.take(near + 3), Some(false));
        assert_eq!(managed.tell(), 1);
    }

    #[test]
    fn a_question_waits_for_what_came_before_it() {
        let mut managed = Managed::new(true);
        assert!(managed.want());
        managed.receive();
        managed.receive();
        assert!(!managed.want());
        managed.receive();
        assert_eq!(managed.take(1), Some(false));
        assert_eq!(managed.take(2), Some(true));
        assert_eq!(managed.tell(), 2);
        assert_eq!(managed.take(3), Some(false));
        assert_eq!(managed.take(4), None);
        assert!(managed.has_news());
    }
}
