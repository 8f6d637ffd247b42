//! Stanzas that are sent and not acknowledged, in their order (XEP-0198, section 4).

use std::collections::VecDeque;

use crate::channels::Reply;
use crate::{Error, WindowLimits};

/// A stanza on its way.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) stanza: Vec<u8>,
    /// Of a message: its name and whom it is for, by which an error names it.
    pub(super) message: Option<Named>,
}

#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) to: String,
    /// Gone once it is answered.
    pub(super) reply: Option<Reply>,
}

impl Outbound {
    /// Something else than a message. It is not said again on another stream.
    pub(super) fn unnamed(stanza: Vec<u8>) -> Self {
        Outbound { stanza, message: None }
    }

    /// How it ended.
    fn end(self, how: Result<(), Error>) {
        if let Some(reply) = self.message.and_then(|message| message.reply) {
            // Nobody may wait for it.
            let _ = reply.send(how);
        }
    }

    pub(super) fn into_reply(self) -> Option<Reply> {
        self.message.and_then(|message| message.reply)
    }
}

/// All of them, numbered from `acked` + 1.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    stanzas: VecDeque<Outbound>,
    acked: u64,
    limits: WindowLimits,
    size_bytes: usize,
}

impl Unacknowledged {
    pub(super) fn new(limits: WindowLimits) -> Self {
        Unacknowledged { stanzas: VecDeque::new(), acked: 0, limits, size_bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stanzas.is_empty()
    }

    /// One stanza always fits when nothing is under way.
    pub(super) fn has_room(&self) -> bool {
        self.stanzas.is_empty()
            || (self.stanzas.len() < self.limits.messages_max
                && self.size_bytes < self.limits.size_max_bytes)
    }

    pub(super) fn acked(&self) -> u64 {
        self.acked
    }

    pub(super) fn sent(&self) -> u64 {
        self.acked.saturating_add(self.stanzas.len() as u64)
    }

    pub(super) fn push(&mut self, outbound: Outbound) {
        self.size_bytes = self.size_bytes.saturating_add(outbound.stanza.len());
        self.stanzas.push_back(outbound);
    }

    fn pop(&mut self) -> Option<Outbound> {
        let outbound = self.stanzas.pop_front()?;
        self.size_bytes = self.size_bytes.saturating_sub(outbound.stanza.len());
        Some(outbound)
    }

    /// The server has taken everything up to `up_to`.
    pub(super) fn settle(&mut self, up_to: u64) {
        while self.acked < up_to {
            let Some(outbound) = self.pop() else { return };
            self.acked = self.acked.saturating_add(1);
            outbound.end(Ok(()));
        }
    }

    /// The server does not take this message. False: it is none of those.
    pub(super) fn refuse(&mut self, id: &str, from: &str, why: Error) -> bool {
        let messages = self.stanzas.iter_mut().filter_map(|outbound| outbound.message.as_mut());
        let mut named = messages.filter(|message| message.id == id && message.to == from);
        let Some(reply) = named.find_map(|message| message.reply.take()) else { return false };
        let _ = reply.send(Err(why));
        true
    }

    /// What is to be sent again on the stream that goes on.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> + '_ {
        self.stanzas.iter().map(|outbound| outbound.stanza.as_slice())
    }

    /// The stream is no more. If the server has said how many stanzas it took, the messages behind
    /// those are certain to be new to it, and are handed back; else nobody knows.
    pub(super) fn begin_anew(&mut self, acked: Option<u64>) -> Vec<Outbound> {
        if let Some(acked) = acked {
            self.settle(acked);
        }
        let left = std::mem::take(&mut self.stanzas);
        (self.acked, self.size_bytes) = (0, 0);
        if acked.is_some() {
            return left.into_iter().filter(|outbound| outbound.message.is_some()).collect();
        }
        left.into_iter().for_each(|outbound| outbound.end(Err(Error::Uncertain)));
        Vec::new()
    }

    pub(super) fn into_replies(self) -> impl Iterator<Item = Reply> {
        self.stanzas.into_iter().filter_map(Outbound::into_reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot::{self, Receiver};

    fn message(id: &str) -> (Outbound, Receiver<Result<(), Error>>) {
        let (reply, receipt) = oneshot::channel();
        let (id, to) = (id.to_owned(), "q".to_owned());
        let message = Some(Named { id, to, reply: Some(reply) });
        (Outbound { stanza: vec![b'x'; 10], message }, receipt)
    }

    #[test]
    fn what_is_acknowledged_is_told_once() {
        let mut all = Unacknowledged::new(WindowLimits { messages_max: 3, size_max_bytes: 1000 });
        let (one, mut first) = message("1");
        let (two, mut second) = message("2");
        all.push(one);
        all.push(Outbound::unnamed(vec![]));
        all.push(two);
        assert!(!all.has_room());
        all.settle(2);
        assert!(matches!(first.try_recv(), Ok(Ok(()))) && second.try_recv().is_err());
        assert!(all.refuse("2", "q", Error::Timeout) && !all.refuse("2", "q", Error::Timeout));
        all.settle(3);
        assert!(matches!(second.try_recv(), Ok(Err(Error::Timeout))));
        assert_eq!((all.acked(), all.sent()), (3, 3));
    }

    #[test]
    fn another_stream_gets_what_the_first_has_not_taken() {
        let mut all = Unacknowledged::new(WindowLimits::default());
        let (one, mut first) = message("1");
        let (two, mut second) = message("2");
        all.push(one);
        all.push(two);
        let again = all.begin_anew(Some(1));
        assert!(matches!(first.try_recv(), Ok(Ok(()))) && second.try_recv().is_err());
        assert_eq!((again.len(), all.sent(), all.acked()), (1, 0, 0));
        again.into_iter().for_each(|outbound| all.push(outbound));
        assert!(all.begin_anew(None).is_empty());
        assert!(matches!(second.try_recv(), Ok(Err(Error::Uncertain))));
    }
}
